/* Tiles of the record's tree as files (C2SP tlog-tiles). For the publisher and recovery; log.h reads them. */
#ifndef AUDIT_TILE_H
#define AUDIT_TILE_H

#include <sys/types.h>

#include "tlog/tlog.h"

/* Writes the file of a tile unless it is there already and the same. Of a full one those that were not full go. Not
 * flushed: a tile can be made again. ERR_AUDIT. */
enum err tile_write(const char *dir, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                    struct fault *f) MUST_USE;
/* Where the last whole line of a file of `size` bytes ends. */
off_t tile_line_end(int fd, off_t size);

#endif

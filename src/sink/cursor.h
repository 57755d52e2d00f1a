/*
 * How far a sink's other side has taken the record: <dir>/<name>, a few lines of text with a checksum.
 *
 *   doorward cursor 1
 *   seq 1204
 *   leaf <the entry's hash, hex>
 *   sum <SHA-256 of the lines above, hex>
 *
 * The leaf says which record it was: a cursor of another one, or of one that was put back to an older state, fits no
 * entry here. A file is replaced as a whole and flushed before it takes the old one's place.
 */
#ifndef SINK_CURSOR_H
#define SINK_CURSOR_H

#include "tlog/tlog.h"

struct cursor {
    uint64_t seq; /* of the last entry that was taken; 0: none */
    struct tlog_hash leaf;
};
/* ERR_NOT_FOUND: there is none yet. ERR_CORRUPT: it is none, or not whole. ERR_IO. */
enum err cursor_read(const char *dir, struct str name, struct cursor *ret, struct fault *f) MUST_USE;
/* Makes the folder when there is none. ERR_IO. */
enum err cursor_write(const char *dir, struct str name, const struct cursor *c, struct fault *f) MUST_USE;

/* The text itself, for both. */
enum { CURSOR_TEXT = 256 };
size_t cursor_put(const struct cursor *c, char ret[CURSOR_TEXT]);
enum err cursor_parse(struct str text, struct cursor *ret, struct fault *f) MUST_USE;

#endif

/*
 * A log as files: a folder as C2SP tlog-tiles lays it out, and the keys whose signatures count. For the record itself
 * and for whoever was given a copy. What of this room reads files stands here.
 */
#ifndef TLOG_FOLDER_H
#define TLOG_FOLDER_H

#include "tlog/note.h"

/* For tlog_tiles.read; ctx: the folder's name. A partial tile is also found in one that is wider. ERR_NOT_FOUND,
 * ERR_CORRUPT: its size is not that of its width. ERR_IO. */
enum err tlog_folder_tile(void *dir, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret,
                          struct fault *f) MUST_USE;
/* The bytes of a tile's file, or with TLOG_ENTRIES of an entry bundle's, that has at least this width: it, the full
 * one, or what lies between. At most max bytes, in the place of what was in out. */
enum err tlog_folder_file(const char *dir, unsigned level, uint64_t index, unsigned width, size_t max, struct buf *out,
                          unsigned *ret_width, struct fault *f) MUST_USE;

struct note_verifiers {
    struct note_verifier *v;
    size_t n;
};
/* All *.pub of a folder, or the keys of one file: a line each, # begins a remark. Each once. There may be none.
 * ERR_NOT_FOUND, ERR_SYNTAX, ERR_PARAMS, ERR_IO, ERR_LIMIT, ERR_NOMEM. */
enum err note_verifiers_read(const char *path, struct note_verifiers *ret, struct fault *f) MUST_USE;
void note_verifiers_done(struct note_verifiers *v);

#endif

/*
 * Files that are there as a whole or not at all, and folders that stay. Blocks. What returns bool leaves in errno why
 * not.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"

/* All of it; ENOSPC when the disk takes only a part. */
bool file_write(int fd, struct str bytes) MUST_USE;
/* What is in the folder stays there after a power cut. */
bool file_flush_dir(const char *dir) MUST_USE;
bool file_flush_above(const char *path) MUST_USE; /* the folder that it lies in */
/* The folder is there and stays there, whoever made it (mode 0700). `above` is the one that it lies in. */
bool file_make_dir(const char *dir, const char *above) MUST_USE;
/* Puts a file (mode 0600) in the place of what was there. The bytes go to `temporary` first, which is in the same file
 * system and nobody else's. durable: when this returns, a power cut does not take it back; otherwise it may be empty
 * then. False: what was there is there. */
bool file_put(const char *path, const char *temporary, struct str bytes, bool durable) MUST_USE;

/* A file that is not there yet (mode 0600), whole and on the disk, or none. errno EEXIST: it is there. */
bool file_new(const char *path, struct str bytes) MUST_USE;

/* All of a file, or of standard input ("-"), in the place of what was in out. ERR_NOT_FOUND; ERR_IO; ERR_LIMIT: it has
 * more than max bytes; ERR_NOMEM. */
enum err file_read(const char *path, size_t max, struct buf *out, struct fault *f) MUST_USE;

/* The files of a folder that are named by a number, 20 digits, and this tail: their numbers, sorted, to be freed. */
bool file_numbers(const char *dir, const char *tail, uint64_t **ret, size_t *ret_n) MUST_USE;

#endif

/*
 * Files that are there as a whole or not at all, and folders that stay. Blocks. What returns bool leaves in errno why
 * not.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"
#include "base/str.h"

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

#endif

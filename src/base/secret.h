/*
 * Secrets: bytes in locked memory that are wiped when freed. They have no printf form and no struct str: whoever needs
 * the bytes calls secret_bytes() and must not copy them into an arena, a log, an error or an answer.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/err.h"
#include "base/str.h"

struct secret; /* opaque: it cannot be printed, compared with == or copied by accident */

struct secret *secret_new(const void *p,
                          size_t n) MUST_USE; /* copies; the caller wipes its own copy. NULL: no memory */
struct secret *secret_alloc(size_t n, unsigned char **ret_bytes) MUST_USE; /* n writable bytes; NULL: no memory */
void secret_free(struct secret *s);
void secret_freep(struct secret **s); /* for CLEANUP */
const unsigned char *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);
bool secret_eq(const struct secret *s, struct str other); /* constant time for equal lengths */
/* Reads a whole file of at most max bytes, without a trailing newline. Refuses files that group or others may read or
 * write when `strict`. */
enum err secret_read(const char *path, size_t max, bool strict, struct secret **ret, struct fault *f) MUST_USE;
void secret_wipe(void *p, size_t n);
/* True when they are equal, in time that depends on the length only. */
bool str_eq_secret(struct str a, struct str b);

#endif

/*
 * An arena: memory for one request, given back in one go. Capped; when the cap is reached or the system has no more, it
 * returns NULL and stays failed (arena_failed), so that a caller may check once at the end. A failed arena denies the
 * call. Not for secrets (base/secret.h). One thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena_block;
struct arena {
    struct arena_block *head;
    char *at, *end;
    size_t total, cap;
    unsigned first; /* bytes of the first block */
    bool failed;
};

void arena_init(struct arena *a, size_t cap);
void arena_init_small(struct arena *a, size_t cap); /* for what there are many of, and little in each */
void arena_done(struct arena *a);  /* gives everything back; the arena must be initialised again before use */
void arena_reset(struct arena *a); /* forgets everything, keeps one block for the next request */
void *arena_alloc(struct arena *a, size_t n) MUST_USE;             /* zeroed, aligned to 16; NULL when failed */
void *arena_raw(struct arena *a, size_t n, size_t align) MUST_USE; /* not zeroed */
struct str arena_str(struct arena *a, struct str s); /* a copy, with a zero behind it that is not counted */
/* Several in one, likewise. ARENA_JOIN(a, STR("tool:"), id) */
struct str arena_join(struct arena *a, const struct str *part, size_t n);
#define ARENA_JOIN(a, ...)                                                                                             \
    arena_join(a, (const struct str[]){__VA_ARGS__}, sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
struct buf;
struct str arena_buf(struct arena *a, const struct buf *b); /* a copy likewise; a buffer that failed fails the arena */
struct str arena_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
bool arena_failed(const struct arena *a);

#endif

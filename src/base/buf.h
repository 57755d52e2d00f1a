/*
 * A growing byte buffer with a declared maximum. A failed append (maximum or memory) is sticky: check buf_failed() once
 * at the end, or buf_error() where the two are told apart. Owned by whoever initialised it; buf_done() frees. One
 * thread at a time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap, max;
    bool failed, poor; /* poor: for want of memory */
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
void buf_clear(struct buf *b); /* empties it and clears the failure; keeps the memory */
bool buf_reserve(struct buf *b,
                 size_t more) MUST_USE; /* room for `more` behind p[n]; the caller may write there and add to n */
/* Inline, since every byte of an answer and of the record goes through here: mostly there is room. */
static inline bool buf_room(struct buf *b, size_t more) /* as buf_reserve */
{
    return (!b->failed && more <= b->cap - b->n) || buf_reserve(b, more);
}
static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || !buf_room(b, n))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}
static inline void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}
static inline void buf_z(struct buf *b, const char *z)
{
    buf_put(b, z, strlen(z));
}
static inline void buf_char(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_drop(struct buf *b, size_t n);   /* removes n bytes from the front */
struct str buf_view(const struct buf *b); /* STR_NONE when it failed: half of something is nothing */
static inline bool buf_failed(const struct buf *b)
{
    return b->failed;
}
/* ERR_OK, ERR_LIMIT (more than the maximum) or ERR_NOMEM. */
static inline enum err buf_error(const struct buf *b)
{
    return !b->failed ? ERR_OK : b->poor ? ERR_NOMEM : ERR_LIMIT;
}

#endif

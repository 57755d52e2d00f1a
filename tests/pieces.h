/*
 * A stream in pieces, each in memory of just its size, so that a read behind its end is seen. There is always a second
 * piece, which may be empty, as the first may be.
 */
#ifndef TEST_PIECES_H
#define TEST_PIECES_H

#include "base/str.h"

#include <stdlib.h>

struct pieces {
    struct str rest;
    size_t first, step; /* bytes of the first piece, and of each that follows */
    unsigned count;
    char *copy;
};

/* The piece lives until the next call. False: that was all. */
static inline bool pieces_next(struct pieces *p, struct str *ret)
{
    size_t n = p->count ? p->step : p->first;
    if (n > p->rest.n)
        n = p->rest.n;
    free(p->copy);
    p->copy = NULL;
    if (p->count >= 2 && n == 0)
        return false;
    p->count++;
    p->copy = malloc(n ? n : 1);
    if (n)
        memcpy(p->copy, p->rest.p, n);
    p->rest = str_skip(p->rest, n);
    *ret = (struct str){p->copy, n};
    return true;
}

static inline void pieces_done(struct pieces *p)
{
    free(p->copy);
}

#endif

/*
 * Token buckets for rates: "100/minute" holds at most 100 tokens and fills evenly; a request takes one. Monotonic
 * clock. One lock each, held for a few instructions.
 */
#ifndef STORE_BUCKET_H
#define STORE_BUCKET_H

#include "store/lease.h"

struct lease_bucket;
struct bucket_use {
    struct lease_bucket *bucket; /* NULL: no memory for it, refused */
    const char *name;
};

struct lease_bucket *bucket_new(const struct conf_rate *rate); /* full; NULL: no memory */
void bucket_free(struct lease_bucket *b);
/* One token from each or from none. Fills *ret; LEASE_GRANTED when all had one. */
void bucket_take_all(struct bucket_use *use, unsigned n, int64_t now_ns, struct lease_verdict *ret);

struct buckets;
struct buckets *buckets_new(void);
void buckets_free(struct buckets *b);
/* The bucket of this kind for agent and tool; made when it is not there, refitted when its rate has
 * changed. NULL: too many of them, or no memory. It lives until the next sweep. */
struct lease_bucket *buckets_get(struct buckets *b, struct str kind, struct str agent, struct str tool,
                                 const struct conf_rate *rate);
/* Forgets the buckets that are full: a new one is the same. Nobody may hold a bucket meanwhile. */
void buckets_sweep(struct buckets *b, int64_t now_ns);

#endif

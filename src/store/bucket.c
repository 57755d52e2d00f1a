#include "store/bucket.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"

enum { BUCKET_SLOTS = 4096, BUCKETS_MAX = 200000 };

/* A bucket is kept as the moment at which it will be full again: a token costs `step` of that time (the "virtual
 * scheduling" form of a leaky bucket, ITU-T I.371). One integer, exact. */
struct lease_bucket {
    pthread_mutex_t lock;
    int64_t full_at; /* ns */
    int64_t step;    /* ns a token; 0: no limit */
    int64_t depth;   /* ns the whole bucket takes to fill */
    struct lease_bucket *next;
    struct str key;
    char bytes[];
};

static void bucket_fit(struct lease_bucket *b, const struct conf_rate *rate)
{
    b->depth = rate->per_ms * INT64_C(1000000);
    b->step = rate->count ? b->depth / rate->count : 0;
    b->depth = b->step * rate->count;
}

static struct lease_bucket *bucket_make(const struct conf_rate *rate, struct str key)
{
    struct lease_bucket *b = calloc(1, sizeof(*b) + key.n + 1);
    if (!b)
        return NULL;
    pthread_mutex_init(&b->lock, NULL);
    if (key.n)
        memcpy(b->bytes, key.p, key.n);
    b->key = (struct str){b->bytes, key.n};
    bucket_fit(b, rate);
    return b;
}

struct lease_bucket *bucket_new(const struct conf_rate *rate)
{
    return bucket_make(rate, STR_NONE);
}

void bucket_free(struct lease_bucket *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* Nanoseconds until it has a token; 0: it has one, and it is taken. */
static int64_t bucket_take(struct lease_bucket *b, int64_t now)
{
    int64_t wait = 0;
    pthread_mutex_lock(&b->lock);
    int64_t from = b->full_at > now ? b->full_at : now;
    if (b->step && from - now + b->step > b->depth)
        wait = from - now + b->step - b->depth;
    else
        b->full_at = from + b->step;
    pthread_mutex_unlock(&b->lock);
    return wait;
}

static void bucket_give_back(struct lease_bucket *b)
{
    pthread_mutex_lock(&b->lock);
    b->full_at -= b->step;
    pthread_mutex_unlock(&b->lock);
}

void bucket_take_all(struct bucket_use *use, unsigned n, int64_t now, struct lease_verdict *ret)
{
    for (unsigned i = 0; i < n; i++) {
        int64_t wait = use[i].bucket ? bucket_take(use[i].bucket, now) : 1;
        if (!wait)
            continue;
        for (unsigned k = 0; k < i; k++)
            bucket_give_back(use[k].bucket);
        *ret = (struct lease_verdict){.err = ERR_RATE, .limit = use[i].name, .retry_after_ms = wait / 1000000 + 1};
        return;
    }
    *ret = (struct lease_verdict){.answer = LEASE_GRANTED};
}

struct buckets {
    pthread_mutex_t lock;
    size_t count;
    struct lease_bucket *slot[BUCKET_SLOTS];
};

struct buckets *buckets_new(void)
{
    struct buckets *b = calloc(1, sizeof(*b));
    if (b)
        pthread_mutex_init(&b->lock, NULL);
    return b;
}

void buckets_free(struct buckets *b)
{
    for (size_t i = 0; i < BUCKET_SLOTS; i++) {
        for (struct lease_bucket *k = b->slot[i], *next; k; k = next) {
            next = k->next;
            bucket_free(k);
        }
    }
    free(b);
}

struct lease_bucket *buckets_get(struct buckets *b, struct str kind, struct str agent, struct str tool,
                                 const struct conf_rate *rate)
{
    char text[512];
    if (kind.n + agent.n + tool.n + 2 > sizeof(text))
        return NULL;
    size_t n = 0;
    const struct str parts[] = {kind, agent, tool};
    for (unsigned i = 0; i < 3; i++) {
        if (parts[i].n)
            memcpy(text + n, parts[i].p, parts[i].n);
        n += parts[i].n;
        if (i < 2)
            text[n++] = 0;
    }
    struct str key = {text, n};
    pthread_mutex_lock(&b->lock);
    struct lease_bucket **slot = &b->slot[str_hash(key) % BUCKET_SLOTS], *k = *slot;
    while (k && !str_eq(k->key, key))
        k = k->next;
    if (!k && b->count < BUCKETS_MAX && (k = bucket_make(rate, key))) {
        k->next = *slot;
        *slot = k;
        b->count++;
    } else if (k) {
        pthread_mutex_lock(&k->lock);
        bucket_fit(k, rate);
        pthread_mutex_unlock(&k->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return k;
}

void buckets_sweep(struct buckets *b, int64_t now)
{
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < BUCKET_SLOTS; i++) {
        for (struct lease_bucket **at = &b->slot[i]; *at;) {
            struct lease_bucket *k = *at;
            if (k->full_at > now) {
                at = &k->next;
                continue;
            }
            *at = k->next;
            bucket_free(k);
            b->count--;
        }
    }
    pthread_mutex_unlock(&b->lock);
}

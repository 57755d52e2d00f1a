/* The cells of threads, and their sums. */
#include <pthread.h>
#include <stdlib.h>

#include "meter/inner.h"

_Thread_local struct meter_cells *meter_here;

static pthread_mutex_t cells_lock = PTHREAD_MUTEX_INITIALIZER;
static struct meter_cells *cells_all;
static struct meter_cells cells_shared; /* of threads for which there was no memory: may miss some, breaks nothing */

struct meter_cells *meter_begin(void)
{
    struct meter_cells *c = aligned_alloc(64, (sizeof(*c) + 63) / 64 * 64);
    if (!c)
        return &cells_shared;
    memset(c, 0, sizeof(*c));
    pthread_mutex_lock(&cells_lock);
    c->next = cells_all;
    cells_all = c;
    pthread_mutex_unlock(&cells_lock);
    meter_here = c;
    return c;
}

static int64_t cells_get(const _Atomic int64_t *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

int64_t meter_sum(enum meter_series s)
{
    int64_t sum = cells_get(&cells_shared.count[s]);
    pthread_mutex_lock(&cells_lock);
    for (const struct meter_cells *c = cells_all; c; c = c->next)
        sum += cells_get(&c->count[s]);
    pthread_mutex_unlock(&cells_lock);
    return sum;
}

static void cells_histogram(const struct meter_cells *c, enum meter_histogram h, struct meter_histogram_sum *ret)
{
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        ret->bucket[i] += cells_get(&c->histogram[h].bucket[i]);
    ret->ns += cells_get(&c->histogram[h].ns);
}

void meter_histogram_sum(enum meter_histogram h, struct meter_histogram_sum *ret)
{
    *ret = (struct meter_histogram_sum){0};
    cells_histogram(&cells_shared, h, ret);
    pthread_mutex_lock(&cells_lock);
    for (const struct meter_cells *c = cells_all; c; c = c->next)
        cells_histogram(c, h, ret);
    pthread_mutex_unlock(&cells_lock);
}

/* Nanoseconds. */
static const int64_t cells_bounds[METER_BUCKETS - 1] = {
    100000,   250000,    500000,    1000000,    2500000,    5000000,     10000000,    25000000,
    50000000, 100000000, 250000000, 1000000000, 2500000000, 10000000000, 30000000000, 60000000000};
/* Seconds: of what people do. */
static const int64_t cells_slow[METER_BUCKETS - 1] = {1,   2,   5,   10,  20,   30,   60,   120,
                                                      180, 300, 600, 900, 1800, 3600, 7200, 14400};

static int64_t cells_bound(enum meter_histogram h, unsigned bucket)
{
    return h == METER_APPROVAL_WAIT_SECONDS ? cells_slow[bucket] * INT64_C(1000000000) : cells_bounds[bucket];
}

double meter_bound(enum meter_histogram h, unsigned bucket)
{
    return (double)cells_bound(h, bucket) / 1e9;
}

void meter_observe(enum meter_histogram h, int64_t ns)
{
    struct meter_cells *c = meter_cells();
    unsigned i = 0;
    while (i < METER_BUCKETS - 1 && ns > cells_bound(h, i))
        i++;
    meter_bump(&c->histogram[h].bucket[i], 1);
    meter_bump(&c->histogram[h].ns, ns);
}

void meter_request(enum meter_series face_2xx, int status)
{
    int class = status / 100;
    if (class >= 2 && class <= 5)
        meter_add((enum meter_series)((int)face_2xx + class - 2), 1);
}

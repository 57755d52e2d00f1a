/*
 * Counting what happens, for /metrics. What can be counted stands in meter.def.
 *
 * Each thread that counts has cells of its own, which it alone writes, with plain relaxed stores: no lock, no atomic
 * read-modify-write and no cache line that two processors fight for. Whoever reads adds them up. A gauge is a number
 * that some threads add to and others take from; its sum is what counts.
 *
 * Cells outlive their thread. Any thread may count and read.
 */
#ifndef METER_METER_H
#define METER_METER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

enum meter_kind { METER_COUNTER, METER_GAUGE, METER_HISTOGRAM, METER_INFO };

enum meter_family {
#define FAMILY(id, kind, name, help) METER_F_##id,
#define SERIES(id, family, labels)
#include "meter/meter.def"
#undef FAMILY
#undef SERIES
    METER_FAMILIES
};

enum meter_series {
    METER_NONE, /* counts nothing that is shown */
#define FAMILY(id, kind, name, help)
#define SERIES(id, family, labels) METER_##id,
#include "meter/meter.def"
#undef FAMILY
#undef SERIES
    METER_SERIES_COUNT
};

enum meter_histogram {
    METER_CALL_SECONDS,
    METER_SERVER_SECONDS,
    METER_AUDIT_APPEND_SECONDS,
    METER_APPROVAL_WAIT_SECONDS,
    METER_HISTOGRAMS
};

enum { METER_BUCKETS = 17 }; /* from 100 µs to 60 s (what people take: from 1 s to 4 h), and what is above */

struct meter_cells {
    _Atomic int64_t count[METER_SERIES_COUNT];
    struct {
        _Atomic int64_t bucket[METER_BUCKETS], ns;
    } histogram[METER_HISTOGRAMS];
    struct meter_cells *next;
};

extern _Thread_local struct meter_cells *meter_here;
struct meter_cells *meter_begin(void); /* of a thread that counts for the first time; never NULL */

static inline struct meter_cells *meter_cells(void)
{
    return __builtin_expect(meter_here != NULL, 1) ? meter_here : meter_begin();
}

static inline void meter_bump(_Atomic int64_t *cell, int64_t n)
{
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void meter_add(enum meter_series s, int64_t n)
{
    meter_bump(&meter_cells()->count[s], n);
}
/* A request of a face (its …_2XX) that was answered with this status. */
void meter_request(enum meter_series face_2xx, int status);
void meter_observe(enum meter_histogram h, int64_t ns);

int64_t meter_sum(enum meter_series s); /* over all threads */

/* ---- for /metrics and its page ---- */

struct meter_out {
    struct buf *b;
    bool open_metrics; /* OpenMetrics 1.0; otherwise Prometheus' text format 0.0.4 */
    enum meter_family family;
};
/* All families, in the order of the table. `look` writes those that have no cells, with meter_put; what it does not
 * write is left out. */
void meter_write(struct buf *b, bool open_metrics, void (*look)(void *ctx, struct meter_out *o, enum meter_family f),
                 void *ctx);
/* One sample of the family. labels: `a="b"` or empty. */
void meter_put(struct meter_out *o, struct str labels, double value);
/* `name="value"`, escaped. */
void meter_label(struct buf *b, const char *name, struct str value);
/* docs/METRICS.md */
void meter_reference(struct buf *b);

#endif

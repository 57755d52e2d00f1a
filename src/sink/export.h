/*
 * The record in another form, piece by piece, from its files: no daemon is needed and a running one is not disturbed.
 * Bounded in memory whatever the record's size. Blocks on the disk. One thread at a time.
 *
 * What stands in a line: an entry; or of the OTLP formats a request of up to EXPORT_BATCH entries, as the OpenTelemetry
 * protocol file exporter writes them.
 */
#ifndef SINK_EXPORT_H
#define SINK_EXPORT_H

#include "sink/format.h"

enum { EXPORT_BATCH = 256, EXPORT_PIECE = 64 << 10, EXPORT_PIECE_MAX = 320 << 20, EXPORT_LOOK = 4096 };

struct export_what { /* strings live as long as the export; empty: any */
    const struct sink_format *format;
    bool arguments;       /* otlp-spans: with the arguments of calls */
    int64_t since, until; /* wall clock, ms: when the entry was handed in; INT64_MIN and INT64_MAX: not bounded */
    uint64_t last;        /* none behind this one; 0: all that are on record when it is opened */
    struct str agent;
    struct str event; /* * stands for any run of characters */
};
struct export;
enum err export_open(const char *audit_dir, const struct export_what *what, struct export **ret,
                     struct fault *f) MUST_USE;
void export_close(struct export *x); /* takes NULL */
/* Appends whole lines, about EXPORT_PIECE bytes; maybe nothing, after EXPORT_LOOK entries that are not wanted.
 * ERR_NOT_FOUND: that was all. ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
enum err export_next(struct export *x, struct buf *out, struct fault *f) MUST_USE;

struct export_state {
    uint64_t at, last; /* the entry that was looked at, of the last one */
    uint64_t written;  /* entries in that form */
};
void export_state(const struct export *x, struct export_state *ret);

#endif

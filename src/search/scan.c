/* Looking through entries that are not indexed, one by one. */
#include <stdlib.h>

#include "audit/segment.h"
#include "search/ask.h"

static enum err scan_look(struct ask *a, struct str entry, bool *ret, struct fault *f)
{
    a->ret.scanned++;
    a->scans -= a->scans > 0;
    return ask_fits(a, entry, ret, f);
}

/* ---- the oldest first ---- */

static enum err scan_forth(struct ask *a, uint64_t lo, uint64_t hi, const struct ask_hint *hint, struct fault *f)
{
    struct str entry;
    uint64_t seq = 0;
    enum err e = hint->segment && hint->seq <= lo ? audit_reader_at(a->reader, hint->segment, hint->offset, f)
                                                  : audit_reader_seek(a->reader, lo, f);
    while (!e && !a->over) {
        e = audit_reader_next(a->reader, &entry, &seq, f);
        if (e || seq > hi)
            break;
        if (seq < lo)
            continue;
        bool fits = false;
        if (!a->scans)
            ask_break(a, seq);
        else
            e = scan_look(a, entry, &fits, f);
        if (!e && fits)
            e = ask_give(a, seq, entry, f);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- the newest first: a segment is read forwards, and what was found in it given out backwards ---- */

struct scan_found { /* the newest of them */
    struct scan_at {
        uint64_t seq, segment, offset;
    } * v;
    size_t count, max;
};

static enum err scan_segment(struct ask *a, uint64_t segment, uint64_t lo, uint64_t hi, const struct ask_hint *hint,
                             struct scan_found *found, struct fault *f)
{
    struct str entry;
    uint64_t seq = 0;
    bool near = hint->segment == segment && hint->seq <= lo;
    enum err e = audit_reader_at(a->reader, segment, near ? hint->offset : 0, f);
    found->count = 0;
    while (!e && seq < hi) {
        bool fits = false;
        e = audit_reader_next(a->reader, &entry, &seq, f);
        if (!e && seq >= lo && seq <= hi)
            e = scan_look(a, entry, &fits, f);
        if (e || !fits)
            continue;
        struct scan_at *at = &found->v[found->count++ % found->max];
        at->seq = seq;
        audit_reader_where(a->reader, &at->segment, &at->offset);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e; /* also when the segment went away meanwhile */
}

static enum err scan_give(struct ask *a, const struct scan_found *found, struct fault *f)
{
    size_t n = found->count < found->max ? found->count : found->max;
    for (size_t i = 1; i <= n && !a->over; i++) {
        const struct scan_at *at = &found->v[(found->count - i) % found->max];
        struct str entry;
        uint64_t seq;
        enum err e = audit_reader_at(a->reader, at->segment, at->offset, f);
        if (!e)
            e = audit_reader_next(a->reader, &entry, &seq, f);
        if (e == ERR_NOT_FOUND)
            continue;
        TRY(e);
        if (seq == at->seq)
            TRY(ask_give(a, seq, entry, f));
    }
    return ERR_OK;
}

static enum err scan_back(struct ask *a, uint64_t lo, uint64_t hi, const struct ask_hint *hint, struct fault *f)
{
    struct segment_list l;
    TRY(segment_list(a->dir, &l, f));
    struct scan_found found = {.max = a->q->limit + 1};
    found.v = malloc(found.max * sizeof(found.v[0]));
    enum err e = found.v ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for what was found");
    for (size_t i = l.count; !e && !a->over && i-- > 0;) {
        uint64_t from = l.first[i], to = i + 1 < l.count ? l.first[i + 1] - 1 : UINT64_MAX;
        if (from > hi)
            continue;
        if (to < lo)
            break;
        to = to < hi ? to : hi;
        if (!a->scans && to != UINT64_MAX) {
            ask_break(a, to);
            break;
        }
        e = scan_segment(a, from, from > lo ? from : lo, to, hint, &found, f);
        if (!e)
            e = scan_give(a, &found, f);
    }
    free(found.v);
    segment_list_done(&l);
    return e;
}

enum err ask_scan(struct ask *a, uint64_t lo, uint64_t hi, const struct ask_hint *hint, struct fault *f)
{
    static const struct ask_hint none = {0};
    if (lo > hi || a->over)
        return ERR_OK;
    hint = hint ? hint : &none;
    return a->q->oldest_first ? scan_forth(a, lo, hi, hint, f) : scan_back(a, lo, hi, hint, f);
}

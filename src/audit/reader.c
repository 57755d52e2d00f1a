/* Reading the record: for `audit tail`, `audit show` and verification. Needs no daemon and takes no lock. */
#include <stdlib.h>

#include "audit/audit.h"
#include "audit/segment.h"
#include "base/clock.h"

struct audit_reader {
    char dir[4000];
    struct segment_cursor c; /* fd < 0: none open */
    uint64_t next;           /* the entry to come */
    uint64_t segment;        /* where the one that came last stands, and its offset there */
    off_t offset;
};

enum err audit_reader_open(const char *dir, struct audit_reader **ret, struct fault *f)
{
    struct segment_list list;
    TRY(segment_list(dir, &list, f));
    segment_list_done(&list);
    struct audit_reader *r = calloc(1, sizeof(*r));
    if (!r || strlen(dir) >= sizeof(r->dir)) {
        free(r);
        return fault_set(f, ERR_NOMEM, "no memory to read the record");
    }
    memcpy(r->dir, dir, strlen(dir) + 1);
    r->c.fd = -1;
    r->next = 1;
    *ret = r;
    return ERR_OK;
}

void audit_reader_close(struct audit_reader *r)
{
    if (!r)
        return;
    segment_close(&r->c);
    free(r);
}

static enum err reader_open_at(struct audit_reader *r, uint64_t seq, struct fault *f)
{
    struct segment_list list;
    TRY(segment_list(r->dir, &list, f));
    uint64_t first = segment_of(&list, seq);
    segment_list_done(&list);
    if (!first)
        return fault_set(f, ERR_NOT_FOUND, "the record is empty");
    if (r->c.fd >= 0 && r->c.first == first)
        return ERR_OK;
    segment_close(&r->c);
    enum err e = segment_open(r->dir, first, &r->c, f);
    if (e)
        r->c.fd = -1;
    return e;
}

enum err audit_reader_seek(struct audit_reader *r, uint64_t seq, struct fault *f)
{
    struct str payload;
    uint64_t at;
    segment_close(&r->c);
    TRY(reader_open_at(r, seq, f));
    r->next = seq > r->c.first ? seq : r->c.first;
    for (;;) {
        off_t before = r->c.at;
        TRY(segment_next(&r->c, &at, &payload, f));
        if (at >= r->next) {
            r->c.at = before;
            return ERR_OK;
        }
    }
}

enum err audit_reader_before(struct audit_reader *r, int64_t wall_ms, struct fault *f)
{
    struct segment_list list;
    int64_t when;
    TRY(segment_list(r->dir, &list, f));
    size_t i = list.count;
    while (i > 1 && (segment_time(r->dir, list.first[i - 1], &when, NULL) || when >= wall_ms))
        i--;
    uint64_t first = list.count ? list.first[i - 1] : 1;
    segment_list_done(&list);
    segment_close(&r->c);
    r->c.fd = -1;
    r->next = first;
    return ERR_OK;
}

uint64_t audit_reader_last(struct audit_reader *r)
{
    struct segment_list list;
    struct segment_cursor c;
    struct str payload;
    uint64_t last = 0;
    if (segment_list(r->dir, &list, NULL))
        return 0;
    if (list.count && segment_open(r->dir, list.first[list.count - 1], &c, NULL) == ERR_OK) {
        last = c.first - 1;
        while (segment_next(&c, &last, &payload, NULL) == ERR_OK)
            ;
        segment_close(&c);
    }
    segment_list_done(&list);
    return last;
}

enum err audit_reader_first(struct audit_reader *r, uint64_t *ret, struct fault *f)
{
    struct segment_list list;
    TRY(segment_list(r->dir, &list, f));
    *ret = list.count ? list.first[0] : 0;
    segment_list_done(&list);
    return ERR_OK;
}

void audit_reader_where(const struct audit_reader *r, uint64_t *ret_segment, uint64_t *ret_offset)
{
    *ret_segment = r->segment;
    *ret_offset = (uint64_t)r->offset;
}

enum err audit_reader_at(struct audit_reader *r, uint64_t segment, uint64_t offset, struct fault *f)
{
    if (r->c.fd < 0 || r->c.first != segment) {
        segment_close(&r->c);
        enum err e = segment_open(r->dir, segment, &r->c, f);
        if (e) {
            r->c.fd = -1;
            return e;
        }
    }
    r->c.at = offset ? (off_t)offset : SEGMENT_HEAD;
    r->next = segment;
    return ERR_OK;
}

enum err audit_reader_next(struct audit_reader *r, struct str *ret, uint64_t *ret_seq, struct fault *f)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        if (r->c.fd < 0)
            TRY(reader_open_at(r, r->next, f));
        uint64_t seq;
        off_t before = r->c.at;
        enum err e = segment_next(&r->c, &seq, ret, f);
        if (e == ERR_OK) {
            r->segment = r->c.first;
            r->offset = before;
            r->next = seq + 1;
            *ret_seq = seq;
            return ERR_OK;
        }
        if (e != ERR_NOT_FOUND && e != ERR_CORRUPT)
            return e;
        /* The end of a segment, or an entry that is being written: the next segment, when there is one, tells which. */
        struct segment_list list;
        TRY(segment_list(r->dir, &list, f));
        uint64_t first = segment_of(&list, r->next), last = list.count ? list.first[list.count - 1] : 0;
        segment_list_done(&list);
        if (last <= r->c.first)
            return fault_set(f, ERR_NOT_FOUND, "the record ends here, for now");
        if (e == ERR_CORRUPT && turn) /* the first time, it may have been written since it was read */
            return e;
        if (e == ERR_CORRUPT)
            continue;
        if (first == r->c.first && turn)
            return fault_set(f, ERR_CORRUPT, "entries from %llu on are missing: no segment holds them",
                             (unsigned long long)r->next);
        if (first > r->c.first)
            segment_close(&r->c);
    }
    return fault_set(f, ERR_NOT_FOUND, "the record ends here, for now");
}

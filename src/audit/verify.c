/* Does the record hold together? Every frame, every link, every number, from the first entry to the tip. */
#include "audit/audit.h"
#include "audit/segment.h"

struct verify {
    const char *dir;
    struct audit_verdict v;
    unsigned char hash[SHA256_BYTES];
    uint64_t next; /* the number that must come */
    struct segment_tip tip;
    struct arena arena;
    void (*progress)(void *ctx, uint64_t entries);
    void *ctx;
};

static enum err verify_entry(struct verify *w, uint64_t seq, struct str payload, struct fault *f)
{
    if (seq != w->next)
        return fault_set(f, ERR_CORRUPT, "entry %llu is followed by entry %llu", (unsigned long long)w->next - 1,
                         (unsigned long long)seq);
    enum err e = segment_chain(payload, seq, w->hash, &w->arena, f);
    arena_reset(&w->arena);
    TRY(e);
    if (seq == w->tip.seq && memcmp(w->hash, w->tip.hash, SHA256_BYTES) != 0)
        return fault_set(f, ERR_CORRUPT, "entry %llu is not the one that was flushed", (unsigned long long)seq);
    w->next++;
    w->v.entries++;
    w->v.last = seq;
    if (w->progress && w->v.entries % 65536 == 0)
        w->progress(w->ctx, w->v.entries);
    return ERR_OK;
}

/* The next frame of the last segment. One that is not whole is being written just now, or it is torn: nothing that was
 * promised, unless the tip or a frame behind it says that it was flushed. */
static enum err verify_next(struct verify *w, struct segment_cursor *c, bool last, uint64_t *ret_seq,
                            struct str *ret_payload, struct fault *f)
{
    uint64_t promised;
    enum err e = segment_next(c, ret_seq, ret_payload, f);
    if (e != ERR_CORRUPT || !last || w->v.last < w->tip.seq)
        return e;
    struct fault found = *f;
    TRY(segment_promised(c, w->next, &promised, f));
    if (!promised)
        return ERR_NOT_FOUND;
    *f = found;
    return segment_next(c, ret_seq, ret_payload, f); /* it may be whole by now */
}

static enum err verify_segment(struct verify *w, uint64_t first, bool last, struct fault *f)
{
    struct segment_cursor c;
    struct segment_head h;
    struct str payload;
    uint64_t seq;
    TRY(segment_open(w->dir, first, &c, &h, f));
    enum err e = ERR_OK;
    if (first != w->next)
        e = fault_set(f, ERR_CORRUPT, "entries %llu to %llu are missing: no segment holds them",
                      (unsigned long long)w->next, (unsigned long long)first - 1);
    else if (memcmp(h.previous, w->hash, SHA256_BYTES) != 0)
        e = fault_set(f, ERR_CORRUPT, "segment %020llu does not follow the one before it", (unsigned long long)first);
    while (!e && (e = verify_next(w, &c, last, &seq, &payload, f)) == ERR_OK)
        e = verify_entry(w, seq, payload, f);
    if (e == ERR_NOT_FOUND) {
        uint64_t rest = 0;
        e = segment_rest(&c, &rest, f);
        if (!e && rest && !last)
            e = fault_set(f, ERR_CORRUPT, "segment %020llu, offset %lld: bytes that are no entry",
                          (unsigned long long)first, (long long)c.at);
        w->v.torn_bytes += rest;
    }
    w->v.segments++;
    segment_close(&c);
    return e;
}

enum err audit_verify(const char *dir, void (*progress)(void *ctx, uint64_t entries), void *ctx,
                      struct audit_verdict *ret, struct fault *f)
{
    struct verify w = {.dir = dir, .next = 1, .progress = progress, .ctx = ctx};
    struct segment_list list;
    struct fault own;
    f = f ? f : &own;
    TRY(segment_tip_read(dir, &w.tip, NULL, f));
    TRY(segment_list(dir, &list, f));
    arena_init(&w.arena, 256u << 20);
    enum err e = ERR_OK;
    for (size_t i = 0; i < list.count && !e; i++)
        e = verify_segment(&w, list.first[i], i + 1 == list.count, f);
    if (!e && w.v.last < w.tip.seq)
        e = fault_set(f, ERR_CORRUPT, "entries %llu to %llu were flushed and are missing",
                      (unsigned long long)w.v.last + 1, (unsigned long long)w.tip.seq);
    segment_list_done(&list);
    arena_done(&w.arena);
    TRY(e);
    w.v.first = w.v.entries ? 1 : 0;
    enc_hex(w.hash, SHA256_BYTES, w.v.tip);
    *ret = w.v;
    return ERR_OK;
}

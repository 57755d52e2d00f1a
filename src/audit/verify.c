/*
 * Does the record hold together? Every frame, every number, every leaf, every tile, every checkpoint that is kept: one
 * walk over the entries grows the tree again, and on the way it must meet the roots that were signed.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/log.h"
#include "audit/seal_check.h"
#include "audit/segment.h"

enum { VERIFY_PROGRESS = 65536 };

struct verify {
    const struct log_verify *how;
    struct log_verdict v;
    struct segment_list list;
    struct tlog_tree tree;
    struct note note;            /* scratch of signatures */
    struct verify_root *signed_; /* checkpoints, by size */
    size_t count, room, at;      /* at: the next that must come up */
    uint64_t newest, of;
    struct seal_check sealed;
    uint64_t segment;   /* that is being walked */
    uint64_t pruned_by; /* an entry says that those up to here were removed */
    struct arena arena;
};

/* ---- checkpoints ---- */

struct verify_root {
    uint64_t size;
    struct tlog_hash root;
};

static enum err verify_signed(struct verify *w, const struct checkpoint *c, struct fault *f)
{
    if (w->count == w->room) {
        size_t room = w->room ? 2 * w->room : 1024;
        struct verify_root *more = realloc(w->signed_, room * sizeof(*more));
        if (!more)
            return fault_set(f, ERR_NOMEM, "no memory for the record's checkpoints");
        w->signed_ = more;
        w->room = room;
    }
    w->signed_[w->count++] = (struct verify_root){.size = c->size, .root = c->root};
    w->v.checkpoints++;
    return ERR_OK;
}

static enum err verify_kept(void *ctx, struct str text, struct fault *f)
{
    struct verify *w = ctx;
    struct checkpoint c;
    TRY(log_checkpoint_check(text, w->how->verifiers, &w->note, &c, f));
    return verify_signed(w, &c, f);
}

/* The newest, or the newest that was cosigned. */
static enum err verify_file(struct verify *w, bool cosigned, struct checkpoint *ret, struct fault *f)
{
    struct log_checkpoint *c = malloc(sizeof(*c));
    enum err e = !c         ? fault_set(f, ERR_NOMEM, "no memory for a checkpoint")
                 : cosigned ? log_cosigned_read(w->how->dir, c, f)
                            : log_checkpoint_read(w->how->dir, c, f);
    if (!e) {
        e = log_checkpoint_check(buf_view(&c->text), w->how->verifiers, &w->note, ret, f);
        e = e ? fault_wrap(f, "%s/%s", w->how->dir, cosigned ? "cosigned" : "checkpoint") : verify_signed(w, ret, f);
        ret->origin = STR_NONE; /* of a text that goes */
        log_checkpoint_done(c);
    }
    free(c);
    return e;
}

static enum err verify_newest(struct verify *w, struct fault *f)
{
    struct checkpoint is;
    enum err e = verify_file(w, true, &is, f);
    if (!e) {
        w->v.cosigned = is.size;
        for (unsigned i = 0; i < w->note.count; i++)
            w->v.cosignatures += w->note.signature[i].n == 72;
    }
    if (e && e != ERR_NOT_FOUND)
        return e;
    TRY(verify_file(w, false, &is, f));
    w->v.size = w->newest = is.size;
    enc_hex(is.root.b, SHA256_BYTES, w->v.root);
    return ERR_OK;
}

static int verify_cmp(const void *a, const void *b)
{
    uint64_t x = ((const struct verify_root *)a)->size, y = ((const struct verify_root *)b)->size;
    return (x > y) - (x < y);
}

/* The newest is read last: it stands there before it is kept. */
static enum err verify_checkpoints(struct verify *w, struct fault *f)
{
    TRY(log_checkpoints_each(w->how->dir, verify_kept, w, f));
    size_t kept = w->count;
    for (size_t i = 0; i < w->how->more_count; i++)
        TRY(verify_kept(w, w->how->more[i], f));
    enum err e = verify_newest(w, f);
    if (e == ERR_NOT_FOUND)
        e = kept ? fault_set(f, ERR_CORRUPT, "%s/checkpoint: is missing, but older ones are kept", w->how->dir)
                 : ERR_OK;
    if (w->count)
        qsort(w->signed_, w->count, sizeof(*w->signed_), verify_cmp);
    return e;
}

/* The tree has grown: the signed ones of this size must be this tree. */
static enum err verify_roots(struct verify *w, struct fault *f)
{
    struct tlog_hash root;
    if (w->at == w->count || w->signed_[w->at].size > w->tree.size)
        return ERR_OK;
    tlog_tree_root(&w->tree, &root);
    for (; w->at < w->count && w->signed_[w->at].size == w->tree.size; w->at++)
        if (!tlog_same(&root, &w->signed_[w->at].root))
            return fault_set(f, ERR_CORRUPT, "the first %llu entries are not those whose checkpoint was signed",
                             (unsigned long long)w->tree.size);
    return ERR_OK;
}

/* ---- tiles ---- */

static enum err verify_tile(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                            struct fault *f)
{
    struct verify *w = ctx;
    struct tlog_hash there[TLOG_WIDTH];
    char name[TLOG_PATH], dir[4096];
    snprintf(dir, sizeof(dir), "%s", w->how->dir);
    tlog_tile_path(level, index, width, name);
    uint64_t end = (index + 1) << (8 * (level + 1));
    enum err e = tlog_folder_tile(dir, level, index, width, there, f);
    if (!e && memcmp(there, v, width * sizeof(*v)) != 0)
        e = fault_set(f, ERR_CORRUPT, "%s: is not the tree of the entries", name);
    /* Behind the newest checkpoint a tile need not be there yet. */
    if (e && end > w->newest)
        return ERR_OK;
    return e == ERR_NOT_FOUND ? fault_set(f, ERR_CORRUPT, "%s: is missing", name) : e;
}

static int verify_width(const struct dirent *d)
{
    uint64_t width;
    return str_u64(str_of(d->d_name), &width) && width && width < TLOG_WIDTH;
}

/* Those that are not full: one file for each checkpoint that was published meanwhile, all of them beginnings. */
static enum err verify_partial(struct verify *w, struct fault *f)
{
    char name[TLOG_PATH], folder[4096], dir[4096];
    struct dirent **names;
    struct tlog_hash there[TLOG_WIDTH];
    uint64_t hashes = w->tree.size, width;
    enum err e = ERR_OK;
    snprintf(dir, sizeof(dir), "%s", w->how->dir);
    for (unsigned level = 0; level < TLOG_LEVELS; level++, hashes /= TLOG_WIDTH) {
        tlog_tile_path(level, hashes / TLOG_WIDTH, TLOG_WIDTH, name);
        snprintf(folder, sizeof(folder), "%s/%s.p", dir, name);
        int n = scandir(folder, &names, verify_width, alphasort);
        for (int i = 0; i < n; i++) {
            str_u64(str_of(names[i]->d_name), &width);
            if (!e && width <= w->tree.level[level].width) {
                e = tlog_folder_tile(dir, level, hashes / TLOG_WIDTH, (unsigned)width, there, f);
                if (!e && memcmp(there, w->tree.level[level].hash, width * sizeof(*there)) != 0)
                    e = fault_set(f, ERR_CORRUPT, "%s.p/%s: is not the tree of the entries", name, names[i]->d_name);
            }
            free(names[i]);
        }
        if (n >= 0)
            free(names);
    }
    return e;
}

/* ---- entries ---- */

/* {"event":"RECORD_PRUNED","details":{"first":1,"last":N}} */
static void verify_pruned(struct verify *w, struct str payload)
{
    struct json j;
    int64_t last;
    if (w->v.first == 1 || !memmem(payload.p, payload.n, "\"RECORD_PRUNED\"", 15) ||
        json_parse(&j, payload, &w->arena, NULL, NULL))
        return;
    if (json_str_is(&j, json_get(&j, JSON_ROOT, STR("event")), STR("RECORD_PRUNED")) &&
        json_i64(&j, json_path(&j, JSON_ROOT, "details.last"), &last) && (uint64_t)last > w->pruned_by)
        w->pruned_by = (uint64_t)last;
}

/* What is not in the entry itself: long members, which it names by their hash, and sealed values. */
static enum err verify_apart(struct verify *w, struct str payload, uint64_t seq, struct fault *f)
{
    struct json j;
    struct buf text;
    if ((memmem(payload.p, payload.n, "\"large\":null", 12) && memmem(payload.p, payload.n, "\"sealed\":null", 13)) ||
        json_parse(&j, payload, &w->arena, NULL, NULL))
        return ERR_OK;
    TRY(seal_check_entry(&w->sealed, w->segment, seq, &j, f));
    uint32_t large = json_get(&j, JSON_ROOT, STR("large"));
    if (json_type(&j, large) != JSON_OBJECT)
        return ERR_OK;
    enum err e = ERR_OK;
    buf_init(&text, 64u << 20);
    JSON_PAIRS(&j, large, k, member)
    {
        (void)k;
        e = e ? e : audit_large(w->how->dir, json_str(&j, json_get(&j, member, STR("sha256")), &w->arena), &text, f);
    }
    buf_done(&text);
    return e ? fault_wrap(f, "entry %llu", (unsigned long long)seq) : ERR_OK;
}

static enum err verify_entry(struct verify *w, uint64_t seq, struct str payload, struct fault *f)
{
    struct tlog_hash leaf;
    if (seq != w->tree.size + 1)
        return fault_set(f, ERR_CORRUPT, "entry %llu is followed by entry %llu", (unsigned long long)w->tree.size,
                         (unsigned long long)seq);
    enum err e = segment_leaf(payload, seq, &w->arena, &leaf, f);
    if (!e)
        e = verify_apart(w, payload, seq, f);
    verify_pruned(w, payload);
    arena_reset(&w->arena);
    TRY(e == ERR_NOT_FOUND ? (f->err = ERR_CORRUPT) : e);
    TRY(tlog_tree_add(&w->tree, &leaf, f));
    w->v.entries++;
    w->v.last = seq;
    if (w->how->progress && w->v.entries % VERIFY_PROGRESS == 0)
        w->how->progress(w->how->ctx, w->v.entries, w->of);
    return verify_roots(w, f);
}

/* The next frame of the last segment. One that is not whole is being written just now, or it is torn: nothing that was
 * promised, unless a checkpoint or a frame behind it says that it was flushed. */
static enum err verify_next(struct verify *w, struct segment_cursor *c, bool last, uint64_t *ret_seq,
                            struct str *ret_payload, struct fault *f)
{
    uint64_t promised;
    enum err e = segment_next(c, ret_seq, ret_payload, f);
    if (e != ERR_CORRUPT || !last || w->tree.size < w->newest)
        return e;
    struct fault found = *f;
    TRY(segment_promised(c, w->tree.size + 1, &promised, f));
    if (!promised)
        return ERR_NOT_FOUND;
    *f = found;
    return segment_next(c, ret_seq, ret_payload, f); /* it may be whole by now */
}

static enum err verify_segment(struct verify *w, uint64_t first, bool last, struct fault *f)
{
    struct segment_cursor c;
    struct str payload;
    uint64_t seq;
    if (first != w->tree.size + 1)
        return fault_set(f, ERR_CORRUPT, "entries %llu to %llu are missing: no segment holds them",
                         (unsigned long long)w->tree.size + 1, (unsigned long long)first - 1);
    TRY(segment_open(w->how->dir, first, &c, f));
    enum err e = ERR_OK;
    w->segment = first;
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

/* ---- all of it ---- */

/* Of pruned entries the hashes stay: what was signed of them is compared by these. */
static enum err verify_begin(struct verify *w, struct fault *f)
{
    char dir[4096];
    snprintf(dir, sizeof(dir), "%s", w->how->dir);
    const struct tlog_tiles tiles = {.read = tlog_folder_tile, .ctx = dir};
    struct tlog_hash root;
    uint64_t first = w->list.count ? w->list.first[0] : 1;
    w->v.first = first;
    w->v.pruned = first - 1;
    if (first > 1)
        TRY(tlog_tree_load(&w->tree, &tiles, first - 1, f));
    w->tree.tile = verify_tile;
    w->tree.ctx = w;
    for (; w->at < w->count && w->signed_[w->at].size < first - 1; w->at++) {
        TRY(tlog_root(&tiles, w->signed_[w->at].size, &root, f));
        if (!tlog_same(&root, &w->signed_[w->at].root))
            return fault_set(f, ERR_CORRUPT, "the tree's hashes are not those of its checkpoint of %llu entries",
                             (unsigned long long)w->signed_[w->at].size);
    }
    return verify_roots(w, f);
}

static enum err verify_end(struct verify *w, struct fault *f)
{
    if (w->at < w->count)
        return fault_set(f, ERR_CORRUPT, "entries %llu to %llu were published and are missing",
                         (unsigned long long)w->tree.size + 1, (unsigned long long)w->signed_[w->count - 1].size);
    if (w->v.pruned && w->pruned_by < w->v.pruned)
        return fault_set(f, ERR_CORRUPT, "entries 1 to %llu are missing, and no entry says that they were pruned",
                         (unsigned long long)w->v.pruned);
    return ERR_OK;
}

static enum err verify_all(struct verify *w, struct fault *f)
{
    TRY(segment_list(w->how->dir, &w->list, f)); /* first: what is published meanwhile is in them or behind them */
    TRY(verify_checkpoints(w, f));
    segment_list_done(&w->list);
    TRY(segment_list(w->how->dir, &w->list, f));
    w->of = w->newest;
    enum err e = verify_begin(w, f);
    for (size_t i = 0; i < w->list.count && !e; i++)
        e = verify_segment(w, w->list.first[i], i + 1 == w->list.count, f);
    TRY(e);
    TRY(verify_partial(w, f));
    return verify_end(w, f);
}

enum err log_verify(const struct log_verify *how, struct log_verdict *ret, struct fault *f)
{
    struct fault own;
    struct verify *w = calloc(1, sizeof(*w));
    f = f ? f : &own;
    if (!w)
        return fault_set(f, ERR_NOMEM, "no memory to verify the record");
    w->how = how;
    w->sealed.dir = how->dir;
    arena_init(&w->arena, 256u << 20);
    enum err e = verify_all(w, f);
    if (e == ERR_NOT_FOUND)
        e = f->err = ERR_CORRUPT;
    if (!e) {
        w->v.first = w->v.entries ? w->v.first : 0;
        *ret = w->v;
    }
    segment_list_done(&w->list);
    seal_check_done(&w->sealed);
    arena_done(&w->arena);
    free(w->signed_);
    free(w);
    return e;
}

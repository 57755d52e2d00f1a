/* Asking: file by file and chunk by chunk, in the order that is wanted; between them what is not indexed. */
#include <stdlib.h>

#include "search/ask.h"

/* ---- one chunk ---- */

static uint64_t set_count(const uint64_t set[SET_WORDS])
{
    uint64_t n = 0;
    for (size_t i = 0; i < SET_WORDS; i++)
        n += (uint64_t)__builtin_popcountll(set[i]);
    return n;
}

static void set_from_to(uint64_t set[SET_WORDS], unsigned from, unsigned to)
{
    for (unsigned i = 0; i < SET_WORDS; i++) {
        unsigned low = i * 64, high = low + 63;
        uint64_t word = low > to || high < from ? 0 : UINT64_MAX;
        if (word && low < from)
            word &= UINT64_MAX << (from - low);
        if (word && high > to)
            word &= UINT64_MAX >> (high - to);
        set[i] = word;
    }
}

/* Leaves the entries of blocks that were written at the time that is asked for. */
static enum err chunk_times(struct ask *a, struct part *p, unsigned chunk, uint64_t set[SET_WORDS], struct fault *f)
{
    const struct search_question *q = a->q;
    int64_t since = q->since ? q->since : INT64_MIN, until = q->until ? q->until : INT64_MAX, first, last;
    if (!q->since && !q->until)
        return ERR_OK;
    TRY(part_times(p, chunk, &first, &last, f));
    if (first >= since && last < until)
        return ERR_OK;
    if (last < since || first >= until)
        return ERR_NOT_FOUND;
    TRY(part_blocks(p, chunk, a->blocks, f));
    for (size_t i = 0; i < CHUNK_BLOCKS; i++) /* a block is a word of the set */
        if (!a->blocks[i].segment || a->blocks[i].until < since || a->blocks[i].since >= until)
            set[i] = 0;
    return ERR_OK;
}
_Static_assert(BLOCK_ENTRIES == 64, "a block is a word of a set");

static enum err chunk_words(struct ask *a, struct part *p, unsigned chunk, uint64_t set[SET_WORDS], bool prefixes,
                            struct fault *f)
{
    char key[KEY_BYTES];
    for (unsigned i = 0; i < a->wanted.n; i++) {
        const struct wanted_word *w = &a->wanted.v[i];
        if (w->prefix != prefixes)
            continue;
        struct str k = {key, part_word_key(w->word, key)};
        enum err e = prefixes ? part_and_prefix(p, chunk, k, set, f) : part_and(p, chunk, k, set, f);
        if (e == ERR_LIMIT) /* nearly all have one: they are compared */
            continue;
        TRY(e);
        if (set_count(set) <= ASK_FEW)
            return ERR_OK;
    }
    return ERR_OK;
}

/* Which entries of a chunk may fit. ERR_NOT_FOUND: none. */
static enum err chunk_set(struct ask *a, struct part *p, unsigned chunk, uint64_t set[SET_WORDS], struct fault *f)
{
    char key[KEY_BYTES];
    TRY(chunk_times(a, p, chunk, set, f));
    for (unsigned i = 0; i < a->keys; i++) {
        struct str k = {key, part_key(p, a->key[i].fact, a->key[i].value, key)};
        TRY(part_and(p, chunk, k, set, f));
        if (set_count(set) <= ASK_FEW)
            return ERR_OK;
    }
    TRY(chunk_words(a, p, chunk, set, false, f));
    return set_count(set) <= ASK_FEW ? ERR_OK : chunk_words(a, p, chunk, set, true, f);
}

/* The next number of the set from `at` on, in the order that is asked for; -1: none. */
static int chunk_next(const struct ask *a, const uint64_t set[SET_WORDS], int at)
{
    if (a->q->oldest_first) {
        for (int i = at / 64; at < CHUNK_ENTRIES && i < SET_WORDS; i++) {
            uint64_t word = set[i] & (i == at / 64 ? UINT64_MAX << at % 64 : UINT64_MAX);
            if (word)
                return i * 64 + __builtin_ctzll(word);
        }
        return -1;
    }
    for (int i = at / 64; at >= 0 && i >= 0; i--) {
        uint64_t word = set[i] & (i == at / 64 ? UINT64_MAX >> (63 - at % 64) : UINT64_MAX);
        if (word)
            return i * 64 + 63 - __builtin_clzll(word);
    }
    return -1;
}

/* ret_at: up to which entry all were seen to, also when it fails. */
static enum err chunk_ask(struct ask *a, struct part *p, unsigned chunk, uint64_t lo, uint64_t hi, uint64_t *ret_at,
                          struct fault *f)
{
    uint64_t set[SET_WORDS], base = p->first + (uint64_t)chunk * CHUNK_ENTRIES;
    bool forth = a->q->oldest_first, placed = false;
    set_from_to(set, (unsigned)(lo - base), (unsigned)(hi - base));
    enum err e = chunk_set(a, p, chunk, set, f);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    for (int n = chunk_next(a, set, forth ? 0 : CHUNK_ENTRIES - 1); n >= 0 && !a->over;
         n = chunk_next(a, set, forth ? n + 1 : n - 1)) {
        uint64_t seq = base + (uint64_t)n;
        struct str entry;
        if (!a->looks) {
            ask_break(a, seq);
            break;
        }
        a->looks--;
        if (!placed)
            TRY(part_blocks(p, chunk, a->blocks, f));
        placed = true;
        e = part_entry(p, a->reader, a->blocks, seq, &entry, f);
        bool fits = false;
        if (!e)
            e = ask_fits(a, entry, &fits, f);
        if (!e && fits)
            e = ask_give(a, seq, entry, f);
        if (e && e != ERR_NOT_FOUND) /* what was pruned meanwhile is not found */
            return e;
        *ret_at = seq;
    }
    return ERR_OK;
}

/* ---- one file ---- */

static enum err part_ask(struct ask *a, struct part *p, uint64_t lo, uint64_t hi, struct fault *f)
{
    bool forth = a->q->oldest_first;
    uint64_t at = forth ? lo - 1 : hi + 1; /* up to here all were seen to */
    enum err e = ERR_OK;
    if (lo > hi)
        return ERR_OK;
    while (!e && !a->over && (forth ? at < hi : at > lo)) {
        unsigned chunk = (unsigned)(((forth ? at + 1 : at - 1) - p->first) / CHUNK_ENTRIES);
        uint64_t first = p->first + (uint64_t)chunk * CHUNK_ENTRIES, last = first + CHUNK_ENTRIES - 1;
        e = chunk_ask(a, p, chunk, first > lo ? first : lo, last < hi ? last : hi, &at, f);
        if (!e && !a->over)
            at = forth ? (last < hi ? last : hi) : (first > lo ? first : lo);
        else if (e)
            break;
    }
    if (e != ERR_CORRUPT && e != ERR_CONFLICT && e != ERR_STORE)
        return e;
    if (e != ERR_STORE)
        a->ret.damaged = p->first;
    return forth ? ask_scan(a, at + 1, hi, NULL, f) : ask_scan(a, lo, at - 1, NULL, f);
}

/* Where what is not indexed begins. */
static struct ask_hint part_hint(struct ask *a, struct part *p)
{
    struct ask_hint none = {0};
    if (!p->upto || part_blocks(p, (unsigned)((p->upto - p->first) / CHUNK_ENTRIES), a->blocks, NULL))
        return none;
    const struct block *b = &a->blocks[(p->upto - p->first) % CHUNK_ENTRIES / BLOCK_ENTRIES];
    return (struct ask_hint){.seq = p->upto + 1, .segment = b->segment, .offset = b->offset};
}

/* lo … hi: this file's part of the question, and what has none. */
static enum err file_ask(struct ask *a, uint64_t first, uint64_t lo, uint64_t hi, struct fault *f)
{
    struct part *p CLEANUP(part_closep) = NULL;
    enum err e = part_open(a->dir, first, &p, f);
    if (!e)
        e = part_sound(p, a->reader, a->lo, f);
    if (e == ERR_CORRUPT || e == ERR_CONFLICT)
        a->ret.damaged = first;
    if (e == ERR_NOMEM)
        return e;
    if (e || !p->upto)
        return ask_scan(a, lo, hi, NULL, f);
    a->ret.indexed = p->upto > a->ret.indexed ? p->upto : a->ret.indexed;
    uint64_t since = p->since > lo ? p->since : lo, upto = p->upto < hi ? p->upto : hi;
    bool before = lo<p->since, behind = hi> p->upto;
    uint64_t before_hi = p->since - 1 < hi ? p->since - 1 : hi, behind_lo = p->upto + 1 > lo ? p->upto + 1 : lo;
    struct ask_hint hint = behind ? part_hint(a, p) : (struct ask_hint){0};
    for (unsigned step = 0; step < 3 && !a->over; step++) {
        unsigned what = a->q->oldest_first ? step : 2 - step;
        if (what == 0 && before)
            TRY(ask_scan(a, lo, before_hi, NULL, f));
        else if (what == 1)
            TRY(part_ask(a, p, since, upto, f));
        else if (what == 2 && behind)
            TRY(ask_scan(a, behind_lo, hi, &hint, f));
    }
    return ERR_OK;
}

static enum err files_ask(struct ask *a, const struct part_list *l, struct fault *f)
{
    /* Piece 0 is what comes before the first file; piece i is of file i - 1 and reaches up to the next one. */
    for (size_t step = 0; step <= l->count && !a->over; step++) {
        size_t i = a->q->oldest_first ? step : l->count - step;
        uint64_t from = i ? l->first[i - 1] : 1, to = i < l->count ? l->first[i] - 1 : UINT64_MAX;
        from = from > a->lo ? from : a->lo;
        to = to < a->hi ? to : a->hi;
        if (from > to)
            continue;
        if (i)
            TRY(file_ask(a, l->first[i - 1], from, to, f));
        else
            TRY(ask_scan(a, from, to, NULL, f));
    }
    return ERR_OK;
}

/* How far the index is, when the question did not reach its end. */
static void ask_indexed(struct ask *a, const struct part_list *l)
{
    struct part *p CLEANUP(part_closep) = NULL;
    if (l->count && l->first[l->count - 1] > a->ret.indexed && !part_open(a->dir, l->first[l->count - 1], &p, NULL))
        a->ret.indexed = p->upto > a->ret.indexed ? p->upto : a->ret.indexed;
}

static enum err ask_run(struct ask *a, struct fault *f)
{
    struct part_list l;
    TRY(audit_reader_open(a->dir, &a->reader, f));
    TRY(audit_reader_first(a->reader, &a->lo, f));
    a->hi = UINT64_MAX;
    if (!a->lo)
        return ERR_OK;
    if (a->q->after && a->q->oldest_first)
        a->lo = a->q->after >= a->lo ? a->q->after + 1 : a->lo;
    else if (a->q->after)
        a->hi = a->q->after - 1;
    TRY(part_list(a->dir, &l, f));
    enum err e = files_ask(a, &l, f);
    if (!e)
        ask_indexed(a, &l);
    part_list_done(&l);
    return e;
}

enum err search_ask(const char *audit_dir, const struct search_question *q,
                    enum err (*each)(void *ctx, uint64_t seq, struct str entry, struct fault *f), void *ctx,
                    struct search_answer *ret, struct fault *f)
{
    struct ask *a = calloc(1, sizeof(*a));
    if (!a)
        return fault_set(f, ERR_NOMEM, "no memory for the question");
    *a = (struct ask){.dir = audit_dir, .each = each, .ctx = ctx, .looks = ASK_LOOKS, .scans = ASK_SCANS};
    arena_init(&a->arena, 64u << 20);
    buf_init(&a->large, 65u << 20);
    a->blocks = malloc(CHUNK_BLOCKS * sizeof(a->blocks[0]));
    enum err e = a->blocks ? ask_read(a, q, f) : fault_set(f, ERR_NOMEM, "no memory for the question");
    if (!e)
        e = ask_run(a, f);
    if (!e)
        *ret = a->ret;
    audit_reader_close(a->reader);
    arena_done(&a->arena);
    buf_done(&a->large);
    free(a->blocks);
    free(a);
    return e;
}

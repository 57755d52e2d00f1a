#include "search/batch.h"

#include <stdlib.h>

#include "base/hash.h"

enum { BATCH_SLOTS = 4096, BATCH_KEYS = 1 << 30 };

void batch_init(struct batch *b)
{
    *b = (struct batch){0};
    buf_init(&b->keys, BATCH_KEYS);
    buf_init(&b->last, 1u << 30);
}

void batch_clear(struct batch *b)
{
    bool large = batch_bytes(b) > 4 << 20; /* then its memory is for others again */
    if (large) {
        buf_done(&b->keys);
        free(b->term);
        free(b->slot);
        free(b->hit);
        b->term = NULL;
        b->slot = NULL;
        b->hit = NULL;
        b->term_cap = b->slots = b->hit_cap = 0;
        buf_init(&b->keys, BATCH_KEYS);
    }
    buf_clear(&b->keys);
    buf_clear(&b->last);
    if (b->slot)
        memset(b->slot, 0, b->slots * sizeof(b->slot[0]));
    b->terms = b->hits = 0;
    b->since = b->upto = 0;
    b->part = NULL;
    memset(b->blocks, 0, sizeof(b->blocks));
}

void batch_done(struct batch *b)
{
    buf_done(&b->keys);
    buf_done(&b->last);
    free(b->term);
    free(b->slot);
    free(b->hit);
}

size_t batch_bytes(const struct batch *b)
{
    return b->keys.cap + b->term_cap * sizeof(b->term[0]) + b->slots * sizeof(b->slot[0]) +
           b->hit_cap * sizeof(b->hit[0]);
}

static unsigned batch_chunk(const struct part *p, uint64_t seq)
{
    return (unsigned)((seq - p->first) / CHUNK_ENTRIES);
}

bool batch_takes(const struct batch *b, uint64_t seq)
{
    return !b->upto || (b->part->first == part_first_of(seq) && b->chunk == batch_chunk(b->part, seq));
}

/* Twice as much room, when it is needed. */
static bool batch_grow(void **v, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return true;
    size_t more = *cap ? 2 * *cap : 1024;
    void *grown = realloc(*v, more * size);
    if (!grown)
        return false;
    *v = grown;
    *cap = more;
    return true;
}

static struct str batch_key(const struct batch *b, const struct batch_term *t)
{
    return (struct str){b->keys.p + t->key, t->key_n};
}

static bool batch_rehash(struct batch *b)
{
    size_t slots = b->slots ? 4 * b->slots : BATCH_SLOTS;
    uint32_t *slot = calloc(slots, sizeof(*slot));
    if (!slot)
        return false;
    for (size_t i = 0; i < b->terms; i++) {
        size_t at = str_hash(batch_key(b, &b->term[i])) % slots;
        b->term[i].next = slot[at];
        slot[at] = (uint32_t)i + 1;
    }
    free(b->slot);
    b->slot = slot;
    b->slots = slots;
    return true;
}

static bool batch_term(struct batch *b, struct str key, uint32_t *ret)
{
    if (b->terms >= b->slots && !batch_rehash(b))
        return false;
    size_t at = str_hash(key) % b->slots;
    for (uint32_t i = b->slot[at]; i; i = b->term[i - 1].next)
        if (str_eq(batch_key(b, &b->term[i - 1]), key)) {
            *ret = i - 1;
            return true;
        }
    if (!batch_grow((void **)&b->term, &b->term_cap, b->terms, sizeof(b->term[0])))
        return false;
    uint32_t where = (uint32_t)b->keys.n;
    buf_str(&b->keys, key);
    if (buf_failed(&b->keys))
        return false;
    b->term[b->terms] = (struct batch_term){.key = where, .key_n = (uint8_t)key.n, .next = b->slot[at]};
    b->slot[at] = (uint32_t)++b->terms;
    *ret = (uint32_t)b->terms - 1;
    return true;
}

static bool batch_hit(struct batch *b, struct str key, uint16_t number)
{
    uint32_t term;
    if (!batch_term(b, key, &term))
        return false;
    struct batch_term *t = &b->term[term];
    if (t->count && t->newest == number)
        return true;
    if (!batch_grow((void **)&b->hit, &b->hit_cap, b->hits, sizeof(b->hit[0])))
        return false;
    b->hit[b->hits++] = (struct batch_hit){term, number};
    t->newest = number;
    t->count++;
    return true;
}

static bool batch_words(struct batch *b, struct str text, uint16_t number)
{
    struct words w;
    struct str word;
    char key[KEY_BYTES];
    words_of(&w, (struct str){text.p, text.n < FACT_LARGE_BYTES ? text.n : FACT_LARGE_BYTES}, true);
    while (words_next(&w, &word))
        if (!batch_hit(b, (struct str){key, part_word_key(word, key)}, number))
            return false;
    return true;
}

static void batch_block(struct batch *b, uint16_t number, uint64_t segment, uint64_t offset, int64_t wall_ms)
{
    struct block *k = &b->blocks[number / BLOCK_ENTRIES];
    if (!k->segment)
        *k = (struct block){.segment = segment, .offset = offset, .since = INT64_MAX, .until = INT64_MIN};
    if (wall_ms == INT64_MIN)
        return;
    k->since = wall_ms < k->since ? wall_ms : k->since;
    k->until = wall_ms > k->until ? wall_ms : k->until;
}

static enum err batch_begin(struct batch *b, struct part *p, uint64_t seq, struct fault *f)
{
    b->part = p;
    b->since = seq;
    b->chunk = batch_chunk(p, seq);
    enum err e = part_blocks(p, b->chunk, b->blocks, f);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err batch_add(struct batch *b, struct part *p, uint64_t seq, struct str entry, const struct facts *facts,
                   uint64_t segment, uint64_t offset, struct fault *f)
{
    char key[KEY_BYTES];
    if (!b->upto)
        TRY(batch_begin(b, p, seq, f));
    uint16_t number = (uint16_t)((seq - p->first) % CHUNK_ENTRIES);
    bool ok = true;
    batch_block(b, number, segment, offset, facts->wall_ms);
    for (unsigned i = 0; ok && i < facts->n; i++)
        ok = batch_hit(b, (struct str){key, part_key(p, facts->v[i].fact, facts->v[i].value, key)}, number);
    for (unsigned i = 0; ok && i < facts->texts; i++)
        ok = batch_words(b, facts->text[i], number);
    buf_clear(&b->last);
    buf_str(&b->last, entry);
    if (!ok || buf_failed(&b->last))
        return fault_set(f, ERR_NOMEM, "no memory to index entry %llu", (unsigned long long)seq);
    b->upto = seq;
    return ERR_OK;
}

/* ---- into the file ---- */

static int batch_by_key(const void *x, const void *y, void *ctx)
{
    const struct batch *b = ctx;
    return str_cmp(batch_key(b, &b->term[*(const uint32_t *)x]), batch_key(b, &b->term[*(const uint32_t *)y]));
}

/* The numbers of each term side by side: ret_from has where each begins. */
static void batch_sort(const struct batch *b, uint32_t *from, uint16_t *numbers)
{
    uint32_t at = 0;
    for (size_t i = 0; i < b->terms; i++) {
        from[i] = at;
        at += b->term[i].count;
    }
    for (size_t i = 0; i < b->hits; i++)
        numbers[from[b->hit[i].term]++] = b->hit[i].number;
    for (size_t i = 0; i < b->terms; i++)
        from[i] -= b->term[i].count;
}

/* All of a chunk goes to its place, in the order of keys. What comes bit by bit goes to pieces, which become a chunk
 * with its last entry. */
static enum err batch_keys(struct batch *b, const uint32_t *order, const uint32_t *from, const uint16_t *numbers,
                           bool all, unsigned fresh, struct fault *f)
{
    for (size_t i = 0; i < b->terms; i++) {
        const struct batch_term *t = &b->term[order[i]];
        const uint16_t *v = numbers + from[order[i]];
        TRY(all ? part_put(b->part, b->chunk, batch_key(b, t), v, t->count, f)
                : part_add(b->part, b->chunk, batch_key(b, t), v, t->count, fresh, f));
    }
    return ERR_OK;
}

static enum err batch_put(struct batch *b, const uint32_t *order, const uint32_t *from, const uint16_t *numbers,
                          struct fault *f)
{
    struct part *p = b->part;
    uint64_t first = p->first + (uint64_t)b->chunk * CHUNK_ENTRIES, last = first + CHUNK_ENTRIES - 1;
    bool begun = p->upto >= first, all = !begun && b->since == first && b->upto == last;
    unsigned fresh = begun ? (unsigned)(p->upto - first) + 1 : 0;
    enc_sha256(b->last.p, b->last.n, p->last);
    if (!p->upto)
        p->since = b->since;
    p->upto = b->upto;
    TRY(part_begin(p, f));
    enum err e = part_put_blocks(p, b->chunk, b->blocks, b->upto == last, f);
    if (!e)
        e = batch_keys(b, order, from, numbers, all, fresh, f);
    if (!e && b->upto == last && !all)
        e = part_merge(p, b->chunk, f);
    if (!e)
        e = part_commit(p, f);
    if (e)
        part_rollback(p);
    return e;
}

enum err batch_write(struct batch *b, struct fault *f)
{
    if (!b->upto)
        return ERR_OK;
    uint32_t *order = malloc((b->terms + 1) * sizeof(*order)), *from = malloc((b->terms + 1) * sizeof(*from));
    uint16_t *numbers = malloc((b->hits + 1) * sizeof(*numbers));
    struct part before = *b->part;
    enum err e = ERR_NOMEM;
    if (order && from && numbers) {
        for (size_t i = 0; i < b->terms; i++)
            order[i] = (uint32_t)i;
        qsort_r(order, b->terms, sizeof(*order), batch_by_key, b);
        batch_sort(b, from, numbers);
        e = batch_put(b, order, from, numbers, f);
    } else
        fault_set(f, ERR_NOMEM, "no memory to write the index");
    if (e)
        *b->part = before; /* as it says in the file */
    free(order);
    free(from);
    free(numbers);
    batch_clear(b);
    return e;
}

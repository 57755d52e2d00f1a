/* Proofs, made from tiles: RFC 6962 sections 2.1.1 and 2.1.2. */
#include "tlog/range.h"

enum { TREE_BITS = 63 };

static enum err tree_bounded(uint64_t size, struct fault *f)
{
    return size >> TREE_BITS ? fault_set(f, ERR_PARAMS, "no tree has %llu leaves", (unsigned long long)size) : ERR_OK;
}

/* The way goes from the root down, and a proof is read from the leaf up. */
static void proof_turn(struct tlog_proof *p)
{
    for (unsigned i = 0; i < p->n / 2; i++) {
        struct tlog_hash h = p->v[i];
        p->v[i] = p->v[p->n - 1 - i];
        p->v[p->n - 1 - i] = h;
    }
}

static enum err proof_add(struct tlog_proof *p, struct tlog_range *r, uint64_t from, uint64_t n, struct fault *f)
{
    TRY(tlog_range_root(r, from, n, &p->v[p->n], f));
    p->n++;
    return ERR_OK;
}

enum err tlog_prove_inclusion(const struct tlog_tiles *tiles, uint64_t index, uint64_t size, struct tlog_proof *ret,
                              struct fault *f)
{
    struct tlog_range r;
    struct tlog_proof p = {.n = 0};
    TRY(tree_bounded(size, f));
    if (index >= size)
        return fault_set(f, ERR_PARAMS, "a tree of %llu leaves has no leaf %llu", (unsigned long long)size,
                         (unsigned long long)index);
    tlog_range_init(&r, tiles, size);
    for (uint64_t from = 0, n = size; n > 1;) {
        uint64_t left = tlog_split(n);
        if (index - from < left) {
            TRY(proof_add(&p, &r, from + left, n - left, f));
            n = left;
        } else {
            TRY(proof_add(&p, &r, from, left, f));
            from += left;
            n -= left;
        }
    }
    proof_turn(&p);
    *ret = p;
    return ERR_OK;
}

enum err tlog_prove_consistency(const struct tlog_tiles *tiles, uint64_t old_size, uint64_t size,
                                struct tlog_proof *ret, struct fault *f)
{
    struct tlog_range r;
    struct tlog_proof p = {.n = 0};
    TRY(tree_bounded(size, f));
    if (old_size > size)
        return fault_set(f, ERR_PARAMS, "a tree of %llu leaves never was one of %llu", (unsigned long long)size,
                         (unsigned long long)old_size);
    tlog_range_init(&r, tiles, size);
    uint64_t from = 0, n = size;
    while (old_size && old_size - from < n) { /* the old tree ends within this subtree */
        uint64_t left = tlog_split(n);
        if (old_size - from <= left) {
            TRY(proof_add(&p, &r, from + left, n - left, f));
            n = left;
        } else {
            TRY(proof_add(&p, &r, from, left, f));
            from += left;
            n -= left;
        }
    }
    if (old_size && from) /* at 0, the subtree is the old tree, whose root the other side has */
        TRY(proof_add(&p, &r, from, n, f));
    proof_turn(&p);
    *ret = p;
    return ERR_OK;
}

enum err tlog_root(const struct tlog_tiles *tiles, uint64_t size, struct tlog_hash *ret, struct fault *f)
{
    struct tlog_range r;
    TRY(tree_bounded(size, f));
    tlog_range_init(&r, tiles, size);
    return tlog_range_root(&r, 0, size, ret, f);
}

enum err tlog_tree_load(struct tlog_tree *t, const struct tlog_tiles *tiles, uint64_t size, struct fault *f)
{
    struct tlog_hash below[TLOG_WIDTH];
    TRY(tree_bounded(size, f));
    for (unsigned level = 0; level < TLOG_LEVELS; level++) {
        uint64_t count = size >> 8 * level;
        unsigned width = (unsigned)(count % TLOG_WIDTH);
        t->level[level].width = 0;
        if (!width)
            continue;
        /* Full tiles are there for good; those above level 0 that are not are never asked for. */
        TRY(level ? tlog_tile_derive(tiles, level, count / TLOG_WIDTH, width, below, t->level[level].hash, f)
                  : tiles->read(tiles->ctx, 0, count / TLOG_WIDTH, width, t->level[0].hash, f));
        t->level[level].width = width;
    }
    t->size = size;
    return ERR_OK;
}

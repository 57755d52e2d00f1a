#include "tlog/range.h"

void tlog_range_init(struct tlog_range *r, const struct tlog_tiles *tiles, uint64_t size)
{
    r->tiles = tiles;
    r->size = size;
    r->width = 0;
}

uint64_t tlog_split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

enum err tlog_tile_derive(const struct tlog_tiles *tiles, unsigned level, uint64_t index, unsigned width,
                          struct tlog_hash *below, struct tlog_hash *ret, struct fault *f)
{
    for (unsigned i = 0; i < width; i++) {
        TRY(tiles->read(tiles->ctx, level - 1, index * TLOG_WIDTH + i, TLOG_WIDTH, below, f));
        tlog_fold(below, TLOG_WIDTH, &ret[i]);
    }
    return ERR_OK;
}

/* The tile at hand becomes this one, as wide as it is in the tree. */
static enum err range_tile(struct tlog_range *r, unsigned level, uint64_t index, struct fault *f)
{
    if (r->width && r->level == level && r->index == index)
        return ERR_OK;
    uint64_t rest = (r->size >> 8 * level) - index * TLOG_WIDTH;
    unsigned width = rest < TLOG_WIDTH ? (unsigned)rest : TLOG_WIDTH;
    r->width = 0;
    enum err e = r->tiles->read(r->tiles->ctx, level, index, width, r->hash, f);
    if (e == ERR_NOT_FOUND && level > 0) /* tiles above level 0 say nothing that those below do not */
        e = tlog_tile_derive(r->tiles, level, index, width, r->below, r->hash, f);
    TRY(e);
    r->level = level;
    r->index = index;
    r->width = width;
    return ERR_OK;
}

/* The root of 2^height leaves from `from`, which is a multiple of that. */
static enum err range_perfect(struct tlog_range *r, uint64_t from, unsigned height, struct tlog_hash *ret,
                              struct fault *f)
{
    unsigned level = height / 8;
    uint64_t at = from >> 8 * level;
    TRY(range_tile(r, level, at / TLOG_WIDTH, f));
    tlog_fold(r->hash + at % TLOG_WIDTH, (size_t)1 << height % 8, ret);
    return ERR_OK;
}

enum err tlog_range_root(struct tlog_range *r, uint64_t from, uint64_t n, struct tlog_hash *ret, struct fault *f)
{
    struct tlog_hash part[TLOG_PROOF], root;
    unsigned count = 0;
    for (; n > 0; count++) { /* its perfect trees, the largest first */
        unsigned height = 63 - (unsigned)__builtin_clzll(n);
        TRY(range_perfect(r, from, height, &part[count], f));
        from += UINT64_C(1) << height;
        n -= UINT64_C(1) << height;
    }
    if (!count) {
        tlog_fold(NULL, 0, ret);
        return ERR_OK;
    }
    root = part[count - 1];
    for (unsigned i = count - 1; i > 0; i--)
        tlog_node(&part[i - 1], &root, &root);
    *ret = root;
    return ERR_OK;
}

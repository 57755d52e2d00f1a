/* Hashes of ranges of leaves, from tiles. For the proofs; not for others. */
#ifndef TLOG_RANGE_H
#define TLOG_RANGE_H

#include "tlog/tlog.h"

/* The tree of `size` leaves, read through its tiles; the last tile is kept. 16 KiB. */
struct tlog_range {
    const struct tlog_tiles *tiles;
    uint64_t size;
    unsigned level, width; /* of the tile at hand; width 0: none */
    uint64_t index;
    struct tlog_hash hash[TLOG_WIDTH];
    struct tlog_hash below[TLOG_WIDTH]; /* scratch */
};
void tlog_range_init(struct tlog_range *r, const struct tlog_tiles *tiles, uint64_t size);
/* The largest power of two below n, which is 2 or more: where a tree of n leaves is split. */
uint64_t tlog_split(uint64_t n);
/* The root of the leaves [from, from + n), which are a subtree of the tree as RFC 6962 splits it. */
enum err tlog_range_root(struct tlog_range *r, uint64_t from, uint64_t n, struct tlog_hash *ret,
                         struct fault *f) MUST_USE;
/* `width` hashes of a tile, each from the full tile below it. level is 1 or more. */
enum err tlog_tile_derive(const struct tlog_tiles *tiles, unsigned level, uint64_t index, unsigned width,
                          struct tlog_hash *below, struct tlog_hash *ret, struct fault *f) MUST_USE;

#endif

/*
 * The Merkle tree of a log: RFC 6962 (section 2.1) with SHA-256, cut into tiles of 256 hashes as C2SP tlog-tiles lays
 * it out. Entry number i, from 0 on, is leaf i.
 *
 *   leaf       SHA-256(0x00 || entry)
 *   node       SHA-256(0x01 || left || right)
 *   tile(L,N)  the 256 hashes at height 8 * L that cover the leaves from N * 256^(L+1) on; each hash above level 0 is
 *              the root of a full tile below
 *
 * Pure, but for folder.h: no files, no clock, no globals. Proofs are made by asking the caller for tiles; they are
 * checked from nothing but hashes. Bounded: a tree has fewer than 2^63 leaves, a proof at most TLOG_PROOF hashes.
 */
#ifndef TLOG_TLOG_H
#define TLOG_TLOG_H

#include "base/buf.h"
#include "base/enc.h"

enum { TLOG_WIDTH = 256, TLOG_LEVELS = 8, TLOG_PROOF = 64, TLOG_PATH = 64 };

struct tlog_hash {
    unsigned char b[SHA256_BYTES];
};

void tlog_leaf(struct str entry, struct tlog_hash *ret);
void tlog_node(const struct tlog_hash *left, const struct tlog_hash *right, struct tlog_hash *ret);
/* The root of n hashes that stand side by side; of none SHA-256 of nothing. */
void tlog_fold(const struct tlog_hash *v, size_t n, struct tlog_hash *ret);
bool tlog_same(const struct tlog_hash *a, const struct tlog_hash *b);

/* ---- a tree as it grows ---- */

/* Of each level the tile that is not full. 64 KiB. */
struct tlog_tree {
    uint64_t size;
    struct {
        struct tlog_hash hash[TLOG_WIDTH];
        unsigned width; /* below TLOG_WIDTH between calls */
    } level[TLOG_LEVELS];
    /* A tile, full or (from tlog_tree_partial) not. Anything but ERR_OK comes back from tlog_tree_add. NULL: nobody
     * wants them. */
    enum err (*tile)(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                     struct fault *f);
    void *ctx;
};
void tlog_tree_init(struct tlog_tree *t);
enum err tlog_tree_add(struct tlog_tree *t, const struct tlog_hash *leaf, struct fault *f) MUST_USE;
/* Hands out the tiles that are not full, those that are empty excepted. */
enum err tlog_tree_partial(struct tlog_tree *t, struct fault *f) MUST_USE;
void tlog_tree_root(const struct tlog_tree *t, struct tlog_hash *ret);

/* "tile/0/x001/x234/067.p/12" (tlog-tiles, "Merkle Tree"); level TLOG_ENTRIES is "entries". width TLOG_WIDTH: full. */
enum { TLOG_ENTRIES = 64 };
void tlog_tile_path(unsigned level, uint64_t index, unsigned width, char ret[TLOG_PATH]);
/* ERR_SYNTAX: is not one, in its only form. */
enum err tlog_tile_parse(struct str path, unsigned *ret_level, uint64_t *ret_index, unsigned *ret_width) MUST_USE;

/* ---- proofs, made from tiles ---- */

struct tlog_tiles {
    /* The first `width` hashes of a tile into ret. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
    enum err (*read)(void *ctx, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret, struct fault *f);
    void *ctx;
};
struct tlog_proof {
    struct tlog_hash v[TLOG_PROOF];
    unsigned n;
};
/* Fills the tree as it was when it had `size` leaves, so that it can go on from there. Reads full tiles, and of level 0
 * the last one when `size` is no multiple of TLOG_WIDTH. After an error the tree is of no use. */
enum err tlog_tree_load(struct tlog_tree *t, const struct tlog_tiles *tiles, uint64_t size, struct fault *f) MUST_USE;
enum err tlog_root(const struct tlog_tiles *tiles, uint64_t size, struct tlog_hash *ret, struct fault *f) MUST_USE;
/* RFC 6962 section 2.1.1, 2.1.2. ERR_PARAMS: index or old_size do not fit size. */
enum err tlog_prove_inclusion(const struct tlog_tiles *tiles, uint64_t index, uint64_t size, struct tlog_proof *ret,
                              struct fault *f) MUST_USE;
enum err tlog_prove_consistency(const struct tlog_tiles *tiles, uint64_t old_size, uint64_t size,
                                struct tlog_proof *ret, struct fault *f) MUST_USE;

/* ---- proofs, checked (RFC 9162 sections 2.1.3.2 and 2.1.4.2). ERR_CORRUPT: it proves nothing. ---- */

enum err tlog_check_inclusion(const struct tlog_proof *p, uint64_t index, const struct tlog_hash *leaf, uint64_t size,
                              const struct tlog_hash *root, struct fault *f) MUST_USE;
/* An empty old tree is consistent with every tree; its proof is empty. */
enum err tlog_check_consistency(const struct tlog_proof *p, uint64_t old_size, const struct tlog_hash *old_root,
                                uint64_t size, const struct tlog_hash *root, struct fault *f) MUST_USE;

#endif

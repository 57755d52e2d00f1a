/* A tree that a test grows, with its tiles in memory. */
#ifndef TEST_GROVE_H
#define TEST_GROVE_H

#include "../unit.h"
#include "tlog/tlog.h"

#include <stdio.h>
#include <stdlib.h>

struct grove {
    struct tlog_tree tree;
    struct tlog_hash *level[TLOG_LEVELS]; /* all hashes of a level, side by side */
    uint64_t count[TLOG_LEVELS];
    uint64_t max;
    bool bare;      /* hands out full tiles only, but for level 0 */
    unsigned reads; /* since the test set it to 0 */
};

static enum err grove_tile(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                           struct fault *f)
{
    (void)f;
    struct grove *g = ctx;
    assert_int_equal(index * TLOG_WIDTH, g->count[level]);
    assert_in_range(index * TLOG_WIDTH + width, 1, g->max);
    memcpy(g->level[level] + g->count[level], v, width * sizeof(*v));
    g->count[level] += width;
    return ERR_OK;
}

/* Leaf i of every test's tree. */
static inline void grove_leaf(uint64_t i, struct tlog_hash *ret)
{
    char text[32];
    tlog_leaf((struct str){text, (size_t)snprintf(text, sizeof(text), "entry %llu", (unsigned long long)i)}, ret);
}

static inline void grove_grow(struct grove *g, uint64_t size)
{
    struct tlog_hash leaf;
    while (g->tree.size < size) {
        grove_leaf(g->tree.size, &leaf);
        assert_int_equal(tlog_tree_add(&g->tree, &leaf, NULL), ERR_OK);
    }
}

static inline struct grove *grove_new(uint64_t size)
{
    struct grove *g = calloc(1, sizeof(*g));
    assert_non_null(g);
    tlog_tree_init(&g->tree);
    g->tree.tile = grove_tile;
    g->tree.ctx = g;
    g->max = size + TLOG_WIDTH;
    for (unsigned i = 0; i < TLOG_LEVELS; i++)
        assert_non_null(g->level[i] = calloc(g->max, sizeof(struct tlog_hash)));
    grove_grow(g, size);
    return g;
}

static inline void grove_free(struct grove *g)
{
    for (unsigned i = 0; i < TLOG_LEVELS; i++)
        free(g->level[i]);
    free(g);
}

/* What is in full tiles, and behind it what the tree still holds. */
static enum err grove_read(void *ctx, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret,
                           struct fault *f)
{
    struct grove *g = ctx;
    g->reads++;
    for (unsigned i = 0; i < width; i++) {
        uint64_t at = index * TLOG_WIDTH + i, over = at - g->count[level];
        if (at < g->count[level])
            ret[i] = g->level[level][at];
        else if (over < g->tree.level[level].width && (!level || !g->bare))
            ret[i] = g->tree.level[level].hash[over];
        else
            return fault_set(f, ERR_NOT_FOUND, "there is no such tile");
    }
    return ERR_OK;
}

static inline struct tlog_tiles grove_tiles(struct grove *g)
{
    return (struct tlog_tiles){grove_read, g};
}

/* RFC 6962 section 2.1, as it stands there. */
static inline void grove_root(const struct grove *g, uint64_t from, uint64_t n, struct tlog_hash *ret)
{
    struct tlog_hash left, right;
    uint64_t k = 1;
    if (n == 1) {
        grove_leaf(from, ret);
        return;
    }
    while (2 * k < n)
        k *= 2;
    grove_root(g, from, k, &left);
    grove_root(g, from + k, n - k, &right);
    tlog_node(&left, &right, ret);
}

#endif

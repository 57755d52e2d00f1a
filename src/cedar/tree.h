/*
 * Making trees of expressions, for the parser of texts and the reader of JSON: every node goes through here, and here
 * it is seen to that no tree gets too high, and that walking one takes no longer than its text allows.
 */
#ifndef CEDAR_TREE_H
#define CEDAR_TREE_H

#include "cedar/policy.h"

/* An expression, how high its tree is, and how many nodes a walk over it sees (more than there are, where nodes are
 * shared). */
struct cedar_piece {
    const struct cedar_expr *e;
    uint32_t height, weight;
};

/* Parts of a chain of && or || that nest to the left; what is longer nests in halves. */
#define CEDAR_CHAIN 128

struct cedar_tree {
    struct arena *arena;
    enum { CEDAR_TREE_GOOD, CEDAR_TREE_POOR, CEDAR_TREE_DEEP, CEDAR_TREE_WIDE } state;
};

struct cedar_item {
    struct str key;
    uint32_t at; /* of the key, or of the operator before the piece */
    struct cedar_piece piece;
};
struct cedar_items { /* a stack, on the heap */
    struct cedar_item *v;
    uint32_t n, cap;
};

void cedar_tree_init(struct cedar_tree *t, struct arena *a);
const char *cedar_tree_words(const struct cedar_tree *t);             /* why the last one was refused */
bool cedar_items_push(struct cedar_items *s, struct cedar_item item); /* false: no memory */

static inline struct cedar_item *cedar_items_from(const struct cedar_items *s, uint32_t base) /* those behind base */
{
    return s->v ? s->v + base : NULL; /* C adds not even zero to NULL */
}

/* All of these are false when the tree cannot be made; then state says why. */
bool cedar_tree_leaf(struct cedar_tree *t, struct cedar_expr e, struct cedar_piece *ret);
bool cedar_tree_one(struct cedar_tree *t, struct cedar_expr e, struct cedar_piece a, struct cedar_piece *ret);
bool cedar_tree_two(struct cedar_tree *t, struct cedar_expr e, struct cedar_piece a, struct cedar_piece b,
                    struct cedar_piece *ret);
bool cedar_tree_if(struct cedar_tree *t, uint32_t at, const struct cedar_piece abc[3], struct cedar_piece *ret);
/* A set, a record or a call of n items. */
bool cedar_tree_list(struct cedar_tree *t, struct cedar_expr e, const struct cedar_item *item, uint32_t n,
                     struct cedar_piece *ret);
/* a && b && c …, or the same of ||. */
bool cedar_tree_chain(struct cedar_tree *t, enum cedar_op op, const struct cedar_item *item, uint32_t n,
                      struct cedar_piece *ret);
/* a has x.y.z; the names are n items' keys. */
bool cedar_tree_has(struct cedar_tree *t, uint32_t at, struct cedar_piece a, const struct cedar_item *name, uint32_t n,
                    struct cedar_piece *ret);
/* The first item whose key another one before it has; n: none. ERR_NOMEM. */
enum err cedar_items_double(const struct cedar_item *item, uint32_t n, uint32_t *ret) MUST_USE;

#endif

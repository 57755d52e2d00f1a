/* Making trees. */
#include "cedar/tree.h"
#include "cedar/parse.h"

#include <stdlib.h>

/* Nodes of what stands before `has` that its names may repeat. By the operator, and not by the text, so that a tree
 * that was read is read again however it is written; for a text of n bytes it still comes to a small multiple of n. */
enum { REPEATED = 1 << 15 };

void cedar_tree_init(struct cedar_tree *t, struct arena *a)
{
    *t = (struct cedar_tree){.arena = a};
}

const char *cedar_tree_words(const struct cedar_tree *t)
{
    switch (t->state) {
    case CEDAR_TREE_DEEP: return "nested too deep: write it flatter, or in several conditions";
    case CEDAR_TREE_WIDE:
        return "`has` with several names repeats what stands before it too often: write its parts with &&";
    default: return "no memory for the policies";
    }
}

bool cedar_items_push(struct cedar_items *s, struct cedar_item item)
{
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 64;
        struct cedar_item *v = realloc(s->v, sizeof(*v) * cap);
        if (!v)
            return false;
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = item;
    return true;
}

static bool refuse(struct cedar_tree *t, int state)
{
    t->state = state;
    return false;
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static bool node(struct cedar_tree *t, struct cedar_expr e, uint32_t height, uint32_t weight, struct cedar_piece *ret)
{
    if (height >= CEDAR_DEPTH)
        return refuse(t, CEDAR_TREE_DEEP);
    struct cedar_expr *copy = arena_raw(t->arena, sizeof(*copy), _Alignof(struct cedar_expr));
    if (!copy)
        return refuse(t, CEDAR_TREE_POOR);
    *copy = e;
    *ret = (struct cedar_piece){copy, height + 1, sum(weight, 1)};
    return true;
}

bool cedar_tree_leaf(struct cedar_tree *t, struct cedar_expr e, struct cedar_piece *ret)
{
    return node(t, e, 0, 0, ret);
}

bool cedar_tree_one(struct cedar_tree *t, struct cedar_expr e, struct cedar_piece a, struct cedar_piece *ret)
{
    e.a = a.e;
    return node(t, e, a.height, a.weight, ret);
}

bool cedar_tree_two(struct cedar_tree *t, struct cedar_expr e, struct cedar_piece a, struct cedar_piece b,
                    struct cedar_piece *ret)
{
    e.a = a.e;
    e.b = b.e;
    return node(t, e, a.height > b.height ? a.height : b.height, sum(a.weight, b.weight), ret);
}

bool cedar_tree_if(struct cedar_tree *t, uint32_t at, const struct cedar_piece abc[3], struct cedar_piece *ret)
{
    struct cedar_expr e = {.op = CEDAR_OP_IF, .at = at};
    uint32_t height = abc[0].height > abc[1].height ? abc[0].height : abc[1].height;
    e.a = abc[0].e;
    e.b = abc[1].e;
    e.c = abc[2].e;
    return node(t, e, height > abc[2].height ? height : abc[2].height,
                sum(sum(abc[0].weight, abc[1].weight), abc[2].weight), ret);
}

bool cedar_tree_list(struct cedar_tree *t, struct cedar_expr e, const struct cedar_item *item, uint32_t n,
                     struct cedar_piece *ret)
{
    uint32_t height = 0, weight = 0;
    const struct cedar_expr **list = arena_alloc(t->arena, sizeof(struct cedar_expr *) * (n ? n : 1));
    struct str *key = e.op == CEDAR_OP_RECORD ? arena_alloc(t->arena, sizeof(*key) * (n ? n : 1)) : NULL;
    if (!list || (e.op == CEDAR_OP_RECORD && !key))
        return refuse(t, CEDAR_TREE_POOR);
    for (uint32_t i = 0; i < n; i++) {
        list[i] = item[i].piece.e;
        if (key)
            key[i] = item[i].key;
        height = item[i].piece.height > height ? item[i].piece.height : height;
        weight = sum(weight, item[i].piece.weight);
    }
    e.item = list;
    e.key = key;
    e.n = n;
    return node(t, e, height, weight, ret);
}

static bool halves(struct cedar_tree *t, enum cedar_op op, const struct cedar_item *item, uint32_t n,
                   struct cedar_piece *ret)
{
    struct cedar_piece a, b;
    if (n == 1) {
        *ret = item->piece;
        return true;
    }
    uint32_t half = n / 2; /* at most 32 levels of this */
    return halves(t, op, item, half, &a) && halves(t, op, item + half, n - half, &b) &&
           cedar_tree_two(t, (struct cedar_expr){.op = (uint8_t)op, .at = item[half].at}, a, b, ret);
}

bool cedar_tree_chain(struct cedar_tree *t, enum cedar_op op, const struct cedar_item *item, uint32_t n,
                      struct cedar_piece *ret)
{
    if (n > CEDAR_CHAIN) /* the order of evaluation, and what comes of it, are the same */
        return halves(t, op, item, n, ret);
    struct cedar_piece whole = item[0].piece;
    for (uint32_t i = 1; i < n; i++)
        if (!cedar_tree_two(t, (struct cedar_expr){.op = (uint8_t)op, .at = item[i].at}, whole, item[i].piece, &whole))
            return false;
    *ret = whole;
    return true;
}

bool cedar_tree_has(struct cedar_tree *t, uint32_t at, struct cedar_piece a, const struct cedar_item *name, uint32_t n,
                    struct cedar_piece *ret)
{
    struct cedar_piece whole = {0}, has;
    uint32_t repeated = 0;
    bool plain = true; /* only then it can be written that way */
    for (uint32_t i = 0; i < n; i++)
        plain &= cedar_ident_valid(name[i].key);
    for (uint32_t i = 0; i < n; i++) {
        repeated = sum(repeated, i ? a.weight : 0);
        if (repeated > REPEATED)
            return refuse(t, CEDAR_TREE_WIDE);
        struct cedar_expr e = {.op = CEDAR_OP_HAS, .at = name[i].at, .name = name[i].key};
        if (!cedar_tree_one(t, e, a, &has))
            return false;
        if (!i)
            whole = has;
        else if (!cedar_tree_two(t, (struct cedar_expr){.op = CEDAR_OP_AND, .sub = plain, .at = at}, whole, has,
                                 &whole))
            return false;
        e.op = CEDAR_OP_GET;
        if (i + 1 < n && !cedar_tree_one(t, e, a, &a))
            return false;
    }
    *ret = whole;
    return true;
}

struct indexed {
    struct str key;
    uint32_t i;
};

static int by_key(const void *a, const void *b)
{
    const struct indexed *x = a, *y = b;
    int c = str_cmp(x->key, y->key);
    return c ? c : x->i < y->i ? -1 : 1;
}

enum err cedar_items_double(const struct cedar_item *item, uint32_t n, uint32_t *ret)
{
    uint32_t first = n;
    if (n > 1) {
        struct indexed *v = malloc(sizeof(*v) * n);
        if (!v)
            return ERR_NOMEM;
        for (uint32_t i = 0; i < n; i++)
            v[i] = (struct indexed){item[i].key, i};
        qsort(v, n, sizeof(*v), by_key);
        for (uint32_t i = 1; i < n; i++)
            if (str_eq(v[i].key, v[i - 1].key) && v[i].i < first)
                first = v[i].i;
        free(v);
    }
    *ret = first;
    return ERR_OK;
}

/*
 * Shapes: expressions that are written alike get one number, whatever their places. A number is found in time linear in
 * the expression, since what is below an expression is known by its numbers already. Writings that mean the same by
 * definition (a != b and !(a == b)) are one shape.
 */
#include "cedar/check.h"

#include <stdlib.h>

struct cedar_shape {
    uint64_t hash;
    uint32_t number; /* 0: free */
    uint32_t op, sub, kid[3];
    int64_t i;
    struct str s, t;
};

struct cedar_seen {
    const struct cedar_expr *e; /* NULL: free */
    uint32_t number, place;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static bool same(const struct cedar_shape *a, const struct cedar_shape *b)
{
    return a->hash == b->hash && a->op == b->op && a->sub == b->sub && memcmp(a->kid, b->kid, sizeof(a->kid)) == 0 &&
           a->i == b->i && str_eq(a->s, b->s) && str_eq(a->t, b->t);
}

static bool shapes_grow(struct cedar_shapes *s)
{
    if (s->shapes < s->shapes_cap / 2)
        return true;
    uint32_t cap = s->shapes_cap ? s->shapes_cap * 2 : 64;
    struct cedar_shape *to = arena_alloc(s->a, (size_t)cap * sizeof(*to));
    if (!to)
        return false;
    for (uint32_t i = 0; i < s->shapes_cap; i++) {
        if (!s->shape[i].number)
            continue;
        uint32_t at = (uint32_t)s->shape[i].hash & (cap - 1);
        while (to[at].number)
            at = (at + 1) & (cap - 1);
        to[at] = s->shape[i];
    }
    s->shape = to;
    s->shapes_cap = cap;
    return true;
}

static uint32_t number(struct cedar_shapes *s, struct cedar_shape k)
{
    k.hash = mix(mix(mix(k.op, k.sub), (uint64_t)k.kid[0] << 32 | k.kid[1]), k.kid[2]);
    k.hash = mix(mix(mix(k.hash, (uint64_t)k.i), cedar_hash(k.s, 0)), k.t.n ? cedar_hash(k.t, 0) : 0);
    if (!shapes_grow(s))
        return 0;
    uint32_t at = (uint32_t)k.hash & (s->shapes_cap - 1);
    for (; s->shape[at].number; at = (at + 1) & (s->shapes_cap - 1))
        if (same(&s->shape[at], &k))
            return s->shape[at].number;
    k.number = ++s->shapes;
    s->shape[at] = k;
    return k.number;
}

static uint32_t node(struct cedar_shapes *s, enum cedar_op op, uint32_t a, uint32_t b)
{
    return number(s, (struct cedar_shape){.op = op, .kid = {a, b}});
}

static uint32_t seen_at(const struct cedar_seen *seen, uint32_t cap, const struct cedar_expr *e)
{
    uint32_t at = (uint32_t)(mix(0, (uintptr_t)e) >> 8) & (cap - 1);
    while (seen[at].e && seen[at].e != e)
        at = (at + 1) & (cap - 1);
    return at;
}

static bool seen_grow(struct cedar_shapes *s)
{
    if (s->seens < s->seens_cap / 2)
        return true;
    uint32_t cap = s->seens_cap ? s->seens_cap * 2 : 64;
    struct cedar_seen *to = arena_alloc(s->a, (size_t)cap * sizeof(*to));
    if (!to)
        return false;
    for (uint32_t i = 0; i < s->seens_cap; i++)
        if (s->seen[i].e)
            to[seen_at(to, cap, s->seen[i].e)] = s->seen[i];
    s->seen = to;
    s->seens_cap = cap;
    return true;
}

uint32_t cedar_shapes_place(const struct cedar_shapes *s, const struct cedar_expr *e)
{
    return s->seens_cap ? s->seen[seen_at(s->seen, s->seens_cap, e)].place : 0;
}

static uint32_t add(struct cedar_shapes *s, const struct cedar_expr *e);

static uint32_t literal(struct cedar_shapes *s, struct cedar_value v)
{
    struct cedar_shape k = {.op = CEDAR_OP_LIT, .sub = v.kind};
    if (v.kind == CEDAR_STRING) {
        k.s = cedar_value_str(v);
    } else if (v.kind == CEDAR_ENTITY) {
        k.s = v.uid->id;
        k.t = v.uid->type;
    } else {
        k.i = v.kind == CEDAR_BOOL ? v.b : v.i;
    }
    return number(s, k);
}

static uint32_t pattern(struct cedar_shapes *s, const struct cedar_expr *e)
{
    uint32_t n = add(s, e->of);
    for (uint32_t i = 0; i < e->pattern->n; i++)
        n = number(s, (struct cedar_shape){.op = CEDAR_OP_LIKE, .kid = {n}, .s = e->pattern->piece[i]});
    return n;
}

static uint32_t list(struct cedar_shapes *s, const struct cedar_expr *e)
{
    uint32_t n = number(s, (struct cedar_shape){.op = e->op, .sub = e->sub});
    for (uint32_t i = 0; i < e->n; i++)
        n = node(s, e->op, n, add(s, e->item[i]));
    return n;
}

struct pair {
    struct str key;
    uint32_t number;
};

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

/* The order in which a record is written makes no difference. */
static uint32_t record(struct cedar_shapes *s, const struct cedar_expr *e)
{
    struct pair *p = arena_alloc(s->a, ((size_t)e->n + 1) * sizeof(*p));
    if (!p)
        return 0;
    for (uint32_t i = 0; i < e->n; i++)
        p[i] = (struct pair){e->key[i], add(s, e->item[i])};
    qsort(p, e->n, sizeof(*p), by_key);
    uint32_t n = number(s, (struct cedar_shape){.op = CEDAR_OP_RECORD});
    for (uint32_t i = 0; i < e->n; i++)
        n = number(s, (struct cedar_shape){.op = CEDAR_OP_RECORD, .kid = {n, p[i].number}, .s = p[i].key});
    return n;
}

static uint32_t is(struct cedar_shapes *s, const struct cedar_expr *e)
{
    uint32_t of = add(s, e->of);
    uint32_t n = number(s, (struct cedar_shape){.op = CEDAR_OP_IS, .kid = {of}, .s = e->name});
    return e->in ? node(s, CEDAR_OP_AND, n, node(s, CEDAR_OP_IN, of, add(s, e->in))) : n;
}

static uint32_t shape(struct cedar_shapes *s, const struct cedar_expr *e, uint32_t *ret_place)
{
    uint32_t a, b, c;
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_LIT: return literal(s, e->lit);
    case CEDAR_OP_VAR:
    case CEDAR_OP_SLOT: return number(s, (struct cedar_shape){.op = e->op, .sub = e->sub});
    case CEDAR_OP_SET:
    case CEDAR_OP_CALL: return list(s, e);
    case CEDAR_OP_RECORD: return record(s, e);
    case CEDAR_OP_LIKE: return pattern(s, e);
    case CEDAR_OP_IS: return is(s, e);
    case CEDAR_OP_HAS:
    case CEDAR_OP_GET:
        a = add(s, e->of);
        *ret_place = number(s, (struct cedar_shape){.op = CEDAR_OP_GET, .kid = {a}, .s = e->name});
        return e->op == CEDAR_OP_GET ? *ret_place
                                     : number(s, (struct cedar_shape){.op = e->op, .kid = {a}, .s = e->name});
    case CEDAR_OP_HAS_TAG:
    case CEDAR_OP_GET_TAG:
        a = add(s, e->a);
        b = add(s, e->b);
        *ret_place = node(s, CEDAR_OP_GET_TAG, a, b);
        return e->op == CEDAR_OP_GET_TAG ? *ret_place : node(s, e->op, a, b);
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
    case CEDAR_OP_IS_EMPTY: return node(s, e->op, add(s, e->a), 0);
    case CEDAR_OP_IF:
        a = add(s, e->a);
        b = add(s, e->b);
        c = add(s, e->c);
        return number(s, (struct cedar_shape){.op = e->op, .kid = {a, b, c}});
    default: break;
    }
    a = add(s, e->a);
    b = add(s, e->b);
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_NE: return node(s, CEDAR_OP_NOT, node(s, CEDAR_OP_EQ, a, b), 0);
    case CEDAR_OP_GT: return node(s, CEDAR_OP_NOT, node(s, CEDAR_OP_LE, a, b), 0);
    case CEDAR_OP_GE: return node(s, CEDAR_OP_NOT, node(s, CEDAR_OP_LT, a, b), 0);
    default: return node(s, e->op, a, b);
    }
}

static uint32_t add(struct cedar_shapes *s, const struct cedar_expr *e)
{
    if (s->deep || !seen_grow(s))
        return 0;
    const struct cedar_seen *known = &s->seen[seen_at(s->seen, s->seens_cap, e)];
    if (known->e)
        return known->number;
    if (s->depth == CEDAR_CHECK_DEPTH) {
        s->deep = true;
        return 0;
    }
    if (s->visit)
        s->visit(s->ctx, e);
    uint32_t place = 0;
    s->depth++;
    uint32_t n = shape(s, e, &place);
    s->depth--;
    if (!seen_grow(s))
        return 0;
    struct cedar_seen *to = &s->seen[seen_at(s->seen, s->seens_cap, e)];
    *to = (struct cedar_seen){e, n, place};
    s->seens++;
    return n;
}

void cedar_shapes_add(struct cedar_shapes *s, const struct cedar_expr *e)
{
    add(s, e);
}

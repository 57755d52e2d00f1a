#include "plain.h"

#include <stdlib.h>

static const struct cedar_value none = {.kind = CEDAR_NONE};

static const struct cedar_entity *entity(const struct plain *p, const struct cedar_uid *uid)
{
    return cedar_world_find(&p->request->world, uid);
}

static bool is_in(const struct plain *p, const struct cedar_uid *a, const struct cedar_uid *b)
{
    const struct cedar_entity *e = entity(p, a);
    bool found = cedar_uid_eq(a, b);
    for (uint32_t i = 0; e && i < e->n; i++)
        found |= cedar_uid_eq(e->ancestors[i], b);
    return found;
}

static struct cedar_value plain_in(const struct plain *p, struct cedar_value a, struct cedar_value b)
{
    bool found = false;
    if (a.kind != CEDAR_ENTITY || (b.kind != CEDAR_ENTITY && b.kind != CEDAR_SET))
        return none;
    if (b.kind == CEDAR_ENTITY)
        return cedar_bool(is_in(p, a.uid, b.uid));
    for (uint32_t i = 0; i < b.set->n; i++) {
        if (b.set->v[i].kind != CEDAR_ENTITY)
            return none;
        found |= is_in(p, a.uid, b.set->v[i].uid);
    }
    return cedar_bool(found);
}

static const struct cedar_record *attributes(const struct plain *p, struct cedar_value v, bool tags, bool *ret_good)
{
    *ret_good = true;
    if (v.kind == CEDAR_RECORD && !tags)
        return v.record;
    if (v.kind != CEDAR_ENTITY) {
        *ret_good = false;
        return NULL;
    }
    const struct cedar_entity *e = entity(p, v.uid);
    return !e ? NULL : tags ? e->tags : e->attrs;
}

/* has, ., hasTag and getTag */
static struct cedar_value member(const struct plain *p, struct cedar_value of, struct str name, bool tags, bool ask)
{
    bool good;
    const struct cedar_record *r = attributes(p, of, tags, &good);
    const struct cedar_value *found = NULL;
    for (uint32_t i = 0; r && i < r->n; i++)
        if (str_eq(r->f[i].name, name))
            found = &r->f[i].v;
    if (!good)
        return none;
    return ask ? cedar_bool(found) : found ? *found : none;
}

/* at[i]: the pieces so far can end before byte i of the text. */
static bool like(const struct plain *p, struct str s, const struct cedar_pattern *pattern)
{
    bool *at = arena_alloc(p->arena, s.n + 1), *next;
    if (!at)
        abort();
    at[0] = true;
    for (uint32_t k = 0; k < pattern->n; k++, at = next) {
        struct str piece = pattern->piece[k];
        bool here = false;
        if (!(next = arena_alloc(p->arena, s.n + 1)))
            abort();
        for (size_t i = 0; i + piece.n <= s.n; i++) {
            here = at[i] || (here && k > 0); /* a star has stood before this piece */
            if (here && str_starts(str_skip(s, i), piece))
                next[i + piece.n] = true;
        }
    }
    return at[s.n];
}

static struct cedar_value contain(struct cedar_value s, struct cedar_value v, enum cedar_op op)
{
    uint32_t found = 0;
    if (s.kind != CEDAR_SET || (op != CEDAR_OP_CONTAINS && v.kind != CEDAR_SET))
        return none;
    for (uint32_t i = 0; i < s.set->n; i++) {
        if (op == CEDAR_OP_CONTAINS)
            found += cedar_value_eq(s.set->v[i], v);
        for (uint32_t k = 0; op != CEDAR_OP_CONTAINS && k < v.set->n; k++)
            found += cedar_value_eq(s.set->v[i], v.set->v[k]);
    }
    return cedar_bool(op == CEDAR_OP_CONTAINS_ALL ? found == v.set->n : found > 0);
}

static struct cedar_value arithmetic(struct cedar_value a, struct cedar_value b, enum cedar_op op)
{
    if (a.kind != CEDAR_LONG || b.kind != CEDAR_LONG)
        return none;
    __int128 x = a.i, y = b.i, v = op == CEDAR_OP_ADD ? x + y : op == CEDAR_OP_SUB ? x - y : x * y;
    return v < INT64_MIN || v > INT64_MAX ? none : cedar_long((int64_t)v);
}

static struct cedar_value compare(struct cedar_value a, struct cedar_value b, enum cedar_op op)
{
    bool ordered = a.kind == CEDAR_LONG || a.kind == CEDAR_DATETIME || a.kind == CEDAR_DURATION;
    if (a.kind != b.kind || !ordered)
        return none;
    return cedar_bool(op == CEDAR_OP_LT   ? a.i < b.i
                      : op == CEDAR_OP_LE ? a.i <= b.i
                      : op == CEDAR_OP_GT ? a.i > b.i
                                          : a.i >= b.i);
}

static struct cedar_value variable(const struct plain *p, unsigned var)
{
    const struct cedar_request *r = p->request;
    switch (var) {
    case CEDAR_PRINCIPAL: return cedar_entity_value(&r->principal);
    case CEDAR_ACTION: return cedar_entity_value(&r->action);
    case CEDAR_RESOURCE: return cedar_entity_value(&r->resource);
    default: return (struct cedar_value){.kind = CEDAR_RECORD, .record = r->context};
    }
}

static struct cedar_value list(const struct plain *p, const struct cedar_expr *e)
{
    struct cedar_value *v = arena_alloc(p->arena, (e->n + 1) * sizeof(*v)), ret = none;
    struct cedar_field *f = arena_alloc(p->arena, (e->n + 1) * sizeof(*f));
    if (!v || !f)
        abort();
    for (uint32_t i = 0; i < e->n; i++) {
        if (!(v[i] = plain_value(p, e->item[i])).kind)
            return none;
        f[i] = (struct cedar_field){e->op == CEDAR_OP_RECORD ? e->key[i] : STR_NONE, v[i]};
    }
    if (e->op == CEDAR_OP_SET)
        return cedar_set_of(v, e->n, p->arena);
    if (e->op == CEDAR_OP_RECORD)
        return cedar_record_of(f, e->n, p->arena, &ret) ? none : ret;
    if (e->n != cedar_ext_info(e->sub)->n)
        return none;
    return cedar_ext_call(e->sub, v, p->arena, &ret, NULL) ? none : ret;
}

/* && and ||, and the bools that they want. */
static struct cedar_value both(const struct plain *p, const struct cedar_expr *e)
{
    struct cedar_value a = plain_value(p, e->a);
    if (a.kind != CEDAR_BOOL || a.b == (e->op == CEDAR_OP_OR))
        return a.kind == CEDAR_BOOL ? a : none;
    a = plain_value(p, e->b);
    return a.kind == CEDAR_BOOL ? a : none;
}

static struct cedar_value is(const struct plain *p, const struct cedar_expr *e, struct cedar_value a)
{
    if (a.kind != CEDAR_ENTITY)
        return none;
    if (!e->b || !str_eq(a.uid->type, e->name))
        return cedar_bool(str_eq(a.uid->type, e->name));
    struct cedar_value b = plain_value(p, e->b);
    return b.kind ? plain_in(p, a, b) : none;
}

static struct cedar_value one(const struct plain *p, const struct cedar_expr *e, struct cedar_value a)
{
    switch (e->op) {
    case CEDAR_OP_NOT: return a.kind == CEDAR_BOOL ? cedar_bool(!a.b) : none;
    case CEDAR_OP_NEG: return arithmetic(cedar_long(0), a, CEDAR_OP_SUB);
    case CEDAR_OP_IF: return a.kind == CEDAR_BOOL ? plain_value(p, a.b ? e->b : e->c) : none;
    case CEDAR_OP_IS: return is(p, e, a);
    case CEDAR_OP_HAS: return member(p, a, e->name, false, true);
    case CEDAR_OP_GET: return member(p, a, e->name, false, false);
    case CEDAR_OP_LIKE: return a.kind == CEDAR_STRING ? cedar_bool(like(p, cedar_value_str(a), e->pattern)) : none;
    default: return a.kind == CEDAR_SET ? cedar_bool(a.set->n == 0) : none; /* isEmpty */
    }
}

static struct cedar_value two(const struct plain *p, const struct cedar_expr *e, struct cedar_value a,
                              struct cedar_value b)
{
    bool tag = a.kind == CEDAR_ENTITY && b.kind == CEDAR_STRING;
    switch (e->op) {
    case CEDAR_OP_EQ: return cedar_bool(cedar_value_eq(a, b));
    case CEDAR_OP_NE: return cedar_bool(!cedar_value_eq(a, b));
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE: return compare(a, b, e->op);
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB:
    case CEDAR_OP_MUL: return arithmetic(a, b, e->op);
    case CEDAR_OP_IN: return plain_in(p, a, b);
    case CEDAR_OP_HAS_TAG: return tag ? member(p, a, cedar_value_str(b), true, true) : none;
    case CEDAR_OP_GET_TAG: return tag ? member(p, a, cedar_value_str(b), true, false) : none;
    default: return contain(a, b, e->op);
    }
}

struct cedar_value plain_value(const struct plain *p, const struct cedar_expr *e)
{
    struct cedar_value a, b;
    switch (e->op) {
    case CEDAR_OP_LIT: return e->lit;
    case CEDAR_OP_VAR: return variable(p, e->sub);
    case CEDAR_OP_SLOT: return none;
    case CEDAR_OP_SET:
    case CEDAR_OP_RECORD:
    case CEDAR_OP_CALL: return list(p, e);
    case CEDAR_OP_AND:
    case CEDAR_OP_OR: return both(p, e);
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
    case CEDAR_OP_IF:
    case CEDAR_OP_IS:
    case CEDAR_OP_HAS:
    case CEDAR_OP_GET:
    case CEDAR_OP_LIKE:
    case CEDAR_OP_IS_EMPTY: a = plain_value(p, e->a); return a.kind ? one(p, e, a) : none;
    default:
        a = plain_value(p, e->a);
        b = a.kind ? plain_value(p, e->b) : none;
        return b.kind ? two(p, e, a, b) : none;
    }
}

static bool scope_fits(const struct plain *p, const struct cedar_scope *s, const struct cedar_uid *uid)
{
    bool type = str_eq(uid->type, s->type), any = false;
    switch (s->kind) {
    case CEDAR_ANY: return true;
    case CEDAR_EQ: return cedar_uid_eq(uid, s->uid);
    case CEDAR_IN: return is_in(p, uid, s->uid);
    case CEDAR_IN_ANY:
        for (uint32_t i = 0; i < s->n; i++)
            any |= is_in(p, uid, &s->uid[i]);
        return any;
    case CEDAR_IS: return type;
    case CEDAR_IS_IN: return type && is_in(p, uid, s->uid);
    }
    return false;
}

int plain_policy(const struct plain *p, const struct cedar_policy *policy)
{
    const struct cedar_request *r = p->request;
    if (!scope_fits(p, &policy->principal, &r->principal) || !scope_fits(p, &policy->action, &r->action) ||
        !scope_fits(p, &policy->resource, &r->resource))
        return 0;
    for (uint32_t i = 0; i < policy->conditions; i++) {
        struct cedar_value v = plain_value(p, policy->condition[i].expr);
        if (v.kind != CEDAR_BOOL)
            return -1;
        if (v.b == policy->condition[i].unless)
            return 0;
    }
    return 1;
}

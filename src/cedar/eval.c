/*
 * Evaluating nodes (https://docs.cedarpolicy.com/policies/syntax-operators.html). Values come back in two registers,
 * and the kind CEDAR_NONE says that there is none.
 */
#include "cedar/bytes.h"
#include "cedar/program.h"

void cedar_run_init(struct cedar_run *x, const struct cedar_request *r, struct arena *scratch)
{
    *x = (struct cedar_run){.request = r, .scratch = scratch};
    x->var[CEDAR_PRINCIPAL] = cedar_entity_value(&r->principal);
    x->var[CEDAR_ACTION] = cedar_entity_value(&r->action);
    x->var[CEDAR_RESOURCE] = cedar_entity_value(&r->resource);
    x->var[CEDAR_CONTEXT] = (struct cedar_value){.kind = CEDAR_RECORD, .record = r->context};
    for (int i = 0; i < CEDAR_DIMS; i++)
        x->entity[i] = cedar_world_find(&r->world, x->var[i].uid);
}

static struct cedar_value none(void)
{
    return (struct cedar_value){.kind = CEDAR_NONE};
}

static inline struct cedar_value value(struct cedar_run *x, const struct cedar_node *n)
{
    return n->op == CEDAR_N_LIT ? n->lit : cedar_run_value(x, n);
}

bool cedar_run_in(const struct cedar_run *x, const struct cedar_uid *a, const struct cedar_uid *b)
{
    const struct cedar_entity *e = cedar_run_entity(x, a);
    return e ? cedar_entity_in(e, b) : cedar_uid_same(a, b);
}

/* ---- attributes ---- */

/* The attribute of a record or of an entity. */
static struct cedar_value attribute(struct cedar_run *x, struct cedar_value v, struct str name,
                                    const struct cedar_expr *e)
{
    const struct cedar_value *found;
    if (v.kind == CEDAR_RECORD) {
        found = cedar_record_field(v.record, name);
    } else if (v.kind == CEDAR_ENTITY) {
        const struct cedar_entity *entity = cedar_run_entity(x, v.uid);
        if (!entity)
            return cedar_run_fail(x, e, CEDAR_WHY_NO_ENTITY);
        found = cedar_record_field(entity->attrs, name);
    } else {
        return cedar_run_fail(x, e, CEDAR_WHY_TYPE);
    }
    return found ? *found : cedar_run_fail(x, e, CEDAR_WHY_NO_ATTR);
}

/* The expression of the i-th name of a path. */
static const struct cedar_expr *path_expr(const struct cedar_node *n, uint32_t i)
{
    const struct cedar_expr *e = n->expr;
    for (uint32_t k = n->n - 1; k > i; k--)
        e = e->of;
    return e;
}

static struct cedar_value path(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value v = x->var[n->sub];
    for (uint32_t i = 0; i < n->n; i++) {
        if (v.kind == CEDAR_RECORD) { /* nearly always */
            const struct cedar_value *found = cedar_record_field(v.record, n->key[i]);
            if (!found)
                return cedar_run_fail(x, path_expr(n, i), CEDAR_WHY_NO_ATTR);
            v = *found;
            continue;
        }
        v = attribute(x, v, n->key[i], path_expr(n, i));
        if (!v.kind)
            return v;
    }
    return v;
}

static struct cedar_value has(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value v = value(x, n->of);
    const struct cedar_entity *entity;
    switch (v.kind) {
    case CEDAR_NONE: return v;
    case CEDAR_RECORD: return cedar_bool(cedar_record_field(v.record, n->name));
    case CEDAR_ENTITY:
        entity = cedar_run_entity(x, v.uid);
        return cedar_bool(entity && cedar_record_field(entity->attrs, n->name));
    default: return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    }
}

/* ---- operators ---- */

/* False: one of them failed, and the run knows why. */
static inline bool both(struct cedar_run *x, const struct cedar_node *n, struct cedar_value *ret_a,
                        struct cedar_value *ret_b)
{
    return (*ret_a = value(x, n->a)).kind && (*ret_b = value(x, n->b)).kind;
}

static struct cedar_value arithmetic(struct cedar_run *x, const struct cedar_node *n)
{
    int64_t i;
    bool over;
    struct cedar_value a = value(x, n->a), b = {.kind = CEDAR_LONG};
    if (!a.kind)
        return a;
    if (n->op != CEDAR_N_NEG && !(b = value(x, n->b)).kind)
        return b;
    if (a.kind != CEDAR_LONG || b.kind != CEDAR_LONG)
        return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    switch (n->op) {
    case CEDAR_N_ADD: over = __builtin_add_overflow(a.i, b.i, &i); break;
    case CEDAR_N_SUB: over = __builtin_sub_overflow(a.i, b.i, &i); break;
    case CEDAR_N_MUL: over = __builtin_mul_overflow(a.i, b.i, &i); break;
    default: over = __builtin_sub_overflow(0, a.i, &i); break;
    }
    return over ? cedar_run_fail(x, n->expr, CEDAR_WHY_OVERFLOW) : cedar_long(i);
}

/* Longs, datetimes and durations have an order. */
static struct cedar_value compare(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value a, b;
    if (!both(x, n, &a, &b))
        return (struct cedar_value){.kind = CEDAR_NONE};
    if (a.kind != b.kind || (a.kind != CEDAR_LONG && a.kind != CEDAR_DATETIME && a.kind != CEDAR_DURATION))
        return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
    switch (n->op) {
    case CEDAR_N_LT: return cedar_bool(a.i < b.i);
    case CEDAR_N_LE: return cedar_bool(a.i <= b.i);
    case CEDAR_N_GT: return cedar_bool(a.i > b.i);
    default: return cedar_bool(a.i >= b.i);
    }
}

static struct cedar_value equal(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value a, b;
    if (!both(x, n, &a, &b))
        return (struct cedar_value){.kind = CEDAR_NONE};
    return cedar_bool(cedar_value_eq(a, b) == (n->op == CEDAR_N_EQ));
}

static struct cedar_value in(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value a, b;
    if (!both(x, n, &a, &b))
        return (struct cedar_value){.kind = CEDAR_NONE};
    if (a.kind == CEDAR_ENTITY && b.kind == CEDAR_ENTITY)
        return cedar_bool(cedar_run_in(x, a.uid, b.uid));
    if (a.kind == CEDAR_ENTITY && b.kind == CEDAR_SET)
        return cedar_run_in_set(x, n, a.uid, b.set);
    return cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE);
}

static struct cedar_value is(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value v = value(x, n->of);
    if (v.kind == CEDAR_ENTITY)
        return cedar_bool(cedar_str_same(v.uid->type, n->name));
    return v.kind ? cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE) : v;
}

static struct cedar_value like(struct cedar_run *x, const struct cedar_node *n)
{
    struct cedar_value v = value(x, n->of);
    if (v.kind == CEDAR_STRING)
        return cedar_bool(cedar_like(cedar_value_str(v), n->pattern));
    return v.kind ? cedar_run_fail(x, n->expr, CEDAR_WHY_TYPE) : v;
}

static struct cedar_value branch(struct cedar_run *x, const struct cedar_node *n)
{
    int test = cedar_run_test(x, n->a);
    return test < 0 ? none() : value(x, test ? n->b : n->c);
}

static struct cedar_value tested(struct cedar_run *x, const struct cedar_node *n)
{
    int test = cedar_run_test(x, n);
    return test < 0 ? none() : cedar_bool(test);
}

struct cedar_value cedar_run_value(struct cedar_run *x, const struct cedar_node *n)
{
    switch ((enum cedar_node_op)n->op) {
    case CEDAR_N_LIT: return n->lit;
    case CEDAR_N_VAR: return x->var[n->sub];
    case CEDAR_N_PATH: return path(x, n);
    case CEDAR_N_SLOT: return cedar_run_fail(x, n->expr, CEDAR_WHY_SLOT);
    case CEDAR_N_IF: return branch(x, n);
    case CEDAR_N_NOT:
    case CEDAR_N_ALL:
    case CEDAR_N_ANY: return tested(x, n);
    case CEDAR_N_EQ:
    case CEDAR_N_NE: return equal(x, n);
    case CEDAR_N_LT:
    case CEDAR_N_LE:
    case CEDAR_N_GT:
    case CEDAR_N_GE: return compare(x, n);
    case CEDAR_N_NEG:
    case CEDAR_N_ADD:
    case CEDAR_N_SUB:
    case CEDAR_N_MUL: return arithmetic(x, n);
    case CEDAR_N_IN: return in(x, n);
    case CEDAR_N_IS: return is(x, n);
    case CEDAR_N_HAS: return has(x, n);
    case CEDAR_N_GET: {
        struct cedar_value v = value(x, n->of);
        return v.kind ? attribute(x, v, n->name, n->expr) : v;
    }
    case CEDAR_N_LIKE: return like(x, n);
    case CEDAR_N_CONTAINS:
    case CEDAR_N_CONTAINS_ALL:
    case CEDAR_N_CONTAINS_ANY:
    case CEDAR_N_IS_EMPTY: return cedar_run_contain(x, n);
    case CEDAR_N_HAS_TAG:
    case CEDAR_N_GET_TAG: return cedar_run_tag(x, n);
    case CEDAR_N_SET:
    case CEDAR_N_RECORD:
    case CEDAR_N_CALL: return cedar_run_list(x, n);
    }
    return none();
}

int cedar_run_test(struct cedar_run *x, const struct cedar_node *n)
{
    int test = 1;
    if (n->op == CEDAR_N_ALL) {
        for (uint32_t i = 0; i < n->n && test == 1; i++)
            test = cedar_run_test(x, n->item[i]);
        return test;
    }
    if (n->op == CEDAR_N_ANY) {
        test = 0;
        for (uint32_t i = 0; i < n->n && test == 0; i++)
            test = cedar_run_test(x, n->item[i]);
        return test;
    }
    if (n->op == CEDAR_N_NOT) {
        test = cedar_run_test(x, n->a);
        return test < 0 ? test : !test;
    }
    struct cedar_value v = cedar_run_value(x, n);
    if (v.kind == CEDAR_BOOL)
        return v.b;
    if (v.kind)
        (void)cedar_run_fail(x, n->expr, CEDAR_WHY_BOOL);
    return -1;
}

/*
 * What could bring a condition to what is wanted of it. Only single comparisons of something known of the call with a
 * value are understood; what is found is tried by who asked.
 */
#include "policy/explain.h"
#include "policy/set.h"

enum { FIX_EACH = 4 };         /* elements of one set that are tried */
enum { FIX_MEMORY = 8 << 20 }; /* what looking at the parts of one policy may take; it bounds the time, too */

struct fixing {
    const struct policy_set *s;
    const struct cedar_request *r;
    const struct cedar_policy *p;
    struct arena *a;
    explain_found *found;
    void *ctx;
    const struct explain_path *only; /* nothing else is wanted, and what conditions come to now does not count */
    bool hit;
    size_t most; /* of the arena's total */
};

static bool fix_same(const struct explain_path *a, const struct explain_path *b)
{
    bool same = a->var == b->var && a->names == b->names;
    for (unsigned i = 0; same && i < a->names; i++)
        same = str_eq(a->name[i], b->name[i]);
    return same;
}

static void fix_put(struct fixing *x, const struct explain_path *at, struct cedar_value v, bool example)
{
    const struct explain_fix fix = {*at, v, example};
    if (x->only && !fix_same(x->only, at))
        return;
    x->hit = true;
    x->found(x->ctx, &fix);
}

static bool fix_eval(const struct fixing *x, const struct cedar_expr *e, struct cedar_value *ret)
{
    struct cedar_error error;
    return cedar_eval(e, x->r, x->a, ret, &error) == ERR_OK;
}

/* ---- values ---- */

static struct cedar_value fix_ip(const struct fixing *x, const char *text)
{
    struct cedar_value v;
    return cedar_ip_parse(str_of(text), x->a, &v, NULL) ? (struct cedar_value){0} : v;
}

/* Another value than v; CEDAR_NONE: none is made. */
static struct cedar_value fix_other(const struct fixing *x, struct cedar_value v)
{
    switch (v.kind) {
    case CEDAR_BOOL: return cedar_bool(!v.b);
    case CEDAR_STRING: return cedar_string(str_is(cedar_value_str(v), "other") ? STR("another") : STR("other"));
    case CEDAR_LONG:
    case CEDAR_DECIMAL:
    case CEDAR_DATETIME:
    case CEDAR_DURATION: v.i += v.i < INT64_MAX ? 1 : -1; return v;
    case CEDAR_IP: return fix_ip(x, "192.0.2.1");
    default: return (struct cedar_value){0};
    }
}

/* One lower or higher; CEDAR_NONE: there is none. */
static struct cedar_value fix_step(struct cedar_value v, int step)
{
    bool number =
        v.kind == CEDAR_LONG || v.kind == CEDAR_DECIMAL || v.kind == CEDAR_DATETIME || v.kind == CEDAR_DURATION;
    return number && !__builtin_add_overflow(v.i, step, &v.i) ? v : (struct cedar_value){0};
}

static struct cedar_value fix_with(const struct fixing *x, const struct cedar_set *s, const struct cedar_value *more,
                                   size_t n)
{
    struct cedar_value *v = arena_raw(x->a, (s->n + n + 1) * sizeof(*v), 16);
    if (!v)
        return (struct cedar_value){0};
    memcpy(v, s->v, s->n * sizeof(*v));
    for (size_t i = 0; i < n; i++)
        v[s->n + i] = more[i];
    return cedar_set_of(v, s->n + n, x->a);
}

static struct cedar_value fix_without(const struct fixing *x, const struct cedar_set *s, const struct cedar_set *less)
{
    size_t n = 0;
    struct cedar_value *v = arena_raw(x->a, (s->n + 1) * sizeof(*v), 16);
    for (uint32_t i = 0; v && i < s->n; i++)
        if (!cedar_set_has(less, s->v[i]))
            v[n++] = s->v[i];
    return v ? cedar_set_of(v, n, x->a) : (struct cedar_value){0};
}

/* ---- comparisons: of a path with a value ---- */

enum fix_than { FIX_EQ, FIX_LT, FIX_LE, FIX_GT, FIX_GE };

static void fix_compare_one(struct fixing *x, const struct cedar_expr *path, enum fix_than than,
                            const struct cedar_expr *other, bool want)
{
    static const enum fix_than opposite[] = {FIX_EQ, FIX_GE, FIX_GT, FIX_LE, FIX_LT};
    struct explain_path at;
    struct cedar_value v;
    if (!explain_path(path, &at) || !at.names || !fix_eval(x, other, &v))
        return;
    if (than == FIX_EQ) {
        struct cedar_value to = want ? v : fix_other(x, v);
        if (to.kind != CEDAR_NONE)
            fix_put(x, &at, to, !want);
        return;
    }
    than = want ? than : opposite[than];
    v = than == FIX_LT ? fix_step(v, -1) : than == FIX_GT ? fix_step(v, 1) : fix_step(v, 0);
    if (v.kind != CEDAR_NONE)
        fix_put(x, &at, v, false);
}

static void fix_compare(struct fixing *x, const struct cedar_expr *a, enum fix_than than, const struct cedar_expr *b,
                        bool want)
{
    static const enum fix_than turned[] = {FIX_EQ, FIX_GT, FIX_GE, FIX_LT, FIX_LE};
    fix_compare_one(x, a, than, b, want);
    fix_compare_one(x, b, turned[than], a, want);
}

/* ---- sets ---- */

static void fix_contains(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct explain_path at;
    struct cedar_value v, set;
    bool sets = e->op != CEDAR_OP_CONTAINS;
    if (!fix_eval(x, e->b, &v) || !fix_eval(x, e->a, &set) || set.kind != CEDAR_SET || (sets && v.kind != CEDAR_SET))
        return;
    const struct cedar_set *more = sets ? v.set : cedar_set_of(&v, 1, x->a).set;
    if (explain_path(e->a, &at) && at.names && more) {
        if (want && e->op == CEDAR_OP_CONTAINS_ANY)
            for (uint32_t i = 0; i < more->n && i < FIX_EACH; i++)
                fix_put(x, &at, fix_with(x, set.set, &more->v[i], 1), false);
        else if (want)
            fix_put(x, &at, fix_with(x, set.set, more->v, more->n), false);
        else
            fix_put(x, &at, fix_without(x, set.set, more), false);
    }
    if (sets || !explain_path(e->b, &at) || !at.names)
        return;
    for (uint32_t i = 0; want && i < set.set->n && i < FIX_EACH; i++)
        fix_put(x, &at, set.set->v[i], set.set->n > 1);
    struct cedar_value other = want ? (struct cedar_value){0} : fix_other(x, v);
    if (other.kind != CEDAR_NONE)
        fix_put(x, &at, other, true);
}

static void fix_empty(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct explain_path at;
    if (want && explain_path(e->a, &at) && at.names)
        fix_put(x, &at, cedar_set_of(NULL, 0, x->a), false);
}

/* ---- calls ---- */

static void fix_range(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct explain_path at;
    struct cedar_value v;
    if (!explain_path(e->item[0], &at) || !at.names || !fix_eval(x, e->item[1], &v) || v.kind != CEDAR_IP)
        return;
    struct cedar_ip *ip = arena_alloc(x->a, sizeof(*ip));
    if (want && ip) {
        *ip = *v.ip;
        ip->prefix = ip->v6 ? 128 : 32;
        fix_put(x, &at, (struct cedar_value){.kind = CEDAR_IP, .ip = ip}, v.ip->prefix != ip->prefix);
    } else if (!want) {
        fix_put(x, &at, fix_ip(x, "192.0.2.1"), true);
        fix_put(x, &at, fix_ip(x, "127.0.0.1"), true);
    }
}

static void fix_address(struct fixing *x, const struct cedar_expr *e, const char *is, const char *is_not, bool want)
{
    struct explain_path at;
    if (explain_path(e->item[0], &at) && at.names)
        fix_put(x, &at, fix_ip(x, want ? is : is_not), true);
}

static void fix_call(struct fixing *x, const struct cedar_expr *e, bool want)
{
    if (e->n != cedar_ext_info(e->sub)->n)
        return;
    switch (e->sub) {
    case CEDAR_EXT_DECIMAL_LT: fix_compare(x, e->item[0], FIX_LT, e->item[1], want); return;
    case CEDAR_EXT_DECIMAL_LE: fix_compare(x, e->item[0], FIX_LE, e->item[1], want); return;
    case CEDAR_EXT_DECIMAL_GT: fix_compare(x, e->item[0], FIX_GT, e->item[1], want); return;
    case CEDAR_EXT_DECIMAL_GE: fix_compare(x, e->item[0], FIX_GE, e->item[1], want); return;
    case CEDAR_EXT_IP_IN_RANGE: fix_range(x, e, want); return;
    case CEDAR_EXT_IP_LOOPBACK: fix_address(x, e, "127.0.0.1", "192.0.2.1", want); return;
    case CEDAR_EXT_IP_V4: fix_address(x, e, "192.0.2.1", "2001:db8::1", want); return;
    case CEDAR_EXT_IP_V6: fix_address(x, e, "2001:db8::1", "192.0.2.1", want); return;
    default: return;
    }
}

/* ---- the others ---- */

static void fix_like(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct explain_path at;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    if (!explain_path(e->of, &at) || !at.names)
        return;
    for (uint32_t i = 0; want && i < e->pattern->n; i++)
        buf_str(&b, e->pattern->piece[i]);
    fix_put(x, &at, want ? cedar_string(arena_buf(x->a, &b)) : cedar_string(STR("other")), !want || e->pattern->n > 1);
}

static void fix_in(struct fixing *x, const struct cedar_expr *who, const struct cedar_expr *above, bool want)
{
    struct explain_path at;
    struct cedar_value v;
    if (!explain_path(who, &at) || at.var != CEDAR_PRINCIPAL || at.names || !fix_eval(x, above, &v) ||
        v.kind != CEDAR_ENTITY || !str_is(v.uid->type, "AgentType"))
        return;
    at.name[at.names++] = STR("type");
    struct cedar_value type = cedar_string(v.uid->id);
    fix_put(x, &at, want ? type : fix_other(x, type), !want);
}

static void fix_expr(struct fixing *x, const struct cedar_expr *e, bool want);

/* What an argument of this name could be, by the tool's own words. */
static struct cedar_value fix_example(const struct fixing *x, const struct explain_path *p)
{
    static const struct cedar_value ten = {.kind = CEDAR_DECIMAL, .i = 10000};
    const struct shape *shape = NULL;
    if (p->var != CEDAR_CONTEXT || p->names < 2)
        return (struct cedar_value){0};
    if (str_is(p->name[0], "session"))
        return str_is(p->name[1], "source") ? fix_ip(x, "127.0.0.1") : cedar_string(STR("any"));
    for (size_t i = 0; i < x->s->tools; i++)
        if (cedar_uid_eq(&x->s->tool[i].uid, &x->r->resource))
            shape = x->s->tool[i].input;
    for (unsigned n = 1; n < p->names && shape; n++) {
        const struct shape *next = NULL;
        for (size_t i = 0; shape->kind == SHAPE_RECORD && i < shape->fields; i++)
            if (str_eq(shape->field[i].name, p->name[n]))
                next = shape->field[i].shape;
        shape = next;
    }
    switch (shape ? shape->kind : SHAPE_NONE) {
    case SHAPE_BOOL: return cedar_bool(true);
    case SHAPE_LONG: return cedar_long(1);
    case SHAPE_DECIMAL: return ten;
    case SHAPE_STRING: return cedar_string(STR("any"));
    case SHAPE_SET: return cedar_set_of(NULL, 0, x->a);
    default: return (struct cedar_value){0};
    }
}

/* What is not there is wanted there: with the value that the same policy compares it with, or any. */
static void fix_has(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct explain_path at;
    if (x->only || !explain_path(e->of, &at) || !at.names || at.names == sizeof(at.name) / sizeof(at.name[0]))
        return;
    at.name[at.names++] = e->name;
    if (!want) {
        fix_put(x, &at, (struct cedar_value){0}, false);
        return;
    }
    struct fixing by_value = *x;
    by_value.only = &at;
    by_value.hit = false;
    for (uint32_t i = 0; i < x->p->conditions; i++)
        fix_expr(&by_value, x->p->condition[i].expr, (x->p->effect == CEDAR_PERMIT) == !x->p->condition[i].unless);
    struct cedar_value any = by_value.hit ? (struct cedar_value){0} : fix_example(x, &at);
    if (any.kind != CEDAR_NONE)
        fix_put(x, &at, any, true);
}

static void fix_both(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct cedar_value v;
    bool is = fix_eval(x, e->a, &v) && v.kind == CEDAR_BOOL && v.b == want;
    if (x->only || (e->op == CEDAR_OP_AND) != want) { /* one of them is enough */
        fix_expr(x, e->a, want);
        fix_expr(x, e->b, want);
    } else {
        fix_expr(x, is ? e->b : e->a, want); /* both are needed: one after the other */
    }
}

static void fix_if(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct cedar_value v;
    if (!fix_eval(x, e->a, &v) || v.kind != CEDAR_BOOL)
        return;
    fix_expr(x, v.b ? e->b : e->c, want);
    fix_expr(x, e->a, !v.b);
}

static void fix_leaf(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct explain_path at;
    switch (e->op) {
    case CEDAR_OP_EQ: fix_compare(x, e->a, FIX_EQ, e->b, want); return;
    case CEDAR_OP_NE: fix_compare(x, e->a, FIX_EQ, e->b, !want); return;
    case CEDAR_OP_LT: fix_compare(x, e->a, FIX_LT, e->b, want); return;
    case CEDAR_OP_LE: fix_compare(x, e->a, FIX_LE, e->b, want); return;
    case CEDAR_OP_GT: fix_compare(x, e->a, FIX_GT, e->b, want); return;
    case CEDAR_OP_GE: fix_compare(x, e->a, FIX_GE, e->b, want); return;
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY: fix_contains(x, e, want); return;
    case CEDAR_OP_IS_EMPTY: fix_empty(x, e, want); return;
    case CEDAR_OP_LIKE: fix_like(x, e, want); return;
    case CEDAR_OP_HAS: fix_has(x, e, want); return;
    case CEDAR_OP_IN: fix_in(x, e->a, e->b, want); return;
    case CEDAR_OP_CALL: fix_call(x, e, want); return;
    case CEDAR_OP_GET:
        if (explain_path(e, &at) && at.names)
            fix_put(x, &at, cedar_bool(want), false);
        return;
    default: return;
    }
}

/* As deep as the tree. What is as wanted already is left alone. */
static void fix_expr(struct fixing *x, const struct cedar_expr *e, bool want)
{
    struct cedar_value v;
    if (arena_failed(x->a) || x->a->total > x->most ||
        (!x->only && fix_eval(x, e, &v) && v.kind == CEDAR_BOOL && v.b == want))
        return;
    switch (e->op) {
    case CEDAR_OP_NOT: fix_expr(x, e->a, !want); return;
    case CEDAR_OP_AND:
    case CEDAR_OP_OR: fix_both(x, e, want); return;
    case CEDAR_OP_IF: fix_if(x, e, want); return;
    default: fix_leaf(x, e, want);
    }
}

void explain_fixes(const struct policy_set *s, const struct cedar_request *r, const struct cedar_policy *p,
                   const struct cedar_expr *e, bool want, struct arena *a, explain_found *found, void *ctx)
{
    struct fixing x = {.s = s, .r = r, .p = p, .a = a, .found = found, .ctx = ctx, .most = a->total + FIX_MEMORY};
    fix_expr(&x, e, want);
}

/*
 * Can the conditions of a policy be true for a tool, or can they be anything else? The conditions are assumed to hold,
 * part by part, and what each says of a path (hour >= 22, tier == "gold") is kept in mind: when two cannot both be, the
 * policy never applies. What says the opposite cannot be either is always true. Of alternatives one is enough. What is
 * not understood is possible.
 */
#include "policy/lint_inner.h"

enum { MIND_FACTS = 128 };

struct mind_fact {
    const struct cedar_expr *of;
    enum { MIND_RANGE, MIND_IS, MIND_NOT } kind;
    int64_t low, high; /* of a range */
    struct cedar_value value;
};
struct mind {
    struct lint_run *r;
    const struct policy_tool *tool; /* NULL: whichever */
    struct mind_fact fact[MIND_FACTS];
    uint32_t n;
};

static bool mind_assume(struct mind *m, const struct cedar_expr *e, bool want);

/* ---- what is known without the call ---- */

/* Longs, decimals, datetimes and durations are all numbers of their own. */
static bool mind_is_number(uint32_t kind)
{
    return kind == CEDAR_LONG || kind == CEDAR_DECIMAL || kind == CEDAR_DATETIME || kind == CEDAR_DURATION;
}

/* Depends on the call, its agent or its context; or on claims, which are what they are today. */
static bool mind_open(struct mind *m, const struct cedar_expr *e)
{
    const struct cedar_expr *child;
    m->r->steps++;
    if (e->op == CEDAR_OP_SLOT || lint_is_claims(e) ||
        (e->op == CEDAR_OP_VAR && (!m->tool || e->sub == CEDAR_PRINCIPAL || e->sub == CEDAR_CONTEXT)))
        return true;
    for (uint32_t i = 0; (child = lint_child(e, i)); i++) /* as deep as the parser lets it be */
        if (mind_open(m, child))
            return true;
    return false;
}

bool lint_about_tool(const struct cedar_expr *e)
{
    const struct cedar_expr *child;
    if (e->op == CEDAR_OP_VAR && (e->sub == CEDAR_ACTION || e->sub == CEDAR_RESOURCE))
        return true;
    if (lint_is_path(e, CEDAR_CONTEXT, "input", NULL))
        return true;
    for (uint32_t i = 0; (child = lint_child(e, i)); i++)
        if (lint_about_tool(child))
            return true;
    return false;
}

/* CEDAR_NONE: it depends on the call. */
static struct cedar_value mind_value(struct mind *m, const struct cedar_expr *e)
{
    struct cedar_value v = {0};
    struct cedar_error error;
    if (e->op == CEDAR_OP_LIT)
        return e->lit;
    if (mind_open(m, e))
        return v;
    const struct cedar_uid none = cedar_uid(STR("Action"), STR(""));
    const struct cedar_request request = {.principal = cedar_uid(STR("Agent"), STR("")),
                                          .action = m->tool ? m->r->s->action[m->tool->action].uid : none,
                                          .resource = m->tool ? m->tool->uid : none,
                                          .context = &cedar_record_empty,
                                          .world = {.store = m->r->s->entities}};
    arena_reset(&m->r->scratch);
    if (cedar_eval(e, &request, &m->r->scratch, &v, &error))
        return (struct cedar_value){0};
    /* Others live no longer than the scratch arena and the request. */
    bool stays = v.kind == CEDAR_BOOL || v.kind == CEDAR_STRING || mind_is_number(v.kind);
    return stays ? v : (struct cedar_value){0};
}

/* Whether the tool's arguments have the member that `has` asks for: 1, 0, or -1: some do. */
static int mind_has(const struct mind *m, const struct cedar_expr *e)
{
    struct str name[16];
    const struct shape *s = m->tool ? m->tool->input : NULL;
    unsigned n = lint_input_path(e->of, name, 16);
    if (!s)
        return -1;
    if (!n && !lint_is_path(e->of, CEDAR_CONTEXT, "input", NULL))
        return -1;
    for (unsigned i = 0; i <= n; i++) {
        struct str want = i < n ? name[i] : e->name;
        const struct shape_field *found = NULL;
        for (size_t k = 0; s->kind == SHAPE_RECORD && k < s->fields; k++)
            if (str_eq(s->field[k].name, want))
                found = &s->field[k];
        if (i == n || !found)
            return !found ? 0 : found->required ? 1 : -1;
        s = found->shape;
    }
    return -1;
}

/* ---- facts ---- */

static struct mind_fact mind_domain(const struct cedar_expr *of)
{
    struct mind_fact f = {.of = of, .kind = MIND_RANGE, .low = INT64_MIN, .high = INT64_MAX};
    if (lint_is_path(of, CEDAR_CONTEXT, "time", "hour")) {
        f.low = 0;
        f.high = 23;
    } else if (lint_is_path(of, CEDAR_CONTEXT, "session", "calls")) {
        f.low = 0;
    }
    return f;
}

static bool mind_range_fits(const struct mind *m, const struct mind_fact *f)
{
    struct mind_fact all = mind_domain(f->of);
    for (uint32_t i = 0; i <= m->n; i++) {
        const struct mind_fact *g = i < m->n ? &m->fact[i] : f;
        if (g->kind != MIND_RANGE || !cedar_expr_same(g->of, f->of))
            continue;
        all.low = g->low > all.low ? g->low : all.low;
        all.high = g->high < all.high ? g->high : all.high;
    }
    return all.low <= all.high;
}

static bool mind_value_fits(const struct mind *m, const struct mind_fact *f)
{
    const char *const *values = lint_values(f->of);
    if (f->kind == MIND_IS && f->value.kind == CEDAR_STRING && values &&
        !lint_is_value(values, cedar_value_str(f->value)))
        return false;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct mind_fact *g = &m->fact[i];
        if (g->kind == MIND_RANGE || (g->kind == MIND_NOT && f->kind == MIND_NOT))
            continue;
        if (cedar_expr_same(g->of, f->of) && cedar_value_eq(g->value, f->value) != (g->kind == f->kind))
            return false;
    }
    return true;
}

static bool mind_put(struct mind *m, struct mind_fact f)
{
    bool fits = f.kind == MIND_RANGE ? mind_range_fits(m, &f) : mind_value_fits(m, &f);
    if (fits && m->n < MIND_FACTS)
        m->fact[m->n++] = f;
    return fits;
}

/* of < v, or (not strict) of <= v; with want false the opposite. */
static bool mind_below(struct mind *m, const struct cedar_expr *of, struct cedar_value v, bool strict, bool want)
{
    struct mind_fact f = {.of = of, .kind = MIND_RANGE, .low = INT64_MIN, .high = INT64_MAX};
    if (!mind_is_number(v.kind))
        return true;
    if (want && __builtin_sub_overflow(v.i, strict, &f.high))
        return false; /* less than the least */
    if (!want && __builtin_add_overflow(v.i, !strict, &f.low))
        return false;
    return mind_put(m, f);
}

static bool mind_equal(struct mind *m, const struct cedar_expr *of, struct cedar_value v, bool want)
{
    struct mind_fact f = {.of = of, .kind = want ? MIND_IS : MIND_NOT, .value = v};
    if (want && mind_is_number(v.kind) &&
        !mind_put(m, (struct mind_fact){.of = of, .kind = MIND_RANGE, .low = v.i, .high = v.i}))
        return false;
    return mind_put(m, f);
}

/* ---- assuming ---- */

static bool mind_compare(struct mind *m, const struct cedar_expr *e, enum cedar_op op, bool want)
{
    const struct cedar_expr *of = e->op == CEDAR_OP_CALL ? e->item[0] : e->a;
    struct cedar_value v = mind_value(m, e->op == CEDAR_OP_CALL ? e->item[1] : e->b);
    if (!v.kind) { /* v op x */
        v = mind_value(m, of);
        of = e->op == CEDAR_OP_CALL ? e->item[1] : e->b;
        op = op == CEDAR_OP_LT   ? CEDAR_OP_GT
             : op == CEDAR_OP_LE ? CEDAR_OP_GE
             : op == CEDAR_OP_GT ? CEDAR_OP_LT
             : op == CEDAR_OP_GE ? CEDAR_OP_LE
                                 : op;
    }
    if (!v.kind)
        return mind_put(m, (struct mind_fact){.of = e, .kind = MIND_IS, .value = cedar_bool(want)});
    switch (op) {
    case CEDAR_OP_EQ: return mind_equal(m, of, v, want);
    case CEDAR_OP_NE: return mind_equal(m, of, v, !want);
    case CEDAR_OP_LT: return mind_below(m, of, v, true, want);
    case CEDAR_OP_LE: return mind_below(m, of, v, false, want);
    case CEDAR_OP_GT: return mind_below(m, of, v, false, !want);
    default: return mind_below(m, of, v, true, !want);
    }
}

static enum cedar_op mind_decimal_op(const struct cedar_expr *e)
{
    if (e->n != 2)
        return CEDAR_OP_LIT;
    return e->sub == CEDAR_EXT_DECIMAL_LT   ? CEDAR_OP_LT
           : e->sub == CEDAR_EXT_DECIMAL_LE ? CEDAR_OP_LE
           : e->sub == CEDAR_EXT_DECIMAL_GT ? CEDAR_OP_GT
           : e->sub == CEDAR_EXT_DECIMAL_GE ? CEDAR_OP_GE
                                            : CEDAR_OP_LIT;
}

static bool mind_one(struct mind *m, const struct cedar_expr *e, bool want)
{
    struct cedar_value v = mind_value(m, e);
    if (v.kind)
        return v.kind != CEDAR_BOOL || v.b == want;
    switch (e->op) {
    case CEDAR_OP_EQ:
    case CEDAR_OP_NE:
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE: return mind_compare(m, e, e->op, want);
    case CEDAR_OP_HAS: {
        int has = mind_has(m, e);
        if (has >= 0)
            return has == want;
        break;
    }
    case CEDAR_OP_IS:
        if (e->of->op == CEDAR_OP_VAR && e->of->sub == CEDAR_PRINCIPAL && !e->in)
            return str_is(e->name, "Agent") == want;
        break;
    case CEDAR_OP_CALL: {
        enum cedar_op op = mind_decimal_op(e);
        if (op != CEDAR_OP_LIT)
            return mind_compare(m, e, op, want);
        break;
    }
    default: break;
    }
    return mind_put(m, (struct mind_fact){.of = e, .kind = MIND_IS, .value = cedar_bool(want)});
}

/* Of two ways one is enough, and which one it is, is not remembered. */
static bool mind_either(struct mind *m, const struct cedar_expr *a, const struct cedar_expr *b, bool want)
{
    uint32_t n = m->n;
    bool may = mind_assume(m, a, want);
    m->n = n;
    if (may)
        return true;
    may = mind_assume(m, b, want); /* then b is how it is, and stays in mind */
    return may;
}

static bool mind_if(struct mind *m, const struct cedar_expr *e, bool want)
{
    uint32_t n = m->n;
    bool may = mind_assume(m, e->a, true) && mind_assume(m, e->b, want);
    m->n = n;
    if (may)
        return true;
    may = mind_assume(m, e->a, false) && mind_assume(m, e->c, want);
    m->n = may ? m->n : n;
    return may;
}

/* False: it cannot be. As deep as the parser lets trees be. */
static bool mind_assume(struct mind *m, const struct cedar_expr *e, bool want)
{
    if (m->r->steps++ > LINT_STEPS)
        return true;
    switch (e->op) {
    case CEDAR_OP_NOT: return mind_assume(m, e->a, !want);
    case CEDAR_OP_IF: return mind_if(m, e, want);
    case CEDAR_OP_AND:
    case CEDAR_OP_OR:
        if ((e->op == CEDAR_OP_AND) == want)
            return mind_assume(m, e->a, want) && mind_assume(m, e->b, want);
        return mind_either(m, e->a, e->b, want);
    default: return mind_one(m, e, want);
    }
}

static bool mind_may_apply(struct mind *m, const struct cedar_policy *p)
{
    static const struct cedar_expr principal = {.op = CEDAR_OP_VAR, .sub = CEDAR_PRINCIPAL};
    m->n = 0;
    if (p->principal.kind == CEDAR_EQ && !mind_equal(m, &principal, cedar_entity_value(p->principal.uid), true))
        return false;
    for (uint32_t i = 0; i < p->conditions; i++)
        if (!mind_assume(m, p->condition[i].expr, !p->condition[i].unless))
            return false;
    return true;
}

bool lint_contradicts(struct lint_run *r, const struct lint_policy *p)
{
    struct mind m = {.r = r};
    return !mind_may_apply(&m, p->p);
}

enum lint_verdict lint_judge(struct lint_run *r, const struct lint_policy *p, const struct policy_tool *t)
{
    struct mind m = {.r = r, .tool = t};
    if (!lint_fits(r, p->p, t) || !mind_may_apply(&m, p->p))
        return LINT_NEVER;
    for (uint32_t i = 0; i < p->p->conditions; i++) {
        m.n = 0;
        if (r->steps > LINT_STEPS || mind_assume(&m, p->p->condition[i].expr, p->p->condition[i].unless))
            return LINT_MAYBE;
    }
    return LINT_ALWAYS;
}

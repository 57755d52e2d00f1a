/* Which policies speak to a call, and what their conditions came to. */
#include "policy/explain.h"

#include "policy/set.h"

/* ---- paths ---- */

bool explain_path(const struct cedar_expr *e, struct explain_path *ret)
{
    struct explain_path p = {.names = 0};
    for (; e->op == CEDAR_OP_GET; e = e->of) {
        if (p.names == sizeof(p.name) / sizeof(p.name[0]))
            return false;
        p.name[p.names++] = e->name;
    }
    if (e->op != CEDAR_OP_VAR)
        return false;
    p.var = e->sub;
    for (unsigned i = 0; i < p.names / 2; i++) { /* the last name was met first */
        struct str swap = p.name[i];
        p.name[i] = p.name[p.names - 1 - i];
        p.name[p.names - 1 - i] = swap;
    }
    *ret = p;
    return true;
}

struct str explain_path_text(const struct explain_path *p, struct arena *a)
{
    static const char *const vars[] = {"principal", "action", "resource", "context"};
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    buf_z(&b, vars[p->var]);
    for (unsigned i = 0; i < p->names; i++) {
        if (cedar_ident_valid(p->name[i])) {
            buf_char(&b, '.');
            buf_str(&b, p->name[i]);
        } else {
            buf_char(&b, '[');
            cedar_string_print(p->name[i], &b);
            buf_char(&b, ']');
        }
    }
    return arena_buf(a, &b);
}

static const struct cedar_record *path_attrs(const struct cedar_value *v, const struct cedar_request *r)
{
    if (v->kind == CEDAR_RECORD)
        return v->record;
    const struct cedar_entity *e = v->kind == CEDAR_ENTITY ? cedar_world_find(&r->world, v->uid) : NULL;
    return e ? e->attrs : NULL;
}

struct cedar_value explain_path_value(const struct explain_path *p, const struct cedar_request *r)
{
    struct cedar_value v = {.kind = CEDAR_RECORD, .record = r->context};
    if (p->var != CEDAR_CONTEXT)
        v = cedar_entity_value(p->var == CEDAR_PRINCIPAL ? &r->principal
                               : p->var == CEDAR_ACTION  ? &r->action
                                                         : &r->resource);
    for (unsigned i = 0; i < p->names; i++) {
        const struct cedar_record *attrs = path_attrs(&v, r);
        const struct cedar_value *next = attrs ? cedar_record_get(attrs, p->name[i]) : NULL;
        if (!next)
            return (struct cedar_value){0};
        v = *next;
    }
    return v;
}

/* ---- what a part saw ---- */

struct explaining {
    const struct policy_set *s;
    const struct cedar_policies *ps;
    const struct cedar_request *r;
    struct arena *a;
    struct explain *e;
};

static void part_value(const struct explaining *x, struct explain_part *part, const struct explain_path *p)
{
    struct str path = explain_path_text(p, x->a);
    for (unsigned i = 0; i < part->values; i++)
        if (str_eq(part->value[i].path, path))
            return;
    if (part->values < EXPLAIN_VALUES)
        part->value[part->values++] = (struct explain_value){path, explain_path_value(p, x->r)};
}

static bool part_has(const struct explaining *x, struct explain_part *part, const struct cedar_expr *e)
{
    struct explain_path p;
    if (e->op != CEDAR_OP_HAS || !explain_path(e->of, &p) || p.names == sizeof(p.name) / sizeof(p.name[0]))
        return false;
    p.name[p.names++] = e->name;
    part_value(x, part, &p);
    return true;
}

static void part_values(const struct explaining *x, struct explain_part *part, const struct cedar_expr *e);

static void part_operands(const struct explaining *x, struct explain_part *part, const struct cedar_expr *e)
{
    switch (e->op) {
    case CEDAR_OP_LIT:
    case CEDAR_OP_VAR:
    case CEDAR_OP_SLOT: return;
    case CEDAR_OP_HAS:
    case CEDAR_OP_GET:
    case CEDAR_OP_LIKE: part_values(x, part, e->of); return;
    case CEDAR_OP_SET:
    case CEDAR_OP_RECORD:
    case CEDAR_OP_CALL:
        for (uint32_t i = 0; i < e->n; i++)
            part_values(x, part, e->item[i]);
        return;
    case CEDAR_OP_IS:
        part_values(x, part, e->of);
        if (e->in)
            part_values(x, part, e->in);
        return;
    default:
        part_values(x, part, e->a);
        if (e->b)
            part_values(x, part, e->b);
        if (e->c)
            part_values(x, part, e->c);
    }
}

/* The tree is as deep as the parser lets it be; once there are enough values, nothing more is looked for. */
static void part_values(const struct explaining *x, struct explain_part *part, const struct cedar_expr *e)
{
    struct explain_path p;
    if (part->values == EXPLAIN_VALUES || part_has(x, part, e))
        return;
    if (!explain_path(e, &p)) {
        part_operands(x, part, e);
        return;
    }
    part_value(x, part, &p);
    if (p.var == CEDAR_PRINCIPAL && !p.names) { /* an agent is seldom meant by its name */
        p.name[p.names++] = STR("type");
        part_value(x, part, &p);
    }
}

/* ---- parts ---- */

static uint32_t part_begin(const struct cedar_expr *e) /* an operator stands behind what it begins with */
{
    uint32_t at = e->at;
    for (;; at = e->at < at ? e->at : at) {
        switch (e->op) {
        case CEDAR_OP_LIT:
        case CEDAR_OP_VAR:
        case CEDAR_OP_SLOT:
        case CEDAR_OP_SET:
        case CEDAR_OP_RECORD: return at;
        case CEDAR_OP_CALL:
            if (!e->n)
                return at;
            e = e->item[0];
            break;
        default: e = e->a;
        }
    }
}

static void part_add(const struct explaining *x, struct explain_policy *p, const struct cedar_expr *e, bool want,
                     bool unless)
{
    struct cedar_value v;
    struct explain_part part = {.expr = e, .unless = unless, .want = want};
    bool before = false; /* something before it failed, which keeps it from being looked at */
    for (size_t i = 0; i < p->parts; i++)
        before = before || !p->part[i].held;
    if (p->parts == EXPLAIN_PARTS)
        return;
    part.failed = cedar_eval(e, x->r, x->a, &v, &part.error) != ERR_OK;
    part.held = !part.failed && v.kind == CEDAR_BOOL && v.b == want;
    if (before && part.failed)
        return;
    part_values(x, &part, e);
    if (p->policy->source < x->ps->sources)
        cedar_position(x->ps->source[p->policy->source].text, part_begin(e), &part.line, &part.column);
    p->part[p->parts++] = part;
}

/* As deep as the tree, and so bounded by the parser. */
static void part_split(const struct explaining *x, struct explain_policy *p, const struct cedar_expr *e, bool want,
                       bool unless)
{
    if (e->op == CEDAR_OP_NOT) {
        part_split(x, p, e->a, !want, unless);
    } else if ((e->op == CEDAR_OP_AND && e->sub != 1 && want) || (e->op == CEDAR_OP_OR && !want)) {
        part_split(x, p, e->a, want, unless);
        part_split(x, p, e->b, want, unless);
    } else {
        part_add(x, p, e, want, unless);
    }
}

/* ---- policies ---- */

static bool scope_in(const struct cedar_uid *uid, const struct cedar_uid *above, const struct cedar_world *w)
{
    const struct cedar_entity *e = cedar_world_find(w, uid);
    return cedar_uid_eq(uid, above) || (e && cedar_entity_in(e, above));
}

bool explain_scope(const struct cedar_scope *s, const struct cedar_uid *uid, const struct cedar_world *w)
{
    switch (s->kind) {
    case CEDAR_ANY: return true;
    case CEDAR_EQ: return s->n && cedar_uid_eq(&s->uid[0], uid);
    case CEDAR_IN: return s->n && scope_in(uid, &s->uid[0], w);
    case CEDAR_IN_ANY:
        for (uint32_t i = 0; i < s->n; i++)
            if (scope_in(uid, &s->uid[i], w))
                return true;
        return false;
    case CEDAR_IS: return str_eq(s->type, uid->type);
    case CEDAR_IS_IN: return str_eq(s->type, uid->type) && s->n && scope_in(uid, &s->uid[0], w);
    }
    return false;
}

static struct str policy_speaks_to(const struct explaining *x, const struct cedar_scope *s)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 65536);
    if (s->kind == CEDAR_IS || s->kind == CEDAR_IS_IN) {
        buf_z(&b, "is ");
        buf_str(&b, s->type);
    }
    if (s->n) {
        buf_z(&b, s->kind == CEDAR_EQ ? "== " : s->kind == CEDAR_IS_IN ? " in " : "in ");
        cedar_value_print(cedar_entity_value(&s->uid[0]), &b);
    }
    return arena_buf(x->a, &b);
}

static bool policy_enforced(const struct explaining *x, struct str file)
{
    for (size_t i = 0; i < x->s->texts->n; i++)
        if (str_eq(x->s->texts->v[i].name, file))
            return x->s->texts->v[i].enforce;
    return true;
}

static bool policy_decided(const struct policy_answer *a, struct str id)
{
    uint32_t n = a->reasons < POLICY_REASONS ? a->reasons : POLICY_REASONS;
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(a->reason[i]->id, id))
            return true;
    return false;
}

static void policy_conditions(const struct explaining *x, struct explain_policy *p)
{
    p->part = arena_raw(x->a, EXPLAIN_PARTS * sizeof(*p->part), 16);
    p->applied = true;
    for (uint32_t i = 0; p->part && i < p->policy->conditions; i++) {
        struct cedar_value v;
        struct cedar_error error;
        const struct cedar_condition *c = &p->policy->condition[i];
        part_split(x, p, c->expr, !c->unless, c->unless);
        if (cedar_eval(c->expr, x->r, x->a, &v, &error)) {
            p->failed = p->failed || p->applied;
            p->applied = false;
        } else {
            p->applied = p->applied && v.kind == CEDAR_BOOL && v.b == !c->unless;
        }
    }
}

static void policy_add(struct explaining *x, const struct cedar_policy *policy)
{
    const struct cedar_request *r = x->r;
    if (!explain_scope(&policy->action, &r->action, &r->world) ||
        !explain_scope(&policy->resource, &r->resource, &r->world))
        return;
    struct explain_policy *p = &x->e->policy[x->e->policies++];
    *p = (struct explain_policy){.policy = policy, .enforced = true};
    if (policy->source < x->ps->sources) {
        const struct cedar_source *source = &x->ps->source[policy->source];
        p->file = source->name;
        p->enforced = policy_enforced(x, source->name);
        cedar_position(source->text, policy->at, &p->line, &p->column);
    }
    if (explain_scope(&policy->principal, &r->principal, &r->world)) {
        policy_conditions(x, p);
        p->decided = p->enforced && policy_decided(&x->e->answer, policy->id);
    } else {
        p->speaks_to = policy_speaks_to(x, &policy->principal);
    }
}

enum err explain(const struct policy_set *s, const struct policy_question *q, struct arena *a, struct explain *ret,
                 struct fault *f)
{
    struct cedar_request r;
    struct explain e = {.policies = 0};
    TRY(policy_request(s, q, a, &r, f));
    struct explaining x = {s, s->shadow ? s->shadow_policies : s->policies, &r, a, &e};
    policy_judge_by(s, &r, a, &e.answer);
    e.policy = arena_alloc(a, (x.ps->n + 1) * sizeof(*e.policy));
    for (uint32_t i = 0; e.policy && i < x.ps->n && !arena_failed(a); i++)
        policy_add(&x, x.ps->policy[i]);
    if (e.answer.effect == POLICY_DENY && !arena_failed(a))
        explain_ways(s, &r, a, &e);
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory to explain this call");
    *ret = e;
    return ERR_OK;
}

/* What scopes say, with the tools that are known; and what they name that nobody knows. */
#include "policy/lint_inner.h"

static bool scope_action_is(const struct cedar_action *a, const struct cedar_uid *uid, bool below)
{
    if (cedar_uid_eq(&a->uid, uid))
        return true;
    for (uint32_t i = 0; below && i < a->ancestors; i++)
        if (cedar_uid_eq(&a->ancestor[i], uid))
            return true;
    return false;
}

static bool scope_fits_action(const struct cedar_scope *s, const struct cedar_action *a)
{
    if (s->kind == CEDAR_ANY)
        return true;
    for (uint32_t i = 0; i < s->n; i++)
        if (scope_action_is(a, &s->uid[i], s->kind != CEDAR_EQ))
            return true;
    return false;
}

static bool scope_fits_tool(const struct cedar_scope *s, const struct policy_tool *t)
{
    switch (s->kind) {
    case CEDAR_ANY: return true;
    case CEDAR_IS: return str_is(s->type, "Tool");
    case CEDAR_EQ: return cedar_uid_eq(s->uid, &t->uid);
    default: return cedar_uid_eq(s->uid, &t->uid) || cedar_uid_eq(s->uid, &t->server_uid);
    }
}

bool lint_fits(const struct lint_run *r, const struct cedar_policy *p, const struct policy_tool *t)
{
    return scope_fits_action(&p->action, r->action[t->action]) && scope_fits_tool(&p->resource, t);
}

/* ---- one scope in another ---- */

/* Principals and resources alike: every one is of the one type that there is. */
static bool scope_includes(const struct lint_run *r, const struct cedar_scope *a, const struct cedar_scope *b)
{
    if (a->kind == CEDAR_ANY || a->kind == CEDAR_IS)
        return true;
    if (b->kind == CEDAR_ANY || b->kind == CEDAR_IS)
        return false;
    if (cedar_uid_eq(a->uid, b->uid))
        return true; /* nothing is in an agent or a tool but itself */
    for (size_t i = 0; a->kind != CEDAR_EQ && i < r->s->tools; i++)
        if (cedar_uid_eq(&r->s->tool[i].uid, b->uid))
            return cedar_uid_eq(&r->s->tool[i].server_uid, a->uid);
    return false;
}

static bool scope_includes_action(const struct lint_run *r, const struct cedar_scope *a, const struct cedar_scope *b)
{
    if (a->kind == CEDAR_ANY)
        return true;
    for (uint32_t i = 0; i < b->n; i++) {
        const struct cedar_action *known = cedar_schema_action(r->s->schema, &b->uid[i]);
        if (known && !scope_fits_action(a, known))
            return false;
    }
    return b->kind != CEDAR_ANY && b->n;
}

bool lint_counts_up(const struct lint_run *r, const struct cedar_policy *p)
{
    bool one = p->action.kind != CEDAR_ANY;
    for (uint32_t i = 0; one && i < p->action.n; i++) {
        const struct cedar_action *a = cedar_schema_action(r->s->schema, &p->action.uid[i]);
        one = !a || a->resources;
    }
    return one || (p->resource.uid && str_is(p->resource.uid->type, "Tool"));
}

static bool scope_includes_tools(const struct lint_run *r, const struct cedar_policy *a, const struct cedar_policy *b)
{
    bool some = false;
    for (size_t i = 0; i < r->s->tools; i++) {
        if (!lint_fits(r, b, &r->s->tool[i]))
            continue;
        if (!lint_fits(r, a, &r->s->tool[i]))
            return false;
        some = true;
    }
    return some;
}

bool lint_includes(const struct lint_run *r, const struct cedar_policy *a, const struct cedar_policy *b)
{
    if (!scope_includes(r, &a->principal, &b->principal))
        return false;
    if (scope_includes_action(r, &a->action, &b->action) && scope_includes(r, &a->resource, &b->resource))
        return true;
    return lint_counts_up(r, b) && scope_includes_tools(r, a, b);
}

/* ---- what nobody knows ---- */

static bool scope_known_tool(const struct lint_run *r, const struct cedar_uid *uid)
{
    bool tool = str_is(uid->type, "Tool");
    if (!tool && !str_is(uid->type, "Server"))
        return true;
    for (size_t i = 0; i < r->s->tools; i++)
        if (cedar_uid_eq(uid, tool ? &r->s->tool[i].uid : &r->s->tool[i].server_uid))
            return true;
    return false;
}

static struct str scope_meant(struct lint_run *r, const struct cedar_uid *uid)
{
    if (str_is(uid->type, "Action"))
        return lint_near(r, uid->id, r->names.action, r->s->schema->actions,
                         STR("`doorward tools list` names the tools"));
    bool tool = str_is(uid->type, "Tool");
    return lint_near(r, uid->id, tool ? r->names.tool : r->names.server, r->s->tools,
                     tool ? STR("`doorward tools list` names the tools")
                          : STR("`doorward tools list` names the servers and their tools"));
}

static void scope_tell(struct lint_run *r, struct lint_policy *p, uint32_t at, const struct cedar_uid *uid, bool waits)
{
    lint_tell(r, LINT_CODE_WAITS, p, at,
              arena_fmt(r->a, STR_FMT " is not known%s", STR_ARG(lint_uid_text(r, uid)),
                        waits ? ", and the policy does nothing until it is" : ""),
              scope_meant(r, uid));
}

static void scope_unknown_action(struct lint_run *r, struct lint_policy *p)
{
    const struct cedar_scope *s = &p->p->action;
    uint32_t known = 0;
    for (uint32_t i = 0; i < s->n; i++)
        known += cedar_schema_action(r->s->schema, &s->uid[i]) != NULL;
    p->waits = s->n && !known;
    for (uint32_t i = 0; i < s->n; i++)
        if (!cedar_schema_action(r->s->schema, &s->uid[i]))
            scope_tell(r, p, s->at, &s->uid[i], !known);
}

static void scope_unknown_in(struct lint_run *r, struct lint_policy *p, const struct cedar_expr *e)
{
    const struct cedar_expr *child;
    if (e->op == CEDAR_OP_LIT && e->lit.kind == CEDAR_ENTITY && !scope_known_tool(r, e->lit.uid))
        scope_tell(r, p, e->at, e->lit.uid, false);
    for (uint32_t i = 0; (child = lint_child(e, i)); i++) /* as deep as the parser lets it be */
        scope_unknown_in(r, p, child);
}

void lint_unknown(struct lint_run *r, struct lint_policy *p)
{
    const struct cedar_scope *s = &p->p->resource;
    scope_unknown_action(r, p);
    if (s->uid && !scope_known_tool(r, s->uid)) {
        scope_tell(r, p, s->at, s->uid, !p->waits);
        p->waits = true;
    }
    for (uint32_t i = 0; i < p->p->conditions; i++)
        scope_unknown_in(r, p, p->p->condition[i].expr);
}

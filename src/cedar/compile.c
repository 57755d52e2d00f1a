/* Policies to rules. */
#include <stdlib.h>

#include "cedar/parse.h"
#include "cedar/program.h"

/* ---- conditions that are scopes ---- */

static bool is_variable(const struct cedar_node *n)
{
    return n->op == CEDAR_N_VAR && n->sub != CEDAR_CONTEXT;
}

static bool is_entity(const struct cedar_node *n)
{
    return n->op == CEDAR_N_LIT && n->lit.kind == CEDAR_ENTITY;
}

/* What `principal == User::"a"`, `principal in Team::"b"` and `principal is User` in a condition would be as a scope,
 * and of which variable; these never fail. */
static bool scope_of(const struct cedar_node *n, enum cedar_var *ret_var, struct cedar_scope *ret)
{
    const struct cedar_node *var = n->a, *to = n->b;
    if (n->op == CEDAR_N_IS && is_variable(n->of)) {
        *ret = (struct cedar_scope){.kind = CEDAR_IS, .type = n->name};
        *ret_var = n->of->sub;
        return true;
    }
    if (n->op != CEDAR_N_EQ && n->op != CEDAR_N_IN)
        return false;
    if (n->op == CEDAR_N_EQ && is_variable(to)) {
        var = n->b;
        to = n->a;
    }
    if (!is_variable(var) || !is_entity(to))
        return false;
    *ret = (struct cedar_scope){.kind = n->op == CEDAR_N_EQ ? CEDAR_EQ : CEDAR_IN, .uid = to->lit.uid, .n = 1};
    *ret_var = var->sub;
    return true;
}

static bool scope_join(struct cedar_scope *s, const struct cedar_scope *more)
{
    if (s->kind == CEDAR_ANY)
        *s = *more;
    else if (s->kind == CEDAR_IS && more->kind == CEDAR_IN)
        *s = (struct cedar_scope){.kind = CEDAR_IS_IN, .type = s->type, .uid = more->uid, .n = 1};
    else if (s->kind == CEDAR_IN && more->kind == CEDAR_IS)
        *s = (struct cedar_scope){.kind = CEDAR_IS_IN, .type = more->type, .uid = s->uid, .n = 1};
    else
        return false;
    return true;
}

/*
 * Takes from the beginning of the condition what could as well stand in the scope, where the scope says nothing, so
 * that the index knows it. Only from the beginning: what is behind something that can fail must not be asked before it.
 */
static enum err narrow(struct cedar_rule *rule, struct arena *a)
{
    static const uint8_t dims[] = {[CEDAR_PRINCIPAL] = CEDAR_DIM_PRINCIPAL,
                                   [CEDAR_ACTION] = CEDAR_DIM_ACTION,
                                   [CEDAR_RESOURCE] = CEDAR_DIM_RESOURCE};
    const struct cedar_node *all = rule->condition;
    struct cedar_scope scope;
    enum cedar_var var;
    uint32_t kept = 0, i = 0;
    if (!all || all->op != CEDAR_N_ALL || !scope_of(all->item[0], &var, &scope))
        return ERR_OK;
    struct cedar_node *copy = arena_raw(a, sizeof(*copy), 16);
    const struct cedar_node **item = arena_raw(a, all->n * sizeof(struct cedar_node *), 8);
    if (!copy || !item)
        return ERR_NOMEM;
    for (; i < all->n && scope_of(all->item[i], &var, &scope); i++)
        if (!scope_join(&rule->scope[dims[var]], &scope))
            item[kept++] = all->item[i];
    for (; i < all->n; i++)
        item[kept++] = all->item[i];
    *copy = *all;
    copy->n = kept;
    copy->item = item;
    rule->condition = kept ? copy : NULL;
    return ERR_OK;
}

/* ---- the program ---- */

static void note_scopes(struct cedar_rule *r)
{
    for (unsigned d = 0; d < CEDAR_DIMS; d++) {
        const struct cedar_scope *s = &r->scope[d];
        if (s->kind == CEDAR_ANY)
            r->free |= 1u << d;
        if (s->kind == CEDAR_IS_IN || (s->kind == CEDAR_IN_ANY && s->n != 1))
            r->twofold |= 1u << d;
    }
}

static enum err make_rule(const struct cedar_policy *p, struct arena *a, struct cedar_node_names *names,
                          struct cedar_rule *ret)
{
    *ret = (struct cedar_rule){.policy = p, .forbid = p->effect == CEDAR_FORBID};
    ret->scope[CEDAR_DIM_PRINCIPAL] = p->principal;
    ret->scope[CEDAR_DIM_ACTION] = p->action;
    ret->scope[CEDAR_DIM_RESOURCE] = p->resource;
    TRY(cedar_node_conditions(p, a, names, &ret->condition));
    TRY(narrow(ret, a));
    note_scopes(ret);
    return ERR_OK;
}

static enum err make_rules(const struct cedar_policies *ps, struct cedar_program *p, struct fault *f)
{
    struct cedar_node_names names = {0};
    enum err e = ERR_OK;
    p->rule = arena_raw(&p->arena, (ps->n + 1) * sizeof(*p->rule), 64);
    if (!p->rule)
        return fault_set(f, ERR_NOMEM, "no memory for the policies");
    for (uint32_t i = 0; i < ps->n && !e; i++) {
        if (ps->policy[i]->is_template)
            continue;
        e = make_rule(ps->policy[i], &p->arena, &names, &p->rule[p->rules++]);
        if (e == ERR_LIMIT)
            fault_write(f, e, "policy " STR_FMT " is nested deeper than %d", STR_ARG(ps->policy[i]->id), CEDAR_DEPTH);
        else if (e)
            fault_write(f, e, "no memory for the policies");
    }
    return e;
}

enum err cedar_compile(const struct cedar_policies *ps, struct cedar_program **ret, struct fault *f)
{
    struct cedar_program *p = calloc(1, sizeof(*p));
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for the policies");
    arena_init(&p->arena, SIZE_MAX);
    enum err e = make_rules(ps, p, f);
    if (!e && (e = cedar_index_build(p)))
        fault_write(f, e, "no memory for the index of the policies");
    if (e) {
        cedar_program_free(p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

void cedar_program_free(struct cedar_program *p)
{
    if (!p)
        return;
    cedar_index_done(&p->index);
    arena_done(&p->arena);
    free(p);
}

void cedar_program_freep(struct cedar_program **p)
{
    cedar_program_free(*p);
}

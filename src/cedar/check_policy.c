/*
 * A policy in all the environments that the schema has. Those that its scope keeps out are not typed: there the policy
 * is False.
 */
#include "cedar/check.h"

static void enter_environment(struct cedar_check *c)
{
    static const struct cedar_type entity = {.kind = CEDAR_T_ENTITY, .entities = 1};
    arena_reset(&c->scratch);
    c->join = (struct cedar_join){&c->scratch, CEDAR_CHECK_STEPS};
    c->principal_type = c->action_type = c->resource_type = entity;
    c->principal_type.entity = &c->principal;
    c->action_type.entity = &c->action->uid.type;
    c->resource_type.entity = &c->resource;
    c->env++;
}

static void leave_environment(struct cedar_check *c)
{
    if (arena_failed(&c->scratch) || arena_failed(&c->keep))
        c->err = ERR_NOMEM;
    else if (c->join.steps == 0 && cedar_check_wrong(c, c->policy, c->policy->at, CEDAR_WRONG_LIMIT))
        cedar_check_say(c, "types are too large to be compared: take smaller ones in the schema");
}

/* Whether the conditions are known to be false. */
static bool check_conditions(struct cedar_check *c)
{
    const struct cedar_policy *p = c->policy;
    const struct cedar_caps *entered = NULL;
    bool is_false = false, clear = true;
    for (uint32_t i = 0; i < p->conditions && !is_false; i++) {
        const struct cedar_condition *when = &p->condition[i];
        struct cedar_found f = cedar_check_operand(c, NULL, when->expr, CEDAR_WANT_BOOL);
        clear &= f.type != NULL;
        is_false = f.type && f.type->kind == (when->unless ? CEDAR_T_TRUE : CEDAR_T_FALSE);
        if (!when->unless) {
            cedar_check_enter(c, f.caps);
            entered = cedar_caps_both(c, entered, f.caps);
        }
    }
    cedar_check_leave(c, entered);
    return is_false && clear;
}

struct coverage {
    uint32_t envs; /* that the scope lets in */
    bool may;      /* be true in one of them */
};

static void cover_action(struct cedar_check *c, struct coverage *cover)
{
    const struct cedar_policy *p = c->policy;
    const struct cedar_action *a = c->action;
    bool may = cedar_check_action(c) != CEDAR_T_FALSE;
    for (uint32_t i = 0; i < a->principals && may; i++) {
        c->principal = a->principal[i];
        if (cedar_check_scope(c, &p->principal, c->principal) == CEDAR_T_FALSE)
            continue;
        for (uint32_t j = 0; j < a->resources && !c->err; j++) {
            c->resource = a->resource[j];
            if (c->actions == CEDAR_ACTIONS_UNLIKE)
                cedar_check_unlike(c);
            if (cedar_check_scope(c, &p->resource, c->resource) == CEDAR_T_FALSE)
                continue;
            cover->envs++;
            if (p->link_of)
                return; /* its template has been typed */
            enter_environment(c);
            cover->may |= !check_conditions(c);
            leave_environment(c);
        }
    }
}

static struct coverage cover(struct cedar_check *c)
{
    struct coverage covered = {0};
    const struct cedar_scope *s = &c->policy->action;
    c->actions = cedar_check_actions(c);
    if (s->kind == CEDAR_EQ && c->actions == CEDAR_ACTIONS_GOOD) { /* most policies are like this: one look will do */
        c->action = cedar_schema_action(c->schema, s->uid);
        cover_action(c, &covered);
    } else {
        for (uint32_t i = 0; i < c->schema->actions && !c->err; i++) {
            c->action = &c->schema->action[i];
            cover_action(c, &covered);
        }
    }
    c->action = NULL;
    /* Names that are not the schema's fit nothing anyway. */
    if (!covered.envs && !c->err && !c->problems && cedar_check_wrong(c, c->policy, c->policy->at, CEDAR_WRONG_SCOPE))
        cedar_check_say(
            c, "this policy never applies: no action of the schema has the principals and resources of its scope");
    return covered;
}

void cedar_check_policy(struct cedar_check *c)
{
    c->shapes = (struct cedar_shapes){.a = &c->keep};
    cedar_check_names(c);
    c->known = arena_alloc(&c->keep, ((size_t)c->shapes.shapes + 1) * sizeof(*c->known));
    if (!c->known) {
        c->err = ERR_NOMEM;
        return;
    }
    struct coverage covered = cover(c);
    cedar_check_tell(c, covered.envs);
    if (!c->problems && !covered.may)
        cedar_check_warn(c, c->policy->at,
                         "this policy never applies: its conditions are false for every request of the schema");
}

void cedar_check_link(struct cedar_check *c)
{
    cedar_check_slots(c);
    cover(c);
    cedar_check_tell(c, 0);
}

/* Scopes, in the environment at hand: True, False, or Bool when it depends on more than types. */
#include "cedar/check.h"

/* ==, in: what the schema does not know has been reported, and might be anything. */
static enum cedar_type_kind by_uid(const struct cedar_check *c, const struct cedar_scope *s, struct str type, bool in)
{
    if (s->slot)
        return CEDAR_T_BOOL;
    struct str group = s->uid->type;
    if (cedar_check_is_action(group) ? !cedar_schema_action(c->schema, s->uid) : !cedar_schema_entity(c->schema, group))
        return CEDAR_T_BOOL;
    bool may = str_eq(type, group) || (in && cedar_schema_below(c->schema, type, group));
    return may ? CEDAR_T_BOOL : CEDAR_T_FALSE;
}

enum cedar_type_kind cedar_check_scope(struct cedar_check *c, const struct cedar_scope *s, struct str type)
{
    switch (s->kind) {
    case CEDAR_ANY: return CEDAR_T_TRUE;
    case CEDAR_IS: return str_eq(s->type, type) ? CEDAR_T_TRUE : CEDAR_T_FALSE;
    case CEDAR_IS_IN: return str_eq(s->type, type) ? by_uid(c, s, type, true) : CEDAR_T_FALSE;
    case CEDAR_EQ: return by_uid(c, s, type, false);
    case CEDAR_IN:
    case CEDAR_IN_ANY: return by_uid(c, s, type, true);
    }
    return CEDAR_T_BOOL;
}

static bool action_is(const struct cedar_action *a, const struct cedar_uid *uid, bool in)
{
    bool is = cedar_uid_eq(&a->uid, uid);
    for (uint32_t i = 0; in && i < a->ancestors && !is; i++)
        is = cedar_uid_eq(&a->ancestor[i], uid);
    return is;
}

enum cedar_actions cedar_check_actions(const struct cedar_check *c)
{
    const struct cedar_scope *s = &c->policy->action;
    enum cedar_actions are = s->kind == CEDAR_ANY || s->n ? CEDAR_ACTIONS_GOOD : CEDAR_ACTIONS_UNLIKE;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!cedar_schema_action(c->schema, &s->uid[i]))
            return CEDAR_ACTIONS_UNKNOWN;
        if (!str_eq(s->uid[0].type, s->uid[i].type))
            are = CEDAR_ACTIONS_UNLIKE;
    }
    return are;
}

enum cedar_type_kind cedar_check_action(const struct cedar_check *c)
{
    const struct cedar_scope *s = &c->policy->action;
    bool is = false;
    if (s->kind == CEDAR_ANY)
        return CEDAR_T_TRUE;
    for (uint32_t i = 0; i < s->n && !is; i++)
        is = action_is(c->action, &s->uid[i], s->kind != CEDAR_EQ);
    return c->actions != CEDAR_ACTIONS_GOOD ? CEDAR_T_BOOL : is ? CEDAR_T_TRUE : CEDAR_T_FALSE;
}

void cedar_check_unlike(struct cedar_check *c)
{
    const struct cedar_scope *s = &c->policy->action;
    if (s->n == 0) {
        if (cedar_check_wrong(c, s, s->at, CEDAR_WRONG_EMPTY))
            cedar_check_say(c, "no action is in an empty list: name one, or leave the list out");
        return;
    }
    uint32_t i = 1;
    while (i + 1 < s->n && str_eq(s->uid[0].type, s->uid[i].type))
        i++;
    if (cedar_check_wrong(c, s, s->at, CEDAR_WRONG_JOIN))
        cedar_check_say(
            c, "a list of actions is of one type, and here are " STR_FMT " and " STR_FMT ": write a policy for each",
            STR_ARG(s->uid[0].type), STR_ARG(s->uid[i].type));
}

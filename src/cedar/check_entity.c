/*
 * Entities by type and name: ==, in, is. Where the schema's hierarchies or the names themselves settle the answer, the
 * type says so, and what would follow from the other answer is not looked at.
 */
#include "cedar/check.h"

bool cedar_check_is_action(struct str type)
{
    static const struct str action = {"Action", 6}, inner = {"::Action", 8};
    return str_eq(type, action) || str_ends(type, inner);
}

/* Some action of type a is in a group of type b. */
static bool action_below(const struct cedar_schema *s, struct str a, struct str b)
{
    if (!cedar_check_is_action(a) || !cedar_check_is_action(b))
        return false;
    for (uint32_t i = 0; i < s->actions; i++) {
        if (!str_eq(s->action[i].uid.type, a))
            continue;
        for (uint32_t j = 0; j < s->action[i].ancestors; j++)
            if (str_eq(s->action[i].ancestor[j].type, b))
                return true;
    }
    return false;
}

/* A value of type a may be in one of type b. */
static bool below(const struct cedar_check *c, const struct cedar_type *a, const struct cedar_type *b)
{
    for (uint32_t i = 0; i < a->entities; i++)
        for (uint32_t j = 0; j < b->entities; j++)
            if (str_eq(a->entity[i], b->entity[j]) || cedar_schema_below(c->schema, a->entity[i], b->entity[j]) ||
                action_below(c->schema, a->entity[i], b->entity[j]))
                return true;
    return false;
}

/* ---- == ---- */

bool cedar_check_same(struct cedar_check *c, const struct cedar_expr *e, const struct cedar_type *a,
                      const struct cedar_type *b)
{
    if (!a || !b || cedar_type_join(&c->join, a, b))
        return true;
    if (cedar_check_wrong(c, e, e->at, CEDAR_WRONG_JOIN))
        cedar_check_say(c, "%s and %s cannot be compared: both must be of one type", cedar_check_type_text(c, a),
                        cedar_check_type_text(c, b));
    return false;
}

/* Both are entities, and of no common type. */
static bool disjoint(const struct cedar_type *a, const struct cedar_type *b)
{
    if (a->kind != CEDAR_T_ENTITY || b->kind != CEDAR_T_ENTITY)
        return false;
    for (uint32_t i = 0; i < a->entities; i++)
        for (uint32_t j = 0; j < b->entities; j++)
            if (str_eq(a->entity[i], b->entity[j]))
                return false;
    return true;
}

/* A literal's value; `action` has the environment's. */
static bool value_of(const struct cedar_check *c, const struct cedar_expr *e, struct cedar_value *ret)
{
    if (e->op == CEDAR_OP_LIT)
        *ret = e->lit;
    else if (e->op == CEDAR_OP_VAR && e->sub == CEDAR_ACTION)
        *ret = cedar_entity_value(&c->action->uid);
    else
        return false;
    return true;
}

struct cedar_found cedar_check_eq(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_expr(c, e->a), b = cedar_check_expr(c, e->b);
    struct cedar_value x, y;
    bool ok = a.ok && b.ok;
    if (a.type && b.type && disjoint(a.type, b.type))
        return cedar_found_if(ok, &cedar_type_false);
    if (value_of(c, e->a, &x) && value_of(c, e->b, &y))
        return cedar_found_if(ok, cedar_type_singleton(cedar_value_eq(x, y)));
    return cedar_found_if(cedar_check_same(c, e, a.type, b.type) && ok, &cedar_type_bool);
}

/* ---- in ---- */

static const struct cedar_uid *uid_of(const struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_value v;
    return value_of(c, e, &v) && v.kind == CEDAR_ENTITY ? v.uid : NULL;
}

static bool action_in(const struct cedar_action *action, const struct cedar_uid *group)
{
    if (cedar_uid_eq(&action->uid, group))
        return true;
    for (uint32_t i = 0; i < action->ancestors; i++)
        if (cedar_uid_eq(&action->ancestor[i], group))
            return true;
    return false;
}

/* An action by name, in names: *ret is the answer. False: it is another case. */
static bool settled(const struct cedar_check *c, const struct cedar_expr *e, bool *ret)
{
    const struct cedar_uid *a = uid_of(c, e->a), *b = uid_of(c, e->b);
    const struct cedar_action *action = a && cedar_check_is_action(a->type) ? cedar_schema_action(c->schema, a) : NULL;
    bool found = false;
    if (!action || (!b && e->b->op != CEDAR_OP_SET))
        return false;
    for (uint32_t i = 0; i < (b ? 1 : e->b->n); i++) {
        const struct cedar_uid *group = b ? b : uid_of(c, e->b->item[i]);
        if (!group)
            return false;
        found |= cedar_check_is_action(group->type) && action_in(action, group);
    }
    *ret = found;
    return true;
}

struct cedar_found cedar_check_in(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_ENTITY);
    struct cedar_found b = cedar_check_operand(c, e, e->b, CEDAR_WANT_ENTITY | CEDAR_WANT_ENTITIES);
    bool in;
    if (!a.ok || !b.ok)
        return cedar_found_if(false, &cedar_type_bool);
    if (settled(c, e, &in))
        return cedar_found_ok(cedar_type_singleton(in));
    const struct cedar_type *group = b.type->kind == CEDAR_T_SET ? b.type->element : b.type;
    bool never = a.type->kind == CEDAR_T_ENTITY && group->kind == CEDAR_T_ENTITY && !below(c, a.type, group);
    return cedar_found_ok(never ? &cedar_type_false : &cedar_type_bool);
}

/* ---- is ---- */

static struct cedar_found is_type(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->of, CEDAR_WANT_ENTITY);
    if (!a.type || a.type->kind != CEDAR_T_ENTITY)
        return cedar_found_if(a.ok, &cedar_type_bool);
    bool may = false;
    for (uint32_t i = 0; i < a.type->entities; i++)
        may |= str_eq(a.type->entity[i], e->name);
    if (may && a.type->entities > 1)
        return cedar_found_if(a.ok, &cedar_type_bool);
    return cedar_found_if(a.ok, cedar_type_singleton(may));
}

/* a is T in b: a is T && a in b */
struct cedar_found cedar_check_is(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found is = is_type(c, e);
    if (!e->in || is.type->kind == CEDAR_T_FALSE)
        return is;
    const struct cedar_expr rest = {.op = CEDAR_OP_IN, .at = e->at, .a = e->of, .b = e->in};
    struct cedar_found in = cedar_check_in(c, &rest);
    bool ok = is.ok && in.ok;
    return cedar_found_if(ok, is.type->kind == CEDAR_T_TRUE    ? in.type
                              : in.type->kind == CEDAR_T_FALSE ? in.type
                                                               : is.type);
}

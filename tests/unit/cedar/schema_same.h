/* Whether two schemas mean the same. */
#ifndef TEST_CEDAR_SCHEMA_SAME_H
#define TEST_CEDAR_SCHEMA_SAME_H

#include "cedar/cedar.h"

static inline bool strs_same(const struct str *a, uint32_t n, const struct str *b, uint32_t m)
{
    for (uint32_t i = 0; n == m && i < n; i++)
        if (!str_eq(a[i], b[i]))
            return false;
    return n == m;
}

static inline bool uids_same(const struct cedar_uid *a, uint32_t n, const struct cedar_uid *b, uint32_t m)
{
    for (uint32_t i = 0; n == m && i < n; i++)
        if (!cedar_uid_eq(&a[i], &b[i]))
            return false;
    return n == m;
}

static inline bool entity_type_same(const struct cedar_entity_type *a, const struct cedar_entity_type *b)
{
    return str_eq(a->name, b->name) && cedar_type_eq(a->attrs, b->attrs) && !a->tags == !b->tags &&
           (!a->tags || cedar_type_eq(a->tags, b->tags)) && strs_same(a->choice, a->choices, b->choice, b->choices) &&
           strs_same(a->ancestor, a->ancestors, b->ancestor, b->ancestors);
}

/* One without principals or without resources applies to nothing, whatever else it says. */
static inline bool action_same(const struct cedar_action *a, const struct cedar_action *b)
{
    bool nothing = !a->principals || !a->resources;
    return cedar_uid_eq(&a->uid, &b->uid) && uids_same(a->parent, a->parents, b->parent, b->parents) &&
           uids_same(a->ancestor, a->ancestors, b->ancestor, b->ancestors) &&
           nothing == (!b->principals || !b->resources) &&
           (nothing || (cedar_type_eq(a->context, b->context) &&
                        strs_same(a->principal, a->principals, b->principal, b->principals) &&
                        strs_same(a->resource, a->resources, b->resource, b->resources)));
}

static inline bool schema_same(const struct cedar_schema *a, const struct cedar_schema *b)
{
    if (a->entities != b->entities || a->actions != b->actions)
        return false;
    for (uint32_t i = 0; i < a->entities; i++)
        if (!entity_type_same(&a->entity[i], &b->entity[i]))
            return false;
    for (uint32_t i = 0; i < a->actions; i++)
        if (!action_same(&a->action[i], &b->action[i]))
            return false;
    return true;
}

#endif

/*
 * The order of types, by the strict rules of the checker: True and False are Bools, sets and records go by what they
 * hold; nothing else is a kind of anything else. Widths are never adapted: records have the same attributes.
 */
#include "cedar/check.h"

const struct cedar_type cedar_type_bool = {.kind = CEDAR_T_BOOL}, cedar_type_true = {.kind = CEDAR_T_TRUE},
                        cedar_type_false = {.kind = CEDAR_T_FALSE}, cedar_type_long = {.kind = CEDAR_T_LONG},
                        cedar_type_string = {.kind = CEDAR_T_STRING};

const struct cedar_type *cedar_type_of_ext(enum cedar_kind k)
{
    static const struct cedar_type ext[] = {
        {.kind = CEDAR_T_EXT, .ext = CEDAR_DECIMAL},
        {.kind = CEDAR_T_EXT, .ext = CEDAR_IP},
        {.kind = CEDAR_T_EXT, .ext = CEDAR_DATETIME},
        {.kind = CEDAR_T_EXT, .ext = CEDAR_DURATION},
    };
    switch (k) {
    case CEDAR_BOOL: return &cedar_type_bool;
    case CEDAR_LONG: return &cedar_type_long;
    case CEDAR_STRING: return &cedar_type_string;
    case CEDAR_DECIMAL: return &ext[0];
    case CEDAR_IP: return &ext[1];
    case CEDAR_DATETIME: return &ext[2];
    case CEDAR_DURATION: return &ext[3];
    default: return NULL;
    }
}

static bool is_bool(const struct cedar_type *t)
{
    return t->kind == CEDAR_T_BOOL || t->kind == CEDAR_T_TRUE || t->kind == CEDAR_T_FALSE;
}

static const struct cedar_type *set_join(struct cedar_join *j, const struct cedar_type *a, const struct cedar_type *b)
{
    if (!a->element || !b->element)
        return a->element ? a : b;
    const struct cedar_type *element = cedar_type_join(j, a->element, b->element);
    if (!element || element == a->element)
        return element ? a : NULL;
    if (element == b->element)
        return b;
    struct cedar_type *t = arena_alloc(j->a, sizeof(*t));
    if (t)
        *t = (struct cedar_type){.kind = CEDAR_T_SET, .element = element};
    return t;
}

static const struct cedar_type *record_join(struct cedar_join *j, const struct cedar_type *a,
                                            const struct cedar_type *b)
{
    if (a->attrs != b->attrs || a->open != b->open)
        return NULL;
    for (uint32_t i = 0; i < a->attrs; i++)
        if (a->attr[i].required != b->attr[i].required || !str_eq(a->attr[i].name, b->attr[i].name))
            return NULL;
    struct cedar_attr *attr = NULL; /* made when one differs from a's */
    for (uint32_t i = 0; i < a->attrs; i++) {
        const struct cedar_type *t = cedar_type_join(j, a->attr[i].type, b->attr[i].type);
        if (!t)
            return NULL;
        if (t == a->attr[i].type)
            continue;
        if (!attr) {
            if (!(attr = arena_alloc(j->a, a->attrs * sizeof(*attr))))
                return NULL;
            memcpy(attr, a->attr, a->attrs * sizeof(*attr));
        }
        attr[i].type = t;
    }
    struct cedar_type *t = attr ? arena_alloc(j->a, sizeof(*t)) : NULL;
    if (t)
        *t = (struct cedar_type){.kind = CEDAR_T_RECORD, .attr = attr, .attrs = a->attrs, .open = a->open};
    return attr ? t : a;
}

const struct cedar_type *cedar_type_join(struct cedar_join *j, const struct cedar_type *a, const struct cedar_type *b)
{
    if (a == b)
        return a;
    if (j->steps == 0 || --j->steps == 0)
        return NULL;
    if (a->kind == CEDAR_T_NEVER || b->kind == CEDAR_T_NEVER)
        return a->kind == CEDAR_T_NEVER ? b : a;
    if (is_bool(a) && is_bool(b))
        return a->kind == b->kind || a->kind == CEDAR_T_BOOL ? a : b->kind == CEDAR_T_BOOL ? b : &cedar_type_bool;
    if (a->kind != b->kind)
        return NULL;
    switch (a->kind) {
    case CEDAR_T_SET: return set_join(j, a, b);
    case CEDAR_T_RECORD: return record_join(j, a, b);
    default: return cedar_type_eq(a, b) ? a : NULL;
    }
}

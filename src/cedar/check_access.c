/* Attributes and tags: whether they are there, and of what type. */
#include "cedar/check.h"

#include <stdlib.h>

static bool is_known(const struct cedar_check *c, const struct cedar_expr *e)
{
    return c->known[cedar_shapes_place(&c->shapes, e)] != 0;
}

/* An entity's or a record's. NULL: there is none of the name. Actions have no attributes. */
static const struct cedar_attr *attr_of(const struct cedar_check *c, const struct cedar_type *t, struct str name)
{
    if (t->kind == CEDAR_T_RECORD)
        return cedar_type_attr(t, name);
    if (t->kind != CEDAR_T_ENTITY)
        return NULL;
    const struct cedar_entity_type *entity = cedar_schema_entity(c->schema, t->entity[0]);
    return entity && entity->attrs ? cedar_type_attr(entity->attrs, name) : NULL;
}

/* It may have more attributes than are known of it. */
static bool is_open(const struct cedar_type *t)
{
    return t->kind == CEDAR_T_ANY_ENTITY || t->kind == CEDAR_T_NEVER || (t->kind == CEDAR_T_RECORD && t->open);
}

struct cedar_found cedar_check_has(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->of, CEDAR_WANT_ENTITY | CEDAR_WANT_RECORD);
    if (!a.type)
        return cedar_found_if(false, &cedar_type_bool);
    const struct cedar_attr *attr = attr_of(c, a.type, e->name);
    if (!attr)
        return cedar_found_if(a.ok, is_open(a.type) ? &cedar_type_bool : &cedar_type_false);
    /* Of an entity nothing is sure to be there: it may not exist at all. */
    bool sure = (attr->required && a.type->kind == CEDAR_T_RECORD) || is_known(c, e);
    return (struct cedar_found){.type = sure ? &cedar_type_true : &cedar_type_bool,
                                .ok = a.ok,
                                .caps = cedar_caps_of(c, cedar_shapes_place(&c->shapes, e))};
}

static void no_attr(struct cedar_check *c, const struct cedar_expr *e, const struct cedar_type *t)
{
    const struct cedar_type *record = t;
    if (t->kind == CEDAR_T_ENTITY) {
        const struct cedar_entity_type *entity = cedar_schema_entity(c->schema, t->entity[0]);
        record = entity ? entity->attrs : NULL;
    }
    uint32_t n = record && record->kind == CEDAR_T_RECORD ? record->attrs : 0;
    struct str *name = arena_alloc(&c->keep, (n + 1) * sizeof(*name));
    for (uint32_t i = 0; name && i < n; i++)
        name[i] = record->attr[i].name;
    bool entity = t->kind == CEDAR_T_ENTITY;
    cedar_check_say(c, "`%s`%s%s%s has no attribute `" STR_FMT "`: %s", cedar_check_expr_text(c, e->of),
                    entity ? " (" : "", entity ? cedar_check_type_text(c, t) : "", entity ? ")" : "", STR_ARG(e->name),
                    cedar_check_list_text(c, e->name, name, name ? n : 0));
}

struct cedar_found cedar_check_get(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->of, CEDAR_WANT_ENTITY | CEDAR_WANT_RECORD);
    if (!a.type)
        return cedar_found_if(false, NULL);
    const struct cedar_attr *attr = attr_of(c, a.type, e->name);
    if (!attr) {
        if (cedar_check_wrong(c, e, e->at, CEDAR_WRONG_ATTR))
            no_attr(c, e, a.type);
        return cedar_found_if(false, NULL);
    }
    bool sure = attr->required || is_known(c, e);
    if (!sure && cedar_check_wrong(c, e, e->at, CEDAR_WRONG_MISSING)) {
        const struct cedar_expr has = {.op = CEDAR_OP_HAS, .of = e->of, .name = e->name};
        cedar_check_say(c, "`%s` may not be there: write `%s && …` before it", cedar_check_expr_text(c, e),
                        cedar_check_expr_text(c, &has));
    }
    return cedar_found_if(a.ok && sure, attr->type);
}

/* ---- tags ---- */

/* NULL: such entities have none. */
static const struct cedar_type *tags_of(const struct cedar_check *c, const struct cedar_type *t)
{
    const struct cedar_entity_type *entity =
        t->kind == CEDAR_T_ENTITY ? cedar_schema_entity(c->schema, t->entity[0]) : NULL;
    return entity ? entity->tags : NULL;
}

struct cedar_found cedar_check_has_tag(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_ENTITY);
    struct cedar_found b = cedar_check_operand(c, e, e->b, CEDAR_WANT_STRING);
    if (!a.type)
        return cedar_found_if(false, NULL);
    const struct cedar_type *t = &cedar_type_bool;
    if (!tags_of(c, a.type))
        t = &cedar_type_false;
    else if (is_known(c, e))
        t = &cedar_type_true;
    return (struct cedar_found){
        .type = t, .ok = a.ok && b.ok, .caps = cedar_caps_of(c, cedar_shapes_place(&c->shapes, e))};
}

struct cedar_found cedar_check_get_tag(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_ENTITY);
    struct cedar_found b = cedar_check_operand(c, e, e->b, CEDAR_WANT_STRING);
    if (!a.type)
        return cedar_found_if(false, NULL);
    const struct cedar_type *tags = tags_of(c, a.type);
    if (!is_known(c, e)) {
        const struct cedar_expr has = {.op = CEDAR_OP_HAS_TAG, .a = e->a, .b = e->b};
        if (cedar_check_wrong(c, e, e->at, CEDAR_WRONG_TAG))
            cedar_check_say(c, "`%s` may not be there: write `%s && …` before it", cedar_check_expr_text(c, e),
                            cedar_check_expr_text(c, &has));
        return cedar_found_if(false, NULL);
    }
    if (!tags && cedar_check_wrong(c, e, e->at, CEDAR_WRONG_TAG))
        cedar_check_say(c, "`%s` (%s) has no tags: declare them in the schema, with `tags`",
                        cedar_check_expr_text(c, e->a), cedar_check_type_text(c, a.type));
    return cedar_found_if(a.ok && b.ok && tags, tags);
}

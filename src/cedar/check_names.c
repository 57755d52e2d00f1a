/*
 * Names: the entity types, actions and ids of enums that a policy speaks of must be the schema's, wherever they stand,
 * in parts of it too that are never typed.
 */
#include "cedar/check.h"

static void unknown_type(struct cedar_check *c, const void *where, uint32_t at, struct str type)
{
    if (!cedar_check_wrong(c, where, at, CEDAR_WRONG_NAME))
        return;
    uint32_t n = c->schema->entities;
    struct str *name = arena_alloc(&c->keep, ((size_t)n + 1) * sizeof(*name));
    for (uint32_t i = 0; name && i < n; i++)
        name[i] = c->schema->entity[i].name;
    cedar_check_say(c, "`" STR_FMT "` is no entity type of the schema: %s", STR_ARG(type),
                    cedar_check_list_text(c, type, name, name ? n : 0));
}

static void check_type(struct cedar_check *c, const void *where, uint32_t at, struct str type)
{
    if (!cedar_check_is_action(type) && !cedar_schema_entity(c->schema, type))
        unknown_type(c, where, at, type);
}

/* One of the same id under another namespace is what is meant; else it is a slip in the id. */
static void unknown_action(struct cedar_check *c, const void *where, uint32_t at, const struct cedar_uid *uid)
{
    if (!cedar_check_wrong(c, where, at, CEDAR_WRONG_NAME))
        return;
    uint32_t n = 0;
    struct str *id = arena_alloc(&c->keep, ((size_t)c->schema->actions + 1) * sizeof(*id));
    for (uint32_t i = 0; id && i < c->schema->actions; i++) {
        const struct cedar_uid *other = &c->schema->action[i].uid;
        if (str_eq(other->id, uid->id)) {
            cedar_check_say(c, "`%s` is no action of the schema: did you mean `%s`?", cedar_check_uid_text(c, uid),
                            cedar_check_uid_text(c, other));
            return;
        }
        if (str_eq(other->type, uid->type))
            id[n++] = other->id;
    }
    cedar_check_say(c, "`%s` is no action of the schema: %s", cedar_check_uid_text(c, uid),
                    cedar_check_list_text(c, uid->id, id, n));
}

static bool has_id(const struct cedar_entity_type *t, struct str id)
{
    bool found = t->choices == 0;
    for (uint32_t i = 0; i < t->choices && !found; i++)
        found = str_eq(t->choice[i], id);
    return found;
}

static void check_uid(struct cedar_check *c, const void *where, uint32_t at, const struct cedar_uid *uid)
{
    if (cedar_check_is_action(uid->type)) {
        if (!cedar_schema_action(c->schema, uid))
            unknown_action(c, where, at, uid);
        return;
    }
    const struct cedar_entity_type *t = cedar_schema_entity(c->schema, uid->type);
    if (!t)
        unknown_type(c, where, at, uid->type);
    else if (!has_id(t, uid->id) && cedar_check_wrong(c, where, at, CEDAR_WRONG_ID))
        cedar_check_say(c, "`%s` is not one of its enum: %s", cedar_check_uid_text(c, uid),
                        cedar_check_list_text(c, uid->id, t->choice, t->choices));
}

static void check_scope(struct cedar_check *c, const struct cedar_scope *s)
{
    if (s->kind == CEDAR_IS || s->kind == CEDAR_IS_IN)
        check_type(c, &s->type, s->at, s->type);
    for (uint32_t i = 0; i < s->n && !s->slot; i++) {
        check_uid(c, &s->uid[i], s->at, &s->uid[i]);
        cedar_check_text(c, s->at, s->uid[i].id, true);
    }
}

static void visit(void *ctx, const struct cedar_expr *e)
{
    struct cedar_check *c = ctx;
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_LIT:
        if (e->lit.kind == CEDAR_ENTITY) {
            check_uid(c, e, e->at, e->lit.uid);
            cedar_check_text(c, e->at, e->lit.uid->id, true);
        } else if (e->lit.kind == CEDAR_STRING) {
            cedar_check_text(c, e->at, cedar_value_str(e->lit), false);
        }
        break;
    case CEDAR_OP_IS: check_type(c, e, e->at, e->name); break;
    case CEDAR_OP_HAS:
    case CEDAR_OP_GET: cedar_check_text(c, e->at, e->name, true); break;
    case CEDAR_OP_LIKE:
        for (uint32_t i = 0; i < e->pattern->n; i++)
            cedar_check_text(c, e->at, e->pattern->piece[i], false);
        break;
    case CEDAR_OP_RECORD:
        for (uint32_t i = 0; i < e->n; i++)
            cedar_check_text(c, e->at, e->key[i], true);
        break;
    default: break;
    }
}

void cedar_check_names(struct cedar_check *c)
{
    const struct cedar_policy *p = c->policy;
    c->shapes.visit = visit;
    c->shapes.ctx = c;
    check_scope(c, &p->principal);
    check_scope(c, &p->action);
    check_scope(c, &p->resource);
    for (uint32_t i = 0; i < p->conditions; i++)
        cedar_shapes_add(&c->shapes, p->condition[i].expr);
    if (c->shapes.deep &&
        cedar_check_wrong(c, &c->shapes, p->at, CEDAR_WRONG_LIMIT)) /* no way of reading makes such trees */
        cedar_check_say(c, "nested too deep: write it flatter, or in several conditions");
}

/* ---- links ---- */

static void check_slot(struct cedar_check *c, const struct cedar_scope *of, const struct cedar_scope *with)
{
    if (!of->slot || !with->n)
        return;
    const struct cedar_uid *uid = &with->uid[0];
    check_type(c, uid, c->policy->at, uid->type);
    const struct cedar_entity_type *t = cedar_schema_entity(c->schema, uid->type);
    if (t && !has_id(t, uid->id))
        cedar_check_warn(c, c->policy->at, "`%s` is not one of its enum: %s", cedar_check_uid_text(c, uid),
                         cedar_check_list_text(c, uid->id, t->choice, t->choices));
}

void cedar_check_slots(struct cedar_check *c)
{
    const struct cedar_policy *p = c->policy;
    check_slot(c, &p->link_of->principal, &p->principal);
    check_slot(c, &p->link_of->resource, &p->resource);
}

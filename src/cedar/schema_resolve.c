/*
 * From declarations to the model: every name is looked up, every common type replaced by what it stands for, groups are
 * closed. A type is made once for each place where it is written and shared by all that refer to it, so that memory is
 * linear in the text; how large it would be written out is counted, since others walk it.
 */
#include "cedar/schema_resolve.h"

static const struct cedar_type broken = {.kind = CEDAR_T_NEVER}; /* behind a fault: the schema is given to nobody */
static const struct cedar_type empty_record = {.kind = CEDAR_T_RECORD};

static void made(struct cedar_decl_type *t, const struct cedar_type *type, uint32_t size, uint32_t depth)
{
    t->made = type;
    t->size = size;
    t->depth = depth;
}

/* ---- names ---- */

struct str cedar_resolve_full(struct cedar_resolver *r, struct str space, struct str id)
{
    return space.n ? ARENA_JOIN(r->b->a, space, STR("::"), id) : id;
}

static const char *const wanted[] = {
    [CEDAR_MAY_COMMON] = "a common type, or one of Cedar's own (Bool, Long, String, decimal, ipaddr, datetime, "
                         "duration)",
    [CEDAR_MAY_ENTITY] = "an entity type of this schema",
    [CEDAR_MAY_COMMON | CEDAR_MAY_ENTITY] = "an entity type, a common type or one of Cedar's own (Bool, Long, String, "
                                            "decimal, ipaddr, datetime, duration)",
};

/* Cedar's own types by the names that they have in other languages. */
static const char *own_name(struct str id)
{
    static const char *const names[][2] = {{"bool", "Bool"},        {"boolean", "Bool"},      {"int", "Long"},
                                           {"integer", "Long"},     {"number", "Long"},       {"long", "Long"},
                                           {"string", "String"},    {"ip", "ipaddr"},         {"ipaddr", "ipaddr"},
                                           {"decimal", "decimal"},  {"datetime", "datetime"}, {"date", "datetime"},
                                           {"duration", "duration"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (str_ieq(id, str_of(names[i][0])))
            return names[i][1];
    return NULL;
}

void cedar_resolve_undeclared(struct cedar_resolver *r, const struct cedar_decl_space *from,
                              struct cedar_decl_name name, unsigned may)
{
    struct cedar_schema_build *b = r->b;
    const char *q = cedar_schema_quote(b, cedar_resolve_full(r, name.space, name.id));
    const struct cedar_symbol *other = cedar_schema_elsewhere(&r->names, name.id, may);
    const char *own = !name.space.n && may & CEDAR_MAY_COMMON ? own_name(name.id) : NULL;
    struct cedar_schema_found found;
    if (cedar_schema_find(&r->names, from, name, CEDAR_MAY_COMMON | CEDAR_MAY_ENTITY, &found)) /* of the other kind */
        cedar_schema_fault(b, name.at, "%s is %s: expected %s", q,
                           found.common || found.builtin ? "a common type" : "an entity type", wanted[may]);
    else if (other)
        cedar_schema_fault(b, name.at, "%s is not declared: expected %s", q,
                           cedar_schema_quote(b, cedar_resolve_full(r, other->space, other->id)));
    else if (own)
        cedar_schema_fault(b, name.at, "%s is not declared: expected `%s`", q, own);
    else if (!name.space.n && from->name.n)
        cedar_schema_fault(b, name.at, "%s is not declared, neither here in %s nor outside: expected %s", q,
                           cedar_schema_quote(b, from->name), wanted[may]);
    else
        cedar_schema_fault(b, name.at, "%s is not declared: expected %s", q, wanted[may]);
}

const struct cedar_type *cedar_resolve_entity(struct cedar_resolver *r, const struct str *name)
{
    struct cedar_type *t = arena_alloc(r->b->a, sizeof(*t));
    if (!t)
        return NULL;
    *t = (struct cedar_type){.kind = CEDAR_T_ENTITY, .entity = name, .entities = 1};
    return t;
}

/* ---- types ---- */

enum err cedar_resolve_common(struct cedar_resolver *r, struct cedar_decl_common *c, uint32_t at, unsigned depth)
{
    if (c->state == CEDAR_D_OPEN) {
        cedar_schema_fault(r->b, at, "the common type %s is part of itself: expected a type that ends",
                           cedar_schema_quote(r->b, c->id));
        return ERR_SYNTAX;
    }
    if (c->state == CEDAR_D_DONE)
        return ERR_OK;
    c->state = CEDAR_D_OPEN;
    enum err e = cedar_resolve_type(r, c->type, c->space, depth);
    c->state = CEDAR_D_DONE;
    return e;
}

static enum err resolve_name(struct cedar_resolver *r, struct cedar_decl_type *t, struct cedar_decl_space *space,
                             unsigned depth)
{
    struct cedar_schema_found found;
    unsigned may = t->kind == CEDAR_D_COMMON   ? CEDAR_MAY_COMMON
                   : t->kind == CEDAR_D_ENTITY ? CEDAR_MAY_ENTITY
                                               : CEDAR_MAY_COMMON | CEDAR_MAY_ENTITY;
    made(t, &broken, 1, 1);
    if (!cedar_schema_find(&r->names, space, t->name, may, &found)) {
        cedar_resolve_undeclared(r, space, t->name, may);
        return ERR_SYNTAX;
    }
    if (found.common) {
        struct cedar_decl_type *type = found.common->type;
        t->common = found.common;
        TRY(cedar_resolve_common(r, found.common, t->at, depth + 1));
        made(t, type->made, type->size, type->depth);
    } else {
        struct cedar_schema_found other;
        t->hidden = t->kind == CEDAR_D_ENTITY &&
                    cedar_schema_find(&r->names, space, t->name, CEDAR_MAY_COMMON | CEDAR_MAY_ENTITY, &other) &&
                    other.common;
        made(t, found.builtin ? found.builtin : found.entity ? found.entity->self : found.action->act, 1, 1);
    }
    return ERR_OK;
}

static enum err resolve_set(struct cedar_resolver *r, struct cedar_decl_type *t, struct cedar_decl_space *space,
                            unsigned depth)
{
    struct cedar_type *type = arena_alloc(r->b->a, sizeof(*type));
    if (!type)
        return ERR_NOMEM;
    TRY(cedar_resolve_type(r, t->element, space, depth + 1));
    *type = (struct cedar_type){.kind = CEDAR_T_SET, .element = t->element->made};
    made(t, type, t->element->size + 1, t->element->depth + 1);
    return ERR_OK;
}

static enum err resolve_record(struct cedar_resolver *r, struct cedar_decl_type *t, struct cedar_decl_space *space,
                               unsigned depth)
{
    uint32_t size = 1, deepest = 0;
    enum err bad = ERR_OK;
    struct cedar_type *type = arena_alloc(r->b->a, sizeof(*type));
    struct cedar_attr *attr = arena_alloc(r->b->a, (t->attrs + 1) * sizeof(*attr));
    if (!type || !attr)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < t->attrs; i++) {
        const struct cedar_decl_attr *from = &t->attr[i];
        enum err e = cedar_resolve_type(r, from->type, space, depth + 1);
        if (e == ERR_NOMEM)
            return e;
        bad = e ? e : bad;
        attr[i] = (struct cedar_attr){.name = from->name, .type = from->type->made, .required = !from->optional};
        size += size <= CEDAR_SCHEMA_SIZE ? from->type->size : 0;
        deepest = from->type->depth > deepest ? from->type->depth : deepest;
    }
    *type = (struct cedar_type){.kind = CEDAR_T_RECORD, .attr = attr, .attrs = t->attrs};
    made(t, type, size, deepest + 1);
    return bad;
}

static enum err resolve_any(struct cedar_resolver *r, struct cedar_decl_type *t, struct cedar_decl_space *space,
                            unsigned depth)
{
    switch (t->kind) {
    case CEDAR_D_BOOL: made(t, cedar_decl_builtin(STR("Bool")), 1, 1); return ERR_OK;
    case CEDAR_D_LONG: made(t, cedar_decl_builtin(STR("Long")), 1, 1); return ERR_OK;
    case CEDAR_D_STRING: made(t, cedar_decl_builtin(STR("String")), 1, 1); return ERR_OK;
    case CEDAR_D_EXT:
        made(t, cedar_decl_builtin(t->name.id), 1, 1);
        if (t->made && t->made->kind == CEDAR_T_EXT)
            return ERR_OK;
        cedar_schema_fault(r->b, t->at,
                           "the extension type %s is unknown: expected decimal, ipaddr, datetime or duration",
                           cedar_schema_quote(r->b, t->name.id));
        return ERR_SYNTAX;
    case CEDAR_D_SET: return resolve_set(r, t, space, depth);
    case CEDAR_D_RECORD: return resolve_record(r, t, space, depth);
    case CEDAR_D_ENTITY:
    case CEDAR_D_COMMON:
    case CEDAR_D_NAME: break;
    }
    return resolve_name(r, t, space, depth);
}

enum err cedar_resolve_type(struct cedar_resolver *r, struct cedar_decl_type *t, struct cedar_decl_space *space,
                            unsigned depth)
{
    if (t->made)
        return t->made == &broken ? ERR_SYNTAX : ERR_OK;
    if (depth > CEDAR_SCHEMA_HOPS) {
        cedar_schema_limit(r->b, t->at, "too many common types stand for each other: at most %d levels are understood",
                           CEDAR_SCHEMA_HOPS);
        made(t, &broken, 1, 1);
        return ERR_SYNTAX;
    }
    enum err e = resolve_any(r, t, space, depth);
    if (!e && (t->size > CEDAR_SCHEMA_SIZE || t->depth > CEDAR_DEPTH)) {
        cedar_schema_limit(r->b, t->at,
                           "a type is too large with its common types put in: at most %u parts and %d levels",
                           CEDAR_SCHEMA_SIZE, CEDAR_DEPTH);
        e = ERR_SYNTAX;
    }
    if (e)
        made(t, &broken, 1, 1);
    return e;
}

/* A type that must be a record. NULL: it is none, or there is no memory */
const struct cedar_type *cedar_resolve_attrs(struct cedar_resolver *r, struct cedar_decl_type *t,
                                             struct cedar_decl_space *space, const char *what)
{
    if (!t)
        return &empty_record;
    if (cedar_resolve_type(r, t, space, 0))
        return NULL;
    if (t->made->kind != CEDAR_T_RECORD) {
        cedar_schema_fault(r->b, t->at, "%s are no record: expected `{` … `}`, or a common type that is one", what);
        return NULL;
    }
    return t->made;
}

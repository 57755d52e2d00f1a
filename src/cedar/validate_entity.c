/* Entities and values against a schema. Values are walked along their types, which bounds the depth. */
#include <stdlib.h>

#include "cedar/path.h"
#include "cedar/schema_check.h"

struct checker {
    const struct cedar_schema *s;
    struct fault *f;
};

static enum err check_value(struct checker *c, struct cedar_value v, const struct cedar_type *t,
                            const struct cedar_path *path);

/* ---- ids ---- */

bool cedar_type_is_action(struct str type)
{
    return str_is(type, "Action") || str_ends(type, STR("::Action"));
}

enum err cedar_schema_uid_check(const struct cedar_schema *s, const struct cedar_uid *uid, const char *where,
                                struct fault *f)
{
    if (cedar_type_is_action(uid->type)) {
        if (cedar_schema_action(s, uid))
            return ERR_OK;
        return fault_set(f, ERR_SYNTAX, "%sthe schema declares no action " STR_FMT "::\"" STR_FMT "\"", where,
                         STR_ARG(cedar_cut(uid->type)), STR_ARG(cedar_cut(uid->id)));
    }
    const struct cedar_entity_type *t = cedar_schema_entity(s, uid->type);
    if (!t)
        return fault_set(f, ERR_SYNTAX, "%sthe schema declares no entity type " STR_FMT, where,
                         STR_ARG(cedar_cut(uid->type)));
    for (uint32_t i = 0; i < t->choices; i++)
        if (str_eq(t->choice[i], uid->id))
            return ERR_OK;
    if (t->choices == 0)
        return ERR_OK;
    return fault_set(f, ERR_SYNTAX, "%s\"" STR_FMT "\" is none of the ids that the schema lists for " STR_FMT, where,
                     STR_ARG(cedar_cut(uid->id)), STR_ARG(cedar_cut(uid->type)));
}

static enum err check_uid(struct checker *c, const struct cedar_uid *uid, const struct cedar_path *path)
{
    struct fault why = {0};
    enum err e = cedar_schema_uid_check(c->s, uid, "", &why);
    return e ? cedar_path_fault(c->f, path, "%s", why.text) : ERR_OK;
}

/* ---- values ---- */

static enum err check_mismatch(struct checker *c, struct cedar_value v, const struct cedar_type *t,
                               const struct cedar_path *path)
{
    struct buf words;
    struct str is = str_of(cedar_kind_name((enum cedar_kind)v.kind));
    buf_init(&words, 1 << 16);
    if (t->kind == CEDAR_T_RECORD || t->kind == CEDAR_T_SET) /* which may be long */
        buf_z(&words, t->kind == CEDAR_T_SET ? "Set" : "{}");
    else
        cedar_type_print(t, &words);
    if (v.kind == CEDAR_ENTITY)
        is = v.uid->type;
    enum err e =
        cedar_path_fault(c->f, path, "a value of the type " STR_FMT " is wanted here, not of the type " STR_FMT,
                         STR_ARG(cedar_cut(buf_view(&words))), STR_ARG(cedar_cut(is)));
    buf_done(&words);
    return e;
}

static enum err check_entity_value(struct checker *c, struct cedar_value v, const struct cedar_type *t,
                                   const struct cedar_path *path)
{
    bool declared = t->kind == CEDAR_T_ANY_ENTITY;
    for (uint32_t i = 0; !declared && i < t->entities; i++)
        declared = str_eq(t->entity[i], v.uid->type);
    return declared ? check_uid(c, v.uid, path) : check_mismatch(c, v, t, path);
}

static enum err check_set(struct checker *c, struct cedar_value v, const struct cedar_type *t,
                          const struct cedar_path *path)
{
    if (v.set->n && !t->element)
        return cedar_path_fault(c->f, path, "an empty set is wanted here");
    for (uint32_t i = 0; i < v.set->n; i++)
        TRY(check_value(c, v.set->v[i], t->element, &(struct cedar_path){.up = path, .index = i}));
    return ERR_OK;
}

/* Fields and attributes are both in the order of their names. */
static enum err check_record(struct checker *c, const struct cedar_record *v, const struct cedar_type *t,
                             const struct cedar_path *path)
{
    uint32_t i = 0, k = 0;
    while (i < v->n || k < t->attrs) {
        int order = i == v->n ? 1 : k == t->attrs ? -1 : str_cmp(v->f[i].name, t->attr[k].name);
        struct str name = order <= 0 ? v->f[i].name : t->attr[k].name;
        struct cedar_path here = {.up = path, .key = name, .keyed = true};
        if (order == 0)
            TRY(check_value(c, v->f[i].v, t->attr[k].type, &here));
        else if (order < 0 && !t->open)
            return cedar_path_fault(c->f, &here, "the schema knows no such attribute");
        else if (order > 0 && t->attr[k].required)
            return cedar_path_fault(c->f, path, "the attribute \"" STR_FMT "\" is missing: the schema requires it",
                                    STR_ARG(cedar_cut(name)));
        i += order <= 0;
        k += order >= 0;
    }
    return ERR_OK;
}

static enum err check_value(struct checker *c, struct cedar_value v, const struct cedar_type *t,
                            const struct cedar_path *path)
{
    static const enum cedar_kind kinds[] = {
        [CEDAR_T_NEVER] = CEDAR_NONE,        [CEDAR_T_TRUE] = CEDAR_BOOL,     [CEDAR_T_FALSE] = CEDAR_BOOL,
        [CEDAR_T_BOOL] = CEDAR_BOOL,         [CEDAR_T_LONG] = CEDAR_LONG,     [CEDAR_T_STRING] = CEDAR_STRING,
        [CEDAR_T_SET] = CEDAR_SET,           [CEDAR_T_RECORD] = CEDAR_RECORD, [CEDAR_T_ENTITY] = CEDAR_ENTITY,
        [CEDAR_T_ANY_ENTITY] = CEDAR_ENTITY,
    };
    enum cedar_kind kind = t->kind == CEDAR_T_EXT ? t->ext : kinds[t->kind];
    if (kind == CEDAR_NONE || v.kind != kind || (t->kind == CEDAR_T_TRUE && !v.b) || (t->kind == CEDAR_T_FALSE && v.b))
        return check_mismatch(c, v, t, path);
    if (kind == CEDAR_ENTITY)
        return check_entity_value(c, v, t, path);
    if (kind == CEDAR_SET)
        return check_set(c, v, t, path);
    return kind == CEDAR_RECORD ? check_record(c, v.record, t, path) : ERR_OK;
}

enum err cedar_value_check(struct cedar_value v, const struct cedar_type *t, const struct cedar_schema *s,
                           const char *path, struct fault *f)
{
    struct checker c = {s, f};
    return check_value(&c, v, t, &(struct cedar_path){.key = str_of(path), .keyed = true});
}

/* ---- entities ---- */

static int uid_find(const void *x, const void *y)
{
    return cedar_uid_cmp(x, y);
}

/* Actions are the schema's: nobody adds to them or leaves something out. */
static enum err check_action(struct checker *c, const struct cedar_entity *e)
{
    TRY(cedar_schema_uid_check(c->s, &e->uid, "", c->f));
    const struct cedar_action *a = cedar_schema_action(c->s, &e->uid);
    if (e->attrs->n || e->tags->n)
        return fault_set(c->f, ERR_SYNTAX, "an action has no attributes and no tags");
    bool same = e->n == a->ancestors;
    for (uint32_t i = 0; same && i < e->n; i++)
        same = bsearch(e->ancestors[i], a->ancestor, a->ancestors, sizeof(*a->ancestor), uid_find) != NULL;
    return same ? ERR_OK : fault_set(c->f, ERR_SYNTAX, "the action is in other groups than the schema says");
}

static enum err check_ancestors(struct checker *c, const struct cedar_entity *e, const struct cedar_entity_type *t)
{
    for (uint32_t i = 0; i < e->n; i++) {
        const struct cedar_uid *up = e->ancestors[i];
        bool allowed = false;
        for (uint32_t low = 0, high = t->ancestors; !allowed && low < high;) {
            uint32_t mid = low + (high - low) / 2;
            int order = str_cmp(up->type, t->ancestor[mid]);
            allowed = order == 0;
            low = order > 0 ? mid + 1 : low;
            high = order < 0 ? mid : high;
        }
        if (!allowed)
            return fault_set(c->f, ERR_SYNTAX, "parents: the schema lets no " STR_FMT " be in " STR_FMT,
                             STR_ARG(cedar_cut(e->uid.type)), STR_ARG(cedar_cut(up->type)));
        TRY(cedar_schema_uid_check(c->s, up, "parents: ", c->f));
    }
    return ERR_OK;
}

static enum err check_tags(struct checker *c, const struct cedar_entity *e, const struct cedar_entity_type *t)
{
    struct cedar_path tags = {.key = STR("tags"), .keyed = true};
    if (e->tags->n && !t->tags)
        return fault_set(c->f, ERR_SYNTAX, "tags: the schema declares none for " STR_FMT,
                         STR_ARG(cedar_cut(e->uid.type)));
    for (uint32_t i = 0; i < e->tags->n; i++)
        TRY(check_value(c, e->tags->f[i].v, t->tags,
                        &(struct cedar_path){.up = &tags, .key = e->tags->f[i].name, .keyed = true}));
    return ERR_OK;
}

static enum err check_entity(struct checker *c, const struct cedar_entity *e)
{
    struct cedar_path attrs = {.key = STR("attrs"), .keyed = true};
    if (cedar_type_is_action(e->uid.type))
        return check_action(c, e);
    TRY(cedar_schema_uid_check(c->s, &e->uid, "", c->f));
    const struct cedar_entity_type *t = cedar_schema_entity(c->s, e->uid.type);
    TRY(check_record(c, e->attrs, t->attrs, &attrs));
    TRY(check_tags(c, e, t));
    return check_ancestors(c, e, t);
}

enum err cedar_validate_entity(const struct cedar_entity *e, const struct cedar_schema *s, struct fault *f)
{
    enum err bad = check_entity(&(struct checker){s, f}, e);
    if (bad && f)
        (void)fault_wrap(f, STR_FMT "::\"" STR_FMT "\"", STR_ARG(cedar_cut(e->uid.type)),
                         STR_ARG(cedar_cut(e->uid.id)));
    return bad;
}

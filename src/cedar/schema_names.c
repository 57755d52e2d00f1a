#include "cedar/schema_names.h"

#include <stdlib.h>

static int symbol_cmp(const void *x, const void *y)
{
    const struct cedar_symbol *a = x, *b = y;
    int c = str_cmp(a->id, b->id);
    if (!c)
        c = str_cmp(a->space, b->space);
    if (!c)
        c = (a->common == NULL) - (b->common == NULL);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

static int space_cmp(const void *x, const void *y)
{
    const struct cedar_decl_space *a = *(struct cedar_decl_space *const *)x, *b = *(struct cedar_decl_space *const *)y;
    int c = str_cmp(a->name, b->name);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* ---- making the tables ---- */

static enum err tables(struct cedar_schema_build *b, struct cedar_schema_names *ret)
{
    struct cedar_decls *d = b->d;
    ret->type = arena_alloc(b->a, (d->common.n + d->entity.n + 1) * sizeof(*ret->type));
    ret->action = arena_alloc(b->a, (d->action.n + 1) * sizeof(*ret->action));
    ret->space = arena_alloc(b->a, (d->space.n + 1) * sizeof(struct cedar_decl_space *));
    if (arena_failed(b->a))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < d->common.n; i++) {
        struct cedar_decl_common *c = d->common.v[i];
        ret->type[ret->types++] = (struct cedar_symbol){.space = c->space->name, .id = c->id, .common = c, .at = c->at};
        TRY(cedar_decl_add(b, &c->space->common, c));
    }
    for (uint32_t i = 0; i < d->entity.n; i++) {
        struct cedar_decl_entity *e = d->entity.v[i];
        ret->type[ret->types++] = (struct cedar_symbol){.space = e->space->name, .id = e->id, .entity = e, .at = e->at};
        TRY(cedar_decl_add(b, &e->space->entity, e));
    }
    for (uint32_t i = 0; i < d->action.n; i++) {
        struct cedar_decl_action *a = d->action.v[i];
        ret->action[ret->actions++] =
            (struct cedar_symbol){.space = a->space->name, .id = a->id, .action = a, .at = a->at};
        a->space->acts = true;
        TRY(cedar_decl_add(b, &a->space->action, a));
    }
    for (uint32_t i = 0; i < d->space.n; i++)
        ret->space[ret->spaces++] = d->space.v[i];
    qsort(ret->type, ret->types, sizeof(*ret->type), symbol_cmp);
    qsort(ret->action, ret->actions, sizeof(*ret->action), symbol_cmp);
    qsort(ret->space, ret->spaces, sizeof(struct cedar_decl_space *), space_cmp);
    return ERR_OK;
}

/* ---- checking them ---- */

static void check_spaces(struct cedar_schema_build *b, const struct cedar_schema_names *names)
{
    for (uint32_t i = 0; i < names->spaces; i++) {
        const struct cedar_decl_space *s = names->space[i];
        if (cedar_decl_reserved(s->name))
            cedar_schema_fault(b, s->at, "the namespace `__cedar` is Cedar's own: expected another name");
        if (i && str_eq(s->name, names->space[i - 1]->name))
            cedar_schema_fault(b, s->at,
                               "the namespace %s stands here twice: expected all its declarations in one place",
                               cedar_schema_quote(b, s->name));
    }
}

static void check_type(struct cedar_schema_build *b, const struct cedar_symbol *s)
{
    if (str_is(s->id, "__cedar"))
        cedar_schema_fault(b, s->at, "the name `__cedar` is Cedar's own: expected another name");
    else if (s->entity && str_is(s->id, "Action"))
        cedar_schema_fault(b, s->at,
                           "the entity type `Action` is there by itself wherever actions are: expected another name");
    else if (s->common && cedar_decl_common_reserved(s->id))
        cedar_schema_fault(b, s->at, "the name %s means a type already: expected another name for a common type",
                           cedar_schema_quote(b, s->id));
}

/* Symbols of one id lie next to each other, those of the empty namespace first. */
static void check_symbols(struct cedar_schema_build *b, const struct cedar_symbol *v, uint32_t n)
{
    const struct cedar_symbol *empty = NULL; /* of this id */
    for (uint32_t i = 0; i < n; i++) {
        const struct cedar_symbol *s = &v[i], *last = i ? &v[i - 1] : NULL;
        if (!last || !str_eq(last->id, s->id))
            empty = s->space.n == 0 ? s : NULL;
        else if (str_eq(last->space, s->space) && !last->common == !s->common)
            cedar_schema_fault(b, s->at, "%s is declared twice: expected one declaration",
                               cedar_schema_quote(b, s->id));
        if (empty && s->space.n)
            cedar_schema_fault(b, s->at,
                               "%s in the namespace %s hides the one outside of all namespaces: expected different "
                               "names",
                               cedar_schema_quote(b, s->id), cedar_schema_quote(b, s->space));
    }
}

enum err cedar_schema_names(struct cedar_schema_build *b, struct cedar_schema_names *ret)
{
    *ret = (struct cedar_schema_names){0};
    TRY(tables(b, ret));
    check_spaces(b, ret);
    for (uint32_t i = 0; i < ret->types; i++)
        check_type(b, &ret->type[i]);
    check_symbols(b, ret->type, ret->types);
    check_symbols(b, ret->action, ret->actions);
    return ERR_OK;
}

/* ---- finding ---- */

/* The first symbol of this name, NULL: none */
static const struct cedar_symbol *symbol(const struct cedar_symbol *v, uint32_t n, struct str space, struct str id)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = str_cmp(id, v[mid].id);
        if (!c)
            c = str_cmp(space, v[mid].space);
        if (c <= 0)
            high = mid;
        else
            low = mid + 1;
    }
    return low < n && str_eq(v[low].id, id) && str_eq(v[low].space, space) ? &v[low] : NULL;
}

static struct cedar_decl_space *acting_space(const struct cedar_schema_names *names, struct str name)
{
    uint32_t low = 0, high = names->spaces;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = str_cmp(name, names->space[mid]->name);
        if (c == 0)
            return names->space[mid]->acts ? names->space[mid] : NULL;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static bool find_in(const struct cedar_schema_names *names, struct str space, struct str id, unsigned may,
                    struct cedar_schema_found *ret)
{
    const struct cedar_symbol *s = symbol(names->type, names->types, space, id);
    *ret = (struct cedar_schema_found){0};
    if (s && s->common) {
        if (may & CEDAR_MAY_COMMON)
            ret->common = s->common;
        else if (s + 1 < names->type + names->types && s[1].entity && str_eq(s[1].id, id) && str_eq(s[1].space, space))
            ret->entity = s[1].entity;
    } else if (s && may & CEDAR_MAY_ENTITY) {
        ret->entity = s->entity;
    } else if ((space.n == 0 && !s) || str_is(space, "__cedar")) {
        if (may & CEDAR_MAY_COMMON)
            ret->builtin = cedar_decl_builtin(id);
    }
    if (!ret->common && !ret->entity && !ret->builtin && may & CEDAR_MAY_ENTITY && str_is(id, "Action"))
        ret->action = acting_space(names, space);
    return ret->common || ret->entity || ret->builtin || ret->action;
}

bool cedar_schema_find(const struct cedar_schema_names *names, const struct cedar_decl_space *from,
                       struct cedar_decl_name name, unsigned may, struct cedar_schema_found *ret)
{
    if (name.space.n)
        return find_in(names, name.space, name.id, may, ret);
    return (from->name.n && find_in(names, from->name, name.id, may, ret)) ||
           find_in(names, STR(""), name.id, may, ret);
}

const struct cedar_symbol *cedar_schema_elsewhere(const struct cedar_schema_names *names, struct str id, unsigned may)
{
    uint32_t low = 0, high = names->types;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (str_cmp(names->type[mid].id, id) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < names->types && str_eq(names->type[low].id, id); low++)
        if (names->type[low].common ? may & CEDAR_MAY_COMMON : may & CEDAR_MAY_ENTITY)
            return &names->type[low];
    return NULL;
}

struct cedar_decl_action *cedar_schema_find_action(const struct cedar_schema_names *names,
                                                   const struct cedar_decl_space *from,
                                                   const struct cedar_decl_parent *parent)
{
    if (parent->type.id.n && !str_is(parent->type.id, "Action"))
        return NULL;
    bool open = parent->type.space.n == 0;
    const struct cedar_symbol *s =
        symbol(names->action, names->actions, open ? from->name : parent->type.space, parent->id);
    if (!s && open && from->name.n)
        s = symbol(names->action, names->actions, STR(""), parent->id);
    return s ? s->action : NULL;
}

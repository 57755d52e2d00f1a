/* The model: entity types and actions by their full names, and what lies within what. */
#include "cedar/schema_graph.h"
#include "cedar/schema_resolve.h"

#include <stdlib.h>

/* ---- entity types ---- */

static int name_cmp(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static int entity_cmp(const void *x, const void *y)
{
    const struct cedar_decl_entity *a = *(struct cedar_decl_entity *const *)x,
                                   *b = *(struct cedar_decl_entity *const *)y;
    return str_cmp(a->full, b->full);
}

/* Names, and the model's array in their order: what refers to entity types comes afterwards. */
static enum err name_entities(struct cedar_resolver *r)
{
    struct cedar_schema *s = r->b->s;
    struct cedar_decl_list *l = &r->b->d->entity;
    struct cedar_decl_entity **v = arena_alloc(r->b->a, (l->n + 1) * sizeof(struct cedar_decl_entity *));
    s->entity = arena_alloc(r->b->a, (l->n + 1) * sizeof(*s->entity));
    if (!v || !s->entity)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < l->n; i++) {
        v[i] = l->v[i];
        v[i]->full = cedar_resolve_full(r, v[i]->space->name, v[i]->id);
        v[i]->self = cedar_resolve_entity(r, &v[i]->full);
    }
    if (arena_failed(r->b->a))
        return ERR_NOMEM;
    if (l->n)
        qsort(v, l->n, sizeof(struct cedar_decl_entity *), entity_cmp);
    for (uint32_t i = 0; i < l->n; i++) {
        v[i]->index = i;
        s->entity[i] = (struct cedar_entity_type){.name = v[i]->full, .choice = v[i]->choice, .choices = v[i]->choices};
    }
    s->entities = l->n;
    return ERR_OK;
}

/* An entity type that stands in a list; NULL: there is none of the name */
static struct cedar_decl_entity *find_entity(struct cedar_resolver *r, struct cedar_decl_space *space,
                                             struct cedar_decl_name name)
{
    struct cedar_schema_found found;
    if (!cedar_schema_find(&r->names, space, name, CEDAR_MAY_ENTITY, &found))
        cedar_resolve_undeclared(r, space, name, CEDAR_MAY_ENTITY);
    else if (found.action)
        cedar_schema_fault(r->b, name.at, "actions cannot stand here: expected an entity type of this schema");
    else
        return found.entity;
    return NULL;
}

static enum err close_entities(struct cedar_resolver *r, uint32_t edges)
{
    struct cedar_schema_build *b = r->b;
    struct cedar_schema *s = b->s;
    struct cedar_graph g;
    struct cedar_decl_entity **v = arena_alloc(b->a, (s->entities + 1) * sizeof(struct cedar_decl_entity *));
    if (!v)
        return ERR_NOMEM;
    TRY(cedar_graph_init(&g, s->entities, edges, CEDAR_SCHEMA_STEPS, b->a));
    for (uint32_t i = 0; i < s->entities; i++) {
        struct cedar_decl_entity *e = b->d->entity.v[i];
        v[e->index] = e;
    }
    for (uint32_t i = 0, n = 0; i < s->entities; i++) {
        for (uint32_t k = 0; k < v[i]->ins; k++) {
            const struct cedar_decl_entity *in = find_entity(r, v[i]->space, v[i]->in[k]);
            if (in)
                g.edge[n++] = in->index;
        }
        g.first[i + 1] = n;
    }
    if (b->count)
        return ERR_OK;
    for (uint32_t i = 0; i < s->entities; i++) {
        const uint32_t *to;
        enum err e = cedar_graph_reach(&g, i, &to, &s->entity[i].ancestors);
        if (e) {
            cedar_schema_limit(b, v[i]->at,
                               "too many entity types lie within each other: expected fewer or flatter ones");
            return ERR_OK;
        }
        struct str *name = arena_raw(b->a, (s->entity[i].ancestors + 1) * sizeof(*name), _Alignof(struct str));
        if (!name)
            return ERR_NOMEM;
        for (uint32_t k = 0; k < s->entity[i].ancestors; k++)
            name[k] = s->entity[to[k]].name;
        s->entity[i].ancestor = name;
    }
    return ERR_OK;
}

static enum err resolve_entities(struct cedar_resolver *r)
{
    struct cedar_schema *s = r->b->s;
    uint32_t edges = 0;
    for (uint32_t i = 0; i < s->entities; i++) {
        struct cedar_decl_entity *e = r->b->d->entity.v[i];
        struct cedar_entity_type *t = &s->entity[e->index];
        edges += e->ins;
        t->attrs = cedar_resolve_attrs(r, e->shape, e->space, "the attributes of an entity type");
        if (e->tags && !cedar_resolve_type(r, e->tags, e->space, 0))
            t->tags = e->tags->made;
        if (arena_failed(r->b->a))
            return ERR_NOMEM;
    }
    return close_entities(r, edges);
}

/* ---- actions ---- */

static int action_cmp(const void *x, const void *y)
{
    return cedar_uid_cmp(&((const struct cedar_action *)x)->uid, &((const struct cedar_action *)y)->uid);
}

/* The types that an action applies to, sorted and each of them once. */
static enum err resolve_applies(struct cedar_resolver *r, struct cedar_decl_space *space,
                                const struct cedar_decl_name *name, uint32_t n, const struct str **ret, uint32_t *ret_n)
{
    struct str *type = arena_alloc(r->b->a, (n + 1) * sizeof(*type));
    uint32_t count = 0, keep = 0;
    if (!type)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct cedar_decl_entity *e = find_entity(r, space, name[i]);
        if (e)
            type[count++] = e->full;
    }
    if (count > 1)
        qsort(type, count, sizeof(*type), name_cmp);
    for (uint32_t i = 0; i < count; i++)
        if (!keep || !str_eq(type[keep - 1], type[i]))
            type[keep++] = type[i];
    *ret = type;
    *ret_n = keep;
    return ERR_OK;
}

static enum err name_actions(struct cedar_resolver *r)
{
    struct cedar_schema *s = r->b->s;
    struct cedar_decl_list *l = &r->b->d->action;
    s->action = arena_alloc(r->b->a, (l->n + 1) * sizeof(*s->action));
    if (!s->action)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < l->n; i++) {
        const struct cedar_decl_action *a = l->v[i];
        s->action[i].uid = cedar_uid(a->space->acting, a->id);
    }
    if (l->n)
        qsort(s->action, l->n, sizeof(*s->action), action_cmp);
    s->actions = l->n;
    for (uint32_t i = 0; i < l->n; i++) {
        struct cedar_decl_action *a = l->v[i];
        struct cedar_uid uid = cedar_uid(a->space->acting, a->id);
        a->index = (uint32_t)(cedar_schema_action(s, &uid) - s->action);
    }
    return ERR_OK;
}

static enum err close_actions(struct cedar_resolver *r, struct cedar_decl_action **v, struct cedar_graph *g)
{
    struct cedar_schema *s = r->b->s;
    for (uint32_t i = 0; i < s->actions; i++) {
        const uint32_t *to;
        struct cedar_action *a = &s->action[i];
        if (cedar_graph_reach(g, i, &to, &a->ancestors)) {
            cedar_schema_limit(r->b, v[i]->at,
                               "too many actions lie within each other: expected fewer or flatter groups");
            return ERR_OK;
        }
        struct cedar_uid *ancestor =
            arena_raw(r->b->a, (a->ancestors + 1) * sizeof(*ancestor), _Alignof(struct cedar_uid));
        if (!ancestor)
            return ERR_NOMEM;
        for (uint32_t k = 0; k < a->ancestors; k++) {
            ancestor[k] = s->action[to[k]].uid;
            if (to[k] == i)
                cedar_schema_fault(r->b, v[i]->at, "the action %s lies within itself: expected groups without a circle",
                                   cedar_schema_quote(r->b, a->uid.id));
        }
        a->ancestor = ancestor;
    }
    return ERR_OK;
}

static void unknown_action(struct cedar_resolver *r, const struct cedar_decl_parent *p)
{
    struct cedar_schema_build *b = r->b;
    const char *id = cedar_schema_quote(b, p->id);
    if (p->type.id.n)
        cedar_schema_fault(b, p->at, "the action %s of the type %s is not declared: expected an action of this schema",
                           id, cedar_schema_quote(b, cedar_resolve_full(r, p->type.space, p->type.id)));
    else
        cedar_schema_fault(b, p->at, "the action %s is not declared: expected an action of this schema", id);
}

/* The groups that an action is in directly; their numbers go to the graph. */
static enum err resolve_parents(struct cedar_resolver *r, const struct cedar_decl_action *d, struct cedar_graph *g,
                                uint32_t *n)
{
    struct cedar_schema *s = r->b->s;
    struct cedar_action *a = &s->action[d->index];
    struct cedar_uid *parent = arena_alloc(r->b->a, (d->ins + 1) * sizeof(*parent));
    uint32_t start = *n;
    if (!parent)
        return ERR_NOMEM;
    for (uint32_t k = 0; k < d->ins; k++) {
        const struct cedar_decl_action *in = cedar_schema_find_action(&r->names, d->space, &d->in[k]);
        if (in)
            g->edge[(*n)++] = in->index;
        else
            unknown_action(r, &d->in[k]);
    }
    a->parents = *n - start;
    cedar_graph_numbers(g->edge + start, &a->parents);
    for (uint32_t k = 0; k < a->parents; k++)
        parent[k] = s->action[g->edge[start + k]].uid;
    a->parent = parent;
    *n = start + a->parents;
    return ERR_OK;
}

static enum err resolve_actions(struct cedar_resolver *r)
{
    struct cedar_schema *s = r->b->s;
    struct cedar_decl_action **v = arena_alloc(r->b->a, (s->actions + 1) * sizeof(struct cedar_decl_action *));
    struct cedar_graph g;
    uint32_t edges = 0, n = 0;
    for (uint32_t i = 0; i < s->actions; i++) {
        struct cedar_decl_action *d = r->b->d->action.v[i];
        struct cedar_action *a = &s->action[d->index];
        edges += d->ins;
        a->context = cedar_resolve_attrs(r, d->context, d->space, "the parts of a context");
        TRY(resolve_applies(r, d->space, d->principal, d->principals, &a->principal, &a->principals));
        TRY(resolve_applies(r, d->space, d->resource, d->resources, &a->resource, &a->resources));
        if (arena_failed(r->b->a))
            return ERR_NOMEM;
        v[d->index] = d;
    }
    TRY(cedar_graph_init(&g, s->actions, edges, CEDAR_SCHEMA_STEPS, r->b->a));
    for (uint32_t i = 0; i < s->actions; i++) {
        TRY(resolve_parents(r, v[i], &g, &n));
        g.first[i + 1] = n;
    }
    return r->b->count ? ERR_OK : close_actions(r, v, &g);
}

/* ---- the whole ---- */

enum err cedar_schema_resolve(struct cedar_schema_build *b)
{
    struct cedar_resolver r = {.b = b};
    TRY(cedar_schema_names(b, &r.names));
    if (b->count)
        return ERR_OK;
    for (uint32_t i = 0; i < b->d->space.n; i++) {
        struct cedar_decl_space *s = b->d->space.v[i];
        s->acting = cedar_resolve_full(&r, s->name, STR("Action"));
        s->act = cedar_resolve_entity(&r, &s->acting);
    }
    TRY(name_entities(&r));
    TRY(name_actions(&r));
    for (uint32_t i = 0; i < b->d->common.n; i++) {
        struct cedar_decl_common *c = b->d->common.v[i];
        if (cedar_resolve_common(&r, c, c->at, 0) == ERR_NOMEM)
            return ERR_NOMEM;
    }
    TRY(resolve_entities(&r));
    TRY(resolve_actions(&r));
    return arena_failed(b->a) ? ERR_NOMEM : ERR_OK;
}

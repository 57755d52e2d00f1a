/*
 * The JSON form (https://docs.cedarpolicy.com/schema/json-schema.html). Read strictly: a member that the form does not
 * have is a fault, and so is null where the form does not say that it may be left out like that.
 */
#include <stdio.h>

#include "cedar/schema_reader.h"

#define JSON_SCHEMA_NODES (4u << 20)

/* ---- declarations ---- */

static enum err read_common(struct cedar_schema_reader *r, uint32_t k, uint32_t v)
{
    uint32_t m[CEDAR_MEMBERS];
    struct cedar_decl_common *c = arena_alloc(r->b->a, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->space = r->space;
    c->at = cedar_sj_offset(r, k);
    cedar_sj_id(r, k, "a common type", &c->id);
    TRY(cedar_sj_read_type(r, v, &cedar_sj_common_form, 0, m, &c->type));
    TRY(cedar_sj_notes(r, m[CEDAR_SJ_T_NOTES], &c->notes));
    return cedar_decl_add(r->b, &r->b->d->common, c);
}

enum { E_MEMBER_OF, E_SHAPE, E_TAGS, E_ENUM, E_NOTES };
static const struct cedar_form entity_form = {"an entity type",
                                              {"memberOfTypes", "shape", "tags", "enum", "annotations"}};

static enum err read_choices(struct cedar_schema_reader *r, uint32_t at, struct cedar_decl_entity *e)
{
    if (cedar_sj_type(r, at) != JSON_ARRAY || r->j.node[at].size == 0) {
        cedar_schema_fault(r->b, cedar_sj_offset(r, at),
                           "`enum` lists no ids: expected an array of at least one string");
        return ERR_OK;
    }
    e->choice = arena_alloc(r->b->a, r->j.node[at].size * sizeof(*e->choice));
    if (!e->choice)
        return ERR_NOMEM;
    JSON_EACH(&r->j, at, item)
    {
        if (cedar_sj_string(r, item, "an id", &e->choice[e->choices]))
            e->choices++;
    }
    return ERR_OK;
}

static enum err read_entity(struct cedar_schema_reader *r, uint32_t k, uint32_t v)
{
    uint32_t m[CEDAR_MEMBERS];
    struct cedar_decl_entity *e = arena_alloc(r->b->a, sizeof(*e));
    if (!e)
        return ERR_NOMEM;
    e->space = r->space;
    e->at = cedar_sj_offset(r, k);
    cedar_sj_id(r, k, "an entity type", &e->id);
    if (!cedar_sj_members(r, v, &entity_form, m))
        return ERR_OK;
    if (m[E_ENUM] && (m[E_MEMBER_OF] || m[E_SHAPE] || m[E_TAGS]))
        cedar_schema_fault(r->b, e->at,
                           "an entity type with `enum` has no `memberOfTypes`, `shape` or `tags`: expected "
                           "one or the other");
    if (m[E_ENUM])
        TRY(read_choices(r, m[E_ENUM], e));
    if (m[E_MEMBER_OF])
        TRY(cedar_sj_names(r, m[E_MEMBER_OF], "`memberOfTypes`", &e->in, &e->ins));
    TRY(cedar_sj_plain_type(r, m[E_SHAPE], &e->shape));
    TRY(cedar_sj_plain_type(r, m[E_TAGS], &e->tags));
    TRY(cedar_sj_notes(r, m[E_NOTES], &e->notes));
    return cedar_decl_add(r->b, &r->b->d->entity, e);
}

enum { P_ID, P_TYPE };
static const struct cedar_form parent_form = {"a group", {"id", "type"}};

static enum err read_parent(struct cedar_schema_reader *r, uint32_t at, struct cedar_decl_action *a)
{
    uint32_t m[CEDAR_MEMBERS];
    struct cedar_decl_parent *p = &a->in[a->ins++];
    p->at = cedar_sj_offset(r, at);
    if (!cedar_sj_members(r, at, &parent_form, m))
        return ERR_OK;
    if (m[P_ID])
        cedar_sj_string(r, m[P_ID], "`id`", &p->id);
    else
        cedar_sj_missing(r, at, &parent_form, "id");
    if (m[P_TYPE] && cedar_sj_type(r, m[P_TYPE]) != JSON_NULL)
        cedar_sj_name(r, m[P_TYPE], "an action's type", &p->type);
    return arena_failed(r->b->a) ? ERR_NOMEM : ERR_OK;
}

enum { S_RESOURCE, S_PRINCIPAL, S_CONTEXT };
static const struct cedar_form applies_form = {"`appliesTo`", {"resourceTypes", "principalTypes", "context"}};

static enum err read_applies(struct cedar_schema_reader *r, uint32_t at, struct cedar_decl_action *a)
{
    uint32_t m[CEDAR_MEMBERS];
    a->applies = true;
    if (!cedar_sj_members(r, at, &applies_form, m))
        return ERR_OK;
    for (int i = S_RESOURCE; i <= S_PRINCIPAL; i++)
        if (!m[i])
            cedar_sj_missing(r, at, &applies_form, applies_form.member[i]);
    if (m[S_RESOURCE])
        TRY(cedar_sj_names(r, m[S_RESOURCE], "`resourceTypes`", &a->resource, &a->resources));
    if (m[S_PRINCIPAL])
        TRY(cedar_sj_names(r, m[S_PRINCIPAL], "`principalTypes`", &a->principal, &a->principals));
    return cedar_sj_plain_type(r, m[S_CONTEXT], &a->context);
}

enum { A_ATTRIBUTES, A_APPLIES, A_MEMBER_OF, A_NOTES };
static const struct cedar_form action_form = {"an action", {"attributes", "appliesTo", "memberOf", "annotations"}};

static enum err read_groups(struct cedar_schema_reader *r, uint32_t at, struct cedar_decl_action *a)
{
    if (cedar_sj_type(r, at) != JSON_ARRAY) {
        cedar_sj_wanted(r, at, "`memberOf`", "an array of {\"id\", \"type\"}");
        return ERR_OK;
    }
    a->in = arena_alloc(r->b->a, (r->j.node[at].size + 1) * sizeof(*a->in));
    if (!a->in)
        return ERR_NOMEM;
    JSON_EACH(&r->j, at, item)
    {
        TRY(read_parent(r, item, a));
    }
    return ERR_OK;
}

static bool present(const struct cedar_schema_reader *r, uint32_t at)
{
    return at && cedar_sj_type(r, at) != JSON_NULL;
}

static enum err read_action(struct cedar_schema_reader *r, uint32_t k, uint32_t v)
{
    uint32_t m[CEDAR_MEMBERS];
    struct cedar_decl_action *a = arena_alloc(r->b->a, sizeof(*a));
    if (!a)
        return ERR_NOMEM;
    a->space = r->space;
    a->at = cedar_sj_offset(r, k);
    a->id = cedar_sj_str(r, k);
    if (!cedar_sj_members(r, v, &action_form, m))
        return ERR_OK;
    if (present(r, m[A_ATTRIBUTES]))
        cedar_schema_fault(r->b, cedar_sj_offset(r, m[A_ATTRIBUTES]),
                           "actions have no attributes: expected no such member");
    if (present(r, m[A_APPLIES]))
        TRY(read_applies(r, m[A_APPLIES], a));
    if (present(r, m[A_MEMBER_OF]))
        TRY(read_groups(r, m[A_MEMBER_OF], a));
    TRY(cedar_sj_notes(r, m[A_NOTES], &a->notes));
    return cedar_decl_add(r->b, &r->b->d->action, a);
}

/* ---- the whole ---- */

enum { N_COMMON, N_ENTITY, N_ACTION, N_NOTES };
static const struct cedar_form space_form = {"a namespace", {"commonTypes", "entityTypes", "actions", "annotations"}};

static enum err read_each(struct cedar_schema_reader *r, uint32_t at, const char *what,
                          enum err (*read)(struct cedar_schema_reader *, uint32_t, uint32_t))
{
    if (cedar_sj_type(r, at) != JSON_OBJECT) {
        cedar_sj_wanted(r, at, what, "an object");
        return ERR_OK;
    }
    JSON_PAIRS(&r->j, at, k, v)
    {
        TRY(read(r, k, v));
        if (arena_failed(r->b->a))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

static enum err read_space(struct cedar_schema_reader *r, uint32_t k, uint32_t v)
{
    uint32_t m[CEDAR_MEMBERS];
    struct str name = cedar_sj_str(r, k);
    r->space = cedar_decl_space(r->b, name, cedar_sj_offset(r, k));
    if (!r->space)
        return ERR_NOMEM;
    if (name.n && !cedar_name_valid(name))
        cedar_schema_fault(r->b, cedar_sj_offset(r, k),
                           "%s is no name of a namespace: expected identifiers with `::` between them",
                           cedar_schema_quote(r->b, name));
    if (!cedar_sj_members(r, v, &space_form, m))
        return ERR_OK;
    for (int i = N_ENTITY; i <= N_ACTION; i++)
        if (!m[i])
            cedar_sj_missing(r, v, &space_form, space_form.member[i]);
    if (m[N_COMMON])
        TRY(read_each(r, m[N_COMMON], "`commonTypes`", read_common));
    if (m[N_ENTITY])
        TRY(read_each(r, m[N_ENTITY], "`entityTypes`", read_entity));
    if (m[N_ACTION])
        TRY(read_each(r, m[N_ACTION], "`actions`", read_action));
    TRY(cedar_sj_notes(r, m[N_NOTES], &r->space->notes));
    if (!name.n && r->space->notes.n)
        cedar_schema_fault(r->b, cedar_sj_offset(r, m[N_NOTES]),
                           "the empty namespace has annotations: expected them on declarations or named namespaces");
    return ERR_OK;
}

/* What the JSON parser says begins with the place. */
static enum err json_fault(struct cedar_schema_build *b, enum err e, const struct fault *f)
{
    unsigned line = 1, column = 1;
    int n = 0;
    if (e == ERR_NOMEM)
        return e;
    sscanf(f->text, "line %u, column %u: %n", &line, &column, &n);
    buf_fmt(b->faults, STR_FMT ":%u:%u: %s: expected JSON\n", STR_ARG(b->file), line, column, f->text + n);
    b->count++;
    b->limit = e == ERR_LIMIT;
    return ERR_OK;
}

enum err cedar_schema_read(struct str file, struct str json, struct cedar_schema **ret, struct buf *faults)
{
    struct cedar_schema_build b;
    TRY(cedar_schema_begin(&b, file, json, faults));
    struct cedar_schema_reader r = {.b = &b};
    struct fault f = {0};
    struct json_limits limits = {.depth = 3 * CEDAR_DEPTH + 8, .nodes = JSON_SCHEMA_NODES};
    enum err e = ERR_OK;
    if (!b.count) {
        e = json_parse(&r.j, b.text, b.a, &limits, &f);
        e = e ? json_fault(&b, e, &f) : read_each(&r, JSON_ROOT, "the schema", read_space);
    }
    return cedar_schema_end(&b, e, ret);
}

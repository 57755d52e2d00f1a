/* Declarations as JSON. */
#include "cedar/schema_inner.h"

static void out_notes(struct json_out *o, const struct cedar_notes *notes)
{
    if (notes->n == 0)
        return;
    json_key(o, STR("annotations"));
    json_open(o, '{');
    for (uint32_t i = 0; i < notes->n; i++) {
        json_key(o, notes->v[i].name);
        json_put_str(o, notes->v[i].bare ? STR("") : notes->v[i].value);
    }
    json_close(o, '}');
}

static void out_name(struct json_out *o, struct cedar_decl_name name)
{
    struct buf full;
    if (name.space.n == 0) {
        json_put_str(o, name.id);
        return;
    }
    buf_init(&full, CEDAR_TEXT_MAX);
    buf_str(&full, name.space);
    buf_z(&full, "::");
    buf_str(&full, name.id);
    if (buf_failed(&full))
        o->b->failed = o->b->poor = true;
    json_put_str(o, buf_view(&full));
    buf_done(&full);
}

static void out_names(struct json_out *o, const char *key, const struct cedar_decl_name *name, uint32_t n)
{
    json_key(o, str_of(key));
    json_open(o, '[');
    for (uint32_t i = 0; i < n; i++)
        out_name(o, name[i]);
    json_close(o, ']');
}

/* ---- types ---- */

static void out_members(struct json_out *o, const struct cedar_decl_type *t);

static void out_type(struct json_out *o, const struct cedar_decl_type *t)
{
    json_open(o, '{');
    out_members(o, t);
    json_close(o, '}');
}

static void out_attrs(struct json_out *o, const struct cedar_decl_type *t)
{
    json_key(o, STR("attributes"));
    json_open(o, '{');
    for (uint32_t i = 0; i < t->attrs && !buf_failed(o->b); i++) {
        json_key(o, t->attr[i].name);
        json_open(o, '{');
        out_members(o, t->attr[i].type);
        if (t->attr[i].optional)
            json_kv_bool(o, "required", false);
        out_notes(o, &t->attr[i].notes);
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void out_reference(struct json_out *o, const char *word, struct cedar_decl_name name)
{
    json_kv_z(o, "type", word);
    json_key(o, STR("name"));
    out_name(o, name);
}

/* A common type that is named like one of the form's words is told from it. */
static void out_common(struct json_out *o, struct cedar_decl_name name)
{
    if (name.space.n == 0 && str_is(name.id, "EntityOrCommon")) {
        out_reference(o, "EntityOrCommon", name);
        return;
    }
    json_key(o, STR("type"));
    out_name(o, name);
}

static void out_members(struct json_out *o, const struct cedar_decl_type *t)
{
    switch (t->kind) {
    case CEDAR_D_BOOL: json_kv_z(o, "type", "Boolean"); break;
    case CEDAR_D_LONG: json_kv_z(o, "type", "Long"); break;
    case CEDAR_D_STRING: json_kv_z(o, "type", "String"); break;
    case CEDAR_D_EXT: out_reference(o, "Extension", t->name); break;
    case CEDAR_D_SET:
        json_kv_z(o, "type", "Set");
        json_key(o, STR("element"));
        out_type(o, t->element);
        break;
    case CEDAR_D_RECORD:
        json_kv_z(o, "type", "Record");
        out_attrs(o, t);
        break;
    case CEDAR_D_ENTITY: out_reference(o, "Entity", t->name); break;
    case CEDAR_D_COMMON: out_common(o, t->name); break;
    case CEDAR_D_NAME: out_reference(o, "EntityOrCommon", t->name); break;
    }
}

/* ---- declarations ---- */

static bool is_empty(const struct cedar_decl_type *t)
{
    return !t || (t->kind == CEDAR_D_RECORD && t->attrs == 0);
}

static void out_commons(struct json_out *o, const struct cedar_decl_list *l)
{
    json_open(o, '{');
    for (uint32_t i = 0; i < l->n && !buf_failed(o->b); i++) {
        const struct cedar_decl_common *c = l->v[i];
        json_key(o, c->id);
        json_open(o, '{');
        out_members(o, c->type);
        out_notes(o, &c->notes);
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void out_entity(struct json_out *o, const struct cedar_decl_entity *e)
{
    json_key(o, e->id);
    json_open(o, '{');
    if (e->choices)
        json_kv_strs(o, "enum", e->choice, e->choices);
    if (e->ins)
        out_names(o, "memberOfTypes", e->in, e->ins);
    if (!is_empty(e->shape)) {
        json_key(o, STR("shape"));
        out_type(o, e->shape);
    }
    if (e->tags) {
        json_key(o, STR("tags"));
        out_type(o, e->tags);
    }
    out_notes(o, &e->notes);
    json_close(o, '}');
}

static void out_entities(struct json_out *o, const struct cedar_decl_list *l)
{
    json_open(o, '{');
    for (uint32_t i = 0; i < l->n && !buf_failed(o->b); i++)
        out_entity(o, l->v[i]);
    json_close(o, '}');
}

static void out_groups(struct json_out *o, const struct cedar_decl_action *a)
{
    json_key(o, STR("memberOf"));
    json_open(o, '[');
    for (uint32_t i = 0; i < a->ins; i++) {
        json_open(o, '{');
        json_kv_str(o, "id", a->in[i].id);
        if (a->in[i].type.id.n) {
            json_key(o, STR("type"));
            out_name(o, a->in[i].type);
        }
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void out_action(struct json_out *o, const struct cedar_decl_action *a)
{
    json_key(o, a->id);
    json_open(o, '{');
    if (a->ins)
        out_groups(o, a);
    if (a->applies) {
        json_key(o, STR("appliesTo"));
        json_open(o, '{');
        out_names(o, "principalTypes", a->principal, a->principals);
        out_names(o, "resourceTypes", a->resource, a->resources);
        if (!is_empty(a->context)) {
            json_key(o, STR("context"));
            out_type(o, a->context);
        }
        json_close(o, '}');
    }
    out_notes(o, &a->notes);
    json_close(o, '}');
}

static void out_actions(struct json_out *o, const struct cedar_decl_list *l)
{
    json_open(o, '{');
    for (uint32_t i = 0; i < l->n && !buf_failed(o->b); i++)
        out_action(o, l->v[i]);
    json_close(o, '}');
}

static void out_space(struct json_out *o, const struct cedar_decl_space *s)
{
    json_key(o, s->name);
    json_open(o, '{');
    if (s->common.n) {
        json_key(o, STR("commonTypes"));
        out_commons(o, &s->common);
    }
    json_key(o, STR("entityTypes"));
    out_entities(o, &s->entity);
    json_key(o, STR("actions"));
    out_actions(o, &s->action);
    out_notes(o, &s->notes);
    json_close(o, '}');
}

void cedar_schema_json(const struct cedar_schema *s, struct json_out *out)
{
    const struct cedar_decls *d = s->decls;
    json_open(out, '{');
    for (uint32_t i = 0; i < d->space.n && !buf_failed(out->b); i++) {
        const struct cedar_decl_space *space = d->space.v[i];
        if (space->name.n || space->common.n || space->entity.n || space->action.n)
            out_space(out, space);
    }
    json_close(out, '}');
}

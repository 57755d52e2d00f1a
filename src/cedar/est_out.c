/* Policies as JSON: writing. */
#include "cedar/est.h"
#include "cedar/lex.h"

static const char *const vars[] = {"principal", "action", "resource", "context"};
static const char *const slots[] = {"?principal", "", "?resource"};

static void put_uid(const struct cedar_uid *uid, struct json_out *out)
{
    json_open(out, '{');
    json_kv_str(out, "type", uid->type);
    json_kv_str(out, "id", uid->id);
    json_close(out, '}');
}

/* ---- expressions ---- */

static void put_expr(const struct cedar_expr *e, struct json_out *out);

static void put_arg(const char *key, const struct cedar_expr *e, struct json_out *out)
{
    json_key(out, str_of(key));
    put_expr(e, out);
}

/* {"NAME": {...}}, opened */
static void open_named(const char *name, struct json_out *out)
{
    json_open(out, '{');
    json_key(out, str_of(name));
    json_open(out, '{');
}

static void close_named(struct json_out *out)
{
    json_close(out, '}');
    json_close(out, '}');
}

static void put_two(const char *name, const struct cedar_expr *e, struct json_out *out)
{
    open_named(name, out);
    put_arg("left", e->a, out);
    put_arg("right", e->b, out);
    close_named(out);
}

static void put_one(const char *name, const struct cedar_expr *e, struct json_out *out)
{
    open_named(name, out);
    put_arg("arg", e->a, out);
    close_named(out);
}

static void put_value(const struct cedar_expr *e, struct json_out *out)
{
    json_open(out, '{');
    json_key(out, STR("Value"));
    cedar_value_json(e->lit, out);
    json_close(out, '}');
}

static void put_is(const struct cedar_expr *e, struct json_out *out)
{
    open_named("is", out);
    put_arg("left", e->of, out);
    json_kv_str(out, "entity_type", e->name);
    if (e->in)
        put_arg("in", e->in, out);
    close_named(out);
}

static void put_names(const struct cedar_expr *e, struct json_out *out)
{
    if (e->op == CEDAR_OP_AND)
        put_names(e->a, out);
    json_put_str(out, e->op == CEDAR_OP_AND ? e->b->name : e->name);
}

/* a has x.y.z */
static void put_has(const struct cedar_expr *e, struct json_out *out)
{
    const struct cedar_expr *first = e;
    while (first->op == CEDAR_OP_AND)
        first = first->a;
    open_named("has", out);
    put_arg("left", first->of, out);
    json_key(out, STR("attr"));
    if (first == e) {
        json_put_str(out, e->name);
    } else {
        json_open(out, '[');
        put_names(e, out);
        json_close(out, ']');
    }
    close_named(out);
}

static void put_get(const struct cedar_expr *e, struct json_out *out)
{
    open_named(".", out);
    put_arg("left", e->of, out);
    json_kv_str(out, "attr", e->name);
    close_named(out);
}

/* The language's own JSON has every character of a pattern on its own. */
static void put_piece(struct str s, struct json_out *out)
{
    for (uint32_t at = 0, from = 0; at < s.n; from = at) {
        cedar_utf8_get(s, &at);
        json_open(out, '{');
        json_kv_str(out, "Literal", (struct str){s.p + from, at - from});
        json_close(out, '}');
    }
}

static void put_like(const struct cedar_expr *e, struct json_out *out)
{
    open_named("like", out);
    put_arg("left", e->of, out);
    json_key(out, STR("pattern"));
    json_open(out, '[');
    for (uint32_t i = 0; i < e->pattern->n; i++) {
        if (i)
            json_put_str(out, STR("Wildcard"));
        put_piece(e->pattern->piece[i], out);
    }
    json_close(out, ']');
    close_named(out);
}

static void put_if(const struct cedar_expr *e, struct json_out *out)
{
    open_named("if-then-else", out);
    put_arg("if", e->a, out);
    put_arg("then", e->b, out);
    put_arg("else", e->c, out);
    close_named(out);
}

static void put_list(const char *name, const struct cedar_expr *e, struct json_out *out)
{
    bool record = e->op == CEDAR_OP_RECORD;
    json_open(out, '{');
    json_key(out, str_of(name));
    json_open(out, record ? '{' : '[');
    for (uint32_t i = 0; i < e->n; i++) {
        if (record)
            json_key(out, e->key[i]);
        put_expr(e->item[i], out);
    }
    json_close(out, record ? '}' : ']');
    json_close(out, '}');
}

static void put_text(const char *name, const char *value, struct json_out *out)
{
    json_open(out, '{');
    json_kv_z(out, name, value);
    json_close(out, '}');
}

static void put_expr(const struct cedar_expr *e, struct json_out *out)
{
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_LIT: put_value(e, out); break;
    case CEDAR_OP_VAR: put_text("Var", vars[e->sub], out); break;
    case CEDAR_OP_SLOT: put_text("Slot", slots[e->sub], out); break;
    case CEDAR_OP_IF: put_if(e, out); break;
    case CEDAR_OP_AND:
        if (e->sub)
            put_has(e, out);
        else
            put_two("&&", e, out);
        break;
    case CEDAR_OP_IS: put_is(e, out); break;
    case CEDAR_OP_HAS: put_has(e, out); break;
    case CEDAR_OP_GET: put_get(e, out); break;
    case CEDAR_OP_LIKE: put_like(e, out); break;
    case CEDAR_OP_SET: put_list("Set", e, out); break;
    case CEDAR_OP_RECORD: put_list("Record", e, out); break;
    case CEDAR_OP_CALL: put_list(cedar_ext_info((enum cedar_ext)e->sub)->name, e, out); break;
#define ONE(op, name)                                                                                                  \
    case CEDAR_OP_##op:                                                                                                \
        put_one(name, e, out);                                                                                         \
        break;
#define TWO(op, name)                                                                                                  \
    case CEDAR_OP_##op:                                                                                                \
        put_two(name, e, out);                                                                                         \
        break;
#include "cedar/est.def"
#undef ONE
#undef TWO
    }
}

/* ---- policies ---- */

static void put_target(const struct cedar_scope *s, enum cedar_var var, struct json_out *out)
{
    if (s->slot) {
        json_kv_z(out, "slot", slots[var]);
        return;
    }
    if (s->kind != CEDAR_IN_ANY) {
        json_key(out, STR("entity"));
        put_uid(s->uid, out);
        return;
    }
    json_key(out, STR("entities"));
    json_open(out, '[');
    for (uint32_t i = 0; i < s->n; i++)
        put_uid(&s->uid[i], out);
    json_close(out, ']');
}

static void put_scope(const struct cedar_scope *s, enum cedar_var var, struct json_out *out)
{
    static const char *const ops[] = {[CEDAR_ANY] = "All",   [CEDAR_EQ] = "==", [CEDAR_IN] = "in",
                                      [CEDAR_IN_ANY] = "in", [CEDAR_IS] = "is", [CEDAR_IS_IN] = "is"};
    json_key(out, str_of(vars[var]));
    json_open(out, '{');
    json_kv_z(out, "op", ops[s->kind]);
    if (s->kind == CEDAR_IS || s->kind == CEDAR_IS_IN)
        json_kv_str(out, "entity_type", s->type);
    if (s->kind == CEDAR_IS_IN) {
        json_key(out, STR("in"));
        json_open(out, '{');
        put_target(s, var, out);
        json_close(out, '}');
    } else if (s->kind != CEDAR_ANY && s->kind != CEDAR_IS) {
        put_target(s, var, out);
    }
    json_close(out, '}');
}

static void put_annotations(const struct cedar_policy *p, struct json_out *out)
{
    json_key(out, STR("annotations"));
    json_open(out, '{');
    for (uint32_t i = 0; i < p->annotations; i++) {
        json_key(out, p->annotation[i].name);
        if (p->annotation[i].bare)
            json_put_null(out);
        else
            json_put_str(out, p->annotation[i].value);
    }
    json_close(out, '}');
}

void cedar_est_policy(const struct cedar_policy *p, struct json_out *out)
{
    json_open(out, '{');
    json_kv_z(out, "effect", p->effect == CEDAR_PERMIT ? "permit" : "forbid");
    put_scope(&p->principal, CEDAR_PRINCIPAL, out);
    put_scope(&p->action, CEDAR_ACTION, out);
    put_scope(&p->resource, CEDAR_RESOURCE, out);
    json_key(out, STR("conditions"));
    json_open(out, '[');
    for (uint32_t i = 0; i < p->conditions; i++) {
        json_open(out, '{');
        json_kv_z(out, "kind", p->condition[i].unless ? "unless" : "when");
        put_arg("body", p->condition[i].expr, out);
        json_close(out, '}');
    }
    json_close(out, ']');
    if (p->annotations)
        put_annotations(p, out);
    json_close(out, '}');
}

/* ---- sets ---- */

static void put_policies(const struct cedar_policies *ps, const char *key, bool templates, struct json_out *out)
{
    json_key(out, str_of(key));
    json_open(out, '{');
    for (uint32_t i = 0; i < ps->n; i++) {
        const struct cedar_policy *p = ps->policy[i];
        if (p->link_of || p->is_template != templates)
            continue;
        json_key(out, p->id);
        cedar_est_policy(p, out);
    }
    json_close(out, '}');
}

static void put_link(const struct cedar_policy *p, struct json_out *out)
{
    json_open(out, '{');
    json_kv_str(out, "templateId", p->link_of->id);
    json_kv_str(out, "newId", p->id);
    json_key(out, STR("values"));
    json_open(out, '{');
    if (p->link_of->principal.slot) {
        json_key(out, STR("?principal"));
        put_uid(p->principal.uid, out);
    }
    if (p->link_of->resource.slot) {
        json_key(out, STR("?resource"));
        put_uid(p->resource.uid, out);
    }
    json_close(out, '}');
    json_close(out, '}');
}

void cedar_est_set(const struct cedar_policies *ps, struct json_out *out)
{
    json_open(out, '{');
    put_policies(ps, "templates", true, out);
    put_policies(ps, "staticPolicies", false, out);
    json_key(out, STR("templateLinks"));
    json_open(out, '[');
    for (uint32_t i = 0; i < ps->n; i++)
        if (ps->policy[i]->link_of)
            put_link(ps->policy[i], out);
    json_close(out, ']');
    json_close(out, '}');
}

/* Policies as text; and whether two are the same. */
#include "cedar/print.h"

enum { COLUMNS = 100 };

static const char *const vars[] = {"principal", "action", "resource"};

static void print_uid(const struct cedar_uid *uid, struct buf *out)
{
    cedar_value_print(cedar_entity_value(uid), out);
}

static void print_target(const struct cedar_scope *s, enum cedar_var var, struct buf *out)
{
    if (s->slot) {
        buf_fmt(out, "?%s", vars[var]);
        return;
    }
    if (s->kind != CEDAR_IN_ANY) {
        print_uid(s->uid, out);
        return;
    }
    buf_char(out, '[');
    for (uint32_t i = 0; i < s->n; i++) {
        if (i)
            buf_z(out, ", ");
        print_uid(&s->uid[i], out);
    }
    buf_char(out, ']');
}

static void print_scope(const struct cedar_scope *s, enum cedar_var var, struct buf *out)
{
    buf_z(out, vars[var]);
    if (s->kind == CEDAR_ANY)
        return;
    if (s->kind == CEDAR_IS || s->kind == CEDAR_IS_IN) {
        buf_z(out, " is ");
        buf_str(out, s->type);
        if (s->kind == CEDAR_IS)
            return;
    }
    buf_z(out, s->kind == CEDAR_EQ ? " == " : " in ");
    print_target(s, var, out);
}

static void print_scopes(const struct cedar_policy *p, const char *between, struct buf *out)
{
    print_scope(&p->principal, CEDAR_PRINCIPAL, out);
    buf_z(out, between);
    print_scope(&p->action, CEDAR_ACTION, out);
    buf_z(out, between);
    print_scope(&p->resource, CEDAR_RESOURCE, out);
}

static void print_head(const struct cedar_policy *p, struct buf *out)
{
    struct buf line;
    const char *effect = p->effect == CEDAR_PERMIT ? "permit" : "forbid";
    buf_init(&line, COLUMNS - 8); /* "permit(" and ")" */
    print_scopes(p, ", ", &line);
    if (buf_failed(&line)) {
        buf_fmt(out, "%s(\n    ", effect);
        print_scopes(p, ",\n    ", out);
        buf_z(out, "\n)");
    } else {
        buf_fmt(out, "%s(" STR_FMT ")", effect, STR_ARG(buf_view(&line)));
    }
    buf_done(&line);
}

void cedar_print_policy(const struct cedar_policy *p, struct buf *out)
{
    for (uint32_t i = 0; i < p->annotations; i++) {
        const struct cedar_annotation *a = &p->annotation[i];
        buf_char(out, '@');
        buf_str(out, a->name);
        if (!a->bare) {
            buf_char(out, '(');
            cedar_string_print(a->value, out);
            buf_char(out, ')');
        }
        buf_char(out, '\n');
    }
    print_head(p, out);
    for (uint32_t i = 0; i < p->conditions; i++) {
        buf_z(out, p->condition[i].unless ? "\nunless { " : "\nwhen { ");
        cedar_print_expr(p->condition[i].expr, out);
        buf_z(out, " }");
    }
    buf_z(out, ";\n");
}

/* ---- the same ---- */

static bool same_list(const struct cedar_expr *a, const struct cedar_expr *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if ((a->op == CEDAR_OP_RECORD && !str_eq(a->key[i], b->key[i])) || !cedar_expr_same(a->item[i], b->item[i]))
            return false;
    return true;
}

static bool same_pattern(const struct cedar_pattern *a, const struct cedar_pattern *b)
{
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = str_eq(a->piece[i], b->piece[i]);
    return same;
}

bool cedar_expr_same(const struct cedar_expr *a, const struct cedar_expr *b)
{
    if (a == b)
        return true;
    if (a->op != b->op || a->sub != b->sub)
        return false;
    switch ((enum cedar_op)a->op) {
    case CEDAR_OP_LIT: return cedar_value_eq(a->lit, b->lit);
    case CEDAR_OP_VAR:
    case CEDAR_OP_SLOT: return true;
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
    case CEDAR_OP_IS_EMPTY: return cedar_expr_same(a->a, b->a);
    case CEDAR_OP_IF: return cedar_expr_same(a->a, b->a) && cedar_expr_same(a->b, b->b) && cedar_expr_same(a->c, b->c);
    case CEDAR_OP_HAS:
    case CEDAR_OP_GET: return str_eq(a->name, b->name) && cedar_expr_same(a->of, b->of);
    case CEDAR_OP_LIKE: return same_pattern(a->pattern, b->pattern) && cedar_expr_same(a->of, b->of);
    case CEDAR_OP_IS:
        return str_eq(a->name, b->name) && !a->in == !b->in && cedar_expr_same(a->of, b->of) &&
               (!a->in || cedar_expr_same(a->in, b->in));
    case CEDAR_OP_SET:
    case CEDAR_OP_RECORD:
    case CEDAR_OP_CALL: return same_list(a, b);
    default: return cedar_expr_same(a->a, b->a) && cedar_expr_same(a->b, b->b);
    }
}

static bool same_scope(const struct cedar_scope *a, const struct cedar_scope *b)
{
    bool same = a->kind == b->kind && a->slot == b->slot && str_eq(a->type, b->type) && a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = cedar_uid_eq(&a->uid[i], &b->uid[i]);
    return same;
}

bool cedar_policy_same(const struct cedar_policy *a, const struct cedar_policy *b)
{
    bool same = a->effect == b->effect && a->is_template == b->is_template && a->annotations == b->annotations &&
                a->conditions == b->conditions && same_scope(&a->principal, &b->principal) &&
                same_scope(&a->action, &b->action) && same_scope(&a->resource, &b->resource);
    for (uint32_t i = 0; same && i < a->annotations; i++) {
        const struct cedar_annotation *x = &a->annotation[i], *y = cedar_annotation_find(b, x->name);
        same = y && x->bare == y->bare && str_eq(x->value, y->value);
    }
    for (uint32_t i = 0; same && i < a->conditions; i++)
        same = a->condition[i].unless == b->condition[i].unless &&
               cedar_expr_same(a->condition[i].expr, b->condition[i].expr);
    return same;
}

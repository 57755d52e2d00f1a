/* Expressions: what each operator wants of its operands, and what it comes to. */
#include "cedar/check.h"

#include <stdio.h>

/* ---- operands ---- */

static bool of_kind(const struct cedar_type *t, unsigned want)
{
    switch (t->kind) {
    case CEDAR_T_NEVER: return true;
    case CEDAR_T_TRUE:
    case CEDAR_T_FALSE:
    case CEDAR_T_BOOL: return want & CEDAR_WANT_BOOL;
    case CEDAR_T_LONG: return want & CEDAR_WANT_LONG;
    case CEDAR_T_STRING: return want & CEDAR_WANT_STRING;
    case CEDAR_T_SET:
        return want & CEDAR_WANT_SET ||
               (want & CEDAR_WANT_ENTITIES && t->element && of_kind(t->element, CEDAR_WANT_ENTITY));
    case CEDAR_T_RECORD: return want & CEDAR_WANT_RECORD;
    case CEDAR_T_ENTITY:
    case CEDAR_T_ANY_ENTITY: return want & CEDAR_WANT_ENTITY;
    case CEDAR_T_EXT: return want & (unsigned)CEDAR_WANT_EXT << (t->ext - CEDAR_DECIMAL);
    }
    return false;
}

static const char *wanted(unsigned want, char *text, size_t size)
{
    static const char *const name[] = {
        "Bool",    "Long",   "String",   "an entity", "a record", "a set", "a set of entities",
        "decimal", "ipaddr", "datetime", "duration"};
    size_t n = 0;
    text[0] = 0;
    for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        if (want & 1u << i)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " or " : "", name[i]);
    return text;
}

/* What people mean who write this. */
static const char *advice(const struct cedar_expr *of, const struct cedar_expr *e, const struct cedar_type *t)
{
    bool set = t->kind == CEDAR_T_SET, string = t->kind == CEDAR_T_STRING;
    bool entity = t->kind == CEDAR_T_ENTITY || t->kind == CEDAR_T_ANY_ENTITY;
    switch ((enum cedar_op)of->op) {
    case CEDAR_OP_HAS:
    case CEDAR_OP_IN:
        if (set || (of->op == CEDAR_OP_IN && e == of->a))
            return ": `contains` looks into a set";
        return string ? ": `like` looks into a string" : "";
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY:
        if (e == of->b)
            return ": `contains` looks for a single value";
        return entity                      ? ": `in` asks what an entity is in"
               : t->kind == CEDAR_T_RECORD ? ": `has` looks into a record"
               : string                    ? ": `like` looks into a string"
                                           : "";
    case CEDAR_OP_LIKE: return entity ? ": `is` asks for an entity's type" : "";
    case CEDAR_OP_IS: return ": `is` asks for the type of entities only";
    case CEDAR_OP_IS_EMPTY: return string ? ": compare a string with \"\"" : "";
    case CEDAR_OP_ADD:
        if (string)
            return ": strings cannot be joined";
        return set ? ": there is no arithmetic of sets" : "";
    case CEDAR_OP_SUB:
    case CEDAR_OP_MUL: return set ? ": there is no arithmetic of sets" : "";
    default: return "";
    }
}

bool cedar_check_fits(struct cedar_check *c, const struct cedar_expr *of, const struct cedar_expr *e,
                      const struct cedar_type *t, unsigned want)
{
    char text[160];
    if (of_kind(t, want))
        return true;
    if (cedar_check_wrong(c, e, e->at, CEDAR_WRONG_TYPE))
        cedar_check_say(c, "`%s` must be %s, but is %s%s", cedar_check_expr_text(c, e),
                        wanted(want, text, sizeof(text)), cedar_check_type_text(c, t), of ? advice(of, e, t) : "");
    return false;
}

struct cedar_found cedar_check_operand(struct cedar_check *c, const struct cedar_expr *of, const struct cedar_expr *e,
                                       unsigned want)
{
    struct cedar_found f = cedar_check_expr(c, e);
    if (!f.type || !cedar_check_fits(c, of, e, f.type, want))
        return cedar_found_if(false, NULL);
    return f;
}

/* ---- operators ---- */

static struct cedar_found check_literal(struct cedar_check *c, struct cedar_value v)
{
    switch ((enum cedar_kind)v.kind) {
    case CEDAR_BOOL: return cedar_found_ok(cedar_type_singleton(v.b));
    case CEDAR_ENTITY: break;
    default: return cedar_found_if(cedar_type_of_ext(v.kind) != NULL, cedar_type_of_ext(v.kind));
    }
    /* An unknown one is reported by check_names.c, but has no type here. */
    bool known = cedar_check_is_action(v.uid->type) ? cedar_schema_action(c->schema, v.uid) != NULL
                                                    : cedar_schema_entity(c->schema, v.uid->type) != NULL;
    struct cedar_type *t = known ? arena_alloc(&c->scratch, sizeof(*t)) : NULL;
    if (t)
        *t = (struct cedar_type){.kind = CEDAR_T_ENTITY, .entity = &v.uid->type, .entities = 1};
    return cedar_found_if(t, t);
}

static struct cedar_found check_var(struct cedar_check *c, uint8_t var)
{
    switch ((enum cedar_var)var) {
    case CEDAR_PRINCIPAL: return cedar_found_ok(&c->principal_type);
    case CEDAR_ACTION: return cedar_found_ok(&c->action_type);
    case CEDAR_RESOURCE: return cedar_found_ok(&c->resource_type);
    case CEDAR_CONTEXT: break;
    }
    return cedar_found_ok(c->action->context);
}

static struct cedar_found check_not(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_BOOL);
    if (a.type && a.type->kind != CEDAR_T_BOOL)
        return cedar_found_if(a.ok, cedar_type_singleton(a.type->kind == CEDAR_T_FALSE));
    return cedar_found_if(a.ok, &cedar_type_bool);
}

static struct cedar_found check_not_eq(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found f = cedar_check_eq(c, e);
    if (f.type->kind != CEDAR_T_BOOL)
        f.type = cedar_type_singleton(f.type->kind == CEDAR_T_FALSE);
    return f;
}

static struct cedar_found check_arithmetic(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_LONG);
    struct cedar_found b = cedar_check_operand(c, e, e->b, CEDAR_WANT_LONG);
    return cedar_found_if(a.ok && b.ok, &cedar_type_long);
}

#define ORDERED                                                                                                        \
    (CEDAR_WANT_LONG | CEDAR_WANT_EXT << (CEDAR_DATETIME - CEDAR_DECIMAL) |                                            \
     CEDAR_WANT_EXT << (CEDAR_DURATION - CEDAR_DECIMAL))

/* Both are Long, or both are datetime, or both are duration. */
static struct cedar_found check_order(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_found a = cedar_check_expr(c, e->a), b = cedar_check_expr(c, e->b);
    bool ok = a.ok && b.ok && a.type && b.type;
    if (!a.type || !b.type || (cedar_type_eq(a.type, b.type) && of_kind(a.type, ORDERED)))
        return cedar_found_if(ok, &cedar_type_bool);
    static const unsigned one[] = {CEDAR_WANT_LONG, CEDAR_WANT_EXT << (CEDAR_DATETIME - CEDAR_DECIMAL),
                                   CEDAR_WANT_EXT << (CEDAR_DURATION - CEDAR_DECIMAL)};
    for (unsigned i = 0; i < 3; i++)
        if (of_kind(a.type, one[i]) || of_kind(b.type, one[i])) {
            ok &= cedar_check_fits(c, e, e->a, a.type, one[i]);
            ok &= cedar_check_fits(c, e, e->b, b.type, one[i]);
            return cedar_found_if(ok, &cedar_type_bool);
        }
    cedar_check_fits(c, e, e->a, a.type, ORDERED);
    cedar_check_fits(c, e, e->b, b.type, ORDERED);
    return cedar_found_if(false, &cedar_type_bool);
}

static struct cedar_found check_test(struct cedar_check *c, const struct cedar_expr *e, const struct cedar_expr *of,
                                     unsigned want)
{
    struct cedar_found a = cedar_check_operand(c, e, of, want);
    return cedar_found_if(a.ok, &cedar_type_bool);
}

static struct cedar_found check(struct cedar_check *c, const struct cedar_expr *e)
{
    static const struct cedar_type any = {.kind = CEDAR_T_ANY_ENTITY};
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_LIT: return check_literal(c, e->lit);
    case CEDAR_OP_VAR: return check_var(c, e->sub);
    case CEDAR_OP_SLOT: return cedar_found_ok(&any);
    case CEDAR_OP_NOT: return check_not(c, e);
    case CEDAR_OP_NEG: {
        struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_LONG);
        return cedar_found_if(a.ok, &cedar_type_long);
    }
    case CEDAR_OP_IF: return cedar_check_if(c, e);
    case CEDAR_OP_AND: return cedar_check_and(c, e);
    case CEDAR_OP_OR: return cedar_check_or(c, e);
    case CEDAR_OP_EQ: return cedar_check_eq(c, e);
    case CEDAR_OP_NE: return check_not_eq(c, e);
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE: return check_order(c, e);
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB:
    case CEDAR_OP_MUL: return check_arithmetic(c, e);
    case CEDAR_OP_IN: return cedar_check_in(c, e);
    case CEDAR_OP_IS: return cedar_check_is(c, e);
    case CEDAR_OP_HAS: return cedar_check_has(c, e);
    case CEDAR_OP_GET: return cedar_check_get(c, e);
    case CEDAR_OP_LIKE: return check_test(c, e, e->of, CEDAR_WANT_STRING);
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY: return cedar_check_contains(c, e);
    case CEDAR_OP_IS_EMPTY: return check_test(c, e, e->a, CEDAR_WANT_SET);
    case CEDAR_OP_HAS_TAG: return cedar_check_has_tag(c, e);
    case CEDAR_OP_GET_TAG: return cedar_check_get_tag(c, e);
    case CEDAR_OP_SET: return cedar_check_set(c, e);
    case CEDAR_OP_RECORD: return cedar_check_record(c, e);
    case CEDAR_OP_CALL: return cedar_check_call(c, e);
    }
    return cedar_found_if(false, NULL);
}

struct cedar_found cedar_check_expr(struct cedar_check *c, const struct cedar_expr *e)
{
    if (c->depth == CEDAR_CHECK_DEPTH) {
        if (cedar_check_wrong(c, e, e->at, CEDAR_WRONG_LIMIT))
            cedar_check_say(c, "nested too deep: write it flatter, or in several conditions");
        return cedar_found_if(false, NULL);
    }
    c->depth++;
    struct cedar_found f = check(c, e);
    c->depth--;
    if (!f.ok)
        f.caps = NULL; /* nothing is learned from what is wrong */
    return f;
}

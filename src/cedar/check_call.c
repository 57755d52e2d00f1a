/* Sets, records, and the functions of extension types. */
#include "cedar/check.h"

#include <stdlib.h>

/* ---- sets ---- */

struct cedar_found cedar_check_set(struct cedar_check *c, const struct cedar_expr *e)
{
    const struct cedar_type *t = NULL;
    bool ok = true, joins = e->n > 0;
    if (e->n == 0 && cedar_check_wrong(c, e, e->at, CEDAR_WRONG_EMPTY))
        cedar_check_say(c, "an empty set has no type: leave it out, or ask with isEmpty()");
    for (uint32_t i = 0; i < e->n; i++) {
        struct cedar_found f = cedar_check_expr(c, e->item[i]);
        ok &= f.ok;
        if (!f.type || !joins) {
            joins = false;
            continue;
        }
        const struct cedar_type *both = t ? cedar_type_join(&c->join, t, f.type) : f.type;
        if (!both && cedar_check_wrong(c, e, e->item[i]->at, CEDAR_WRONG_JOIN))
            cedar_check_say(c, "a set holds values of one type, and here are %s and %s: keep them apart",
                            cedar_check_type_text(c, t), cedar_check_type_text(c, f.type));
        joins = both != NULL;
        t = both;
    }
    struct cedar_type *set = joins ? arena_alloc(&c->scratch, sizeof(*set)) : NULL;
    if (set)
        *set = (struct cedar_type){.kind = CEDAR_T_SET, .element = t};
    return cedar_found_if(ok && set, set);
}

struct cedar_found cedar_check_contains(struct cedar_check *c, const struct cedar_expr *e)
{
    bool single = e->op == CEDAR_OP_CONTAINS;
    struct cedar_found a = cedar_check_operand(c, e, e->a, CEDAR_WANT_SET);
    struct cedar_found b = single ? cedar_check_expr(c, e->b) : cedar_check_operand(c, e, e->b, CEDAR_WANT_SET);
    const struct cedar_type *holds = single && a.type ? a.type->element : a.type;
    return cedar_found_if(cedar_check_same(c, e, holds, b.type) && a.ok && b.ok, &cedar_type_bool);
}

/* ---- records ---- */

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct cedar_attr *)a)->name, ((const struct cedar_attr *)b)->name);
}

struct cedar_found cedar_check_record(struct cedar_check *c, const struct cedar_expr *e)
{
    struct cedar_attr *attr = arena_alloc(&c->scratch, ((size_t)e->n + 1) * sizeof(*attr));
    struct cedar_type *t = arena_alloc(&c->scratch, sizeof(*t));
    bool ok = true, typed = true;
    if (!attr || !t)
        return cedar_found_if(false, NULL);
    for (uint32_t i = 0; i < e->n; i++) {
        struct cedar_found f = cedar_check_expr(c, e->item[i]);
        ok &= f.ok;
        typed &= f.type != NULL;
        attr[i] = (struct cedar_attr){e->key[i], f.type, true};
    }
    if (!typed)
        return cedar_found_if(false, NULL);
    qsort(attr, e->n, sizeof(*attr), by_name);
    *t = (struct cedar_type){.kind = CEDAR_T_RECORD, .attr = attr, .attrs = e->n};
    return cedar_found_if(ok, t);
}

/* ---- extension functions ---- */

static enum err parse(struct cedar_check *c, enum cedar_kind k, struct str text, struct fault *f)
{
    struct cedar_value v;
    switch (k) {
    case CEDAR_DECIMAL: return cedar_decimal_parse(text, &v, f);
    case CEDAR_IP: return cedar_ip_parse(text, &c->scratch, &v, f);
    case CEDAR_DATETIME: return cedar_datetime_parse(text, &v, f);
    default: return cedar_duration_parse(text, &v, f);
    }
}

/* What a policy makes an extension value of stands in it, and is one: so it cannot fail later. */
static bool check_text(struct cedar_check *c, const struct cedar_expr *e, const struct cedar_ext_info *info)
{
    struct fault f;
    if (info->style != CEDAR_FUNCTION)
        return true;
    bool literal = true;
    for (uint32_t i = 0; i < e->n; i++)
        literal &= e->item[i]->op == CEDAR_OP_LIT;
    if (!literal) {
        if (cedar_check_wrong(c, e, e->at, CEDAR_WRONG_LITERAL))
            cedar_check_say(c, "%s(…) takes a string that stands in the policy: declare the value as %s in the schema",
                            info->name, cedar_check_type_text(c, cedar_type_of_ext(info->result)));
        return false;
    }
    if (e->n != 1 || e->item[0]->lit.kind != CEDAR_STRING)
        return true; /* reported as such */
    enum err err = parse(c, info->result, cedar_value_str(e->item[0]->lit), &f);
    if (err == ERR_OK)
        return true;
    if (err == ERR_NOMEM)
        c->err = err;
    else if (cedar_check_wrong(c, e, e->item[0]->at, CEDAR_WRONG_LITERAL))
        cedar_check_say(c, "%s", f.text);
    return false;
}

struct cedar_found cedar_check_call(struct cedar_check *c, const struct cedar_expr *e)
{
    const struct cedar_ext_info *info = cedar_ext_info((enum cedar_ext)e->sub);
    bool ok = e->n == info->n, method = info->style == CEDAR_METHOD;
    unsigned takes = info->n - method;
    if (!ok && cedar_check_wrong(c, e, e->at, CEDAR_WRONG_COUNT))
        cedar_check_say(c, "%s takes %u argument%s, but has %u", info->name, takes, takes == 1 ? "" : "s",
                        e->n - (method && e->n));
    ok &= check_text(c, e, info);
    bool typed = ok;
    for (uint32_t i = 0; i < e->n; i++) {
        struct cedar_found f;
        if (!typed) {
            f = cedar_check_expr(c, e->item[i]);
        } else {
            unsigned want = info->arg[i] == CEDAR_STRING ? (unsigned)CEDAR_WANT_STRING
                                                         : (unsigned)CEDAR_WANT_EXT << (info->arg[i] - CEDAR_DECIMAL);
            f = cedar_check_operand(c, e, e->item[i], want);
        }
        ok &= f.ok;
    }
    return cedar_found_if(ok, cedar_type_of_ext(info->result));
}

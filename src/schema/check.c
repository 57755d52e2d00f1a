/*
 * Judging a value. Every step into a subschema costs one of the budget's steps and one of the levels of recursion, so
 * that a hostile schema ends in ERR_LIMIT and not in a stalled worker. Nothing is formatted on the way: a misfit is
 * noted (schema_miss) and put into words only when it is the verdict.
 *
 * What unevaluatedProperties and unevaluatedItems need to know is one bit for each member or item of the value at hand
 * ("seen"), kept on a stack of words; a subschema that nobody asks for its bits (SCHEMA_NONE) does not collect any.
 * After a misfit the bits are undefined: whoever goes on gave that subschema a set of its own.
 */
#include <assert.h>

#include "schema/inner.h"

enum verdict { MISFIT, FITS, STOP }; /* STOP: run.err says why */

struct scope { /* resources that were entered, innermost first; for $dynamicRef */
    const struct scope *outer;
    uint32_t resource;
};

struct run {
    const struct schema *s;
    const struct json *doc;
    struct arena *scratch;
    uint32_t steps, levels;
    enum err err;
    struct schema_miss miss;
    const struct scope *scope;
    uint64_t *bits;
    uint32_t bits_top, bits_cap;
    struct schema_matcher matcher;
};

static enum verdict check(struct run *r, uint32_t node, uint32_t at, uint32_t seen);

static enum verdict stop(struct run *r, enum err e)
{
    r->err = e;
    return STOP;
}

static enum verdict miss(struct run *r, const struct schema_node *n, uint32_t at, enum schema_reason why,
                         uint32_t detail, uint32_t other)
{
    r->miss = (struct schema_miss){.here = {n, at, why, detail, other}};
    return MISFIT;
}

#define SPEND(r, cost)                                                                                                 \
    do {                                                                                                               \
        if (!schema_spend(&(r)->steps, cost))                                                                          \
            return stop(r, ERR_LIMIT);                                                                                 \
    } while (0)
/* Goes on only when the subschema fits. */
#define MUST_FIT(expr)                                                                                                 \
    do {                                                                                                               \
        enum verdict verdict_ = (expr);                                                                                \
        if (verdict_ != FITS)                                                                                          \
            return verdict_;                                                                                           \
    } while (0)

/* ---- bits ---- */

static uint32_t bits_words(const struct run *r, uint32_t at)
{
    return (r->doc->node[at].size + 63) / 64;
}

static enum verdict bits_push(struct run *r, uint32_t at, uint32_t *ret)
{
    uint32_t words = bits_words(r, at);
    SPEND(r, 1 + words / 32);
    if (words > r->bits_cap - r->bits_top) {
        uint32_t cap = r->bits_cap * 2 + words + 16;
        uint64_t *bits = arena_raw(r->scratch, cap * sizeof(*bits), _Alignof(uint64_t));
        if (!bits)
            return stop(r, ERR_NOMEM);
        if (r->bits_top)
            memcpy(bits, r->bits, r->bits_top * sizeof(*bits));
        r->bits = bits;
        r->bits_cap = cap;
    }
    if (words)
        memset(r->bits + r->bits_top, 0, words * sizeof(*r->bits));
    *ret = r->bits_top;
    r->bits_top += words;
    return FITS;
}

static void bits_mark(struct run *r, uint32_t seen, uint32_t i)
{
    if (seen != SCHEMA_NONE)
        r->bits[seen + i / 64] |= 1ull << (i % 64);
}

static bool bits_has(const struct run *r, uint32_t seen, uint32_t i)
{
    assert(r->bits); /* `seen` came from bits_push */
    return r->bits[seen + i / 64] >> (i % 64) & 1;
}

static void bits_fill(struct run *r, uint32_t seen, uint32_t at)
{
    if (seen != SCHEMA_NONE && r->doc->node[at].size)
        memset(r->bits + seen, 0xff, bits_words(r, at) * sizeof(*r->bits));
}

/* A subschema that may misfit without harm: its bits count only when it fits. */
static enum verdict check_apart(struct run *r, uint32_t node, uint32_t at, uint32_t seen)
{
    uint32_t own;
    if (seen == SCHEMA_NONE)
        return check(r, node, at, SCHEMA_NONE);
    MUST_FIT(bits_push(r, at, &own));
    enum verdict v = check(r, node, at, own);
    if (v == FITS)
        for (uint32_t i = 0; i < bits_words(r, at); i++)
            r->bits[seen + i] |= r->bits[own + i];
    r->bits_top = own;
    return v;
}

/* ---- scalars ---- */

static int bound_cmp(const struct run *r, uint32_t at, const struct schema_bound *b)
{
    const struct json_node *v = &r->doc->node[at];
    int64_t i;
    if (b->small && (v->flags & JSON_INTEGER) && v->len <= 18 && json_i64(r->doc, at, &i))
        return (i > b->value) - (i < b->value);
    return json_number_cmp(schema_raw(r->doc, at), b->text);
}

static enum verdict check_numeric(struct run *r, const struct schema_node *n, uint32_t at)
{
    const struct schema_numeric *c = n->numeric;
    SPEND(r, r->doc->node[at].len / 16);
    if (c->minimum.text.p && bound_cmp(r, at, &c->minimum) < 0)
        return miss(r, n, at, SCHEMA_BELOW_MINIMUM, 0, 0);
    if (c->maximum.text.p && bound_cmp(r, at, &c->maximum) > 0)
        return miss(r, n, at, SCHEMA_ABOVE_MAXIMUM, 0, 0);
    if (c->above.text.p && bound_cmp(r, at, &c->above) <= 0)
        return miss(r, n, at, SCHEMA_NOT_ABOVE, 0, 0);
    if (c->below.text.p && bound_cmp(r, at, &c->below) >= 0)
        return miss(r, n, at, SCHEMA_NOT_BELOW, 0, 0);
    if (c->multiple.mantissa && !schema_divides(&c->multiple, schema_raw(r->doc, at)))
        return miss(r, n, at, SCHEMA_NOT_MULTIPLE, 0, 0);
    return FITS;
}

size_t schema_code_points(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static enum verdict pattern_fits(struct run *r, const struct schema_pattern *p, struct str s, bool *ret)
{
    enum err e = schema_pattern_match(p, &r->matcher, &r->steps, s, ret);
    return e ? stop(r, e) : FITS;
}

static enum verdict check_text(struct run *r, const struct schema_node *n, uint32_t at)
{
    const struct schema_text *c = n->text;
    struct str s = schema_string(r->doc, at, r->scratch);
    if (!s.p)
        return stop(r, ERR_NOMEM);
    SPEND(r, s.n / 64);
    if (s.n < c->min || s.n > c->max || (c->min > 0 && s.n < c->min * 4)) { /* bytes decide, unless it is close */
        size_t points = schema_code_points(s);
        if (points < c->min)
            return miss(r, n, at, SCHEMA_TOO_SHORT, (uint32_t)points, 0);
        if (points > c->max)
            return miss(r, n, at, SCHEMA_TOO_LONG, (uint32_t)points, 0);
    }
    if (c->pattern) {
        bool fits;
        MUST_FIT(pattern_fits(r, c->pattern, s, &fits));
        if (!fits)
            return miss(r, n, at, SCHEMA_NO_MATCH, 0, 0);
    }
    return FITS;
}

static enum verdict shapes_have(struct run *r, const struct schema_names *shapes, uint32_t at, bool *ret)
{
    const struct json_node *v = &r->doc->node[at];
    struct buf out;
    SPEND(r, v->next - at + v->len / 16);
    buf_init(&out, 64 + 8 * (size_t)v->len);
    enum err e = json_canonical(r->doc, at, &out, r->scratch);
    if (!e)
        *ret = schema_names_find(shapes, buf_view(&out));
    buf_done(&out);
    return e ? stop(r, e) : FITS;
}

static enum verdict values_has(struct run *r, const struct schema_values *c, uint32_t at, bool *ret)
{
    const struct json_node *v = &r->doc->node[at];
    *ret = c->kinds >> v->type & 1;
    if (v->type == JSON_STRING && c->strings.count) {
        struct str s = schema_string(r->doc, at, r->scratch);
        if (!s.p)
            return stop(r, ERR_NOMEM);
        SPEND(r, s.n / 64);
        *ret = schema_names_find(&c->strings, s);
    } else if ((v->type == JSON_ARRAY || v->type == JSON_OBJECT) && c->shapes.count) {
        return shapes_have(r, &c->shapes, at, ret);
    }
    for (uint32_t i = 0; v->type == JSON_NUMBER && i < c->numbers && !*ret; i++) {
        SPEND(r, 1 + v->len / 16);
        *ret = json_number_cmp(schema_raw(r->doc, at), c->number[i]) == 0;
    }
    return FITS;
}

/* ---- arrays ---- */

static enum verdict check_contains(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_items *c = n->items;
    uint32_t size = r->doc->node[at].size, found = 0;
    bool all = c->max_contains != UINT64_MAX || (seen != SCHEMA_NONE && c->contains_marks);
    for (uint32_t i = 0, v = at + 1; i < size; v = r->doc->node[v].next, i++) {
        if (!all && found >= c->min_contains)
            break;
        enum verdict verdict = check(r, c->contains, v, SCHEMA_NONE);
        if (verdict == STOP)
            return STOP;
        if (verdict == FITS) {
            found++;
            if (c->contains_marks)
                bits_mark(r, seen, i);
        }
    }
    if (found < c->min_contains)
        return miss(r, n, at, SCHEMA_FEW_CONTAINED, found, 0);
    if (found > c->max_contains)
        return miss(r, n, at, SCHEMA_MANY_CONTAINED, found, 0);
    return FITS;
}

static enum verdict check_items(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_items *c = n->items;
    uint32_t size = r->doc->node[at].size;
    if (size < c->min)
        return miss(r, n, at, SCHEMA_FEW_ITEMS, size, 0);
    if (size > c->max)
        return miss(r, n, at, SCHEMA_MANY_ITEMS, size, 0);
    if (c->unique) {
        bool unique = false;
        uint32_t a = 0, b = 0;
        enum err e = schema_unique(r->doc, at, r->scratch, &r->steps, &unique, &a, &b);
        if (e)
            return stop(r, e);
        if (!unique)
            return miss(r, n, at, SCHEMA_NOT_UNIQUE, a, b);
    }
    if (c->prefix.count || c->rest != SCHEMA_NONE) {
        for (uint32_t i = 0, v = at + 1; i < size; v = r->doc->node[v].next, i++) {
            uint32_t node = i < c->prefix.count ? c->prefix.node[i] : c->rest;
            if (node == SCHEMA_NONE)
                break;
            MUST_FIT(check(r, node, v, SCHEMA_NONE));
            bits_mark(r, seen, i);
        }
    }
    return c->contains == SCHEMA_NONE ? FITS : check_contains(r, n, at, seen);
}

/* ---- objects ---- */

static enum verdict check_rules(struct run *r, const struct schema_members *c, struct str name, uint32_t value,
                                bool *known)
{
    for (uint32_t i = 0; i < c->rules; i++) {
        bool fits;
        MUST_FIT(pattern_fits(r, c->rule[i].pattern, name, &fits));
        if (!fits)
            continue;
        *known = true;
        MUST_FIT(check(r, c->rule[i].node, value, SCHEMA_NONE));
    }
    return FITS;
}

/* The key's entry in the table. Callers of tools mostly write keys in the schema's order: the entry behind the last is
 * tried first. */
static struct schema_name *name_of(const struct schema_names *t, struct str name, uint32_t *guess)
{
    struct schema_name *e = *guess < t->count ? &t->entry[*guess] : NULL;
    if (!e || !str_eq(e->name, name))
        e = schema_names_find(t, name);
    if (e)
        *guess = (uint32_t)(e - t->entry) + 1;
    return e;
}

static enum verdict check_pairs(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_members *c = n->members;
    uint32_t size = r->doc->node[at].size, guess = 0, required = 0;
    for (uint32_t i = 0, k = at + 1; i < size; k = r->doc->node[k + 1].next, i++) {
        struct str name = schema_string(r->doc, k, r->scratch);
        bool known = false;
        if (!name.p)
            return stop(r, ERR_NOMEM);
        SPEND(r, 1 + name.n / 64);
        const struct schema_name *e = c->names.count ? name_of(&c->names, name, &guess) : NULL;
        if (e) {
            required += e->required;
            known = e->node != SCHEMA_NONE;
            if (known)
                MUST_FIT(check(r, e->node, k + 1, SCHEMA_NONE));
        }
        MUST_FIT(check_rules(r, c, name, k + 1, &known));
        if (!known && c->rest != SCHEMA_NONE) {
            if (r->s->node[c->rest].types == 0)
                return miss(r, n, at, SCHEMA_MEMBER_UNKNOWN, k, 0);
            MUST_FIT(check(r, c->rest, k + 1, SCHEMA_NONE));
            known = true;
        }
        if (known)
            bits_mark(r, seen, i);
        if (c->keys != SCHEMA_NONE)
            MUST_FIT(check(r, c->keys, k, SCHEMA_NONE));
    }
    return required < c->required ? miss(r, n, at, SCHEMA_MEMBER_MISSING, 0, 0) : FITS;
}

static enum verdict check_depends(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_members *c = n->members;
    for (uint32_t i = 0; i < c->depends; i++) {
        const struct schema_depend *d = &c->depend[i];
        SPEND(r, 1 + r->doc->node[at].size / 4);
        if (!json_get(r->doc, at, d->name))
            continue;
        for (uint32_t k = 0; k < d->needs_count; k++) {
            SPEND(r, 1 + r->doc->node[at].size / 4);
            if (!json_get(r->doc, at, d->needs[k]))
                return miss(r, n, at, SCHEMA_MEMBER_NEEDED, i, k);
        }
        if (d->node != SCHEMA_NONE)
            MUST_FIT(check(r, d->node, at, seen));
    }
    return FITS;
}

static enum verdict check_members(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_members *c = n->members;
    uint32_t size = r->doc->node[at].size;
    if (size < c->min)
        return miss(r, n, at, SCHEMA_FEW_MEMBERS, size, 0);
    if (size > c->max)
        return miss(r, n, at, SCHEMA_MANY_MEMBERS, size, 0);
    if (c->names.count || c->rules || c->rest != SCHEMA_NONE || c->keys != SCHEMA_NONE)
        MUST_FIT(check_pairs(r, n, at, seen));
    return c->depends ? check_depends(r, n, at, seen) : FITS;
}

/* ---- logic ---- */

/* The alternative whose misfit lies deepest in the value is the one that was most likely meant. */
static void nearest(const struct run *r, struct schema_flaw *near)
{
    const struct schema_flaw *f = r->miss.near.node ? &r->miss.near : &r->miss.here;
    if (!near->node || f->at > near->at)
        *near = *f;
}

static enum verdict fits_none(struct run *r, const struct schema_node *n, uint32_t at, bool one,
                              const struct schema_flaw *near)
{
    miss(r, n, at, SCHEMA_FITS_NONE, one, 0);
    r->miss.near = *near;
    return MISFIT;
}

static enum verdict check_any(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_list *any = &n->logic->any;
    struct schema_flaw near = {0};
    bool fits = false;
    for (uint32_t i = 0; i < any->count && !(fits && seen == SCHEMA_NONE); i++) {
        enum verdict v = check_apart(r, any->node[i], at, seen);
        if (v == STOP)
            return STOP;
        if (v == FITS)
            fits = true;
        else
            nearest(r, &near);
    }
    return fits ? FITS : fits_none(r, n, at, false, &near);
}

static enum verdict check_one(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_list *one = &n->logic->one;
    struct schema_flaw near = {0};
    uint32_t fitting = SCHEMA_NONE;
    for (uint32_t i = 0; i < one->count; i++) {
        enum verdict v = check_apart(r, one->node[i], at, seen);
        if (v == STOP)
            return STOP;
        if (v == MISFIT)
            nearest(r, &near);
        else if (fitting != SCHEMA_NONE)
            return miss(r, n, at, SCHEMA_FITS_MANY, fitting, i);
        else
            fitting = i;
    }
    return fitting != SCHEMA_NONE ? FITS : fits_none(r, n, at, true, &near);
}

static enum verdict check_cond(struct run *r, const struct schema_logic *l, uint32_t at, uint32_t seen)
{
    if (seen == SCHEMA_NONE && l->then == SCHEMA_NONE && l->otherwise == SCHEMA_NONE)
        return FITS;
    enum verdict v = check_apart(r, l->cond, at, seen);
    if (v == STOP)
        return STOP;
    uint32_t branch = v == FITS ? l->then : l->otherwise;
    return branch == SCHEMA_NONE ? FITS : check(r, branch, at, seen);
}

/* 2020-12 core 8.2.3.2: the outermost resource of the dynamic scope that has the anchor. */
static enum verdict dynamic_target(struct run *r, const struct schema_logic *l, uint32_t *ret)
{
    *ret = l->dynamic;
    if (!l->dynamic_name.p)
        return FITS;
    for (const struct scope *s = r->scope; s; s = s->outer) {
        SPEND(r, 1);
        for (const struct schema_anchor *a = r->s->resource[s->resource].dynamic; a; a = a->next) {
            SPEND(r, 1);
            if (str_eq(a->name, l->dynamic_name))
                *ret = a->node;
        }
    }
    return FITS;
}

static enum verdict check_logic(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    const struct schema_logic *l = n->logic;
    if (l->ref != SCHEMA_NONE)
        MUST_FIT(check(r, l->ref, at, seen));
    if (l->dynamic != SCHEMA_NONE) {
        uint32_t target;
        MUST_FIT(dynamic_target(r, l, &target));
        MUST_FIT(check(r, target, at, seen));
    }
    for (uint32_t i = 0; i < l->all.count; i++)
        MUST_FIT(check(r, l->all.node[i], at, seen));
    if (l->any.count)
        MUST_FIT(check_any(r, n, at, seen));
    if (l->one.count)
        MUST_FIT(check_one(r, n, at, seen));
    if (l->not != SCHEMA_NONE) {
        enum verdict v = check(r, l->not, at, SCHEMA_NONE);
        if (v != MISFIT)
            return v == STOP ? STOP : miss(r, n, at, SCHEMA_FITS_NOT, 0, 0);
    }
    return l->cond == SCHEMA_NONE ? FITS : check_cond(r, l, at, seen);
}

/* What no other keyword has seen. */
static enum verdict check_left(struct run *r, const struct schema_node *n, uint32_t node, uint32_t at, uint32_t own)
{
    bool object = r->doc->node[at].type == JSON_OBJECT;
    uint32_t size = r->doc->node[at].size;
    SPEND(r, size / 8);
    for (uint32_t i = 0, v = at + 1; i < size; i++) {
        uint32_t value = object ? v + 1 : v;
        if (!bits_has(r, own, i)) {
            if (object && r->s->node[node].types == 0)
                return miss(r, n, at, SCHEMA_MEMBER_UNKNOWN, v, 0);
            MUST_FIT(check(r, node, value, SCHEMA_NONE));
        }
        v = r->doc->node[value].next;
    }
    return FITS;
}

/* ---- a subschema ---- */

static enum verdict check_groups(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    enum json_type type = (enum json_type)r->doc->node[at].type;
    bool found;
    if (n->constant) {
        MUST_FIT(values_has(r, n->constant, at, &found));
        if (!found)
            return miss(r, n, at, SCHEMA_NOT_CONST, 0, 0);
    }
    if (n->values) {
        MUST_FIT(values_has(r, n->values, at, &found));
        if (!found)
            return miss(r, n, at, SCHEMA_NOT_IN_ENUM, 0, 0);
    }
    if (n->numeric && type == JSON_NUMBER)
        MUST_FIT(check_numeric(r, n, at));
    if (n->text && type == JSON_STRING)
        MUST_FIT(check_text(r, n, at));
    if (n->items && type == JSON_ARRAY)
        MUST_FIT(check_items(r, n, at, seen));
    if (n->members && type == JSON_OBJECT)
        MUST_FIT(check_members(r, n, at, seen));
    return n->logic ? check_logic(r, n, at, seen) : FITS;
}

static enum verdict check_inside(struct run *r, const struct schema_node *n, uint32_t at, uint32_t seen)
{
    enum json_type type = (enum json_type)r->doc->node[at].type;
    uint32_t left = SCHEMA_NONE, own;
    if (type != JSON_ARRAY && type != JSON_OBJECT)
        return check_groups(r, n, at, SCHEMA_NONE);
    if (n->logic)
        left = type == JSON_ARRAY ? n->logic->left_items : n->logic->left_members;
    if (left == SCHEMA_NONE)
        return check_groups(r, n, at, seen);
    MUST_FIT(bits_push(r, at, &own));
    enum verdict v = check_groups(r, n, at, own);
    if (v == FITS)
        v = check_left(r, n, left, at, own);
    r->bits_top = own;
    bits_fill(r, seen, at);
    return v;
}

static bool whole_number(const struct json *doc, uint32_t at)
{
    if (doc->node[at].flags & JSON_INTEGER)
        return true;
    struct schema_decimal d = schema_decimal(schema_raw(doc, at));
    return schema_decimal_integer(&d);
}

static enum verdict check(struct run *r, uint32_t node, uint32_t at, uint32_t seen)
{
    const struct schema_node *n = &r->s->node[node];
    const struct json_node *v = &r->doc->node[at];
    SPEND(r, 1);
    if (n->types != SCHEMA_ANY && !(n->types >> v->type & 1)) {
        if (n->types == 0)
            return miss(r, n, at, SCHEMA_NOTHING_FITS, 0, 0);
        SPEND(r, v->type == JSON_NUMBER ? v->len / 16 : 0);
        if (v->type != JSON_NUMBER || !(n->types & SCHEMA_INTEGER) || !whole_number(r->doc, at))
            return miss(r, n, at, SCHEMA_WRONG_TYPE, 0, 0);
    }
    if (n->plain)
        return FITS;
    if (r->levels == 0)
        return stop(r, ERR_LIMIT);
    r->levels--;
    enum verdict verdict;
    if (r->s->dynamic && (!r->scope || r->scope->resource != n->resource)) {
        struct scope scope = {r->scope, n->resource};
        r->scope = &scope;
        verdict = check_inside(r, n, at, seen);
        r->scope = scope.outer;
    } else {
        verdict = check_inside(r, n, at, seen);
    }
    r->levels++;
    return verdict;
}

enum err schema_validate(const struct schema *s, const struct json *doc, uint32_t at, struct arena *scratch,
                         struct fault *f)
{
    if (at >= doc->count)
        return fault_set(f, ERR_INTERNAL, "there is no value %u to be judged", at);
    struct run r = {.s = s, .doc = doc, .scratch = scratch, .steps = s->steps, .levels = s->recursion};
    enum verdict v = check(&r, s->root, at, SCHEMA_NONE);
    schema_matcher_done(&r.matcher);
    if (v == FITS)
        return ERR_OK;
    if (v == MISFIT)
        return schema_explain(s, &r.miss, doc, at, scratch, f);
    if (r.err == ERR_NOMEM)
        return fault_set(f, ERR_NOMEM, "no memory to judge the value by its schema");
    return fault_set(f, ERR_LIMIT, "judging the value by its schema takes more than %u steps or %u levels of recursion",
                     s->steps, s->recursion);
}

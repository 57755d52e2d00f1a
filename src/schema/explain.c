/* A misfit in words: where, what would fit, what is there. Values and names are the caller's or a stranger's and are
 * shortened. */
#include "schema/inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPLAIN_VALUE 48 /* bytes shown of a value or a name */
#define EXPLAIN_LIST  5  /* names or values listed */

/* Text of a fixed size that ends in "..." when it was cut, never inside a character. */
struct words {
    char *p;
    size_t n, cap; /* cap > 4 */
};

static void put_n(struct words *w, struct str s, size_t max)
{
    size_t room = w->cap - 1 - w->n, n = s.n;
    if (n > max)
        n = max;
    if (n > room)
        n = room;
    bool cut = n < s.n;
    if (cut && n > 3) {
        n -= 3;
        while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
            n--;
    }
    if (n)
        memcpy(w->p + w->n, s.p, n);
    w->n += n;
    for (int i = 0; cut && i < 3 && w->n + 1 < w->cap; i++)
        w->p[w->n++] = '.';
    w->p[w->n] = 0;
}

static void put(struct words *w, const char *z)
{
    put_n(w, str_of(z), SIZE_MAX);
}

static void put_u64(struct words *w, uint64_t v)
{
    char s[24];
    snprintf(s, sizeof(s), "%" PRIu64, v);
    put(w, s);
}

static void put_name(struct words *w, struct str s)
{
    put(w, "\"");
    put_n(w, s, EXPLAIN_VALUE);
    put(w, "\"");
}

static void put_value(struct words *w, const struct json *doc, uint32_t at)
{
    struct str raw = schema_raw(doc, at);
    enum json_type t = json_type(doc, at);
    if ((t == JSON_ARRAY || t == JSON_OBJECT) && raw.n > EXPLAIN_VALUE)
        put(w, json_type_name(t));
    else if (t == JSON_STRING)
        put_name(w, (struct str){raw.p + 1, raw.n - 2});
    else
        put_n(w, raw, EXPLAIN_VALUE);
}

static void put_count(struct words *w, uint64_t n, const char *one, const char *many)
{
    put_u64(w, n);
    put(w, " ");
    put(w, n == 1 ? one : many);
}

/* ---- where ---- */

static void put_token(struct words *w, struct str key)
{
    put(w, "/");
    size_t start = w->n;
    for (size_t i = 0; i < key.n; i++) {
        if (w->n - start > EXPLAIN_VALUE && ((unsigned char)key.p[i] & 0xc0) != 0x80) {
            put(w, "...");
            return;
        }
        if (key.p[i] == '~')
            put(w, "~0");
        else if (key.p[i] == '/')
            put(w, "~1");
        else
            put_n(w, (struct str){key.p + i, 1}, 1);
    }
}

void schema_pointer(const struct json *doc, uint32_t root, uint32_t target, struct arena *scratch, char *ret,
                    size_t cap, bool *ret_key)
{
    struct words w = {ret, 0, cap};
    ret[0] = 0;
    *ret_key = false;
    for (uint32_t at = root; at != target;) {
        bool object = doc->node[at].type == JSON_OBJECT;
        uint32_t i = 0, v = at + 1;
        if ((!object && doc->node[at].type != JSON_ARRAY) || target <= at || target >= doc->node[at].next)
            return;
        while (doc->node[object ? v + 1 : v].next <= target) {
            v = doc->node[object ? v + 1 : v].next;
            i++;
        }
        if (object && v == target) {
            *ret_key = true;
            return;
        }
        if (object) {
            put_token(&w, schema_string(doc, v, scratch));
            at = v + 1;
        } else {
            put(&w, "/");
            put_u64(&w, i);
            at = v;
        }
    }
}

/* ---- what ---- */

static void put_types(struct words *w, uint8_t types)
{
    static const struct {
        uint8_t bits;
        const char *name;
    } names[] = {
        {1 << JSON_OBJECT, "an object"}, {1 << JSON_ARRAY, "an array"},  {1 << JSON_STRING, "a string"},
        {SCHEMA_NUMBER, "a number"},     {SCHEMA_INTEGER, "an integer"}, {SCHEMA_BOOLEAN, "true or false"},
        {1 << JSON_NULL, "null"},
    };
    bool first = true;
    if (types & SCHEMA_NUMBER)
        types &= (uint8_t)~SCHEMA_INTEGER;
    put(w, "must be ");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((types & names[i].bits) != names[i].bits)
            continue;
        put(w, first ? names[i].name : " or ");
        if (!first)
            put(w, names[i].name);
        first = false;
    }
}

static void but_is(struct words *w, const struct json *doc, uint32_t at)
{
    put(w, ", but is ");
    put_value(w, doc, at);
}

static void but_has(struct words *w, uint64_t n)
{
    put(w, ", but has ");
    put_u64(w, n);
}

static void at_bound(struct words *w, const char *op, struct str bound, const struct json *doc, uint32_t at)
{
    put(w, "must be ");
    put(w, op);
    put_n(w, bound, EXPLAIN_VALUE);
    but_is(w, doc, at);
}

static void limit_of(struct words *w, const char *which, uint64_t n, const char *one, const char *many, uint64_t has)
{
    put(w, "must have ");
    put(w, which);
    put_count(w, n, one, many);
    but_has(w, has);
}

static void in_enum(struct words *w, const struct schema_values *c)
{
    put(w, "must be one of ");
    for (uint32_t i = 0; i < c->count && i < EXPLAIN_LIST; i++) {
        put(w, i ? ", " : "");
        put_value(w, c->value[i].doc, c->value[i].at);
    }
    if (c->count > EXPLAIN_LIST) {
        put(w, " and ");
        put_u64(w, c->count - EXPLAIN_LIST);
        put(w, " more");
    }
}

static void member_missing(struct words *w, const struct schema_members *c, const struct json *doc, uint32_t at)
{
    unsigned missing = 0;
    put(w, "must have the property ");
    for (uint32_t i = 0; i < c->names.count && missing < EXPLAIN_LIST; i++) {
        const struct schema_name *e = &c->names.entry[i];
        if (!e->required || json_get(doc, at, e->name))
            continue;
        put(w, missing++ ? " and " : "");
        put_name(w, e->name);
    }
}

static void member_unknown(struct words *w, const struct schema_node *n, const struct json *doc, uint32_t key,
                           struct arena *scratch)
{
    const struct schema_members *c = n->members;
    uint32_t shown = 0, known = 0;
    put(w, "must not have the property ");
    put_name(w, schema_string(doc, key, scratch));
    for (uint32_t i = 0; c && i < c->names.count; i++)
        known += c->names.entry[i].node != SCHEMA_NONE;
    for (uint32_t i = 0; known && i < c->names.count && shown < EXPLAIN_LIST; i++) {
        if (c->names.entry[i].node == SCHEMA_NONE)
            continue;
        put(w, shown++ ? ", " : "; it may have ");
        put_name(w, c->names.entry[i].name);
    }
    if (known > shown) {
        put(w, " and ");
        put_u64(w, known - shown);
        put(w, " more");
    }
}

static void fits_not(struct words *w, const struct schema *s, const struct schema_node *n)
{
    const struct schema_node *not = &s->node[n->logic->not ];
    if (not ->plain && not ->types != SCHEMA_ANY) {
        struct words tail = {w->p + w->n, 0, w->cap - w->n};
        put_types(&tail, not ->types);
        w->n += tail.n;
        struct str said = {w->p, w->n};
        if (str_starts(said, STR("must be "))) { /* "must be a string" -> "must not be a string" */
            char copy[192];
            snprintf(copy, sizeof(copy), "must not be %s", w->p + 8);
            w->n = 0;
            put(w, copy);
        }
        return;
    }
    put(w, "must not fit the schema under \"not\", but does");
}

/* All alternatives ask for another type: then the types are the message. */
static bool alternatives_by_type(struct words *w, const struct schema *s, const struct schema_flaw *f,
                                 const struct json *doc)
{
    const struct schema_list *l = f->detail ? &f->node->logic->one : &f->node->logic->any;
    uint8_t types = 0, is = (uint8_t)(1 << json_type(doc, f->at));
    for (uint32_t i = 0; i < l->count; i++)
        types |= s->node[l->node[i]].types;
    if (types == 0 || types & is || (types & SCHEMA_INTEGER && is & SCHEMA_NUMBER))
        return false;
    put_types(w, types);
    but_is(w, doc, f->at);
    return true;
}

static void say_object(struct words *w, const struct schema_flaw *f, const struct json *doc, struct arena *scratch)
{
    const struct schema_members *c = f->node->members;
    const struct schema_depend *d = f->reason == SCHEMA_MEMBER_NEEDED ? &c->depend[f->detail] : NULL;
    switch (f->reason) {
    case SCHEMA_FEW_MEMBERS: limit_of(w, "at least ", c->min, "property", "properties", f->detail); break;
    case SCHEMA_MANY_MEMBERS: limit_of(w, "at most ", c->max, "property", "properties", f->detail); break;
    case SCHEMA_MEMBER_MISSING: member_missing(w, c, doc, f->at); break;
    case SCHEMA_MEMBER_UNKNOWN: member_unknown(w, f->node, doc, f->detail, scratch); break;
    default:
        put(w, "must have the property ");
        put_name(w, d->needs[f->other]);
        put(w, ", because it has ");
        put_name(w, d->name);
    }
}

static void say_array(struct words *w, const struct schema_flaw *f)
{
    const struct schema_items *c = f->node->items;
    bool few = f->reason == SCHEMA_FEW_CONTAINED;
    switch (f->reason) {
    case SCHEMA_FEW_ITEMS: limit_of(w, "at least ", c->min, "item", "items", f->detail); break;
    case SCHEMA_MANY_ITEMS: limit_of(w, "at most ", c->max, "item", "items", f->detail); break;
    case SCHEMA_NOT_UNIQUE:
        put(w, "must not have equal items, but ");
        put_u64(w, f->detail);
        put(w, " and ");
        put_u64(w, f->other);
        put(w, " (counted from 0) are equal");
        break;
    default:
        put(w, few ? "must contain at least " : "must contain at most ");
        put_count(w, few ? c->min_contains : c->max_contains, "item", "items");
        put(w, " of the kind that \"contains\" describes, but contains ");
        put_u64(w, f->detail);
    }
}

static void say_scalar(struct words *w, const struct schema_flaw *f, const struct json *doc)
{
    const struct schema_node *n = f->node;
    const struct schema_numeric *c = n->numeric;
    switch (f->reason) {
    case SCHEMA_BELOW_MINIMUM: at_bound(w, ">= ", c->minimum.text, doc, f->at); break;
    case SCHEMA_ABOVE_MAXIMUM: at_bound(w, "<= ", c->maximum.text, doc, f->at); break;
    case SCHEMA_NOT_ABOVE: at_bound(w, "> ", c->above.text, doc, f->at); break;
    case SCHEMA_NOT_BELOW: at_bound(w, "< ", c->below.text, doc, f->at); break;
    case SCHEMA_NOT_MULTIPLE: at_bound(w, "a multiple of ", c->multiple.text, doc, f->at); break;
    case SCHEMA_TOO_SHORT: limit_of(w, "at least ", n->text->min, "character", "characters", f->detail); break;
    case SCHEMA_TOO_LONG: limit_of(w, "at most ", n->text->max, "character", "characters", f->detail); break;
    case SCHEMA_NO_MATCH:
        put(w, "must match the pattern ");
        put_name(w, schema_pattern_source(n->text->pattern));
        but_is(w, doc, f->at);
        break;
    case SCHEMA_NOT_CONST:
        put(w, "must be ");
        put_value(w, n->constant->value[0].doc, n->constant->value[0].at);
        but_is(w, doc, f->at);
        break;
    case SCHEMA_NOT_IN_ENUM:
        in_enum(w, n->values);
        but_is(w, doc, f->at);
        break;
    default: put_types(w, n->types); but_is(w, doc, f->at);
    }
}

static void say(struct words *w, const struct schema *s, const struct schema_flaw *f, const struct json *doc,
                struct arena *scratch)
{
    if (f->reason >= SCHEMA_FEW_MEMBERS && f->reason <= SCHEMA_MEMBER_NEEDED)
        say_object(w, f, doc, scratch);
    else if (f->reason >= SCHEMA_FEW_ITEMS && f->reason <= SCHEMA_MANY_CONTAINED)
        say_array(w, f);
    else if (f->reason == SCHEMA_NOTHING_FITS)
        put(w, "must not be there");
    else if (f->reason == SCHEMA_FITS_NOT)
        fits_not(w, s, f->node);
    else if (f->reason == SCHEMA_FITS_MANY) {
        put(w, "must fit exactly one of the alternatives of oneOf, but fits number ");
        put_u64(w, f->detail + 1);
        put(w, " and number ");
        put_u64(w, f->other + 1);
    } else if (f->reason != SCHEMA_FITS_NONE) {
        say_scalar(w, f, doc);
    } else if (!alternatives_by_type(w, s, f, doc)) {
        put(w, "fits none of the ");
        put_count(w, f->detail ? f->node->logic->one.count : f->node->logic->any.count, "alternative", "alternatives");
        put(w, f->detail ? " of oneOf" : " of anyOf");
    }
}

static void where(const struct json *doc, uint32_t root, uint32_t at, struct arena *scratch, char *ret, size_t cap)
{
    bool key;
    schema_pointer(doc, root, at, scratch, ret, cap - 80, &key);
    if (!ret[0])
        strcpy(ret, "(root)");
    if (key) {
        struct words w = {ret, strlen(ret), cap};
        put(&w, ": the property's name ");
        put_name(&w, schema_string(doc, at, scratch));
    }
}

enum err schema_explain(const struct schema *s, const struct schema_miss *m, const struct json *doc, uint32_t root,
                        struct arena *scratch, struct fault *f)
{
    char place[240], text[320], near_place[240], near_text[200];
    struct words w = {text, 0, sizeof(text)}, near = {near_text, 0, sizeof(near_text)};
    if (!m->here.node)
        return fault_set(f, ERR_INTERNAL, "a schema refused a value and noted no reason");
    text[0] = near_text[0] = 0;
    where(doc, root, m->here.at, scratch, place, sizeof(place));
    say(&w, s, &m->here, doc, scratch);
    if (!m->near.node || m->here.reason != SCHEMA_FITS_NONE || str_starts((struct str){text, w.n}, STR("must")))
        return fault_set(f, ERR_SCHEMA, "%s: %s", place, text);
    where(doc, root, m->near.at, scratch, near_place, sizeof(near_place));
    say(&near, s, &m->near, doc, scratch);
    return fault_set(f, ERR_SCHEMA, "%s: %s; the nearest one: %s: %s", place, text, near_place, near_text);
}

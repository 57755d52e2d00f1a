/*
 * The keywords: one table says of each in which dialects it exists, where subschemas hang from it and how it is
 * compiled. A keyword that is not in it asserts nothing. A keyword whose value is not what the metaschema asks for
 * makes the schema unusable.
 */
#include "schema/build.h"

#include <stdlib.h>

enum { GROUP_NONE, GROUP_NUMERIC, GROUP_TEXT, GROUP_ITEMS, GROUP_MEMBERS, GROUP_LOGIC };

static void *group_new(struct schema_build *b, struct schema_node *n, uint8_t group)
{
    switch (group) {
    case GROUP_NUMERIC: return n->numeric ? n->numeric : (n->numeric = arena_alloc(b->a, sizeof(*n->numeric)));
    case GROUP_TEXT:
        if (!n->text && (n->text = arena_alloc(b->a, sizeof(*n->text))))
            n->text->max = UINT64_MAX;
        return n->text;
    case GROUP_ITEMS:
        if (!n->items && (n->items = arena_alloc(b->a, sizeof(*n->items)))) {
            n->items->max = n->items->max_contains = UINT64_MAX;
            n->items->min_contains = 1;
            n->items->rest = n->items->contains = SCHEMA_NONE;
        }
        return n->items;
    case GROUP_MEMBERS:
        if (!n->members && (n->members = arena_alloc(b->a, sizeof(*n->members)))) {
            n->members->max = UINT64_MAX;
            n->members->rest = n->members->keys = SCHEMA_NONE;
        }
        return n->members;
    default:
        if (!n->logic && (n->logic = arena_alloc(b->a, sizeof(*n->logic)))) {
            struct schema_logic *l = n->logic;
            l->ref = l->dynamic = l->not = l->cond = l->then = l->otherwise = SCHEMA_NONE;
            l->left_items = l->left_members = SCHEMA_NONE;
        }
        return n->logic;
    }
}

/* The keyword's field in its group; NULL: no memory. */
static void *field(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    char *group = group_new(b, &b->s->node[p->node], w->group);
    return group ? group + w->field : NULL;
}

static enum err wrong(struct schema_build *b, const struct schema_place *p, const char *want)
{
    return schema_unusable(b, p, "must be %s, but is %s", want, json_type_name(json_type(p->doc, p->value)));
}

static enum json_type type_of(const struct schema_place *p)
{
    return json_type(p->doc, p->value);
}

static struct schema_place place_at(const struct schema_place *p, uint32_t value)
{
    struct schema_place q = *p;
    q.value = value;
    return q;
}

/* ---- values of one kind ---- */

static enum err count_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    uint64_t *to = field(b, p, w), v = 0;
    struct schema_decimal d = {.negative = true};
    if (!to)
        return schema_no_memory(b);
    if (type_of(p) == JSON_NUMBER)
        d = schema_decimal(schema_raw(p->doc, p->value));
    if (type_of(p) != JSON_NUMBER || !schema_decimal_count(&d, &v))
        return schema_unusable(b, p, "must be a whole number, 0 or more");
    *to = v;
    return ERR_OK;
}

static enum err bound_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    struct schema_bound *to = field(b, p, w);
    if (!to)
        return schema_no_memory(b);
    if (type_of(p) != JSON_NUMBER)
        return wrong(b, p, "a number");
    to->text = schema_raw(p->doc, p->value);
    to->small = json_i64(p->doc, p->value, &to->value);
    return ERR_OK;
}

static enum err multiple_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    struct schema_divisor *to = field(b, p, w);
    if (!to)
        return schema_no_memory(b);
    if (type_of(p) != JSON_NUMBER || !schema_divisor(schema_raw(p->doc, p->value), to))
        return schema_unusable(b, p, "must be a number greater than 0 with at most 18 significant digits");
    return ERR_OK;
}

static enum err unique_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    bool *to = field(b, p, w);
    if (!to)
        return schema_no_memory(b);
    if (type_of(p) != JSON_TRUE && type_of(p) != JSON_FALSE)
        return wrong(b, p, "true or false");
    *to = type_of(p) == JSON_TRUE;
    return ERR_OK;
}

static enum err pattern_new(struct schema_build *b, const struct schema_place *p, uint32_t at,
                            struct schema_pattern **ret)
{
    struct schema *s = b->s;
    struct schema_place q = place_at(p, at);
    if (json_type(p->doc, at) != JSON_STRING)
        return wrong(b, &q, "a string");
    struct str source = schema_string(p->doc, at, b->a);
    if (!source.p)
        return schema_no_memory(b);
    if (source.n > b->limits.pattern)
        return fault_set(b->f, ERR_LIMIT, "a pattern of the schema has more than %u bytes", b->limits.pattern);
    if (s->patterns >= b->limits.patterns)
        return fault_set(b->f, ERR_LIMIT, "the schema has more than %u patterns", b->limits.patterns);
    if (s->patterns == b->patterns_cap) {
        uint32_t cap = b->patterns_cap ? b->patterns_cap * 2 : 8;
        void *grown = reallocarray(s->pattern, cap, sizeof(*s->pattern));
        if (!grown)
            return schema_no_memory(b);
        s->pattern = grown;
        b->patterns_cap = cap;
    }
    struct fault why = {0};
    enum err e = schema_pattern_new(source, &s->pattern[s->patterns], &why);
    if (e == ERR_SCHEMA_UNUSABLE)
        return schema_unusable(b, &q, "%s", why.text);
    if (e)
        return fault_set(b->f, e, "%s", why.text);
    *ret = s->pattern[s->patterns++];
    b->code += schema_pattern_size(*ret);
    if (b->code > 2 * (size_t)b->limits.text)
        return fault_set(b->f, ERR_LIMIT, "the schema's patterns need more than %u bytes", 2 * b->limits.text);
    return ERR_OK;
}

static enum err pattern_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    struct schema_pattern **to = field(b, p, w);
    return to ? pattern_new(b, p, p->value, to) : schema_no_memory(b);
}

static uint8_t type_bits(const struct schema_place *p, uint32_t at)
{
    static const struct {
        const char *name;
        uint8_t bits;
    } types[] = {
        {"null", 1 << JSON_NULL},     {"boolean", SCHEMA_BOOLEAN},  {"integer", SCHEMA_INTEGER},
        {"number", SCHEMA_NUMBER},    {"string", 1 << JSON_STRING}, {"array", 1 << JSON_ARRAY},
        {"object", 1 << JSON_OBJECT},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (json_str_is(p->doc, at, str_of(types[i].name)))
            return types[i].bits;
    return 0;
}

static enum err type_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    (void)w;
    uint8_t all = 0, bits;
    if (type_of(p) == JSON_STRING) {
        all = type_bits(p, p->value);
    } else if (type_of(p) == JSON_ARRAY) {
        JSON_EACH(p->doc, p->value, e)
        {
            bits = json_type(p->doc, e) == JSON_STRING ? type_bits(p, e) : 0;
            if (!bits) {
                all = 0;
                break;
            }
            all |= bits;
        }
    }
    if (!all)
        return schema_unusable(b, p, "must name null, boolean, integer, number, string, array or object, or list them");
    b->s->node[p->node].types &= all;
    return ERR_OK;
}

/* ---- const and enum ---- */

static enum err canonical_new(struct schema_build *b, const struct json *doc, uint32_t at, struct str *ret)
{
    struct buf out;
    buf_init(&out, 64 + 8 * (size_t)doc->node[at].len);
    enum err e = json_canonical(doc, at, &out, b->a);
    if (!e)
        *ret = arena_str(b->a, buf_view(&out));
    buf_done(&out);
    return e;
}

static enum err values_add(struct schema_build *b, struct schema_values *v, const struct json *doc, uint32_t at)
{
    enum json_type t = json_type(doc, at);
    struct schema_names *names = t == JSON_STRING ? &v->strings : &v->shapes;
    v->value[v->count++] = (struct schema_value){doc, at};
    if (t == JSON_NUMBER) {
        v->number[v->numbers++] = schema_raw(doc, at);
    } else if (t == JSON_STRING || t == JSON_ARRAY || t == JSON_OBJECT) {
        struct schema_name *n = &names->entry[names->count];
        *n = (struct schema_name){.name = schema_string(doc, at, b->a), .node = SCHEMA_NONE};
        if (t != JSON_STRING && canonical_new(b, doc, at, &n->name))
            return fault_set(b->f, ERR_LIMIT, "a value under const or enum is too large");
        names->count++;
    } else {
        v->kinds |= (uint8_t)(1 << t);
    }
    return ERR_OK;
}

static enum err values_new(struct schema_build *b, const struct schema_place *p, uint32_t count, bool list,
                           const struct schema_values **ret)
{
    struct schema_values *v = arena_alloc(b->a, sizeof(*v));
    if (!v)
        return schema_no_memory(b);
    v->value = arena_alloc(b->a, (count + 1) * sizeof(*v->value));
    v->number = arena_alloc(b->a, (count + 1) * sizeof(*v->number));
    v->strings.entry = arena_alloc(b->a, (count + 1) * sizeof(*v->strings.entry));
    v->shapes.entry = arena_alloc(b->a, (count + 1) * sizeof(*v->shapes.entry));
    if (!v->value || !v->number || !v->strings.entry || !v->shapes.entry)
        return schema_no_memory(b);
    if (!list)
        TRY(values_add(b, v, p->doc, p->value));
    if (list)
        JSON_EACH(p->doc, p->value, e)
    TRY(values_add(b, v, p->doc, e));
    if (arena_failed(b->a) || !schema_names_build(&v->strings, b->a) || !schema_names_build(&v->shapes, b->a))
        return schema_no_memory(b);
    *ret = v;
    return ERR_OK;
}

static enum err const_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    (void)w;
    return values_new(b, p, 1, false, &b->s->node[p->node].constant);
}

static enum err enum_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    (void)w;
    if (type_of(p) != JSON_ARRAY)
        return wrong(b, p, "an array");
    return values_new(b, p, p->doc->node[p->value].size, true, &b->s->node[p->node].values);
}

/* ---- subschemas ---- */

static enum err subschema(struct schema_build *b, const struct schema_place *p, uint32_t at, uint32_t *ret)
{
    enum json_type t = json_type(p->doc, at);
    struct schema_place q = place_at(p, at);
    if (t == JSON_ARRAY && json_str_is(p->doc, p->key, STR("items")))
        return schema_unusable(b, &q, "must be a schema, but is an array; 2020-12 calls that prefixItems");
    if (t != JSON_OBJECT && t != JSON_TRUE && t != JSON_FALSE)
        return wrong(b, &q, "a schema (an object, true or false)");
    return schema_scan(b, schema_doc_of(b, p->doc), at, b->s->node[p->node].resource, ret);
}

static enum err one_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    uint32_t *to = field(b, p, w);
    return to ? subschema(b, p, p->value, to) : schema_no_memory(b);
}

static enum err list_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    struct schema_list *to = field(b, p, w);
    if (type_of(p) != JSON_ARRAY || p->doc->node[p->value].size == 0)
        return schema_unusable(b, p, "must be an array of at least one schema");
    if (!to || !(to->node = arena_alloc(b->a, p->doc->node[p->value].size * sizeof(*to->node))))
        return schema_no_memory(b);
    JSON_EACH(p->doc, p->value, e)
    TRY(subschema(b, p, e, &to->node[to->count++]));
    return ERR_OK;
}

static enum err contains_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    TRY(one_word(b, p, w));
    struct schema_node *n = &b->s->node[p->node];
    n->items->contains_marks = b->s->resource[n->resource].dialect == SCHEMA_2020;
    return ERR_OK;
}

/* draft-07: an array of schemas is what 2020-12 calls prefixItems, and additionalItems counts only beside it. */
static enum err items_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    if (type_of(p) != JSON_ARRAY)
        return one_word(b, p, w);
    if (p->doc->node[p->value].size == 0)
        return ERR_OK;
    struct schema_word prefix = *w;
    prefix.field = offsetof(struct schema_items, prefix);
    return list_word(b, p, &prefix);
}

static enum err additional_items_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    uint32_t items = json_get(p->doc, b->s->node[p->node].at, STR("items")), ignored;
    if (json_type(p->doc, items) != JSON_ARRAY)
        return subschema(b, p, p->value, &ignored);
    return one_word(b, p, w);
}

static enum err ref_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    uint32_t *to = field(b, p, w);
    struct str ref, dynamic;
    if (!to)
        return schema_no_memory(b);
    if (type_of(p) != JSON_STRING)
        return wrong(b, p, "a string");
    ref = schema_string(p->doc, p->value, b->a);
    if (!ref.p)
        return schema_no_memory(b);
    TRY(schema_resolve(b, p, ref, to, &dynamic));
    if (w->field == offsetof(struct schema_logic, dynamic) && dynamic.p) {
        b->s->node[p->node].logic->dynamic_name = dynamic;
        b->s->dynamic = true;
    }
    return ERR_OK;
}

/* ---- objects ---- */

static enum err names_list(struct schema_build *b, const struct schema_place *p, uint32_t at, struct str *to)
{
    struct schema_place q = place_at(p, at);
    if (json_type(p->doc, at) != JSON_ARRAY)
        return wrong(b, &q, "an array of names");
    JSON_EACH(p->doc, at, e)
    {
        q.value = e;
        if (json_type(p->doc, e) != JSON_STRING)
            return wrong(b, &q, "a string");
        *to = schema_string(p->doc, e, b->a);
        if (!to++->p)
            return schema_no_memory(b);
    }
    return ERR_OK;
}

/* properties and required share one table; whichever keyword comes first builds it for both. */
static enum err names_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    struct schema_members *m = group_new(b, &b->s->node[p->node], w->group);
    const struct json *j = p->doc;
    uint32_t at = b->s->node[p->node].at, required = json_get(j, at, STR("required"));
    uint32_t properties = json_get(j, at, STR("properties")), size = 0;
    uint32_t vocabulary = b->s->resource[b->s->node[p->node].resource].vocabulary;
    if (!(vocabulary & SCHEMA_VALIDATION))
        required = 0;
    if (!(vocabulary & SCHEMA_APPLICATOR))
        properties = 0;
    struct schema_place q = *p;
    if (!m)
        return schema_no_memory(b);
    if (m->names.entry)
        return ERR_OK;
    q.value = properties;
    if (properties && type_of(&q) != JSON_OBJECT)
        return wrong(b, &q, "an object");
    q.value = required;
    if (required && type_of(&q) != JSON_ARRAY)
        return wrong(b, &q, "an array of names");
    size = (properties ? j->node[properties].size : 0) + (required ? j->node[required].size : 0);
    struct str *needed = arena_alloc(b->a, (required ? j->node[required].size + 1 : 1) * sizeof(*needed));
    m->names.entry = arena_alloc(b->a, (size + 1) * sizeof(*m->names.entry));
    if (!needed || !m->names.entry)
        return schema_no_memory(b);
    if (properties)
        JSON_PAIRS(j, properties, k, v)
        {
            struct schema_name *e = &m->names.entry[m->names.count++];
            e->name = schema_string(j, k, b->a);
            if (!e->name.p)
                return schema_no_memory(b);
            TRY(subschema(b, p, v, &e->node));
        }
    struct schema_names properties_only = m->names;
    if (!schema_names_build(&properties_only, b->a))
        return schema_no_memory(b);
    if (required)
        TRY(names_list(b, p, required, needed));
    for (uint32_t i = 0; required && i < j->node[required].size; i++) {
        struct schema_name *e = schema_names_find(&properties_only, needed[i]);
        if (!e) {
            e = &m->names.entry[m->names.count++];
            *e = (struct schema_name){.name = needed[i], .node = SCHEMA_NONE};
        }
        e->required = true;
    }
    return ERR_OK;
}

/* Names that `required` lists twice and no property has would be waited for twice: they are put together here. */
static enum err names_finish(struct schema_build *b, struct schema_members *m)
{
    if (!m || !m->names.entry)
        return ERR_OK;
    if (!schema_names_build(&m->names, b->a))
        return schema_no_memory(b);
    for (uint32_t i = 0; i < m->names.count; i++)
        m->required +=
            m->names.entry[i].required && schema_names_find(&m->names, m->names.entry[i].name) == &m->names.entry[i];
    return ERR_OK;
}

static enum err rules_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    struct schema_members *m = group_new(b, &b->s->node[p->node], w->group);
    if (type_of(p) != JSON_OBJECT)
        return wrong(b, p, "an object");
    if (!m || !(m->rule = arena_alloc(b->a, (p->doc->node[p->value].size + 1) * sizeof(*m->rule))))
        return schema_no_memory(b);
    JSON_PAIRS(p->doc, p->value, k, v)
    {
        TRY(pattern_new(b, p, k, &m->rule[m->rules].pattern));
        TRY(subschema(b, p, v, &m->rule[m->rules].node));
        m->rules++;
    }
    return ERR_OK;
}

static struct schema_depend *depends_grow(struct schema_build *b, struct schema_members *m, uint32_t more)
{
    struct schema_depend *d = arena_alloc(b->a, (m->depends + more + 1) * sizeof(*d));
    if (d && m->depends)
        memcpy(d, m->depend, m->depends * sizeof(*d));
    return d;
}

/* dependentRequired, dependentSchemas, and dependencies, which is both. */
static enum err depends_word(struct schema_build *b, const struct schema_place *p, const struct schema_word *w)
{
    struct schema_members *m = group_new(b, &b->s->node[p->node], w->group);
    bool names = w->holds == SCHEMA_HOLDS_NONE, both = str_is(str_of(w->name), "dependencies");
    if (type_of(p) != JSON_OBJECT)
        return wrong(b, p, "an object");
    if (!m || !(m->depend = depends_grow(b, m, p->doc->node[p->value].size)))
        return schema_no_memory(b);
    JSON_PAIRS(p->doc, p->value, k, v)
    {
        struct schema_depend *d = &m->depend[m->depends];
        *d = (struct schema_depend){.name = schema_string(p->doc, k, b->a), .node = SCHEMA_NONE};
        if (!d->name.p)
            return schema_no_memory(b);
        if (names || (both && json_type(p->doc, v) == JSON_ARRAY)) {
            uint32_t count = json_type(p->doc, v) == JSON_ARRAY ? p->doc->node[v].size : 0;
            if (!(d->needs = arena_alloc(b->a, (count + 1) * sizeof(*d->needs))))
                return schema_no_memory(b);
            TRY(names_list(b, p, v, d->needs));
            d->needs_count = count;
        } else {
            TRY(subschema(b, p, v, &d->node));
        }
        m->depends++;
    }
    return ERR_OK;
}

/* ---- the table ---- */

#define BOTH           (SCHEMA_DRAFT7 | SCHEMA_2020)
#define FIELD(g, name) offsetof(struct schema_##g, name)

static const struct schema_word words[] = {
    {"$ref", BOTH, SCHEMA_CORE, SCHEMA_HOLDS_NONE, ref_word, GROUP_LOGIC, FIELD(logic, ref)},
    {"$dynamicRef", SCHEMA_2020, SCHEMA_CORE, SCHEMA_HOLDS_NONE, ref_word, GROUP_LOGIC, FIELD(logic, dynamic)},
    {"$defs", SCHEMA_2020, SCHEMA_CORE, SCHEMA_HOLDS_MAP, NULL, GROUP_NONE, 0},
    {"definitions", BOTH, SCHEMA_CORE, SCHEMA_HOLDS_MAP, NULL, GROUP_NONE, 0},
    {"type", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, type_word, GROUP_NONE, 0},
    {"const", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, const_word, GROUP_NONE, 0},
    {"enum", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, enum_word, GROUP_NONE, 0},
    {"minimum", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, bound_word, GROUP_NUMERIC, FIELD(numeric, minimum)},
    {"maximum", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, bound_word, GROUP_NUMERIC, FIELD(numeric, maximum)},
    {"exclusiveMinimum", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, bound_word, GROUP_NUMERIC, FIELD(numeric, above)},
    {"exclusiveMaximum", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, bound_word, GROUP_NUMERIC, FIELD(numeric, below)},
    {"multipleOf", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, multiple_word, GROUP_NUMERIC, FIELD(numeric, multiple)},
    {"minLength", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_TEXT, FIELD(text, min)},
    {"maxLength", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_TEXT, FIELD(text, max)},
    {"pattern", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, pattern_word, GROUP_TEXT, FIELD(text, pattern)},
    {"minItems", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_ITEMS, FIELD(items, min)},
    {"maxItems", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_ITEMS, FIELD(items, max)},
    {"uniqueItems", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, unique_word, GROUP_ITEMS, FIELD(items, unique)},
    {"minContains", SCHEMA_2020, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_ITEMS,
     FIELD(items, min_contains)},
    {"maxContains", SCHEMA_2020, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_ITEMS,
     FIELD(items, max_contains)},
    {"contains", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, contains_word, GROUP_ITEMS, FIELD(items, contains)},
    {"prefixItems", SCHEMA_2020, SCHEMA_APPLICATOR, SCHEMA_HOLDS_LIST, list_word, GROUP_ITEMS, FIELD(items, prefix)},
    {"items", SCHEMA_2020, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, one_word, GROUP_ITEMS, FIELD(items, rest)},
    {"items", SCHEMA_DRAFT7, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE_OR_LIST, items_word, GROUP_ITEMS, FIELD(items, rest)},
    {"additionalItems", SCHEMA_DRAFT7, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, additional_items_word, GROUP_ITEMS,
     FIELD(items, rest)},
    {"unevaluatedItems", SCHEMA_2020, SCHEMA_UNEVALUATED, SCHEMA_HOLDS_ONE, one_word, GROUP_LOGIC,
     FIELD(logic, left_items)},
    {"minProperties", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_MEMBERS, FIELD(members, min)},
    {"maxProperties", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, count_word, GROUP_MEMBERS, FIELD(members, max)},
    {"required", BOTH, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, names_word, GROUP_MEMBERS, 0},
    {"properties", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_MAP, names_word, GROUP_MEMBERS, 0},
    {"patternProperties", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_MAP, rules_word, GROUP_MEMBERS, 0},
    {"additionalProperties", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, one_word, GROUP_MEMBERS, FIELD(members, rest)},
    {"propertyNames", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, one_word, GROUP_MEMBERS, FIELD(members, keys)},
    {"dependentRequired", SCHEMA_2020, SCHEMA_VALIDATION, SCHEMA_HOLDS_NONE, depends_word, GROUP_MEMBERS, 0},
    {"dependentSchemas", SCHEMA_2020, SCHEMA_APPLICATOR, SCHEMA_HOLDS_MAP, depends_word, GROUP_MEMBERS, 0},
    {"dependencies", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_MAP, depends_word, GROUP_MEMBERS, 0},
    {"unevaluatedProperties", SCHEMA_2020, SCHEMA_UNEVALUATED, SCHEMA_HOLDS_ONE, one_word, GROUP_LOGIC,
     FIELD(logic, left_members)},
    {"allOf", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_LIST, list_word, GROUP_LOGIC, FIELD(logic, all)},
    {"anyOf", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_LIST, list_word, GROUP_LOGIC, FIELD(logic, any)},
    {"oneOf", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_LIST, list_word, GROUP_LOGIC, FIELD(logic, one)},
    {"not", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, one_word, GROUP_LOGIC, FIELD(logic, not )},
    {"if", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, one_word, GROUP_LOGIC, FIELD(logic, cond)},
    {"then", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, one_word, GROUP_LOGIC, FIELD(logic, then)},
    {"else", BOTH, SCHEMA_APPLICATOR, SCHEMA_HOLDS_ONE, one_word, GROUP_LOGIC, FIELD(logic, otherwise)},
};

const struct schema_word *schema_word_find(const struct schema_resource *r, struct str name)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if ((words[i].dialects & r->dialect) && (words[i].vocabulary & r->vocabulary) && str_is(name, words[i].name))
            return &words[i];
    return NULL;
}

enum err schema_words_compile(struct schema_build *b, uint32_t node)
{
    struct schema_node *n = &b->s->node[node];
    struct schema_place p = {.node = node, .doc = n->doc, .value = n->at};
    const struct json *j = n->doc;
    uint32_t at = n->at, resource = n->resource;
    enum json_type t = json_type(j, at);
    if (t == JSON_FALSE)
        n->types = 0;
    if (t != JSON_OBJECT && t != JSON_TRUE && t != JSON_FALSE)
        return wrong(b, &p, "a schema (an object, true or false)");
    bool only_ref = b->s->resource[resource].dialect == SCHEMA_DRAFT7 && json_get(j, at, STR("$ref"));
    JSON_PAIRS(j, at, k, v)
    {
        struct str name = schema_string(j, k, b->a);
        const struct schema_word *w = schema_word_find(&b->s->resource[resource], name);
        if (!w || !w->compile || (only_ref && w->compile != ref_word)) /* draft-07 core 8.3: the rest is ignored */
            continue;
        p.key = k;
        p.value = v;
        TRY(w->compile(b, &p, w));
    }
    n = &b->s->node[node];
    TRY(names_finish(b, n->members));
    n->plain = !n->values && !n->constant && !n->numeric && !n->text && !n->items && !n->members && !n->logic;
    return ERR_OK;
}

/*
 * Documents, resources and what a $ref reaches (2020-12 core 8.2 and 9; draft-07 core 8.2). Nothing is fetched: a
 * document is the schema itself, one of the others that were handed in, or a built-in metaschema.
 */
#include "schema/build.h"
#include "schema/uri.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

#define DRAFT7_URI   STR("http://json-schema.org/draft-07/schema")
#define DRAFT7_HTTPS STR("https://json-schema.org/draft-07/schema") /* a common slip that can mean one thing only */
#define D2020_URI    STR("https://json-schema.org/draft/2020-12/schema")

struct schema_doc *schema_doc_of(struct schema_build *b, const struct json *doc)
{
    struct schema_doc *d = b->docs;
    while (d && &d->json != doc)
        d = d->next;
    return d;
}

void schema_fault(struct schema_build *b, const struct schema_place *p, const char *fmt, ...)
{
    char where[128], what[256];
    bool key;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (n >= (int)sizeof(what)) /* an over-long name was cut somewhere */
        what[schema_cut((struct str){what, sizeof(what)}, sizeof(what) - 5).n] = 0;
    const struct schema_doc *d = schema_doc_of(b, p->doc);
    schema_pointer(p->doc, JSON_ROOT, p->value, b->a, where, sizeof(where), &key);
    struct str uri = d ? schema_cut(d->uri, 80) : STR_NONE;
    fault_set(b->f, ERR_SCHEMA_UNUSABLE, STR_FMT "#%s: %s", STR_ARG(uri), where, what);
}

/* ---- the map of URIs and anchors ---- */

static struct schema_entry *map_slot(struct schema_build *b, struct str key)
{
    uint32_t h = (uint32_t)str_hash(key) & b->map_mask;
    while (b->map[h].key.p && !str_eq(b->map[h].key, key))
        h = (h + 1) & b->map_mask;
    return &b->map[h];
}

static bool map_grow(struct schema_build *b)
{
    uint32_t old = b->map ? b->map_mask + 1 : 0, slots = old ? old * 2 : 32;
    struct schema_entry *from = b->map, *to = arena_alloc(b->a, slots * sizeof(*to));
    if (!to)
        return false;
    b->map = to;
    b->map_mask = slots - 1;
    for (uint32_t i = 0; i < old; i++)
        if (from[i].key.p)
            *map_slot(b, from[i].key) = from[i];
    return true;
}

static const struct schema_entry *map_get(struct schema_build *b, struct str key)
{
    const struct schema_entry *e = b->map ? map_slot(b, key) : NULL;
    return e && e->key.p ? e : NULL;
}

/* False: no memory. *ret_taken: the key stood there already, and stays as it is. */
static bool map_put(struct schema_build *b, struct str key, uint32_t value, bool dynamic, bool *ret_taken)
{
    if ((!b->map || b->map_used * 2 > b->map_mask) && !map_grow(b))
        return false;
    struct schema_entry *e = map_slot(b, key);
    *ret_taken = e->key.p;
    if (e->key.p)
        return true;
    *e = (struct schema_entry){key.p ? key : STR(""), value, dynamic};
    b->map_used++;
    return true;
}

static struct str anchor_key(struct schema_build *b, struct str uri, struct str name)
{
    char *p = arena_raw(b->a, uri.n + 1 + name.n, 1);
    if (!p)
        return STR_NONE;
    if (uri.n)
        memcpy(p, uri.p, uri.n);
    p[uri.n] = '#';
    memcpy(p + uri.n + 1, name.p, name.n);
    return (struct str){p, uri.n + 1 + name.n};
}

/* ---- growing arrays ---- */

static void *grown(void *p, uint32_t used, uint32_t *cap, size_t size)
{
    if (used < *cap)
        return p;
    uint32_t want = *cap ? *cap * 2 : 16;
    void *q = reallocarray(p, want, size);
    if (q)
        *cap = want;
    return q;
}

static enum err node_add(struct schema_build *b, struct schema_doc *d, uint32_t at, uint32_t resource, uint32_t *ret)
{
    struct schema *s = b->s;
    if (s->nodes >= b->limits.subschemas)
        return fault_set(b->f, ERR_LIMIT, "the schema has more than %u subschemas", b->limits.subschemas);
    struct schema_node *n = grown(s->node, s->nodes, &b->nodes_cap, sizeof(*n));
    if (!n)
        return schema_no_memory(b);
    s->node = n;
    n[s->nodes] = (struct schema_node){.types = SCHEMA_ANY, .resource = resource, .doc = &d->json, .at = at};
    d->node_of[at] = s->nodes + 1;
    *ret = s->nodes++;
    return ERR_OK;
}

/* ---- dialects ---- */

static enum err vocabularies_read(struct schema_build *b, const struct json *meta, struct str uri, uint32_t *ret)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } known[] = {
        {"core", SCHEMA_CORE},
        {"applicator", SCHEMA_APPLICATOR},
        {"unevaluated", SCHEMA_UNEVALUATED},
        {"validation", SCHEMA_VALIDATION},
        {"meta-data", 0},
        {"format-annotation", 0},
        {"content", 0},
    };
    uint32_t list = json_get(meta, JSON_ROOT, STR("$vocabulary")), set = SCHEMA_CORE;
    struct str prefix = STR("https://json-schema.org/draft/2020-12/vocab/");
    if (!list) {
        *ret = SCHEMA_ALL_WORDS;
        return ERR_OK;
    }
    JSON_PAIRS(meta, list, k, v)
    {
        struct str name = schema_string(meta, k, b->a),
                   tail = str_starts(name, prefix) ? str_skip(name, prefix.n) : name;
        bool found = false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (tail.p != name.p && str_is(tail, known[i].name)) {
                set |= known[i].bit;
                found = true;
            }
        if (!found && json_bool(meta, v, true))
            return fault_set(b->f, ERR_SCHEMA_UNUSABLE,
                             "$schema: \"" STR_FMT "\" requires the vocabulary \"" STR_FMT
                             "\", which is not known here",
                             STR_ARG(schema_cut(uri, 80)), STR_ARG(schema_cut(name, 80)));
    }
    *ret = set;
    return ERR_OK;
}

static const struct schema_source *source_find(const struct schema_build *b, struct str uri)
{
    for (const struct schema_source *o = b->others; o && o->uri.p; o++)
        if (str_eq(o->uri, uri))
            return o;
    return NULL;
}

/* A metaschema of somebody's own: 2020-12 with the vocabularies that it names. */
static enum err dialect_custom(struct schema_build *b, struct str uri, uint8_t *dialect, uint32_t *vocabulary)
{
    const struct schema_source *o = source_find(b, uri);
    struct json meta;
    struct str own, fragment;
    if (!o)
        return fault_set(b->f, ERR_SCHEMA_UNUSABLE,
                         "$schema: the dialect \"" STR_FMT "\" is not known; known are draft 2020-12 and draft-07",
                         STR_ARG(schema_cut(uri, 120)));
    struct json_limits limits = {.depth = b->limits.depth};
    b->text += o->text.n;
    if (b->text > b->limits.text)
        return fault_set(b->f, ERR_LIMIT, "the schema has more than %u bytes", b->limits.text);
    TRY(json_parse(&meta, o->text, b->a, &limits, b->f));
    schema_uri_split(schema_string(&meta, json_get(&meta, JSON_ROOT, STR("$schema")), b->a), &own, &fragment);
    if (json_type(&meta, json_get(&meta, JSON_ROOT, STR("$schema"))) != JSON_STRING || !str_eq(own, D2020_URI))
        return fault_set(b->f, ERR_SCHEMA_UNUSABLE,
                         "$schema: the metaschema \"" STR_FMT "\" is not one of draft 2020-12",
                         STR_ARG(schema_cut(uri, 120)));
    *dialect = SCHEMA_2020;
    return vocabularies_read(b, &meta, uri, vocabulary);
}

/* The dialect that the object names in $schema; without one, *dialect and *vocabulary stay. */
static enum err dialect_read(struct schema_build *b, const struct json *doc, uint32_t at, uint8_t *dialect,
                             uint32_t *vocabulary)
{
    uint32_t v = json_get(doc, at, STR("$schema"));
    struct str uri, fragment;
    if (!v)
        return ERR_OK;
    if (json_type(doc, v) != JSON_STRING)
        return schema_unusable(b, &(struct schema_place){.doc = doc, .value = v}, "must be a string");
    schema_uri_split(schema_string(doc, v, b->a), &uri, &fragment);
    bool draft7 = str_eq(uri, DRAFT7_URI) || str_eq(uri, DRAFT7_HTTPS);
    if (draft7 || str_eq(uri, D2020_URI)) {
        *dialect = draft7 ? SCHEMA_DRAFT7 : SCHEMA_2020;
        *vocabulary = SCHEMA_ALL_WORDS;
        return ERR_OK;
    }
    return dialect_custom(b, uri, dialect, vocabulary);
}

/* ---- resources and anchors ---- */

static enum err resource_add(struct schema_build *b, struct str uri, uint8_t dialect, uint32_t vocabulary,
                             const struct schema_place *p, uint32_t *ret)
{
    struct schema *s = b->s;
    struct schema_resource *r = grown(s->resource, s->resources, &b->resources_cap, sizeof(*r));
    bool taken;
    if (!r)
        return schema_no_memory(b);
    s->resource = r;
    r[s->resources] =
        (struct schema_resource){.uri = uri, .root = SCHEMA_NONE, .dialect = dialect, .vocabulary = vocabulary};
    if (!map_put(b, uri, s->resources, false, &taken))
        return schema_no_memory(b);
    if (taken)
        return schema_unusable(b, p, "another schema has the same $id");
    *ret = s->resources++;
    return ERR_OK;
}

/* 2020-12 core 8.2.2 */
static bool anchor_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && ((c >= '0' && c <= '9') || c == '-' || c == '.')))
            return false;
    }
    return s.n > 0;
}

static enum err anchor_add(struct schema_build *b, const struct schema_place *p, uint32_t resource, struct str name,
                           bool dynamic)
{
    struct schema_resource *r = &b->s->resource[resource];
    struct str key = anchor_key(b, r->uri, name);
    bool taken;
    if (!key.p || !map_put(b, key, p->node, dynamic, &taken))
        return schema_no_memory(b);
    if (taken && !(dynamic && map_get(b, key)->value == p->node))
        return schema_unusable(b, p, "another subschema has the same anchor");
    if (!dynamic)
        return ERR_OK;
    map_slot(b, key)->dynamic = true;
    struct schema_anchor *d = arena_alloc(b->a, sizeof(*d));
    if (!d)
        return schema_no_memory(b);
    *d = (struct schema_anchor){r->dynamic, name, p->node};
    r->dynamic = d;
    return ERR_OK;
}

/* $id of the object at `at`: a new resource, or in draft-07 also an anchor ("#name"), which is left in *ret_anchor. */
static enum err id_read(struct schema_build *b, struct schema_doc *d, uint32_t at, uint32_t *resource,
                        struct str *ret_anchor, bool *ret_new)
{
    const struct schema_resource *outer = &b->s->resource[*resource];
    uint32_t v = json_get(&d->json, at, STR("$id")), vocabulary = outer->vocabulary;
    uint8_t dialect = outer->dialect;
    struct schema_place p = {.doc = &d->json, .value = v};
    struct str uri, fragment;
    if (!v || (dialect == SCHEMA_DRAFT7 && json_get(&d->json, at, STR("$ref"))))
        return ERR_OK;
    if (json_type(&d->json, v) != JSON_STRING)
        return schema_unusable(b, &p, "must be a string, but is %s", json_type_name(json_type(&d->json, v)));
    schema_uri_split(schema_string(&d->json, v, b->a), &uri, &fragment);
    if (fragment.n && dialect != SCHEMA_DRAFT7)
        return schema_unusable(b, &p, "must not have a fragment; $anchor names a place");
    if (fragment.n)
        *ret_anchor = fragment;
    if (uri.n == 0 || at == JSON_ROOT) /* the root's resource was made when the document was loaded */
        return ERR_OK;
    uri = schema_uri_resolve(outer->uri, uri, b->a);
    if (!uri.p)
        return schema_no_memory(b);
    TRY(dialect_read(b, &d->json, at, &dialect, &vocabulary));
    *ret_new = true;
    return resource_add(b, uri, dialect, vocabulary, &p, resource);
}

static enum err anchors_read(struct schema_build *b, struct schema_doc *d, uint32_t node, uint32_t at,
                             uint32_t resource, struct str fragment)
{
    struct schema_place p = {.node = node, .doc = &d->json, .value = at};
    if (fragment.n)
        TRY(anchor_add(b, &p, resource, fragment, false));
    if (b->s->resource[resource].dialect == SCHEMA_DRAFT7)
        return ERR_OK;
    for (int dynamic = 0; dynamic < 2; dynamic++) {
        p.value = json_get(&d->json, at, dynamic ? STR("$dynamicAnchor") : STR("$anchor"));
        if (!p.value)
            continue;
        struct str name =
            json_type(&d->json, p.value) == JSON_STRING ? schema_string(&d->json, p.value, b->a) : STR_NONE;
        if (!anchor_valid(name))
            return schema_unusable(b, &p, "must be a name of letters, digits, '-', '_' and '.'");
        TRY(anchor_add(b, &p, resource, name, dynamic));
    }
    return ERR_OK;
}

/* ---- scanning ---- */

static enum err scan_children(struct schema_build *b, struct schema_doc *d, uint32_t v, uint32_t resource,
                              enum schema_holds holds)
{
    const struct json *j = &d->json;
    enum json_type t = json_type(j, v);
    uint32_t node;
    if (holds == SCHEMA_HOLDS_ONE_OR_LIST)
        holds = t == JSON_ARRAY ? SCHEMA_HOLDS_LIST : SCHEMA_HOLDS_ONE;
    if (holds == SCHEMA_HOLDS_ONE && (t == JSON_OBJECT || t == JSON_TRUE || t == JSON_FALSE))
        return schema_scan(b, d, v, resource, &node);
    if (holds == SCHEMA_HOLDS_LIST && t == JSON_ARRAY)
        JSON_EACH(j, v, e)
    TRY(scan_children(b, d, e, resource, SCHEMA_HOLDS_ONE));
    if (holds == SCHEMA_HOLDS_MAP && t == JSON_OBJECT)
        JSON_PAIRS(j, v, k, e)
    TRY(scan_children(b, d, e, resource, SCHEMA_HOLDS_ONE));
    return ERR_OK;
}

enum err schema_scan(struct schema_build *b, struct schema_doc *d, uint32_t at, uint32_t resource, uint32_t *ret)
{
    struct str fragment = STR_NONE;
    bool fresh = false;
    uint32_t node = SCHEMA_NONE;
    if (d->node_of[at]) {
        *ret = d->node_of[at] - 1;
        return ERR_OK;
    }
    TRY(id_read(b, d, at, &resource, &fragment, &fresh));
    TRY(node_add(b, d, at, resource, &node));
    if (fresh || b->s->resource[resource].root == SCHEMA_NONE)
        b->s->resource[resource].root = node;
    TRY(anchors_read(b, d, node, at, resource, fragment));
    JSON_PAIRS(&d->json, at, k, v)
    {
        struct str name = schema_string(&d->json, k, b->a);
        const struct schema_word *w = schema_word_find(&b->s->resource[resource], name);
        if (w && w->holds)
            TRY(scan_children(b, d, v, resource, w->holds));
    }
    *ret = node;
    return ERR_OK;
}

enum err schema_load(struct schema_build *b, struct str uri, struct str text, uint8_t dialect, bool builtin,
                     struct schema_doc **ret)
{
    struct json_limits limits = {.depth = b->limits.depth};
    struct schema_doc *d = arena_alloc(b->a, sizeof(*d));
    uint32_t vocabulary = SCHEMA_ALL_WORDS, resource, node;
    bool taken;
    if (!builtin)
        b->text += text.n;
    if (b->text > b->limits.text)
        return fault_set(b->f, ERR_LIMIT, "the schema has more than %u bytes", b->limits.text);
    text = arena_str(b->a, text);
    if (!d || !text.p)
        return schema_no_memory(b);
    for (size_t i = 0; builtin && i < text.n; i++)
        if (text.p[i] == '\'')
            ((char *)text.p)[i] = '"'; /* meta.c */
    TRY(json_parse(&d->json, text, b->a, &limits, b->f));
    d->uri = arena_str(b->a, uri);
    d->node_of = arena_alloc(b->a, (d->json.count + 1) * sizeof(*d->node_of));
    if (!d->uri.p || !d->node_of)
        return schema_no_memory(b);
    d->next = b->docs;
    b->docs = d;
    TRY(dialect_read(b, &d->json, JSON_ROOT, &dialect, &vocabulary));
    /* The document's own URI is where it was found; its $id, read by the scan, may give it another. */
    uint32_t id = dialect == SCHEMA_DRAFT7 && json_get(&d->json, JSON_ROOT, STR("$ref"))
                      ? 0
                      : json_get(&d->json, JSON_ROOT, STR("$id"));
    struct str own = STR(""), fragment;
    if (id && json_type(&d->json, id) == JSON_STRING)
        schema_uri_split(schema_string(&d->json, id, b->a), &own, &fragment);
    struct schema_place p = {.doc = &d->json, .value = JSON_ROOT};
    own = own.n ? schema_uri_resolve(d->uri, own, b->a) : d->uri;
    if (!own.p)
        return schema_no_memory(b);
    TRY(resource_add(b, own, dialect, vocabulary, &p, &resource));
    if (!map_put(b, d->uri, resource, false, &taken))
        return schema_no_memory(b);
    TRY(schema_scan(b, d, JSON_ROOT, resource, &node));
    *ret = d;
    return ERR_OK;
}

/* ---- following a reference ---- */

static enum err resource_find(struct schema_build *b, struct str uri, uint8_t dialect, uint32_t *ret)
{
    const struct schema_entry *e = map_get(b, uri);
    struct schema_doc *d;
    if (!e) {
        const struct schema_source *o = source_find(b, uri);
        struct str meta = o ? STR_NONE : schema_meta(uri);
        if (!o && !meta.p)
            return ERR_NOT_FOUND;
        TRY(schema_load(b, uri, o ? o->text : meta, dialect, !o, &d));
        e = map_get(b, uri);
    }
    *ret = e->value;
    return ERR_OK;
}

static struct str token_unescape(struct str t, struct arena *a)
{
    if (!t.n || !memchr(t.p, '~', t.n))
        return t;
    char *p = arena_raw(a, t.n, 1);
    size_t n = 0;
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < t.n; i++) {
        bool escape = t.p[i] == '~' && i + 1 < t.n && (t.p[i + 1] == '0' || t.p[i + 1] == '1');
        p[n++] = !escape ? t.p[i] : t.p[i + 1] == '0' ? '~' : '/';
        i += escape;
    }
    return (struct str){p, n};
}

static uint32_t element_at(const struct json *j, uint32_t array, struct str token)
{
    uint64_t want, i = 0;
    if (!str_u64(token, &want) || (token.n > 1 && token.p[0] == '0') || want >= j->node[array].size)
        return 0;
    JSON_EACH(j, array, e)
    if (i++ == want)
        return e;
    return 0;
}

/* RFC 6901. 0: nothing there (or the work is used up). */
static uint32_t pointer_follow(struct schema_build *b, struct schema_doc *d, uint32_t at, struct str pointer,
                               uint32_t *resource)
{
    struct str token;
    pointer = str_skip(pointer, 1);
    for (bool more = true; more;) {
        more = str_cut(&pointer, '/', &token);
        token = token_unescape(token, b->a);
        uint64_t cost = 1 + d->json.node[at].size;
        if (!token.p || b->work < cost)
            return 0;
        b->work -= cost;
        at = json_type(&d->json, at) == JSON_ARRAY ? element_at(&d->json, at, token) : json_get(&d->json, at, token);
        if (!at)
            return 0;
        if (d->node_of[at])
            *resource = b->s->node[d->node_of[at] - 1].resource;
    }
    return at;
}

static enum err anchor_find(struct schema_build *b, const struct schema_place *p, uint32_t resource, struct str name,
                            struct str shown, uint32_t *ret_node, struct str *ret_dynamic)
{
    struct str key = anchor_key(b, b->s->resource[resource].uri, name);
    const struct schema_entry *e = key.p ? map_get(b, key) : NULL;
    if (!key.p)
        return schema_no_memory(b);
    if (!e)
        return schema_unusable(b, p, "reaches nothing: there is no anchor \"" STR_FMT "\"", STR_ARG(shown));
    *ret_node = e->value;
    *ret_dynamic = e->dynamic ? name : STR_NONE;
    return ERR_OK;
}

enum err schema_resolve(struct schema_build *b, const struct schema_place *p, struct str ref, uint32_t *ret_node,
                        struct str *ret_dynamic)
{
    const struct schema_resource *from = &b->s->resource[b->s->node[p->node].resource];
    struct str uri, fragment, shown;
    uint32_t resource, node;
    schema_uri_split(ref, &uri, &fragment);
    uri = schema_uri_resolve(from->uri, uri, b->a);
    shown = schema_cut(fragment, 120); /* decoded, it might not even be UTF-8 */
    fragment = schema_uri_unescape(fragment, b->a);
    if (!uri.p || !fragment.p)
        return schema_no_memory(b);
    enum err e = resource_find(b, uri, from->dialect, &resource);
    if (e == ERR_NOT_FOUND)
        return schema_unusable(b, p, "reaches nothing: \"" STR_FMT "\" is not at hand, and nothing is fetched",
                               STR_ARG(schema_cut(uri, 120)));
    if (e)
        return e;
    *ret_dynamic = STR_NONE;
    if (fragment.n && fragment.p[0] != '/')
        return anchor_find(b, p, resource, fragment, shown, ret_node, ret_dynamic);
    node = b->s->resource[resource].root;
    if (fragment.n) {
        struct schema_doc *d = schema_doc_of(b, b->s->node[node].doc);
        uint32_t at = pointer_follow(b, d, b->s->node[node].at, fragment, &resource);
        if (!at && b->work < d->json.count)
            return fault_set(b->f, ERR_LIMIT, "the schema's references are too many to be followed");
        if (!at)
            return schema_unusable(b, p, "reaches nothing: there is no \"" STR_FMT "\"", STR_ARG(shown));
        TRY(schema_scan(b, d, at, resource, &node));
    }
    *ret_node = node;
    return ERR_OK;
}

#include "policy/shape.h"

#include "cedar/ext.h"

enum { SHAPE_DEPTH = 16, SHAPE_REFS = 16, SHAPE_NODES = 1000 };

/* ---- from a JSON Schema ---- */

struct shape_build {
    const struct json *j;
    struct arena *a;
    unsigned depth;
    unsigned nodes; /* references can make much of a little: what is beyond is not seen */
};

static const struct shape *shape_from(struct shape_build *b, uint32_t at, bool *ret_null);

static bool shape_type_is(const struct shape_build *b, uint32_t type, const char *name)
{
    return json_str_is(b->j, type, str_of(name));
}

/* "integer", or ["integer", "null"]; anything else that is an array has no type of Cedar's. */
static uint32_t shape_type(const struct shape_build *b, uint32_t at, bool *ret_null)
{
    uint32_t type = json_get(b->j, at, STR("type")), one = 0;
    if (json_type(b->j, type) != JSON_ARRAY)
        return type;
    JSON_EACH(b->j, type, t)
    {
        if (shape_type_is(b, t, "null"))
            *ret_null = true;
        else if (one)
            return 0;
        else
            one = t;
    }
    return one;
}

static bool shape_all_strings(const struct json *j, uint32_t list, bool *ret_null)
{
    JSON_EACH(j, list, v)
    {
        if (json_type(j, v) == JSON_NULL)
            *ret_null = true;
        else if (json_type(j, v) != JSON_STRING)
            return false;
    }
    return json_type(j, list) == JSON_ARRAY;
}

static uint32_t shape_unescaped(const struct json *j, uint32_t at, struct str part)
{
    char name[256];
    size_t n = 0;
    for (size_t i = 0; i < part.n && n < sizeof(name); i++) {
        char c = part.p[i];
        if (c == '%')
            return 0; /* percent-encoded names are not followed */
        if (c == '~' && i + 1 < part.n)
            c = part.p[++i] == '1' ? '/' : '~';
        name[n++] = c;
    }
    if (json_type(j, at) != JSON_ARRAY)
        return json_get(j, at, (struct str){name, n});
    uint64_t want;
    if (!str_u64((struct str){name, n}, &want))
        return 0;
    JSON_EACH(j, at, v)
    if (want-- == 0)
        return v;
    return 0;
}

/* RFC 6901, within the document. 0: it leads nowhere, or out of it. */
static uint32_t shape_pointer(const struct json *j, struct str ref)
{
    uint32_t at = JSON_ROOT;
    struct str part;
    if (str_is(ref, "#"))
        return at;
    if (!str_starts(ref, STR("#/")))
        return 0;
    ref = str_skip(ref, 2);
    for (bool more = true; more && at;) {
        more = str_cut(&ref, '/', &part);
        at = shape_unescaped(j, at, part);
    }
    return at;
}

static uint32_t shape_deref(const struct shape_build *b, uint32_t at)
{
    for (unsigned i = 0; i < SHAPE_REFS && at; i++) {
        uint32_t ref = json_get(b->j, at, STR("$ref"));
        if (!ref)
            return at;
        at = shape_pointer(b->j, json_str(b->j, ref, b->a));
    }
    return 0;
}

/* "X or null" as anyOf or oneOf. */
static const struct shape *shape_choice(struct shape_build *b, uint32_t list, bool *ret_null)
{
    uint32_t one = 0;
    JSON_EACH(b->j, list, v)
    {
        uint32_t type = json_get(b->j, v, STR("type"));
        if (shape_type_is(b, type, "null"))
            *ret_null = true;
        else if (one)
            return NULL;
        else
            one = v;
    }
    return one ? shape_from(b, one, ret_null) : NULL;
}

static bool shape_is_required(const struct json *j, uint32_t required, uint32_t name)
{
    JSON_EACH(j, required, r)
    if (json_str_same(j, r, j, name))
        return true;
    return false;
}

static void shape_sort(struct shape_field *f, size_t n)
{
    for (size_t i = 1; i < n; i++) /* mostly few, and mostly sorted */
        for (size_t k = i; k && str_cmp(f[k - 1].name, f[k].name) > 0; k--) {
            struct shape_field t = f[k];
            f[k] = f[k - 1];
            f[k - 1] = t;
        }
}

enum { SHAPE_FIELDS = 1024 };

static const struct shape *shape_record(struct shape_build *b, uint32_t at)
{
    const struct json *j = b->j;
    uint32_t properties = json_get(j, at, STR("properties")), required = json_get(j, at, STR("required"));
    size_t n = json_type(j, properties) == JSON_OBJECT ? j->node[properties].size : 0;
    if (n > SHAPE_FIELDS)
        n = 0; /* nothing that people write; policies see nothing of it */
    struct shape *s = arena_alloc(b->a, sizeof(*s));
    struct shape_field *f = arena_alloc(b->a, (n + 1) * sizeof(*f));
    if (!s || !f)
        return NULL;
    *s = (struct shape){.kind = SHAPE_RECORD, .field = f};
    if (!n)
        return s;
    JSON_PAIRS(j, properties, k, v)
    {
        bool null = false;
        const struct shape *of = shape_from(b, v, &null);
        if (!of)
            continue;
        f[s->fields++] = (struct shape_field){json_str(j, k, b->a), of, !null && shape_is_required(j, required, k)};
    }
    shape_sort(f, s->fields);
    return s;
}

static const struct shape *shape_set(struct shape_build *b, uint32_t at)
{
    bool null = false;
    uint32_t items = json_get(b->j, at, STR("items"));
    if (!items || json_get(b->j, at, STR("prefixItems")))
        return NULL;
    const struct shape *element = shape_from(b, items, &null);
    struct shape *s = element && !null ? arena_alloc(b->a, sizeof(*s)) : NULL;
    if (s)
        *s = (struct shape){.kind = SHAPE_SET, .element = element};
    return s;
}

static const struct shape *shape_typed(struct shape_build *b, uint32_t at, uint32_t type)
{
    static const struct shape plain[] = {
        {.kind = SHAPE_BOOL}, {.kind = SHAPE_LONG}, {.kind = SHAPE_DECIMAL}, {.kind = SHAPE_STRING}};
    static const char *const names[] = {"boolean", "integer", "number", "string"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (shape_type_is(b, type, names[i]))
            return &plain[i];
    if (shape_type_is(b, type, "array"))
        return shape_set(b, at);
    /* An object without declared members is one of any members: no type of Cedar's. */
    return shape_type_is(b, type, "object") && json_get(b->j, at, STR("properties")) ? shape_record(b, at) : NULL;
}

static const struct shape *shape_from(struct shape_build *b, uint32_t at, bool *ret_null)
{
    static const struct shape string = {.kind = SHAPE_STRING};
    const struct shape *s = NULL;
    if (b->depth == SHAPE_DEPTH || b->nodes++ >= SHAPE_NODES || !(at = shape_deref(b, at)) ||
        json_type(b->j, at) != JSON_OBJECT)
        return NULL;
    b->depth++;
    uint32_t any = json_get(b->j, at, STR("anyOf")), one = json_get(b->j, at, STR("oneOf"));
    uint32_t type = shape_type(b, at, ret_null), list = json_get(b->j, at, STR("enum"));
    if (json_get(b->j, at, STR("type")))
        s = shape_typed(b, at, type);
    else if (any || one)
        s = shape_choice(b, any ? any : one, ret_null);
    else if (list)
        s = shape_all_strings(b->j, list, ret_null) ? &string : NULL;
    else if (json_get(b->j, at, STR("properties")))
        s = NULL; /* without a type it need not be an object */
    b->depth--;
    return s;
}

const struct shape *shape_of(const struct json *schema, uint32_t at, struct arena *a)
{
    struct shape_build b = {.j = schema, .a = a};
    at = shape_deref(&b, at);
    const struct shape *s = shape_record(&b, at);
    return arena_failed(a) ? NULL : s;
}

/* ---- several in one ---- */

static bool shape_same(const struct shape *a, const struct shape *b)
{
    if (a->kind != b->kind || a->fields != b->fields)
        return false;
    if (a->kind == SHAPE_SET)
        return shape_same(a->element, b->element);
    for (size_t i = 0; i < a->fields; i++) {
        const struct shape_field *f = &a->field[i], *g = &b->field[i];
        if (!str_eq(f->name, g->name) || f->required != g->required || !shape_same(f->shape, g->shape))
            return false;
    }
    return true;
}

const struct shape *shape_common(const struct shape *a, const struct shape *b, struct arena *arena)
{
    struct shape *s = arena_alloc(arena, sizeof(*s));
    struct shape_field *f = arena_alloc(arena, (a->fields + 1) * sizeof(*f));
    if (!s || !f)
        return NULL;
    *s = (struct shape){.kind = SHAPE_RECORD, .field = f};
    for (size_t i = 0, k = 0; i < a->fields; i++) {
        while (k < b->fields && str_cmp(b->field[k].name, a->field[i].name) < 0)
            k++;
        if (k == b->fields || !str_eq(b->field[k].name, a->field[i].name) ||
            !shape_same(a->field[i].shape, b->field[k].shape))
            continue;
        f[s->fields] = a->field[i];
        f[s->fields++].required = a->field[i].required && b->field[k].required;
    }
    return s;
}

/* ---- as a type ---- */

void shape_print(const struct shape *s, struct buf *out)
{
    static const char *const names[] = {
        [SHAPE_BOOL] = "Bool", [SHAPE_LONG] = "Long", [SHAPE_DECIMAL] = "decimal", [SHAPE_STRING] = "String"};
    if (s->kind == SHAPE_SET) {
        buf_z(out, "Set<");
        shape_print(s->element, out);
        buf_z(out, ">");
    } else if (s->kind == SHAPE_RECORD) {
        buf_z(out, "{");
        for (size_t i = 0; i < s->fields; i++) {
            buf_z(out, i ? ", " : "");
            cedar_string_print(s->field[i].name, out);
            buf_z(out, s->field[i].required ? ": " : "?: ");
            shape_print(s->field[i].shape, out);
        }
        buf_z(out, "}");
    } else {
        buf_z(out, names[s->kind]);
    }
}

/* ---- values ---- */

struct shape_reading {
    const struct json *j;
    struct arena *a;
    void (*lost)(void *ctx, struct str name);
    void *ctx;
};

/* CEDAR_NONE: it cannot be held, or no memory. */
static struct cedar_value shape_value(const struct shape_reading *r, const struct shape *s, uint32_t at);

static struct cedar_value shape_decimal(const struct shape_reading *r, uint32_t at)
{
    struct cedar_value v = {0};
    int64_t whole;
    char text[32];
    struct str raw = json_raw(r->j, at);
    if (json_i64(r->j, at, &whole)) {
        if (__builtin_mul_overflow(whole, 10000, &v.i))
            return (struct cedar_value){0};
        v.kind = CEDAR_DECIMAL;
        return v;
    }
    if (json_type(r->j, at) != JSON_NUMBER || raw.n >= sizeof(text) || memchr(raw.p, 'e', raw.n) ||
        memchr(raw.p, 'E', raw.n))
        return v;
    while (raw.n && raw.p[raw.n - 1] == '0') /* 1.50000 is 1.5 */
        raw.n--;
    return cedar_decimal_parse(raw, &v, NULL) ? (struct cedar_value){0} : v;
}

static struct cedar_value shape_elements(const struct shape_reading *r, const struct shape *s, uint32_t at)
{
    size_t n = 0, all = json_type(r->j, at) == JSON_ARRAY ? r->j->node[at].size : 0;
    struct cedar_value *v = arena_raw(r->a, (all + 1) * sizeof(*v), 16);
    if (!v || json_type(r->j, at) != JSON_ARRAY)
        return (struct cedar_value){0};
    JSON_EACH(r->j, at, e)
    {
        v[n] = shape_value(r, s->element, e);
        if (v[n++].kind == CEDAR_NONE)
            return (struct cedar_value){0};
    }
    return cedar_set_of(v, n, r->a);
}

static struct cedar_value shape_members(const struct shape_reading *r, const struct shape *s, uint32_t at)
{
    struct cedar_record *record = arena_raw(r->a, sizeof(*record) + s->fields * sizeof(record->f[0]), 16);
    if (!record || (at && json_type(r->j, at) != JSON_OBJECT))
        return (struct cedar_value){0};
    record->n = 0;
    for (size_t i = 0; i < s->fields; i++) { /* sorted already, as a record has to be */
        const struct shape_field *f = &s->field[i];
        uint32_t member = at ? json_get(r->j, at, f->name) : 0;
        if (!member || json_type(r->j, member) == JSON_NULL)
            continue;
        struct cedar_value v = shape_value(r, f->shape, member);
        if (v.kind == CEDAR_NONE)
            r->lost(r->ctx, f->name);
        else
            record->f[record->n++] = (struct cedar_field){f->name, v};
    }
    return (struct cedar_value){.kind = CEDAR_RECORD, .record = record};
}

static struct cedar_value shape_value(const struct shape_reading *r, const struct shape *s, uint32_t at)
{
    enum json_type t = json_type(r->j, at);
    int64_t i;
    switch (s->kind) {
    case SHAPE_BOOL: return t == JSON_TRUE || t == JSON_FALSE ? cedar_bool(t == JSON_TRUE) : (struct cedar_value){0};
    case SHAPE_LONG: return json_i64(r->j, at, &i) ? cedar_long(i) : (struct cedar_value){0};
    case SHAPE_DECIMAL: return shape_decimal(r, at);
    case SHAPE_STRING: return t == JSON_STRING ? cedar_string(json_str(r->j, at, r->a)) : (struct cedar_value){0};
    case SHAPE_SET: return shape_elements(r, s, at);
    case SHAPE_RECORD: return shape_members(r, s, at);
    default: return (struct cedar_value){0};
    }
}

enum err shape_read(const struct shape *s, const struct json *j, uint32_t at, struct arena *a,
                    void (*lost)(void *ctx, struct str name), void *ctx, struct cedar_value *ret)
{
    const struct shape_reading r = {j, a, lost, ctx};
    struct cedar_value v = shape_value(&r, s, at);
    if (arena_failed(a) || v.kind != CEDAR_RECORD)
        return ERR_NOMEM;
    *ret = v;
    return ERR_OK;
}

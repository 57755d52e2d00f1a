/*
 * What a call would do: its arguments, each with what the tool's schema calls it. Bounded: arguments that are very many
 * are one row, whole; the schema's words are said once for each array, and so many bytes of them altogether.
 */
#include "approve/rows.h"

enum {
    EFFECT_BRIEF = 40,        /* bytes of a name or a value in a line */
    EFFECT_MEMBERS = 20000,   /* rows; more are one */
    EFFECT_WORDS = 256 << 10, /* bytes of titles and descriptions */
    EFFECT_REFS = 16          /* $ref behind $ref */
};
#define EFFECT_SEALED "[sealed]"

/* ---- without what is secret ---- */

static void effect_unsealed(struct json_out *o, const struct json *j, uint32_t i, const bool *marked, struct arena *a)
{
    if (marked[i]) {
        json_put_str(o, STR(EFFECT_SEALED));
    } else if (json_type(j, i) == JSON_OBJECT) {
        json_open(o, '{');
        JSON_PAIRS(j, i, k, v)
        {
            json_key(o, json_str(j, k, a));
            effect_unsealed(o, j, v, marked, a);
        }
        json_close(o, '}');
    } else if (json_type(j, i) == JSON_ARRAY) {
        json_open(o, '[');
        JSON_EACH(j, i, v)
        effect_unsealed(o, j, v, marked, a);
        json_close(o, ']');
    } else {
        json_put_raw(o, json_raw(j, i));
    }
}

enum err effect_arguments(struct audit *audit, struct str canonical, struct arena *a, struct str *ret, bool *ret_masked,
                          struct fault *f)
{
    struct json j;
    struct buf open CLEANUP(buf_done), masked CLEANUP(buf_done);
    buf_init(&open, VIEW_ARENA);
    buf_init(&masked, VIEW_ARENA);
    TRY(json_parse(&j, canonical, a, NULL, f));
    bool *marked = arena_alloc(a, j.count * sizeof(*marked));
    if (!marked)
        return fault_set(f, ERR_NOMEM, "no memory for the arguments");
    audit_seals_mark(audit, &j, JSON_ROOT, marked, a);
    struct json_out o = json_out(&open);
    effect_unsealed(&o, &j, JSON_ROOT, marked, a);
    struct str shown = buf_failed(&open) ? STR_NONE : audit_mask(audit, NULL, 0, buf_view(&open), a, &masked);
    shown = shown.n ? arena_str(a, shown) : STR_NONE;
    if (!shown.p || arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for the arguments");
    *ret = shown;
    *ret_masked = !str_eq(shown, canonical);
    return ERR_OK;
}

/* ---- what the schema says ---- */

struct effect {
    struct view_rows *rows;
    struct arena *a;
    struct json real, shown, schema;
    bool has_schema;
    size_t words; /* of the schema that may still be said */
};

static uint32_t effect_pointer(const struct effect *e, struct str pointer)
{
    uint32_t at = JSON_ROOT;
    struct str word;
    if (!str_starts(pointer, STR("#/")))
        return str_is(pointer, "#") ? at : 0;
    for (struct str rest = str_skip(pointer, 2); rest.n && at;) {
        str_cut(&rest, '/', &word);
        at = json_get(&e->schema, at, word);
    }
    return at;
}

/* The subschema itself, behind its $ref. */
static uint32_t effect_schema(const struct effect *e, uint32_t at)
{
    for (int i = 0; i < EFFECT_REFS; i++) {
        uint32_t ref = json_get(&e->schema, at, STR("$ref"));
        if (json_type(&e->schema, ref) != JSON_STRING)
            return at;
        at = effect_pointer(e, json_str(&e->schema, ref, e->a));
    }
    return 0;
}

static uint32_t effect_property(const struct effect *e, uint32_t at, struct str key, bool *ret_unknown)
{
    uint32_t list = json_get(&e->schema, at, STR("properties")), one = json_get(&e->schema, list, key);
    uint32_t other = json_get(&e->schema, at, STR("additionalProperties"));
    *ret_unknown = !one && json_type(&e->schema, list) == JSON_OBJECT && json_type(&e->schema, other) != JSON_OBJECT &&
                   !json_get(&e->schema, at, STR("patternProperties")) && !json_get(&e->schema, at, STR("allOf")) &&
                   !json_get(&e->schema, at, STR("anyOf")) && !json_get(&e->schema, at, STR("oneOf"));
    return one ? one : json_type(&e->schema, other) == JSON_OBJECT ? other : 0;
}

static uint32_t effect_item(const struct effect *e, uint32_t at, uint32_t index)
{
    uint32_t first = json_get(&e->schema, at, STR("prefixItems"));
    JSON_EACH(&e->schema, first, one)
    if (index-- == 0)
        return one;
    uint32_t items = json_get(&e->schema, at, STR("items"));
    return json_type(&e->schema, items) == JSON_OBJECT ? items : 0;
}

static struct str effect_word(struct effect *e, uint32_t at, struct str member)
{
    uint32_t node = json_get(&e->schema, at, member);
    return json_type(&e->schema, node) == JSON_STRING ? json_str(&e->schema, node, e->a) : STR_NONE;
}

/* "Amount: in cents." Words of the server. own: beside a $ref; that of the subschema itself holds else. */
static struct str effect_note(struct effect *e, uint32_t own, uint32_t at)
{
    struct str title = effect_word(e, own, STR("title")), text = effect_word(e, own, STR("description"));
    title = title.n ? title : effect_word(e, at, STR("title"));
    text = text.n ? text : effect_word(e, at, STR("description"));
    size_t n = title.n + text.n;
    if (!n)
        return STR_NONE;
    if (n > e->words)
        return arena_fmt(e->a, "what the schema says of it (%zu bytes) is left out: it has said too much already", n);
    e->words -= n;
    title = rows_visible(e->a, title, false);
    text = rows_visible(e->a, text, false);
    return ARENA_JOIN(e->a, title, title.n && text.n ? STR(": ") : STR_NONE, text);
}

/* ---- a row for each argument ---- */

static bool effect_holds(const struct json *j, uint32_t i)
{
    return (json_type(j, i) == JSON_OBJECT || json_type(j, i) == JSON_ARRAY) && json_first(j, i);
}

/* A string of one line stands in quotes: spaces at its end are seen, and a number is told from its digits. */
static struct str effect_value(struct effect *e, uint32_t shown)
{
    if (json_type(&e->shown, shown) != JSON_STRING)
        return rows_visible(e->a, json_raw(&e->shown, shown), false);
    struct str s = json_str(&e->shown, shown, e->a);
    bool lines = s.n && memchr(s.p, '\n', s.n);
    struct str text = rows_visible(e->a, s, lines);
    return lines ? text : ARENA_JOIN(e->a, STR("\""), text, STR("\""));
}

static struct str effect_hidden_note(struct effect *e, uint32_t real, struct str note)
{
    struct str raw = json_raw(&e->real, real);
    struct str words = arena_fmt(e->a, "not shown: %zu bytes of JSON", raw.n);
    return note.n ? ARENA_JOIN(e->a, note, STR("; "), words) : words;
}

static void effect_walk(struct effect *e, uint32_t real, uint32_t shown, uint32_t schema, unsigned depth, bool first);

static void effect_row(struct effect *e, struct str name, struct str note, uint32_t real, uint32_t shown,
                       uint32_t schema, unsigned depth, bool first)
{
    bool same = json_type(&e->real, real) == json_type(&e->shown, shown),
         below = same && effect_holds(&e->shown, shown);
    bool hidden = !same || (!below && json_type(&e->shown, shown) == JSON_STRING &&
                            !json_str_same(&e->real, real, &e->shown, shown));
    struct view_field *row = rows_add(e->rows, depth);
    row->name = name;
    row->value = below ? STR_NONE : effect_value(e, shown);
    row->note = hidden ? effect_hidden_note(e, real, note) : note;
    if (below)
        effect_walk(e, real, shown, schema, depth + 1, first);
}

static void effect_walk_object(struct effect *e, uint32_t real, uint32_t shown, uint32_t schema, unsigned depth,
                               bool first)
{
    uint32_t rk = json_first(&e->real, real);
    JSON_PAIRS(&e->shown, shown, k, v)
    {
        struct str key = json_str(&e->shown, k, e->a);
        bool unknown = false;
        uint32_t own = e->has_schema ? effect_property(e, schema, key, &unknown) : 0, at = effect_schema(e, own);
        struct str note = unknown ? STR("not in the tool's schema") : first ? effect_note(e, own, at) : STR_NONE;
        effect_row(e, rows_visible(e->a, key, false), note, rk + 1, v, at, depth, first);
        rk = json_next(&e->real, real, rk + 1);
    }
}

static void effect_walk(struct effect *e, uint32_t real, uint32_t shown, uint32_t schema, unsigned depth, bool first)
{
    if (json_type(&e->shown, shown) == JSON_OBJECT) {
        effect_walk_object(e, real, shown, schema, depth, first);
        return;
    }
    uint32_t r = json_first(&e->real, real), index = 0;
    JSON_EACH(&e->shown, shown, v)
    {
        bool again = first && index == 0;
        uint32_t own = effect_item(e, schema, index), at = effect_schema(e, own);
        effect_row(e, arena_fmt(e->a, "[%u]", (unsigned)index), again ? effect_note(e, own, at) : STR_NONE, r, v, at,
                   depth, again);
        r = json_next(&e->real, real, r);
        index++;
    }
}

enum err effect_rows(struct view_rows *rows, struct str canonical, struct str shown, struct str schema, struct fault *f)
{
    struct effect e = {.rows = rows, .a = rows->a, .words = EFFECT_WORDS};
    TRY(json_parse(&e.real, canonical, e.a, NULL, f));
    TRY(json_parse(&e.shown, shown, e.a, NULL, f));
    e.has_schema = schema.n && !json_parse(&e.schema, schema, e.a, NULL, NULL);
    if (!e.has_schema)
        e.schema = (struct json){0};
    if (!effect_holds(&e.shown, JSON_ROOT) || json_type(&e.real, JSON_ROOT) != json_type(&e.shown, JSON_ROOT)) {
        struct view_field *row = rows_add(rows, 0);
        row->name = json_type(&e.real, JSON_ROOT) == JSON_OBJECT && !effect_holds(&e.real, JSON_ROOT)
                        ? STR("no arguments")
                        : STR("arguments");
        row->value = effect_value(&e, JSON_ROOT);
    } else if (e.shown.count > EFFECT_MEMBERS) {
        struct view_field *row = rows_add(rows, 0);
        row->name = STR("arguments");
        row->value = rows_visible(e.a, shown, false);
        row->note = STR("too many to be shown one by one: all of them as JSON");
    } else {
        effect_walk(&e, JSON_ROOT, JSON_ROOT, effect_schema(&e, JSON_ROOT), 0, true);
    }
    return arena_failed(e.a) ? fault_set(f, ERR_NOMEM, "no memory for the arguments") : ERR_OK;
}

/* ---- in a line ---- */

struct str effect_brief(struct str shown, size_t max, struct arena *a)
{
    struct json j;
    struct buf b CLEANUP(buf_done);
    bool more = false;
    buf_init(&b, VIEW_ARENA);
    if (json_parse(&j, shown, a, NULL, NULL) || json_type(&j, JSON_ROOT) != JSON_OBJECT)
        return STR_NONE;
    JSON_PAIRS(&j, JSON_ROOT, k, v)
    {
        struct str key = json_str(&j, k, a), value = json_raw(&j, v);
        bool whole = !effect_holds(&j, v) && value.n <= EFFECT_BRIEF;
        if (key.n > EFFECT_BRIEF || b.n + key.n + value.n * whole + 6 > max) {
            more = true;
            continue;
        }
        if (b.n)
            buf_z(&b, ", ");
        buf_str(&b, key);
        buf_char(&b, ' ');
        buf_str(&b, whole ? value : STR("…"));
    }
    if (more)
        buf_z(&b, b.n ? ", …" : "…");
    return buf_failed(&b) ? STR_NONE : rows_visible(a, buf_view(&b), false);
}

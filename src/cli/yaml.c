#include "cli/yaml.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <stdlib.h>

enum { YAML_BYTES = 1 << 20, YAML_VALUES = 50000, YAML_DEPTH = 32, YAML_KEYS = 1000 };
enum { YAML_ROOM = 64, YAML_ROOM_LEAST = 1 << 20 }; /* for each byte of text, and beyond */

struct yaml_level {
    bool mapping, value; /* value: the key was there, its value comes next */
    struct str key[YAML_KEYS];
    size_t keys;
};
struct yaml_reading {
    struct yaml *y;
    struct arena *a;
    struct buf json;
    struct json_out o;
    struct yaml_level *level; /* of YAML_DEPTH */
    size_t depth, count;
    const struct fy_mark *mark;
    bool bad;
};

/* One line, whatever is in the text: keys may have line ends in them. */
static void yaml_say(const struct yaml *y, unsigned line, unsigned column, const char *text)
{
    buf_fmt(y->faults, STR_FMT ":%u:%u: ", STR_ARG(y->file), line, column);
    for (; *text; text++)
        buf_char(y->faults, (unsigned char)*text < ' ' ? '?' : *text);
    buf_char(y->faults, '\n');
}

void yaml_fault(const struct yaml *y, uint32_t at, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    yaml_say(y, y->place[at].line, y->place[at].column, text);
}

static void yaml_bad(struct yaml_reading *r, const char *text)
{
    yaml_say(r->y, r->mark ? (unsigned)r->mark->line + 1 : 1, r->mark ? (unsigned)r->mark->column + 1 : 1, text);
    r->bad = true;
}

/* ---- scalars ---- */

static size_t yaml_digits(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

/* A number as YAML writes it, as JSON writes it; false: it is none. */
static bool yaml_number(struct str s, struct buf *out)
{
    size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+'), first = at;
    size_t whole = yaml_digits(s, at), part = 0;
    at += whole;
    if (at < s.n && s.p[at] == '.') {
        part = yaml_digits(s, ++at);
        at += part;
    }
    size_t number = at;
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at += 1 + (at + 1 < s.n && (s.p[at + 1] == '-' || s.p[at + 1] == '+'));
        if (!yaml_digits(s, at))
            return false;
        at += yaml_digits(s, at);
    }
    if (at != s.n || (!whole && !part))
        return false;
    while (whole > 1 && s.p[first] == '0') {
        first++;
        whole--;
    }
    buf_z(out, s.p[0] == '-' ? "-" : "");
    buf_z(out, whole ? "" : "0");
    buf_put(out, s.p + first, whole);
    if (part) {
        buf_char(out, '.');
        buf_put(out, s.p + number - part, part);
    }
    buf_put(out, s.p + number, s.n - number);
    return true;
}

static bool yaml_any(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

/* By the core schema of YAML 1.2. */
static void yaml_plain(struct yaml_reading *r, struct str s)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL}, *const no[] = {"false", "False", "FALSE", NULL};
    struct buf number CLEANUP(buf_done);
    buf_init(&number, YAML_BYTES);
    if (yaml_any(s, nothing))
        json_put_null(&r->o);
    else if (yaml_any(s, yes) || yaml_any(s, no))
        json_put_bool(&r->o, yaml_any(s, yes));
    else if (yaml_number(s, &number))
        json_put_raw(&r->o, buf_view(&number));
    else
        json_put_str(&r->o, s);
}

/* ---- events ---- */

static void yaml_key(struct yaml_reading *r, struct yaml_level *l, struct str key)
{
    for (size_t i = 0; i < l->keys; i++)
        if (str_eq(l->key[i], key)) {
            yaml_bad(r, "the key stands here twice: take one of them away");
            return;
        }
    if (l->keys == YAML_KEYS) {
        yaml_bad(r, "a mapping of more than 1000 keys");
        return;
    }
    l->key[l->keys++] = arena_str(r->a, key);
    json_key(&r->o, key);
}

/* True when a value may stand here. */
static bool yaml_place_of(struct yaml_reading *r, const struct fy_mark *mark)
{
    struct yaml_level *l = r->depth ? &r->level[r->depth - 1] : NULL;
    r->mark = mark;
    if (r->count == YAML_VALUES) {
        yaml_bad(r, "more than 50000 keys and values");
        return false;
    }
    r->y->place[++r->count] =
        (struct yaml_place){mark ? (unsigned)mark->line + 1 : 1, mark ? (unsigned)mark->column + 1 : 1};
    if (l && l->mapping)
        l->value = !l->value;
    return true;
}

static void yaml_scalar_event(struct yaml_reading *r, struct fy_event *e)
{
    size_t n = 0;
    const char *p = e->scalar.value ? fy_token_get_text(e->scalar.value, &n) : NULL;
    struct str s = {p ? p : "", p ? n : 0};
    struct yaml_level *l = r->depth ? &r->level[r->depth - 1] : NULL;
    bool key = l && l->mapping && !l->value;
    if (!yaml_place_of(r, fy_event_start_mark(e)))
        return;
    if (e->scalar.anchor || e->scalar.tag)
        yaml_bad(r, "anchors and tags are not taken: write the value out");
    else if (key)
        yaml_key(r, l, s);
    else if (fy_token_scalar_style(e->scalar.value) == FYSS_PLAIN)
        yaml_plain(r, s);
    else
        json_put_str(&r->o, s);
}

static void yaml_open(struct yaml_reading *r, struct fy_event *e, bool mapping)
{
    struct yaml_level *l = r->depth ? &r->level[r->depth - 1] : NULL;
    bool key = r->depth && l->mapping && !l->value;
    if (!yaml_place_of(r, fy_event_start_mark(e)))
        return;
    if (mapping ? e->mapping_start.anchor || e->mapping_start.tag : e->sequence_start.anchor || e->sequence_start.tag)
        yaml_bad(r, "anchors and tags are not taken: write the value out");
    else if (key)
        yaml_bad(r, "a key is a single text");
    else if (r->depth == YAML_DEPTH)
        yaml_bad(r, "nested deeper than 32");
    if (r->bad)
        return;
    l = &r->level[r->depth++];
    l->mapping = mapping;
    l->value = false;
    l->keys = 0;
    json_open(&r->o, mapping ? '{' : '[');
}

static void yaml_event(struct yaml_reading *r, struct fy_event *e, size_t *documents)
{
    switch (e->type) {
    case FYET_DOCUMENT_START:
        r->mark = fy_event_start_mark(e);
        if (++*documents == 2)
            yaml_bad(r, "a second document begins here: write a file of its own");
        return;
    case FYET_ALIAS:
        r->mark = fy_event_start_mark(e);
        yaml_bad(r, "anchors and aliases are not taken: write the value out");
        return;
    case FYET_SCALAR: yaml_scalar_event(r, e); return;
    case FYET_MAPPING_START: yaml_open(r, e, true); return;
    case FYET_SEQUENCE_START: yaml_open(r, e, false); return;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        r->depth--;
        json_close(&r->o, e->type == FYET_MAPPING_END ? '}' : ']');
        return;
    default: return;
    }
}

/* ---- the text ---- */

static void yaml_library_faults(struct yaml_reading *r, struct fy_diag *diag)
{
    void *it = NULL;
    for (struct fy_diag_error *e; !r->bad && (e = fy_diag_errors_iterate(diag, &it));) {
        if (!e->file) /* the library's own words on a fault that is listed already */
            continue;
        buf_fmt(r->y->faults, STR_FMT ":%d:%d: YAML: %s\n", STR_ARG(r->y->file), e->line > 0 ? e->line : 1,
                e->column > 0 ? e->column : 1, e->msg ? e->msg : "cannot be read");
        r->bad = true;
    }
}

/* The library does not survive that there is no memory: whether there is enough is tried before it is asked. */
static bool yaml_has_room(struct str text)
{
    void *volatile room = malloc(text.n * YAML_ROOM + YAML_ROOM_LEAST); /* else the compiler knows the answer */
    bool ret = room;
    free(room);
    return ret;
}

static enum err yaml_walk(struct yaml_reading *r, struct str text)
{
    size_t documents = 0;
    struct fy_diag *diag = yaml_has_room(text) ? fy_diag_create(NULL) : NULL;
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_ALLOW_DUPLICATE_KEYS, .diag = diag};
    struct fy_parser *parser = diag ? fy_parser_create(&cfg) : NULL;
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    if (!parser || fy_parser_set_string(parser, text.p, text.n)) {
        fy_parser_destroy(parser);
        fy_diag_destroy(diag);
        return ERR_NOMEM;
    }
    for (struct fy_event *e; !r->bad && (e = fy_parser_parse(parser)); fy_parser_event_free(parser, e))
        yaml_event(r, e, &documents);
    yaml_library_faults(r, diag);
    if (!r->bad && (fy_parser_get_stream_error(parser) || !r->count))
        yaml_bad(r, r->count ? "YAML: cannot be read" : "there is nothing in this file");
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return r->bad ? ERR_CONFIG : ERR_OK;
}

enum err yaml_read(struct str file, struct str text, struct arena *a, struct buf *faults, struct yaml *ret)
{
    struct yaml y = {.file = file, .faults = faults};
    struct yaml_reading r = {.y = &y, .a = a};
    struct fault f = {.text = ""};
    if (text.n > YAML_BYTES || !str_utf8_valid(text) || (text.n && memchr(text.p, 0, text.n))) {
        yaml_say(&y, 1, 1, "must be a text in UTF-8 of at most 1 MiB");
        return ERR_CONFIG;
    }
    y.place = arena_alloc(a, (YAML_VALUES + 1) * sizeof(*y.place));
    r.level = arena_alloc(a, YAML_DEPTH * sizeof(*r.level));
    if (!y.place || !r.level)
        return ERR_NOMEM;
    buf_init(&r.json, 16u << 20);
    r.o = json_out(&r.json);
    enum err e = text.n ? yaml_walk(&r, text) : ERR_CONFIG;
    if (!text.n)
        yaml_say(&y, 1, 1, "there is nothing in this file");
    struct str json = e ? STR_NONE : arena_buf(a, &r.json);
    buf_done(&r.json);
    if (!e && (arena_failed(a) || json_parse(&y.j, json, a, NULL, &f))) {
        yaml_say(&y, 1, 1, f.text[0] ? f.text : "no memory to read it");
        e = ERR_CONFIG;
    }
    if (!e)
        *ret = y;
    return e;
}

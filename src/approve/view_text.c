/* A view as text, and as JSON. */
#include <stdio.h>

#include "approve/rows.h"
#include "base/visible.h"

enum { TEXT_NAME = 22 /* columns of the names, at least */, TEXT_NAME_MAX = 40, TEXT_LINE = 100 /* characters */ };

/* ---- text ---- */

static void text_pad(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_char(out, ' ');
}

/* As many bytes as fit, whole characters. */
static struct str text_cut(struct str s, size_t max)
{
    size_t n = s.n < max ? s.n : max;
    while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return (struct str){s.p, n};
}

struct str view_short(const struct view_field *field, size_t max, struct arena *arena)
{
    unsigned char hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    if (!max || (field->value.n <= max && !field->bytes))
        return field->value;
    struct str of = field->hash, some = text_cut(field->value, max);
    if (!of.n) {
        enc_sha256(field->value.p, field->value.n, hash);
        enc_hex(hash, sizeof(hash), hex);
        of = str_of(hex);
    }
    return arena_fmt(arena, STR_FMT "… (%zu bytes, SHA-256 " STR_FMT ")", STR_ARG(some),
                     field->bytes ? field->bytes : field->value.n, STR_ARG(of));
}

/* As many bytes as TEXT_LINE characters have. */
static struct str text_piece(struct str line)
{
    size_t i = 0;
    for (size_t n = 0; i < line.n; i++)
        if (((unsigned char)line.p[i] & 0xc0) != 0x80 && n++ == TEXT_LINE)
            break;
    return (struct str){line.p, i};
}

/* A value of several lines, each behind a bar: none of them passes for a line of ours. Long ones go on behind ":",
 * since a terminal would break them anywhere. */
static void text_lines(struct buf *out, struct str value, size_t indent, bool behind)
{
    for (struct str rest = value, line; rest.n;) {
        str_cut(&rest, '\n', &line);
        const char *mark = "| ";
        do {
            struct str piece = text_piece(line);
            if (behind)
                buf_char(out, '\n');
            behind = true;
            text_pad(out, indent);
            buf_z(out, mark);
            buf_str(out, piece);
            line = str_skip(line, piece.n);
            mark = ": ";
        } while (line.n);
    }
}

static bool text_is_long(struct str s)
{
    return s.n > TEXT_LINE && visible_width(s) > TEXT_LINE;
}

static void text_note(struct buf *out, struct str note, bool first, size_t indent)
{
    if (!note.n)
        return;
    if (text_is_long(note)) {
        text_lines(out, note, indent + 2, true);
        return;
    }
    buf_z(out, first ? "(" : "   (");
    buf_str(out, note);
    buf_char(out, ')');
}

static void text_field(struct buf *out, const struct view_field *f, struct str value, size_t width, bool barred)
{
    size_t indent = 2 + 2 * (size_t)f->depth, name = visible_width(f->name);
    bool lines = barred || text_is_long(value) || (value.n && memchr(value.p, '\n', value.n));
    if (lines && !f->name.n && !f->note.n) { /* no line of its own */
        text_lines(out, value, indent + 2, false);
        buf_char(out, '\n');
        return;
    }
    if (text_is_long(f->name)) {
        text_lines(out, f->name, indent, false);
        lines = true;
    } else {
        text_pad(out, indent);
        buf_str(out, f->name);
    }
    if (value.n && !lines && f->name.n) {
        text_pad(out, indent + name < width ? width - indent - name : 0);
        buf_z(out, "  ");
    }
    if (value.n && !lines)
        buf_str(out, value);
    if (lines)
        text_lines(out, value, indent + 2, true);
    text_note(out, f->note, !lines && !value.n && !f->name.n, indent);
    buf_char(out, '\n');
}

static size_t text_width(const struct view_section *s)
{
    size_t width = TEXT_NAME;
    for (size_t i = 0; i < s->n; i++) {
        size_t n = 2 + 2 * (size_t)s->field[i].depth + visible_width(s->field[i].name);
        width = n > width && n <= TEXT_NAME_MAX ? n : width;
    }
    return width;
}

void view_section_text(const struct view_section *s, size_t value_max, struct buf *out)
{
    size_t width = text_width(s);
    struct arena a;
    arena_init(&a, VIEW_ARENA);
    for (size_t i = 0; i < s->n; i++)
        text_field(out, &s->field[i], view_short(&s->field[i], value_max, &a), width, s->untrusted);
    if (arena_failed(&a))
        out->failed = out->poor = true;
    arena_done(&a);
}

void view_text(const struct approval_view *v, size_t value_max, struct buf *out)
{
    buf_str(out, v->headline);
    buf_char(out, '\n');
    buf_str(out, v->deadline);
    buf_char(out, '\n');
    struct view_section time = v->section[VIEW_TIME];
    if (time.n > 1) { /* the first row is the deadline once more */
        time.field++;
        time.n--;
        view_section_text(&time, value_max, out);
    }
    for (size_t i = 0; i < VIEW_PARTS; i++) {
        if (!v->section[i].n || i == VIEW_TIME)
            continue;
        buf_char(out, '\n');
        buf_str(out, v->section[i].title);
        buf_char(out, '\n');
        view_section_text(&v->section[i], value_max, out);
    }
}

/* ---- JSON ---- */

static void json_field(struct json_out *o, const struct view_field *f)
{
    json_open(o, '{');
    json_kv_str(o, "name", f->name);
    json_kv_str(o, "value", f->value);
    if (f->note.n)
        json_kv_str(o, "note", f->note);
    if (f->depth)
        json_kv_i64(o, "depth", f->depth);
    if (f->bytes) {
        json_kv_i64(o, "bytes", (int64_t)f->bytes);
        json_kv_str(o, "sha256", f->hash);
    }
    json_close(o, '}');
}

void view_json(const struct approval_view *v, struct json_out *o)
{
    json_kv_str(o, "headline", v->headline);
    json_kv_str(o, "deadline", v->deadline);
    json_kv_bool(o, "masked", v->masked);
    json_kv_raw(o, "arguments", v->arguments.n ? v->arguments : STR("null"));
    json_key(o, STR("sections"));
    json_open(o, '[');
    for (size_t i = 0; i < VIEW_PARTS; i++) {
        const struct view_section *s = &v->section[i];
        json_open(o, '{');
        json_kv_z(o, "part", view_parts[i]);
        json_kv_str(o, "title", s->title);
        json_kv_bool(o, "untrusted", s->untrusted);
        json_key(o, STR("fields"));
        json_open(o, '[');
        for (size_t k = 0; k < s->n; k++)
            json_field(o, &s->field[k]);
        json_close(o, ']');
        json_close(o, '}');
    }
    json_close(o, ']');
}

/* ---- and back ---- */

/* Who answers may be anybody: what is read is made visible once more. */
static struct str read_str(const struct json *j, uint32_t object, const char *key, struct arena *a)
{
    return rows_visible(a, json_str(j, json_get(j, object, str_of(key)), a), true);
}

static void read_field(const struct json *j, uint32_t one, struct view_rows *r)
{
    int64_t depth = 0, bytes = 0;
    bool deep = json_i64(j, json_get(j, one, STR("depth")), &depth) && depth > 0 && depth < 1024;
    struct view_field *row = rows_add(r, deep ? (unsigned)depth : 0);
    row->name = read_str(j, one, "name", r->a);
    row->value = read_str(j, one, "value", r->a);
    row->note = read_str(j, one, "note", r->a);
    row->hash = read_str(j, one, "sha256", r->a);
    row->bytes = json_i64(j, json_get(j, one, STR("bytes")), &bytes) && bytes > 0 ? (size_t)bytes : 0;
}

static enum err read_section(const struct json *j, uint32_t one, struct approval_view *v, struct arena *a,
                             struct fault *f)
{
    size_t part = 0;
    while (part < VIEW_PARTS && !json_str_is(j, json_get(j, one, STR("part")), str_of(view_parts[part])))
        part++;
    if (part == VIEW_PARTS)
        return ERR_OK; /* of a newer gateway */
    struct view_section *s = &v->section[part];
    struct view_rows r = {.a = a};
    s->part = (enum view_part)part;
    s->title = read_str(j, one, "title", a);
    s->untrusted = json_bool(j, json_get(j, one, STR("untrusted")), true);
    uint32_t fields = json_get(j, one, STR("fields"));
    if (json_type(j, fields) != JSON_ARRAY)
        return fault_set(f, ERR_SYNTAX, "sections[].fields must be an array");
    JSON_EACH(j, fields, field)
    read_field(j, field, &r);
    rows_close(&r, s);
    return ERR_OK;
}

enum err view_read(const struct json *j, uint32_t object, struct arena *arena, struct approval_view *ret,
                   struct fault *f)
{
    struct approval_view v = {.state = APPROVAL_NONE};
    uint32_t sections = json_get(j, object, STR("sections"));
    if (json_type(j, sections) != JSON_ARRAY)
        return fault_set(f, ERR_SYNTAX, "sections must be an array");
    v.id = read_str(j, object, "id", arena);
    v.headline = read_str(j, object, "headline", arena);
    v.deadline = read_str(j, object, "deadline", arena);
    v.risk = read_str(j, object, "risk", arena);
    v.digest = read_str(j, object, "digest", arena);
    v.masked = json_bool(j, json_get(j, object, STR("masked")), false);
    struct str state = json_str(j, json_get(j, object, STR("state")), arena);
    for (int i = APPROVAL_NONE; i <= APPROVAL_VOID; i++)
        if (str_is(state, approval_states[i]))
            v.state = (enum approval_state)i;
    JSON_EACH(j, sections, one)
    TRY(read_section(j, one, &v, arena, f));
    if (arena_failed(arena))
        return fault_set(f, ERR_NOMEM, "no memory to show this");
    *ret = v;
    return ERR_OK;
}

/*
 * Any bytes as arguments and, behind the first newline, as the schema of their tool. Whatever they are: what is shown
 * of them is UTF-8 and steers no terminal, holds each argument, and comes back from its JSON as it was. The same bytes
 * as the JSON of a view are read, or refused.
 */
#include "../fuzz.h"
#include "approve/rows.h"

enum { ARENA = 256 << 20, TEXT = 64 << 20 };

/* Nothing that a terminal obeys, and nothing that turns the text around. */
static void harmless(struct str text)
{
    CHECK(str_utf8_valid(text));
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        CHECK(c >= 0x20 || c == '\n' || c == '\t');
        CHECK(c != 0x7f);
        if (c == 0xc2 && i + 1 < text.n)
            CHECK((unsigned char)text.p[i + 1] >= 0xa0);
        if (c == 0xe2 && i + 2 < text.n && (unsigned char)text.p[i + 1] == 0x80) {
            unsigned char last = (unsigned char)text.p[i + 2];
            CHECK(last < 0x8b || (last > 0x8f && last < 0xa8) || last > 0xae);
        }
    }
}

static void shown(const struct approval_view *v, struct buf *ret)
{
    view_text(v, 0, ret);
    CHECK(!buf_failed(ret));
    harmless(buf_view(ret));
}

static void comes_back(const struct approval_view *v, struct str text, struct arena *a)
{
    struct buf json, again;
    struct json j;
    struct approval_view back;
    struct fault f = {.text = ""};
    buf_init(&json, TEXT);
    buf_init(&again, TEXT);
    struct json_out o = json_out(&json);
    json_open(&o, '{');
    view_json(v, &o);
    json_close(&o, '}');
    if (!json_parse(&j, buf_view(&json), a, NULL, &f)) { /* rows may be more nodes than a document may have */
        CHECK(view_read(&j, JSON_ROOT, a, &back, &f) == ERR_OK);
        shown(&back, &again);
        CHECK(str_eq(buf_view(&again), text));
    }
    buf_done(&json);
    buf_done(&again);
}

static void as_arguments(struct str arguments, struct str schema, struct arena *a)
{
    struct json j;
    struct buf canonical, text;
    struct approval_view v = {.headline = STR("h"), .deadline = STR("d")};
    struct view_rows rows = {.a = a};
    struct fault f = {.text = ""};
    buf_init(&canonical, TEXT);
    buf_init(&text, TEXT);
    if (!json_parse(&j, arguments, a, NULL, NULL) && !json_canonical(&j, JSON_ROOT, &canonical, a) &&
        !effect_rows(&rows, buf_view(&canonical), buf_view(&canonical), schema, &f)) {
        CHECK(rows.n >= 1);
        CHECK(rows.n >= j.node[JSON_ROOT].size || rows.n == 1); /* very many are one */
        rows_close(&rows, &v.section[VIEW_EFFECT]);
        v.headline = effect_brief(buf_view(&canonical), 160, a);
        shown(&v, &text);
        comes_back(&v, buf_view(&text), a);
    }
    buf_done(&canonical);
    buf_done(&text);
}

static void as_view(struct str bytes, struct arena *a)
{
    struct json j;
    struct approval_view v;
    struct buf text;
    struct fault f = {.text = ""};
    buf_init(&text, TEXT);
    if (!json_parse(&j, bytes, a, NULL, NULL) && !view_read(&j, JSON_ROOT, a, &v, &f))
        shown(&v, &text);
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str schema = {(const char *)data, size}, arguments;
    struct arena a;
    arena_init(&a, ARENA);
    as_view(schema, &a);
    str_cut(&schema, '\n', &arguments);
    as_arguments(arguments, schema, &a);
    arena_done(&a);
    return 0;
}

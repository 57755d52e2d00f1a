/*
 * Any JSON as an entry of the record: in each form it has either none, and nothing is written, or a valid one. JSON
 * that a strict parser takes; of CEF one line with its seven pipes, in which every equal sign of a value is escaped.
 */
#include "../fuzz.h"
#include "sink/format.h"

enum { FUZZ_OUT = 64 << 20 };

static void json_checked(const struct sink_format *format, struct str text)
{
    static const struct json_limits deep = {.depth = 1 << 16};
    struct buf whole;
    struct arena a;
    struct json j;
    buf_init(&whole, FUZZ_OUT);
    arena_init(&a, 1u << 30);
    if (format->begin)
        buf_z(&whole, format->begin);
    buf_str(&whole, text);
    if (format->end)
        buf_z(&whole, format->end);
    CHECK(json_parse(&j, buf_view(&whole), &a, &deep, NULL) == ERR_OK);
    buf_done(&whole);
    arena_done(&a);
}

static void cef_checked(struct str line)
{
    unsigned pipes = 0;
    CHECK(str_starts(line, STR("CEF:0|Doorward|Doorward|")));
    line_checked(line);
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '\\')
            i++;
        else if (pipes < 7 && line.p[i] == '|')
            pipes++;
        else if (pipes == 7 && line.p[i] == '=') /* of a key, which stands before it */
            CHECK((line.p[i - 1] >= 'a' && line.p[i - 1] <= 'z') || (line.p[i - 1] >= '0' && line.p[i - 1] <= '9'));
    }
    CHECK(pipes == 7);
}

static void form_checked(const struct sink_format *format, const struct sink_entry *e,
                         const struct sink_format_how *how)
{
    struct buf out;
    buf_init(&out, FUZZ_OUT);
    bool written = format->write(e, how, &out);
    CHECK(written || out.n == 0);
    if (!written || buf_failed(&out)) {
        buf_done(&out);
        return;
    }
    if (format == &format_cef)
        cef_checked(buf_view(&out));
    else
        json_checked(format, buf_view(&out));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const struct json_limits deep = {.depth = 1024};
    struct sink_format_how how = {.arguments = true, .intents = sink_intents_new(1 << 16)};
    struct arena a;
    struct json j;
    arena_init(&a, 1u << 28);
    struct str text = arena_str(&a, (struct str){(const char *)p, n});
    if (text.p && how.intents && json_parse(&j, text, &a, &deep, NULL) == ERR_OK) {
        struct sink_entry e = {.seq = 1, .text = text, .doc = &j};
        tlog_leaf(text, &e.leaf);
        for (size_t i = 0; sink_formats[i]; i++) {
            form_checked(sink_formats[i], &e, NULL);
            form_checked(sink_formats[i], &e, &how);
        }
    }
    sink_intents_free(how.intents);
    arena_done(&a);
    return 0;
}

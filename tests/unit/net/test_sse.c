/* Server-sent events as the WHATWG HTML standard reads them, split at every byte. */
#include "../../pieces.h"
#include "../unit.h"

#include "net/sse.h"

struct told {
    struct buf text; /* "type|data|id|retry" and a semicolon for each event */
    unsigned stop_after;
    unsigned count;
};

static bool event(void *ctx, const struct sse_event *e)
{
    struct told *t = ctx;
    buf_str(&t->text, e->event);
    buf_char(&t->text, '|');
    buf_str(&t->text, e->data);
    buf_char(&t->text, '|');
    buf_str(&t->text, e->id);
    buf_char(&t->text, '|');
    if (e->retry_ms >= 0)
        buf_i64(&t->text, e->retry_ms);
    buf_char(&t->text, ';');
    return ++t->count != t->stop_after;
}

/* Feeds bytes[0..at) and the rest; the result is in t->text. */
static enum err feed_split(struct str bytes, size_t at, size_t max, struct told *t)
{
    struct pieces in = {.rest = bytes, .first = at, .step = bytes.n};
    struct str piece;
    struct sse s;
    struct fault f;
    enum err e = ERR_OK;
    sse_init(&s, max);
    buf_clear(&t->text);
    t->count = 0;
    while (!e && pieces_next(&in, &piece))
        e = sse_feed(&s, piece, event, t, &f);
    pieces_done(&in);
    sse_done(&s);
    return e;
}

static void the_standards_table(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct str bytes, want;
    } rows[] = {
        {"one event", STR("data: a\n\n"), STR("|a||;")},
        {"CRLF", STR("data: a\r\n\r\n"), STR("|a||;")},
        {"CR", STR("data: a\r\r"), STR("|a||;")},
        {"all three mixed", STR("data: a\rdata: b\r\ndata: c\n\r\n"), STR("|a\nb\nc||;")},
        {"CR LF CR LF is two lines", STR("data: a\r\n\r\ndata: b\r\n\r\n"), STR("|a||;|b||;")},
        {"LF CR is two line ends", STR("data: a\n\rdata: b\n\n"), STR("|a||;|b||;")},
        {"a byte order mark",
         STR("\xef\xbb\xbf"
             "data: a\n\n"),
         STR("|a||;")},
        {"only one of them",
         STR("\xef\xbb\xbf\xef\xbb\xbf"
             "data: a\n\n"),
         STR("")},
        {"and only at the start",
         STR("\n\xef\xbb\xbf"
             "data: a\n\n"),
         STR("")},
        {"several lines", STR("data: YHOO\ndata: +2\ndata: 10\n\n"), STR("|YHOO\n+2\n10||;")},
        {"comments", STR(": test stream\n\ndata: first\nid: 1\n:\n\n"), STR("|first|1|;")},
        {"an id is kept, and taken back by an empty one", STR("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"),
         STR("|a|1|;|b|1|;|c||;")},
        {"one space is cut, not two", STR("data:  a\n\ndata:b\n\n"), STR("| a||;|b||;")},
        {"empty data", STR("data\n\ndata\ndata\n\ndata:\n\n"), STR("|||;|\n||;|||;")},
        {"an event that is not ended is none", STR("data: a\n\ndata: b\n"), STR("|a||;")},
        {"no data, no event", STR("event: x\n\ndata: a\n\n"), STR("|a||;")},
        {"a type", STR("event: add\ndata: 1\n\nevent: x\nevent: y\ndata: 2\n\ndata: 3\n\n"),
         STR("add|1||;y|2||;|3||;")},
        {"an id with NUL is none", STR("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n"), STR("|a|1|;|b|1|;")},
        {"retry", STR("retry: 1500\ndata: a\n\n"), STR("|a||1500;")},
        {"retry with other characters", STR("retry: 15s\nretry: -1\nretry:\nretry: 1.5\ndata: a\n\n"), STR("|a||;")},
        {"unknown fields and case", STR("DATA: x\ndatas: y\n data: z\nfoo\ndata: a\n\n"), STR("|a||;")},
        {"a colon in the data", STR("data: a: b\n\n"), STR("|a: b||;")},
        {"a trailing CR at the end of what has come", STR("data: a\n\r"), STR("|a||;")},
    };
    struct told t = {0};
    buf_init(&t.text, 10000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t at = 0; at <= rows[i].bytes.n; at++) {
            assert_int_equal(feed_split(rows[i].bytes, at, 1000, &t), ERR_OK);
            if (!str_eq(buf_view(&t.text), rows[i].want))
                fail_msg("%s, split at %zu: " STR_FMT, rows[i].what, at, STR_ARG(buf_view(&t.text)));
        }
    buf_done(&t.text);
}

static void an_event_is_bounded(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        enum err want;
    } rows[] = {
        {STR("data: 1234\n\n"), ERR_OK},
        {STR("data: 12345\n\n"), ERR_LIMIT}, /* the line has 11 bytes */
        {STR(": a comment\n\n"), ERR_LIMIT},
        {STR("data:1\ndata:2\ndata:3\ndata:4\ndata:5\n\n"), ERR_OK},
        {STR("data:123\ndata:456\ndata:789\n\n"), ERR_LIMIT}, /* 11 with the line ends */
        {STR("data:123\ndata:456\n\ndata:789\n\n"), ERR_OK},
    };
    struct told t = {0};
    buf_init(&t.text, 10000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t at = 0; at <= rows[i].bytes.n; at++)
            assert_int_equal(feed_split(rows[i].bytes, at, 10, &t), rows[i].want);
    static char type[310] = "event:", id[1100] = "id:";
    memset(type + 6, 'x', 300);
    memset(id + 3, 'x', 1090);
    memcpy(type + 306, "\n", 2);
    memcpy(id + 1093, "\n", 2);
    assert_int_equal(feed_split(str_of(type), 9, 5000, &t), ERR_LIMIT);
    assert_int_equal(feed_split(str_of(id), 9, 5000, &t), ERR_LIMIT);
    buf_done(&t.text);
}

static void a_reader_may_stop(void **state)
{
    (void)state;
    struct told t = {.stop_after = 2};
    buf_init(&t.text, 1000);
    struct str bytes = STR("data: a\n\ndata: b\n\ndata: c\n\n");
    assert_int_equal(feed_split(bytes, bytes.n, 100, &t), ERR_CANCELLED);
    assert_int_equal(t.count, 2);
    buf_done(&t.text);
}

static void what_is_written_is_read_the_same(void **state)
{
    (void)state;
    struct told t = {0};
    struct buf out;
    buf_init(&t.text, 1000);
    buf_init(&out, 1000);
    sse_write_comment(&out);
    sse_write(&out, STR("{\"a\":[1,2]}"));
    sse_write_comment(&out);
    sse_write(&out, STR(" :x"));
    assert_int_equal(feed_split(buf_view(&out), 5, 100, &t), ERR_OK);
    assert_true(str_is(buf_view(&t.text), "message|{\"a\":[1,2]}||;message| :x||;"));
    buf_done(&t.text);
    buf_done(&out);
}

/* Whoever goes on behind an id takes it when its event is whole, also one without data, which is not told. */
static void an_id_counts_when_its_event_is_over(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *id;
        bool between;
    } steps[] = {
        {"id: 5\n", "5", false}, {"data: a\n", "5", false}, {"\n", "5", true}, {"id: 9\n", "9", false},
        {"\n", "9", true},       {":\n", "9", false},       {"\n", "9", true}, {"id: 1", "9", true},
        {"0\n", "10", false},    {"\n", "10", true},
    };
    struct told t = {0};
    struct sse s;
    struct fault f;
    buf_init(&t.text, 4096);
    sse_init(&s, 4096);
    for (size_t i = 0; i < COUNT(steps); i++) {
        assert_int_equal(sse_feed(&s, str_of(steps[i].bytes), event, &t, &f), ERR_OK);
        if (s.between != steps[i].between || !str_is(buf_view(&s.id), steps[i].id))
            fail_msg("step %zu: %d, " STR_FMT, i, s.between, STR_ARG(buf_view(&s.id)));
    }
    assert_true(str_is(buf_view(&t.text), "|a|5|;"));
    sse_done(&s);
    buf_done(&t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_table),
        cmocka_unit_test(an_event_is_bounded),
        cmocka_unit_test(a_reader_may_stop),
        cmocka_unit_test(an_id_counts_when_its_event_is_over),
        cmocka_unit_test(what_is_written_is_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The framing of stdio, split everywhere. */
#include "../../pieces.h"
#include "../unit.h"

#include "net/lines.h"

static struct buf got;
static unsigned stop_after;

static bool line(void *ctx, struct str one)
{
    unsigned *count = ctx;
    buf_str(&got, one);
    buf_char(&got, '|');
    return ++*count != stop_after;
}

static enum err feed_split(struct str bytes, size_t at, size_t max)
{
    struct pieces in = {.rest = bytes, .first = at, .step = bytes.n};
    struct str piece;
    struct lines l;
    struct fault f;
    enum err e = ERR_OK;
    unsigned count = 0;
    lines_init(&l, max);
    buf_clear(&got);
    while (!e && pieces_next(&in, &piece))
        e = lines_feed(&l, piece, line, &count, &f);
    pieces_done(&in);
    lines_done(&l);
    return e;
}

static void lines_come_whole_wherever_they_are_split(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        enum err want;
        const char *lines;
    } rows[] = {
        {{"a\nbb\n", 5}, ERR_OK, "a|bb|"},
        {{"a\r\nbb\r\n", 7}, ERR_OK, "a|bb|"},
        {{"\n\r\n\na\n\n", 7}, ERR_OK, "a|"},
        {{"a\rb\n", 4}, ERR_OK, "a\rb|"},
        {{"a\r\r\n", 4}, ERR_OK, "a\r|"},
        {{"a\nb", 3}, ERR_OK, "a|"},
        {{"1234567890\nx\n", 13}, ERR_OK, "1234567890|x|"},
        {{"x\n12345678901\ny\n", 16}, ERR_LIMIT, "x|"},
        {{"12345678901", 11}, ERR_LIMIT, ""},
        {{"123456789\r\n", 11}, ERR_OK, "123456789|"},
        {{"1234567890\r\n", 12}, ERR_LIMIT, ""},
        {{"a\nb\0c\nd\n", 8}, ERR_SYNTAX, "a|"},
        {{"", 0}, ERR_OK, ""},
    };
    buf_init(&got, 1000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t at = 0; at <= rows[i].bytes.n; at++) {
            enum err e = feed_split(rows[i].bytes, at, 10);
            if (e != rows[i].want || !str_is(buf_view(&got), rows[i].lines))
                fail_msg("row %zu split at %zu: %s, " STR_FMT, i, at, err_code(e), STR_ARG(buf_view(&got)));
        }
    buf_done(&got);
}

static void a_reader_may_stop(void **state)
{
    (void)state;
    buf_init(&got, 1000);
    stop_after = 2;
    assert_int_equal(feed_split(STR("a\nb\nc\n"), 6, 10), ERR_CANCELLED);
    assert_true(str_is(buf_view(&got), "a|b|"));
    stop_after = 0;
    buf_done(&got);
}

/* An over-long line stays an error: its rest is not taken for a line of its own. */
static void the_rest_of_a_long_line_is_no_line(void **state)
{
    (void)state;
    struct lines l;
    struct fault f;
    unsigned count = 0;
    lines_init(&l, 4);
    buf_init(&got, 1000);
    assert_int_equal(lines_feed(&l, STR("abcde"), line, &count, &f), ERR_LIMIT);
    assert_int_equal(lines_feed(&l, STR("f\n"), line, &count, &f), ERR_LIMIT);
    assert_int_equal(count, 0);
    buf_done(&got);
    lines_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_wherever_they_are_split),
        cmocka_unit_test(a_reader_may_stop),
        cmocka_unit_test(the_rest_of_a_long_line_is_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

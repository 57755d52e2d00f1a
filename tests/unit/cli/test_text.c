/* Strings of strangers on an operator's screen; times as people say them. */
#include "../unit.h"

#include "base/clock.h"
#include "cli/cli.h"

static void shows(const char *text, size_t n, bool lines, const char *want)
{
    struct buf b;
    buf_init(&b, 4096);
    cli_visible(&b, (struct str){text, n}, lines);
    buf_char(&b, 0);
    assert_string_equal(b.p, want);
    buf_done(&b);
}
#define SHOWS(text, lines, want) shows("" text, sizeof(text) - 1, lines, want)

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    SHOWS("größe 東京 🐲 100%", false, "größe 東京 🐲 100%");
}

static void what_steers_a_terminal_is_written_out(void **state)
{
    (void)state;
    SHOWS("a\033[2Jb", false, "a\\x1b[2Jb");
    SHOWS("bell\a back\b\177", false, "bell\\x07 back\\x08\\x7f");
    SHOWS("\302\2332J", false, "\\u{9b}2J");                               /* CSI as one character of C1 */
    SHOWS("evil\342\200\256txt", false, "evil\\u{202e}txt");               /* right-to-left override */
    SHOWS("a\342\200\213b\357\273\277", false, "a\\u{200b}b\\u{feff}");    /* zero width */
    SHOWS("a\u3164b\u115f\ufe01", false, "a\\u{3164}b\\u{115f}\\u{fe01}"); /* blank letters, a selector of no emoji */
    SHOWS("\u2764\ufe0f", false, "\u2764\ufe0f");                          /* an emoji stays one */
    SHOWS("\xff\xc3(", false, "\\xff\\xc3(");                              /* no UTF-8 */
    SHOWS("nul\0!", false, "nul\\x00!");
}

static void lines_are_kept_only_where_there_is_room_for_them(void **state)
{
    (void)state;
    SHOWS("one\ntwo\tthree\r\n", false, "one\\ntwo\\x09three\\x0d\\n");
    SHOWS("one\ntwo\tthree\r\n", true, "one\ntwo\tthree\\x0d\n");
}

static void a_cell_is_cut_at_a_character(void **state)
{
    (void)state;
    static struct cli c;
    arena_init(&c.arena, 1u << 20);
    assert_string_equal(cli_shown(&c, STR("äöüäöü"), 4), "äöü…");
    assert_string_equal(cli_shown(&c, STR("äöüä"), 4), "äöüä");
    assert_string_equal(cli_shown(&c, STR_NONE, 4), "");
    arena_done(&c.arena);
}

static void durations_are_short(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *want;
    } rows[] = {{0, "0 ms"},     {999, "999 ms"},    {1000, "1s"},      {61000, "1m 1s"},    {900000, "15m"},
                {3600000, "1h"}, {3660000, "1h 1m"}, {86400000, "24h"}, {7776000000, "90d"}, {180000000, "2d 2h"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[CLI_TIME];
        cli_duration(rows[i].ms, text);
        assert_string_equal(text, rows[i].want);
    }
}

static void times_say_how_far_they_are(void **state)
{
    (void)state;
    char text[CLI_TIME];
    cli_when(1795632953143, text);
    assert_string_equal(text, "2026-11-25 18:55:53 UTC");
    cli_ago(clock_wall_ms() + 86400000 - 5000, text); /* a day, and a few seconds for a slow machine */
    assert_string_equal(text, "in 24h");
    cli_ago(clock_wall_ms() - 86400000 * 3, text);
    assert_string_equal(text, "3d ago");
    cli_ago(clock_wall_ms(), text);
    assert_string_equal(text, "now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(what_steers_a_terminal_is_written_out),
        cmocka_unit_test(lines_are_kept_only_where_there_is_room_for_them),
        cmocka_unit_test(a_cell_is_cut_at_a_character),
        cmocka_unit_test(durations_are_short),
        cmocka_unit_test(times_say_how_far_they_are),
    };
    return cmocka_run_group_tests_name("cli/text", tests, NULL, NULL);
}

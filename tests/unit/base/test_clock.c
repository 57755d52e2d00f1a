/* Times and durations as people and tokens write them. */
#include "base_test.h"

#include "base/clock.h"

static void times_that_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2026-11-23T20:54:00.123Z", 1795467240123},
        {"2026-11-23t20:54:00.123z", 1795467240123},
        {"2026-11-23 20:54:00.123Z", 1795467240123},
        {"2026-11-23T21:54:00.123+01:00", 1795467240123},
        {"2026-11-23T15:24:00.123-05:30", 1795467240123},
        {"2026-11-23T20:54:00.1239999999999999Z", 1795467240123},
        {"2026-11-23T20:54:00.1Z", 1795467240100},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"1985-04-12T23:20:50.52Z", 482196050520},
        {"1996-12-19T16:39:57-08:00", 851042397000},
        {"1990-12-31T23:59:60Z", 662688000000}, /* a leap second is the next one's beginning */
        {"0000-01-01T00:00:00Z", -62167219200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = 42;
        if (clock_parse(str_of(rows[i].text), &ms) || ms != rows[i].ms)
            fail_msg("%s: %ld", rows[i].text, (long)ms);
    }
}

static void times_that_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11-23",
        "2026-11-23T20:54:00",
        "2026-11-23T20:54Z",
        "2026-11-23T20:54:00.Z",
        "2026-11-23T20:54:00,5Z",
        "2026-11-23T20:54:00Z ",
        " 2026-11-23T20:54:00Z",
        "2026-11-23T20:54:00ZZ",
        "2026-11-23T20:54:00+0100",
        "2026-11-23T20:54:00+01",
        "2026-11-23T20:54:00+24:00",
        "2026-11-23T20:54:00+01:60",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T20:60:00Z",
        "2026-11-23T20:54:61Z",
        "26-11-23T20:54:00Z",
        "+2026-11-23T20:54:00Z",
        "2026-1-23T20:54:00Z",
        "2026-11-23T2 :54:00Z",
        "2026-11-23T-1:54:00Z",
        "20261123T205400Z",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t ms = 42;
        if (clock_parse(str_of(bad[i]), &ms) != ERR_SYNTAX || ms != 42)
            fail_msg("'%s' is taken for %ld", bad[i], (long)ms);
    }
}

static void a_time_is_written_and_read_back(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339];
    int64_t back;
    for (int64_t ms = -62167219200000; ms < 253402300799999; ms += 86399999977 / 7) { /* all kinds of days and hours */
        clock_format(ms, text);
        assert_int_equal(clock_parse(str_of(text), &back), ERR_OK);
        assert_int_equal(back, ms);
    }
}

static void times_beyond_four_digits_stay_four_digits(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339];
    clock_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    clock_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"500ms", 500}, {"30s", 30000}, {"15m", 900000}, {"24h", 86400000}, {"90d", 7776000000}, {"0s", 0}};
    static const char *const bad[] = {
        "",
        "15",
        "m",
        "-1s",
        "+1s",
        "1.5h",
        "1 s",
        "1s ",
        "1S",
        "1min",
        "1h30m",
        "1w",
        "ms",
        "99999999999999999999s",
        "2147483647000d",
        "2147483648000ms",
    };
    int64_t ms = 42;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (clock_duration(str_of(bad[i]), &ms) != ERR_SYNTAX || ms != 42)
            fail_msg("'%s' is taken for %ld", bad[i], (long)ms);
    for (size_t i = 0; i < COUNT(good); i++)
        if (clock_duration(str_of(good[i].text), &ms) || ms != good[i].ms)
            fail_msg("%s: %ld", good[i].text, (long)ms);
}

static void monotonic_time_does_not_go_back(void **state)
{
    (void)state;
    for (int64_t i = 0, last = clock_mono_ns(), now; i < 10000; i++, last = now)
        assert_true((now = clock_mono_ns()) >= last);
}

static void a_moment_is_a_duration_before_now_or_a_date_with_or_without_a_time(void **state)
{
    int64_t ms = 0;
    (void)state;
    assert_int_equal(clock_moment(STR("1h"), 7200000, &ms), ERR_OK);
    assert_int_equal(ms, 3600000);
    assert_int_equal(clock_moment(STR("1970-01-02"), 0, &ms), ERR_OK);
    assert_int_equal(ms, 86400000);
    assert_int_equal(clock_moment(STR("1970-01-01T00:00:01Z"), 0, &ms), ERR_OK);
    assert_int_equal(ms, 1000);
    assert_int_equal(clock_moment(STR("1970-01-32"), 0, &ms), ERR_SYNTAX);
    assert_int_equal(clock_moment(STR("yesterday!"), 0, &ms), ERR_SYNTAX);
    assert_int_equal(clock_moment(STR_NONE, 0, &ms), ERR_SYNTAX);
    assert_int_equal(ms, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_that_are_taken),
        cmocka_unit_test(times_that_are_refused),
        cmocka_unit_test(a_time_is_written_and_read_back),
        cmocka_unit_test(times_beyond_four_digits_stay_four_digits),
        cmocka_unit_test(durations),
        cmocka_unit_test(a_moment_is_a_duration_before_now_or_a_date_with_or_without_a_time),
        cmocka_unit_test(monotonic_time_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

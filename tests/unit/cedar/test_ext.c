/* decimal, ipaddr, datetime, duration: which texts they take, what they compute, how they are written. */
#include "scene.h"

static void written_as(const struct str *texts, size_t n,
                       enum err (*parse)(struct str, struct arena *, struct cedar_value *))
{
    struct arena a;
    arena_init(&a, SCENE_MEMORY);
    for (size_t i = 0; i + 1 < n; i += 2) {
        struct cedar_value v = {0}, again = {0};
        char room[CEDAR_EXT_TEXT];
        if (parse(texts[i], &a, &v))
            fail_msg(STR_FMT " is refused", STR_ARG(texts[i]));
        struct str text = cedar_ext_write(v, room);
        if (!str_eq(text, texts[i + 1]))
            fail_msg(STR_FMT " is written " STR_FMT, STR_ARG(texts[i]), STR_ARG(text));
        assert_int_equal(parse(text, &a, &again), ERR_OK);
        assert_true(cedar_value_eq(v, again));
    }
    arena_done(&a);
}

static void refused(const struct str *texts, size_t n,
                    enum err (*parse)(struct str, struct arena *, struct cedar_value *))
{
    struct arena a;
    arena_init(&a, SCENE_MEMORY);
    for (size_t i = 0; i < n; i++) {
        struct cedar_value v = {0};
        if (parse(texts[i], &a, &v) != ERR_SYNTAX)
            fail_msg("\"" STR_FMT "\" is taken", STR_ARG(texts[i]));
    }
    arena_done(&a);
}
#define WRITTEN(parse, ...)                                                                                            \
    written_as((const struct str[]){__VA_ARGS__}, COUNT(((const struct str[]){__VA_ARGS__})), parse)
#define REFUSED(parse, ...)                                                                                            \
    refused((const struct str[]){__VA_ARGS__}, COUNT(((const struct str[]){__VA_ARGS__})), parse)

static enum err decimal(struct str s, struct arena *a, struct cedar_value *ret)
{
    (void)a;
    return cedar_decimal_parse(s, ret, NULL);
}
static enum err ip(struct str s, struct arena *a, struct cedar_value *ret)
{
    return cedar_ip_parse(s, a, ret, NULL);
}
static enum err datetime(struct str s, struct arena *a, struct cedar_value *ret)
{
    (void)a;
    return cedar_datetime_parse(s, ret, NULL);
}
static enum err duration(struct str s, struct arena *a, struct cedar_value *ret)
{
    (void)a;
    return cedar_duration_parse(s, ret, NULL);
}

static void decimals(void **state)
{
    (void)state;
    WRITTEN(decimal, STR("1.0"), STR("1.0"), STR("00012.340"), STR("12.34"), STR("-0.5"), STR("-0.5"), STR("-00.0"),
            STR("0.0"), STR("922337203685477.5807"), STR("922337203685477.5807"), STR("-922337203685477.5808"),
            STR("-922337203685477.5808"), STR("0000000000000000000000000001.0001"), STR("1.0001"));
    REFUSED(decimal, STR(""), STR("1"), STR("1."), STR(".5"), STR("+1.0"), STR("--1.0"), STR("1.00000"), STR("1.0 "),
            STR("1.0\n"), STR("1e3"), STR("1.5e3"), STR("٣.0"), STR("922337203685477.5808"),
            STR("-922337203685477.5809"), STR("99999999999999999999.0"));
}

static void addresses(void **state)
{
    (void)state;
    WRITTEN(ip, STR("1.2.3.4"), STR("1.2.3.4"), STR("1.2.3.4/32"), STR("1.2.3.4"), STR("10.0.0.1/8"), STR("10.0.0.1/8"),
            STR("0.0.0.0/0"), STR("0.0.0.0/0"), STR("::"), STR("::"), STR("::1/128"), STR("::1"), STR("::FFFF"),
            STR("::ffff"), STR("1:2:3:4:5:6:7:8"), STR("1:2:3:4:5:6:7:8"), STR("1:2:3:4:5:6:7::"),
            STR("1:2:3:4:5:6:7:0"), STR("2001:0db8:0:0:1:0:0:0/64"), STR("2001:db8:0:0:1::/64"), STR("ff00::1:0:0:1"),
            STR("ff00::1:0:0:1"), STR("1::8/3"), STR("1::8/3"));
    REFUSED(ip, STR(""), STR("1.2.3"), STR("1.2.3.4.5"), STR("1.2.3.256"), STR("01.2.3.4"), STR(" 1.2.3.4"),
            STR("1.2.3.4/"), STR("1.2.3.4/33"), STR("1.2.3.4/08"), STR("1.2.3.4/+8"), STR("1.2.3.4/032"),
            STR("1.2.3.4/8/8"), STR("::1/129"), STR("::1/0128"), STR(":::"), STR("1:2:3:4:5:6:7"),
            STR("1:2:3:4:5:6:7:8:9"), STR("1::2::3"), STR("00001::"), STR("g::"), STR("fe80::1%eth0"), STR("[::1]"),
            STR("::ffff:1.2.3.4"), STR("1:2:3:4::5:6:7:8"), STR(":1:2"), STR("1:"));
}

static void datetimes(void **state)
{
    (void)state;
    WRITTEN(datetime, STR("2024-10-15"), STR("2024-10-15T00:00:00.000Z"), STR("2024-10-15T11:35:00Z"),
            STR("2024-10-15T11:35:00.000Z"), STR("2024-10-15T11:38:02.101+1134"), STR("2024-10-15T00:04:02.101Z"),
            STR("2024-10-15T00:00:00-2359"), STR("2024-10-15T23:59:00.000Z"), STR("0000-02-29"),
            STR("0000-02-29T00:00:00.000Z"), STR("2000-02-29T23:59:59.999Z"), STR("2000-02-29T23:59:59.999Z"),
            STR("9999-12-31T23:59:59.999Z"), STR("9999-12-31T23:59:59.999Z"), STR("1969-12-31T23:59:59.999Z"),
            STR("1969-12-31T23:59:59.999Z"), STR("0001-03-01"), STR("0001-03-01T00:00:00.000Z"));
    REFUSED(datetime, STR(""), STR("2024-10"), STR("24-10-15"), STR("10000-01-01"), STR("2024-1-1"), STR("2024-00-01"),
            STR("2024-13-01"), STR("2024-01-00"), STR("2024-04-31"), STR("2023-02-29"), STR("1900-02-29"),
            STR("2024-10-15Z"), STR("2024-10-15T11:35:00"), STR("2024-10-15T11:35Z"), STR("2024-10-15T24:00:00Z"),
            STR("2024-10-15T23:60:00Z"), STR("2016-12-31T23:59:60Z"), STR("2024-10-15t11:35:00z"),
            STR("2024-10-15T11:35:00.1Z"), STR("2024-10-15T11:35:00.0001Z"), STR("2024-10-15T11:35:00+02:00"),
            STR("2024-10-15T11:35:00+2400"), STR("2024-10-15T11:35:00+0060"), STR("2024-10-15T11:35:00ZZ"),
            STR("2024-10-15 11:35:00Z"), STR("-024-10-15"));
}

static void durations(void **state)
{
    (void)state;
    WRITTEN(duration, STR("1d2h3m4s5ms"), STR("1d2h3m4s5ms"), STR("-24h"), STR("-1d"), STR("0ms"), STR("0ms"),
            STR("-0s"), STR("0ms"), STR("90m"), STR("1h30m"), STR("1m1ms"), STR("1m1ms"), STR("0001s"), STR("1s"),
            STR("9223372036854775807ms"), STR("106751991167d7h12m55s807ms"), STR("-9223372036854775808ms"),
            STR("-106751991167d7h12m55s808ms"));
    REFUSED(duration, STR(""), STR("-"), STR("1"), STR("d"), STR("1m1d"), STR("1d1d"), STR("1ms1s"), STR("1s1"),
            STR("+1s"), STR("--1s"), STR("1.5s"), STR("1 s"), STR("1s "), STR("1w"), STR("1D"),
            STR("9223372036854775808ms"), STR("-9223372036854775809ms"), STR("106751991167d7h12m55s808ms"),
            STR("18446744073709551616ms"), STR("9223372036854775807s"));
}

static void methods(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    scene_is(&s, "decimal('1.1').lessThan(decimal('1.2'))", "true");
    scene_is(&s, "decimal('1.1').lessThanOrEqual(decimal('1.1'))", "true");
    scene_is(&s, "decimal('1.1').greaterThan(decimal('1.1'))", "false");
    scene_is(&s, "decimal('-1.1').greaterThanOrEqual(decimal('-1.2'))", "true");
    scene_is(&s, "ip('127.0.0.1').isIpv4() && !ip('::1').isIpv4() && ip('::1').isIpv6()", "true");
    scene_is(&s, "[ip('127.0.0.1/8').isLoopback(), ip('::1').isLoopback(), ip('127.0.0.1').isLoopback()]", "[true]");
    scene_is(&s, "[ip('127.0.0.1/7').isLoopback(), ip('::ffff:7f00:1').isLoopback(), ip('::1/1').isLoopback()]",
             "[false]");
    scene_is(&s, "[ip('224.0.0.1/4').isMulticast(), ip('ff00::').isMulticast()]", "[true]");
    scene_is(&s, "[ip('224.0.0.1/3').isMulticast(), ip('ff00::/7').isMulticast()]", "[false]");
    scene_is(&s,
             "[ip('10.1.2.3').isInRange(ip('10.0.0.0/8')), ip('::1').isInRange(ip('::/0')), "
             "ip('10.0.0.9/24').isInRange(ip('10.0.0.1/24'))]",
             "[true]");
    scene_is(&s,
             "[ip('10.0.0.0/7').isInRange(ip('10.0.0.0/8')), ip('10.1.2.3').isInRange(ip('::/0')), "
             "ip('10.1.2.131').isInRange(ip('10.1.2.0/25'))]",
             "[false]");
    scene_is(&s, "datetime('2024-10-15').offset(duration('1d')) == datetime('2024-10-16')", "true");
    scene_is(&s, "datetime('2024-10-15').durationSince(datetime('2024-10-16'))", "duration('-1d')");
    scene_is(&s, "datetime('1969-12-31T00:00:01Z').toDate()", "datetime('1969-12-31T00:00:00.000Z')");
    scene_is(&s, "datetime('1969-12-31T23:59:59.999Z').toTime().toMilliseconds()", "86399999");
    scene_is(&s, "[duration('-1500ms').toSeconds(), duration('3h').toMinutes(), duration('47h').toDays()]",
             "[-1, 1, 180]");
    scene_is(&s, "duration('-9223372036854775808ms').toHours()", "-2562047788015");
    scene_end(&s);
}

static void what_leaves_the_range_is_refused(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    scene_is(&s, "datetime('1970-01-01').offset(duration('-9223372036854775808ms'))",
             "datetime('1970-01-01').offset(duration('-106751991167d7h12m55s808ms'))");
    scene_fails(&s, "datetime('1970-01-01').offset(duration('-9223372036854775808ms')).toDate()", CEDAR_WHY_EXT);
    scene_fails(&s, "datetime('1970-01-02').offset(duration('9223372036854775807ms'))", CEDAR_WHY_EXT);
    scene_fails(
        &s, "datetime('1970-01-01').offset(duration('-9223372036854775808ms')).durationSince(datetime('1970-01-02'))",
        CEDAR_WHY_EXT);
    scene_end(&s);
}

static void functions_mind_the_kinds(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    scene_fails(&s, "decimal(1)", CEDAR_WHY_TYPE);
    scene_fails(&s, "decimal('1.0').lessThan(1)", CEDAR_WHY_TYPE);
    scene_fails(&s, "ip('::1').isInRange('::1')", CEDAR_WHY_TYPE);
    scene_fails(&s, "duration('1s').toDate()", CEDAR_WHY_TYPE);
    scene_fails(&s, "decimal(context.s)", CEDAR_WHY_EXT);
    scene_fails(&s, "context.none.isIpv4()", CEDAR_WHY_TYPE);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),
        cmocka_unit_test(addresses),
        cmocka_unit_test(datetimes),
        cmocka_unit_test(durations),
        cmocka_unit_test(methods),
        cmocka_unit_test(what_leaves_the_range_is_refused),
        cmocka_unit_test(functions_mind_the_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

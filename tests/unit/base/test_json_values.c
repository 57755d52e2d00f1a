/* Reading the tape: strings, numbers, members, equality. */
#include "base_test.h"

#include "base/clock.h"

static struct arena a;

static int arena_fresh(void **state)
{
    (void)state;
    arena_init(&a, 64 << 20);
    return 0;
}

static int arena_gone(void **state)
{
    (void)state;
    arena_done(&a);
    return 0;
}

static struct json doc(const char *text)
{
    return test_json(&a, test_quotes(&a, text));
}

static void members_are_found_by_value(void **state)
{
    (void)state;
    struct json j = doc("{'a':1,'b':{'c':[10,20,{'d':'x'}],'e.f':true},'\\u00e9\\n':2,'':3,'a\\u0000b':4}");
    assert_str(json_raw(&j, json_get(&j, JSON_ROOT, STR("a"))), "1");
    assert_str(json_raw(&j, json_get(&j, JSON_ROOT, STR("\xc3\xa9\n"))), "2");
    assert_str(json_raw(&j, json_get(&j, JSON_ROOT, STR(""))), "3");
    assert_str(json_raw(&j, json_get(&j, JSON_ROOT, STR("a\0b"))), "4");
    assert_int_equal(json_get(&j, JSON_ROOT, STR("A")), 0);
    assert_int_equal(json_get(&j, JSON_ROOT, STR("ab")), 0);
    assert_int_equal(json_get(&j, JSON_ROOT, STR("c")), 0); /* not those of inner objects */
    assert_str(json_raw(&j, json_path(&j, JSON_ROOT, "b.c")), "[10,20,{\"d\":\"x\"}]");
    assert_int_equal(json_path(&j, JSON_ROOT, "b.c.d"), 0);
    assert_int_equal(json_path(&j, JSON_ROOT, "b.e.f"), 0);
    assert_int_equal(json_path(&j, JSON_ROOT, "x.y"), 0);
}

static void iteration_sees_each_child_once(void **state)
{
    (void)state;
    struct json j = doc("{'list':[[1,2],{},[],'s',{'k':[3]}],'empty':[],'none':{},'last':5}");
    struct buf b;
    buf_init(&b, 1000);
    JSON_PAIRS(&j, JSON_ROOT, k, v)
    buf_fmt(&b, STR_FMT "=" STR_FMT ";", STR_ARG(json_str(&j, k, &a)), STR_ARG(json_raw(&j, v)));
    assert_str(buf_view(&b), "list=[[1,2],{},[],\"s\",{\"k\":[3]}];empty=[];none={};last=5;");
    buf_clear(&b);
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("list")), v)
    buf_fmt(&b, "%s;", json_type_name(json_type(&j, v)));
    assert_str(buf_view(&b), "an array;an object;an array;a string;an object;");
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("empty")), v)
    fail_msg("%u", v);
    JSON_PAIRS(&j, json_get(&j, JSON_ROOT, STR("none")), k, v)
    fail_msg("%u %u", k, v);
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("last")), v)
    fail_msg("%u", v);
    buf_done(&b);
}

static void what_is_not_there_is_nothing(void **state)
{
    (void)state;
    struct json j = doc("[1]");
    int64_t i = 7;
    double d = 7;
    for (uint32_t at = 0; at < 9; at += at ? 7 : 8) { /* index 0 and one behind the tape */
        assert_int_equal(json_type(&j, at), JSON_NONE);
        assert_int_equal(json_raw(&j, at).n, 0);
        assert_int_equal(json_get(&j, at, STR("a")), 0);
        assert_int_equal(json_first(&j, at), 0);
        assert_null(json_str(&j, at, &a).p);
        assert_false(json_str_is(&j, at, STR("")) || json_str_same(&j, at, &j, at));
        assert_true(json_bool(&j, at, true) && !json_bool(&j, at, false));
        assert_false(json_i64(&j, at, &i) || json_double(&j, at, &d));
    }
    assert_int_equal(i, 7);
    assert_string_equal(json_type_name(JSON_NONE), "nothing");
}

static void strings_have_their_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct str value;
    } rows[] = {
        {"'plain'", {"plain", 5}},
        {"''", {"", 0}},
        {"'\\\"\\\\\\/\\b\\f\\n\\r\\t'", {"\"\\/\b\f\n\r\t", 8}},
        {"'\\u0000\\u001f\\u007f'", {"\0\x1f\x7f", 3}},
        {"'\\u0080\\u07ff\\u0800\\uffff'", {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 10}},
        {"'\\ud800\\udc00\\uDBFF\\uDFFF'", {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8}},
        {"'a\\u00e9b\xc3\xa9"
         "c'",
         {"a\xc3\xa9"
          "b\xc3\xa9"
          "c",
          7}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json j = doc(rows[i].text);
        struct str longer = {arena_fmt(&a, STR_FMT "x", STR_ARG(rows[i].value)).p, rows[i].value.n + 1};
        if (!str_eq(json_str(&j, JSON_ROOT, &a), rows[i].value))
            fail_msg("%s", rows[i].text);
        assert_true(json_str_is(&j, JSON_ROOT, rows[i].value) && !json_str_is(&j, JSON_ROOT, longer));
        if (rows[i].value.n)
            assert_false(json_str_is(&j, JSON_ROOT, (struct str){rows[i].value.p, rows[i].value.n - 1}));
    }
    struct json j = doc("['x',1]");
    assert_null(json_str(&j, JSON_ROOT + 2, &a).p);
}

static void spellings_of_one_string_are_the_same(void **state)
{
    (void)state;
    struct json j = doc("['\xc3\xa9\xf0\x9f\x90\xb2/','\\u00e9\\ud83d\\udc32\\/','\\u00E9\xf0\x9f\x90\xb2\\u002f',"
                        "'\xc3\xa9\xf0\x9f\x90\xb2','\\u00e9\\ud83d\\udc33\\/','','\\u00e9\\ud83d\\udc32\\/ ',1]");
    uint32_t at[8], n = 0;
    JSON_EACH(&j, JSON_ROOT, v)
    at[n++] = v;
    for (uint32_t x = 0; x < 8; x++)
        for (uint32_t y = 0; y < 8; y++)
            if (json_str_same(&j, at[x], &j, at[y]) != ((x == y || (x < 3 && y < 3)) && x < 7))
                fail_msg("%u and %u", x, y);
}

static void integers_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"-0.0e9", 0},
        {"0e99999999999999999999", 0},
        {"1.0", 1},
        {"1e2", 100},
        {"1.5e1", 15},
        {"100e-2", 1},
        {"-12300.00e-2", -123},
        {"9007199254740993", 9007199254740993},
        {"0.00000000000000000012e20", 12},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9.223372036854775807e18", INT64_MAX},
        {"0.1e1", 1},
        {"10000000000000000000000000e-25", 1},
    };
    static const char *const bad[] = {"1.5",
                                      "1e-1",
                                      "0.1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "1e19",
                                      "1e400",
                                      "1e99999999999999999999",
                                      "1e-99999999999999999999",
                                      "12.34e1",
                                      "18446744073709551616"};
    for (size_t i = 0; i < COUNT(good); i++) {
        struct json j = doc(good[i].text);
        int64_t v = 42;
        if (!json_i64(&j, JSON_ROOT, &v) || v != good[i].value)
            fail_msg("%s: %ld", good[i].text, (long)v);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct json j = doc(bad[i]);
        int64_t v = 42;
        if (json_i64(&j, JSON_ROOT, &v) || v != 42)
            fail_msg("%s: %ld", bad[i], (long)v);
    }
    struct json j = doc("[1,1.0,1e0,-1]");
    static const unsigned flags[] = {JSON_INTEGER, 0, 0, JSON_INTEGER};
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(j.node[JSON_ROOT + 1 + i].flags, flags[i]);
}

static void doubles_are_finite(void **state)
{
    (void)state;
    double d = 7;
    struct json j = doc("[0.1,-2.5e-3,1.7976931348623157e308,1e400,-1e400,'1']");
    assert_true(json_double(&j, JSON_ROOT + 1, &d) && d == 0.1);
    assert_true(json_double(&j, JSON_ROOT + 2, &d) && d == -2.5e-3);
    assert_true(json_double(&j, JSON_ROOT + 3, &d) && d == 1.7976931348623157e308);
    for (uint32_t i = 4; i < 7; i++)
        assert_false(json_double(&j, JSON_ROOT + i, &d));
    char *text = arena_raw(&a, 5000, 1);
    memset(text, '0', 5000);
    memcpy(text, "0.", 2);
    text[4999] = '5';
    j = test_json(&a, (struct str){text, 5000});
    assert_true(json_double(&j, JSON_ROOT, &d) && d == 0);
}

static void numbers_compare_by_value(void **state)
{
    (void)state;
    /* Each row is larger than the one before; the words of a row are equal. */
    static const char *const rows[][4] = {
        {"-1e400", "-10e399"},
        {"-9007199254740993"},
        {"-9007199254740992", "-9007199254740992.0"},
        {"-10", "-1e1", "-10.0", "-0.1e2"},
        {"-1.0000000000000000000000000001"},
        {"-1"},
        {"-1e-400"},
        {"0", "-0", "0.000", "0e5"},
        {"1e-400", "0.1e-399"},
        {"0.1", "1e-1", "0.10", "10e-2"},
        {"0.10000000000000001"},
        {"1", "1.0", "1e0", "100e-2"},
        {"1.05"},
        {"1.5", "15e-1"},
        {"10.5", "0.105e2", "1050e-2"},
        {"100.5"},
        {"9007199254740992"},
        {"9007199254740993", "9007199254740993.000", "9.007199254740993e15"},
        {"123456789012345678901234567890"},
        {"123456789012345678901234567891"},
        {"1e400", "10e399"},
        {"1.0000001e400"},
    };
    for (size_t x = 0; x < COUNT(rows); x++)
        for (size_t y = 0; y < COUNT(rows); y++)
            for (int s = 0; s < 4 && rows[x][s]; s++)
                for (int t = 0; t < 4 && rows[y][t]; t++)
                    if (json_number_cmp(str_of(rows[x][s]), str_of(rows[y][t])) != (x > y) - (x < y))
                        fail_msg("%s and %s", rows[x][s], rows[y][t]);
}

static void equality_is_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"{'a':1,'b':[true,null]}", "{ 'b' : [ true , null ] , '\\u0061' : 1.0 }", true},
        {"{'a':1}", "{'a':1,'b':2}", false},
        {"{'a':1,'b':2}", "{'a':1,'c':2}", false},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1,2,3]", false},
        {"[[],{}]", "[{},[]]", false},
        {"'1'", "1", false},
        {"true", "false", false},
        {"null", "null", true},
        {"'\\u00e9'", "'\xc3\xa9'", true},
        {"{'a':{'b':[1e2]}}", "{'a':{'b':[100]}}", true},
        {"9007199254740993", "9007199254740992", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json x = doc(rows[i].a), y = doc(rows[i].b);
        if (json_equal(&x, JSON_ROOT, &y, JSON_ROOT, &a) != rows[i].equal ||
            json_equal(&y, JSON_ROOT, &x, JSON_ROOT, &a) != rows[i].equal)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

#define scene(f) cmocka_unit_test_setup_teardown(f, arena_fresh, arena_gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene(members_are_found_by_value),
        scene(iteration_sees_each_child_once),
        scene(what_is_not_there_is_nothing),
        scene(strings_have_their_value),
        scene(spellings_of_one_string_are_the_same),
        scene(integers_are_exact),
        scene(doubles_are_finite),
        scene(numbers_compare_by_value),
        scene(equality_is_by_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

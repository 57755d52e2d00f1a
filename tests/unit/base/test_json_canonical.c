/* Canonical form: the examples of RFC 8785, and what it leaves to us: numbers that no double holds. */
#include "base_test.h"

#include "base/clock.h"

/* JSON with real quotes already, so that an apostrophe is one. */
static bool is_quoted(const char *text)
{
    return text[0] == '"' || text[1] == '"';
}

static enum err canonical(const char *text, size_t max, struct buf *out)
{
    struct arena a;
    arena_init(&a, 64 << 20);
    struct json j = test_json(&a, is_quoted(text) ? str_of(text) : test_quotes(&a, text));
    buf_init(out, max);
    enum err e = json_canonical(&j, JSON_ROOT, out, &a);
    arena_done(&a);
    return e;
}

static void becomes(const char *text, const char *want)
{
    struct buf out, again;
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_int_equal(canonical(text, 1 << 20, &out), ERR_OK);
    struct str quoted = is_quoted(want) ? str_of(want) : test_quotes(&a, want);
    if (!str_eq(buf_view(&out), quoted))
        fail_msg("%s became " STR_FMT ", not " STR_FMT, text, STR_ARG(buf_view(&out)), STR_ARG(quoted));
    buf_char(&out, 0);
    assert_int_equal(canonical(out.p, 1 << 20, &again), ERR_OK);
    assert_true(str_eq(buf_view(&again), quoted)); /* it is its own canonical form */
    buf_done(&out);
    buf_done(&again);
    arena_done(&a);
}

/* Sections 3.2.2, 3.2.3 and 3.2.4. 333333333.33333329 is kept as it is: its digits are its value here. */
static void the_examples_of_the_rfc(void **state)
{
    (void)state;
    becomes("{'numbers': [333333333.3333333, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n"
            "'string': '\\u20ac$\\u000F\\u000aA\\u0027\\u0042\\u0022\\u005c\\\\\\\"\\/',\n 'literals': [null, true, "
            "false]}",
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

static void keys_sort_by_utf16_code_units(void **state)
{
    (void)state;
    becomes(
        "{'\\u20ac':'Euro Sign','\\r':'Carriage Return','\\ufb33':'Hebrew Letter Dalet With Dagesh','1':'One',"
        "'\\ud83d\\ude00':'Emoji: Grinning Face','\\u0080':'Control','\\u00f6':'Latin Small Letter O With Diaeresis'}",
        "{'\\r':'Carriage Return','1':'One','\xc2\x80':'Control','\xc3\xb6':'Latin Small Letter O With Diaeresis',"
        "'\xe2\x82\xac':'Euro Sign','\xf0\x9f\x98\x80':'Emoji: Grinning Face',"
        "'\xef\xac\xb3':'Hebrew Letter Dalet With Dagesh'}");
    becomes("{'\xf4\x8f\xbf\xbf':1,'\xef\xbf\xbf':2,'\xee\x80\x80':3,'\xed\x9f\xbf':4,'\xf0\x90\x80\x80':5}",
            "{'\xed\x9f\xbf':4,'\xf0\x90\x80\x80':5,'\xf4\x8f\xbf\xbf':1,'\xee\x80\x80':3,'\xef\xbf\xbf':2}");
    becomes("{'ab':1,'a':2,'':3,'aa':4,'B':5,'a\\u0000':6}", "{'':3,'B':5,'a':2,'a\\u0000':6,'aa':4,'ab':1}");
    becomes("{'b':{'d':1,'c':2},'a':[{'f':1,'e':2}]}", "{'a':[{'e':2,'f':1}],'b':{'c':2,'d':1}}");
}

/* Appendix B: each double's shortest form, from its digits. */
static void numbers_are_laid_out_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-0.0e-5", "0"},
        {"5e-324", "5e-324"},
        {"-5E-324", "-5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"-1.7976931348623157E+308", "-1.7976931348623157e+308"},
        {"9007199254740992", "9007199254740992"},
        {"-9007199254740992", "-9007199254740992"},
        {"295147905179352830000", "295147905179352830000"},
        {"2.9514790517935283e20", "295147905179352830000"},
        {"9.999999999999997e22", "9.999999999999997e+22"},
        {"1e23", "1e+23"},
        {"100000000000000000000000", "1e+23"},
        {"1.0000000000000001e23", "1.0000000000000001e+23"},
        {"999999999999999700000", "999999999999999700000"},
        {"999999999999999900000", "999999999999999900000"},
        {"1e21", "1e+21"},
        {"1e20", "100000000000000000000"},
        {"9.999999999999997e-7", "9.999999999999997e-7"},
        {"0.000001", "0.000001"},
        {"1e-6", "0.000001"},
        {"0.0000001", "1e-7"},
        {"333333333.3333332", "333333333.3333332"},
        {"333333333.33333325", "333333333.33333325"},
        {"0.0000033333333333333333", "0.0000033333333333333333"},
        {"1424953923781206.2", "1424953923781206.2"},
        {"-0.0000033333333333333333", "-0.0000033333333333333333"},
        {"1.50e1", "15"},
        {"12.50", "12.5"},
        {"1e0", "1"},
        {"123e-20", "1.23e-18"},
        {"0.00e5", "0"},
        {"100", "100"},
        {"10e-1", "1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        becomes(rows[i].text, rows[i].want);
}

static void no_number_changes_its_value(void **state)
{
    (void)state;
    becomes("[9007199254740993,9007199254740992]", "[9007199254740993,9007199254740992]");
    becomes("123456789012345678901", "123456789012345678901");
    becomes("1234567890123456789012", "1.234567890123456789012e+21");
    becomes("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827");
    becomes("1e400", "1e+400");
    becomes("-12e-400", "-1.2e-399");
    becomes("1e500000000000", "1e+500000000000");
}

/* An exponent that is not computed with: better no form than another number's. */
static void a_number_beyond_all_measure_has_no_form(void **state)
{
    (void)state;
    static const char *const rows[] = {"1e9999999999999", "[12e9999999999999]", "{'a':1e-99999999999999999999999}",
                                       "1e600000000000"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        assert_int_equal(canonical(rows[i], 1000, &out), ERR_LIMIT);
        buf_done(&out);
    }
    becomes("0e9999999999999", "0");
}

static void spellings_of_one_value_become_one(void **state)
{
    (void)state;
    becomes("'\\u0061\\u007f\\/\\u2028\\u00e9\\ud83d\\udc32'", "'a\x7f/\xe2\x80\xa8\xc3\xa9\xf0\x9f\x90\xb2'");
    becomes("'\\u0008\\u0009\\u000A\\u000C\\u000D\\u001F\\u0000\\u000b'", "'\\b\\t\\n\\f\\r\\u001f\\u0000\\u000b'");
    becomes(" [ ] ", "[]");
    becomes(" { } ", "{}");
    becomes("{'\\u0062':1.0,'\\u0061':[ 1e1 , true ]}", "{'a':[10,true],'b':1}");
}

static void a_long_number_costs_little(void **state)
{
    (void)state;
    char *text = malloc(1000001);
    struct buf out;
    memset(text, '1', 1000000);
    text[999990] = '.';
    text[1000000] = 0;
    int64_t start = clock_mono_ns();
    assert_int_equal(canonical(text, 2 << 20, &out), ERR_OK);
    assert_true(clock_mono_ns() - start < INT64_C(3000000000)); /* a look for the point at each digit: half a minute */
    assert_int_equal(out.n, 1000000 + strlen("e+999989"));
    buf_done(&out);
    free(text);
}

static void a_form_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct buf out;
    assert_int_equal(canonical("{'key':[1,2,3]}", 15, &out), ERR_OK);
    buf_done(&out);
    for (size_t max = 0; max < 15; max++) {
        assert_int_equal(canonical("{'key':[1,2,3]}", max, &out), ERR_LIMIT);
        buf_done(&out);
    }
    struct arena text, scratch;
    arena_init(&text, 1 << 20);
    struct json j = test_json(&text, STR("{\"b\\u0061\":1,\"a\":2}"));
    for (size_t cap = 0; cap < 40; cap++) {
        arena_init(&scratch, cap);
        buf_init(&out, 1000);
        assert_int_equal(json_canonical(&j, JSON_ROOT, &out, &scratch), ERR_NOMEM);
        buf_done(&out);
        arena_done(&scratch);
    }
    arena_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(keys_sort_by_utf16_code_units),
        cmocka_unit_test(numbers_are_laid_out_as_ecmascript_does),
        cmocka_unit_test(no_number_changes_its_value),
        cmocka_unit_test(a_number_beyond_all_measure_has_no_form),
        cmocka_unit_test(spellings_of_one_value_become_one),
        cmocka_unit_test(a_long_number_costs_little),
        cmocka_unit_test(a_form_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

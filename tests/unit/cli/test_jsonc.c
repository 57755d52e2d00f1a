/* JSON with comments, as editors write it: read, and changed without touching what else stands there. */
#include "../unit.h"

#include "cli/jsonc.h"

static struct arena arena;
static struct fault fault;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1u << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void reads_as(const char *jsonc, const char *json)
{
    struct json a, b;
    if (jsonc_parse(&a, str_of(jsonc), &arena, &fault))
        fail_msg("%s: %s", jsonc, fault.text);
    assert_int_equal(json_parse(&b, str_of(json), &arena, NULL, &fault), ERR_OK);
    if (!json_equal(&a, JSON_ROOT, &b, JSON_ROOT, &arena))
        fail_msg("%s is not %s", jsonc, json);
}

static void refused(const char *jsonc, const char *says)
{
    struct json j;
    assert_int_equal(jsonc_parse(&j, str_of(jsonc), &arena, &fault), ERR_SYNTAX);
    if (!strstr(fault.text, says))
        fail_msg("%s: %s", jsonc, fault.text);
}

static void put(const char *text, const char *want)
{
    struct str changed;
    if (jsonc_put(str_of(text), "servers", "d", STR("{\n  \"u\": 1\n}"), &arena, &changed, &fault))
        fail_msg("%s: %s", text, fault.text);
    assert_string_equal(changed.p, want);
}

static void comments_and_trailing_commas_are_white_space(void **state)
{
    (void)state;
    reads_as("{ // one\n \"a\": /* two */ 1, /* three\n */ }", "{\"a\":1}");
    reads_as("[1, [2, 3,], {\"x\": 4,},]", "[1,[2,3],{\"x\":4}]");
    reads_as("\xef\xbb\xbf{}// end", "{}");
}

static void strings_keep_what_looks_like_a_comment(void **state)
{
    (void)state;
    reads_as("{\"a\":\"http://h/*x*/,}\",\"b\":\"\\\"// c\"}", "{\"a\":\"http://h/*x*/,}\",\"b\":\"\\\"// c\"}");
}

static void other_mistakes_are_still_mistakes_with_their_line(void **state)
{
    (void)state;
    refused("{,}", "line 1");
    refused("[1,,]", "line 1");
    refused("{\n// c\n\"a\": 1\n\"b\": 2}", "line 4");
    refused("{\"a\": 1 /* open", "line 1");
    refused("{\"a\":1,\"a\":2}", "a");
}

static void a_member_goes_behind_the_others_and_takes_their_indent(void **state)
{
    (void)state;
    put("{\n\t\"servers\": { // mine\n\t\t\"a\": {} // first\n\t\t// last\n\t},\n}\n",
        "{\n\t\"servers\": { // mine\n\t\t\"a\": {}, // first\n\t\t// last\n\t\t\"d\": {\n\t\t  \"u\": "
        "1\n\t\t}\n\t},\n}\n");
}

static void a_comma_that_is_there_is_used(void **state)
{
    (void)state;
    put("{\n  \"servers\": {\n    \"a\": {}, // ,\n  }\n}",
        "{\n  \"servers\": {\n    \"a\": {}, // ,\n    \"d\": {\n      "
        "\"u\": 1\n    }\n  }\n}");
}

static void one_line_stays_one_line_around_it(void **state)
{
    (void)state;
    put("{\"servers\":{\"a\":1}}", "{\"servers\":{\"a\":1, \"d\": {\n  \"u\": 1\n}}}");
}

static void what_is_missing_is_made(void **state)
{
    (void)state;
    put("", "{\n  \"servers\": {\n    \"d\": {\n      \"u\": 1\n    }\n  }\n}\n");
    put("{\n  \"x\": [1, 2]\n}\n",
        "{\n  \"x\": [1, 2],\n  \"servers\": {\n    \"d\": {\n      \"u\": 1\n    }\n  }\n}\n");
    put("{ \"servers\": {} }", "{ \"servers\": {\n  \"d\": {\n    \"u\": 1\n  }\n} }");
}

static void a_member_of_that_name_is_replaced_and_nothing_else(void **state)
{
    (void)state;
    put("{\n  \"servers\": {\n    \"d\": [9], // it\n    \"a\": 1\n  }\n}",
        "{\n  \"servers\": {\n    \"d\": {\n      \"u\": 1\n    }, // it\n    \"a\": 1\n  }\n}");
}

static void what_is_no_object_is_not_written_into(void **state)
{
    (void)state;
    struct str changed;
    assert_int_equal(jsonc_put(STR("{\"servers\":[]}"), "servers", "d", STR("1"), &arena, &changed, &fault),
                     ERR_CONFLICT);
    assert_string_equal(fault.text, "servers is an array: must be an object");
    assert_int_equal(jsonc_put(STR("[]"), "servers", "d", STR("1"), &arena, &changed, &fault), ERR_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(comments_and_trailing_commas_are_white_space),
        T(strings_keep_what_looks_like_a_comment),
        T(other_mistakes_are_still_mistakes_with_their_line),
        T(a_member_goes_behind_the_others_and_takes_their_indent),
        T(a_comma_that_is_there_is_used),
        T(one_line_stays_one_line_around_it),
        T(what_is_missing_is_made),
        T(a_member_of_that_name_is_replaced_and_nothing_else),
        T(what_is_no_object_is_not_written_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What policies see of a tool's arguments: the types that its inputSchema has in Cedar, and the values of a call. */
#include "../unit.h"

#include "policy/shape.h"

#include <stdlib.h>

struct scene {
    struct arena a;
    struct json doc;
    const struct shape *shape;
    char lost[200];
};

static void lost(void *ctx, struct str name)
{
    struct scene *s = ctx;
    strncat(s->lost, " ", sizeof(s->lost) - strlen(s->lost) - 1);
    strncat(s->lost, name.p, name.n);
}

static void scene_of(struct scene *s, const char *schema)
{
    *s = (struct scene){.lost = ""};
    arena_init(&s->a, 1 << 20);
    assert_int_equal(json_parse(&s->doc, str_of(schema), &s->a, NULL, NULL), ERR_OK);
    s->shape = shape_of(&s->doc, JSON_ROOT, &s->a);
    assert_non_null(s->shape);
}

static void prints(const char *schema, const char *type)
{
    struct scene s;
    struct buf b;
    buf_init(&b, 4096);
    scene_of(&s, schema);
    shape_print(s.shape, &b);
    if (!str_is(buf_view(&b), type))
        fail_msg("%s\nis seen as %.*s\nnot as     %s", schema, (int)b.n, b.p, type);
    buf_done(&b);
    arena_done(&s.a);
}

static void reads(const char *schema, const char *arguments, const char *value, const char *what_is_lost)
{
    struct scene s;
    struct json j;
    struct buf b;
    struct cedar_value v;
    buf_init(&b, 4096);
    scene_of(&s, schema);
    assert_int_equal(json_parse(&j, str_of(arguments), &s.a, NULL, NULL), ERR_OK);
    assert_int_equal(shape_read(s.shape, &j, JSON_ROOT, &s.a, lost, &s, &v), ERR_OK);
    cedar_value_print(v, &b);
    if (!str_is(buf_view(&b), value))
        fail_msg("%s\nis read as %.*s\nnot as     %s", arguments, (int)b.n, b.p, value);
    assert_string_equal(s.lost, what_is_lost);
    buf_done(&b);
    arena_done(&s.a);
}

static void types_of_json_schema_have_types_of_cedar(void **state)
{
    (void)state;
    prints("{\"type\":\"object\"}", "{}");
    prints("{\"type\":\"object\",\"required\":[\"n\",\"b\"],\"properties\":{\"n\":{\"type\":\"integer\"},\"b\":{"
           "\"type\":\"boolean\"},"
           "\"amount\":{\"type\":\"number\"},\"s\":{\"type\":\"string\"}}}",
           "{\"amount\"?: decimal, \"b\": Bool, \"n\": Long, \"s\"?: String}");
    prints("{\"properties\":{\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"o\":{\"type\":\"object\","
           "\"properties\":{\"x\":"
           "{\"type\":\"integer\"}},\"required\":[\"x\"]}}}",
           "{\"o\"?: {\"x\": Long}, \"tags\"?: Set<String>}");
    prints("{\"properties\":{\"priority\":{\"enum\":[\"low\",\"high\"]},\"mixed\":{\"enum\":[\"low\",7]}}}",
           "{\"priority\"?: String}");
}

static void what_may_be_null_is_optional(void **state)
{
    (void)state;
    prints("{\"required\":[\"a\",\"b\",\"c\"],\"properties\":{\"a\":{\"type\":[\"string\",\"null\"]},\"b\":{\"anyOf\":["
           "{\"type\":\"integer\"},"
           "{\"type\":\"null\"}]},\"c\":{\"enum\":[\"x\",null]}}}",
           "{\"a\"?: String, \"b\"?: Long, \"c\"?: String}");
}

static void references_within_the_schema_are_followed_and_others_are_not(void **state)
{
    (void)state;
    prints("{\"$defs\":{\"id\":{\"type\":\"string\"},\"a/b\":{\"type\":\"integer\"},\"loop\":{\"$ref\":\"#/$defs/"
           "loop\"}},\"properties\":{"
           "\"x\":{\"$ref\":\"#/$defs/id\"},\"y\":{\"$ref\":\"#/$defs/a~1b\"},\"z\":{\"$ref\":\"#/$defs/"
           "loop\"},\"w\":{\"$ref\":\"other.json\"}}}",
           "{\"x\"?: String, \"y\"?: Long}");
    /* a type that holds itself is as deep as the bound, not endless */
    prints("{\"$defs\":{\"t\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/"
           "t\"}}},\"properties\":{\"t\":{\"$ref\":\"#/$defs/t\"}}}",
           "{}");
}

static void references_that_make_much_of_a_little_are_cut(void **state)
{
    (void)state;
    struct scene s;
    struct buf b, text;
    buf_init(&b, 1 << 22);
    buf_init(&text, 1 << 16);
    buf_z(&text, "{\"properties\":{\"x\":{\"$ref\":\"#/$defs/t0\"}},\"$defs\":{");
    for (int i = 0; i < 14; i++) /* twice as much at each step */
        buf_fmt(&text,
                "\"t%d\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/t%d\"},\"b\":{\"$ref\":\"#/"
                "$defs/t%d\"}}},",
                i, i + 1, i + 1);
    buf_z(&text, "\"t14\":{\"type\":\"string\"}}}");
    buf_char(&text, 0);
    scene_of(&s, text.p);
    shape_print(s.shape, &b);
    assert_true(b.n > 0 && b.n < 40000);
    buf_done(&text);
    buf_done(&b);
    arena_done(&s.a);
}

static void what_has_no_type_of_cedars_is_not_seen(void **state)
{
    (void)state;
    prints("{\"properties\":{\"a\":{},\"b\":{\"type\":\"object\"},\"c\":{\"type\":\"array\"},\"d\":{\"anyOf\":[{"
           "\"type\":\"string\"},{\"type\":"
           "\"integer\"}]},\"e\":{\"type\":[\"string\",\"integer\"]},\"f\":{\"type\":\"array\",\"prefixItems\":[{"
           "\"type\":\"string\"}],\"items\":"
           "{\"type\":\"string\"}},\"g\":true,\"h\":{\"type\":\"null\"}}}",
           "{}");
}

static const char *const ALL =
    "{\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":\"integer\"},\"amount\":{\"type\":\"number\"},\"s\":{"
    "\"type\":"
    "[\"string\",\"null\"]},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},\"o\":{\"type\":\"object\","
    "\"properties\":{\"x\":{\"type\":\"integer\"}}}}}";

static void values_are_read_by_their_types(void **state)
{
    (void)state;
    reads(ALL, "{\"n\":7,\"amount\":1.50,\"s\":\"a\\u00e9\\n\",\"tags\":[3,1,3],\"o\":{\"x\":1,\"y\":2},\"more\":true}",
          "{\"amount\": decimal(\"1.5\"), \"n\": 7, \"o\": {\"x\": 1}, \"s\": \"aé\\n\", \"tags\": [1, 3]}", "");
    reads(ALL, "{\"n\":1e2,\"amount\":-3,\"s\":null}", "{\"amount\": decimal(\"-3.0\"), \"n\": 100}", "");
}

static void a_value_that_its_type_cannot_hold_is_left_out_and_told(void **state)
{
    (void)state;
    reads(ALL, "{\"n\":9223372036854775808,\"amount\":0.00001}", "{}", " amount n");
    reads(ALL, "{\"n\":1,\"amount\":1e300,\"tags\":[1,99999999999999999999]}", "{\"n\": 1}", " amount tags");
    reads(ALL, "{\"n\":1,\"o\":{\"x\":99999999999999999999}}", "{\"n\": 1, \"o\": {}}", " x");
}

static void several_tools_of_a_name_have_in_common_what_is_alike(void **state)
{
    (void)state;
    struct scene a, b;
    struct buf out;
    buf_init(&out, 4096);
    scene_of(&a, "{\"required\":[\"id\",\"x\"],\"properties\":{\"id\":{\"type\":\"string\"},\"x\":{\"type\":"
                 "\"integer\"},\"y\":{\"type\":\"integer\"}}}");
    scene_of(&b, "{\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"string\"},\"x\":{\"type\":\"integer\"},"
                 "\"y\":{\"type\":\"string\"}}}");
    shape_print(shape_common(a.shape, b.shape, &a.a), &out);
    assert_true(str_is(buf_view(&out), "{\"id\": String, \"x\"?: Long}"));
    buf_done(&out);
    arena_done(&a.a);
    arena_done(&b.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_json_schema_have_types_of_cedar),
        cmocka_unit_test(what_may_be_null_is_optional),
        cmocka_unit_test(references_within_the_schema_are_followed_and_others_are_not),
        cmocka_unit_test(references_that_make_much_of_a_little_are_cut),
        cmocka_unit_test(what_has_no_type_of_cedars_is_not_seen),
        cmocka_unit_test(values_are_read_by_their_types),
        cmocka_unit_test(a_value_that_its_type_cannot_hold_is_left_out_and_told),
        cmocka_unit_test(several_tools_of_a_name_have_in_common_what_is_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Schemas and values made to hurt: each ends in a clear refusal, soon. */
#include "judge.h"

#include <pthread.h>

#define SOON 2.0 /* seconds of CPU; sanitizers included */

static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
    struct buf b;
    buf_init(&b, 64u << 20);
    buf_z(&b, head);
    for (size_t i = 0; i < n; i++)
        buf_z(&b, unit);
    buf_z(&b, tail);
    buf_char(&b, 0);
    assert_false(buf_failed(&b));
    char *z = strdup(b.p);
    buf_done(&b);
    return z;
}

static void refused_soon(const char *schema, const char *instance, enum err want)
{
    struct fault f = {0};
    double start = judge_seconds();
    enum err e = judge(schema, instance, &f);
    double took = judge_seconds() - start;
    if (e != want || took > SOON)
        fail_msg("%.60s… on %.40s…: %s (%s) after %.1f s", schema, instance, err_code(e), f.text, took);
}

static void catastrophic_patterns(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "^(a+)+$",           "^(a|a)*$",           "^(a|aa)+$",       "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$",
        "a*a*a*a*a*a*a*b",   "(?=(a+)+$)b|(a+)+$", "^(a?){60}a{60}$", "(.*)*x", "^(a*)\\\\1*b",
        "(x+x+)+y|(a+a+)+y", "^(?:a?a?a?)*b",
    };
    char *text = repeat("'", "a", 20000, "!'");
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        char schema[128];
        struct fault f = {0};
        snprintf(schema, sizeof(schema), "{'pattern':'%s'}", patterns[i]);
        double start = judge_seconds();
        enum err e = judge(schema, text, &f);
        double took = judge_seconds() - start;
        if ((e != ERR_LIMIT && e != ERR_SCHEMA) || took > SOON)
            fail_msg("/%s/: %s (%s) after %.1f s", patterns[i], err_code(e), f.text, took);
    }
    free(text);
}

static void quadratic_patterns_on_long_texts(void **state)
{
    (void)state;
    char *text = repeat("'", "x", 1000000, "'");
    refused_soon("{'pattern':'x*y'}", text, ERR_LIMIT);
    refused_soon("{'pattern':'^(x*)\\\\1y'}", text, ERR_LIMIT);
    refused_soon("{'pattern':'(?:x{60000})+y'}", text, ERR_LIMIT);
    free(text);
    char *unit = repeat("", "x", 59999, "y");
    text = repeat("'x", unit, 16, "'");
    refused_soon("{'pattern':'^(x+)y.*?\\\\1w'}", text, ERR_LIMIT); /* comparing what a group holds is work too */
    free(unit);
    free(text);
    /* honest patterns on a long text cost what they should */
    text = repeat("'", "lorem ipsum ", 80000, "needle'");
    refused_soon("{'pattern':'needle$'}", text, ERR_OK);
    refused_soon("{'pattern':'^[a-z ]*$'}", text, ERR_OK);
    free(text);
}

static void many_matches_share_one_budget(void **state)
{
    (void)state;
    char *items = repeat("[", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',", 20000, "'aaaaaaaaaaaaaa!']");
    refused_soon("{'items':{'pattern':'^(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)b|^a'}}", items, ERR_LIMIT);
    free(items);
}

/* Every level doubles the work: 2^40 evaluations without a budget. */
static char *doubling(const char *word, int levels)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_z(&b, "{'$ref':'#/$defs/d0','$defs':{");
    for (int i = 0; i < levels; i++)
        buf_fmt(&b, "'d%d':{'%s':[{'$ref':'#/$defs/d%d'},{'$ref':'#/$defs/d%d'}]},", i, word, i + 1, i + 1);
    buf_fmt(&b, "'d%d':{'type':'%s'}}}", levels, strcmp(word, "allOf") == 0 ? "integer" : "string");
    buf_char(&b, 0);
    char *z = strdup(b.p);
    buf_done(&b);
    return z;
}

static void reference_bombs(void **state)
{
    (void)state;
    static const char *const words[] = {"allOf", "anyOf", "oneOf"};
    for (int i = 0; i < 3; i++) {
        char *schema = doubling(words[i], 40);
        refused_soon(schema, "1", ERR_LIMIT);
        free(schema);
    }
    char *wide = repeat("{'anyOf':[", "{'type':'string'},", 19000, "{'type':'null'}]}");
    char *many = repeat("[", "1,", 1000, "1]");
    char *items = repeat("{'items':", wide, 1, "}");
    refused_soon(items, many, ERR_SCHEMA); /* the first item's misfit is the verdict */
    refused_soon("{'items':{'not':{'items':{'not':{'items':{'not':true}}}}}}", many, ERR_SCHEMA);
    free(wide);
    free(many);
    free(items);
}

static void endless_references(void **state)
{
    (void)state;
    refused_soon("{'$ref':'#'}", "1", ERR_SCHEMA_UNUSABLE);
    refused_soon("{'anyOf':[{'type':'string'},{'$ref':'#'}]}", "1", ERR_SCHEMA_UNUSABLE);
    refused_soon("{'if':true,'then':{'$ref':'#'}}", "1", ERR_SCHEMA_UNUSABLE);
    refused_soon("{'dependentSchemas':{'a':{'$ref':'#'}}}", "{'a':1}", ERR_SCHEMA_UNUSABLE);
    refused_soon("{'$dynamicAnchor':'x','$dynamicRef':'#x'}", "1", ERR_LIMIT); /* seen at run time */
}

static void long_chains_of_references(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4 << 20);
    buf_z(&b, "{'$ref':'#/$defs/d0','$defs':{");
    for (int i = 0; i < 9000; i++)
        buf_fmt(&b, "'d%d':{'$ref':'#/$defs/d%d'},", i, i + 1);
    buf_z(&b, "'d9000':{'type':'null'}}}");
    buf_char(&b, 0);
    refused_soon(b.p, "null", ERR_LIMIT); /* 81 million keys would be passed over, or 9000 levels entered */
    buf_done(&b);
}

static void deep_and_wide_values(void **state)
{
    (void)state;
    char *list = repeat("{'const':[", "{'k':1},", 20000, "1]}"), *same = repeat("[", "{'k':1.0},", 20000, "1]");
    refused_soon(list, same, ERR_OK);
    free(list);
    free(same);
    struct buf a, b;
    buf_init(&a, 8 << 20);
    buf_init(&b, 8 << 20);
    buf_z(&a, "{'const':{");
    buf_z(&b, "{");
    for (int i = 0; i < 30000; i++) {
        buf_fmt(&a, "%s'key%05d':1", i ? "," : "", i);
        buf_fmt(&b, "%s'key%05d':1", i ? "," : "", 29999 - i);
    }
    buf_z(&a, "}}");
    buf_z(&b, "}");
    buf_char(&a, 0);
    buf_char(&b, 0);
    refused_soon(a.p, b.p, ERR_OK); /* in n log n, not in n squared */
    buf_done(&a);
    buf_done(&b);
    struct buf u;
    buf_init(&u, 8 << 20);
    for (int i = 0; i < 100000; i++)
        buf_fmt(&u, "%c{'a':%d}", i ? ',' : '[', i);
    buf_z(&u, ",{'a':7.0e0}]");
    buf_char(&u, 0);
    refused_soon("{'uniqueItems':true}", u.p, ERR_SCHEMA);
    buf_done(&u);
}

static void long_numbers(void **state)
{
    (void)state;
    char *number = repeat("1.", "0123456789", 80000, ""),
         *schema = repeat("{'allOf':[", "{'multipleOf':7,'minimum':1},", 900, "{}]}");
    refused_soon(schema, number, ERR_SCHEMA);
    free(schema);
    schema = repeat("{'allOf':[", "{'not':{'type':'integer'}},", 900, "{}]}");
    refused_soon(schema, number, ERR_LIMIT);
    free(schema);
    free(number);
    refused_soon("{'multipleOf':3}", "1e999999999999999999999999", ERR_SCHEMA);
    refused_soon("{'multipleOf':3}", "3e999999999999", ERR_OK);
    refused_soon("{'type':'integer'}", "1e999999999999999999999999", ERR_OK);
    refused_soon("{'type':'integer'}", "1e-999999999999999999999999", ERR_SCHEMA);
}

static void unevaluated_bombs(void **state)
{
    (void)state;
    char *members = repeat("[", "0,", 100000, "0]");
    char *schema = repeat("{'unevaluatedItems':false,'anyOf':[", "{'items':true},", 10000, "{}]}");
    refused_soon(schema, members, ERR_LIMIT);
    free(schema);
    schema = repeat("{'unevaluatedItems':true,'anyOf':[", "{'contains':{'type':'null'}},", 10000, "{}]}");
    refused_soon(schema, members, ERR_LIMIT);
    free(schema);
    free(members);
}

static void each_limit_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        struct schema_limits limits;
        const char *says;
    } rows[] = {
        {"{'title':'0123456789'}", {.text = 10}, "the schema has more than 10 bytes"},
        {"{'allOf':[{},{},{}]}", {.subschemas = 3}, "the schema has more than 3 subschemas"},
        {"{'pattern':'abcdef'}", {.pattern = 5}, "a pattern of the schema has more than 5 bytes"},
        {"{'patternProperties':{'a':true,'b':true,'c':true}}", {.patterns = 2}, "the schema has more than 2 patterns"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct schema *s = NULL;
        struct fault f = {0};
        assert_int_equal(judge_compile(rows[i].schema, NULL, &rows[i].limits, &s, &f), ERR_LIMIT);
        assert_string_equal(f.text, rows[i].says);
        assert_null(s);
    }
    struct schema *s = NULL;
    struct fault f = {0};
    assert_int_equal(judge_compile("{'not':{'not':{}}}", NULL, &(struct schema_limits){.depth = 2}, &s, &f), ERR_LIMIT);
    assert_int_equal(judge_compile("{'items':{'items':{'items':{'minimum':1}}}}", NULL,
                                   &(struct schema_limits){.recursion = 3}, &s, &f),
                     ERR_OK);
    assert_int_equal(judge_value(s, "[[1]]", &f), ERR_OK);
    assert_int_equal(judge_value(s, "[[[1]]]", &f), ERR_LIMIT);
    assert_string_equal(f.text,
                        "judging the value by its schema takes more than 1000000 steps or 3 levels of recursion");
    schema_unref(s);
    assert_int_equal(judge_compile("{'items':{'type':'null'}}", NULL, &(struct schema_limits){.steps = 4}, &s, &f),
                     ERR_OK);
    assert_int_equal(judge_value(s, "[null,null,null]", &f), ERR_OK);
    assert_int_equal(judge_value(s, "[null,null,null,null]", &f), ERR_LIMIT);
    schema_unref(s);
}

static void a_full_arena_refuses(void **state)
{
    (void)state;
    struct schema *s = NULL;
    struct fault f = {0};
    struct json j;
    struct arena a, tiny;
    arena_init(&a, 1 << 20);
    arena_init(&tiny, 16);
    assert_int_equal(judge_compile("{'maxLength':100}", NULL, NULL, &s, &f), ERR_OK);
    assert_int_equal(json_parse(&j, STR("\"0123456789012345678901234567890\\n\""), &a, NULL, &f), ERR_OK);
    assert_int_equal(schema_validate(s, &j, JSON_ROOT, &tiny, &f), ERR_NOMEM);
    assert_int_equal(schema_validate(s, &j, JSON_ROOT, &a, &f), ERR_OK);
    assert_int_equal(schema_validate(s, &j, 7, &a, &f), ERR_INTERNAL);
    schema_unref(s);
    arena_done(&a);
    arena_done(&tiny);
}

static void *judge_often(void *shared)
{
    struct schema *s = shared;
    struct fault f;
    intptr_t wrong = 0;
    for (int i = 0; i < 200; i++) {
        wrong += judge_value(s, "{'a':'xxab','b':[1,2,3]}", &f) != ERR_OK;
        wrong += judge_value(s, "{'a':'xxb','b':[1,2,3]}", &f) != ERR_SCHEMA;
    }
    schema_unref(s);
    return (void *)wrong;
}

static void threads_share_a_schema(void **state)
{
    (void)state;
    struct schema *s = NULL;
    struct fault f;
    pthread_t t[4];
    assert_int_equal(
        judge_compile("{'properties':{'a':{'pattern':'a(b|c)$'},'b':{'uniqueItems':true}}}", NULL, NULL, &s, &f),
        ERR_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, judge_often, schema_ref(s)), 0);
    schema_unref(s); /* the last thread frees it */
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(t[i], &wrong);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catastrophic_patterns),
        cmocka_unit_test(quadratic_patterns_on_long_texts),
        cmocka_unit_test(many_matches_share_one_budget),
        cmocka_unit_test(reference_bombs),
        cmocka_unit_test(endless_references),
        cmocka_unit_test(long_chains_of_references),
        cmocka_unit_test(deep_and_wide_values),
        cmocka_unit_test(long_numbers),
        cmocka_unit_test(unevaluated_bombs),
        cmocka_unit_test(each_limit_is_named),
        cmocka_unit_test(a_full_arena_refuses),
        cmocka_unit_test(threads_share_a_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

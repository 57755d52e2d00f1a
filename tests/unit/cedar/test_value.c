/* Values: equality, order, the forms in which they are written and read. */
#include "scene.h"

static void sets_are_equal_without_order_and_doubles(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    scene_is(&s, "[1, 2, 1] == [2, 1]", "true");
    scene_is(&s, "context.set == [1, 2, 3]", "true");
    scene_is(&s, "[[1, 2], [2, 1]] == [[1, 2]]", "true");
    scene_is(&s, "[1, 2] == [1, 2, 3]", "false");
    scene_is(&s, "[3, 1, 2, 'b', true, 'a', 1]", "[true, 1, 2, 3, 'a', 'b']");
    scene_end(&s);
}

static void records_are_equal_by_name(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    scene_is(&s, "{a: 1, 'b c': 2} == {'b c': 2, a: 1}", "true");
    scene_is(&s, "{a: 1} == {a: 1, b: 2}", "false");
    scene_is(&s, "{a: 1} == {b: 1}", "false");
    scene_end(&s);
}

static void kinds_are_never_equal_to_each_other(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    scene_is(&s, "1 == '1' || true == 1 || 'a' == User::'a' || [] == {} || decimal('1.0') == 1", "false");
    scene_is(&s, "datetime('1970-01-01') == duration('0ms') || ip('::') == ip('0.0.0.0')", "false");
    scene_is(&s, "User::'a' == Team::'a'", "false");
    scene_is(&s, "ip('10.0.0.1/24') == ip('10.0.0.0/24')", "false"); /* as they are written */
    scene_end(&s);
}

static void the_order_of_values_is_total(void **state)
{
    (void)state;
    struct scene s;
    struct cedar_value v[32];
    static const char *const texts[] = {"true",
                                        "false",
                                        "0",
                                        "-1",
                                        "''",
                                        "'a'",
                                        "'ab'",
                                        "User::'a'",
                                        "User::'b'",
                                        "[]",
                                        "[1]",
                                        "[1, 2]",
                                        "[2]",
                                        "{}",
                                        "{a: 1}",
                                        "{a: 1, b: 1}",
                                        "{b: 0}",
                                        "decimal('0.0')",
                                        "ip('1.2.3.4')",
                                        "ip('1.2.3.4/8')",
                                        "ip('::')"};
    scene_begin(&s);
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(scene_ask(&s, texts[i], &v[i], &(struct cedar_error){0}), ERR_OK);
    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t k = 0; k < COUNT(texts); k++) {
            int there = cedar_value_cmp(v[i], v[k]), back = cedar_value_cmp(v[k], v[i]);
            assert_true((there == 0) == (i == k) && (there < 0) == (back > 0));
            assert_true(cedar_value_eq(v[i], v[k]) == (i == k));
            for (size_t l = 0; l < COUNT(texts); l++)
                if (there < 0 && cedar_value_cmp(v[k], v[l]) < 0)
                    assert_true(cedar_value_cmp(v[i], v[l]) < 0);
        }
    }
    scene_end(&s);
}

static void large_sets_and_records_are_searched(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct arena a;
    struct cedar_value v[N], set, record;
    struct cedar_field f[N];
    arena_init(&a, SCENE_MEMORY);
    for (int i = 0; i < N; i++) {
        struct str name = arena_fmt(&a, "name-%d", (i * 7) % N);
        v[i] = cedar_string(name);
        f[i] = (struct cedar_field){name, cedar_long((i * 7) % N)};
    }
    set = cedar_set_of(v, N, &a);
    assert_int_equal(cedar_record_of(f, N, &a, &record), ERR_OK);
    for (int i = 0; i < N; i++) {
        struct str name = arena_fmt(&a, "name-%d", i);
        assert_true(cedar_set_has(set.set, cedar_string(name)));
        assert_int_equal(cedar_record_get(record.record, name)->i, i);
    }
    assert_false(cedar_set_has(set.set, cedar_string(STR("name-1000"))));
    assert_false(cedar_set_has(set.set, cedar_long(1)));
    assert_null(cedar_record_get(record.record, STR("name")));
    f[1] = f[0];
    assert_int_equal(cedar_record_of(f, N, &a, &record), ERR_SYNTAX);
    arena_done(&a);
}

/* Strings are compared in pieces of eight bytes, and all lengths must come out right. */
static void names_of_every_length_are_told_apart(void **state)
{
    (void)state;
    char a[40], b[40];
    for (size_t n = 1; n < sizeof(a); n++) {
        for (size_t at = 0; at < n; at++) {
            memset(a, 'x', sizeof(a));
            memcpy(b, a, sizeof(b));
            b[at] = 'y';
            struct cedar_value v = cedar_string((struct str){a, n}), w = cedar_string((struct str){b, n});
            assert_false(cedar_value_eq(v, w));
            b[at] = 'x';
            assert_true(cedar_value_eq(v, w));
            assert_false(cedar_value_eq(v, cedar_string((struct str){a, n - 1})));
        }
    }
}

static void read_is(const char *json, const char *want)
{
    struct scene s;
    struct buf b;
    scene_begin(&s);
    buf_init(&b, 1 << 16);
    cedar_value_print(scene_json(&s, json), &b);
    buf_char(&b, 0);
    char *wanted = quotes(strdup(want));
    assert_string_equal(b.p, wanted);
    free(wanted);
    buf_done(&b);
    scene_end(&s);
}

static void read_refused(const char *json, const char *why)
{
    struct arena a;
    struct json j;
    struct fault f = {0};
    struct cedar_value v;
    char *text = quotes(strdup(json));
    arena_init(&a, SCENE_MEMORY);
    assert_int_equal(json_parse(&j, str_of(text), &a, NULL, &f), ERR_OK);
    assert_int_equal(cedar_value_read(&j, JSON_ROOT, "context", &a, &v, &f), ERR_SYNTAX);
    if (!strstr(f.text, why))
        fail_msg("%s: %s", json, f.text);
    arena_done(&a);
    free(text);
}

static void json_escapes_stand_for_entities_and_extension_values(void **state)
{
    (void)state;
    read_is("{'a':[1,true,'x',[]],'b':{}}", "{'a': [true, 1, 'x', []], 'b': {}}");
    read_is("{'__entity':{'type':'A::B','id':'c'}}", "A::B::'c'");
    read_is("{'__entity':{'type':'A','id':'c','more':1}}", "A::'c'");
    read_is("{'__extn':{'fn':'ip','arg':'10.0.0.0/8'}}", "ip('10.0.0.0/8')");
    read_is("{'__extn':{'fn':'decimal','args':['1.50']}}", "decimal('1.5')");
    read_is("{'__extn':{'fn':'offset','args':[{'__extn':{'fn':'datetime','arg':'2024-01-01'}},"
            "{'__extn':{'fn':'duration','arg':'1h'}}]}}",
            "datetime('2024-01-01T01:00:00.000Z')");
    read_is("'caf\\u00e9\\n'", "'caf\u00e9\\n'");
}

/* An escape has one member, of the right shape: whatever else there is, is a record. */
static void what_only_looks_like_an_escape_is_a_record(void **state)
{
    (void)state;
    read_is("{'__entity':5}", "{'__entity': 5}");
    read_is("{'__entity':{'type':'A'}}", "{'__entity': {'type': 'A'}}");
    read_is("{'__entity':{'type':'A','id':'c'},'more':1}", "{'__entity': {'id': 'c', 'type': 'A'}, 'more': 1}");
    read_is("{'__extn':{'fn':'ip'}}", "{'__extn': {'fn': 'ip'}}");
    read_is("{'__extn':{'fn':'ip','args':'x'}}", "{'__extn': {'args': 'x', 'fn': 'ip'}}");
    read_is("{'type':'A','id':'c'}", "{'id': 'c', 'type': 'A'}");
    read_is("{'__expr':5}", "{'__expr': 5}");
}

static void refusals_name_the_path(void **state)
{
    (void)state;
    read_refused("{'input':{'lines':[1,{'amount':null}]}}", "context.input.lines[1].amount: there is no null");
    read_refused("{'a':1.5}", "context.a: there are no fractions");
    read_refused("{'a':1.0}", "context.a: there are no fractions");
    read_refused("[9223372036854775808]", "context[0]: the number does not fit");
    read_refused("{'__expr':'User::\\'a\\''}", "__expr is no longer read");
    read_refused("{'x':{'__entity':{'type':'A B','id':'c'}}}", "context.x: \"A B\" is no name of a type");
    read_refused("{'x':{'__entity':{'type':'__cedar::A','id':'c'}}}", "is no name of a type");
    read_refused("{'x':{'__entity':{'type':'','id':'c'}}}", "is no name of a type");
    read_refused("{'__extn':{'fn':'contains','args':[[1],1]}}", "no extension function contains");
    read_refused("{'__extn':{'fn':'ip','args':['1.2.3.4','x']}}", "ip takes 1 argument(s), not 2");
    read_refused("{'at':{'__extn':{'fn':'ip','arg':'1.2.3'}}}", "context.at: not an address");
    read_refused("{'__extn':{'fn':'ip','arg':1}}", "ip takes string, not long");
}

static void values_survive_their_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{a: [1, 2], b: {c: User::'x\\'y'}}",
        "[decimal('-1.5'), ip('::1/64'), datetime('2024-10-15T11:35:00.123Z'), duration('-1d2h')]",
        "datetime('1970-01-01').offset(duration('9223372036854775807ms'))",
        "{'': '', 'x\\n': '\\u{1F600}'}",
    };
    struct scene s;
    scene_begin(&s);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct cedar_value v, again;
        struct json j;
        struct buf b;
        struct fault f = {0};
        buf_init(&b, 1 << 16);
        struct json_out out = json_out(&b);
        assert_int_equal(scene_ask(&s, texts[i], &v, &(struct cedar_error){0}), ERR_OK);
        cedar_value_json(v, &out);
        assert_int_equal(json_parse(&j, buf_view(&b), &s.arena, NULL, &f), ERR_OK);
        assert_int_equal(cedar_value_read(&j, JSON_ROOT, "v", &s.arena, &again, &f), ERR_OK);
        assert_true(cedar_value_eq(v, again));
        buf_done(&b);
    }
    scene_end(&s);
}

static void memory_that_ends_is_told(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < 4000; cap += 50) {
        struct arena a, text;
        struct json j;
        struct fault f = {0};
        struct cedar_value v = {.kind = CEDAR_NONE};
        char json[] =
            "{'a':[1,2,{'b':'\\u0041'},{'__entity':{'type':'A','id':'c'}}],'c':{'__extn':{'fn':'ip','arg':'::1'}}}";
        arena_init(&text, SCENE_MEMORY);
        arena_init(&a, cap);
        assert_int_equal(json_parse(&j, str_of(quotes(json)), &text, NULL, &f), ERR_OK);
        enum err e = cedar_value_read(&j, JSON_ROOT, "v", &a, &v, &f);
        assert_true(e == ERR_OK || (e == ERR_NOMEM && v.kind == CEDAR_NONE));
        arena_done(&a);
        arena_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_equal_without_order_and_doubles),
        cmocka_unit_test(records_are_equal_by_name),
        cmocka_unit_test(kinds_are_never_equal_to_each_other),
        cmocka_unit_test(the_order_of_values_is_total),
        cmocka_unit_test(large_sets_and_records_are_searched),
        cmocka_unit_test(names_of_every_length_are_told_apart),
        cmocka_unit_test(json_escapes_stand_for_entities_and_extension_values),
        cmocka_unit_test(what_only_looks_like_an_escape_is_a_record),
        cmocka_unit_test(refusals_name_the_path),
        cmocka_unit_test(values_survive_their_json),
        cmocka_unit_test(memory_that_ends_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

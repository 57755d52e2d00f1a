/* YAML as JSON that knows where its values stood. */
#include "../unit.h"

#include "cli/yaml.h"

static struct arena arena;
static struct buf faults;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64u << 20);
    buf_init(&faults, 65536);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&faults);
    arena_done(&arena);
    return 0;
}

static void reads_as(const char *text, const char *json)
{
    struct yaml y;
    if (yaml_read(STR("f"), str_of(text), &arena, &faults, &y))
        fail_msg("%s: %.*s", text, (int)faults.n, faults.p);
    if (!str_is(y.j.text, json))
        fail_msg("%s is %.*s, not %s", text, (int)y.j.text.n, y.j.text.p, json);
}

static void refused(const char *text, const char *says)
{
    struct yaml y;
    buf_clear(&faults);
    assert_int_equal(yaml_read(STR("f"), str_of(text), &arena, &faults, &y), ERR_CONFIG);
    if (!memmem(faults.p, faults.n, says, strlen(says)))
        fail_msg("%s: %.*s", text, (int)faults.n, faults.p);
}

static void plain_words_are_what_yaml_says_they_are(void **state)
{
    (void)state;
    reads_as("{a: 1, b: -2.50, c: 1e3, d: 007, e: +4, f: .5, g: 3., h: -0}",
             "{\"a\":1,\"b\":-2.50,\"c\":1e3,\"d\":7,\"e\":4,\"f\":0.5,\"g\":3,\"h\":-0}");
    reads_as("[true, False, ~, null, yes, 1.2.3, 2026-01-05, 1e, '1', \"true\"]",
             "[true,false,null,null,\"yes\",\"1.2.3\",\"2026-01-05\",\"1e\",\"1\",\"true\"]");
    reads_as("a: |\n  two\n  lines\nb: \"tab\\t\\\"\"\n", "{\"a\":\"two\\nlines\\n\",\"b\":\"tab\\t\\\"\"}");
    reads_as("a:\n  - b: {c: []}\n  -\n", "{\"a\":[{\"b\":{\"c\":[]}},null]}");
}

static void values_know_where_they_stood(void **state)
{
    (void)state;
    struct yaml y;
    assert_int_equal(yaml_read(STR("f"), STR("a: 1\nbb:\n  - x\n  - {c: d}\n"), &arena, &faults, &y), ERR_OK);
    uint32_t bb = json_get(&y.j, JSON_ROOT, STR("bb")), second = json_next(&y.j, bb, json_first(&y.j, bb));
    uint32_t d = json_get(&y.j, second, STR("c"));
    assert_true(json_str_is(&y.j, d, STR("d")));
    assert_true(y.place[d].line == 4 && y.place[d].column == 9);
    yaml_fault(&y, d - 1, "what a %s", "key");
    assert_true(str_is(buf_view(&faults), "f:4:6: what a key\n"));
}

static void what_json_has_not_is_refused_with_its_place(void **state)
{
    (void)state;
    refused("a: 1\na: 2\n", "f:2:1: the key stands here twice");
    refused("a: &x 1\nb: *x\n", "f:1:");
    refused("a: !!str 1\n", "f:1:");
    refused("a: 1\n---\nb: 2\n", "f:2:1: a second document");
    refused("? [a]\n: b\n", "a key is a single text");
    refused("a: [1\n", "f:");
    refused("a: \"\\xff", "f:");
    refused("\xff", "must be a text in UTF-8");
    refused("", "there is nothing in this file");
}

static void it_is_bounded(void **state)
{
    (void)state;
    static char text[200000];
    memset(text, '[', 100);
    refused(text, "nested deeper than 32");
    for (size_t i = 0; i < sizeof(text) - 2; i += 2)
        memcpy(text + i, i ? "1," : "[ ", 2);
    refused(text, "more than 50000 keys and values");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_words_are_what_yaml_says_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_know_where_they_stood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_json_has_not_is_refused_with_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

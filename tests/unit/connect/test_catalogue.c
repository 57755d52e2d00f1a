/* The catalogue: all tools of all servers that are up, found by both of their names. */
#include "definitions.h"

static void order_is_by_id_and_lists_are_the_same_each_time(void **state)
{
    (void)state;
    struct shelf a, b;
    shelf_init(&a, "alpha");
    shelf_init(&b, "beta");
    struct tool_set *one = shelf_tools(&a, "[" TOOL("z") "," TOOL("a") "]"), *two = shelf_tools(&b, "[" TOOL("m") "]");
    struct catalogue *k = catalogue_build((struct tool_set *[]){two, one}, 2, 7);
    assert_int_equal(k->count, 3);
    assert_int_equal(k->version, 7);
    assert_true(str_is(k->tool[0].id, "alpha/a"));
    assert_true(str_is(k->tool[1].id, "alpha/z"));
    assert_true(str_is(k->tool[2].id, "beta/m"));
    tool_set_unref(one);
    tool_set_unref(two);
    catalogue_unref(k);
}

/* "a" + "_b" and names with "__" inside: the first "__" parts them, and no two tools share a name. */
static void names_with_underscores_do_not_collide(void **state)
{
    (void)state;
    struct shelf a, ab;
    shelf_init(&a, "a");
    shelf_init(&ab, "a-b");
    struct tool_set *one = shelf_tools(&a, "[" TOOL("_b") "," TOOL("b__c") "," TOOL("b") "]"),
                    *two = shelf_tools(&ab, "[" TOOL("b__c") "]");
    struct catalogue *k = catalogue_build((struct tool_set *[]){one, two}, 2, 1);
    assert_true(str_is(catalogue_by_exposed(k, STR("a___b"))->id, "a/_b"));
    assert_true(str_is(catalogue_by_exposed(k, STR("a__b__c"))->id, "a/b__c"));
    assert_true(str_is(catalogue_by_exposed(k, STR("a-b__b__c"))->id, "a-b/b__c"));
    assert_true(str_is(catalogue_by_name(k, STR("a"), STR("b"))->id, "a/b"));
    assert_null(catalogue_by_exposed(k, STR("b")));
    assert_null(catalogue_by_exposed(k, STR_NONE));
    assert_null(catalogue_by_name(k, STR("a"), STR_NONE));
    assert_null(catalogue_by_name(k, STR("b"), STR("b")));
    tool_set_unref(one);
    tool_set_unref(two);
    catalogue_unref(k);
}

static void a_snapshot_keeps_its_tools_as_long_as_somebody_holds_it(void **state)
{
    (void)state;
    struct shelf a;
    shelf_init(&a, "alpha");
    struct tool_set *set = shelf_tools(&a, "[" TOOL("t") "]");
    struct catalogue *k = catalogue_ref(catalogue_build(&set, 1, 1));
    tool_set_unref(set);
    catalogue_unref(k);
    assert_true(str_is(catalogue_by_exposed(k, STR("alpha__t"))->name, "t"));
    catalogue_unref(k);
}

static void many_tools_are_all_found(void **state)
{
    (void)state;
    struct shelf a;
    struct buf b;
    char name[32];
    shelf_init(&a, "alpha");
    buf_init(&b, 1u << 20);
    for (int i = 0; i < 500; i++)
        buf_fmt(&b, "%s{\"name\":\"t%d\",\"inputSchema\":{\"type\":\"object\"}}", i ? "," : "[", i);
    buf_z(&b, "]");
    buf_char(&b, 0);
    struct tool_set *set = shelf_tools(&a, b.p);
    struct catalogue *k = catalogue_build(&set, 1, 1);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "alpha__t%d", i);
        assert_true(str_is(catalogue_by_exposed(k, str_of(name))->exposed, name));
    }
    tool_set_unref(set);
    catalogue_unref(k);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_by_id_and_lists_are_the_same_each_time),
        cmocka_unit_test(names_with_underscores_do_not_collide),
        cmocka_unit_test(a_snapshot_keeps_its_tools_as_long_as_somebody_holds_it),
        cmocka_unit_test(many_tools_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

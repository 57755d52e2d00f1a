/* What differs between two JSON values, in words that people read. */
#include "base_test.h"

#include "base/json_diff.h"

static struct arena a;

static void put_change(void *ctx, struct str path, enum json_change change, struct str old, struct str now)
{
    static const char marks[] = "+-~";
    assert_int_equal(old.p == NULL, change == JSON_ADDED);
    assert_int_equal(now.p == NULL, change == JSON_REMOVED);
    buf_fmt(ctx, "%c" STR_FMT " " STR_FMT "%s" STR_FMT "\n", marks[change], STR_ARG(path), STR_ARG(old),
            old.p && now.p ? " -> " : "", STR_ARG(now));
}

static void differ(const char *old, const char *now, const char *want)
{
    struct buf b;
    arena_init(&a, 64u << 20);
    buf_init(&b, 1u << 20);
    struct json x = test_json(&a, test_quotes(&a, old)), y = test_json(&a, test_quotes(&a, now));
    assert_int_equal(json_diff(&x, &y, put_change, &b, &a), ERR_OK);
    assert_str(buf_view(&b), quotes((char *)arena_str(&a, str_of(want)).p));
    buf_done(&b);
    arena_done(&a);
}

static void each_member_is_named_by_its_path(void **state)
{
    (void)state;
    differ("{'a':{'b':{'max':100,'min':1}},'gone':[1]}", "{'a':{'b':{'max':10000,'min':1}},'came':{'x':null}}",
           "~a.b.max 100 -> 10000\n-gone [1]\n+came {'x':null}\n");
    differ("{'a b':{'':1,'c.d':1}}", "{'a b':{'':2,'c.d':2}}", "~['a b'][''] 1 -> 2\n~['a b']['c.d'] 1 -> 2\n");
    differ("{'a':null}", "{}", "-a null\n"); /* null is a value */
}

static void another_type_is_one_change(void **state)
{
    (void)state;
    differ("{'a':{'b':1}}", "{'a':[1]}", "~a {'b':1} -> [1]\n");
    differ("1", "'1'", "~ 1 -> '1'\n");
}

static void plain_arrays_change_as_a_whole_and_others_by_place(void **state)
{
    (void)state;
    differ("{'required':['a'],'anyOf':[{'type':'string'},{'type':'null'}]}",
           "{'required':['a','b'],'anyOf':[{'type':'number'}]}",
           "~required ['a'] -> ['a','b']\n~anyOf[0].type 'string' -> 'number'\n-anyOf[1] {'type':'null'}\n");
    differ("[[1],[2]]", "[[1],[3],[4]]", "~[1] [2] -> [3]\n+[2] [4]\n");
}

static void paths_may_be_json_pointers(void **state)
{
    (void)state;
    struct buf b;
    arena_init(&a, 64u << 20);
    buf_init(&b, 1u << 20);
    struct json x = test_json(&a, test_quotes(&a, "{'a/b':{'~':1},'l':[{'x':1},{'x':2}]}"));
    struct json y = test_json(&a, test_quotes(&a, "{'a/b':{'~':2},'l':[{'x':1}]}"));
    assert_int_equal(json_diff_pointers(&x, &y, put_change, &b, &a), ERR_OK);
    assert_str(buf_view(&b), quotes((char *)arena_str(&a, STR("~/a~1b/~0 1 -> 2\n-/l/1 {'x':2}\n")).p));
    buf_done(&b);
    arena_done(&a);
}

static void what_means_the_same_does_not_differ(void **state)
{
    (void)state;
    differ("{'a':1.0,'b':'\\u0041','\\u0063':[1e2]}", "{ 'c':[100], 'b':'A', 'a':1 }", "");
}

/* Looking for each of very many names would take minutes: it is said that they differ, and that is all. */
static void very_large_objects_are_compared_in_bounded_time(void **state)
{
    (void)state;
    enum { NAMES = 20000 };
    struct buf one, two, out;
    arena_init(&a, 64u << 20);
    buf_init(&one, 1u << 20);
    buf_init(&two, 1u << 20);
    buf_init(&out, 8u << 20);
    for (unsigned i = 0; i < NAMES; i++) {
        buf_fmt(&one, "%s\"%u\":1", i ? "," : "{\"big\":{", i);
        buf_fmt(&two, "%s\"%u\":%u", i ? "," : "{\"big\":{", i, i == NAMES / 2 ? 2u : 1u);
    }
    buf_z(&one, "},\"x\":1}");
    buf_z(&two, "},\"x\":2}");
    struct json x = test_json(&a, buf_view(&one)), y = test_json(&a, buf_view(&two));
    assert_int_equal(json_diff(&x, &y, put_change, &out, &a), ERR_OK);
    assert_true(str_starts(buf_view(&out), STR("~big {")));
    assert_true(str_ends(buf_view(&out), STR("\n~x 1 -> 2\n")));
    assert_int_equal(json_diff(&x, &x, put_change, (buf_clear(&out), &out), &a), ERR_OK);
    assert_int_equal(out.n, 0);
    buf_done(&one);
    buf_done(&two);
    buf_done(&out);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_named_by_its_path),
        cmocka_unit_test(another_type_is_one_change),
        cmocka_unit_test(plain_arrays_change_as_a_whole_and_others_by_place),
        cmocka_unit_test(paths_may_be_json_pointers),
        cmocka_unit_test(what_means_the_same_does_not_differ),
        cmocka_unit_test(very_large_objects_are_compared_in_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

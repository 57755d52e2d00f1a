/* Types: their order in the strict rules, and how a message writes them. */
#include "../unit.h"

#include "cedar/check.h"

#define LONG   (&cedar_type_long)
#define STRING (&cedar_type_string)
#define BOOL   (&cedar_type_bool)
#define TRUE   (&cedar_type_true)
#define FALSE  (&cedar_type_false)

static const struct str user = {"User", 4}, agent = {"Shop::Agent", 11};
static const struct cedar_type a_user = {.kind = CEDAR_T_ENTITY, .entity = &user, .entities = 1},
                               an_agent = {.kind = CEDAR_T_ENTITY, .entity = &agent, .entities = 1};

static struct cedar_type set_of(const struct cedar_type *element)
{
    return (struct cedar_type){.kind = CEDAR_T_SET, .element = element};
}

#define RECORD(...)                                                                                                    \
    {                                                                                                                  \
        .kind = CEDAR_T_RECORD, .attr = (const struct cedar_attr[]){__VA_ARGS__},                                      \
        .attrs = sizeof((const struct cedar_attr[]){__VA_ARGS__}) / sizeof(struct cedar_attr)                          \
    }

static void an_attribute_is_found_by_its_name(void **state)
{
    (void)state;
    const struct cedar_type t =
        RECORD({STR("amount"), LONG, true}, {STR("note"), STRING, false}, {STR("paid"), BOOL, true});
    assert_ptr_equal(cedar_type_attr(&t, STR("amount"))->type, LONG);
    assert_ptr_equal(cedar_type_attr(&t, STR("note"))->type, STRING);
    assert_ptr_equal(cedar_type_attr(&t, STR("paid"))->type, BOOL);
    assert_null(cedar_type_attr(&t, STR("")));
    assert_null(cedar_type_attr(&t, STR("pai")));
    assert_null(cedar_type_attr(&t, STR("z")));
    assert_null(cedar_type_attr(LONG, STR("amount")));
}

static void types_of_the_same_parts_are_equal(void **state)
{
    (void)state;
    const struct cedar_type a = RECORD({STR("k"), LONG, true}), b = RECORD({STR("k"), LONG, true}),
                            optional = RECORD({STR("k"), LONG, false}), other = RECORD({STR("l"), LONG, true});
    const struct cedar_type as = set_of(&a), bs = set_of(&b), longs = set_of(LONG);
    assert_true(cedar_type_eq(&a, &b));
    assert_true(cedar_type_eq(&as, &bs));
    assert_false(cedar_type_eq(&a, &optional));
    assert_false(cedar_type_eq(&a, &other));
    assert_false(cedar_type_eq(&as, &longs));
    assert_false(cedar_type_eq(&a_user, &an_agent));
    assert_false(cedar_type_eq(TRUE, BOOL));
    assert_false(cedar_type_eq(cedar_type_of_ext(CEDAR_IP), cedar_type_of_ext(CEDAR_DECIMAL)));
}

struct row {
    const struct cedar_type *a, *b;
    const char *joins; /* NULL: they do not */
};

static void check_join(struct arena *mem, struct row r)
{
    struct cedar_join join = {mem, 1000};
    struct buf out;
    buf_init(&out, 1000);
    const struct cedar_type *t = cedar_type_join(&join, r.a, r.b);
    if (t)
        cedar_type_print(t, &out);
    if (!t != !r.joins || (t && !str_eq(buf_view(&out), str_of(r.joins))))
        fail_msg("joins to \"" STR_FMT "\", not \"%s\"", STR_ARG(buf_view(&out)), r.joins ? r.joins : "");
    buf_done(&out);
}

static void only_what_is_of_one_type_joins(void **state)
{
    (void)state;
    const struct cedar_type yes = RECORD({STR("k"), TRUE, true}), no = RECORD({STR("k"), FALSE, true}),
                            maybe = RECORD({STR("k"), TRUE, false}),
                            wide = RECORD({STR("k"), TRUE, true}, {STR("l"), LONG, true});
    const struct cedar_type yeses = set_of(&yes), noes = set_of(&no), longs = set_of(LONG), strings = set_of(STRING),
                            empty = set_of(NULL);
    const struct row rows[] = {
        {LONG, LONG, "Long"},
        {LONG, STRING, NULL},
        {TRUE, FALSE, "Bool"},
        {TRUE, BOOL, "Bool"},
        {&a_user, &a_user, "User"},
        {&a_user, &an_agent, NULL},
        {&a_user, LONG, NULL},
        {&yes, &no, "{k: Bool}"},
        {&yes, &maybe, NULL},
        {&yes, &wide, NULL},
        {&yeses, &noes, "Set<{k: Bool}>"},
        {&longs, &strings, NULL},
        {&longs, &empty, "Set<Long>"},
        {cedar_type_of_ext(CEDAR_IP), cedar_type_of_ext(CEDAR_DECIMAL), NULL},
        {cedar_type_of_ext(CEDAR_DATETIME), cedar_type_of_ext(CEDAR_DATETIME), "datetime"},
    };
    struct arena mem;
    arena_init(&mem, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_join(&mem, rows[i]);
        check_join(&mem, (struct row){rows[i].b, rows[i].a, rows[i].joins});
    }
    arena_done(&mem);
}

static void a_bool_that_is_true_or_false_joins_to_one_that_may_be_both(void **state)
{
    (void)state;
    struct cedar_join join = {NULL, 10};
    assert_ptr_equal(cedar_type_join(&join, TRUE, TRUE), TRUE);
    assert_ptr_equal(cedar_type_join(&join, FALSE, FALSE), FALSE);
    assert_ptr_equal(cedar_type_join(&join, TRUE, FALSE), BOOL);
    assert_ptr_equal(cedar_type_join(&join, BOOL, FALSE), BOOL);
}

/* Each level holds the one below twice: the parts double with every level, the memory does not. */
static void joining_ends_after_its_steps(void **state)
{
    (void)state;
    enum { LEVELS = 60 };
    struct cedar_attr attr[2][LEVELS][2];
    struct cedar_type t[2][LEVELS];
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < LEVELS; i++) {
            const struct cedar_type *below = i ? &t[side][i - 1] : LONG;
            attr[side][i][0] = (struct cedar_attr){STR("a"), below, true};
            attr[side][i][1] = (struct cedar_attr){STR("b"), below, true};
            t[side][i] = (struct cedar_type){.kind = CEDAR_T_RECORD, .attr = attr[side][i], .attrs = 2};
        }
    struct cedar_join join = {NULL, 100000};
    assert_null(cedar_type_join(&join, &t[0][LEVELS - 1], &t[1][LEVELS - 1]));
    assert_int_equal(join.steps, 0);
}

static void types_are_written_as_a_schema_would(void **state)
{
    (void)state;
    const struct cedar_type users = set_of(&a_user);
    const struct cedar_type inner = RECORD({STR("per"), cedar_type_of_ext(CEDAR_DURATION), false});
    const struct cedar_type t = RECORD({STR("all of them"), &users, true},
                                       {STR("ip"), cedar_type_of_ext(CEDAR_IP), true}, {STR("quota"), &inner, false});
    struct buf out;
    buf_init(&out, 1000);
    cedar_type_print(&t, &out);
    assert_true(str_is(buf_view(&out), "{\"all of them\": Set<User>, ip: ipaddr, quota?: {per?: duration}}"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attribute_is_found_by_its_name),
        cmocka_unit_test(types_of_the_same_parts_are_equal),
        cmocka_unit_test(only_what_is_of_one_type_joins),
        cmocka_unit_test(a_bool_that_is_true_or_false_joins_to_one_that_may_be_both),
        cmocka_unit_test(joining_ends_after_its_steps),
        cmocka_unit_test(types_are_written_as_a_schema_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

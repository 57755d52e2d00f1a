/* What policies ask for besides a yes or a no: how it is written, and how several are combined. */
#include "../unit.h"

#include "cedar/parse.h"
#include "policy/duty.h"

static struct cedar_policies *parsed(const char *text)
{
    struct buf faults;
    struct cedar_policies *ps = cedar_policies_new(1 << 20);
    buf_init(&faults, 65536);
    if (cedar_parse(ps, STR("test"), str_of(text), &faults))
        fail_msg("%.*s", (int)faults.n, faults.p);
    buf_done(&faults);
    return ps;
}

#define ANY " (principal, action, resource);"

static void combined(const char *text, enum err wanted, const char *words, struct duty *d)
{
    struct fault f = {.text = ""};
    struct cedar_policies *ps = parsed(text);
    enum err e = ERR_OK;
    *d = (struct duty){0};
    for (uint32_t i = 0; i < ps->n && !e; i++)
        e = duty_add(d, ps->policy[i], &f);
    if (e != wanted || !strstr(f.text, words))
        fail_msg("%s: %s", err_code(e), f.text);
    cedar_policies_free(ps);
}

static void the_strictest_of_several_holds(void **state)
{
    (void)state;
    struct duty d;
    combined("@risk(\"low\") permit" ANY "@risk(\"high\") permit" ANY "@risk(\"medium\") permit" ANY, ERR_OK, "", &d);
    assert_int_equal(d.risk, DUTY_RISK_HIGH);
    combined("@approve(\"two\") permit" ANY "@approve(\"one\") permit" ANY "permit" ANY, ERR_OK, "", &d);
    assert_int_equal(d.approvals, 2);
    combined("@limit(\"10/minute\") permit" ANY "@limit(\"5/second\") permit" ANY, ERR_OK, "", &d);
    assert_int_equal(d.limits, 2);
    assert_int_equal(d.limit[1].rate.count, 5);
    combined("@mask(\"output.a.b, output.c\") permit" ANY "@mask(\"output.d\") permit" ANY, ERR_OK, "", &d);
    assert_int_equal(d.masks, 3);
}

static void arguments_are_set_to_json_values(void **state)
{
    (void)state;
    struct duty d = {0};
    struct cedar_policies *ps = parsed(
        "@set(\"input.limit = 100; input.filter.text = \\\"a;b\\\" ; input.o = {\\\"x\\\": [1, 2]}\") permit" ANY);
    assert_int_equal(duty_add(&d, ps->policy[0], NULL), ERR_OK);
    assert_int_equal(d.sets, 3);
    assert_true(str_is(d.set[0].path, "limit") && str_is(d.set[0].value, "100"));
    assert_true(str_is(d.set[1].path, "filter.text") && str_is(d.set[1].value, "\"a;b\""));
    assert_true(str_is(d.set[2].path, "o") && str_is(d.set[2].value, "{\"x\": [1, 2]}"));
    cedar_policies_free(ps);
}

static void what_cannot_be_combined_is_a_conflict(void **state)
{
    (void)state;
    struct duty d;
    combined("@set(\"input.limit = 100\") permit" ANY "@set(\"input.limit = 100\") permit" ANY, ERR_OK, "", &d);
    assert_int_equal(d.sets, 1);
    combined("@set(\"input.limit = 100\") permit" ANY "@set(\"input.limit = 50\") permit" ANY, ERR_CONFLICT,
             "to 100 and to 50", &d);
}

static void what_is_written_wrong_is_told_with_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"@risk(\"huge\") permit" ANY, "one of low, medium, high, critical"},
        {"@risk(\"none\") permit" ANY, "one of low, medium, high, critical"},
        {"@approve(\"three\") permit" ANY, "one or two"},
        {"@limit(\"often\") permit" ANY, "a rate such as 10/minute"},
        {"@limit(\"none\") permit" ANY, "a rate such as 10/minute"},
        {"@set(\"limit = 1\") permit" ANY, "a path and a JSON value"},
        {"@set(\"input.limit\") permit" ANY, "a path and a JSON value"},
        {"@set(\"input.limit = nope\") permit" ANY, "a path and a JSON value"},
        {"@set(\"input..x = 1\") permit" ANY, "a path and a JSON value"},
        {"@mask(\"input.x\") permit" ANY, "a path such as output.customer.email"},
        {"@mask(\"output.\") permit" ANY, "a path such as output.customer.email"},
        {"@approve(\"one\") forbid" ANY, "@approve on a forbid"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fault f = {.text = ""};
        struct cedar_policies *ps = parsed(rows[i].text);
        assert_int_equal(duty_check(ps->policy[0], &f), ERR_SYNTAX);
        if (!strstr(f.text, rows[i].words))
            fail_msg("%s: %s", rows[i].text, f.text);
        cedar_policies_free(ps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strictest_of_several_holds),
        cmocka_unit_test(arguments_are_set_to_json_values),
        cmocka_unit_test(what_cannot_be_combined_is_a_conflict),
        cmocka_unit_test(what_is_written_wrong_is_told_with_what_would_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

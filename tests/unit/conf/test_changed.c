/* Which keys a new configuration changes: their names, wherever they stand, and never a value. */
#include "../conf_of.h"

#include <stdlib.h>

static void changes_are(const char *before, const char *now, const char *want)
{
    struct conf *a = conf_of(before), *b = conf_of(now);
    struct buf out;
    buf_init(&out, 65536);
    struct json_out o = json_out(&out);
    conf_changed(a, b, 100, &o);
    if (!str_is(buf_view(&out), want))
        fail_msg("changed is " STR_FMT ", not %s", STR_ARG(buf_view(&out)), want);
    buf_done(&out);
    conf_unref(a);
    conf_unref(b);
}

static void the_same_is_no_change_even_when_it_is_written_otherwise(void **state)
{
    (void)state;
    changes_are("limits: {call_timeout: 60s}", "limits: {call_timeout: 1m, streams: 10000}\n", "[\"limits.streams\"]");
    changes_are("limits: {call_timeout: 60s}", "limits: {call_timeout: 1m}", "[]");
}

static void values_lists_and_rates_are_told_by_their_path(void **state)
{
    (void)state;
    changes_are("session: {rate: 5/minute}\nallowed_hosts: [a.example]\nlog: {level: info}",
                "session: {rate: 5/second}\nallowed_hosts: [a.example, b.example]\nlog: {level: debug}",
                "[\"allowed_hosts\",\"log.level\",\"session.rate\"]");
}

static void what_comes_what_goes_and_what_changes_within(void **state)
{
    (void)state;
    changes_are("servers: {old: {command: [a]}, kept: {command: [b]}, same: {command: [c]}}",
                "servers: {kept: {command: [b, --more]}, new: {command: [d]}, same: {command: [c]}}",
                "[\"servers.kept.command\",\"servers.old\",\"servers.new\"]");
    changes_are("scopes: [{when: {tier: gold}, add: ['x:read']}]", "scopes: [{when: {tier: tin}, add: ['x:read']}]",
                "[\"scopes[0].when.tier\"]");
    changes_are("scopes: [{when: {tier: gold}, add: ['x:read']}]", "{}", "[\"scopes\"]");
}

static void another_secret_is_told_by_its_key_alone(void **state)
{
    (void)state;
    setenv("CHANGED_A", "first-secret-of-operators", 1);
    setenv("CHANGED_B", "other-secret-of-operators", 1);
    changes_are("operators: [{name: eve, role: admin, token: '${CHANGED_A}'}]",
                "operators: [{name: eve, role: admin, token: '${CHANGED_B}'}]", "[\"operators[0].token\"]");
    changes_are("operators: [{name: eve, role: admin, token: '${CHANGED_A}'}]",
                "operators: [{name: eve, role: admin, token: '${CHANGED_A}'}]", "[]");
}

static void of_very_many_the_first_are_told_and_all_are_counted(void **state)
{
    struct conf *a = conf_of("{}"), *b = conf_of("log: {level: debug}\nsession: {rate: 7/second, max_tool_calls: 7}");
    struct buf out;
    (void)state;
    buf_init(&out, 65536);
    struct json_out o = json_out(&out);
    assert_int_equal(conf_changed(a, b, 1, &o), 3);
    assert_true(str_is(buf_view(&out), "[\"log.level\"]"));
    buf_done(&out);
    conf_unref(a);
    conf_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_no_change_even_when_it_is_written_otherwise),
        cmocka_unit_test(values_lists_and_rates_are_told_by_their_path),
        cmocka_unit_test(what_comes_what_goes_and_what_changes_within),
        cmocka_unit_test(another_secret_is_told_by_its_key_alone),
        cmocka_unit_test(of_very_many_the_first_are_told_and_all_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

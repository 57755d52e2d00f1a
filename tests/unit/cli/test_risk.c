/* What is proposed for a tool, by the words of its name, its description and its annotations. */
#include "../unit.h"

#include "cli/risk.h"

static void proposed(const char *name, const char *description, unsigned hints, enum risk risk, const char *words)
{
    struct risk_verdict v;
    risk_propose(str_of(name), str_of(description), hints, &v);
    if (v.risk != risk || strcmp(v.words, words) != 0)
        fail_msg("%s: %s (%s), should be %s (%s)", name, risk_name(v.risk), v.words, risk_name(risk), words);
}

static void verbs_that_read_are_low(void **state)
{
    (void)state;
    proposed("get_order", "", 0, RISK_LOW, "get");
    proposed("searchIssues", "", 0, RISK_LOW, "search");
    proposed("list-open-orders", "", 0, RISK_LOW, "list");
    proposed("getHTTPStatus", "", 0, RISK_LOW, "get, status");
}

static void verbs_that_change_are_medium(void **state)
{
    (void)state;
    proposed("create_issue", "", 0, RISK_MEDIUM, "create");
    proposed("send_message", "", 0, RISK_MEDIUM, "send");
    proposed("updates.apply", "", 0, RISK_MEDIUM, "updates");
}

static void what_hurts_is_high_or_critical(void **state)
{
    (void)state;
    proposed("delete_repo", "", 0, RISK_HIGH, "delete");
    proposed("issue_refund", "", 0, RISK_HIGH, "refund");
    proposed("create_refund", "", 0, RISK_HIGH, "refund");
    proposed("set_permissions", "", 0, RISK_CRITICAL, "permissions");
    proposed("drop_table", "", 0, RISK_CRITICAL, "drop");
    proposed("run_shell_command", "", 0, RISK_CRITICAL, "shell, command");
}

static void reading_a_matter_is_less_than_doing_something_to_it(void **state)
{
    (void)state;
    proposed("get_refund_status", "", 0, RISK_LOW, "get, refund, status");
    proposed("list_policies", "", 0, RISK_LOW, "list, policies");
    proposed("read_customer_pii", "", 0, RISK_HIGH, "pii");
}

static void a_reading_verb_does_not_cover_one_that_hurts(void **state)
{
    (void)state;
    proposed("get_and_delete", "", 0, RISK_HIGH, "delete");
    proposed("read_wipe", "", 0, RISK_CRITICAL, "wipe");
}

static void a_name_that_says_nothing_is_high(void **state)
{
    (void)state;
    proposed("frobnicate", "Reads the weather.", 0, RISK_HIGH, "no verb that is known");
    proposed("", "", 0, RISK_HIGH, "no verb that is known");
    proposed("天気", "", 0, RISK_HIGH, "no verb that is known");
}

static void a_description_raises_and_never_lowers(void **state)
{
    (void)state;
    proposed("get_x", "Deletes what it returns.", 0, RISK_HIGH, "deletes");
    proposed("get_x", "Removed later by delete_x.", 0, RISK_LOW, "get");
    proposed("update_x", "Overwrites the file. This cannot be undone.", 0, RISK_HIGH, "overwrites");
    proposed("delete_x", "Only reads, quite harmless.", 0, RISK_HIGH, "delete");
}

static void annotations_raise_and_never_lower(void **state)
{
    (void)state;
    proposed("get_x", "", RISK_DESTRUCTIVE, RISK_HIGH, "destructiveHint");
    proposed("get_x", "", RISK_OPEN_WORLD, RISK_MEDIUM, "openWorldHint");
    proposed("get_x", "", RISK_WRITES, RISK_MEDIUM, "readOnlyHint: false");
    proposed("drop_x", "", RISK_DESTRUCTIVE, RISK_CRITICAL, "drop");
}

static void a_tool_of_the_catalogue_brings_its_annotations(void **state)
{
    (void)state;
    char text[] = "{'name':'get_x','description':'Gets x.','definition':{'annotations':{'destructiveHint':true}}}";
    struct arena a;
    struct json j;
    struct risk_verdict v;
    arena_init(&a, 65536);
    assert_int_equal(json_parse(&j, str_of(quotes(text)), &a, NULL, NULL), ERR_OK);
    risk_of_tool(&j, JSON_ROOT, &a, &v);
    assert_int_equal(v.risk, RISK_HIGH);
    assert_string_equal(v.words, "destructiveHint");
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_that_read_are_low),
        cmocka_unit_test(verbs_that_change_are_medium),
        cmocka_unit_test(what_hurts_is_high_or_critical),
        cmocka_unit_test(reading_a_matter_is_less_than_doing_something_to_it),
        cmocka_unit_test(a_reading_verb_does_not_cover_one_that_hurts),
        cmocka_unit_test(a_name_that_says_nothing_is_high),
        cmocka_unit_test(a_description_raises_and_never_lowers),
        cmocka_unit_test(annotations_raise_and_never_lower),
        cmocka_unit_test(a_tool_of_the_catalogue_brings_its_annotations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

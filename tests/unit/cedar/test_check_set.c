/* Strict validation of whole policies: names, scopes, templates, warnings, and how it is told. */
#include "checked.h"

#include <time.h>

static void names_are_the_schemas_even_where_nothing_is_typed(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"false && principal is Robot", "p:3:20: `Robot` is no entity type of the schema: it has `Agent`, `File`, "
                                        "`Server`, `Shop::Buyer`, `Team` and 3 more\n"},
        {"false && principal == Agnt::'x'", "p:3:23: `Agnt` is no entity type of the schema: did you mean `Agent`?\n"},
        {"false && action == Action::'reed'",
         "p:3:20: `Action::\"reed\"` is no action of the schema: did you mean `read`?\n"},
        {"false && action == Store::Action::'write'",
         "p:3:20: `Store::Action::\"write\"` is no action of the schema: did you mean `Action::\"write\"`?\n"},
        {"false && principal.owner == Tier::'gold'",
         "p:3:29: `Tier::\"gold\"` is not one of its enum: it has `free`, `paid`\n"},
        {"principal.owner has tier && principal.owner.tier == Tier::'paid'", ""},
    };
    CHECK(rows, true, false);
    static const struct checked_row scopes[] = {
        {"permit (principal == Agnt::'x', action == Action::'reed', resource is Toool);",
         "p:1:9: `Agnt` is no entity type of the schema: did you mean `Agent`?\n"
         "p:1:33: `Action::\"reed\"` is no action of the schema: did you mean `read`?\n"
         "p:1:59: `Toool` is no entity type of the schema: did you mean `Tool`?\n"},
        {"permit (principal in Tier::'gold', action, resource);",
         "p:1:9: `Tier::\"gold\"` is not one of its enum: it has `free`, `paid`\n"},
    };
    CHECK(scopes, false, false);
}

static void what_a_scope_keeps_out_is_not_typed(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"permit (principal, action, resource is File) when { resource.name == 'x' };", ""},
        {"permit (principal, action, resource == File::'x') when { resource.name == 'x' };", ""},
        {"permit (principal, action, resource in Server::'x') when { resource is Tool && resource.risk == 1 };", ""},
        {"permit (principal in Team::'x', action, resource is Tool) when { resource.risk == principal.quota.calls };",
         ""},
        {"permit (principal, action == Action::'read', resource) when { context.hour == 1 };", ""},
        {"permit (principal, action in [Action::'any'], resource) when { context.hour == 1 };", ""},
        {"permit (principal, action, resource) when { context.hour == 1 };",
         "p:1:53: `context` has no attribute `hour`: it has none (when User asks for Action::\"admin\" on Server)\n"},
        {"permit (principal, action, resource) when { resource is Tool && resource.risk == 1 };", ""},
        {"permit (principal, action, resource) when { action in Action::'any' && context.hour == 1 };", ""},
        {"permit (principal, action, resource) when { action == Action::'read' && context.hour == 1 };", ""},
        {"permit (principal, action, resource) when { resource has risk && resource.risk == 1 };", ""},
        {"permit (principal, action, resource) when { principal in Team::'x' && context.hour == 1 };", ""},
    };
    CHECK(rows, false, false);
}

static void a_scope_fits_an_action(void **state)
{
    (void)state;
#define NEVER "this policy never applies: no action of the schema has the principals and resources of its scope\n"
    static const struct checked_row rows[] = {
        {"permit (principal is User, action == Action::'read', resource);", "p:1:1: " NEVER},
        {"permit (principal, action == Action::'any', resource);", "p:1:1: " NEVER},
        {"permit (principal, action in Action::'any', resource);", ""},
        {"permit (principal is Agent, action, resource in Team::'x');", "p:1:1: " NEVER},
        {"permit (principal is Tool in Team::'x', action, resource);", "p:1:1: " NEVER},
        {"permit (principal == Team::'x', action, resource);", "p:1:1: " NEVER},
        {"permit (principal, action in [], resource);",
         "p:1:20: no action is in an empty list: name one, or leave the list out\n"},
        {"permit (principal, action in [Action::'read', Shop::Action::'browse'], resource);",
         "p:1:20: a list of actions is of one type, and here are Action and Shop::Action: write a policy for each\n"},
    };
    CHECK(rows, false, false);
}

static void what_never_applies_is_worth_a_warning(void **state)
{
    (void)state;
#define FALSE_ALWAYS "this policy never applies: its conditions are false for every request of the schema\n"
    static const struct checked_row rows[] = {
        {"permit (principal, action, resource);", ""},
        {"permit (principal, action, resource) when { false };", "p:1:1: " FALSE_ALWAYS},
        {"permit (principal, action, resource) unless { true };", "p:1:1: " FALSE_ALWAYS},
        {"\nforbid (principal, action, resource) when { principal is Tool };", "p:2:1: " FALSE_ALWAYS},
        {"permit (principal, action, resource) when { principal == resource };", ""}, /* Shop::Buyer asks for itself */
        {"permit (principal is Agent, action, resource) when { principal == resource };", "p:1:1: " FALSE_ALWAYS},
        {"permit (principal, action, resource) when { action in Action::'any' && action == Action::'admin' };",
         "p:1:1: " FALSE_ALWAYS},
        {"permit (principal, action, resource) when { resource in Agent::'x' };", "p:1:1: " FALSE_ALWAYS},
        {"permit (principal, action, resource) when { principal has nothing };", "p:1:1: " FALSE_ALWAYS},
        {"permit (principal, action, resource) when { 1 == 2 };", "p:1:1: " FALSE_ALWAYS},
    };
    CHECK(rows, false, true);
}

static void strings_that_mislead_are_worth_a_warning(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"principal.owner.name == 'müller' || principal.owner.name == 'кот' || principal.owner.name == '東京タワー'",
         ""},
        {"principal.owner.name == 'pаypal'",
         "p:3:25: a string with letters of several scripts, which may look alike: write it in one\n"},
        {"principal == Agent::'a\\u{200b}b'",
         "p:3:14: a name with a character that is not seen (U+200B): take it out\n"},
        {"principal.owner.name like '*\\u{202e}x'",
         "p:3:22: a string with a character that turns the direction of text (U+202E): write it as \\u{202e}\n"},
    };
    CHECK(rows, true, true);
}

static void templates_are_checked_for_whatever_fills_their_slots(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"permit (principal == ?principal, action, resource in ?resource) when { resource is Tool && resource.risk < 3 "
         "};",
         ""},
        {"permit (principal == ?principal, action == Action::'read', resource in ?resource) when { resource.risk < 3 "
         "};",
         "p:1:99: `resource` (File) has no attribute `risk`: it has `name`, `owner` (when Agent asks for "
         "Action::\"read\" on File)\n"},
        {"permit (principal is Tool in ?principal, action, resource);", "p:1:1: " NEVER},
    };
    CHECK(rows, false, false);
}

static void what_fills_a_slot_is_of_a_known_type_and_fits(void **state)
{
    (void)state;
    struct cedar_schema *s = checked_schema(checked_gateway);
    const struct cedar_uid fits = cedar_uid(STR("Team"), STR("x")), unknown = cedar_uid(STR("Robot"), STR("x")),
                           never = cedar_uid(STR("Server"), STR("x"));
    const struct {
        const struct cedar_uid *uid;
        const char *says;
    } rows[] = {
        {&fits, ""},
        {&unknown, "p:1:1: `Robot` is no entity type of the schema: it has `Agent`, `File`, `Server`, `Shop::Buyer`, "
                   "`Team` and 3 more\n"},
        {&never, "p:1:1: " NEVER},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cedar_policies *ps = checked_policies("permit (principal in ?principal, action, resource);");
        struct checked got;
        struct fault f = {0};
        assert_int_equal(cedar_policies_link(ps, STR("policy0"), STR("link"), rows[i].uid, NULL, &f), ERR_OK);
        checked_set(s, ps, &got);
        assert_string_equal(got.faults, rows[i].says);
        assert_int_equal(got.err, rows[i].says[0] ? ERR_SYNTAX : ERR_OK);
        cedar_policies_free(ps);
    }
    cedar_schema_free(s);
}

static void each_problem_is_told_once_in_the_order_of_the_text(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"1 && principal.ownr == 2 && principal.ownr == 3",
         "p:3:1: `1` must be Bool, but is Long\n"
         "p:3:16: `principal` (Agent) has no attribute `ownr`: did you mean `owner`?\n"
         "p:3:39: `principal` (Agent) has no attribute `ownr`: did you mean `owner`?\n"},
    };
    CHECK(rows, true, false);
}

static void a_policy_from_json_is_told_by_its_id(void **state)
{
    (void)state;
    struct cedar_schema *s = checked_schema(checked_gateway);
    struct cedar_policies *ps = cedar_policies_new(1u << 20);
    struct checked got;
    struct fault f = {0};
    char text[] =
        "{'effect': 'permit', 'principal': {'op': 'All'}, 'action': {'op': 'All'}, 'resource': {'op': 'All'}, "
        "'conditions': [{'kind': 'when', 'body': {'Value': 1}}]}";
    assert_int_equal(cedar_est_read(ps, STR("a \"rule\""), str_of(quotes(text)), &f), ERR_OK);
    checked_set(s, ps, &got);
    assert_string_equal(got.faults, "policy \"a \\\"rule\\\"\": `1` must be Bool, but is Long\n");
    cedar_policies_free(ps);
    cedar_schema_free(s);
}

static void many_problems_are_counted(void **state)
{
    (void)state;
    struct cedar_schema *s = checked_schema(checked_gateway);
    struct checked got;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 30; i++)
        buf_z(&text, "permit (principal, action, resource) when { 1 } when { 2 };\n");
    buf_char(&text, 0);
    checked_text(s, text.p, &got);
    assert_int_equal(got.err, ERR_SYNTAX);
    assert_non_null(strstr(got.faults, "p:10:56: `2` must be Bool, but is Long\nand 40 more\n"));
    buf_done(&text);
    cedar_schema_free(s);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each of ten thousand conditions asks for an attribute of its own, and uses all that are known. */
static void a_long_policy_takes_time_by_its_length(void **state)
{
    (void)state;
    struct cedar_schema *s = checked_schema(checked_gateway);
    struct checked got;
    struct buf text;
    buf_init(&text, 8 << 20);
    buf_z(&text, "permit (principal is Agent, action in Action::'any', resource is Tool) when { principal has version");
    for (int i = 0; i < 10000; i++)
        buf_fmt(&text,
                " && (principal has deputy && principal.deputy.hasTag('%d') && principal.deputy.getTag('%d') == 'x' "
                "|| principal.version == '%d')",
                i, i, i);
    buf_z(&text, "};");
    buf_char(&text, 0);
    double start = seconds();
    checked_text(s, text.p, &got);
    assert_string_equal(got.faults, "");
    assert_true(seconds() - start < 5);
    buf_done(&text);
    cedar_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_the_schemas_even_where_nothing_is_typed),
        cmocka_unit_test(what_a_scope_keeps_out_is_not_typed),
        cmocka_unit_test(a_scope_fits_an_action),
        cmocka_unit_test(what_never_applies_is_worth_a_warning),
        cmocka_unit_test(strings_that_mislead_are_worth_a_warning),
        cmocka_unit_test(templates_are_checked_for_whatever_fills_their_slots),
        cmocka_unit_test(what_fills_a_slot_is_of_a_known_type_and_fits),
        cmocka_unit_test(each_problem_is_told_once_in_the_order_of_the_text),
        cmocka_unit_test(a_policy_from_json_is_told_by_its_id),
        cmocka_unit_test(many_problems_are_counted),
        cmocka_unit_test(a_long_policy_takes_time_by_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

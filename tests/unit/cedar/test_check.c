/*
 * Strict validation of expressions, rule by rule of the language guide
 * (https://docs.cedarpolicy.com/policies/validation.html): what is accepted, and what an author reads otherwise.
 */
#include "checked.h"

static void what_is_typed_is_accepted(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"principal.owner.name == 'alice'", ""},
        {"principal.scopes.contains('orders') && !principal.scopes.containsAny(['a', 'b']) && "
         "principal.scopes.isEmpty()",
         ""},
        {"principal.scopes.containsAll(['a'])", ""},
        {"context.hour + 1 * 2 - 3 < -context.hour && context.hour >= 0", ""},
        {"principal.since < datetime('2026-01-01') && principal.since.offset(duration('1d')) >= principal.since", ""},
        {"principal.since.durationSince(datetime('2026-01-01')) > duration('1h')", ""},
        {"principal.home.isInRange(ip('10.0.0.0/8')) && principal.trust.greaterThan(decimal('0.5'))", ""},
        {"principal in Team::'ops' && resource in [Server::'a', Server::'b'] && principal == Agent::'x'", ""},
        {"principal is Agent in Team::'ops'", ""},
        {"action == Action::'read' || action in [Action::'any']", ""},
        {"principal.owner == User::'u' && principal.quota == {calls: 1}",
         "p:3:49: {calls: Long, per?: duration} and {calls: Long} cannot be compared: both must be of one type\n"},
        {"{a: 1, b: [context]}.b.contains(context)", ""},
        {"context.input.note like 'a*'", ""},
        {"(if context.hour == 1 then principal.owner else User::'x').name == 'a'", ""},
    };
    CHECK(rows, true, false);
}

static void operands_have_the_operators_type(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"1", "p:3:1: `1` must be Bool, but is Long\n"},
        {"context.hour && true", "p:3:9: `context.hour` must be Bool, but is Long\n"},
        {"!principal", "p:3:2: `principal` must be Bool, but is Agent\n"},
        {"principal.owner.name + 'x' == 'y'",
         "p:3:17: `principal.owner.name` must be Long, but is String: strings cannot be joined\n"
         "p:3:24: `\"x\"` must be Long, but is String: strings cannot be joined\n"
         "p:3:28: Long and String cannot be compared: both must be of one type\n"},
        {"principal.scopes - 1 == 2",
         "p:3:11: `principal.scopes` must be Long, but is Set<String>: there is no arithmetic of sets\n"},
        {"context.hour < 'a'", "p:3:16: `\"a\"` must be Long, but is String\n"},
        {"principal.since < duration('1d')", "p:3:19: `duration(\"1d\")` must be datetime, but is duration\n"},
        {"principal.trust < decimal('0.5')",
         "p:3:11: `principal.trust` must be Long or datetime or duration, but is decimal\n"
         "p:3:19: `decimal(\"0.5\")` must be Long or datetime or duration, but is decimal\n"},
        {"principal like 'a*'", "p:3:1: `principal` must be String, but is Agent: `is` asks for an entity's type\n"},
        {"context is Agent", "p:3:1: `context` must be an entity, but is {hour: Long, input: {amount?: Long, note: "
                             "String}, source?: ipaddr}: `is` asks for the type of entities only\n"},
        {"principal.scopes has x",
         "p:3:11: `principal.scopes` must be an entity or a record, but is Set<String>: `contains` looks into a set\n"},
        {"'a' in principal.scopes", "p:3:1: `\"a\"` must be an entity, but is String: `contains` looks into a set\n"
                                    "p:3:18: `principal.scopes` must be an entity or a set of entities, but is "
                                    "Set<String>: `contains` looks into a set\n"},
        {"principal.owner.contains(1)",
         "p:3:11: `principal.owner` must be a set, but is User: `in` asks what an entity is in\n"},
        {"principal.scopes.containsAll('a')",
         "p:3:30: `\"a\"` must be a set, but is String: `contains` looks for a single value\n"},
        {"principal.owner.name.isEmpty()",
         "p:3:17: `principal.owner.name` must be a set, but is String: compare a string with \"\"\n"},
        {"principal.home.isInRange(principal.trust)", "p:3:36: `principal.trust` must be ipaddr, but is decimal\n"},
    };
    CHECK(rows, true, false);
}

static void attributes_are_the_schemas(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"principal.ownr.name == 'a'", "p:3:11: `principal` (Agent) has no attribute `ownr`: did you mean `owner`?\n"},
        {"context.input.sum == 1", "p:3:15: `context.input` has no attribute `sum`: it has `amount`, `note`\n"},
        {"action.risk == 1", "p:3:8: `action` (Action) has no attribute `risk`: it has none\n"},
        {"{a: 1}.b == 1", "p:3:8: `{a: 1}` has no attribute `b`: it has `a`\n"},
        {"action has risk && action.risk == 1", ""}, /* it never has, so what follows is not looked at */
    };
    CHECK(rows, true, false);
}

static void optional_attributes_are_asked_for_first(void **state)
{
    (void)state;
    static const char bare[] =
        "p:3:15: `context.input.amount` may not be there: write `context.input has amount && …` before it\n";
    static const struct checked_row rows[] = {
        {"context.input.amount > 1", bare},
        {"context.input has amount && context.input.amount > 1", ""},
        {"context.input.amount > 1 && context.input has amount", bare},
        {"context has input.amount && context.input.amount > 1", ""},
        {"context has source && context.input.note == 'a' && context.source.isIpv4()", ""},
        {"if context.input has amount then context.input.amount > 1 else false", ""},
        {"if context.input has amount then true else context.input.amount > 1",
         "p:3:58: `context.input.amount` may not be there: write `context.input has amount && …` before it\n"},
        {"!(context.input has amount) || context.input.amount > 1",
         "p:3:46: `context.input.amount` may not be there: write `context.input has amount && …` before it\n"},
        {"(context.input has amount || context has source) && context.input.amount > 1",
         "p:3:67: `context.input.amount` may not be there: write `context.input has amount && …` before it\n"},
        {"(context.input has amount || context.input has amount && context has source) && context.input.amount > 1",
         ""},
        {"(if context has source then context.input has amount else context.input has amount) && context.input.amount "
         "> 1",
         ""},
        {"principal has deputy && principal.deputy has deputy && principal.deputy.deputy has version && "
         "principal.deputy.deputy.version == 'a'",
         ""},
        {"principal has deputy && principal.deputy.deputy has version",
         "p:3:42: `principal.deputy.deputy` may not be there: write `principal.deputy has deputy && …` before it\n"},
        {"principal has owner.address.zip && principal.owner.address.zip == 1 && principal.owner.address.city == 'a'",
         ""},
        {"{r: context.input} has r && {r: context.input}.r.note == 'a'", ""},
        {"{a: principal, b: 1}.a has version && {b: 1, a: principal}.a.version == 'x'", ""},
    };
    CHECK(rows, true, false);
}

/* What stands behind an answer that is known is not looked at; amount would be refused there. */
static void a_known_answer_ends_the_look(void **state)
{
    (void)state;
    static const char looked[] = "context.input.amount` may not be there";
    static const struct {
        const char *before;
        bool looks;
    } rows[] = {
        {"context.input has note ||", false}, /* a record has what it must have */
        {"principal has owner ||", true},     /* an entity may not exist */
        {"principal has owner && principal has owner ||", true},
        {"principal has nothing &&", false},
        {"principal is Agent ||", false},
        {"!(principal is User) ||", false},
        {"!(principal is Agent) &&", false},
        {"principal is Agent in Team::'x' ||", true},
        {"principal is Agent in Server::'x' &&", false},
        {"resource in Team::'x' &&", false},
        {"resource in Server::'x' &&", true},
        {"principal == resource &&", false},
        {"action in Action::'any' ||", false},
        {"action in [Action::'admin', Action::'any'] ||", false},
        {"action in Action::'admin' &&", false},
        {"Action::'read' in Action::'any' ||", false},
        {"action != Action::'admin' ||", false},
        {"action in Team::'x' &&", false},
        {"1 == 2 &&", false},
        {"principal.owner.hasTag('x') &&", false},
        {"principal.hasTag('x') &&", true},
    };
    struct cedar_schema *s = checked_schema(checked_gateway);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct checked got;
        char text[500];
        snprintf(text, sizeof(text),
                 "permit (principal is Agent, action, resource is Tool) when { (%s context.input.amount > 1) };",
                 rows[i].before);
        checked_text(s, text, &got);
        if (!strstr(got.faults, looked) != !rows[i].looks)
            fail_msg("%s says %s", rows[i].before, got.faults);
    }
    cedar_schema_free(s);
}

static void what_one_condition_learns_the_next_ones_know(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"permit (principal is Agent, action, resource) when { principal has version } when { principal.version == '1' "
         "};",
         ""},
        {"permit (principal is Agent, action, resource) unless { principal has version } when { principal.version == "
         "'1' };",
         "p:1:97: `principal.version` may not be there: write `principal has version && …` before it\n"},
    };
    CHECK(rows, false, false);
}

static void tags_are_asked_for_first(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"principal.hasTag('env') && principal.getTag('env') == 'prod'", ""},
        {"principal.hasTag(principal.owner.name) && principal.getTag(principal.owner.name) == 'x'", ""},
        {"resource.hasTag('x') && resource.getTag('x').contains('y')", ""},
        {"principal.getTag('env') == 'prod'",
         "p:3:11: `principal.getTag(\"env\")` may not be there: write `principal.hasTag(\"env\") && …` before it\n"},
        {"principal.hasTag('a') && principal.getTag('b') == 'prod'",
         "p:3:36: `principal.getTag(\"b\")` may not be there: write `principal.hasTag(\"b\") && …` before it\n"},
        {"principal.hasTag(1)", "p:3:18: `1` must be String, but is Long\n"},
        {"principal.owner.hasTag('x') && principal.owner.getTag('x') == 1",
         ""}, /* users have none: it is never asked */
    };
    CHECK(rows, true, false);
}

static void what_is_compared_is_of_one_type(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"principal.owner == 'alice'", "p:3:17: User and String cannot be compared: both must be of one type\n"},
        {"context.hour != true", "p:3:14: Long and Bool cannot be compared: both must be of one type\n"},
        {"principal.scopes.contains(1)", "p:3:18: String and Long cannot be compared: both must be of one type\n"},
        {"principal.scopes.containsAny([1])",
         "p:3:18: Set<String> and Set<Long> cannot be compared: both must be of one type\n"},
        {"(if context.hour == 1 then 1 else 'a') == 1",
         "p:3:2: `if` comes to Long or to String: both must be of one type\n"},
        {"(if true then 1 else 'a') == 1", ""},
        {"[1, 'a'].contains(1)",
         "p:3:5: a set holds values of one type, and here are Long and String: keep them apart\n"},
        {"principal in [Team::'a', Server::'b']",
         "p:3:26: a set holds values of one type, and here are Team and Server: keep them apart\n"},
        {"[].isEmpty()", "p:3:1: an empty set has no type: leave it out, or ask with isEmpty()\n"},
        {"principal == resource || true", ""}, /* entities of two types are unequal, and that is known */
        {"1 == 'a' || true", ""},              /* and so are literals */
    };
    CHECK(rows, true, false);
}

static void extension_values_stand_in_the_policy(void **state)
{
    (void)state;
    static const struct checked_row rows[] = {
        {"ip(principal.owner.name) == principal.home",
         "p:3:1: ip(…) takes a string that stands in the policy: declare the value as ipaddr in the schema\n"},
        {"decimal(1) == principal.trust", "p:3:9: `1` must be String, but is Long\n"},
        {"principal.home.isInRange()", "p:3:16: isInRange takes 1 argument, but has 0\n"},
        {"ip('10.0.0.1', '10.0.0.2').isIpv4()", "p:3:1: ip takes 1 argument, but has 2\n"},
    };
    CHECK(rows, true, false);
    static const char *const malformed[] = {"ip('10.0.0.300')", "decimal('1')", "datetime('2026-13-01')",
                                            "duration('1x')"};
    struct cedar_schema *s = checked_schema(checked_gateway);
    for (size_t i = 0; i < COUNT(malformed); i++) {
        struct checked got;
        char text[200];
        snprintf(text, sizeof(text), "permit (principal, action, resource) when { %s == %s };", malformed[i],
                 malformed[i]);
        checked_text(s, text, &got);
        assert_int_equal(got.err, ERR_SYNTAX);
        assert_int_equal(strncmp(got.faults, "p:1:", 4), 0);
    }
    cedar_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_accepted),
        cmocka_unit_test(operands_have_the_operators_type),
        cmocka_unit_test(attributes_are_the_schemas),
        cmocka_unit_test(optional_attributes_are_asked_for_first),
        cmocka_unit_test(a_known_answer_ends_the_look),
        cmocka_unit_test(what_one_condition_learns_the_next_ones_know),
        cmocka_unit_test(tags_are_asked_for_first),
        cmocka_unit_test(what_is_compared_is_of_one_type),
        cmocka_unit_test(extension_values_stand_in_the_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

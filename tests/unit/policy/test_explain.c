/* Why a call is denied, in parts, and the smallest change that would have let it through. */
#include "../unit.h"

#include "policy/explain.h"
#include "policy/set.h"

#define MONDAY_NOON INT64_C(1767614400000) /* 2026-01-05T12:00:00Z */

static const char definition[] =
    "{\"name\":\"pay\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"amount\"],\"properties\":{"
    "\"amount\":{\"type\":\"integer\"},\"price\":{\"type\":\"number\"},\"to\":{\"type\":\"string\"},"
    "\"fast\":{\"type\":\"boolean\"}}}}";

struct scene {
    struct policy_set *set;
    struct policy_texts *texts;
    struct lease *lease;
    struct arena arena;
    struct tool tool;
    struct json doc;
    struct policy_question q;
    struct explain e;
};

static void scene_done(struct scene *s)
{
    policy_set_unref(s->set);
    policy_texts_unref(s->texts);
    lease_unref(s->lease);
    arena_done(&s->arena);
}

static void scene_texts(struct scene *s, const struct policy_text *v, size_t n)
{
    static const struct conf_root conf = {.policy.timezone = {"UTC", 3}};
    struct policy_fact fact = {STR("desk/pay"), STR("desk"), STR("pay"), {definition, sizeof(definition) - 1}, ""};
    struct buf faults;
    buf_init(&faults, 65536);
    memset(fact.hash, 'a', 64);
    memset(s, 0, sizeof(*s));
    arena_init(&s->arena, 256u << 20);
    s->tool.id = fact.id;
    memcpy(s->tool.hash, fact.hash, sizeof(s->tool.hash));
    if (policy_texts_of(v, n, &s->texts, &faults) || policy_set_new(s->texts, &conf, &fact, 1, &s->set, &faults))
        fail_msg("%.*s", (int)faults.n, faults.p);
    buf_done(&faults);
    s->lease = lease_new();
    s->lease->sid = STR("s");
    s->lease->agent_id = STR("worker");
    s->lease->agent_type = STR("support");
    s->lease->created = MONDAY_NOON;
}

static void scene_ask(struct scene *s, const char *arguments)
{
    struct fault f = {.text = ""};
    assert_int_equal(json_parse(&s->doc, str_of(arguments), &s->arena, NULL, &f), ERR_OK);
    s->q = (struct policy_question){
        .lease = s->lease, .tool = &s->tool, .doc = &s->doc, .arguments = JSON_ROOT, .now_ms = MONDAY_NOON};
    if (explain(s->set, &s->q, &s->arena, &s->e, &f))
        fail_msg("%s", f.text);
}

static void scene_of(struct scene *s, const char *policies)
{
    scene_texts(s, &(struct policy_text){STR("p.cedar"), str_of(policies), true}, 1);
    scene_ask(s, "{\"amount\":50}");
}

static const char *text_of(struct scene *s, const struct explain_part *part)
{
    struct buf b;
    buf_init(&b, 65536);
    cedar_print_expr(part->expr, &b);
    struct str t = arena_buf(&s->arena, &b);
    buf_done(&b);
    return t.p;
}

/* "context.input.amount = 10; …" */
static const char *way_of(struct scene *s, unsigned i)
{
    struct buf b;
    if (i >= s->e.ways)
        return "none";
    buf_init(&b, 65536);
    for (unsigned k = 0; k < s->e.way[i].changes; k++) {
        const struct explain_change *c = &s->e.way[i].change[k];
        buf_fmt(&b, "%s" STR_FMT " = ", k ? "; " : "", STR_ARG(c->path));
        if (c->after.kind == CEDAR_NONE)
            buf_z(&b, "nothing");
        else
            cedar_value_print(c->after, &b);
        buf_z(&b, c->example ? " or so" : "");
    }
    struct str t = arena_buf(&s->arena, &b);
    buf_done(&b);
    return t.p;
}

static void change_is(const char *policies, const char *arguments, const char *wanted)
{
    struct scene s;
    scene_of(&s, policies);
    scene_ask(&s, arguments);
    assert_int_equal(s.e.answer.effect, POLICY_DENY);
    if (strcmp(way_of(&s, 0), wanted) != 0)
        fail_msg("%s: %s, not %s", policies, way_of(&s, 0), wanted);
    scene_done(&s);
}

#define WHEN(condition) "permit (principal, action, resource) when { " condition " };\n"

/* ---- parts ---- */

static void the_part_that_failed_is_named_with_its_place_and_what_it_saw(void **state)
{
    (void)state;
    struct scene s;
    scene_of(&s, "@id(\"small\")\npermit (principal, action == Action::\"pay\", resource)\n"
                 "when { resource.server == \"desk\" &&\n       context.input.amount < 10 };");
    assert_int_equal(s.e.policies, 1);
    const struct explain_policy *p = &s.e.policy[0];
    assert_true(str_is(p->policy->id, "small") && !p->applied && !p->decided && p->enforced && p->line == 1);
    assert_int_equal(p->parts, 2);
    assert_true(p->part[0].held && !p->part[1].held && !p->part[1].unless);
    assert_string_equal(text_of(&s, &p->part[1]), "context.input.amount < 10");
    assert_int_equal(p->part[1].line, 4);
    assert_int_equal(p->part[1].column, 8);
    assert_int_equal(p->part[1].values, 1);
    assert_true(str_is(p->part[1].value[0].path, "context.input.amount") && p->part[1].value[0].value.i == 50);
    scene_done(&s);
}

static void what_a_failed_part_guards_is_not_blamed(void **state)
{
    (void)state;
    struct scene s;
    scene_of(&s, WHEN("context.session has tier && context.session.tier == \"gold\""));
    const struct explain_policy *p = &s.e.policy[0];
    assert_int_equal(p->parts, 1);
    assert_string_equal(text_of(&s, &p->part[0]), "context.session has tier");
    assert_int_equal(p->part[0].value[0].value.kind, CEDAR_NONE);
    assert_false(p->failed);
    scene_done(&s);
}

static void of_an_unless_the_part_that_is_true_is_named(void **state)
{
    (void)state;
    struct scene s;
    scene_of(&s, "permit (principal, action, resource) unless { context.session.calls > 9 || "
                 "!(context.input.amount < 10) };");
    const struct explain_policy *p = &s.e.policy[0];
    assert_int_equal(p->parts, 2);
    assert_true(p->part[0].unless && p->part[0].held && !p->part[1].held && p->part[1].want);
    assert_string_equal(text_of(&s, &p->part[1]), "context.input.amount < 10");
    scene_done(&s);
}

static void a_policy_of_other_agents_says_to_whom_it_speaks(void **state)
{
    (void)state;
    struct scene s;
    scene_of(&s, "permit (principal in AgentType::\"boss\", action, resource);\n"
                 "permit (principal, action, resource in Server::\"desk\") when { false };");
    assert_int_equal(s.e.policies, 2);
    assert_true(str_is(s.e.policy[0].speaks_to, "in AgentType::\"boss\"") && s.e.policy[0].parts == 0);
    assert_string_equal(way_of(&s, 0), "principal.type = \"boss\"");
    scene_done(&s);
}

static void what_decided_and_what_is_not_enforced_are_told_apart(void **state)
{
    (void)state;
    struct scene s;
    const struct policy_text v[] = {{STR("a"), STR("@id(\"yes\") permit (principal, action, resource);"), true},
                                    {STR("b"), STR("@id(\"draft\") forbid (principal, action, resource);"), false}};
    scene_texts(&s, v, 2);
    scene_ask(&s, "{\"amount\":1}");
    assert_int_equal(s.e.answer.effect, POLICY_ALLOW);
    assert_int_equal(s.e.policies, 2);
    assert_true(s.e.policy[0].decided && s.e.policy[0].enforced);
    assert_true(s.e.policy[1].applied && !s.e.policy[1].decided && !s.e.policy[1].enforced);
    assert_int_equal(s.e.ways, 0);
    scene_done(&s);
}

/* ---- changes ---- */

static void one_comparison_is_put_right_by_the_nearest_value(void **state)
{
    (void)state;
    const char *fifty = "{\"amount\":50,\"price\":9.5,\"to\":\"bob\",\"fast\":true}";
    change_is(WHEN("context.input.amount < 10"), fifty, "context.input.amount = 9");
    change_is(WHEN("context.input.amount <= 10"), fifty, "context.input.amount = 10");
    change_is(WHEN("60 < context.input.amount"), fifty, "context.input.amount = 61");
    change_is(WHEN("context.input.amount == 7"), fifty, "context.input.amount = 7");
    change_is(WHEN("context.input.amount != 50"), fifty, "context.input.amount = 51 or so");
    change_is(WHEN("context.input has price && context.input.price.lessThan(decimal(\"2.0\"))"), fifty,
              "context.input.price = decimal(\"1.9999\")");
    change_is(WHEN("context.input has to && [\"amy\", \"eve\"].contains(context.input.to)"), fifty,
              "context.input.to = \"amy\" or so");
    change_is(WHEN("context.input has to && context.input.to like \"a*\""), fifty, "context.input.to = \"a\" or so");
    change_is(WHEN("context.input has fast && !context.input.fast"), fifty, "context.input.fast = false");
    change_is(WHEN("context.session.scopes.contains(\"x\")"), fifty, "context.session.scopes = [\"x\"]");
    change_is(WHEN("resource.risk == \"low\""), fifty, "resource.risk = \"low\"");
}

static void what_is_not_there_is_wanted_with_the_value_that_the_policy_compares_it_with(void **state)
{
    (void)state;
    const char *none = "{\"amount\":1}";
    change_is(WHEN("context.session has tier && context.session.tier == \"gold\""), none,
              "context.session.tier = \"gold\"");
    change_is(WHEN("context.session has user"), none, "context.session.user = \"any\" or so");
    change_is(WHEN("context.session has source && context.session.source.isInRange(ip(\"10.0.0.0/8\"))"), none,
              "context.session.source = ip(\"10.0.0.0\") or so");
    change_is("permit (principal, action, resource) unless { context.input has to };", "{\"amount\":1,\"to\":\"x\"}",
              "context.input.to = nothing");
}

static void the_hour_moves_with_its_moment(void **state)
{
    (void)state;
    change_is(WHEN("context.time.hour >= 20"), "{\"amount\":1}", "context.time.hour = 20");
    change_is(WHEN("context.time.hour >= 20 && context.time.datetime < datetime(\"2026-01-05T19:00:00Z\")"),
              "{\"amount\":1}", "none"); /* a moment is in one place only */
    change_is(WHEN("context.time.weekday == \"sunday\" && context.time.hour == 12"), "{\"amount\":1}",
              "context.time.weekday = \"sunday\"");
}

static void a_forbid_and_a_permit_that_is_wanting_take_two_changes(void **state)
{
    (void)state;
    change_is(
        "forbid (principal, action, resource) when { context.input.amount > 40 };\n" WHEN("context.session.calls > 5"),
        "{\"amount\":50}", "context.input.amount = 40; context.session.calls = 6");
}

static void the_fewest_changes_are_told_and_no_others(void **state)
{
    (void)state;
    struct scene s;
    scene_of(&s,
             "@id(\"two\")" WHEN(
                 "context.session.calls > 5 && context.input.amount < 3") "@id(\"one\") "
                                                                          "@approve(\"one\")" WHEN(
                                                                              "con"
                                                                              "tex"
                                                                              "t."
                                                                              "inp"
                                                                              "ut."
                                                                              "amo"
                                                                              "unt"
                                                                              " < "
                                                                              "9") "@id(\"uno\")" WHEN("context.input."
                                                                                                       "amount == "
                                                                                                       "12"));
    assert_int_equal(s.e.ways, 2);
    assert_string_equal(way_of(&s, 0), "context.input.amount = 8");
    assert_int_equal(s.e.way[0].effect, POLICY_APPROVE);
    assert_true(str_is(s.e.way[0].by->id, "one") && s.e.way[0].change[0].before.i == 50);
    assert_string_equal(way_of(&s, 1), "context.input.amount = 12");
    assert_int_equal(s.e.way[1].effect, POLICY_ALLOW);
    scene_done(&s);
}

static void what_cannot_be_is_not_told(void **state)
{
    (void)state;
    change_is(WHEN("1 == 2"), "{\"amount\":1}", "none");
    change_is(WHEN("context.session.id == \"other\""), "{\"amount\":1}", "none");
    change_is(WHEN("context.session.calls < 0"), "{\"amount\":1}", "none");
    change_is(WHEN("context.input.amount > 5 && context.input.amount < 5"), "{\"amount\":1}", "none");
    change_is(WHEN("context.input.amount > 9223372036854775807"), "{\"amount\":1}", "none");
    change_is("forbid (principal, action, resource);\n" WHEN("true"), "{\"amount\":1}", "none");
}

static void what_is_told_is_true_of_the_call_itself(void **state)
{
    (void)state;
    struct scene s;
    scene_of(&s, WHEN("context.input.amount * 2 < 19 || context.input.amount <= 7"));
    assert_string_equal(way_of(&s, 0), "context.input.amount = 7");
    scene_ask(&s, "{\"amount\":7}");
    assert_int_equal(s.e.answer.effect, POLICY_ALLOW);
    scene_done(&s);
}

static void a_thousand_policies_take_bounded_time(void **state)
{
    (void)state;
    struct scene s;
    struct buf b;
    buf_init(&b, 1u << 20);
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, WHEN("context.input.amount == %d && context.session.calls == -1"), i + 100);
    buf_char(&b, 0);
    scene_of(&s, b.p);
    assert_int_equal(s.e.policies, 1000);
    assert_int_equal(s.e.ways, 0);
    assert_true(s.e.trials <= EXPLAIN_TRIALS);
    scene_done(&s);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_part_that_failed_is_named_with_its_place_and_what_it_saw),
        cmocka_unit_test(what_a_failed_part_guards_is_not_blamed),
        cmocka_unit_test(of_an_unless_the_part_that_is_true_is_named),
        cmocka_unit_test(a_policy_of_other_agents_says_to_whom_it_speaks),
        cmocka_unit_test(what_decided_and_what_is_not_enforced_are_told_apart),
        cmocka_unit_test(one_comparison_is_put_right_by_the_nearest_value),
        cmocka_unit_test(what_is_not_there_is_wanted_with_the_value_that_the_policy_compares_it_with),
        cmocka_unit_test(the_hour_moves_with_its_moment),
        cmocka_unit_test(a_forbid_and_a_permit_that_is_wanting_take_two_changes),
        cmocka_unit_test(the_fewest_changes_are_told_and_no_others),
        cmocka_unit_test(what_cannot_be_is_not_told),
        cmocka_unit_test(what_is_told_is_true_of_the_call_itself),
        cmocka_unit_test(a_thousand_policies_take_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a session may do: by the agent's tools, the rules of the configuration and the hour. */
#include "registry.h"

#include <time.h>

#include "identity/scopes.h"

struct stage {
    struct conf *conf;
    struct arena arena;
    struct scope_grant got;
};

static const struct scope_context nobody = {{0}};

/* The agent `support-1` of type support; tools and denials separated by spaces. */
static void resolve(struct stage *s, const char *yaml, const char *allowed, const char *denied,
                    const struct scope_context *c, int64_t now)
{
    struct str a[8], d[8], rest = str_of(allowed);
    struct agent agent = {.id = STR("support-1"),
                          .type = STR("support"),
                          .env = STR("production"),
                          .allowed = {a, 0, true},
                          .denied = {d, 0, true}};
    struct fault f;
    while (rest.n)
        str_cut(&rest, ' ', &a[agent.allowed.n++]);
    for (rest = str_of(denied); rest.n;)
        str_cut(&rest, ' ', &d[agent.denied.n++]);
    s->conf = conf_of(yaml);
    arena_init(&s->arena, 1u << 20);
    assert_int_equal(scope_resolve(&agent, c, &s->conf->root.scopes, now, &s->arena, &s->got, &f), ERR_OK);
}

static void leave(struct stage *s)
{
    arena_done(&s->arena);
    conf_unref(s->conf);
}

static void granted(const struct scope_grant *g, const char *want)
{
    char text[1024] = "";
    for (size_t i = 0; i < g->count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s", i ? " " : "", (int)g->scope[i].n,
                 g->scope[i].p);
    assert_string_equal(text, want);
}

static bool passes(struct stage *s, const char *scope, const struct scope_context *c, int64_t now)
{
    struct str what = str_of(scope);
    return scope_has(s->got.scope, s->got.count, what) &&
           scope_allowed_now(&s->conf->root.scopes, what, scope_has(s->got.timed, s->got.timed_count, what),
                             STR("support-1"), STR("support"), STR("production"), c, now);
}

static int64_t at(const char *when)
{
    int64_t ms = 0;
    assert_int_equal(clock_parse(str_of(when), &ms), ERR_OK);
    return ms;
}

static void without_tools_there_is_nothing(void **state)
{
    (void)state;
    struct stage s;
    resolve(&s, "{}", "", "", &nobody, 0);
    granted(&s.got, "");
    assert_false(scope_has(s.got.scope, s.got.count, STR("tool:desk/lookup:execute")));
    leave(&s);
}

static void each_allowed_tool_is_a_scope_once_and_sorted(void **state)
{
    (void)state;
    struct stage s;
    resolve(&s, "{}", "desk/b desk/a desk/b", "", &nobody, 0);
    granted(&s.got, "tool:desk/a:execute tool:desk/b:execute");
    leave(&s);
}

static void the_tier_adds_tools_and_only_that_tier(void **state)
{
    (void)state;
    struct stage s;
    static const char rules[] =
        "scopes: [{ when: { tier: enterprise }, add: ['tool:desk/priority:execute', 'orders:read:user:u-1'] }]";
    struct scope_context enterprise = {.tier = STR("enterprise")}, standard = {.tier = STR("standard")};
    resolve(&s, rules, "desk/a", "", &enterprise, 0);
    granted(&s.got, "orders:read:user:u-1 tool:desk/a:execute tool:desk/priority:execute");
    leave(&s);
    resolve(&s, rules, "desk/a", "", &standard, 0);
    granted(&s.got, "tool:desk/a:execute");
    leave(&s);
    resolve(&s, rules, "desk/a", "", &nobody, 0);
    granted(&s.got, "tool:desk/a:execute");
    leave(&s);
}

static void a_denied_tool_stays_denied_whatever_a_rule_adds(void **state)
{
    (void)state;
    struct stage s;
    resolve(&s, "scopes: [{ add: ['tool:desk/delete_all:execute', 'tool:desk/show:execute'] }]",
            "desk/delete_one desk/a", "desk/delete_*", &nobody, 0);
    granted(&s.got, "tool:desk/a:execute tool:desk/show:execute");
    leave(&s);
}

static void all_conditions_of_a_rule_must_hold(void **state)
{
    (void)state;
    struct scope_context c = {.tier = STR("gold"), .trigger = STR("schedule")};
    static const struct {
        const char *when;
        bool applies;
    } cases[] = {
        {"agent_type: support, env: production, tier: gold, trigger: schedule, agent: support-1", true},
        {"agent_type: sales, env: production, tier: gold", false},
        {"agent_type: support, env: staging", false},
        {"agent: support-2", false},
        {"tier: gold, trigger: user", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char yaml[256];
        struct stage s;
        snprintf(yaml, sizeof(yaml), "scopes: [{ when: { %s }, add: ['x:y'] }]", cases[i].when);
        resolve(&s, yaml, "", "", &c, 0);
        if ((s.got.count == 1) != cases[i].applies)
            fail_msg("{ %s }: %zu scopes", cases[i].when, s.got.count);
        leave(&s);
    }
}

static void rules_work_in_their_order(void **state)
{
    (void)state;
    struct stage s;
    resolve(&s,
            "scopes: [{ keep: ['tool:desk/read_*'] }, { add: ['tool:desk/write:execute'] }, { drop: ['*secret*'] }]",
            "desk/read_a desk/read_secret desk/write_b", "", &nobody, 0);
    granted(&s.got, "tool:desk/read_a:execute tool:desk/write:execute");
    leave(&s);
    resolve(&s, "scopes: [{ keep: [] }]", "desk/a desk/b", "", &nobody, 0); /* an empty list keeps nothing */
    granted(&s.got, "");
    leave(&s);
}

static void after_hours_a_session_only_reads_and_in_the_morning_it_writes_again(void **state)
{
    (void)state;
    struct stage s;
    resolve(&s, "scopes: [{ when: { hours: '22:00-06:00' }, keep: ['tool:desk/lookup_*'] }]",
            "desk/lookup_order desk/refund", "", &nobody, at("2026-11-25T21:59:59Z"));
    static const struct {
        const char *when;
        bool writes;
    } cases[] = {
        {"2026-11-25T21:59:59.999Z", true}, {"2026-11-25T22:00:00Z", false}, {"2026-11-25T23:59:59Z", false},
        {"2026-11-26T00:00:00Z", false},    {"2026-11-26T05:59:59Z", false}, {"2026-11-26T06:00:00Z", true},
        {"2026-11-26T12:00:00Z", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(passes(&s, "tool:desk/lookup_order:execute", &nobody, at(cases[i].when)));
        if (passes(&s, "tool:desk/refund:execute", &nobody, at(cases[i].when)) != cases[i].writes)
            fail_msg("refund at %s", cases[i].when);
    }
    leave(&s);
}

static void hours_within_one_day(void **state)
{
    (void)state;
    struct stage s;
    resolve(&s, "scopes: [{ when: { hours: '12:00-13:30' }, drop: ['tool:desk/*'] }]", "desk/a", "", &nobody, 0);
    assert_true(passes(&s, "tool:desk/a:execute", &nobody, at("2026-11-25T11:59:59Z")));
    assert_false(passes(&s, "tool:desk/a:execute", &nobody, at("2026-11-25T12:00:00Z")));
    assert_false(passes(&s, "tool:desk/a:execute", &nobody, at("2026-11-25T13:29:59Z")));
    assert_true(passes(&s, "tool:desk/a:execute", &nobody, at("2026-11-25T13:30:00Z")));
    leave(&s);
}

static void hours_are_of_the_zone_that_the_rule_names(void **state)
{
    (void)state;
    struct stage s;
    setenv("TZ", "Asia/Tokyo", 1); /* nine hours ahead, no summer time */
    tzset();
    resolve(&s,
            "scopes: [{ when: { hours: '08:00-09:00', timezone: local }, drop: ['tool:desk/a:*'] },"
            " { when: { hours: '08:00-09:00' }, drop: ['tool:desk/b:*'] }]",
            "desk/a desk/b", "", &nobody, 0);
    assert_false(passes(&s, "tool:desk/a:execute", &nobody, at("2026-11-24T23:30:00Z"))); /* 08:30 in Tokyo */
    assert_true(passes(&s, "tool:desk/b:execute", &nobody, at("2026-11-24T23:30:00Z")));
    assert_true(passes(&s, "tool:desk/a:execute", &nobody, at("2026-11-25T08:30:00Z")));
    assert_false(passes(&s, "tool:desk/b:execute", &nobody, at("2026-11-25T08:30:00Z")));
    leave(&s);
    unsetenv("TZ");
    tzset();
}

static void what_hours_add_ends_with_them(void **state)
{
    (void)state;
    struct stage s;
    resolve(&s, "scopes: [{ when: { hours: '09:00-17:00' }, add: ['tool:desk/refund:execute'] }]", "desk/a", "",
            &nobody, at("2026-11-25T16:59:00Z"));
    granted(&s.got, "tool:desk/a:execute tool:desk/refund:execute");
    assert_true(passes(&s, "tool:desk/refund:execute", &nobody, at("2026-11-25T16:59:59Z")));
    assert_false(passes(&s, "tool:desk/refund:execute", &nobody, at("2026-11-25T17:00:00Z")));
    leave(&s);
    resolve(&s, "scopes: [{ when: { hours: '09:00-17:00' }, add: ['tool:desk/refund:execute'] }]", "desk/a", "",
            &nobody, at("2026-11-25T17:00:00Z"));
    granted(&s.got, "tool:desk/a:execute");
    leave(&s);
}

/* A rule that gives takes nothing away from those who have it anyhow, and two rules may share a day. */
static void what_hours_add_takes_nothing_away(void **state)
{
    (void)state;
    struct stage s;
    static const char rules[] = "scopes: [{ when: { hours: '08:00-12:00' }, add: ['tool:desk/refund:execute'] },"
                                " { when: { hours: '12:00-16:00' }, add: ['tool:desk/refund:execute'] }]";
    resolve(&s, rules, "desk/refund", "", &nobody, at("2026-11-25T10:00:00Z"));
    assert_true(passes(&s, "tool:desk/refund:execute", &nobody, at("2026-11-25T20:00:00Z")));
    leave(&s);
    resolve(&s, rules, "", "", &nobody, at("2026-11-25T11:59:00Z"));
    assert_true(passes(&s, "tool:desk/refund:execute", &nobody, at("2026-11-25T11:59:59Z")));
    assert_true(passes(&s, "tool:desk/refund:execute", &nobody, at("2026-11-25T12:00:00Z")));
    assert_false(passes(&s, "tool:desk/refund:execute", &nobody, at("2026-11-25T16:00:00Z")));
    leave(&s);
}

static void what_a_scope_looks_like(void **state)
{
    (void)state;
    static const char *const good[] = {"orders:read", "orders:read:user", "orders:read:user:usr_abc123",
                                       "tool:desk/a-b.c:execute"};
    static const char *const bad[] = {"",          "orders", ":read", "orders:", "a::b",
                                      "a:b:c:d:e", "a:b c",  "a:*",   "a:\"b",   "a:b\n"};
    char longer[300];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!scope_valid(str_of(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (scope_valid(str_of(bad[i])))
            fail_msg("%s", bad[i]);
    assert_false(scope_valid((struct str){"a:b\0c", 5}));
    memset(longer, 'a', sizeof(longer));
    longer[1] = ':';
    assert_true(scope_valid((struct str){longer, 256}));
    assert_false(scope_valid((struct str){longer, 257}));
}

static void patterns_match_whole_scopes(void **state)
{
    (void)state;
    assert_true(str_match(STR("tool:*:execute"), STR("tool:desk/a:execute")));
    assert_true(str_match(STR("*"), STR("")));
    assert_true(str_match(STR("*a*a*"), STR("aa")));
    assert_false(str_match(STR("tool:desk"), STR("tool:desk/a:execute")));
    assert_false(str_match(STR("*:write"), STR("orders:write:user")));
    assert_false(str_match(STR(""), STR("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_tools_there_is_nothing),
        cmocka_unit_test(each_allowed_tool_is_a_scope_once_and_sorted),
        cmocka_unit_test(the_tier_adds_tools_and_only_that_tier),
        cmocka_unit_test(a_denied_tool_stays_denied_whatever_a_rule_adds),
        cmocka_unit_test(all_conditions_of_a_rule_must_hold),
        cmocka_unit_test(rules_work_in_their_order),
        cmocka_unit_test(after_hours_a_session_only_reads_and_in_the_morning_it_writes_again),
        cmocka_unit_test(hours_within_one_day),
        cmocka_unit_test(hours_are_of_the_zone_that_the_rule_names),
        cmocka_unit_test(what_hours_add_ends_with_them),
        cmocka_unit_test(what_hours_add_takes_nothing_away),
        cmocka_unit_test(what_a_scope_looks_like),
        cmocka_unit_test(patterns_match_whole_scopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

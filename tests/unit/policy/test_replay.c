/* Recorded calls judged again, and what is learned from them: of entries that are written out here. */
#include "../unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/enc.h"
#include "policy/replay.h"
#include "policy/suggest.h"

#define DAY 1795651200000 /* 2026-11-26T00:00:00Z */

static struct policy_set *set_of(const char *text)
{
    static const struct conf_root conf = {.policy.timezone = {"UTC", 3}};
    static char definition[] =
        "{'inputSchema':{'type':'object','properties':{'order':{'type':'string'},'amount':{'type':'number'},"
        "'count':{'type':'integer'},'urgent':{'type':'boolean'},'tags':{'type':'array','items':{'type':'string'}},"
        "'to':{'type':'object','properties':{'zip-code':{'type':'string'},'if':{'type':'string'}},"
        "'required':['zip-code']}},'required':['order']}}";
    struct policy_fact fact = {STR("desk/refund"), STR("desk"), STR("refund"), str_of(quotes(definition)), ""};
    memset(fact.hash, 'a', 64);
    const struct policy_text one = {STR("test"), str_of(text), true};
    struct policy_texts *texts;
    struct policy_set *s;
    struct buf faults;
    buf_init(&faults, 1 << 20);
    if (policy_texts_of(&one, 1, &texts, &faults) || policy_set_new(texts, &conf, &fact, 1, &s, &faults))
        fail_msg("%.*s%s", (int)faults.n, faults.p, text);
    policy_texts_unref(texts);
    buf_done(&faults);
    return s;
}

/* ---- a past ---- */

struct past {
    struct recorded *recorded;
    struct arena arena;
    struct json entry;
    struct recorded_call call;
    uint64_t seq;
};

static void past_begin(struct past *p)
{
    *p = (struct past){.recorded = recorded_new()};
    arena_init(&p->arena, 64 << 20);
    assert_non_null(p->recorded);
}

static void past_end(struct past *p)
{
    recorded_close(p->recorded);
    arena_done(&p->arena);
}

/* An entry at that moment, with further members. Whether it is a call that policies judged. */
static bool past_entry(struct past *p, const char *event, int64_t at, const char *more)
{
    char when[CLOCK_RFC3339];
    clock_format(at, when);
    struct str text = arena_fmt(&p->arena,
                                "{'agentId':'ag_1','agentType':'support','agentVersion':'1','deploymentEnv':'test',"
                                "'event':'%s','sessionId':'s_1','timestamp':'%s','toolName':'desk/refund'%s}",
                                event, when, more);
    struct fault f = {.text = ""};
    quotes((char *)text.p);
    if (json_parse(&p->entry, text, &p->arena, NULL, &f))
        fail_msg("%s: %s", f.text, text.p);
    return recorded_entry(p->recorded, &p->entry, ++p->seq, &p->call);
}

static void past_session(struct past *p)
{
    past_entry(p, "SESSION_CREATED", DAY, ",'details':{'owner':'o','scopes':['a:b'],'tier':'gold'}");
}

/* A call with these arguments, and further members; in the order in which they are written in the record. */
static bool past_call_of(struct past *p, const char *event, int64_t at, const char *arguments, const char *more)
{
    char copy[1024], hex[2 * SHA256_BYTES + 1], text[4096];
    unsigned char hash[SHA256_BYTES];
    snprintf(copy, sizeof(copy), "%s", arguments);
    quotes(copy);
    enc_sha256(copy, strlen(copy), hash);
    enc_hex(hash, sizeof(hash), hex);
    snprintf(text, sizeof(text),
             ",'context':{'age':5,'calls':2,'risk':'low','source':'192.0.2.7','taints':[]},'digest':'%s',"
             "'parameters':%s%s",
             hex, arguments, more);
    return past_entry(p, event, at, text);
}

static void past_call(struct past *p, int64_t at, const char *arguments)
{
    assert_true(past_call_of(p, "TOOL_CALL", at, arguments, ""));
}

static void replayed(struct policy_replay *r, const struct past *p, enum replay_outcome before,
                     enum replay_outcome after)
{
    struct replay_result got;
    policy_replay_judge(r, &p->call, &got);
    if (got.before != before || got.after != after)
        fail_msg("entry %llu: %s, now %s: %.*s", (unsigned long long)p->call.seq, policy_replay_name(got.before),
                 policy_replay_name(got.after), (int)got.reason.n, got.reason.p);
}

/* ---- replay ---- */

static void limits_go_by_the_clock_of_the_record(void **state)
{
    (void)state;
    static const struct {
        int64_t second;
        enum replay_outcome now;
    } rows[] = {{0, REPLAY_ALLOW},  {1, REPLAY_ALLOW},  {20, REPLAY_LIMIT},
                {31, REPLAY_ALLOW}, {32, REPLAY_LIMIT}, {4000, REPLAY_ALLOW}};
    struct past p;
    struct policy_set *s = set_of("@limit(\"2/minute\") permit (principal, action, resource);");
    struct policy_replay *r = policy_replay_new(s);
    past_begin(&p);
    past_session(&p);
    for (size_t i = 0; i < COUNT(rows); i++) {
        past_call(&p, DAY + rows[i].second * 1000, "{'order':'1'}");
        replayed(r, &p, REPLAY_ALLOW, rows[i].now);
    }
    past_end(&p);
    policy_replay_free(r);
    policy_set_unref(s);
}

static void the_session_and_the_moment_are_those_of_then(void **state)
{
    (void)state;
    struct past p;
    struct policy_set *s =
        set_of("permit (principal == Agent::\"ag_1\", action, resource) when { context.session.age == 5 && "
               "context.session.calls == 2 && context.session.id == \"s_1\" && context.session.scopes == [\"a:b\"] && "
               "context.session has tier && context.session.tier == \"gold\" && context.session has source && "
               "context.session.source.isInRange(ip(\"192.0.2.0/24\")) && "
               "context.time.hour == 3 && context.time.weekday == \"thursday\" && principal.owner == \"o\" && "
               "resource.risk == \"low\" };");
    struct policy_replay *r = policy_replay_new(s);
    past_begin(&p);
    past_session(&p);
    past_call(&p, DAY + 3 * 3600000, "{'order':'1'}");
    replayed(r, &p, REPLAY_ALLOW, REPLAY_ALLOW);
    past_end(&p);
    policy_replay_free(r);
    policy_set_unref(s);
}

static void what_was_refused_behind_the_policies_does_not_change(void **state)
{
    (void)state;
    struct replay_result got;
    struct past p;
    struct policy_set *s = set_of("forbid (principal, action, resource);");
    struct policy_replay *r = policy_replay_new(s);
    past_begin(&p);
    past_session(&p);
    assert_true(past_call_of(&p, "RATE_LIMITED", DAY, "{'order':'1'}", ",'policyDecision':{'stage':'budget'}"));
    policy_replay_judge(r, &p.call, &got);
    assert_false(got.differs);
    assert_true(past_call_of(&p, "RATE_LIMITED", DAY, "{'order':'1'}", ",'policyDecision':{'stage':'policy'}"));
    policy_replay_judge(r, &p.call, &got);
    assert_true(got.differs && got.before == REPLAY_LIMIT && got.after == REPLAY_DENY);
    past_end(&p);
    policy_replay_free(r);
    policy_set_unref(s);
}

static void what_the_record_does_not_hold_is_not_judged(void **state)
{
    (void)state;
    struct past p;
    past_begin(&p);
    past_call(&p, DAY, "{'order':'1'}"); /* of a session that nobody saw begin */
    assert_non_null(strstr(p.call.lack, "how its session was opened"));
    past_session(&p);
    past_call(&p, DAY, "{'order':'1'}");
    assert_null(p.call.lack);
    assert_true(
        past_entry(&p, "TOOL_CALL", DAY, ",'digest':'00','parameters':{'order':'1'}")); /* of an older version */
    assert_non_null(strstr(p.call.lack, "what policies saw"));
    assert_true(past_entry(&p, "TOOL_CALL", DAY,
                           ",'context':{'age':5,'calls':2,'risk':'low','source':null,'taints':[]},"
                           "'digest':'00','parameters':{'order':'[masked]'}"));
    assert_non_null(strstr(p.call.lack, "masked"));
    past_entry(&p, "SESSION_ENDED", DAY, "");
    past_call(&p, DAY, "{'order':'1'}"); /* it was on its way */
    assert_null(p.call.lack);
    past_entry(&p, "GATEWAY_STARTED", DAY, "");
    past_call(&p, DAY, "{'order':'1'}");
    assert_non_null(p.call.lack);
    assert_false(past_entry(&p, "TOOL_DENIED", DAY, ",'policyDecision':{'stage':'whitelist'}"));
    assert_int_equal(recorded_earlier(p.recorded), 1);
    past_end(&p);
}

/* ---- suggest ---- */

static void suggested(struct suggest *g, const char *const *has, const char *const *has_not)
{
    char text[65536];
    struct buf b;
    buf_init(&b, 65536);
    suggest_write(g, &b);
    snprintf(text, sizeof(text), "%.*s", (int)b.n, b.p);
    policy_set_unref(set_of(text)); /* it validates */
    for (; *has; has++)
        if (!strstr(text, *has))
            fail_msg("%s is not in\n%s", *has, text);
    for (; *has_not; has_not++)
        if (strstr(text, *has_not))
            fail_msg("%s is in\n%s", *has_not, text);
    buf_done(&b);
}

static void learn(struct suggest *g, struct past *p, int64_t at, const char *arguments)
{
    struct fault f;
    past_call(p, at, arguments);
    assert_int_equal(suggest_call(g, &p->call, &f), ERR_OK);
}

static void what_all_calls_have_in_common_is_a_condition(void **state)
{
    (void)state;
    struct past p;
    struct policy_set *s = set_of(policy_builtin);
    struct suggest *g = suggest_new(s, STR("ag_1"), STR_NONE);
    past_begin(&p);
    past_session(&p);
    for (int i = 0; i < 24; i++) {
        char arguments[256];
        snprintf(arguments, sizeof(arguments),
                 "{'amount':%d.5,'order':'o-%d','tags':['%s'],'to':{'zip-code':'\\u0022%d'}%s}", i - 3, i,
                 i % 2 ? "new" : "old", i % 3, i % 2 ? ",'urgent':true" : "");
        learn(g, &p, DAY + i % 6 * 86400000 + (9 + i % 5) * INT64_C(3600000), arguments);
    }
    suggested(g,
              (const char *const[]){
                  "principal == Agent::\"ag_1\"", "resource == Tool::\"desk/refund\"",
                  "context.input has amount && context.input.amount.greaterThanOrEqual(decimal(\"-3.5\")) && "
                  "context.input.amount.lessThanOrEqual(decimal(\"20.5\"))",
                  "!(context.input has count)", "[\"old\", \"new\"].containsAll(context.input.tags)",
                  "(if context.input has urgent then context.input.urgent else true)",
                  "[\"\\\"0\", \"\\\"1\", \"\\\"2\"].contains(context.input.to[\"zip-code\"])",
                  "!(context.input.to has \"if\")", "context.time.hour >= 9 && context.time.hour <= 13",
                  "context.session.source.isInRange(ip(\"192.0.2.0/24\"))", NULL},
              (const char *const[]){"context.input.order ", "o-1", NULL});
    suggest_plain(g, STR("desk/refund"));
    suggested(g, (const char *const[]){"principal == Agent::\"ag_1\"", NULL}, (const char *const[]){"when", NULL});
    past_end(&p);
    suggest_free(g);
    policy_set_unref(s);
}

static void few_calls_support_no_condition(void **state)
{
    (void)state;
    struct past p;
    struct policy_set *s = set_of(policy_builtin);
    struct suggest *g = suggest_new(s, STR_NONE, STR("support"));
    past_begin(&p);
    past_session(&p);
    for (int i = 0; i < 9; i++)
        learn(g, &p, DAY + i, "{'order':'1'}");
    suggested(g, (const char *const[]){"principal in AgentType::\"support\"", NULL},
              (const char *const[]){"when {", "unless", NULL});
    past_end(&p);
    suggest_free(g);
    policy_set_unref(s);
}

static void hours_may_go_over_midnight(void **state)
{
    (void)state;
    struct past p;
    struct policy_set *s = set_of(policy_builtin);
    struct suggest *g = suggest_new(s, STR("ag_1"), STR_NONE);
    past_begin(&p);
    past_session(&p);
    for (int i = 0; i < 24; i++)
        learn(g, &p, DAY + i / 4 * 86400000 + (22 + i % 4) * INT64_C(3600000), "{'order':'1'}");
    suggested(g, (const char *const[]){"(context.time.hour >= 22 || context.time.hour <= 1)", NULL},
              (const char *const[]){NULL});
    past_end(&p);
    suggest_free(g);
    policy_set_unref(s);
}

static void refusals_and_other_agents_are_nothing_that_it_did(void **state)
{
    (void)state;
    struct suggest_counts n;
    struct fault f;
    struct past p;
    struct policy_set *s = set_of(policy_builtin);
    struct suggest *g = suggest_new(s, STR("ag_1"), STR_NONE), *other = suggest_new(s, STR("ag_2"), STR_NONE);
    past_begin(&p);
    past_session(&p);
    learn(g, &p, DAY, "{'order':'1'}");
    learn(other, &p, DAY, "{'order':'1'}");
    assert_true(past_call_of(&p, "TOOL_DENIED", DAY, "{'order':'1'}", ",'policyDecision':{'stage':'policy'}"));
    assert_int_equal(suggest_call(g, &p.call, &f), ERR_OK);
    suggest_counts(g, &n);
    assert_int_equal(n.calls, 1);
    suggest_counts(other, &n);
    assert_int_equal(n.calls, 0);
    past_end(&p);
    suggest_free(g);
    suggest_free(other);
    policy_set_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_go_by_the_clock_of_the_record),
        cmocka_unit_test(the_session_and_the_moment_are_those_of_then),
        cmocka_unit_test(what_was_refused_behind_the_policies_does_not_change),
        cmocka_unit_test(what_the_record_does_not_hold_is_not_judged),
        cmocka_unit_test(what_all_calls_have_in_common_is_a_condition),
        cmocka_unit_test(few_calls_support_no_condition),
        cmocka_unit_test(hours_may_go_over_midnight),
        cmocka_unit_test(refusals_and_other_agents_are_nothing_that_it_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

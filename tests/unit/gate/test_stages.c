/* The stages one by one: what each refuses, and with which words. */
#include "../conf_of.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

struct scene {
    struct conf *conf;
    struct lease_store *leases;
    struct sessions *sessions;
    struct lease *lease;
    struct gate gate;
    struct gate_worker worker;
    struct arena arena;
    struct schema *schema;
    struct tool tool;
    struct json doc;
    struct call call;
};

static void told(void *ctx, enum session_event event, const struct lease *l, struct str by, struct str reason)
{
    (void)ctx, (void)event, (void)l, (void)by, (void)reason;
}

static void scene_open(struct scene *s, const char *yaml)
{
    struct str allowed[] = {STR("desk/lookup")}, denied[] = {STR("desk/delete_*")};
    struct agent agent = {.id = STR("support-1"),
                          .type = STR("support"),
                          .enabled = true,
                          .max_sessions = 5,
                          .expires = clock_wall_ms() + 3600000,
                          .allowed = {allowed, 1, true},
                          .denied = {denied, 1, true}};
    struct session_wish wish = {0};
    struct fault f = {0};
    *s = (struct scene){.conf = conf_of(yaml)};
    if (lease_memory_new(&s->leases, &f) || sessions_new(s->leases, s->conf, told, NULL, &s->sessions, &f) ||
        session_open(s->sessions, &agent, &wish, &s->lease, &f))
        fail_msg("%s", f.text);
    arena_init(&s->arena, 8u << 20);
    s->gate = (struct gate){.leases = s->leases, .sessions = s->sessions};
    s->worker = (struct gate_worker){.gate = &s->gate};
    s->tool = (struct tool){.id = STR("desk/lookup"),
                            .name = STR("lookup"),
                            .server = STR("desk"),
                            .upstream = (void *)s,
                            .pin = TOOL_SERVED}; /* one that nobody asks anything */
    s->call = (struct call){.gate = &s->worker,
                            .arena = &s->arena,
                            .lease = s->lease,
                            .doc = &s->doc,
                            .tool = &s->tool,
                            .upstream = s->tool.upstream,
                            .target = s->tool.id,
                            .asked = STR("desk__lookup"),
                            .server_up = true};
}

static void scene_close(struct scene *s)
{
    lease_unref(s->lease);
    sessions_free(s->sessions);
    s->leases->ops->close(s->leases);
    schema_unref(s->schema);
    conf_unref(s->conf);
    arena_done(&s->arena);
}

static void denies(struct scene *s, stage_fn *stage, enum err want, const char *word)
{
    s->call.fault = (struct fault){0};
    enum verdict v = stage(&s->call);
    if (v != VERDICT_DENY || s->call.fault.err != want || !strstr(s->call.fault.text, word))
        fail_msg("wanted %s with \"%s\"; verdict %d, %s: %s", err_code(want), word, v, err_code(s->call.fault.err),
                 s->call.fault.text);
}

static void lets_through(struct scene *s, stage_fn *stage)
{
    s->call.fault = (struct fault){0};
    if (stage(&s->call) != VERDICT_NEXT)
        fail_msg("%s: %s", err_code(s->call.fault.err), s->call.fault.text);
}

/* ---- whitelist ---- */

static void ask_for(struct scene *s, const char *id, bool there)
{
    s->call.target = str_of(id);
    s->call.tool = there ? &s->tool : NULL;
    s->call.upstream = there ? s->tool.upstream : NULL;
}

static void only_what_is_allowed_passes(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    lets_through(&s, stage_whitelist);
    ask_for(&s, "desk/refund", true);
    denies(&s, stage_whitelist, ERR_SCOPE, "tool:desk/refund:execute");
    ask_for(&s, "desk/delete_account", true);
    denies(&s, stage_whitelist, ERR_TOOL_DENIED, "denied");
    ask_for(&s, "", false);
    denies(&s, stage_whitelist, ERR_TOOL_UNKNOWN, "desk__lookup");
    scene_close(&s);
}

static void a_refusal_does_not_tell_whether_the_tool_exists(void **state)
{
    (void)state;
    struct scene s;
    struct fault there;
    scene_open(&s, "{}");
    ask_for(&s, "desk/refund", true);
    denies(&s, stage_whitelist, ERR_SCOPE, "");
    there = s.call.fault;
    ask_for(&s, "desk/refund", false);
    denies(&s, stage_whitelist, ERR_SCOPE, "");
    assert_string_equal(s.call.fault.text, there.text);
    scene_close(&s);
}

static void an_allowed_tool_of_a_server_that_is_down_says_so(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    ask_for(&s, "desk/lookup", false);
    denies(&s, stage_whitelist, ERR_TOOL_UNKNOWN, "Unknown tool");
    s.call.server_up = false;
    denies(&s, stage_whitelist, ERR_UPSTREAM, "down");
    scene_close(&s);
}

/* Only what was judged and found to be its pin is served; and who may not use a tool hears nothing of its pin. */
static void a_tool_that_is_withheld_or_was_never_judged_is_refused(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    static const enum tool_pin withheld[] = {TOOL_UNJUDGED, TOOL_CHANGED, TOOL_NEW, TOOL_UNPINNED};
    for (unsigned i = 0; i < 4; i++) {
        s.tool.pin = withheld[i];
        denies(&s, stage_whitelist, ERR_TOOL_WITHHELD, "desk/lookup is withheld");
    }
    ask_for(&s, "desk/refund", true);
    denies(&s, stage_whitelist, ERR_SCOPE, "tool:desk/refund:execute");
    scene_close(&s);
}

/* ---- limit, budget ---- */

static void a_rate_lets_its_number_through_and_says_when_the_next_has_a_chance(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "session: { rate: 3/minute }");
    for (unsigned i = 0; i < 3; i++)
        lets_through(&s, stage_limit);
    denies(&s, stage_limit, ERR_RATE, "rate of the session");
    assert_in_range(s.call.retry_after_ms, 1, 20000);
    scene_close(&s);
}

static void the_least_of_all_rates_holds(void **state)
{
    (void)state;
    struct scene s;
    scene_open(
        &s, "{ limits: { agent_rate: 10/minute }, tools: { 'desk/look*': { rate: 5/minute, agent_rate: 2/minute } } }");
    lets_through(&s, stage_limit);
    lets_through(&s, stage_limit);
    denies(&s, stage_limit, ERR_RATE, "agent and tool");
    s.call.tool = NULL; /* a name that is no tool counts against session and agent only */
    s.call.target = STR("desk/look_for_nothing");
    lets_through(&s, stage_limit);
    scene_close(&s);
}

struct taker {
    struct scene *s;
    pthread_barrier_t *start;
    unsigned granted;
};

static void *take_many(void *p)
{
    struct taker *t = p;
    struct call c = t->s->call;
    pthread_barrier_wait(t->start);
    for (unsigned i = 0; i < 50; i++)
        t->granted += stage_budget(&c) == VERDICT_NEXT;
    return NULL;
}

static void of_two_hundred_at_once_exactly_fifty_get_a_call(void **state)
{
    (void)state;
    enum { TAKERS = 4 };
    struct scene s;
    struct taker taker[TAKERS];
    pthread_t thread[TAKERS];
    pthread_barrier_t start;
    unsigned granted = 0;
    scene_open(&s, "session: { max_tool_calls: 50 }");
    pthread_barrier_init(&start, NULL, TAKERS);
    for (unsigned i = 0; i < TAKERS; i++) {
        taker[i] = (struct taker){&s, &start, 0};
        pthread_create(&thread[i], NULL, take_many, &taker[i]);
    }
    for (unsigned i = 0; i < TAKERS; i++) {
        pthread_join(thread[i], NULL);
        granted += taker[i].granted;
    }
    assert_int_equal(granted, 50);
    assert_int_equal(atomic_load(&s.lease->used), 50);
    denies(&s, stage_budget, ERR_CALLS, "50 tool calls");
    pthread_barrier_destroy(&start);
    scene_close(&s);
}

static void a_session_that_is_over_passes_neither(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    assert_true(session_end(s.sessions, s.lease->sid, STR_NONE, STR_NONE));
    denies(&s, stage_limit, ERR_SESSION_ENDED, "over");
    denies(&s, stage_budget, ERR_SESSION_ENDED, "over");
    scene_close(&s);
}

/* ---- validate ---- */

static void arguments(struct scene *s, const char *schema, const char *text)
{
    struct fault f = {0};
    schema_unref(s->schema);
    s->schema = NULL;
    if (schema && schema_compile(str_of(schema), NULL, NULL, &s->schema, &f))
        fail_msg("%s", f.text);
    s->tool.input = s->schema;
    if (text && json_parse(&s->doc, str_of(text), &s->arena, NULL, &f))
        fail_msg("%s", f.text);
    s->call.arguments_node = text ? JSON_ROOT : 0;
    s->call.arguments = STR_NONE;
}

static void canonical_is(struct scene *s, const char *want)
{
    if (!str_is(s->call.arguments, want))
        fail_msg("%.*s", (int)s->call.arguments.n, s->call.arguments.p);
}

static void arguments_that_fit_become_canonical_and_keep_their_numbers(void **state)
{
    (void)state;
    struct scene s;
    char digest[65];
    scene_open(&s, "{}");
    arguments(&s, "{\"type\":\"object\"}", "{ \"b\" : 9007199254740993,\t\"a\":\"\\u0041\\/\", \"c\":1.50 }");
    lets_through(&s, stage_validate);
    canonical_is(&s, "{\"a\":\"A/\",\"b\":9007199254740993,\"c\":1.5}");
    snprintf(digest, sizeof(digest), "%s", s.call.digest);
    arguments(&s, "{\"type\":\"object\"}", "{\"c\":15e-1,\"a\":\"A/\",\"b\":9007199254740993}");
    lets_through(&s, stage_validate);
    assert_string_equal(s.call.digest, digest); /* the same values are the same call */
    arguments(&s, "{\"type\":\"object\"}", "{\"c\":1.5,\"a\":\"A/\",\"b\":9007199254740992}");
    lets_through(&s, stage_validate);
    assert_string_not_equal(s.call.digest, digest);
    scene_close(&s);
}

static void no_arguments_are_an_empty_object(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    arguments(&s, "{\"type\":\"object\"}", NULL);
    lets_through(&s, stage_validate);
    canonical_is(&s, "{}");
    assert_string_equal(s.call.digest, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    arguments(&s, "{\"required\":[\"orderId\"]}", NULL);
    denies(&s, stage_validate, ERR_SCHEMA, "orderId");
    scene_close(&s);
}

static void a_refusal_says_where_and_leaves_no_canonical_bytes(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    arguments(&s, "{\"properties\":{\"n\":{\"items\":{\"maximum\":5}}}}", "{\"n\":[1,2,7]}");
    denies(&s, stage_validate, ERR_SCHEMA, "/n/2: must be <= 5, but is 7");
    assert_null(s.call.arguments.p);
    scene_close(&s);
}

static void a_tool_whose_schema_cannot_be_used_is_refused(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    arguments(&s, NULL, "{}");
    fault_set(&s.tool.fault, ERR_SCHEMA_UNUSABLE, "the server's schema is no schema");
    denies(&s, stage_validate, ERR_SCHEMA_UNUSABLE, "no schema");
    scene_close(&s);
}

static void without_memory_the_call_is_refused(void **state)
{
    (void)state;
    struct scene s;
    char *text = malloc(40000);
    scene_open(&s, "{}");
    strcpy(text, "{\"a\":\"");
    memset(text + 6, 'x', 39000);
    strcpy(text + 39006, "\"}");
    arguments(&s, "true", text);
    struct arena small;
    arena_init(&small, 8192);
    s.call.arena = &small;
    denies(&s, stage_validate, ERR_NOMEM, "");
    assert_null(s.call.arguments.p);
    arena_done(&small);
    scene_close(&s);
    free(text);
}

/* ---- result ---- */

static void answer(struct scene *s, const char *schema, const char *result)
{
    struct fault f = {0};
    schema_unref(s->schema);
    s->schema = NULL;
    if (schema && schema_compile(str_of(schema), NULL, NULL, &s->schema, &f))
        fail_msg("%s", f.text);
    if (json_parse(&s->doc, str_of(result), &s->arena, NULL, &f))
        fail_msg("%s", f.text);
    s->tool.output = s->schema;
    s->call.answer = (struct connect_answer){.doc = &s->doc, .result = JSON_ROOT};
}

/* The call is over: it goes on to its outcome, with or without a fault. */
static void result_is(struct scene *s, enum err want, const char *words)
{
    s->call.fault = (struct fault){0};
    assert_int_equal(stage_result(&s->call), VERDICT_NEXT);
    if (s->call.fault.err != want || strcmp(s->call.fault.text, words) != 0)
        fail_msg("wanted %s: %s\nbut it is %s: %s", err_code(want), words, err_code(s->call.fault.err),
                 s->call.fault.text);
}

#define DOUBLED "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}}"

static void a_result_that_breaks_its_promise_fails_and_its_value_is_not_told(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    answer(&s, DOUBLED, "{\"content\":[],\"structuredContent\":{\"n\":\"top secret\"}}");
    result_is(&s, ERR_RESULT, "the result of desk/lookup does not fit its outputSchema: /n: must be a number");
    answer(&s, DOUBLED, "{\"content\":[{\"type\":\"text\",\"text\":\"{}\"}]}");
    result_is(&s, ERR_RESULT, "the result of desk/lookup has no structuredContent, which its outputSchema promises");
    answer(&s, DOUBLED, "{\"resultType\":\"complete\",\"structuredContent\":null}");
    result_is(&s, ERR_RESULT, "the result of desk/lookup does not fit its outputSchema: (root): must be an object");
    scene_close(&s);
}

static void a_result_that_keeps_it_or_made_none_passes(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    answer(&s, DOUBLED, "{\"content\":[],\"structuredContent\":{\"n\":4}}");
    result_is(&s, ERR_OK, "");
    answer(&s, NULL, "{\"structuredContent\":7}");
    result_is(&s, ERR_OK, "");
    answer(&s, "{\"type\":\"array\"}", "{\"structuredContent\":[1]}");
    result_is(&s, ERR_OK, "");
    scene_close(&s);
}

static void what_is_no_result_yet_or_an_error_is_not_judged(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{}");
    answer(&s, DOUBLED, "{\"content\":[],\"isError\":true}");
    result_is(&s, ERR_OK, "");
    answer(&s, DOUBLED, "{\"resultType\":\"input_required\",\"inputRequests\":{}}");
    s.call.answer.input = true;
    result_is(&s, ERR_OK, "");
    s.call.answer = (struct connect_answer){.doc = &s.doc, .error = JSON_ROOT};
    result_is(&s, ERR_OK, "");
    s.call.answer = (struct connect_answer){0};
    fault_set(&s.call.fault, ERR_UPSTREAM, "it is gone");
    assert_int_equal(stage_result(&s.call), VERDICT_NEXT);
    assert_int_equal(s.call.fault.err, ERR_UPSTREAM); /* why it failed stays why it failed */
    scene_close(&s);
}

/* ---- deny ---- */

static void zero_is_deny(void **state)
{
    (void)state;
    struct call c = {0};
    assert_int_equal((enum verdict)0, VERDICT_DENY);
    assert_int_equal(gate_deny(&c, ERR_SCOPE, "%s", "a line\nand %s another"), VERDICT_DENY);
    assert_string_equal(c.fault.text, "a line?and %s another"); /* one line, and no format */
}

/* ---- execute ---- */

/* Its intent was put on record while the session ended: nobody has to find the call for it not to leave. */
static void a_call_whose_session_is_over_does_not_leave(void **state)
{
    (void)state;
    static const struct {
        enum lease_state how;
        enum err err;
    } ends[] = {
        {LEASE_STOPPED, ERR_SESSION_STOPPED}, {LEASE_ENDED, ERR_SESSION_ENDED}, {LEASE_EXPIRED, ERR_SESSION_ENDED}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct scene s;
        scene_open(&s, "{}");
        assert_true(s.leases->ops->end(s.leases, s.lease->sid, ends[i].how));
        denies(&s, stage_execute, ends[i].err, "session");
        assert_null(s.call.wire.events); /* the connector never saw it */
        scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_allowed_passes),
        cmocka_unit_test(a_refusal_does_not_tell_whether_the_tool_exists),
        cmocka_unit_test(an_allowed_tool_of_a_server_that_is_down_says_so),
        cmocka_unit_test(a_tool_that_is_withheld_or_was_never_judged_is_refused),
        cmocka_unit_test(a_rate_lets_its_number_through_and_says_when_the_next_has_a_chance),
        cmocka_unit_test(the_least_of_all_rates_holds),
        cmocka_unit_test(of_two_hundred_at_once_exactly_fifty_get_a_call),
        cmocka_unit_test(a_session_that_is_over_passes_neither),
        cmocka_unit_test(arguments_that_fit_become_canonical_and_keep_their_numbers),
        cmocka_unit_test(no_arguments_are_an_empty_object),
        cmocka_unit_test(a_refusal_says_where_and_leaves_no_canonical_bytes),
        cmocka_unit_test(a_tool_whose_schema_cannot_be_used_is_refused),
        cmocka_unit_test(without_memory_the_call_is_refused),
        cmocka_unit_test(a_result_that_breaks_its_promise_fails_and_its_value_is_not_told),
        cmocka_unit_test(a_result_that_keeps_it_or_made_none_passes),
        cmocka_unit_test(what_is_no_result_yet_or_an_error_is_not_judged),
        cmocka_unit_test(zero_is_deny),
        cmocka_unit_test(a_call_whose_session_is_over_does_not_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

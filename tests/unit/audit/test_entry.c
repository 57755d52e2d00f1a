/* An entry as it is written: its members, who speaks in which of them, and that the bytes are canonical. */
#include "record.h"

#include <ctype.h>

/* Writes the entry, reads it back and hands out its bytes, to be freed. */
static char *written(struct record *r, const struct audit_entry *e)
{
    struct audit_reader *reader;
    struct ack ack = {.done = {.worker = r->worker, .done = ack_told}};
    struct fault f;
    struct str json;
    uint64_t seq;
    if (!r->audit)
        record_open(r);
    sem_init(&ack.told, 0, 0);
    assert_int_equal(audit_append(r->audit, e, &ack.done, &f), ERR_OK);
    assert_int_equal(ack_wait(&ack, &seq), ERR_OK);
    assert_int_equal(audit_reader_open(r->dir, &reader, &f), ERR_OK);
    assert_int_equal(audit_reader_seek(reader, seq, &f), ERR_OK);
    assert_int_equal(audit_reader_next(reader, &json, &seq, &f), ERR_OK);
    char *copy = strndup(json.p, json.n);
    assert_int_equal(strlen(copy), json.n);
    audit_reader_close(reader);
    return copy;
}

static void is_canonical(const char *text)
{
    struct arena a;
    struct json j;
    struct buf b;
    struct fault f = {.text = ""};
    arena_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    if (json_parse(&j, str_of(text), &a, NULL, &f))
        fail_msg("%s: %s", f.text, text);
    assert_int_equal(json_canonical(&j, JSON_ROOT, &b, &a), ERR_OK);
    if (!str_is(buf_view(&b), text))
        fail_msg("%s\nis in canonical form\n" STR_FMT, text, STR_ARG(buf_view(&b)));
    buf_done(&b);
    arena_done(&a);
}

/* What differs from run to run, blanked. */
static void blank(char *text, const char *member, size_t n)
{
    char *at = strstr(text, member);
    assert_non_null(at);
    memset(at + strlen(member), '_', n);
}

static void a_call_is_written_with_all_that_is_known_of_it(void **state)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.trace_id = STR("4bf92f3577b34da6a3ce929d0e0e4736");
    e.agent_id = STR("agt_1");
    e.agent_type = STR("support");
    e.agent_version = STR("1.4.2");
    e.agent_env = STR("production");
    e.session_id = STR("sess_1");
    e.user = STR("usr_9");
    e.trigger = STR("user");
    e.tool = STR("desk/lookup");
    e.parameters = STR("{\"id\":7}");
    e.digest = STR("aa");
    e.judged = e.allowed = true;
    e.reason = STR("every stage let it through");
    e.policy_ids = STR("[\"small\"]");
    e.policy_version = STR("ff");
    e.context =
        (struct audit_context){.risk = "high", .age = 61, .calls = 4, .source = {192, 0, 2, 7}, .source_bytes = 4};
    e.latency_us = 1500;
    e.reasoning = STR("the customer asked");
    e.model = STR("model-x");
    e.cost = STR("0.0120");
    e.tokens = 812;
    e.method = "tools/call";
    e.span_id = STR("53995c3f42cd8ad8");
    e.parent_span_id = STR("00f067aa0ba902b7");
    char *text = written(*state, &e);
    is_canonical(text);
    blank(text, "\"timestamp\":\"", 24);
    assert_string_equal(
        text, "{\"actor\":null,\"actorType\":\"AI_AGENT\",\"agentId\":\"agt_1\",\"agentType\":\"support\","
              "\"agentVersion\":\"1.4.2\",\"chain\":[{\"id\":\"usr_9\",\"role\":\"user\",\"type\":\"HUMAN\"},"
              "{\"id\":\"agt_1\",\"role\":\"agent\",\"type\":\"AI_AGENT\"}],\"claims\":{\"estimatedCost\":0.012,"
              "\"modelUsed\":\"model-x\","
              "\"tokensConsumed\":812},\"code\":null,\"context\":{\"age\":61,\"calls\":4,\"risk\":\"high\","
              "\"source\":\"192.0.2.7\",\"taints\":[]},\"deploymentEnv\":\"production\",\"details\":null,"
              "\"digest\":\"aa\",\"event\":\"TOOL_CALL\",\"intentSeq\":null,\"large\":null,\"latencyMs\":1.5,"
              "\"method\":\"tools/call\","
              "\"parameters\":{\"id\":7},\"parentSpanId\":\"00f067aa0ba902b7\",\"policyDecision\":{\"allowed\":true,"
              "\"policies\":[\"small\"],"
              "\"reason\":\"every stage let it through\",\"shadow\":null,\"stage\":null},"
              "\"policyVersion\":\"ff\","
              "\"reasoning\":\"the customer asked\",\"result\":null,\"resultBytes\":null,\"resultDigest\":null,"
              "\"sealed\":null,\"seq\":1,\"sessionId\":\"sess_1\",\"spanId\":\"53995c3f42cd8ad8\",\"timestamp\":\"_____"
              "___________________\","
              "\"toolName\":\"desk/lookup\",\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
              "\"triggerSource\":\"user\",\"triggerUserId\":\"usr_9\"}");
    free(text);
}

static void an_outcome_names_its_intent_and_what_came_of_it(void **state)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_RESULT, AUDIT_AI_AGENT);
    e.intent_seq = 41;
    e.result = AUDIT_TIMEOUT;
    e.code = "upstream_timeout";
    e.result_bytes = 0;
    e.result_digest = STR("bb");
    e.latency_us = 60000000;
    char *text = written(*state, &e);
    is_canonical(text);
    assert_non_null(strstr(text, "\"intentSeq\":41,\"large\":null,\"latencyMs\":60000,"));
    assert_non_null(strstr(text, "\"result\":\"timeout\",\"resultBytes\":0,\"resultDigest\":\"bb\""));
    assert_non_null(strstr(text, "\"code\":\"upstream_timeout\""));
    assert_non_null(strstr(text, "\"claims\":null"));         /* nothing was claimed */
    assert_non_null(strstr(text, "\"policyDecision\":null")); /* and nothing decided */
    assert_non_null(strstr(text, "\"context\":null"));
    free(text);
}

static void a_person_is_named_as_the_actor(void **state)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_AGENT_DISABLED, AUDIT_HUMAN);
    e.actor = STR("ines");
    char *text = written(*state, &e);
    assert_non_null(strstr(text, "{\"actor\":\"ines\",\"actorType\":\"HUMAN\","));
    free(text);
    audit_entry_init(&e, AUDIT_SESSION_EXPIRED, AUDIT_SYSTEM);
    text = written(*state, &e);
    assert_non_null(strstr(text, "{\"actor\":null,\"actorType\":\"SYSTEM\","));
    free(text);
}

static void words_of_strangers_break_no_entry(void **state)
{
    static const struct str words[] = {
        STR("\",\"event\":\"TOOL_DENIED"),
        STR("a\0b\n\x7f\x1b[2J"),
        STR("\xff\xfe\xc0\xaf"),
        STR("\xed\xa0\x80 \xf0\x9f\x90\xb2"),
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct audit_entry e;
        audit_entry_init(&e, AUDIT_TOOL_DENIED, AUDIT_AI_AGENT);
        e.judged = true;
        e.tool = e.reasoning = e.model = e.reason = e.user = words[i];
        char *text = written(*state, &e);
        is_canonical(text); /* one JSON object without a key twice */
        free(text);
    }
    record_verified(*state);
}

static void claimed_costs_are_numbers_in_one_form(void **state)
{
    static const struct {
        const char *claimed, *written;
    } rows[] = {{"0.50", "0.5"},
                {"1E2", "100"},
                {"-0.0", "0"},
                {"12345678901234567.8", "12345678901234567.8"},
                {"\"free\"", "null"},
                {"{}", "null"},
                {"1,\"event\":2", "null"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[96];
        struct audit_entry e;
        audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
        e.model = STR("m");
        e.cost = str_of(rows[i].claimed);
        char *text = written(*state, &e);
        snprintf(expected, sizeof(expected), "\"claims\":{\"estimatedCost\":%s,\"modelUsed\":\"m\",", rows[i].written);
        is_canonical(text);
        if (!strstr(text, expected))
            fail_msg("a cost of %s is written as %s", rows[i].claimed, text);
        free(text);
    }
}

static void credentials_in_words_are_not_written_down(void **state)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_DENIED, AUDIT_AI_AGENT);
    e.judged = true;
    e.reasoning = STR("I use ghp_0123456789abcdefghij and then https://me:pw@host/ as told");
    e.reason = STR("/key: must be a number, but is \"sk-live-0123456789abcdef\"");
    char *text = written(*state, &e);
    assert_non_null(strstr(text, "\"reasoning\":\"I use [masked] and then https[masked]@host/ as told\""));
    assert_non_null(strstr(text, "\"reason\":\"/key: must be a number, but is \\\"[masked]\\\"\""));
    free(text);
}

static void whoever_acted_is_in_the_chain(void **state)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.agent_id = STR("agt_1");
    e.user = STR("usr_1");
    e.approver = STR("ines");
    char *text = written(*state, &e);
    assert_non_null(strstr(text, "\"chain\":[{\"id\":\"usr_1\",\"role\":\"user\",\"type\":\"HUMAN\"},"
                                 "{\"id\":\"agt_1\",\"role\":\"agent\",\"type\":\"AI_AGENT\"},"
                                 "{\"id\":\"ines\",\"role\":\"approver\",\"type\":\"HUMAN\"}],"));
    free(text);
    audit_entry_init(&e, AUDIT_AGENT_DISABLED, AUDIT_HUMAN);
    e.actor = STR("ines");
    e.agent_id = STR("agt_1"); /* whom it was done to */
    text = written(*state, &e);
    assert_non_null(strstr(text, "\"chain\":[{\"id\":\"ines\",\"role\":\"operator\",\"type\":\"HUMAN\"}],"));
    free(text);
    audit_entry_init(&e, AUDIT_SESSION_EXPIRED, AUDIT_SYSTEM);
    text = written(*state, &e);
    assert_non_null(strstr(text, "\"chain\":null,"));
    free(text);
}

static void a_receipt_names_the_entrys_leaf(void **state)
{
    struct record *r = *state;
    struct ack ack;
    struct fault f;
    struct tlog_hash leaf;
    struct audit_reader *reader;
    struct str json;
    uint64_t seq;
    record_open(r);
    record_fill(r, 2);
    assert_int_equal(record_append(r, "desk/lookup", &ack, &f), ERR_OK);
    assert_int_equal(ack_wait(&ack, &seq), ERR_OK);
    assert_int_equal(audit_reader_open(r->dir, &reader, &f), ERR_OK);
    assert_int_equal(audit_reader_seek(reader, seq, &f), ERR_OK);
    assert_int_equal(audit_reader_next(reader, &json, &seq, &f), ERR_OK);
    tlog_leaf(json, &leaf);
    assert_memory_equal(leaf.b, ack.done.leaf.b, SHA256_BYTES);
    audit_reader_close(reader);
}

static void every_event_of_the_table_is_written_by_its_name(void **state)
{
    for (enum audit_event i = 1; i < AUDIT_EVENT_COUNT; i++) {
        char expected[64];
        struct audit_entry e;
        const char *name = audit_event_name(i), *what = audit_event_what(i);
        audit_entry_init(&e, i, AUDIT_SYSTEM);
        char *text = written(*state, &e);
        snprintf(expected, sizeof(expected), "\"event\":\"%s\"", name);
        assert_non_null(strstr(text, expected));
        free(text);
        for (const char *c = name; *c; c++)
            assert_true(isupper((unsigned char)*c) || *c == '_');
        for (enum audit_event k = 1; k < i; k++)
            assert_string_not_equal(name, audit_event_name(k));
        assert_true(isupper((unsigned char)what[0]) && what[strlen(what) - 1] == '.');
    }
    assert_string_equal(audit_event_name(AUDIT_TOOL_CALL), "TOOL_CALL");
    assert_string_equal(audit_event_name(AUDIT_RATE_LIMITED), "RATE_LIMITED");
    assert_string_equal(audit_event_name(AUDIT_SESSION_EXPIRED), "SESSION_EXPIRED");
}

/* As many values as a request may have, and as deep: whatever could come in must be readable on record. */
static void the_largest_parameters_can_be_read_again(void **state)
{
    struct record *r = *state;
    struct audit_entry e;
    struct buf b;
    r->conf.queue = 64 << 20;
    r->conf.segment_bytes = 16 << 20;
    buf_init(&b, 64 << 20);
    buf_z(&b, "{\"a\":[");
    for (unsigned i = 0; i < JSON_NODES - 10; i++)
        buf_z(&b, i ? ",1" : "1");
    buf_z(&b, "],\"b\":");
    for (unsigned i = 0; i < JSON_DEPTH - 1; i++)
        buf_char(&b, '[');
    for (unsigned i = 0; i < JSON_DEPTH - 1; i++)
        buf_char(&b, ']');
    buf_char(&b, '}');
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.parameters = buf_view(&b);
    free(written(r, &e));
    buf_done(&b);
    record_close(r);
    assert_int_equal(record_verified(r).entries, 1);
    record_open(r);
    assert_int_equal(r->found.entries, 1);
}

static void an_entry_that_no_reader_would_take_is_not_written(void **state)
{
    struct record *r = *state;
    struct ack ack = {.done = {.worker = r->worker, .done = ack_told}};
    struct audit_entry e;
    struct fault f = {.text = ""};
    size_t n = 65 << 20;
    char *words = malloc(n);
    memset(words, 'w', n);
    r->conf.queue = 1 << 30;
    record_open(r);
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.tool = (struct str){words, n};
    assert_int_equal(audit_append(r->audit, &e, &ack.done, &f), ERR_AUDIT);
    assert_non_null(strstr(f.text, "64 MiB"));
    free(words);
    record_fill(r, 1);
    assert_int_equal(record_verified(r).entries, 1);
}

static void what_is_handed_in_unmasked_is_masked_by_the_writer(void **state)
{
    static const char text[] = "{\"order\":\"ORD-1\",\"password\":\"hunter2\"}";
    struct arena a;
    struct json doc;
    struct audit_entry e;
    arena_init(&a, 1 << 16);
    assert_int_equal(json_parse(&doc, str_of(text), &a, NULL, NULL), ERR_OK);
    for (int with_doc = 0; with_doc < 2; with_doc++) {
        audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
        e.parameters = str_of(text);
        e.unmasked = true;
        e.doc = with_doc ? &doc : NULL;
        e.node = with_doc ? JSON_ROOT : 0;
        char *got = written(*state, &e);
        assert_non_null(strstr(got, "\"parameters\":{\"order\":\"ORD-1\",\"password\":\"[masked]\"}"));
        assert_null(strstr(got, "hunter2"));
        free(got);
    }
    arena_done(&a);
}

static void an_entry_that_grows_too_long_in_writing_is_refused_alone(void **state)
{
    struct record *r = *state;
    struct ack ack = {.done = {.worker = r->worker, .done = ack_told}}, next;
    struct audit_entry e;
    struct fault f = {.text = ""};
    size_t n = 20 << 20;
    char *words = malloc(n);
    memset(words, '\1', n); /* six bytes each, as JSON writes them */
    r->conf.queue = 1 << 30;
    record_open(r);
    sem_init(&ack.told, 0, 0);
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.tool = (struct str){words, n};
    assert_int_equal(audit_append(r->audit, &e, &ack.done, &f), ERR_OK);
    assert_int_equal(record_append(r, "desk/lookup", &next, &f), ERR_OK);
    assert_int_equal(ack_wait(&ack, NULL), ERR_AUDIT);
    assert_int_equal(ack_wait(&next, NULL), ERR_OK);
    assert_true(audit_healthy(r->audit, NULL));
    free(words);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(a_call_is_written_with_all_that_is_known_of_it),
        SCENE(an_outcome_names_its_intent_and_what_came_of_it),
        SCENE(a_person_is_named_as_the_actor),
        SCENE(words_of_strangers_break_no_entry),
        SCENE(claimed_costs_are_numbers_in_one_form),
        SCENE(credentials_in_words_are_not_written_down),
        SCENE(whoever_acted_is_in_the_chain),
        SCENE(a_receipt_names_the_entrys_leaf),
        SCENE(every_event_of_the_table_is_written_by_its_name),
        SCENE(the_largest_parameters_can_be_read_again),
        SCENE(an_entry_that_no_reader_would_take_is_not_written),
        SCENE(what_is_handed_in_unmasked_is_masked_by_the_writer),
        SCENE(an_entry_that_grows_too_long_in_writing_is_refused_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

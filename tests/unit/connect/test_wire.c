/* The messages between us and a server, in both eras. */
#include "definitions.h"

#define CLIENT "{\"name\":\"doorward\",\"version\":\"" DOORWARD_VERSION "\"}"

static void written(const struct wire_request *r, const char *want)
{
    struct buf b;
    buf_init(&b, 65536);
    wire_write(&b, r);
    buf_char(&b, 0);
    assert_string_equal(b.p, want);
    buf_done(&b);
}

static void a_modern_call_carries_version_capabilities_and_trace_in_meta(void **state)
{
    (void)state;
    written(
        &(struct wire_request){.era = WIRE_ERA_MODERN,
                               .version = STR(WIRE_MODERN),
                               .method = "tools/call",
                               .id = STR("00f067aa0ba902b7"),
                               .name = STR("look\"up"),
                               .arguments = STR("{\"a\":9007199254740993}"),
                               .traceparent = STR("00-t-s-01"),
                               .progress = true},
        "{\"jsonrpc\":\"2.0\",\"id\":\"00f067aa0ba902b7\",\"method\":\"tools/"
        "call\",\"params\":{\"name\":\"look\\\"up\","
        "\"arguments\":{\"a\":9007199254740993},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientInfo\":" CLIENT ",\"io.modelcontextprotocol/clientCapabilities\":{},"
        "\"traceparent\":\"00-t-s-01\",\"progressToken\":\"00f067aa0ba902b7\"}}}");
}

static void a_legacy_call_has_nothing_in_meta_but_its_trace_and_what_progress_needs(void **state)
{
    (void)state;
    struct wire_request r = {.era = WIRE_ERA_LEGACY,
                             .method = "tools/call",
                             .id = STR("1"),
                             .name = STR("t"),
                             .arguments = STR("{}"),
                             .traceparent = STR("00-t-s-01")};
    written(&r,
            "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":{},"
            "\"_meta\":{\"traceparent\":\"00-t-s-01\"}}}");
    r.progress = true;
    r.tracestate = STR("a=1");
    written(&r,
            "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":{},"
            "\"_meta\":{\"traceparent\":\"00-t-s-01\",\"tracestate\":\"a=1\",\"progressToken\":\"1\"}}}");
}

static void initialize_declares_no_capability_that_is_not_there(void **state)
{
    (void)state;
    written(
        &(struct wire_request){.era = WIRE_ERA_LEGACY, .method = "initialize", .id = STR("1")},
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
        "\"capabilities\":{},\"clientInfo\":" CLIENT "}}");
}

static void cursors_are_handed_back_as_they_came(void **state)
{
    (void)state;
    written(
        &(struct wire_request){.era = WIRE_ERA_LEGACY, .method = "tools/list", .id = STR("1"), .cursor = STR("a\"\n")},
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"tools/list\",\"params\":{\"cursor\":\"a\\\"\\n\"}}");
}

struct heard {
    struct arena arena;
    struct json doc;
    struct wire_message m;
    char *text;
};

static void hear(struct heard *h, const char *text)
{
    struct fault f;
    h->text = quotes(strdup(text));
    arena_init(&h->arena, 1u << 20);
    if (json_parse(&h->doc, str_of(h->text), &h->arena, NULL, &f))
        fail_msg("%s: %s", text, f.text);
    wire_read(&h->doc, &h->arena, &h->m);
}

static void hear_done(struct heard *h)
{
    arena_done(&h->arena);
    free(h->text);
}

static void is_kind(const char *text, enum wire_kind want)
{
    struct heard h;
    hear(&h, text);
    if (h.m.kind != want)
        fail_msg("%s: kind %d, wanted %d", text, (int)h.m.kind, (int)want);
    hear_done(&h);
}

static void messages_of_a_server_are_told_apart(void **state)
{
    (void)state;
    is_kind("{'jsonrpc':'2.0','id':'a','result':{}}", WIRE_ANSWER);
    is_kind("{'jsonrpc':'2.0','id':'a','error':{'code':1,'message':'m'}}", WIRE_ANSWER);
    is_kind("{'jsonrpc':'2.0','id':5,'method':'ping'}", WIRE_ASKS);
    is_kind("{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'a','progress':1}}",
            WIRE_PROGRESS);
    is_kind("{'jsonrpc':'2.0','method':'notifications/message','params':{'level':'info','data':'x'}}", WIRE_SAID);
    is_kind("{'jsonrpc':'2.0','method':'notifications/elicitation/complete','params':{'elicitationId':'e'}}",
            WIRE_COMPLETED);
    is_kind("{'jsonrpc':'2.0','method':'notifications/elicitation/complete','params':{}}", WIRE_OTHER);
    is_kind("{'jsonrpc':'2.0','method':'notifications/tools/list_changed'}", WIRE_CHANGED);
    is_kind("{'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'a:b'}}", WIRE_UPDATED);
    is_kind("{'jsonrpc':'2.0','method':'notifications/invented','params':{}}", WIRE_OTHER);
}

static void what_is_no_message_means_nothing(void **state)
{
    (void)state;
    is_kind("[]", WIRE_OTHER);
    is_kind("7", WIRE_OTHER);
    is_kind("{'id':'a','result':{}}", WIRE_OTHER);
    is_kind("{'jsonrpc':'2.0','id':'a'}", WIRE_OTHER);
    is_kind("{'jsonrpc':'2.0','id':'a','result':7}", WIRE_OTHER);
    is_kind("{'jsonrpc':'2.0','id':'a','result':{},'error':{}}", WIRE_OTHER);
    is_kind("{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'a','progress':'1'}}",
            WIRE_OTHER);
}

static void ids_of_ours_are_strings_and_nothing_else_matches_them(void **state)
{
    (void)state;
    struct heard h;
    hear(&h, "{'jsonrpc':'2.0','id':'\\u0061b','result':{'x':1}}");
    assert_true(str_is(h.m.id, "ab"));
    assert_true(h.m.result && !h.m.error);
    hear_done(&h);
    hear(&h, "{'jsonrpc':'2.0','id':7,'result':{}}"); /* an answer, but to nobody here */
    assert_null(h.m.id.p);
    hear_done(&h);
    hear(&h, "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':7,'progress':1}}");
    assert_null(h.m.id.p);
    hear_done(&h);
}

static void progress_keeps_its_numbers(void **state)
{
    (void)state;
    struct heard h;
    hear(&h, "{'jsonrpc':'2.0','method':'notifications/progress','params':{'progressToken':'a','progress':0.50,"
             "'total':1e3,'message':'half'}}");
    assert_true(str_is(h.m.progress, "0.50"));
    assert_true(str_is(h.m.total, "1e3"));
    assert_true(str_is(h.m.text, "half"));
    hear_done(&h);
}

static void replied(const char *asked, const char *want)
{
    struct heard h;
    struct buf b;
    hear(&h, asked);
    buf_init(&b, 4096);
    wire_write_reply(&b, &h.m);
    buf_char(&b, 0);
    assert_string_equal(b.p, want);
    buf_done(&b);
    hear_done(&h);
}

static void a_server_that_asks_gets_a_pong_or_a_no(void **state)
{
    (void)state;
    replied("{'jsonrpc':'2.0','id':5,'method':'ping'}", "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}");
    replied("{'jsonrpc':'2.0','id':'s','method':'sampling/createMessage','params':{}}",
            "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"error\":{\"code\":-32601,\"message\":\"this client declared no such "
            "capability\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_modern_call_carries_version_capabilities_and_trace_in_meta),
        cmocka_unit_test(a_legacy_call_has_nothing_in_meta_but_its_trace_and_what_progress_needs),
        cmocka_unit_test(initialize_declares_no_capability_that_is_not_there),
        cmocka_unit_test(cursors_are_handed_back_as_they_came),
        cmocka_unit_test(messages_of_a_server_are_told_apart),
        cmocka_unit_test(what_is_no_message_means_nothing),
        cmocka_unit_test(ids_of_ours_are_strings_and_nothing_else_matches_them),
        cmocka_unit_test(progress_keeps_its_numbers),
        cmocka_unit_test(a_server_that_asks_gets_a_pong_or_a_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

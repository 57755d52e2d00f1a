/* What is a JSON-RPC message of MCP, and what is none. */
#include "message.h"

static void refused(const char *text, const char *says)
{
    struct message m;
    assert_int_equal(message_read(&m, text), ERR_INVALID);
    if (!strstr(m.fault.text, says))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, m.fault.text, says);
    message_done(&m);
}

static void a_request_has_an_id_and_a_notification_has_none(void **state)
{
    (void)state;
    struct message m;
    assert_int_equal(message_read(&m, "{'jsonrpc':'2.0','id':7,'method':'tools/list'}"), ERR_OK);
    assert_int_equal(m.rpc.kind, RPC_REQUEST);
    assert_true(str_is(m.rpc.id, "7"));
    assert_true(str_is(m.rpc.method, "tools/list"));
    message_done(&m);
    assert_int_equal(message_read(&m, "{'jsonrpc':'2.0','method':'notifications/initialized'}"), ERR_OK);
    assert_int_equal(m.rpc.kind, RPC_NOTIFICATION);
    message_done(&m);
}

static void an_id_keeps_its_type_and_its_bytes(void **state)
{
    (void)state;
    static const char *const ids[] = {"0", "-1", "9007199254740993", "'a'", "''", "'1'", "'\\u0061'"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct message m;
        char text[128], want[32];
        snprintf(text, sizeof(text), "{'jsonrpc':'2.0','id':%s,'method':'ping'}", ids[i]);
        snprintf(want, sizeof(want), "%s", ids[i]);
        assert_int_equal(message_read(&m, text), ERR_OK);
        assert_int_equal(m.rpc.kind, RPC_REQUEST);
        assert_true(str_is(m.rpc.id, quotes(want)));
        message_done(&m);
    }
}

static void an_id_is_never_null_a_fraction_a_container_or_huge(void **state)
{
    (void)state;
    char text[400], id[300];
    refused("{'jsonrpc':'2.0','id':null,'method':'ping'}", "id must be");
    refused("{'jsonrpc':'2.0','id':1.5,'method':'ping'}", "id must be");
    refused("{'jsonrpc':'2.0','id':1e3,'method':'ping'}", "id must be");
    refused("{'jsonrpc':'2.0','id':true,'method':'ping'}", "id must be");
    refused("{'jsonrpc':'2.0','id':['a'],'method':'ping'}", "id must be");
    refused("{'jsonrpc':'2.0','id':{},'method':'ping'}", "id must be");
    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = 0;
    snprintf(text, sizeof(text), "{'jsonrpc':'2.0','id':'%s','method':'ping'}", id);
    refused(text, "longer than 256");
}

static void a_batch_is_refused_with_a_word_about_it(void **state)
{
    (void)state;
    refused("[{'jsonrpc':'2.0','id':1,'method':'ping'}]", "batches");
    refused("[]", "batches");
    refused("'ping'", "must be an object");
}

static void what_is_no_jsonrpc_message_is_refused(void **state)
{
    (void)state;
    refused("{'id':1,'method':'ping'}", "jsonrpc");
    refused("{'jsonrpc':'1.0','id':1,'method':'ping'}", "jsonrpc");
    refused("{'jsonrpc':2.0,'id':1,'method':'ping'}", "jsonrpc");
    refused("{'jsonrpc':'2.0','id':1}", "needs a method");
    refused("{'jsonrpc':'2.0','id':1,'method':7}", "method must be a string");
    refused("{'jsonrpc':'2.0','id':1,'method':'ping','result':{}}", "neither result nor error");
    refused("{'jsonrpc':'2.0','result':{}}", "needs a method");
}

static void params_and_meta_are_objects(void **state)
{
    (void)state;
    struct message m;
    assert_int_equal(message_read(&m, "{'jsonrpc':'2.0','id':1,'method':'ping','params':[1]}"), ERR_PARAMS);
    message_done(&m);
    assert_int_equal(message_read(&m, "{'jsonrpc':'2.0','id':1,'method':'ping','params':{'_meta':'x'}}"), ERR_PARAMS);
    assert_true(str_is(m.rpc.id, "1")); /* so that the error can carry it */
    message_done(&m);
}

static void a_response_is_told_apart(void **state)
{
    (void)state;
    struct message m;
    assert_int_equal(message_read(&m, "{'jsonrpc':'2.0','id':1,'result':{}}"), ERR_OK);
    assert_int_equal(m.rpc.kind, RPC_RESPONSE);
    message_done(&m);
}

static void an_error_carries_both_codes_and_the_id_as_it_came(void **state)
{
    (void)state;
    struct buf b;
    struct fault f;
    buf_init(&b, 4096);
    fault_set(&f, ERR_METHOD, "there is no method \"x\" here");
    rpc_error(&b, STR("\"a\""), -32601, &f, "00112233", STR(",\"more\":1"));
    buf_char(&b, 0);
    assert_string_equal(
        b.p, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32601,\"message\":\"there is no method "
             "\\\"x\\\" here\",\"data\":{\"code\":\"method_not_found\",\"traceId\":\"00112233\",\"more\":1}}}");
    buf_clear(&b);
    rpc_error(&b, STR_NONE, -32601, &f, NULL, STR_NONE); /* nobody could read its id: it has none */
    assert_null(memmem(b.p, b.n, "\"id\"", 4));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_an_id_and_a_notification_has_none),
        cmocka_unit_test(an_id_keeps_its_type_and_its_bytes),
        cmocka_unit_test(an_id_is_never_null_a_fraction_a_container_or_huge),
        cmocka_unit_test(a_batch_is_refused_with_a_word_about_it),
        cmocka_unit_test(what_is_no_jsonrpc_message_is_refused),
        cmocka_unit_test(params_and_meta_are_objects),
        cmocka_unit_test(a_response_is_told_apart),
        cmocka_unit_test(an_error_carries_both_codes_and_the_id_as_it_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

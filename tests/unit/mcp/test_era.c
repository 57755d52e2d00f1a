/* Which revision a request speaks, and headers against the body. */
#include "message.h"

#define META                                                                                                           \
    "'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28','io.modelcontextprotocol/clientCapabilities':{}}"
#define LIST "{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{" META "}}"
#define CALL "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'desk__lookup'," META "}}"

/* Header names and values in turn, NULL-ended. */
static enum err judge(struct message *m, enum era *ret, const char *text, const char *const *headers)
{
    assert_int_equal(message_read(m, text), ERR_OK);
    for (; *headers; headers += 2)
        message_header(m, headers[0], headers[1]);
    *ret = ERA_NONE;
    return era_of(&m->head, &m->doc, &m->rpc, &m->arena, ret, &m->fault);
}
#define HEADERS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_HEADERS   ((const char *const[]){NULL})

static void is_era(const char *text, const char *const *headers, enum era want)
{
    struct message m;
    enum era era;
    enum err e = judge(&m, &era, text, headers);
    if (e)
        fail_msg("%s: refused: %s", text, m.fault.text);
    assert_int_equal(era, want);
    message_done(&m);
}

static void refused(const char *text, const char *const *headers, enum err want, const char *says)
{
    struct message m;
    enum era era;
    enum err e = judge(&m, &era, text, headers);
    if (e != want || !strstr(m.fault.text, says))
        fail_msg("%s: %s: \"%s\", wanted %s: \"%s\"", text, err_code(e), e ? m.fault.text : "", err_code(want), says);
    assert_int_equal(era, ERA_NONE);
    message_done(&m);
}

static void a_modern_request_says_so_in_meta_and_headers(void **state)
{
    (void)state;
    is_era(LIST, HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/list"), ERA_MODERN);
    is_era(LIST, HEADERS("mcp-protocol-version", "2026-07-28", "MCP-METHOD", "tools/list"), ERA_MODERN);
    is_era(CALL, HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "desk__lookup"),
           ERA_MODERN);
}

static void without_meta_it_is_a_legacy_request(void **state)
{
    (void)state;
    static const char list[] = "{'jsonrpc':'2.0','id':1,'method':'tools/list'}";
    is_era(list, NO_HEADERS, ERA_LEGACY);
    is_era(list, HEADERS("MCP-Protocol-Version", "2025-11-25"), ERA_LEGACY);
    is_era(list, HEADERS("MCP-Protocol-Version", "2025-06-18"), ERA_LEGACY);
    is_era("{'jsonrpc':'2.0','id':1,'method':'initialize','params':{'protocolVersion':'2031-01-01'}}",
           HEADERS("MCP-Protocol-Version", "2031-01-01"), ERA_LEGACY); /* it negotiates */
    is_era("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{'progressToken':1}}}", NO_HEADERS,
           ERA_LEGACY);
}

static void headers_must_say_what_the_body_says(void **state)
{
    (void)state;
    refused(LIST, HEADERS("Mcp-Method", "tools/list"), ERR_HEADER_MISMATCH, "MCP-Protocol-Version is missing");
    refused(LIST, HEADERS("MCP-Protocol-Version", "2025-11-25", "Mcp-Method", "tools/list"), ERR_HEADER_MISMATCH,
            "not what _meta says");
    refused(LIST, HEADERS("MCP-Protocol-Version", "2026-07-28"), ERR_HEADER_MISMATCH, "Mcp-Method");
    refused(LIST, HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "TOOLS/LIST"), ERR_HEADER_MISMATCH,
            "Mcp-Method");
    refused(CALL, HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call"), ERR_HEADER_MISMATCH,
            "Mcp-Name is missing");
    refused(CALL, HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "desk__refund"),
            ERR_HEADER_MISMATCH, "desk__refund");
    refused(CALL,
            HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "=?base64?****?="),
            ERR_HEADER_MISMATCH, "Mcp-Name");
}

static void a_name_may_come_as_base64(void **state)
{
    (void)state;
    is_era(CALL,
           HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name",
                   "=?base64?ZGVza19fbG9va3Vw?="),
           ERA_MODERN);
}

static void unknown_revisions_are_refused_as_such(void **state)
{
    (void)state;
    refused("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{'io.modelcontextprotocol/"
            "protocolVersion':'2031-01-01','io.modelcontextprotocol/clientCapabilities':{}}}}",
            HEADERS("MCP-Protocol-Version", "2031-01-01", "Mcp-Method", "tools/list"), ERR_PROTOCOL_VERSION,
            "2031-01-01");
    refused("{'jsonrpc':'2.0','id':1,'method':'tools/list'}", HEADERS("MCP-Protocol-Version", "2024-11-05"),
            ERR_PROTOCOL_VERSION, "2024-11-05");
}

static void a_modern_request_without_its_meta_is_invalid(void **state)
{
    (void)state;
    const char *const *headers = HEADERS("MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/list");
    refused("{'jsonrpc':'2.0','id':1,'method':'tools/list'}", headers, ERR_PARAMS, "protocolVersion");
    refused("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{'io.modelcontextprotocol/"
            "clientCapabilities':{}}}}",
            headers, ERR_PARAMS, "protocolVersion");
    refused("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{'io.modelcontextprotocol/"
            "protocolVersion':'2026-07-28'}}}",
            headers, ERR_PARAMS, "clientCapabilities");
    refused("{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':{'io.modelcontextprotocol/"
            "protocolVersion':20260728}}}",
            headers, ERR_PARAMS, "must be a string");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_modern_request_says_so_in_meta_and_headers),
        cmocka_unit_test(without_meta_it_is_a_legacy_request),
        cmocka_unit_test(headers_must_say_what_the_body_says),
        cmocka_unit_test(a_name_may_come_as_base64),
        cmocka_unit_test(unknown_revisions_are_refused_as_such),
        cmocka_unit_test(a_modern_request_without_its_meta_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

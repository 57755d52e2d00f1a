/* OpenTelemetry's logs and spans: names by the conventions, ids, times and severities in the JSON of OTLP. That a
 * decoder of the published protocol reads them is checked in tests/integration/audit_export.test.mjs. */
#include "formatted.h"

#define TRACE "'traceId':'4bf92f3577b34da6a3ce929d0e0e4736'"
#define RESULT(more)                                                                                                   \
    "{'actorType':'AI_AGENT','agentId':'agt_1','agentType':'support','agentVersion':'2'," EVENT(                       \
        "TOOL_RESULT") ",'intentSeq':6,'latencyMs':12.5,'method':'tools/"                                              \
                       "call','parentSpanId':'00f067aa0ba902b7','sessionId':'sess_1',"                                 \
                       "'spanId':'1111111111111111','toolName':'orders/look'," TRACE ",'triggerUserId':'alice'" more   \
                       "}"

static void a_call_that_went_well_is_a_span_of_the_server_kind_named_by_its_tool(void **state)
{
    (void)state;
    char *o = formatted(&format_spans, RESULT(",'result':'success'"));
    says(o, "{'traceId':'4bf92f3577b34da6a3ce929d0e0e4736','spanId':'1111111111111111','parentSpanId':"
            "'00f067aa0ba902b7','flags':768,'name':'tools/call orders/look','kind':2,'startTimeUnixNano':"
            "'1795543200237500000','endTimeUnixNano':'1795543200250000000'");
    says(o, "{'key':'mcp.method.name','value':{'stringValue':'tools/call'}}");
    says(o, "{'key':'gen_ai.operation.name','value':{'stringValue':'execute_tool'}}");
    says(o, "{'key':'gen_ai.tool.name','value':{'stringValue':'orders/look'}}");
    says(o, "{'key':'gen_ai.agent.id','value':{'stringValue':'agt_1'}}");
    says(o, "{'key':'session.id','value':{'stringValue':'sess_1'}}");
    says(o, "{'key':'doorward.seq','value':{'intValue':'7'}}");
    says(o, "'status':{}");
    says_not(o, "error.type");
    free(o);
}

static void a_failure_says_of_what_kind_and_why(void **state)
{
    (void)state;
    char *o = formatted(&format_spans, RESULT(",'code':'upstream_timeout','policyDecision':{'reason':'too late'},"
                                              "'result':'timeout'"));
    says(o, "{'key':'error.type','value':{'stringValue':'upstream_timeout'}}");
    says(o, "'status':{'code':2,'message':'too late'}");
    free(o);
    o = formatted(&format_spans, RESULT(",'result':'failure'"));
    says(o, "{'key':'error.type','value':{'stringValue':'tool_error'}}");
    free(o);
}

static void without_arguments_a_span_does_not_quote_one_either(void **state)
{
    static const char entry[] = RESULT(",'code':'schema_mismatch','parameters':{'n':'x'},'policyDecision':{'reason':"
                                       "'n must be a number, but is \\\"x\\\"'},'result':'denied'");
    static const struct sink_format_how with = {.arguments = true};
    (void)state;
    char *o = formatted(&format_spans, entry);
    says(o, "'message':'n must be a number'");
    says_not(o, "arguments");
    free(o);
    o = formatted_how(&format_spans, &with, 7, entry);
    says(o, "{'key':'gen_ai.tool.call.arguments','value':{'kvlistValue':{'values':[{'key':'n','value':{'stringValue':"
            "'x'}}]}}}");
    says(o, "'message':'n must be a number, but is \\\"x\\\"'");
    free(o);
}

static void an_outcome_has_the_arguments_of_the_intent_that_went_by_before(void **state)
{
    struct sink_format_how how = {.arguments = true, .intents = sink_intents_new(1 << 20)};
    (void)state;
    assert_null(
        formatted_how(&format_spans, &how, 6, "{" EVENT("TOOL_CALL") ",'parameters':{'id':[1,2.5,true,null]}}"));
    char *o = formatted_how(&format_spans, &how, 7, RESULT(",'result':'success'"));
    says(o,
         "{'key':'id','value':{'arrayValue':{'values':[{'intValue':'1'},{'doubleValue':2.5},{'boolValue':true},{}]}}}");
    free(o);
    sink_intents_free(how.intents);
}

static void intents_that_are_too_many_make_room_for_new_ones(void **state)
{
    struct sink_format_how how = {.arguments = true, .intents = sink_intents_new(64)};
    (void)state;
    assert_null(
        formatted_how(&format_spans, &how, 6, "{" EVENT("TOOL_CALL") ",'parameters':{'first':'aaaaaaaaaaaaaaaa'}}"));
    for (uint64_t i = 0; i < 5000; i++)
        assert_null(formatted_how(&format_spans, &how, 100 + i, "{" EVENT("TOOL_CALL") ",'parameters':{'n':1}}"));
    char *o = formatted_how(&format_spans, &how, 7, RESULT(",'result':'success'"));
    says_not(o, "arguments");
    free(o);
    sink_intents_free(how.intents);
}

static void only_the_end_of_a_call_is_a_span(void **state)
{
    (void)state;
    assert_null(formatted(&format_spans, "{" EVENT("CONFIG_RELOADED") "}"));
    assert_null(formatted(&format_spans,
                          "{" EVENT("TOOL_CALL") ",'method':'tools/call','spanId':'1111111111111111'," TRACE "}"));
    assert_null(formatted(&format_spans,
                          "{" EVENT("TOOL_RESULT") ",'latencyMs':1,'method':'tools/call','result':'success',"
                                                   "'spanId':'0000000000000000'," TRACE "}"));
    assert_null(formatted(&format_spans,
                          "{" EVENT("TOOL_RESULT") ",'latencyMs':1,'method':'tools/call','result':'success',"
                                                   "'spanId':'1111111111111111','traceId':'nonsense'}"));
}

static void a_log_record_has_a_line_a_severity_and_all_members(void **state)
{
    (void)state;
    char *o =
        formatted(&format_logs, "{'actorType':'AI_AGENT','agentId':'agt_1','claims':{'tokens':9007199254740993}," EVENT(
                                    "TOOL_DENIED") ",'method':'tools/call','policyDecision':{'allowed':false,"
                                                   "'reason':'no\\nway'},'result':'denied','spanId':"
                                                   "'1111111111111111','toolName':'orders/refund'," TRACE "}");
    says(o, "'timeUnixNano':'1795543200250000000'");
    says(o, "'severityNumber':13,'severityText':'WARN','eventName':'doorward.TOOL_DENIED','body':{'stringValue':"
            "'TOOL_DENIED orders/refund by agt_1: denied, no\\nway'}");
    says(o, "{'key':'doorward.claims','value':{'kvlistValue':{'values':[{'key':'tokens','value':{'intValue':"
            "'9007199254740993'}}]}}}");
    says(o, "{'key':'gen_ai.tool.name','value':{'stringValue':'orders/refund'}}");
    says(o, "'traceId':'4bf92f3577b34da6a3ce929d0e0e4736','spanId':'1111111111111111'}");
    free(o);
}

static void times_that_otlp_cannot_hold_are_its_bounds(void **state)
{
    (void)state;
    char *o = formatted(&format_logs, "{'event':'KILL','timestamp':'0001-01-01T00:00:00Z'}");
    says(o, "'timeUnixNano':'0'");
    free(o);
    o = formatted(&format_logs, "{'event':'KILL','timestamp':'9999-01-01T00:00:00Z'}");
    says(o, "'timeUnixNano':'9223372036854000000'");
    free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_went_well_is_a_span_of_the_server_kind_named_by_its_tool),
        cmocka_unit_test(a_failure_says_of_what_kind_and_why),
        cmocka_unit_test(without_arguments_a_span_does_not_quote_one_either),
        cmocka_unit_test(an_outcome_has_the_arguments_of_the_intent_that_went_by_before),
        cmocka_unit_test(intents_that_are_too_many_make_room_for_new_ones),
        cmocka_unit_test(only_the_end_of_a_call_is_a_span),
        cmocka_unit_test(a_log_record_has_a_line_a_severity_and_all_members),
        cmocka_unit_test(times_that_otlp_cannot_hold_are_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

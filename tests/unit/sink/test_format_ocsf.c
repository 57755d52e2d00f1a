/* OCSF API Activity: who acted, what for, what was decided. That it is what the published schema wants is checked in
 * tests/integration/audit_export.test.mjs. */
#include "formatted.h"

static void a_refused_call_is_a_blocked_use_of_an_api_by_an_application_for_a_user(void **state)
{
    (void)state;
    char *o = formatted(
        &format_ocsf,
        "{'actorType':'AI_AGENT','agentId':'agt_1','agentType':'support','code':'tool_denied','context':{'source':"
        "'192.0.2.7'}," EVENT("TOOL_DENIED") ",'latencyMs':1.5,'method':'tools/call','parameters':{'amount':9},"
                                             "'parentSpanId':'00f067aa0ba902b7','policyDecision':{'allowed':false,'"
                                             "policies':['no-refunds'],'reason':'a "
                                             "\\\"policy\\\"','stage':'policy'},'policyVersion':'ab12','result':'"
                                             "denied','sessionId':'sess_1','spanId':"
                                             "'1111111111111111','toolName':'orders/"
                                             "refund','traceId':'4bf92f3577b34da6a3ce929d0e0e4736','triggerUserId':"
                                             "'alice'}");
    says(o, "'activity_id':99,'activity_name':'Invoke','category_uid':6");
    says(o, "'class_uid':6003");
    says(o, "'type_uid':600399,'type_name':'API Activity: Other','severity_id':3,'severity':'Medium','status_id':2,"
            "'status':'Failure'");
    says(o, "'time':1795543200250");
    says(o, "'actor':{'app_uid':'agt_1','app_name':'support','user':{'uid':'alice','type_id':1,'type':'User'},"
            "'session':{'uid':'sess_1'");
    says(o, "'src_endpoint':{'ip':'192.0.2.7','uid':'agt_1'},'dst_endpoint':{'svc_name':'orders'}");
    says(o, "'api':{'operation':'tools/call','service':{'name':'orders'},'request':{'uid':'1111111111111111','data':"
            "{'amount':9}},'response':{'message':'denied','error':'tool_denied','error_message':'a \\\"policy\\\"'}}");
    says(o, "'resources':[{'name':'orders/refund','type':'MCP tool'");
    says(o, "'action_id':2,'action':'Denied','disposition_id':2,'disposition':'Blocked','authorizations':[{'decision':"
            "'Denied','policy':{'uid':'no-refunds','version':'ab12'}}]");
    says(o, "'trace':{'uid':'4bf92f3577b34da6a3ce929d0e0e4736','span':{'uid':'1111111111111111','parent_uid':"
            "'00f067aa0ba902b7','operation':'tools/call','start_time':1795543200249,'end_time':1795543200250");
    free(o);
}

static void what_an_operator_does_is_done_by_a_user_to_an_agent(void **state)
{
    (void)state;
    char *o = formatted(
        &format_ocsf,
        "{'actor':'eve','actorType':'HUMAN','agentId':'agt_1','details':{'why':'x'}," EVENT("AGENT_DISABLED") "}");
    says(o, "'activity_id':3,'activity_name':'Update'");
    says(o, "'status_id':1");
    says(o, "'actor':{'user':{'name':'eve','type_id':2,'type':'Admin'}}");
    says(o, "'api':{'operation':'AGENT_DISABLED','service':{'name':'doorward'}}");
    says(o, "'resources':[{'uid':'agt_1','type':'AI agent'");
    says(o, "'unmapped':{'actorType':'HUMAN','details':{'why':'x'}}");
    free(o);
}

static void what_the_class_has_no_place_for_goes_along_and_nothing_that_is_null(void **state)
{
    (void)state;
    char *o = formatted(&format_ocsf, "{'actorType':'AI_AGENT','approver':null,'chain':{'left':3}," EVENT(
                                          "TOOL_RESULT") ",'intentSeq':6,'result':'unknown','zebra':[1,'\\u0000']}");
    says(o, "'unmapped':{'actorType':'AI_AGENT','chain':{'left':3},'intentSeq':6,'result':'unknown','zebra':[1,"
            "'\\u0000']}");
    says(o, "'status_id':0,'status':'Unknown'");
    free(o);
}

static void an_event_that_is_not_known_yet_has_a_form_too(void **state)
{
    (void)state;
    char *o = formatted(&format_ocsf, "{'actorType':'SYSTEM'," EVENT("SOMETHING_NEW") "}");
    says(o, "'activity_id':99,'activity_name':'Other'");
    says(o, "'actor':{'app_name':'doorward','app_uid':'doorward'}");
    says(o, "'src_endpoint':{'svc_name':'doorward'}");
    free(o);
}

static void what_is_no_entry_has_no_form(void **state)
{
    (void)state;
    assert_null(formatted(&format_ocsf, "[]"));
    assert_null(formatted(&format_ocsf, "{'event':'KILL'}"));
    assert_null(formatted(&format_ocsf, "{'event':1,'timestamp':'2026-11-24T18:00:00Z'}"));
    assert_null(formatted(&format_ocsf, "{'event':'KILL','timestamp':'yesterday'}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_call_is_a_blocked_use_of_an_api_by_an_application_for_a_user),
        cmocka_unit_test(what_an_operator_does_is_done_by_a_user_to_an_agent),
        cmocka_unit_test(what_the_class_has_no_place_for_goes_along_and_nothing_that_is_null),
        cmocka_unit_test(an_event_that_is_not_known_yet_has_a_form_too),
        cmocka_unit_test(what_is_no_entry_has_no_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

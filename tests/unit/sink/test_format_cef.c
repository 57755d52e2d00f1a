/* ArcSight CEF: the header, the escapes of header and extension, the dictionary's keys and lengths. */
#include "formatted.h"

static void a_line_is(const char *entry, const char *want)
{
    char *line = formatted(&format_cef, entry), *expected = quotes(strdup(want));
    char *version = strstr(expected, "VERSION");
    if (version) {
        char *whole = malloc(strlen(expected) + 64);
        sprintf(whole, "%.*s" DOORWARD_VERSION "%s", (int)(version - expected), expected, version + strlen("VERSION"));
        free(expected);
        expected = whole;
    }
    assert_string_equal(line, expected);
    free(line);
    free(expected);
}

static void a_refused_call_is_one_line_with_the_keys_of_the_dictionary(void **state)
{
    (void)state;
    a_line_is(
        "{'actorType':'AI_AGENT','agentId':'agt_1','agentType':'support','code':'tool_denied','context':{'source':"
        "'192.0.2.7'},'details':{'k':1},'digest':'ab'," EVENT(
            "TOOL_DENIED") ",'latencyMs':1.25,'method':"
                           "'tools/"
                           "call','parameters':{'a':1},'policyDecision':{'allowed':false,'policies':['p1'],'reason':'"
                           "no'},"
                           "'result':'denied','resultBytes':12,'intentSeq':3,'sessionId':'sess_1','toolName':'orders/"
                           "refund',"
                           "'traceId':'4bf9','triggerUserId':'alice'}",
        "CEF:0|Doorward|Doorward|VERSION|TOOL_DENIED|Tool call refused|5|rt=1795543200250 start=1795543200249 "
        "end=1795543200250 externalId=7 cat=AI_AGENT suser=agt_1 duser=alice sourceServiceName=support "
        "src=192.0.2.7 act=denied outcome=failure reason=tool_denied request=orders/refund "
        "requestMethod=tools/call destinationServiceName=orders cs1Label=Session cs1=sess_1 cs2Label=Trace "
        "cs2=4bf9 cs3Label=Policies cs3=['p1'] cs4Label=Parameters cs4={'a':1} cs5Label=Digest cs5=ab "
        "cs6Label=Details cs6={'k':1} cn1Label=Intent cn1=3 cn2Label=ResultBytes cn2=12 cfp1Label=LatencyMs "
        "cfp1=1.250 msg=TOOL_DENIED orders/refund by agt_1 for alice: denied, no (tool_denied)");
}

static void pipes_and_backslashes_are_escaped_in_the_header_equal_signs_and_line_ends_in_values(void **state)
{
    (void)state;
    a_line_is("{'actor':'a|b=c\\\\d\\r\\ne\\u0001f','actorType':'HUMAN','event':'A|B\\\\C\\nD=E','timestamp':"
              "'2026-11-24T18:00:00Z'}",
              "CEF:0|Doorward|Doorward|VERSION|A\\|B\\\\C D=E|Event|1|rt=1795543200000 externalId=7 cat=HUMAN "
              "suser=a|b\\=c\\\\d\\r\\ne f outcome=unknown msg=A|B\\\\C\\nD\\=E by a|b\\=c\\\\d\\r\\ne f");
}

static void an_address_of_ipv6_has_a_key_of_its_own(void **state)
{
    (void)state;
    char *line =
        formatted(&format_cef, "{'actorType':'AI_AGENT','context':{'source':'2001:db8::1'}," EVENT("TOOL_CALL") "}");
    assert_non_null(strstr(line, " c6a2Label=Source IPv6 Address c6a2=2001:db8::1"));
    assert_null(strstr(line, " src="));
    free(line);
}

static void a_value_that_is_too_long_for_its_key_is_cut_at_a_character(void **state)
{
    char entry[8192] = "{'actorType':'AI_AGENT'," EVENT("TOOL_CALL") ",'parameters':'";
    (void)state;
    for (int i = 0; i < 2500; i++)
        strcat(entry, "\xc3\xa9"); /* é: two bytes, one character */
    strcat(entry, "','toolName':'t'}");
    char *line = formatted(&format_cef, entry);
    assert_non_null(strstr(line, "\xc3\xa9\xc3\xa9\" "));
    free(line);
    entry[strlen("{'actorType':'AI_AGENT'," EVENT("TOOL_CALL") ",'parameters':'")] = 0;
    for (int i = 0; i < 4100; i++)
        strcat(entry, "x");
    strcat(entry, "','toolName':'t'}");
    line = formatted(&format_cef, entry);
    char *at = strstr(line, "cs4="), *end = strchr(at, ' ');
    assert_int_equal(end - at - 4, 4000);
    free(line);
}

static void an_operator_is_the_user_and_the_agent_the_one_it_was_done_to(void **state)
{
    (void)state;
    char *line = formatted(&format_cef, "{'actor':'eve','actorType':'HUMAN','agentId':'agt_1'," EVENT("KILL") "}");
    assert_non_null(strstr(line, "|KILL|Stop ordered|8|"));
    assert_non_null(strstr(line, " suser=eve duid=agt_1 outcome=success"));
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_call_is_one_line_with_the_keys_of_the_dictionary),
        cmocka_unit_test(pipes_and_backslashes_are_escaped_in_the_header_equal_signs_and_line_ends_in_values),
        cmocka_unit_test(an_address_of_ipv6_has_a_key_of_its_own),
        cmocka_unit_test(a_value_that_is_too_long_for_its_key_is_cut_at_a_character),
        cmocka_unit_test(an_operator_is_the_user_and_the_agent_the_one_it_was_done_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

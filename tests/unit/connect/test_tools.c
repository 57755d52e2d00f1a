/* From a server's definitions to what the gate judges with and what agents are shown. */
#include "definitions.h"

static void a_tool_has_one_name_for_each_door(void **state)
{
    (void)state;
    struct shelf s;
    shelf_init(&s, "desk");
    struct tool_set *set =
        shelf_tools(&s, "[" TOOL_WITH("lookup", "'title':'Look','execution':{'taskSupport':'required'},"
                                                "'_meta':{'x':1}") "]");
    const struct tool *t = &set->tool[0];
    assert_true(str_is(t->id, "desk/lookup"));
    assert_true(str_is(t->exposed, "desk__lookup"));
    assert_true(
        str_is(t->listed, "{\"name\":\"desk__lookup\",\"title\":\"Look\",\"inputSchema\":{\"type\":\"object\"}}"));
    assert_true(str_is(t->plain, "{\"name\":\"lookup\",\"title\":\"Look\",\"inputSchema\":{\"type\":\"object\"}}"));
    assert_non_null(t->input);
    tool_set_unref(set);
}

static void names_that_no_scope_can_carry_and_second_ones_are_left_out(void **state)
{
    (void)state;
    struct shelf s;
    char long_name[200], text[1000];
    memset(long_name, 'n', 129);
    long_name[129] = 0;
    snprintf(text, sizeof(text), "[%s,%s,%s,%s,%s,{'name':7},{},{'name':'%s','inputSchema':{'type':'object'}}]",
             TOOL("a.b-C_1"), TOOL("a b"), TOOL("a/b"), TOOL(""), TOOL("a.b-C_1"), long_name);
    shelf_init(&s, "desk");
    struct tool_set *set = shelf_tools(&s, text);
    assert_int_equal(set->count, 1);
    assert_true(str_is(set->tool[0].name, "a.b-C_1"));
    tool_set_unref(set);
}

static void the_hash_follows_the_meaning_of_a_definition_not_its_bytes(void **state)
{
    (void)state;
    struct shelf s;
    shelf_init(&s, "desk");
    struct tool_set *one = shelf_tools(&s, "[" TOOL_WITH("t", "'description':'d'") "]"),
                    *same =
                        shelf_tools(&s, "[{ 'description':'\\u0064', 'inputSchema': {'type' :'object'}, 'name':'t'}]"),
                    *other = shelf_tools(&s, "[" TOOL_WITH("t", "'description':'D'") "]");
    assert_string_equal(one->tool[0].hash, same->tool[0].hash);
    assert_string_not_equal(one->tool[0].hash, other->tool[0].hash);
    tool_set_unref(one);
    tool_set_unref(same);
    tool_set_unref(other);
}

static void a_schema_that_cannot_be_used_closes_the_tool_and_says_why(void **state)
{
    (void)state;
    struct shelf s;
    shelf_init(&s, "desk");
    struct tool_set *set = shelf_tools(
        &s, "[{'name':'none'}," TOOL_OF("no_type", "{}") "," TOOL_OF("list", "{'type':'array'}") "," TOOL_OF(
                "remote", "{'type':'object','properties':{'a':{'$ref':'https://example.com/s.json'}}}") "]");
    assert_int_equal(set->count, 4);
    for (size_t i = 0; i < set->count; i++) {
        assert_null(set->tool[i].input);
        assert_int_equal(set->tool[i].fault.err, ERR_SCHEMA_UNUSABLE);
    }
    /* A definition that clients would choke on is not listed; one that only we cannot judge is. */
    assert_int_equal(set->tool[0].listed.n, 0);
    assert_int_equal(set->tool[1].listed.n, 0);
    assert_int_equal(set->tool[2].listed.n, 0);
    assert_true(set->tool[3].listed.n > 0);
    assert_non_null(strstr(set->tool[3].fault.text, "desk/remote"));
    tool_set_unref(set);
}

static void members_of_the_wrong_shape_are_not_passed_on(void **state)
{
    (void)state;
    struct shelf s;
    shelf_init(&s, "desk");
    struct tool_set *set =
        shelf_tools(&s, "[" TOOL_WITH("t", "'title':1,'description':['x'],'annotations':{'readOnlyHint':'yes'},"
                                           "'icons':[{'sizes':'any'}],'outputSchema':true") "]");
    assert_true(str_is(set->tool[0].plain, "{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\"}}"));
    tool_set_unref(set);
}

static void legacy_clients_see_outputs_of_objects_only(void **state)
{
    (void)state;
    struct shelf s;
    shelf_init(&s, "desk");
    struct tool_set *set = shelf_tools(&s, "[" TOOL_WITH("list", "'outputSchema':{'type':'array'}") "," TOOL_WITH(
                                               "thing", "'outputSchema':{'type':'object'}") "]");
    assert_non_null(memmem(set->tool[0].listed.p, set->tool[0].listed.n, "outputSchema", 12));
    assert_null(memmem(set->tool[0].listed_legacy.p, set->tool[0].listed_legacy.n, "outputSchema", 12));
    assert_null(memmem(set->tool[0].plain_legacy.p, set->tool[0].plain_legacy.n, "outputSchema", 12));
    assert_non_null(memmem(set->tool[1].listed_legacy.p, set->tool[1].listed_legacy.n, "outputSchema", 12));
    tool_set_unref(set);
}

static void an_output_schema_that_cannot_be_used_is_not_shown_and_closes_nothing(void **state)
{
    (void)state;
    struct shelf s;
    shelf_init(&s, "desk");
    struct tool_set *set = shelf_tools(
        &s, "[" TOOL_WITH("fine", "'outputSchema':{'type':'object'}") "," TOOL_WITH(
                "remote", "'outputSchema':{'type':'object','$ref':'https://example.com/s.json'}") "," TOOL("none") "]");
    assert_non_null(set->tool[0].output);
    assert_null(set->tool[1].output);
    assert_non_null(set->tool[1].input);
    assert_int_equal(set->tool[1].fault.err, ERR_OK);
    assert_true(str_is(set->tool[1].plain, "{\"name\":\"remote\",\"inputSchema\":{\"type\":\"object\"}}"));
    assert_true(str_eq(set->tool[1].plain_legacy, set->tool[1].plain));
    assert_non_null(
        memmem(set->tool[1].definition.p, set->tool[1].definition.n, "outputSchema", 12)); /* pinned whole */
    assert_null(set->tool[2].output);
    tool_set_unref(set);
}

static void arguments_for_headers_are_found_along_properties(void **state)
{
    (void)state;
    struct shelf s;
    shelf_init(&s, "desk");
    struct tool_set *set = shelf_tools(
        &s,
        "[" TOOL_OF("t", "{'type':'object','properties':{'region':{'type':'string','x-mcp-header':'Region'},"
                         "'who':{'type':'object','properties':{'tenant':{'type':'integer','x-mcp-header':'Tenant'}}},"
                         "'x-mcp-header':{'type':'string'}}}") "]");
    const struct tool *t = &set->tool[0];
    assert_int_equal(t->param_count, 2);
    assert_true(str_is(t->param[0].header, "Mcp-Param-Region"));
    assert_int_equal(t->param[0].depth, 1);
    assert_true(str_is(t->param[1].header, "Mcp-Param-Tenant"));
    assert_int_equal(t->param[1].depth, 2);
    assert_true(str_is(t->param[1].path[0], "who"));
    assert_true(str_is(t->param[1].path[1], "tenant"));
    tool_set_unref(set);
}

static void a_wrong_x_mcp_header_leaves_its_tool_out_and_no_other(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{'type':'object','x-mcp-header':'Root'}",
        "{'type':'object','properties':{'a':{'type':'string','x-mcp-header':''}}}",
        "{'type':'object','properties':{'a':{'type':'string','x-mcp-header':7}}}",
        "{'type':'object','properties':{'a':{'type':'string','x-mcp-header':'a b'}}}",
        "{'type':'object','properties':{'a':{'type':'string','x-mcp-header':'a\\r\\nX: 1'}}}",
        "{'type':'object','properties':{'a':{'type':'number','x-mcp-header':'A'}}}",
        "{'type':'object','properties':{'a':{'x-mcp-header':'A'}}}",
        ("{'type':'object','properties':{'a':{'type':'string','x-mcp-header':'A'},"
         "'b':{'type':'string','x-mcp-header':'a'}}}"),
        "{'type':'object','properties':{'a':{'type':'array','items':{'type':'string','x-mcp-header':'A'}}}}",
        "{'type':'object','anyOf':[{'properties':{'a':{'type':'string','x-mcp-header':'A'}}}]}",
        "{'type':'object','$defs':{'d':{'type':'string','x-mcp-header':'A'}}}",
        "{'type':'object','if':{'properties':{'a':{'type':'string','x-mcp-header':'A'}}}}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct shelf s;
        char text[600];
        shelf_init(&s, "desk");
        snprintf(text, sizeof(text), "[{'name':'wrong','inputSchema':%s}," TOOL("right") "]", wrong[i]);
        struct tool_set *set = shelf_tools(&s, text);
        if (set->count != 1 || !str_is(set->tool[0].name, "right"))
            fail_msg("taken: %s", wrong[i]);
        tool_set_unref(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tool_has_one_name_for_each_door),
        cmocka_unit_test(names_that_no_scope_can_carry_and_second_ones_are_left_out),
        cmocka_unit_test(the_hash_follows_the_meaning_of_a_definition_not_its_bytes),
        cmocka_unit_test(a_schema_that_cannot_be_used_closes_the_tool_and_says_why),
        cmocka_unit_test(members_of_the_wrong_shape_are_not_passed_on),
        cmocka_unit_test(legacy_clients_see_outputs_of_objects_only),
        cmocka_unit_test(an_output_schema_that_cannot_be_used_is_not_shown_and_closes_nothing),
        cmocka_unit_test(arguments_for_headers_are_found_along_properties),
        cmocka_unit_test(a_wrong_x_mcp_header_leaves_its_tool_out_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

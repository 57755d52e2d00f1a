/*
 * Schemas as JSON, and schemas written again in either form
 * (https://docs.cedarpolicy.com/schema/json-schema.html).
 */
#include "schemas.h"

/* The same shop in both forms. */
static const char human[] = "type Money = {\n"
                            "  amount: Long,\n"
                            "  'in words'?: String,\n"
                            "};\n"
                            "\n"
                            "@doc(\"who buys\")\n"
                            "entity Person in [Shop::Team] {\n"
                            "  @since(\"2\")\n"
                            "  home: ipaddr,\n"
                            "  limit: Money,\n"
                            "} tags Set<String>;\n"
                            "\n"
                            "namespace Shop {\n"
                            "  entity Team;\n"
                            "\n"
                            "  entity Level enum [\"low\", \"high\"];\n"
                            "\n"
                            "  action reading;\n"
                            "\n"
                            "  action 'look up' in [reading, Shop::Action::\"refund\"] appliesTo {\n"
                            "    principal: [Person, Team],\n"
                            "    resource: [Level],\n"
                            "    context: Money,\n"
                            "  };\n"
                            "\n"
                            "  action refund;\n"
                            "}\n";
static const char json[] =
    "{'':{'commonTypes':{'Money':{'type':'Record','attributes':{'amount':{'type':'EntityOrCommon','name':'Long'},"
    "'in words':{'type':'EntityOrCommon','name':'String','required':false}}}},"
    "'entityTypes':{'Person':{'memberOfTypes':['Shop::Team'],'shape':{'type':'Record','attributes':{"
    "'home':{'type':'EntityOrCommon','name':'ipaddr','annotations':{'since':'2'}},"
    "'limit':{'type':'EntityOrCommon','name':'Money'}}},"
    "'tags':{'type':'Set','element':{'type':'EntityOrCommon','name':'String'}},'annotations':{'doc':'who buys'}}},"
    "'actions':{}},"
    "'Shop':{'entityTypes':{'Team':{},'Level':{'enum':['low','high']}},"
    "'actions':{'reading':{},"
    "'look up':{'memberOf':[{'id':'reading'},{'id':'refund','type':'Shop::Action'}],'appliesTo':{"
    "'principalTypes':['Person','Team'],'resourceTypes':['Level'],'context':{'type':'Money'}}},"
    "'refund':{}}}}";

static void assert_text(const struct cedar_schema *s, const char *says)
{
    struct buf out;
    struct fault f = {0};
    char *doubled = quotes(strdup(says));
    buf_init(&out, 1 << 16);
    assert_int_equal(cedar_schema_print(s, &out, &f), ERR_OK);
    if (!str_is(buf_view(&out), doubled))
        fail_msg("printed: " STR_FMT, STR_ARG(buf_view(&out)));
    buf_done(&out);
    free(doubled);
}

static void assert_json(const struct cedar_schema *s, const char *says)
{
    struct buf out;
    char *doubled = quotes(strdup(says));
    buf_init(&out, 1 << 16);
    struct json_out o = json_out(&out);
    cedar_schema_json(s, &o);
    if (!str_is(buf_view(&out), doubled))
        fail_msg("written: " STR_FMT, STR_ARG(buf_view(&out)));
    buf_done(&out);
    free(doubled);
}

static void both_forms_mean_the_same(void **state)
{
    (void)state;
    struct cedar_schema *a CLEANUP(cedar_schema_freep) = schema_of(human),
                           *b CLEANUP(cedar_schema_freep) = schema_of_json(json);
    assert_true(schema_same(a, b));
    assert_int_equal(a->entities, 3);
    assert_int_equal(a->actions, 3);
}

static void a_schema_is_written_as_it_was_read(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of(human);
    assert_text(s, human);
}

static void either_form_is_written_from_the_other(void **state)
{
    (void)state;
    struct cedar_schema *a CLEANUP(cedar_schema_freep) = schema_of(human),
                           *b CLEANUP(cedar_schema_freep) = schema_of_json(json);
    assert_json(a, json);
    assert_text(b, human);
}

/* ---- what only JSON can say ---- */

static void types_of_cedars_own_are_told_from_others_of_their_names(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) =
        schema_of_json("{'':{'entityTypes':{'Long':{'shape':{'type':'Record','attributes':{'a':{'type':'Long'},"
                       "'b':{'type':'Entity','name':'Long'},'c':{'type':'Extension','name':'decimal'}}}}},"
                       "'actions':{}}}");
    assert_int_equal(attr_of(s, "Long", "a")->kind, CEDAR_T_LONG);
    assert_int_equal(attr_of(s, "Long", "b")->kind, CEDAR_T_ENTITY);
    assert_text(s, "entity Long {\n  a: __cedar::Long,\n  b: Long,\n  c: decimal,\n};\n");
}

static void attributes_by_a_common_type_are_written_out(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of_json(
        "{'N':{'commonTypes':{'T':{'type':'Record','attributes':{'a':{'type':'U'},'b':{'type':'Entity','name':'B'}}},"
        "'U':{'type':'Boolean'}},'entityTypes':{'B':{}},'actions':{}},"
        "'M':{'entityTypes':{'A':{'shape':{'type':'N::T'}}},'actions':{}}}");
    assert_text(s, "namespace N {\n"
                   "  type T = {\n    a: U,\n    b: B,\n  };\n\n"
                   "  type U = Bool;\n\n"
                   "  entity B;\n"
                   "}\n\n"
                   "namespace M {\n"
                   "  entity A {\n    a: N::U,\n    b: N::B,\n  };\n"
                   "}\n");
}

static void an_entity_type_behind_a_common_type_cannot_be_printed(void **state)
{
    (void)state;
    struct buf out;
    struct fault f = {0};
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of_json(
        "{'N':{'commonTypes':{'A':{'type':'Long'}},'entityTypes':{'A':{'tags':{'type':'Entity','name':'A'}}},"
        "'actions':{}}}");
    buf_init(&out, 1 << 16);
    assert_int_equal(cedar_schema_print(s, &out, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "the entity type N::A cannot be told from the common type of the same name in the "
                                "human-readable form: expected different names");
    assert_int_equal(out.n, 0);
    buf_done(&out);
}

static void an_action_may_apply_to_nothing(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of_json(
        "{'':{'entityTypes':{'A':{}},'actions':{'go':{'appliesTo':{'principalTypes':[],'resourceTypes':['A']}}}}}");
    assert_int_equal(s->action[0].principals, 0);
    assert_text(s, "entity A;\n\naction go;\n");
}

/* ---- what an author reads ---- */

struct row {
    const char *schema, *says;
};
static const struct row faults[] = {
    {"[]", "shop:1:1: the schema is an array: expected an object"},
    {"{'': ", "shop:1:6: the text ends too early: expected JSON"},
    {"{\n'':{'entityTypes':{}}}", "shop:2:4: a namespace has no member `actions`: expected one"},
    {"{'':{'entityTypes':{},'actions':{},'types':{}}}",
     "shop:1:36: a namespace has no member `types`: expected commonTypes, entityTypes, actions, annotations"},
    {"{'in':{'entityTypes':{},'actions':{}}}",
     "shop:1:2: `in` is no name of a namespace: expected identifiers with `::` between them"},
    {"{'':{'entityTypes':{'A::B':{}},'actions':{}}}",
     "shop:1:21: `A::B` is no name for an entity type: expected an identifier that is not reserved"},
    {"{'':{'entityTypes':{'A':{'shape':null}},'actions':{}}}", "shop:1:34: a type is null: expected an object"},
    {"{'':{'entityTypes':{'A':{'shape':{'type':'Long'}}},'actions':{}}}",
     "shop:1:34: the attributes of an entity type are no record: expected `{` … `}`, or a common type that is one"},
    {"{'':{'entityTypes':{'A':{'enum':[]}},'actions':{}}}",
     "shop:1:33: `enum` lists no ids: expected an array of at least one string"},
    {"{'':{'entityTypes':{'A':{'tags':{'type':'Set'}}},'actions':{}}}",
     "shop:1:33: Set has no member `element`: expected one"},
    {"{'':{'entityTypes':{'A':{'tags':{'type':'Long','name':'x'}}},'actions':{}}}",
     "shop:1:55: the type `Long` has no member `name`: expected none"},
    {"{'':{'entityTypes':{'A':{'tags':{'type':'Extension','name':'uuid'}}},'actions':{}}}",
     "shop:1:33: the extension type `uuid` is unknown: expected decimal, ipaddr, datetime or duration"},
    {"{'':{'entityTypes':{'A':{'shape':{'type':'Record','attributes':{},'additionalAttributes':true}}},'actions':{}}}",
     "shop:1:90: `additionalAttributes` is not supported: expected false, or no such member"},
    {"{'':{'entityTypes':{},'actions':{'a':{'appliesTo':{'resourceTypes':[]}}}}}",
     "shop:1:51: `appliesTo` has no member `principalTypes`: expected one"},
    {"{'':{'entityTypes':{'decimal':{'tags':{'type':'decimal'}}},'actions':{}}}",
     "shop:1:47: `decimal` is an entity type: expected a common type, or one of Cedar's own (Bool, Long, String, "
     "decimal, "
     "ipaddr, datetime, duration)"},
    {"{'':{'entityTypes':{'A':{'tags':{'type':'long'}}},'actions':{}}}",
     "shop:1:41: `long` is not declared: expected `Long`"},
    {"{'':{'entityTypes':{},'actions':{'a':{'attributes':{}}}}}",
     "shop:1:52: actions have no attributes: expected no such member"},
    {"{'':{'entityTypes':{},'actions':{},'annotations':{'a':'b'}}}",
     "shop:1:50: the empty namespace has annotations: expected them on declarations or named namespaces"},
};

static void faults_say_where_and_what_would_be_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        char *text = quotes(strdup(faults[i].schema));
        schema_refused(cedar_schema_read, str_of(text), ERR_SYNTAX, faults[i].says);
        free(text);
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct buf text;
    struct cedar_schema *s = NULL;
    struct buf faulty;
    buf_init(&text, 1 << 20);
    buf_init(&faulty, 1 << 16);
    buf_z(&text, "{\"\":{\"commonTypes\":{\"T\":");
    for (int i = 0; i < 300; i++)
        buf_z(&text, "{\"type\":\"Set\",\"element\":");
    buf_z(&text, "{\"type\":\"Long\"}");
    for (int i = 0; i < 300; i++)
        buf_z(&text, "}");
    buf_z(&text, "},\"entityTypes\":{},\"actions\":{}}}");
    assert_int_equal(cedar_schema_read(STR("shop"), buf_view(&text), &s, &faulty), ERR_LIMIT);
    assert_true(str_ends(buf_view(&faulty), STR("types are nested too deeply: at most 256 levels are understood\n")));
    buf_done(&faulty);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_mean_the_same),
        cmocka_unit_test(a_schema_is_written_as_it_was_read),
        cmocka_unit_test(either_form_is_written_from_the_other),
        cmocka_unit_test(types_of_cedars_own_are_told_from_others_of_their_names),
        cmocka_unit_test(attributes_by_a_common_type_are_written_out),
        cmocka_unit_test(an_entity_type_behind_a_common_type_cannot_be_printed),
        cmocka_unit_test(an_action_may_apply_to_nothing),
        cmocka_unit_test(faults_say_where_and_what_would_be_right),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every keyword of both drafts, fitting and not. The public suite has the fine print; this is for whoever does not have
 * it. */
#include "judge.h"

#define D7 "'$schema':'http://json-schema.org/draft-07/schema#'"

struct row {
    const char *schema, *fits, *fails; /* either may be NULL */
};

static const struct row rows[] = {
    {"true", "1", NULL},
    {"false", NULL, "1"},
    {"{}", "{}", NULL},
    {"{'type':'integer'}", "1.0", "1.5"},
    {"{'type':'integer'}", "1e2", "1e-1"},
    {"{'type':'integer'}", "123456789012345678901234567890", "'1'"},
    {"{'type':'number'}", "1.5", "true"},
    {"{'type':['boolean','null']}", "null", "0"},
    {"{'type':['boolean','null']}", "false", "{}"},
    {"{'const':{'a':[1,2],'b':'c'}}", "{'b':'c','a':[1.0,2e0]}", "{'a':[2,1],'b':'c'}"},
    {"{'const':1}", "1.000", "true"},
    {"{'const':false}", "false", "0"},
    {"{'enum':['a',1,null,[{}],true]}", "[{}]", "[]"},
    {"{'enum':['a',1,null,[{}],true]}", "'\\u0061'", "'A'"},
    {"{'enum':['a',1,null,[{}],true]}", "null", "false"},
    {"{'enum':[]}", NULL, "1"},
    {"{'minimum':9007199254740993}", "9007199254740993", "9007199254740992"},
    {"{'maximum':1e400}", "9e399", "1.1e400"},
    {"{'exclusiveMinimum':0}", "1e-300", "0.0"},
    {"{'exclusiveMaximum':-1.5}", "-1.50001", "-1.5"},
    {"{'minimum':3}", "'no number'", "2.999999999999999999999"},
    {"{'multipleOf':0.01}", "19.99", "19.995"},
    {"{'multipleOf':0.1}", "0.3", "0.35"},
    {"{'multipleOf':1e-8}", "12391239123", "0.000000001"},
    {"{'multipleOf':3}", "3e200", "1e200"},
    {"{'multipleOf':7}", "-14", "1e-5"},
    {"{'multipleOf':2.5}", "1e1000000", "7"},
    {"{'multipleOf':123456789012345678}", "0", "1"},
    {"{'minLength':2,'maxLength':3}", "'\\ud83d\\udc32\\u00e9'", "'\\ud83d\\udc32'"},
    {"{'minLength':2,'maxLength':3}", "'abc'", "'abcd'"},
    {"{'minLength':2}", "'ab'", "'\\ud83d\\udc32'"},
    {"{'maxLength':2.0}", "'éé'", "'ééé'"},
    {"{'pattern':'b+'}", "'abbc'", "'ac'"},
    {"{'minItems':1,'maxItems':2}", "[1]", "[]"},
    {"{'minItems':1,'maxItems':2}", "{}", "[1,2,3]"},
    {"{'uniqueItems':true}", "[1,true,'1',[1],{'a':1}]", "[1,2,1.0]"},
    {"{'uniqueItems':true}", "[{'a':1,'b':2},{'a':2,'b':1}]", "[{'a':1,'b':2},{'b':2,'a':1}]"},
    {"{'uniqueItems':true}", "[0,false,'',null,[],{}]", "['a','\\u0061']"},
    {"{'uniqueItems':false}", "[1,1]", NULL},
    {"{'prefixItems':[{'type':'string'},true],'items':{'type':'null'}}", "['a',1,null]", "['a',1,1]"},
    {"{'prefixItems':[{'type':'string'}],'items':false}", "['a']", "['a','b']"},
    {"{'contains':{'const':1}}", "[0,1]", "[]"},
    {"{'contains':{'const':1},'minContains':2,'maxContains':3}", "[1,1]", "[1,0]"},
    {"{'contains':{'const':1},'minContains':2,'maxContains':3}", "[1,1,1]", "[1,1,1,1]"},
    {"{'contains':{'const':1},'minContains':0}", "[]", NULL},
    {"{'minProperties':1,'maxProperties':1}", "{'a':1}", "{}"},
    {"{'minProperties':1,'maxProperties':1}", "[]", "{'a':1,'b':2}"},
    {"{'required':['a','b','a']}", "{'b':1,'a':2}", "{'a':1}"},
    {"{'properties':{'a':{'type':'null'}},'required':['z']}", "{'z':1}", "{'a':null}"},
    {"{'properties':{'\\u0061':{'type':'null'}}}", "{'a':null}", "{'\\u0061':1}"},
    {"{'patternProperties':{'^x-':{'type':'string'}},'additionalProperties':false}", "{'x-a':'b'}", "{'x-a':1}"},
    {"{'patternProperties':{'^x-':true},'additionalProperties':false}", "{}", "{'y':1}"},
    {"{'additionalProperties':{'type':'integer'}}", "{'a':1}", "{'a':'1'}"},
    {"{'propertyNames':{'pattern':'^[a-z]+$'}}", "{'abc':1}", "{'aBc':1}"},
    {"{'dependentRequired':{'card':['address']}}", "{'card':1,'address':2}", "{'card':1}"},
    {"{'dependentSchemas':{'card':{'required':['address']}}}", "{'address':2}", "{'card':1}"},
    {"{'dependencies':{'card':['address'],'x':{'maxProperties':1}}}", "{'x':1}", "{'x':1,'y':1}"},
    {"{'allOf':[{'minimum':1},{'maximum':2}]}", "1.5", "3"},
    {"{'anyOf':[{'type':'string'},{'minimum':2}]}", "2", "1"},
    {"{'oneOf':[{'type':'integer'},{'minimum':2}]}", "1", "3"},
    {"{'oneOf':[{'type':'integer'},{'minimum':2}]}", "2.5", "1.5"},
    {"{'not':{'type':'string'}}", "1", "'1'"},
    {"{'if':{'type':'string'},'then':{'minLength':1},'else':{'minimum':1}}", "'a'", "''"},
    {"{'if':{'type':'string'},'then':{'minLength':1},'else':{'minimum':1}}", "1", "0"},
    {"{'$ref':'#/$defs/a~1b%25','minimum':2,'$defs':{'a/b%':{'type':'integer'}}}", "2", "1"},
    {"{'$ref':'#a','$defs':{'x':{'$anchor':'a','type':'integer'}}}", "2", "'2'"},
    {"{'$id':'http://x.test/r/root','$ref':'other#/$defs/"
     "s','$defs':{'o':{'$id':'other','$defs':{'s':{'type':'null'}}}}}",
     "null", "1"},
    {"{'$ref':'#/$defs/tree','$defs':{'tree':{'properties':{'l':{'$ref':'#/$defs/tree'},'v':{'type':'integer'}}}}}",
     "{'l':{'l':{'v':1}}}", "{'l':{'l':{'v':'1'}}}"},
    {"{'properties':{'a':true},'allOf':[{'properties':{'b':true}}],'unevaluatedProperties':false}", "{'a':1,'b':2}",
     "{'a':1,'c':2}"},
    {"{'anyOf':[{'properties':{'a':{'const':1}},'required':['a']},{'required':['b'],'properties':{'b':true}}],"
     "'unevaluatedProperties':false}",
     "{'a':1,'b':2}", "{'a':2,'b':2}"},
    {"{'anyOf':[{'properties':{'a':true},'dependentRequired':{'a':['b']}},true],'unevaluatedProperties':false}", "{}",
     "{'a':1}"}, /* what a misfitting alternative has seen does not count */
    {"{'if':{'properties':{'a':true},'required':['a']},'unevaluatedProperties':{'type':'null'}}", "{'a':1,'z':null}",
     "{'z':1}"},
    {"{'prefixItems':[true],'contains':{'type':'string'},'unevaluatedItems':false}", "[1,'a','b']", "[1,'a',2]"},
    {"{'not':{'not':{'properties':{'a':true}}},'unevaluatedProperties':false}", "{}", "{'a':1}"},
    {"{'$id':'http://x.test/list','$ref':'#/$defs/base','$defs':{'int':{'$dynamicAnchor':'T','type':'integer'},"
     "'base':{'$id':'base','items':{'$dynamicRef':'#T'},'$defs':{'any':{'$dynamicAnchor':'T'}}}}}",
     "[1]", "['a']"},
    {"{'format':'email','contentEncoding':'base64','x-own':1}", "'not an address'", NULL},
    {"{'$ref':'https://json-schema.org/draft/2020-12/schema'}", "{'minLength':1}", "{'minLength':-1}"},
    {"{" D7 ",'items':[{'type':'string'}],'additionalItems':false}", "['a']", "['a',1]"},
    {"{" D7 ",'items':{'type':'string'},'additionalItems':false}", "['a','b']", "['a',1]"},
    {"{" D7 ",'items':[],'additionalItems':{'type':'null'}}", "[null]", "[1]"},
    {"{" D7 ",'definitions':{'a':{'$id':'#a','type':'null'}},'$ref':'#a','minimum':3}", "null", "1"},
    {"{" D7 ",'definitions':{'a':{'type':'number'}},'allOf':[{'$ref':'#/definitions/a','minimum':3}]}", "1", "'a'"},
    {"{" D7 ",'$id':'http://x.test/a/','definitions':{'i':{'$id':'i','type':'null'},'j':{'$id':'b/i','type':'string'}},"
     "'allOf':[{'$id':'b/','$ref':'i'}]}",
     "null", "'x'"}, /* a $id beside $ref is ignored as well */
    {"{" D7 ",'dependencies':{'a':['b']},'dependentRequired':{'b':['c']},'unevaluatedProperties':false}",
     "{'a':1,'b':2}", "{'a':1}"},
    {"{" D7 ",'contains':{'type':'null'},'minContains':2}", "[null]", "[1]"},
    {"{" D7 ",'$ref':'http://json-schema.org/draft-07/schema#'}", "{'type':'null'}", "{'type':'nil'}"},
};

static void each_keyword(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fault f = {0};
        enum err fits = rows[i].fits ? judge(rows[i].schema, rows[i].fits, &f) : ERR_OK;
        if (fits)
            fail_msg("%s should take %s: %s", rows[i].schema, rows[i].fits, f.text);
        enum err fails = rows[i].fails ? judge(rows[i].schema, rows[i].fails, &f) : ERR_SCHEMA;
        if (fails != ERR_SCHEMA)
            fail_msg("%s should refuse %s: %s %s", rows[i].schema, rows[i].fails, err_code(fails), f.text);
    }
}

static void other_documents_are_reached_by_uri(void **state)
{
    (void)state;
    const struct schema_source others[] = {
        {STR("http://x.test/int.json"), STR("{\"type\":\"integer\",\"$defs\":{\"s\":{\"$ref\":\"str.json\"}}}")},
        {STR("http://x.test/str.json"), STR("{\"$id\":\"http://y.test/other\",\"type\":\"string\"}")},
        {STR("http://x.test/meta"),
         STR("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$vocabulary\":"
             "{\"https://json-schema.org/draft/2020-12/vocab/applicator\":true,\"http://x.test/own\":false}}")},
        {STR_NONE, STR_NONE},
    };
    struct schema *s = NULL;
    struct fault f = {0};
    assert_int_equal(judge_compile("{'properties':{'a':{'$ref':'http://x.test/int.json'},"
                                   "'b':{'$ref':'http://x.test/int.json#/$defs/s'}}}",
                                   others, NULL, &s, &f),
                     ERR_OK);
    assert_int_equal(judge_value(s, "{'a':1,'b':'x'}", &f), ERR_OK);
    assert_int_equal(judge_value(s, "{'a':1,'b':1}", &f), ERR_SCHEMA);
    assert_int_equal(judge_value(s, "{'a':'1'}", &f), ERR_SCHEMA);
    schema_unref(s);
    /* a metaschema without the validation vocabulary: `type` is then not a keyword */
    assert_int_equal(
        judge_compile("{'$schema':'http://x.test/meta','type':'null','properties':{'a':false}}", others, NULL, &s, &f),
        ERR_OK);
    assert_int_equal(judge_value(s, "{'b':1}", &f), ERR_OK);
    assert_int_equal(judge_value(s, "{'a':1}", &f), ERR_SCHEMA);
    schema_unref(s);
}

static const char order_tool[] =
    "{'type':'object','properties':{'order_id':{'type':'string','pattern':'^ord_[a-z0-9]{6,}$'},"
    "'customer':{'type':'object','properties':{'name':{'type':'string','minLength':1,'maxLength':80},"
    "'age':{'type':'integer','minimum':0,'maximum':120},'email':{'type':['string','null'],'format':'email'}},"
    "'required':['name'],'additionalProperties':false},"
    "'lines':{'type':'array','minItems':1,'items':{'type':'object','properties':{'sku':{'type':'string'},"
    "'amount':{'type':'integer','exclusiveMinimum':0},'price':{'type':'number','multipleOf':0.01}},"
    "'required':['sku','amount']}},'currency':{'enum':['EUR','USD']}},"
    "'required':['order_id','lines'],'additionalProperties':false}";

static void a_tools_arguments(void **state)
{
    (void)state;
    struct fault f = {0};
    assert_int_equal(judge(order_tool,
                           "{'order_id':'ord_abc123','customer':{'name':'Ann','age':41,'email':null},"
                           "'lines':[{'sku':'a','amount':2,'price':19.99}],'currency':'EUR'}",
                           &f),
                     ERR_OK);
    assert_int_equal(judge(order_tool, "{'order_id':'ord_abc123','lines':[{'sku':'a','amount':2,'price':19.999}]}", &f),
                     ERR_SCHEMA);
    assert_string_equal(f.text, "/lines/0/price: must be a multiple of 0.01, but is 19.999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_keyword),
        cmocka_unit_test(other_documents_are_reached_by_uri),
        cmocka_unit_test(a_tools_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

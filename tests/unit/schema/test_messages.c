/* What a caller reads when a value does not fit, and what an operator reads when a schema cannot be used. */
#include "judge.h"

struct row {
    const char *schema, *instance, *says;
};

static const struct row misfits[] = {
    {"{'properties':{'customer':{'properties':{'age':{'maximum':120}}}}}", "{'customer':{'age':200}}",
     "/customer/age: must be <= 120, but is 200"},
    {"{'type':'string'}", "1", "(root): must be a string, but is 1"},
    {"{'type':['string','null']}", "[1]", "(root): must be a string or null, but is [1]"},
    {"{'type':['number','integer']}", "'x'", "(root): must be a number, but is \"x\""},
    {"false", "1", "(root): must not be there"},
    {"{'const':{'a':1}}", "2", "(root): must be {\"a\":1}, but is 2"},
    {"{'enum':['a','b','c','d','e','f','g']}", "'x'",
     "(root): must be one of \"a\", \"b\", \"c\", \"d\", \"e\" and 2 more, but is \"x\""},
    {"{'minimum':1}", "0", "(root): must be >= 1, but is 0"},
    {"{'exclusiveMinimum':1}", "1", "(root): must be > 1, but is 1"},
    {"{'exclusiveMaximum':1.5}", "1.5", "(root): must be < 1.5, but is 1.5"},
    {"{'multipleOf':0.1}", "0.25", "(root): must be a multiple of 0.1, but is 0.25"},
    {"{'minLength':3}", "'é'", "(root): must have at least 3 characters, but has 1"},
    {"{'maxLength':1}", "'ab'", "(root): must have at most 1 character, but has 2"},
    {"{'pattern':'^a'}", "'b'", "(root): must match the pattern \"^a\", but is \"b\""},
    {"{'minItems':1}", "[]", "(root): must have at least 1 item, but has 0"},
    {"{'maxItems':2}", "[1,2,3]", "(root): must have at most 2 items, but has 3"},
    {"{'uniqueItems':true}", "[1,2,1]", "(root): must not have equal items, but 0 and 2 (counted from 0) are equal"},
    {"{'contains':{'const':1}}", "[2]",
     "(root): must contain at least 1 item of the kind that \"contains\" describes, but contains 0"},
    {"{'minProperties':2}", "{'a':1}", "(root): must have at least 2 properties, but has 1"},
    {"{'maxProperties':0}", "{'a':1}", "(root): must have at most 0 properties, but has 1"},
    {"{'required':['id','name']}", "{}", "(root): must have the property \"id\" and \"name\""},
    {"{'properties':{'size':{},'color':{}},'additionalProperties':false}", "{'colour':1}",
     "(root): must not have the property \"colour\"; it may have \"size\", \"color\""},
    {"{'unevaluatedProperties':false}", "{'a':1}", "(root): must not have the property \"a\""},
    {"{'dependentRequired':{'a':['b']}}", "{'a':1}", "(root): must have the property \"b\", because it has \"a\""},
    {"{'propertyNames':{'maxLength':1}}", "{'ab':1}",
     "(root): the property's name \"ab\": must have at most 1 character, but has 2"},
    {"{'not':{'type':'string'}}", "'a'", "(root): must not be a string"},
    {"{'not':{'minimum':1}}", "2", "(root): must not fit the schema under \"not\", but does"},
    {"{'anyOf':[{'type':'string'},{'type':'null'}]}", "1", "(root): must be a string or null, but is 1"},
    {"{'oneOf':[{'minimum':1},{'minimum':2}]}", "3",
     "(root): must fit exactly one of the alternatives of oneOf, but fits number 1 and number 2"},
    {"{'properties':{'p':{'oneOf':[{'properties':{'k':{'const':'a'},'v':{'type':'null'}}},{'properties':{'k':{'const':"
     "'b'}}}]}}}",
     "{'p':{'k':'a','v':1}}",
     "/p: fits none of the 2 alternatives of oneOf; the nearest one: /p/v: must be null, but is 1"},
    {"{'items':{'items':{'properties':{'a/b~c':{'type':'null'}}}}}", "[[],[{},{'a/b~c':1}]]",
     "/1/1/a~1b~0c: must be null, but is 1"},
    {"{'type':'null'}", "'0123456789012345678901234567890123456789012345678901234567890123456789'",
     "(root): must be null, but is \"012345678901234567890123456789012345678901234...\""},
    {"{'type':'null'}", "['0123456789012345678901234567890123456789012345678901234567890123456789']",
     "(root): must be null, but is an array"},
};

static const struct row unusable[] = {
    {"1", NULL, "#: must be a schema (an object, true or false), but is a number"},
    {"{'type':'strin'}", NULL,
     "#/type: must name null, boolean, integer, number, string, array or object, or list them"},
    {"{'properties':{'a':{'properties':{'b':7}}}}", NULL,
     "#/properties/a/properties/b: must be a schema (an object, true or false), but is a number"},
    {"{'properties':[]}", NULL, "#/properties: must be an object, but is an array"},
    {"{'required':'a'}", NULL, "#/required: must be an array of names, but is a string"},
    {"{'required':[1]}", NULL, "#/required/0: must be a string, but is a number"},
    {"{'minimum':'1'}", NULL, "#/minimum: must be a number, but is a string"},
    {"{'minLength':-1}", NULL, "#/minLength: must be a whole number, 0 or more"},
    {"{'minLength':1.5}", NULL, "#/minLength: must be a whole number, 0 or more"},
    {"{'multipleOf':0}", NULL, "#/multipleOf: must be a number greater than 0 with at most 18 significant digits"},
    {"{'uniqueItems':1}", NULL, "#/uniqueItems: must be true or false, but is a number"},
    {"{'anyOf':[]}", NULL, "#/anyOf: must be an array of at least one schema"},
    {"{'enum':1}", NULL, "#/enum: must be an array, but is a number"},
    {"{'items':[{}]}", NULL, "#/items: must be a schema, but is an array; 2020-12 calls that prefixItems"},
    {"{'$ref':1}", NULL, "#/$ref: must be a string, but is a number"},
    {"{'$ref':'#/$defs/none'}", NULL, "#/$ref: reaches nothing: there is no \"/$defs/none\""},
    {"{'$ref':'#none'}", NULL, "#/$ref: reaches nothing: there is no anchor \"none\""},
    {"{'$ref':'https://evil.test/a.json'}", NULL,
     "#/$ref: reaches nothing: \"https://evil.test/a.json\" is not at hand, and nothing is fetched"},
    {"{'$ref':'file:///etc/passwd'}", NULL,
     "#/$ref: reaches nothing: \"file:///etc/passwd\" is not at hand, and nothing is fetched"},
    {"{'$defs':{'unused':{'$ref':'#x'}}}", NULL, "#/$defs/unused/$ref: reaches nothing: there is no anchor \"x\""},
    {"{'$anchor':'1'}", NULL, "#/$anchor: must be a name of letters, digits, '-', '_' and '.'"},
    {"{'$defs':{'a':{'$anchor':'x'},'b':{'$anchor':'x'}}}", NULL,
     "#/$defs/b/$anchor: another subschema has the same anchor"},
    {"{'$defs':{'a':{'$id':'x'},'b':{'$id':'x'}}}", NULL, "#/$defs/b/$id: another schema has the same $id"},
    {"{'$id':'a#b'}", NULL, "#/$id: must not have a fragment; $anchor names a place"},
    {"{'pattern':'('}", NULL, "#/pattern: the pattern cannot be used: a ( without its ) at character 2"},
    {"{'pattern':'(?<=a+)b'}", NULL, "#/pattern: the pattern cannot be used: lookbehind assertion is not fixed length"},
    {"{'$schema':'http://json-schema.org/draft-04/schema#'}", NULL,
     "$schema: the dialect \"http://json-schema.org/draft-04/schema\" is not known; known are draft 2020-12 and "
     "draft-07"},
    {"{'$ref':'#'}", NULL, "#: refers to itself without going deeper into the value, so that it has no end"},
    {"{'$defs':{'a':{'allOf':[{'$ref':'#/$defs/b'}]},'b':{'not':{'$ref':'#/$defs/a'}}}}", NULL,
     "#/$defs/b/not: refers to itself without going deeper into the value, so that it has no end"},
};

static void a_misfit_says_where_what_and_what_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
        struct fault f = {0};
        enum err e = judge(misfits[i].schema, misfits[i].instance, &f);
        if (e != ERR_SCHEMA || f.err != e || strcmp(f.text, misfits[i].says) != 0)
            fail_msg("%s with %s says %s \"%s\", not \"%s\"", misfits[i].schema, misfits[i].instance, err_code(e),
                     f.text, misfits[i].says);
    }
}

static void an_unusable_schema_says_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        struct fault f = {0};
        struct schema *s = NULL;
        enum err e = judge_compile(unusable[i].schema, NULL, NULL, &s, &f);
        if (e != ERR_SCHEMA_UNUSABLE || f.err != e || s || strcmp(f.text, unusable[i].says) != 0)
            fail_msg("%s says %s \"%s\", not \"%s\"", unusable[i].schema, err_code(e), f.text, unusable[i].says);
        schema_unref(s);
    }
}

static void what_is_not_json_is_a_syntax_error(void **state)
{
    (void)state;
    struct fault f = {0};
    struct schema *s = NULL;
    assert_int_equal(judge_compile("{'type':}", NULL, NULL, &s, &f), ERR_SYNTAX);
    assert_int_equal(judge_compile("{'type':'null','type':'string'}", NULL, NULL, &s, &f), ERR_SYNTAX);
    assert_int_equal(judge_compile("", NULL, NULL, &s, &f), ERR_SYNTAX);
    assert_null(s);
}

static void no_fault_is_wanted(void **state)
{
    (void)state;
    struct schema *s = NULL;
    assert_int_equal(judge_compile("{'type':'strin'}", NULL, NULL, &s, NULL), ERR_SCHEMA_UNUSABLE);
    assert_int_equal(judge("{'type':'null'}", "1", NULL), ERR_SCHEMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_misfit_says_where_what_and_what_is_there),
        cmocka_unit_test(an_unusable_schema_says_where_and_why),
        cmocka_unit_test(what_is_not_json_is_a_syntax_error),
        cmocka_unit_test(no_fault_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Policies as JSON (https://docs.cedarpolicy.com/policies/json-format.html). JSON is written with ' for ". */
#include "texts.h"

#define POLICY(principal, action, resource, conditions)                                                                \
    "{'effect':'permit','principal':" principal ",'action':" action ",'resource':" resource                            \
    ",'conditions':[" conditions "]}"
#define ANY             "{'op':'All'}"
#define BODY(body)      POLICY(ANY, ANY, ANY, "{'kind':'when','body':" body "}")
#define PRINCIPAL(what) POLICY(what, ANY, ANY, "")
#define ACTION(what)    POLICY(ANY, what, ANY, "")
#define ALICE           "{'type':'User','id':'alice'}"

static void a_policy_has_its_json(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"permit(principal, action, resource);", POLICY(ANY, ANY, ANY, "")},
        {"permit(principal == User::'alice', action, resource);", PRINCIPAL("{'op':'==','entity':" ALICE "}")},
        {"permit(principal in ?principal, action, resource);", PRINCIPAL("{'op':'in','slot':'?principal'}")},
        {"permit(principal is A::B, action, resource);", PRINCIPAL("{'op':'is','entity_type':'A::B'}")},
        {"permit(principal is U in User::'alice', action, resource);",
         PRINCIPAL("{'op':'is','entity_type':'U','in':{'entity':" ALICE "}}")},
        {"permit(principal is U in ?principal, action, resource);",
         PRINCIPAL("{'op':'is','entity_type':'U','in':{'slot':'?principal'}}")},
        {"permit(principal, action in [Action::'a', Action::'b'], resource);",
         ACTION("{'op':'in','entities':[{'type':'Action','id':'a'},{'type':'Action','id':'b'}]}")},
        {"permit(principal, action in [Action::'a'], resource);",
         ACTION("{'op':'in','entity':{'type':'Action','id':'a'}}")},
        {"permit(principal, action in [], resource);", ACTION("{'op':'in','entities':[]}")},
        {"@a('b') @c permit(principal, action, resource) unless { true };",
         "{'effect':'permit','principal':" ANY ",'action':" ANY ",'resource':" ANY
         ",'conditions':[{'kind':'unless','body':{'Value':true}}],'annotations':{'a':'b','c':null}}"},
        {IN_WHEN("-9223372036854775808 == User::'alice'"),
         BODY("{'==':{'left':{'Value':-9223372036854775808},'right':{'Value':{'__entity':" ALICE "}}}}")},
        {IN_WHEN("!(-(1) < context['a b'])"), BODY("{'!':{'arg':{'<':{'left':{'neg':{'arg':{'Value':1}}},'right':{'.':{"
                                                   "'left':{'Var':'context'},'attr':'a b'}}}}}}")},
        {IN_WHEN("context has a.b && context has 'c'"), BODY("{'&&':{'left':{'has':{'left':{'Var':'context'},'attr':['"
                                                             "a','b']}},'right':{'has':{'left':{'Var':'context'},"
                                                             "'attr':'c'}}}}")},
        {IN_WHEN("'x' like 'ab*\\*'"), BODY("{'like':{'left':{'Value':'x'},'pattern':[{'Literal':'a'},{'Literal':'b'},"
                                            "'Wildcard',{'Literal':'*'}]}}")},
        {IN_WHEN("if principal is U in [] then {a: 1} else [2]"),
         BODY("{'if-then-else':{'if':{'is':{'left':{'Var':'principal'},'entity_type':'U','in':{'Set':[]}}},"
              "'then':{'Record':{'a':{'Value':1}}},'else':{'Set':[{'Value':2}]}}}")},
        {IN_WHEN("ip('::1').isInRange(ip()) || principal.hasTag('a')"),
         BODY("{'||':{'left':{'isInRange':[{'ip':[{'Value':'::1'}]},{'ip':[]}]},'right':{'hasTag':{'left':{'Var':"
              "'principal'},'right':{'Value':'a'}}}}}")},
        {IN_WHEN("[].isEmpty()"), BODY("{'isEmpty':{'arg':{'Set':[]}}}")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cedar_policies *ps = texts_read(rows[i][0]), *qs = cedar_policies_new(TEXTS_MEMORY);
        struct fault f = {0};
        struct buf text;
        buf_init(&text, 1 << 16);
        struct json_out out = json_out(&text);
        cedar_est_policy(ps->policy[0], &out);
        if (cedar_est_read(qs, STR("q"), buf_view(&text), &f))
            fail_msg("%s: %s", rows[i][0], f.text);
        assert_true(cedar_policy_same(ps->policy[0], qs->policy[0]));
        assert_int_equal(ps->policy[0]->is_template, qs->policy[0]->is_template);
        texts_equal(&text, rows[i][1]);
        cedar_policies_free(ps);
        cedar_policies_free(qs);
    }
}

/* What may be written in more than one way, and what the text has no word for. */
static void other_json_means_the_same(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {PRINCIPAL("{'op':'all'}"), "permit(principal, action, resource);\n"},
        {PRINCIPAL("{'op':'==','entity':{'__entity':" ALICE "}}"),
         "permit(principal == User::'alice', action, resource);\n"},
        {PRINCIPAL("{'op':'is','entity_type':'U','in':null}"), "permit(principal is U, action, resource);\n"},
        {ACTION("{'op':'in','entities':[{'type':'Action','id':'a'}]}"),
         "permit(principal, action in Action::'a', resource);\n"},
        {BODY("{'Value':[1,{'a b':[true],'c':{'__extn':{'fn':'ip','arg':'::1'}}},{'__entity':" ALICE "}]}"),
         "permit(principal, action, resource)\nwhen { [1, {'a b': [true], c: ip('::1')}, User::'alice'] };\n"},
        {BODY("{'Value':{'__entity':" ALICE ",'x':1}}"),
         "permit(principal, action, resource)\nwhen { {__entity: {type: 'User', id: 'alice'}, x: 1} };\n"},
        {BODY("{'Value':{'__extn':{'fn':'offset','args':[1,2]}}}"),
         "permit(principal, action, resource)\nwhen { 1.offset(2) };\n"},
        {BODY("{'has':{'left':{'Var':'context'},'attr':['a','b c']}}"),
         "permit(principal, action, resource)\nwhen { context has a && context.a has 'b c' };\n"},
        {BODY("{'has':{'left':{'Var':'context'},'attr':['a']}}"),
         "permit(principal, action, resource)\nwhen { context has a };\n"},
        {BODY("{'like':{'left':{'Value':'a'},'pattern':[{'Literal':'a*'},{'Wildcard':null},{'Literal':''},'Wildcard']}"
              "}"),
         "permit(principal, action, resource)\nwhen { 'a' like 'a\\***' };\n"},
        {BODY("{'neg':{'arg':{'neg':{'arg':{'neg':{'arg':{'neg':{'arg':{'neg':{'arg':{'Value':-1}}}}}}}}}}}"),
         "permit(principal, action, resource)\nwhen { ----(--1) };\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
        struct fault f = {0};
        struct buf text;
        char *json = quotes(strdup(rows[i][0]));
        buf_init(&text, 1 << 16);
        if (cedar_est_read(ps, STR("p"), str_of(json), &f))
            fail_msg("%s: %s", rows[i][0], f.text);
        free(json);
        cedar_print_policy(ps->policy[0], &text);
        cedar_policies_free(texts_raw(buf_view(&text)));
        texts_equal(&text, rows[i][1]);
        cedar_policies_free(ps);
    }
}

static void json_that_is_no_policy_is_refused_with_the_place(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"[]", "policy: must be an object, but is an array"},
        {"{'effect':'permit'}", "policy: 'principal' is missing"},
        {POLICY(ANY, ANY, ANY, "") " x", NULL},
        {"{'effect':'Permit','principal':" ANY ",'action':" ANY ",'resource':" ANY ",'conditions':[]}",
         "policy.effect: must be 'permit' or 'forbid', but is 'Permit'"},
        {"{'effect':'permit','principal':" ANY ",'action':" ANY ",'resource':" ANY ",'conditions':[],'id':'x'}",
         "policy: there is no member 'id' here"},
        {PRINCIPAL("'All'"), "policy.principal: must be an object like {'op': 'All'}"},
        {PRINCIPAL("{'op':'!='}"),
         "policy.principal.op: must be one of 'All', '==', 'in' and 'is' (not of an action), but is '!='"},
        {PRINCIPAL("{'op':'=='}"), "policy.principal: must have 'entity' or 'slot', and one of them only"},
        {PRINCIPAL("{'op':'==','slot':'?resource'}"), "policy.principal: the slot here is '?principal'"},
        {PRINCIPAL("{'op':'==','entity':'User'}"),
         "policy.principal.entity: must be an entity: {'type': 'User', 'id': 'alice'}"},
        {PRINCIPAL("{'op':'==','entity':" ALICE ",'slot':'?principal'}"),
         "policy.principal: must have 'entity' or 'slot', and one of them only"},
        {ACTION("{'op':'==','entity':" ALICE "}"),
         "policy.action.entity: actions are of the type `Action`, perhaps in a namespace, not `User`"},
        {ACTION("{'op':'==','slot':'?principal'}"), "policy.action: an action has no slot: name an entity"},
        {ACTION("{'op':'is','entity_type':'Action'}"),
         "policy.action: 'is' cannot be asked of an action here: ask it in a condition"},
        {POLICY(ANY, ANY, ANY, "{'kind':'if','body':{'Value':1}}"),
         "policy.conditions[0].kind: must be 'when' or 'unless', but is 'if'"},
        {BODY("1"),
         "policy.conditions[0].body: must be an expression: an object with one member, such as {'Var': 'principal'}"},
        {BODY("{'Var':'context','Value':1}"),
         "policy.conditions[0].body: must be an expression: an object with one member, such as {'Var': 'principal'}"},
        {BODY("{'Var':'user'}"),
         "policy.conditions[0].body.Var: there are the variables principal, action, resource and "
         "context, not 'user'"},
        {BODY("{'Slot':'?principal'}"),
         "policy.conditions[0].body.Slot: a template's slot stands only in the scope: principal or resource"},
        {BODY("{'foo':[]}"),
         "policy.conditions[0].body.foo: there is no such operator or function; a constant is {'Value': ...}"},
        {BODY("{'Value':null}"), "policy.conditions[0].body.Value: there is no null: leave it out"},
        {BODY("{'Value':1.5}"),
         "policy.conditions[0].body.Value: must be a whole number of 64 bits; decimal('1.5') is a call "
         "of decimal"},
        {BODY("{'Value':{'__expr':'x'}}"),
         "policy.conditions[0].body.Value: __expr is no longer read: write {'__entity': {'type', 'id'}}"},
        {BODY("{'&&':{'left':{'Value':1}}}"), "policy.conditions[0].body.&&: 'right' is missing"},
        {BODY("{'lessThan':[]}"),
         "policy.conditions[0].body.lessThan: must have at least the value whose method it is"},
        {BODY("{'has':{'left':{'Var':'context'},'attr':[]}}"),
         "policy.conditions[0].body.has.attr: must be an attribute's name, or an array of some"},
        {BODY("{'is':{'left':{'Var':'context'},'entity_type':'a b'}}"),
         "policy.conditions[0].body.is.entity_type: `a b` is no type: a name, perhaps with namespaces (Shop::User)"},
        {BODY("{'like':{'left':{'Value':'a'},'pattern':['wildcard']}}"),
         "policy.conditions[0].body.like.pattern: consists of 'Wildcard' and {'Literal': 'text'}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
        struct fault f = {0};
        char *json = quotes(strdup(rows[i][0]));
        assert_int_equal(cedar_est_read(ps, STR("p"), str_of(json), &f), ERR_SYNTAX);
        for (char *c = f.text; *c; c++)
            if (*c == '"')
                *c = '\'';
        if (rows[i][1])
            assert_string_equal(f.text, rows[i][1]);
        assert_int_equal(ps->n, 0);
        free(json);
        cedar_policies_free(ps);
    }
}

static void a_set_has_templates_static_policies_and_links(void **state)
{
    (void)state;
    struct cedar_policies *ps = texts_read("permit(principal == ?principal, action, resource in ?resource);"
                                           "forbid(principal, action, resource) when { false };");
    struct cedar_policies *qs = cedar_policies_new(TEXTS_MEMORY);
    struct cedar_uid alice = cedar_uid(STR("User"), STR("alice"));
    struct fault f = {0};
    struct buf text;
    buf_init(&text, 1 << 16);
    assert_int_equal(cedar_policies_link(ps, STR("policy0"), STR("link"), &alice, &alice, &f), ERR_OK);
    struct json_out out = json_out(&text);
    cedar_est_set(ps, &out);
    assert_int_equal(cedar_est_read_set(qs, buf_view(&text), &f), ERR_OK);
    assert_int_equal(qs->n, 3);
    for (uint32_t i = 0; i < ps->n; i++)
        assert_true(cedar_policy_same(ps->policy[i], cedar_policy_find(qs, ps->policy[i]->id)));
    assert_ptr_equal(cedar_policy_find(qs, STR("link"))->link_of, cedar_policy_find(qs, STR("policy0")));
    texts_equal(&text, "{'templates':{'policy0':" POLICY(
                           "{'op':'==','slot':'?principal'}", ANY, "{'op':'in','slot':'?resource'}",
                           "") "},"
                               "'staticPolicies':{'policy1':{'effect':'forbid','principal':" ANY ",'action':" ANY
                               ",'resource':" ANY ",'conditions':[{'kind':'when','body':{'Value':false}}]}},"
                               "'templateLinks':[{'templateId':'policy0','newId':'link','values':{'?principal':" ALICE
                               ",'?resource':" ALICE "}}]}");
    cedar_policies_free(ps);
    cedar_policies_free(qs);
}

static void of_a_set_with_a_fault_nothing_is_taken(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{'staticPolicies':{'a':" POLICY(ANY, ANY, ANY, "") ",'b':1}}",
         "policies.staticPolicies.b: must be an object, but is a number"},
        {"{'staticPolicies':{'a':" PRINCIPAL("{'op':'==','slot':'?principal'}") "}}",
         "policies.staticPolicies.a: has a slot: it belongs to \"templates\""},
        {"{'templates':{'a':" POLICY(ANY, ANY, ANY, "") "}}",
         "policies.templates.a: has no slot: it belongs to \"staticPolicies\""},
        {"{'staticPolicies':{'mine':" POLICY(ANY, ANY, ANY, "") "}}",
         "there is a policy `mine` already: give this one another id"},
        {"{'templateLinks':[{'templateId':'t','newId':'l','values':{}}]}",
         "policies.templateLinks[0]: there is no template `t`"},
        {"{'links':[]}", "policies: there is no member \"links\" here"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
        struct fault f = {0};
        char *json = quotes(strdup(rows[i][0])), *mine = quotes(strdup(POLICY(ANY, ANY, ANY, "")));
        assert_int_equal(cedar_est_read(ps, STR("mine"), str_of(mine), &f), ERR_OK);
        assert_int_equal(cedar_est_read_set(ps, str_of(json), &f), ERR_SYNTAX);
        assert_string_equal(f.text, rows[i][1]);
        assert_true(ps->n == 1 && cedar_policy_find(ps, STR("mine")) && !cedar_policy_find(ps, STR("a")));
        free(json);
        free(mine);
        cedar_policies_free(ps);
    }
}

/* before, n times the middle, the inner one, n times the end, then after */
static void deep(struct buf *out, const char *middle, const char *inner, const char *end, unsigned n)
{
    buf_z(out, "{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":"
               "\"All\"},"
               "\"conditions\":[{\"kind\":\"when\",\"body\":");
    for (unsigned i = 0; i < n; i++)
        buf_z(out, middle);
    buf_z(out, inner);
    for (unsigned i = 0; i < n; i++)
        buf_z(out, end);
    buf_z(out, "}]}");
}

static void json_that_is_nested_too_deep_is_refused(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"{\"!\":{\"arg\":", "{\"Value\":true}", "}}"},
        {"{\"Set\":[", "{\"Value\":true}", "]}"},
        {"{\"==\":{\"right\":{\"Value\":1},\"left\":", "{\"Value\":true}", "}}"},
        {"{\"||\":{\"left\":{\"Value\":1},\"right\":", "{\"Value\":true}", "}}"},
        {"{\"is\":{\"entity_type\":\"A\",\"left\":", "{\"Value\":true}", "}}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (unsigned n = 200; n < 100000; n *= 20) {
            struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
            struct fault f = {0};
            struct buf json;
            buf_init(&json, 16 << 20);
            deep(&json, rows[i][0], rows[i][1], rows[i][2], n);
            enum err e = cedar_est_read(ps, STR("p"), buf_view(&json), &f);
            assert_true(n < CEDAR_DEPTH ? e == ERR_OK : e == ERR_SYNTAX || e == ERR_LIMIT);
            if (e)
                assert_non_null(strstr(f.text, "deep"));
            buf_done(&json);
            cedar_policies_free(ps);
        }
    }
}

static void without_memory_no_json_is_read(void **state)
{
    (void)state;
    char *json =
        quotes(strdup(BODY("{'&&':{'left':{'Value':[1,{'a':'\\u0041'}]},'right':{'like':{'left':{'Var':'context'},"
                           "'pattern':['Wildcard',{'Literal':'a'}]}}}}")));
    enum err e = ERR_NOMEM;
    for (size_t memory = 0; e; memory += 64) {
        struct cedar_policies *ps = cedar_policies_new(memory);
        struct fault f = {0};
        e = cedar_est_read(ps, STR("p"), str_of(json), &f);
        assert_true(e == ERR_OK || (e == ERR_NOMEM && ps->n == 0 && f.text[0]));
        cedar_policies_free(ps);
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_has_its_json),
        cmocka_unit_test(other_json_means_the_same),
        cmocka_unit_test(json_that_is_no_policy_is_refused_with_the_place),
        cmocka_unit_test(a_set_has_templates_static_policies_and_links),
        cmocka_unit_test(of_a_set_with_a_fault_nothing_is_taken),
        cmocka_unit_test(json_that_is_nested_too_deep_is_refused),
        cmocka_unit_test(without_memory_no_json_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

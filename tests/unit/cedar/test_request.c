/*
 * Requests, contexts and entities against a schema: what passes, and what a caller reads when something does not.
 */
#include "schemas.h"

#include "cedar/typed.h"

static const char shop[] =
    "entity Person in [Team, Level] { name: String, boss?: Person, level?: Level, home?: ipaddr } tags Set<Level>;\n"
    "entity Team in Company;\n"
    "entity Company;\n"
    "entity Level enum ['low', 'high'];\n"
    "entity Order;\n"
    "action all;\n"
    "action look in all;\n"
    "action refund in look appliesTo { principal: Person, resource: [Order, Level], context: {\n"
    "  input: { amount: Long, note?: String }, by?: Level, of?: Action, price?: decimal, from?: ipaddr,\n"
    "  at?: datetime, ages?: Set<duration>, people?: Set<Person>, shut?: Bool } };\n";

struct scene {
    struct cedar_schema *schema;
    struct arena arena;
    struct fault f;
};

static int begin(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->schema = schema_of(shop);
    arena_init(&s->arena, 16u << 20);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    arena_done(&s->arena);
    cedar_schema_free(s->schema);
    free(s);
    return 0;
}

static struct cedar_uid uid(const char *type, const char *id)
{
    return cedar_uid(str_of(type), str_of(id));
}

/* ---- contexts ---- */

static enum err context_read(struct scene *s, const char *text, const struct cedar_record **ret)
{
    struct json j;
    char *doubled = quotes(strdup(text));
    struct str kept = arena_str(&s->arena, str_of(doubled));
    free(doubled);
    struct cedar_uid refund = uid("Action", "refund");
    assert_int_equal(json_parse(&j, kept, &s->arena, NULL, &s->f), ERR_OK);
    return cedar_context_read(&j, JSON_ROOT, cedar_schema_action(s->schema, &refund), &s->arena, ret, &s->f);
}

struct row {
    const char *json, *says; /* the value as a policy writes it, or the fault */
};

static const struct row contexts[] = {
    {"{'input':{'amount':5}}", "{\"input\": {\"amount\": 5}}"},
    {"{'input':{'amount':5},'price':'1.5'}", "{\"input\": {\"amount\": 5}, \"price\": decimal(\"1.5\")}"},
    {"{'input':{'amount':5},'price':{'fn':'decimal','arg':'1.5'}}",
     "{\"input\": {\"amount\": 5}, \"price\": decimal(\"1.5\")}"},
    {"{'input':{'amount':5},'price':{'__extn':{'fn':'decimal','arg':'1.5'}}}",
     "{\"input\": {\"amount\": 5}, \"price\": decimal(\"1.5\")}"},
    {"{'input':{'amount':5},'from':'10.0.0.0/8'}", "{\"from\": ip(\"10.0.0.0/8\"), \"input\": {\"amount\": 5}}"},
    {"{'input':{'amount':5},'by':{'type':'Level','id':'low'}}", "{\"by\": Level::\"low\", \"input\": {\"amount\": 5}}"},
    {"{'input':{'amount':5},'by':{'__entity':{'type':'Level','id':'low'}}}",
     "{\"by\": Level::\"low\", \"input\": {\"amount\": 5}}"},
    {"{'input':{'amount':5},'people':[{'type':'Person','id':'ann'},{'__entity':{'type':'Person','id':'ann'}}]}",
     "{\"input\": {\"amount\": 5}, \"people\": [Person::\"ann\"]}"},
    {"{'input':{'amount':5},'ages':['1h','60m']}", "{\"ages\": [duration(\"1h\")], \"input\": {\"amount\": 5}}"},
    {"{'input':{'amount':5},'at':{'fn':'offset','args':['2024-01-01','1d']}}",
     "{\"at\": datetime(\"2024-01-02T00:00:00.000Z\"), \"input\": {\"amount\": 5}}"},
};

static void contexts_are_read_by_their_declared_types(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < COUNT(contexts); i++) {
        const struct cedar_record *r = NULL;
        struct buf words;
        buf_init(&words, 1 << 16);
        if (context_read(s, contexts[i].json, &r))
            fail_msg("%s: %s", contexts[i].json, s->f.text);
        cedar_value_print((struct cedar_value){.kind = CEDAR_RECORD, .record = r}, &words);
        if (!str_is(buf_view(&words), contexts[i].says))
            fail_msg("%s is read as " STR_FMT, contexts[i].json, STR_ARG(buf_view(&words)));
        buf_done(&words);
    }
}

static const struct row refusals[] = {
    {"[]", "context: an object for a record is wanted here, not an array"},
    {"{}", "context: the attribute \"input\" is missing: the schema requires it"},
    {"{'input':{'amount':5},'user':1}", "context.user: the schema knows no such attribute"},
    {"{'input':{}}", "context.input: the attribute \"amount\" is missing: the schema requires it"},
    {"{'input':{'amount':5,'id':1}}", "context.input.id: the schema knows no such attribute"},
    {"{'input':{'amount':'5'}}", "context.input.amount: a Long is wanted here, not string"},
    {"{'input':{'amount':5},'shut':'true'}", "context.shut: a Bool is wanted here, not string"},
    {"{'input':{'amount':null}}", "context.input.amount: there is no null: leave the attribute out"},
    {"{'input':{'amount':5},'by':{'type':'Team','id':'low'}}",
     "context.by: an entity of the type Level is wanted here, not a Team"},
    {"{'input':{'amount':5},'by':'low'}",
     "context.by: {\"type\", \"id\"} of an entity Level is wanted here, not a string"},
    {"{'input':{'amount':5},'price':1}",
     "context.price: the text of a value of the type decimal is wanted here, not a number"},
    {"{'input':{'amount':5},'price':{'fn':'ip','arg':'::1'}}",
     "context.price: a value of the type decimal is wanted here, not ipaddr"},
    {"{'input':{'amount':5},'price':{'fn':'price','arg':'1'}}", "context.price: there is no extension function price"},
    {"{'input':{'amount':5},'at':{'fn':'offset','args':['2024-01-01']}}",
     "context.at: offset takes 2 argument(s), not 1"},
    {"{'input':{'amount':5},'people':{'type':'Person','id':'ann'}}",
     "context.people: an array for a set is wanted here, not an object"},
    {"{'input':{'amount':5},'people':[{'type':'Person','id':'ann'},7]}",
     "context.people[1]: {\"type\", \"id\"} of an entity Person is wanted here, not a number"},
};

static void contexts_of_other_types_are_refused_with_the_place(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct cedar_record *r = NULL;
        assert_int_equal(context_read(s, refusals[i].json, &r), ERR_SYNTAX);
        if (strcmp(s->f.text, refusals[i].says) != 0)
            fail_msg("%s: %s", refusals[i].json, s->f.text);
        assert_null(r);
    }
}

/* ---- requests ---- */

static struct cedar_request request(struct scene *s, const char *context)
{
    struct cedar_request r = {.principal = uid("Person", "ann"),
                              .action = uid("Action", "refund"),
                              .resource = uid("Order", "17"),
                              .context = NULL};
    if (context_read(s, context, &r.context))
        fail_msg("%s", s->f.text);
    return r;
}

static void refused(struct scene *s, const struct cedar_request *r, const char *says)
{
    assert_int_equal(cedar_validate_request(r, s->schema, &s->f), ERR_SYNTAX);
    assert_string_equal(s->f.text, says);
}

static void a_request_of_the_declared_types_passes(void **state)
{
    struct scene *s = *state;
    struct cedar_request r = request(s, "{'input':{'amount':5},'by':{'type':'Level','id':'high'}}");
    assert_int_equal(cedar_validate_request(&r, s->schema, &s->f), ERR_OK);
}

static void who_asks_for_what_must_be_declared_for_the_action(void **state)
{
    struct scene *s = *state;
    struct cedar_request r = request(s, "{'input':{'amount':5}}");
    r.action = uid("Action", "delete");
    refused(s, &r, "action: the schema declares no Action::\"delete\"");
    r.action = uid("Action", "look");
    refused(s, &r, "principal: the action \"look\" does not apply to the type Person");
    r.action = uid("Action", "refund");
    r.principal = uid("Robot", "r2");
    refused(s, &r, "principal: the schema declares no entity type Robot");
    r.principal = uid("Team", "blue");
    refused(s, &r, "principal: the action \"refund\" does not apply to the type Team");
    r.principal = uid("Person", "ann");
    r.resource = uid("Company", "us");
    refused(s, &r, "resource: the action \"refund\" does not apply to the type Company");
    r.resource = uid("Level", "middle");
    refused(s, &r, "resource: \"middle\" is none of the ids that the schema lists for Level");
}

static void a_context_is_checked_again_as_a_value(void **state)
{
    struct scene *s = *state;
    struct cedar_request r = request(s, "{'input':{'amount':5},'by':{'type':'Level','id':'middle'}}");
    refused(s, &r, "context.by: \"middle\" is none of the ids that the schema lists for Level");
    r = request(s, "{'input':{'amount':5},'of':{'type':'Action','id':'sing'}}");
    refused(s, &r, "context.of: the schema declares no action Action::\"sing\"");
    r.context = &cedar_record_empty;
    refused(s, &r, "context: the attribute \"input\" is missing: the schema requires it");
}

/* ---- entities ---- */

static enum err entities_read(struct scene *s, const char *text)
{
    struct cedar_entities *store CLEANUP(cedar_entities_freep) = NULL;
    struct cedar_entities_new *b = cedar_entities_begin(1u << 20);
    char *doubled = quotes(strdup(text));
    assert_non_null(b);
    enum err e = cedar_entities_read(b, str_of(doubled), s->schema, &s->f);
    if (e)
        cedar_entities_drop(b);
    else
        e = cedar_entities_done(b, &store, &s->f);
    free(doubled);
    return e;
}

static const char *const entities[] = {
    "[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann'},'parents':[]}]",
    "[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann','home':'::1','level':{'type':'Level','id':'low'}},"
    "'parents':[{'type':'Team','id':'blue'}],'tags':{'may':[{'type':'Level','id':'high'}]}}]",
    "[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann'},'parents':[{'type':'Company','id':'us'}]}]",
    "[{'uid':{'type':'Level','id':'low'},'attrs':{},'parents':[]}]",
    "[{'uid':{'type':'Action','id':'look'},'attrs':{},'parents':[{'type':'Action','id':'all'}]}]",
};

static void entities_as_declared_pass(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < COUNT(entities); i++)
        if (entities_read(s, entities[i]))
            fail_msg("%s: %s", entities[i], s->f.text);
}

static const struct row strangers[] = {
    {"[{'uid':{'type':'Person','id':'ann'},'attrs':{},'parents':[]}]",
     "Person::\"ann\": attrs: the attribute \"name\" is missing: the schema requires it"},
    {"[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann','age':7},'parents':[]}]",
     "Person::\"ann\": attrs.age: the schema knows no such attribute"},
    {"[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann','boss':{'type':'Team','id':'x'}},'parents':[]}]",
     "Person::\"ann\": attrs.boss: an entity of the type Person is wanted here, not a Team"},
    {"[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann','level':{'type':'Level','id':'x'}},'parents':[]}]",
     "Person::\"ann\": attrs.level: \"x\" is none of the ids that the schema lists for Level"},
    {"[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann'},'parents':[{'type':'Order','id':'1'}]}]",
     "Person::\"ann\": parents: the schema lets no Person be in Order"},
    {"[{'uid':{'type':'Person','id':'ann'},'attrs':{'name':'Ann'},'parents':[{'type':'Level','id':'x'}]}]",
     "Person::\"ann\": parents: \"x\" is none of the ids that the schema lists for Level"},
    {"[{'uid':{'type':'Order','id':'1'},'attrs':{},'parents':[],'tags':{'a':'b'}}]",
     "Order::\"1\": tags: the schema declares none for Order"},
    {"[{'uid':{'type':'Level','id':'x'},'attrs':{},'parents':[]}]",
     "Level::\"x\": \"x\" is none of the ids that the schema lists for Level"},
    {"[{'uid':{'type':'Robot','id':'r2'},'attrs':{},'parents':[]}]",
     "Robot::\"r2\": the schema declares no entity type Robot"},
    {"[{'uid':{'type':'Action','id':'sing'},'attrs':{},'parents':[]}]",
     "Action::\"sing\": the schema declares no action Action::\"sing\""},
    {"[{'uid':{'type':'Action','id':'look'},'attrs':{},'parents':[]}]",
     "Action::\"look\": the action is in other groups than the schema says"},
    {"[{'uid':{'type':'Action','id':'all'},'attrs':{'a':1},'parents':[]}]",
     "Action::\"all\": an action has no attributes and no tags"},
};

static void entities_of_other_kinds_are_refused_by_name(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < COUNT(strangers); i++) {
        assert_int_equal(entities_read(s, strangers[i].json), ERR_SYNTAX);
        if (strcmp(s->f.text, strangers[i].says) != 0)
            fail_msg("%s: %s", strangers[i].json, s->f.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contexts_are_read_by_their_declared_types, begin, end),
        cmocka_unit_test_setup_teardown(contexts_of_other_types_are_refused_with_the_place, begin, end),
        cmocka_unit_test_setup_teardown(a_request_of_the_declared_types_passes, begin, end),
        cmocka_unit_test_setup_teardown(who_asks_for_what_must_be_declared_for_the_action, begin, end),
        cmocka_unit_test_setup_teardown(a_context_is_checked_again_as_a_value, begin, end),
        cmocka_unit_test_setup_teardown(entities_as_declared_pass, begin, end),
        cmocka_unit_test_setup_teardown(entities_of_other_kinds_are_refused_by_name, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

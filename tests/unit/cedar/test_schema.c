/*
 * Human-readable schemas: what they come to, and what an author reads when one cannot be used
 * (https://docs.cedarpolicy.com/schema/human-readable-schema.html).
 */
#include "schemas.h"

/* ---- what is declared ---- */

static const char shop[] =
    "namespace Shop {\n"
    "  type Money = { amount: Long, currency?: String, };\n"
    "  @doc('people and programs')\n"
    "  entity Person, Agent in [Team] = { name: String, 'e-mail'?: String, limit: Money } tags Set<String>;\n"
    "  entity Team in Company;\n"
    "  entity Company;\n"
    "  entity Level enum ['low', 'high'];\n"
    "  entity Order { buyer: Person, level: Level, from: ipaddr, paid: Set<Money> };\n"
    "  action reading;\n"
    "  action look, 'look up' in [reading];\n"
    "  action refund in look appliesTo {\n"
    "    resource: Order, principal: [Agent, Person], // in any order\n"
    "    context: { reason?: String },\n"
    "  };\n"
    "}\n";

static void entity_types_have_what_they_declare(void **state)
{
    (void)state;
    char words[512];
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of(shop);
    assert_int_equal(s->entities, 6);
    const struct cedar_entity_type *agent = cedar_schema_entity(s, STR("Shop::Agent"));
    assert_non_null(agent);
    assert_string_equal(type_words(agent->tags, words), "Set<String>");
    assert_string_equal(type_words(attr_of(s, "Shop::Agent", "limit"), words), "{amount: Long, currency?: String}");
    assert_false(cedar_type_attr(agent->attrs, STR("e-mail"))->required);
    assert_string_equal(type_words(attr_of(s, "Shop::Order", "buyer"), words), "Shop::Person");
    assert_string_equal(type_words(attr_of(s, "Shop::Order", "from"), words), "ipaddr");
    const struct cedar_entity_type *level = cedar_schema_entity(s, STR("Shop::Level"));
    assert_int_equal(level->choices, 2);
    assert_true(str_is(level->choice[1], "high"));
    assert_null(level->tags);
    assert_null(cedar_schema_entity(s, STR("Agent")));
}

static void groups_reach_as_far_as_groups_of_groups(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of(shop);
    assert_true(cedar_schema_below(s, STR("Shop::Agent"), STR("Shop::Team")));
    assert_true(cedar_schema_below(s, STR("Shop::Agent"), STR("Shop::Company")));
    assert_true(cedar_schema_below(s, STR("Shop::Order"), STR("Shop::Order")));
    assert_false(cedar_schema_below(s, STR("Shop::Team"), STR("Shop::Agent")));
    assert_int_equal(cedar_schema_entity(s, STR("Shop::Company"))->ancestors, 0);
}

static void entity_types_may_lie_within_each_other(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) =
        schema_of("entity Folder in [Folder, Share]; entity Share in Folder;");
    assert_int_equal(cedar_schema_entity(s, STR("Share"))->ancestors, 2);
    assert_true(cedar_schema_below(s, STR("Share"), STR("Folder")));
}

static void actions_have_their_groups_and_what_they_apply_to(void **state)
{
    (void)state;
    char words[512];
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of(shop);
    struct cedar_uid refund = cedar_uid(STR("Shop::Action"), STR("refund")),
                     look_up = cedar_uid(STR("Shop::Action"), STR("look up"));
    const struct cedar_action *a = cedar_schema_action(s, &refund);
    assert_non_null(a);
    assert_int_equal(a->principals, 2);
    assert_true(str_is(a->principal[0], "Shop::Agent"));
    assert_true(str_is(a->resource[0], "Shop::Order"));
    assert_string_equal(type_words(a->context, words), "{reason?: String}");
    assert_int_equal(a->parents, 1);
    assert_int_equal(a->ancestors, 2); /* look, and by it reading */
    assert_non_null(a = cedar_schema_action(s, &look_up));
    assert_int_equal(a->principals, 0);
    assert_int_equal(a->context->attrs, 0);
}

static void a_declaration_of_several_names_declares_each(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) =
        schema_of("entity A, B, C in [A] { n: Long }; action x, 'y z';");
    assert_int_equal(s->entities, 3);
    assert_int_equal(s->actions, 2);
    assert_true(cedar_schema_below(s, STR("B"), STR("A")));
}

static void keywords_are_names_where_names_stand(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) =
        schema_of("entity tags tags type; type type = {Set: Set, in2: Set<Long>}; entity Set, enum enum['x'];"
                  "entity action { entity: enum, namespace: Long, appliesTo?: String, attributes: tags };"
                  "action appliesTo appliesTo { principal: tags, resource: action } attributes {};");
    assert_int_equal(s->entities, 4);
}

static void of_an_attribute_that_stands_there_twice_the_last_counts(void **state)
{
    (void)state;
    char words[512];
    struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of("entity A { n: Nowhere, n?: String };");
    assert_string_equal(type_words(attr_of(s, "A", "n"), words), "String");
}

/* ---- what names mean ---- */

struct meaning {
    const char *schema, *type; /* of the attribute x of the entity type that is called A */
};
static const struct meaning meanings[] = {
    {"entity A { x: Long };", "Long"},
    {"entity A { x: __cedar::Long };", "Long"},
    {"entity A { x: Bool }; type T = Long;", "Bool"},
    {"type T = A; entity A { x: T };", "A"},
    {"type A = String; entity A { x: A };", "String"}, /* a common type goes before an entity type */
    {"type ipaddr = String; entity A { x: ipaddr };", "String"},
    {"type ipaddr = String; entity A { x: __cedar::ipaddr };", "ipaddr"},
    {"type T = Set<U>; type U = {a?: Long}; entity A { x: T };", "Set<{a?: Long}>"},
    {"type T = String; namespace N { entity A { x: T }; }", "String"}, /* what is outside of all namespaces */
    {"namespace N { type T = String; entity A { x: T }; } namespace M { type T = Long; }", "String"},
    {"namespace N { entity A { x: M::T }; } namespace M { type T = Long; }", "Long"},
    {"namespace N { entity decimal; entity A { x: decimal }; }", "N::decimal"},
    {"namespace N { entity A { x: decimal }; } namespace M { entity decimal; }", "decimal"},
    {"namespace N::M { entity A { x: A }; }", "N::M::A"},
    {"action go; entity A { x: Action };", "Action"}, /* there by itself, where actions are */
    {"namespace N { action go; entity A { x: Set<Action> }; }", "Set<N::Action>"},
    {"action go; namespace N { entity A { x: Action }; }", "Action"},
    {"type Action = Long; action go; entity A { x: Action };", "Long"},
};

static void names_mean_what_is_nearest(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(meanings); i++) {
        char words[512];
        struct cedar_schema *s CLEANUP(cedar_schema_freep) = schema_of(meanings[i].schema);
        for (uint32_t k = 0; k < s->entities; k++)
            if (cedar_type_attr(s->entity[k].attrs, STR("x")))
                assert_string_equal(type_words(cedar_type_attr(s->entity[k].attrs, STR("x"))->type, words),
                                    meanings[i].type);
    }
}

static void an_entity_type_may_have_the_name_of_a_type_of_cedars_own(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) =
        schema_of("entity Long { mine: Long, cedars: __cedar::Long };");
    assert_int_equal(attr_of(s, "Long", "mine")->kind, CEDAR_T_ENTITY);
    assert_int_equal(attr_of(s, "Long", "cedars")->kind, CEDAR_T_LONG);
}

static void groups_of_actions_may_be_in_other_namespaces(void **state)
{
    (void)state;
    struct cedar_schema *s CLEANUP(cedar_schema_freep) =
        schema_of("action all; namespace N { action go in [all, M::Action::'more', 'here']; action here; } "
                  "namespace M { action more; }");
    struct cedar_uid go = cedar_uid(STR("N::Action"), STR("go"));
    const struct cedar_action *a = cedar_schema_action(s, &go);
    assert_int_equal(a->ancestors, 3);
    assert_true(str_is(a->ancestor[0].type, "Action"));
    assert_true(str_is(a->ancestor[1].type, "M::Action"));
    assert_true(str_is(a->ancestor[2].type, "N::Action"));
}

/* ---- what an author reads ---- */

struct row {
    const char *schema, *says;
};
static const struct row faults[] = {
    {"entity", "shop:1:7: the text ends here: expected the name of an entity type"},
    {"entity A", "shop:1:9: the text ends here: expected `in`, `{`, `tags`, `enum` or `;`"},
    {"entity A in [B,]; entity B;", "shop:1:16: unexpected `]`: expected an entity type"},
    {"entity A enum [];", "shop:1:16: unexpected `]`: expected a string"},
    {"entity A in B enum ['x']; entity B;", "shop:1:15: unexpected `enum`: expected `{`, `tags` or `;`"},
    {"entity A = Long;", "shop:1:12: unexpected `Long`: expected `{`"},
    {"entity A { a Long };", "shop:1:14: unexpected `Long`: expected `:` or `?`"},
    {"entity A { a: Set<Long };", "shop:1:24: unexpected `}`: expected `>`"},
    {"entity A { a: Long,, };", "shop:1:20: unexpected `,`: expected an attribute's name or `}`"},
    {"entity A { in: Long };", "shop:1:12: `in` is a reserved word: expected another name"},
    {"entity A { 'a\\q': Long };", "shop:1:14: `\\q` is no escape here: the escapes are \\n \\r \\t \\0 \\\\ \\' \\\" "
                                   "\\x41 (up to \\x7f) and \\u{1F600}"},
    {"entity A { 'a: Long };", "shop:1:12: a string that does not end: expected a `\"` that closes it"},
    {"entity Grün;", "shop:1:10: unexpected `ü`: expected `in`, `{`, `tags`, `enum` or `;`"},
    {"entity A;;", "shop:1:10: unexpected `;`: expected `entity`, `action`, `type` or `namespace`"},
    {"/* A */", "shop:1:1: unexpected `/`: expected `entity`, `action`, `type` or `namespace`"},
    {"namespace N {", "shop:1:14: the text ends here: expected `entity`, `action`, `type` or `}`"},
    {"namespace N { namespace M {} }", "shop:1:15: unexpected `namespace`: expected `entity`, `action`, `type` or `}`"},
    {"action a in N::b;", "shop:1:17: unexpected `;`: expected `::` and the action's id in quotes"},
    {"action a attributes { x: Long };", "shop:1:23: unexpected `x`: expected `}`, since actions have no attributes"},
    {"@a('x') @a entity A;", "shop:1:10: the annotation `a` stands here twice: expected it once"},
    {"entity A; action a appliesTo { principal: A };",
     "shop:1:30: `appliesTo` without `resource`: expected `principal` and `resource`, both"},
    {"entity A; action a appliesTo { principal: [], resource: A };",
     "shop:1:32: `principal` has no types: expected at least one; an action that applies to nothing has no "
     "`appliesTo`"},
    {"entity A; action a appliesTo { principal: A, resource: A, principal: A };",
     "shop:1:59: `principal` stands here twice: expected it once"},
    {"entity A; action a appliesTo { principal: A, resource: A, context: T }; type T = Long;",
     "shop:1:68: the parts of a context are no record: expected `{` … `}`, or a common type that is one"},
    {"entity A { b: B };",
     "shop:1:15: `B` is not declared: expected an entity type, a common type or one of Cedar's own "
     "(Bool, Long, String, decimal, ipaddr, datetime, duration)"},
    {"namespace N { entity A in B; }",
     "shop:1:27: `B` is not declared, neither here in `N` nor outside: expected an entity type of this schema"},
    {"entity A { b: Boolean };", "shop:1:15: `Boolean` is not declared: expected `Bool`"},
    {"entity A { b: B }; namespace N { entity B; }", "shop:1:15: `B` is not declared: expected `N::B`"},
    {"entity A; type T = A; entity B in T;", "shop:1:35: `T` is a common type: expected an entity type of this schema"},
    {"action a; entity A in Action;", "shop:1:23: actions cannot stand here: expected an entity type of this schema"},
    {"action a in b;", "shop:1:13: the action `b` is not declared: expected an action of this schema"},
    {"action a in N::Agent::'b'; namespace N { action b; }",
     "shop:1:13: the action `b` of the type `N::Agent` is not declared: expected an action of this schema"},
    {"entity A, A;", "shop:1:11: `A` is declared twice: expected one declaration"},
    {"action a; action 'a';", "shop:1:18: `a` is declared twice: expected one declaration"},
    {"namespace N {} namespace N {}",
     "shop:1:26: the namespace `N` stands here twice: expected all its declarations in one place"},
    {"entity A; namespace N { type A = Long; }",
     "shop:1:30: `A` in the namespace `N` hides the one outside of all namespaces: expected different names"},
    {"action a; namespace N { action a; }",
     "shop:1:32: `a` in the namespace `N` hides the one outside of all namespaces: expected different names"},
    {"entity Action;",
     "shop:1:8: the entity type `Action` is there by itself wherever actions are: expected another name"},
    {"type Record = Long;",
     "shop:1:6: the name `Record` means a type already: expected another name for a common type"},
    {"namespace __cedar {}", "shop:1:11: the namespace `__cedar` is Cedar's own: expected another name"},
    {"type T = Set<U>; type U = {t: T};",
     "shop:1:31: the common type `T` is part of itself: expected a type that ends"},
};

static void faults_say_where_and_what_would_be_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        char *text = quotes(strdup(faults[i].schema));
        schema_refused(cedar_schema_parse, str_of(text), ERR_SYNTAX, faults[i].says);
        free(text);
    }
}

static void every_declaration_with_a_fault_is_told(void **state)
{
    (void)state;
    schema_refused(cedar_schema_parse,
                   STR("entity A { a Long; b Long };\n"
                       "namespace N {\n"
                       "  entity B in;\n"
                       "  entity C;\n"
                       "  action x appliesTo { principle: A };\n"
                       "}\n"
                       "type T;\n"),
                   ERR_SYNTAX,
                   "shop:1:14: unexpected `Long`: expected `:` or `?`\n"
                   "shop:3:14: unexpected `;`: expected an entity type or `[`\n"
                   "shop:5:24: unexpected `principle`: expected `principal`, `resource` or `context`\n"
                   "shop:7:7: unexpected `;`: expected `=`");
}

static void circles_of_actions_are_refused_at_each_of_them(void **state)
{
    (void)state;
    schema_refused(cedar_schema_parse, STR("action a in b;\naction b in [c];\naction c in a;\naction d in a;"),
                   ERR_SYNTAX,
                   "shop:1:8: the action `a` lies within itself: expected groups without a circle\n"
                   "shop:2:8: the action `b` lies within itself: expected groups without a circle\n"
                   "shop:3:8: the action `c` lies within itself: expected groups without a circle");
}

/* ---- bounds ---- */

static void repeat(struct buf *b, const char *z, unsigned n)
{
    while (n--)
        buf_z(b, z);
}

static void faults_beyond_twenty_are_counted(void **state)
{
    (void)state;
    struct buf text, faulty;
    struct cedar_schema *s = NULL;
    buf_init(&text, 1 << 16);
    buf_init(&faulty, 1 << 16);
    repeat(&text, "entity 1;\n", 50);
    assert_int_equal(cedar_schema_parse(STR("shop"), buf_view(&text), &s, &faulty), ERR_SYNTAX);
    assert_true(str_ends(buf_view(&faulty), STR("shop:20:8: unexpected `1`: expected the name of an entity type\n"
                                                "and 30 more\n")));
    buf_done(&text);
    buf_done(&faulty);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_z(&text, "type T = ");
    repeat(&text, "Set<", 200);
    buf_z(&text, "Long");
    repeat(&text, ">", 200);
    buf_z(&text, ";");
    char *good = strndup(text.p, text.n);
    cedar_schema_free(schema_of(good));
    free(good);
    buf_clear(&text);
    buf_z(&text, "type T = ");
    repeat(&text, "{a: ", 100000);
    schema_refused(cedar_schema_parse, buf_view(&text), ERR_LIMIT,
                   "shop:1:1038: types are nested too deeply: at most 256 levels are understood");
    buf_done(&text);
}

static void a_small_text_cannot_mean_a_huge_type(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_z(&text, "type T0 = Long;");
    for (unsigned i = 0; i < 30; i++)
        buf_fmt(&text, "\ntype T%u = {a: T%u, b: T%u};", i + 1, i, i);
    schema_refused(cedar_schema_parse, buf_view(&text), ERR_LIMIT,
                   "shop:21:12: a type is too large with its common types put in: at most 1048576 parts and 256 "
                   "levels");
    buf_done(&text);
}

static void many_groups_within_each_other_are_refused(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < 2000; i++)
        buf_fmt(&text, i ? ", e%u" : "entity e%u", i);
    for (unsigned i = 0; i < 2000; i++)
        buf_fmt(&text, i ? ", e%u" : " in [e%u", i);
    buf_z(&text, "];");
    struct cedar_schema *s = NULL;
    struct buf faulty;
    buf_init(&faulty, 1 << 16);
    assert_int_equal(cedar_schema_parse(STR("shop"), buf_view(&text), &s, &faulty), ERR_LIMIT);
    assert_true(str_ends(buf_view(&faulty),
                         STR("too many entity types lie within each other: expected fewer or flatter ones\n")));
    buf_done(&faulty);
    buf_done(&text);
}

static void bytes_that_are_no_text_are_pointed_at(void **state)
{
    (void)state;
    schema_refused(cedar_schema_parse, STR("entity A;\nentity \"\xff\";"), ERR_SYNTAX,
                   "shop:2:9: a byte that is not UTF-8: expected UTF-8 text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entity_types_have_what_they_declare),
        cmocka_unit_test(groups_reach_as_far_as_groups_of_groups),
        cmocka_unit_test(entity_types_may_lie_within_each_other),
        cmocka_unit_test(actions_have_their_groups_and_what_they_apply_to),
        cmocka_unit_test(a_declaration_of_several_names_declares_each),
        cmocka_unit_test(keywords_are_names_where_names_stand),
        cmocka_unit_test(of_an_attribute_that_stands_there_twice_the_last_counts),
        cmocka_unit_test(names_mean_what_is_nearest),
        cmocka_unit_test(an_entity_type_may_have_the_name_of_a_type_of_cedars_own),
        cmocka_unit_test(groups_of_actions_may_be_in_other_namespaces),
        cmocka_unit_test(faults_say_where_and_what_would_be_right),
        cmocka_unit_test(every_declaration_with_a_fault_is_told),
        cmocka_unit_test(circles_of_actions_are_refused_at_each_of_them),
        cmocka_unit_test(faults_beyond_twenty_are_counted),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_small_text_cannot_mean_a_huge_type),
        cmocka_unit_test(many_groups_within_each_other_are_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_pointed_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

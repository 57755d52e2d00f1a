/* The store: who is below whom, what is refused, what a request brings along. */
#include "scene.h"

#define USER(id, parents) "{'uid':{'type':'User','id':'" id "'},'attrs':{},'parents':[" parents "]}"
#define REF(id)           "{'type':'User','id':'" id "'}"

static bool below(const struct cedar_entities *s, const char *a, const char *b)
{
    struct cedar_uid from = cedar_uid(STR("User"), str_of(a)), to = cedar_uid(STR("User"), str_of(b));
    const struct cedar_entity *e = cedar_entities_find(s, &from);
    assert_non_null(e);
    return cedar_entity_in(e, &to);
}

static void ancestors_are_transitive(void **state)
{
    (void)state;
    /* a in b, c; b in d; c in d, missing; d in e */
    struct cedar_entities *s = scene_entities("[" USER("a", REF("b") "," REF("c")) "," USER("d", REF("e")) "," USER(
        "c", REF("d") "," REF("missing")) "," USER("b", REF("d")) "," USER("e", "") "]");
    const char *const above_a[] = {"a", "b", "c", "d", "e", "missing"};
    for (size_t i = 0; i < COUNT(above_a); i++)
        assert_true(below(s, "a", above_a[i]));
    assert_int_equal(cedar_entities_at(s, 0)->n, 5);
    assert_true(below(s, "b", "e") && below(s, "d", "e") && below(s, "c", "missing"));
    assert_false(below(s, "b", "c") || below(s, "b", "a") || below(s, "e", "d") || below(s, "d", "missing"));
    cedar_entities_free(s);
}

static void the_same_parents_make_the_same_ancestors(void **state)
{
    (void)state;
    struct cedar_entities *s =
        scene_entities("[" USER("a", REF("x") "," REF("y")) "," USER("b", REF("y") "," REF("x")) "," USER(
            "c", REF("x") "," REF("z")) "," USER("y", REF("top")) "," USER("x", REF("top")) "]");
    static const char *const above[] = {"x", "y", "top"};
    for (size_t i = 0; i < COUNT(above); i++)
        assert_true(below(s, "a", above[i]) && below(s, "b", above[i]));
    assert_true(below(s, "c", "x") && below(s, "c", "z") && below(s, "c", "top"));
    assert_false(below(s, "c", "y") || below(s, "a", "z") || below(s, "a", "b"));
    assert_int_equal(cedar_entities_at(s, 0)->n, 3);
    cedar_entities_free(s);
}

static void an_ancestor_is_no_entity_unless_it_stands_there(void **state)
{
    (void)state;
    struct cedar_entities *s = scene_entities("[" USER("a", REF("b")) "]");
    struct cedar_uid b = cedar_uid(STR("User"), STR("b"));
    assert_true(below(s, "a", "b"));
    assert_null(cedar_entities_find(s, &b));
    cedar_entities_free(s);
}

static void circles_are_told_with_all_who_are_in_them(void **state)
{
    (void)state;
    assert_string_equal(scene_entities_refused("[" USER("a", REF("b")) "," USER("b", REF("c")) "," USER(
                            "c", REF("b")) "," USER("d", REF("c")) "]"),
                        "an entity is among its own ancestors: User::\"b\" in User::\"c\" in User::\"b\"");
    assert_string_equal(scene_entities_refused("[" USER("a", REF("a")) "]"),
                        "an entity is among its own ancestors: User::\"a\" in User::\"a\"");
}

static void long_circles_are_told_in_one_line(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct cedar_entities *s = NULL;
    struct fault f = {0};
    struct cedar_entities_new *b = cedar_entities_begin(SCENE_MEMORY * 16);
    for (int i = 0; i < N; i++) {
        char id[16], parent[16];
        snprintf(id, sizeof(id), "%d", i);
        snprintf(parent, sizeof(parent), "%d", (i + 1) % N);
        struct cedar_uid uid = cedar_uid(STR("User"), str_of(id)), up = cedar_uid(STR("User"), str_of(parent));
        assert_int_equal(cedar_entities_add(b, &uid, NULL, NULL, &up, 1, &f), ERR_OK);
    }
    assert_int_equal(cedar_entities_done(b, &s, &f), ERR_SYNTAX);
    assert_non_null(strstr(f.text, "User::\"0\" in User::\"1\" in "));
    assert_non_null(strstr(f.text, " in ... in User::\"0\""));
}

/* The chain is fine, but all its ancestors are more than there is room for: that is a bound, and no crash. */
static void deep_chains_end_at_the_memory(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct cedar_entities *s = NULL;
    struct fault f = {0};
    struct cedar_entities_new *b = cedar_entities_begin(SCENE_MEMORY);
    for (int i = 0; i < N; i++) {
        char id[16], parent[16];
        snprintf(id, sizeof(id), "%d", i);
        snprintf(parent, sizeof(parent), "%d", i + 1);
        struct cedar_uid uid = cedar_uid(STR("User"), str_of(id)), up = cedar_uid(STR("User"), str_of(parent));
        assert_int_equal(cedar_entities_add(b, &uid, NULL, NULL, &up, 1, &f), ERR_OK);
    }
    assert_int_equal(cedar_entities_done(b, &s, &f), ERR_LIMIT);
    assert_non_null(strstr(f.text, "memory"));
}

static void twice_the_same_is_once(void **state)
{
    (void)state;
    struct cedar_entities *s = scene_entities("[" USER("b", "") "," USER("a", REF("b") "," REF("c")) "," USER(
        "a", REF("c") "," REF("b") "," REF("b")) "," USER("c", "") "]");
    assert_int_equal(cedar_entities_count(s), 3);
    assert_true(str_is(cedar_entities_at(s, 0)->uid.id, "b") && str_is(cedar_entities_at(s, 1)->uid.id, "a") &&
                str_is(cedar_entities_at(s, 2)->uid.id, "c"));
    cedar_entities_free(s);
    assert_string_equal(scene_entities_refused("[" USER("a", "") "," USER("a", REF("b")) "]"),
                        "User::\"a\" stands here twice, with different content");
    assert_string_equal(
        scene_entities_refused("[" USER("a", "") ",{'uid':{'type':'User','id':'a'},'attrs':{'x':1},'parents':[]}]"),
        "User::\"a\" stands here twice, with different content");
}

static void faults_name_the_entity_and_the_path(void **state)
{
    (void)state;
    assert_string_equal(
        scene_entities_refused("[{'uid':{'type':'User','id':'a'},'attrs':{'b':{'c':[null]}},'parents':[]}]"),
        "User::\"a\": attrs.b.c[0]: there is no null: leave the attribute out");
    assert_string_equal(scene_entities_refused("[" USER("a", "") ",{'attrs':{},'parents':[]}]"),
                        "entity 2 of the list: \"uid\" is missing");
    assert_string_equal(scene_entities_refused("[{'uid':'User::a','attrs':{},'parents':[]}]"),
                        "entity 1 of the list: \"uid\" is a string, but {\"type\", \"id\"} with two strings is wanted");
    assert_string_equal(scene_entities_refused("[{'uid':{'type':'User','id':'a'},'parents':[]}]"),
                        "User::\"a\": \"attrs\" is missing");
    assert_string_equal(scene_entities_refused("[{'uid':{'type':'User','id':'a'},'attrs':{}}]"),
                        "User::\"a\": \"parents\" is missing");
    assert_string_equal(scene_entities_refused("[" USER("a", "{'type':'a b','id':'c'}") "]"),
                        "User::\"a\": parents[0]: \"a b\" is no name of a type: identifiers with :: between them are");
    assert_string_equal(
        scene_entities_refused("[7]"),
        "entity 1 of the list: an entity is an object with \"uid\", \"attrs\" and \"parents\", not a number");
    assert_string_equal(
        scene_entities_refused("[{'uid':{'type':'Action','id':'a'},'attrs':{},'parents':[{'type':'User','id':'b'}]}]"),
        "Action::\"a\": its parent User::\"b\" is no action: actions are grouped by actions only");
}

static void broken_json_is_told_with_its_place_in_the_whole_text(void **state)
{
    (void)state;
    assert_non_null(strstr(scene_entities_refused("[" USER("a", "") ",\n {'uid':}]"), "line 2, column 9"));
    assert_non_null(strstr(scene_entities_refused("[" USER("a", "") " " USER("b", "") "]"), "line 1"));
    assert_non_null(strstr(scene_entities_refused("[" USER("a", "")), "ends too early"));
    assert_non_null(strstr(scene_entities_refused("[" USER("a", "") ",]"), "line 1"));
    assert_non_null(strstr(scene_entities_refused("[" USER("a", "") "]]"), "line 1"));
    assert_non_null(strstr(scene_entities_refused("{}"), "an array of entities is wanted"));
    assert_non_null(strstr(scene_entities_refused(""), "ends too early"));
    assert_string_equal(scene_entities_refused(" [ ] "), "");
}

static void entities_survive_their_json(void **state)
{
    (void)state;
    char text[] = "[{'uid':{'type':'A::B','id':'x\\ny'},'attrs':{'ip':{'__extn':{'fn':'ip','arg':'::1'}},'n':1},"
                  "'parents':[{'type':'G','id':'1'},{'type':'G','id':'2'}],'tags':{'t':['u']}},"
                  "{'uid':{'type':'G','id':'1'},'attrs':{},'parents':[]}]";
    struct cedar_entities *s = scene_entities(text);
    struct buf b;
    buf_init(&b, 1 << 16);
    struct json_out out = json_out(&b);
    cedar_entities_json(s, &out);
    buf_char(&b, 0);
    assert_string_equal(b.p, quotes(text));
    buf_done(&b);
    cedar_entities_free(s);
}

static void many_entities_are_found(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct cedar_entities *s = NULL;
    struct fault f = {0};
    struct cedar_uid uid, none = cedar_uid(STR("User"), STR("x"));
    struct cedar_entities_new *b = cedar_entities_begin(SCENE_MEMORY);
    char id[16];
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "%d", i);
        uid = cedar_uid(STR("User"), str_of(id));
        assert_int_equal(cedar_entities_add(b, &uid, NULL, NULL, NULL, 0, &f), ERR_OK);
    }
    assert_int_equal(cedar_entities_done(b, &s, &f), ERR_OK);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "%u", i);
        uid = cedar_uid(STR("User"), str_of(id));
        assert_ptr_equal(cedar_entities_find(s, &uid), cedar_entities_at(s, i));
    }
    assert_null(cedar_entities_find(s, &none));
    assert_null(cedar_entities_at(s, N));
    cedar_entities_free(s);
}

/* Nobody can make the table slow by choosing ids whose hashes are the same. */
static void equal_hashes_are_found_all_the_same(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct cedar_entities *s = NULL;
    struct fault f = {0};
    struct cedar_uid uid, parent[N];
    struct cedar_entities_new *b = cedar_entities_begin(SCENE_MEMORY);
    char id[N][12];
    for (int i = 0; i < N; i++) {
        snprintf(id[i], sizeof(id[i]), "%d", i);
        parent[i] = (struct cedar_uid){STR("User"), str_of(id[i]), 42};
        assert_int_equal(cedar_entities_add(b, &parent[i], NULL, NULL, NULL, 0, &f), ERR_OK);
    }
    uid = cedar_uid(STR("User"), STR("child"));
    assert_int_equal(cedar_entities_add(b, &uid, NULL, NULL, parent, N, &f), ERR_OK);
    assert_int_equal(cedar_entities_done(b, &s, &f), ERR_OK);
    for (int i = 0; i < N; i++) {
        assert_ptr_equal(cedar_entities_find(s, &parent[i]), cedar_entities_at(s, (uint32_t)i));
        assert_true(cedar_entity_in(cedar_entities_find(s, &uid), &parent[i]));
    }
    cedar_entities_free(s);
}

static void a_request_sees_its_own_entities_first(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct cedar_value attrs = scene_json(&s, "{'age':31}");
    struct cedar_entity alice = {.uid = s.request.principal, .attrs = attrs.record, .tags = &cedar_record_empty};
    struct cedar_entity tool = {.uid = s.request.resource, .attrs = attrs.record, .tags = &cedar_record_empty};
    const struct cedar_entity *own[] = {&tool, &alice};
    scene_is(&s, "principal.age", "30");
    s.request.world.own = own;
    s.request.world.n = 2;
    scene_is(&s, "principal.age + resource.age", "62");
    scene_is(&s, "principal in Team::'support' || principal.hasTag('level')", "false");
    scene_is(&s, "Team::'support' in Org::'house'", "true");
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ancestors_are_transitive),
        cmocka_unit_test(the_same_parents_make_the_same_ancestors),
        cmocka_unit_test(an_ancestor_is_no_entity_unless_it_stands_there),
        cmocka_unit_test(circles_are_told_with_all_who_are_in_them),
        cmocka_unit_test(long_circles_are_told_in_one_line),
        cmocka_unit_test(deep_chains_end_at_the_memory),
        cmocka_unit_test(twice_the_same_is_once),
        cmocka_unit_test(faults_name_the_entity_and_the_path),
        cmocka_unit_test(broken_json_is_told_with_its_place_in_the_whole_text),
        cmocka_unit_test(entities_survive_their_json),
        cmocka_unit_test(many_entities_are_found),
        cmocka_unit_test(equal_hashes_are_found_all_the_same),
        cmocka_unit_test(a_request_sees_its_own_entities_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

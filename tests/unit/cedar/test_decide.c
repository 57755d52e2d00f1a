/* Decisions: which policies count, what is told of them, and that the index never changes the answer. */
#include "scene.h"

enum { ROOM = 64 };

struct verdict {
    struct cedar_answer answer;
    const struct cedar_policy *reason[ROOM];
    struct cedar_error error[ROOM];
};

struct set {
    struct cedar_policies *policies;
    struct cedar_program *program;
};

static void set_begin(struct set *s, const char *text)
{
    struct fault f = {0};
    struct buf faults;
    char *copy = quotes(strdup(text));
    buf_init(&faults, 1 << 16);
    *s = (struct set){.policies = cedar_policies_new(SCENE_MEMORY)};
    if (cedar_parse(s->policies, STR("test"), str_of(copy), &faults))
        fail_msg("%.*s", (int)faults.n, faults.p);
    if (cedar_compile(s->policies, &s->program, &f))
        fail_msg("%s", f.text);
    buf_done(&faults);
    free(copy);
}

static void set_end(struct set *s)
{
    cedar_program_free(s->program);
    cedar_policies_free(s->policies);
}

static void decide(const struct set *set, struct scene *scene, struct verdict *v)
{
    struct arena scratch;
    arena_init(&scratch, SCENE_MEMORY);
    v->answer = (struct cedar_answer){.reason = v->reason, .error = v->error, .reasons_max = ROOM, .errors_max = ROOM};
    assert_int_equal(cedar_decide(set->program, &scene->request, &scratch, &v->answer), ERR_OK);
    arena_done(&scratch);
}

/* "allow policy0 policy2; policy1": the decision, its reasons; the policies that failed. */
static void decides(const char *policies, const char *want)
{
    struct scene scene;
    struct set set;
    struct verdict v;
    struct buf b;
    scene_begin(&scene);
    set_begin(&set, policies);
    decide(&set, &scene, &v);
    buf_init(&b, 1 << 16);
    buf_z(&b, v.answer.decision == CEDAR_ALLOW ? "allow" : "deny");
    for (uint32_t i = 0; i < v.answer.reasons; i++)
        buf_fmt(&b, " " STR_FMT, STR_ARG(v.reason[i]->id));
    for (uint32_t i = 0; i < v.answer.errors; i++)
        buf_fmt(&b, "%s" STR_FMT, i ? " " : "; ", STR_ARG(v.error[i].policy->id));
    buf_char(&b, 0);
    if (strcmp(b.p, want) != 0)
        fail_msg("%s: %s, not %s", policies, b.p, want);
    buf_done(&b);
    set_end(&set);
    scene_end(&scene);
}

#define PERMIT "permit(principal, action, resource)"
#define FORBID "forbid(principal, action, resource)"

static void nothing_permitted_is_deny(void **state)
{
    (void)state;
    decides("", "deny");
    decides(PERMIT " when { context.n == 4 };", "deny");
    decides("permit(principal == User::'bob', action, resource);", "deny");
}

static void forbid_wins_and_is_the_reason(void **state)
{
    (void)state;
    decides(PERMIT ";" PERMIT " when { context.n == 5 };", "allow policy0 policy1");
    decides(PERMIT ";" FORBID ";" PERMIT ";" FORBID ";", "deny policy1 policy3");
    decides(PERMIT ";" FORBID " when { context.n == 4 };", "allow policy0");
    decides(FORBID " unless { context.yes };" PERMIT ";", "allow policy1");
}

static void what_fails_is_skipped_and_told(void **state)
{
    (void)state;
    decides(PERMIT ";" FORBID " when { context.missing };", "allow policy0; policy1");
    decides(PERMIT " when { context.missing };" PERMIT " when { 1 };" FORBID " when { resource.risk == 1 };",
            "deny; policy0 policy1 policy2");
    decides(FORBID ";" PERMIT " when { context.missing };", "deny policy0; policy1");
    /* a scope that does not fit saves a policy from failing */
    decides("permit(principal == User::'bob', action, resource) when { context.missing };", "deny");
    decides("permit(principal, action, resource) when { principal == User::'bob' && context.missing };", "deny");
    decides("permit(principal, action, resource) when { context.missing && principal == User::'bob' };",
            "deny; policy0");
    decides(PERMIT " when { context.n == 4 } when { context.missing };", "deny");
    decides(PERMIT " unless { context.n };", "deny; policy0");
}

static void scopes(void **state)
{
    (void)state;
    decides("permit(principal == User::'alice', action == Action::'read', resource == Shop::Tool::'orders/lookup');",
            "allow policy0");
    decides("permit(principal in Org::'house', action in Action::'any', resource is Shop::Tool);", "allow policy0");
    decides("permit(principal is User in Team::'support', action in [Action::'x', Action::'any'], resource);",
            "allow policy0");
    decides("permit(principal is Team in Team::'support', action, resource);", "deny");
    decides("permit(principal is User in Team::'other', action, resource);", "deny");
    decides("permit(principal, action in [Action::'x', Action::'y'], resource);", "deny");
    decides("permit(principal, action in [], resource);", "deny");
    decides("permit(principal, action, resource is Tool);", "deny");
    decides("permit(principal, action, resource in Shop::Tool::'orders/lookup');", "allow policy0");
}

/* More policies than a leaf of the index has, of each shape, several for the same names. */
static void an_index_finds_each_policy_once(void **state)
{
    (void)state;
    decides("permit(principal == User::'alice', action, resource);"
            "permit(principal in User::'alice', action, resource);"
            "permit(principal in Team::'support', action, resource);"
            "permit(principal in Org::'house', action == Action::'write', resource);"
            "permit(principal in Org::'house', action == Action::'read', resource);"
            "permit(principal is User, action in Action::'any', resource);"
            "permit(principal is Team, action, resource);"
            "permit(principal, action in [Action::'read', Action::'any', Action::'read'], resource);"
            "permit(principal, action in [Action::'x', Action::'any'], resource);"
            "permit(principal, action in [Action::'x', Action::'y'], resource);"
            "permit(principal, action, resource is Shop::Tool);"
            "permit(principal, action, resource) when { principal == User::'alice' && action == Action::'read' };"
            "permit(principal, action, resource) when { User::'bob' == principal };"
            "permit(principal, action, resource) when { principal is User in Org::'house' };"
            "permit(principal in Org::'house', action, resource) when { principal is Team };"
            "permit(principal in Org::'house', action, resource) when { principal is User && principal in Team::'x' };"
            "permit(principal, action, resource);",
            "allow policy0 policy1 policy2 policy4 policy5 policy7 policy8 policy10 policy11 policy13 policy16");
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void put_scope(struct buf *b, const char *var, const char *type, uint32_t *seed)
{
    unsigned n = next(seed) % 5;
    switch (next(seed) % 6) {
    case 0: buf_fmt(b, "%s == %s::'%u'", var, type, n); break;
    case 1: buf_fmt(b, "%s in %s::'%u'", var, type, n); break;
    case 2: buf_fmt(b, "%s in G::'%u'", var, n); break;
    case 3: buf_fmt(b, "%s is %s", var, type); break;
    case 4: buf_fmt(b, "%s is %s in G::'%u'", var, type, n); break;
    default: buf_z(b, var); break;
    }
}

static void put_action(struct buf *b, uint32_t *seed)
{
    unsigned n = next(seed) % 5, m = next(seed) % 5;
    switch (next(seed) % 4) {
    case 0: buf_fmt(b, "action == Action::'%u'", n); break;
    case 1: buf_fmt(b, "action in Action::'%u'", n); break;
    case 2: buf_fmt(b, "action in [Action::'%u', Action::'%u', Action::'1', Action::'%u']", n, m, n); break;
    default: buf_z(b, "action"); break;
    }
}

enum { POLICIES = 60 };
struct sets {
    struct set whole, alone[POLICIES];
};

/* The same policies in one set, and each in a set of its own. */
static void sets_begin(struct sets *s, uint32_t *seed)
{
    struct buf all, one;
    buf_init(&all, 1 << 20);
    for (int i = 0; i < POLICIES; i++) {
        buf_init(&one, 4096);
        buf_z(&one, "permit(");
        put_scope(&one, "principal", "P", seed);
        buf_z(&one, ", ");
        put_action(&one, seed);
        buf_z(&one, ", ");
        put_scope(&one, "resource", "R", seed);
        buf_z(&one, ");\n");
        buf_str(&all, buf_view(&one));
        buf_char(&one, 0);
        set_begin(&s->alone[i], one.p);
        buf_done(&one);
    }
    buf_char(&all, 0);
    set_begin(&s->whole, all.p);
    buf_done(&all);
}

static void sets_end(struct sets *s)
{
    for (int i = 0; i < POLICIES; i++)
        set_end(&s->alone[i]);
    set_end(&s->whole);
}

static void same_reasons(const struct sets *s, struct scene *scene)
{
    struct verdict all, one;
    uint32_t at = 0;
    decide(&s->whole, scene, &all);
    for (uint32_t i = 0; i < POLICIES; i++) {
        decide(&s->alone[i], scene, &one);
        bool told = at < all.answer.reasons && all.reason[at]->order == i;
        assert_int_equal(told, one.answer.decision == CEDAR_ALLOW);
        at += told;
    }
    assert_int_equal(at, all.answer.reasons);
}

static void an_index_decides_like_each_policy_alone(void **state)
{
    (void)state;
    enum { SETS = 20, REQUESTS = 30 };
    uint32_t seed = 7;
    struct scene scene;
    struct sets sets;
    static const struct str ids[] = {{"0", 1}, {"1", 1}, {"2", 1}, {"3", 1}, {"4", 1}};
    scene_begin(&scene);
    cedar_entities_free(scene.store);
    scene.store = scene_entities(
        "[{'uid':{'type':'P','id':'0'},'attrs':{},'parents':[{'type':'G','id':'1'},{'type':'P','id':'1'}]},"
        "{'uid':{'type':'P','id':'1'},'attrs':{},'parents':[{'type':'G','id':'2'}]},"
        "{'uid':{'type':'Action','id':'0'},'attrs':{},'parents':[{'type':'Action','id':'1'},{'type':'Action','id':'2'}]"
        "},"
        "{'uid':{'type':'R','id':'0'},'attrs':{},'parents':[{'type':'G','id':'1'},{'type':'R','id':'3'}]},"
        "{'uid':{'type':'R','id':'2'},'attrs':{},'parents':[{'type':'R','id':'0'}]}]");
    scene.request.world.store = scene.store;
    for (int set = 0; set < SETS; set++) {
        sets_begin(&sets, &seed);
        for (int r = 0; r < REQUESTS; r++) {
            scene.request.principal = cedar_uid(STR("P"), ids[next(&seed) % 5]);
            scene.request.action = cedar_uid(STR("Action"), ids[next(&seed) % 5]);
            scene.request.resource = cedar_uid(STR("R"), ids[next(&seed) % 5]);
            same_reasons(&sets, &scene);
        }
        sets_end(&sets);
    }
    scene_end(&scene);
}

/* Entities that a request brings along were put together by somebody else. */
static void an_ancestor_that_is_named_twice_finds_a_policy_once(void **state)
{
    (void)state;
    struct scene scene;
    struct set set;
    struct verdict v;
    scene_begin(&scene);
    struct cedar_uid team = cedar_uid(STR("Team"), STR("support"));
    const struct cedar_uid *above[] = {&team, &team, &scene.request.principal};
    struct cedar_entity alice = {scene.request.principal, &cedar_record_empty, &cedar_record_empty, above,
                                 COUNT(above)};
    const struct cedar_entity *own[] = {&alice};
    scene.request.world.own = own;
    scene.request.world.n = 1;
    set_begin(&set,
              "permit(principal in Team::'support', action, resource);"
              "permit(principal in User::'alice', action, resource);"
              "permit(principal in Team::'a', action, resource); permit(principal in Team::'b', action, resource);"
              "permit(principal in Team::'c', action, resource); permit(principal in Team::'d', action, resource);"
              "permit(principal in Team::'e', action, resource); permit(principal in Team::'f', action, resource);"
              "permit(principal in Team::'g', action, resource); permit(principal in Team::'h', action, resource);");
    decide(&set, &scene, &v);
    assert_int_equal(v.answer.reasons, 2);
    set_end(&set);
    scene_end(&scene);
}

static void without_room_the_first_ones_are_told_and_all_counted(void **state)
{
    (void)state;
    struct scene scene;
    struct set set;
    struct arena scratch;
    const struct cedar_policy *reason[2];
    struct cedar_error error[1];
    struct cedar_answer a = {.reason = reason, .error = error, .reasons_max = 2, .errors_max = 1};
    scene_begin(&scene);
    arena_init(&scratch, SCENE_MEMORY);
    set_begin(&set, PERMIT " when { context.a };" PERMIT " when { context.b };"
                           "permit(principal, action, resource is Shop::Tool);" PERMIT ";" PERMIT ";" PERMIT ";"
                           "permit(principal == User::'alice', action, resource);" PERMIT " when { context.c };");
    assert_int_equal(cedar_decide(set.program, &scene.request, &scratch, &a), ERR_OK);
    assert_int_equal(a.reasons, 5);
    assert_true(str_is(reason[0]->id, "policy2") && str_is(reason[1]->id, "policy3"));
    assert_int_equal(a.errors, 3);
    assert_true(str_is(error[0].policy->id, "policy0"));
    a.reasons_max = a.errors_max = 0;
    assert_int_equal(cedar_decide(set.program, &scene.request, &scratch, &a), ERR_OK);
    assert_true(a.decision == CEDAR_ALLOW && a.reasons == 5 && a.errors == 3);
    set_end(&set);
    arena_done(&scratch);
    scene_end(&scene);
}

/* What a branch of the index asks last is told first, when it comes first in the set. */
static void reasons_and_errors_are_in_the_order_of_the_set(void **state)
{
    (void)state;
    decides(PERMIT " when { context.a };"
                   "permit(principal == User::'alice', action, resource) when { context.a };"
                   "permit(principal, action, resource is Shop::Tool);"
                   "permit(principal is User, action == Action::'read', resource) when { context.a };" PERMIT ";"
                   "permit(principal == User::'1', action, resource); permit(principal == User::'2', action, resource);"
                   "permit(principal == User::'3', action, resource); permit(principal == User::'4', action, resource);"
                   "permit(principal, action == Action::'read', resource);"
                   "permit(principal == User::'alice', action, resource);" PERMIT " when { context.a };",
            "allow policy2 policy4 policy9 policy10; policy0 policy1 policy3 policy11");
}

static void templates_count_only_when_they_are_linked(void **state)
{
    (void)state;
    struct scene scene;
    struct set set;
    struct verdict v;
    struct fault f = {0};
    scene_begin(&scene);
    set_begin(&set, "permit(principal in ?principal, action, resource);");
    decide(&set, &scene, &v);
    assert_int_equal(v.answer.decision, CEDAR_DENY);
    struct cedar_uid team = cedar_uid(STR("Team"), STR("support")), other = cedar_uid(STR("Team"), STR("other"));
    assert_int_equal(cedar_policies_link(set.policies, STR("policy0"), STR("other"), &other, NULL, &f), ERR_OK);
    assert_int_equal(cedar_policies_link(set.policies, STR("policy0"), STR("support"), &team, NULL, &f), ERR_OK);
    cedar_program_free(set.program);
    assert_int_equal(cedar_compile(set.policies, &set.program, &f), ERR_OK);
    decide(&set, &scene, &v);
    assert_int_equal(v.answer.decision, CEDAR_ALLOW);
    assert_int_equal(v.answer.reasons, 1);
    assert_true(str_is(v.reason[0]->id, "support"));
    set_end(&set);
    scene_end(&scene);
}

/* A forbid that could not be evaluated for want of memory must not let anything through. */
static void without_memory_nothing_is_allowed(void **state)
{
    (void)state;
    struct scene scene;
    struct set set;
    struct verdict v;
    struct arena scratch;
    scene_begin(&scene);
    arena_init(&scratch, 16);
    set_begin(&set, PERMIT ";" FORBID " when { [context.n, context.s].contains(5) };");
    v.answer = (struct cedar_answer){
        .decision = CEDAR_ALLOW, .reason = v.reason, .error = v.error, .reasons_max = ROOM, .errors_max = ROOM};
    assert_int_equal(cedar_decide(set.program, &scene.request, &scratch, &v.answer), ERR_NOMEM);
    assert_int_equal(v.answer.decision, CEDAR_DENY);
    set_end(&set);
    arena_done(&scratch);
    scene_end(&scene);
}

/* What a gateway's policies are made of needs no memory to be decided. */
static void ordinary_policies_allocate_nothing(void **state)
{
    (void)state;
    struct scene scene;
    struct set set;
    struct verdict v;
    struct arena scratch;
    scene_begin(&scene);
    arena_init(&scratch, 0);
    set_begin(&set, "permit(principal in Team::'support', action == Action::'read', resource)\n"
                    "when { context.set.contains(2) && context.n < 100 && context.from.isInRange(ip('10.0.0.0/8')) }\n"
                    "unless { context.s like 'x*' || [1, 2].contains(context.n) || context has deep.x };");
    v.answer = (struct cedar_answer){.reason = v.reason, .error = v.error, .reasons_max = ROOM, .errors_max = ROOM};
    assert_int_equal(cedar_decide(set.program, &scene.request, &scratch, &v.answer), ERR_OK);
    assert_int_equal(v.answer.decision, CEDAR_ALLOW);
    assert_int_equal(scratch.total, 0);
    set_end(&set);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_permitted_is_deny),
        cmocka_unit_test(forbid_wins_and_is_the_reason),
        cmocka_unit_test(what_fails_is_skipped_and_told),
        cmocka_unit_test(scopes),
        cmocka_unit_test(an_index_finds_each_policy_once),
        cmocka_unit_test(an_index_decides_like_each_policy_alone),
        cmocka_unit_test(an_ancestor_that_is_named_twice_finds_a_policy_once),
        cmocka_unit_test(without_room_the_first_ones_are_told_and_all_counted),
        cmocka_unit_test(reasons_and_errors_are_in_the_order_of_the_set),
        cmocka_unit_test(templates_count_only_when_they_are_linked),
        cmocka_unit_test(without_memory_nothing_is_allowed),
        cmocka_unit_test(ordinary_policies_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Expressions: what each operator comes to, and what it does not take. */
#include "scene.h"

struct row {
    const char *text, *is;
};
struct fall {
    const char *text;
    enum cedar_why why;
};

static void all_are(const struct row *row, size_t n)
{
    struct scene s;
    scene_begin(&s);
    for (size_t i = 0; i < n; i++)
        scene_is(&s, row[i].text, row[i].is);
    scene_end(&s);
}

static void all_fail(const struct fall *row, size_t n)
{
    struct scene s;
    scene_begin(&s);
    for (size_t i = 0; i < n; i++)
        scene_fails(&s, row[i].text, row[i].why);
    scene_end(&s);
}
#define ARE(...)  all_are((const struct row[]){__VA_ARGS__}, COUNT(((const struct row[]){__VA_ARGS__})))
#define FAIL(...) all_fail((const struct fall[]){__VA_ARGS__}, COUNT(((const struct fall[]){__VA_ARGS__})))

static void arithmetic(void **state)
{
    (void)state;
    ARE({"1 + 2 * 3 - 4", "3"}, {"context.n * -2", "-10"}, {"-context.n", "-5"},
        {"-(context.least + 1)", "9223372036854775807"}, {"context.least", "-9223372036854775808"},
        {"context.most - 1 + 1", "9223372036854775807"});
    FAIL({"context.most + 1", CEDAR_WHY_OVERFLOW}, {"context.least - 1", CEDAR_WHY_OVERFLOW},
         {"context.most * 2", CEDAR_WHY_OVERFLOW}, {"-context.least", CEDAR_WHY_OVERFLOW},
         {"9223372036854775807 + 1", CEDAR_WHY_OVERFLOW}, {"context.least * -1", CEDAR_WHY_OVERFLOW},
         {"1 + 'a'", CEDAR_WHY_TYPE}, {"context.s * 2", CEDAR_WHY_TYPE}, {"-context.s", CEDAR_WHY_TYPE},
         {"1 + duration('1s')", CEDAR_WHY_TYPE});
}

static void comparison(void **state)
{
    (void)state;
    ARE({"context.n < 6 && context.n <= 5 && context.n > 4 && context.n >= 5", "true"},
        {"context.n < 5 || context.n > 5 || context.n != 5", "false"},
        {"datetime('2024-01-01') < datetime('2024-01-02')", "true"}, {"duration('1h') >= duration('61m')", "false"},
        {"context.n == 'a'", "false"}, {"context.n != 'a'", "true"}, {"context.deep == {a: {b: 'c'}}", "true"});
    FAIL({"1 < 'a'", CEDAR_WHY_TYPE}, {"'a' < 'b'", CEDAR_WHY_TYPE},
         {"decimal('1.0') < decimal('2.0')", CEDAR_WHY_TYPE},
         {"datetime('2024-01-01') < duration('1s')", CEDAR_WHY_TYPE}, {"datetime('2024-01-01') < 1", CEDAR_WHY_TYPE},
         {"true > false", CEDAR_WHY_TYPE});
}

static void and_and_or_look_no_further_than_they_must(void **state)
{
    (void)state;
    ARE({"context.n == 4 && context.missing", "false"}, {"context.n == 5 || context.missing", "true"},
        {"false && 1", "false"}, {"true || 1", "true"}, {"!(context.n == 5) && 1 == 1", "false"},
        {"if context.yes then 1 else context.missing", "1"}, {"if !context.yes then context.missing else 'x'", "'x'"},
        {"true && (true && (context.yes && true))", "true"}, {"false || (false || context.n == 1)", "false"});
    FAIL({"true && 1", CEDAR_WHY_BOOL}, {"false || 1", CEDAR_WHY_BOOL}, {"1 && false", CEDAR_WHY_BOOL},
         {"1 || true", CEDAR_WHY_BOOL}, {"context.yes && context.n", CEDAR_WHY_BOOL}, {"!1", CEDAR_WHY_BOOL},
         {"if 1 then 2 else 3", CEDAR_WHY_BOOL}, {"context.n && true", CEDAR_WHY_BOOL},
         {"context.missing && false", CEDAR_WHY_NO_ATTR}, {"context.yes && (true && 1)", CEDAR_WHY_BOOL});
}

static void attributes(void **state)
{
    (void)state;
    ARE({"context.deep.a.b", "'c'"}, {"context['deep']['a'].b", "'c'"}, {"{a: 1}.a", "1"}, {"principal.age", "30"},
        {"principal.knows", "User::'bob'"}, {"context has n", "true"}, {"context has m", "false"},
        {"context has deep.a.b", "true"}, {"context has deep.a.c", "false"}, {"context has x.y.z", "false"},
        {"principal has age", "true"}, {"principal has height", "false"}, {"principal has knows.age", "false"},
        {"resource has risk", "false"}, {"{'a b': 1} has 'a b'", "true"});
    FAIL({"context.missing", CEDAR_WHY_NO_ATTR}, {"context.deep.x.b", CEDAR_WHY_NO_ATTR},
         {"{a: 1}.b", CEDAR_WHY_NO_ATTR}, {"principal.height", CEDAR_WHY_NO_ATTR},
         {"resource.risk", CEDAR_WHY_NO_ENTITY}, {"principal.knows.age", CEDAR_WHY_NO_ENTITY},
         {"context.n.x", CEDAR_WHY_TYPE}, {"context.n has x", CEDAR_WHY_TYPE}, {"1 has x", CEDAR_WHY_TYPE},
         {"context.set.x", CEDAR_WHY_TYPE}, {"context has n.x", CEDAR_WHY_TYPE});
}

static void tags(void **state)
{
    (void)state;
    ARE({"principal.hasTag('level')", "true"}, {"principal.hasTag(context.s)", "false"},
        {"principal.getTag('level')", "3"}, {"User::'bob'.hasTag('level')", "false"},
        {"principal.hasTag('age')", "false"});
    FAIL({"principal.getTag('x')", CEDAR_WHY_NO_TAG}, {"User::'bob'.getTag('x')", CEDAR_WHY_NO_ENTITY},
         {"principal.hasTag(1)", CEDAR_WHY_TYPE}, {"context.deep.hasTag('a')", CEDAR_WHY_TYPE},
         {"principal.getTag(1)", CEDAR_WHY_TYPE});
}

static void hierarchy(void **state)
{
    (void)state;
    ARE({"principal in Team::'support'", "true"}, {"principal in Org::'house'", "true"},
        {"principal in principal", "true"}, {"principal in Team::'other'", "false"},
        {"Team::'support' in principal", "false"}, {"User::'bob' in User::'bob'", "true"},
        {"User::'bob' in Team::'support'", "false"}, {"principal in [Team::'other', Org::'house']", "true"},
        {"principal in []", "false"}, {"principal in [Team::'x', Team::'y', Team::'z', User::'alice']", "true"},
        {"action in Action::'any'", "true"}, {"User::'bob' in context.people", "true"},
        {"principal in context.people", "false"}, {"principal is User", "true"}, {"principal is Team", "false"},
        {"resource is Shop::Tool", "true"}, {"resource is Tool", "false"},
        {"principal is User in Org::'house'", "true"}, {"principal is Team in 1", "false"},
        {"principal is User in [Team::'support']", "true"});
    FAIL({"1 in principal", CEDAR_WHY_TYPE}, {"principal in 1", CEDAR_WHY_TYPE},
         {"[principal] in principal", CEDAR_WHY_TYPE}, {"principal in [Team::'support', 1]", CEDAR_WHY_TYPE},
         {"principal in [Team::'support', []]", CEDAR_WHY_TYPE}, {"principal in context.mixed", CEDAR_WHY_TYPE},
         {"1 is User", CEDAR_WHY_TYPE}, {"1 is User in 1", CEDAR_WHY_TYPE}, {"principal is User in 1", CEDAR_WHY_TYPE},
         {"principal in {}", CEDAR_WHY_TYPE});
}

static void sets(void **state)
{
    (void)state;
    ARE({"context.set.contains(2)", "true"}, {"context.set.contains('2')", "false"}, {"[].contains(1)", "false"},
        {"context.set.containsAll([3, 1])", "true"}, {"context.set.containsAll([3, 4])", "false"},
        {"context.set.containsAll([])", "true"}, {"[].containsAll([])", "true"}, {"[].containsAll([1])", "false"},
        {"context.set.containsAny([4, 3])", "true"}, {"context.set.containsAny([4])", "false"},
        {"context.set.containsAny([])", "false"}, {"context.none.isEmpty()", "true"},
        {"context.set.isEmpty()", "false"}, {"[context.n, context.n, 1].contains(5)", "true"},
        {"[[1], [2]].contains([2])", "true"},
        {"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,context.n].contains(17)", "true"});
    FAIL({"1.contains(1)", CEDAR_WHY_TYPE}, {"context.set.containsAll(1)", CEDAR_WHY_TYPE},
         {"context.deep.isEmpty()", CEDAR_WHY_TYPE}, {"context.s.contains('h')", CEDAR_WHY_TYPE},
         {"[1].containsAny({a: 1})", CEDAR_WHY_TYPE}, {"[context.missing].isEmpty()", CEDAR_WHY_NO_ATTR});
}

static void patterns(void **state)
{
    (void)state;
    ARE({"context.s like 'hello'", "true"}, {"context.s like 'h*o'", "true"}, {"context.s like '*'", "true"},
        {"context.s like '*ell*'", "true"}, {"context.s like 'h*l*l*o'", "true"},
        {"context.s like 'h*l*l*l*o'", "false"}, {"context.s like 'hell'", "false"}, {"context.s like 'ello'", "false"},
        {"context.s like 'hello*'", "true"}, {"context.s like 'hel*lo'", "true"}, {"context.s like 'hell*lo'", "false"},
        {"context.s like '**o'", "true"}, {"'' like ''", "true"}, {"'' like '*'", "true"}, {"'' like 'a*'", "false"},
        {"'a*b' like 'a\\*b'", "true"}, {"'axb' like 'a\\*b'", "false"}, {"'abab' like '*ab'", "true"},
        {"'aab' like 'a*ab'", "true"}, {"context.s like 'H*'", "false"});
    FAIL({"1 like 'a'", CEDAR_WHY_TYPE}, {"context.set like '*'", CEDAR_WHY_TYPE});
}

static void records_with_variables_in_them(void **state)
{
    (void)state;
    ARE({"{a: context.n, b: [context.s]}", "{'a': 5, 'b': ['hello']}"}, {"{a: context.n}.a == 5", "true"},
        {"{who: principal} == {who: User::'alice'}", "true"});
    FAIL({"{a: context.missing}", CEDAR_WHY_NO_ATTR}, {"{a: context.n} has a && {a: context.n}.b", CEDAR_WHY_NO_ATTR});
}

static void errors_say_where_and_why(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"context.deep.x.b", "`context.deep` has no attribute `x`"},
        {"1 + context.s == 2", "`1 + context.s`: an operand is of the wrong kind (longs are computed with)"},
        {"context.n && true", "`context.n` is no bool, and one is wanted here"},
        {"context.most + 1 == 2", "`context.most + 1` does not fit into 64 bits"},
        {"resource.risk == 1", "`resource` is no entity that is there, so that it has no attributes and tags"},
        {"principal.getTag('x') == 1", "`principal` has no such tag: `\"x\"`"},
        {"decimal(context.n) == 1", "`decimal(context.n)`: an operand is of the wrong kind (decimal takes string)"},
        {"context.from.isIpv4(1)", "`context.from.isIpv4(1)`: isIpv4 takes 0 argument(s), not 1"},
        {"ip(context.s) == 1", "`ip(context.s)`: ip does not take this"},
    };
    struct scene s;
    scene_begin(&s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cedar_value v;
        struct cedar_error error = {0};
        struct buf b;
        buf_init(&b, 1 << 16);
        assert_int_equal(scene_ask(&s, rows[i].text, &v, &error), ERR_SYNTAX);
        cedar_error_text(&error, &b);
        buf_char(&b, 0);
        assert_string_equal(b.p, rows[i].is);
        buf_done(&b);
    }
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(comparison),
        cmocka_unit_test(and_and_or_look_no_further_than_they_must),
        cmocka_unit_test(attributes),
        cmocka_unit_test(tags),
        cmocka_unit_test(hierarchy),
        cmocka_unit_test(sets),
        cmocka_unit_test(patterns),
        cmocka_unit_test(records_with_variables_in_them),
        cmocka_unit_test(errors_say_where_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Policies as text again: what is printed reads as it was, with no more brackets than it needs. */
#include "texts.h"

static void an_expression_has_the_brackets_that_it_needs(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"(1 + 2) * 3", "(1 + 2) * 3"},
        {"(1 * 2) + (3)", "1 * 2 + 3"},
        {"1 - (2 - 3)", "1 - (2 - 3)"},
        {"(true && false) || ((true))", "true && false || true"},
        {"true && (false || true)", "true && (false || true)"},
        {"true || (false || true)", "true || (false || true)"},
        {"(1 < 2) == (2 < 3)", "(1 < 2) == (2 < 3)"},
        {"!(true && false)", "!(true && false)"},
        {"!!!!(!!(context.a))", "!!!!(!!context.a)"},
        {"!(-1 == 1)", "!(-1 == 1)"},
        {"-(1)", "-(1)"},
        {"--1", "--1"},
        {"----(-1)", "----(-1)"},
        {"-(-(1))", "--(1)"},
        {"(-1).a", "(-1).a"},
        {"-(context.a)", "-context.a"},
        {"-(-context.a)", "--context.a"},
        {"1 - -1", "1 - -1"},
        {"(if true then 1 else 2) + 1", "(if true then 1 else 2) + 1"},
        {"if (if true then true else false) then [1,] else {}", "if if true then true else false then [1] else {}"},
        {"context has a.b.c && context has 'a b' && context has 'if'",
         "context has a.b.c && context has 'a b' && context has 'if'"},
        {"context['a']['b c']['if'].d", "context.a['b c']['if'].d"},
        {"{a: 1, 'b c': {'if': 2}}.a", "{a: 1, 'b c': {'if': 2}}.a"},
        {"principal is A::B in (User::'x')", "principal is A::B in User::'x'"},
        {"'a*' like '*\\*\\u{2a}\\n'", "'a*' like '*\\**\\n'"},
        {"[1,2].contains(1) || [].isEmpty() && principal.hasTag('a')",
         "[1, 2].contains(1) || [].isEmpty() && principal.hasTag('a')"},
        {"(decimal('1.0')).lessThan(decimal('2.0'))", "decimal('1.0').lessThan(decimal('2.0'))"},
        {"(1 + 2).contains(3)", "(1 + 2).contains(3)"},
        {"decimal() == ip('a', 2)", "decimal() == ip('a', 2)"},
        {"Shop :: User :: '\\x41\\u{e9}'", "Shop::User::'A\xc3\xa9'"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena a;
        struct buf text;
        arena_init(&a, 1 << 20);
        buf_init(&text, 1 << 16);
        cedar_print_expr(texts_expr(rows[i][0], &a), &text);
        texts_equal(&text, rows[i][1]);
        assert_true(cedar_expr_same(texts_expr(rows[i][0], &a), texts_expr(rows[i][1], &a)));
        arena_done(&a);
    }
}

static void a_string_shows_what_could_not_be_seen(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 16);
    cedar_string_print(STR("a\"b\\c\n\r\t\0\x1b\x7f'*\xc3\xa9\xe2\x80\xae\xef\xbb\xbf\xf0\x9f\x98\x80"), &text);
    buf_char(&text, 0);
    assert_string_equal(text.p,
                        "\"a\\\"b\\\\c\\n\\r\\t\\0\\u{1b}\\u{7f}'*\xc3\xa9\\u{202e}\\u{feff}\xf0\x9f\x98\x80\"");
    buf_clear(&text);
    cedar_string_print(STR("\xff\xfe"), &text); /* no UTF-8: every byte of it a mark */
    assert_true(str_is(buf_view(&text), "\"\xef\xbf\xbd\xef\xbf\xbd\""));
    buf_done(&text);
}

static void a_policy_stands_in_lines(void **state)
{
    (void)state;
    struct buf text;
    struct cedar_policies *ps = texts_read("@id('a\\nb')@if forbid(principal is User in ?principal, action in "
                                           "[Action::'a',Action::'b'],resource==?resource)"
                                           "when{true}unless{context.a}; permit(principal,action,resource);"
                                           "permit(principal == Namespace::Of::Many::Names::'and a long id', action, "
                                           "resource in Album::'of many and long words');");
    buf_init(&text, 1 << 16);
    for (uint32_t i = 0; i < ps->n; i++)
        cedar_print_policy(ps->policy[i], &text);
    texts_equal(&text, "@id('a\\nb')\n"
                       "@if\n"
                       "forbid(\n"
                       "    principal is User in ?principal,\n"
                       "    action in [Action::'a', Action::'b'],\n"
                       "    resource == ?resource\n"
                       ")\n"
                       "when { true }\n"
                       "unless { context.a };\n"
                       "permit(principal, action, resource);\n"
                       "permit(\n"
                       "    principal == Namespace::Of::Many::Names::'and a long id',\n"
                       "    action,\n"
                       "    resource in Album::'of many and long words'\n"
                       ");\n");
    cedar_policies_free(ps);
}

static void what_differs_anywhere_is_not_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "permit(principal, action, resource);",
        "forbid(principal, action, resource);",
        "@a permit(principal, action, resource);",
        "@a('') permit(principal, action, resource);",
        "@b permit(principal, action, resource);",
        "permit(principal == U::'a', action, resource);",
        "permit(principal in U::'a', action, resource);",
        "permit(principal == U::'b', action, resource);",
        "permit(principal == ?principal, action, resource);",
        "permit(principal is U, action, resource);",
        "permit(principal is U in U::'a', action, resource);",
        "permit(principal, action in [Action::'a', Action::'b'], resource);",
        "permit(principal, action in [], resource);",
        "permit(principal, action, resource) when { true };",
        "permit(principal, action, resource) unless { true };",
        "permit(principal, action, resource) when { true } when { true };",
        "permit(principal, action, resource) when { {a: 1} };",
        "permit(principal, action, resource) when { {b: 1} };",
        "permit(principal, action, resource) when { principal is U };",
        "permit(principal, action, resource) when { principal is U in U::'a' };",
        "permit(principal, action, resource) when { context has a.b };",
        "permit(principal, action, resource) when { context has a && context.a has b };",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct cedar_policies *ps = texts_read(texts[i]);
        for (size_t k = 0; k < COUNT(texts); k++) {
            struct cedar_policies *qs = texts_read(texts[k]);
            if (cedar_policy_same(ps->policy[0], qs->policy[0]) != (i == k))
                fail_msg("%s and %s", texts[i], texts[k]);
            cedar_policies_free(qs);
        }
        cedar_policies_free(ps);
    }
}

/* n parts, the first k of them in brackets */
static void chain(struct buf *out, unsigned n, unsigned k)
{
    buf_z(out, k ? "permit(principal, action, resource)\nwhen { (" : "permit(principal, action, resource)\nwhen { ");
    for (unsigned i = 0; i < n; i++)
        buf_fmt(out, "%scontext.a%u%s", i ? " && " : "", i, i + 1 == k ? ")" : "");
    buf_z(out, " };\n");
}

/* A chain of hundreds is laid out in halves, so that nobody has to go hundreds of levels down; still it is itself. */
static void a_long_chain_reads_as_it_was(void **state)
{
    (void)state;
    static const struct {
        unsigned n, k;
        bool plain; /* it is printed as it was written */
    } rows[] = {{2, 0, true}, {128, 0, true}, {129, 0, false}, {400, 0, false}, {129, 128, true}, {130, 128, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf text, again;
        buf_init(&text, 1 << 20);
        buf_init(&again, 1 << 20);
        chain(&text, rows[i].n, rows[i].k);
        struct cedar_policies *ps = texts_raw(buf_view(&text));
        cedar_print_policy(ps->policy[0], &again);
        struct cedar_policies *qs = texts_raw(buf_view(&again));
        assert_true(cedar_policy_same(ps->policy[0], qs->policy[0]));
        assert_int_equal(str_eq(buf_view(&text), buf_view(&again)), rows[i].plain);
        cedar_policies_free(ps);
        cedar_policies_free(qs);
        buf_done(&text);
        buf_done(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_has_the_brackets_that_it_needs),
        cmocka_unit_test(a_string_shows_what_could_not_be_seen),
        cmocka_unit_test(a_policy_stands_in_lines),
        cmocka_unit_test(what_differs_anywhere_is_not_the_same),
        cmocka_unit_test(a_long_chain_reads_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

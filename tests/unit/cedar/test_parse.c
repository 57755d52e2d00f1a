/* What is a policy and what is none, by the language guide (https://docs.cedarpolicy.com/policies/syntax-grammar.html),
 * and what an author reads who wrote something else. */
#include "texts.h"

#include <time.h>

/* ---- expressions ---- */

static void operators_bind_as_the_grammar_says(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"1 + 2 * 3", "1 + (2 * 3)"},
        {"1 - 2 - 3", "(1 - 2) - 3"},
        {"true || false && true", "true || (false && true)"},
        {"true || false || true", "(true || false) || true"},
        {"!context.a && true", "(!(context.a)) && true"},
        {"1 + 2 == 3 * 1", "(1 + 2) == (3 * 1)"},
        {"-context.a.b", "-((context.a).b)"},
        {"-1.a", "-(1.a)"},
        {"if true then 1 else 2 + 3", "if true then 1 else (2 + 3)"},
        {"if true then 1 else if false then 2 else 3", "if true then 1 else (if false then 2 else 3)"},
        {"principal is User in Group::'g'", "principal is User in (Group::'g')"},
        {"context has a.b.c", "context has a . b . c"},
        {"context['a']", "context.a"},
        {"{a: 1, 'b': 2}", "{'a': 1, b: 2,}"},
        {"Shop::User::'a'", "Shop :: // of the shop\n User :: '\\u{61}'"},
    };
    static const char *const different[][2] = {
        {"(1 + 2) * 3", "1 + 2 * 3"},
        {"1 - (2 - 3)", "1 - 2 - 3"},
        {"(true || false) && true", "true || false && true"},
        {"-(1)", "-1"},
        {"context has a.b", "context has a && context.a has c"},
        {"principal", "resource"},
        {"ip('::1').isIpv4()", "ip('::1').isIpv6()"},
        {"'a' like 'a*'", "'a' like 'a\\*'"},
        {"User::'a'", "user::'a'"},
    };
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < COUNT(same); i++)
        if (!cedar_expr_same(texts_expr(same[i][0], &a), texts_expr(same[i][1], &a)))
            fail_msg("%s is not %s", same[i][0], same[i][1]);
    for (size_t i = 0; i < COUNT(different); i++)
        if (cedar_expr_same(texts_expr(different[i][0], &a), texts_expr(different[i][1], &a)))
            fail_msg("%s is %s", different[i][0], different[i][1]);
    arena_done(&a);
}

static void numbers_have_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}, {"-0", 0}, {"007", 7}, {"- 1", -1}};
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct cedar_expr *e = texts_expr(rows[i].text, &a);
        assert_int_equal(e->op, CEDAR_OP_LIT);
        assert_true(cedar_value_eq(e->lit, cedar_long(rows[i].value)));
    }
    assert_int_equal(texts_expr("--1", &a)->op, CEDAR_OP_NEG);
    arena_done(&a);
    static const char too_large[] =
        "1:44: this number is too large: numbers go from -9223372036854775808 to 9223372036854775807\n";
    texts_say(IN_WHEN("9223372036854775808"), too_large);
    texts_say(IN_WHEN("99999999999999999999"), too_large);
}

static void strings_have_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct str value;
    } rows[] = {
        {"\"\\n\\r\\t\\0\\\\\\'\\\"\"", STR("\n\r\t\0\\'\"")},
        {"\"\\x41\\x7f\"", STR("A\x7f")},
        {"\"\\u{e9}\\u{1F600}\\u{0_4_1}\"", STR("\xc3\xa9\xf0\x9f\x98\x80"
                                                "A")},
        {"\"caf\xc3\xa9\nline // no comment\"", STR("caf\xc3\xa9\nline // no comment")},
        {"\"\"", STR("")},
    };
    static const char *const bad[] = {"\\a",     "\\x80",     "\\x4",        "\\u41",        "\\u{}",
                                      "\\u{_1}", "\\u{d800}", "\\u{110000}", "\\u{1234567}", "\\u{0000041}",
                                      "\\\n",    "\\*",       "\r"};
    struct arena a;
    struct fault f;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct cedar_expr *e;
        assert_int_equal(cedar_parse_expr(str_of(rows[i].text), &a, &e, &f), ERR_OK);
        assert_true(str_eq(cedar_value_str(e->lit), rows[i].value));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct cedar_expr *e;
        char text[64];
        snprintf(text, sizeof(text), "\"ab%s\"", bad[i]);
        assert_int_equal(cedar_parse_expr(str_of(text), &a, &e, &f), ERR_SYNTAX);
        assert_memory_equal(f.text, "1:4: ", 5); /* right where the escape begins */
    }
    arena_done(&a);
}

static void patterns_are_cut_at_their_stars(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pieces[4];
    } rows[] = {
        {"'x' like 'a*b'", {"a", "b"}},
        {"'x' like '*'", {"", ""}},
        {"'x' like ''", {""}},
        {"'x' like '**a\\*\\\\'", {"", "", "a*\\"}},
        {"'x' like '\\u{2a}\\x2a'", {"", "", ""}}, /* a star is one however it is written */
    };
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct cedar_pattern *p = texts_expr(rows[i].text, &a)->pattern;
        uint32_t n = 0;
        for (; n < p->n; n++)
            assert_true(rows[i].pieces[n] && str_is(p->piece[n], rows[i].pieces[n]));
        assert_null(rows[i].pieces[n]);
    }
    arena_done(&a);
}

static void functions_keep_as_many_arguments_as_were_written(void **state)
{
    (void)state; /* the language answers a wrong number when the call is evaluated */
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_int_equal(texts_expr("decimal()", &a)->n, 0);
    assert_int_equal(texts_expr("decimal('1.0', 2,)", &a)->n, 2);
    assert_int_equal(texts_expr("ip('::1').isIpv4(1)", &a)->n, 2);
    arena_done(&a);
}

/* ---- policies ---- */

static void a_policy_has_a_scope_conditions_and_annotations(void **state)
{
    (void)state;
    struct cedar_policies *ps =
        texts_read("@id('one') @if\n"
                   "forbid(principal is User in Team::'a', action in [Action::'x', Shop::Action::'y'],\n"
                   "       resource == Tool::'t',) when { true } unless { false };\n"
                   "permit(principal, action in [Action::'x'], resource is Tool);");
    const struct cedar_policy *p = ps->policy[0], *q = ps->policy[1];
    assert_int_equal(ps->n, 2);
    assert_true(str_is(p->id, "policy0") && str_is(q->id, "policy1"));
    assert_true(p->effect == CEDAR_FORBID && q->effect == CEDAR_PERMIT);
    assert_true(p->principal.kind == CEDAR_IS_IN && str_is(p->principal.type, "User"));
    assert_true(str_is(p->principal.uid->type, "Team") && str_is(p->principal.uid->id, "a"));
    assert_true(p->action.kind == CEDAR_IN_ANY && p->action.n == 2 && str_is(p->action.uid[1].type, "Shop::Action"));
    assert_true(p->resource.kind == CEDAR_EQ && p->resource.n == 1);
    assert_true(q->principal.kind == CEDAR_ANY && q->action.kind == CEDAR_IN && q->resource.kind == CEDAR_IS);
    assert_true(p->conditions == 2 && !p->condition[0].unless && p->condition[1].unless && q->conditions == 0);
    assert_true(str_is(cedar_annotation_find(p, STR("id"))->value, "one"));
    assert_true(cedar_annotation_find(p, STR("if"))->bare && !cedar_annotation_find(q, STR("id")));
    assert_true(ps->source[p->source].text.p[p->end - 1] == ';' && ps->source[p->source].text.p[p->at] == '@');
    cedar_policies_free(ps);
}

static void a_scope_with_a_slot_makes_a_template(void **state)
{
    (void)state;
    struct cedar_policies *ps = texts_read("permit(principal == ?principal, action, resource is T in (?resource));"
                                           "permit(principal, action, resource);");
    const struct cedar_policy *t = ps->policy[0];
    assert_true(t->is_template && t->principal.slot && t->resource.slot && t->resource.kind == CEDAR_IS_IN);
    assert_false(ps->policy[1]->is_template);
    cedar_policies_free(ps);
}

static void white_space_is_unicodes(void **state)
{
    (void)state;
    cedar_policies_free(texts_read("\xe3\x80\x80permit(principal,\xc2\xa0"
                                   "action, resource)\xe2\x80\xa8;// end\r//"));
    texts_say("permit(principal,\xe2\x80\x8b"
              "action, resource);",
              "1:18: `?` has no meaning here: expected `action`\n");
}

static void ids_count_on_over_several_texts(void **state)
{
    (void)state;
    struct cedar_policies *ps = texts_read("permit(principal, action, resource);");
    struct buf faults;
    struct fault f;
    buf_init(&faults, 1 << 16);
    assert_int_equal(cedar_parse(ps, STR("b"), STR("permit(principal, action);"), &faults), ERR_SYNTAX);
    assert_int_equal(cedar_parse(ps, STR("c"), STR("forbid(principal, action, resource);"), &faults), ERR_OK);
    assert_true(ps->n == 2 && str_is(ps->policy[1]->id, "policy1"));
    assert_ptr_equal(cedar_policy_find(ps, STR("policy1")), ps->policy[1]);
    assert_null(cedar_policy_find(ps, STR("policy2")));
    assert_true(str_is(ps->source[ps->policy[1]->source].name, "c"));
    struct cedar_policy again = {.id = STR("policy0")}, other = {.id = STR("policy2")};
    assert_int_equal(cedar_policies_add(ps, &again, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "there is a policy `policy0` already: give this one another id");
    assert_int_equal(cedar_policies_add(ps, &other, &f), ERR_OK); /* an id that is taken is left out */
    assert_int_equal(cedar_parse(ps, STR("d"), STR("forbid(principal, action, resource);"), &faults), ERR_OK);
    assert_true(str_is(ps->policy[3]->id, "policy3"));
    buf_done(&faults);
    cedar_policies_free(ps);
}

/* ---- faults ---- */

static void what_is_wrong_is_said_with_what_would_be_right(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"permit(principal, action, resource)", "1:36: the text ends here: expected `when {`, `unless {` or `;`\n"},
        {"allow(principal, action, resource);", "1:1: expected `permit` or `forbid`, but found `allow`\n"},
        {"permit(principal, action);", "1:25: expected `,`, or one of ==, in, but found `)`\n"},
        {"permit(action, principal, resource);", "1:8: expected `principal`, but found `action`\n"},
        {"permit(principal, action, resource, context);",
         "1:37: expected `)`: principal, action and resource are all that stands here, but found `context`\n"},
        {"permit(principal: User, action, resource);", "1:17: a type is asked for with `is`, not with `:`\n"},
        {"permit(principal == User, action, resource);", "1:21: `User` is only a type: expected an entity like "
                                                         "User::'alice', or ?principal (to ask for the type, write "
                                                         "`is`)\n"},
        {"permit(principal == ?resource, action, resource);", "1:21: the slot here is ?principal, not ?resource\n"},
        {"permit(principal in [User::'a'], action, resource);",
         "1:21: expected an entity like User::'alice', or ?principal, but found `[`\n"},
        {"permit(principal, action == User::'a', resource);",
         "1:29: actions are of the type `Action`, perhaps in a namespace, not `User`\n"},
        {"permit(principal, action is Action, resource);",
         "1:26: `is` cannot be asked of an action here: ask it in `when { }`\n"},
        {"permit(principal is User::'a', action, resource);",
         "1:21: behind `is` stands a type like `User`; for one entity, write `==`\n"},
        {"@a('1') @a permit(principal, action, resource);", "1:9: the annotation `@a` is there twice: keep one\n"},
        {"@a(1) permit(principal, action, resource);",
         "1:4: expected the annotation's value in double quotes, but found `1`\n"},
        {IN_WHEN(""), "1:45: expected an expression, but found `}`\n"},
        {"permit(principal, action, resource) if { true };",
         "1:37: expected `when {`, `unless {` or `;`, but found `if`\n"},
        {IN_WHEN("1 < 2 < 3"),
         "1:50: comparisons are not chained: put the one before into brackets, or join both with &&\n"},
        {IN_WHEN("context.a = 1"), "1:54: `=` assigns, and nothing is assigned here: write `==`\n"},
        {IN_WHEN("context.a / 2"), "1:54: there is no division and no remainder: multiply the other side instead\n"},
        {IN_WHEN("!!!!!true"), "1:48: more than four ! in a row: take two of them away\n"},
        {IN_WHEN("!-1"), "1:45: expected brackets between ! and -, but found `-`\n"},
        {IN_WHEN("1 + if true then 1 else 2"),
         "1:48: an `if` within an expression stands in brackets: write (if ... then ... else ...)\n"},
        {IN_WHEN("if true then 1"), "1:59: expected `else` (every `if` has one), but found `}`\n"},
        {IN_WHEN("usr == 1"),
         "1:44: `usr` is no variable: there are principal, action, resource and context; a string stands "
         "in double quotes, an entity is usr::'id'\n"},
        {IN_WHEN("context.like"), "1:52: `like` is a reserved word: write ['like']\n"},
        {IN_WHEN("context has if"), "1:56: `if` is a reserved word: write it in double quotes\n"},
        {IN_WHEN("User::in::'a' == 1"), "1:50: `in` is a reserved word: choose another name\n"},
        {IN_WHEN("__cedar::'a' == 1"), "1:44: `__cedar` is a reserved word: choose another name\n"},
        {IN_WHEN("context[a]"), "1:52: expected an attribute's name in double quotes, but found `a`\n"},
        {IN_WHEN("'a' like context.b"),
         "1:53: expected a pattern in double quotes behind `like`, such as '*@example.com', but found `context`\n"},
        {IN_WHEN("foo(1)"), "1:44: there is no function `foo`: there are decimal, ip, datetime and duration\n"},
        {IN_WHEN("lessThan(1)"), "1:44: `lessThan` is a method, no function: write value.lessThan(...)\n"},
        {IN_WHEN("context.ip('a')"), "1:52: `ip` is a function, no method: write ip(...)\n"},
        {IN_WHEN("context.has_it(1)"),
         "1:52: there is no method `has_it`: sets have contains, containsAll, containsAny, "
         "isEmpty; entities have hasTag, getTag\n"},
        {IN_WHEN("[1].contains(1, 2)"), "1:48: `contains` takes one argument, not 2\n"},
        {IN_WHEN("[1].isEmpty(1)"), "1:48: `isEmpty` takes no argument, not 1\n"},
        {IN_WHEN("context.contains('a')('b')"),
         "1:65: this cannot be called: a call is name(...) or value.method(...)\n"},
        {IN_WHEN("{a: 1, 'a': 2}"), "1:51: the attribute 'a' is there twice in this record: keep one\n"},
        {IN_WHEN("{b: 1, c: 2, b: 3, c: 4}"), "1:57: the attribute 'b' is there twice in this record: keep one\n"},
        {IN_WHEN("then == 1"), "1:44: `then` is a reserved word: choose another name\n"},
        {IN_WHEN("?principal == principal"),
         "1:44: a template's slot stands only behind == or in of the scope, in `permit( )` "
         "or `forbid( )`\n"},
        {IN_WHEN("true or false"), "1:49: expected `}`, && or ||, but found `or`\n"},
        {IN_WHEN("1 & 2"), "1:46: `&` has no meaning here: expected `}`, && or ||\n"},
        {IN_WHEN("'open"), "1:44: this string is never closed: it ends with a ' (within it, write \\')\n"},
        {IN_WHEN("'\\q' == 1"),
         "1:45: `\\q` is no escape here: the escapes are \\n \\r \\t \\0 \\\\ \\' \\' \\x41 (up to \\x7f) "
         "and \\u{1F600}\n"},
        {"permit(principal, action, resource);;", "1:37: expected `permit` or `forbid`, but found `;`\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        texts_say(rows[i][0], rows[i][1]);
}

static void one_look_shows_all_that_is_wrong(void **state)
{
    (void)state;
    texts_say(
        "permit(principal, action);\n"
        "permit(principal, action, resource)\n"
        "  when { \xc3\xa9 };\n"
        "permit(principal, action, resource);\n"
        "permit(principal, action, resource) when { foo(bar) };",
        "1:25: expected `,`, or one of ==, in, but found `)`\n"
        "3:10: `\xc3\xa9` has no meaning here: expected an expression\n"
        "5:44: there is no function `foo`: there are decimal, ip, datetime and duration\n"
        "5:48: `bar` is no variable: there are principal, action, resource and context; a string stands in double "
        "quotes, an entity is bar::'id'\n");
}

static void of_many_faults_the_first_are_said_and_the_others_counted(void **state)
{
    (void)state;
    char text[8 * (CEDAR_FAULTS + 7) + 1] = "", *to = text;
    for (int i = 0; i < CEDAR_FAULTS + 7; i++)
        to += sprintf(to, "permit;\n");
    const char *said = texts_faults(text), *line = said;
    int lines = 0;
    for (; (line = strchr(line, '\n')); line++)
        lines++;
    assert_int_equal(lines, CEDAR_FAULTS + 1);
    assert_non_null(strstr(said, "\n20:7: expected `(`, but found `;`\nand 7 more\n"));
}

static void a_text_that_is_not_utf8_is_refused_with_its_line(void **state)
{
    (void)state;
    texts_say("// fine\npermit(principal, action, resource) when { '\xff' };",
              "2:1: this line is not UTF-8: save the file as UTF-8\n");
}

static void a_fault_names_its_file(void **state)
{
    (void)state;
    struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
    struct buf faults;
    buf_init(&faults, 1 << 16);
    assert_int_equal(cedar_parse(ps, STR("shop.cedar"), STR("\n  permit"), &faults), ERR_SYNTAX);
    texts_equal(&faults, "shop.cedar:2:9: the text ends here: expected `(`\n");
    cedar_policies_free(ps);
}

/* ---- bounds ---- */

/* before, n times the middle, n times the end, then after */
static char *nested(const char *before, const char *middle, const char *end, const char *after, size_t n)
{
    size_t m = strlen(middle), e = strlen(end);
    char *text = malloc(strlen(before) + n * (m + e) + strlen(after) + 1), *to = text + sprintf(text, "%s", before);
    for (size_t i = 0; i < n; i++, to += m)
        memcpy(to, middle, m);
    for (size_t i = 0; i < n; i++, to += e)
        memcpy(to, end, e);
    strcpy(to, after);
    return text;
}

static void what_is_nested_too_deep_is_refused(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"", "(", ")"},
        {"", "[", "]"},
        {"", "{a: ", "}"},
        {"", "!(", ")"},
        {"", "if true then ", " else 1"},
        {"", "[1].contains(", ")"},
        {"context", ".a", ""},
        {"context", "['a']", ""},
        {"1", " + 1", ""},
        {"1", " * 1", ""},
        {"context has a", ".a", ""},
        {"[]", ".containsAny([])", ""},
        {"", "ip(", ")"},
        {"1", ".lessThan(1)", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char before[64];
        snprintf(before, sizeof(before), "permit(principal, action, resource) when { %s", rows[i][0]);
        char *text = nested(before, rows[i][1], rows[i][2], rows[i][0][0] ? " };" : "};", 100000);
        const char *said = texts_faults(text);
        if (!strstr(said, "nested "))
            fail_msg("%s %s: %s", rows[i][0], rows[i][1], said);
        free(text);
    }
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_long_text_is_read_in_linear_time(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"permit(principal, action, resource) when { true", " || principal == User::'a'", " };"},
        {"permit(principal, action, resource) when { true", " && context has a.b.c", " };"},
        {"permit(principal, action, resource) when { [", "'abc', ", "].isEmpty() };"},
        {"permit(principal, action in [", "Action::'a', ", "], resource);"},
        {"permit(principal, action, resource) when { '", "\\u{41}", "' == '' };"},
        {"permit(principal, action, resource) when { 'a' like '", "*a", "' };"},
        {"", "permit(principal, action, resource) when { context.a == 1 };\n", ""},
        {"permit(principal, action, resource)", " unless { false }", ";"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = nested(rows[i][0], rows[i][1], "", rows[i][2], 1000000 / strlen(rows[i][1]));
        double begin = seconds();
        cedar_policies_free(texts_read(text));
        assert_true(seconds() - begin < 3);
        free(text);
    }
}

static void faults_without_end_cost_no_more(void **state)
{
    (void)state;
    char *text = nested("", ";", "", "", 1000000);
    double begin = seconds();
    assert_non_null(strstr(texts_faults(text), "and 999980 more\n"));
    assert_true(seconds() - begin < 3);
    free(text);
}

static void has_with_several_names_repeats_only_so_much(void **state)
{
    (void)state; /* each of the hundred would ask the one below it eight times */
    char *text = nested("permit(principal, action, resource) when { ", "(", "", "context", 100);
    char *whole = nested(text, " has a.b.c.d.e.f.g.h)", "", " };", 100);
    assert_non_null(strstr(texts_faults(whole), "`has` with several names repeats what stands before it too often"));
    free(text);
    free(whole);
}

static void a_text_beyond_the_bound_is_refused(void **state)
{
    (void)state;
    struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
    struct buf faults;
    char *text = calloc(1, CEDAR_TEXT_MAX + 1);
    buf_init(&faults, 1 << 16);
    assert_int_equal(cedar_parse(ps, STR("f"), (struct str){text, CEDAR_TEXT_MAX + 1}, &faults), ERR_LIMIT);
    texts_equal(&faults, "f: 8388609 bytes are more than the 8388608 that a text of policies may have: split it\n");
    cedar_policies_free(ps);
    free(text);
}

static void without_memory_nothing_is_read_and_nothing_breaks(void **state)
{
    (void)state;
    static const struct str text =
        STR("@a(\"b\\n\") permit(principal is A::B in C::\"d\\0\", action in [Action::\"x\", Action::\"y\"], "
            "resource) when { {a: [1, \"x\\t\", ip(\"::1\").isIpv4()], \"b\": context has a.b.c}.a like \"*\" } "
            "unless { if true then -1 else 2 };");
    struct buf faults;
    enum err e = ERR_NOMEM;
    unsigned refused = 0;
    buf_init(&faults, 1 << 16);
    for (size_t memory = 0; e; memory += 64) {
        struct cedar_policies *ps = cedar_policies_new(memory);
        e = cedar_parse(ps, STR("f"), text, &faults);
        assert_true(e == ERR_OK || (e == ERR_NOMEM && ps->n == 0));
        refused += e == ERR_NOMEM;
        cedar_policies_free(ps);
    }
    assert_true(refused > 1);
    assert_int_equal(faults.n, 0);
    buf_done(&faults);
}

/* ---- on their own ---- */

static void an_expression_and_an_entity_can_stand_alone(void **state)
{
    (void)state;
    struct arena a;
    struct fault f;
    struct cedar_uid uid;
    const struct cedar_expr *e;
    arena_init(&a, 1 << 20);
    assert_int_equal(cedar_parse_uid(STR(" Shop::User :: \"al\\u{69}ce\" "), &a, &uid, &f), ERR_OK);
    assert_true(str_is(uid.type, "Shop::User") && str_is(uid.id, "alice"));
    assert_int_equal(uid.hash, cedar_uid_hash(uid.type, uid.id));
    assert_int_equal(cedar_parse_uid(STR("User"), &a, &uid, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "1:5: the text ends here: expected an entity like User::\"alice\"");
    assert_int_equal(cedar_parse_uid(STR("User::\"a\".b"), &a, &uid, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "1:10: expected the end of the text, but found `.`");
    assert_int_equal(cedar_parse_expr(STR("1 +"), &a, &e, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "1:4: the text ends here: expected an expression");
    assert_int_equal(cedar_parse_expr(STR("foo == bar"), &a, &e, &f), ERR_SYNTAX); /* the first fault */
    assert_memory_equal(f.text, "1:1: `foo` is no variable", 25);
    arena_done(&a);
}

static void names_are_words_with_colons_between(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "_", "A1", "principal", "permit", "__cedarx", "Shop::User", "a::b::c"};
    static const char *const bad[] = {"", "1", "a b", "if", "true", "in", "__cedar", "caf\xc3\xa9", "a-b", "a.b"};
    static const char *const no_path[] = {"a:b", "a::", "::a", "a:::b", "a::if", "a::__cedar", " a", "a ::b", ":"};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(cedar_name_valid(str_of(good[i])) && cedar_ident_valid(str_of(good[i])) == !strchr(good[i], ':'));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(cedar_name_valid(str_of(bad[i])) || cedar_ident_valid(str_of(bad[i])));
    for (size_t i = 0; i < COUNT(no_path); i++)
        assert_false(cedar_name_valid(str_of(no_path[i])) || cedar_ident_valid(str_of(no_path[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_as_the_grammar_says),
        cmocka_unit_test(numbers_have_64_bits),
        cmocka_unit_test(strings_have_escapes),
        cmocka_unit_test(patterns_are_cut_at_their_stars),
        cmocka_unit_test(functions_keep_as_many_arguments_as_were_written),
        cmocka_unit_test(a_policy_has_a_scope_conditions_and_annotations),
        cmocka_unit_test(a_scope_with_a_slot_makes_a_template),
        cmocka_unit_test(white_space_is_unicodes),
        cmocka_unit_test(ids_count_on_over_several_texts),
        cmocka_unit_test(what_is_wrong_is_said_with_what_would_be_right),
        cmocka_unit_test(one_look_shows_all_that_is_wrong),
        cmocka_unit_test(of_many_faults_the_first_are_said_and_the_others_counted),
        cmocka_unit_test(a_text_that_is_not_utf8_is_refused_with_its_line),
        cmocka_unit_test(a_fault_names_its_file),
        cmocka_unit_test(what_is_nested_too_deep_is_refused),
        cmocka_unit_test(a_long_text_is_read_in_linear_time),
        cmocka_unit_test(faults_without_end_cost_no_more),
        cmocka_unit_test(has_with_several_names_repeats_only_so_much),
        cmocka_unit_test(a_text_beyond_the_bound_is_refused),
        cmocka_unit_test(without_memory_nothing_is_read_and_nothing_breaks),
        cmocka_unit_test(an_expression_and_an_entity_can_stand_alone),
        cmocka_unit_test(names_are_words_with_colons_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

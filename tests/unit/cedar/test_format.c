/* The house's layout of policies: calm, with every comment kept, and the same again when it is formatted again. */
#include "texts.h"

static void texts_format(const char *text, struct buf *out)
{
    struct buf faults;
    buf_init(&faults, 1 << 16);
    if (cedar_format(STR("f"), str_of(text), out, &faults))
        fail_msg("%s: " STR_FMT, text, STR_ARG(buf_view(&faults)));
    buf_done(&faults);
}

/* text becomes want, and want stays as it is; ' for ". */
static void laid_out(const char *text, const char *want)
{
    struct buf once, twice;
    char *doubled = quotes(strdup(text));
    buf_init(&once, 1 << 20);
    buf_init(&twice, 1 << 20);
    texts_format(doubled, &once);
    buf_char(&once, 0);
    texts_format(once.p, &twice);
    assert_int_equal(twice.n + 1, once.n);
    assert_memory_equal(twice.p, once.p, twice.n);
    struct cedar_policies *ps = texts_raw(str_of(doubled)), *qs = texts_raw(buf_view(&twice));
    assert_int_equal(ps->n, qs->n);
    for (uint32_t i = 0; i < ps->n; i++)
        assert_true(cedar_policy_same(ps->policy[i], qs->policy[i]));
    texts_equal(&twice, want);
    buf_done(&once);
    free(doubled);
    cedar_policies_free(ps);
    cedar_policies_free(qs);
}

static void what_is_short_stands_on_one_line(void **state)
{
    (void)state;
    laid_out("permit ( principal,action , resource )when{ context . a==1&&!context.b[ 'c' ] }unless{ - 1<2 } ;",
             "permit(principal, action, resource)\n"
             "when { context.a == 1 && !context.b['c'] }\n"
             "unless { -1 < 2 };\n");
    laid_out("@id('x')@bare forbid(principal,action,resource);permit(principal,action,resource);",
             "@id('x')\n"
             "@bare\n"
             "forbid(principal, action, resource);\n"
             "\n"
             "permit(principal, action, resource);\n");
}

static void a_scope_that_asks_has_a_line_for_each(void **state)
{
    (void)state;
    laid_out("permit(principal is User in Group :: 'g',action in [ Action::'a',Action::'b', ],resource,);",
             "permit(\n"
             "    principal is User in Group::'g',\n"
             "    action in [Action::'a', Action::'b'],\n"
             "    resource\n"
             ");\n");
}

static void what_is_long_breaks_where_it_reads_best(void **state)
{
    (void)state;
    laid_out(
        "permit(principal,action,resource)when{resource.owner==principal&&(context.source.isInRange(ip('10.0.0.0/8'))||"
        "context.mfa||context.device.trusted&&context.device.age<3)&&resource.labels.containsAny(['public','internal',"
        "'shared','archived','everything else'])};",
        "permit(principal, action, resource)\n"
        "when {\n"
        "    resource.owner == principal &&\n"
        "    (\n"
        "        context.source.isInRange(ip('10.0.0.0/8')) ||\n"
        "        context.mfa ||\n"
        "        context.device.trusted && context.device.age < 3\n"
        "    ) &&\n"
        "    resource.labels.containsAny(['public', 'internal', 'shared', 'archived', 'everything else'])\n"
        "};\n");
    laid_out("permit(principal,action,resource)when{principal.department in ['a department of a long name','another "
             "one of a "
             "longer name','and one more']};",
             "permit(principal, action, resource)\n"
             "when {\n"
             "    principal.department in [\n"
             "        'a department of a long name',\n"
             "        'another one of a longer name',\n"
             "        'and one more'\n"
             "    ]\n"
             "};\n");
    laid_out("permit(principal,action,resource)when{if context.hour<8 then principal.role=='night watch' else if "
             "context.hour>18 "
             "then false else resource.open};",
             "permit(principal, action, resource)\n"
             "when {\n"
             "    if context.hour < 8\n"
             "    then principal.role == 'night watch'\n"
             "    else if context.hour > 18 then false else resource.open\n"
             "};\n");
    laid_out("permit(principal,action,resource)when{context.first.condition.of.several&&context.second.condition.of."
             "several||"
             "context.third.condition&&context.fourth.condition};",
             "permit(principal, action, resource)\n"
             "when {\n"
             "    context.first.condition.of.several && context.second.condition.of.several ||\n"
             "    context.third.condition && context.fourth.condition\n"
             "};\n");
}

static void every_comment_stays_where_it_belongs(void **state)
{
    (void)state;
    laid_out("// of the file\n"
             "\n"
             "\n"
             "// of the policy   \n"
             "@id('a') // of the annotation\n"
             "permit(principal, // of the principal\n"
             "  // of the action\n"
             "  action in [Action::'a', // first\n"
             "             Action::'b' // second\n"
             "  ], resource) // of the scope\n"
             "when { // of the condition\n"
             "  // of the first\n"
             "  context.a // one\n"
             "  && context.b // two\n"
             "  // last words\n"
             "}; // done\n"
             "permit(principal, action, resource);\n"
             "\n"
             "// the end",
             "// of the file\n"
             "\n"
             "// of the policy\n"
             "@id('a') // of the annotation\n"
             "permit(\n"
             "    principal, // of the principal\n"
             "    // of the action\n"
             "    action in [\n"
             "        Action::'a', // first\n"
             "        Action::'b' // second\n"
             "    ],\n"
             "    resource\n"
             ") // of the scope\n"
             "when { // of the condition\n"
             "    // of the first\n"
             "    context.a && // one\n"
             "    context.b // two\n"
             "    // last words\n"
             "}; // done\n"
             "\n"
             "permit(principal, action, resource);\n"
             "\n"
             "// the end\n");
    laid_out("permit(principal, action, resource) when { context.a // one\n && // two\n context.b };",
             "permit(principal, action, resource)\n"
             "when {\n"
             "    context.a // one\n"
             "    && // two\n"
             "    context.b\n"
             "};\n");
    laid_out("// nothing but this", "// nothing but this\n");
    laid_out("permit(principal, action, resource) when { [1, // one\n 2, // and two\n ].isEmpty() };",
             "permit(principal, action, resource)\n"
             "when {\n"
             "    [\n"
             "        1, // one\n"
             "        2, // and two\n"
             "    ].isEmpty()\n"
             "};\n");
}

/* A comment may stand between any two words. */
static void comments_anywhere_survive(void **state)
{
    (void)state;
    static const char *const words[] = {
        "@",      "a",  "(",     "\"b\"",   ")",  "permit", "(",        "principal", "is",     "A",    "::",
        "B",      "in", "(",     "C",       "::", "\"d\"",  ")",        ",",         "action", "in",   "[",
        "Action", "::", "\"e\"", ",",       "]",  ",",      "resource", ",",         ")",      "when", "{",
        "if",     "!",  "!",     "context", ".",  "a",      "then",     "-",         "1",      "+",    "2",
        "*",      "3",  "else",  "context", "[",  "\"x\"",  "]",        "has",       "b",      ".",    "c",
        "&&",     "[",  "1",     ",",       "]",  ".",      "contains", "(",         "1",      ",",    ")",
        "||",     "{",  "a",     ":",       "1",  "}",      "like",     "\"*\"",     "}",      ";"};
    for (size_t at = 0; at <= COUNT(words); at++) {
        for (int own = 0; own < 2; own++) {
            struct buf text, once, twice;
            buf_init(&text, 1 << 16);
            buf_init(&once, 1 << 16);
            buf_init(&twice, 1 << 16);
            for (size_t i = 0; i < COUNT(words); i++) {
                if (i == at)
                    buf_z(&text, own ? "\n// here it is\n" : "// here it is\n");
                buf_fmt(&text, "%s ", words[i]);
            }
            if (at == COUNT(words))
                buf_z(&text, own ? "\n// here it is" : "// here it is");
            buf_char(&text, 0);
            texts_format(text.p, &once);
            buf_char(&once, 0);
            if (!strstr(once.p, "// here it is\n"))
                fail_msg("%s: the comment is lost: %s", text.p, once.p);
            texts_format(once.p, &twice);
            if (twice.n + 1 != once.n || memcmp(twice.p, once.p, twice.n) != 0)
                fail_msg("%s moves again: " STR_FMT, once.p, STR_ARG(buf_view(&twice)));
            buf_done(&text);
            buf_done(&once);
            buf_done(&twice);
        }
    }
}

static void what_is_no_policy_is_not_formatted(void **state)
{
    (void)state;
    struct buf out, faults;
    buf_init(&out, 1 << 16);
    buf_init(&faults, 1 << 16);
    assert_int_equal(cedar_format(STR("f"), STR("permit(principal);"), &out, &faults), ERR_SYNTAX);
    assert_int_equal(out.n, 0);
    texts_equal(&faults, "f:1:17: expected `,`, or one of ==, in, is, but found `)`\n");
    buf_done(&out);
}

static void what_does_not_fit_into_the_buffer_is_said(void **state)
{
    (void)state;
    struct buf out, faults;
    buf_init(&out, 10);
    buf_init(&faults, 1 << 16);
    assert_int_equal(cedar_format(STR("f"), STR("permit(principal, action, resource);"), &out, &faults), ERR_LIMIT);
    buf_done(&out);
    buf_done(&faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_short_stands_on_one_line),
        cmocka_unit_test(a_scope_that_asks_has_a_line_for_each),
        cmocka_unit_test(what_is_long_breaks_where_it_reads_best),
        cmocka_unit_test(every_comment_stays_where_it_belongs),
        cmocka_unit_test(comments_anywhere_survive),
        cmocka_unit_test(what_is_no_policy_is_not_formatted),
        cmocka_unit_test(what_does_not_fit_into_the_buffer_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

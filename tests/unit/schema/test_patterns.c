/* ECMA-262 patterns on PCRE2. */
#include "judge.h"

struct row {
    const char *pattern, *text; /* as C strings, not JSON */
    bool matches;
};

static const struct row rows[] = {
    {"", "", true},
    {"b", "abc", true},
    {"^b", "abc", false},
    {"c$", "abc", true},
    {"c$", "abc\n", false},
    {"^a", "b\na", false},
    {"^.$", "\xf0\x9f\x90\xb2", true},
    {"^.$", "\n", false},
    {"^.$", "\r", false},
    {"^.$", "\xe2\x80\xa8", false}, /* U+2028 */
    {"^\\d$", "7", true},
    {"^\\d$", "\xdf\x80", false}, /* NKO digit zero */
    {"^\\D$", "\xdf\x80", true},
    {"^\\w$", "\xc3\xa9", false},
    {"^\\W$", "\xc3\xa9", true},
    {"^\\s$", "\xc2\xa0", true},
    {"^\\s$", "\xef\xbb\xbf", true},
    {"^\\s$", "\x0b", true},
    {"^\\S$", "\xe2\x80\xa9", false},
    {"^[\\s]$", "\xe3\x80\x80", true},
    {"^[\\S]$", "\xe3\x80\x80", false},
    {"^[\\S]$", "x", true},
    {"^[^\\S]$", " ", true},
    {"^[^\\d\\s]$", "1", false},
    {"\\bfoo\\b", "a foo b", true},
    {"\\Boo", "foo", true},
    {"^\\t\\n\\v\\f\\r\\0$", "\t\n\v\f\r", false},
    {"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", true},
    {"^\\cJ\\cj$", "\n\n", true},
    {"^\\x41\\u0042\\u{43}\\ud83d\\udc32\\u{1f432}$", "ABC\xf0\x9f\x90\xb2\xf0\x9f\x90\xb2", true},
    {"^[\\u{1f400}-\\u{1f4ff}]$", "\xf0\x9f\x90\xb2", true},
    {"^\\p{Letter}\\p{L}\\p{Lu}\\p{gc=Ll}\\p{General_Category=Decimal_Number}$", "\xc3\xa9zA\xc3\xa9\xe0\xa7\xaa",
     true},
    {"^\\P{Letter}$", "1", true},
    {"^\\p{Script=Greek}\\p{sc=Greek}\\p{scx=Grek}$", "\xce\xb1\xce\xb2\xce\xb3", true},
    {"^\\p{Alphabetic}\\p{ASCII}\\p{Any}\\p{Assigned}$", "aaaa", true},
    {"^[\\p{L}\\d_-]+$",
     "\xc3\xa9"
     "1_-",
     true},
    {"^(a)(b)\\2\\1$", "abba", true},
    {"^(?<x>a)\\k<x>$", "aa", true},
    {"^(?:(a)|b)\\1$", "b", true}, /* a group that took no part matches nothing */
    {"^(?=ab)a(?!c)b$", "ab", true},
    {"(?<=a)b(?<!c)", "ab", true},
    {"^a{2}b{1,}c{0,2}$", "aabbc", true},
    {"^a{2}$", "aaa", false},
    {"^a+?b*?c??$", "aab", true},
    {"^a{,2}$", "a{,2}", true}, /* not a quantifier, as in a browser without the u flag */
    {"^{x}$", "{x}", true},
    {"^[[:alpha:]]$", ":]", true}, /* no POSIX classes in ECMA-262: a class and a bracket */
    {"^[[:alpha:]]$", "b", false},
    {"^[]$", "", false},
    {"^[^]$", "\n", true},
    {"^[a\\-z]$", "-", true},
    {"^[a\\-z]$", "b", false},
    {"^[\\w-.]+$", "a-.", true},
    {"^[a-]$", "-", true},
    {"^[\\b]$", "\b", true},
    {"^\\/\\-\\@\\#\\ $", "/-@# ", true},
    {"^\\$\\^\\.\\*$", "$^.*", true},
    {"#comment", "#comment", true},
    {"(?:)", "", true},
    {"a||b", "", true},
    {"^\xf0\x9f\x90\xb2*$", "\xf0\x9f\x90\xb2\xf0\x9f\x90\xb2", true},
};

/* Not ECMA-262, or what PCRE2 would read as something else. */
static const char *const refused[] = {
    "\\a",
    "\\Q.\\E",
    "\\A",
    "\\z",
    "\\Z",
    "\\G",
    "\\K",
    "\\R",
    "\\X",
    "\\h",
    "\\N",
    "\\C",
    "\\e",
    "\\o{7}",
    "\\g{1}",
    "(?i)a",
    "(?i:a)",
    "(?P<n>a)",
    "(?P=n)",
    "(?#x)",
    "(?>a)",
    "(?|a)",
    "(?R)",
    "(?1)",
    "(?(1)a)",
    "(?'n'a)",
    "(*ACCEPT)",
    "(*UTF)a",
    "(*LIMIT_MATCH=1)a",
    "a++",
    "a**",
    "a{2}{3}",
    "a{3,2}",
    "a{70000}",
    "+a",
    "^*",
    "(?=a)*",
    "\\b+",
    "(",
    ")",
    "(a",
    "a)",
    "[a",
    "[b-a]",
    "\\",
    "\\x1",
    "\\u12",
    "\\u{110000}",
    "\\u{}x",
    "\\ud800",
    "\\udc00",
    "\\c1",
    "\\p",
    "\\pL",
    "\\p{^L}",
    "\\p{}",
    "\\p{Nonsense}",
    "\\p{L",
    "\\p{foo=Greek}",
    "\\01",
    "\\k<n",
    "\\k",
    "\\1",
    "(?<1a>b)",
    "(?<n>a)(?<n>b)",
    "(?<=a*)b",
    "[\\q]",
};

static enum err match(const char *pattern, const char *text, struct fault *f)
{
    struct buf b;
    struct schema *s = NULL;
    struct arena a;
    struct json j;
    buf_init(&b, 1 << 20);
    arena_init(&a, 1 << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "pattern", pattern);
    json_close(&o, '}');
    enum err e = schema_compile(buf_view(&b), NULL, NULL, &s, f);
    if (!e) {
        buf_clear(&b);
        o = json_out(&b);
        json_put_str(&o, str_of(text));
        assert_int_equal(json_parse(&j, buf_view(&b), &a, NULL, f), ERR_OK);
        e = schema_validate(s, &j, JSON_ROOT, &a, f);
    }
    schema_unref(s);
    arena_done(&a);
    buf_done(&b);
    return e;
}

static void patterns_mean_what_ecma_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fault f = {0};
        enum err e = match(rows[i].pattern, rows[i].text, &f);
        if (e != (rows[i].matches ? ERR_OK : ERR_SCHEMA))
            fail_msg("row %zu: /%s/ on \"%s\": %s %s", i, rows[i].pattern, rows[i].text, err_code(e), f.text);
    }
}

static void what_ecma_does_not_have_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct fault f = {0};
        enum err e = match(refused[i], "a", &f);
        if (e != ERR_SCHEMA_UNUSABLE)
            fail_msg("/%s/ was not refused: %s %s", refused[i], err_code(e), f.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_what_ecma_says),
        cmocka_unit_test(what_ecma_does_not_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

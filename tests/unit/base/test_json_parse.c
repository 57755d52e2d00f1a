/* What is JSON and what is not: RFC 8259 rule by rule, and where the words of a refusal point. */
#include "base_test.h"

#include <time.h>

static const char *const taken[] = {
    "{}",
    "[]",
    "''",
    "0",
    "-0",
    "true",
    "false",
    "null",
    "'x'",
    "1", /* any value is a text (section 2) */
    " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n",
    "{ 'a' : 1 , 'b' : 2 }",
    "[[],{},[{}],{'a':[]}]",
    "[0,-0,-1,10,100,0.0,0.10,-0.5,1e0,1E5,1e+5,1e-5,1.5E-05,0e0,-0e-0,123456789012345678901234567890.5e400]",
    "['\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000 \\u00e9 \\u20AC \\ud83d\\udc32 \\uDBFF\\uDFFF \\ud7ff \\ue000']",
    ("['/ \x7f \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 "
     "\xf4\x8f\xbf\xbf']"),
    "['\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf']",            /* legal, if odd */
    "{'':1,' ':2,'a':3,'A':4,'\xc3\xa9':5,'e\xcc\x81':6}", /* keys that only look alike are different */
    "{'a':{'a':{'a':1}},'b':[{'a':1},{'a':2}]}",           /* the same key in other objects */
};

static const struct {
    const char *text, *says;
} refused[] = {
    {"", "line 1, column 1: the text ends too early"},
    {" \n ", "line 2, column 2: the text ends too early"},
    {"[1", "line 1, column 3: the text ends too early"},
    {"[1,", "line 1, column 4: the text ends too early"},
    {"[", "line 1, column 2: the text ends too early"},
    {"{", "line 1, column 2: the text ends too early"},
    {"{'a'", "line 1, column 5: the text ends too early"},
    {"{'a':", "line 1, column 6: the text ends too early"},
    {"{'a':1", "line 1, column 7: the text ends too early"},
    {"{'a':1,", "line 1, column 8: the text ends too early"},
    {"-", "line 1, column 2: the text ends too early"},
    {"1.", "line 1, column 3: the text ends too early"},
    {"1e+", "line 1, column 4: the text ends too early"},
    {"'abc", "line 1, column 5: the text ends inside a string"},
    {"'abc\\", "line 1, column 6: the text ends inside a string"},
    {"'abc\\'", "line 1, column 7: the text ends inside a string"},
    {"[1,]", "line 1, column 4: expected a value"},
    {"[,1]", "line 1, column 2: expected a value"},
    {"[1,,2]", "line 1, column 4: expected a value"},
    {"[1 2]", "line 1, column 4: expected ',' or ']'"},
    {"[1}", "line 1, column 3: expected ',' or ']'"},
    {"{'a':1]", "line 1, column 7: expected ',' or '}'"},
    {"{'a':1 'b':2}", "line 1, column 8: expected ',' or '}'"},
    {"{'a':1,}", "line 1, column 8: expected a key in double quotes"},
    {"{,}", "line 1, column 2: expected a key in double quotes"},
    {"{a:1}", "line 1, column 2: expected a key in double quotes"},
    {"{1:1}", "line 1, column 2: expected a key in double quotes"},
    {"{'a',1}", "line 1, column 5: expected ':' after the key"},
    {"{'a' 1}", "line 1, column 6: expected ':' after the key"},
    {"{'a':}", "line 1, column 6: expected a value"},
    {"1 2", "line 1, column 3: something follows the value"},
    {"{}{}", "line 1, column 3: something follows the value"},
    {"{}\n\n ]", "line 3, column 2: something follows the value"},
    {"truex", "line 1, column 5: something follows the value"},
    {"]", "line 1, column 1: expected a value"},
    {"tru", "line 1, column 1: expected a value"},
    {"[True]", "line 1, column 2: expected a value"},
    {"[nul]", "line 1, column 2: expected a value"},
    {"[fals,1]", "line 1, column 2: expected a value"},
    {"[NaN]", "line 1, column 2: expected a value"},
    {"[Infinity]", "line 1, column 2: expected a value"},
    {"[undefined]", "line 1, column 2: expected a value"},
    {"['a'//x\n]", "line 1, column 5: expected ',' or ']'"},
    {"/**/1", "line 1, column 1: expected a value"},
    {"\xef\xbb\xbf{}", "line 1, column 1: expected a value"}, /* a byte order mark (section 8.1) */
    {"\x0c[]", "line 1, column 1: expected a value"},         /* white space is four characters (section 2) */
    {"\xc2\xa0[]", "line 1, column 1: expected a value"},
    {"[\x0b]", "line 1, column 2: expected a value"},
    {"[+1]", "line 1, column 2: expected a value"},
    {"[.5]", "line 1, column 2: expected a value"},
    {"[01]", "line 1, column 3: a number must not begin with 0"},
    {"[-01]", "line 1, column 4: a number must not begin with 0"},
    {"[00000000000000000001]", "line 1, column 3: a number must not begin with 0"},
    {"[-]", "line 1, column 3: a digit is missing"},
    {"[--1]", "line 1, column 3: a digit is missing"},
    {"[1.]", "line 1, column 4: a digit must follow the point"},
    {"[1.e5]", "line 1, column 4: a digit must follow the point"},
    {"[1e]", "line 1, column 4: a digit must follow the e"},
    {"[1e5.5]", "line 1, column 5: expected ',' or ']'"},
    {"[1e+-5]", "line 1, column 5: a digit must follow the e"},
    {"[0x10]", "line 1, column 3: expected ',' or ']'"},
    {"[1_000]", "line 1, column 3: expected ',' or ']'"},
    {"['a\nb']", "line 1, column 4: control characters in strings must be escaped"},
    {"['a\tb']", "line 1, column 4: control characters in strings must be escaped"},
    {"['\x1f']", "line 1, column 3: control characters in strings must be escaped"},
    {"{'\x01':1}", "line 1, column 3: control characters in strings must be escaped"},
    {"['\\x41']", "line 1, column 3: no such escape"},
    {"['\\']", "line 1, column 6: the text ends inside a string"},
    {"['ok\\U0041']", "line 1, column 5: no such escape"},
    {"['\\\n']", "line 1, column 3: no such escape"},
    {"['\\u12']", "line 1, column 3: \\u needs four hexadecimal digits"},
    {"['\\u12G4']", "line 1, column 3: \\u needs four hexadecimal digits"},
    {"['\\u+123']", "line 1, column 3: \\u needs four hexadecimal digits"},
    {"['\\ud83d']", "line 1, column 3: half of a surrogate pair stands alone"},
    {"['\\udc32']", "line 1, column 3: half of a surrogate pair stands alone"},
    {"['\\ud83d\\n']", "line 1, column 3: half of a surrogate pair stands alone"},
    {"['\\ud83dxxxxxx']", "line 1, column 3: half of a surrogate pair stands alone"},
    {"['\\ud83d\\u0041']", "line 1, column 3: half of a surrogate pair stands alone"},
    {"['\\ud83d\\ud83d']", "line 1, column 3: half of a surrogate pair stands alone"},
    {"{'\\udc32':1}", "line 1, column 3: half of a surrogate pair stands alone"},
    {"['\x80']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xc0\xaf']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xc1\xbf']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xe0\x9f\xbf']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xed\xa0\x80']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xf0\x8f\xbf\xbf']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xf4\x90\x80\x80']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xf5\x80\x80\x80']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xff']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xe2\x82']", "line 1, column 3: these bytes are not UTF-8"},
    {"['\xc3\xa9\xc3']", "line 1, column 5: these bytes are not UTF-8"},
    {"'\xf0\x9f\x90", "line 1, column 2: these bytes are not UTF-8"},
    {"{\n  'a': 1,\n  'b': 2,\n  'a': 3\n}", "line 4, column 3: this key stands in the object twice"},
    {"{'':1,'':2}", "line 1, column 7: this key stands in the object twice"},
    {"{'a':1,'\\u0061':2}", "line 1, column 8: this key stands in the object twice"},
    {"{'\\u0061':1,'a':2}", "line 1, column 13: this key stands in the object twice"},
    {"{'\\/\\ud83d\\udc32\\n':1,'/\xf0\x9f\x90\xb2\\u000A':2}", "this key stands in the object twice"},
    {"{'\\u00E9':1,'\\u00e9':2}", "this key stands in the object twice"},
    {"{'o':{'x':1,'y':{'x':1},'x':2}}", "line 1, column 25: this key stands in the object twice"},
    {"{'x':{'x':1},'y':{},'x':2}", "line 1, column 21: this key stands in the object twice"},
};

/* Of just this size, so that a sanitizer sees a read behind the end. */
static enum err parse(struct str text, const struct json_limits *limits, struct fault *f)
{
    struct arena a;
    struct json j;
    char *exact = malloc(text.n ? text.n : 1);
    memcpy(exact, text.n ? text.p : "", text.n);
    arena_init(&a, 64 << 20);
    enum err e = json_parse(&j, (struct str){exact, text.n}, &a, limits, f);
    arena_done(&a);
    free(exact);
    return e;
}

static void texts_that_are_json(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < COUNT(taken); i++) {
        struct fault f = {0};
        if (parse(test_quotes(&a, taken[i]), NULL, &f))
            fail_msg("%s: %s", taken[i], f.text);
    }
    arena_done(&a);
}

static void texts_that_are_not_and_where(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct fault f = {0};
        enum err e = parse(test_quotes(&a, refused[i].text), NULL, &f);
        if (e != ERR_SYNTAX || !strstr(f.text, refused[i].says))
            fail_msg("%s: %s (%s), not '%s'", refused[i].text, err_code(e), f.text, refused[i].says);
    }
    arena_done(&a);
}

/* The parser takes steps of 16 and 64 bytes: each fault must be found at each distance from a step's edge. */
static void faults_are_found_at_every_distance(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *says;
    } rows[] = {
        {"\x1f", "control characters"}, {"\xff", "not UTF-8"},    {"\xe2\x82", "not UTF-8"},
        {"\\x", "no such escape"},      {"\\ud83d", "surrogate"}, {"\\u00g0", "four hex"},
        {"\\\x80", "no such escape"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int before = 0; before < 140; before++) {
            for (int escaped = 0; escaped < 2; escaped++) {
                char text[512], column[64];
                struct fault f = {0};
                int n = snprintf(text, sizeof(text), "[\"%s%*s%s%*s\"]", escaped ? "\\\"" : "", before, "",
                                 rows[i].fault, before / 2, "");
                snprintf(column, sizeof(column), "line 1, column %d: ", 3 + 2 * escaped + before);
                assert_int_equal(parse((struct str){text, (size_t)n}, NULL, &f), ERR_SYNTAX);
                if (!str_starts(str_of(f.text), str_of(column)) || !strstr(f.text, rows[i].says))
                    fail_msg("%s: %s", text, f.text);
            }
        }
    }
}

static void escapes_are_seen_at_every_distance(void **state)
{
    (void)state;
    static const char *const units[] = {
        "\\\"", "\\\\", "\\n", "\\u00e9", "\\ud83d\\udc32", "\xe6\x98\x8e", "\xf0\x9f\x90\xb2"};
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < COUNT(units); i++) {
        for (int first = 0; first < 2; first++) { /* blocks are counted from the first escape on */
            for (int before = 0; before < 140; before++) {
                char text[1024];
                int n = snprintf(text, sizeof(text), "[\"%s%*s%s%s%*s\",1]", first ? "\\\\" : "", before, "", units[i],
                                 units[i], before % 70, "");
                struct json j = test_json(&a, arena_str(&a, (struct str){text, (size_t)n}));
                assert_int_equal(j.node[JSON_ROOT].size, 2);
                assert_int_equal(j.node[JSON_ROOT + 1].len, n - 4);
                assert_int_equal(j.node[JSON_ROOT + 1].flags, first || units[i][0] == '\\' ? JSON_ESCAPED : 0);
                arena_reset(&a);
            }
        }
    }
    arena_done(&a);
}

static void every_beginning_of_a_text_is_refused(void **state)
{
    (void)state;
    const char *whole =
        "{\"a\":[true,false,null,-12.5e+3,\"\\u00e9\\ud83d\\udc32\xe2\x82\xac\"],\"b\":{\"c\":\"\\\\\"}}";
    for (size_t n = 0; n < strlen(whole); n++) {
        struct fault f = {0};
        if (parse((struct str){whole, n}, NULL, &f) != ERR_SYNTAX)
            fail_msg("%.*s is taken", (int)n, whole);
    }
    struct fault f;
    assert_int_equal(parse(str_of(whole), NULL, &f), ERR_OK);
    assert_int_equal(parse((struct str){"{}\0", 3}, NULL, &f), ERR_SYNTAX);
    assert_int_equal(parse((struct str){"[\"a\0b\"]", 7}, NULL, &f), ERR_SYNTAX);
}

static void bounds_are_named(void **state)
{
    (void)state;
    struct fault f = {0};
    struct json_limits four = {.depth = 4, .nodes = 6};
    assert_int_equal(parse(STR("[[[[1]]]]"), &four, &f), ERR_OK);
    assert_int_equal(parse(STR("[[{\"a\":[[]]}]]"), &four, &f), ERR_LIMIT);
    assert_string_equal(f.text, "line 1, column 9: nested deeper than 4");
    assert_int_equal(parse(STR("[1,2,3,4,5]"), &four, &f), ERR_OK);
    assert_int_equal(parse(STR("[1,2,3,4,5,6]"), &four, &f), ERR_LIMIT);
    assert_string_equal(f.text, "more than 6 values");
    assert_int_equal(parse(STR("{\"a\":1,\"b\":2,\"c\":3}"), &four, &f), ERR_LIMIT); /* a key is one too */

    struct buf b;
    buf_init(&b, 8 << 20);
    for (int i = 0; i < JSON_DEPTH; i++)
        buf_char(&b, '[');
    for (int i = 0; i < JSON_DEPTH; i++)
        buf_char(&b, ']');
    assert_int_equal(parse(buf_view(&b), NULL, &f), ERR_OK);
    b.n = 0;
    for (int i = 0; i < 1000000; i++)
        buf_char(&b, '[');
    assert_int_equal(parse(buf_view(&b), NULL, &f), ERR_LIMIT);
    struct json_limits endless = {.depth = UINT32_MAX};
    assert_int_equal(parse(buf_view(&b), &endless, &f), ERR_LIMIT);
    assert_string_equal(f.text, "line 1, column 1025: nested deeper than 1024");
    b.n = 0;
    buf_char(&b, '[');
    for (int i = 0; i < JSON_NODES - 2; i++)
        buf_z(&b, "0,");
    buf_z(&b, "0]");
    assert_int_equal(parse(buf_view(&b), NULL, &f), ERR_OK);
    b.n--;
    buf_z(&b, ",0]");
    assert_int_equal(parse(buf_view(&b), NULL, &f), ERR_LIMIT);
    assert_string_equal(f.text, "more than 1000000 values");
    buf_done(&b);
}

static void a_full_arena_refuses(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_char(&b, '{');
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, "\"k\\u0065y%d\":%d,", i, i);
    buf_z(&b, "\"key7\":1}"); /* must not pass for want of memory */
    for (size_t cap = 0; cap < 120000; cap += 997) {
        struct arena a;
        struct json j;
        struct fault f = {0};
        arena_init(&a, cap);
        enum err e = json_parse(&j, buf_view(&b), &a, NULL, &f);
        if (e != ERR_NOMEM && !(e == ERR_SYNTAX && strstr(f.text, "twice")))
            fail_msg("%zu bytes: %s %s", cap, err_code(e), f.text);
        arena_done(&a);
    }
    buf_done(&b);
}

enum kind { SHORT, LONG, ALIKE, KINDS };

/* Key number i. Those that are ALIKE differ in the middle only: their prints are one. */
static void key_write(struct buf *b, enum kind kind, int i)
{
    if (kind == SHORT)
        buf_fmt(b, "k%d", i);
    else if (kind == LONG)
        buf_fmt(b, "customer_address_%d", i);
    else
        buf_fmt(b, "a-long-beginning-%04d-and-a-long-end", i);
}

/* An object of n keys and key number `again` once more, maybe with its first letter as an escape. */
static struct str many_keys(struct buf *b, enum kind kind, int n, int again, bool escaped)
{
    b->n = 0;
    buf_char(b, '{');
    for (int i = 0; i < n; i++) {
        buf_char(b, '"');
        key_write(b, kind, i);
        buf_z(b, "\":0,");
    }
    buf_char(b, '"');
    if (escaped)
        buf_z(b, kind == SHORT ? "\\u006b" : kind == LONG ? "\\u0063" : "\\u0061");
    size_t from = b->n;
    key_write(b, kind, again);
    if (escaped) {
        memmove(b->p + from, b->p + from + 1, b->n - from - 1);
        b->n--;
    }
    buf_z(b, "\":0}");
    return buf_view(b);
}

static void one_twin_among_many_keys(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 40, 100, 511, 512, 513, 2000};
    struct buf b;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (enum kind kind = SHORT; kind < KINDS; kind++) {
            int n = sizes[i], twins[] = {0, n / 2, n - 1};
            struct fault f = {0};
            for (int escaped = 0; escaped < 2; escaped++) {
                if (parse(many_keys(&b, kind, n, n, escaped), NULL, &f))
                    fail_msg("%d different keys of kind %d: %s", n + 1, kind, f.text);
                for (size_t t = 0; t < COUNT(twins); t++)
                    if (parse(many_keys(&b, kind, n, twins[t], escaped), NULL, &f) != ERR_SYNTAX ||
                        !strstr(f.text, "twice"))
                        fail_msg("number %d again after %d keys of kind %d is taken", twins[t], n, kind);
            }
        }
    }
    buf_done(&b);
}

/* CPU seconds to parse `objects` objects of `keys` keys; `alike`: with one print for all. The best of three. */
static double keys_cost(int objects, int keys, bool alike)
{
    struct buf b;
    double best = 1e9;
    buf_init(&b, 16 << 20);
    buf_char(&b, '[');
    for (int o = 0; o < objects; o++) {
        buf_z(&b, o ? ",{" : "{");
        for (int i = 0; i < keys; i++)
            buf_fmt(&b, "%s\"%s%06d%s\":0", i ? "," : "", alike ? "01234567" : "", i,
                    alike ? "01234567" : "0123456701234567");
        buf_char(&b, '}');
    }
    buf_char(&b, ']');
    for (int i = 0; i < 3; i++) {
        struct fault f = {0};
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        assert_int_equal(parse(buf_view(&b), NULL, &f), ERR_OK);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        double took = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        best = took < best ? took : best;
    }
    buf_done(&b);
    return best;
}

static void keys_chosen_to_collide_cost_little(void **state)
{
    (void)state;
    double few = keys_cost(200, 500, true) / keys_cost(200, 500, false),
           many = keys_cost(1, 100000, true) / keys_cost(1, 100000, false);
    if (few > 20 || many > 20) /* by pairs: a hundred times and ten thousand times */
        fail_msg("%.1f and %.1f times as much", few, many);
}

static void keys_of_open_objects_do_not_mix(void **state)
{
    (void)state;
    struct buf b;
    struct fault f = {0};
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 60; i++)
        buf_z(&b,
              "{\"a\":0,\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"f\":5,\"g\":6,\"h\":7,\"i\":8,\"j\":9,\"k\":"); /* > 512
                                                                                                             prints */
    buf_z(&b, "0");
    for (int i = 0; i < 60; i++)
        buf_z(&b, ",\"z\":1}");
    assert_int_equal(parse(buf_view(&b), NULL, &f), ERR_OK);
    b.n--;
    buf_z(&b, ",\"e\":1}"); /* a twin in the outermost */
    assert_int_equal(parse(buf_view(&b), NULL, &f), ERR_SYNTAX);
    assert_non_null(strstr(f.text, "twice"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_json),
        cmocka_unit_test(texts_that_are_not_and_where),
        cmocka_unit_test(faults_are_found_at_every_distance),
        cmocka_unit_test(escapes_are_seen_at_every_distance),
        cmocka_unit_test(every_beginning_of_a_text_is_refused),
        cmocka_unit_test(bounds_are_named),
        cmocka_unit_test(a_full_arena_refuses),
        cmocka_unit_test(one_twin_among_many_keys),
        cmocka_unit_test(keys_chosen_to_collide_cost_little),
        cmocka_unit_test(keys_of_open_objects_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

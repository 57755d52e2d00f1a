/* W3C Trace Context as it comes from callers. */
#include <stdio.h>

#include "../unit.h"

#include "net/trace.h"

#define ID     "0af7651916cd43dd8448eb211c80319c"
#define SPAN   "b7ad6b7169203331"
#define PARENT "00-" ID "-" SPAN "-01"

static void the_callers_trace_its_span_and_its_flag_are_taken_over(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool sampled;
    } good[] = {
        {PARENT, true},
        {"00-" ID "-b7ad6b7169203331-00", false},
        {"00-" ID "-b7ad6b7169203331-02", false}, /* another flag */
        {"00-" ID "-b7ad6b7169203331-ff", true},
        {"01-" ID "-b7ad6b7169203331-01", true}, /* a later version */
        {"cc-" ID "-b7ad6b7169203331-01-what-the-future-will-be-like", true},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct trace t;
        trace_parent(str_of(good[i].text), &t);
        if (strcmp(t.id, ID) != 0 || strcmp(t.parent, SPAN) != 0 || t.sampled != good[i].sampled)
            fail_msg("%s: \"%s\", \"%s\", sampled %d", good[i].text, t.id, t.parent, t.sampled);
    }
}

static void a_malformed_traceparent_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "nonsense",
        "ff-" ID "-b7ad6b7169203331-01", /* no version */
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-" ID "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", /* upper case */
        "00-" ID "-b7ad6b7169203331-1",
        "00-" ID "-b7ad6b7169203331-0g",
        "00-" ID "-b7ad6b7169203331-01-",
        "00-" ID "-b7ad6b7169203331-01-more",
        "01-" ID "-b7ad6b7169203331-01more",
        "00_" ID "-b7ad6b7169203331-01",
        "00-" ID "_b7ad6b7169203331-01",
        "0x-" ID "-b7ad6b7169203331-01",
        " " PARENT,
        PARENT " ",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct trace t;
        trace_parent(str_of(bad[i]), &t);
        if (t.id[0] || t.parent[0])
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static struct str state_of(const char *parent, const char *list, const char *second)
{
    static struct arena a; /* its strings live until the next call */
    struct str lists[2] = {str_of(list), str_of(second)};
    struct trace t;
    arena_done(&a);
    arena_init(&a, 65536);
    trace_parent(str_of(parent), &t);
    trace_state(lists, second ? 2 : 1, &a, &t);
    return t.state;
}

static void the_vendors_state_goes_on_in_order_and_as_one_list(void **state)
{
    (void)state;
    assert_true(str_is(state_of(PARENT, "rojo=00f067aa0ba902b7", NULL), "rojo=00f067aa0ba902b7"));
    assert_true(str_is(state_of(PARENT, "a=1 , ,b=2,", "c=3"), "a=1,b=2,c=3"));
    assert_true(str_is(state_of(PARENT, "1tenant@vendor=x y,a*/_-0=!", NULL), "1tenant@vendor=x y,a*/_-0=!"));
}

static void a_malformed_state_is_dropped_as_a_whole(void **state)
{
    (void)state;
    static const char *const bad[] = {"a",       "=1",    "a=",   "A=1",  "1a=1",       "a=1=2", "a=\x01", "a=\xc3\xa9",
                                      "a=1,a=2", "a=1,b", "@v=1", "t@=1", "t@Vendor=1", "a b=1", "t@v@w=1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (state_of(PARENT, bad[i], NULL).n)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(state_of("nonsense", "a=1", NULL).n, 0); /* without a trace it says nothing */
    char many[33 * 6 + 1] = "", large[600];
    for (int i = 0; i < 33; i++)
        snprintf(many + strlen(many), 7, "k%02d=1,", i);
    assert_int_equal(state_of(PARENT, many, NULL).n, 0);
    many[32 * 6 - 1] = 0; /* 32 of them */
    assert_int_equal(state_of(PARENT, many, NULL).n, 32 * 6 - 1);
    snprintf(large, sizeof(large), "a=%0254d,b=%0254d", 1, 2);
    assert_int_equal(state_of(PARENT, large, NULL).n, 0);
}

static void two_traceparent_headers_are_nobodys(void **state)
{
    (void)state;
    struct arena a;
    struct trace t;
    struct http_head h = {.count = 3,
                          .header = {{STR("TraceParent"), STR(PARENT)},
                                     {STR("tracestate"), STR("a=1")},
                                     {STR("tracestate"), STR("b=2")}}};
    arena_init(&a, 65536);
    trace_head(&h, &a, &t);
    assert_string_equal(t.id, ID);
    assert_true(str_is(t.state, "a=1,b=2"));
    h.header[h.count++] = h.header[0];
    trace_head(&h, &a, &t);
    assert_string_equal(t.id, "");
    assert_int_equal(t.state.n, 0);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_callers_trace_its_span_and_its_flag_are_taken_over),
        cmocka_unit_test(a_malformed_traceparent_is_none),
        cmocka_unit_test(the_vendors_state_goes_on_in_order_and_as_one_list),
        cmocka_unit_test(a_malformed_state_is_dropped_as_a_whole),
        cmocka_unit_test(two_traceparent_headers_are_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One message of syslog: its header, its structured data, its length. */
#include "formatted.h"
#include "sink/syslog.h"

/* The message of an entry, without its length, which is checked; to be freed. */
static char *message(const char *host, const char *entry)
{
    struct arena a;
    struct json j;
    struct buf one, all;
    struct fault f = {.text = ""};
    char *text = quotes(strdup(entry)), *copy = NULL;
    arena_init(&a, 1 << 24);
    buf_init(&one, 1 << 20);
    buf_init(&all, 1 << 20);
    assert_int_equal(json_parse(&j, str_of(text), &a, NULL, &f), ERR_OK);
    const struct sink_entry e = {.seq = 7, .text = str_of(text), .doc = &j};
    if (syslog_write(&e, host, &format_json, &one, &all)) {
        struct str rest = buf_view(&all), length;
        uint64_t n;
        assert_true(str_cut(&rest, ' ', &length));
        assert_true(str_u64(length, &n));
        assert_true(n == rest.n);
        copy = strndup(rest.p, rest.n);
    }
    buf_done(&one);
    buf_done(&all);
    arena_done(&a);
    free(text);
    return copy;
}

static void begins(const char *host, const char *entry, const char *want)
{
    char *m = message(host, entry);
    assert_non_null(m);
    if (strncmp(m, want, strlen(want)) != 0)
        fail_msg("%s\ndoes not begin with\n%s", m, want);
    free(m);
}

static void a_message_says_who_did_what_where(void **state)
{
    (void)state;
    begins("gate-1",
           "{'agentId':'support-1'," EVENT(
               "TOOL_RESULT") ",'sessionId':'sess_1','toolName':'orders/look','traceId':'0af7'}",
           "<110>1 2026-11-24T18:00:00.250Z gate-1 doorward - TOOL_RESULT [doorward@32473 seq=\"7\" "
           "event=\"TOOL_RESULT\" "
           "agent=\"support-1\" session=\"sess_1\" tool=\"orders/look\" trace=\"0af7\"] {\"agentId\":\"support-1\"");
}

static void what_is_refused_is_graver(void **state)
{
    (void)state;
    char *m = message("h", "{" EVENT("TOOL_DENIED") ",'result':'denied'}");
    assert_non_null(m);
    int pri = atoi(m + 1);
    assert_int_equal(pri / 8, 13);
    assert_true(pri % 8 < 6);
    free(m);
}

static void values_are_escaped_and_hold_no_controls(void **state)
{
    (void)state;
    begins("h", "{'agentId':'a]b\\\\c\\'d\\u0001\\ne'," EVENT("X") "}",
           "<110>1 2026-11-24T18:00:00.250Z h doorward - X [doorward@32473 seq=\"7\" event=\"X\" "
           "agent=\"a\\]b\\\\c\\\"de\"] ");
}

static void what_does_not_fit_the_header_is_left_out(void **state)
{
    (void)state;
    begins("", "{" EVENT("A B") "}",
           "<110>1 2026-11-24T18:00:00.250Z - doorward - - [doorward@32473 seq=\"7\" event=\"A B\"] ");
    assert_null(message("h", "{'event':'X'}")); /* no time: no entry */
    assert_null(message("h", "[]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_says_who_did_what_where),
        cmocka_unit_test(what_is_refused_is_graver),
        cmocka_unit_test(values_are_escaped_and_hold_no_controls),
        cmocka_unit_test(what_does_not_fit_the_header_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

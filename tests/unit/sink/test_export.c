/* The record in another form: piece by piece, what was asked for, to the end or to where it breaks off; and where the
 * arguments of a call's span come from when its intent lies far behind it. */
#include "../audit/record.h"

#include "sink/export.h"

enum { MANY = 6000 }; /* intents: more than are kept at one time */

static const char TRACE[] = "4bf92f3577b34da6a3ce929d0e0e4736";

static void note_call(struct record *r, unsigned number)
{
    struct audit_entry e;
    char parameters[64];
    snprintf(parameters, sizeof(parameters), "{\"call\":%u}", number);
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.agent_id = number % 2 ? STR("odd") : STR("even");
    e.tool = STR("desk/look");
    e.parameters = str_of(parameters);
    audit_note(r->audit, &e);
}

static void note_result(struct record *r, uint64_t intent)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_RESULT, AUDIT_AI_AGENT);
    e.agent_id = STR("odd");
    e.tool = STR("desk/look");
    e.method = "tools/call";
    e.trace_id = str_of(TRACE);
    e.span_id = STR("1111111111111111");
    e.intent_seq = intent;
    e.latency_us = 1000;
    e.result = AUDIT_SUCCESS;
    audit_note(r->audit, &e);
}

/* All of it, to be freed. */
static char *exported(const struct record *r, const struct export_what *what, enum err want)
{
    struct export *x;
    struct buf all;
    struct fault f = {.text = ""};
    struct export_what how = *what;
    if (!how.until)
        how.since = INT64_MIN, how.until = INT64_MAX;
    buf_init(&all, 64 << 20);
    if (export_open(r->dir, &how, &x, &f))
        fail_msg("%s", f.text);
    enum err e;
    size_t before;
    do {
        before = all.n;
        e = export_next(x, &all, &f);
        assert_true(all.n - before < 2 * EXPORT_PIECE + 1000); /* a piece is a piece */
    } while (!e);
    if (e != want)
        fail_msg("%s: %s", err_code(e), f.text);
    export_close(x);
    char *copy = strndup(all.n ? all.p : "", all.n);
    buf_done(&all);
    return copy;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static void what_was_asked_for_and_no_more(void **state)
{
    struct record *r = *state;
    record_open(r);
    for (unsigned i = 1; i <= 1000; i++)
        note_call(r, i);
    record_close(r);
    char *all = exported(r, &(struct export_what){.format = &format_json}, ERR_NOT_FOUND);
    assert_int_equal(count(all, "\n"), 1000);
    free(all);
    all = exported(r, &(struct export_what){.format = &format_json, .agent = STR("odd"), .last = 100}, ERR_NOT_FOUND);
    assert_int_equal(count(all, "\"agentId\":\"odd\""), 50);
    assert_int_equal(count(all, "\n"), 50);
    free(all);
    all = exported(r, &(struct export_what){.format = &format_logs, .event = STR("TOOL_*")}, ERR_NOT_FOUND);
    assert_int_equal(count(all, "\"eventName\""), 1000);
    assert_true(count(all, "\n") >= 4); /* of 256 at most */
    assert_int_equal(count(all, "{\"resourceLogs\":["), count(all, "\n"));
    free(all);
    all = exported(r, &(struct export_what){.format = &format_logs, .event = STR("KILL")}, ERR_NOT_FOUND);
    assert_string_equal(all, "");
    free(all);
}

static void an_outcome_finds_its_arguments_however_far_back_they_are(void **state)
{
    struct record *r = *state;
    static const unsigned of[] = {MANY, MANY - 1, 1, 2, 3000, 2999, MANY / 2, 1};
    static const struct export_what spans = {.format = &format_spans, .arguments = true};
    static const struct export_what results = {
        .format = &format_spans, .arguments = true, .event = {"TOOL_RESULT", strlen("TOOL_RESULT")}};
    record_open(r);
    for (unsigned i = 1; i <= MANY; i++)
        note_call(r, i);
    for (size_t i = 0; i < COUNT(of); i++)
        note_result(r, of[i]);
    note_result(r, MANY + 1); /* which is no intent */
    record_close(r);
    for (unsigned turn = 0; turn < 2; turn++) {
        char *all = exported(r, turn ? &results : &spans, ERR_NOT_FOUND), *at = all;
        for (size_t i = 0; i < COUNT(of); i++) {
            char want[96];
            snprintf(want, sizeof(want), "[{\"key\":\"call\",\"value\":{\"intValue\":\"%u\"}}]", of[i]);
            at = strstr(at, want);
            assert_non_null(at);
            at++;
        }
        assert_int_equal(count(all, "gen_ai.tool.call.arguments"), COUNT(of));
        free(all);
    }
}

static void a_record_that_breaks_off_is_no_end(void **state)
{
    struct record *r = *state;
    size_t n;
    char path[512];
    record_open(r);
    for (unsigned i = 1; i <= 100; i++)
        note_call(r, i);
    record_close(r); /* signs a checkpoint of all 100 */
    record_segment(r, 0, path);
    off_t at = record_frame(path, 1, 50, &n);
    record_overwrite(path, at + 30, "X", 1);
    char *all = exported(r, &(struct export_what){.format = &format_json}, ERR_CORRUPT);
    assert_int_equal(count(all, "\n"), 49);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_asked_for_and_no_more, record_setup, record_teardown),
        cmocka_unit_test_setup_teardown(an_outcome_finds_its_arguments_however_far_back_they_are, record_setup,
                                        record_teardown),
        cmocka_unit_test_setup_teardown(a_record_that_breaks_off_is_no_end, record_setup, record_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The moment between the intent and the call: what was cancelled meanwhile never leaves, and the record says so. */
#include "../conf_of.h"
#include "../folder.h"

#include "audit/key.h"
#include "gate/gate.h"

struct scene {
    char dir[64];
    struct conf *conf;
    struct worker worker;
    struct audit *audit;
    struct gate gate;
    struct gate_worker at;
    struct arena arena;
    struct json doc;
    struct tool tool;
    struct call call;
    unsigned answered;
    struct fault fault;
};

static void scene_answered(struct call *c, const struct connect_answer *a)
{
    struct scene *s = c->user;
    assert_null(a);
    s->answered++;
    s->fault = c->fault;
}

/* The place of a stage in the table. */
static unsigned place_of(const char *stage)
{
    struct buf out;
    unsigned place = 0;
    buf_init(&out, 65536);
    gate_print_pipeline(&out);
    buf_char(&out, 0);
    const char *at = strstr(out.p, stage);
    assert_non_null(at);
    for (const char *c = out.p; c < at; c++)
        place += *c == '\n';
    buf_done(&out);
    return place;
}

/* A call that every stage before `intent` let through. There is no server: to reach one would be a crash. */
static void scene_open(struct scene *s)
{
    static const struct call_face face = {.answered = scene_answered};
    struct audit_recovery found;
    struct fault f = {0};
    char yaml[160];
    *s = (struct scene){.answered = 0};
    folder_make(s->dir);
    snprintf(yaml, sizeof(yaml), "{audit: {keys: %s.keys}}", s->dir);
    s->conf = conf_of(yaml);
    struct note_verifier key; /* made before, so that the record begins with the call */
    assert_int_equal(audit_keys_new(s->conf->root.audit.keys.p, STR("example.com/audit"), &key, &f), ERR_OK);
    assert_int_equal(worker_init(&s->worker, 0, &f), ERR_OK);
    if (audit_open(s->dir, &s->conf->root.audit, &s->audit, &found, &f))
        fail_msg("%s", f.text);
    arena_init(&s->arena, 1u << 20);
    assert_int_equal(json_parse(&s->doc, STR("{}"), &s->arena, NULL, &f), ERR_OK);
    s->gate = (struct gate){.audit = s->audit};
    gate_worker_init(&s->at, &s->gate, &s->worker);
    struct lease *l = lease_new();
    l->agent_id = STR("support-1");
    l->sid = STR("sess_1");
    s->tool.id = STR("desk/write");
    s->call = (struct call){.face = &face,
                            .user = s,
                            .arena = &s->arena,
                            .lease = l,
                            .doc = &s->doc,
                            .gate = &s->at,
                            .tool = &s->tool,
                            .target = s->tool.id,
                            .arguments = STR("{}"),
                            .stage = place_of("budget"),
                            .link = &s->at.calls};
    s->at.calls = &s->call;
    s->at.call_count = 1;
}

static void scene_run(struct scene *s)
{
    while (!s->answered)
        uv_run(&s->worker.loop, UV_RUN_ONCE);
}

static void scene_close(struct scene *s)
{
    audit_close(s->audit);
    worker_stop(&s->worker);
    worker_run(&s->worker);
    worker_done(&s->worker);
    arena_done(&s->arena);
    folder_remove(s->dir);
    folder_remove(s->conf->root.audit.keys.p);
    conf_unref(s->conf);
}

static void on_record(struct scene *s, const char *first, const char *second)
{
    struct audit_reader *r;
    struct str entry;
    struct fault f = {0};
    uint64_t seq;
    char text[4096];
    const char *const words[] = {first, second};
    if (audit_reader_open(s->dir, &r, &f) || audit_reader_seek(r, 1, &f))
        fail_msg("%s", f.text);
    for (unsigned i = 0; i < 2; i++) {
        if (audit_reader_next(r, &entry, &seq, &f))
            fail_msg("%s", f.text);
        snprintf(text, sizeof(text), STR_FMT, STR_ARG(entry));
        if (!strstr(text, words[i]))
            fail_msg("no %s in %s", words[i], text);
    }
    audit_reader_close(r);
}

static void a_call_that_is_cancelled_before_its_intent_is_durable_never_leaves(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    gate_resume(&s.call, VERDICT_NEXT);
    assert_true(s.call.waiting);
    gate_cancel(&s.call, "the client left");
    assert_int_equal(s.answered, 0); /* what is on its way to the disk is waited for */
    scene_run(&s);
    assert_int_equal(s.answered, 1);
    assert_int_equal(s.fault.err, ERR_CANCELLED);
    assert_int_equal(s.at.call_count, 0);
    audit_close(s.audit); /* what was noted is on the disk now */
    on_record(&s, "\"event\":\"TOOL_CALL\"", "\"code\":\"cancelled\"");
    on_record(&s, "\"toolName\":\"desk/write\"", "\"event\":\"TOOL_RESULT\",\"intentSeq\":1");
    s.audit = NULL;
    scene_close(&s);
}

static void a_stop_cancels_it_too_and_once(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    gate_resume(&s.call, VERDICT_NEXT);
    gate_worker_stop(&s.at);
    gate_worker_cancel_all(&s.at, "the gateway stops");
    gate_cancel(&s.call, "the client left, too");
    scene_run(&s);
    assert_int_equal(s.answered, 1);
    assert_string_equal(s.fault.text, "the gateway stops");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_is_cancelled_before_its_intent_is_durable_never_leaves),
        cmocka_unit_test(a_stop_cancels_it_too_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

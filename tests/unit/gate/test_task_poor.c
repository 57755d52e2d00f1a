/* Memory is short at any point: a call does not become a task, one that is asked for is not over yet, and nothing
 * breaks. */
#include "../approve/house.h"

#include "gate/stage.h"
#include "gate/task.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t of);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t of);
void *__wrap_realloc(void *p, size_t n);

static _Thread_local int left = -1; /* allocations of this thread that succeed; -1: all */
static _Atomic int there = -1;      /* likewise of the worker's */
static _Thread_local bool poor;

static bool fails(void)
{
    int at = left;
    if (at < 0 && worker_current())
        at = atomic_load(&there);
    if (at < 0)
        return false;
    if (left >= 0)
        left = at ? at - 1 : 0;
    else
        atomic_store(&there, at ? at - 1 : 0);
    poor = poor || !at;
    return !at;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t of)
{
    return fails() ? NULL : __real_calloc(n, of);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

struct scene {
    struct gate gate;
    struct conf_slot conf;
    struct gate_worker worker;
};

static void idle(void *ctx)
{
    (void)ctx;
}

static void scene_open(struct scene *s, struct house *h)
{
    conf_slot_init(&s->conf, h->conf);
    s->gate = (struct gate){.approvals = h->queue, .conf = &s->conf, .audit = h->audit, .input_timeout_ms = 1000};
    assert_non_null(s->gate.tasks = gate_tasks_new(&s->gate));
    gate_worker_init(&s->worker, &s->gate, &h->worker);
}

static void scene_close(struct scene *s, struct house *h)
{
    gate_tasks_stop(s->gate.tasks, idle, NULL);
    approvals_close(h->queue);
    worker_stop(&h->worker);
    worker_join(&h->worker);
    gate_tasks_free(s->gate.tasks);
    conf_slot_done(&s->conf);
    assert_int_equal(worker_start(&h->worker, NULL), ERR_OK);
}

static bool looks(struct scene *s, const char *id, struct lease *l, struct gate_task_seen *ret, struct fault *f)
{
    struct arena a;
    arena_init(&a, 1u << 20);
    struct call look = {.arena = &a, .lease = l};
    bool known = gate_task_look(&s->worker, str_of(id), &look, true, ret);
    *f = look.fault;
    arena_done(&a);
    return known;
}

static void without_memory_a_call_is_no_task_and_one_that_ends_ends_all_the_same(void **state)
{
    struct house *h = *state;
    struct scene s;
    struct lease *l = house_session(h, "ursula");
    struct gate_task_seen at = {.over = false};
    struct fault f;
    scene_open(&s, h);
    for (int i = 0; i < 12; i++) {
        char arguments[64];
        struct caller c;
        bool kept = false;
        snprintf(arguments, sizeof(arguments), "{\"amount\":%d}", i);
        struct approval_ask ask = asked(l, arguments);
        house_ask(h, &ask, &c);
        house_settled(h);
        assert_true(approvals_leave(h->queue, &c.w));
        struct call call = {.gate = &s.worker, .lease = l};
        memcpy(call.wait.id, c.w.id, sizeof(call.wait.id));
        for (int k = 0; !kept && k < 20; k++) {
            left = k;
            kept = task_keep(&call);
            left = -1;
        }
        assert_true(kept && poor);
        atomic_store(&there, i); /* what is told of it finds no memory */
        house_say(h, c.w.id, "alice", APPROVE_DENY, arguments);
        at.over = false;
        for (int k = 0; !at.over && k < 500; k++) {
            usleep(2000);
            assert_true(looks(&s, c.w.id, l, &at, &f));
        }
        atomic_store(&there, -1);
        assert_true(at.over);
        assert_true(f.err == ERR_APPROVAL_DENIED && f.text[0]);
        for (int k = 0; k < 20; k++) {
            left = k;
            bool known = looks(&s, c.w.id, l, &at, &f);
            left = -1;
            assert_true(known && (!at.over || f.err == ERR_APPROVAL_DENIED));
        }
    }
    scene_close(&s, h);
    lease_unref(l);
}

static void a_call_is_read_whole_or_not_at_all(void **state)
{
    static const char kept[] = "{\"name\":\"desk\\u005frefund\",\"server\":\"\",\"arguments\":{\"a\":1},\"model\":"
                               "\"m\\n\",\"can\":1,\"span\":\"\",\"source\":\"127.0.0.1\"}";
    struct fault f;
    enum err e = ERR_NOMEM;
    (void)state;
    poor = false;
    for (int i = 0; e && i < 50; i++) {
        struct arena a;
        struct call c = {.arena = &a};
        left = i;
        arena_init_small(&a, 1u << 20);
        e = task_call_read(str_of(kept), STR("{}"), false, &c, &f);
        if (!e) {
            struct str text = task_call_write(&c);
            assert_true(text.n || arena_failed(&a));
        }
        left = -1;
        arena_done(&a);
        assert_true(!e || e == ERR_NOMEM);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(poor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_memory_a_call_is_no_task_and_one_that_ends_ends_all_the_same, setup,
                                        teardown),
        cmocka_unit_test(a_call_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

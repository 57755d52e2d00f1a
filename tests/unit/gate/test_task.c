/* Calls that wait for a person without their clients: what they cost, whose they are, and what the store has of them.
 */
#include "../approve/house.h"

#include <arpa/inet.h>
#include <malloc.h>

#include "gate/stage.h"
#include "gate/task.h"

enum { MANY = 10000, BYTES_EACH = 4096 };

struct scene {
    struct house *h;
    struct gate gate;
    struct conf_slot conf;
    struct gate_worker worker;
};

static void scene_open(struct scene *s, struct house *h)
{
    *s = (struct scene){.h = h};
    conf_slot_init(&s->conf, h->conf);
    s->gate = (struct gate){.approvals = h->queue, .conf = &s->conf, .audit = h->audit, .input_timeout_ms = 1000};
    s->gate.tasks = gate_tasks_new(&s->gate);
    assert_non_null(s->gate.tasks);
    gate_worker_init(&s->worker, &s->gate, &h->worker);
}

static void idle(void *ctx)
{
    (*(unsigned *)ctx)++;
}

static void scene_close(struct scene *s)
{
    unsigned over = 0;
    gate_tasks_stop(s->gate.tasks, idle, &over);
    assert_int_equal(over, 1);
    approvals_close(s->h->queue);
    worker_stop(&s->h->worker); /* what is told meanwhile is told */
    worker_join(&s->h->worker);
    gate_tasks_free(s->gate.tasks);
    conf_slot_done(&s->conf);
    assert_int_equal(worker_start(&s->h->worker, NULL), ERR_OK);
}

/* Asked and kept, as approval.c does it. */
static bool keeps(struct scene *s, struct lease *l, const char *arguments, struct caller *c)
{
    struct approval_ask ask = asked(l, arguments);
    struct call call = {.gate = &s->worker, .lease = l};
    ask.stays = true;
    ask.call = STR("{\"name\":\"desk__refund\",\"server\":\"\",\"span\":\"\"}");
    house_ask(s->h, &ask, c);
    memcpy(call.wait.id, c->w.id, sizeof(call.wait.id));
    bool left = approvals_leave(s->h->queue, &c->w);
    return left && task_keep(&call);
}

static bool seen(struct scene *s, const char *id, struct lease *l, struct gate_task_seen *ret)
{
    struct arena a;
    arena_init(&a, 1u << 20);
    struct call look = {.arena = &a, .lease = l};
    bool there = gate_task_look(&s->worker, str_of(id), &look, true, ret);
    arena_done(&a);
    return there;
}

static unsigned threads(void)
{
    char line[256];
    unsigned n = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "Threads: %u", &n);
    if (f)
        fclose(f);
    return n;
}

static void ten_thousand_tasks_wait_for_under_4_kb_each_and_no_thread(void **state)
{
    struct scene s;
    struct lease *l = house_session(*state, "ursula");
    struct caller *c = calloc(MANY, sizeof(*c));
    struct gate_task_seen at;
    char arguments[512];
    scene_open(&s, *state);
    assert_non_null(c);
    unsigned before_threads = threads();
    malloc_trim(0);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(arguments, sizeof(arguments), "{\"amount\":%u,\"note\":\"%0400d\"}", i, 7);
        assert_true(keeps(&s, l, arguments, &c[i]));
    }
    house_settled(s.h);
    size_t each = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / MANY;
    assert_int_equal(threads(), before_threads);
    int64_t start = clock_mono_ns();
    gate_tasks_sweep(s.gate.tasks);
    print_message("%d tasks wait: %zu bytes each, a sweep takes %lld us\n", MANY, each,
                  (long long)(clock_mono_ns() - start) / 1000);
    assert_true(each < BYTES_EACH);
    assert_true(seen(&s, c[MANY - 1].w.id, l, &at) && !at.over);
    scene_close(&s);
    free(c);
    lease_unref(l);
}

static void a_task_is_of_its_session_and_its_end_is_told_as_long_as_it_is_kept(void **state)
{
    struct scene s;
    struct lease *l = house_session(*state, "ursula"), *other = house_session(*state, "ursula");
    struct caller c;
    struct gate_task_seen at;
    scene_open(&s, *state);
    assert_true(keeps(&s, l, REFUND, &c));
    assert_false(seen(&s, c.w.id, other, &at));
    assert_false(gate_task_cancel(&s.worker, str_of(c.w.id), other));
    assert_false(seen(&s, "apr_00000000000000000000000000", l, &at));
    assert_true(seen(&s, c.w.id, l, &at) && !at.over && !at.early && at.poll_ms >= 1000);
    assert_true(at.ttl_ms >= 60000 + 60000 && at.until > at.created);
    assert_true(seen(&s, c.w.id, l, &at) && at.early);
    house_say(s.h, c.w.id, "alice", APPROVE_DENY, REFUND);
    for (unsigned i = 0; i < 500 && !at.over; i++) {
        usleep(10000);
        assert_true(seen(&s, c.w.id, l, &at));
    }
    assert_true(at.over && !at.cancelled);
    struct gate_tasks *all = s.gate.tasks;
    assert_true(at.version && at.version == gate_task_version(all, str_of(c.w.id), l)); /* nothing new: not looked at */
    assert_int_equal(gate_task_version(all, str_of(c.w.id), other), 0);
    struct arena a;
    arena_init(&a, 1u << 20);
    struct call look = {.arena = &a, .lease = l};
    assert_true(gate_task_look(&s.worker, str_of(c.w.id), &look, true, &at));
    assert_int_equal(look.fault.err, ERR_APPROVAL_DENIED);
    assert_non_null(strstr(look.fault.text, "too much"));
    arena_done(&a);
    scene_close(&s);
    lease_unref(l);
    lease_unref(other);
}

/* ---- what the store has of a call ---- */

static void a_call_is_read_back_as_it_was(void **state)
{
    struct arena a;
    struct json doc, before;
    struct fault f = {.text = ""};
    (void)state;
    arena_init(&a, 1u << 20);
    assert_int_equal(json_parse(&doc, STR("{\"amount\":100}"), &a, NULL, &f), ERR_OK);
    assert_int_equal(json_parse(&before, STR("{ \"amount\": 500 }"), &a, NULL, &f), ERR_OK);
    struct sockaddr_storage source = {.ss_family = AF_INET};
    inet_pton(AF_INET, "192.0.2.7", &((struct sockaddr_in *)&source)->sin_addr);
    struct call c = {.arena = &a,
                     .asked = STR("desk__refund"),
                     .server = STR("desk"),
                     .doc = &doc,
                     .arguments_node = JSON_ROOT,
                     .asked_doc = &before,
                     .asked_node = JSON_ROOT,
                     .changed = STR("[\"amount\"]"),
                     .claims = {STR("model-1"), 1234, STR("0.25")},
                     .can = CAN_ELICIT | CAN_ROOTS,
                     .parent_span_id = "00f067aa0ba902b7",
                     .trace_sampled = true,
                     .trace_state = STR("vendor=1"),
                     .source = &source};
    struct str kept = task_call_write(&c);
    struct call back = {.arena = &a};
    assert_true(kept.n > 0);
    assert_int_equal(task_call_read(kept, STR("{\"amount\":100}"), false, &back, &f), ERR_OK);
    assert_true(str_eq(back.asked, c.asked) && str_eq(back.server, c.server));
    assert_true(str_eq(json_raw(back.asked_doc, back.asked_node), STR("{ \"amount\": 500 }"))); /* before policies */
    assert_true(str_eq(back.claims.model, c.claims.model) && back.claims.tokens == 1234 &&
                str_eq(back.claims.cost, c.claims.cost));
    assert_true(back.can == c.can && back.trace_sampled && str_eq(back.trace_state, c.trace_state));
    assert_string_equal(back.parent_span_id, c.parent_span_id);
    assert_memory_equal(&((const struct sockaddr_in *)back.source)->sin_addr,
                        &((struct sockaddr_in *)&source)->sin_addr, 4);
    assert_int_equal(task_call_read(kept, STR("{\"amount\":7}"), true, &back, &f), ERR_OK);
    assert_true(str_eq(json_raw(back.asked_doc, back.asked_node), STR("{\"amount\":7}"))); /* a person's */
    c.changed = STR_NONE;
    assert_int_equal(task_call_read(task_call_write(&c), STR("{\"amount\":100}"), false, &back, &f), ERR_OK);
    assert_true(str_eq(json_raw(back.asked_doc, back.asked_node), STR("{\"amount\":100}")));
    assert_int_equal(task_call_read(STR("{\"name\":\"\"}"), STR("{}"), false, &back, &f), ERR_CORRUPT);
    assert_int_equal(task_call_read(STR("{\"name\":\"x\"}"), STR("[]"), false, &back, &f), ERR_CORRUPT);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(ten_thousand_tasks_wait_for_under_4_kb_each_and_no_thread),
        TEST(a_task_is_of_its_session_and_its_end_is_told_as_long_as_it_is_kept),
        cmocka_unit_test(a_call_is_read_back_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

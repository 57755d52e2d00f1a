/* Many at once: ten thousand that wait, and people and calls that race. */
#include "house.h"

#include <malloc.h>

enum { MANY = 10000, BYTES_EACH = 4096, RACES = 40 };

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

static void ten_thousand_wait_for_under_4_kb_each_and_no_thread(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct caller *c = calloc(MANY, sizeof(*c));
    char arguments[512];
    unsigned before_threads = threads();
    assert_non_null(c);
    malloc_trim(0);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    int64_t start = clock_mono_ns();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(arguments, sizeof(arguments), "{\"amount\":%u,\"note\":\"%0400d\"}", i, 7);
        struct approval_ask ask = asked(l, arguments);
        ask.reviewers = STR("[\"finance\",\"security\"]");
        house_ask(h, &ask, &c[i]);
    }
    house_settled(h);
    int64_t asked_ms = (clock_mono_ns() - start) / 1000000;
    size_t each = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / MANY + sizeof(struct approval_wait);
    assert_int_equal(approvals_pending(h->queue), MANY);
    assert_int_equal(threads(), before_threads);
    start = clock_mono_ns();
    approvals_sweep(h->queue, clock_wall_ms());
    int64_t sweep_us = (clock_mono_ns() - start) / 1000;
    print_message("%d wait: %zu bytes each, asked in %lld ms, a sweep takes %lld us\n", MANY, each, (long long)asked_ms,
                  (long long)sweep_us);
    assert_true(each < BYTES_EACH);
    approvals_void(h->queue, STR("agt_1"), STR_NONE, STR_NONE, "the agent was stopped");
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(caller_hears(&c[i]), APPROVAL_VOID);
    house_settled(h);
    approvals_sweep(h->queue, clock_wall_ms());
    assert_int_equal(h->queue->count, 0);
    free(c);
    lease_unref(l);
}

/* ---- races ---- */

struct racer {
    struct house *h;
    pthread_barrier_t *start;
    const char *id, *arguments, *who;
    enum approval_verdict verdict;
    struct fault f;
    enum err e;
};

static void *racer_decides(void *arg)
{
    struct racer *r = arg;
    pthread_barrier_wait(r->start);
    r->e = said_by(r->h, r->id, r->who, r->verdict, r->arguments, &r->f);
    return NULL;
}

static void of_two_who_decide_at_once_one_is_first_and_the_other_hears_of_it(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    for (unsigned i = 0; i < RACES; i++) {
        char arguments[64];
        snprintf(arguments, sizeof(arguments), "{\"amount\":%u}", i);
        struct approval_ask ask = asked(l, arguments);
        struct caller c, d;
        pthread_barrier_t start;
        pthread_t thread[2];
        house_ask(h, &ask, &c);
        house_ask(h, &ask, &d);
        pthread_barrier_init(&start, NULL, 2);
        struct racer r[2] = {{h, &start, c.w.id, arguments, "alice", APPROVE_ONCE},
                             {h, &start, c.w.id, arguments, "bob", APPROVE_DENY}};
        for (unsigned k = 0; k < 2; k++)
            pthread_create(&thread[k], NULL, racer_decides, &r[k]);
        for (unsigned k = 0; k < 2; k++)
            pthread_join(thread[k], NULL);
        pthread_barrier_destroy(&start);
        unsigned first = r[0].e == ERR_OK ? 0 : 1;
        assert_int_equal(r[first].e, ERR_OK);
        assert_int_equal(r[!first].e, ERR_CONFLICT);
        assert_non_null(strstr(r[!first].f.text, r[first].who));
        assert_int_equal(caller_hears(&c), first ? APPROVAL_DENIED : APPROVAL_TAKEN);
        if (!first)
            approvals_done(h->queue, c.w.id, STR("1"), true);
        assert_int_equal(caller_hears(&d), first ? APPROVAL_DENIED : APPROVAL_DONE);
    }
    lease_unref(l);
}

struct leaver {
    struct house *h;
    struct caller *c;
    pthread_barrier_t *start;
    bool left;
};

static void *leaver_leaves(void *arg)
{
    struct leaver *v = arg;
    pthread_barrier_wait(v->start);
    v->left = approvals_leave(v->h->queue, &v->c->w);
    return NULL;
}

static void a_call_that_leaves_while_it_is_granted_is_told_or_gone_and_never_both(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    for (unsigned i = 0; i < RACES; i++) {
        char arguments[64];
        snprintf(arguments, sizeof(arguments), "{\"amount\":%u}", 1000 + i);
        struct approval_ask ask = asked(l, arguments);
        struct caller c, back;
        pthread_barrier_t start;
        pthread_t thread[2];
        house_ask(h, &ask, &c);
        pthread_barrier_init(&start, NULL, 2);
        struct racer r = {h, &start, c.w.id, arguments, "alice", APPROVE_ONCE};
        struct leaver v = {h, &c, &start, false};
        pthread_create(&thread[0], NULL, racer_decides, &r);
        pthread_create(&thread[1], NULL, leaver_leaves, &v);
        for (unsigned k = 0; k < 2; k++)
            pthread_join(thread[k], NULL);
        pthread_barrier_destroy(&start);
        assert_int_equal(r.e, ERR_OK);
        if (v.left) {
            assert_true(caller_waits(&c, 5));
            house_ask(h, &ask, &back); /* its yes waits for it */
            assert_int_equal(caller_hears(&back), APPROVAL_TAKEN);
        } else
            assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
        approvals_done(h->queue, c.w.id, STR("1"), true);
    }
    lease_unref(l);
}

static void a_call_whose_yes_is_being_used_up_cannot_leave_any_more(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, "{}");
    struct caller c, back;
    house_ask(h, &ask, &c);
    assert_true(approvals_leave(h->queue, &c.w));
    house_say(h, c.w.id, "alice", APPROVE_ONCE, "{}");
    h->store.slow_us = 50000; /* long enough to leave meanwhile */
    house_ask(h, &ask, &back);
    assert_false(approvals_leave(h->queue, &back.w));
    assert_int_equal(caller_hears(&back), APPROVAL_TAKEN);
    lease_unref(l);
}

static void nothing_is_told_before_it_is_in_the_store(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, "{}");
    struct caller c;
    h->store.slow_us = 60000;
    int64_t start = clock_mono_ns();
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, "{}"); /* it waits for the question, and for itself */
    assert_true(clock_mono_ns() - start >= 120 * 1000000);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN); /* and the call for its taking */
    assert_true(clock_mono_ns() - start >= 180 * 1000000);
    assert_true(h->store.writes >= 3);
    lease_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(ten_thousand_wait_for_under_4_kb_each_and_no_thread),
        TEST(of_two_who_decide_at_once_one_is_first_and_the_other_hears_of_it),
        TEST(a_call_that_leaves_while_it_is_granted_is_told_or_gone_and_never_both),
        TEST(a_call_whose_yes_is_being_used_up_cannot_leave_any_more),
        TEST(nothing_is_told_before_it_is_in_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

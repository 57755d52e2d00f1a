/* Sessions: their calls, their number, their end. */
#include "../conf_of.h"

#include "base/clock.h"
#include "store/lease.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

static int setup(void **state)
{
    struct fault f;
    return lease_memory_new((struct lease_store **)state, &f) ? -1 : 0;
}

static int teardown(void **state)
{
    struct lease_store *s = *state;
    s->ops->close(s);
    return 0;
}

static struct lease *lease(const char *sid, const char *agent, int64_t calls)
{
    struct lease *l = lease_new();
    l->sid = arena_str(&l->arena, str_of(sid));
    l->agent_id = arena_str(&l->arena, str_of(agent));
    l->max_calls = calls;
    l->created = clock_wall_ms();
    l->expires = l->created + 900000;
    l->expires_mono = clock_mono_ns() + 900 * SECOND;
    return l;
}

static enum err opened(struct lease_store *s, struct lease *l, int64_t max_sessions)
{
    struct lease_verdict v;
    s->ops->open(s, l, max_sessions, &v);
    return v.answer == LEASE_GRANTED ? ERR_OK : v.err;
}

static enum err taken(struct lease_store *s, struct lease *l)
{
    struct lease_verdict v;
    s->ops->take(s, l, &v);
    return v.answer == LEASE_GRANTED ? ERR_OK : v.err;
}

static enum err admitted(struct lease_store *s, struct lease *l, struct str tool, struct lease_verdict *v)
{
    s->ops->admit(s, l, tool, v);
    return v->answer == LEASE_GRANTED ? ERR_OK : v->err;
}

static void use_conf(struct lease_store *s, const char *text)
{
    struct conf *c = conf_of(text);
    s->ops->limits(s, c);
    conf_unref(c);
}

enum { LEASES = 20000, RACERS = 2 };

struct race {
    struct lease_store *store;
    struct lease **lease;
    pthread_barrier_t start;
    _Atomic unsigned arrived, granted, refused, other;
};

/* Both wait for each other at each lease and then want its only call at the same moment. */
static void *race_take(void *arg)
{
    struct race *r = arg;
    pthread_barrier_wait(&r->start);
    for (unsigned i = 0; i < LEASES; i++) {
        r->arrived++;
        for (unsigned spins = 1; r->arrived < (i + 1) * RACERS; spins++)
            if (spins % 1024 == 0)
                sched_yield();
        enum err e = taken(r->store, r->lease[i]);
        e == ERR_OK ? r->granted++ : e == ERR_CALLS ? r->refused++ : r->other++;
    }
    return NULL;
}

static void raced(struct race *r, void *(*thread)(void *), unsigned threads)
{
    pthread_t t[16];
    pthread_barrier_init(&r->start, NULL, threads);
    for (unsigned i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&t[i], NULL, thread, r), 0);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&r->start);
}

static void no_race_takes_one_call_too_many(void **state)
{
    struct lease_store *s = *state;
    static struct lease *all[LEASES];
    struct race r = {.store = s, .lease = all};
    for (unsigned i = 0; i < LEASES; i++) {
        char sid[32];
        snprintf(sid, sizeof(sid), "sess_%u", i);
        all[i] = lease_ref(lease(sid, "a", 1));
        assert_int_equal(opened(s, all[i], LEASES), ERR_OK);
    }
    raced(&r, race_take, RACERS);
    assert_int_equal(r.granted, LEASES);
    assert_int_equal(r.refused, LEASES);
    for (unsigned i = 0; i < LEASES; i++) {
        assert_int_equal(all[i]->used, 1);
        lease_unref(all[i]);
    }
}

static _Atomic unsigned race_sid;

static void *race_open(void *arg)
{
    struct race *r = arg;
    char sid[32];
    pthread_barrier_wait(&r->start);
    for (unsigned i = 0; i < 50; i++) {
        snprintf(sid, sizeof(sid), "sess_%u", race_sid++);
        enum err e = opened(r->store, lease(sid, "a", 1), 5);
        e == ERR_OK ? r->granted++ : e == ERR_SESSIONS ? r->refused++ : r->other++;
        if (e == ERR_OK && i % 2) /* some end at once, so that their place is free again */
            r->store->ops->end(r->store, str_of(sid), LEASE_ENDED) ? r->granted-- : r->other++;
        if (r->store->ops->open_count(r->store, STR("a")) > 5)
            r->other++;
    }
    return NULL;
}

static void no_race_opens_one_session_too_many(void **state)
{
    struct race r = {.store = *state};
    raced(&r, race_open, 8);
    assert_int_equal(r.other, 0);
    assert_true(r.refused > 0);
    assert_int_equal(r.store->ops->open_count(r.store, STR("a")), r.granted);
    assert_true(r.granted <= 5);
    assert_int_equal(opened(r.store, lease("sess_b", "b", 1), 1), ERR_OK); /* another agent has its own number */
}

static void a_session_is_over_by_either_clock(void **state)
{
    struct lease_store *s = *state;
    struct lease_verdict v;
    struct lease *wall = lease("sess_wall", "a", 5), *mono = lease("sess_mono", "a", 5);
    wall->expires = clock_wall_ms() - 1;           /* the wall clock was set forward */
    mono->expires_mono = clock_mono_ns() - SECOND; /* it was set back: only the other one moves on */
    lease_ref(wall);
    lease_ref(mono);
    assert_int_equal(opened(s, wall, 5), ERR_OK);
    assert_int_equal(opened(s, mono, 5), ERR_OK);
    struct lease *over[] = {wall, mono};
    for (unsigned i = 0; i < 2; i++) {
        assert_false(lease_is_open(over[i], clock_mono_ns()));
        assert_int_equal(taken(s, over[i]), ERR_SESSION_ENDED); /* before any sweep */
        assert_int_equal(admitted(s, over[i], STR_NONE, &v), ERR_SESSION_ENDED);
        assert_int_equal(over[i]->used, 0);
        lease_unref(over[i]);
    }
}

static void count_one(void *ctx, struct lease *l)
{
    (void)l;
    ++*(unsigned *)ctx;
}

static void a_sweep_tells_of_each_expired_session_once(void **state)
{
    struct lease_store *s = *state;
    unsigned expired = 0, open = 0;
    struct lease *late = lease("sess_late", "a", 5);
    int64_t over = late->expires_mono = clock_mono_ns() - SECOND;
    assert_int_equal(opened(s, late, 2), ERR_OK);
    assert_int_equal(opened(s, lease("sess_open", "a", 5), 2), ERR_OK);
    assert_int_equal(opened(s, lease("sess_third", "a", 5), 2), ERR_SESSIONS);
    s->ops->sweep(s, clock_mono_ns(), count_one, &expired);
    s->ops->sweep(s, clock_mono_ns(), count_one, &expired);
    assert_int_equal(expired, 1);
    s->ops->each(s, count_one, &open);
    assert_int_equal(open, 1);
    assert_int_equal(opened(s, lease("sess_third", "a", 5), 2), ERR_OK); /* its place is free */
    struct lease *l = s->ops->find(s, STR("sess_late"));                 /* known for a while, as one that is over */
    assert_int_equal(l->state, LEASE_EXPIRED);
    lease_unref(l);
    s->ops->sweep(s, over + 61 * SECOND, NULL, NULL);
    assert_null(s->ops->find(s, STR("sess_late")));
}

static void an_ended_session_stays_ended(void **state)
{
    struct lease_store *s = *state;
    struct lease *l = lease("sess_1", "a", 5);
    lease_ref(l);
    assert_int_equal(opened(s, l, 5), ERR_OK);
    assert_int_equal(taken(s, l), ERR_OK);
    assert_true(s->ops->end(s, STR("sess_1"), LEASE_ENDED));
    assert_false(s->ops->end(s, STR("sess_1"), LEASE_ENDED));
    assert_false(s->ops->end(s, STR("sess_2"), LEASE_ENDED));
    assert_int_equal(taken(s, l), ERR_SESSION_ENDED);
    assert_int_equal(s->ops->open_count(s, STR("a")), 0);
    lease_unref(l);
}

static void an_agent_s_sessions_end_together_and_no_others(void **state)
{
    struct lease_store *s = *state;
    unsigned ended = 0, open = 0;
    char sid[32];
    for (unsigned i = 0; i < 10; i++) {
        snprintf(sid, sizeof(sid), "sess_%u", i);
        assert_int_equal(opened(s, lease(sid, i % 2 ? "a" : "b", 5), 100), ERR_OK);
    }
    assert_int_equal(s->ops->end_agent(s, STR("a"), LEASE_ENDED, count_one, &ended), 5);
    assert_int_equal(ended, 5);
    s->ops->each(s, count_one, &open);
    assert_int_equal(open, 5);
    assert_int_equal(s->ops->open_count(s, STR("b")), 5);
}

static void every_open_session_is_listed_however_many_there_are(void **state)
{
    enum { SESSIONS = 40000 };
    struct lease_store *s = *state;
    unsigned open = 0;
    char sid[32];
    for (unsigned i = 0; i < SESSIONS; i++) {
        snprintf(sid, sizeof(sid), "sess_%u", i);
        assert_int_equal(opened(s, lease(sid, "a", 5), SESSIONS), ERR_OK);
    }
    s->ops->each(s, count_one, &open);
    assert_int_equal(open, SESSIONS);
}

static void the_rate_of_a_session_holds_from_its_first_request(void **state)
{
    struct lease_store *s = *state;
    struct lease_verdict v;
    struct lease *l = lease("sess_1", "a", 5);
    l->rate = (struct conf_rate){3, 3600000};
    lease_ref(l);
    assert_int_equal(opened(s, l, 5), ERR_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(admitted(s, l, STR("desk/lookup"), &v), ERR_OK);
    assert_int_equal(admitted(s, l, STR("desk/lookup"), &v), ERR_RATE);
    assert_string_equal(v.limit, "session");
    assert_in_range(v.retry_after_ms, 1190000, 1200001);
    assert_int_equal(l->used, 0); /* a request is not a call yet */
    lease_unref(l);
}

static void tools_and_agents_have_rates_over_all_their_sessions(void **state)
{
    struct lease_store *s = *state;
    struct lease_verdict v;
    struct lease *one = lease("sess_1", "a", 5), *two = lease("sess_2", "a", 5), *other = lease("sess_3", "b", 5);
    struct lease *all[] = {one, two, other};
    use_conf(s, "limits: { agent_rate: 6/hour }\n"
                "tools: { 'desk/r*': { rate: 4/hour, agent_rate: 3/hour }, 'desk/*': { rate: 1000/hour } }");
    for (unsigned i = 0; i < 3; i++) {
        lease_ref(all[i]);
        assert_int_equal(opened(s, all[i], 5), ERR_OK);
    }
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(admitted(s, all[i % 2], STR("desk/refund"), &v), ERR_OK);
    assert_int_equal(admitted(s, two, STR("desk/refund"), &v), ERR_RATE);
    assert_string_equal(v.limit, "agent and tool");
    assert_int_equal(admitted(s, other, STR("desk/refund"), &v), ERR_OK);
    assert_int_equal(admitted(s, other, STR("desk/refund"), &v), ERR_RATE);
    assert_string_equal(v.limit, "tool");
    assert_int_equal(admitted(s, other, STR("desk/return"), &v), ERR_OK); /* a bucket for each tool of the pattern */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(admitted(s, one, STR("desk/lookup"), &v), ERR_OK);
    assert_int_equal(admitted(s, two, STR_NONE, &v), ERR_RATE);
    assert_string_equal(v.limit, "agent");
    use_conf(s, "limits: { agent_rate: none }"); /* a reload */
    assert_int_equal(admitted(s, two, STR("desk/refund"), &v), ERR_OK);
    for (unsigned i = 0; i < 3; i++)
        lease_unref(all[i]);
}

static void *race_everything(void *arg)
{
    struct race *r = arg;
    struct lease_store *s = r->store;
    struct lease_verdict v;
    char sid[32];
    pthread_barrier_wait(&r->start);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(sid, sizeof(sid), "sess_%u", i % 40);
        if (i % 3 == 0)
            r->granted += opened(s, lease(sid, i % 2 ? "a" : "b", 5), 30) == ERR_OK;
        struct lease *l = s->ops->find(s, str_of(sid));
        if (l && admitted(s, l, STR("desk/refund"), &v) == ERR_OK)
            r->other += taken(s, l) == ERR_OK;
        if (l)
            lease_unref(l);
        unsigned n = 0;
        if (i % 16 == 5)
            s->ops->sweep(s, clock_mono_ns() + (i % 32 == 5 ? 2000 * SECOND : 0), count_one, &n);
        if (i % 64 == 9)
            use_conf(s, i % 128 == 9 ? "tools: { 'desk/*': { rate: 100/second } }" : "limits: { agent_rate: 9/hour }");
        if (i % 50 == 7)
            s->ops->end_agent(s, STR("a"), LEASE_ENDED, count_one, &n);
    }
    return NULL;
}

/* Opening, counting, ending, sweeping and reloading at once: for the thread and address sanitizers. */
static void all_of_it_at_once_holds_together(void **state)
{
    struct lease_store *s = *state;
    struct race r = {.store = s};
    unsigned open = 0;
    raced(&r, race_everything, 6);
    assert_true(r.granted > 0);
    s->ops->each(s, count_one, &open);
    assert_int_equal(open, s->ops->open_count(s, STR("a")) + s->ops->open_count(s, STR("b")));
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SCENE(no_race_takes_one_call_too_many),
        SCENE(no_race_opens_one_session_too_many),
        SCENE(a_session_is_over_by_either_clock),
        SCENE(a_sweep_tells_of_each_expired_session_once),
        SCENE(an_ended_session_stays_ended),
        SCENE(an_agent_s_sessions_end_together_and_no_others),
        SCENE(every_open_session_is_listed_however_many_there_are),
        SCENE(the_rate_of_a_session_holds_from_its_first_request),
        SCENE(tools_and_agents_have_rates_over_all_their_sessions),
        SCENE(all_of_it_at_once_holds_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

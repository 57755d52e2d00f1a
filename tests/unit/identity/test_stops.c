/* What operators have stopped: whom it refuses, how long it holds, and that no session slips through. */
#include "sessions.h"

#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>

#include "identity/stops.h"

struct scene {
    char dir[64], db[96];
    struct store *store;
    struct stops *stops;
};

static void scene_load(struct scene *s)
{
    struct fault f = {0};
    if (store_sqlite_open(s->db, &s->store, &f) || stops_new(s->store, &s->stops, &f))
        fail_msg("%s", f.text);
}

static void scene_unload(struct scene *s)
{
    stops_free(s->stops);
    store_close(s->store);
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    folder_make(s->dir);
    snprintf(s->db, sizeof(s->db), "%s/doorward.db", s->dir);
    scene_load(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    scene_unload(s);
    folder_remove(s->dir);
    free(s);
    return 0;
}

static void stop(struct scene *s, struct str agent)
{
    struct fault f = {0};
    struct store_stop p = {agent, STR("it sends mail to strangers"), STR("ada"), 1000};
    assert_int_equal(stops_put(s->stops, &p, &f), ERR_OK);
}

static void judged(struct scene *s, const char *agent, enum err want)
{
    struct fault f = {0};
    assert_int_equal(stops_judge(s->stops, str_of(agent), &f), want);
}

static void a_stop_is_of_one_agent_or_of_everybody_and_each_is_lifted_alone(void **state)
{
    struct scene *s = *state;
    struct fault f = {0};
    judged(s, "a", ERR_OK);
    stop(s, STR("a"));
    judged(s, "a", ERR_AGENT_STOPPED);
    judged(s, "b", ERR_OK);
    stop(s, STR(""));
    assert_true(stops_all(s->stops));
    judged(s, "b", ERR_ALL_STOPPED);
    assert_int_equal(stops_lift(s->stops, STR(""), &f), ERR_OK);
    judged(s, "b", ERR_OK);
    judged(s, "a", ERR_AGENT_STOPPED);
    assert_int_equal(stops_lift(s->stops, STR("a"), &f), ERR_OK);
    judged(s, "a", ERR_OK);
    assert_int_equal(stops_lift(s->stops, STR("a"), &f), ERR_NOT_FOUND);
}

static void what_was_kept_holds_after_a_restart_and_what_was_lifted_is_not_kept(void **state)
{
    struct scene *s = *state;
    struct fault f = {0};
    stop(s, STR("a"));
    stop(s, STR("b"));
    stop(s, STR(""));
    assert_int_equal(stops_lift(s->stops, STR("b"), &f), ERR_OK); /* another operator, before it was kept */
    assert_int_equal(stops_keep(s->stops, STR("a"), &f), ERR_OK);
    assert_int_equal(stops_keep(s->stops, STR("b"), &f), ERR_OK);
    assert_int_equal(stops_keep(s->stops, STR(""), &f), ERR_OK);
    scene_unload(s);
    scene_load(s);
    assert_true(stops_all(s->stops));
    assert_int_equal(stops_lift(s->stops, STR(""), &f), ERR_OK);
    judged(s, "a", ERR_AGENT_STOPPED);
    judged(s, "b", ERR_OK);
}

static void a_store_that_takes_nothing_leaves_the_stop_in_force(void **state)
{
    struct scene *s = *state;
    struct fault f = {0};
    sqlite3 *db;
    assert_int_equal(sqlite3_open(s->db, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE stops", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    stop(s, STR("a"));
    assert_int_equal(stops_keep(s->stops, STR("a"), &f), ERR_STORE);
    judged(s, "a", ERR_AGENT_STOPPED);
    assert_int_equal(stops_lift(s->stops, STR("a"), &f), ERR_STORE);
    judged(s, "a", ERR_AGENT_STOPPED);
}

/* ---- sessions ---- */

static const struct session_wish plain = {0};

static void a_stopped_agent_opens_no_session_until_that_is_lifted(void **state)
{
    struct scene *s = *state;
    struct desk d;
    struct fault f = {0};
    struct lease *l = NULL;
    desk_open(&d, "{}");
    sessions_stops(d.sessions, s->stops);
    stop(s, STR("support-1"));
    assert_int_equal(session_open(d.sessions, &d.agent, &plain, &l, &f), ERR_AGENT_STOPPED);
    assert_non_null(strstr(f.text, "has stopped the agent support-1"));
    assert_int_equal(stops_lift(s->stops, STR("support-1"), &f), ERR_OK);
    lease_unref(desk_session(&d, &plain));
    desk_close(&d);
}

static void a_session_is_stopped_alone_or_with_all_of_its_agent(void **state)
{
    (void)state;
    struct desk d;
    struct session_stopped done;
    desk_open(&d, "{}");
    struct lease *a = desk_session(&d, &plain), *b = desk_session(&d, &plain), *c = desk_session(&d, &plain);
    b->parked = 2;
    session_stop(d.sessions, a->agent_id, a->sid, STR("ada"), STR("odd"), &done);
    assert_int_equal(done.sessions, 1);
    assert_true(lease_stopped(a) && !lease_stopped(b));
    session_stop(d.sessions, a->agent_id, a->sid, STR("ada"), STR("odd"), &done);
    assert_int_equal(done.sessions, 0);
    session_stop(d.sessions, STR("somebody-else"), STR(""), STR("ada"), STR("odd"), &done);
    assert_int_equal(done.sessions, 0);
    session_stop(d.sessions, a->agent_id, STR(""), STR("ada"), STR("odd"), &done);
    assert_int_equal(done.sessions, 2);
    assert_int_equal(done.parked, 2);
    assert_int_equal(d.told[SESSION_CLOSED], 3);
    assert_string_equal(d.reason, "odd");
    lease_unref(a);
    lease_unref(b);
    lease_unref(c);
    desk_close(&d);
}

/* ---- the race ---- */

enum { OPENERS = 4, ROUNDS = 50 };

struct opener {
    struct desk *desk;
    _Atomic bool *over;
};

static void *open_until_refused(void *ctx)
{
    struct opener *o = ctx;
    struct fault f;
    struct lease *l;
    while (!atomic_load(o->over))
        if (session_open(o->desk->sessions, &o->desk->agent, &plain, &l, &f) == ERR_OK)
            lease_unref(l);
    return NULL;
}

static void count_open(void *ctx, struct lease *l)
{
    (void)l;
    ++*(size_t *)ctx;
}

static void told_nothing(void *ctx, enum session_event event, const struct lease *l, struct str by, struct str reason)
{
    (void)ctx, (void)event, (void)l, (void)by, (void)reason;
}

/* Whoever opens a session at the moment of the kill has it ended by the kill, or is refused. */
static void no_session_slips_through(void **state)
{
    struct scene *s = *state;
    struct desk d;
    struct fault f = {0};
    struct session_stopped done;
    pthread_t thread[OPENERS];
    desk_open(&d, "session: { max_tool_calls: 1 }");
    sessions_free(d.sessions);
    assert_int_equal(sessions_new(d.leases, d.conf, told_nothing, NULL, &d.sessions, &f), ERR_OK);
    sessions_stops(d.sessions, s->stops);
    d.agent.max_sessions = 30;
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool all = round % 2;
        _Atomic bool over = false;
        struct opener o = {&d, &over};
        struct str whom = all ? STR("") : d.agent.id;
        for (unsigned i = 0; i < OPENERS; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, open_until_refused, &o), 0);
        while (!d.leases->ops->open_count(d.leases, d.agent.id))
            sched_yield();
        stop(s, whom);
        session_stop(d.sessions, whom, STR(""), STR("ada"), STR("odd"), &done);
        atomic_store(&over, true);
        for (unsigned i = 0; i < OPENERS; i++)
            pthread_join(thread[i], NULL);
        size_t open = 0;
        d.leases->ops->each(d.leases, count_open, &open);
        assert_int_equal(open, 0);
        assert_int_equal(d.leases->ops->open_count(d.leases, d.agent.id), 0);
        assert_int_equal(stops_lift(s->stops, whom, &f), ERR_OK);
    }
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stop_is_of_one_agent_or_of_everybody_and_each_is_lifted_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_kept_holds_after_a_restart_and_what_was_lifted_is_not_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_store_that_takes_nothing_leaves_the_stop_in_force, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_agent_opens_no_session_until_that_is_lifted, setup, teardown),
        cmocka_unit_test(a_session_is_stopped_alone_or_with_all_of_its_agent),
        cmocka_unit_test_setup_teardown(no_session_slips_through, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

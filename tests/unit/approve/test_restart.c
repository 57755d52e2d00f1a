/* What waits outlives the process, with its session; a stop between any two writes makes no call without a yes, and
 * none twice. */
#include "house.h"

#include <sqlite3.h>

static struct lease *again(struct house *h, const char *sid)
{
    return h->leases->ops->find(h->leases, str_of(sid));
}

static void a_call_comes_back_to_its_session_and_its_question(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c, back;
    char sid[ENC_ID_MAX];
    snprintf(sid, sizeof(sid), STR_FMT, STR_ARG(l->sid));
    int64_t expires = l->expires, mono = l->expires_mono;
    atomic_store(&l->used, 7);
    house_ask(h, &ask, &c);
    house_settled(h);
    lease_unref(l);
    house_crash(h);
    assert_int_equal(h->resumed, 1);
    l = again(h, sid);
    assert_non_null(l);
    assert_true(lease_is_open(l, clock_mono_ns()) && l->expires == expires && l->used == 7);
    assert_true(l->expires_mono <= mono + 2000000 && l->expires_mono > mono - 2000000000); /* to the millisecond */
    assert_true(str_is(l->user, "ursula") && str_is(l->agent_owner, "olga") && l->scope_count == 1);
    ask = asked(l, REFUND);
    house_ask(h, &ask, &back);
    assert_string_equal(back.w.id, c.w.id);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&back), APPROVAL_TAKEN);
    lease_unref(l);
}

static void sessions_in_which_nothing_waits_end_with_the_process(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula"), *m = house_session(h, "ursula");
    struct approval_ask ask = asked(m, REFUND);
    struct caller c;
    char idle[ENC_ID_MAX], over[ENC_ID_MAX];
    snprintf(idle, sizeof(idle), STR_FMT, STR_ARG(l->sid));
    snprintf(over, sizeof(over), STR_FMT, STR_ARG(m->sid));
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_DENY, REFUND);
    caller_hears(&c);
    lease_unref(l);
    lease_unref(m);
    house_crash(h);
    assert_int_equal(h->resumed, 0);
    assert_null(again(h, idle));
    assert_null(again(h, over));
}

static enum approval_state stands(struct house *h, const char *id, char why[128])
{
    struct arena a;
    struct approval_card card;
    struct fault f = {.text = ""};
    arena_init(&a, 16 << 20);
    house_settled(h);
    if (approvals_card(h->queue, str_of(id), &a, &card, &f))
        fail_msg("%s", f.text);
    snprintf(why, 128, STR_FMT, STR_ARG(card.reason));
    arena_done(&a);
    return card.state;
}

static void a_session_that_was_stopped_does_not_come_back(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    char sid[ENC_ID_MAX], why[128];
    snprintf(sid, sizeof(sid), STR_FMT, STR_ARG(l->sid));
    house_ask(h, &ask, &c);
    house_settled(h);
    h->leases->ops->end(h->leases, l->sid, LEASE_STOPPED);
    approvals_void(h->queue, STR_NONE, l->sid, STR_NONE, "the session was stopped");
    house_settled(h); /* who stops it waits for this */
    caller_hears(&c);
    lease_unref(l);
    house_crash(h);
    assert_null(again(h, sid));
    assert_int_equal(stands(h, c.w.id, why), APPROVAL_VOID);
    assert_string_equal(why, "the session was stopped");
}

static void without_its_agent_a_question_is_void(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct agent *changed = NULL;
    struct fault f = {.text = ""};
    struct caller c;
    char why[128];
    house_ask(h, &ask, &c);
    house_settled(h);
    lease_unref(l);
    assert_int_equal(agents_enable(h->agents, STR("agt_1"), false, &changed, &f), ERR_OK);
    agent_unref(changed);
    house_crash(h);
    assert_int_equal(h->resumed, 0);
    assert_int_equal(stands(h, c.w.id, why), APPROVAL_VOID);
    assert_string_equal(why, "the session is over");
}

static void under_other_policies_a_question_is_void(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    char why[128];
    house_ask(h, &ask, &c);
    house_settled(h);
    lease_unref(l);
    h->store.until = 0;
    house_end(h);
    house_start(h, "v2");
    assert_int_equal(h->resumed, 0); /* nothing waits in it any more */
    assert_int_equal(stands(h, c.w.id, why), APPROVAL_VOID);
    assert_string_equal(why, "other policies are in force");
}

static void a_call_that_was_under_way_is_not_made_again(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), other = asked(l, "{\"amount\":1}");
    struct caller c, waits, back;
    char sid[ENC_ID_MAX], why[128];
    snprintf(sid, sizeof(sid), STR_FMT, STR_ARG(l->sid));
    house_ask(h, &ask, &c);
    house_ask(h, &other, &waits); /* so that the session comes back */
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
    house_crash(h);
    assert_int_equal(stands(h, c.w.id, why), APPROVAL_DONE);
    l = again(h, sid);
    assert_non_null(l);
    ask = asked(l, REFUND);
    house_ask(h, &ask, &back);
    assert_int_equal(caller_hears(&back), APPROVAL_DONE);
    assert_string_equal(back.result, "");
    assert_non_null(strstr(back.w.text, "not known"));
    lease_unref(l);
}

static void a_yes_before_the_restart_is_a_yes_after_it(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c, back;
    char sid[ENC_ID_MAX];
    snprintf(sid, sizeof(sid), STR_FMT, STR_ARG(l->sid));
    house_ask(h, &ask, &c);
    assert_true(approvals_leave(h->queue, &c.w));
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    lease_unref(l);
    house_crash(h);
    l = again(h, sid);
    assert_non_null(l);
    ask = asked(l, REFUND);
    house_ask(h, &ask, &back);
    assert_int_equal(caller_hears(&back), APPROVAL_TAKEN);
    lease_unref(l);
}

static void a_clean_stop_keeps_what_waits_though_its_session_ends(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    house_ask(h, &ask, &c);
    house_settled(h);
    atomic_store(&l->used, 3);
    approvals_close(h->queue);
    approvals_void(h->queue, STR_NONE, l->sid, STR_NONE, "the gateway stopped");
    session_end_all(h->sessions, STR("the gateway stopped"));
    assert_true(caller_waits(&c, 50));
    char sid[ENC_ID_MAX];
    snprintf(sid, sizeof(sid), STR_FMT, STR_ARG(l->sid));
    lease_unref(l);
    house_end(h);
    house_start(h, "v1");
    assert_int_equal(h->resumed, 1);
    l = again(h, sid);
    assert_non_null(l);
    assert_int_equal(l->used, 3);
    lease_unref(l);
}

/* The store as if its process had stopped then. */
static void clock_moved(struct house *h, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(h->db, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void a_wall_clock_that_is_set_back_prolongs_nothing(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    char why[128];
    ask.limit_ms = 400;
    house_ask(h, &ask, &c);
    house_settled(h);
    lease_unref(l);
    h->store.until = 0;
    house_end(h);
    /* on another boot, written by a clock that was an hour ahead of ours */
    clock_moved(h, "UPDATE approvals SET standing = json_set(standing, '$.boot', 'other', '$.until',"
                   " json_extract(standing, '$.until') + 3600000, '$.written',"
                   " json_extract(standing, '$.written') + 3600000);"
                   "UPDATE held_sessions SET lease = json_set(lease, '$.boot', 'other', '$.expires',"
                   " json_extract(lease, '$.expires') + 3600000, '$.written',"
                   " json_extract(lease, '$.written') + 3600000)");
    house_start(h, "v1");
    assert_int_equal(h->resumed, 1);
    usleep(450000);
    approvals_sweep(h->queue, clock_wall_ms());
    assert_int_equal(stands(h, c.w.id, why), APPROVAL_EXPIRED);
}

static void on_the_same_boot_the_time_of_the_stop_counts(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    char why[128];
    ask.limit_ms = 200;
    house_ask(h, &ask, &c);
    house_settled(h);
    lease_unref(l);
    h->store.until = 0;
    house_end(h);
    clock_moved(h, "UPDATE approvals SET standing = json_set(standing, '$.until',"
                   " json_extract(standing, '$.until') + 3600000)");
    usleep(250000);
    house_start(h, "v1");
    assert_int_equal(stands(h, c.w.id, why), APPROVAL_EXPIRED);
}

static void what_cannot_be_read_waits_no_more_and_stops_nobody(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), other = asked(l, "{\"amount\":1}");
    struct caller c, d;
    char sql[256];
    house_ask(h, &ask, &c);
    house_ask(h, &other, &d);
    house_settled(h);
    lease_unref(l);
    h->store.until = 0;
    house_end(h);
    snprintf(sql, sizeof(sql), "UPDATE approvals SET standing = '{\"until\":' WHERE id = '%s'", c.w.id);
    clock_moved(h, sql);
    house_start(h, "v1");
    assert_int_equal(approvals_pending(h->queue), 1);
}

/* ---- the process stops, or the disk is full, after each of the writes ---- */

struct scene {
    unsigned executed;
    bool granted; /* somebody was told that his yes is in force */
};

/* A client that repeats its call, a person who says yes, and a store that takes no more after so many writes. */
static void play(struct house *h, int until, struct scene *s)
{
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c, back;
    char sid[ENC_ID_MAX];
    snprintf(sid, sizeof(sid), STR_FMT, STR_ARG(l->sid));
    h->store.writes = 0;
    h->store.until = until;
    house_ask(h, &ask, &c);
    bool pending = caller_waits(&c, 60);
    s->granted = pending && said_by(h, c.w.id, "alice", APPROVE_ONCE, REFUND, &f) == ERR_OK;
    if (s->granted) {
        s->executed += caller_hears(&c) == APPROVAL_TAKEN;
        if (c.w.state == APPROVAL_TAKEN)
            approvals_done(h->queue, c.w.id, STR("1"), true);
    } else if (pending)
        assert_true(approvals_leave(h->queue, &c.w));
    lease_unref(l);
    house_crash(h);
    l = again(h, sid);
    if (!l) /* nothing waits: the client opens another session, and asks anew */
        return;
    ask = asked(l, REFUND);
    house_ask(h, &ask, &back);
    if (!caller_waits(&back, 200)) {
        s->executed += back.w.state == APPROVAL_TAKEN;
        assert_true(back.w.state != APPROVAL_TAKEN || s->granted);
    } else
        assert_true(approvals_leave(h->queue, &back.w));
    lease_unref(l);
}

static void a_stop_after_any_write_makes_no_call_twice_and_none_without_a_yes(void **state)
{
    struct house *h = *state;
    for (int until = 0; until < 6; until++) {
        struct scene s = {0, false};
        play(h, until, &s);
        assert_true(s.executed <= 1);
        assert_true(!s.executed || s.granted);
        assert_true(until < 3 || s.executed == 1); /* asked, granted, taken: all three are there */
    }
}

static void a_no_that_the_store_does_not_take_is_in_force_and_written_later(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    char why[128];
    house_ask(h, &ask, &c);
    house_settled(h);
    h->store.until = 0;
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_DENY, REFUND, &f), ERR_STORE);
    assert_non_null(strstr(f.text, "in force"));
    assert_int_equal(caller_hears(&c), APPROVAL_DENIED);
    assert_int_equal(approvals_settle(h->queue, &f), ERR_STORE);
    h->store.until = -1;
    approvals_sweep(h->queue, clock_wall_ms());
    assert_int_equal(stands(h, c.w.id, why), APPROVAL_DENIED);
    lease_unref(l);
}

static void a_yes_that_the_store_does_not_take_is_none_and_can_be_said_again(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c, back;
    house_ask(h, &ask, &c);
    house_settled(h);
    h->store.until = 0;
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_ONCE, REFUND, &f), ERR_STORE);
    assert_true(caller_waits(&c, 50));
    h->store.until = -1;
    house_say(h, c.w.id, "bob", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    h->store.until = 0;
    struct approval_ask more = asked(l, "{\"amount\":7}");
    house_ask(h, &more, &back); /* nobody is asked what could not be written down */
    assert_int_equal(caller_hears(&back), APPROVAL_VOID);
    assert_int_equal(back.w.err, ERR_STORE);
    lease_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_call_comes_back_to_its_session_and_its_question),
        TEST(sessions_in_which_nothing_waits_end_with_the_process),
        TEST(a_session_that_was_stopped_does_not_come_back),
        TEST(without_its_agent_a_question_is_void),
        TEST(under_other_policies_a_question_is_void),
        TEST(a_call_that_was_under_way_is_not_made_again),
        TEST(a_yes_before_the_restart_is_a_yes_after_it),
        TEST(a_clean_stop_keeps_what_waits_though_its_session_ends),
        TEST(a_wall_clock_that_is_set_back_prolongs_nothing),
        TEST(on_the_same_boot_the_time_of_the_stop_counts),
        TEST(what_cannot_be_read_waits_no_more_and_stops_nobody),
        TEST(a_stop_after_any_write_makes_no_call_twice_and_none_without_a_yes),
        TEST(a_no_that_the_store_does_not_take_is_in_force_and_written_later),
        TEST(a_yes_that_the_store_does_not_take_is_none_and_can_be_said_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

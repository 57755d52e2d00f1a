/* A question that nobody decides goes to others as well: once, at its time, also over a restart. */
#include "house.h"

#include <sqlite3.h>

static enum err said(struct house *h, const char *id, const char *who, const char *groups, struct fault *f)
{
    enum approval_state now;
    struct approval_decision d = {.id = str_of(id),
                                  .verdict = APPROVE_ONCE,
                                  .by = {str_of(who), str_of(groups), STR("api")},
                                  .digest = str_of(digest_of(REFUND))};
    return approvals_decide(h->queue, &d, &now, f);
}

static struct approval_ask asked_of_money(struct lease *l, int64_t escalate_ms)
{
    struct approval_ask ask = asked(l, REFUND);
    ask.reviewers = STR("[\"money\"]");
    ask.escalate = STR("[\"managers\"]");
    ask.escalate_ms = escalate_ms;
    return ask;
}

static int64_t escalated(struct house *h, const char *id)
{
    struct arena a;
    struct approval_card card;
    struct fault f = {.text = ""};
    arena_init(&a, 16 << 20);
    house_settled(h);
    if (approvals_card(h->queue, str_of(id), &a, &card, &f))
        fail_msg("%s", f.text);
    int64_t at = card.escalated;
    assert_true(str_is(card.escalate, "[\"managers\"]") && card.escalates > 0);
    arena_done(&a);
    return at;
}

static void before_its_time_only_the_first_group_decides_and_then_both_do(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_money(l, 300);
    struct fault f = {.text = ""};
    struct caller c;
    house_ask(h, &ask, &c);
    assert_int_equal(said(h, c.w.id, "mara", "[\"managers\"]", &f), ERR_ROLE);
    approvals_sweep(h->queue, clock_wall_ms());
    assert_int_equal(escalated(h, c.w.id), 0);
    usleep(310000);
    approvals_sweep(h->queue, clock_wall_ms());
    assert_true(escalated(h, c.w.id) > 0);
    assert_int_equal(said(h, c.w.id, "sam", "[\"support\"]", &f), ERR_ROLE);
    assert_non_null(strstr(f.text, "managers"));
    assert_int_equal(said(h, c.w.id, "mara", "[\"managers\"]", &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
}

static void who_decides_right_then_need_not_wait_for_the_next_second(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_money(l, 100);
    struct fault f = {.text = ""};
    struct caller c;
    house_ask(h, &ask, &c);
    house_settled(h);
    usleep(110000);
    assert_int_equal(said(h, c.w.id, "mara", "[\"managers\"]", &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
}

static void of_the_two_people_one_may_be_of_each_group(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_money(l, 100);
    struct fault f = {.text = ""};
    struct caller c;
    ask.people = 2;
    house_ask(h, &ask, &c);
    assert_int_equal(said(h, c.w.id, "anna", "[\"money\"]", &f), ERR_OK);
    usleep(110000);
    assert_int_equal(said(h, c.w.id, "anna", "[\"managers\"]", &f), ERR_ROLE); /* nobody twice, */
    assert_int_equal(said(h, c.w.id, "olga", "[\"managers\"]", &f), ERR_ROLE); /* and not the owner */
    assert_true(caller_waits(&c, 20));
    assert_int_equal(said(h, c.w.id, "mara", "[\"managers\"]", &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
}

static void it_survives_a_restart_and_its_time_runs_on(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_money(l, 300), before = asked_of_money(l, 20);
    struct fault f = {.text = ""};
    struct caller c, d;
    before.arguments = STR("{\"amount\":1}");
    before.digest = str_of(digest_of("{\"amount\":1}"));
    house_ask(h, &ask, &c);
    house_ask(h, &before, &d);
    house_settled(h);
    usleep(30000);
    approvals_sweep(h->queue, clock_wall_ms());
    int64_t at = escalated(h, d.w.id);
    assert_true(at > 0);
    lease_unref(l);
    h->store.until = 0;
    house_end(h);
    usleep(300000); /* while nobody is there */
    house_start(h, "v1");
    approvals_sweep(h->queue, clock_wall_ms());
    assert_true(escalated(h, c.w.id) > 0);
    assert_int_equal(escalated(h, d.w.id), at);
    assert_int_equal(said(h, c.w.id, "mara", "[\"managers\"]", &f), ERR_OK);
}

static void one_from_before_there_was_such_a_thing_can_still_be_read(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    sqlite3 *db;
    house_ask(h, &ask, &c);
    house_settled(h);
    lease_unref(l);
    h->store.until = 0;
    house_end(h);
    assert_int_equal(sqlite3_open(h->db, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE approvals SET question = json_remove(question, '$.escalateTo'), standing ="
                                  " json_remove(standing, '$.escalates', '$.escalatesMono', '$.escalated')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    house_start(h, "v1");
    assert_int_equal(approvals_pending(h->queue), 1);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
}

static void what_the_store_does_not_take_is_not_in_force(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_money(l, 50);
    struct fault f = {.text = ""};
    struct caller c;
    house_ask(h, &ask, &c);
    house_settled(h);
    usleep(60000);
    h->store.until = 0;
    approvals_sweep(h->queue, clock_wall_ms());
    house_settled(h);
    h->store.until = -1;
    assert_int_equal(said(h, c.w.id, "mara", "[\"managers\"]", &f), ERR_ROLE);
    assert_int_equal(said(h, c.w.id, "anna", "[\"money\"]", &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(before_its_time_only_the_first_group_decides_and_then_both_do),
        TEST(who_decides_right_then_need_not_wait_for_the_next_second),
        TEST(of_the_two_people_one_may_be_of_each_group),
        TEST(it_survives_a_restart_and_its_time_runs_on),
        TEST(one_from_before_there_was_such_a_thing_can_still_be_read),
        TEST(what_the_store_does_not_take_is_not_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

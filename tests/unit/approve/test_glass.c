/* Break-glass: what one person alone may say yes to, for how long, and what it never lifts. */
#include "house.h"

#include <sqlite3.h>

struct told { /* what everybody was told, in short: "started ops", "used anna", "ended " */
    pthread_mutex_t lock;
    char text[400];
};
static struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void hears(void *ctx, const struct glass_news *n)
{
    struct told *t = ctx;
    pthread_mutex_lock(&t->lock);
    size_t at = strlen(t->text);
    snprintf(t->text + at, sizeof(t->text) - at, "%s " STR_FMT ";", glass_events[n->event], STR_ARG(n->by));
    pthread_mutex_unlock(&t->lock);
}

static const char *heard(void)
{
    static char text[sizeof(told.text)];
    pthread_mutex_lock(&told.lock);
    memcpy(text, told.text, sizeof(text));
    pthread_mutex_unlock(&told.lock);
    return text;
}

static void hear(struct house *h)
{
    struct fault f;
    told.text[0] = 0;
    assert_int_equal(approvals_watch_glass(h->queue, hears, &told, &f), ERR_OK);
}

static void opened(struct house *h, struct approval_glass *ret)
{
    struct fault f = {.text = ""};
    if (approvals_glass_start(h->queue, STR("ops"), STR("nobody of money can be reached"), 600000, ret, &f))
        fail_msg("%s", f.text);
}

static enum err said(struct house *h, const char *id, const char *who, bool glass, struct fault *f)
{
    enum approval_state now;
    struct approval_decision d = {.id = str_of(id),
                                  .verdict = APPROVE_ONCE,
                                  .by = {str_of(who), STR("[\"support\"]"), STR("api")},
                                  .glass = glass,
                                  .digest = str_of(digest_of(REFUND))};
    return approvals_decide(h->queue, &d, &now, f);
}

static struct approval_ask asked_of_two(struct lease *l)
{
    struct approval_ask ask = asked(l, REFUND);
    ask.reviewers = STR("[\"money\"]");
    ask.people = 2;
    return ask;
}

static void one_alone_says_yes_while_it_is_open_and_only_when_he_says_so(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_two(l);
    struct approval_glass g, now;
    struct fault f = {.text = ""};
    struct caller c;
    hear(h);
    house_ask(h, &ask, &c);
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "not open"));
    opened(h, &g);
    assert_int_equal(said(h, c.w.id, "anna", false, &f), ERR_ROLE);
    assert_true(caller_waits(&c, 20));
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    assert_string_equal(c.w.by, "anna");
    house_settled(h);
    assert_true(approvals_glass(h->queue, &now));
    assert_int_equal(now.used, 1);
    assert_int_equal(approvals_glass_end(h->queue, STR("ops"), STR("over"), &g, &f), ERR_OK);
    assert_int_equal(g.used, 1);
    assert_string_equal(heard(), "started ops;used anna;ended ops;");
    lease_unref(l);
}

static void nobody_approves_for_his_own_agent_by_it(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct approval_glass g;
    struct fault f = {.text = ""};
    struct caller c;
    ask.reviewers = STR("[\"money\"]"); /* one person, so that four eyes are not what is in the way */
    house_ask(h, &ask, &c);
    opened(h, &g);
    assert_int_equal(said(h, c.w.id, "Olga", true, &f), ERR_ROLE);
    assert_int_equal(said(h, c.w.id, "ursula", true, &f), ERR_ROLE);
    assert_true(caller_waits(&c, 20));
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
}

static void who_said_yes_as_one_of_two_may_be_alone_by_it(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_two(l);
    struct approval_glass g, now;
    struct fault f = {.text = ""};
    struct caller c;
    ask.reviewers = STR("[\"support\"]");
    hear(h);
    house_ask(h, &ask, &c);
    assert_int_equal(said(h, c.w.id, "anna", false, &f), ERR_OK);
    opened(h, &g);
    assert_int_equal(said(h, c.w.id, "anna", false, &f), ERR_ROLE);
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    house_settled(h);
    assert_true(approvals_glass(h->queue, &now) && now.used == 1);
    lease_unref(l);
}

static void where_nothing_is_missing_it_is_not_used(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct approval_glass g, now;
    struct fault f = {.text = ""};
    struct caller c;
    hear(h);
    house_ask(h, &ask, &c);
    opened(h, &g);
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    house_settled(h);
    assert_true(approvals_glass(h->queue, &now) && now.used == 0);
    assert_string_equal(heard(), "started ops;");
    lease_unref(l);
}

static void it_wants_a_reason_a_time_within_bounds_and_is_open_once(void **state)
{
    struct house *h = *state;
    struct approval_glass g;
    struct fault f = {.text = ""};
    struct str ops = STR("ops");
    assert_int_equal(approvals_glass_start(h->queue, ops, STR(" "), 600000, &g, &f), ERR_PARAMS);
    assert_int_equal(approvals_glass_start(h->queue, ops, STR("fire"), 3660000, &g, &f), ERR_PARAMS);
    assert_non_null(strstr(f.text, "1 to 60"));
    assert_int_equal(approvals_glass_start(h->queue, ops, STR("fire"), 59000, &g, &f), ERR_PARAMS);
    assert_int_equal(approvals_glass_end(h->queue, ops, STR_NONE, &g, &f), ERR_CONFLICT);
    h->queue->glass_most_ms = 0; /* approval.break_glass: 0s */
    assert_int_equal(approvals_glass_start(h->queue, ops, STR("fire"), 60000, &g, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "approval.break_glass"));
    h->queue->glass_most_ms = 3600000;
    opened(h, &g);
    assert_int_equal(approvals_glass_start(h->queue, STR("ben"), STR("fire"), 600000, &g, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "by ops"));
}

static void ends_in(struct house *h, int ms)
{
    pthread_mutex_lock(&h->queue->lock);
    h->queue->glass.until_mono = clock_mono_ns() + ms * INT64_C(1000000);
    pthread_mutex_unlock(&h->queue->lock);
}

static bool drops(struct house *h)
{
    pthread_mutex_lock(&h->queue->lock);
    bool drops = h->queue->glass_drop[0];
    pthread_mutex_unlock(&h->queue->lock);
    return drops;
}

static void swept(struct house *h)
{
    approvals_sweep(h->queue, clock_wall_ms());
    for (int i = 0; i < 200 && !strstr(heard(), "ended"); i++)
        usleep(10000);
}

static void it_ends_by_itself(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_two(l);
    struct approval_glass g;
    struct fault f = {.text = ""};
    struct caller c;
    hear(h);
    house_ask(h, &ask, &c);
    opened(h, &g);
    ends_in(h, 0);
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_CONFLICT); /* before anybody has looked at the clock */
    swept(h);
    assert_string_equal(heard(), "started ops;ended ;");
    assert_false(approvals_glass(h->queue, NULL));
    assert_true(approvals_leave(h->queue, &c.w));
    lease_unref(l);
}

static void it_survives_a_restart_and_so_does_its_end(void **state)
{
    struct house *h = *state;
    struct approval_glass g, now;
    struct fault f = {.text = ""};
    opened(h, &g);
    house_crash(h);
    h->store.until = -1;
    assert_true(approvals_glass(h->queue, &now));
    assert_string_equal(now.id, g.id);
    assert_string_equal(now.reason, "nobody of money can be reached");
    assert_true(now.until == g.until && h->queue->glass.until_mono <= clock_mono_ns() + 600000 * INT64_C(1000000));
    hear(h);
    assert_int_equal(approvals_glass_end(h->queue, STR("ops"), STR_NONE, &g, &f), ERR_OK);
    house_crash(h);
    assert_false(approvals_glass(h->queue, NULL));
}

static void a_wall_clock_that_is_set_back_prolongs_nothing(void **state)
{
    struct house *h = *state;
    struct approval_glass g;
    sqlite3 *db;
    opened(h, &g);
    h->store.until = 0;
    house_end(h);
    assert_int_equal(sqlite3_open(h->db, &db), SQLITE_OK); /* on another boot, by a clock that was an hour ahead */
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE notes SET text = json_set(text, '$.boot', 'other', '$.until',"
                                  " json_extract(text, '$.until') + 3600000, '$.written',"
                                  " json_extract(text, '$.written') + 3600000)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    house_start(h, "v1");
    assert_true(approvals_glass(h->queue, &g));
    assert_true(h->queue->glass.until_mono <= clock_mono_ns() + 600000 * INT64_C(1000000));
}

static void one_that_cannot_be_read_is_not_open(void **state)
{
    struct house *h = *state;
    struct approval_glass g;
    sqlite3 *db;
    opened(h, &g);
    h->store.until = 0;
    house_end(h);
    assert_int_equal(sqlite3_open(h->db, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE notes SET text = json_remove(text, '$.until')", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    house_start(h, "v1");
    assert_false(approvals_glass(h->queue, NULL));
}

static void a_start_that_the_store_does_not_take_is_none_and_an_end_is_one(void **state)
{
    struct house *h = *state;
    struct approval_glass g;
    struct fault f = {.text = ""};
    hear(h);
    h->store.until = 0;
    assert_int_equal(approvals_glass_start(h->queue, STR("ops"), STR("fire"), 600000, &g, &f), ERR_STORE);
    assert_false(approvals_glass(h->queue, NULL));
    h->store.until = -1;
    opened(h, &g);
    h->store.until = 0;
    assert_int_equal(approvals_glass_end(h->queue, STR("ops"), STR_NONE, &g, &f), ERR_STORE);
    assert_false(approvals_glass(h->queue, NULL));
    assert_string_equal(heard(), "started ops;ended ops;");
    h->store.until = -1;
    approvals_sweep(h->queue, clock_wall_ms()); /* it is said to the store again */
    for (int i = 0; i < 200 && drops(h); i++)
        usleep(10000);
    house_crash(h);
    assert_false(approvals_glass(h->queue, NULL));
}

static void a_yes_by_it_that_the_store_does_not_take_is_none(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked_of_two(l);
    struct approval_glass g;
    struct fault f = {.text = ""};
    struct caller c;
    hear(h);
    house_ask(h, &ask, &c);
    opened(h, &g);
    assert_int_equal(approvals_settle(h->queue, &f), ERR_OK); /* the question is in the store */
    h->store.until = 0;
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_STORE);
    assert_true(caller_waits(&c, 20));
    assert_string_equal(heard(), "started ops;");
    h->store.until = -1;
    assert_int_equal(said(h, c.w.id, "anna", true, &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(one_alone_says_yes_while_it_is_open_and_only_when_he_says_so),
        TEST(nobody_approves_for_his_own_agent_by_it),
        TEST(who_said_yes_as_one_of_two_may_be_alone_by_it),
        TEST(where_nothing_is_missing_it_is_not_used),
        TEST(it_wants_a_reason_a_time_within_bounds_and_is_open_once),
        TEST(it_ends_by_itself),
        TEST(it_survives_a_restart_and_so_does_its_end),
        TEST(a_wall_clock_that_is_set_back_prolongs_nothing),
        TEST(one_that_cannot_be_read_is_not_open),
        TEST(a_start_that_the_store_does_not_take_is_none_and_an_end_is_one),
        TEST(a_yes_by_it_that_the_store_does_not_take_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

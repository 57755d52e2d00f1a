/* Questions by their ids: for those whose client asks later, or never. */
#include "house.h"

static void glimpsed(struct house *h, const struct caller *c, const struct lease *l, enum approval_state want)
{
    struct approval_glance g;
    assert_true(approvals_glance(h->queue, str_of(c->w.id), l, &g));
    assert_int_equal(g.state, want);
}

/* As a client that leaves as soon as it knows that the question is there. */
static void only_asks(struct house *h, const struct approval_ask *ask, struct caller *c)
{
    struct fault f = {.text = ""};
    memset(c, 0, sizeof(*c));
    sem_init(&c->told, 0, 0);
    c->w = (struct approval_wait){.worker = &h->worker, .told = caller_told, .asks = true};
    if (approvals_ask(h->queue, ask, &c->w, &f))
        fail_msg("not asked: %s", f.text);
}

static void joins(struct house *h, const char *id, struct caller *c)
{
    struct fault f = {.text = ""};
    memset(c, 0, sizeof(*c));
    sem_init(&c->told, 0, 0);
    c->w = (struct approval_wait){.worker = &h->worker, .told = caller_told};
    if (approvals_join(h->queue, str_of(id), &c->w, &f))
        fail_msg("not joined: %s", f.text);
}

static void who_only_asks_hears_that_the_question_is_in_the_store_and_waits_no_more(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c, again;
    h->store.slow_us = 50000;
    only_asks(h, &ask, &c);
    assert_true(caller_waits(&c, 20));
    assert_int_equal(caller_hears(&c), APPROVAL_PENDING);
    assert_true(h->store.writes > 0);
    only_asks(h, &ask, &again);
    assert_int_equal(caller_hears(&again), APPROVAL_PENDING);
    assert_string_equal(again.w.id, c.w.id);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    house_settled(h);
    glimpsed(h, &c, l, APPROVAL_GRANTED); /* nobody takes it */
    only_asks(h, &ask, &again);
    assert_int_equal(caller_hears(&again), APPROVAL_TAKEN); /* but who comes then goes on at once */
    lease_unref(l);
}

static void a_question_that_is_not_written_down_is_told_to_nobody_as_asked(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    h->store.until = 0;
    only_asks(h, &ask, &c);
    assert_int_equal(caller_hears(&c), APPROVAL_VOID);
    assert_int_equal(c.w.err, ERR_STORE);
    lease_unref(l);
}

static void who_joins_hears_what_those_who_asked_hear(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c, d, late;
    struct fault f;
    only_asks(h, &ask, &c);
    caller_hears(&c);
    joins(h, c.w.id, &d);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&d), APPROVAL_TAKEN);
    approvals_done(h->queue, c.w.id, STR("{\"result\":1}"), true);
    joins(h, c.w.id, &late);
    assert_int_equal(caller_hears(&late), APPROVAL_DONE);
    assert_string_equal(late.result, "{\"result\":1}");
    struct approval_wait none = {.worker = &h->worker, .told = caller_told};
    assert_int_equal(approvals_join(h->queue, STR("apr_00000000000000000000000000"), &none, &f), ERR_NOT_FOUND);
    lease_unref(l);
}

static void a_question_is_seen_and_withdrawn_by_its_session_alone(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula"), *other = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct approval_glance g;
    struct caller c, d;
    house_ask(h, &ask, &c);
    assert_false(approvals_glance(h->queue, str_of(c.w.id), other, &g));
    assert_false(approvals_withdraw(h->queue, str_of(c.w.id), other));
    house_settled(h);
    glimpsed(h, &c, l, APPROVAL_PENDING);
    assert_true(approvals_withdraw(h->queue, str_of(c.w.id), l));
    assert_int_equal(caller_hears(&c), APPROVAL_VOID);
    assert_true(c.w.withdrawn);
    assert_non_null(strstr(c.w.text, "withdrew"));
    house_ask(h, &ask, &d); /* the same call is a new question */
    assert_string_not_equal(c.w.id, d.w.id);
    house_say(h, d.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&d), APPROVAL_TAKEN);
    assert_true(approvals_withdraw(h->queue, str_of(d.w.id), l)); /* too late: it is being made */
    house_settled(h);
    glimpsed(h, &d, l, APPROVAL_TAKEN);
    lease_unref(l);
    lease_unref(other);
}

struct stayers {
    struct house *h;
    char id[4][ENC_ID_MAX];
    struct caller c;
    unsigned n;
};

static void stays(void *ctx, struct str id, struct lease *l)
{
    struct stayers *s = ctx;
    assert_true(lease_is_open(l, clock_mono_ns()));
    assert_true(s->n < 4);
    snprintf(s->id[s->n], sizeof(s->id[0]), STR_FMT, STR_ARG(id));
    if (s->n++ == 0)
        joins(s->h, s->id[0], &s->c);
}

static void what_stays_without_its_client_is_there_after_a_restart_with_what_it_is_made_of(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), plain = asked(l, "{\"amount\":7}");
    struct approval_card card;
    struct caller c, d;
    struct stayers s = {.h = h};
    struct arena a;
    struct fault f = {.text = ""};
    ask.stays = true;
    ask.call = STR("{\"name\":\"desk__refund\"}");
    only_asks(h, &ask, &c);
    house_ask(h, &plain, &d);
    house_settled(h);
    lease_unref(l);
    house_crash(h);
    assert_int_equal(approvals_each_staying(h->queue, stays, &s, &f), ERR_OK);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.id[0], c.w.id);
    arena_init(&a, 1u << 20);
    assert_int_equal(approvals_card(h->queue, str_of(c.w.id), &a, &card, &f), ERR_OK);
    assert_true(str_eq(card.call, ask.call));
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&s.c), APPROVAL_TAKEN);
    approvals_done(h->queue, c.w.id, STR("1"), true);
    house_settled(h);
    assert_int_equal(approvals_card(h->queue, str_of(c.w.id), &a, &card, &f), ERR_OK);
    assert_int_equal(card.call.n, 0); /* what is over keeps nothing of what was in it */
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(who_only_asks_hears_that_the_question_is_in_the_store_and_waits_no_more),
        TEST(a_question_that_is_not_written_down_is_told_to_nobody_as_asked),
        TEST(who_joins_hears_what_those_who_asked_hear),
        TEST(a_question_is_seen_and_withdrawn_by_its_session_alone),
        TEST(what_stays_without_its_client_is_there_after_a_restart_with_what_it_is_made_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

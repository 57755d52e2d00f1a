/* A question from its asking to its end, as calls and people see it. */
#include "house.h"

static void a_call_waits_until_somebody_says_yes_and_goes_on_once(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    house_ask(h, &ask, &c);
    assert_true(caller_waits(&c, 100));
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    approvals_done(h->queue, c.w.id, STR("{\"ok\":true}"), true);
    house_settled(h);
    lease_unref(l);
}

static void the_same_call_joins_the_first_one_and_gets_its_result(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), other = asked(l, "{\"amount\":121}");
    struct caller first, second, third, different;
    house_ask(h, &ask, &first);
    house_ask(h, &ask, &second);
    house_ask(h, &other, &different);
    assert_string_equal(first.w.id, second.w.id);
    assert_string_not_equal(first.w.id, different.w.id);
    house_say(h, first.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&first), APPROVAL_TAKEN);
    assert_true(caller_waits(&second, 100));
    approvals_done(h->queue, first.w.id, STR("{\"paid\":120}"), true);
    assert_int_equal(caller_hears(&second), APPROVAL_DONE);
    assert_string_equal(second.result, "{\"paid\":120}");
    house_ask(h, &ask, &third); /* afterwards, too */
    assert_int_equal(caller_hears(&third), APPROVAL_DONE);
    assert_string_equal(third.result, "{\"paid\":120}");
    assert_true(approvals_leave(h->queue, &different.w));
    lease_unref(l);
}

static void no_other_session_gets_in_on_a_yes(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula"), *m = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), same = asked(m, REFUND);
    struct caller a, b;
    house_ask(h, &ask, &a);
    house_ask(h, &same, &b);
    assert_string_not_equal(a.w.id, b.w.id);
    house_say(h, a.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&a), APPROVAL_TAKEN);
    assert_true(caller_waits(&b, 100));
    assert_true(approvals_leave(h->queue, &b.w));
    lease_unref(l);
    lease_unref(m);
}

static void a_no_is_told_with_its_reason_and_holds_for_the_same_call(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c, again;
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_DENY, REFUND);
    assert_int_equal(caller_hears(&c), APPROVAL_DENIED);
    assert_int_equal(c.w.err, ERR_APPROVAL_DENIED);
    assert_non_null(strstr(c.w.text, "too much"));
    house_ask(h, &ask, &again);
    assert_int_equal(caller_hears(&again), APPROVAL_DENIED);
    assert_string_equal(again.w.id, c.w.id);
    lease_unref(l);
}

static void the_second_one_to_decide_is_told_who_was_first(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_DENY, REFUND);
    assert_int_equal(said_by(h, c.w.id, "bob", APPROVE_ONCE, REFUND, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "alice said no already, at 20"));
    assert_int_equal(said_by(h, "apr_nobody", "bob", APPROVE_ONCE, REFUND, &f), ERR_NOT_FOUND);
    caller_hears(&c);
    lease_unref(l);
}

static void silence_is_a_no(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c, later;
    ask.limit_ms = 50;
    house_ask(h, &ask, &c);
    while (caller_waits(&c, 20))
        approvals_sweep(h->queue, clock_wall_ms());
    assert_int_equal(c.w.state, APPROVAL_EXPIRED);
    assert_int_equal(c.w.err, ERR_APPROVAL_EXPIRED);
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_ONCE, REFUND, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "ran out"));
    house_ask(h, &ask, &later); /* who heard it may ask anew */
    assert_string_not_equal(later.w.id, c.w.id);
    assert_true(approvals_leave(h->queue, &later.w));
    lease_unref(l);
}

static void a_yes_after_the_time_is_none_though_nobody_swept(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    ask.limit_ms = 30;
    house_ask(h, &ask, &c);
    usleep(60000);
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_ONCE, REFUND, &f), ERR_CONFLICT);
    assert_int_equal(caller_hears(&c), APPROVAL_EXPIRED);
    lease_unref(l);
}

/* Its own end was not told to anybody: the client that comes back hears of it, and not of a new question. */
static void an_end_that_nobody_heard_waits_for_its_call(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c, back;
    ask.limit_ms = 30;
    house_ask(h, &ask, &c);
    assert_true(approvals_leave(h->queue, &c.w));
    usleep(50000);
    approvals_sweep(h->queue, clock_wall_ms());
    house_settled(h);
    approvals_sweep(h->queue, clock_wall_ms());
    house_ask(h, &ask, &back);
    assert_int_equal(caller_hears(&back), APPROVAL_EXPIRED);
    assert_string_equal(back.w.id, c.w.id);
    lease_unref(l);
}

static void a_yes_waits_for_the_call_that_left_and_is_used_once(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c, back, more;
    house_ask(h, &ask, &c);
    assert_true(approvals_leave(h->queue, &c.w));
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    house_ask(h, &ask, &back);
    assert_int_equal(caller_hears(&back), APPROVAL_TAKEN);
    assert_false(approvals_leave(h->queue, &back.w));
    house_ask(h, &ask, &more);
    assert_true(caller_waits(&more, 50));
    approvals_done(h->queue, back.w.id, STR_NONE, false);
    assert_int_equal(caller_hears(&more), APPROVAL_DONE);
    assert_string_equal(more.result, "");
    assert_non_null(strstr(more.w.text, "not known"));
    lease_unref(l);
}

static void what_a_question_is_bound_to_ends_it(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula"), *m = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), other = asked(m, REFUND);
    struct caller a, b, again;
    house_ask(h, &ask, &a);
    house_ask(h, &other, &b);
    approvals_void(h->queue, STR_NONE, l->sid, STR_NONE, "the session was stopped");
    assert_int_equal(caller_hears(&a), APPROVAL_VOID);
    assert_int_equal(a.w.err, ERR_APPROVAL_VOID);
    assert_non_null(strstr(a.w.text, "the session was stopped"));
    assert_true(caller_waits(&b, 50));
    session_end(h->sessions, m->sid, STR("ops"), STR("done")); /* nobody said so: the sweep sees it */
    approvals_sweep(h->queue, clock_wall_ms());
    assert_int_equal(caller_hears(&b), APPROVAL_VOID);
    house_ask(h, &ask, &again);
    assert_string_not_equal(again.w.id, a.w.id);
    approvals_void(h->queue, STR_NONE, STR_NONE, STR("desk/refund"), "the tool has another definition");
    assert_int_equal(caller_hears(&again), APPROVAL_VOID);
    lease_unref(l);
    lease_unref(m);
}

static void a_yes_to_a_session_that_is_over_makes_no_call(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    house_ask(h, &ask, &c);
    session_end(h->sessions, l->sid, STR("ops"), STR("done"));
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_ONCE, REFUND, &f), ERR_CONFLICT);
    assert_int_equal(caller_hears(&c), APPROVAL_VOID);
    lease_unref(l);
}

static void a_session_that_is_over_asks_nobody(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    h->leases->ops->end(h->leases, l->sid, LEASE_STOPPED);
    assert_int_equal(house_try(h, &ask, &c, &f), ERR_SESSION_STOPPED);
    assert_int_equal(approvals_pending(h->queue), 0);
    lease_unref(l);
}

static void four_eyes_are_two_people_who_have_no_part_in_it(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    ask.people = 2;
    house_ask(h, &ask, &c);
    assert_int_equal(said_by(h, c.w.id, "Olga", APPROVE_ONCE, REFUND, &f), ERR_ROLE);
    assert_int_equal(said_by(h, c.w.id, "ursula", APPROVE_ONCE, REFUND, &f), ERR_ROLE);
    enum approval_state now;
    struct approval_decision by_mail = {.id = str_of(c.w.id),
                                        .verdict = APPROVE_ONCE,
                                        .by = {.name = STR("u.meyer"), .groups = STR("[]"), .email = STR("Ursula")},
                                        .digest = str_of(digest_of(REFUND))};
    assert_int_equal(approvals_decide(h->queue, &by_mail, &now, &f), ERR_ROLE);
    by_mail.by.email = STR("OLGA");
    assert_int_equal(approvals_decide(h->queue, &by_mail, &now, &f), ERR_ROLE);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_true(caller_waits(&c, 50));
    assert_int_equal(said_by(h, c.w.id, "Alice", APPROVE_ONCE, REFUND, &f), ERR_ROLE);
    house_say(h, c.w.id, "bob", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    approvals_done(h->queue, c.w.id, STR("1"), true);
    lease_unref(l);
}

static void only_the_groups_that_are_asked_decide(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    ask.reviewers = STR("[\"security\"]");
    house_ask(h, &ask, &c);
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_ONCE, REFUND, &f), ERR_ROLE);
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_DENY, REFUND, &f), ERR_ROLE);
    assert_true(approvals_leave(h->queue, &c.w));
    ask = asked(l, "{\"amount\":1}");
    ask.reviewers = STR("[\"security\",\"finance\"]");
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, "{\"amount\":1}");
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    lease_unref(l);
}

static void a_yes_is_to_the_arguments_that_were_looked_at(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    house_ask(h, &ask, &c);
    assert_int_equal(said_by(h, c.w.id, "alice", APPROVE_ONCE, "{\"amount\":1}", &f), ERR_PARAMS);
    assert_non_null(strstr(f.text, digest_of(REFUND)));
    assert_true(caller_waits(&c, 50));
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    assert_string_equal(c.arguments, "");
    lease_unref(l);
}

static enum err edited_by(struct house *h, const char *id, const char *who, const char *seen, const char *arguments,
                          struct fault *f)
{
    enum approval_state now;
    struct approval_decision d = {.id = str_of(id),
                                  .verdict = APPROVE_ONCE,
                                  .by = {str_of(who), STR("[]"), STR("cli")},
                                  .arguments = str_of(arguments),
                                  .digest = str_of(digest_of(seen))};
    return approvals_decide(h->queue, &d, &now, f);
}

static void edited_arguments_are_what_the_call_goes_on_with(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    house_ask(h, &ask, &c);
    assert_int_equal(edited_by(h, c.w.id, "alice", REFUND, "{\"amount\":", &f), ERR_PARAMS);
    assert_int_equal(edited_by(h, c.w.id, "alice", REFUND, "[1]", &f), ERR_PARAMS);
    assert_int_equal(edited_by(h, c.w.id, "alice", REFUND, "{ \"amount\": 1e2, \"a\": 1 }", &f), ERR_OK);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    assert_string_equal(c.arguments, "{\"a\":1,\"amount\":100}");
    assert_string_equal(c.digest, digest_of("{\"a\":1,\"amount\":100}"));
    lease_unref(l);
}

static void with_four_eyes_an_edit_needs_both_to_see_it(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    ask.people = 2;
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    assert_int_equal(edited_by(h, c.w.id, "bob", REFUND, "{\"amount\":5}", &f), ERR_OK);
    assert_true(caller_waits(&c, 50)); /* what alice said was to something else */
    assert_int_equal(said_by(h, c.w.id, "carol", APPROVE_ONCE, REFUND, &f), ERR_PARAMS);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, "{\"amount\":5}");
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    assert_string_equal(c.arguments, "{\"amount\":5}");
    lease_unref(l);
}

static void a_shape_lets_the_same_call_through_again_for_a_while(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula"), *m = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), other = asked(l, "{\"amount\":121}"), elsewhere = asked(m, REFUND);
    struct caller c, again, more;
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_SHAPE, REFUND);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    approvals_done(h->queue, c.w.id, STR("1"), true);
    house_settled(h);
    house_ask(h, &ask, &again);
    assert_int_equal(caller_hears(&again), APPROVAL_TAKEN);
    assert_string_not_equal(again.w.id, c.w.id);
    approvals_done(h->queue, again.w.id, STR("2"), true);
    house_ask(h, &other, &more);
    assert_true(caller_waits(&more, 50));
    assert_true(approvals_leave(h->queue, &more.w));
    house_ask(h, &elsewhere, &more);
    assert_true(caller_waits(&more, 50));
    assert_true(approvals_leave(h->queue, &more.w));
    lease_unref(l);
    lease_unref(m);
}

static void what_somebody_said_yes_to_who_is_gone_is_void_unless_it_is_made(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND), untaken = asked(l, "{\"amount\":2}"),
                        shape = asked(l, "{\"amount\":3}");
    struct approval_ask refused = asked(l, "{\"amount\":4}");
    struct caller c, again, other;
    ask.people = refused.people = 2;
    house_ask(h, &ask, &c);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    house_ask(h, &untaken, &again);
    assert_true(approvals_leave(h->queue, &again.w));
    house_say(h, again.w.id, "alice", APPROVE_ONCE, "{\"amount\":2}"); /* and its client is away */
    house_ask(h, &shape, &other);
    house_say(h, other.w.id, "alice", APPROVE_SHAPE, "{\"amount\":3}");
    assert_int_equal(caller_hears(&other), APPROVAL_TAKEN);
    approvals_done(h->queue, other.w.id, STR("1"), true);
    house_settled(h);
    house_ask(h, &shape, &other); /* the same once more, of which nobody was asked */
    assert_int_equal(caller_hears(&other), APPROVAL_TAKEN);
    approvals_done(h->queue, other.w.id, STR("2"), true);
    house_settled(h);
    approvals_gone(h->queue, STR("bob")); /* who said nothing */
    assert_true(caller_waits(&c, 20));
    approvals_gone(h->queue, STR("alice"));
    assert_int_equal(caller_hears(&c), APPROVAL_VOID);
    assert_non_null(strstr(c.w.text, "may not decide any more"));
    house_settled(h);
    house_ask(h, &untaken, &again);
    assert_true(caller_waits(&again, 20) && !again.w.joined);
    assert_true(approvals_leave(h->queue, &again.w));
    house_ask(h, &shape, &other);
    assert_int_equal(caller_hears(&other),
                     APPROVAL_DONE); /* what came of it is theirs who asked; it is not made again */
    house_ask(h, &refused, &c);
    house_say(h, c.w.id, "bob", APPROVE_ONCE, "{\"amount\":4}");
    approvals_gone(h->queue, STR("alice"));
    assert_true(caller_waits(&c, 20));
    assert_true(approvals_leave(h->queue, &c.w));
    lease_unref(l);
}

static void nobody_can_be_asked_about_critical_calls(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct caller c;
    ask.risk = DUTY_RISK_CRITICAL;
    assert_int_equal(house_try(h, &ask, &c, &f), ERR_CRITICAL);
    lease_unref(l);
}

static void a_card_shows_what_is_sent_and_forgets_it_at_the_end(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct fault f = {.text = ""};
    struct approval_card card;
    struct arena a;
    struct caller c;
    ask.people = 2;
    arena_init(&a, 16 << 20);
    house_ask(h, &ask, &c);
    house_settled(h);
    assert_int_equal(approvals_card(h->queue, str_of(c.w.id), &a, &card, &f), ERR_OK);
    assert_true(str_is(card.arguments, REFUND) && str_is(card.digest, digest_of(REFUND)));
    assert_true(str_is(card.agent, "agt_1") && str_is(card.owner, "olga") && str_is(card.user, "ursula"));
    assert_true(str_is(card.reasoning, "the customer asked") && card.state == APPROVAL_PENDING && card.people == 2);
    assert_int_equal(edited_by(h, c.w.id, "alice", REFUND, "{\"amount\":5}", &f), ERR_OK);
    assert_int_equal(approvals_card(h->queue, str_of(c.w.id), &a, &card, &f), ERR_OK);
    assert_true(str_is(card.arguments, "{\"amount\":5}") && str_is(card.digest, digest_of("{\"amount\":5}")));
    house_say(h, c.w.id, "bob", APPROVE_DENY, "{\"amount\":5}");
    assert_int_equal(approvals_card(h->queue, str_of(c.w.id), &a, &card, &f), ERR_OK);
    assert_int_equal(card.state, APPROVAL_DENIED);
    assert_int_equal(card.arguments.n + card.reasoning.n + card.schema.n, 0);
    assert_true(str_is(card.digest, digest_of("{\"amount\":5}")) && str_is(card.reason, "too much"));
    caller_hears(&c);
    arena_done(&a);
    lease_unref(l);
}

static unsigned recorded(struct house *h, const char *word)
{
    struct audit_reader *r = NULL;
    struct fault f;
    struct str entry;
    uint64_t seq;
    unsigned n = 0;
    audit_wait(h->audit, audit_seq(h->audit) - 1, 5000);
    assert_int_equal(audit_reader_open(h->record, &r, &f), ERR_OK);
    assert_int_equal(audit_reader_seek(r, 1, &f), ERR_OK);
    while (audit_reader_next(r, &entry, &seq, &f) == ERR_OK)
        n += memmem(entry.p, entry.n, word, strlen(word)) != NULL;
    audit_reader_close(r);
    return n;
}

static void the_record_says_who_decided_by_what_way_and_how_fast(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, REFUND);
    struct caller c;
    house_ask(h, &ask, &c);
    house_settled(h);
    assert_int_equal(recorded(h, "\"APPROVAL_REQUESTED\""), 1);
    house_say(h, c.w.id, "alice", APPROVE_ONCE, REFUND);
    caller_hears(&c);
    assert_int_equal(recorded(h, "\"APPROVAL_GRANTED\""), 1);
    assert_true(recorded(h, "\"actor\":\"alice\"") == 1 && recorded(h, "\"channel\":\"api\"") == 1);
    assert_true(recorded(h, "\"needed\":0") == 1 && recorded(h, "\"actorType\":\"HUMAN\"") == 1);
    assert_int_equal(recorded(h, c.w.id), 2);
    assert_int_equal(recorded(h, digest_of(REFUND)), 2);
    lease_unref(l);
}

static void only_so_many_wait_at_one_time(void **state)
{
    struct house *h = *state;
    struct conf *few = conf_of("limits: { pending_approvals: 2 }");
    struct lease *l = house_session(h, "ursula");
    struct fault f = {.text = ""};
    struct caller c[3], same;
    approvals_conf(h->queue, few);
    conf_unref(few);
    for (unsigned i = 0; i < 3; i++) {
        char arguments[32];
        snprintf(arguments, sizeof(arguments), "{\"amount\":%u}", i);
        struct approval_ask ask = asked(l, arguments);
        assert_int_equal(house_try(h, &ask, &c[i], &f), i < 2 ? ERR_OK : ERR_APPROVALS);
    }
    struct approval_ask ask = asked(l, "{\"amount\":1}");
    house_ask(h, &ask, &same); /* one that waits already is no new one */
    house_say(h, c[0].w.id, "alice", APPROVE_DENY, "{\"amount\":0}");
    ask = asked(l, "{\"amount\":2}");
    assert_int_equal(house_try(h, &ask, &c[2], &f), ERR_OK);
    assert_int_equal(approvals_pending(h->queue), 2);
    caller_hears(&c[0]);
    assert_true(approvals_leave(h->queue, &same.w) && approvals_leave(h->queue, &c[1].w) &&
                approvals_leave(h->queue, &c[2].w));
    lease_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_call_waits_until_somebody_says_yes_and_goes_on_once),
        TEST(the_same_call_joins_the_first_one_and_gets_its_result),
        TEST(no_other_session_gets_in_on_a_yes),
        TEST(a_no_is_told_with_its_reason_and_holds_for_the_same_call),
        TEST(the_second_one_to_decide_is_told_who_was_first),
        TEST(silence_is_a_no),
        TEST(a_yes_after_the_time_is_none_though_nobody_swept),
        TEST(an_end_that_nobody_heard_waits_for_its_call),
        TEST(a_yes_waits_for_the_call_that_left_and_is_used_once),
        TEST(what_a_question_is_bound_to_ends_it),
        TEST(a_yes_to_a_session_that_is_over_makes_no_call),
        TEST(a_session_that_is_over_asks_nobody),
        TEST(four_eyes_are_two_people_who_have_no_part_in_it),
        TEST(only_the_groups_that_are_asked_decide),
        TEST(a_yes_is_to_the_arguments_that_were_looked_at),
        TEST(edited_arguments_are_what_the_call_goes_on_with),
        TEST(with_four_eyes_an_edit_needs_both_to_see_it),
        TEST(a_shape_lets_the_same_call_through_again_for_a_while),
        TEST(what_somebody_said_yes_to_who_is_gone_is_void_unless_it_is_made),
        TEST(nobody_can_be_asked_about_critical_calls),
        TEST(a_card_shows_what_is_sent_and_forgets_it_at_the_end),
        TEST(the_record_says_who_decided_by_what_way_and_how_fast),
        TEST(only_so_many_wait_at_one_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

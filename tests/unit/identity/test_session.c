/* Opening a lease, and what a session may do at a moment. */
#include "sessions.h"

#include <malloc.h>

#include "identity/session_keep.h"
#include <pthread.h>

static const struct session_wish plain = {.scopes = STR_NONE};

static void refused(struct desk *d, const struct session_wish *w, enum err want, const char *word)
{
    struct lease *l = NULL;
    struct fault f = {0};
    enum err e = session_open(d->sessions, &d->agent, w, &l, &f);
    if (e != want || l || !strstr(f.text, word))
        fail_msg("wanted %s with \"%s\", got %s: %s", err_code(want), word, err_code(e), f.text);
}

static void a_session_has_the_configurations_bounds_or_less(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, "{ token: { lifetime: 10m }, session: { max_tool_calls: 20 } }");
    struct lease *l = desk_session(&d, &plain);
    assert_int_equal(l->max_calls, 20);
    assert_int_equal(l->expires - l->created, 600000);
    lease_unref(l);
    struct session_wish less = {.max_calls = 2, .lifetime = 5000}, more = {.max_calls = 1000, .lifetime = 86400000};
    l = desk_session(&d, &less);
    assert_int_equal(l->max_calls, 2);
    assert_int_equal(l->expires - l->created, 5000);
    lease_unref(l);
    l = desk_session(&d, &more);
    assert_int_equal(l->max_calls, 20);
    assert_int_equal(l->expires - l->created, 600000);
    lease_unref(l);
    desk_close(&d);
}

static void no_session_outlives_its_agent(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, "{}");
    d.agent.expires = clock_wall_ms() + 30000;
    struct lease *l = desk_session(&d, &plain);
    assert_true(l->expires <= d.agent.expires);
    lease_unref(l);
    d.agent.expires = clock_wall_ms();
    refused(&d, &plain, ERR_CLIENT_AUTH, "expired");
    d.agent.expires += 60000;
    d.agent.enabled = false;
    refused(&d, &plain, ERR_CLIENT_AUTH, "disabled");
    desk_close(&d);
}

static void what_an_agent_opens_itself_has_no_user_and_no_tier(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, "{}");
    struct lease *l = desk_session(&d, &plain);
    assert_int_equal(l->user.n, 0);
    assert_int_equal(l->tier.n, 0);
    assert_true(str_is(l->trigger, "agent"));
    lease_unref(l);
    struct session_wish trusted = {.context = {STR("alice"), STR("gold"), STR("user")}, .by = STR("ops")};
    l = desk_session(&d, &trusted);
    assert_true(str_is(l->user, "alice") && str_is(l->tier, "gold") && str_is(l->trigger, "user"));
    assert_string_equal(d.by, "ops");
    lease_unref(l);
    desk_close(&d);
}

static void scopes_can_only_be_narrowed(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, "{}");
    struct session_wish w = {.scopes = STR("tool:desk/lookup:execute  tool:desk/lookup:execute")};
    struct lease *l = desk_session(&d, &w);
    assert_int_equal(l->scope_count, 1);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/lookup"), clock_wall_ms(), NULL), ERR_OK);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/refund"), clock_wall_ms(), NULL), ERR_SCOPE);
    lease_unref(l);
    w.scopes = STR("tool:desk/lookup:execute tool:desk/other:execute");
    refused(&d, &w, ERR_INVALID_SCOPE, "desk/other");
    w.scopes = STR("everything");
    refused(&d, &w, ERR_INVALID_SCOPE, "is no scope");
    w.scopes = STR("tool:*:execute");
    refused(&d, &w, ERR_INVALID_SCOPE, "is no scope");
    assert_int_equal(d.leases->ops->open_count(d.leases, STR("support-1")), 1); /* what was refused holds no place */
    desk_close(&d);
}

static void default_is_deny_and_denied_wins(void **state)
{
    (void)state;
    struct desk d;
    struct fault f;
    char longer[400];
    desk_open(&d, "scopes: [{ add: ['tool:desk/delete_all:execute'] }]");
    struct lease *l = desk_session(&d, &plain);
    int64_t now = clock_wall_ms();
    assert_int_equal(session_allows(d.sessions, l, STR("desk/lookup"), now, &f), ERR_OK);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/unheard"), now, &f), ERR_SCOPE);
    assert_int_equal(session_allows(d.sessions, l, STR("other/lookup"), now, &f), ERR_SCOPE);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/delete_all"), now, &f), ERR_TOOL_DENIED);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/delete_what_is_not_there"), now, &f), ERR_TOOL_DENIED);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/looku"), now, &f), ERR_SCOPE);
    memset(longer, 'a', sizeof(longer));
    longer[4] = '/';
    assert_int_equal(session_allows(d.sessions, l, (struct str){longer, sizeof(longer)}, now, &f), ERR_SCOPE);
    lease_unref(l);
    desk_close(&d);
}

static void rules_with_hours_hold_at_each_call_and_a_reload_changes_them(void **state)
{
    (void)state;
    struct desk d;
    int64_t day, night;
    assert_int_equal(clock_parse(STR("2026-11-25T12:00:00Z"), &day), ERR_OK);
    assert_int_equal(clock_parse(STR("2026-11-25T23:00:00Z"), &night), ERR_OK);
    desk_open(&d, "scopes: [{ when: { hours: '22:00-06:00' }, keep: ['tool:desk/lookup:execute'] }]");
    struct lease *l = desk_session(&d, &plain);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/refund"), day, NULL), ERR_OK);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/refund"), night, NULL), ERR_SCOPE);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/lookup"), night, NULL), ERR_OK);
    struct conf *open_all_night = conf_of("{}");
    sessions_conf(d.sessions, open_all_night);
    conf_unref(open_all_night);
    assert_int_equal(session_allows(d.sessions, l, STR("desk/refund"), night, NULL), ERR_OK);
    lease_unref(l);
    desk_close(&d);
}

struct opener {
    struct desk *d;
    pthread_barrier_t *start;
    struct lease *l;
};

static void *open_one(void *p)
{
    struct opener *o = p;
    struct fault f;
    pthread_barrier_wait(o->start);
    if (session_open(o->d->sessions, &o->d->agent, &plain, &o->l, &f))
        o->l = NULL;
    return NULL;
}

static void told_nobody(void *ctx, enum session_event event, const struct lease *l, struct str by, struct str reason)
{
    (void)ctx, (void)event, (void)l, (void)by, (void)reason;
}

static void no_race_opens_one_session_too_many(void **state)
{
    (void)state;
    enum { OPENERS = 8 };
    struct desk d;
    struct fault f;
    struct opener opener[OPENERS];
    pthread_t thread[OPENERS];
    pthread_barrier_t start;
    size_t open = 0;
    desk_open(&d, "{}");
    sessions_free(d.sessions);
    assert_int_equal(sessions_new(d.leases, d.conf, told_nobody, NULL, &d.sessions, &f), ERR_OK);
    pthread_barrier_init(&start, NULL, OPENERS);
    for (unsigned i = 0; i < OPENERS; i++) {
        opener[i] = (struct opener){&d, &start, NULL};
        pthread_create(&thread[i], NULL, open_one, &opener[i]);
    }
    for (unsigned i = 0; i < OPENERS; i++) {
        pthread_join(thread[i], NULL);
        open += opener[i].l != NULL;
    }
    assert_int_equal(open, 3);
    refused(&d, &plain, ERR_SESSIONS, "3 sessions");
    for (unsigned i = 0; i < OPENERS; i++)
        if (opener[i].l && open-- == 3) /* one ends: one more may open */
            assert_true(session_end(d.sessions, opener[i].l->sid, STR_NONE, STR_NONE));
    struct lease *l = desk_session(&d, &plain);
    lease_unref(l);
    for (unsigned i = 0; i < OPENERS; i++)
        lease_unref(opener[i].l);
    pthread_barrier_destroy(&start);
    desk_close(&d);
}

/* Between the proof of the agent's key and the opening of its session an operator disables it: the snapshot in hand
 * says "enabled", and the sweep over its sessions is over. */
static void an_agent_that_was_changed_meanwhile_opens_nothing(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, "{}");
    atomic_store(&d.agent.replaced, true);
    refused(&d, &plain, ERR_CLIENT_AUTH, "changed");
    assert_int_equal(d.leases->ops->open_count(d.leases, STR("support-1")), 0);
    assert_int_equal(d.told[SESSION_OPENED], 0);
    desk_close(&d);
}

static void each_end_is_told_once(void **state)
{
    (void)state;
    struct desk d;
    desk_open(&d, "{}");
    struct lease *a = desk_session(&d, &plain), *b = desk_session(&d, &plain);
    struct session_wish brief = {.lifetime = 1};
    struct lease *c = desk_session(&d, &brief);
    assert_int_equal(d.told[SESSION_OPENED], 3);
    usleep(3000);
    session_sweep(d.sessions);
    session_sweep(d.sessions);
    assert_int_equal(d.told[SESSION_TIMED_OUT], 1);
    assert_false(session_end(d.sessions, c->sid, STR("ops"), STR("late")));
    assert_true(session_end(d.sessions, a->sid, STR("ops"), STR("it was told to")));
    assert_string_equal(d.by, "ops");
    assert_string_equal(d.reason, "it was told to");
    assert_false(session_end(d.sessions, a->sid, STR("ops"), STR("again")));
    assert_int_equal(session_end_agent(d.sessions, STR("support-1"), STR("ops"), STR("agent gone")), 1);
    assert_int_equal(d.told[SESSION_CLOSED], 2);
    assert_false(lease_is_open(b, clock_mono_ns()));
    lease_unref(a);
    lease_unref(b);
    lease_unref(c);
    desk_close(&d);
}

/* Ten thousand agents that wait cost no more than what they wait with. */
static void a_session_that_does_nothing_costs_less_than_two_kilobytes(void **state)
{
    enum { MANY = 1000 };
    (void)state;
    struct desk d;
    desk_open(&d, "{}");
    d.agent.max_sessions = MANY;
    struct mallinfo2 before = mallinfo2();
    for (unsigned i = 0; i < MANY; i++)
        lease_unref(desk_session(&d, &plain)); /* the store has its own reference */
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(d.leases->ops->open_count(d.leases, d.agent.id), MANY);
    assert_in_range((after.uordblks - before.uordblks) / MANY, 0, 2047); /* 0: a sanitizer's allocator does not say */
    desk_close(&d);
}

static enum err unkept(struct str kept, struct lease **ret)
{
    struct fault f = {0};
    *ret = lease_new();
    return session_unkeep(*ret, kept, 0, &f);
}

static void a_session_that_is_written_down_is_the_same_when_it_is_read(void **state)
{
    (void)state;
    struct desk d;
    struct buf b;
    struct lease *again;
    desk_open(&d, "session: { allowed_cidrs: [10.0.0.0/8, '2001:db8::/32'], rate: 5/second, max_tool_calls: 9 }");
    struct session_wish w = {.context = {STR("alice"), STR("gold"), STR("user")}, .by = STR("ops")};
    struct lease *l = desk_session(&d, &w);
    atomic_store(&l->used, 4);
    buf_init(&b, 1 << 20);
    session_keep(l, &b);
    assert_int_equal(unkept(buf_view(&b), &again), ERR_OK);
    assert_true(str_eq(again->sid, l->sid) && str_is(again->user, "alice") && str_is(again->tier, "gold"));
    assert_true(again->cidrs.n == 2 && memcmp(again->cidrs.v, l->cidrs.v, 2 * sizeof(*l->cidrs.v)) == 0);
    assert_true(again->rate.count == 5 && again->max_calls == 9 && again->used == 4 && again->expires == l->expires);
    assert_true(again->scope_count == l->scope_count && again->denied_count == 1);
    for (size_t i = 0; i < l->scope_count; i++)
        assert_true(str_eq(again->scope[i], l->scope[i]));
    lease_unref(again);
    char *networks = memmem(b.p, b.n, "\"networks\"", 10); /* without them it would be open to any */
    assert_non_null(networks);
    networks[1] = 'x';
    assert_int_equal(unkept(buf_view(&b), &again), ERR_CORRUPT);
    lease_unref(again);
    lease_unref(l);
    buf_done(&b);
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_is_written_down_is_the_same_when_it_is_read),
        cmocka_unit_test(a_session_has_the_configurations_bounds_or_less),
        cmocka_unit_test(no_session_outlives_its_agent),
        cmocka_unit_test(what_an_agent_opens_itself_has_no_user_and_no_tier),
        cmocka_unit_test(scopes_can_only_be_narrowed),
        cmocka_unit_test(default_is_deny_and_denied_wins),
        cmocka_unit_test(rules_with_hours_hold_at_each_call_and_a_reload_changes_them),
        cmocka_unit_test(no_race_opens_one_session_too_many),
        cmocka_unit_test(an_agent_that_was_changed_meanwhile_opens_nothing),
        cmocka_unit_test(each_end_is_told_once),
        cmocka_unit_test(a_session_that_does_nothing_costs_less_than_two_kilobytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is kept for protocol sessions: bounded, and gone with the lease. */
#include "../unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "mcp/session_table.h"

static struct session_table *table;
static struct fault f;
static unsigned released;
static bool fresh;

static void count_released(void *ctx, const struct lease *l, struct str server, struct str uri)
{
    (void)ctx;
    assert_non_null(l);
    assert_true(str_eq(server, STR("files")) && uri.n);
    released++;
}

static struct lease *a_lease(const char *sid)
{
    struct lease *l = lease_new();
    l->sid = arena_str(&l->arena, str_of(sid));
    l->state = LEASE_OPEN;
    l->expires = clock_wall_ms() + 60000;
    l->expires_mono = clock_mono_ns() + 60000000000;
    return l;
}

static int set_up(void **state)
{
    released = 0;
    table = session_table_new(count_released, NULL);
    *state = a_lease("sess_1");
    return table ? 0 : -1;
}

static int tear_down(void **state)
{
    session_table_free(table);
    lease_unref(*state);
    return 0;
}

static void a_deleted_session_stays_deleted_and_takes_nothing_more(void **state)
{
    struct session_ref one = {*state, STR("one")}, other = {*state, STR("other")};
    uint64_t number;
    assert_false(session_table_deleted(table, one));
    assert_int_equal(session_table_delete(table, one, &f), ERR_OK);
    assert_true(session_table_deleted(table, one));
    assert_false(session_table_deleted(table, other));
    assert_int_equal(session_table_stream(table, one, &number, &f), ERR_NOT_FOUND);
    assert_int_equal(session_table_level(table, one, 3, &f), ERR_NOT_FOUND);
    assert_int_equal(session_table_subscribe(table, one, STR("files"), STR("a://b"), &fresh, &f), ERR_NOT_FOUND);
    assert_int_equal(session_table_delete(table, one, &f), ERR_NOT_FOUND);
}

static void the_newest_stream_is_the_sessions(void **state)
{
    struct session_ref one = {*state, STR("one")};
    uint64_t first, second;
    assert_int_equal(session_table_stream(table, one, &first, &f), ERR_OK);
    assert_true(session_table_has_stream(table, one, first));
    assert_int_equal(session_table_stream(table, one, &second, &f), ERR_OK);
    assert_false(session_table_has_stream(table, one, first));
    assert_true(session_table_has_stream(table, one, second));
    assert_int_equal(session_table_delete(table, one, &f), ERR_OK);
    assert_false(session_table_has_stream(table, one, second));
}

static void a_level_is_of_one_session(void **state)
{
    struct session_ref one = {*state, STR("one")}, other = {*state, STR("other")};
    assert_int_equal(session_table_level_of(table, one), -1);
    assert_int_equal(session_table_level(table, one, 0, &f), ERR_OK);
    assert_int_equal(session_table_level_of(table, one), 0);
    assert_int_equal(session_table_level_of(table, other), -1);
}

static void subscriptions_are_counted_once_and_bounded(void **state)
{
    struct session_ref one = {*state, STR("one")};
    char uri[32];
    for (int i = 0; i < SESSION_URIS; i++) {
        snprintf(uri, sizeof(uri), "x://%d", i);
        assert_int_equal(session_table_subscribe(table, one, STR("files"), str_of(uri), &fresh, &f), ERR_OK);
    }
    assert_int_equal(session_table_subscribe(table, one, STR("files"), STR("x://0"), &fresh, &f), ERR_OK);
    assert_false(fresh);
    assert_int_equal(session_table_subscribe(table, one, STR("files"), STR("x://more"), &fresh, &f), ERR_LIMIT);
    session_table_unsubscribe(table, one, STR("x://0"));
    session_table_unsubscribe(table, one, STR("x://0"));
    assert_int_equal(released, 1);
    assert_false(session_table_subscribed(table, one, STR("files"), STR("x://0")));
    assert_int_equal(session_table_subscribe(table, one, STR("files"), STR("x://more"), &fresh, &f), ERR_OK);
    assert_true(fresh);
    assert_true(session_table_subscribed(table, one, STR("files"), STR("x://more")));
    assert_false(session_table_subscribed(table, one, STR("others"), STR("x://more")));
    assert_int_equal(session_table_delete(table, one, &f), ERR_OK);
    assert_int_equal(released, 1 + SESSION_URIS);
}

static void one_lease_cannot_fill_the_table(void **state)
{
    struct lease *other = a_lease("sess_2");
    char id[32];
    for (int i = 0; i < SESSION_TABLE_OF_LEASE; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        assert_int_equal(session_table_delete(table, (struct session_ref){*state, str_of(id)}, &f), ERR_OK);
    }
    assert_int_equal(session_table_level(table, (struct session_ref){*state, STR("more")}, 1, &f), ERR_LIMIT);
    assert_int_equal(session_table_level(table, (struct session_ref){other, STR("more")}, 1, &f), ERR_OK);
    session_table_forget(table, STR("sess_1"));
    assert_int_equal(session_table_count(table), 1);
    assert_int_equal(session_table_level(table, (struct session_ref){*state, STR("more")}, 1, &f), ERR_OK);
    lease_unref(other);
}

static void all_is_forgotten_with_the_lease_and_nothing_entered_behind_it(void **state)
{
    struct lease *l = *state;
    struct session_ref one = {l, STR("one")};
    assert_int_equal(session_table_subscribe(table, one, STR("files"), STR("a://b"), &fresh, &f), ERR_OK);
    l->state = LEASE_ENDED;
    session_table_forget(table, l->sid);
    assert_int_equal(session_table_count(table), 0);
    assert_int_equal(released, 1);
    assert_false(session_table_subscribed(table, one, STR("files"), STR("a://b")));
    assert_int_equal(session_table_subscribe(table, one, STR("files"), STR("a://b"), &fresh, &f), ERR_SESSION_ENDED);
    assert_int_equal(session_table_count(table), 0);
}

#define table_test(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        table_test(a_deleted_session_stays_deleted_and_takes_nothing_more),
        table_test(the_newest_stream_is_the_sessions),
        table_test(a_level_is_of_one_session),
        table_test(subscriptions_are_counted_once_and_bounded),
        table_test(one_lease_cannot_fill_the_table),
        table_test(all_is_forgotten_with_the_lease_and_nothing_entered_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

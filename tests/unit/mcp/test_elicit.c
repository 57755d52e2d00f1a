/* Who was given which URL: what happened there is told to that client, once, and to nobody else. */
#include "../unit.h"

#include <stdio.h>

#include "mcp/elicit.h"

static struct elicited *elicited;

static int begin(void **state)
{
    (void)state;
    elicited = elicited_new();
    return elicited ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    elicited_free(elicited);
    return 0;
}

static struct elicited_of of(const char *server, const char *id, const char *sid, const char *mcp_session)
{
    return (struct elicited_of){str_of(server), str_of(id), str_of(sid), str_of(mcp_session)};
}

static void note(const char *server, const char *id, const char *sid, const char *mcp_session)
{
    struct elicited_of o = of(server, id, sid, mcp_session);
    elicited_note(elicited, &o);
}

static bool take(const char *server, const char *id, const char *sid, const char *mcp_session)
{
    struct elicited_of o = of(server, id, sid, mcp_session);
    return elicited_take(elicited, &o);
}

static void an_end_is_told_once_to_whom_it_concerns(void **state)
{
    (void)state;
    note("desk", "login-1", "ses-1", "a");
    note("desk", "login-1", "ses-1", "a"); /* asked for again by a call that was made again */
    note("desk", "login-1", "ses-2", "b");
    assert_false(take("shop", "login-1", "ses-1", "a"));
    assert_false(take("desk", "login-2", "ses-1", "a"));
    assert_false(take("desk", "login-1", "ses-2", "a"));
    assert_false(take("desk", "login-1", "ses-1", "b"));
    assert_true(take("desk", "login-1", "ses-1", "a"));
    assert_false(take("desk", "login-1", "ses-1", "a"));
    assert_true(take("desk", "login-1", "ses-2", "b"));
}

static void the_parts_of_a_name_do_not_run_into_each_other(void **state)
{
    (void)state;
    note("desk", "login", "1ses", "a");
    assert_false(take("desk", "login1", "ses", "a"));
    assert_false(take("desklogin", "", "1ses", "a"));
    assert_true(take("desk", "login", "1ses", "a"));
}

static void a_client_that_has_no_stream_to_be_told_on_is_not_noted(void **state)
{
    (void)state;
    note("desk", "login", "ses-1", "");
    note("desk", "", "ses-1", "a");
    assert_false(take("desk", "login", "ses-1", ""));
    assert_false(take("desk", "", "ses-1", "a"));
}

static void the_oldest_makes_room(void **state)
{
    char id[32];
    (void)state;
    for (int i = 0; i <= ELICITED_MAX; i++) {
        snprintf(id, sizeof(id), "login-%d", i);
        note("desk", id, "ses-1", "a");
    }
    assert_false(take("desk", "login-0", "ses-1", "a"));
    assert_true(take("desk", "login-1", "ses-1", "a"));
    assert_true(take("desk", id, "ses-1", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_end_is_told_once_to_whom_it_concerns, begin, end),
        cmocka_unit_test_setup_teardown(the_parts_of_a_name_do_not_run_into_each_other, begin, end),
        cmocka_unit_test_setup_teardown(a_client_that_has_no_stream_to_be_told_on_is_not_noted, begin, end),
        cmocka_unit_test_setup_teardown(the_oldest_makes_room, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Mcp-Session-Id: a sealed value that belongs to one lease. */
#include "../unit.h"

#include "mcp/request.h"

static const unsigned char key[32] = {1}, other_key[32] = {2};
static unsigned can;

static void it_is_good_for_its_own_lease_only(void **state)
{
    (void)state;
    struct mcp_worker m = {.session_key = key}, another = {.session_key = other_key};
    char id[MCP_SESSION_ID_MAX];
    mcp_session_make(&m, STR("sid-1"), 5, id);
    assert_true(mcp_session_check(&m, STR("sid-1"), str_of(id), &can));
    assert_int_equal(can, 5); /* what its client can be asked */
    assert_false(mcp_session_check(&m, STR("sid-2"), str_of(id), &can));
    assert_false(mcp_session_check(&another, STR("sid-1"), str_of(id), &can)); /* of a process that ended */
}

static void two_clients_of_one_lease_have_two(void **state)
{
    (void)state;
    struct mcp_worker m = {.session_key = key};
    char a[MCP_SESSION_ID_MAX], b[MCP_SESSION_ID_MAX];
    mcp_session_make(&m, STR("sid-1"), 5, a);
    mcp_session_make(&m, STR("sid-1"), 5, b);
    assert_string_not_equal(a, b);
}

static void what_was_changed_or_cut_is_none(void **state)
{
    (void)state;
    struct mcp_worker m = {.session_key = key};
    char id[MCP_SESSION_ID_MAX];
    mcp_session_make(&m, STR("sid-1"), 5, id);
    size_t n = strlen(id);
    for (size_t i = 0; i < n; i++) {
        char c = id[i];
        id[i] = c == 'A' ? 'B' : 'A';
        assert_false(mcp_session_check(&m, STR("sid-1"), str_of(id), &can));
        id[i] = c;
        assert_false(mcp_session_check(&m, STR("sid-1"), (struct str){id, i}, &can));
    }
    assert_true(mcp_session_check(&m, STR("sid-1"), str_of(id), &can));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_good_for_its_own_lease_only),
        cmocka_unit_test(two_clients_of_one_lease_have_two),
        cmocka_unit_test(what_was_changed_or_cut_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

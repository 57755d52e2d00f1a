/* Calls of another face live on the same worker: what goes over all of them must not take one for a request of MCP. */
#include "../unit.h"

#include "mcp/request.h"

static void a_call_of_another_face_is_no_request_of_mcp(void **state)
{
    (void)state;
    static const struct call_face another;
    struct mcp_request not_one = {0};
    struct call c = {.face = &another, .user = &not_one};
    assert_null(mcp_of(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_call_of_another_face_is_no_request_of_mcp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

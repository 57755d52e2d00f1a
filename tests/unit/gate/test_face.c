/* What the faces share: what an agent that was refused is told of its credential. */
#include "../unit.h"

#include "gate/face.h"

static void challenge(enum err e, const char *scope, const char *want)
{
    struct arena a;
    struct fault f = {.err = e};
    arena_init(&a, 4096);
    assert_true(gate_challenges(e));
    struct str s = gate_challenge(&f, STR("https://gate.example/meta"), str_of(scope), &a);
    if (!str_is(s, want))
        fail_msg("%.*s", (int)s.n, s.p);
    arena_done(&a);
}

static void a_refusal_says_what_is_wrong_with_the_credential(void **state)
{
    (void)state;
    challenge(ERR_UNAUTHENTICATED, NULL, "Bearer resource_metadata=\"https://gate.example/meta\"");
    challenge(ERR_TOKEN, NULL, "Bearer error=\"invalid_token\", resource_metadata=\"https://gate.example/meta\"");
    challenge(ERR_SCOPE, "tool:desk/x:execute",
              "Bearer error=\"insufficient_scope\", scope=\"tool:desk/x:execute\", "
              "resource_metadata=\"https://gate.example/meta\"");
    challenge(ERR_SCOPE, "tool:\"\r\nSet-Cookie: a", /* a name that the agent made up */
              "Bearer error=\"insufficient_scope\", resource_metadata=\"https://gate.example/meta\"");
    assert_false(gate_challenges(ERR_RATE));
    assert_false(gate_challenges(ERR_TOOL_WITHHELD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_what_is_wrong_with_the_credential),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every event in every state. */
#include "../unit.h"

#include <stdio.h>

#include "approve/inner.h"

/* rows: none, pending, granted, taken, done, denied, expired, void; by event: asked, yes, grant, deny, take, end,
 * timeout, break, repeat, escalate. '-': it does not happen. */
static const char *const table[] = {
    "p.......t.", /* none */
    ".pgd..ev.p", /* pending */
    "....t.ev..", /* granted */
    ".....D....", /* taken */
    "..........", "..........", "..........", "..........",
};

static void every_event_leads_where_the_table_says_and_nowhere_else(void **state)
{
    static const char letter[] = ".pgtDdev";
    (void)state;
    for (unsigned s = APPROVAL_NONE; s <= APPROVAL_VOID; s++)
        for (unsigned e = 0; e < APPROVAL_EVENTS; e++) {
            char got = letter[approval_after((enum approval_state)s, (enum approval_event)e)];
            if (got != table[s][e])
                fail_msg("event %u in state %s leads to %c", e, approval_states[s], got);
        }
}

static void what_is_over_stays_over_and_only_a_yes_needs_the_store(void **state)
{
    (void)state;
    for (unsigned s = APPROVAL_NONE; s <= APPROVAL_VOID; s++)
        for (unsigned e = 0; e < APPROVAL_EVENTS; e++) {
            enum approval_state next = approval_after((enum approval_state)s, (enum approval_event)e);
            assert_false(next && approval_over((enum approval_state)s));
            if (next && approval_event_is_no((enum approval_event)e))
                assert_true(approval_over(next));
            if (next == APPROVAL_GRANTED || next == APPROVAL_TAKEN)
                assert_false(approval_event_is_no((enum approval_event)e));
        }
    assert_int_equal(approval_after((enum approval_state)99, APPROVAL_GRANT), APPROVAL_NONE);
    assert_int_equal(approval_after(APPROVAL_PENDING, APPROVAL_EVENTS), APPROVAL_NONE);
}

static void two_texts_are_never_bound_alike(void **state)
{
    unsigned char a[SHA256_BYTES], b[SHA256_BYTES];
    (void)state;
    struct lease l = {.agent_id = STR("a"), .sid = STR("s")}, m = {.agent_id = STR("as"), .sid = STR("")};
    struct approval_ask ask = {.lease = &l,
                               .tool = STR("t"),
                               .arguments = STR("{}"),
                               .definition = STR("d"),
                               .policy_version = STR("v")},
                        other = ask;
    approval_binding(&ask, a);
    struct str *const parts[] = {&other.tool, &other.arguments, &other.definition, &other.policy_version};
    for (unsigned i = 0; i < COUNT(parts); i++) {
        struct str was = *parts[i];
        *parts[i] = STR("x");
        approval_binding(&other, b);
        assert_memory_not_equal(a, b, sizeof(a));
        *parts[i] = was;
    }
    other.lease = &m; /* the same bytes, cut elsewhere */
    approval_binding(&other, b);
    assert_memory_not_equal(a, b, sizeof(a));
    other.lease = &l;
    approval_binding(&other, b);
    assert_memory_equal(a, b, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_leads_where_the_table_says_and_nowhere_else),
        cmocka_unit_test(what_is_over_stays_over_and_only_a_yes_needs_the_store),
        cmocka_unit_test(two_texts_are_never_bound_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The risk of a call: what the configuration says of the tool, raised by policies, never lowered. */
#include "../unit.h"

#include "gate/stage.h"

static void policies_raise_it_and_never_lower_it(void **state)
{
    (void)state;
    const struct duty none = {.risk = DUTY_RISK_NONE}, low = {.risk = DUTY_RISK_LOW}, high = {.risk = DUTY_RISK_HIGH},
                      critical = {.risk = DUTY_RISK_CRITICAL};
    assert_int_equal(risk_of("low", &none), DUTY_RISK_LOW);
    assert_int_equal(risk_of("medium", &low), DUTY_RISK_MEDIUM);
    assert_int_equal(risk_of("low", &high), DUTY_RISK_HIGH);
    assert_int_equal(risk_of("high", &critical), DUTY_RISK_CRITICAL);
    assert_int_equal(risk_of("critical", &low), DUTY_RISK_CRITICAL);
}

static void what_nobody_said_is_high(void **state)
{
    (void)state;
    const struct duty none = {.risk = DUTY_RISK_NONE}, low = {.risk = DUTY_RISK_LOW};
    assert_int_equal(risk_of(NULL, &none), DUTY_RISK_HIGH);
    assert_int_equal(risk_of("none", &low), DUTY_RISK_HIGH);
    assert_int_equal(risk_of("harmless", &low), DUTY_RISK_HIGH);
}

static void only_calls_of_tools_that_went_through_unseen_are_reviewed(void **state)
{
    (void)state;
    struct call c = {.kind = CALL_TOOL, .risk = DUTY_RISK_MEDIUM};
    assert_true(risk_reviewed(&c));
    c.answer.input = true;
    assert_false(risk_reviewed(&c));
    c.answer.input = false;
    strcpy(c.grant.by, "anna");
    assert_false(risk_reviewed(&c));
    c = (struct call){.kind = CALL_PROMPT, .risk = DUTY_RISK_MEDIUM};
    assert_false(risk_reviewed(&c));
    c = (struct call){.kind = CALL_TOOL, .risk = DUTY_RISK_LOW};
    assert_false(risk_reviewed(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_raise_it_and_never_lower_it),
        cmocka_unit_test(what_nobody_said_is_high),
        cmocka_unit_test(only_calls_of_tools_that_went_through_unseen_are_reviewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

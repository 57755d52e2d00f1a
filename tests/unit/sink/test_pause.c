/* Pauses, the events that are meant, and the id of an entry. */
#include "../unit.h"
#include "sink/inner.h"

static void pauses_double_up_to_a_minute(void **state)
{
    (void)state;
    assert_int_equal(sink_pause(1, 0), 200);
    assert_int_equal(sink_pause(2, 0), 400);
    assert_int_equal(sink_pause(8, 0), 25600);
    assert_int_equal(sink_pause(10, 0), 60000);
    assert_int_equal(sink_pause(UINT64_MAX, 0), 60000);
}

static void chance_takes_up_to_half_of_a_pause_away(void **state)
{
    (void)state;
    for (uint64_t tries = 1; tries < 20; tries++) {
        int64_t most = sink_pause(tries, 0), least = sink_pause(tries, UINT32_MAX), some = sink_pause(tries, 1u << 31);
        assert_in_range(least, most / 2, most / 2 + 1);
        assert_in_range(some, most * 3 / 4, most * 3 / 4 + 1);
    }
}

static void events_are_meant_by_name_or_pattern(void **state)
{
    (void)state;
    struct str some[] = {STR("TOOL_*"), STR("GATEWAY_STARTED")};
    const struct conf_strings none = {0}, two = {.v = some, .n = 2};
    assert_true(sink_wants(&none, STR("SESSION_CREATED")));
    assert_true(sink_wants(&two, STR("TOOL_DENIED")));
    assert_true(sink_wants(&two, STR("GATEWAY_STARTED")));
    assert_false(sink_wants(&two, STR("GATEWAY_STOPPED")));
    assert_false(sink_wants(&two, STR_NONE));
}

static void an_id_is_the_number_and_the_hash(void **state)
{
    (void)state;
    struct sink_entry e = {.seq = UINT64_MAX};
    char id[SINK_ID];
    memset(e.leaf.b, 0xab, sizeof(e.leaf.b));
    sink_entry_id(&e, id);
    assert_string_equal(id, "18446744073709551615-abababababababababababababababab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_a_minute),
        cmocka_unit_test(chance_takes_up_to_half_of_a_pause_away),
        cmocka_unit_test(events_are_meant_by_name_or_pattern),
        cmocka_unit_test(an_id_is_the_number_and_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a client takes, by its Accept. */
#include "../unit.h"

#include "net/http.h"

static bool accepts(const char *first, const char *second, const char *type)
{
    struct http_head h = {.count = second ? 2 : first ? 1 : 0};
    h.header[0] = (struct http_header){STR("accept"), str_of(first ? first : "")};
    h.header[1] = (struct http_header){STR("Accept"), str_of(second ? second : "")};
    return http_accepts(&h, type);
}

static void a_type_is_taken_when_a_range_holds_it(void **state)
{
    (void)state;
    static const char *const rows[] = {"application/json",
                                       "text/event-stream, application/json",
                                       "APPLICATION/JSON",
                                       "application/*",
                                       " application/json ; charset=utf-8 ",
                                       "*/*;q=0.001",
                                       "application/json;q=1.0",
                                       "text/html,,*/*"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(accepts(rows[i], NULL, "application/json"));
}

static void what_no_range_holds_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        NULL, "",     "text/html",         "text/*", "application/jsonx", "application/xml", "application",
        "*",  "json", "application/json+x"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(accepts(rows[i], NULL, "application/json"));
}

static void a_weight_of_zero_refuses_and_the_narrowest_range_decides(void **state)
{
    (void)state;
    assert_false(accepts("application/json;q=0", NULL, "application/json"));
    assert_false(accepts("application/json; Q=0.000", NULL, "application/json"));
    assert_false(accepts("*/*, application/json;q=0", NULL, "application/json"));
    assert_false(accepts("application/*;q=0, */*", NULL, "application/json"));
    assert_true(accepts("*/*;q=0, application/json", NULL, "application/json"));
    assert_true(accepts("*/*, application/json;q=0", NULL, "text/event-stream"));
}

static void two_fields_are_one_list(void **state)
{
    (void)state;
    assert_true(accepts("text/event-stream", "application/json", "application/json"));
    assert_true(accepts("text/event-stream", "application/json", "text/event-stream"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_is_taken_when_a_range_holds_it),
        cmocka_unit_test(what_no_range_holds_is_refused),
        cmocka_unit_test(a_weight_of_zero_refuses_and_the_narrowest_range_decides),
        cmocka_unit_test(two_fields_are_one_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

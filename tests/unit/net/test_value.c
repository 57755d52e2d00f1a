/* Values that a header field cannot carry as they are. */
#include "../unit.h"

#include "net/http.h"

static void plain_values_mean_themselves(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "us-west1", "a b", "SGVsbG8=", "=?BASE64?SGVsbG8=?=", "=?base64?", "?="};
    struct arena a;
    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(str_is(http_value_read(str_of(rows[i]), &a), rows[i]));
    arena_done(&a);
}

static void what_a_header_cannot_carry_comes_back_whole(void **state)
{
    (void)state;
    static const struct {
        const char *value, *form; /* the form, where the specification's examples name it */
    } rows[] = {
        {"Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="},
        {"=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="},
        {" padded ", "=?base64?IHBhZGRlZCA=?="},
        {"line1\nline2", "=?base64?bGluZTEKbGluZTI=?="},
        {"a\x7f", NULL},
    };
    struct arena a;
    arena_init(&a, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str form = http_value_write(str_of(rows[i].value), &a);
        if (rows[i].form)
            assert_true(str_is(form, rows[i].form));
        assert_true(http_field_valid(STR("Mcp-Name"), form));
        assert_true(str_is(http_value_read(form, &a), rows[i].value));
    }
    arena_done(&a);
}

static void malformed_forms_are_nothing(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    assert_null(http_value_read(STR("=?base64?SGVsbG8?="), &a).p); /* padding is missing */
    assert_null(http_value_read(STR("=?base64?SGVs bG8=?="), &a).p);
    assert_null(http_value_read(STR("=?base64?/w==?="), &a).p); /* no UTF-8 */
    assert_null(http_value_read(STR("Hello, 世界"), &a).p);     /* the form is missing */
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_mean_themselves),
        cmocka_unit_test(what_a_header_cannot_carry_comes_back_whole),
        cmocka_unit_test(malformed_forms_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

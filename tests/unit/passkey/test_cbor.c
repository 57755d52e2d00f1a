/* What the reader of CBOR takes, and where it says no. Values are those of RFC 8949 appendix A where it has them. */
#include "../unit.h"

#include "base/arena.h"
#include "base/enc.h"
#include "passkey/cbor.h"

#include <stdio.h>

static unsigned char bytes[4096];

static struct cbor of(const char *hex)
{
    size_t n = strlen(hex) / 2;
    assert_true(n <= sizeof(bytes) && enc_unhex(str_of(hex), bytes, n));
    return (struct cbor){.text = {(const char *)bytes, n}};
}

static void taken(const char *hex)
{
    struct cbor c = of(hex);
    struct str whole;
    struct fault f = {0};
    if (cbor_whole(&c, &whole, &f))
        fail_msg("%s: %s", hex, f.text);
    assert_true(c.at == c.text.n && str_eq(whole, c.text));
}

/* The cursor stays where it was. */
static void refused(const char *hex, const char *says)
{
    struct cbor c = of(hex);
    struct str whole = STR("untouched");
    struct fault f = {0};
    enum err e = cbor_whole(&c, &whole, &f);
    if (e != ERR_SYNTAX || !strstr(f.text, says) || c.at || !str_is(whole, "untouched"))
        fail_msg("%s: %s (%s), not '%s'", hex, err_code(e), f.text, says);
}

static void an_integer_has_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        int64_t is;
    } cases[] = {{"00", 0},
                 {"17", 23},
                 {"1818", 24},
                 {"190100", 256},
                 {"1a000f4240", 1000000},
                 {"1b000000e8d4a51000", 1000000000000},
                 {"1b7fffffffffffffff", INT64_MAX},
                 {"20", -1},
                 {"3863", -100},
                 {"3903e7", -1000},
                 {"3b7fffffffffffffff", INT64_MIN}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cbor c = of(cases[i].hex);
        struct cbor_item item;
        struct fault f;
        int64_t is;
        assert_int_equal(cbor_next(&c, &item, &f), ERR_OK);
        assert_true(cbor_integer(&item, &is));
        assert_int_equal(is, cases[i].is);
    }
}

static void what_is_beyond_an_integer_is_none(void **state)
{
    (void)state;
    const char *cases[] = {"1b8000000000000000", "1bffffffffffffffff", "3b8000000000000000", "40", "f5"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cbor c = of(cases[i]);
        struct cbor_item item;
        struct fault f;
        int64_t is = 7;
        assert_int_equal(cbor_next(&c, &item, &f), ERR_OK);
        assert_false(cbor_integer(&item, &is));
        assert_int_equal(is, 7);
    }
}

static void strings_lists_and_maps_are_taken(void **state)
{
    (void)state;
    const char *cases[] = {"40",
                           "4401020304",
                           "60",
                           "6449455446",
                           "62c3bc",
                           "80",
                           "83010203",
                           "8301820203820405",
                           "a0",
                           "a201020304",
                           "a26161016162820203",
                           "f4",
                           "f5",
                           "f6",
                           "a201000200"};
    for (size_t i = 0; i < COUNT(cases); i++)
        taken(cases[i]);
}

static void items_are_read_one_behind_the_other(void **state)
{
    (void)state;
    struct cbor c = of("a10143aabbcc6161");
    struct cbor_item i;
    struct str whole;
    struct fault f;
    assert_int_equal(cbor_whole(&c, &whole, &f), ERR_OK);
    assert_int_equal(whole.n, 6);
    assert_int_equal(cbor_next(&c, &i, &f), ERR_OK);
    assert_true(i.type == CBOR_TEXT && str_is(i.bytes, "a"));
    assert_int_equal(cbor_next(&c, &i, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "CBOR, byte 8: the bytes end where a value should be");
}

static void a_value_has_one_spelling(void **state)
{
    (void)state;
    const char *longer[] = {"1817", "190017", "1900ff", "1a0000ffff", "1b00000000ffffffff",
                            "3817", "5801aa", "780161", "980100",     "b8010000"};
    for (size_t i = 0; i < COUNT(longer); i++)
        refused(longer[i], "more bytes than it needs");
    const char *indefinite[] = {
        "5f42010243030405ff", "7f657374726561646d696e67ff", "9fff", "9f0102ff", "bfff", "bf6161019fffff", "1f", "3f"};
    for (size_t i = 0; i < COUNT(indefinite); i++)
        refused(indefinite[i], "an indefinite length is not taken");
    const char *reserved[] = {"1c", "1d", "1e", "5c", "9d", "be"};
    for (size_t i = 0; i < COUNT(reserved); i++)
        refused(reserved[i], "there is no such head");
}

static void what_authenticators_do_not_write_is_not_taken(void **state)
{
    (void)state;
    const char *tags[] = {"c11a514b67b0", "d74401020304", "d8184449455446", "82c100"};
    for (size_t i = 0; i < COUNT(tags); i++)
        refused(tags[i], "a tag is not taken");
    const char *simple[] = {"f7", "f0", "f8ff", "f90000", "fa47c35000", "fb3ff199999999999a", "ff", "fc"};
    for (size_t i = 0; i < COUNT(simple); i++)
        refused(simple[i], "only false, true and null");
    refused("62c0af", "a text is not UTF-8");
    refused("63eda080", "a text is not UTF-8");
}

static void a_key_is_there_once_and_is_a_number_or_a_string(void **state)
{
    (void)state;
    taken("a30100200061614100");
    refused("a201000100", "CBOR, byte 3: a key is there twice");
    refused("a2616100616100", "a key is there twice");
    refused("a3010002000100", "a key is there twice");
    refused("81a1a0a201000100", "a key must be");
    refused("81a100a201000100", "a key is there twice");
    refused("a18000", "a key must be a number or a string");
    refused("a1f500", "a key must be a number or a string");
    taken("a201004101f5"); /* 1 and the byte 1 are two keys */
}

static void a_length_is_believed_only_when_the_bytes_are_there(void **state)
{
    (void)state;
    const char *strings[] = {"41",           "44010203", "5bffffffffffffffff", "5b7fffffffffffffff00",
                             "7affffffff61", "590100aa"};
    for (size_t i = 0; i < COUNT(strings); i++)
        refused(strings[i], "a string is longer than what is left");
    const char *containers[] = {"81",
                                "82f5",
                                "a1",
                                "a100",
                                "9bffffffffffffffff",
                                "bb7fffffffffffffff0000",
                                "9a7fffffff00",
                                "bb800000000000000000"};
    for (size_t i = 0; i < COUNT(containers); i++)
        refused(containers[i], "more members than are taken, or than there are");
    const char *numbers[] = {"18", "19aa", "1aaabbcc", "1b00112233445566", "58", "b9"};
    for (size_t i = 0; i < COUNT(numbers); i++)
        refused(numbers[i], "the bytes end within a number");
    refused("", "the bytes end where a value should be");
    refused("8281f5", "the bytes end where a value should be");
}

static void depth_and_members_are_bounded(void **state)
{
    (void)state;
    char many[2 * (CBOR_MEMBERS + 4)];
    taken("8181818100");
    taken("a101a101a101a10100");
    refused("818181818100", "too deep");
    refused("a101a101a101a101a10100", "too deep");
    size_t n = (size_t)snprintf(many, sizeof(many), "98%02x", CBOR_MEMBERS);
    memset(many + n, '0', 2 * CBOR_MEMBERS);
    many[n + 2 * CBOR_MEMBERS] = 0;
    taken(many);
    n = (size_t)snprintf(many, sizeof(many), "98%02x", CBOR_MEMBERS + 1);
    memset(many + n, '0', 2 * CBOR_MEMBERS + 2);
    many[n + 2 * CBOR_MEMBERS + 2] = 0;
    refused(many, "more members than are taken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integer_has_its_value),
        cmocka_unit_test(what_is_beyond_an_integer_is_none),
        cmocka_unit_test(strings_lists_and_maps_are_taken),
        cmocka_unit_test(items_are_read_one_behind_the_other),
        cmocka_unit_test(a_value_has_one_spelling),
        cmocka_unit_test(what_authenticators_do_not_write_is_not_taken),
        cmocka_unit_test(a_key_is_there_once_and_is_a_number_or_a_string),
        cmocka_unit_test(a_length_is_believed_only_when_the_bytes_are_there),
        cmocka_unit_test(depth_and_members_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

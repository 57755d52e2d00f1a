/* Strings, encodings and identifiers. */
#include "base_test.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/secret.h"

static void comparison(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_ieq(STR("Content-Type"), STR("cONTENT-tYPE")));
    assert_false(str_ieq(STR("caf\xc3\x89"), STR("caf\xc3\xa9"))); /* ASCII only */
    assert_false(str_ieq(STR("["), STR("{")));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("b"), STR("ab")) > 0 && str_cmp(STR(""), STR("")) == 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0); /* bytes, not signed characters */
    assert_true(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")) &&
                str_starts(STR("a"), STR_NONE));
    assert_true(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
    assert_true(str_eq_secret(STR("secret"), STR("secret")) && !str_eq_secret(STR("secret"), STR("secreT")) &&
                !str_eq_secret(STR("secret"), STR("secret1")));
    assert_int_equal(str_hash(STR("a\0b")), str_hash(STR("a\0b")));
    assert_int_not_equal(str_hash(STR("a\0b")), str_hash(STR("a\0c")));
}

static void cutting(void **state)
{
    (void)state;
    struct str rest = STR("a,,b"), head;
    assert_true(str_cut(&rest, ',', &head));
    assert_str(head, "a");
    assert_true(str_cut(&rest, ',', &head));
    assert_str(head, "");
    assert_false(str_cut(&rest, ',', &head));
    assert_str(head, "b");
    assert_str(rest, "");
    assert_false(str_cut(&rest, ',', &head));
    assert_str(head, "");
    assert_str(str_trim(STR(" \t x y\t ")), "x y");
    assert_str(str_trim(STR(" \t ")), "");
    assert_str(str_skip(STR("ab"), 5), "");
}

static void numbers_are_plain_digits(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616", "99999999999999999999"};
    uint64_t v = 7;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (str_u64(str_of(bad[i]), &v))
            fail_msg("'%s' is taken for %lu", bad[i], (unsigned long)v);
    assert_int_equal(v, 7);
    assert_true(str_u64(STR("18446744073709551615"), &v) && v == UINT64_MAX);
    assert_true(str_u64(STR("007"), &v) && v == 7);
}

static void a_star_does_not_cross_a_slash(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool fits;
    } rows[] = {
        {"orders/*", "orders/refund", true},
        {"orders/*", "orders/a/b", false},
        {"*", "orders/refund", false},
        {"*/*", "orders/refund", true},
        {"*", "", true},
        {"**", "abc", true},
        {"*/delete_*", "db/delete_row", true},
        {"*/delete_*", "db/row", false},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"*a/b", "aa/b", true},
        {"", "", true},
        {"", "a", false},
        {"a?c", "abc", false},
        {"[a]", "a", false},
        {"orders/refund", "orders/refun", false},
        {"Orders/*", "orders/x", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_glob(str_of(rows[i].pattern), str_of(rows[i].name)) != rows[i].fits)
            fail_msg("%s on %s", rows[i].pattern, rows[i].name);
}

static void many_stars_cost_little(void **state)
{
    (void)state;
    char name[20001], pattern[2001];
    memset(name, 'a', sizeof(name) - 1);
    for (size_t i = 0; i < sizeof(pattern) - 1; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[sizeof(pattern) - 2] = 'b';
    int64_t start = clock_mono_ns();
    assert_false(str_glob((struct str){pattern, sizeof(pattern) - 1}, (struct str){name, sizeof(name) - 1}));
    assert_true(clock_mono_ns() - start < INT64_C(5000000000)); /* without a bound: longer than a lifetime */
}

static void utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool valid;
    } rows[] = {
        {"", true},
        {"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb2", true},
        {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xc0\xaf", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xe2\x82", false},
        {"\xe2\x82z", false},
        {"\xf0\x9f\x90", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_utf8_valid(str_of(rows[i].bytes)) != rows[i].valid)
            fail_msg("row %zu", i);
}

static void base64url_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"Zg==",  "Zm8=",  "Zh",   "Zm9",  "Z",     "Zm9vY", "Zm9v\n",
                                      " Zm9v", "Zm 9v", "Zm+v", "Zm/v", "Zm9v=", "Zm.v",  "Zm9v\xc3\xa9"};
    unsigned char out[64];
    size_t n = 99;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (enc_unb64url(str_of(bad[i]), out, sizeof(out), &n) == ERR_OK)
            fail_msg("'%s' is taken", bad[i]);
    assert_int_equal(n, 99);
    assert_int_equal(enc_unb64url((struct str){"Zm9v\0", 5}, out, sizeof(out), &n), ERR_SYNTAX);
    assert_int_equal(enc_unb64url(STR("Zm9v"), out, 2, &n), ERR_SYNTAX); /* no room */
    for (int c = 0x80; c <= 0xff; c++) {
        const char text[] = {'Z', 'm', (char)c, 'v'};
        assert_int_equal(enc_unb64url((struct str){text, 4}, out, sizeof(out), &n), ERR_SYNTAX);
        assert_int_equal(enc_unb64((struct str){text, 4}, out, sizeof(out), &n), ERR_SYNTAX);
    }
    assert_int_equal(enc_unb64url(STR_NONE, out, sizeof(out), &n), ERR_OK);
    assert_int_equal(n, 0);
}

static void every_length_goes_there_and_back(void **state)
{
    (void)state;
    unsigned char in[70], out[70];
    char text[100], hex[141];
    size_t got;
    for (size_t n = 0; n <= sizeof(in); n++) {
        enc_random(in, n);
        size_t len = enc_b64url(in, n, text);
        assert_int_equal(len, (4 * n + 2) / 3);
        assert_int_equal(text[len], 0);
        assert_null(strpbrk(text, "+/="));
        assert_int_equal(enc_unb64url(str_of(text), out, sizeof(out), &got), ERR_OK);
        assert_int_equal(got, n);
        assert_memory_equal(in, out, n);
        assert_int_equal(enc_b64(in, n, text), (n + 2) / 3 * 4);
        assert_int_equal(enc_unb64(str_of(text), out, sizeof(out), &got), ERR_OK);
        assert_int_equal(got, n);
        assert_memory_equal(in, out, n);
        enc_hex(in, n, hex);
        assert_true(enc_unhex(str_of(hex), out, n));
        assert_memory_equal(in, out, n);
    }
    assert_int_equal(enc_b64url("\xfb\xff\xfe", 3, text), 4);
    assert_string_equal(text, "-__-");
}

static void hex_is_exact(void **state)
{
    (void)state;
    unsigned char out[2];
    assert_true(enc_unhex(STR("aBCd"), out, 2));
    assert_memory_equal(out, "\xab\xcd", 2);
    assert_false(enc_unhex(STR("abc"), out, 2));
    assert_false(enc_unhex(STR("abcdef"), out, 2));
    assert_false(enc_unhex(STR("ab g"), out, 2));
    assert_false(enc_unhex(STR("0xab"), out, 2));
}

static void digest(void **state)
{
    (void)state;
    unsigned char hash[SHA256_BYTES];
    char hex[65];
    enc_sha256("abc", 3, hash);
    enc_hex(hash, sizeof(hash), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    enc_sha256("", 0, hash);
    enc_hex(hash, sizeof(hash), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void ids_sort_by_time(void **state)
{
    (void)state;
    char before[ENC_ID_MAX], id[ENC_ID_MAX], same[ENC_ID_MAX];
    enc_id("sess", before);
    for (int64_t ms = clock_wall_ms(); clock_wall_ms() <= ms;)
        ;
    enc_id("sess", id);
    enc_id("sess", same);
    assert_true(strcmp(before, id) < 0);
    assert_string_not_equal(id, same);
    assert_memory_equal(id, "sess_", 5);
    assert_int_equal(strlen(id), 31);
    assert_int_equal(strspn(id + 5, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
    enc_id("prefixthatistoolong", id);
    assert_memory_equal(id, "prefixth_", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison),
        cmocka_unit_test(cutting),
        cmocka_unit_test(numbers_are_plain_digits),
        cmocka_unit_test(a_star_does_not_cross_a_slash),
        cmocka_unit_test(many_stars_cost_little),
        cmocka_unit_test(utf8),
        cmocka_unit_test(base64url_is_strict),
        cmocka_unit_test(every_length_goes_there_and_back),
        cmocka_unit_test(hex_is_exact),
        cmocka_unit_test(digest),
        cmocka_unit_test(ids_sort_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Bare signatures: Ed25519 as it is, ES256 in DER and in one spelling of it. */
#include "jose_test.h"

/* RFC 6979 appendix A.2.5, "sample" with SHA-256 */
#define SAMPLE_X "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y"
#define SAMPLE_Y "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk"
#define SAMPLE_R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define SAMPLE_S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
/* RFC 8032 section 7.1, test 2 */
#define ED2_X "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"
#define ED2_SIG                                                                                                        \
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee" \
    "b00d291612bb0c00"

static bool signed_by(const struct jose_key *k, struct str bytes, const char *hex)
{
    unsigned char sig[256];
    size_t n = strlen(hex) / 2;
    assert_true(n <= sizeof(sig) && enc_unhex(str_of(hex), sig, n));
    return jose_signed(k, bytes, (struct str){(const char *)sig, n});
}

static void es256_is_taken_in_der(void **state)
{
    (void)state;
    struct jose_key *k = key_of("{'kty':'EC','crv':'P-256','x':'" SAMPLE_X "','y':'" SAMPLE_Y "'}");
    assert_true(signed_by(k, STR("sample"), "3046022100" SAMPLE_R "022100" SAMPLE_S));
    assert_false(signed_by(k, STR("Sample"), "3046022100" SAMPLE_R "022100" SAMPLE_S));
    assert_false(signed_by(k, STR("sample"), "3046022100" SAMPLE_S "022100" SAMPLE_R));
    jose_key_free(k);
}

static void es256_has_one_spelling(void **state)
{
    (void)state;
    const char *others[] = {
        SAMPLE_R SAMPLE_S,                              /* as JOSE has it */
        "3046022100" SAMPLE_R "022100" SAMPLE_S "00",   /* a byte behind it */
        "308146022100" SAMPLE_R "022100" SAMPLE_S,      /* a longer length */
        "3080022100" SAMPLE_R "022100" SAMPLE_S "0000", /* an indefinite one */
        "304702220000" SAMPLE_R "022100" SAMPLE_S,      /* a zero too many */
        "30440220" SAMPLE_R "0220" SAMPLE_S,            /* negative */
        "3048022100" SAMPLE_R "022100" SAMPLE_S "0500", /* a third member */
        "3145022100" SAMPLE_R "022100" SAMPLE_S,
        "3006020100020100",
        "3000",
        "30",
        "",
    };
    struct jose_key *k = key_of("{'kty':'EC','crv':'P-256','x':'" SAMPLE_X "','y':'" SAMPLE_Y "'}");
    for (size_t i = 0; i < COUNT(others); i++)
        if (signed_by(k, STR("sample"), others[i]))
            fail_msg("%s", others[i]);
    assert_false(jose_signed(k, STR("sample"), STR_NONE));
    jose_key_free(k);
}

static void ed25519_is_64_bytes(void **state)
{
    (void)state;
    struct jose_key *k = key_of("{'kty':'OKP','crv':'Ed25519','x':'" ED2_X "'}");
    assert_true(signed_by(k, STR("\x72"), ED2_SIG));
    assert_false(signed_by(k, STR("\x73"), ED2_SIG));
    assert_false(signed_by(k, STR(""), ED2_SIG));
    assert_false(signed_by(k, STR("\x72"), ED2_SIG "00"));
    assert_false(signed_by(k, STR("\x72"), ""));
    jose_key_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(es256_is_taken_in_der),
        cmocka_unit_test(es256_has_one_spelling),
        cmocka_unit_test(ed25519_is_64_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is a key, what is none and why, and what a key writes of itself. */
#include "jose_test.h"

static void keys_that_are_taken(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{" ED_PUBLIC "}",
        "{" EC_PUBLIC "}",
        "{" ED_PUBLIC ",'alg':'EdDSA','use':'sig','key_ops':['verify'],'kid':'any','x5u':'ignored'}",
        "{" ED_PUBLIC ",'alg':'Ed25519'}", /* RFC 9864's name */
        "{" EC_PUBLIC ",'alg':'ES256','use':'sig','key_ops':['sign','verify']}",
        "{" ED_PUBLIC ",'d':'" ED_D "','key_ops':['sign']}",
        "{" EC_PUBLIC ",'d':'" EC_D "'}",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jose_key *k = key_of(rows[i]);
        assert_int_equal(jose_key_alg(k), strstr(rows[i], "OKP") ? JOSE_EDDSA : JOSE_ES256);
        assert_int_equal(jose_key_private(k), strstr(rows[i], "'d'") != NULL);
        jose_key_free(k);
    }
}

#define ZERO     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ED(x)    "{'kty':'OKP','crv':'Ed25519','x':'" x "'}"
#define EC(x, y) "{'kty':'EC','crv':'P-256','x':'" x "','y':'" y "'}"

static const struct {
    const char *jwk;
    enum err err;
    const char *says;
} refused[] = {
    {"", ERR_SYNTAX, "line 1, column 1"},
    {"[]", ERR_PARAMS, "a JWK must be an object"},
    {"{}", ERR_PARAMS, "must be OKP with crv Ed25519, or EC with crv P-256"},
    {"{" ED_PUBLIC ",'kty':'OKP'}", ERR_SYNTAX, "twice"},
    {"{" ED_PUBLIC ",'\\u0078':'" ZERO "'}", ERR_SYNTAX, "twice"},
    {"{'kty':'okp','crv':'Ed25519','x':'" ED_X "'}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'OKP','crv':'X25519','x':'" ED_X "'}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'OKP','crv':'Ed448','x':'" ED_X "'}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'OKP','crv':'P-256','x':'" ED_X "'}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'EC','crv':'secp256k1','x':'" EC_X "','y':'" EC_Y "'}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'EC','crv':'P-384','x':'" EC_X "','y':'" EC_Y "'}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'oct','k':'c2VjcmV0'}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'RSA','n':'AQAB','e':'AQAB'}", ERR_PARAMS, "must be OKP"},
    {"{'keys':[{" ED_PUBLIC "}]}", ERR_PARAMS, "must be OKP"},
    {"{'kty':'OKP','crv':'Ed25519'}", ERR_PARAMS, "x must be 32 bytes in base64url"},
    {"{'kty':'OKP','crv':'Ed25519','x':7}", ERR_PARAMS, "x must be 32 bytes"},
    {ED(""), ERR_PARAMS, "x must be 32 bytes"},
    {ED(ED_X "="), ERR_PARAMS, "x must be 32 bytes"},
    {ED("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"), ERR_PARAMS, "x must be 32 bytes"},          /* not base64url */
    {ED("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"), ERR_PARAMS, "x must be 32 bytes"},          /* bits left over */
    {ED("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ERR_PARAMS, "x must be 32 bytes"},           /* 31 */
    {ED(ZERO "A"), ERR_PARAMS, "x must be 32 bytes"},                                               /* 33 */
    {ED(ZERO), ERR_PARAMS, "x is no valid Ed25519 point"},                                          /* small order */
    {ED("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ERR_PARAMS, "x is no valid Ed25519 point"}, /* identity */
    {ED("7v_______________________________________38"), ERR_PARAMS, "x is no valid Ed25519 point"}, /* not canonical */
    {"{'kty':'EC','crv':'P-256','x':'" EC_X "'}", ERR_PARAMS, "y must be 32 bytes"},
    {EC(EC_X, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4"), ERR_PARAMS, "the point must lie on the curve"},
    {EC(EC_Y, EC_X), ERR_PARAMS, "the point must lie on the curve"},
    {EC(ZERO, ZERO), ERR_PARAMS, "the point must lie on the curve"},
    {EC("_____wAAAAEAAAAAAAAAAAAAAAD_______________8", EC_Y), ERR_PARAMS,
     "the point must lie on the curve"}, /* x = p */
    {"{" ED_PUBLIC ",'alg':'ES256'}", ERR_PARAMS, "alg does not fit the key: must be EdDSA"},
    {"{" ED_PUBLIC ",'alg':'none'}", ERR_PARAMS, "alg does not fit the key"},
    {"{" EC_PUBLIC ",'alg':'HS256'}", ERR_PARAMS, "alg does not fit the key: must be ES256"},
    {"{" EC_PUBLIC ",'alg':'Ed25519'}", ERR_PARAMS, "alg does not fit the key"},
    {"{" EC_PUBLIC ",'alg':null}", ERR_PARAMS, "alg does not fit the key"},
    {"{" ED_PUBLIC ",'use':'enc'}", ERR_PARAMS, "use must be \"sig\""},
    {"{" ED_PUBLIC ",'key_ops':['sign']}", ERR_PARAMS, "key_ops must be an array with \"verify\""},
    {"{" ED_PUBLIC ",'key_ops':[]}", ERR_PARAMS, "key_ops must be an array with \"verify\""},
    {"{" ED_PUBLIC ",'key_ops':'verify'}", ERR_PARAMS, "key_ops must be an array"},
    {"{" ED_PUBLIC ",'key_ops':['verify','verify']}", ERR_PARAMS, "each once"},
    {"{" ED_PUBLIC ",'key_ops':['verify','deriveKey']}", ERR_PARAMS, "key_ops must name"},
    {"{" ED_PUBLIC ",'d':'" ED_D "','key_ops':['verify']}", ERR_PARAMS, "key_ops must be an array with \"sign\""},
    {"{" ED_PUBLIC ",'d':'" EC_D "'}", ERR_PARAMS, "d does not belong to x"},
    {"{" ED_PUBLIC ",'d':'c2hvcnQ'}", ERR_PARAMS, "d must be 32 bytes"},
    {"{" ED_PUBLIC ",'d':null}", ERR_PARAMS, "d must be 32 bytes"},
    {"{" EC_PUBLIC ",'d':'" ED_D "'}", ERR_PARAMS, "no P-256 key"},
    {"{" EC_PUBLIC ",'d':'" ZERO "'}", ERR_PARAMS, "no P-256 key"},
    {"{" EC_PUBLIC ",'d':'_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE'}", ERR_PARAMS, "no P-256 key"}, /* d = n */
};

static void keys_that_are_refused_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct jose_key *k = NULL;
        struct fault f = {0};
        enum err e = key_parse(refused[i].jwk, false, &k, &f);
        if (e != refused[i].err || k || !strstr(f.text, refused[i].says))
            fail_msg("%s: %s (%s)", refused[i].jwk, err_code(e), f.text);
        assert_null(strstr(f.text, EC_D));
        assert_null(strstr(f.text, ED_D));
    }
}

static void a_private_key_is_not_registered(void **state)
{
    (void)state;
    static const char *const rows[] = {"{" ED_PUBLIC ",'d':'" ED_D "'}", "{" EC_PUBLIC ",'d':'" EC_D "'}",
                                       "{" ED_PUBLIC ",'d':'nonsense'}", "{" ED_PUBLIC ",'\\u0064':'" ED_D "'}"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jose_key *k = NULL;
        struct fault f = {0};
        assert_int_equal(key_parse(rows[i], true, &k, &f), ERR_PARAMS);
        assert_null(k);
        assert_string_equal(f.text,
                            "this is a private key: it stays where it is; register its public half, without \"d\"");
    }
}

static void a_text_without_measure_is_no_key(void **state)
{
    (void)state;
    struct buf b;
    struct jose_key *k = NULL;
    struct fault f;
    buf_init(&b, 1 << 20);
    buf_z(&b, "{\"kid\":\"");
    while (b.n <= JOSE_TOKEN_MAX)
        buf_char(&b, 'x');
    buf_z(&b, "\"}");
    assert_int_equal(jose_key_parse(buf_view(&b), true, &k, &f), ERR_LIMIT);
    b.n = 0;
    buf_char(&b, '[');
    for (int i = 0; i < 1000; i++)
        buf_z(&b, "0,");
    buf_z(&b, "0]");
    assert_int_equal(jose_key_parse(buf_view(&b), true, &k, &f), ERR_LIMIT);
    buf_done(&b);
}

/* RFC 8037 appendix A.3; the other is SHA-256 over RFC 7638's members in their order, computed elsewhere. */
static void thumbprints(void **state)
{
    (void)state;
    struct jose_key *ed = key_of("{" ED_PUBLIC ",'kid':'other','use':'sig'}"),
                    *ed_private = key_of("{" ED_PUBLIC ",'d':'" ED_D "'}");
    struct jose_key *ec = key_of("{'y':'" EC_Y "','x':'" EC_X "','crv':'P-256','kty':'EC'}");
    assert_string_equal(jose_key_thumbprint(ed), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_string_equal(jose_key_thumbprint(ed_private), jose_key_thumbprint(ed));
    assert_string_equal(jose_key_thumbprint(ec), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    jose_key_free(ed);
    jose_key_free(ed_private);
    jose_key_free(ec);
}

static void a_public_form_holds_nothing_private(void **state)
{
    (void)state;
    struct jose_key *k = key_of("{" ED_PUBLIC ",'d':'" ED_D "'}");
    struct buf b;
    buf_init(&b, 1000);
    jose_key_write_public(k, &b);
    assert_true(str_is(buf_view(&b),
                       "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" ED_X "\",\"kid\":"
                       "\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\",\"alg\":\"EdDSA\",\"use\":\"sig\"}"));
    buf_done(&b);
    jose_key_free(k);
}

static void a_private_form_is_read_back(void **state)
{
    (void)state;
    for (enum jose_alg alg = JOSE_EDDSA; alg <= JOSE_ES256; alg++) {
        struct jose_key *k = NULL, *other = NULL, *back = NULL;
        struct secret *s = NULL;
        struct fault f;
        assert_int_equal(jose_key_generate(alg, &k, &f), ERR_OK);
        assert_int_equal(jose_key_generate(alg, &other, &f), ERR_OK);
        assert_int_equal(jose_key_alg(k), alg);
        assert_true(jose_key_private(k));
        assert_string_not_equal(jose_key_thumbprint(k), jose_key_thumbprint(other));
        assert_int_equal(jose_key_write_private(k, &s, &f), ERR_OK);
        struct str text = {(const char *)secret_bytes(s), secret_len(s)};
        assert_int_equal(jose_key_parse(text, false, &back, &f), ERR_OK);
        assert_true(jose_key_private(back));
        assert_string_equal(jose_key_thumbprint(back), jose_key_thumbprint(k));
        secret_free(s);
        jose_key_free(k);
        jose_key_free(other);
        jose_key_free(back);
    }
}

static void what_cannot_be_given_is_said(void **state)
{
    (void)state;
    struct jose_key *k = key_of("{" EC_PUBLIC "}"), *none = NULL;
    struct secret *s = NULL;
    struct fault f;
    assert_int_equal(jose_key_write_private(k, &s, &f), ERR_INTERNAL);
    assert_null(s);
    assert_int_equal(jose_key_generate(JOSE_NONE, &none, &f), ERR_INTERNAL);
    assert_null(none);
    jose_key_free(k);
    jose_key_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_are_taken),
        cmocka_unit_test(keys_that_are_refused_and_why),
        cmocka_unit_test(a_private_key_is_not_registered),
        cmocka_unit_test(a_text_without_measure_is_no_key),
        cmocka_unit_test(thumbprints),
        cmocka_unit_test(a_public_form_holds_nothing_private),
        cmocka_unit_test(a_private_form_is_read_back),
        cmocka_unit_test(what_cannot_be_given_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

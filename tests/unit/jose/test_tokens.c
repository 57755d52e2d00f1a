/* Which token a key takes. Those that are refused here for their header are signed with the right key, so that nothing
 * but the header is wrong with them. */
#include "jose_test.h"

#include <openssl/bn.h>
#include <openssl/hmac.h>
#include <sodium.h>

static struct jose_key *ed, *ec;
static struct arena arena;
static struct buf token;

static int begin(void **state)
{
    (void)state;
    ed = key_of("{" ED_PUBLIC ",'d':'" ED_D "'}");
    ec = key_of("{" EC_PUBLIC ",'d':'" EC_D "'}");
    arena_init(&arena, 4 << 20);
    buf_init(&token, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    jose_key_freep(&ed);
    jose_key_freep(&ec);
    arena_done(&arena);
    buf_done(&token);
    return 0;
}

static void put_encoded(struct buf *b, struct str s)
{
    assert_true(buf_reserve(b, s.n * 2 + 4));
    b->n += enc_b64url(s.p, s.n, b->p + b->n);
}

/* A token with any header and payload, signed by the Ed25519 key. ' stands for ". */
static struct str forged(const char *header, const char *payload)
{
    unsigned char seed[32], pk[32], sk[64], sig[64];
    size_t n;
    struct str h = str_of(quotes((char *)arena_str(&arena, str_of(header)).p));
    assert_int_equal(enc_unb64url(STR(ED_D), seed, 32, &n), ERR_OK);
    crypto_sign_seed_keypair(pk, sk, seed);
    buf_clear(&token);
    put_encoded(&token, h);
    buf_char(&token, '.');
    put_encoded(&token, str_of(payload));
    crypto_sign_detached(sig, NULL, (const unsigned char *)token.p, token.n, sk);
    buf_char(&token, '.');
    put_encoded(&token, (struct str){(const char *)sig, 64});
    return buf_view(&token);
}

static struct str signed_by(const struct jose_key *k, const char *payload)
{
    struct fault f = {0};
    buf_clear(&token);
    if (jose_sign(k, "at+jwt", str_of(payload), &token, &f))
        fail_msg("%s", f.text);
    return buf_view(&token);
}

static void taken(const struct jose_key *k, struct str t, const char *typ, const char *payload)
{
    struct str got = STR_NONE;
    struct fault f = {0};
    if (jose_verify(k, t, typ, &arena, &got, &f))
        fail_msg(STR_FMT ": %s", STR_ARG(t), f.text);
    assert_true(str_is(got, payload));
}

static void refused(const struct jose_key *k, struct str t, const char *typ, const char *says)
{
    struct str got = STR("untouched");
    struct fault f = {0};
    enum err e = jose_verify(k, t, typ, &arena, &got, &f);
    if (e != ERR_TOKEN || !strstr(f.text, says) || !str_is(got, "untouched"))
        fail_msg(STR_FMT ": %s (%s), not '%s'", STR_ARG(t), err_code(e), f.text, says);
}

static void the_signature_of_rfc_8037(void **state)
{
    (void)state;
    struct str t =
        STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhij"
            "cNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    taken(ed, t, NULL, "Example of Ed25519 signing");
    assert_true(str_eq(forged("{'alg':'EdDSA'}", "Example of Ed25519 signing"), t)); /* so forged() is a fair judge */
}

static void the_signature_of_rfc_7515(void **state)
{
    (void)state;
    taken(ec,
          STR("eyJhbGciOiJFUzI1NiJ9."
              "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
              "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
          NULL, "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
}

static void what_a_key_signs_it_takes_and_no_other_does(void **state)
{
    (void)state;
    struct jose_key *keys[] = {ed, ec, NULL, NULL};
    struct fault f;
    assert_int_equal(jose_key_generate(JOSE_EDDSA, &keys[2], &f), ERR_OK);
    assert_int_equal(jose_key_generate(JOSE_ES256, &keys[3], &f), ERR_OK);
    for (int s = 0; s < 4; s++) {
        struct str t = signed_by(keys[s], "{\"sub\":\"agent-1\"}");
        taken(keys[s], t, "at+jwt", "{\"sub\":\"agent-1\"}");
        for (int v = 0; v < 4; v++)
            if (v != s)
                refused(keys[v], t, NULL,
                        jose_key_alg(keys[v]) == jose_key_alg(keys[s]) ? "is not that of the key"
                                                                       : "the algorithm of its key");
    }
    jose_key_free(keys[2]);
    jose_key_free(keys[3]);
}

static void any_changed_character_is_noticed(void **state)
{
    (void)state;
    struct jose_key *keys[] = {ed, ec};
    for (int k = 0; k < 2; k++) {
        struct str t = arena_str(&arena, signed_by(keys[k], "{\"sub\":\"agent-1\",\"exp\":1900000000}"));
        for (size_t i = 0; i < t.n; i++) {
            char *c = (char *)&t.p[i], was = *c;
            *c = was == 'A' ? 'B' : 'A';
            refused(keys[k], t, NULL, "");
            *c = was;
        }
        taken(keys[k], t, NULL, "{\"sub\":\"agent-1\",\"exp\":1900000000}");
        for (size_t n = 0; n < t.n; n++)
            refused(keys[k], (struct str){t.p, n}, NULL, "");
    }
}

static void one_algorithm_is_pinned_to_a_key(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'alg':'none'}",         "{'alg':'None'}",    "{'alg':''}",
        "{'alg':null}",           "{'alg':['EdDSA']}", "{}",
        "{'alg':'eddsa'}",        "{'alg':'Ed25519'}", "{'alg':'ES256'}",
        "{'alg':'HS256'}",        "{'alg':'RS256'}",   "{'alg':'EdDSA '}",
        "{'alg':'EdDSA\\u0000'}",
    };
    for (size_t i = 0; i < COUNT(headers); i++)
        refused(ed, forged(headers[i], "{}"), NULL, "not signed with EdDSA, the algorithm of its key");
    refused(ec, forged("{'alg':'EdDSA'}", "{}"), NULL, "not signed with ES256, the algorithm of its key");
    taken(ed, forged("{'alg':'\\u0045dDSA'}", "{}"), NULL, "{}"); /* the same value, spelled out */
}

static void a_public_key_is_no_hmac_secret(void **state)
{
    (void)state;
    unsigned char x[32], mac[32];
    size_t n;
    unsigned len = sizeof(mac);
    assert_int_equal(enc_unb64url(STR(ED_X), x, 32, &n), ERR_OK);
    static const char *const algs[] = {"HS256", "EdDSA"};
    for (int i = 0; i < 2; i++) {
        buf_clear(&token);
        put_encoded(&token, arena_fmt(&arena, "{\"alg\":\"%s\"}", algs[i]));
        buf_z(&token, ".e30");
        HMAC(EVP_sha256(), x, 32, (const unsigned char *)token.p, token.n, mac, &len);
        buf_char(&token, '.');
        put_encoded(&token, (struct str){(const char *)mac, 32});
        refused(ed, buf_view(&token), NULL, i == 0 ? "the algorithm of its key" : "is not that of the key");
    }
    refused(ed, STR("eyJhbGciOiJub25lIn0.e30."), NULL, "the algorithm of its key");
    refused(ed, STR("eyJhbGciOiJFZERTQSJ9.e30."), NULL, "is not that of the key");
}

static void a_header_does_not_choose_the_key_or_the_reading(void **state)
{
    (void)state;
    static const struct {
        const char *header, *says;
    } rows[] = {
        {"{'alg':'EdDSA','jwk':{" ED_PUBLIC "}}", "holds \"jwk\", which is not taken"},
        {"{'alg':'EdDSA','jku':'https://keys.test/'}", "holds \"jku\""},
        {"{'alg':'EdDSA','x5u':'https://keys.test/'}", "holds \"x5u\""},
        {"{'alg':'EdDSA','x5c':['MIIB']}", "holds \"x5c\""},
        {"{'alg':'EdDSA','x5t':'AA'}", "holds \"x5t\""},
        {"{'alg':'EdDSA','x5t#S256':'AA'}", "holds \"x5t#S256\""},
        {"{'alg':'EdDSA','crit':['exp'],'exp':1}", "holds \"crit\""},
        {"{'alg':'EdDSA','crit':[]}", "holds \"crit\""},
        {"{'alg':'EdDSA','b64':false,'crit':['b64']}", "holds \"crit\""},
        {"{'alg':'EdDSA','b64':false}", "holds \"b64\""},
        {"{'alg':'EdDSA','b64':true}", "holds \"b64\""},
        {"{'alg':'EdDSA','zip':'DEF'}", "holds \"zip\""},
        {"{'alg':'EdDSA','enc':'A256GCM'}", "holds \"enc\""},
        {"{'alg':'EdDSA','\\u006awk':{}}", "holds \"jwk\""},
        {"{'alg':'none','alg':'EdDSA'}", "the token's header is not a JSON object"},
        {"{'alg':'EdDSA','\\u0061lg':'EdDSA'}", "the token's header is not a JSON object"},
        {"{'alg':'EdDSA'} x", "the token's header is not a JSON object"},
        {"['EdDSA']", "the token's header is not a JSON object"},
        {"'EdDSA'", "the token's header is not a JSON object"},
        {"", "the token's header is not a JSON object"},
        {"{'alg':'EdDSA','x':[[[[1]]]]}", "the token's header is not a JSON object"}, /* too deep */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        refused(ed, forged(rows[i].header, "{}"), NULL, rows[i].says);
    taken(ed, forged("{'alg':'EdDSA','kid':'whatever','cty':'JWT'}", "{}"), NULL, "{}");
}

static void the_kind_of_a_token_is_asked_for(void **state)
{
    (void)state;
    taken(ed, forged("{'alg':'EdDSA','typ':'at+jwt'}", "{}"), "at+jwt", "{}");
    taken(ed, forged("{'alg':'EdDSA','typ':'AT+JWT'}", "{}"), "at+jwt", "{}");
    taken(ed, forged("{'alg':'EdDSA','typ':'application/at+jwt'}", "{}"), "at+jwt", "{}");
    taken(ed, forged("{'alg':'EdDSA','typ':'x'}", "{}"), NULL, "{}");
    static const char *const others[] = {"{'alg':'EdDSA'}",
                                         "{'alg':'EdDSA','typ':'JWT'}",
                                         "{'alg':'EdDSA','typ':''}",
                                         "{'alg':'EdDSA','typ':'at+jwt '}",
                                         "{'alg':'EdDSA','typ':'text/at+jwt'}",
                                         "{'alg':'EdDSA','typ':['at+jwt']}",
                                         "{'alg':'EdDSA','typ':'application/'}"};
    for (size_t i = 0; i < COUNT(others); i++)
        refused(ed, forged(others[i], "{}"), "at+jwt", "the token's typ must be at+jwt");
}

static void the_compact_form_is_strict(void **state)
{
    (void)state;
    struct str good = arena_str(&arena, signed_by(ed, "{\"sub\":\"a\"}"));
    const char *z = good.p;
    size_t first = (size_t)(strchr(z, '.') - z), last = (size_t)(strrchr(z, '.') - z);
    refused(ed, STR(""), NULL, "three parts");
    refused(ed, STR("."), NULL, "three parts");
    refused(ed, STR(".."), NULL, "header is not a JSON object");
    refused(ed, (struct str){z, last}, NULL, "three parts");
    refused(ed, arena_fmt(&arena, "%s.", z), NULL, "three parts");
    refused(ed, arena_fmt(&arena, "%s%s", z, strrchr(z, '.')), NULL, "three parts");
    refused(ed, arena_fmt(&arena, " %s", z), NULL, "header is not base64url");
    refused(ed, arena_fmt(&arena, "%s\n", z), NULL, "signature is not base64url");
    refused(ed, arena_fmt(&arena, "%s==", z), NULL, "signature is not base64url");
    refused(ed, arena_fmt(&arena, "%.*s=%s", (int)first, z, z + first), NULL, "header is not base64url");
    refused(ed, arena_fmt(&arena, "%.*s%%%s", (int)last, z, z + last), NULL, "payload is not base64url");
    refused(ed, arena_fmt(&arena, "%.*s.%s", (int)last, z, "AAAA"), NULL, "is not that of the key");
    refused(ed, arena_fmt(&arena, "%sAAAA", z), NULL, "is not that of the key");
    /* 64 bytes leave four bits over: another last character, the same bytes */
    char *twisted = (char *)arena_str(&arena, good).p, *end_char = &twisted[good.n - 1];
    *end_char = (char)(*end_char + 1);
    refused(ed, str_of(twisted), NULL, "signature is not base64url");
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_str(&b, good);
    while (b.n <= JOSE_TOKEN_MAX)
        buf_char(&b, 'A');
    refused(ed, buf_view(&b), NULL, "longer than 8192 bytes");
    buf_done(&b);
}

/* The order of P-256's group. */
static const char p256_n[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";

/* The ES256 token of good with other numbers r and s; NULL: as it was. */
static struct str with_rs(struct str good, const BIGNUM *r, const BIGNUM *s)
{
    unsigned char sig[64];
    size_t n, dot = (size_t)((const char *)memrchr(good.p, '.', good.n) - good.p);
    assert_int_equal(enc_unb64url(str_skip(good, dot + 1), sig, 64, &n), ERR_OK);
    assert_true(!r || BN_bn2binpad(r, sig, 32) == 32);
    assert_true(!s || BN_bn2binpad(s, sig + 32, 32) == 32);
    char text[100];
    enc_b64url(sig, 64, text);
    return arena_fmt(&arena, "%.*s.%s", (int)dot, good.p, text);
}

static void es256_numbers_lie_inside_the_group(void **state)
{
    (void)state;
    struct str good = arena_str(&arena, signed_by(ec, "{}"));
    BIGNUM *n = NULL, *zero = BN_new(), *s, *r, *high;
    unsigned char sig[64];
    size_t len;
    assert_true(BN_hex2bn(&n, p256_n) &&
                enc_unb64url(str_skip(good, (size_t)(strrchr(good.p, '.') - good.p) + 1), sig, 64, &len) == ERR_OK);
    r = BN_bin2bn(sig, 32, NULL);
    s = BN_bin2bn(sig + 32, 32, NULL);
    high = BN_new();
    BN_zero(zero);
    taken(ec, with_rs(good, NULL, NULL), NULL, "{}");
    refused(ec, with_rs(good, zero, NULL), NULL, "is not that of the key");
    refused(ec, with_rs(good, NULL, zero), NULL, "is not that of the key");
    refused(ec, with_rs(good, zero, zero), NULL, "is not that of the key"); /* CVE-2022-21449 */
    refused(ec, with_rs(good, n, NULL), NULL, "is not that of the key");
    refused(ec, with_rs(good, NULL, n), NULL, "is not that of the key");
    refused(ec, with_rs(good, n, n), NULL, "is not that of the key");
    refused(ec, with_rs(good, s, r), NULL, "is not that of the key");
    /* n - s is a signature too, and JWS forbids neither: a token's bytes do not name it, its jti does */
    assert_true(BN_sub(high, n, s));
    taken(ec, with_rs(good, NULL, high), NULL, "{}");
    BN_free(n);
    BN_free(zero);
    BN_free(r);
    BN_free(s);
    BN_free(high);
}

static void ed25519_has_one_signature_only(void **state)
{
    (void)state;
    struct str good = arena_str(&arena, signed_by(ed, "{}"));
    static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                            0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    unsigned char sig[64];
    size_t n, dot = (size_t)(strrchr(good.p, '.') - good.p);
    char text[100];
    assert_int_equal(enc_unb64url(str_skip(good, dot + 1), sig, 64, &n), ERR_OK);
    for (unsigned i = 0, carry = 0; i < 32; i++) { /* S + L: the same equation holds */
        carry += sig[32 + i] + (unsigned)order[i];
        sig[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    enc_b64url(sig, 64, text);
    refused(ed, arena_fmt(&arena, "%.*s.%s", (int)dot, good.p, text), NULL, "is not that of the key");
}

static void a_peek_shows_what_is_unproved(void **state)
{
    (void)state;
    struct jose_peek p;
    struct fault f = {0};
    struct str t = forged("{'alg':'EdDSA','kid':'\\u006b1','typ':'JWT'}", "{\"sub\":\"agent-1\"}");
    assert_int_equal(jose_peek(t, &arena, &p, &f), ERR_OK);
    assert_true(str_is(p.kid, "k1") && str_is(p.alg, "EdDSA") && str_is(p.typ, "JWT"));
    assert_true(json_str_is(&p.claims, json_get(&p.claims, JSON_ROOT, STR("sub")), STR("agent-1")));
    assert_int_equal(jose_peek(forged("{'alg':7}", "{}"), &arena, &p, &f), ERR_OK);
    assert_true(p.kid.n == 0 && p.alg.n == 0 && p.typ.n == 0);
    static const char *const bad[] = {"", "[]", "\"x\"", "{\"sub\":\"a\",\"sub\":\"b\"}", "{\"sub\":\"\xff\"}"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(jose_peek(forged("{'alg':'EdDSA'}", bad[i]), &arena, &p, &f), ERR_TOKEN);
        assert_string_equal(f.text, "the token's payload is not a JSON object");
    }
    assert_int_equal(jose_peek(forged("{'alg':'EdDSA','crit':['x']}", "{}"), &arena, &p, &f), ERR_TOKEN);
}

static void signing_appends_or_leaves_the_buffer_alone(void **state)
{
    (void)state;
    struct fault f;
    struct jose_key *public = key_of("{" ED_PUBLIC "}");
    char *long_text = arena_raw(&arena, 8000, 1);
    memset(long_text, 'x', 8000);
    buf_clear(&token);
    buf_z(&token, "Bearer ");
    assert_int_equal(jose_sign(public, "JWT", STR("{}"), &token, &f), ERR_INTERNAL);
    assert_int_equal(jose_sign(ed, "JWT", (struct str){long_text, 8000}, &token, &f), ERR_LIMIT);
    assert_true(str_is(buf_view(&token), "Bearer "));
    assert_int_equal(jose_sign(ed, "JWT", STR("{}"), &token, &f), ERR_OK);
    taken(public, str_skip(buf_view(&token), 7), "jwt", "{}");
    jose_key_free(public);
}

static void a_full_arena_refuses(void **state)
{
    (void)state;
    struct str t = signed_by(ed, "{}"), got;
    struct fault f;
    enum err e = ERR_OK;
    for (size_t cap = 0; cap < 20000; cap += 101) {
        struct arena small;
        arena_init(&small, cap);
        e = jose_verify(ed, t, NULL, &small, &got, &f);
        assert_true(e == ERR_OK || e == ERR_NOMEM); /* and not: a bad token */
        arena_done(&small);
    }
    assert_int_equal(e, ERR_OK);
}

#define scene(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene(the_signature_of_rfc_8037),
        scene(the_signature_of_rfc_7515),
        scene(what_a_key_signs_it_takes_and_no_other_does),
        scene(any_changed_character_is_noticed),
        scene(one_algorithm_is_pinned_to_a_key),
        scene(a_public_key_is_no_hmac_secret),
        scene(a_header_does_not_choose_the_key_or_the_reading),
        scene(the_kind_of_a_token_is_asked_for),
        scene(the_compact_form_is_strict),
        scene(es256_numbers_lie_inside_the_group),
        scene(ed25519_has_one_signature_only),
        scene(a_peek_shows_what_is_unproved),
        scene(signing_appends_or_leaves_the_buffer_alone),
        scene(a_full_arena_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

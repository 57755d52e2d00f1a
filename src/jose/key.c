/* Keys: reading and writing JWK, thumbprints, making new ones. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/enc.h"
#include "jose/key.h"

const char *jose_alg_name(enum jose_alg alg)
{
    return alg == JOSE_EDDSA ? "EdDSA" : alg == JOSE_ES256 ? "ES256" : "none";
}

enum jose_alg jose_key_alg(const struct jose_key *k)
{
    return k->alg;
}

bool jose_key_private(const struct jose_key *k)
{
    return k->secret != NULL;
}

const char *jose_key_thumbprint(const struct jose_key *k)
{
    return k->thumbprint;
}

void jose_key_free(struct jose_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    secret_free(k->secret);
    free(k);
}

void jose_key_freep(struct jose_key **k)
{
    jose_key_free(*k);
    *k = NULL;
}

/* The required members in lexicographic order (RFC 7638 section 3.2, RFC 8037 section 2). */
static void key_members(const struct jose_key *k, struct buf *b)
{
    char x[64], y[64];
    enc_b64url(k->x, 32, x);
    if (k->alg == JOSE_EDDSA) {
        buf_fmt(b, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"", x);
        return;
    }
    enc_b64url(k->y, 32, y);
    buf_fmt(b, "\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"", x, y);
}

static void key_thumbprint(struct jose_key *k)
{
    struct buf b;
    unsigned char hash[SHA256_BYTES];
    buf_init(&b, 512);
    buf_char(&b, '{');
    key_members(k, &b);
    buf_char(&b, '}');
    enc_sha256(b.p, b.n, hash);
    enc_b64url(hash, sizeof(hash), k->thumbprint);
    buf_done(&b);
}

void jose_key_write_public(const struct jose_key *k, struct buf *out)
{
    buf_char(out, '{');
    key_members(k, out);
    buf_fmt(out, ",\"kid\":\"%s\",\"alg\":\"%s\",\"use\":\"sig\"}", k->thumbprint, jose_alg_name(k->alg));
}

enum err jose_key_write_private(const struct jose_key *k, struct secret **ret, struct fault *f)
{
    struct buf b;
    char d[64];
    if (!k->secret)
        return fault_set(f, ERR_INTERNAL, "the key is public only");
    buf_init(&b, 1024);
    bool room = buf_reserve(&b, 512); /* so that no copy stays behind when it grows */
    enc_b64url(secret_bytes(k->secret), 32, d);
    buf_char(&b, '{');
    key_members(k, &b);
    buf_fmt(&b, ",\"kid\":\"%s\",\"alg\":\"%s\",\"d\":\"%s\"}", k->thumbprint, jose_alg_name(k->alg), d);
    struct secret *s = room && !buf_failed(&b) ? secret_new(b.p, b.n) : NULL;
    secret_wipe(d, sizeof(d));
    if (b.p)
        secret_wipe(b.p, b.n);
    buf_done(&b);
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    *ret = s;
    return ERR_OK;
}

/* An EVP key from the coordinates and maybe the private number; OpenSSL checks the point and the pair. */
static enum err key_build_p256(struct jose_key *k, struct fault *f)
{
    unsigned char point[65] = {4};
    memcpy(point + 1, k->x, 32);
    memcpy(point + 33, k->y, 32);
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    BIGNUM *d = k->secret ? BN_bin2bn(secret_bytes(k->secret), 32, BN_secure_new()) : NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL), *check = NULL;
    OSSL_PARAM *params = NULL;
    bool ok = bld && ctx && (d || !k->secret) &&
              OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
              OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) &&
              (!d || OSSL_PARAM_BLD_push_BN_pad(bld, OSSL_PKEY_PARAM_PRIV_KEY, d, 32));
    ok = ok && (params = OSSL_PARAM_BLD_to_param(bld)) && EVP_PKEY_fromdata_init(ctx) == 1 &&
         EVP_PKEY_fromdata(ctx, &k->pkey, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) == 1;
    ok = ok && (check = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL)) && EVP_PKEY_public_check(check) == 1 &&
         (!d || EVP_PKEY_pairwise_check(check) == 1);
    EVP_PKEY_CTX_free(check);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    BN_clear_free(d);
    return ok ? ERR_OK : fault_set(f, ERR_PARAMS, "x, y (and d) are no P-256 key: the point must lie on the curve");
}

/* Ed25519: the seed must belong to the public key; small-order points are refused. */
static enum err key_build_ed25519(struct jose_key *k, struct fault *f)
{
    unsigned char *full;
    if (!crypto_core_ed25519_is_valid_point(k->x))
        return fault_set(f, ERR_PARAMS, "x is no valid Ed25519 point");
    if (!k->secret)
        return ERR_OK;
    struct secret *s = secret_alloc(crypto_sign_SECRETKEYBYTES, &full);
    unsigned char pk[crypto_sign_PUBLICKEYBYTES];
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    crypto_sign_seed_keypair(pk, full, secret_bytes(k->secret));
    secret_free(k->secret);
    k->secret = s; /* libsodium's form: the seed and the public key behind it */
    if (memcmp(pk, k->x, 32) != 0)
        return fault_set(f, ERR_PARAMS, "d does not belong to x");
    return ERR_OK;
}

static enum err key_bytes(const struct json *j, const char *name, unsigned char ret[32], struct fault *f)
{
    uint32_t node = json_get(j, JSON_ROOT, str_of(name));
    unsigned char raw[33];
    size_t n;
    struct str s = json_type(j, node) == JSON_STRING ? json_raw(j, node) : STR_NONE;
    if (s.n < 2 || enc_unb64url((struct str){s.p + 1, s.n - 2}, raw, sizeof(raw), &n) || n != 32) {
        secret_wipe(raw, sizeof(raw));
        return fault_set(f, ERR_PARAMS, "%s must be 32 bytes in base64url without padding", name);
    }
    memcpy(ret, raw, 32);
    secret_wipe(raw, sizeof(raw));
    return ERR_OK;
}

/* "key_ops" (RFC 7517 section 4.3): what this key is used for must be named, and nothing else. */
static enum err key_check_ops(const struct json *j, uint32_t ops, struct fault *f)
{
    bool sign = false, verify = false;
    JSON_EACH(j, ops, op)
    {
        bool *which = json_str_is(j, op, STR("sign")) ? &sign : json_str_is(j, op, STR("verify")) ? &verify : NULL;
        if (!which || *which)
            return fault_set(f, ERR_PARAMS, "key_ops must name \"sign\" or \"verify\", each once");
        *which = true;
    }
    if (json_type(j, ops) != JSON_ARRAY || !(json_get(j, JSON_ROOT, STR("d")) ? sign : verify))
        return fault_set(f, ERR_PARAMS, "key_ops must be an array with \"%s\"",
                         json_get(j, JSON_ROOT, STR("d")) ? "sign" : "verify");
    return ERR_OK;
}

/* Optional members must not contradict the use as a signature key with this algorithm. */
static enum err key_check_use(const struct json *j, enum jose_alg alg, struct fault *f)
{
    uint32_t a = json_get(j, JSON_ROOT, STR("alg")), use = json_get(j, JSON_ROOT, STR("use")),
             ops = json_get(j, JSON_ROOT, STR("key_ops"));
    if (a && !json_str_is(j, a, str_of(jose_alg_name(alg))) &&
        !(alg == JOSE_EDDSA && json_str_is(j, a, STR("Ed25519"))))
        return fault_set(f, ERR_PARAMS, "alg does not fit the key: must be %s", jose_alg_name(alg));
    if (use && !json_str_is(j, use, STR("sig")))
        return fault_set(f, ERR_PARAMS, "use must be \"sig\"");
    return ops ? key_check_ops(j, ops, f) : ERR_OK;
}

static enum err key_fill(const struct json *j, bool public_only, struct jose_key *k, struct fault *f)
{
    uint32_t kty = json_get(j, JSON_ROOT, STR("kty")), crv = json_get(j, JSON_ROOT, STR("crv"));
    if (json_type(j, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "a JWK must be an object");
    if (json_str_is(j, kty, STR("OKP")) && json_str_is(j, crv, STR("Ed25519")))
        k->alg = JOSE_EDDSA;
    else if (json_str_is(j, kty, STR("EC")) && json_str_is(j, crv, STR("P-256")))
        k->alg = JOSE_ES256;
    else
        return fault_set(f, ERR_PARAMS, "the key must be OKP with crv Ed25519, or EC with crv P-256");
    TRY(key_check_use(j, k->alg, f));
    TRY(key_bytes(j, "x", k->x, f));
    if (k->alg == JOSE_ES256)
        TRY(key_bytes(j, "y", k->y, f));
    if (json_get(j, JSON_ROOT, STR("d"))) {
        unsigned char *d;
        if (public_only)
            return fault_set(f, ERR_PARAMS,
                             "this is a private key: it stays where it is; register its public half, without \"d\"");
        if (!(k->secret = secret_alloc(32, &d)))
            return fault_set(f, ERR_NOMEM, "no memory for a key");
        TRY(key_bytes(j, "d", d, f));
    }
    return k->alg == JOSE_EDDSA ? key_build_ed25519(k, f) : key_build_p256(k, f);
}

enum err jose_key_parse(struct str jwk, bool public_only, struct jose_key **ret, struct fault *f)
{
    struct arena a; /* of nodes only: it holds places in the text, not its bytes */
    struct json j;
    if (jwk.n > JOSE_TOKEN_MAX)
        return fault_set(f, ERR_LIMIT, "a JWK is at most %d bytes", JOSE_TOKEN_MAX);
    struct jose_key *k = calloc(1, sizeof(*k));
    if (!k)
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    arena_init(&a, 1u << 20);
    struct json_limits l = {.depth = 8, .nodes = 256};
    enum err e = json_parse(&j, jwk, &a, &l, f);
    if (!e)
        e = key_fill(&j, public_only, k, f);
    arena_done(&a);
    if (e) {
        jose_key_free(k);
        return e;
    }
    key_thumbprint(k);
    *ret = k;
    return ERR_OK;
}

static enum err key_generate_p256(struct jose_key *k, struct fault *f)
{
    unsigned char point[65], *d;
    size_t n = 0;
    BIGNUM *number = NULL;
    k->pkey = EVP_EC_gen("P-256");
    bool ok = k->pkey &&
              EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) == 1 &&
              n == 65 && EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
              (k->secret = secret_alloc(32, &d)) && BN_bn2binpad(number, d, 32) == 32;
    BN_clear_free(number);
    if (!ok)
        return fault_set(f, ERR_INTERNAL, "OpenSSL made no key");
    memcpy(k->x, point + 1, 32);
    memcpy(k->y, point + 33, 32);
    return ERR_OK;
}

enum err jose_key_generate(enum jose_alg alg, struct jose_key **ret, struct fault *f)
{
    unsigned char *full;
    struct jose_key *k = calloc(1, sizeof(*k));
    enum err e = ERR_OK;
    if (!k)
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    k->alg = alg;
    if (alg == JOSE_ES256)
        e = key_generate_p256(k, f);
    else if (alg == JOSE_EDDSA && (k->secret = secret_alloc(crypto_sign_SECRETKEYBYTES, &full)))
        crypto_sign_keypair(k->x, full);
    else
        e = fault_set(f, ERR_INTERNAL, "no key of this algorithm can be made");
    if (e) {
        jose_key_free(k);
        return e;
    }
    key_thumbprint(k);
    *ret = k;
    return ERR_OK;
}

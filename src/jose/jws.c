/* JWS in compact form (RFC 7515 section 3.1, 5, 7.1; RFC 8725 for what to refuse). */
#include <openssl/ecdsa.h>
#include <sodium.h>

#include "base/enc.h"
#include "jose/key.h"

enum { SIGNATURE_BYTES = 64 };

struct jws_parts {
    struct str header, payload, signature, signed_bytes; /* encoded */
};

static enum err jws_split(struct str token, struct jws_parts *ret, struct fault *f)
{
    struct str rest = token;
    if (token.n > JOSE_TOKEN_MAX)
        return fault_set(f, ERR_TOKEN, "the token is longer than %d bytes", JOSE_TOKEN_MAX);
    if (!str_cut(&rest, '.', &ret->header) || !str_cut(&rest, '.', &ret->payload) ||
        memchr(rest.n ? rest.p : "", '.', rest.n))
        return fault_set(f, ERR_TOKEN, "a token has three parts with dots between them");
    ret->signature = rest;
    ret->signed_bytes = (struct str){token.p, ret->header.n + 1 + ret->payload.n};
    return ERR_OK;
}

static enum err jws_decode(struct str part, const char *what, struct arena *a, struct str *ret, struct fault *f)
{
    unsigned char *out = arena_raw(a, part.n + 1, 1);
    size_t n;
    if (!out)
        return fault_set(f, ERR_NOMEM, "no memory for a token");
    if (enc_unb64url(part, out, part.n + 1, &n))
        return fault_set(f, ERR_TOKEN, "the token's %s is not base64url without padding", what);
    *ret = (struct str){(char *)out, n};
    return ERR_OK;
}

/* Members that would make the header choose the key or change how the token is read. */
static const char *const jws_refused[] = {"crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "zip", "enc"};

static enum err jws_object(struct str part, const char *what, const struct json_limits *l, struct arena *a,
                           struct json *ret, struct fault *f)
{
    struct str text;
    struct fault inner;
    TRY(jws_decode(part, what, a, &text, f));
    enum err e = json_parse(ret, text, a, l, &inner);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory for a token");
    if (e || json_type(ret, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_TOKEN, "the token's %s is not a JSON object", what);
    return ERR_OK;
}

static enum err jws_header(struct str part, struct arena *a, struct json *ret, struct fault *f)
{
    struct json_limits l = {.depth = 4, .nodes = 64};
    TRY(jws_object(part, "header", &l, a, ret, f));
    for (size_t i = 0; i < sizeof(jws_refused) / sizeof(jws_refused[0]); i++)
        if (json_get(ret, JSON_ROOT, str_of(jws_refused[i])))
            return fault_set(f, ERR_TOKEN, "the token's header holds \"%s\", which is not taken", jws_refused[i]);
    return ERR_OK;
}

enum err jose_peek(struct str token, struct arena *a, struct jose_peek *ret, struct fault *f)
{
    struct jws_parts p;
    struct json h, claims;
    struct json_limits l = {.depth = 16, .nodes = 1024};
    TRY(jws_split(token, &p, f));
    TRY(jws_header(p.header, a, &h, f));
    TRY(jws_object(p.payload, "payload", &l, a, &claims, f));
    *ret = (struct jose_peek){
        .kid = json_str(&h, json_get(&h, JSON_ROOT, STR("kid")), a),
        .alg = json_str(&h, json_get(&h, JSON_ROOT, STR("alg")), a),
        .typ = json_str(&h, json_get(&h, JSON_ROOT, STR("typ")), a),
        .claims = claims,
    };
    return ERR_OK;
}

static bool jws_typ_is(struct str typ, const char *want)
{
    if (!want)
        return true;
    if (typ.n > 12 && str_ieq((struct str){typ.p, 12}, STR("application/")))
        typ = str_skip(typ, 12);
    return str_ieq(typ, str_of(want));
}

/* r and s, each 32 bytes (RFC 7518 section 3.4), from and to the DER that OpenSSL wants. */
static bool jws_es256_verify(const struct jose_key *k, struct str bytes, const unsigned char sig[SIGNATURE_BYTES])
{
    ECDSA_SIG *s = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(sig, 32, NULL), *t = BN_bin2bn(sig + 32, 32, NULL);
    if (!s || !r || !t || !ECDSA_SIG_set0(s, r, t)) {
        BN_free(r);
        BN_free(t);
        ECDSA_SIG_free(s);
        return false;
    }
    unsigned char *der = NULL;
    int n = i2d_ECDSA_SIG(s, &der);
    bool ok = n > 0 && jose_signed(k, bytes, (struct str){(const char *)der, (size_t)n});
    OPENSSL_free(der);
    ECDSA_SIG_free(s);
    return ok;
}

static bool jws_es256_sign(const struct jose_key *k, struct str bytes, unsigned char sig[SIGNATURE_BYTES])
{
    unsigned char der[128];
    size_t n = sizeof(der);
    const unsigned char *at = der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
              EVP_DigestSign(ctx, der, &n, (const unsigned char *)bytes.p, bytes.n) == 1;
    ECDSA_SIG *s = ok ? d2i_ECDSA_SIG(NULL, &at, (long)n) : NULL;
    ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32) == 32;
    ECDSA_SIG_free(s);
    EVP_MD_CTX_free(ctx);
    return ok;
}

enum err jose_verify(const struct jose_key *k, struct str token, const char *typ, struct arena *a,
                     struct str *ret_payload, struct fault *f)
{
    struct jws_parts p;
    struct json h;
    struct str signature = STR_NONE, payload = STR_NONE;
    TRY(jws_split(token, &p, f));
    TRY(jws_header(p.header, a, &h, f));
    if (!json_str_is(&h, json_get(&h, JSON_ROOT, STR("alg")), str_of(jose_alg_name(k->alg))))
        return fault_set(f, ERR_TOKEN, "the token is not signed with %s, the algorithm of its key",
                         jose_alg_name(k->alg));
    if (!jws_typ_is(json_str(&h, json_get(&h, JSON_ROOT, STR("typ")), a), typ))
        return fault_set(f, ERR_TOKEN, "the token's typ must be %s", typ);
    TRY(jws_decode(p.signature, "signature", a, &signature, f));
    TRY(jws_decode(p.payload, "payload", a, &payload, f));
    bool good = signature.n == SIGNATURE_BYTES &&
                (k->alg == JOSE_EDDSA ? jose_signed(k, p.signed_bytes, signature)
                                      : jws_es256_verify(k, p.signed_bytes, (const unsigned char *)signature.p));
    if (!good)
        return fault_set(f, ERR_TOKEN, "the token's signature is not that of the key");
    *ret_payload = payload;
    return ERR_OK;
}

static void jws_put(struct buf *out, const void *p, size_t n)
{
    if (buf_reserve(out, (4 * n + 2) / 3 + 1))
        out->n += enc_b64url(p, n, out->p + out->n);
}

static enum err jws_append(const struct jose_key *k, const char *typ, struct str payload, struct buf *out,
                           struct fault *f)
{
    unsigned char sig[SIGNATURE_BYTES];
    struct buf h;
    size_t from = out->n;
    buf_init(&h, 512);
    buf_fmt(&h, "{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"%s\"}", jose_alg_name(k->alg), typ, k->thumbprint);
    jws_put(out, h.p, h.n);
    bool whole = !buf_failed(&h);
    buf_done(&h);
    buf_char(out, '.');
    jws_put(out, payload.p, payload.n);
    if (!whole || buf_failed(out))
        return fault_set(f, ERR_NOMEM, "no memory for a token");
    struct str bytes = {out->p + from, out->n - from};
    bool ok = k->alg == JOSE_EDDSA ? crypto_sign_detached(sig, NULL, (const unsigned char *)bytes.p, bytes.n,
                                                          secret_bytes(k->secret)) == 0
                                   : jws_es256_sign(k, bytes, sig);
    if (!ok)
        return fault_set(f, ERR_INTERNAL, "the token could not be signed");
    buf_char(out, '.');
    jws_put(out, sig, sizeof(sig));
    if (buf_failed(out))
        return fault_set(f, ERR_NOMEM, "no memory for a token");
    if (out->n - from > JOSE_TOKEN_MAX) /* nobody here would take it */
        return fault_set(f, ERR_LIMIT, "the token would be longer than %d bytes", JOSE_TOKEN_MAX);
    return ERR_OK;
}

enum err jose_sign(const struct jose_key *k, const char *typ, struct str payload, struct buf *out, struct fault *f)
{
    size_t before = out->n;
    if (!k->secret)
        return fault_set(f, ERR_INTERNAL, "a public key cannot sign");
    enum err e = jws_append(k, typ, payload, out, f);
    if (e)
        out->n = before;
    return e;
}

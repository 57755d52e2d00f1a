#include "base/enc.h"
#include "passkey/inner.h"

/* The members by their numbers (RFC 9053 section 7), and what each must be for the two kinds of keys. */
enum { COSE_KTY = 1, COSE_ALG = 3, COSE_CRV = -1, COSE_X = -2, COSE_Y = -3 };
enum { COSE_ES256 = -7, COSE_EDDSA = -8 };
enum { COSE_OKP = 1, COSE_EC2 = 2, COSE_P256 = 1, COSE_ED25519 = 6, COSE_COORDINATE = 32 };

struct cose_key {
    int64_t kty, alg, crv; /* 0: not there, which none of them can be */
    struct str x, y;
};

static enum err cose_value(struct cose_key *k, int64_t name, const struct cbor_item *v, struct fault *f)
{
    int64_t *number = name == COSE_KTY ? &k->kty : name == COSE_ALG ? &k->alg : name == COSE_CRV ? &k->crv : NULL;
    struct str *bytes = name == COSE_X ? &k->x : name == COSE_Y ? &k->y : NULL;
    if (number && cbor_integer(v, number))
        return ERR_OK;
    if (bytes && v->type == CBOR_BYTES && v->bytes.n == COSE_COORDINATE) {
        *bytes = v->bytes;
        return ERR_OK;
    }
    return fault_set(f, ERR_PASSKEY, "the passkey's public key: member %lld is not one that such a key has",
                     (long long)name);
}

/* Checked as a whole before: no member is there twice. */
static enum err cose_members(struct cbor *c, struct cose_key *k, struct fault *f)
{
    struct fault inner = {0};
    struct cbor_item head, name, value;
    int64_t number;
    enum err e = cbor_next(c, &head, &inner);
    for (uint64_t i = 0; !e && i < head.number; i++) {
        e = cbor_next(c, &name, &inner);
        if (!e)
            e = cbor_next(c, &value, &inner);
        if (!e && !cbor_integer(&name, &number))
            return fault_set(f, ERR_PASSKEY, "the passkey's public key: its members have numbers for names");
        if (!e)
            TRY(cose_value(k, number, &value, f));
    }
    return e ? passkey_syntax(f, "the passkey's public key", &inner) : ERR_OK;
}

enum err passkey_cose_jwk(struct str cose, struct arena *a, struct str *ret, struct fault *f)
{
    struct cbor c = {.text = cose};
    struct cose_key k = {0};
    struct str jwk;
    char x[64], y[64];
    TRY(cose_members(&c, &k, f));
    bool es256 = k.alg == COSE_ES256 && k.kty == COSE_EC2 && k.crv == COSE_P256 && k.x.n && k.y.n;
    bool eddsa = k.alg == COSE_EDDSA && k.kty == COSE_OKP && k.crv == COSE_ED25519 && k.x.n && !k.y.n;
    if (!es256 && !eddsa)
        return fault_set(f, ERR_PASSKEY,
                         "the passkey's public key must be ES256 over P-256 (-7) or EdDSA over Ed25519 (-8)");
    enc_b64url(k.x.p, COSE_COORDINATE, x);
    if (es256) {
        enc_b64url(k.y.p, COSE_COORDINATE, y);
        jwk = arena_fmt(a, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"alg\":\"ES256\"}", x, y);
    } else {
        jwk = arena_fmt(a, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\",\"alg\":\"EdDSA\"}", x);
    }
    if (!jwk.n)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    *ret = jwk;
    return ERR_OK;
}

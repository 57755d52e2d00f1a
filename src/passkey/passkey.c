#include "base/enc.h"
#include "passkey/inner.h"

enum err passkey_syntax(struct fault *f, const char *what, const struct fault *inner)
{
    return fault_set(f, ERR_PASSKEY, "%s: %s", what, inner->text);
}

/* ---- making one ---- */

/* attestationObject (section 6.5.4) has three members. The statement is not read: none was asked for. */
struct attestation {
    bool format, statement;
    struct str data;
};

static enum err attestation_member(struct cbor *c, struct attestation *o, struct fault *f, struct fault *inner)
{
    struct cbor_item name, value;
    struct str whole;
    TRY(cbor_next(c, &name, inner));
    struct cbor before = *c;
    TRY(cbor_next(c, &value, inner));
    if (name.type == CBOR_TEXT && str_is(name.bytes, "fmt") && value.type == CBOR_TEXT) {
        o->format = true;
    } else if (name.type == CBOR_TEXT && str_is(name.bytes, "authData") && value.type == CBOR_BYTES) {
        o->data = value.bytes;
    } else if (name.type == CBOR_TEXT && str_is(name.bytes, "attStmt") &&
               (value.type == CBOR_MAP || value.type == CBOR_ARRAY)) {
        o->statement = true;
        *c = before;
        return cbor_whole(c, &whole, inner);
    } else {
        return fault_set(f, ERR_PASSKEY, "attestationObject: fmt, attStmt and authData, and nothing else, are in it");
    }
    return ERR_OK;
}

static enum err attestation_read(struct str bytes, struct str *ret_data, struct fault *f)
{
    struct attestation o = {0};
    struct cbor c = {.text = bytes}, in = c;
    struct cbor_item head;
    struct str whole;
    struct fault inner = {0};
    if (bytes.n > PASSKEY_OBJECT_MAX)
        return fault_set(f, ERR_PASSKEY, "attestationObject is longer than %d bytes", PASSKEY_OBJECT_MAX);
    if (cbor_whole(&c, &whole, &inner) || cbor_next(&in, &head, &inner))
        return passkey_syntax(f, "attestationObject", &inner);
    if (c.at != bytes.n)
        return fault_set(f, ERR_PASSKEY, "attestationObject: %zu bytes too many", bytes.n - c.at);
    if (head.type != CBOR_MAP)
        return fault_set(f, ERR_PASSKEY, "attestationObject is no map");
    for (uint64_t i = 0; i < head.number; i++) {
        enum err e = attestation_member(&in, &o, f, &inner);
        if (e)
            return e == ERR_SYNTAX ? passkey_syntax(f, "attestationObject", &inner) : e;
    }
    if (!o.format || !o.statement || !o.data.p)
        return fault_set(f, ERR_PASSKEY, "attestationObject: one of fmt, attStmt and authData is missing");
    *ret_data = o.data;
    return ERR_OK;
}

/* The numbers may be no point on the curve: what is kept is a key. */
static enum err register_key(struct str cose, struct arena *a, struct str *ret_jwk, struct fault *f)
{
    struct jose_key *k CLEANUP(jose_key_freep) = NULL;
    struct str jwk;
    struct fault inner = {0};
    TRY(passkey_cose_jwk(cose, a, &jwk, f));
    enum err e = jose_key_parse(jwk, true, &k, &inner);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory for a passkey");
    if (e)
        return passkey_syntax(f, "the passkey's public key", &inner);
    *ret_jwk = jwk;
    return ERR_OK;
}

enum err passkey_register(const struct passkey_party *party, struct str challenge, struct str client_data,
                          struct str attestation_object, struct arena *a, struct passkey_new *ret, struct fault *f)
{
    struct str data, jwk;
    struct passkey_data d;
    TRY(passkey_client_check(party, "webauthn.create", challenge, client_data, a, f));
    TRY(attestation_read(attestation_object, &data, f));
    TRY(passkey_data_read(party, data, true, &d, f));
    TRY(register_key(d.cose, a, &jwk, f));
    struct str id = arena_str(a, d.id);
    if (!id.n)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    *ret = (struct passkey_new){.id = id, .jwk = jwk, .count = d.count, .may_back_up = d.may_back_up};
    return ERR_OK;
}

/* ---- signing with one ---- */

/* What is signed: authenticatorData, and behind it the hash of what the browser said. */
static enum err assert_signature(const struct jose_key *key, const struct passkey_proof *proof, struct arena *a,
                                 struct fault *f)
{
    unsigned char hash[SHA256_BYTES];
    enc_sha256(proof->client_data.p, proof->client_data.n, hash);
    struct str bytes = ARENA_JOIN(a, proof->authenticator_data, ((struct str){(const char *)hash, sizeof(hash)}));
    if (!bytes.n)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    if (proof->signature.n > PASSKEY_SIGNATURE_MAX || !jose_signed(key, bytes, proof->signature))
        return fault_set(f, ERR_PASSKEY, "the signature is not that of this passkey");
    return ERR_OK;
}

enum err passkey_assert(const struct passkey_party *party, struct str challenge, const struct passkey_known *known,
                        const struct passkey_proof *proof, struct arena *a, uint32_t *ret_count, struct fault *f)
{
    struct passkey_data d;
    TRY(passkey_client_check(party, "webauthn.get", challenge, proof->client_data, a, f));
    TRY(passkey_data_read(party, proof->authenticator_data, false, &d, f));
    TRY(assert_signature(known->key, proof, a, f));
    if (d.may_back_up != known->may_back_up)
        return fault_set(f, ERR_PASSKEY, "authenticatorData: whether it may be backed up (BE) has changed");
    if ((d.count || known->count) && d.count <= known->count)
        return fault_set(f, ERR_PASSKEY,
                         "the passkey's count of signatures did not grow: there may be a copy of its key; remove it");
    *ret_count = d.count;
    return ERR_OK;
}

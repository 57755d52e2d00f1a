/*
 * JOSE, the small part that is safe: JWK (RFC 7517, 8037), thumbprints (RFC 7638), JWS in compact form (RFC 7515) with
 * EdDSA over Ed25519 (libsodium) and ES256 (OpenSSL). One algorithm is pinned to each key; the header must name just
 * that one. There is no "none", no HMAC, no RSA, no key from a header, no compression, no critical extension.
 *
 * Pure: no I/O. A key never changes after it was made; any thread may use it.
 */
#ifndef JOSE_JOSE_H
#define JOSE_JOSE_H

#include "base/json.h"
#include "base/secret.h"

enum jose_alg { JOSE_NONE = 0, JOSE_EDDSA, JOSE_ES256 };

#define JOSE_THUMBPRINT 44   /* base64url of SHA-256 and a zero */
#define JOSE_TOKEN_MAX  8192 /* bytes of a compact JWS */

struct jose_key;
/* A JWK with "kty" OKP/Ed25519 or EC/P-256. Everything in it must fit: sizes, the point on the curve, "alg", "use",
 * "key_ops". Private members make a private key; with `public_only` they are refused, since a private key does not
 * belong here. */
enum err jose_key_parse(struct str jwk, bool public_only, struct jose_key **ret, struct fault *f) MUST_USE;
enum err jose_key_generate(enum jose_alg alg, struct jose_key **ret, struct fault *f) MUST_USE;
void jose_key_free(struct jose_key *k);
void jose_key_freep(struct jose_key **k);

enum jose_alg jose_key_alg(const struct jose_key *k);
const char *jose_alg_name(enum jose_alg alg); /* "EdDSA", "ES256" */
bool jose_key_private(const struct jose_key *k);
const char *jose_key_thumbprint(const struct jose_key *k); /* also its kid */
/* {"kty":…,"kid":…,"alg":…,"use":"sig"} */
void jose_key_write_public(const struct jose_key *k, struct buf *out);
enum err jose_key_write_private(const struct jose_key *k, struct secret **ret, struct fault *f) MUST_USE;

/* Appends header.payload.signature to out. typ as "at+jwt" or "JWT". ERR_LIMIT when it became longer than
 * JOSE_TOKEN_MAX. */
enum err jose_sign(const struct jose_key *k, const char *typ, struct str payload, struct buf *out,
                   struct fault *f) MUST_USE;

/* What a compact token says of itself before anything is proved; only for finding the key. */
struct jose_peek {
    struct str kid, alg, typ; /* may be empty */
    struct json claims;       /* unproved! */
};
enum err jose_peek(struct str token, struct arena *a, struct jose_peek *ret, struct fault *f) MUST_USE;
/* ERR_TOKEN unless the signature is this key's. typ: wanted value, case-insensitive, "application/" may stand before
 * it; NULL: any. *ret_payload is in the arena. */
enum err jose_verify(const struct jose_key *k, struct str token, const char *typ, struct arena *a,
                     struct str *ret_payload, struct fault *f) MUST_USE;

/* A bare signature of these bytes: 64 bytes of Ed25519; of ES256 the DER form, which Web Authentication has. */
bool jose_signed(const struct jose_key *k, struct str bytes, struct str signature) MUST_USE;

#endif

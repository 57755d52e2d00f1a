/* What the parts of the room share. Not for others. */
#ifndef PASSKEY_INNER_H
#define PASSKEY_INNER_H

#include "passkey/cbor.h"
#include "passkey/passkey.h"

/* client.c: clientDataJSON is of this party, type and challenge. */
enum err passkey_client_check(const struct passkey_party *party, const char *type, struct str challenge,
                              struct str client_data, struct arena *a, struct fault *f) MUST_USE;

/* authenticator.c: authenticatorData (section 6.1). */
struct passkey_data {
    struct str id, cose; /* of a new one; views */
    uint32_t count;
    bool may_back_up;
};
/* `fresh`: a passkey was just made, so that it has to be in there; else it must not. */
enum err passkey_data_read(const struct passkey_party *party, struct str bytes, bool fresh, struct passkey_data *ret,
                           struct fault *f) MUST_USE;

/* cose.c: a public key as COSE has it (RFC 9052, 9053; section 5.8.5) as a JWK, which jose_key_parse takes. */
enum err passkey_cose_jwk(struct str cose, struct arena *a, struct str *ret, struct fault *f) MUST_USE;

/* What a reader of CBOR found, said of `what`, as an error of a passkey. */
enum err passkey_syntax(struct fault *f, const char *what, const struct fault *inner) MUST_USE;

#endif

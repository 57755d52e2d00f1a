/*
 * Passkeys: the relying party's side of Web Authentication Level 3 (https://www.w3.org/TR/webauthn-3/, sections 7.1 and
 * 7.2). What a browser hands over when a passkey is made, and when one signs a challenge, is judged here; nothing is
 * kept. Always wanted: the very challenge, origin and rpId, a user who was present and whom the authenticator verified.
 *
 * A key is ES256 over P-256 or Ed25519. No attestation is asked for and none is believed: which make of authenticator
 * this is, is not known. Nothing may stand behind what is read, no member may come twice, and all is bounded.
 *
 * Pure: no I/O, no clock. Any thread. All bytes are raw: base64url is the caller's business.
 */
#ifndef PASSKEY_PASSKEY_H
#define PASSKEY_PASSKEY_H

#include "jose/jose.h"

enum {
    PASSKEY_ID_MAX = 1023,          /* bytes of a credential's id (section 4, "Credential ID") */
    PASSKEY_CHALLENGE_MIN = 16,     /* bytes; fewer could be guessed (section 13.4.3) */
    PASSKEY_CHALLENGE_MAX = 64,     /* bytes */
    PASSKEY_CLIENT_DATA_MAX = 4096, /* bytes of clientDataJSON */
    PASSKEY_OBJECT_MAX = 16384,     /* bytes of an attestationObject, and of authenticatorData */
    PASSKEY_SIGNATURE_MAX = 72,     /* bytes; DER of two numbers of 256 bits */
};

struct passkey_party {
    struct str id;     /* "gate.example.com": the host without its port */
    struct str origin; /* "https://gate.example.com:8421"; as a browser writes it: lower case, no default port */
};

struct passkey_new {
    struct str id;    /* 1 to PASSKEY_ID_MAX bytes, in the arena */
    struct str jwk;   /* the public key, JSON, in the arena; jose_key_parse takes it */
    uint32_t count;   /* of signatures; many authenticators always say 0 */
    bool may_back_up; /* it may be on several devices of one account (backup eligible); never changes */
};

/* One that was just made. The caller has made sure that the challenge was its own, is fresh and not used before, and
 * looks whether the id is known already. ERR_PASSKEY says what is wrong with it; ERR_NOMEM. */
enum err passkey_register(const struct passkey_party *party, struct str challenge, struct str client_data,
                          struct str attestation_object, struct arena *a, struct passkey_new *ret,
                          struct fault *f) MUST_USE;

struct passkey_known {
    const struct jose_key *key; /* public */
    uint32_t count;             /* as of the last use */
    bool may_back_up;
};

struct passkey_proof {
    struct str client_data, authenticator_data, signature;
    struct str user_handle; /* "" when there is none. For who keeps people: passkey_assert does not look at it */
};

/* One that signed. The count must have grown, unless both are 0: else somebody has a copy of the key. The caller keeps
 * *ret_count before it acts. ERR_PASSKEY says what is wrong with it; ERR_NOMEM. */
enum err passkey_assert(const struct passkey_party *party, struct str challenge, const struct passkey_known *known,
                        const struct passkey_proof *proof, struct arena *a, uint32_t *ret_count,
                        struct fault *f) MUST_USE;

#endif

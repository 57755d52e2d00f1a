/* The inside of a key, for key.c and jws.c. Not for others. */
#ifndef JOSE_KEY_H
#define JOSE_KEY_H

#include <openssl/evp.h>

#include "jose/jose.h"

struct jose_key {
    enum jose_alg alg;
    unsigned char x[32], y[32]; /* Ed25519: x is the public key */
    struct secret *secret;      /* Ed25519: libsodium's 64 bytes; P-256: 32 bytes; NULL: public only */
    EVP_PKEY *pkey;             /* P-256 */
    char thumbprint[JOSE_THUMBPRINT];
};

#endif

/* The agent's side: a client assertion (private_key_jwt; RFC 7523 section 2.2, 3), for the command line. */
#ifndef IDENTITY_ASSERTION_H
#define IDENTITY_ASSERTION_H

#include "jose/jose.h"

enum err assertion_make(const struct jose_key *key, struct str agent, struct str issuer, struct buf *out,
                        struct fault *f) MUST_USE;

#endif

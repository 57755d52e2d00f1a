/*
 * The gateway's own signing keys: made at the first start in <data_dir>/keys/, one file a key, mode 0600. The newest
 * signs; the others only verify what they signed before. Loaded at start; any thread may read.
 */
#ifndef IDENTITY_KEYS_H
#define IDENTITY_KEYS_H

#include "jose/jose.h"

struct keys;
/* Makes a key of this algorithm when there is none. ERR_IO, ERR_CORRUPT. */
enum err keys_open(const char *dir, enum jose_alg alg, struct keys **ret, struct fault *f) MUST_USE;
void keys_free(struct keys *k);
const struct jose_key *keys_signing(const struct keys *k);
const struct jose_key *keys_find(const struct keys *k, struct str kid); /* NULL: not ours */
void keys_jwks(const struct keys *k, struct buf *out);                  /* RFC 7517 section 5 */

#endif

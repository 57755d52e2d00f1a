/*
 * Passkeys of people (identity/people.h), for the console. All of them in memory, written through to the store. Each is
 * one person's, and for one rpId: under another name of the gateway it is as if it were not there. They go with their
 * person.
 *
 * Threads: looking from any thread, without waiting for the disk. Changes, and passkeys_prove, block on the store: pool
 * threads only.
 */
#ifndef IDENTITY_PASSKEYS_H
#define IDENTITY_PASSKEYS_H

#include "identity/people.h"
#include "passkey/passkey.h"

enum { PASSKEYS_OF_PERSON = 10 /* for each rpId */, PASSKEYS_NAME = 64, PASSKEYS_USER = 32 };

struct passkeys;
/* Loads all; from then on those of a person who is dropped go, too. To be freed before `people`. */
enum err passkeys_new(struct store *store, struct people *people, struct passkeys **ret, struct fault *f) MUST_USE;
void passkeys_free(struct passkeys *p);

/* The one of this id (raw) for this rpId; a copy in the arena. ERR_NOT_FOUND. */
enum err passkeys_find(struct passkeys *p, struct str rp, struct str id, struct arena *a, struct store_passkey *ret,
                       struct fault *f) MUST_USE;
/* Those of a person, the oldest first; with an empty rp for every rpId. What the callback gets lives until it returns,
 * and it must not call anything of here. */
void passkeys_each(struct passkeys *p, struct str person, struct str rp,
                   void (*one)(void *ctx, const struct store_passkey *k), void *ctx);

/* A new one: id, person, rp, jwk, name, count, may_back_up of `wish`; `created` is now. *ret_created may be NULL.
 * ERR_PARAMS: the name; ERR_EXISTS: this id is known; ERR_LIMIT: the person has PASSKEYS_OF_PERSON; ERR_NOT_FOUND:
 * there is no such person (any more). */
enum err passkeys_put(struct passkeys *p, const struct store_passkey *wish, int64_t *ret_created,
                      struct fault *f) MUST_USE;
enum err passkeys_drop(struct passkeys *p, struct str person, struct str id,
                       struct fault *f) MUST_USE; /* ERR_NOT_FOUND */

/* Whose passkey has signed this challenge: found by id for the party's rpId, judged by passkey_assert, its user handle
 * (when there is one) held against its person's, its count and the time written down. Of two with the same count one is
 * refused. *ret is a copy in the arena; whether the person may sign in is for the caller to say (people_find).
 * ERR_PASSKEY for whatever is wrong with it, also when the id is not known; ERR_NOMEM, ERR_STORE. */
enum err passkeys_prove(struct passkeys *p, const struct passkey_party *party, struct str challenge, struct str id,
                        const struct passkey_proof *proof, struct arena *a, struct store_passkey *ret,
                        struct fault *f) MUST_USE;

/* The user handle ("user.id" when a passkey is made): a hash, so that an authenticator keeps one passkey of each
 * person. */
void passkeys_user(struct str person, unsigned char ret[PASSKEYS_USER]);

#endif

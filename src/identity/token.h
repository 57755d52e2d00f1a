/*
 * Access tokens (RFC 9068): a signed name of a session, for minutes. The lease decides what it may do; the token only
 * proves which one is meant. A verified token is remembered by its SHA-256 until it ends, so that the next call costs
 * one digest and one look.
 */
#ifndef IDENTITY_TOKEN_H
#define IDENTITY_TOKEN_H

#include "identity/keys.h"
#include "store/lease.h"

/* Appends the token of an open lease. issuer and audience as in the metadata. */
enum err token_mint(const struct keys *k, const struct lease *l, struct str issuer, struct str audience,
                    struct buf *out, struct fault *f) MUST_USE;

/* Remembered tokens of one worker; its thread only. */
struct token_cache;
struct token_cache *token_cache_new(void);
void token_cache_free(struct token_cache *c);
/* The lease behind a token, open now, with a reference for the caller. ERR_TOKEN, ERR_SESSION_ENDED. */
enum err token_verify(struct token_cache *c, const struct keys *k, struct lease_store *leases, struct str token,
                      struct str issuer, struct str audience, struct lease **ret, struct fault *f) MUST_USE;

#endif

/*
 * What a client is given when a call needs input first (requestState, MCP 2026-07-28 basic/patterns/mrtr): the server's
 * own state, or the number of a call that waits, sealed with a key of this process (XChaCha20-Poly1305) and bound to
 * the agent, its session and the very call. It says as well that the call was paid for, once: what is sent again is the
 * same call.
 *
 * Any thread.
 */
#ifndef GATE_SEAL_H
#define GATE_SEAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"

struct seals;                  /* a key, and which seals were used */
struct seals *seals_new(void); /* NULL: no memory */
void seals_free(struct seals *s);

/* A question that people said yes to, and to what. */
enum { CALL_GRANT_BY = 160 };
struct call_grant {
    char id[ENC_ID_MAX];               /* "apr_…"; empty: none */
    char by[CALL_GRANT_BY];            /* who */
    unsigned char bound[SHA256_BYTES]; /* approval_binding */
};

struct seal_of { /* whose and of what it is */
    struct str agent, session, server, method, name, digest;
};
struct seal {
    uint64_t ticket;         /* of a call that waits; 0: none does */
    struct str state;        /* the server's requestState as a JSON string; empty: it gave none */
    uint64_t nonce;          /* found by seal_read */
    struct call_grant grant; /* of a call that goes on: by which it was let through; of one that waits: its question */
};

/* In the arena, base64url. STR_NONE: no memory. */
struct str seal_write(const struct seals *s, const struct seal_of *of, const struct seal *v, int64_t until_ns,
                      struct arena *a);
/* ERR_REQUEST_STATE: it is none of ours, or of another call, session or agent; or too old. */
enum err seal_read(const struct seals *s, const struct seal_of *of, struct str text, int64_t now_ns, struct arena *a,
                   struct seal *ret, int64_t *ret_until_ns, struct fault *f) MUST_USE;
/* Is it used for the first time? One that cannot be noted counts as used. */
bool seal_spend(struct seals *s, uint64_t nonce, int64_t until_ns, int64_t now_ns);

#endif

/*
 * What a client is given when a call needs input first (requestState, MCP 2026-07-28 basic/patterns/mrtr): the server's
 * own state, or the number of a call that waits, sealed with a key of this process (XChaCha20-Poly1305) and bound to
 * the agent, its session and the very call. It says as well that the call was paid for, once: what is sent again is the
 * same call.
 *
 * One of a call that waits for a person says nothing but which question that is, and is good for nothing else: it is
 * sealed with a key that is kept, so that its client comes through a restart.
 *
 * Any thread.
 */
#ifndef GATE_REQUEST_STATE_H
#define GATE_REQUEST_STATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/err.h"

struct request_states;                           /* a key, and which states were used */
struct request_states *request_states_new(void); /* NULL: no memory */
/* (blocks) The key of those that last: read from this file, or made there. */
enum err request_states_keep(struct request_states *s, const char *path, struct fault *f) MUST_USE;
void request_states_free(struct request_states *s);

/* A question that people said yes to, and to what. */
enum { CALL_GRANT_BY = 160 };
struct call_grant {
    char id[ENC_ID_MAX];               /* "apr_…"; empty: none */
    char by[CALL_GRANT_BY];            /* who */
    unsigned char bound[SHA256_BYTES]; /* approval_binding */
};

struct request_state_of { /* whose and of what it is */
    struct str agent, session, server, method, name, digest;
    bool lasts; /* it is read by the next process, too: its times are those of the wall clock */
};
struct request_state {
    uint64_t ticket;         /* of a call that waits; 0: none does */
    struct str state;        /* the server's requestState as a JSON string; empty: it gave none */
    uint64_t nonce;          /* found by request_state_read */
    struct call_grant grant; /* of a call that goes on: by which it was let through; of one that waits: its question */
};

/* In the arena, base64url. STR_NONE: no memory. */
struct str request_state_write(const struct request_states *s, const struct request_state_of *of,
                               const struct request_state *v, int64_t until_ns, struct arena *a);
/* ERR_REQUEST_STATE: it is none of ours, or of another call, session or agent; or too old. */
enum err request_state_read(const struct request_states *s, const struct request_state_of *of, struct str text,
                            int64_t now_ns, struct arena *a, struct request_state *ret, int64_t *ret_until_ns,
                            struct fault *f) MUST_USE;
/* Is it used for the first time? One that cannot be noted counts as used. */
bool request_state_spend(struct request_states *s, uint64_t nonce, int64_t until_ns, int64_t now_ns);

#endif

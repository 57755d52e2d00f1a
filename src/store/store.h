/*
 * What must survive a restart: agents and their keys, pinned definitions of tools, what operators have stopped. One
 * shape (struct store_ops) for each kind of store; SQLite now.
 *
 * Every function blocks (a commit is a flush to the disk): they are called at start, or on a pool thread
 * (uv_queue_work), never on a worker's loop. They may be called from several threads. Strings handed out live until the
 * callback returns.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/str.h"

struct store_agent {
    struct str id, type, version, env, owner;
    struct str allowed, denied; /* JSON arrays of strings */
    int64_t created, expires;   /* wall clock, ms */
    int64_t max_sessions;
    bool enabled;
};

struct store_key {
    struct str agent, thumbprint /* RFC 7638, base64url */, jwk /* public */;
    int64_t created, retires; /* retires 0: in use; else the key proves nothing from then on */
};

struct store_pin {
    struct str tool; /* "orders/lookup_order" */
    struct str hash, definition /* canonical JSON */;
    int64_t first_seen, accepted; /* accepted 0: pinned at first sight, by nobody */
    struct str accepted_by;
};

struct store_stop {
    struct str agent; /* empty: everything is stopped */
    struct str reason, by;
    int64_t at; /* wall clock, ms */
};

struct store_approval {
    struct str id, sid, tool;
    int64_t state;       /* enum approval_state */
    int64_t ended;       /* wall clock, ms; 0: it has not */
    struct str question; /* a JSON object, written once; "" with a change: as it is */
    struct str standing; /* a JSON object: what changes */
};

struct store_held { /* a session that a question waits in */
    struct str sid, lease /* a JSON object */;
};

struct store_person {
    struct str name;
    struct str role;
    struct str groups;     /* a JSON array */
    struct str token_hash; /* SHA-256, hex; empty: no token */
    struct str slack, email, pagerduty;
    int64_t created;
    bool enabled;
};

struct store_passkey {
    struct str id;     /* raw bytes */
    struct str person; /* who must be there */
    struct str rp;     /* the rpId that it is for */
    struct str jwk, name;
    int64_t count;         /* of signatures, as of the last use */
    int64_t created, used; /* wall clock, ms; used 0: never */
    bool may_back_up;
};

struct store;
struct store_ops {
    const char *name;
    void (*close)(struct store *s);
    /* All agents, then all keys of agents that exist, the oldest first. */
    enum err (*load)(struct store *s, void (*agent)(void *ctx, const struct store_agent *a),
                     void (*key)(void *ctx, const struct store_key *k), void *ctx, struct fault *f);
    /* ERR_EXISTS: the id, or the key's thumbprint: a key is registered once, for ever and over all agents. */
    enum err (*agent_create)(struct store *s, const struct store_agent *a, const struct store_key *k, struct fault *f);
    enum err (*agent_update)(struct store *s, const struct store_agent *a, struct fault *f); /* ERR_NOT_FOUND */
    /* The agent's other keys retire at `old_retires`. */
    enum err (*agent_rotate)(struct store *s, const struct store_key *k, int64_t old_retires, struct fault *f);
    /* The keys' thumbprints stay, so that nobody can register them again. */
    enum err (*agent_delete)(struct store *s, struct str id, struct fault *f);
    /* All pins, by tool, without their definitions. */
    enum err (*pins_load)(struct store *s, void (*pin)(void *ctx, const struct store_pin *p), void *ctx,
                          struct fault *f);
    /* One pin, whole. ERR_NOT_FOUND. */
    enum err (*pin_read)(struct store *s, struct str tool, void (*pin)(void *ctx, const struct store_pin *p), void *ctx,
                         struct fault *f);
    /* All of them or none; each in the place of the tool's pin before, whose first_seen stays. */
    enum err (*pins_put)(struct store *s, const struct store_pin *p, size_t n, struct fault *f);
    enum err (*stops_load)(struct store *s, void (*stop)(void *ctx, const struct store_stop *p), void *ctx,
                           struct fault *f);
    /* In the place of the one before for the same agent, if there is one. The agent need not be registered any more. */
    enum err (*stop_put)(struct store *s, const struct store_stop *p, struct fault *f);
    enum err (*stop_lift)(struct store *s, struct str agent, struct fault *f); /* also where there is none */
    /* Questions that have not ended, or not before `since`: the oldest first. */
    enum err (*approvals_load)(struct store *s, int64_t since, void (*row)(void *ctx, const struct store_approval *p),
                               void *ctx, struct fault *f);
    /* One of them. ERR_NOT_FOUND. */
    enum err (*approval_read)(struct store *s, struct str id, void (*row)(void *ctx, const struct store_approval *p),
                              void *ctx, struct fault *f);
    /* All of them or none: questions, then the sessions that are held; a held one of which no question waits any more
     * is dropped. A question that ends keeps neither arguments nor words. */
    enum err (*approvals_put)(struct store *s, const struct store_approval *p, size_t n, const struct store_held *h,
                              size_t hn, struct fault *f);
    enum err (*approvals_prune)(struct store *s, int64_t ended_before, struct fault *f);
    enum err (*held_load)(struct store *s, void (*held)(void *ctx, const struct store_held *h), void *ctx,
                          struct fault *f);
    /* All people, by name. */
    enum err (*people_load)(struct store *s, void (*person)(void *ctx, const struct store_person *p), void *ctx,
                            struct fault *f);
    /* In the place of the one before of the name. ERR_EXISTS: another one has this token or this account. */
    enum err (*person_put)(struct store *s, const struct store_person *p, struct fault *f);
    /* With the person's passkeys. ERR_NOT_FOUND. */
    enum err (*person_drop)(struct store *s, struct str name, struct fault *f);
    /* All passkeys, the oldest first. */
    enum err (*passkeys_load)(struct store *s, void (*passkey)(void *ctx, const struct store_passkey *k), void *ctx,
                              struct fault *f);
    /* A new one. ERR_EXISTS: the id is known. ERR_NOT_FOUND: there is no such person. */
    enum err (*passkey_put)(struct store *s, const struct store_passkey *k, struct fault *f);
    enum err (*passkey_used)(struct store *s, struct str id, int64_t count, int64_t used,
                             struct fault *f);                                 /* ERR_NOT_FOUND */
    enum err (*passkey_drop)(struct store *s, struct str id, struct fault *f); /* ERR_NOT_FOUND */
};

struct store { /* first member of each kind */
    const struct store_ops *ops;
};

enum err store_sqlite_open(const char *path, struct store **ret, struct fault *f) MUST_USE;
static inline void store_close(struct store *s)
{
    if (s)
        s->ops->close(s);
}

#endif

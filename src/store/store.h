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

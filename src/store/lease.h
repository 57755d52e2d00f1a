/*
 * Leases: the sessions that are open, and the limits on them. A lease is one object: budget of calls, rate, networks,
 * scopes and expiry are checked and taken together. Every operation is one atomic request with a verdict, so that a
 * store that is shared by several nodes is the same shape (struct lease_ops); this one is in memory, sharded, with a
 * lock for each shard.
 *
 * Leases in memory end with the process: after a restart a session is over, and its agent opens a new one with its key.
 * But one in which a call waits for a person is opened again (identity/session.h, session_reopen).
 *
 * Threads: all functions from any thread. A struct lease is reference counted; its fields but the atomic ones never
 * change.
 */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "conf/conf.h"

/* STOPPED: by an operator's kill, with whatever was in flight. */
enum lease_state { LEASE_NONE = 0, LEASE_OPEN, LEASE_EXPIRED, LEASE_ENDED, LEASE_STOPPED };

struct lease {
    /* who */
    struct str sid, agent_id, agent_type, agent_version, agent_env, agent_owner;
    struct str user, tier, trigger; /* from a trusted side only; user and tier empty when an agent opened it itself */
    /* what */
    const struct str *scope; /* sorted; as granted when it was opened */
    size_t scope_count;
    const struct str *timed; /* of them, sorted, what nothing but a rule with hours gives */
    size_t timed_count;
    const struct str *denied; /* the agent's patterns of denied tools */
    size_t denied_count;
    struct conf_cidrs cidrs; /* empty: any network */
    struct conf_rate rate;
    int64_t max_calls;
    int64_t created, expires; /* wall clock, ms */
    int64_t expires_mono;     /* ns: a clock that is set back opens nothing */
    /* how it stands */
    _Atomic int state;       /* enum lease_state */
    _Atomic int64_t used;    /* calls taken */
    _Atomic unsigned parked; /* calls that wait for input */
    _Atomic unsigned refs;
    struct arena arena; /* of the strings */
    struct lease_store *store;
    struct lease *hash_next, *agent_next, **agent_link;
    struct lease_bucket *bucket;
};

struct lease_limits { /* of the configuration; a reload replaces them */
    struct conf_rate agent_rate;
    const struct conf_tool *tools;
    size_t tool_count;
};

struct lease_cap {
    struct str name;
    struct conf_rate rate;
};
enum { LEASE_CAPS = 8 };

enum lease_answer { LEASE_REFUSED = 0, LEASE_GRANTED };
struct lease_verdict {
    enum lease_answer answer; /* zero refuses */
    enum err err;             /* why: ERR_RATE, ERR_CALLS, ERR_SESSION_ENDED, ERR_SESSIONS */
    const char *limit;        /* which: "session", "agent", "tool", "agent and tool" */
    int64_t retry_after_ms;   /* with ERR_RATE */
};

struct lease_store;
struct lease_ops {
    const char *name;
    /* Puts a filled lease into the store, unless its agent has max_sessions open. Takes over the caller's reference. */
    void (*open)(struct lease_store *s, struct lease *l, int64_t max_sessions, struct lease_verdict *ret);
    struct lease *(*find)(struct lease_store *s, struct str sid); /* with a reference, in any state; NULL: unknown */
    /* One request: against the rates of session, agent, tool, and agent with tool, all or none of them. tool empty: no
     * tool. */
    void (*admit)(struct lease_store *s, struct lease *l, struct str tool, struct lease_verdict *ret);
    /* The same against rates of the agent that have names of their own (policies). At most LEASE_CAPS. */
    void (*cap)(struct lease_store *s, struct lease *l, const struct lease_cap *cap, unsigned n,
                struct lease_verdict *ret);
    /* One call of the budget. No race takes one too many. */
    void (*take)(struct lease_store *s, struct lease *l, struct lease_verdict *ret);
    /* Ends a session that is open. False: it was not, or is unknown. */
    bool (*end)(struct lease_store *s, struct str sid, enum lease_state how);
    size_t (*end_agent)(struct lease_store *s, struct str agent, enum lease_state how,
                        void (*ended)(void *ctx, struct lease *l), void *ctx);
    size_t (*open_count)(struct lease_store *s, struct str agent);
    /* Marks what has expired, hands each to `expired` once, and forgets leases that are long over. */
    void (*sweep)(struct lease_store *s, int64_t now_mono, void (*expired)(void *ctx, struct lease *l), void *ctx);
    /* Those that are open, each with a reference held during the call. */
    void (*each)(struct lease_store *s, void (*lease)(void *ctx, struct lease *l), void *ctx);
    void (*limits)(struct lease_store *s, struct conf *conf); /* keeps a reference */
    void (*close)(struct lease_store *s);
};
struct lease_store { /* first member of each kind */
    const struct lease_ops *ops;
};

enum err lease_memory_new(struct lease_store **ret, struct fault *f) MUST_USE;

/* An empty lease with one reference, to be filled with strings of its arena. NULL: no memory. */
struct lease *lease_new(void);
struct lease *lease_ref(struct lease *l);
void lease_unref(struct lease *l);
/* Is it open now? Looks at the clock, so that expiry does not wait for a sweep. */
bool lease_is_open(struct lease *l, int64_t now_mono);
static inline bool lease_stopped(const struct lease *l)
{
    return l->state == LEASE_STOPPED;
}
static inline struct str lease_sid(const struct lease *l)
{
    return l->sid;
}
static inline struct str lease_agent_id(const struct lease *l)
{
    return l->agent_id;
}

#endif

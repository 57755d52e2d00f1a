/*
 * The registry of agents: who may open sessions at all. All agents in memory, immutable and reference counted, written
 * through to the store. A change that narrows an agent ends its sessions at once (the caller does that: see
 * admin/agents.c).
 *
 * Threads: agents_find from any thread, without waiting for the disk. Changes block on the store: pool threads only.
 */
#ifndef IDENTITY_AGENTS_H
#define IDENTITY_AGENTS_H

#include "conf/conf.h"
#include "jose/jose.h"
#include "store/store.h"

struct agent_key {
    struct jose_key *key; /* public */
    int64_t created, retires;
};

struct agent {
    struct str id, type, version, env, owner;
    struct conf_strings allowed, denied; /* "server/tool"; '*' in denied only */
    int64_t created, expires, max_sessions;
    bool enabled;
    struct agent_key *key; /* the oldest first */
    size_t key_count;
    struct arena arena;
    _Atomic bool replaced; /* changed or deleted meanwhile: opens no session any more */
    _Atomic unsigned refs;
    struct agent *next;
};

struct agents;
enum err agents_new(struct store *store, struct agents **ret, struct fault *f) MUST_USE; /* loads all */
void agents_free(struct agents *r);

/* With a reference, or NULL. */
struct agent *agents_find(struct agents *r, struct str id);
void agents_each(struct agents *r, void (*agent)(void *ctx, struct agent *a), void *ctx); /* in no order */
struct agent *agent_ref(struct agent *a);
void agent_unref(struct agent *a);
void agent_unrefp(struct agent **a);

bool agent_denies(const struct agent *a, struct str tool_id);
/* May it open a session now? ERR_CLIENT_AUTH says why not. */
enum err agent_usable(const struct agent *a, int64_t now_ms, struct fault *f) MUST_USE;
/* May a signature of this key prove the agent now? kid: the thumbprint that the signature names; empty: it names none.
 */
bool agent_key_proves(const struct agent_key *k, struct str kid, int64_t now_ms);

struct agent_wish { /* what an operator asks for; zero and empty take the defaults of the configuration */
    struct str id, type, version, env, owner, jwk;
    struct conf_strings allowed, denied;
    int64_t expires; /* wall clock, ms */
    int64_t max_sessions;
};
/* ERR_PARAMS names the member that is wrong; ERR_EXISTS. *ret has a reference for the caller. */
enum err agents_create(struct agents *r, const struct agent_wish *w, const struct conf_root *conf, struct agent **ret,
                       struct fault *f) MUST_USE;
/* A new key; the old ones prove the agent for overlap_ms more. */
enum err agents_rotate(struct agents *r, struct str id, struct str jwk, int64_t overlap_ms, struct agent **ret,
                       struct fault *f) MUST_USE;
enum err agents_enable(struct agents *r, struct str id, bool enabled, struct agent **ret, struct fault *f) MUST_USE;
enum err agents_delete(struct agents *r, struct str id, struct fault *f) MUST_USE;

#endif

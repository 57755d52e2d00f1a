/*
 * The policies in force: one set at a time, for many readers and one that swaps it.
 */
#ifndef POLICY_FORCE_H
#define POLICY_FORCE_H

#include <pthread.h>

#include "policy/policy.h"
#include "store/store.h"

struct policy_force {
    pthread_rwlock_t lock;
    struct policy_set *set; /* NULL: none could be made; every call is denied */
    struct buf faults;      /* why the one that should be in force is not; empty: it is */
};
void policy_force_init(struct policy_force *f);
void policy_force_done(struct policy_force *f);
struct policy_set *policy_force_get(struct policy_force *f); /* with a reference; or NULL. Any thread */
/* Takes over the caller's reference. set NULL: the one before stays, and `faults` says why. */
void policy_force_put(struct policy_force *f, struct policy_set *set, struct str faults);
/* False: something else should be in force than is; *ret_faults, which may be NULL, gets the reasons. */
bool policy_force_ok(struct policy_force *f, struct buf *ret_faults);

/* For people and programs: version, files (texts: with their texts), what waits for its tools, and the faults that keep
 * something else from being in force. */
void policy_force_json(struct policy_force *f, bool texts, struct json_out *o);

/* The tools that are known: those that are served, and of the others the pinned definitions, so that a server that is
 * away takes no policy out of force. In the arena. Blocks on the store: pool threads only. */
enum err policy_facts(const struct catalogue *k, struct store *store, struct arena *a, const struct policy_fact **ret,
                      size_t *ret_n, struct fault *f) MUST_USE;

#endif

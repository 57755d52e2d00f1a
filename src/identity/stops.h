/*
 * What operators have stopped: agents, or everything. It is in force in memory first, so that a slow or full disk does
 * not keep anybody from stopping an agent, and in the store before the operator has an answer, so that it is still in
 * force after a restart. It stays until an operator lifts it, also when the agent is deleted and registered anew.
 *
 * A session that is stopped needs no entry: what waits in it for a person is void in the store before the operator has
 * an answer (approvals_settle), and other sessions do not survive a restart.
 *
 * Threads: stops_judge, stops_all and stops_each from any thread, without waiting for the disk. stops_keep and
 * stops_lift block on the store: pool threads only.
 */
#ifndef IDENTITY_STOPS_H
#define IDENTITY_STOPS_H

#include "store/store.h"

struct stops;
enum err stops_new(struct store *store, struct stops **ret, struct fault *f) MUST_USE; /* loads all */
void stops_free(struct stops *s);

/* May the agent go on? ERR_ALL_STOPPED, ERR_AGENT_STOPPED. */
enum err stops_judge(struct stops *s, struct str agent, struct fault *f) MUST_USE;
bool stops_all(const struct stops *s); /* is everything stopped? */

/* From now on, in memory. Of a second one for the same agent the reason holds. ERR_NOMEM. */
enum err stops_put(struct stops *s, const struct store_stop *stop, struct fault *f) MUST_USE;
/* The stop of this agent (empty: of everything) goes into the store, unless it was lifted meanwhile. ERR_STORE: it is
 * in force, and ends with the process. */
enum err stops_keep(struct stops *s, struct str agent, struct fault *f) MUST_USE;
/* ERR_NOT_FOUND: it is not stopped. ERR_STORE: it stays in force. */
enum err stops_lift(struct stops *s, struct str agent, struct fault *f) MUST_USE;
/* The one of everything first, if there is one. */
void stops_each(struct stops *s, void (*stop)(void *ctx, const struct store_stop *p), void *ctx);

#endif

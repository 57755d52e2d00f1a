/*
 * What has to be kept for protocol sessions of the legacy era (Mcp-Session-Id). The id itself is a sealed value
 * (session.c), so that a session has an entry only once there is something to keep: that it was ended by its client,
 * its stream, its log level, its subscriptions. All of a lease's entries are forgotten with the lease.
 *
 * One table for the process. Any thread.
 */
#ifndef MCP_SESSION_TABLE_H
#define MCP_SESSION_TABLE_H

#include "mcp/backlog.h"
#include "store/lease.h"

enum { SESSION_TABLE_MAX = 65536, SESSION_TABLE_OF_LEASE = 1024, SESSION_URIS = 256 };

struct session_table;
/* A subscription is over, whatever ended it. Any thread. */
typedef void session_released(void *ctx, const struct lease *l, struct str server, struct str uri);
struct session_table *session_table_new(session_released *released, void *ctx); /* NULL: no memory */
void session_table_free(struct session_table *t);

/* Who asks: a checked id and the lease that it belongs to. */
struct session_ref {
    struct lease *lease;
    struct str id;
};

/* Those that enter something fail with ERR_LIMIT or ERR_NOMEM, with ERR_NOT_FOUND when the session was deleted, and
 * with ERR_SESSION_ENDED when its lease is over. */
enum err session_table_delete(struct session_table *t, struct session_ref s, struct fault *f) MUST_USE;
bool session_table_deleted(struct session_table *t, struct session_ref s);

/* A new stream of the session, by number: it takes over from the one before. */
enum err session_table_stream(struct session_table *t, struct session_ref s, uint64_t *ret_number,
                              struct fault *f) MUST_USE;
/* Is it still the session's stream? */
bool session_table_has_stream(struct session_table *t, struct session_ref s, uint64_t number);

enum err session_table_level(struct session_table *t, struct session_ref s, int level, struct fault *f) MUST_USE;
int session_table_level_of(struct session_table *t, struct session_ref s); /* -1: never set */

/* *ret_new: it was not subscribed before. */
enum err session_table_subscribe(struct session_table *t, struct session_ref s, struct str server, struct str uri,
                                 bool *ret_new, struct fault *f) MUST_USE;
void session_table_unsubscribe(struct session_table *t, struct session_ref s, struct str uri);
bool session_table_subscribed(struct session_table *t, struct session_ref s, struct str server, struct str uri);

void session_table_forget(struct session_table *t, struct str sid); /* the lease is over */
size_t session_table_count(struct session_table *t);

/* What their clients were told on streams: forgotten with the session or the lease. */
struct backlogs *session_table_backlogs(struct session_table *t);

#endif

/*
 * The face to agents: MCP over Streamable HTTP at /mcp (all servers, `server__tool` names) and /mcp/{server} (one, no
 * prefix), in both eras on the same endpoint.
 *
 * One `struct mcp_worker` for each worker; everything on its thread. The agent's session is the lease that its access
 * token names; MCP's own session (Mcp-Session-Id, legacy era) only tells apart the clients that share a lease, and is a
 * sealed value, so that nothing has to be kept for it but what it asked to be kept (mcp/session_table.h).
 */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include "conf/slot.h"
#include "gate/gate.h"
#include "mcp/era.h"
#include "mcp/session_table.h"
#include "net/server.h"

struct mcp_stream;
struct mcp_streams { /* of notifications, on this worker (streams.h) */
    struct mcp_stream *first;
    unsigned count, ticks;
    uv_timer_t timer;
    struct worker_mail changed; /* the catalogue is another one */
    _Atomic bool told;          /* it is on its way */
    bool stopped;
};

struct mcp_request;
struct mcp_asking { /* requests whose client is asked something, on this worker (input.h) */
    struct mcp_request *first;
    uv_timer_t timer;
    bool stopped;
};

struct mcp_late { /* calls that take long, on this worker (late.c) */
    uv_timer_t timer;
    unsigned ticks;
    bool stopped;
};

struct mcp_worker {
    struct gate_worker *gate;
    struct mcp_worker *all; /* of every worker: a cancellation may arrive at another one */
    unsigned count;
    struct buf out;                   /* the answer in the making */
    const unsigned char *session_key; /* 32 bytes, of this process */
    struct session_table *sessions;   /* of this process */
    struct elicited *elicited;        /* of this process (elicit.h) */
    struct conf_slot *conf;
    struct mcp_streams streams;
    struct mcp_asking asking;
    struct mcp_late late;
    struct str metadata_url; /* the protected resource metadata, for WWW-Authenticate */
    /* Who is it? The session named by the request's bearer token, with a reference for the caller. */
    enum err (*authenticate)(void *ctx, struct exchange *x, struct lease **ret, struct fault *f);
    void *ctx;
};

void mcp_worker_init(struct mcp_worker *m, struct gate_worker *gate);
/* On its thread: streams of notifications end, and no new ones begin. */
void mcp_worker_stop(struct mcp_worker *m);
void mcp_worker_done(struct mcp_worker *m);
/* On its thread: what sessions that are over keep open here ends now, and not with the next tick. Calls of the gate's
 * are not meant: gate_kill. */
void mcp_sessions_over(struct mcp_worker *m);
/* The catalogue is another one: clients that wait for that learn it. Any thread; only posts. */
void mcp_catalogue_changed(struct mcp_worker *m);
/* What a server said by itself to whom it serves with this key (connect_watch). Any thread; only posts. */
void mcp_resource_updated(struct mcp_worker *m, struct str server, struct str key, struct str uri);
void mcp_elicitation_completed(struct mcp_worker *m, struct str server, struct str key, struct str id);
void mcp_server_said(struct mcp_worker *m, struct str server, struct str key, struct str params);

/* Answers every request below /mcp; false: the path is not MCP's. */
bool mcp_serve(struct mcp_worker *m, struct exchange *x);
/* The client of an exchange that mcp_serve took has left. */
void mcp_gone(struct exchange *x);

#endif

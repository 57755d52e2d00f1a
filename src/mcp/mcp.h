/*
 * The face to agents: MCP over Streamable HTTP at /mcp (all servers, `server__tool` names) and /mcp/{server} (one, no
 * prefix), in both eras on the same endpoint.
 *
 * One `struct mcp_worker` for each worker; everything on its thread. The agent's session is the lease that its access
 * token names; MCP's own session (Mcp-Session-Id, legacy era) only tells apart the clients that share a lease, and is a
 * sealed value, so that nothing has to be kept for it.
 */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include "gate/gate.h"
#include "mcp/era.h"
#include "net/server.h"

struct mcp_worker {
    struct gate_worker *gate;
    struct mcp_worker *all; /* of every worker: a cancellation may arrive at another one */
    unsigned count;
    struct buf out;                   /* the answer in the making */
    const unsigned char *session_key; /* 32 bytes, of this process */
    struct str metadata_url;          /* the protected resource metadata, for WWW-Authenticate */
    /* Who is it? The session named by the request's bearer token, with a reference for the caller. */
    enum err (*authenticate)(void *ctx, struct exchange *x, struct lease **ret, struct fault *f);
    void *ctx;
};

void mcp_worker_init(struct mcp_worker *m, struct gate_worker *gate);
void mcp_worker_done(struct mcp_worker *m);

/* Answers every request below /mcp; false: the path is not MCP's. */
bool mcp_serve(struct mcp_worker *m, struct exchange *x);
/* The client of an exchange that mcp_serve took has left. */
void mcp_gone(struct exchange *x);

#endif

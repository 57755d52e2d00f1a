/*
 * The face to programs without MCP: the tools of a session as plain HTTP and JSON, below /v1. Its routes stand in
 * routes.def, and GET /v1/openapi.json describes them. A refusal is a problem (RFC 9457) with the stable code.
 *
 * Same credential, same stages, same record as MCP: a call is a struct call, and what may be called is not decided
 * here. There is no stream: a client learns nothing of its call before the answer, and can be asked nothing. When it
 * closes the connection, the call is cancelled.
 *
 * One `struct rest_worker` for each worker; everything on its thread.
 */
#ifndef REST_REST_H
#define REST_REST_H

#include "gate/gate.h"
#include "net/server.h"

struct rest_worker {
    struct gate_worker *gate;
    struct buf out;    /* the answer in the making */
    struct str issuer; /* the gateway's URL; for the life of the process */
    /* Who is it? The session named by the request's bearer token, with a reference for the caller. */
    enum err (*authenticate)(void *ctx, struct exchange *x, struct lease **ret, struct fault *f);
    void *ctx;
};

void rest_worker_init(struct rest_worker *w, struct gate_worker *gate);
void rest_worker_done(struct rest_worker *w);

bool rest_is(const struct exchange *x); /* is its path below /v1? Then the four below are for it. */
void rest_serve(struct rest_worker *w, struct exchange *x);
/* It was refused before it came here: by the codec, by a bound, for its Host or Origin. */
void rest_refuse(struct rest_worker *w, struct exchange *x, const struct fault *f);
/* Its client has left. */
void rest_gone(struct exchange *x);

/* The document, as it is served. */
void rest_openapi(struct buf *out, struct str issuer);

#endif

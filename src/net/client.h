/*
 * The HTTP client of a worker: a keep-alive pool for each origin. One `struct client_call` is one request and its
 * answer, embedded in whatever the caller has; the caller owns it until `done`. Everything on the worker's thread.
 *
 * A request is sent at most once. One that met a pooled connection which the server had closed is tried again, once, on
 * a new connection: when not a byte of it has left, or when it is `idempotent` and not a byte of answer has come.
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

struct client_limits {
    unsigned per_origin; /* connections; 0: 64; more requests wait in a queue of at most `queue` */
    unsigned queue;      /* 0: 1024 */
    unsigned connect_ms; /* with the TLS handshake; 0: 5000 */
    unsigned idle_ms;    /* pooled; 0: 60000 */
    uint64_t body_bytes; /* of one answer; 0: 16 MiB */
};

struct client_call;
struct client_ops {
    void (*head)(struct client_call *c, const struct http_head *h); /* strings live until it returns */
    void (*data)(struct client_call *c, struct str piece);
    /* Exactly once, last. e == ERR_OK: the answer was whole. ERR_UPSTREAM: not reached or broken; ERR_UPSTREAM_TIMEOUT;
     * ERR_UPSTREAM_GARBAGE; ERR_CANCELLED after client_cancel; ERR_LIMIT; ERR_PARAMS: no HTTP head can be made of it.
     * sent: request bytes may have reached the server. */
    void (*done)(struct client_call *c, enum err e, const struct fault *f, bool sent);
};

struct client_call {
    /* the caller's: strings and headers are used before client_send returns or copied, but for those of a call that
     * waits for a connection, which must live until `done` */
    const struct client_ops *ops;
    struct str method, target;
    const struct http_header *headers; /* beyond Host, Content-Length, Connection */
    size_t header_count;
    struct str body;     /* sent with Content-Length when not empty or the method is POST */
    unsigned timeout_ms; /* to the head of the answer; 0: 30000 */
    unsigned stall_ms;   /* between bytes of the answer; 0: 60000 */
    bool idempotent;
    bool unwritten; /* no memory for what it should say: it is not sent, and fails with ERR_NOMEM */
    /* the client's */
    struct client_origin *origin;
    struct client_conn *conn;
    struct client_call *next, **link; /* in the origin's queue or among the failed */
    bool sent, retried;
    uint64_t deadline;
    struct fault fault;
};

struct client;
enum err client_new(struct worker *w, const struct client_limits *l, struct client **ret, struct fault *f) MUST_USE;
/* Origins are made once (at load), used by pointer. tls: whom to believe behind an https URL (tls_client_new), of which
 * the origin takes a reference; not looked at for http. */
enum err client_origin(struct client *c, const struct http_url *url, struct tls *tls, struct client_origin **ret,
                       struct fault *f) MUST_USE;
/* `done` is never called from inside client_send. */
void client_send(struct client_origin *o, struct client_call *call);
/* Closes the connection of a call under way, or drops it from the queue; `done` with ERR_CANCELLED follows before
 * return. */
void client_cancel(struct client_call *call);
void client_close(struct client *c, void (*closed)(void *ctx), void *ctx); /* cancels all, then frees */

#endif

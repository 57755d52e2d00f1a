/*
 * The HTTP server of a worker. One `struct exchange` is one request and its answer. The whole body is there before the
 * handler is called (bounded by body_bytes). The answer is either given at once (exchange_answer) or streamed
 * (exchange_stream_*). Everything on the worker's thread.
 *
 * Life: the exchange and its arena live until the answer is complete and `done` has been called, exactly once (also for
 * a request that was refused or never became whole). A client that leaves early is reported through `gone` (so that a
 * call can be cancelled), never from inside a call of the handler's; the handler still owes an answer call
 * (exchange_answer or exchange_stream_end), which then goes nowhere, and `done` follows it.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <netinet/in.h>

#include "meter/meter.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

struct exchange {
    struct http_head head;
    struct str body;
    struct arena arena;                    /* for this request */
    struct sockaddr_storage peer;          /* the other end of the TCP connection */
    const struct sockaddr_storage *client; /* who is behind it, by who authenticated the request; or NULL */
    struct str peer_name;                  /* by its certificate (tls_peer); empty: it showed none */
    void *app;                             /* server_ops' */
    void *user;                            /* the handler's */
    struct worker *worker;
    bool answered; /* an answer has begun */
    bool gone;     /* the client left */
    struct server_conn *conn;
    /* what becomes of it, for whoever writes it down in `done` */
    int64_t born_ns; /* its first byte was read */
    int status;      /* of the answer; 0: none has begun */
    size_t sent;     /* content bytes */
    bool noted;      /* somebody writes the note down; set in `head` */
    struct exchange_note {
        const char *face, *effect, *code; /* effect: allow, deny or wait; code: of the error; NULL: nothing to say */
        struct str operator, agent, session, method, tool, trace; /* in the arena */
    } note;
};

struct server_ops {
    /* The head has come, the body not yet. ERR_OK takes it; anything else is answered with that error and closes. May
     * be NULL. */
    enum err (*head)(struct exchange *x, struct fault *f);
    void (*request)(struct exchange *x);
    void (*gone)(struct exchange *x); /* may be NULL */
    /* Of a stream: all that was written is with the socket, so that more may be. Never from inside of
     * exchange_stream_write. May be NULL. */
    void (*drained)(struct exchange *x);
    void (*done)(struct exchange *x); /* may be NULL */
    /* Writes the body of the answer to a request that the codec or a bound refused; default is
     * {"error":code,"message":text}. */
    void (*refuse)(struct exchange *x, enum err e, const struct fault *f); /* may be NULL */
    /* With what a connection that was just accepted is secured: a reference, or NULL, and it is served in clear. Asked
     * for each, so that a new certificate needs no new listener. May be NULL. */
    struct tls *(*tls)(void *app);
};

struct server_limits {
    struct http_limits http;
    size_t body_bytes;       /* 0: 1 MiB */
    size_t arena_bytes;      /* 0: 8 MiB */
    unsigned connections;    /* 0: 10000; one more is closed at once */
    int descriptors;         /* connections have lower ones than this: the rest is for what calls need; 0: any */
    unsigned idle_ms;        /* between requests; 0: 75000 */
    unsigned head_ms;        /* from the first byte to the end of the head; of a TLS handshake; 0: 10000 */
    unsigned body_ms;        /* 0: 30000 */
    unsigned write_ms;       /* a client that does not read; 0: 30000 */
    size_t write_bytes;      /* queued for one client; 0: 4 MiB; more on top of it closes the connection */
    enum meter_series meter; /* what counts its open connections */
    int socket;              /* one that listens already is served, a copy of it; 0: one of our own */
};

struct server;
/* Listens with SO_REUSEPORT. address "127.0.0.1:8420", "[::1]:8420", port 0 = any. */
enum err server_listen(struct worker *w, struct str address, const struct server_limits *l,
                       const struct server_ops *ops, void *app, struct server **ret, struct fault *f) MUST_USE;
uint16_t server_port(const struct server *s);
unsigned server_connections(const struct server *s);
/* No new connections; idle ones are closed; open exchanges finish with Connection: close. `closed` when all are gone or
 * after grace_ms, when the rest is cut. */
void server_drain(struct server *s, unsigned grace_ms, void (*closed)(struct server *s, void *ctx), void *ctx);
void server_free(struct server *s, void *ctx); /* in or after `closed` only; fits as `closed` */

/* headers: name/value pairs beyond Content-Length, Content-Type, Date and Connection. Copies everything it needs.
 * Control characters in a value become spaces. */
void exchange_answer(struct exchange *x, int status, struct str content_type, const struct http_header *headers,
                     size_t header_count, struct str body);
/* {"error": code, "message": text} with the status of the error. */
void exchange_answer_fault(struct exchange *x, const struct fault *f);
void exchange_answer_fault_with(struct exchange *x, const struct fault *f, const struct http_header *headers,
                                size_t header_count);
void exchange_stream_begin(struct exchange *x, int status, struct str content_type, const struct http_header *headers,
                           size_t header_count);
void exchange_stream_write(struct exchange *x, struct str bytes); /* one chunk */
/* How much of what was written waits in memory for the client to read. Who writes no more while it is not zero (then
 * `drained` tells) is never cut off for what it wrote. */
size_t exchange_stream_queued(const struct exchange *x);
/* Another time than write_ms for this client not to read. */
void exchange_stream_patience(struct exchange *x, unsigned ms);
void exchange_stream_end(struct exchange *x);
/* Likewise the last call, for a stream that will not become whole: the connection is cut, so that nobody takes what was
 * sent for all. */
void exchange_stream_abort(struct exchange *x);

#endif

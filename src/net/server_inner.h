/* What server.c (connections, reading) and answer.c (writing) share. Not for others. */
#ifndef NET_SERVER_INNER_H
#define NET_SERVER_INNER_H

#include "net/server.h"

enum { SERVER_READ_BYTES = 65536, SERVER_TICK_MS = 250, SERVER_AHEAD_BYTES = 65536, SERVER_LINGER_MS = 1000 };

enum conn_state { CONN_IDLE, CONN_HEAD, CONN_BODY, CONN_BUSY, CONN_LINGER, CONN_CLOSED };

struct server_conn {
    uv_tcp_t tcp;
    struct server *server;
    struct server_conn *next, **link;
    struct exchange *x; /* NULL between requests */
    struct buf in;      /* the request in the making or in work */
    struct buf ahead;   /* what came while one was in work */
    struct buf content; /* a body that did not come whole with its head, or came in chunks */
    size_t resume, head_bytes;
    size_t body_at; /* bytes of `in` behind the head that belong to the body */
    struct http_body body;
    struct sockaddr_storage peer;
    enum conn_state state;
    uint64_t deadline; /* of the loop's clock; 0: none */
    size_t queued;     /* bytes handed to uv_write and not yet written */
    size_t unread;     /* of them, what the socket had not taken at the last tick */
    uint64_t write_deadline;
    bool keep_alive, in_handler, closing, paused;
    bool bare; /* the answer has no content: to HEAD, or by its status */
};

struct server {
    struct worker *worker;
    uv_tcp_t listener;
    uv_timer_t tick;
    const struct server_ops *ops;
    void *app;
    struct server_limits l;
    struct server_conn *conns;
    struct exchange *free_exchange; /* linked through user */
    unsigned count, free_count, handles;
    bool draining, closed, accept_later;
    uint64_t drain_deadline;
    void (*drained)(struct server *s, void *ctx);
    void *drained_ctx;
    struct buf head; /* of the answer in the making */
    char date[40];
    uint64_t date_at;
    char read[SERVER_READ_BYTES];
};

/* Bytes in two pieces; what the socket does not take at once is copied and queued. */
void server_write(struct server_conn *c, struct str a, struct str b);
void server_conn_close(struct server_conn *c);
/* The answer of c->x is complete: done, and on to the next request. */
void server_conn_finish(struct server_conn *c);
/* The last queued byte is out. */
void server_conn_flushed(struct server_conn *c);
const char *server_date(struct server *s);

#endif

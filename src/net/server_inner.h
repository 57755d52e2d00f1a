/* What server.c (connections, reading), server_tls.c and answer.c (writing) share. Not for others. */
#ifndef NET_SERVER_INNER_H
#define NET_SERVER_INNER_H

#include "net/server.h"

enum { SERVER_READ_BYTES = 65536, SERVER_TICK_MS = 250, SERVER_AHEAD_BYTES = 65536, SERVER_LINGER_MS = 1000 };
enum { SERVER_REFUSED_MS = 10000 };

enum conn_state { CONN_HANDSHAKE, CONN_IDLE, CONN_HEAD, CONN_BODY, CONN_BUSY, CONN_LINGER, CONN_CLOSED };

struct server_conn {
    uv_tcp_t tcp;
    struct server *server;
    struct tls_conn *tls; /* NULL: in clear */
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
    unsigned write_ms; /* of this answer; 0: the server's */
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
    unsigned refused; /* connections, since it was last told */
    uint64_t refused_at;
    bool draining, closed, accept_later;
    uint64_t drain_deadline;
    void (*drained)(struct server *s, void *ctx);
    void *drained_ctx;
    struct buf head; /* of the answer in the making */
    struct buf out;  /* ciphertext of one step, of whatever connection */
    char date[40];
    uint64_t date_at;
    char read[SERVER_READ_BYTES], plain[TLS_PLAIN_BYTES];
};

/* Bytes in two pieces; what the socket does not take at once is copied and queued. */
void server_write(struct server_conn *c, struct str a, struct str b);
void server_put(struct server_conn *c, struct str a, struct str b); /* the same as they are, whatever the bound */
/* Content that came, in clear or decrypted. */
void server_conn_take(struct server_conn *c, struct str bytes);
/* Ends with patience: what was written is read by the client first. */
void server_conn_linger(struct server_conn *c);
void server_conn_close(struct server_conn *c);
/* From now on, how long the client may not read. */
uint64_t server_write_deadline(const struct server_conn *c);
/* The answer of c->x is complete: done, and on to the next request. */
void server_conn_finish(struct server_conn *c);
/* The last queued byte is out. */
void server_conn_flushed(struct server_conn *c);
const char *server_date(struct server *s);

/* server_tls.c. False: no memory. */
bool server_tls_begin(struct server_conn *c, struct tls *t) MUST_USE;
void server_tls_read(struct server_conn *c, struct str ciphertext);
void server_tls_write(struct server_conn *c, struct str a, struct str b);
void server_tls_end(struct server_conn *c);   /* says that nothing follows */
void server_tls_leave(struct server_conn *c); /* the same, if the socket takes it now: the connection is closing */

#endif

/* What client.c (the pool), client_conn.c (one connection) and client_tls.c share. Not for others. */
#ifndef NET_CLIENT_INNER_H
#define NET_CLIENT_INNER_H

#include "net/client.h"

enum { CLIENT_READ_BYTES = 65536, CLIENT_TICK_MS = 250, CLIENT_ADDRESSES = 4, CLIENT_DNS_MS = 30000 };
enum { CLIENT_HEAD_BYTES = 65536, CLIENT_INTERIM = 16 };

struct client_conn {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct client_origin *origin;
    struct tls_conn *tls;                       /* NULL: in clear */
    struct client_conn *next, **link;           /* all of the origin */
    struct client_conn *idle_next, **idle_link; /* the idle ones, the last used first */
    struct client_call *call;
    struct buf in; /* a head that came in pieces */
    size_t resume;
    struct http_body body;
    unsigned attempt;  /* addresses that failed for this call */
    unsigned interim;  /* 1xx answers to this call */
    uint64_t deadline; /* idle, connecting, or stalled */
    bool opened;       /* the TCP connection; `connected`: requests may go */
    bool left;         /* bytes of this call may have left */
    bool connected, reused, head_done, heard, keep_alive, closing;
};

struct client_origin {
    struct client *client;
    struct tls *tls; /* a reference; NULL: http */
    struct tls_sessions sessions;
    struct client_origin *next;
    struct client_conn *all, *idle;
    unsigned conns, queued;
    struct client_call *queue;
    struct str authority;
    char authority_text[300], host[256], port_text[8];
    struct sockaddr_storage address[CLIENT_ADDRESSES];
    unsigned address_count, address_at; /* the one in use; a failed connect moves it on */
    uint64_t resolved_until;
    uv_getaddrinfo_t resolver;
    bool literal, resolving;
};

struct client {
    struct worker *worker;
    struct client_limits l;
    struct client_origin *origins;
    struct client_call *failed;
    uv_timer_t tick, report;
    struct buf out;    /* the head of the request in the making */
    struct buf cipher; /* of one step, of whatever connection */
    bool closing;
    unsigned handles_closed;
    void (*closed)(void *ctx);
    void *closed_ctx;
    char read[CLIENT_READ_BYTES], plain[TLS_PLAIN_BYTES];
};

bool client_conn_open(struct client_origin *o, struct client_call *call);
/* An idle one on which nothing has come since, neither its end nor bytes that nobody asked for. */
bool client_conn_fresh(struct client_conn *conn);
void client_conn_use(struct client_conn *conn, struct client_call *call); /* an idle one */
void client_conn_close(struct client_conn *conn);
void client_conns_tick(struct client_origin *o, uint64_t now);
void client_conns_close(struct client_origin *o);
/* A connection became free or is gone: calls may wait for it. */
void client_pool_changed(struct client_origin *o);
/* Once more, on a new connection. */
void client_requeue(struct client_origin *o, struct client_call *call);
void client_handle_closed(uv_handle_t *h);

/* client_conn.c */
void client_conn_ready(struct client_conn *conn);                  /* requests may go */
void client_conn_take(struct client_conn *conn, struct str bytes); /* what came, in clear or decrypted */
/* Nothing follows. said: the server itself says so, and nobody who cut the connection. */
void client_conn_ended(struct client_conn *conn, bool said);
void client_conn_fail(struct client_conn *conn, enum err e, const char *why);
/* Bytes as they are, now or when the socket takes them. False: the connection is broken. */
bool client_conn_put(struct client_conn *conn, struct str a, struct str b) MUST_USE;

/* client_tls.c */
void client_tls_begin(struct client_conn *conn);
void client_tls_read(struct client_conn *conn, struct str ciphertext);
bool client_tls_write(struct client_conn *conn, struct str a, struct str b) MUST_USE;
void client_tls_end(struct client_conn *conn);

#endif

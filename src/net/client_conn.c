/* One connection of the HTTP client: connecting, writing a request, reading its answer, and whether it can be used
 * again. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/client_inner.h"

static uint64_t conn_now(const struct client_conn *conn)
{
    return uv_now(&conn->origin->client->worker->loop);
}

/* ---- lists ---- */

static void conn_idle_unlink(struct client_conn *conn)
{
    if (!conn->idle_link)
        return;
    *conn->idle_link = conn->idle_next;
    if (conn->idle_next)
        conn->idle_next->idle_link = conn->idle_link;
    conn->idle_link = NULL;
}

static void conn_idle_push(struct client_conn *conn)
{
    struct client_origin *o = conn->origin;
    conn->idle_next = o->idle;
    conn->idle_link = &o->idle;
    if (o->idle)
        o->idle->idle_link = &conn->idle_next;
    o->idle = conn;
    conn->deadline = conn_now(conn) + o->client->l.idle_ms;
}

static void conn_closed(uv_handle_t *h)
{
    struct client_conn *conn = h->data;
    struct client_origin *o = conn->origin;
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    o->conns--;
    buf_done(&conn->in);
    tls_conn_free(conn->tls);
    free(conn);
    client_pool_changed(o);
}

void client_conn_close(struct client_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    if (conn->tls)
        client_tls_end(conn);
    conn_idle_unlink(conn);
    uv_close((uv_handle_t *)&conn->tcp, conn_closed);
}

/* ---- the end of a call ---- */

static void conn_report(struct client_conn *conn, enum err e, const struct fault *f)
{
    struct client_call *call = conn->call;
    conn->call = NULL;
    call->conn = NULL;
    call->ops->done(call, e, f, call->sent);
}

void client_conn_fail(struct client_conn *conn, enum err e, const char *why)
{
    struct client_call *call = conn->call;
    client_conn_close(conn);
    if (!call)
        return;
    bool harmless = call->idempotent || !call->sent; /* not a byte has left, or twice is as good as once */
    if (e == ERR_UPSTREAM && conn->reused && !conn->heard && harmless && !call->retried) {
        conn->call = NULL;
        client_requeue(conn->origin, call);
        return;
    }
    struct fault f;
    fault_set(&f, e, "%s", why);
    conn_report(conn, e, &f);
}

static void conn_complete(struct client_conn *conn, bool reusable)
{
    /* An answer that came before the server had the whole request: nobody knows what it still reads. */
    reusable = reusable && uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp) == 0;
    /* Nor is it known whose answer would be what came with this one. */
    reusable = reusable && (!conn->tls || !tls_waits(conn->tls));
    if (reusable) {
        conn->reused = true;
        conn_idle_push(conn);
    } else {
        client_conn_close(conn);
    }
    conn_report(conn, ERR_OK, NULL);
    if (reusable)
        client_pool_changed(conn->origin);
}

/* ---- reading ---- */

static void conn_heard(struct client_conn *conn)
{
    conn->deadline = conn_now(conn) + (conn->call->stall_ms ? conn->call->stall_ms : 60000);
}

static void conn_head(struct client_conn *conn, const struct http_head *h)
{
    conn->head_done = true;
    conn_heard(conn);
    conn->keep_alive = h->keep_alive;
    http_body_response(&conn->body, h, str_is(conn->call->method, "HEAD"), conn->origin->client->l.body_bytes);
    if (conn->call->ops->head)
        conn->call->ops->head(conn->call, h);
}

static void conn_body(struct client_conn *conn, struct str bytes)
{
    for (;;) {
        size_t used;
        struct str piece;
        struct fault f = {0};
        enum http_verdict v = http_body_feed(&conn->body, bytes.p, bytes.n, &used, &piece, &f);
        if (v == HTTP_BAD) {
            client_conn_fail(conn, f.err == ERR_LIMIT ? ERR_LIMIT : ERR_UPSTREAM_GARBAGE, f.text);
            return;
        }
        bytes = str_skip(bytes, used);
        if (piece.n && conn->call->ops->data)
            conn->call->ops->data(conn->call, piece);
        if (!conn->call) /* cancelled from within */
            return;
        conn_heard(conn); /* the caller may wait less long now */
        if (v == HTTP_DONE) {
            conn_complete(conn, conn->keep_alive && bytes.n == 0 && conn->body.kind != HTTP_BODY_CLOSE);
            return;
        }
        if (bytes.n == 0 || used == 0)
            return;
    }
}

/* Heads are parsed where they came; only one that came in pieces is copied. Interim answers (1xx) are passed over. */
static void conn_read_head(struct client_conn *conn, struct str bytes)
{
    struct http_head h;
    for (;;) {
        struct fault f = {0};
        size_t used;
        enum http_verdict v = http_parse_response(bytes.p, bytes.n, NULL, &conn->resume, &h, &used, &f);
        if (v == HTTP_BAD) {
            client_conn_fail(conn, ERR_UPSTREAM_GARBAGE, f.text);
            return;
        }
        if (v == HTTP_MORE) {
            if (conn->in.n == 0) {
                buf_put(&conn->in, bytes.p, bytes.n);
                if (buf_failed(&conn->in)) /* what comes next would be read as the beginning */
                    client_conn_fail(conn, ERR_NOMEM, "no memory for the head of the server's answer");
            } else if (bytes.p != conn->in.p) {
                struct str rest = bytes; /* a tail of conn->in behind an interim answer */
                buf_drop(&conn->in, conn->in.n - rest.n);
            }
            return;
        }
        conn->resume = 0;
        bytes = str_skip(bytes, used);
        if (h.status >= 200)
            break;
        if (h.status == 101) {
            client_conn_fail(conn, ERR_UPSTREAM_GARBAGE, "the server switched to a protocol that nobody asked for");
            return;
        }
        if (++conn->interim > CLIENT_INTERIM) {
            client_conn_fail(conn, ERR_UPSTREAM_GARBAGE, "the server sends interim answers without end");
            return;
        }
    }
    conn_head(conn, &h);
    if (conn->call)
        conn_body(conn, bytes);
    if (!conn->closing)
        buf_clear(&conn->in);
}

void client_conn_take(struct client_conn *conn, struct str bytes)
{
    if (!conn->call) { /* nobody asked: whatever it is, the connection is not to be trusted */
        client_conn_close(conn);
        return;
    }
    conn->heard = true;
    if (conn->head_done) {
        conn_heard(conn);
        conn_body(conn, bytes);
    } else if (conn->in.n) {
        buf_put(&conn->in, bytes.p, bytes.n);
        if (buf_error(&conn->in) == ERR_NOMEM)
            client_conn_fail(conn, ERR_NOMEM, "no memory for the head of the server's answer");
        else if (buf_failed(&conn->in))
            client_conn_fail(conn, ERR_UPSTREAM_GARBAGE, "the head of the server's answer is too large");
        else
            conn_read_head(conn, buf_view(&conn->in));
    } else {
        conn_read_head(conn, bytes);
    }
}

void client_conn_ended(struct client_conn *conn, bool said)
{
    if (said && conn->call && conn->head_done && conn->body.kind == HTTP_BODY_CLOSE)
        conn_complete(conn, false);
    else if (conn->tls && !conn->connected)
        client_conn_fail(conn, ERR_UPSTREAM, "the server closed the connection in the TLS handshake");
    else
        client_conn_fail(conn, ERR_UPSTREAM, "the server closed the connection before its answer was whole");
}

static void conn_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    (void)suggested;
    struct client_conn *conn = h->data;
    struct client *c = conn->origin->client;
    *b = uv_buf_init(c->read, sizeof(c->read));
}

static void conn_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct client_conn *conn = stream->data;
    if (n > 0 && conn->tls)
        client_tls_read(conn, (struct str){b->base, (size_t)n});
    else if (n > 0)
        client_conn_take(conn, (struct str){b->base, (size_t)n});
    else if (n < 0)
        client_conn_ended(conn, n == UV_EOF && !conn->tls);
}

/* ---- writing ---- */

struct conn_write {
    uv_write_t req;
    struct client_conn *conn;
    char bytes[];
};

static void conn_written(uv_write_t *req, int status)
{
    struct conn_write *w = (struct conn_write *)req;
    struct client_conn *conn = w->conn;
    free(w);
    if (status < 0 && status != UV_ECANCELED && !conn->closing)
        client_conn_fail(conn, ERR_UPSTREAM, "the server closed the connection while the request was sent");
}

static bool conn_queue(struct client_conn *conn, struct str a, struct str b)
{
    struct conn_write *w = malloc(sizeof(*w) + a.n + b.n);
    if (w) {
        w->conn = conn;
        if (a.n)
            memcpy(w->bytes, a.p, a.n);
        if (b.n)
            memcpy(w->bytes + a.n, b.p, b.n);
        uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)(a.n + b.n));
        if (uv_write(&w->req, (uv_stream_t *)&conn->tcp, &buf, 1, conn_written) == 0)
            return conn->left = true;
        free(w);
    }
    return false;
}

bool client_conn_put(struct client_conn *conn, struct str a, struct str b)
{
    uv_buf_t bufs[2] = {uv_buf_init((char *)(uintptr_t)a.p, (unsigned)a.n),
                        uv_buf_init((char *)(uintptr_t)b.p, (unsigned)b.n)};
    int n = uv_try_write((uv_stream_t *)&conn->tcp, bufs, b.n ? 2 : 1);
    if (n < 0 && n != UV_EAGAIN)
        return false;
    size_t done = n > 0 ? (size_t)n : 0, from_a = done < a.n ? done : a.n;
    conn->left = conn->left || done;
    a = str_skip(a, from_a);
    b = str_skip(b, done - from_a);
    return a.n + b.n == 0 || conn_queue(conn, a, b);
}

static struct str conn_request_head(struct client_conn *conn, const struct client_call *call)
{
    struct buf *b = &conn->origin->client->out;
    buf_clear(b);
    buf_str(b, call->method);
    buf_char(b, ' ');
    buf_str(b, call->target);
    buf_z(b, " HTTP/1.1\r\nHost: ");
    buf_str(b, conn->origin->authority);
    if (call->body.n || str_is(call->method, "POST")) {
        buf_z(b, "\r\nContent-Length: ");
        buf_u64(b, call->body.n);
    }
    buf_z(b, "\r\n");
    for (size_t i = 0; i < call->header_count; i++) {
        buf_str(b, call->headers[i].name);
        buf_z(b, ": ");
        buf_str(b, call->headers[i].value);
        buf_z(b, "\r\n");
    }
    buf_z(b, "\r\n");
    return buf_view(b);
}

static void conn_send(struct client_conn *conn)
{
    struct client_call *call = conn->call;
    struct str head = conn_request_head(conn, call), body = call->body;
    if (buf_failed(&conn->origin->client->out)) {
        conn->deadline = 1;
        return;
    }
    conn->head_done = conn->heard = false;
    conn->resume = conn->interim = 0;
    buf_clear(&conn->in);
    conn->deadline = call->deadline;
    conn->left = false;
    if (!(conn->tls ? client_tls_write(conn, head, body) : client_conn_put(conn, head, body)))
        conn->deadline = 1; /* the next tick reports it: never from inside client_send */
    call->sent = call->sent || conn->left;
}

bool client_conn_fresh(struct client_conn *conn)
{
    char c;
    uv_os_fd_t fd;
    return (!conn->tls || !tls_waits(conn->tls)) && uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0 &&
           recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void client_conn_use(struct client_conn *conn, struct client_call *call)
{
    conn_idle_unlink(conn);
    conn->call = call;
    call->conn = conn;
    conn_send(conn);
}

/* ---- connecting ---- */

static void conn_connected(uv_connect_t *req, int status)
{
    struct client_conn *conn = req->data;
    if (conn->closing)
        return;
    if (status < 0) {
        struct client_origin *o = conn->origin;
        struct client_call *call = conn->call;
        if (call && conn->attempt + 1 < o->address_count) { /* the name has another address */
            unsigned attempt = conn->attempt + 1;
            conn->call = NULL;
            client_conn_close(conn);
            o->address_at++;
            if (client_conn_open(o, call)) {
                call->conn->attempt = attempt;
                return;
            }
            conn->call = call;
        }
        client_conn_fail(conn, ERR_UPSTREAM, uv_strerror(status));
        return;
    }
    conn->opened = true;
    uv_tcp_nodelay(&conn->tcp, 1);
    if (uv_read_start((uv_stream_t *)&conn->tcp, conn_alloc, conn_read))
        client_conn_fail(conn, ERR_UPSTREAM, "the connection cannot be read");
    else if (conn->origin->tls)
        client_tls_begin(conn);
    else
        client_conn_ready(conn);
}

void client_conn_ready(struct client_conn *conn)
{
    conn->connected = true;
    if (conn->call)
        conn_send(conn);
}

static void conn_connect(struct client_conn *conn)
{
    struct client_origin *o = conn->origin;
    conn->connect.data = conn;
    conn->deadline = conn_now(conn) + o->client->l.connect_ms;
    const struct sockaddr *to = (const struct sockaddr *)&o->address[o->address_at % o->address_count];
    if (uv_tcp_connect(&conn->connect, &conn->tcp, to, conn_connected))
        conn->deadline = 1;
}

bool client_conn_open(struct client_origin *o, struct client_call *call)
{
    struct client_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return false;
    uv_tcp_init(&o->client->worker->loop, &conn->tcp);
    conn->tcp.data = conn;
    conn->origin = o;
    conn->next = o->all;
    conn->link = &o->all;
    if (o->all)
        o->all->link = &conn->next;
    o->all = conn;
    o->conns++;
    buf_init(&conn->in, 65536 * 2);
    conn->call = call;
    call->conn = conn;
    conn_connect(conn);
    return true;
}

void client_conns_tick(struct client_origin *o, uint64_t now)
{
    for (struct client_conn *conn = o->all, *next; conn; conn = next) {
        next = conn->next;
        if (conn->closing || now < conn->deadline)
            continue;
        if (!conn->call)
            client_conn_close(conn);
        else if (conn->deadline == 1)
            client_conn_fail(conn, ERR_UPSTREAM, "the connection to the server broke");
        else if (!conn->opened)
            client_conn_fail(conn, ERR_UPSTREAM, "the server does not answer on its port");
        else if (!conn->connected)
            client_conn_fail(conn, ERR_UPSTREAM, "the server did not finish the TLS handshake in time");
        else
            client_conn_fail(conn, ERR_UPSTREAM_TIMEOUT, "the server did not answer in time");
    }
}

void client_conns_close(struct client_origin *o)
{
    for (struct client_conn *conn = o->all, *next; conn; conn = next) {
        next = conn->next;
        if (conn->call)
            client_cancel(conn->call);
        else
            client_conn_close(conn);
    }
}

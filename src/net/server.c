/* Connections of the HTTP server: accepting, reading, deadlines, closing. Answers are written in answer.c. */
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/server_inner.h"

static void server_conn_process(struct server_conn *c);

static uint64_t server_after(const struct server *s, unsigned ms)
{
    return uv_now(&s->worker->loop) + ms;
}

/* ---- life of exchanges and connections ---- */

static struct exchange *exchange_new(struct server_conn *c)
{
    struct server *s = c->server;
    struct exchange *x = s->free_exchange;
    if (x) {
        s->free_exchange = x->user;
        s->free_count--;
    } else {
        x = calloc(1, sizeof(*x));
        if (!x)
            return NULL;
        arena_init(&x->arena, s->l.arena_bytes);
    }
    memset(&x->head, 0, offsetof(struct http_head, header)); /* a refusal may come before there is one */
    x->body = STR_NONE;
    x->user = NULL;
    x->answered = x->gone = false;
    x->born_ns = clock_mono_ns();
    x->status = 0;
    x->sent = 0;
    x->noted = false;
    x->note = (struct exchange_note){0};
    x->app = s->app;
    x->worker = s->worker;
    x->conn = c;
    x->peer = c->peer;
    x->peer_name = c->tls ? tls_peer(c->tls) : STR_NONE;
    return x;
}

static void exchange_free(struct server *s, struct exchange *x)
{
    if (s->free_count < 256) {
        arena_reset(&x->arena);
        x->user = s->free_exchange;
        s->free_exchange = x;
        s->free_count++;
        return;
    }
    arena_done(&x->arena);
    free(x);
}

static void exchange_end(struct server_conn *c)
{
    struct exchange *x = c->x;
    c->x = NULL;
    if (c->server->ops->done)
        c->server->ops->done(x);
    exchange_free(c->server, x);
}

static void server_maybe_drained(struct server *s)
{
    if (s->draining && !s->conns && s->handles == 0 && s->drained && !s->closed) {
        s->closed = true;
        s->drained(s, s->drained_ctx);
    }
}

static void server_conn_free(struct server_conn *c)
{
    struct server *s = c->server;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    buf_done(&c->in);
    buf_done(&c->ahead);
    buf_done(&c->content);
    tls_conn_free(c->tls);
    free(c);
    s->count--;
    meter_add(s->l.meter, -1);
    server_maybe_drained(s);
}

static void server_conn_closed(uv_handle_t *h)
{
    struct server_conn *c = h->data;
    c->state = CONN_CLOSED;
    if (!c->x)
        server_conn_free(c);
    else if (c->server->ops->gone)
        c->server->ops->gone(c->x); /* the handler answers, now or later, and the connection goes with the exchange */
}

void server_conn_close(struct server_conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    if (c->tls && c->state != CONN_LINGER)
        server_tls_leave(c);
    uv_close((uv_handle_t *)&c->tcp, server_conn_closed);
    if (c->x && c->state == CONN_BUSY)
        c->x->gone = true; /* said in server_conn_closed, never from inside the handler's own answer */
    else if (c->x)
        exchange_end(c); /* no handler has it yet */
}

/* The rest of what came becomes the beginning of the next request. */
static void server_conn_next(struct server_conn *c)
{
    buf_drop(&c->in, c->head_bytes + c->body_at);
    buf_str(&c->in, buf_view(&c->ahead));
    if (c->ahead.cap > 4096)
        buf_done(&c->ahead);
    buf_clear(&c->ahead);
    buf_done(&c->content);
    if (c->in.n == 0 && c->in.cap > 16384)
        buf_done(&c->in);
    c->resume = c->head_bytes = c->body_at = 0;
    c->bare = false;
    c->write_ms = 0;
    c->state = CONN_IDLE;
    c->deadline = server_after(c->server, c->server->l.idle_ms);
    if (buf_failed(&c->in)) /* no memory: what came is not whole any more */
        server_conn_close(c);
}

static void server_conn_read_start(struct server_conn *c);

static void server_conn_pause(struct server_conn *c)
{
    c->paused = true;
    uv_read_stop((uv_stream_t *)&c->tcp);
}

/* A connection that ends does so with patience: what the client still sends is read and dropped until it has had the
 * time to read its answer, because bytes that nobody read turn the close into a reset (RFC 9112 9.6). */
void server_conn_linger(struct server_conn *c)
{
    c->state = CONN_LINGER;
    if (c->tls)
        server_tls_end(c);
    if (c->paused)
        server_conn_read_start(c);
    if (c->queued == 0)
        server_conn_flushed(c);
}

void server_conn_flushed(struct server_conn *c)
{
    uv_os_fd_t fd;
    if (c->state == CONN_IDLE) {
        c->deadline = server_after(c->server, c->server->l.idle_ms);
        server_conn_process(c);
    } else if (c->state == CONN_HEAD) {
        server_conn_process(c);
    } else if (c->state == CONN_BUSY && c->x->answered && c->server->ops->drained) {
        c->server->ops->drained(c->x);
    } else if (c->state == CONN_LINGER && !c->closing) {
        c->deadline = server_after(c->server, SERVER_LINGER_MS);
        if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
            shutdown(fd, SHUT_WR);
    }
}

void server_conn_finish(struct server_conn *c)
{
    exchange_end(c);
    if (c->state == CONN_CLOSED) {
        server_conn_free(c);
        return;
    }
    if (c->closing)
        return;
    if (!c->keep_alive || c->server->draining) {
        server_conn_linger(c);
        return;
    }
    server_conn_next(c);
    server_conn_process(c);
}

/* ---- requests ---- */

static void server_refuse(struct server_conn *c, enum err e, const struct fault *f)
{
    c->keep_alive = false;
    c->state = CONN_BUSY;
    c->deadline = 0;
    struct fault copy = *f;
    copy.err = e;
    if (c->server->ops->refuse)
        c->server->ops->refuse(c->x, e, &copy);
    else
        exchange_answer_fault(c->x, &copy);
}

static void server_dispatch(struct server_conn *c)
{
    struct exchange *x = c->x;
    c->state = CONN_BUSY;
    c->deadline = 0;
    c->keep_alive = x->head.keep_alive;
    c->bare = str_is(x->head.method, "HEAD");
    if (!c->keep_alive && (c->in.n > c->head_bytes + c->body_at || c->ahead.n)) {
        struct fault f;
        fault_set(&f, ERR_SYNTAX, "bytes follow a request that said Connection: close");
        server_refuse(c, ERR_SYNTAX, &f);
        return;
    }
    c->server->ops->request(x);
}

/* Takes what belongs to the body from *bytes; what follows stays there. The head's strings lie in c->in, which
 * therefore never grows while a body comes. HTTP_BAD: refused already. */
static enum http_verdict server_read_body(struct server_conn *c, struct str *bytes)
{
    struct fault f = {0};
    size_t used;
    struct str piece;
    enum http_verdict v;
    do {
        v = http_body_feed(&c->body, bytes->p, bytes->n, &used, &piece, &f);
        buf_str(&c->content, piece);
        *bytes = str_skip(*bytes, used);
    } while (v == HTTP_MORE && used && bytes->n);
    if (v != HTTP_BAD && buf_failed(&c->content)) {
        fault_set(&f, ERR_NOMEM, "no memory for the body");
        v = HTTP_BAD;
    }
    if (v == HTTP_BAD)
        server_refuse(c, f.err, &f);
    else if (v == HTTP_DONE && c->body.kind != HTTP_BODY_NONE)
        c->x->body = buf_view(&c->content);
    return v;
}

/* The head is taken. True when the request went on its way or was refused. */
static bool server_first_body(struct server_conn *c)
{
    struct str rest = str_skip(buf_view(&c->in), c->head_bytes);
    size_t n = rest.n;
    c->state = CONN_BODY;
    c->deadline = server_after(c->server, c->server->l.body_ms);
    http_body_request(&c->body, &c->x->head, c->server->l.body_bytes);
    if (c->body.kind == HTTP_BODY_LENGTH && n >= c->body.left) { /* the common case needs no copy */
        c->body_at = (size_t)c->body.left;
        c->x->body = (struct str){rest.p, c->body_at};
        server_dispatch(c);
        return true;
    }
    enum http_verdict v = server_read_body(c, &rest);
    if (v == HTTP_BAD)
        return true;
    c->body_at = n - rest.n;
    if (v == HTTP_DONE)
        server_dispatch(c);
    else if (c->x->head.expect_continue)
        server_write(c, STR("HTTP/1.1 100 Continue\r\n\r\n"), STR_NONE);
    return v == HTTP_DONE;
}

static bool server_read_head(struct server_conn *c)
{
    struct server *s = c->server;
    struct fault f = {0};
    if (!c->x && !(c->x = exchange_new(c))) {
        server_conn_close(c);
        return true;
    }
    if (c->state == CONN_IDLE) {
        c->state = CONN_HEAD;
        c->deadline = server_after(s, s->l.head_ms);
    }
    enum http_verdict v = http_parse_request(c->in.p, c->in.n, &s->l.http, &c->resume, &c->x->head, &c->head_bytes, &f);
    if (v == HTTP_MORE)
        return false;
    enum err e = v == HTTP_BAD ? f.err : ERR_OK;
    if (!e && s->ops->head)
        e = s->ops->head(c->x, &f);
    if (!e && c->x->head.content_length > (int64_t)s->l.body_bytes)
        e = fault_set(&f, ERR_LIMIT, "the body is larger than %zu bytes", s->l.body_bytes);
    if (e) {
        server_refuse(c, e, &f);
        return true;
    }
    return server_first_body(c);
}

/* A client that asks on and on without reading its answers has to read first. */
static bool server_conn_deaf(const struct server_conn *c)
{
    return c->queued > SERVER_AHEAD_BYTES;
}

/* Works through what has come until more is needed. Answers given at once come back here through the loop, not by
 * recursion. */
static void server_conn_process(struct server_conn *c)
{
    if (c->in_handler)
        return;
    c->in_handler = true;
    bool go = true;
    while (go && !c->closing && c->in.n && !server_conn_deaf(c) && (c->state == CONN_IDLE || c->state == CONN_HEAD))
        go = server_read_head(c);
    c->in_handler = false;
    if (c->closing || c->state == CONN_BUSY)
        return;
    if (c->paused && !server_conn_deaf(c))
        server_conn_read_start(c);
    else if (!c->paused && server_conn_deaf(c) && c->in.n >= SERVER_AHEAD_BYTES)
        server_conn_pause(c);
}

/* ---- reading ---- */

static void server_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    (void)suggested;
    struct server_conn *c = h->data;
    *b = uv_buf_init(c->server->read,
                     sizeof(c->server->read)); /* one for all: its bytes are moved before the next read */
}

/* Bytes behind the request in work: the beginning of the next one. A client that sends too many of them is not read for
 * a while. */
static void server_put_aside(struct server_conn *c, struct str bytes)
{
    buf_str(&c->ahead, bytes);
    size_t waiting = c->in.n - c->head_bytes - c->body_at + c->ahead.n;
    if (buf_failed(&c->ahead)) {
        server_conn_close(c);
    } else if (waiting >= SERVER_AHEAD_BYTES && !c->paused) {
        server_conn_pause(c);
    }
}

static void server_more_body(struct server_conn *c, struct str bytes)
{
    if (server_read_body(c, &bytes) != HTTP_DONE)
        return;
    server_put_aside(c, bytes);
    if (c->closing)
        return;
    c->in_handler = true;
    server_dispatch(c);
    c->in_handler = false;
    server_conn_process(c);
}

void server_conn_take(struct server_conn *c, struct str bytes)
{
    switch (c->state) {
    case CONN_IDLE:
    case CONN_HEAD:
        buf_str(&c->in, bytes);
        if (buf_failed(&c->in))
            server_conn_close(c);
        else
            server_conn_process(c);
        break;
    case CONN_BODY: server_more_body(c, bytes); break;
    case CONN_BUSY: server_put_aside(c, bytes); break;
    case CONN_HANDSHAKE:
    case CONN_LINGER:
    case CONN_CLOSED: break;
    }
}

static void server_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct server_conn *c = stream->data;
    if (n < 0)
        server_conn_close(c);
    else if (n > 0 && c->tls)
        server_tls_read(c, (struct str){b->base, (size_t)n});
    else if (n > 0)
        server_conn_take(c, (struct str){b->base, (size_t)n});
}

static void server_conn_read_start(struct server_conn *c)
{
    c->paused = false;
    if (uv_read_start((uv_stream_t *)&c->tcp, server_alloc, server_read))
        server_conn_close(c);
}

/* ---- accepting ---- */

static void server_handle_closed(uv_handle_t *h)
{
    struct server *s = h->data;
    s->handles--;
    server_maybe_drained(s);
}

static void server_accept_refuse_closed(uv_handle_t *h)
{
    free(h);
}

/* Is there no room for it? A descriptor is always the lowest that is free, so that a high one says that few are left:
 * those are for servers, processes and the record, on which the connections that are open already depend. */
static bool server_is_full(const struct server *s, const uv_tcp_t *tcp)
{
    uv_os_fd_t fd;
    if (s->count >= s->l.connections)
        return true;
    return s->l.descriptors && !uv_fileno((const uv_handle_t *)tcp, &fd) && fd >= s->l.descriptors;
}

static void server_accept(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    if (status < 0) { /* no descriptor at all: libuv has accepted and closed it with one that it keeps for that */
        s->refused++;
        meter_add(METER_REFUSED_CONNECTIONS, 1);
        return;
    }
    struct server_conn *c = calloc(1, sizeof(*c));
    s->accept_later = !c;
    if (!c)
        return; /* libuv asks no second time for this one: the tick does */
    uv_tcp_init(&s->worker->loop, &c->tcp);
    bool failed = uv_accept(listener, (uv_stream_t *)&c->tcp) || s->draining;
    bool full = !failed && server_is_full(s, &c->tcp);
    s->refused += full;
    meter_add(METER_REFUSED_CONNECTIONS, full);
    if (failed || full) {
        uv_close((uv_handle_t *)&c->tcp, server_accept_refuse_closed); /* tcp is the first member */
        return;
    }
    c->tcp.data = c;
    c->server = s;
    c->next = s->conns;
    c->link = &s->conns;
    if (s->conns)
        s->conns->link = &c->next;
    s->conns = c;
    s->count++;
    meter_add(s->l.meter, 1);
    size_t head = s->l.http.head_bytes ? s->l.http.head_bytes : 16384;
    buf_init(&c->in, head + SERVER_AHEAD_BYTES + 2 * SERVER_READ_BYTES);
    buf_init(&c->ahead, SERVER_AHEAD_BYTES + SERVER_READ_BYTES + TLS_PLAIN_BYTES); /* a record may have waited */
    buf_init(&c->content, s->l.body_bytes);
    int n = sizeof(c->peer);
    uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&c->peer, &n);
    uv_tcp_nodelay(&c->tcp, 1);
    c->state = CONN_IDLE;
    c->deadline = server_after(s, s->l.head_ms); /* a connection that never says anything goes first */
    struct tls *t = s->ops->tls ? s->ops->tls(s->app) : NULL;
    if (t && !server_tls_begin(c, t))
        server_conn_close(c);
    else
        server_conn_read_start(c);
    tls_unref(t);
}

/* ---- deadlines ---- */

static void server_conn_late(struct server_conn *c)
{
    if (c->state == CONN_HEAD || c->state == CONN_BODY) {
        c->keep_alive = false;
        c->state = CONN_BUSY;
        c->deadline = 0;
        exchange_answer(c->x, 408, STR("application/json"), NULL, 0,
                        STR("{\"error\":\"over_bound\",\"message\":\"the request took too long to arrive\"}"));
        return;
    }
    server_conn_close(c);
}

/* A client that reads, however slowly, has its time anew. */
static bool server_conn_stuck(struct server_conn *c, uint64_t now)
{
    size_t unread = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
    if (unread != c->unread)
        c->write_deadline = server_write_deadline(c);
    c->unread = unread;
    return unread && now >= c->write_deadline;
}

static void server_tell_refused(struct server *s, uint64_t now)
{
    if (!s->refused || (s->refused_at && now - s->refused_at < SERVER_REFUSED_MS))
        return;
    log_warn("connections_refused", LOG_I("count", s->refused), LOG_I("open", s->count));
    s->refused = 0;
    s->refused_at = now;
}

static void server_tick(uv_timer_t *t)
{
    struct server *s = t->data;
    uint64_t now = uv_now(t->loop);
    bool cut = s->draining && now >= s->drain_deadline;
    server_tell_refused(s, now);
    if (s->accept_later)
        server_accept((uv_stream_t *)&s->listener, 0);
    for (struct server_conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->closing)
            continue;
        /* A client that is still reading its answer is measured by that alone. */
        bool reads = c->queued && (c->state == CONN_IDLE || c->state == CONN_LINGER);
        if (cut || (c->queued && server_conn_stuck(c, now)))
            server_conn_close(c);
        else if (c->deadline && now >= c->deadline && !reads)
            server_conn_late(c);
    }
}

/* ---- the server ---- */

static void server_defaults(struct server_limits *l)
{
#define SERVER_DEFAULT(field, value)                                                                                   \
    if (!l->field)                                                                                                     \
    l->field = (value)
    SERVER_DEFAULT(body_bytes, 1u << 20);
    SERVER_DEFAULT(arena_bytes, 8u << 20);
    SERVER_DEFAULT(connections, 10000);
    SERVER_DEFAULT(idle_ms, 75000);
    SERVER_DEFAULT(head_ms, 10000);
    SERVER_DEFAULT(body_ms, 30000);
    SERVER_DEFAULT(write_ms, 30000);
    SERVER_DEFAULT(write_bytes, 4u << 20);
#undef SERVER_DEFAULT
}

/* "127.0.0.1:8420" or "[::1]:8420" */
static enum err server_address(struct str text, struct sockaddr_storage *ret, struct fault *f)
{
    char host[64];
    uint64_t port = 0;
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    struct str h = {text.p, colon ? (size_t)(colon - text.p) : 0};
    if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = (struct str){h.p + 1, h.n - 2};
    if (!colon || h.n == 0 || h.n >= sizeof(host) || !str_u64(str_skip(text, (size_t)(colon - text.p) + 1), &port) ||
        port > 65535)
        return fault_set(f, ERR_CONFIG, "an address to listen on must be like 127.0.0.1:8420 or [::1]:8420");
    memcpy(host, h.p, h.n);
    host[h.n] = 0;
    if (uv_ip4_addr(host, (int)port, (struct sockaddr_in *)ret) &&
        uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)ret))
        return fault_set(f, ERR_CONFIG, "%s is no IP address", host);
    return ERR_OK;
}

static enum err server_bind(const struct sockaddr_storage *at, struct str text, int *ret, struct fault *f)
{
    int one = 1, fd = socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault_set(f, ERR_IO, "socket: %m");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    socklen_t n = at->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (bind(fd, (const struct sockaddr *)at, n) < 0) {
        fault_set(f, ERR_IO, "cannot listen on " STR_FMT ": %m", STR_ARG(text));
        close(fd);
        return ERR_IO;
    }
    *ret = fd;
    return ERR_OK;
}

static enum err server_begin(struct server *s, const struct sockaddr_storage *at, struct str text, struct fault *f)
{
    int fd;
    if (!s->l.socket)
        TRY(server_bind(at, text, &fd, f));
    else if ((fd = fcntl(s->l.socket, F_DUPFD_CLOEXEC, 3)) < 0)
        return fault_set(f, ERR_IO, "the socket for " STR_FMT ": %m", STR_ARG(text));
    int e = uv_tcp_open(&s->listener, fd);
    if (!e)
        e = uv_listen((uv_stream_t *)&s->listener, 1024, server_accept);
    return e ? fault_set(f, ERR_IO, "cannot listen on " STR_FMT ": %s", STR_ARG(text), uv_strerror(e)) : ERR_OK;
}

enum err server_listen(struct worker *w, struct str address, const struct server_limits *l,
                       const struct server_ops *ops, void *app, struct server **ret, struct fault *f)
{
    struct sockaddr_storage at = {0};
    TRY(server_address(address, &at, f));
    struct server *s = calloc(1, sizeof(*s));
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for a listener");
    s->worker = w;
    s->ops = ops;
    s->app = app;
    s->l = l ? *l : (struct server_limits){0};
    server_defaults(&s->l);
    buf_init(&s->head, 65536);
    buf_init(&s->out, TLS_OUT_BYTES);
    uv_tcp_init(&w->loop, &s->listener);
    uv_timer_init(&w->loop, &s->tick);
    s->listener.data = s->tick.data = s;
    s->handles = 2;
    uv_timer_start(&s->tick, server_tick, SERVER_TICK_MS, SERVER_TICK_MS);
    enum err e = server_begin(s, &at, address, f);
    if (e) {
        server_drain(s, 0, server_free, NULL);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

void server_free(struct server *s, void *ctx)
{
    (void)ctx;
    while (s->free_exchange) {
        struct exchange *x = s->free_exchange;
        s->free_exchange = x->user;
        arena_done(&x->arena);
        free(x);
    }
    buf_done(&s->head);
    buf_done(&s->out);
    free(s);
}

uint16_t server_port(const struct server *s)
{
    struct sockaddr_storage at;
    int n = sizeof(at);
    if (uv_tcp_getsockname(&s->listener, (struct sockaddr *)&at, &n))
        return 0;
    return ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port
                                         : ((struct sockaddr_in6 *)&at)->sin6_port);
}

unsigned server_connections(const struct server *s)
{
    return s->count;
}

static void server_drain_tick(uv_timer_t *t)
{
    struct server *s = t->data;
    server_tick(t);
    if (!s->conns && !uv_is_closing((uv_handle_t *)t))
        uv_close((uv_handle_t *)t, server_handle_closed);
}

void server_drain(struct server *s, unsigned grace_ms, void (*closed)(struct server *s, void *ctx), void *ctx)
{
    s->draining = true;
    s->drained = closed;
    s->drained_ctx = ctx;
    s->drain_deadline = server_after(s, grace_ms);
    uv_close((uv_handle_t *)&s->listener, server_handle_closed);
    for (struct server_conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->state == CONN_IDLE && c->queued)
            server_conn_linger(c); /* its last answer is still on the way */
        else if (c->state == CONN_IDLE || c->state == CONN_HANDSHAKE)
            server_conn_close(c);
    }
    s->accept_later = false;
    uv_timer_start(&s->tick, server_drain_tick, 1, 20);
}

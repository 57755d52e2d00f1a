/* The pool of the HTTP client: origins, their connections, the queue, deadlines. Bytes in and out are in client_conn.c.
 */
#include <netinet/tcp.h>
#include <stdlib.h>

#include "net/client_inner.h"

static void client_pump(struct client_origin *o);

/* ---- the queue of an origin; also the list of calls that failed before they could be sent ---- */

static void call_push(struct client_call **list, struct client_call *call)
{
    while (*list)
        list = &(*list)->next;
    call->next = NULL;
    call->link = list;
    *list = call;
}

static void call_unlink(struct client_call *call)
{
    if (!call->link)
        return;
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    call->link = NULL;
    call->next = NULL;
}

static void client_report(uv_timer_t *t)
{
    struct client *c = t->data;
    size_t count = 0; /* those that fail again meanwhile have their turn next time */
    for (struct client_call *call = c->failed; call; call = call->next)
        count++;
    while (c->failed && count--) {
        struct client_call *call = c->failed;
        call_unlink(call);
        call->ops->done(call, call->fault.err, &call->fault, call->sent);
    }
}

/* `done` is never called from inside client_send: it comes with the next turn of the loop. */
static void client_fail_later(struct client *c, struct client_call *call, enum err e, const char *why)
{
    fault_set(&call->fault, e, "%s", why);
    call_push(&c->failed, call);
    uv_timer_start(&c->report, client_report, 0, 0);
}

static void client_fail_queue(struct client_origin *o, enum err e, const char *why)
{
    while (o->queue) {
        struct client_call *call = o->queue;
        call_unlink(call);
        o->queued--;
        client_fail_later(o->client, call, e, why);
    }
}

/* ---- addresses ---- */

static void client_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct client_origin *o = req->data;
    o->resolving = false;
    if (o->client->closing) {
        uv_freeaddrinfo(list);
        return;
    }
    o->address_count = 0;
    for (struct addrinfo *a = list; status == 0 && a && o->address_count < CLIENT_ADDRESSES; a = a->ai_next)
        if (a->ai_addrlen <= sizeof(o->address[0]))
            memcpy(&o->address[o->address_count++], a->ai_addr, a->ai_addrlen);
    uv_freeaddrinfo(list);
    o->resolved_until = uv_now(req->loop) + CLIENT_DNS_MS;
    if (o->address_count)
        client_pump(o);
    else
        client_fail_queue(o, ERR_UPSTREAM, "the host's name cannot be resolved");
}

static bool client_resolve(struct client_origin *o)
{
    uv_loop_t *loop = &o->client->worker->loop;
    if (o->literal || (o->address_count && uv_now(loop) < o->resolved_until))
        return true;
    if (o->resolving)
        return false;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    o->resolver.data = o;
    if (uv_getaddrinfo(loop, &o->resolver, client_resolved, o->host, o->port_text, &hints))
        client_fail_queue(o, ERR_UPSTREAM, "the host's name cannot be resolved");
    else
        o->resolving = true;
    return false;
}

/* ---- the pool ---- */

static struct client_conn *client_idle(struct client_origin *o)
{
    while (o->idle && !client_conn_fresh(o->idle))
        client_conn_close(o->idle);
    return o->idle;
}

static void client_pump(struct client_origin *o)
{
    while (o->queue && !o->client->closing) {
        struct client_conn *idle = client_idle(o);
        if (!idle && o->conns >= o->client->l.per_origin)
            return;
        if (!idle && !client_resolve(o))
            return;
        struct client_call *call = o->queue;
        if (!call)
            return;
        call_unlink(call);
        o->queued--;
        if (idle)
            client_conn_use(idle, call);
        else if (!client_conn_open(o, call))
            client_fail_later(o->client, call, ERR_NOMEM, "no memory for a connection");
    }
}

void client_pool_changed(struct client_origin *o)
{
    client_pump(o);
}

void client_requeue(struct client_origin *o, struct client_call *call)
{
    call->retried = true;
    call->conn = NULL;
    call->next = o->queue;
    call->link = &o->queue;
    if (o->queue)
        o->queue->link = &call->next;
    o->queue = call;
    o->queued++;
    /* Every pooled connection may be as stale as the one that just failed: take a new one. */
    if (client_resolve(o)) {
        call_unlink(call);
        o->queued--;
        if (!client_conn_open(o, call))
            client_fail_later(o->client, call, ERR_NOMEM, "no memory for a connection");
    }
}

static bool client_writable(const struct client_call *call)
{
    size_t n = call->method.n + call->target.n + call->origin->authority.n + 128;
    for (size_t i = 0; i < call->target.n; i++)
        if ((unsigned char)call->target.p[i] <= 0x20 || call->target.p[i] == 0x7f)
            return false;
    for (size_t i = 0; i < call->header_count; i++) {
        const struct http_header *h = &call->headers[i];
        if (!http_field_valid(h->name, h->value))
            return false;
        n += h->name.n + h->value.n + 4;
    }
    return n <= CLIENT_HEAD_BYTES;
}

void client_send(struct client_origin *o, struct client_call *call)
{
    struct client *c = o->client;
    call->origin = o;
    call->conn = NULL;
    call->link = NULL;
    call->next = NULL;
    call->sent = call->retried = false;
    call->fault = (struct fault){0};
    call->deadline = uv_now(&c->worker->loop) + (call->timeout_ms ? call->timeout_ms : 30000);
    if (c->closing) {
        client_fail_later(c, call, ERR_STOPPING, "Doorward is stopping");
    } else if (call->unwritten) {
        client_fail_later(c, call, ERR_NOMEM, "no memory for the request");
    } else if (!client_writable(call)) {
        client_fail_later(c, call, ERR_PARAMS, "the head of the request is too large or holds a control character");
    } else if (!o->queue && client_idle(o)) {
        client_conn_use(o->idle, call);
    } else if (o->queued >= c->l.queue) {
        client_fail_later(c, call, ERR_UPSTREAM, "too many calls wait for this server");
    } else {
        call_push(&o->queue, call);
        o->queued++;
        client_pump(o);
    }
}

void client_cancel(struct client_call *call)
{
    struct fault f;
    fault_set(&f, ERR_CANCELLED, "the request was cancelled");
    if (call->conn) {
        struct client_conn *conn = call->conn;
        conn->call = NULL;
        call->conn = NULL;
        client_conn_close(conn);
    } else if (call->link) {
        if (call->fault.err == 0)
            call->origin->queued--;
        call_unlink(call);
    }
    call->ops->done(call, ERR_CANCELLED, &f, call->sent);
}

static void client_tick(uv_timer_t *t)
{
    struct client *c = t->data;
    uint64_t now = uv_now(t->loop);
    for (struct client_origin *o = c->origins; o; o = o->next) {
        client_conns_tick(o, now);
        for (struct client_call *call = o->queue, *next; call; call = next) {
            next = call->next;
            if (now < call->deadline)
                continue;
            call_unlink(call);
            o->queued--;
            client_fail_later(c, call, ERR_UPSTREAM_TIMEOUT, "no connection to the server was free in time");
        }
    }
}

/* ---- origins and the client ---- */

enum err client_origin(struct client *c, const struct http_url *url, struct tls *tls, struct client_origin **ret,
                       struct fault *f)
{
    if (url->tls && !tls)
        return fault_set(f, ERR_CONFIG, "an https URL, and nothing says whom to believe");
    struct client_origin *o = calloc(1, sizeof(*o));
    if (!o || url->host.n >= sizeof(o->host) || url->authority.n >= sizeof(o->authority_text)) {
        free(o);
        return fault_set(f, ERR_LIMIT, "the host's name is too long");
    }
    o->client = c;
    o->tls = url->tls ? tls_ref(tls) : NULL;
    memcpy(o->host, url->host.p, url->host.n);
    memcpy(o->authority_text, url->authority.p, url->authority.n);
    o->authority = (struct str){o->authority_text, url->authority.n};
    size_t at = sizeof(o->port_text) - 1;
    for (unsigned port = url->port; port; port /= 10)
        o->port_text[--at] = (char)('0' + port % 10);
    memmove(o->port_text, o->port_text + at, sizeof(o->port_text) - at);
    o->literal = uv_ip4_addr(o->host, url->port, (struct sockaddr_in *)&o->address[0]) == 0 ||
                 uv_ip6_addr(o->host, url->port, (struct sockaddr_in6 *)&o->address[0]) == 0;
    o->address_count = o->literal;
    o->next = c->origins;
    c->origins = o;
    *ret = o;
    return ERR_OK;
}

enum err client_new(struct worker *w, const struct client_limits *l, struct client **ret, struct fault *f)
{
    struct client *c = calloc(1, sizeof(*c));
    if (!c)
        return fault_set(f, ERR_NOMEM, "no memory for the client");
    c->worker = w;
    c->l = l ? *l : (struct client_limits){0};
    c->l.per_origin = c->l.per_origin ? c->l.per_origin : 64;
    c->l.queue = c->l.queue ? c->l.queue : 1024;
    c->l.connect_ms = c->l.connect_ms ? c->l.connect_ms : 5000;
    c->l.idle_ms = c->l.idle_ms ? c->l.idle_ms : 60000;
    c->l.body_bytes = c->l.body_bytes ? c->l.body_bytes : 16u << 20;
    buf_init(&c->out, CLIENT_HEAD_BYTES);
    buf_init(&c->cipher, TLS_OUT_BYTES);
    uv_timer_init(&w->loop, &c->tick);
    uv_timer_init(&w->loop, &c->report);
    c->tick.data = c->report.data = c;
    uv_timer_start(&c->tick, client_tick, CLIENT_TICK_MS, CLIENT_TICK_MS);
    *ret = c;
    return ERR_OK;
}

static void client_free(struct client *c)
{
    while (c->origins) {
        struct client_origin *o = c->origins;
        c->origins = o->next;
        tls_sessions_done(&o->sessions);
        tls_unref(o->tls);
        free(o);
    }
    buf_done(&c->out);
    buf_done(&c->cipher);
    free(c);
}

static void client_closing_tick(uv_timer_t *t)
{
    struct client *c = t->data;
    for (struct client_origin *o = c->origins; o; o = o->next)
        if (o->all || o->resolving)
            return;
    uv_close((uv_handle_t *)&c->tick, client_handle_closed);
    uv_close((uv_handle_t *)&c->report, client_handle_closed);
}

void client_handle_closed(uv_handle_t *h)
{
    struct client *c = h->data;
    if (++c->handles_closed < 2)
        return;
    void (*closed)(void *) = c->closed;
    void *ctx = c->closed_ctx;
    client_free(c);
    if (closed)
        closed(ctx);
}

void client_close(struct client *c, void (*closed)(void *ctx), void *ctx)
{
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    for (struct client_origin *o = c->origins; o; o = o->next) {
        while (o->queue)
            client_cancel(o->queue);
        client_conns_close(o);
    }
    while (c->failed)
        client_report(&c->report);
    uv_timer_start(&c->tick, client_closing_tick, 0, 5);
}

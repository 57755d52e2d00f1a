/* Connections of the HTTP server under TLS: the handshake, and the way from ciphertext to content and back. */
#include "base/log.h"
#include "net/server_inner.h"

bool server_tls_begin(struct server_conn *c, struct tls *t)
{
    c->tls = tls_accept(t, &c->server->out);
    c->state = CONN_HANDSHAKE;
    return c->tls != NULL;
}

static void server_tls_flush(struct server_conn *c)
{
    struct buf *out = &c->server->out;
    if (buf_failed(out))
        server_conn_close(c);
    else if (out->n)
        server_put(c, buf_view(out), STR_NONE);
    buf_clear(out);
}

void server_tls_write(struct server_conn *c, struct str a, struct str b)
{
    while (a.n + b.n && !c->closing) {
        bool ok = tls_write(c->tls, &a, &b);
        server_tls_flush(c);
        if (!ok)
            server_conn_close(c);
    }
}

void server_tls_end(struct server_conn *c)
{
    tls_close(c->tls);
    server_tls_flush(c);
}

void server_tls_leave(struct server_conn *c)
{
    struct buf *out = &c->server->out;
    if (c->queued || out->n) /* something before it is not out, and never will be */
        return;
    tls_close(c->tls);
    if (out->n && !buf_failed(out)) {
        uv_buf_t b = uv_buf_init(out->p, (unsigned)out->n);
        (void)uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
    }
    buf_clear(out);
}

static void server_tls_ready(struct server_conn *c)
{
    c->state = CONN_IDLE;
    c->deadline = uv_now(&c->server->worker->loop) + c->server->l.head_ms;
}

/* Somebody took the wrong scheme: they are told so in the language that they speak. */
static void server_tls_clear(struct server_conn *c)
{
    server_put(c,
               STR("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 84\r\n"
                   "Connection: close\r\n\r\n"),
               STR("{\"error\":\"malformed\",\"message\":\"this port speaks TLS: the URL begins with https://\"}"));
    if (!c->closing)
        server_conn_linger(c);
}

static void server_tls_refused(struct server_conn *c, const struct fault *f)
{
    log_debug("tls_refused", LOG_Z("reason", f->text));
    if (c->state == CONN_HANDSHAKE)
        server_conn_linger(c); /* so that the alert arrives */
    else
        server_conn_close(c);
}

/* One step. False: nothing more to do with what came. */
static bool server_tls_step(struct server_conn *c)
{
    struct server *s = c->server;
    struct fault f;
    size_t n = 0;
    enum tls_verdict v = tls_read(c->tls, s->plain, sizeof(s->plain), &n, &f);
    server_tls_flush(c);
    if (c->closing)
        return false;
    switch (v) {
    case TLS_READY: server_tls_ready(c); return true;
    case TLS_DATA: server_conn_take(c, (struct str){s->plain, n}); return !c->closing && c->state != CONN_LINGER;
    case TLS_MORE: return false;
    case TLS_END: server_conn_close(c); return false;
    case TLS_CLEAR: server_tls_clear(c); return false;
    case TLS_BAD: break;
    }
    server_tls_refused(c, &f);
    return false;
}

void server_tls_read(struct server_conn *c, struct str ciphertext)
{
    if (c->state == CONN_LINGER)
        return;
    tls_feed(c->tls, ciphertext);
    while (server_tls_step(c))
        ;
    tls_feed(c->tls, STR_NONE);
}

/* Connections of the HTTP client under TLS: the handshake, and the way from ciphertext to content and back. */
#include "net/client_inner.h"

static bool client_tls_flush(struct client_conn *conn)
{
    struct buf *out = &conn->origin->client->cipher;
    bool ok = !buf_failed(out) && (out->n == 0 || client_conn_put(conn, buf_view(out), STR_NONE));
    buf_clear(out);
    return ok;
}

bool client_tls_write(struct client_conn *conn, struct str a, struct str b)
{
    bool ok = true;
    while (ok && a.n + b.n)
        ok = tls_write(conn->tls, &a, &b) && client_tls_flush(conn);
    return ok;
}

/* One step. False: nothing more to do with what came. */
static bool client_tls_step(struct client_conn *conn)
{
    struct client *c = conn->origin->client;
    struct fault f;
    size_t n = 0;
    enum tls_verdict v = tls_read(conn->tls, c->plain, sizeof(c->plain), &n, &f);
    bool flushed = client_tls_flush(conn);
    if (v == TLS_BAD || v == TLS_CLEAR) {
        client_conn_fail(conn, ERR_UPSTREAM, f.text);
        return false;
    }
    if (!flushed) {
        client_conn_fail(conn, ERR_UPSTREAM, "the connection to the server broke");
        return false;
    }
    switch (v) {
    case TLS_READY: client_conn_ready(conn); break;
    case TLS_DATA: client_conn_take(conn, (struct str){c->plain, n}); break;
    case TLS_END: client_conn_ended(conn, true); return false;
    default: return false;
    }
    return !conn->closing;
}

void client_tls_read(struct client_conn *conn, struct str ciphertext)
{
    tls_feed(conn->tls, ciphertext);
    while (client_tls_step(conn))
        ;
    tls_feed(conn->tls, STR_NONE);
}

void client_tls_begin(struct client_conn *conn)
{
    struct client_origin *o = conn->origin;
    conn->tls = tls_connect(o->tls, o->host, &o->sessions, &o->client->cipher);
    if (conn->tls)
        client_tls_read(conn, STR_NONE);
    else
        client_conn_fail(conn, ERR_UPSTREAM, "no memory for a TLS connection");
}

/* What cannot go at once is not waited for: the connection is closed. */
void client_tls_end(struct client_conn *conn)
{
    struct buf *out = &conn->origin->client->cipher;
    tls_close(conn->tls);
    if (out->n && !buf_failed(out) && uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp) == 0) {
        uv_buf_t b = uv_buf_init(out->p, (unsigned)out->n);
        (void)uv_try_write((uv_stream_t *)&conn->tcp, &b, 1);
    }
    buf_clear(out);
}

/* Answers of the HTTP server: heads, whole bodies, streams, and the bytes that a socket does not take at once. */
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "net/server_inner.h"

struct server_write_req {
    uv_write_t req;
    struct server_conn *conn;
    size_t n;
    char bytes[];
};

uint64_t server_write_deadline(const struct server_conn *c)
{
    return uv_now(&c->server->worker->loop) + (c->write_ms ? c->write_ms : c->server->l.write_ms);
}

static void server_written(uv_write_t *req, int status)
{
    struct server_write_req *w = (struct server_write_req *)req;
    struct server_conn *c = w->conn;
    c->queued -= w->n;
    free(w);
    if (c->closing)
        return;
    if (status < 0) {
        server_conn_close(c);
        return;
    }
    c->write_deadline = server_write_deadline(c);
    if (c->queued == 0)
        server_conn_flushed(c);
}

static void server_queue(struct server_conn *c, struct str a, struct str b)
{
    size_t n = a.n + b.n;
    struct server_write_req *w = malloc(sizeof(*w) + n);
    if (!w) {
        server_conn_close(c);
        return;
    }
    w->conn = c;
    w->n = n;
    if (a.n)
        memcpy(w->bytes, a.p, a.n);
    if (b.n)
        memcpy(w->bytes + a.n, b.p, b.n);
    if (c->queued == 0)
        c->write_deadline = server_write_deadline(c);
    c->queued += n;
    uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)n);
    if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, server_written)) {
        c->queued -= n;
        free(w);
        server_conn_close(c);
    }
}

void server_put(struct server_conn *c, struct str a, struct str b)
{
    if (c->closing)
        return;
    if (c->queued == 0) {
        uv_buf_t bufs[2] = {uv_buf_init((char *)(uintptr_t)a.p, (unsigned)a.n),
                            uv_buf_init((char *)(uintptr_t)b.p, (unsigned)b.n)};
        int n = uv_try_write((uv_stream_t *)&c->tcp, bufs, b.n ? 2 : 1);
        if (n < 0 && n != UV_EAGAIN) {
            server_conn_close(c);
            return;
        }
        size_t done = n > 0 ? (size_t)n : 0;
        size_t from_a = done < a.n ? done : a.n;
        a = str_skip(a, from_a);
        b = str_skip(b, done - from_a);
    }
    if (a.n + b.n)
        server_queue(c, a, b);
}

void server_write(struct server_conn *c, struct str a, struct str b)
{
    if (c->queued && c->queued + a.n + b.n > c->server->l.write_bytes) /* one answer is taken whatever its size */
        server_conn_close(c);
    else if (c->tls)
        server_tls_write(c, a, b);
    else
        server_put(c, a, b);
}

const char *server_date(struct server *s)
{
    uint64_t now = uv_now(&s->worker->loop);
    if (!s->date[0] || now - s->date_at >= 500) {
        time_t t = time(NULL);
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        s->date_at = now;
    }
    return s->date;
}

/* A control byte in a value would begin a field of somebody else's choice: it becomes a space (RFC 9110 5.5). */
static void answer_value(struct buf *b, struct str value)
{
    size_t at = b->n;
    buf_str(b, value);
    for (; at < b->n; at++)
        if ((unsigned char)b->p[at] < 0x20 || b->p[at] == 0x7f)
            b->p[at] = ' ';
}

static void answer_line(struct buf *b, const char *name, struct str value)
{
    buf_z(b, name);
    answer_value(b, value);
    buf_put(b, "\r\n", 2);
}

/* RFC 9110 6.4.1: answers that have no content, and say nothing about its length. */
static bool answer_is_bare(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* Empty when it is larger than a head may be. */
static struct str answer_head(struct exchange *x, int status, struct str type, const struct http_header *headers,
                              size_t count, int64_t length)
{
    struct server_conn *c = x->conn;
    struct buf *b = &c->server->head;
    buf_clear(b);
    buf_put(b, "HTTP/1.1 ", 9);
    buf_u64(b, (uint64_t)status);
    buf_char(b, ' ');
    answer_line(b, http_reason(status), STR_NONE);
    answer_line(b, "Date: ", str_of(server_date(c->server)));
    if (type.n)
        answer_line(b, "Content-Type: ", type);
    if (answer_is_bare(status)) {
        c->bare = true;
    } else if (length >= 0) {
        buf_put(b, "Content-Length: ", 16);
        buf_u64(b, (uint64_t)length);
        buf_put(b, "\r\n", 2);
    } else {
        answer_line(b, "Transfer-Encoding: chunked", STR_NONE);
    }
    if (!c->keep_alive || c->server->draining)
        answer_line(b, "Connection: close", STR_NONE);
    for (size_t i = 0; i < count; i++) {
        buf_str(b, headers[i].name);
        answer_line(b, ": ", headers[i].value);
    }
    buf_put(b, "\r\n", 2);
    return buf_failed(b) ? STR_NONE : buf_view(b);
}

static void answer_write(struct server_conn *c, struct str head, struct str body)
{
    if (head.n)
        server_write(c, head, c->bare ? STR_NONE : body);
    else
        server_conn_close(c);
}

void exchange_answer(struct exchange *x, int status, struct str type, const struct http_header *headers, size_t count,
                     struct str body)
{
    struct server_conn *c = x->conn;
    x->answered = true;
    x->status = status;
    if (!x->gone) {
        struct str head = answer_head(x, status, type, headers, count, (int64_t)body.n);
        x->sent = c->bare ? 0 : body.n;
        answer_write(c, head, body);
    }
    server_conn_finish(c);
}

void exchange_answer_fault(struct exchange *x, const struct fault *f)
{
    exchange_answer_fault_with(x, f, NULL, 0);
}

void exchange_answer_fault_with(struct exchange *x, const struct fault *f, const struct http_header *headers,
                                size_t count)
{
    struct buf b;
    buf_init(&b, 8192);
    x->note.code = err_code(f->err);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "error", err_code(f->err));
    json_kv_z(&o, "message", f->text[0] ? f->text : err_help(f->err));
    json_close(&o, '}');
    struct str body = buf_failed(&b) ? STR("{\"error\":\"out_of_memory\"}") : buf_view(&b);
    exchange_answer(x, err_http(f->err), STR("application/json"), headers, count, body);
    buf_done(&b);
}

void exchange_stream_begin(struct exchange *x, int status, struct str type, const struct http_header *headers,
                           size_t count)
{
    x->answered = true;
    x->status = status;
    if (!x->gone)
        answer_write(x->conn, answer_head(x, status, type, headers, count, -1), STR_NONE);
}

void exchange_stream_write(struct exchange *x, struct str bytes)
{
    struct server_conn *c = x->conn;
    if (x->gone || c->bare || bytes.n == 0)
        return;
    x->sent += bytes.n;
    static const char hex[] = "0123456789abcdef";
    char size[20];
    size_t at = sizeof(size);
    size[--at] = '\n';
    size[--at] = '\r';
    for (size_t n = bytes.n; n; n >>= 4)
        size[--at] = hex[n & 15];
    server_write(c, (struct str){size + at, sizeof(size) - at}, bytes);
    server_write(c, STR("\r\n"), STR_NONE);
}

size_t exchange_stream_queued(const struct exchange *x)
{
    return x->gone ? 0 : x->conn->queued;
}

void exchange_stream_patience(struct exchange *x, unsigned ms)
{
    x->conn->write_ms = ms;
}

void exchange_stream_end(struct exchange *x)
{
    if (!x->gone && !x->conn->bare)
        server_write(x->conn, STR("0\r\n\r\n"), STR_NONE);
    server_conn_finish(x->conn);
}

void exchange_stream_abort(struct exchange *x)
{
    struct server_conn *c = x->conn;
    server_conn_close(c);
    server_conn_finish(c);
}

/*
 * The first byte says how the rest is cut into pieces. However a stream is cut, the same events come out of it, no
 * string of theirs holds a line end or passes the bound, and the verdict is the same.
 */
#include "net/sse.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(expr)                                                                                                    \
    do {                                                                                                               \
        if (!(expr)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

enum { EVENT_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool on_event(void *ctx, const struct sse_event *e)
{
    struct buf *b = ctx;
    CHECK(e->data.n <= EVENT_MAX && e->event.n <= 256 && e->id.n <= 1024);
    CHECK(!e->data.n || !memchr(e->data.p, '\r', e->data.n));
    CHECK(!e->id.n || !memchr(e->id.p, 0, e->id.n));
    CHECK(!e->event.n || (!memchr(e->event.p, '\r', e->event.n) && !memchr(e->event.p, '\n', e->event.n)));
    CHECK(e->retry_ms >= -1);
    buf_fmt(b, "%zu:%zu:%zu:%lld:", e->event.n, e->data.n, e->id.n, (long long)e->retry_ms);
    buf_str(b, e->event);
    buf_str(b, e->data);
    buf_str(b, e->id);
    return true;
}

/* Pieces of `step` bytes, each in memory of just its size. */
static enum err read_in_steps(const uint8_t *p, size_t n, size_t step, struct buf *events)
{
    struct sse s;
    struct fault f = {0};
    enum err e = ERR_OK;
    sse_init(&s, EVENT_MAX);
    for (size_t at = 0; at < n && !e; at += step) {
        size_t k = n - at < step ? n - at : step;
        char *copy = malloc(k);
        memcpy(copy, p + at, k);
        e = sse_feed(&s, (struct str){copy, k}, on_event, events, &f);
        free(copy);
    }
    CHECK(e == ERR_OK || (e == ERR_LIMIT && f.text[0]));
    sse_done(&s);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 2)
        return 0;
    struct buf whole, cut;
    buf_init(&whole, 1u << 24);
    buf_init(&cut, 1u << 24);
    enum err e = read_in_steps(p + 1, n - 1, n, &whole);
    CHECK(read_in_steps(p + 1, n - 1, 1 + p[0] % 16, &cut) == e);
    CHECK(str_eq(buf_view(&whole), buf_view(&cut)));
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}

/*
 * The first byte says how the rest is cut into pieces. However a stream is cut, the same events come out of it, no
 * string of theirs holds a line end or passes the bound, and the verdict is the same.
 */
#include "../stream.h"
#include "net/sse.h"

enum { EVENT_MAX = 64 };

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

static enum err read_events(struct pieces *in, struct buf *events)
{
    struct sse s;
    struct str piece;
    struct fault f = {0};
    enum err e = ERR_OK;
    sse_init(&s, EVENT_MAX);
    while (!e && pieces_next(in, &piece))
        e = sse_feed(&s, piece, on_event, events, &f);
    CHECK(e == ERR_OK || (e == ERR_LIMIT && f.text[0]));
    sse_done(&s);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    stream_judged(read_events, p, n);
    return 0;
}

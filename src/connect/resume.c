/*
 * A legacy server may end the stream of a call before its answer: when an event of it had an id, the call goes on, and
 * a GET that names that event is given what came after it (MCP 2025-11-25 basic/transports, "Resumability and
 * Redelivery"). The call itself is never sent again. Worker 0.
 */
#include <stdlib.h>

#include "connect/hop.h"

enum { RESUME_MS = 1000, RESUME_LEAST_MS = 100, RESUME_MOST_MS = 30000 }; /* unless the server says when */

struct resume {
    uv_timer_t timer;
    struct hop *hop;
};

static void resume_closed(uv_handle_t *h)
{
    free(h->data);
}

void hop_resume_stop(struct hop *h)
{
    uv_close((uv_handle_t *)&h->resume->timer, resume_closed);
    h->resume = NULL;
}

static void resume_send(uv_timer_t *t)
{
    struct hop *h = ((struct resume *)t->data)->hop;
    char version[16];
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = http_version(h->upstream, version), .method = "GET"};
    struct str last = arena_str(&h->arena, buf_view(&h->sse.id));
    size_t max = h->body.max;
    hop_resume_stop(h);
    sse_done(&h->sse);
    sse_init(&h->sse, max);
    buf_clear(&h->request);
    hop_headers(h, &r, h->session->id);
    hop_header(h, "Last-Event-ID", last);
    hop_send(h, "GET", h->flight.timeout_ms * 10);
}

bool hop_resume(struct hop *h, enum err e)
{
    bool ended = e == ERR_OK || e == ERR_UPSTREAM; /* by the server, as it should or not; nothing else is resumed */
    if (!ended || !h->stream || !h->session || !h->flight.call || !h->sse.id.n)
        return false;
    struct resume *r = calloc(1, sizeof(*r));
    if (!r)
        return false;
    int64_t wait = h->sse.retry_ms < 0 ? RESUME_MS : h->sse.retry_ms;
    wait = wait < RESUME_LEAST_MS ? RESUME_LEAST_MS : wait > RESUME_MOST_MS ? RESUME_MOST_MS : wait;
    r->hop = h;
    r->timer.data = r;
    uv_timer_init(&h->worker->worker->loop, &r->timer);
    uv_timer_start(&r->timer, resume_send, (uint64_t)wait, 0);
    h->resume = r;
    h->resumed = true;
    flight_put_off(&h->flight);
    return true;
}

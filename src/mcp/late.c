/*
 * Calls that take long, or whose server says that they will. One of a legacy client that takes streams becomes a
 * stream, so that its answer is not lost with the connection; and every stream is kept awake for those in between. The
 * tick also forgets what no client came back for.
 */
#include "base/clock.h"
#include "mcp/event.h"
#include "net/sse.h"

enum { LATE_TICK_MS = 250, LATE_SWEEP_TICKS = 4, LATE_AWAKE_TICKS = 60 };
enum { LATE_STREAM_MS = 2000 };

static bool late_may_stream(const struct mcp_request *r)
{
    struct str accept = http_header(&r->x->head, "accept");
    return r->era == ERA_LEGACY && r->mcp_session.n && r->takes_stream && !r->streaming && !r->x->gone && accept.p &&
           memmem(accept.p, accept.n, "text/event-stream", 17); /* whoever takes anything may not mean this */
}

void mcp_call_put_off(struct call *c)
{
    if (late_may_stream(mcp_of(c)))
        mcp_stream_open(mcp_of(c));
}

static bool late_look(struct call *c, int64_t now)
{
    struct mcp_request *r = mcp_of(c);
    if (!r)
        return false;
    bool may = late_may_stream(r);
    if (may && now - c->born_ns >= LATE_STREAM_MS * 1000000ll)
        mcp_call_put_off(c);
    return may || r->streaming;
}

static void late_keep_awake(struct mcp_request *r, struct str comment)
{
    if (r->streaming && !r->x->gone)
        exchange_stream_write(r->x, comment);
}

static void late_awake(struct mcp_worker *m)
{
    struct buf comment CLEANUP(buf_done);
    buf_init(&comment, 16);
    sse_write_comment(&comment);
    for (struct call *c = m->gate->calls; c; c = c->next)
        if (mcp_of(c))
            late_keep_awake(mcp_of(c), buf_view(&comment));
    for (struct mcp_request *r = m->asking.first; r; r = r->asking_next)
        if (r->again) /* it has no call at the moment */
            late_keep_awake(r, buf_view(&comment));
}

static void late_tick(uv_timer_t *t)
{
    struct mcp_worker *m = t->data;
    struct backlogs *backlogs = session_table_backlogs(m->sessions);
    int64_t now = clock_mono_ns();
    bool more = m->asking.first != NULL;
    m->late.ticks++;
    for (struct call *c = m->gate->calls; c; c = c->next)
        more |= late_look(c, now);
    if (m->late.ticks % LATE_AWAKE_TICKS == 0)
        late_awake(m);
    if (m->late.ticks % LATE_SWEEP_TICKS == 0)
        backlogs_sweep(backlogs, now);
    if (!more && !backlogs_count(backlogs))
        uv_timer_stop(t);
}

void mcp_late_watch(struct mcp_worker *m)
{
    if (!m->late.stopped && !uv_is_active((uv_handle_t *)&m->late.timer))
        uv_timer_start(&m->late.timer, late_tick, LATE_TICK_MS, LATE_TICK_MS);
}

void mcp_late_init(struct mcp_worker *m)
{
    uv_timer_init(&m->gate->worker->loop, &m->late.timer);
    m->late.timer.data = m;
}

void mcp_late_stop(struct mcp_worker *m)
{
    if (m->late.stopped)
        return;
    m->late.stopped = true;
    uv_close((uv_handle_t *)&m->late.timer, NULL);
}

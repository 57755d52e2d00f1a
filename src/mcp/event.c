/*
 * Event streams as answers. The messages of a legacy client with a protocol session are kept as well (backlog.h), and
 * have ids: "stream-number", so that it can have what came after one of them when its connection is lost. A stream
 * begins with an id for the state in which nothing was told yet (MCP 2025-11-25 basic/transports, "Sending Messages to
 * the Server"); clients before that revision cannot read an event without data.
 */
#include "mcp/event.h"
#include "net/sse.h"

enum { EVENT_RETRY_MS = 1000 };

#define EVENT_MAX (130u << 20)

static void event_keep(struct mcp_request *r)
{
    struct conf *conf = conf_slot_get(r->mcp->conf);
    struct backlog_bounds b = {(size_t)conf->root.session.replay_bytes, (size_t)conf->root.limits.replay_bytes,
                               conf->root.limits.replay_time * 1000000};
    conf_unref(conf);
    r->backlog = backlog_new(session_table_backlogs(r->mcp->sessions), mcp_backlog_of(r), &b, &r->view);
}

/* A connection that takes a stream up begins at the place where the client left it. */
static void event_prime(struct mcp_request *r)
{
    struct buf b CLEANUP(buf_done);
    uint64_t position = r->stream ? r->stream->position : 0;
    buf_init(&b, 256);
    if (str_is(http_header(&r->x->head, "mcp-protocol-version"), MCP_LEGACY)) {
        buf_fmt(&b, "id: %s-%llu", backlog_name(r->backlog), (unsigned long long)position);
        if (mcp_stream_shows(r))
            buf_fmt(&b, "-%llu", (unsigned long long)r->view); /* ids are unique */
        buf_fmt(&b, "\nretry: %d\ndata: \n\n", EVENT_RETRY_MS);
    } else {
        buf_fmt(&b, "retry: %d\n\n", EVENT_RETRY_MS);
    }
    exchange_stream_write(r->x, buf_view(&b));
}

void mcp_stream_open(struct mcp_request *r)
{
    static const struct http_header headers[] = {
        {{"Cache-Control", 13}, {"no-store", 8}},
        {{"X-Accel-Buffering", 17}, {"no", 2}},
    };
    exchange_stream_begin(r->x, 200, STR("text/event-stream"), headers, 2);
    r->streaming = true;
    if (!r->backlog && r->era == ERA_LEGACY && r->mcp_session.n)
        event_keep(r);
    if (r->backlog)
        event_prime(r);
    mcp_late_watch(r->mcp);
}

void mcp_event_put(struct buf *out, const struct backlog *p, uint64_t number, struct str message)
{
    if (p)
        buf_fmt(out, "id: %s-%llu\n", backlog_name(p), (unsigned long long)number);
    sse_write(out, message);
}

/* Writes unless another connection shows the stream. */
static void event_write(struct mcp_request *r, uint64_t number, struct str message)
{
    struct buf event CLEANUP(buf_done);
    buf_init(&event, EVENT_MAX);
    if (r->x->gone || (r->backlog && !backlog_shown(r->backlog, r->view)))
        return;
    mcp_event_put(&event, r->backlog, number, message);
    if (!buf_failed(&event))
        exchange_stream_write(r->x, buf_view(&event));
}

void mcp_stream_event(struct mcp_request *r, const struct buf *message)
{
    if (buf_failed(message) || !mcp_reachable(r))
        return;
    if (!r->streaming)
        mcp_stream_open(r);
    event_write(r, r->backlog ? backlog_add(r->backlog, buf_view(message)) : 0, buf_view(message));
}

static uint64_t event_finish(struct mcp_request *r, struct str message)
{
    struct fault f;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 8192);
    fault_set(&f, ERR_LIMIT,
              "the call is over, but its answer of %zu bytes is more than is kept (session.replay_bytes)", message.n);
    rpc_error(&b, r->rpc.id, mcp_rpc_code(r, f.err), &f, r->call.trace_id, STR_NONE);
    return backlog_finish(r->backlog, message, buf_failed(&b) ? STR_NONE : buf_view(&b));
}

void mcp_stream_answer(struct mcp_request *r, const struct buf *message)
{
    if (!buf_failed(message))
        event_write(r, r->backlog ? event_finish(r, buf_view(message)) : 0, buf_view(message));
    else if (r->backlog)
        backlog_close(r->backlog);
}

bool mcp_reachable(const struct mcp_request *r)
{
    return !r->x->gone || (r->backlog && backlog_kept(r->backlog));
}

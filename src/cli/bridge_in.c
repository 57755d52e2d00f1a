/* From the client: a line is a message, and a message a request to the gateway. */
#include "cli/bridge.h"

/* The request that a notifications/cancelled is about; NULL: it is over. */
static struct bridge_call *in_cancelled(struct bridge *b, const struct json *doc, uint32_t params)
{
    uint32_t id = json_get(doc, params, STR("requestId"));
    for (struct bridge_call *c = b->calls; c && id; c = c->next) {
        uint32_t own = json_get(&c->doc, JSON_ROOT, STR("id"));
        if (c->kind == BRIDGE_REQUEST && !c->own && json_equal(doc, id, &c->doc, own, &b->scratch))
            return c;
    }
    return NULL;
}

/* True: that was all there is to do. A modern client's stream is closed; a legacy one's gateway is told, but of a call
 * that has not left yet. */
static bool in_cancel(struct bridge *b, const struct json *doc, const struct rpc *m)
{
    struct bridge_call *call = in_cancelled(b, doc, m->params);
    if (!call)
        return !b->legacy;
    if (!call->modern && call->session)
        return false;
    bridge_call_free(call);
    return true;
}

/* In which session was this asked? NULL: in one that is over. */
static struct bridge_session *in_asked(struct bridge *b, struct str id)
{
    for (size_t i = 0; i < BRIDGE_QUESTIONS; i++)
        if (str_is(id, b->question[i].id)) {
            b->question[i].id[0] = 0;
            return b->question[i].session;
        }
    return b->current;
}

static void in_response(struct bridge *b, struct bridge_call *call)
{
    struct bridge_session *s = in_asked(b, call->rpc.id);
    if (s)
        bridge_call_start(call, s);
    else
        bridge_call_free(call);
}

static void in_remember(struct bridge *b, struct bridge_call *call)
{
    struct str method = call->rpc.method;
    if (call->modern)
        return;
    if (str_is(method, "initialize")) {
        b->legacy = true;
        b->met = false;
        buf_clear(&b->initialize);
        buf_str(&b->initialize, call->line);
    } else if (str_is(method, "notifications/initialized")) {
        buf_clear(&b->initialized);
        buf_str(&b->initialized, call->line);
    } else {
        bridge_keep(b, call);
    }
}

static void in_message(struct bridge *b, struct str line)
{
    static const enum bridge_kind kinds[] = {
        [RPC_REQUEST] = BRIDGE_REQUEST, [RPC_NOTIFICATION] = BRIDGE_NOTIFICATION, [RPC_RESPONSE] = BRIDGE_REPLY};
    struct json_limits limits = {.depth = BRIDGE_DEPTH};
    struct json doc;
    struct rpc m = {0};
    struct fault f;
    arena_reset(&b->scratch);
    if (json_parse(&doc, line, &b->scratch, &limits, &f) || rpc_read(&doc, &b->scratch, &m, &f)) {
        bridge_out_error(b, m.id, &f);
        return;
    }
    if (m.kind == RPC_NOTIFICATION && str_is(m.method, "notifications/cancelled") && in_cancel(b, &doc, &m))
        return;
    bool room = m.kind != RPC_REQUEST || (b->count < BRIDGE_CALLS && b->held + line.n <= BRIDGE_HELD);
    struct bridge_call *call = room ? bridge_call_new(b, kinds[m.kind], line) : NULL;
    if (!call) {
        fault_set(&f, ERR_LIMIT, "too much at once: at most %d requests, of together %d bytes, can wait for an answer",
                  BRIDGE_CALLS, BRIDGE_HELD);
        if (m.kind == RPC_REQUEST)
            bridge_out_error(b, m.id, &f);
        return;
    }
    if (m.kind == RPC_RESPONSE) {
        in_response(b, call);
        return;
    }
    in_remember(b, call); /* it is sent by bridge_sessions_tick */
}

static bool in_line(void *ctx, struct str line)
{
    in_message(ctx, line);
    return true;
}

void bridge_read(struct bridge *b, struct str bytes)
{
    while (bytes.n) {
        const char *end = memchr(bytes.p, '\n', bytes.n);
        struct str piece = {bytes.p, end ? (size_t)(end - bytes.p) + 1 : bytes.n};
        struct fault f;
        bytes = str_skip(bytes, piece.n);
        if (b->skipping) {
            b->skipping = !end;
            continue;
        }
        if (lines_feed(&b->lines, piece, in_line, b, &f) == ERR_OK)
            continue;
        bridge_out_error(b, STR_NONE, &f);
        lines_done(&b->lines);
        lines_init(&b->lines, BRIDGE_LINE);
        b->skipping = !end;
    }
}

/*
 * The servers' logs: what one writes during a call reaches the client that made it, from the level on that the client
 * wants (MCP 2025-11-25 server/utilities/logging; MCP 2026-07-28 the same, the level with each request).
 */
#include "mcp/streams.h"

#define META_LOG_LEVEL "io.modelcontextprotocol/logLevel"

/* A legacy client that did not set a level takes what the servers think is worth it, but nothing below this. */
enum { LOG_LEAST_UNASKED = 1 /* info */, LOG_NOTHING = 8, LOG_LINE_MAX = 1 << 20 };

static enum err logging_level(struct mcp_request *r, uint32_t node, const char *path, int *ret, struct fault *f)
{
    int level = json_type(&r->doc, node) == JSON_STRING ? connect_level(json_str(&r->doc, node, &r->x->arena)) : -1;
    if (level < 0)
        return fault_set(f, ERR_PARAMS, "%s must be debug, info, notice, warning, error, critical, alert or emergency",
                         path);
    *ret = level;
    return ERR_OK;
}

void mcp_set_level(struct mcp_request *r)
{
    struct fault f;
    int level = 0;
    int64_t retry_after_ms = 0;
    uint32_t node = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("level")) : 0;
    enum err e = gate_admit(r->mcp->gate, r->lease, &retry_after_ms, &f);
    if (!e)
        e = logging_level(r, node, "params.level", &level, &f);
    if (!e && !r->mcp_session.n)
        e = fault_set(&f, ERR_INVALID, "a level is kept for a protocol session: Mcp-Session-Id is missing");
    if (!e)
        e = session_table_level(r->mcp->sessions, (struct session_ref){r->lease, r->mcp_session}, level, &f);
    if (e) {
        mcp_answer_fault(r, &f, retry_after_ms);
        return;
    }
    struct json_out o = mcp_result_open(r);
    mcp_result_close(&o);
    mcp_answer_result(r, NULL);
}

enum err mcp_read_level(struct mcp_request *r, struct fault *f)
{
    uint32_t node = r->rpc.meta ? json_get(&r->doc, r->rpc.meta, STR(META_LOG_LEVEL)) : 0;
    int *level = &r->call.log_level;
    *level = -1;
    if (r->era == ERA_LEGACY && r->mcp_session.n)
        *level = session_table_level_of(r->mcp->sessions, (struct session_ref){r->lease, r->mcp_session});
    else if (r->era == ERA_MODERN && node)
        TRY(logging_level(r, node, "_meta[\"" META_LOG_LEVEL "\"]", level, f));
    r->log_least = *level >= 0 ? *level : r->era == ERA_LEGACY ? LOG_LEAST_UNASKED : LOG_NOTHING;
    return ERR_OK;
}

/* Only what means the same on both hops. */
bool mcp_log_write(struct buf *b, struct str params, int least)
{
    struct arena a;
    struct json doc;
    arena_init(&a, 64u << 20);
    bool wanted = json_parse(&doc, params, &a, NULL, NULL) == ERR_OK &&
                  connect_level(json_str(&doc, json_get(&doc, JSON_ROOT, STR("level")), &a)) >= least;
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "method", "notifications/message");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    static const char *const members[] = {"level", "logger", "data"};
    for (unsigned i = 0; wanted && i < 3; i++) {
        uint32_t node = json_get(&doc, JSON_ROOT, str_of(members[i]));
        if (node)
            json_kv_raw(&o, members[i], json_raw(&doc, node));
    }
    json_close(&o, '}');
    json_close(&o, '}');
    arena_done(&a);
    return wanted && !buf_failed(b);
}

void mcp_call_said(struct call *c, struct str params)
{
    struct mcp_request *r = c->user;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, LOG_LINE_MAX);
    if (!mcp_log_write(&b, params, r->log_least))
        return;
    if (r->takes_stream)
        mcp_stream_event(r, &b);
    else if (r->mcp_session.n)
        mcp_session_tell(r->mcp, r->lease, r->mcp_session, &b);
}

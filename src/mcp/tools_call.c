/* tools/call: from the message to a struct call, and from the server's answer to ours. */
#include "base/enc.h"
#include "mcp/request.h"
#include "net/sse.h"

/* Keys under which an agent's runtime may say things about a call. All of it is a claim. */
#define META_REASONING "dev.doorward/reasoning"
#define META_MODEL     "dev.doorward/model"
#define META_TOKENS    "dev.doorward/tokensConsumed"
#define META_COST      "dev.doorward/estimatedCost"
#define META_OF_HOP    "io.modelcontextprotocol/"

static struct mcp_request *mcp_of(struct call *c)
{
    return c->user;
}

static void mcp_progress_open(struct mcp_request *r)
{
    static const struct http_header headers[] = {
        {{"Cache-Control", 13}, {"no-store", 8}},
        {{"X-Accel-Buffering", 17}, {"no", 2}},
    };
    exchange_stream_begin(r->x, 200, STR("text/event-stream"), headers, 2);
    r->streaming = true;
}

/* The first progress turns the answer into a stream. The token is the agent's own: the server never saw it. */
static void mcp_call_progress(struct call *c, struct str progress, struct str total, struct str message)
{
    struct mcp_request *r = mcp_of(c);
    if (r->x->gone)
        return;
    if (!r->streaming)
        mcp_progress_open(r);
    struct buf b, event;
    buf_init(&b, 1u << 20);
    buf_init(&event, 1u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "method", "notifications/progress");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    json_kv_raw(&o, "progressToken", r->progress_token);
    json_kv_raw(&o, "progress", progress);
    if (total.p)
        json_kv_raw(&o, "total", total);
    if (message.p)
        json_kv_str(&o, "message", message);
    json_close(&o, '}');
    json_close(&o, '}');
    sse_write(&event, buf_view(&b));
    if (!buf_failed(&b) && !buf_failed(&event))
        exchange_stream_write(r->x, buf_view(&event));
    buf_done(&b);
    buf_done(&event);
}

/* The server's `_meta` without what belongs to its hop. */
static void mcp_put_result_meta(struct mcp_request *r, struct json_out *o, const struct connect_answer *a)
{
    uint32_t meta = json_get(a->doc, a->result, STR("_meta"));
    bool open = r->era == ERA_MODERN;
    if (open)
        mcp_meta_open(r, o);
    JSON_PAIRS(a->doc, meta, k, v)
    {
        struct str key = json_str(a->doc, k, &r->x->arena);
        if (!key.p || str_starts(key, STR(META_OF_HOP)))
            continue;
        if (!open)
            mcp_meta_open(r, o);
        open = true;
        json_key(o, key);
        json_put_raw(o, json_raw(a->doc, v));
    }
    if (open)
        json_close(o, '}');
}

/* Before 2026-07-28 structured content is an object; the servers' SDKs wrap what is none in the same way. */
static void mcp_put_wrapped(struct json_out *o, struct str value)
{
    json_open(o, '{');
    json_kv_raw(o, "result", value);
    json_close(o, '}');
}

static void mcp_write_result(struct mcp_request *r, const struct connect_answer *a)
{
    struct json_out o = mcp_result_open(r);
    JSON_PAIRS(a->doc, a->result, k, v)
    {
        if (json_str_is(a->doc, k, STR("_meta")) || json_str_is(a->doc, k, STR("resultType")))
            continue;
        json_key(&o, json_str(a->doc, k, &r->x->arena));
        if (r->era == ERA_LEGACY && json_str_is(a->doc, k, STR("structuredContent")) &&
            json_type(a->doc, v) != JSON_OBJECT)
            mcp_put_wrapped(&o, json_raw(a->doc, v));
        else
            json_put_raw(&o, json_raw(a->doc, v));
    }
    if (!json_get(a->doc, a->result, STR("content")))
        json_kv_raw(&o, "content", STR("[]")); /* every result has one */
    mcp_put_result_meta(r, &o, a);
    mcp_result_close(&o);
}

/* An error of the server's own: its code and words, but never a code that speaks of the hop between it and us. */
static void mcp_write_error(struct mcp_request *r, const struct connect_answer *a)
{
    struct buf *b = &r->mcp->out;
    int64_t code = -32603;
    uint32_t node = json_get(a->doc, a->error, STR("code")), message = json_get(a->doc, a->error, STR("message")),
             data = json_get(a->doc, a->error, STR("data"));
    if (!json_i64(a->doc, node, &code) || (code <= -32020 && code >= -32099))
        code = -32603;
    buf_clear(b);
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_raw(&o, "id", r->rpc.id);
    json_key(&o, STR("error"));
    json_open(&o, '{');
    json_kv_i64(&o, "code", code);
    if (json_type(a->doc, message) == JSON_STRING)
        json_kv_raw(&o, "message", json_raw(a->doc, message));
    else
        json_kv_z(&o, "message", "the server refused the call and did not say why");
    if (data)
        json_kv_raw(&o, "data", json_raw(a->doc, data));
    json_close(&o, '}');
    json_close(&o, '}');
}

/* Arguments that do not fit are told to the model as a result, so that it can correct itself (MCP 2025-11-25
 * server/tools, "Error Handling"; SEP-1303). */
static void mcp_write_schema_refusal(struct mcp_request *r, const struct fault *f)
{
    struct json_out o = mcp_result_open(r);
    json_key(&o, STR("content"));
    json_open(&o, '[');
    json_open(&o, '{');
    json_kv_z(&o, "type", "text");
    json_kv_str(&o, "text",
                arena_fmt(&r->x->arena, "Refused before the call was made (%s): %s", err_code(f->err), f->text));
    json_close(&o, '}');
    json_close(&o, ']');
    json_kv_bool(&o, "isError", true);
    mcp_meta_open(r, &o);
    json_kv_z(&o, "dev.doorward/code", err_code(f->err));
    json_kv_z(&o, "dev.doorward/traceId", r->call.trace_id);
    json_close(&o, '}');
    mcp_result_close(&o);
}

static void mcp_call_answered(struct call *c, const struct connect_answer *a)
{
    struct mcp_request *r = mcp_of(c);
    if (c->fault.err == ERR_SCHEMA) {
        mcp_write_schema_refusal(r, &c->fault);
        mcp_answer_result(r, NULL);
    } else if (c->fault.err || !a) {
        mcp_answer_fault(r, &c->fault, c->retry_after_ms);
    } else if (a->result) {
        mcp_write_result(r, a);
        mcp_answer_result(r, NULL);
    } else {
        mcp_write_error(r, a);
        mcp_answer_error(r, 200, &r->mcp->out);
    }
}

static const struct call_face mcp_call_face = {mcp_call_progress, mcp_call_answered};

static bool mcp_accepts_stream(const struct exchange *x)
{
    struct str accept = http_header(&x->head, "accept");
    return accept.p && (memmem(accept.p, accept.n, "text/event-stream", 17) || memmem(accept.p, accept.n, "*/*", 3));
}

/* The claims of the agent's runtime. What has the wrong type was not said. */
static void mcp_read_claims(struct mcp_request *r)
{
    struct call *c = &r->call;
    struct arena *a = &r->x->arena;
    c->claims.tokens = -1;
    if (!r->rpc.meta)
        return;
    c->reasoning = json_str(&r->doc, json_get(&r->doc, r->rpc.meta, STR(META_REASONING)), a);
    c->claims.model = json_str(&r->doc, json_get(&r->doc, r->rpc.meta, STR(META_MODEL)), a);
    uint32_t cost = json_get(&r->doc, r->rpc.meta, STR(META_COST));
    if (json_type(&r->doc, cost) == JSON_NUMBER)
        c->claims.cost = json_raw(&r->doc, cost);
    if (!json_i64(&r->doc, json_get(&r->doc, r->rpc.meta, STR(META_TOKENS)), &c->claims.tokens) || c->claims.tokens < 0)
        c->claims.tokens = -1;
}

/* W3C Trace Context: the caller's trace goes on; without one, or with a malformed one, a new one begins. */
static bool mcp_trace_of(struct str parent, char ret[33])
{
    unsigned char raw[16], zero[16] = {0};
    if (!parent.p || parent.n != 55 || parent.p[2] != '-' || parent.p[35] != '-' || parent.p[52] != '-' ||
        !enc_unhex((struct str){parent.p + 3, 32}, raw, 16) || memcmp(raw, zero, 16) == 0 ||
        str_starts(parent, STR("ff")))
        return false;
    enc_hex(raw, 16, ret);
    return true;
}

static void mcp_read_trace(struct mcp_request *r)
{
    struct str parent = http_header(&r->x->head, "traceparent");
    if (r->rpc.meta && json_get(&r->doc, r->rpc.meta, STR("traceparent")))
        parent = json_str(&r->doc, json_get(&r->doc, r->rpc.meta, STR("traceparent")), &r->x->arena);
    if (mcp_trace_of(parent, r->call.trace_id))
        return;
    unsigned char raw[16];
    enc_random(raw, sizeof(raw));
    enc_hex(raw, sizeof(raw), r->call.trace_id);
}

static enum err mcp_read_call(struct mcp_request *r, struct fault *f)
{
    struct call *c = &r->call;
    uint32_t name = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("name")) : 0;
    if (json_type(&r->doc, name) != JSON_STRING)
        return fault_set(f, ERR_PARAMS, "params.name must be a string: the tool's name");
    c->asked = json_str(&r->doc, name, &r->x->arena);
    c->arguments_node = json_get(&r->doc, r->rpc.params, STR("arguments"));
    if (c->arguments_node && json_type(&r->doc, c->arguments_node) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params.arguments must be an object, but is %s",
                         json_type_name(json_type(&r->doc, c->arguments_node)));
    uint32_t token = r->rpc.meta ? json_get(&r->doc, r->rpc.meta, STR("progressToken")) : 0;
    enum json_type t = json_type(&r->doc, token);
    if (token && t != JSON_STRING && t != JSON_NUMBER)
        return fault_set(f, ERR_PARAMS, "_meta.progressToken must be a string or a number");
    if (token && mcp_accepts_stream(r->x))
        r->progress_token = json_raw(&r->doc, token);
    return arena_failed(&r->x->arena) ? fault_set(f, ERR_NOMEM, "no memory for the call") : ERR_OK;
}

void mcp_tools_call(struct mcp_request *r)
{
    struct fault f;
    struct call *c = &r->call;
    mcp_read_trace(r);
    if (mcp_read_call(r, &f) || mcp_check_params(r, &f)) {
        mcp_answer_fault(r, &f, 0);
        return;
    }
    mcp_read_claims(r);
    c->face = &mcp_call_face;
    c->user = r;
    c->arena = &r->x->arena;
    c->lease = lease_ref(r->lease);
    c->server = r->server;
    c->doc = &r->doc;
    c->wants_progress = r->progress_token.n > 0;
    r->x->user = r;
    gate_start(r->mcp->gate, c);
}

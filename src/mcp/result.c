/* What a server answered, as our answer: its result or error without what belongs to its hop. */
#include "mcp/elicit.h"
#include "mcp/input.h"

#define META_OF_HOP "io.modelcontextprotocol/"
#define META_OURS   "dev.doorward/"

/* The server's `_meta` without what belongs to its hop, or only we can say; and the receipt. */
static void mcp_put_result_meta(struct mcp_request *r, struct json_out *o, const struct connect_answer *a)
{
    uint32_t meta = json_get(a->doc, a->result, STR("_meta"));
    bool open = r->era == ERA_MODERN;
    if (open)
        mcp_meta_open(r, o);
    JSON_PAIRS(a->doc, meta, k, v)
    {
        struct str key = json_str(a->doc, k, &r->x->arena);
        if (!key.p || str_starts(key, STR(META_OF_HOP)) || str_starts(key, STR(META_OURS)))
            continue;
        if (!open)
            mcp_meta_open(r, o);
        open = true;
        json_key(o, key);
        json_put_raw(o, json_raw(a->doc, v));
    }
    if (r->call.on_record) {
        if (!open)
            mcp_meta_open(r, o);
        open = true;
        json_key(o, STR(META_OURS "receipt"));
        gate_put_receipt(o, &r->call);
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

static bool mcp_member_of_hop(const struct mcp_request *r, const struct json *doc, uint32_t k)
{
    bool cache = json_str_is(doc, k, STR("ttlMs")) || json_str_is(doc, k, STR("cacheScope"));
    return json_str_is(doc, k, STR("_meta")) || json_str_is(doc, k, STR("resultType")) ||
           (cache && r->call.kind == CALL_RESOURCE);
}

/* What one session may read is nobody else's to keep; how long is the server's word, and without one, not at all. */
static void mcp_put_resource_cache(const struct mcp_request *r, struct json_out *o, const struct connect_answer *a)
{
    int64_t ttl = 0;
    if (r->era != ERA_MODERN)
        return;
    if (!json_i64(a->doc, json_get(a->doc, a->result, STR("ttlMs")), &ttl) || ttl < 0)
        ttl = 0;
    json_kv_i64(o, "ttlMs", ttl);
    json_kv_z(o, "cacheScope", "private");
}

void mcp_put_result(struct mcp_request *r, struct json_out *o, const struct connect_answer *a)
{
    JSON_PAIRS(a->doc, a->result, k, v)
    {
        if (mcp_member_of_hop(r, a->doc, k))
            continue;
        json_key(o, json_str(a->doc, k, &r->x->arena));
        if (r->era == ERA_LEGACY && json_str_is(a->doc, k, STR("structuredContent")) &&
            json_type(a->doc, v) != JSON_OBJECT)
            mcp_put_wrapped(o, json_raw(a->doc, v));
        else
            json_put_raw(o, json_raw(a->doc, v));
    }
    if (r->call.kind == CALL_TOOL && !json_get(a->doc, a->result, STR("content")))
        json_kv_raw(o, "content", STR("[]")); /* every result has one */
    if (r->call.kind == CALL_RESOURCE)
        mcp_put_resource_cache(r, o, a);
    mcp_put_result_meta(r, o, a);
}

void mcp_put_answer(struct mcp_request *r, const struct connect_answer *a)
{
    struct json_out o = mcp_result_open(r);
    mcp_put_result(r, &o, a);
    mcp_result_close(&o);
}

/* Codes that speak of a hop. Two of them mean the client at its end: that it cannot do what the server needs, and that
 * it has to open a URL first. */
static bool mcp_code_of_hop(const struct mcp_request *r, int64_t code)
{
    bool ours = (code == MCP_NEEDS_CAPABILITY && r->era == ERA_MODERN) ||
                (code == MCP_NEEDS_URL && r->era == ERA_LEGACY && (r->call.can & CAN_ELICIT_URL));
    return code <= -32020 && code >= -32099 && !ours;
}

/* An error of the server's own: its code and words, but never a code that speaks of the hop between it and us. */
int64_t mcp_put_error_object(struct mcp_request *r, struct json_out *o, const struct connect_answer *a)
{
    int64_t code = -32603;
    uint32_t node = json_get(a->doc, a->error, STR("code")), message = json_get(a->doc, a->error, STR("message")),
             data = json_get(a->doc, a->error, STR("data"));
    if (!json_i64(a->doc, node, &code) || mcp_code_of_hop(r, code))
        code = -32603;
    if (r->call.kind == CALL_RESOURCE && (code == -32002 || code == -32602))
        code = mcp_rpc_code(r, ERR_RESOURCE_UNKNOWN);
    if (code == MCP_NEEDS_URL)
        mcp_elicit_needed(r, a->doc, data);
    json_open(o, '{');
    json_kv_i64(o, "code", code);
    if (json_type(a->doc, message) == JSON_STRING)
        json_kv_raw(o, "message", json_raw(a->doc, message));
    else
        json_kv_z(o, "message", "the server refused the call and did not say why");
    if (data)
        json_kv_raw(o, "data", json_raw(a->doc, data));
    json_close(o, '}');
    return code;
}

int mcp_put_error(struct mcp_request *r, const struct connect_answer *a)
{
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_raw(&o, "id", r->rpc.id);
    json_key(&o, STR("error"));
    int64_t code = mcp_put_error_object(r, &o, a);
    json_close(&o, '}');
    return code == MCP_NEEDS_CAPABILITY ? 400 : 200;
}

/* Arguments that do not fit are told to the model as a result, so that it can correct itself (MCP 2025-11-25
 * server/tools, "Error Handling"; SEP-1303); and so is what people say to its call. */
bool mcp_told_to_model(enum err e)
{
    switch (e) {
    case ERR_SCHEMA:
    case ERR_APPROVAL_PENDING:
    case ERR_APPROVAL_DENIED:
    case ERR_APPROVAL_EXPIRED:
    case ERR_APPROVAL_VOID:
    case ERR_APPROVAL_USED: return true;
    default: return false;
    }
}

static struct str mcp_refusal_text(struct mcp_request *r, const struct fault *f)
{
    struct arena *a = &r->x->arena;
    if (f->err == ERR_APPROVAL_PENDING)
        return str_of(f->text);
    if (f->err == ERR_APPROVAL_USED)
        return arena_fmt(a, "Not made again (%s): %s", err_code(f->err), f->text);
    return arena_fmt(a, "Refused before the call was made (%s): %s", err_code(f->err), f->text);
}

void mcp_put_refused(struct mcp_request *r, struct json_out *o, const struct fault *f)
{
    json_key(o, STR("content"));
    json_open(o, '[');
    json_open(o, '{');
    json_kv_z(o, "type", "text");
    json_kv_str(o, "text", mcp_refusal_text(r, f));
    json_close(o, '}');
    json_close(o, ']');
    json_kv_bool(o, "isError", true);
    mcp_meta_open(r, o);
    json_kv_z(o, "dev.doorward/code", err_code(f->err));
    json_kv_z(o, "dev.doorward/traceId", r->call.trace_id);
    if (r->call.wait.id[0])
        json_kv_z(o, "dev.doorward/approval", r->call.wait.id);
    json_close(o, '}');
}

void mcp_put_refusal(struct mcp_request *r, const struct fault *f)
{
    r->x->note.code = err_code(f->err);
    struct json_out o = mcp_result_open(r);
    mcp_put_refused(r, &o, f);
    mcp_result_close(&o);
}

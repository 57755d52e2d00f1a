#include "mcp/rpc.h"

#define RPC_ID_MAX 256

static enum err rpc_read_id(const struct json *doc, struct rpc *r, struct fault *f)
{
    uint32_t id = json_get(doc, JSON_ROOT, STR("id"));
    if (!id)
        return ERR_OK;
    bool integer = json_type(doc, id) == JSON_NUMBER && (doc->node[id].flags & JSON_INTEGER);
    if (json_type(doc, id) != JSON_STRING && !integer)
        return fault_set(f, ERR_INVALID, "id must be a string or an integer, but is %s",
                         json_type_name(json_type(doc, id)));
    if (doc->node[id].len > RPC_ID_MAX)
        return fault_set(f, ERR_INVALID, "id is longer than %d bytes", RPC_ID_MAX);
    r->id = json_raw(doc, id);
    return ERR_OK;
}

static enum err rpc_read_params(const struct json *doc, struct rpc *r, struct fault *f)
{
    r->params = json_get(doc, JSON_ROOT, STR("params"));
    if (r->params && json_type(doc, r->params) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params must be an object, but is %s",
                         json_type_name(json_type(doc, r->params)));
    r->meta = r->params ? json_get(doc, r->params, STR("_meta")) : 0;
    if (r->meta && json_type(doc, r->meta) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params._meta must be an object, but is %s",
                         json_type_name(json_type(doc, r->meta)));
    return ERR_OK;
}

enum err rpc_read(const struct json *doc, struct arena *a, struct rpc *ret, struct fault *f)
{
    *ret = (struct rpc){0};
    if (json_type(doc, JSON_ROOT) == JSON_ARRAY)
        return fault_set(f, ERR_INVALID, "batches are not part of MCP: send one message in each POST");
    if (json_type(doc, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_INVALID, "a message must be an object, but is %s",
                         json_type_name(json_type(doc, JSON_ROOT)));
    TRY(rpc_read_id(doc, ret, f));
    if (!json_str_is(doc, json_get(doc, JSON_ROOT, STR("jsonrpc")), STR("2.0")))
        return fault_set(f, ERR_INVALID, "jsonrpc must be \"2.0\"");
    uint32_t method = json_get(doc, JSON_ROOT, STR("method"));
    bool answer = json_get(doc, JSON_ROOT, STR("result")) || json_get(doc, JSON_ROOT, STR("error"));
    if (!method) {
        if (!answer || !ret->id.n)
            return fault_set(f, ERR_INVALID, "a message needs a method");
        ret->kind = RPC_RESPONSE;
        return ERR_OK;
    }
    if (json_type(doc, method) != JSON_STRING || answer)
        return fault_set(f, ERR_INVALID, "method must be a string, and a request has neither result nor error");
    ret->method = json_str(doc, method, a);
    TRY(rpc_read_params(doc, ret, f));
    ret->kind = ret->id.n ? RPC_REQUEST : RPC_NOTIFICATION;
    return arena_failed(a) ? fault_set(f, ERR_NOMEM, "no memory for the request") : ERR_OK;
}

static void rpc_open(struct json_out *o, struct str id)
{
    json_open(o, '{');
    json_kv_z(o, "jsonrpc", "2.0");
    if (id.n)
        json_kv_raw(o, "id", id);
}

void rpc_result_open(struct json_out *o, struct str id)
{
    rpc_open(o, id);
    json_key(o, STR("result"));
}

void rpc_close(struct json_out *o)
{
    json_close(o, '}');
}

void rpc_put_error(struct json_out *o, int code, const struct fault *f, const char *trace_id, struct str data_raw)
{
    json_open(o, '{');
    json_kv_i64(o, "code", code);
    json_kv_z(o, "message", f->text[0] ? f->text : err_help(f->err));
    json_key(o, STR("data"));
    json_open(o, '{');
    json_kv_z(o, "code", err_code(f->err));
    if (trace_id && trace_id[0])
        json_kv_z(o, "traceId", trace_id);
    buf_str(o->b, data_raw);
    json_close(o, '}');
    json_close(o, '}');
}

void rpc_error(struct buf *b, struct str id, int code, const struct fault *f, const char *trace_id, struct str data_raw)
{
    struct json_out o = json_out(b);
    rpc_open(&o, id);
    json_key(&o, STR("error"));
    rpc_put_error(&o, code, f, trace_id, data_raw);
    json_close(&o, '}');
}

/* The messages between us and a server, in both eras. Everything in them is ours but the tool's name and its arguments.
 */
#include "connect/inner.h"

#define WIRE_CLIENT "{\"name\":\"doorward\",\"version\":\"" DOORWARD_VERSION "\"}"

static void wire_meta(struct json_out *o, const struct wire_request *r)
{
    bool modern = r->era == WIRE_ERA_MODERN;
    if (!modern && !r->progress && !r->traceparent.n)
        return;
    json_key(o, STR("_meta"));
    json_open(o, '{');
    if (modern) {
        json_kv_z(o, "io.modelcontextprotocol/protocolVersion", WIRE_MODERN);
        json_kv_raw(o, "io.modelcontextprotocol/clientInfo", STR(WIRE_CLIENT));
        json_key(o, STR("io.modelcontextprotocol/clientCapabilities"));
        connect_can_write(o->b, r->can & ~(unsigned)CAN_ROOTS_CHANGES);
        o->comma = true;
    }
    if (r->traceparent.n)
        json_kv_str(o, "traceparent", r->traceparent);
    if (r->tracestate.n)
        json_kv_str(o, "tracestate", r->tracestate);
    if (modern && r->log_level)
        json_kv_z(o, "io.modelcontextprotocol/logLevel", r->log_level);
    if (r->progress)
        json_kv_str(o, "progressToken", r->id);
    json_close(o, '}');
}

struct wire_request wire_call(const struct connect_call *c)
{
    return (struct wire_request){.method = c->method,
                                 .name = c->name,
                                 .arguments = c->tool ? c->arguments : STR_NONE,
                                 .params = c->tool ? STR_NONE : c->arguments,
                                 .traceparent = c->traceparent,
                                 .tracestate = c->tracestate,
                                 .progress = c->wants_progress,
                                 .log_level = c->log_level,
                                 .can = c->can,
                                 .responses = c->responses,
                                 .state = c->state};
}

void wire_write(struct buf *b, const struct wire_request *r)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_str(&o, "id", r->id);
    json_kv_z(&o, "method", r->method);
    json_key(&o, STR("params"));
    json_open(&o, '{');
    if (str_is(STR("initialize"), r->method)) {
        json_kv_z(&o, "protocolVersion", WIRE_LEGACY);
        json_key(&o, STR("capabilities"));
        connect_can_write(b, r->can);
        o.comma = true;
        json_kv_raw(&o, "clientInfo", STR(WIRE_CLIENT));
    }
    if (r->arguments.p) {
        json_kv_str(&o, "name", r->name);
        json_kv_raw(&o, "arguments", r->arguments);
    }
    if (r->params.n > 2) { /* without its braces */
        buf_put(b, r->params.p + 1, r->params.n - 2);
        o.comma = true;
    }
    if (r->cursor.n)
        json_kv_str(&o, "cursor", r->cursor);
    if (r->era == WIRE_ERA_MODERN && r->responses.n)
        json_kv_raw(&o, "inputResponses", r->responses);
    if (r->era == WIRE_ERA_MODERN && r->state.n)
        json_kv_raw(&o, "requestState", r->state);
    wire_meta(&o, r);
    json_close(&o, '}');
    json_close(&o, '}');
}

void wire_write_level(struct buf *b, struct str id, const char *level)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_str(&o, "id", id);
    json_kv_z(&o, "method", "logging/setLevel");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    json_kv_z(&o, "level", level);
    json_close(&o, '}');
    json_close(&o, '}');
}

void wire_write_initialized(struct buf *b)
{
    buf_z(b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
}

void wire_write_cancelled(struct buf *b, struct str id, const char *reason)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "method", "notifications/cancelled");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    json_kv_str(&o, "requestId", id);
    json_kv_z(&o, "reason", reason);
    json_close(&o, '}');
    json_close(&o, '}');
}

static void wire_read_progress(const struct json *j, struct arena *a, struct wire_message *ret)
{
    uint32_t params = json_get(j, JSON_ROOT, STR("params")), progress = json_get(j, params, STR("progress")),
             total = json_get(j, params, STR("total"));
    if (json_type(j, params) != JSON_OBJECT || json_type(j, progress) != JSON_NUMBER)
        return;
    ret->kind = WIRE_PROGRESS;
    ret->id = json_str(j, json_get(j, params, STR("progressToken")), a);
    ret->progress = json_raw(j, progress);
    if (json_type(j, total) == JSON_NUMBER)
        ret->total = json_raw(j, total);
    uint32_t message = json_get(j, params, STR("message"));
    if (json_type(j, message) == JSON_STRING)
        ret->text = json_str(j, message, a);
}

static void wire_read_notification(const struct json *j, struct arena *a, uint32_t method, struct wire_message *ret)
{
    uint32_t params = json_get(j, JSON_ROOT, STR("params"));
    if (json_str_is(j, method, STR("notifications/progress"))) {
        wire_read_progress(j, a, ret);
    } else if (json_str_is(j, method, STR("notifications/tools/list_changed")) ||
               json_str_is(j, method, STR("notifications/prompts/list_changed")) ||
               json_str_is(j, method, STR("notifications/resources/list_changed"))) {
        ret->kind = WIRE_CHANGED;
    } else if (json_str_is(j, method, STR("notifications/cancelled"))) {
        ret->id = json_raw(j, json_get(j, params, STR("requestId")));
        ret->kind = ret->id.n ? WIRE_WITHDRAWN : WIRE_OTHER;
    } else if (json_str_is(j, method, STR("notifications/resources/updated"))) {
        ret->uri = json_str(j, json_get(j, params, STR("uri")), a);
        ret->kind = ret->uri.n ? WIRE_UPDATED : WIRE_OTHER;
    } else if (json_str_is(j, method, STR("notifications/elicitation/complete"))) {
        ret->uri = json_str(j, json_get(j, params, STR("elicitationId")), a);
        ret->kind = ret->uri.n ? WIRE_COMPLETED : WIRE_OTHER;
    } else if (json_str_is(j, method, STR("notifications/message")) && json_type(j, params) == JSON_OBJECT) {
        ret->kind = WIRE_SAID;
        ret->params = params;
    }
}

void wire_read(const struct json *j, struct arena *a, struct wire_message *ret)
{
    *ret = (struct wire_message){0};
    if (json_type(j, JSON_ROOT) != JSON_OBJECT || !json_str_is(j, json_get(j, JSON_ROOT, STR("jsonrpc")), STR("2.0")))
        return;
    uint32_t id = json_get(j, JSON_ROOT, STR("id")), method = json_get(j, JSON_ROOT, STR("method"));
    if (json_type(j, method) == JSON_STRING) {
        if (id) {
            ret->kind = WIRE_ASKS;
            ret->id = json_raw(j, id);
            ret->method = json_str(j, method, a);
        } else {
            wire_read_notification(j, a, method, ret);
        }
        return;
    }
    uint32_t result = json_get(j, JSON_ROOT, STR("result")), error = json_get(j, JSON_ROOT, STR("error"));
    bool fits = json_type(j, result) == JSON_OBJECT || json_type(j, error) == JSON_OBJECT;
    if (!fits || (result && error))
        return;
    ret->kind = WIRE_ANSWER;
    ret->id = json_str(j, id, a); /* ours are strings; an answer with another id is nobody's */
    ret->result = result;
    ret->error = error;
}

bool wire_error_modern(const struct json *doc, uint32_t error)
{
    int64_t code = 0;
    return error && json_i64(doc, json_get(doc, error, STR("code")), &code) && code <= -32020 && code >= -32022;
}

void wire_write_reply(struct buf *b, const struct wire_message *m)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_raw(&o, "id", m->id);
    if (str_eq(m->method, STR("ping")))
        json_kv_raw(&o, "result", STR("{}"));
    else
        json_kv_raw(&o, "error", STR("{\"code\":-32601,\"message\":\"this client declared no such capability\"}"));
    json_close(&o, '}');
}

void wire_write_answer(struct buf *b, struct str id, bool error, struct str value)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_raw(&o, "id", id);
    json_kv_raw(&o, error ? "error" : "result", value);
    json_close(&o, '}');
}

bool wire_legacy_known(struct str v)
{
    return str_is(v, "2025-11-25") || str_is(v, "2025-06-18") || str_is(v, "2025-03-26") || str_is(v, "2024-11-05");
}

static const char *const wire_levels[] = {"debug", "info",     "notice", "warning",
                                          "error", "critical", "alert",  "emergency"};

int connect_level(struct str level)
{
    for (int i = 0; i < (int)(sizeof(wire_levels) / sizeof(wire_levels[0])); i++)
        if (str_is(level, wire_levels[i]))
            return i;
    return -1;
}

const char *connect_level_name(int level)
{
    return level < 0 || level > 7 ? NULL : wire_levels[level];
}

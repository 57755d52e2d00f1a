/*
 * OpenTelemetry spans: one for each call, when it is over or was refused. Named by the semantic conventions for MCP
 * (kind SERVER: the agent is the client) and for GenAI's execute_tool. It ends when its entry was written and began its
 * latency before; its parent is the span that the caller named.
 *
 * Our session is no session of MCP's transport, so that it is session.id and not mcp.session.id.
 */
#include "sink/intents.h"
#include "sink/otel.h"

enum {
    SPAN_SERVER = 2,
    SPAN_ERROR = 2,
    SPAN_PARENT_IS_REMOTE = 0x300, /* flags: it is known whether the parent is of another process; it is */
};

static struct str span_name(struct view *v)
{
    bool target = v->tool.n && (str_is(v->method, "tools/call") || str_is(v->method, "prompts/get"));
    return target ? ARENA_JOIN(&v->arena, v->method, STR(" "), v->tool) : v->method;
}

/* Of the words of a schema's judgement all but the value, with which they end: it is an argument. */
static struct str span_reason(struct view *v, bool arguments)
{
    static const char value[] = ", but is ";
    struct str s = json_str(v->j, view_decision(v, "reason"), &v->arena);
    bool hide = !arguments && s.n && view_is(v, VIEW_code, "schema_mismatch");
    const char *at = hide ? memmem(s.p, s.n, value, sizeof(value) - 1) : NULL;
    return at ? (struct str){s.p, (size_t)(at - s.p)} : s;
}

static void span_put_arguments(struct json_out *o, struct view *v, struct str parameters)
{
    static const struct json_limits deep = {.depth = 1024};
    struct json j;
    if (parameters.n && json_parse(&j, parameters, &v->arena, &deep, NULL) == ERR_OK)
        otel_value(o, STR("gen_ai.tool.call.arguments"), &j, JSON_ROOT);
}

/* A refusal holds them itself, an outcome's stand in the intent. */
static void span_arguments(struct json_out *o, struct view *v, const struct sink_format_how *how)
{
    int64_t intent;
    if (v->at[VIEW_parameters]) {
        otel_value(o, STR("gen_ai.tool.call.arguments"), v->j, v->at[VIEW_parameters]);
        return;
    }
    if (!json_i64(v->j, v->at[VIEW_intentSeq], &intent) || intent <= 0)
        return;
    struct str kept = how->intents ? sink_intents_find(how->intents, how->reader, (uint64_t)intent) : STR_NONE;
    span_put_arguments(o, v, kept);
}

static void span_attributes(struct json_out *o, struct view *v, const struct sink_format_how *how)
{
    json_key(o, STR("attributes"));
    json_open(o, '[');
    otel_who(o, v);
    otel_str(o, "network.transport", STR("tcp"));
    otel_str(o, "network.protocol.name", STR("http"));
    otel_str(o, "doorward.result", v->result);
    if (v->at[VIEW_intentSeq])
        otel_value(o, STR("doorward.intentSeq"), v->j, v->at[VIEW_intentSeq]);
    otel_str(o, "doorward.stage", json_str(v->j, view_decision(v, "stage"), &v->arena));
    if (how && how->arguments && str_is(v->method, "tools/call"))
        span_arguments(o, v, how);
    json_close(o, ']');
}

static void span_status(struct json_out *o, struct view *v, bool arguments)
{
    struct str reason = span_reason(v, arguments);
    json_key(o, STR("status"));
    json_open(o, '{');
    if (otel_error(v).n) {
        json_kv_i64(o, "code", SPAN_ERROR);
        if (reason.n)
            json_kv_str(o, "message", reason);
    }
    json_close(o, '}');
}

static void span_put(struct json_out *o, struct view *v, struct str trace, struct str id,
                     const struct sink_format_how *how)
{
    struct str parent;
    json_open(o, '{');
    json_kv_str(o, "traceId", trace);
    json_kv_str(o, "spanId", id);
    if (view_id(v, VIEW_parentSpanId, 16, &parent)) {
        json_kv_str(o, "parentSpanId", parent);
        json_kv_i64(o, "flags", SPAN_PARENT_IS_REMOTE);
    }
    json_kv_str(o, "name", span_name(v));
    json_kv_i64(o, "kind", SPAN_SERVER);
    otel_time(o, "startTimeUnixNano", v->wall_ms, v->latency_us);
    otel_time(o, "endTimeUnixNano", v->wall_ms, 0);
    span_attributes(o, v, how);
    span_status(o, v, how && how->arguments);
    json_close(o, '}');
}

static bool spans_write(const struct sink_entry *e, const struct sink_format_how *how, struct buf *out)
{
    struct view v;
    struct str trace, id;
    struct json_out o = json_out(out);
    if (!view_open(&v, e))
        return false;
    bool over = v.method.n && v.latency_us >= 0 && v.result.n + view_str(&v, VIEW_code).n > 0 &&
                view_id(&v, VIEW_traceId, 32, &trace) && view_id(&v, VIEW_spanId, 16, &id);
    if (over)
        span_put(&o, &v, trace, id, how);
    else if (how && how->arguments && how->intents && view_is(&v, VIEW_event, "TOOL_CALL"))
        sink_intents_put(how->intents, e->seq, view_raw(&v, VIEW_parameters));
    view_close(&v, out);
    return over;
}

const struct sink_format format_spans = {
    .name = "otlp-spans",
    .content_type = "application/json",
    .begin = "{\"resourceSpans\":[" OTEL_RESOURCE "\"scopeSpans\":[" OTEL_SCOPE "\"spans\":[",
    .between = ",",
    .end = "]}]}]}",
    .write = spans_write,
};

#include "sink/otel.h"

#include <stdio.h>

/* Deeper than anything that a server or an agent may send (JSON_DEPTH), and kept small: each level is a call. */
enum { OTEL_DEPTH = 128 };

static void otel_open(struct json_out *o, struct str key)
{
    json_open(o, '{');
    json_kv_str(o, "key", key);
    json_key(o, STR("value"));
}

void otel_str(struct json_out *o, const char *key, struct str s)
{
    if (!s.n)
        return;
    otel_open(o, str_of(key));
    json_open(o, '{');
    json_kv_str(o, "stringValue", s);
    json_close(o, '}');
    json_close(o, '}');
}

static void otel_put_i64(struct json_out *o, int64_t v)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)v);
    json_kv_z(o, "intValue", text);
}

void otel_i64(struct json_out *o, const char *key, int64_t v)
{
    otel_open(o, str_of(key));
    json_open(o, '{');
    otel_put_i64(o, v);
    json_close(o, '}');
    json_close(o, '}');
}

static void otel_any(struct json_out *o, const struct json *j, uint32_t i, unsigned depth);

static void otel_list(struct json_out *o, const struct json *j, uint32_t i, unsigned depth)
{
    bool object = json_type(j, i) == JSON_OBJECT;
    json_key(o, object ? STR("kvlistValue") : STR("arrayValue"));
    json_open(o, '{');
    json_key(o, STR("values"));
    json_open(o, '[');
    if (object) {
        JSON_PAIRS(j, i, k, v)
        {
            json_open(o, '{');
            json_kv_raw(o, "key", json_raw(j, k));
            json_key(o, STR("value"));
            otel_any(o, j, v, depth + 1);
            json_close(o, '}');
        }
    } else {
        JSON_EACH(j, i, v)
        otel_any(o, j, v, depth + 1);
    }
    json_close(o, ']');
    json_close(o, '}');
}

/* A number that is neither a 64-bit integer nor a double keeps its text. */
static void otel_number(struct json_out *o, const struct json *j, uint32_t i)
{
    int64_t n;
    double d;
    if (json_i64(j, i, &n))
        otel_put_i64(o, n);
    else if (json_double(j, i, &d) && d - d == 0)
        json_kv_raw(o, "doubleValue", json_raw(j, i));
    else
        json_kv_str(o, "stringValue", json_raw(j, i));
}

static void otel_any(struct json_out *o, const struct json *j, uint32_t i, unsigned depth)
{
    json_open(o, '{');
    switch (json_type(j, i)) {
    case JSON_TRUE:
    case JSON_FALSE: json_kv_raw(o, "boolValue", json_raw(j, i)); break;
    case JSON_STRING: json_kv_raw(o, "stringValue", json_raw(j, i)); break;
    case JSON_NUMBER: otel_number(o, j, i); break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (depth < OTEL_DEPTH)
            otel_list(o, j, i, depth);
        else
            json_kv_str(o, "stringValue", json_raw(j, i));
        break;
    default: break; /* null: an empty value */
    }
    json_close(o, '}');
}

void otel_value(struct json_out *o, struct str key, const struct json *j, uint32_t i)
{
    otel_open(o, key);
    otel_any(o, j, i, 0);
    json_close(o, '}');
}

void otel_time(struct json_out *o, const char *key, int64_t wall_ms, int64_t less_us)
{
    static const int64_t most = INT64_MAX / 1000000;
    char text[24];
    int64_t ms = wall_ms < 0 ? 0 : wall_ms > most ? most : wall_ms;
    int64_t ns = ms * 1000000 - less_us * 1000;
    snprintf(text, sizeof(text), "%lld", (long long)(ns < 0 ? 0 : ns));
    json_kv_z(o, key, text);
}

struct str otel_error(struct view *v)
{
    struct str code = view_str(v, VIEW_code);
    if (v->status != STATUS_FAILURE && !str_is(v->result, "unknown"))
        return STR_NONE;
    if (code.n)
        return code;
    /* The server's answer came, and says of itself that it is an error. */
    return str_is(v->result, "failure") && v->meaning->outcome ? STR("tool_error") : STR("_OTHER");
}

void otel_who(struct json_out *o, struct view *v)
{
    otel_str(o, "mcp.method.name", v->method);
    if (str_is(v->method, "tools/call")) {
        otel_str(o, "gen_ai.operation.name", STR("execute_tool"));
        otel_str(o, "gen_ai.tool.name", v->tool);
    } else if (str_is(v->method, "prompts/get")) {
        otel_str(o, "gen_ai.prompt.name", v->tool);
    } else if (str_is(v->method, "resources/read")) {
        otel_str(o, "mcp.resource.uri", v->name);
    }
    otel_str(o, "gen_ai.agent.id", view_str(v, VIEW_agentId));
    otel_str(o, "gen_ai.agent.name", view_str(v, VIEW_agentType));
    otel_str(o, "gen_ai.agent.version", view_str(v, VIEW_agentVersion));
    otel_str(o, "session.id", view_str(v, VIEW_sessionId));
    otel_str(o, "enduser.id", view_str(v, VIEW_triggerUserId));
    otel_str(o, "client.address", view_source(v));
    otel_str(o, "error.type", otel_error(v));
    otel_i64(o, "doorward.seq", (int64_t)v->entry->seq);
}

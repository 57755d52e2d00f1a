/*
 * OpenTelemetry logs: a LogRecord for each entry, its body a line for people. What the conventions have a name for has
 * that name; all other members go along as doorward.<member>.
 */
#include "sink/otel.h"

static void logs_severity(struct json_out *o, const struct view *v)
{
    static const struct {
        int number;
        const char *text;
    } levels[] = {[LEVEL_INFO] = {9, "INFO"},
                  [LEVEL_LOW] = {10, "INFO2"},
                  [LEVEL_MEDIUM] = {13, "WARN"},
                  [LEVEL_HIGH] = {17, "ERROR"}};
    json_kv_i64(o, "severityNumber", levels[v->level].number);
    json_kv_z(o, "severityText", levels[v->level].text);
}

/* Members that stand elsewhere in the LogRecord. */
static bool logs_said(const struct view *v, uint32_t value)
{
    static const enum view_member said[] = {VIEW_agentId, VIEW_agentType,    VIEW_agentVersion, VIEW_method,
                                            VIEW_seq,     VIEW_sessionId,    VIEW_spanId,       VIEW_timestamp,
                                            VIEW_traceId, VIEW_triggerUserId};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        if (v->at[said[i]] == value)
            return true;
    return false;
}

static void logs_others(struct json_out *o, struct view *v)
{
    JSON_PAIRS(v->j, JSON_ROOT, k, value)
    {
        if (json_type(v->j, value) == JSON_NULL || logs_said(v, value))
            continue;
        otel_value(o, ARENA_JOIN(&v->arena, STR("doorward."), json_str(v->j, k, &v->arena)), v->j, value);
    }
}

static void logs_record(struct json_out *o, struct view *v)
{
    struct str id;
    json_open(o, '{');
    otel_time(o, "timeUnixNano", v->wall_ms, 0);
    otel_time(o, "observedTimeUnixNano", v->wall_ms, 0);
    logs_severity(o, v);
    json_kv_str(o, "eventName", ARENA_JOIN(&v->arena, STR("doorward."), v->event));
    json_key(o, STR("body"));
    json_open(o, '{');
    json_kv_str(o, "stringValue", view_line(v));
    json_close(o, '}');
    json_key(o, STR("attributes"));
    json_open(o, '[');
    otel_who(o, v);
    logs_others(o, v);
    json_close(o, ']');
    if (view_id(v, VIEW_traceId, 32, &id)) {
        json_kv_str(o, "traceId", id);
        if (view_id(v, VIEW_spanId, 16, &id))
            json_kv_str(o, "spanId", id);
    }
    json_close(o, '}');
}

static bool logs_write(const struct sink_entry *e, const struct sink_format_how *how, struct buf *out)
{
    struct view v;
    struct json_out o = json_out(out);
    (void)how;
    if (!view_open(&v, e))
        return false;
    logs_record(&o, &v);
    view_close(&v, out);
    return true;
}

const struct sink_format format_logs = {
    .name = "otlp-logs",
    .content_type = "application/json",
    .begin = "{\"resourceLogs\":[" OTEL_RESOURCE "\"scopeLogs\":[" OTEL_SCOPE "\"logRecords\":[",
    .between = ",",
    .end = "]}]}]}",
    .write = logs_write,
};

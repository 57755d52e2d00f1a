/*
 * OCSF 1.8.0, API Activity (class_uid 6003), with the profiles security_control (what the gate decided) and trace. All
 * that an agent or an operator does here is the use of an API; what the class has no place for goes along under
 * `unmapped`, with the names of the record.
 */
#include "sink/view.h"

#define OCSF_VERSION "1.8.0"

enum { OCSF_CATEGORY = 6, OCSF_CLASS = 6003 };

/* Members that have a place of their own; of the others a copy is made. */
static bool ocsf_mapped(const struct view *v, uint32_t value, bool span)
{
    static const enum view_member mapped[] = {VIEW_actor,   VIEW_agentId,      VIEW_agentType, VIEW_code,
                                              VIEW_event,   VIEW_latencyMs,    VIEW_method,    VIEW_parameters,
                                              VIEW_seq,     VIEW_sessionId,    VIEW_timestamp, VIEW_toolName,
                                              VIEW_traceId, VIEW_triggerUserId};
    for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++)
        if (v->at[mapped[i]] == value)
            return true;
    return span && (v->at[VIEW_spanId] == value || v->at[VIEW_parentSpanId] == value);
}

static void ocsf_kv(struct json_out *o, const char *key, struct str s)
{
    if (s.n)
        json_kv_str(o, key, s);
}

static void ocsf_class(struct json_out *o, const struct view *v)
{
    static const char *const severities[] = {"Informational", "Low", "Medium", "High"};
    static const char *const statuses[] = {"Unknown", "Success", "Failure"};
    static const char *const types[] = {"Unknown", "Create", "Read", "Update", "Delete"};
    const struct meaning *m = v->meaning;
    json_kv_i64(o, "activity_id", m->activity);
    json_kv_z(o, "activity_name", m->verb);
    json_kv_i64(o, "category_uid", OCSF_CATEGORY);
    json_kv_z(o, "category_name", "Application Activity");
    json_kv_i64(o, "class_uid", OCSF_CLASS);
    json_kv_z(o, "class_name", "API Activity");
    json_kv_i64(o, "type_uid", OCSF_CLASS * 100 + m->activity);
    json_key(o, STR("type_name"));
    char name[64] = "API Activity: ";
    strcat(name, m->activity == ACTIVITY_OTHER ? "Other" : types[m->activity]);
    json_put_str(o, str_of(name));
    json_kv_i64(o, "severity_id", v->level + 1);
    json_kv_z(o, "severity", severities[v->level]);
    json_kv_i64(o, "status_id", v->status);
    json_kv_z(o, "status", statuses[v->status]);
}

static void ocsf_time(struct json_out *o, const struct view *v)
{
    json_kv_i64(o, "time", v->wall_ms);
    if (v->latency_us < 0)
        return;
    json_kv_i64(o, "start_time", v->wall_ms - v->latency_us / 1000);
    json_kv_i64(o, "end_time", v->wall_ms);
    json_kv_i64(o, "duration", v->latency_us / 1000);
}

static void ocsf_metadata(struct json_out *o, struct view *v)
{
    static const struct tlog_hash none;
    char leaf[2 * SHA256_BYTES + 1];
    json_key(o, STR("metadata"));
    json_open(o, '{');
    json_kv_z(o, "version", OCSF_VERSION);
    json_kv_raw(o, "profiles", STR("[\"security_control\",\"trace\"]"));
    json_kv_raw(o, "product",
                STR("{\"name\":\"Doorward\",\"uid\":\"doorward\",\"vendor_name\":\"Doorward\",\"version\":"
                    "\"" DOORWARD_VERSION "\"}"));
    json_kv_z(o, "log_name", "doorward.audit");
    json_kv_str(o, "event_code", v->event);
    json_kv_i64(o, "sequence", (int64_t)v->entry->seq);
    ocsf_kv(o, "original_time", view_str(v, VIEW_timestamp));
    ocsf_kv(o, "correlation_uid", view_str(v, VIEW_traceId));
    if (memcmp(&v->entry->leaf, &none, sizeof(none)) != 0) {
        enc_hex(v->entry->leaf.b, sizeof(v->entry->leaf.b), leaf);
        json_kv_z(o, "uid", leaf);
    }
    json_close(o, '}');
}

static bool ocsf_by_agent(struct view *v)
{
    return view_is(v, VIEW_actorType, "AI_AGENT");
}

/* An agent is an application, which acts for a user and within a session; an operator is a user. */
static void ocsf_actor(struct json_out *o, struct view *v)
{
    struct str user = view_str(v, VIEW_triggerUserId), session = view_str(v, VIEW_sessionId);
    struct str operator= view_str(v, VIEW_actor);
    struct str agent = view_str(v, VIEW_agentId);
    json_key(o, STR("actor"));
    json_open(o, '{');
    if (ocsf_by_agent(v)) {
        json_kv_str(o, "app_uid", agent.n ? agent : STR("unknown"));
        ocsf_kv(o, "app_name", view_str(v, VIEW_agentType));
        if (user.n) {
            json_key(o, STR("user"));
            json_open(o, '{');
            json_kv_str(o, "uid", user);
            json_kv_i64(o, "type_id", 1);
            json_kv_z(o, "type", "User");
            json_close(o, '}');
        }
        if (session.n) {
            json_key(o, STR("session"));
            json_open(o, '{');
            json_kv_str(o, "uid", session);
            json_kv_z(o, "issuer", "doorward");
            json_close(o, '}');
        }
    } else if (view_is(v, VIEW_actorType, "HUMAN")) {
        json_key(o, STR("user"));
        json_open(o, '{');
        json_kv_str(o, "name", operator.n ? operator : STR("unknown"));
        json_kv_i64(o, "type_id", 2);
        json_kv_z(o, "type", "Admin");
        json_close(o, '}');
    } else {
        json_kv_z(o, "app_name", "doorward");
        json_kv_z(o, "app_uid", "doorward");
    }
    json_close(o, '}');
}

static void ocsf_endpoints(struct json_out *o, struct view *v)
{
    struct str ip = view_source(v), agent = view_str(v, VIEW_agentId);
    json_key(o, STR("src_endpoint"));
    json_open(o, '{');
    ocsf_kv(o, "ip", ip);
    if (ocsf_by_agent(v))
        ocsf_kv(o, "uid", agent);
    if (view_is(v, VIEW_actorType, "SYSTEM"))
        json_kv_z(o, "svc_name", "doorward");
    else if (!ip.n && !(ocsf_by_agent(v) && agent.n))
        json_kv_z(o, "name", "unknown");
    json_close(o, '}');
    if (v->server.n) {
        json_key(o, STR("dst_endpoint"));
        json_open(o, '{');
        json_kv_str(o, "svc_name", v->server);
        json_close(o, '}');
    }
}

static void ocsf_api(struct json_out *o, struct view *v)
{
    struct str parameters = view_raw(v, VIEW_parameters), reason, code = view_str(v, VIEW_code);
    struct str id = view_str(v, VIEW_spanId);
    if (!id.n)
        id = view_str(v, VIEW_traceId);
    reason = json_str(v->j, view_decision(v, "reason"), &v->arena);
    json_key(o, STR("api"));
    json_open(o, '{');
    json_kv_str(o, "operation", v->method.n ? v->method : v->event);
    json_key(o, STR("service"));
    json_open(o, '{');
    json_kv_str(o, "name", v->server.n ? v->server : STR("doorward"));
    json_close(o, '}');
    if (id.n || parameters.n) {
        json_key(o, STR("request"));
        json_open(o, '{');
        json_kv_str(o, "uid", id.n ? id : v->event);
        if (parameters.n)
            json_kv_raw(o, "data", parameters);
        json_close(o, '}');
    }
    if (v->result.n) {
        json_key(o, STR("response"));
        json_open(o, '{');
        json_kv_str(o, "message", v->result);
        ocsf_kv(o, "error", code);
        if (code.n)
            ocsf_kv(o, "error_message", reason);
        json_close(o, '}');
    }
    json_close(o, '}');
    ocsf_kv(o, "status_code", code);
    ocsf_kv(o, "status_detail", reason);
}

static void ocsf_resource(struct json_out *o, const char *key, struct str s, const char *type)
{
    if (!s.n)
        return;
    json_open(o, '{');
    json_kv_str(o, key, s);
    json_kv_z(o, "type", type);
    json_kv_i64(o, "role_id", 1);
    json_kv_z(o, "role", "Target");
    json_close(o, '}');
}

/* What it was done to: a tool; or, when no agent did it, an agent or a session. */
static void ocsf_resources(struct json_out *o, struct view *v)
{
    struct str agent = ocsf_by_agent(v) ? STR_NONE : view_str(v, VIEW_agentId);
    struct str session = ocsf_by_agent(v) ? STR_NONE : view_str(v, VIEW_sessionId);
    const char *type = str_starts(v->method, STR("prompts/"))     ? "MCP prompt"
                       : str_starts(v->method, STR("resources/")) ? "MCP resource"
                       : str_starts(v->event, STR("RESOURCE_"))   ? "MCP resource"
                       : str_is(v->method, "completion/complete") ? "MCP argument"
                                                                  : "MCP tool";
    if (!v->tool.n && !agent.n && !session.n)
        return;
    json_key(o, STR("resources"));
    json_open(o, '[');
    ocsf_resource(o, "name", v->tool, type);
    ocsf_resource(o, "uid", agent, "AI agent");
    ocsf_resource(o, "uid", session, "Session");
    json_close(o, ']');
}

/* What the gate decided about a request of an agent, and the policies by which it did. */
static void ocsf_decision(struct json_out *o, struct view *v)
{
    bool yes = json_bool(v->j, v->allowed, false);
    uint32_t policies = view_decision(v, "policies");
    struct str version = view_str(v, VIEW_policyVersion);
    const char *word = yes ? "Allowed" : "Denied";
    if (!ocsf_by_agent(v) || (json_type(v->j, v->allowed) != JSON_TRUE && json_type(v->j, v->allowed) != JSON_FALSE))
        return;
    json_kv_i64(o, "action_id", yes ? 1 : 2);
    json_kv_z(o, "action", word);
    json_kv_i64(o, "disposition_id", yes ? 1 : 2);
    json_kv_z(o, "disposition", yes ? "Allowed" : "Blocked");
    json_key(o, STR("authorizations"));
    json_open(o, '[');
    bool some = false;
    JSON_EACH(v->j, policies, p)
    {
        if (json_type(v->j, p) != JSON_STRING)
            continue;
        some = true;
        json_open(o, '{');
        json_kv_z(o, "decision", word);
        json_key(o, STR("policy"));
        json_open(o, '{');
        json_kv_raw(o, "uid", json_raw(v->j, p));
        ocsf_kv(o, "version", version);
        json_close(o, '}');
        json_close(o, '}');
    }
    if (!some) {
        json_open(o, '{');
        json_kv_z(o, "decision", word);
        json_close(o, '}');
    }
    json_close(o, ']');
}

/* Returns whether the span is in it. */
static bool ocsf_trace(struct json_out *o, struct view *v)
{
    struct str id = view_str(v, VIEW_traceId), span = view_str(v, VIEW_spanId);
    bool whole = span.n && v->latency_us >= 0;
    if (!id.n)
        return false;
    json_key(o, STR("trace"));
    json_open(o, '{');
    json_kv_str(o, "uid", id);
    if (whole) { /* a span has a beginning and an end, which are known when it is over */
        json_key(o, STR("span"));
        json_open(o, '{');
        json_kv_str(o, "uid", span);
        ocsf_kv(o, "parent_uid", view_str(v, VIEW_parentSpanId));
        ocsf_kv(o, "operation", v->method);
        json_kv_i64(o, "start_time", v->wall_ms - v->latency_us / 1000);
        json_kv_i64(o, "end_time", v->wall_ms);
        json_kv_i64(o, "duration", v->latency_us / 1000);
        json_close(o, '}');
    }
    json_close(o, '}');
    return whole;
}

static void ocsf_observable(struct json_out *o, const char *name, int type, const char *type_name, struct str value)
{
    if (!value.n)
        return;
    json_open(o, '{');
    json_kv_z(o, "name", name);
    json_kv_i64(o, "type_id", type);
    json_kv_z(o, "type", type_name);
    json_kv_str(o, "value", value);
    json_close(o, '}');
}

static void ocsf_observables(struct json_out *o, struct view *v)
{
    struct str user = ocsf_by_agent(v) ? view_str(v, VIEW_triggerUserId) : STR_NONE, ip = view_source(v);
    struct str operator= view_is(v, VIEW_actorType, "HUMAN") ? view_str(v, VIEW_actor) : STR_NONE;
    if (!user.n && !operator.n && !ip.n && !v->tool.n)
        return;
    json_key(o, STR("observables"));
    json_open(o, '[');
    ocsf_observable(o, "actor.user.uid", 31, "User Object: uid", user);
    ocsf_observable(o, "actor.user.name", 4, "User Name", operator);
    ocsf_observable(o, "src_endpoint.ip", 2, "IP Address", ip);
    ocsf_observable(o, "resources[].name", 38, "Resource Details Object: name", v->tool);
    json_close(o, ']');
}

static void ocsf_unmapped(struct json_out *o, const struct view *v, bool span)
{
    json_key(o, STR("unmapped"));
    json_open(o, '{');
    JSON_PAIRS(v->j, JSON_ROOT, k, value)
    {
        if (json_type(v->j, value) == JSON_NULL || ocsf_mapped(v, value, span))
            continue;
        json_put_raw(o, json_raw(v->j, k));
        buf_char(o->b, ':');
        o->comma = false;
        json_put_raw(o, json_raw(v->j, value));
    }
    json_close(o, '}');
}

static bool ocsf_write(const struct sink_entry *e, const struct sink_format_how *how, struct buf *out)
{
    struct view v;
    (void)how;
    if (!view_open(&v, e))
        return false;
    struct json_out json = json_out(out), *o = &json;
    json_open(o, '{');
    ocsf_class(o, &v);
    ocsf_time(o, &v);
    json_kv_str(o, "message", view_line(&v));
    ocsf_metadata(o, &v);
    ocsf_actor(o, &v);
    ocsf_endpoints(o, &v);
    ocsf_api(o, &v);
    ocsf_resources(o, &v);
    ocsf_decision(o, &v);
    bool span = ocsf_trace(o, &v);
    ocsf_observables(o, &v);
    ocsf_unmapped(o, &v, span);
    json_close(o, '}');
    view_close(&v, out);
    return true;
}

const struct sink_format format_ocsf = {.name = "ocsf", .content_type = "application/json", .write = ocsf_write};

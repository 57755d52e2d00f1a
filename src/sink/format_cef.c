/*
 * ArcSight Common Event Format, version 0 ("Implementing ArcSight Common Event Format", revision 25): one line.
 *
 *   CEF:0|Doorward|Doorward|<version>|<event>|<name>|<severity>|<key>=<value> …
 *
 * In the header \ and | are escaped and there is no line end; in values \, = and line ends are. Keys and the lengths
 * of their values are the dictionary's; longer values are cut at a character.
 */
#include "sink/view.h"

/* So many characters, as the dictionary has them. */
enum { CEF_ACTION = 63, CEF_SHORT = 1023, CEF_CUSTOM = 4000 };

static size_t cef_cut(struct str s, size_t max)
{
    size_t i = 0;
    for (size_t n = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80 && n++ == max)
            break;
    return i;
}

/* Controls other than line ends have no escape: a space stands for them. */
static void cef_char(struct buf *b, char c)
{
    buf_char(b, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
}

static void cef_header(struct buf *b, struct str s)
{
    size_t n = cef_cut(s, CEF_SHORT);
    for (size_t i = 0; i < n; i++) {
        if (s.p[i] == '\\' || s.p[i] == '|')
            buf_char(b, '\\');
        cef_char(b, s.p[i]);
    }
    buf_char(b, '|');
}

static void cef_value(struct buf *b, struct str s, size_t max)
{
    size_t n = cef_cut(s, max);
    for (size_t i = 0; i < n; i++) {
        if (s.p[i] == '\n' || s.p[i] == '\r') {
            buf_z(b, s.p[i] == '\n' ? "\\n" : "\\r");
            continue;
        }
        if (s.p[i] == '\\' || s.p[i] == '=')
            buf_char(b, '\\');
        cef_char(b, s.p[i]);
    }
}

static void cef_kv(struct buf *b, const char *key, struct str s, size_t max)
{
    if (!s.n)
        return;
    buf_fmt(b, " %s=", key);
    cef_value(b, s, max);
}

static void cef_i64(struct buf *b, const char *key, int64_t v)
{
    buf_fmt(b, " %s=%lld", key, (long long)v);
}

/* A key that says in another what it is. */
static void cef_labelled(struct buf *b, const char *key, const char *label, struct str s, size_t max)
{
    if (!s.n)
        return;
    buf_fmt(b, " %sLabel=%s", key, label);
    cef_kv(b, key, s, max);
}

static void cef_number(struct buf *b, const char *key, const char *label, const struct view *v, enum view_member m)
{
    int64_t n;
    if (!json_i64(v->j, v->at[m], &n))
        return;
    buf_fmt(b, " %sLabel=%s", key, label);
    cef_i64(b, key, n);
}

static void cef_who(struct buf *b, struct view *v)
{
    struct str agent = view_str(v, VIEW_agentId), operator= view_str(v, VIEW_actor), ip = view_source(v);
    struct str who =
        view_is(v, VIEW_actorType, "HUMAN") ? operator: view_is(v, VIEW_actorType, "SYSTEM") ? STR("doorward") : agent;
    cef_kv(b, "suser", who, CEF_SHORT);
    cef_kv(b, "duser", view_str(v, VIEW_triggerUserId), CEF_SHORT);
    if (!str_eq(who, agent))
        cef_kv(b, "duid", agent, CEF_SHORT);
    cef_kv(b, "sourceServiceName", view_str(v, VIEW_agentType), CEF_SHORT);
    if (memchr(ip.n ? ip.p : "", ':', ip.n))
        cef_labelled(b, "c6a2", "Source IPv6 Address", ip, CEF_SHORT);
    else
        cef_kv(b, "src", ip, CEF_SHORT);
}

static void cef_what(struct buf *b, struct view *v)
{
    static const char *const outcomes[] = {"unknown", "success", "failure"};
    if (v->allowed && view_is(v, VIEW_actorType, "AI_AGENT"))
        cef_kv(b, "act", json_bool(v->j, v->allowed, false) ? STR("allowed") : STR("denied"), CEF_ACTION);
    cef_kv(b, "outcome", str_of(outcomes[v->status]), CEF_ACTION);
    cef_kv(b, "reason", view_str(v, VIEW_code), CEF_SHORT);
    cef_kv(b, "request", v->tool, CEF_SHORT);
    cef_kv(b, "requestMethod", v->method, CEF_SHORT);
    cef_kv(b, "destinationServiceName", v->server, CEF_SHORT);
}

static void cef_custom(struct buf *b, struct view *v)
{
    struct str details = view_raw(v, VIEW_details);
    uint32_t policies = view_decision(v, "policies");
    cef_labelled(b, "cs1", "Session", view_str(v, VIEW_sessionId), CEF_CUSTOM);
    cef_labelled(b, "cs2", "Trace", view_str(v, VIEW_traceId), CEF_CUSTOM);
    cef_labelled(b, "cs3", "Policies", policies ? json_raw(v->j, policies) : STR_NONE, CEF_CUSTOM);
    cef_labelled(b, "cs4", "Parameters", view_raw(v, VIEW_parameters), CEF_CUSTOM);
    cef_labelled(b, "cs5", "Digest", view_str(v, VIEW_digest), CEF_CUSTOM);
    cef_labelled(b, "cs6", "Details", details, CEF_CUSTOM);
    cef_number(b, "cn1", "Intent", v, VIEW_intentSeq);
    cef_number(b, "cn2", "ResultBytes", v, VIEW_resultBytes);
    if (v->latency_us >= 0)
        buf_fmt(b, " cfp1Label=LatencyMs cfp1=%lld.%03d", (long long)(v->latency_us / 1000),
                (int)(v->latency_us % 1000));
}

static void cef_line(struct buf *b, struct view *v)
{
    static const int severities[] = {1, 3, 5, 8}; /* Low is 0 to 3, Medium to 6, High to 8 */
    buf_z(b, "CEF:0|Doorward|Doorward|");
    cef_header(b, STR(DOORWARD_VERSION));
    cef_header(b, v->event);
    cef_header(b, str_of(v->meaning->name));
    buf_fmt(b, "%d|rt=%lld", severities[v->level], (long long)v->wall_ms);
    if (v->latency_us >= 0) {
        cef_i64(b, "start", v->wall_ms - v->latency_us / 1000);
        cef_i64(b, "end", v->wall_ms);
    }
    cef_i64(b, "externalId", (int64_t)v->entry->seq);
    cef_kv(b, "cat", view_str(v, VIEW_actorType), CEF_SHORT);
    cef_who(b, v);
    cef_what(b, v);
    cef_custom(b, v);
    cef_kv(b, "msg", view_line(v), CEF_SHORT);
}

static bool cef_write(const struct sink_entry *e, const struct sink_format_how *how, struct buf *out)
{
    struct view v;
    (void)how;
    if (!view_open(&v, e))
        return false;
    cef_line(out, &v);
    view_close(&v, out);
    return true;
}

const struct sink_format format_cef = {.name = "cef", .content_type = "text/plain; charset=utf-8", .write = cef_write};

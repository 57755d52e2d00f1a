#include "conf/table.h"

#include <stddef.h>
#include <stdio.h>

const struct conf_key conf_keys[] = {
#define KEY(section, name, type, fallback, least, most, help)                                                          \
    {CONF_S_##section, #name, CONF_##type, offsetof(struct conf_##section, name), fallback, least, most, help},
#include "conf/keys.def"
#undef KEY
};
const size_t conf_key_count = sizeof(conf_keys) / sizeof(conf_keys[0]);

static const struct {
    enum conf_section section;
    const char *name;
    enum conf_section part;
} conf_parts[] = {
    {CONF_S_root, "admin", CONF_S_admin},
    {CONF_S_root, "log", CONF_S_log},
    {CONF_S_root, "token", CONF_S_token},
    {CONF_S_root, "agents", CONF_S_agents},
    {CONF_S_root, "session", CONF_S_session},
    {CONF_S_root, "limits", CONF_S_limits},
    {CONF_S_root, "audit", CONF_S_audit},
    {CONF_S_audit, "retention", CONF_S_retention},
    {CONF_S_audit, "witnesses", CONF_S_witness},
    {CONF_S_audit, "anchors", CONF_S_anchor},
    {CONF_S_root, "sinks", CONF_S_sink},
    {CONF_S_root, "servers", CONF_S_server},
    {CONF_S_root, "tools", CONF_S_tool},
    {CONF_S_tool, "bind", CONF_S_tool_bind},
    {CONF_S_root, "scopes", CONF_S_scope},
    {CONF_S_root, "console", CONF_S_console},
    {CONF_S_root, "approval", CONF_S_approval},
    {CONF_S_root, "channels", CONF_S_channel},
    {CONF_S_root, "policy", CONF_S_policy},
    {CONF_S_policy, "files", CONF_S_policy_file},
    {CONF_S_root, "operators", CONF_S_operator},
    {CONF_S_server, "limits", CONF_S_server_limits},
    {CONF_S_scope, "when", CONF_S_scope_when},
    {CONF_S_root, "trial", CONF_S_trial},
    {CONF_S_root, "tls", CONF_S_tls},
    {CONF_S_admin, "tls", CONF_S_tls},
    {CONF_S_server, "client", CONF_S_server_client},
};

enum conf_section conf_part(const struct conf_key *k)
{
    for (size_t i = 0; i < sizeof(conf_parts) / sizeof(conf_parts[0]); i++)
        if (conf_parts[i].section == k->section && strcmp(conf_parts[i].name, k->name) == 0)
            return conf_parts[i].part;
    return CONF_S_COUNT;
}

size_t conf_part_size(enum conf_section s)
{
    switch (s) {
    case CONF_S_server: return sizeof(struct conf_server);
    case CONF_S_tool: return sizeof(struct conf_tool);
    case CONF_S_witness: return sizeof(struct conf_witness);
    case CONF_S_anchor: return sizeof(struct conf_anchor);
    case CONF_S_sink: return sizeof(struct conf_sink);
    case CONF_S_channel: return sizeof(struct conf_channel);
    case CONF_S_scope: return sizeof(struct conf_scope);
    case CONF_S_tool_bind: return sizeof(struct conf_tool_bind);
    case CONF_S_policy_file: return sizeof(struct conf_policy_file);
    case CONF_S_operator: return sizeof(struct conf_operator);
    default: return 0;
    }
}

const char *const *conf_words(enum conf_type t)
{
    static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
    static const char *const algs[] = {"EdDSA", "ES256", NULL};
    static const char *const durabilities[] = {"full", "group", "async", NULL};
    static const char *const isolations[] = {"agent", "session", "gateway", NULL};
    static const char *const protocols[] = {"auto", "2026-07-28", "2025-11-25", NULL};
    static const char *const pins[] = {"first", "strict", NULL};
    static const char *const sandboxes[] = {"off", "on", "strict", NULL};
    static const char *const bools[] = {"false", "true", NULL};
    static const char *const peers[] = {"none", "optional", "required", NULL};
    static const char *const metrics[] = {"token", "open", NULL};
    static const char *const risks[] = {"unset", "low", "medium", "high", "critical", NULL};
    static const char *const sinks[] = {"none", "nats", "webhook", "syslog", "otlp", "traces", NULL};
    static const char *const channels[] = {"none", "slack", "teams", "pagerduty", "webhook", "email", NULL};
    static const char *const formats[] = {"json", "ocsf", "cef", NULL};
    static const char *const froms[] = {"start", "now", NULL};
    static const char *const roles[] = {"viewer", "approver", "operator", "admin", NULL};
    switch (t) {
    case CONF_LEVEL: return levels;
    case CONF_ALG: return algs;
    case CONF_DURABILITY: return durabilities;
    case CONF_ISOLATION: return isolations;
    case CONF_PROTOCOL: return protocols;
    case CONF_PIN: return pins;
    case CONF_SANDBOX: return sandboxes;
    case CONF_BOOL: return bools;
    case CONF_TLS_PEER: return peers;
    case CONF_METRICS: return metrics;
    case CONF_RISK: return risks;
    case CONF_SINK: return sinks;
    case CONF_CHANNEL: return channels;
    case CONF_FORMAT: return formats;
    case CONF_SINK_FROM: return froms;
    case CONF_ROLE: return roles;
    default: return NULL;
    }
}

const char *conf_type_text(enum conf_type t)
{
    switch (t) {
    case CONF_STRING: return "a string";
    case CONF_PATH: return "a path";
    case CONF_LOG: return "off, stderr or a path";
    case CONF_URL: return "a URL such as http://127.0.0.1:3000/mcp";
    case CONF_ADDRESS: return "an address such as 127.0.0.1:8420 or [::1]:8420";
    case CONF_INT: return "a whole number";
    case CONF_BYTES: return "a size such as 65536, 64KiB or 16MiB";
    case CONF_DURATION: return "a duration such as 500ms, 30s, 15m, 24h or 90d";
    case CONF_RATE: return "a rate such as 100/minute, 5/second or none";
    case CONF_HOURS: return "a time of day such as 22:00-06:00";
    case CONF_SECRET: return "file:PATH or ${ENV}";
    case CONF_STRINGS: return "a list of strings";
    case CONF_PATHS: return "a list of paths";
    case CONF_CIDRS: return "a list of networks such as [10.0.0.0/8]";
    case CONF_SECRETS: return "a mapping of names to file:PATH, ${ENV} or plain values";
    case CONF_SECTION: return "a mapping";
    case CONF_MAP: return "a mapping by name";
    case CONF_LIST: return "a list of mappings";
    default: return "a word";
    }
}

/* Letters to insert, to delete, to change or to swap with the next one, for names of usual length. */
static size_t conf_distance(struct str a, const char *b)
{
    size_t rows[3][64], n = strlen(b);
    if (n >= 63 || a.n >= 63)
        return 99;
    for (size_t i = 0; i <= a.n; i++) {
        size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            if (!i) {
                row[k] = k;
                continue;
            }
            size_t best = up[k - 1] + (a.p[i - 1] != b[k - 1]);
            best = up[k] + 1 < best ? up[k] + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            if (i > 1 && k > 1 && a.p[i - 1] == b[k - 2] && a.p[i - 2] == b[k - 1] && upper[k - 2] + 1 < best)
                best = upper[k - 2] + 1;
            row[k] = best;
        }
    }
    return rows[a.n % 3][n];
}

const char *conf_near(enum conf_section s, struct str name)
{
    const char *near = NULL;
    size_t best = name.n < 8 ? 1 + name.n / 3 : 4; /* a short name is like everything */
    for (size_t i = 0; i < conf_key_count; i++) {
        size_t d = conf_keys[i].section == s ? conf_distance(name, conf_keys[i].name) : 99;
        if (d < best) {
            best = d;
            near = conf_keys[i].name;
        }
    }
    return near;
}

void conf_known(enum conf_section s, char *ret, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < conf_key_count && at < n; i++)
        if (conf_keys[i].section == s)
            at += (size_t)snprintf(ret + at, n - at, "%s%s", at ? ", " : "", conf_keys[i].name);
}

/* What is made from the table for people and editors: the reference page, the JSON Schema, the effective values. */
#include "base/json.h"
#include "conf/load.h"

#include <uv.h>

static const struct {
    enum conf_section section;
    const char *title, *path;
} doc_sections[] = {
    {CONF_S_root, "Top level", ""},
    {CONF_S_tls, "tls, and admin.tls", "tls."},
    {CONF_S_admin, "admin", "admin."},
    {CONF_S_log, "log", "log."},
    {CONF_S_token, "token", "token."},
    {CONF_S_agents, "agents", "agents."},
    {CONF_S_session, "session", "session."},
    {CONF_S_limits, "limits", "limits."},
    {CONF_S_audit, "audit", "audit."},
    {CONF_S_retention, "audit: retention", "audit.retention."},
    {CONF_S_witness, "audit: witnesses", "audit.witnesses[]."},
    {CONF_S_anchor, "audit: anchors", "audit.anchors[]."},
    {CONF_S_sink, "sinks", "sinks.NAME."},
    {CONF_S_server, "servers", "servers.NAME."},
    {CONF_S_server_client, "servers: client", "servers.NAME.client."},
    {CONF_S_server_limits, "servers: limits", "servers.NAME.limits."},
    {CONF_S_tool, "tools", "tools.PATTERN."},
    {CONF_S_tool_bind, "tools: bind", "tools.PATTERN.bind[]."},
    {CONF_S_approval, "approval", "approval."},
    {CONF_S_channel, "channels", "channels.NAME."},
    {CONF_S_console, "console", "console."},
    {CONF_S_policy, "policy", "policy."},
    {CONF_S_policy_file, "policy: files", "policy.files[]."},
    {CONF_S_scope, "scopes", "scopes[]."},
    {CONF_S_scope_when, "scopes: when", "scopes[].when."},
    {CONF_S_trial, "trial", "trial."},
    {CONF_S_operator, "operators", "operators[]."},
};

static void doc_type(struct buf *out, const struct conf_key *k)
{
    const char *const *words = conf_words(k->type);
    if (!words) {
        buf_z(out, conf_type_text(k->type));
        return;
    }
    for (size_t i = 0; words[i]; i++)
        buf_fmt(out, "%s`%s`", i ? (words[i + 1] ? ", " : " or ") : "", words[i]);
}

void conf_reference(struct buf *out)
{
    buf_z(out,
          "# Configuration\n\n"
          "Doorward reads one YAML file, `doorward.yaml`. This page is made from the table that the parser uses "
          "(`doorward config reference`).\n\n"
          "`${NAME}` and `${NAME:-default}` stand for environment variables in every value. A secret is `file:PATH` or "
          "`${NAME}`; the file must be readable by its owner only. Anchors and aliases are refused. All faults are "
          "reported "
          "at once, each as `file:line:column: path: what is wrong: what would be right`; check with "
          "`doorward config check`. SIGHUP or `doorward reload` swaps in a checked file while calls go on; a file with "
          "faults "
          "changes nothing.\n");
    for (size_t s = 0; s < sizeof(doc_sections) / sizeof(doc_sections[0]); s++) {
        buf_fmt(out, "\n## %s\n\n| key | value | default | |\n| --- | --- | --- | --- |\n", doc_sections[s].title);
        for (size_t i = 0; i < conf_key_count; i++) {
            const struct conf_key *k = &conf_keys[i];
            if (k->section != doc_sections[s].section)
                continue;
            buf_fmt(out, "| `%s%s` | ", doc_sections[s].path, k->name);
            doc_type(out, k);
            buf_fmt(out, " | %s%s%s | %s |\n", k->fallback[0] ? "`" : "", k->fallback, k->fallback[0] ? "`" : "",
                    k->help);
        }
    }
}

static void doc_schema_section(struct json_out *o, enum conf_section s);

/* Every value may also hold a reference to the environment. */
#define DOC_ENV    "\\$\\{"
#define DOC_SCALAR "[\"string\",\"number\",\"boolean\"]"

static void doc_schema_words(struct json_out *o, const char *const *words)
{
    json_key(o, STR("anyOf"));
    json_open(o, '[');
    json_open(o, '{');
    json_key(o, STR("enum"));
    json_open(o, '[');
    for (size_t i = 0; words[i]; i++)
        json_put_str(o, str_of(words[i]));
    json_close(o, ']');
    json_close(o, '}');
    if (str_is(str_of(words[0]), "false")) { /* what YAML calls a boolean, in quotes or not */
        json_open(o, '{');
        json_kv_z(o, "type", "boolean");
        json_close(o, '}');
    }
    json_open(o, '{');
    json_kv_z(o, "type", "string");
    json_kv_z(o, "pattern", DOC_ENV);
    json_close(o, '}');
    json_close(o, ']');
}

/* The items of a list or the values of a mapping. YAML's numbers and booleans are text as well. */
static void doc_schema_each(struct json_out *o, const struct conf_key *k)
{
    json_kv_z(o, "type", k->type == CONF_SECRETS ? "object" : "array");
    json_key(o, k->type == CONF_SECRETS ? STR("additionalProperties") : STR("items"));
    json_open(o, '{');
    if (k->type == CONF_CIDRS) {
        json_kv_z(o, "type", "string");
        json_kv_z(o, "pattern", "^[0-9a-fA-F:.]+(/[0-9]{1,3})?$|" DOC_ENV);
    } else {
        json_kv_raw(o, "type", STR(DOC_SCALAR));
    }
    json_close(o, '}');
}

static const char *doc_schema_pattern(enum conf_type t)
{
    switch (t) {
    case CONF_INT: return "^[0-9]+$|" DOC_ENV;
    case CONF_BYTES: return "^[0-9]+(KiB|MiB|GiB)?$|" DOC_ENV;
    case CONF_DURATION: return "^[0-9]+(ms|s|m|h|d)$|" DOC_ENV;
    case CONF_RATE: return "^(none|[0-9]+/(second|minute|hour|day))$|" DOC_ENV;
    case CONF_URL: return "^https?://[^ #@]+$|" DOC_ENV;
    case CONF_ADDRESS: return "^([0-9.]+|\\[[^ \\]]+\\]):[0-9]{1,5}$|" DOC_ENV;
    case CONF_HOURS: return "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$|" DOC_ENV;
    case CONF_SECRET: return "^file:.|" DOC_ENV;
    default: return NULL;
    }
}

static void doc_schema_scalar(struct json_out *o, const struct conf_key *k)
{
    const char *pattern = doc_schema_pattern(k->type);
    if (k->type == CONF_INT || k->type == CONF_BYTES) {
        json_kv_raw(o, "type", STR("[\"integer\",\"string\"]"));
        json_kv_i64(o, "minimum", k->least);
        json_kv_i64(o, "maximum", k->most);
    } else if (pattern) {
        json_kv_z(o, "type", "string");
    } else {
        json_kv_raw(o, "type", STR(DOC_SCALAR));
        json_kv_i64(o, "minLength", 1);
    }
    if (pattern)
        json_kv_z(o, "pattern", pattern);
}

static void doc_schema_key(struct json_out *o, const struct conf_key *k)
{
    json_key(o, str_of(k->name));
    json_open(o, '{');
    json_kv_z(o, "description", k->help);
    if (k->fallback[0] && k->fallback[0] != '[')
        json_kv_z(o, "default", k->fallback);
    if (conf_words(k->type)) {
        doc_schema_words(o, conf_words(k->type));
    } else if (k->type == CONF_STRINGS || k->type == CONF_PATHS || k->type == CONF_CIDRS || k->type == CONF_SECRETS) {
        doc_schema_each(o, k);
    } else if (k->type == CONF_SECTION) {
        doc_schema_section(o, conf_part(k));
    } else if (k->type == CONF_MAP || k->type == CONF_LIST) {
        json_kv_z(o, "type", k->type == CONF_MAP ? "object" : "array");
        json_key(o, k->type == CONF_MAP ? STR("additionalProperties") : STR("items"));
        json_open(o, '{');
        doc_schema_section(o, conf_part(k));
        json_close(o, '}');
    } else {
        doc_schema_scalar(o, k);
    }
    json_close(o, '}');
}

/* What an entry cannot be without; check.c says the same in words. */
static struct str doc_schema_needs(enum conf_section s)
{
    if (s == CONF_S_server)
        return STR("[{\"required\":[\"url\"]},{\"required\":[\"command\"]}]");
    if (s == CONF_S_operator)
        return STR("[{\"required\":[\"name\",\"token\"]}]");
    if (s == CONF_S_tls || s == CONF_S_server_client)
        return STR("[{\"required\":[\"certificate\",\"key\"]}]");
    return STR_NONE;
}

static void doc_schema_section(struct json_out *o, enum conf_section s)
{
    /* A section with nothing in it is null for an editor. */
    json_kv_raw(o, "type", doc_schema_needs(s).n ? STR("\"object\"") : STR("[\"object\",\"null\"]"));
    if (doc_schema_needs(s).n)
        json_kv_raw(o, "oneOf", doc_schema_needs(s));
    json_kv_bool(o, "additionalProperties", false);
    json_key(o, STR("properties"));
    json_open(o, '{');
    for (size_t i = 0; i < conf_key_count; i++)
        if (conf_keys[i].section == s)
            doc_schema_key(o, &conf_keys[i]);
    json_close(o, '}');
}

void conf_schema(struct buf *out)
{
    struct json_out o = json_out(out);
    json_open(&o, '{');
    json_kv_z(&o, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_kv_z(&o, "title", "doorward.yaml");
    doc_schema_section(&o, CONF_S_root);
    json_close(&o, '}');
    buf_char(out, '\n');
}

static void dump_section(struct json_out *o, enum conf_section s, const char *base);

static void dump_strings(struct json_out *o, const struct conf_strings *v)
{
    json_put_strs(o, v->v, v->n);
}

static void dump_cidrs(struct json_out *o, const struct conf_cidrs *v)
{
    json_open(o, '[');
    for (size_t i = 0; i < v->n; i++) {
        char text[INET6_ADDRSTRLEN + 8] = "";
        const unsigned char *a = v->v[i].address;
        bool v4 = v->v[i].bits >= 96 && memcmp(a, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
        uv_inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a + 12 : a, text, sizeof(text));
        struct buf b;
        buf_init(&b, 128);
        buf_fmt(&b, "%s/%u", text, v->v[i].bits - (v4 ? 96 : 0));
        json_put_str(o, buf_view(&b));
        buf_done(&b);
    }
    json_close(o, ']');
}

static void dump_pairs(struct json_out *o, const struct conf_pairs *v)
{
    json_open(o, '{');
    for (size_t i = 0; i < v->n; i++) {
        json_key(o, v->v[i].name);
        json_put_str(o, STR("[secret]"));
    }
    json_close(o, '}');
}

static void dump_items(struct json_out *o, const struct conf_key *k, const struct conf_servers *v)
{
    enum conf_section part = conf_part(k);
    const char *base = (const char *)v->v;
    json_open(o, k->type == CONF_MAP ? '{' : '[');
    for (size_t i = 0; i < v->n; i++, base += conf_part_size(part)) {
        if (k->type == CONF_MAP)
            json_key(o, *(const struct str *)(const void *)base);
        dump_section(o, part, base);
    }
    json_close(o, k->type == CONF_MAP ? '}' : ']');
}

static void dump_rate(struct json_out *o, const struct conf_rate *r)
{
    const char *unit = r->per_ms == 1000      ? "second"
                       : r->per_ms == 60000   ? "minute"
                       : r->per_ms == 3600000 ? "hour"
                                              : "day";
    struct buf b;
    buf_init(&b, 128);
    if (r->count)
        buf_fmt(&b, "%lld/%s", (long long)r->count, unit);
    else
        buf_z(&b, "none");
    json_put_str(o, buf_view(&b));
    buf_done(&b);
}

static void dump_hours(struct json_out *o, const struct conf_hours *h)
{
    struct buf b;
    buf_init(&b, 64);
    if (h->from != h->to)
        buf_fmt(&b, "%02d:%02d-%02d:%02d", h->from / 60, h->from % 60, h->to / 60, h->to % 60);
    json_put_str(o, buf_view(&b));
    buf_done(&b);
}

static void dump_value(struct json_out *o, const struct conf_key *k, const void *at)
{
    const char *const *words = conf_words(k->type);
    if (words) {
        json_put_str(o, str_of(words[*(const int64_t *)at]));
        return;
    }
    char text[32];
    switch (k->type) {
    case CONF_INT:
    case CONF_BYTES: json_put_i64(o, *(const int64_t *)at); break;
    case CONF_DURATION:
        conf_number_text(k, *(const int64_t *)at, text, sizeof(text));
        json_put_str(o, str_of(text));
        break;
    case CONF_RATE: dump_rate(o, at); break;
    case CONF_HOURS: dump_hours(o, at); break;
    case CONF_SECRET: json_put_str(o, STR("[secret]")); break;
    case CONF_STRINGS:
    case CONF_PATHS: dump_strings(o, at); break;
    case CONF_CIDRS: dump_cidrs(o, at); break;
    case CONF_SECRETS: dump_pairs(o, at); break;
    case CONF_SECTION: dump_section(o, conf_part(k), at); break;
    case CONF_MAP:
    case CONF_LIST: dump_items(o, k, at); break;
    default: json_put_str(o, *(const struct str *)at);
    }
}

/* A key without a default that was not written: it has no value that could be shown. */
static bool dump_absent(const struct conf_key *k, const void *at)
{
    const struct conf_hours *hours = at;
    if (k->fallback[0])
        return false;
    switch (k->type) {
    case CONF_INT:
    case CONF_BYTES:
    case CONF_DURATION: return *(const int64_t *)at == 0;
    case CONF_HOURS: return hours->from == hours->to;
    case CONF_SECRET: return !*(struct secret *const *)at;
    case CONF_STRINGS:
    case CONF_PATHS:
    case CONF_CIDRS:
    case CONF_SECRETS: return !((const struct conf_strings *)at)->set; /* all arrays have one layout */
    case CONF_SECTION: /* these two begin with what they cannot be without */
        return (conf_part(k) == CONF_S_tls || conf_part(k) == CONF_S_server_client) && ((const struct str *)at)->n == 0;
    case CONF_MAP:
    case CONF_LIST: return false;
    default: return ((const struct str *)at)->n == 0;
    }
}

static void dump_section(struct json_out *o, enum conf_section s, const char *base)
{
    json_open(o, '{');
    for (size_t i = 0; i < conf_key_count; i++) {
        if (conf_keys[i].section != s || dump_absent(&conf_keys[i], base + conf_keys[i].offset))
            continue;
        json_key(o, str_of(conf_keys[i].name));
        dump_value(o, &conf_keys[i], base + conf_keys[i].offset);
    }
    json_close(o, '}');
}

void conf_dump(const struct conf *c, struct buf *out)
{
    struct json_out o = json_out(out);
    dump_section(&o, CONF_S_root, (const char *)&c->root);
}

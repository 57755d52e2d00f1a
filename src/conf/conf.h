/*
 * The configuration: doorward.yaml becomes one immutable, reference-counted snapshot. Its keys stand in keys.def.
 *
 * A snapshot is complete or is not made: loading reports all faults at once, and whoever holds the old snapshot keeps
 * it. Values of strangers' files are bounded in size; anchors and aliases are refused. Secrets (struct secret) come
 * from `file:PATH` or `${ENV}` and are never shown.
 *
 * All strings are zero-terminated and live as long as the snapshot. Any thread may read it.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <netinet/in.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "net/tls.h"

struct conf_rate {
    int64_t count; /* 0: no limit */
    int64_t per_ms;
};
struct conf_cidr {
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;             /* of the 128 */
};
struct conf_hours {
    int from, to; /* minutes of the day; from == to: not set */
};
#define CONF_ARRAY(name, type)                                                                                         \
    struct name {                                                                                                      \
        type *v;                                                                                                       \
        size_t n;                                                                                                      \
        bool set; /* the key was there */                                                                              \
    }
CONF_ARRAY(conf_strings, struct str);
CONF_ARRAY(conf_cidrs, struct conf_cidr);
struct conf_pair {
    struct str name;
    struct secret *value;
};
CONF_ARRAY(conf_pairs, struct conf_pair);

enum conf_alg { CONF_EDDSA, CONF_ES256 };
enum conf_durability { CONF_FULL, CONF_GROUP, CONF_ASYNC };
enum conf_sink_kind {
    CONF_SINK_NONE,
    CONF_SINK_NATS,
    CONF_SINK_WEBHOOK,
    CONF_SINK_SYSLOG,
    CONF_SINK_OTLP,
    CONF_SINK_TRACES
};
enum conf_channel_kind {
    CONF_CHANNEL_NONE,
    CONF_CHANNEL_SLACK,
    CONF_CHANNEL_TEAMS,
    CONF_CHANNEL_PAGERDUTY,
    CONF_CHANNEL_WEBHOOK,
    CONF_CHANNEL_EMAIL
};
enum conf_format { CONF_JSON, CONF_OCSF, CONF_CEF };
enum conf_sink_from { CONF_FROM_START, CONF_FROM_NOW };
enum conf_isolation { CONF_PER_AGENT, CONF_PER_SESSION, CONF_PER_GATEWAY };
enum conf_protocol { CONF_AUTO, CONF_2026_07_28, CONF_2025_11_25 };
enum conf_pin { CONF_PIN_FIRST, CONF_PIN_STRICT };
enum conf_metrics { CONF_METRICS_TOKEN, CONF_METRICS_OPEN };
enum conf_sandbox { CONF_SANDBOX_OFF, CONF_SANDBOX_ON, CONF_SANDBOX_STRICT };
enum conf_risk { CONF_RISK_UNSET, CONF_RISK_LOW, CONF_RISK_MEDIUM, CONF_RISK_HIGH, CONF_RISK_CRITICAL };
enum conf_role { CONF_VIEWER, CONF_APPROVER, CONF_OPERATOR, CONF_ADMIN };

struct conf_tls {
    struct str certificate; /* first; empty: no TLS */
    struct str key, client_ca;
    int64_t client;  /* enum tls_peer */
    struct tls *tls; /* made of them; the snapshot's */
};
struct conf_admin {
    struct str listen, public_url; /* public_url: without a slash at its end; empty: as requests say */
    struct conf_strings allowed_hosts;
    int64_t metrics; /* enum conf_metrics */
    struct conf_tls tls;
};
struct conf_log {
    int64_t level;     /* enum log_level */
    struct str access; /* "off", "stderr" or a path */
};
struct conf_token {
    int64_t alg; /* enum conf_alg */
    int64_t lifetime, assertion_max_age;
};
struct conf_trial {
    struct str anonymous; /* an agent's id; empty: nobody is anonymous */
};
struct conf_agents {
    int64_t default_lifetime, max_lifetime, max_concurrent_sessions;
};
struct conf_session {
    int64_t max_tool_calls, max_streams, max_parked_calls, replay_bytes;
    struct conf_rate rate;
    struct conf_cidrs allowed_cidrs;
};
struct conf_limits {
    struct conf_rate agent_rate;
    int64_t connections, streams, body_bytes, result_bytes, arena_bytes, call_timeout, input_timeout, parked_calls,
        pending_approvals, replay_bytes, replay_time, stop_grace;
};
struct conf_retention {
    int64_t age, bytes; /* 0: not bounded by it */
};
struct conf_witness {
    struct str name; /* "audit.witnesses[0]" */
    struct str url, key, ca;
    int64_t every;
};
CONF_ARRAY(conf_witnesses, struct conf_witness);
struct conf_anchor {
    struct str name;
    struct str file, url, ca; /* file or url */
    struct conf_pairs headers;
    int64_t every;
};
CONF_ARRAY(conf_anchors, struct conf_anchor);
struct conf_audit {
    int64_t durability; /* enum conf_durability */
    int64_t segment_bytes, queue, key_overlap;
    struct conf_strings mask, seal;
    struct str keys, origin;
    struct conf_retention retention;
    struct conf_witnesses witnesses;
    struct conf_anchors anchors;
};
struct conf_sink {
    struct str name;
    int64_t kind, format, from; /* enum conf_sink_kind, conf_format, conf_sink_from */
    struct str url, subject, ca, certificate, key;
    struct secret *secret; /* or NULL */
    struct conf_pairs headers;
    struct conf_strings events; /* none: all */
    int64_t arguments, batch, timeout;
};
CONF_ARRAY(conf_sinks, struct conf_sink);
struct conf_channel {
    struct str name;
    int64_t kind; /* enum conf_channel_kind */
    struct str url, channel, username, from, link, ca;
    struct secret *token, *secret; /* or NULL */
    struct conf_strings to, groups;
    int64_t approve, standby, timeout;
};
CONF_ARRAY(conf_channels, struct conf_channel);
struct conf_server_limits {
    int64_t memory, open_files, processes, cpu; /* 0: not set; cpu in milliseconds */
};
struct conf_server_client {
    struct str certificate; /* first; empty: none */
    struct str key;
};
struct conf_server {
    struct str name;
    struct str url, cwd, ca;
    struct conf_server_client client;
    struct tls *tls; /* for an https URL; the snapshot's */
    struct conf_pairs headers, env;
    struct conf_strings command;
    int64_t max_processes;
    int64_t pin;                          /* enum conf_pin */
    int64_t isolation, protocol, timeout; /* enum conf_isolation, enum conf_protocol; timeout 0: limits.call_timeout */
    int64_t sandbox, network;             /* enum conf_sandbox; 0 or 1 */
    struct conf_strings read, write;
    struct conf_server_limits limits;
};
struct conf_tool_bind {
    struct str kind, argument;
};
CONF_ARRAY(conf_tool_binds, struct conf_tool_bind);
struct conf_tool {
    struct str name; /* the pattern */
    struct conf_rate rate, agent_rate;
    int64_t risk; /* enum conf_risk */
    struct conf_strings approvers;
    int64_t people;
    int64_t read_only; /* 0 or 1 */
    struct str scope;  /* empty: none */
    struct conf_tool_binds bind;
};
struct conf_policy_file {
    struct str file;
    int64_t enforce; /* 0 or 1 */
};
CONF_ARRAY(conf_policy_files, struct conf_policy_file);
struct conf_policy {
    struct conf_policy_files files;
    struct str timezone; /* "UTC", "local" or a name such as "Europe/Berlin" */
};
struct conf_console {
    int64_t enabled; /* 0 or 1 */
    int64_t session, idle;
};
struct conf_approval {
    int64_t time_limit, take_within, result_time, hold;
};
struct conf_scope_when {
    struct str agent_type, agent, env, tier, trigger, timezone; /* empty: any */
    struct conf_hours hours;
};
struct conf_scope {
    struct str name; /* "scopes[2]" */
    struct conf_scope_when when;
    struct conf_strings add, keep, drop;
};
struct conf_operator {
    struct str name;
    int64_t role; /* enum conf_role */
    struct secret *token;
};
CONF_ARRAY(conf_servers, struct conf_server);
CONF_ARRAY(conf_tools, struct conf_tool);
CONF_ARRAY(conf_scopes, struct conf_scope);
CONF_ARRAY(conf_operators, struct conf_operator);

struct conf_root {
    struct str listen, public_url, data_dir;
    int64_t workers;
    struct conf_cidrs trusted_proxies;
    struct conf_strings allowed_origins, allowed_hosts;
    struct conf_tls tls;
    struct conf_admin admin;
    struct conf_log log;
    struct conf_token token;
    struct conf_trial trial;
    struct conf_agents agents;
    struct conf_session session;
    struct conf_limits limits;
    struct conf_audit audit;
    struct conf_sinks sinks;
    struct conf_servers servers; /* sorted by name */
    struct conf_tools tools;
    struct conf_console console;
    struct conf_approval approval;
    struct conf_channels channels;
    struct conf_policy policy;
    struct conf_scopes scopes;
    struct conf_operators operators;
};

struct conf {
    struct conf_root root; /* first: keys.def speaks of it */
    struct str file;       /* as given */
    struct arena arena;
    struct conf_secret *secrets; /* all of them, to be wiped */
    struct conf_made *made;      /* what holds certificates, to be given back */
    void *policies;              /* what the daemon made of `policy`, and how it is given back; or NULL */
    void (*policies_free)(void *policies);
    _Atomic unsigned refs;
};

/* Faults, each "file:line:column: path: what is wrong: what would be right", at most CONF_FAULTS. */
#define CONF_FAULTS     100
#define CONF_FILE_BYTES (1u << 20)

/* Reads and checks a file. ERR_CONFIG: *faults holds one line for each fault. */
enum err conf_load(const char *file, struct conf **ret, struct buf *faults) MUST_USE;
/* The same for text in memory; relative paths are taken from `dir`. */
enum err conf_parse(struct str text, const char *file, const char *dir, struct conf **ret, struct buf *faults) MUST_USE;
struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c);

void conf_schema(struct buf *out);                     /* docs/doorward.schema.json */
void conf_reference(struct buf *out);                  /* docs/CONFIGURATION.md */
void conf_dump(const struct conf *c, struct buf *out); /* the effective values as JSON that conf_parse() takes again,
                                                          but for secrets: they are "[secret]" */

/* Puts an array of the keys whose values differ, as "limits.streams" or "servers.orders", the first `max` of them.
 * Returns how many there are. Their values are not told. */
size_t conf_changed(const struct conf *before, const struct conf *now, size_t max, struct json_out *o);

/* Is it one of them? Without regard to case, as for hosts and origins. */
bool conf_named(const struct conf_strings *list, struct str name);
/* Is the address in one of the networks? IPv4 and IPv4-mapped IPv6 are the same. */
bool conf_cidr_match(const struct conf_cidrs *list, const struct sockaddr_storage *address);
enum err conf_cidr_parse(struct str text, struct conf_cidr *ret) MUST_USE;
/* An address's text, without port, as struct sockaddr_storage. */
bool conf_address_parse(struct str text, struct sockaddr_storage *ret);
enum err conf_rate_parse(struct str text, struct conf_rate *ret) MUST_USE; /* "100/minute", "none" */

#endif

#include "audit/entry.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/mask.h"
#include "audit/segment.h"
#include "base/clock.h"

static const struct {
    const char *name, *what;
} audit_events[] = {
    {"NONE", ""},
#define AUDIT_EVENT(name, what) {#name, what},
#include "audit/event.def"
#undef AUDIT_EVENT
};

const char *audit_event_name(enum audit_event e)
{
    return audit_events[e < AUDIT_EVENT_COUNT ? e : 0].name;
}

const char *audit_event_what(enum audit_event e)
{
    return audit_events[e < AUDIT_EVENT_COUNT ? e : 0].what;
}

void audit_entry_init(struct audit_entry *e, enum audit_event event, enum audit_actor actor)
{
    *e = (struct audit_entry){.event = event, .actor_type = actor, .result_bytes = -1, .latency_us = -1, .tokens = -1};
}

static void entry_str(struct json_out *o, const char *key, struct str s)
{
    if (s.n)
        json_kv_str(o, key, s);
    else
        json_kv_null(o, key);
}

/* Words of a stranger, or words that may quote them: without what looks like a credential. */
static void entry_words(struct json_out *o, const char *key, struct str s)
{
    struct buf masked;
    if (!mask_text_needed(s)) {
        entry_str(o, key, s);
        return;
    }
    buf_init(&masked, s.n * 8 + 64);
    mask_text(s, &masked);
    entry_str(o, key, buf_failed(&masked) ? STR("[masked]") : buf_view(&masked));
    buf_done(&masked);
}

static void entry_raw(struct json_out *o, const char *key, struct str s)
{
    if (s.n)
        json_kv_raw(o, key, s);
    else
        json_kv_null(o, key);
}

static void entry_i64(struct json_out *o, const char *key, int64_t v)
{
    if (v >= 0)
        json_kv_i64(o, key, v);
    else
        json_kv_null(o, key);
}

/* Microseconds as milliseconds, in the shortest form: 1234 is 1.234, 2000 is 2. */
static void entry_ms(struct json_out *o, const char *key, int64_t us)
{
    char text[32];
    if (us < 0) {
        json_kv_null(o, key);
        return;
    }
    int n = snprintf(text, sizeof(text), "%lld.%03d", (long long)(us / 1000), (int)(us % 1000));
    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    json_kv_raw(o, key, (struct str){text, (size_t)n});
}

/* A number as it came, in canonical form. */
static void entry_number(struct json_out *o, const char *key, struct str s)
{
    struct arena a;
    struct buf b;
    struct json j;
    arena_init(&a, 65536);
    buf_init(&b, 4096);
    bool ok = s.n && s.n <= 1024 && !json_parse(&j, s, &a, NULL, NULL) && json_type(&j, JSON_ROOT) == JSON_NUMBER &&
              !json_canonical(&j, JSON_ROOT, &b, &a);
    entry_raw(o, key, ok ? buf_view(&b) : STR_NONE);
    buf_done(&b);
    arena_done(&a);
}

static const char *const entry_actors[] = {"SYSTEM", "AI_AGENT", "HUMAN"};
static const char *const entry_results[] = {NULL, "success", "failure", "denied", "timeout", "unknown"};

static void entry_claims(struct json_out *o, const struct audit_entry *e)
{
    json_key(o, STR("claims"));
    if (!e->model.n && !e->cost.n && e->tokens < 0) {
        json_put_null(o);
        return;
    }
    json_open(o, '{');
    entry_number(o, "estimatedCost", e->cost);
    entry_str(o, "modelUsed", e->model);
    entry_i64(o, "tokensConsumed", e->tokens);
    json_close(o, '}');
}

static void entry_context(struct json_out *o, const struct audit_context *c)
{
    char source[INET6_ADDRSTRLEN];
    int family = c->source_bytes == 16 ? AF_INET6 : AF_INET;
    json_key(o, STR("context"));
    if (!c->risk) {
        json_put_null(o);
        return;
    }
    json_open(o, '{');
    json_kv_i64(o, "age", c->age);
    json_kv_i64(o, "calls", c->calls);
    json_kv_z(o, "risk", c->risk);
    entry_str(o, "source", c->source_bytes ? str_of(inet_ntop(family, c->source, source, sizeof(source))) : STR_NONE);
    json_kv_raw(o, "taints", c->taints.n ? c->taints : STR("[]"));
    json_close(o, '}');
}

static void entry_decision(struct json_out *o, const struct audit_entry *e)
{
    json_key(o, STR("policyDecision"));
    if (!e->judged) {
        json_put_null(o);
        return;
    }
    json_open(o, '{');
    json_kv_bool(o, "allowed", e->allowed);
    entry_raw(o, "policies", e->policy_ids);
    entry_words(o, "reason", e->reason);
    entry_str(o, "shadow", str_of(e->shadow));
    entry_str(o, "stage", str_of(e->stage));
    json_close(o, '}');
}

/* Without what is secret in it. */
static struct str entry_parameters(const struct audit_entry *e, struct audit_words *w)
{
    if (!e->unmasked || !e->parameters.n)
        return e->parameters;
    arena_reset(&w->arena);
    buf_clear(&w->masked);
    if (e->doc && !mask_needed(w->mask, e->doc, e->node, &w->arena))
        return e->parameters;
    w->masked.max = e->parameters.n * 8 + 64;
    return mask_apply(w->mask, e->parameters, &w->arena, &w->masked);
}

static void entry_result(struct json_out *o, const struct audit_entry *e)
{
    entry_str(o, "result", str_of(entry_results[e->result]));
    entry_i64(o, "resultBytes", e->result_bytes);
    entry_str(o, "resultDigest", e->result_digest);
}

/* The members in the order of RFC 8785. */
void audit_record_write(const struct audit_record *r, struct audit_words *w, uint64_t seq, const char *previous,
                        struct buf *out)
{
    const struct audit_entry *e = &r->it;
    char when[CLOCK_RFC3339];
    struct json_out json = json_out(out), *o = &json;
    json_open(o, '{');
    entry_str(o, "actor", e->actor);
    json_kv_z(o, "actorType", entry_actors[e->actor_type]);
    entry_str(o, "agentId", e->agent_id);
    entry_str(o, "agentType", e->agent_type);
    entry_str(o, "agentVersion", e->agent_version);
    entry_claims(o, e);
    entry_str(o, "code", str_of(e->code));
    entry_context(o, &e->context);
    entry_str(o, "deploymentEnv", e->agent_env);
    entry_raw(o, "details", e->details);
    entry_str(o, "digest", e->digest);
    json_kv_z(o, "event", audit_event_name(e->event));
    entry_i64(o, "intentSeq", e->intent_seq ? (int64_t)e->intent_seq : -1);
    entry_ms(o, "latencyMs", e->latency_us);
    entry_raw(o, "parameters", entry_parameters(e, w));
    entry_decision(o, e);
    entry_str(o, "policyVersion", e->policy_version.n ? e->policy_version : str_of(w->policies));
    json_kv_str(o, "previousHash", (struct str){previous, 2 * SHA256_BYTES});
    entry_words(o, "reasoning", e->reasoning);
    entry_result(o, e);
    json_kv_i64(o, "seq", (int64_t)seq);
    entry_str(o, "sessionId", e->session_id);
    clock_format(r->wall_ms, when);
    json_kv_z(o, "timestamp", when);
    entry_str(o, "toolName", e->tool);
    entry_str(o, "traceId", e->trace_id);
    entry_str(o, "triggerSource", e->trigger);
    entry_str(o, "triggerUserId", e->user);
    json_close(o, '}');
}

void audit_words_init(struct audit_words *w)
{
    *w = (struct audit_words){0};
    arena_init(&w->arena, 256u << 20);
    buf_init(&w->masked, SEGMENT_ENTRY_MAX);
}

void audit_words_done(struct audit_words *w)
{
    arena_done(&w->arena);
    buf_done(&w->masked);
}

/* ---- handing in ---- */

static const uint16_t entry_strings[] = {
#define AT(field) offsetof(struct audit_entry, field)
    AT(actor),      AT(trace_id),       AT(agent_id),       AT(agent_type), AT(agent_version), AT(agent_env),
    AT(session_id), AT(user),           AT(trigger),        AT(tool),       AT(parameters),    AT(digest),
    AT(reason),     AT(model),          AT(cost),           AT(reasoning),  AT(details),       AT(result_digest),
    AT(policy_ids), AT(policy_version), AT(context.taints),
#undef AT
};
enum { ENTRY_STRINGS = sizeof(entry_strings) / sizeof(entry_strings[0]), ENTRY_MEMBERS = 896 };

static struct str *entry_string(struct audit_entry *e, size_t i)
{
    return (struct str *)(void *)((char *)e + entry_strings[i]);
}

struct audit_record *audit_record_new(const struct audit_entry *e)
{
    struct audit_entry it = *e;
    size_t n = 0;
    for (size_t i = 0; i < ENTRY_STRINGS; i++)
        n += entry_string(&it, i)->n;
    struct audit_record *r = n > SEGMENT_ENTRY_MAX - ENTRY_MEMBERS ? NULL : malloc(sizeof(*r) + n);
    if (!r)
        return NULL;
    char *to = r->text;
    for (size_t i = 0; i < ENTRY_STRINGS; i++) {
        struct str *s = entry_string(&it, i);
        if (!s->n)
            continue;
        memcpy(to, s->p, s->n);
        s->p = to;
        to += s->n;
    }
    *r = (struct audit_record){.n = n + ENTRY_MEMBERS, .wall_ms = clock_wall_ms(), .it = it};
    return r;
}

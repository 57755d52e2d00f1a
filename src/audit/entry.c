#include "audit/entry.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/large.h"
#include "audit/mask.h"
#include "audit/seal.h"
#include "audit/segment.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/lease.h"

enum { ENTRY_TEXT_MAX = 64 << 20 }; /* of all that is handed in */

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

bool audit_event_known(struct str name, bool pattern)
{
    for (enum audit_event e = AUDIT_NONE + 1; e < AUDIT_EVENT_COUNT; e++)
        if (pattern ? str_match(name, str_of(audit_event_name(e))) : str_is(name, audit_event_name(e)))
            return true;
    return false;
}

const char *audit_event_what(enum audit_event e)
{
    return audit_events[e < AUDIT_EVENT_COUNT ? e : 0].what;
}

void audit_entry_init(struct audit_entry *e, enum audit_event event, enum audit_actor actor)
{
    *e = (struct audit_entry){.event = event, .actor_type = actor, .result_bytes = -1, .latency_us = -1, .tokens = -1};
}

void audit_entry_who(struct audit_entry *e, const struct lease *l)
{
    e->agent_id = l->agent_id;
    e->agent_type = l->agent_type;
    e->agent_version = l->agent_version;
    e->agent_env = l->agent_env;
    e->session_id = l->sid;
    e->user = l->user;
    e->trigger = l->trigger;
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

static void entry_decision(struct json_out *o, const struct audit_entry *e, struct str policies)
{
    json_key(o, STR("policyDecision"));
    if (!e->judged) {
        json_put_null(o);
        return;
    }
    json_open(o, '{');
    json_kv_bool(o, "allowed", e->allowed);
    entry_raw(o, "policies", policies);
    entry_words(o, "reason", e->reason);
    entry_str(o, "shadow", str_of(e->shadow));
    entry_str(o, "stage", str_of(e->stage));
    json_close(o, '}');
}

/* ---- who acted ---- */

static void entry_actor(struct json_out *o, struct str id, const char *role, const char *type)
{
    if (!id.n)
        return;
    json_open(o, '{');
    json_kv_str(o, "id", id);
    json_kv_z(o, "role", role);
    json_kv_z(o, "type", type);
    json_close(o, '}');
}

/* The chain of those who acted, each on behalf of the one before: the user, the agent, who said yes; or the operator.
 */
static void entry_chain(struct json_out *o, const struct audit_entry *e)
{
    json_key(o, STR("chain"));
    if (e->actor_type == AUDIT_SYSTEM) {
        json_put_null(o);
        return;
    }
    json_open(o, '[');
    if (e->actor_type == AUDIT_AI_AGENT) {
        entry_actor(o, e->user, "user", "HUMAN");
        entry_actor(o, e->agent_id, "agent", "AI_AGENT");
        entry_actor(o, e->approver, "approver", "HUMAN");
    } else {
        entry_actor(o, e->actor, "operator", "HUMAN");
    }
    json_close(o, ']');
}

/* ---- what is long, and what is kept apart ---- */

/* Members that strangers fill. Each is in the entry, or, when they are too long for one together, those of more than
 * ENTRY_SHORT in files. */
enum entry_member { ENTRY_DETAILS, ENTRY_PARAMETERS, ENTRY_REASONING, ENTRY_POLICIES, ENTRY_MEMBERS_LONG };
enum { ENTRY_SHORT = 4096, ENTRY_ROOM = 56 << 10, ENTRY_ESCAPED = 6 };
static const char *const entry_long_names[] = {"details", "parameters", "reasoning", "policies"};

struct entry_text {
    struct str text[ENTRY_MEMBERS_LONG];
    struct {
        char sha256[2 * SHA256_BYTES + 1];
        size_t bytes; /* 0: it is in the entry */
    } large[ENTRY_MEMBERS_LONG];
    struct str digest, result_digest;
    struct sealed sealed; /* list empty: nothing is sealed */
};

/* Without what is secret in it. */
static struct str entry_parameters(const struct audit_entry *e, struct audit_words *w)
{
    if (!e->unmasked || !e->parameters.n)
        return e->parameters;
    buf_clear(&w->masked);
    if (e->doc && !mask_needed(w->mask, e->doc, e->node, &w->arena))
        return e->parameters;
    w->masked.max = e->parameters.n * 8 + 64;
    return mask_apply(w->mask, e->parameters, &w->arena, &w->masked);
}

/* Values of marked members become commitments. What cannot be sealed is not written down in clear: a call is refused,
 * and what has happened already is written without it. */
static enum err entry_seal(const struct audit_record *r, struct entry_text *t, struct audit_words *w, uint64_t seq)
{
    const struct audit_entry *e = &r->it;
    struct fault f;
    struct seal_ask ask = {.seq = seq, .names = w->seal, .paths = e->seal_paths, .call = e->seal, .digest = e->digest};
    ask.result_digest = e->result_digest;
    if (!w->seal->n && !e->seal && !e->seal_paths.n)
        return ERR_OK;
    ask.subject = seal_subject(e, &w->arena);
    ask.parameters = t->text[ENTRY_PARAMETERS];
    ask.doc = e->doc;
    ask.node = e->node;
    ask.details = t->text[ENTRY_DETAILS];
    ask.reasoning = t->text[ENTRY_REASONING];
    enum err err = seal_values(w->seals, &ask, &w->arena, &t->sealed, &f);
    if (err)
        log_warn("audit_not_sealed", LOG_B("refused", r->done != NULL), LOG_S("agent", e->agent_id),
                 LOG_Z("reason", f.text));
    if (err && !r->done) {
        seal_masked(&ask, &t->sealed);
        err = ERR_OK;
    }
    if (err)
        return ERR_CORRUPT; /* whatever it was: this entry cannot be */
    t->text[ENTRY_PARAMETERS] = t->sealed.parameters;
    t->text[ENTRY_DETAILS] = t->sealed.details;
    t->text[ENTRY_REASONING] = t->sealed.reasoning;
    t->digest = t->sealed.digest;
    t->result_digest = t->sealed.result_digest;
    return ERR_OK;
}

static enum err entry_shorten(struct entry_text *t, struct audit_words *w, struct fault *f)
{
    size_t n = t->sealed.list.n;
    for (unsigned i = 0; i < ENTRY_MEMBERS_LONG; i++)
        n += t->text[i].n * (i == ENTRY_REASONING ? ENTRY_ESCAPED : 1);
    for (unsigned i = 0; n > ENTRY_ROOM && i < ENTRY_MEMBERS_LONG; i++) {
        if (t->text[i].n <= ENTRY_SHORT)
            continue;
        TRY(large_put(w->dir, t->text[i], t->large[i].sha256, f));
        t->large[i].bytes = t->text[i].n;
        t->text[i] = STR_NONE;
    }
    return ERR_OK;
}

/* Words that are long or kept apart are put down as they will be read: without what looks like a credential. */
static struct str entry_reasoning(const struct audit_entry *e, struct audit_words *w)
{
    bool kept = e->reasoning.n > ENTRY_SHORT || w->seal->n || e->seal || e->seal_paths.n;
    if (!kept || !mask_text_needed(e->reasoning))
        return e->reasoning;
    struct buf masked CLEANUP(buf_done);
    buf_init(&masked, e->reasoning.n * 8 + 64);
    mask_text(e->reasoning, &masked);
    struct str s = buf_failed(&masked) ? STR_NONE : arena_str(&w->arena, buf_view(&masked));
    return s.p ? s : STR("[masked]");
}

static void entry_large(struct json_out *o, const struct entry_text *t)
{
    bool any = false;
    json_key(o, STR("large"));
    for (unsigned i = 0; i < ENTRY_MEMBERS_LONG; i++)
        any = any || t->large[i].bytes;
    if (!any) {
        json_put_null(o);
        return;
    }
    json_open(o, '{');
    static const unsigned sorted[] = {ENTRY_DETAILS, ENTRY_PARAMETERS, ENTRY_POLICIES, ENTRY_REASONING};
    for (unsigned k = 0; k < ENTRY_MEMBERS_LONG; k++) {
        unsigned i = sorted[k];
        if (!t->large[i].bytes)
            continue;
        json_key(o, str_of(entry_long_names[i]));
        json_open(o, '{');
        json_kv_i64(o, "bytes", (int64_t)t->large[i].bytes);
        json_kv_z(o, "sha256", t->large[i].sha256);
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void entry_result(struct json_out *o, const struct audit_entry *e, struct str digest)
{
    entry_str(o, "result", str_of(entry_results[e->result]));
    entry_i64(o, "resultBytes", e->result_bytes);
    entry_str(o, "resultDigest", digest);
}

/* The members in the order of RFC 8785. */
enum err audit_record_write(const struct audit_record *r, struct audit_words *w, uint64_t seq, struct buf *out,
                            struct fault *f)
{
    const struct audit_entry *e = &r->it;
    char when[CLOCK_RFC3339];
    struct json_out json = json_out(out), *o = &json;
    arena_reset(&w->arena);
    struct entry_text t = {.digest = e->digest, .result_digest = e->result_digest};
    t.text[ENTRY_DETAILS] = e->details;
    t.text[ENTRY_PARAMETERS] = entry_parameters(e, w);
    t.text[ENTRY_REASONING] = entry_reasoning(e, w);
    t.text[ENTRY_POLICIES] = e->policy_ids;
    TRY(entry_seal(r, &t, w, seq));
    TRY(entry_shorten(&t, w, f));
    json_open(o, '{');
    entry_str(o, "actor", e->actor);
    json_kv_z(o, "actorType", entry_actors[e->actor_type]);
    entry_str(o, "agentId", e->agent_id);
    entry_str(o, "agentType", e->agent_type);
    entry_str(o, "agentVersion", e->agent_version);
    entry_chain(o, e);
    entry_claims(o, e);
    entry_str(o, "code", str_of(e->code));
    entry_context(o, &e->context);
    entry_str(o, "deploymentEnv", e->agent_env);
    entry_raw(o, "details", t.text[ENTRY_DETAILS]);
    entry_str(o, "digest", t.digest);
    json_kv_z(o, "event", audit_event_name(e->event));
    entry_i64(o, "intentSeq", e->intent_seq ? (int64_t)e->intent_seq : -1);
    entry_large(o, &t);
    entry_ms(o, "latencyMs", e->latency_us);
    entry_str(o, "method", str_of(e->method));
    entry_raw(o, "parameters", t.text[ENTRY_PARAMETERS]);
    entry_str(o, "parentSpanId", e->parent_span_id);
    entry_decision(o, e, t.text[ENTRY_POLICIES]);
    entry_str(o, "policyVersion", e->policy_version.n ? e->policy_version : str_of(w->policies));
    entry_words(o, "reasoning", t.text[ENTRY_REASONING]);
    entry_result(o, e, t.result_digest);
    entry_raw(o, "sealed", t.sealed.list);
    json_kv_i64(o, "seq", (int64_t)seq);
    entry_str(o, "sessionId", e->session_id);
    entry_str(o, "spanId", e->span_id);
    clock_format(r->wall_ms, when);
    json_kv_z(o, "timestamp", when);
    entry_str(o, "toolName", e->tool);
    entry_str(o, "traceId", e->trace_id);
    entry_str(o, "triggerSource", e->trigger);
    entry_str(o, "triggerUserId", e->user);
    json_close(o, '}');
    return ERR_OK;
}

void audit_words_init(struct audit_words *w)
{
    static const struct conf_strings none = {0};
    *w = (struct audit_words){.mask = &none, .seal = &none};
    arena_init(&w->arena, 512u << 20);
    buf_init(&w->masked, ENTRY_TEXT_MAX);
}

void audit_words_done(struct audit_words *w)
{
    arena_done(&w->arena);
    buf_done(&w->masked);
}

enum err audit_words_flush(struct audit_words *w, uint64_t segment, struct fault *f)
{
    return w->seals ? seal_flush(w->seals, segment, f) : ERR_OK;
}

void audit_words_undo(struct audit_words *w, uint64_t seq)
{
    if (w->seals)
        seal_drop(w->seals, seq);
}

/* ---- handing in ---- */

static const uint16_t entry_strings[] = {
#define AT(field) offsetof(struct audit_entry, field)
    AT(actor),          AT(trace_id),   AT(agent_id),      AT(agent_type),     AT(agent_version),
    AT(agent_env),      AT(session_id), AT(user),          AT(trigger),        AT(tool),
    AT(parameters),     AT(digest),     AT(reason),        AT(model),          AT(cost),
    AT(reasoning),      AT(details),    AT(result_digest), AT(policy_ids),     AT(policy_version),
    AT(context.taints), AT(approver),   AT(span_id),       AT(parent_span_id), AT(seal_paths),
#undef AT
};
enum { ENTRY_STRINGS = sizeof(entry_strings) / sizeof(entry_strings[0]), ENTRY_MEMBERS = 960 };

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
    struct audit_record *r = n > ENTRY_TEXT_MAX - ENTRY_MEMBERS ? NULL : malloc(sizeof(*r) + n);
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

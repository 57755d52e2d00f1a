/*
 * A call on record: its intent before it leaves, its outcome when it is back, or why it never left. What has no intent
 * on disk does not leave the house.
 */
#include <arpa/inet.h>

#include "base/clock.h"
#include "base/enc.h"
#include "gate/gate.h"
#include "gate/stage.h"

bool record_seals(struct call *c)
{
    if (!c->sealed && c->arguments_node)
        c->sealed = audit_seals(c->gate->gate->audit, STR_NONE, c->doc, c->arguments_node, c->arena);
    return c->sealed;
}

static void record_call(struct audit_entry *e, struct call *c)
{
    audit_entry_who(e, c->lease);
    e->seal = record_seals(c);
    e->trace_id = str_of(c->trace_id);
    e->span_id = str_of(c->span_id);
    e->parent_span_id = str_of(c->parent_span_id);
    e->method = call_kinds[c->kind].method;
    e->tool = c->target.n ? c->target : c->asked;
    e->digest = str_of(c->digest);
    e->reasoning = c->reasoning;
    e->model = c->claims.model;
    e->tokens = c->claims.tokens;
    e->cost = c->claims.cost;
    e->policy_ids = c->policy_ids;
    e->shadow = c->policy_shadow;
    e->approver = str_of(c->grant.by);
    if (c->policies)
        e->policy_version = str_of(policy_set_texts(c->policies)->version);
}

/* Where it came from: 4 or 16 bytes, or none. An IPv4 address in IPv6's clothes is the IPv4 address. */
static struct str record_source(const struct call *c)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    const struct sockaddr_in6 *v6 = (const void *)c->source;
    const struct sockaddr_in *v4 = (const void *)c->source;
    if (!c->source)
        return STR_NONE;
    if (c->source->ss_family == AF_INET)
        return (struct str){(const char *)&v4->sin_addr, 4};
    const char *bytes = (const char *)v6->sin6_addr.s6_addr;
    if (c->source->ss_family != AF_INET6)
        return STR_NONE;
    return memcmp(bytes, mapped, sizeof(mapped)) == 0 ? (struct str){bytes + 12, 4} : (struct str){bytes, 16};
}

/* What policies saw, for who judges the call again by others. */
static void record_seen(struct audit_entry *e, const struct call *c)
{
    struct str source = record_source(c);
    e->context = (struct audit_context){.risk = c->seen.risk, .age = c->seen.age, .calls = c->seen.calls};
    if (!c->seen.risk || !source.n)
        return;
    e->context.source_bytes = (unsigned)source.n;
    memcpy(e->context.source, source.p, source.n);
}

/* Of a call that no policy saw, whoever looks into a refusal wants to know this much. */
static struct str record_address(const struct call *c)
{
    char text[INET6_ADDRSTRLEN];
    struct str source = record_source(c);
    if (c->seen.risk || !source.n || !inet_ntop(source.n == 4 ? AF_INET : AF_INET6, source.p, text, sizeof(text)))
        return STR_NONE;
    return ARENA_JOIN(c->arena, STR("{\"address\":\""), str_of(text), STR("\"}"));
}

/* What they changed, and the arguments that they judged. */
static struct str record_changed(struct call *c)
{
    struct buf masked CLEANUP(buf_done);
    buf_init(&masked, c->judged.n * 8 + 64);
    if (!c->changed.n)
        return STR_NONE;
    struct str judged = audit_mask(c->gate->gate->audit, NULL, 0, c->judged, c->arena, &masked);
    return ARENA_JOIN(c->arena, STR("{\"changed\":"), c->changed, STR(",\"digest\":\""), str_of(c->judged_digest),
                      STR("\",\"judged\":"), judged.n ? judged : STR("null"), STR("}"));
}

/* The arguments without secrets. Those of a call that was refused before `validate` are put into canonical form here.
 */
static struct str record_parameters(struct call *c, struct buf *canonical, struct buf *masked)
{
    struct str arguments = c->arguments;
    if (!arguments.p && c->arguments_node && json_canonical(c->doc, c->arguments_node, canonical, c->arena) == ERR_OK)
        arguments = buf_view(canonical);
    if (!arguments.n)
        return STR_NONE;
    const struct json *doc = c->arguments_node ? c->doc : NULL;
    return audit_mask(c->gate->gate->audit, doc, c->arguments_node, arguments, c->arena, masked);
}

struct str gate_without_value(struct str words)
{
    static const char value[] = ", but is ";
    const char *at = memmem(words.p, words.n, value, sizeof(value) - 1);
    return at ? (struct str){words.p, (size_t)(at - words.p)} : words;
}

/* Why it was refused, or failed. Where parameters are masked, a value that did not fit may be one of those; where some
 * are sealed, too, and policies may have put it there. */
static struct str record_reason(const struct call *c, bool masked)
{
    struct str s = str_of(c->fault.text);
    return c->sealed || (masked && c->fault.err == ERR_SCHEMA) ? gate_without_value(s) : s;
}

struct record_scratch {
    struct buf canonical, masked;
};

static void record_scratch_init(struct record_scratch *s, const struct call *c)
{
    buf_init(&s->canonical, c->doc->text.n * 2 + 64);
    buf_init(&s->masked, c->doc->text.n * 8 + 64);
}

static void record_scratch_done(struct record_scratch *s)
{
    buf_done(&s->canonical);
    buf_done(&s->masked);
}

static int64_t record_latency(const struct call *c)
{
    return (clock_mono_ns() - c->born_ns) / 1000;
}

static void record_intent_done(struct audit_done *d)
{
    struct call *c = (struct call *)((char *)d - offsetof(struct call, intent));
    if (d->err) {
        gate_deny(c, ERR_AUDIT, "the intent could not be put on record, so that the call was not made");
        gate_resume(c, VERDICT_DENY);
        return;
    }
    c->intent_seq = d->seq;
    c->on_record = true;
    gate_resume(c, c->cancelled ? VERDICT_DENY : VERDICT_NEXT);
}

enum verdict stage_intent(struct call *c)
{
    struct audit_entry e;
    audit_entry_init(&e, call_kinds[c->kind].intent, AUDIT_AI_AGENT);
    record_call(&e, c);
    e.parameters = c->arguments; /* `validate` has made them */
    e.unmasked = true;
    e.doc = c->arguments_node ? c->doc : NULL;
    e.node = c->arguments_node;
    e.details = record_changed(c);
    record_seen(&e, c);
    e.judged = e.allowed = true;
    e.reason = STR("every stage before the call let it through");
    c->intent = (struct audit_done){.worker = c->gate->worker, .done = record_intent_done};
    return audit_append(c->gate->gate->audit, &e, &c->intent, &c->fault) ? VERDICT_DENY : VERDICT_WAIT;
}

static enum audit_result record_result(const struct call *c)
{
    if (c->fault.err == ERR_UPSTREAM_TIMEOUT)
        return AUDIT_TIMEOUT;
    if (c->fault.err && c->fault.err != ERR_RESULT)
        return c->sent ? AUDIT_UNKNOWN : AUDIT_FAILURE;
    const struct connect_answer *a = &c->answer;
    if (a->input)
        return AUDIT_NO_RESULT;
    return !c->fault.err && a->result && !json_bool(a->doc, json_get(a->doc, a->result, STR("isError")), false)
               ? AUDIT_SUCCESS
               : AUDIT_FAILURE;
}

/* What belongs to a call that is on record already. */
static void record_beside(struct call *c, enum audit_event event, enum audit_result result, struct str details)
{
    struct audit_entry e;
    audit_entry_init(&e, event, AUDIT_AI_AGENT);
    record_call(&e, c);
    e.intent_seq = c->intent_seq;
    e.judged = e.allowed = true;
    e.result = result;
    e.latency_us = record_latency(c);
    e.details = details;
    e.parameters = event == AUDIT_REVIEW_QUEUED ? c->arguments : STR_NONE; /* what is looked at */
    e.unmasked = true;
    audit_note(c->gate->gate->audit, &e);
}

void record_shared(struct call *c)
{
    record_beside(c, AUDIT_APPROVAL_SHARED, c->fault.err ? AUDIT_FAILURE : AUDIT_SUCCESS,
                  ARENA_JOIN(c->arena, STR("{\"approval\":\""), str_of(c->wait.id), STR("\"}")));
}

/* The list of those that wait to be looked at is made of these (admin/reviews.h). */
static void record_review(struct call *c, enum audit_result result)
{
    record_beside(c, AUDIT_REVIEW_QUEUED, result, STR_NONE);
}

enum verdict stage_outcome(struct call *c)
{
    struct audit_entry e;
    char digest[2 * SHA256_BYTES + 1];
    audit_entry_init(&e, call_kinds[c->kind].outcome, AUDIT_AI_AGENT);
    record_call(&e, c);
    e.intent_seq = c->intent_seq;
    e.result = record_result(c);
    e.latency_us = record_latency(c);
    if (c->fault.err) {
        e.code = err_code(c->fault.err);
        e.reason = record_reason(c, false);
    } else if (c->answer.input) {
        e.code = "input_required";
    } else if (!c->answer.result) {
        e.code = err_code(ERR_SERVER);
    }
    if (c->answer.doc) {
        unsigned char hash[SHA256_BYTES];
        struct str raw = json_raw(c->answer.doc, c->answer.result ? c->answer.result : c->answer.error);
        enc_sha256(raw.p, raw.n, hash);
        enc_hex(hash, sizeof(hash), digest);
        e.result_digest = str_of(digest);
        e.result_bytes = (int64_t)raw.n;
    }
    audit_note(c->gate->gate->audit, &e);
    approval_outcome(c);
    if (risk_reviewed(c))
        record_review(c, e.result);
    return VERDICT_NEXT;
}

void record_denied(struct call *c)
{
    struct audit_entry e;
    struct record_scratch s;
    if (c->fault.err == ERR_AUDIT)
        return; /* the record counts these itself, and says so when it can be written again */
    bool limited = c->fault.err == ERR_RATE || c->fault.err == ERR_CALLS;
    audit_entry_init(&e,
                     c->on_record ? call_kinds[c->kind].outcome
                     : limited    ? AUDIT_RATE_LIMITED
                                  : call_kinds[c->kind].denied,
                     AUDIT_AI_AGENT);
    record_call(&e, c);
    record_scratch_init(&s, c);
    if (!c->on_record) {
        e.parameters = record_parameters(c, &s.canonical, &s.masked);
        e.details = c->changed.n ? record_changed(c) : record_address(c);
        record_seen(&e, c);
    }
    e.intent_seq = c->intent_seq;
    e.judged = true;
    e.stage = c->decided_by;
    bool masked = e.parameters.p && e.parameters.p != c->arguments.p && e.parameters.p != s.canonical.p;
    e.reason = record_reason(c, masked);
    e.code = err_code(c->fault.err);
    e.result = AUDIT_DENIED;
    e.latency_us = record_latency(c);
    audit_note(c->gate->gate->audit, &e);
    record_scratch_done(&s);
}

/* ---- what servers ask in the middle of a call ---- */

void record_asked(struct call *c, struct str method, struct str params)
{
    struct audit_entry e;
    struct arena a;
    struct json doc;
    struct buf text CLEANUP(buf_done), canonical CLEANUP(buf_done), masked CLEANUP(buf_done);
    buf_init(&text, params.n + 4096);
    buf_init(&canonical, params.n * 2 + 4096);
    buf_init(&masked, params.n * 8 + 4096);
    arena_init(&a, 64u << 20);
    struct json_out o = json_out(&text);
    json_open(&o, '{');
    json_kv_str(&o, "method", method);
    if (params.n)
        json_kv_raw(&o, "params", params);
    json_close(&o, '}');
    audit_entry_init(&e, AUDIT_INPUT_ASKED, AUDIT_AI_AGENT);
    record_call(&e, c);
    e.intent_seq = c->intent_seq;
    if (json_parse(&doc, buf_view(&text), &a, NULL, NULL) == ERR_OK &&
        json_canonical(&doc, JSON_ROOT, &canonical, &a) == ERR_OK)
        e.parameters = audit_mask(c->gate->gate->audit, &doc, JSON_ROOT, buf_view(&canonical), &a, &masked);
    if (c->sealed) /* a question may repeat what the call says */
        e.seal_paths = STR("[\"/params\"]");
    audit_note(c->gate->gate->audit, &e);
    arena_done(&a);
}

void record_keep(struct record_later *r, const struct call *c, char *target)
{
    memcpy(target, c->target.p, c->target.n);
    *r = (struct record_later){.lease = lease_ref(c->lease),
                               .target = {target, c->target.n},
                               .kind = c->kind,
                               .sealed = c->sealed,
                               .intent_seq = c->intent_seq,
                               .born_ns = c->born_ns};
    memcpy(r->trace_id, c->trace_id, sizeof(r->trace_id));
    memcpy(r->span_id, c->span_id, sizeof(r->span_id));
    memcpy(r->parent_span_id, c->parent_span_id, sizeof(r->parent_span_id));
    memcpy(r->digest, c->digest, sizeof(r->digest));
}

void record_abandoned(struct gate *g, const struct record_later *r, const struct connect_answer *a)
{
    struct audit_entry e;
    audit_entry_init(&e, call_kinds[r->kind].outcome, AUDIT_AI_AGENT);
    audit_entry_who(&e, r->lease);
    e.trace_id = str_of(r->trace_id);
    e.span_id = str_of(r->span_id);
    e.parent_span_id = str_of(r->parent_span_id);
    e.method = call_kinds[r->kind].method;
    e.tool = r->target;
    e.digest = str_of(r->digest);
    e.seal = r->sealed;
    e.intent_seq = r->intent_seq;
    e.latency_us = (clock_mono_ns() - r->born_ns) / 1000;
    e.result = a->err == ERR_UPSTREAM_TIMEOUT ? AUDIT_TIMEOUT
               : a->err                       ? AUDIT_UNKNOWN
               : a->result                    ? AUDIT_SUCCESS
                                              : AUDIT_FAILURE;
    e.code = a->err ? err_code(a->err) : "not_taken_up";
    e.reason = a->fault ? str_of(a->fault->text) : STR("the server's answer was not fetched");
    audit_note(g->audit, &e);
}

void record_limited(struct gate_worker *w, const struct lease *l, const struct fault *f)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_RATE_LIMITED, AUDIT_AI_AGENT);
    audit_entry_who(&e, l);
    e.judged = true;
    e.stage = "limit";
    e.reason = str_of(f->text);
    e.code = err_code(f->err);
    e.result = AUDIT_DENIED;
    audit_note(w->gate->audit, &e);
}

void record_subscribed(struct gate_worker *w, const struct lease *l, struct str server, struct str uri,
                       const struct fault *f)
{
    struct audit_entry e;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 16384);
    buf_fmt(&b, STR_FMT "/" STR_FMT, STR_ARG(server), STR_ARG(uri));
    audit_entry_init(&e, f ? AUDIT_REQUEST_DENIED : AUDIT_RESOURCE_SUBSCRIBED, AUDIT_AI_AGENT);
    audit_entry_who(&e, l);
    e.tool = server.n ? buf_view(&b) : uri;
    e.judged = true;
    e.allowed = !f;
    e.result = f ? AUDIT_DENIED : AUDIT_SUCCESS;
    if (f) {
        e.stage = "whitelist";
        e.reason = str_of(f->text);
        e.code = err_code(f->err);
    } else {
        e.reason = STR("its session may read there");
    }
    audit_note(w->gate->audit, &e);
}

/* The call leaves the house. From here on it cannot be denied any more, only fail; whatever comes back goes on record.
 */
#include <stdatomic.h>

#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"
#include "meter/meter.h"

static struct call *execute_call(struct connect_call *w)
{
    return (struct call *)((char *)w - offsetof(struct call, wire));
}

static void execute_progress(struct connect_call *w, struct str progress, struct str total, struct str message)
{
    struct call *c = execute_call(w);
    if (!c->cancelled)
        c->face->progress(c, progress, total, message);
}

static void execute_said(struct connect_call *w, struct str params)
{
    struct call *c = execute_call(w);
    if (!c->cancelled)
        c->face->said(c, params);
}

static void execute_put_off(struct connect_call *w)
{
    struct call *c = execute_call(w);
    if (!c->cancelled)
        c->face->put_off(c);
}

static bool execute_asked(struct connect_call *w, const struct connect_question *q)
{
    struct call *c = execute_call(w);
    if (c->cancelled)
        return true;
    record_asked(c, q->method, q->params);
    c->face->asked(c, q);
    return true;
}

static void execute_withdrawn(struct connect_call *w, const struct connect_question *q)
{
    struct call *c = execute_call(w);
    if (!c->cancelled)
        c->face->withdrawn(c, q->number);
}

/* A modern server's answer that says what it wants. */
static void execute_record_input(struct call *c, const struct connect_answer *a)
{
    uint32_t requests = json_get(a->doc, a->result, STR("inputRequests"));
    JSON_PAIRS(a->doc, requests, k, v)
    {
        uint32_t method = json_get(a->doc, v, STR("method")), params = json_get(a->doc, v, STR("params"));
        record_asked(c, json_str(a->doc, method, c->arena), params ? json_raw(a->doc, params) : STR_NONE);
    }
}

static void execute_count(const struct call *c, const struct connect_answer *a)
{
    meter_observe(METER_SERVER_SECONDS, clock_mono_ns() - c->left_ns);
    if (a->err)
        meter_add(a->err == ERR_UPSTREAM_TIMEOUT ? METER_FAILED_TIMEOUT
                  : a->err == ERR_CANCELLED      ? METER_FAILED_CANCELLED
                                                 : METER_FAILED_SERVER,
                  1);
}

static void execute_done(struct connect_call *w, const struct connect_answer *a)
{
    struct call *c = execute_call(w);
    execute_count(c, a);
    c->answer = *a; /* its document lives until we return, and the way ends before that */
    c->sent = a->sent;
    if (a->input && !a->err)
        execute_record_input(c, a);
    if (a->err && !c->fault.err) {
        c->fault = *a->fault;
        c->fault.err = a->err;
    }
    gate_resume(c, VERDICT_NEXT);
}

static const struct connect_events execute_events = {.progress = execute_progress,
                                                     .said = execute_said,
                                                     .put_off = execute_put_off,
                                                     .asked = execute_asked,
                                                     .withdrawn = execute_withdrawn,
                                                     .done = execute_done};

/* Only a server that has a log is told how much of it is wanted. */
static const char *execute_log_level(const struct call *c)
{
    const struct catalogue_server *s = catalogue_server(c->catalogue, c->target_server);
    return s && (s->can & SERVER_LOGGING) ? connect_level_name(c->log_level) : NULL;
}

/* The last look before the call leaves: the session may have ended while the intent was put on record. */
static enum verdict execute_open(struct call *c)
{
    int state = atomic_load(&c->lease->state);
    if (state == LEASE_STOPPED)
        return gate_deny(c, ERR_SESSION_STOPPED, "an operator has stopped the session");
    return state == LEASE_OPEN ? VERDICT_NEXT : gate_deny(c, ERR_SESSION_ENDED, "the session is over: open a new one");
}

enum verdict stage_execute(struct call *c)
{
    struct gate_worker *w = c->gate;
    if (execute_open(c) != VERDICT_NEXT)
        return VERDICT_DENY;
    c->wire = (struct connect_call){
        .events = &execute_events,
        .worker = w->worker,
        .upstream = c->upstream,
        .method = call_kinds[c->kind].method,
        .tool = c->tool,
        .name = c->kind == CALL_COMPLETION ? STR_NONE : c->name,
        .catalogue = c->catalogue,
        .agent = lease_agent_id(c->lease),
        .session = lease_sid(c->lease),
        .client = c->client,
        .can = c->can,
        .responses = c->responses,
        .state = c->state,
        .arguments = c->arguments,
        .traceparent = ARENA_JOIN(c->arena, STR("00-"), str_of(c->trace_id), STR("-"), str_of(c->span_id),
                                  c->trace_sampled ? STR("-01") : STR("-00")),
        .tracestate = c->trace_state,
        .wants_progress = c->wants_progress,
        .log_level = execute_log_level(c),
        .timeout_ms = w->gate->call_timeout_ms,
    };
    if (!c->wire.traceparent.p)
        return gate_deny(c, ERR_NOMEM, "no memory for the call");
    c->left_ns = clock_mono_ns();
    meter_add(METER_ALLOWED, 1);
    if (c->ticket)
        connect_resume(w->gate->connect, &c->wire, c->ticket);
    else
        connect_send(w->gate->connect, &c->wire);
    return VERDICT_WAIT;
}

void execute_cancel(struct call *c)
{
    connect_cancel(&c->wire);
}

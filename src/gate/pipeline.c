/*
 * The way of a call. Read this table first: it is the architecture.
 *
 *     listen -> protocol -> credential -> session -> [ the stages below, in this order ] -> answer
 *
 * A stage answers NEXT, DENY or WAIT (gate/call.h). Zero is DENY. Rows without a function are the places of rooms that
 * the plan of the house has and that stand empty in this version: a call passes them as if the row were not there.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/enc.h"
#include "gate/gate.h"
#include "gate/stage.h"
#include "meter/meter.h"

struct stage {
    const char *name;
    stage_fn *run; /* NULL: reserved */
    const char *what;
    enum meter_series denied; /* what its refusals are counted as; of those that refuse nothing: none */
};

static const struct stage stages[] = {
    {"limit", stage_limit, "rates of the agent, the tool and the session", METER_DENIED_LIMIT},
    {"whitelist", stage_whitelist, "allowed minus denied, within the session's scopes; default deny",
     METER_DENIED_WHITELIST},
    {"validate", stage_validate, "arguments against the tool's schema; canonical bytes and digest",
     METER_DENIED_VALIDATE},
    {"policy", stage_policy, "the policies, in Cedar: agent, tool, arguments, session, time", METER_DENIED_POLICY},
    {"scope", stage_scope, "scopes that the tool wants, of the object that the arguments name", METER_DENIED_SCOPE},
    {"retry", stage_retry, "a call sent again with what its server wanted: its state is of this very call",
     METER_DENIED_RETRY},
    {"breaker", NULL, "circuit breakers"},
    {"approval", stage_approval, "low and medium risk go through, high waits until a person decides, critical never",
     METER_DENIED_APPROVAL},
    {"budget", stage_budget, "one of the session's calls", METER_DENIED_BUDGET},
    {"intent", stage_intent, "on disk before anything leaves the house", METER_DENIED_INTENT},
    {"execute", stage_execute, "the server carries it out"},
    {"result", stage_result, "what it answers, against the tool's outputSchema"},
    {"filter", stage_filter, "what the policies do not show of the answer"},
    {"observe", NULL, "baselines, budgets, taint"},
    {"outcome", stage_outcome, "what came of it"},
};

enum { STAGE_COUNT = sizeof(stages) / sizeof(stages[0]) };

void gate_print_pipeline(struct buf *out)
{
    for (unsigned i = 0; i < STAGE_COUNT; i++)
        buf_fmt(out, "%-10s %-9s %s\n", stages[i].name, stages[i].run ? "built" : "reserved", stages[i].what);
}

void gate_worker_init(struct gate_worker *w, struct gate *gate, struct worker *worker)
{
    *w = (struct gate_worker){.gate = gate, .worker = worker};
}

enum verdict gate_deny(struct call *c, enum err e, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char text[sizeof(c->fault.text)];
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fault_set(&c->fault, e, "%s", text);
    return VERDICT_DENY;
}

static void gate_link(struct gate_worker *w, struct call *c)
{
    c->next = w->calls;
    c->link = &w->calls;
    if (w->calls)
        w->calls->link = &c->next;
    w->calls = c;
    w->call_count++;
    meter_add(METER_CALLS_OPEN, 1);
}

static void gate_unlink(struct call *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->gate->call_count--;
    meter_add(METER_CALLS_OPEN, -1);
    meter_observe(METER_CALL_SECONDS, clock_mono_ns() - c->born_ns);
    if (c->kill)
        kill_over(c);
}

/* The end of every way, whatever happened on it. */
static void gate_finish(struct call *c)
{
    gate_unlink(c);
    struct catalogue *catalogue = c->catalogue;
    struct lease *lease = c->lease;
    struct policy_set *policies = c->policies;
    const struct connect_answer *a = c->fault.err ? NULL : &c->answer;
    c->face->answered(c, a); /* c is the face's memory: not touched from here on */
    if (catalogue)
        catalogue_unref(catalogue);
    policy_set_unref(policies);
    lease_unref(lease);
}

static void gate_denied(struct call *c, const char *stage, enum meter_series counted)
{
    if (!c->fault.err)
        fault_set(&c->fault, ERR_INTERNAL, "the stage %s refused the call and gave no reason", stage);
    approval_unmade(c);
    c->decided_by = stage;
    if (!approval_undecided(c)) {
        meter_add(counted ? counted : METER_DENIED_OTHER, 1);
        record_denied(c);
    }
    gate_finish(c);
}

/* Walks on from c->stage until a stage waits, denies, or the table ends. */
static void gate_walk(struct call *c)
{
    while (c->stage < STAGE_COUNT) {
        const struct stage *s = &stages[c->stage];
        if (!s->run) {
            c->stage++;
            continue;
        }
        enum verdict v = s->run(c);
        if (v == VERDICT_WAIT) {
            c->waiting = true;
            return;
        }
        if (v != VERDICT_NEXT) {
            gate_denied(c, s->name, s->denied);
            return;
        }
        c->stage++;
    }
    gate_finish(c);
}

/* False: it is over. */
static bool gate_begin(struct gate_worker *w, struct call *c)
{
    c->gate = w;
    c->stage = 0;
    c->born_ns = clock_mono_ns();
    unsigned char span[8];
    enc_random(span, sizeof(span));
    enc_hex(span, sizeof(span), c->span_id);
    gate_link(w, c);
    if (!w->stopping)
        return true;
    name_find(c);
    gate_deny(c, ERR_STOPPING, "Doorward is stopping");
    gate_denied(c, "listen", METER_DENIED_LISTEN);
    return false;
}

void gate_start(struct gate_worker *w, struct call *c)
{
    if (!gate_begin(w, c))
        return;
    name_find(c);
    gate_walk(c);
}

void gate_resume(struct call *c, enum verdict v)
{
    c->waiting = false;
    if (v != VERDICT_NEXT) {
        gate_denied(c, stages[c->stage].name, stages[c->stage].denied);
        return;
    }
    if (c->shared) {
        record_shared(c);
        gate_finish(c);
        return;
    }
    c->stage++;
    gate_walk(c);
}

void gate_again(struct call *c)
{
    c->waiting = false;
    c->token = STR_NONE; /* was read */
    c->doc = c->asked_doc;
    c->arguments_node = c->asked_node;
    c->masks = 0;
    c->changed = c->judged = STR_NONE;
    c->policy_ids = STR_NONE;
    c->policy_shadow = NULL;
    c->people = 0;
    policy_set_unref(c->policies);
    c->policies = NULL;
    if (c->catalogue)
        catalogue_unref(c->catalogue);
    c->tool = NULL;
    c->upstream = NULL;
    name_find(c);
    for (c->stage = 0; stages[c->stage].run != stage_whitelist;)
        c->stage++; /* its request was counted */
    gate_walk(c);
}

void gate_go_on(struct gate_worker *w, struct call *c)
{
    if (!gate_begin(w, c))
        return;
    if (lease_is_open(c->lease, clock_mono_ns())) {
        gate_again(c);
        return;
    }
    name_find(c);
    gate_deny(c, lease_stopped(c->lease) ? ERR_SESSION_STOPPED : ERR_SESSION_ENDED,
              "the session is over: the call was approved, and not made");
    gate_denied(c, "approval", METER_DENIED_APPROVAL);
}

void gate_give_up(struct call *c, enum err e, const char *why)
{
    if (c->cancelled)
        return;
    c->cancelled = true;
    fault_set(&c->fault, e, "%s", why);
    if (c->waiting && stages[c->stage].run == stage_execute)
        execute_cancel(c); /* comes back through the wire's done */
    else if (c->waiting && stages[c->stage].run == stage_approval)
        approval_cancel(c);
    /* One that waits for its intent is stopped when the writer reports: record.c looks at `cancelled`. */
}

void gate_cancel(struct call *c, const char *why)
{
    gate_give_up(c, ERR_CANCELLED, why);
}

void gate_worker_stop(struct gate_worker *w)
{
    w->stopping = true;
    hold_stop(w);
}

void gate_worker_cancel_all(struct gate_worker *w, const char *why)
{
    for (struct call *c = w->calls, *next; c; c = next) {
        next = c->next; /* cancelling one ends that one only */
        gate_cancel(c, why);
    }
}

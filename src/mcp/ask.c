/*
 * A legacy client is asked on the stream of its call's answer. Its call waits with its server, when that is a legacy
 * one; a modern server's is over, and made again with what the client says. Modern clients whose call is about to be
 * put aside stand in the same list for the moment in which their questions are gathered.
 */
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/enc.h"
#include "mcp/elicit.h"
#include "mcp/input.h"

enum { ASK_TICK_MS = 100, ASK_ROUNDS = 16, ASK_EVENT_MAX = 1 << 20 };

#define ASK_UNANSWERED "{\"code\":-32001,\"message\":\"the client did not answer\"}"

/* ---- the list ---- */

static void ask_tick(uv_timer_t *t);

void mcp_ask_enter(struct mcp_request *r)
{
    struct mcp_asking *all = &r->mcp->asking;
    r->ask_until = clock_mono_ns() + (int64_t)atomic_load(&r->mcp->gate->gate->input_timeout_ms) * 1000000;
    if (r->asking_link)
        return;
    if (!all->first && !all->stopped)
        uv_timer_start(&all->timer, ask_tick, ASK_TICK_MS, ASK_TICK_MS);
    r->asking_next = all->first;
    r->asking_link = &all->first;
    if (all->first)
        all->first->asking_link = &r->asking_next;
    all->first = r;
}

void mcp_ask_leave(struct mcp_request *r)
{
    struct mcp_asking *all = &r->mcp->asking;
    if (!r->asking_link)
        return;
    *r->asking_link = r->asking_next;
    if (r->asking_next)
        r->asking_next->asking_link = r->asking_link;
    r->asking_link = NULL;
    if (!all->first && !all->stopped)
        uv_timer_stop(&all->timer);
}

/* ---- messages to the client ---- */

/* A modern server's URL needs no id of its own; a legacy client wants one. */
static void ask_put_params(struct json_out *o, struct mcp_request *r, const struct mcp_ask *ask)
{
    struct json doc;
    bool url = str_is(ask->method, "elicitation/create") && ask->params.n &&
               json_parse(&doc, ask->params, &r->x->arena, NULL, NULL) == ERR_OK &&
               json_str_is(&doc, json_get(&doc, JSON_ROOT, STR("mode")), STR("url")) &&
               !json_get(&doc, JSON_ROOT, STR("elicitationId"));
    if (!url) {
        json_kv_raw(o, "params", ask->params);
        return;
    }
    json_key(o, STR("params"));
    json_open(o, '{');
    json_kv_z(o, "elicitationId", ask->id);
    JSON_PAIRS(&doc, JSON_ROOT, k, v)
    {
        json_key(o, json_str(&doc, k, &r->x->arena));
        json_put_raw(o, json_raw(&doc, v));
    }
    json_close(o, '}');
}

static void ask_send(struct mcp_request *r, struct mcp_ask *ask)
{
    unsigned char random[8];
    char hex[17];
    struct buf b CLEANUP(buf_done);
    enc_random(random, sizeof(random));
    enc_hex(random, sizeof(random), hex);
    snprintf(ask->id, sizeof(ask->id), MCP_ASK_PREFIX "%u-%s", r->mcp->gate->worker->index, hex);
    buf_init(&b, ASK_EVENT_MAX);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "id", ask->id);
    json_kv_str(&o, "method", ask->method);
    if (ask->params.n)
        ask_put_params(&o, r, ask);
    mcp_elicit_asked(r, ask->method, ask->params);
    json_close(&o, '}');
    mcp_stream_event(r, &b);
}

static void ask_withdraw(struct mcp_request *r, const struct mcp_ask *ask)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "method", "notifications/cancelled");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    json_kv_z(&o, "requestId", ask->id);
    json_close(&o, '}');
    json_close(&o, '}');
    mcp_stream_event(r, &b);
}

/* ---- a legacy server asks ---- */

static void ask_refuse(struct call *c, unsigned number)
{
    gate_reply(c, number, true, STR("{\"code\":-32001,\"message\":\"the client cannot be asked now\"}"));
}

/* Modern clients whose calls have questions: put aside once all that came together is gathered. */
static void ask_park(void *ctx)
{
    struct mcp_worker *m = ctx;
    for (struct mcp_request *r = m->asking.first, *next; r; r = next) {
        next = r->asking_next;
        if (r->era == ERA_MODERN)
            gate_park(&r->call);
    }
}

void mcp_call_asked(struct call *c, const struct connect_question *q)
{
    struct mcp_request *r = c->user;
    bool reachable = mcp_reachable(r) && (r->era == ERA_MODERN || r->takes_stream);
    struct mcp_ask *ask = reachable ? mcp_ask_add(r, STR_NONE, q->method, q->params) : NULL;
    if (!ask) {
        ask_refuse(c, q->number);
        return;
    }
    ask->number = q->number;
    mcp_ask_enter(r);
    if (r->era == ERA_MODERN)
        worker_before_wait(r->mcp->gate->worker, ask_park, r->mcp);
    else
        ask_send(r, ask);
}

/* ---- a modern server's answer asks ---- */

static enum err ask_all(struct mcp_request *r, const struct connect_answer *a, struct fault *f)
{
    struct arena *arena = &r->x->arena;
    uint32_t requests = json_get(a->doc, a->result, STR("inputRequests")),
             state = json_get(a->doc, a->result, STR("requestState"));
    r->again = true;
    r->asks = NULL;
    r->state = state ? arena_str(arena, json_raw(a->doc, state)) : STR_NONE;
    if (++r->rounds > ASK_ROUNDS)
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "the server wanted input more than %d times for one call",
                         ASK_ROUNDS);
    if (!mcp_reachable(r))
        return fault_set(f, ERR_CANCELLED, "the client that would have to be asked has left");
    JSON_PAIRS(a->doc, requests, k, v)
    {
        uint32_t method = json_get(a->doc, v, STR("method")), params = json_get(a->doc, v, STR("params"));
        if (!mcp_ask_add(r, json_str(a->doc, k, arena), json_str(a->doc, method, arena),
                         params ? json_raw(a->doc, params) : STR_NONE))
            return fault_set(f, ERR_NOMEM, "no memory for what the server wants");
    }
    return ERR_OK;
}

/* A request that waits without a call of the gate's is over. */
static void ask_end(struct mcp_request *r, enum err e, const char *why)
{
    struct fault f;
    fault_set(&f, e, "%s", why);
    mcp_ask_over(r);
    r->again = false;
    mcp_answer_fault(r, &f, 0);
}

void mcp_ask_client(struct mcp_request *r, const struct connect_answer *a)
{
    struct fault f;
    if (ask_all(r, a, &f)) {
        r->again = false;
        mcp_answer_fault(r, &f, 0);
        return;
    }
    for (struct mcp_ask *ask = r->asks; ask; ask = ask->next)
        ask_send(r, ask);
    mcp_ask_enter(r); /* one that is asked nothing goes on with the next tick */
}

static struct str ask_responses(struct mcp_request *r)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    for (const struct mcp_ask *ask = r->asks; ask; ask = ask->next) {
        json_key(&o, ask->key);
        json_put_raw(&o, ask->value);
    }
    json_close(&o, '}');
    return buf_failed(&b) ? STR_NONE : arena_str(&r->x->arena, buf_view(&b));
}

static void ask_again(struct mcp_request *r)
{
    struct str responses = ask_responses(r);
    if (!responses.p) {
        ask_end(r, ERR_NOMEM, "no memory for what the client answered");
        return;
    }
    mcp_ask_leave(r);
    r->again = false;
    r->asks = NULL;
    mcp_call_again(r, responses, r->state);
}

/* ---- the client answers ---- */

static bool ask_open(const struct mcp_request *r)
{
    for (const struct mcp_ask *ask = r->asks; ask; ask = ask->next)
        if (!ask->value.n)
            return true;
    return false;
}

static bool ask_refused(const struct mcp_request *r)
{
    for (const struct mcp_ask *ask = r->asks; ask; ask = ask->next)
        if (ask->error)
            return true;
    return false;
}

void mcp_ask_taken(struct mcp_request *r, struct mcp_ask *ask, bool error, struct str value)
{
    ask->value = arena_str(&r->x->arena, value);
    ask->error = error;
    if (!ask->value.p) {
        ask->value = STR(ASK_UNANSWERED);
        ask->error = true;
    }
    if (ask->number)
        gate_reply(&r->call, ask->number, ask->error, ask->value);
    if (ask_open(r))
        return;
    if (!r->again)
        mcp_ask_leave(r);
    else if (ask_refused(r))
        ask_end(r, ERR_CANCELLED, "the client refused what the server wanted of it");
    else
        ask_again(r);
}

void mcp_call_withdrawn(struct call *c, unsigned number)
{
    struct mcp_request *r = c->user;
    for (struct mcp_ask *ask = r->asks; ask; ask = ask->next) {
        if (ask->number != number || ask->value.n)
            continue;
        if (r->era == ERA_LEGACY)
            ask_withdraw(r, ask);
        ask->value = STR(ASK_UNANSWERED);
    }
    if (!ask_open(r))
        mcp_ask_leave(r);
}

/* ---- the ends ---- */

void mcp_ask_over(struct mcp_request *r)
{
    for (struct mcp_ask *ask = r->asks; ask && r->asking_link && r->era == ERA_LEGACY; ask = ask->next)
        if (!ask->value.n)
            ask_withdraw(r, ask);
    mcp_ask_leave(r);
}

/* Nobody will answer any more: the server learns it, and its call goes on. */
static void ask_give_up(struct mcp_request *r)
{
    for (struct mcp_ask *ask = r->asks; ask; ask = ask->next) {
        if (ask->value.n)
            continue;
        ask_withdraw(r, ask);
        ask->value = STR(ASK_UNANSWERED);
        gate_reply(&r->call, ask->number, true, ask->value);
    }
    mcp_ask_leave(r);
}

static void ask_late(struct mcp_request *r, int64_t now)
{
    bool over = !lease_is_open(r->lease, now), late = now >= r->ask_until;
    if (r->era == ERA_MODERN)
        return;
    if (!over && !mcp_reachable(r))
        mcp_ask_gone(r); /* and did not come back */
    else if (r->again && over)
        ask_end(r, lease_stopped(r->lease) ? ERR_SESSION_STOPPED : ERR_SESSION_ENDED, "the session is over");
    else if (r->again && late)
        ask_end(r, ERR_CANCELLED, "the client did not answer what the server wanted in time");
    else if (r->again && !r->asks)
        ask_again(r);
    else if (!r->again && over)
        gate_cancel(&r->call, "the session is over");
    else if (!r->again && late)
        ask_give_up(r);
}

void mcp_asking_look(struct mcp_worker *m)
{
    int64_t now = clock_mono_ns();
    for (struct mcp_request *r = m->asking.first, *next; r; r = next) {
        next = r->asking_next; /* what is done about one ends or moves that one only */
        ask_late(r, now);
    }
}

static void ask_tick(uv_timer_t *t)
{
    mcp_asking_look(t->data);
}

void mcp_ask_gone(struct mcp_request *r)
{
    if (!r->asking_link)
        return;
    if (r->again)
        ask_end(r, ERR_CANCELLED, "the client that would have to be asked has left");
    else
        ask_give_up(r);
}

bool mcp_ask_cancel(struct mcp_worker *m, struct str sid, struct str mcp_session, struct str id)
{
    for (struct mcp_request *r = m->asking.first; r; r = r->asking_next) {
        if (!r->again || !str_eq(r->rpc.id, id) || !str_eq(r->mcp_session, mcp_session) ||
            !str_eq(lease_sid(r->lease), sid))
            continue;
        ask_end(r, ERR_CANCELLED, "the client cancelled the call");
        return true;
    }
    return false;
}

void mcp_asking_init(struct mcp_worker *m)
{
    uv_timer_init(&m->gate->worker->loop, &m->asking.timer);
    m->asking.timer.data = m;
}

void mcp_asking_stop(struct mcp_worker *m)
{
    if (m->asking.stopped)
        return;
    m->asking.stopped = true;
    for (struct mcp_request *r = m->asking.first, *next; r; r = next) {
        next = r->asking_next;
        if (r->again)
            ask_end(r, ERR_STOPPING, "Doorward is stopping");
    }
    uv_close((uv_handle_t *)&m->asking.timer, NULL);
}

/*
 * A server that wants something of the agent's client in the middle of a call. A client that keeps a stream open is
 * asked there; one that does not gets an answer that says what is wanted, with a state (gate/request_state.h), and
 * comes back with a call of its own, which goes through all stages like any other. A legacy server's call waits for
 * that, put aside; a modern server's is sent again.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"
#include "meter/meter.h"

struct request_state_of input_state_of(const struct call *c)
{
    return (struct request_state_of){.agent = lease_agent_id(c->lease),
                                     .session = lease_sid(c->lease),
                                     .server = c->target_server,
                                     .method = str_of(call_kinds[c->kind].method),
                                     .name = c->name,
                                     .digest = str_of(c->digest)};
}

/* A call that was sent again: its state is the one that was given out for this very call. */
enum verdict stage_retry(struct call *c)
{
    struct gate *g = c->gate->gate;
    struct request_state_of of = input_state_of(c);
    struct request_state sealed;
    int64_t now = clock_mono_ns(), until = 0;
    if (!c->token.p)
        return VERDICT_NEXT;
    if (!g->states)
        return gate_deny(c, ERR_REQUEST_STATE, "no requestState is taken here");
    if (wait_is_of(c->token))
        return wait_goes_on(c);
    if (request_state_read(g->states, &of, c->token, now, c->arena, &sealed, &until, &c->fault))
        return VERDICT_DENY;
    c->ticket = sealed.ticket;
    c->state = sealed.state;
    c->paid = request_state_spend(g->states, sealed.nonce, until, now);
    if (c->paid)
        c->grant = sealed.grant; /* a person let the call through that this one goes on with */
    return VERDICT_NEXT;
}

struct str gate_state(struct call *c, struct str state)
{
    struct gate *g = c->gate->gate;
    struct request_state_of of = input_state_of(c);
    struct request_state sealed = {.ticket = c->parked, .state = state, .grant = c->grant};
    int64_t until = clock_mono_ns() + (int64_t)atomic_load(&g->input_timeout_ms) * 1000000;
    return g->states ? request_state_write(g->states, &of, &sealed, until, c->arena) : STR_NONE;
}

/* ---- put aside ---- */

struct input_parked {
    struct connect_parked parked; /* first */
    struct gate *gate;
    struct record_later record;
};

static void input_gone(struct input_parked *p)
{
    atomic_fetch_sub(&p->gate->parked, 1);
    atomic_fetch_sub(&p->record.lease->parked, 1);
    meter_add(METER_PARKED_CALLS, -1);
    lease_unref(p->record.lease);
    free(p);
}

static void input_taken(struct connect_parked *parked)
{
    input_gone((struct input_parked *)parked);
}

static void input_abandoned(struct connect_parked *parked, const struct connect_answer *a)
{
    struct input_parked *p = (struct input_parked *)parked;
    record_abandoned(p->gate, &p->record, a);
    input_gone(p);
}

static enum err input_admit(struct gate *g, struct lease *l, struct fault *f)
{
    unsigned most = atomic_load(&g->parked_max), of_session = atomic_load(&g->parked_session_max);
    if (atomic_fetch_add(&l->parked, 1) >= of_session) {
        atomic_fetch_sub(&l->parked, 1);
        return fault_set(f, ERR_PARKED,
                         "%u calls of this session wait for input, which is the most (session.max_parked_calls)",
                         of_session);
    }
    if (atomic_fetch_add(&g->parked, 1) >= most) {
        atomic_fetch_sub(&g->parked, 1);
        atomic_fetch_sub(&l->parked, 1);
        return fault_set(f, ERR_PARKED, "%u calls wait for input, which is the most (limits.parked_calls)", most);
    }
    return ERR_OK;
}

enum err gate_park_admit(struct gate *g, struct lease *l, struct gate_parked *p, struct fault *f)
{
    TRY(input_admit(g, l, f));
    *p = (struct gate_parked){g, lease_ref(l)};
    meter_add(METER_PARKED_CALLS, 1);
    return ERR_OK;
}

void gate_unpark(struct gate_parked *p)
{
    if (!p->gate)
        return;
    atomic_fetch_sub(&p->gate->parked, 1);
    atomic_fetch_sub(&p->lease->parked, 1);
    meter_add(METER_PARKED_CALLS, -1);
    lease_unref(p->lease);
    p->gate = NULL;
}

void gate_park(struct call *c)
{
    static _Atomic uint64_t tickets;
    struct gate *g = c->gate->gate;
    struct fault f;
    struct input_parked *p = NULL;
    if (!c->wire.wire)
        return; /* its answer is on its way */
    if (input_admit(g, c->lease, &f) == ERR_OK && !(p = calloc(1, sizeof(*p) + c->target.n))) {
        fault_set(&f, ERR_NOMEM, "no memory for a call that waits");
        atomic_fetch_sub(&g->parked, 1);
        atomic_fetch_sub(&c->lease->parked, 1);
    }
    if (!p) {
        c->fault = f;
        c->cancelled = true;
        execute_cancel(c);
        return;
    }
    p->parked = (struct connect_parked){.taken = input_taken, .abandoned = input_abandoned};
    p->gate = g;
    record_keep(&p->record, c, (char *)(p + 1));
    meter_add(METER_PARKED_CALLS, 1);
    c->parked = atomic_fetch_add(&tickets, 1) + 1;
    connect_park(&c->wire, c->parked, atomic_load(&g->input_timeout_ms), &p->parked);
    c->sent = true;
    c->answer = (struct connect_answer){.sent = true, .input = true};
    gate_resume(c, VERDICT_NEXT);
}

void gate_asked(struct call *c, struct str method, struct str params)
{
    record_asked(c, method, params);
}

void gate_reply(struct call *c, unsigned number, bool error, struct str value)
{
    if (c->wire.wire)
        connect_reply(&c->wire, number, error, value);
}

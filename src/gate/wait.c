/*
 * A client that waits for a person by coming back (MCP 2026-07-28 basic/patterns/mrtr): what it is given says of which
 * call its question is, and is good for nothing else, since the question alone says what may be made. It is sealed with
 * a key that is kept, so that it outlives the process. Before it stands a pass of this process: one request of this
 * session, which comes soon and only waits on, counts against no rate.
 */
#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

#define WAIT_PREFIX      "w."
#define WAIT_METHOD      "approval"
#define WAIT_PASS        "." /* no letter of base64url */
#define WAIT_PASS_METHOD "waits on"
#define WAIT_PASS_NS     (10 * INT64_C(1000000000))

static struct request_state_of wait_state_of(const struct call *c)
{
    struct request_state_of of = input_state_of(c);
    of.method = STR(WAIT_METHOD);
    of.lasts = true;
    return of;
}

static struct request_state_of wait_pass_of(const struct call *c)
{
    return (struct request_state_of){
        .agent = lease_agent_id(c->lease), .session = lease_sid(c->lease), .method = STR(WAIT_PASS_METHOD)};
}

bool wait_is_of(struct str token)
{
    return str_starts(token, STR(WAIT_PREFIX));
}

/* The state, and the pass before it. */
static struct str wait_split(struct str token, struct str *ret_pass)
{
    struct str rest = str_skip(token, sizeof(WAIT_PREFIX) - 1);
    str_cut(&rest, WAIT_PASS[0], ret_pass);
    return rest;
}

bool wait_passes(struct call *c)
{
    struct request_states *s = c->gate->gate->states;
    struct request_state_of of = wait_pass_of(c);
    struct request_state found;
    struct str pass;
    int64_t now = clock_mono_ns(), until;
    if (!s || !wait_is_of(c->token))
        return false;
    wait_split(c->token, &pass);
    return request_state_read(s, &of, pass, now, c->arena, &found, &until, NULL) == ERR_OK &&
           request_state_spend(s, found.nonce, until, now);
}

enum verdict wait_goes_on(struct call *c)
{
    struct request_state_of of = wait_state_of(c);
    struct request_state found;
    struct str pass;
    int64_t until;
    if (request_state_read(c->gate->gate->states, &of, wait_split(c->token, &pass), clock_wall_ms() * 1000000, c->arena,
                           &found, &until, &c->fault))
        return VERDICT_DENY;
    memcpy(c->wait.id, found.grant.id, sizeof(c->wait.id));
    return VERDICT_NEXT;
}

struct str gate_state_wait(struct call *c)
{
    struct request_states *s = c->gate->gate->states;
    struct request_state_of of = wait_state_of(c), of_pass = wait_pass_of(c);
    struct request_state state = {.ticket = 0}, pass = {.ticket = 0};
    struct conf *conf = conf_slot_get(c->gate->gate->conf);
    int64_t until = (c->wait.expires + conf->root.approval.take_within) * 1000000;
    conf_unref(conf);
    if (!s)
        return STR_NONE;
    memcpy(state.grant.id, c->wait.id, sizeof(state.grant.id));
    struct str text = request_state_write(s, &of, &state, until, c->arena);
    struct str free = request_state_write(s, &of_pass, &pass, clock_mono_ns() + WAIT_PASS_NS, c->arena);
    return text.p && free.p ? ARENA_JOIN(c->arena, STR(WAIT_PREFIX), free, STR(WAIT_PASS), text) : STR_NONE;
}

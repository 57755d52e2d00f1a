/*
 * The gate: what the stages need of the house, and how a call is started, resumed and stopped. `struct gate` is shared
 * by all workers; `struct gate_worker` belongs to one.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "conf/slot.h"
#include "gate/call.h"
#include "gate/request_state.h"
#include "identity/session.h"

struct gate {
    struct audit *audit;
    struct lease_store *leases;
    struct connect *connect;
    struct sessions *sessions;
    struct policy_force *policies;
    struct approvals *approvals;   /* NULL: nobody can be asked */
    struct conf_slot *conf;        /* NULL with that */
    struct request_states *states; /* NULL: clients are asked nothing without a stream */
    struct gate_tasks *tasks;      /* NULL: no call goes on without its client */
    /* of the configuration; a reload may change them */
    _Atomic unsigned call_timeout_ms, input_timeout_ms, parked_max, parked_session_max;
    _Atomic unsigned parked; /* calls that are put aside */
};

struct gate_worker {
    struct gate *gate;
    struct worker *worker;
    struct call *calls; /* in flight */
    unsigned call_count;
    struct call *holds; /* of them, those that wait for a person */
    uv_timer_t *tick;   /* while there are any; NULL: there were none yet */
    bool stopping;
};

void gate_worker_init(struct gate_worker *w, struct gate *gate, struct worker *worker);

/* Walks the call through the stages. `answered` may be called before this returns. */
void gate_start(struct gate_worker *w, struct call *c);
/* A stage that said WAIT has its answer. */
void gate_resume(struct call *c, enum verdict v);
/* The client gave up, or the house stops: the server is told, the outcome is recorded, `answered` follows with
 * ERR_CANCELLED. A call that waits for its intent to be durable is stopped before anything leaves the house. */
void gate_cancel(struct call *c, const char *why);
/* The client's answer to what the server asked. */
void gate_reply(struct call *c, unsigned number, bool error, struct str value);
/* A call whose server has asked something is put aside: `answered` follows before this returns, with an answer that
 * wants input (connect_answer.input) and holds nothing, or with a fault. */
void gate_park(struct call *c);
/* In `answered`: what a client has to send again with the call. state: the server's, a JSON string, or empty. In the
 * call's arena; STR_NONE: no memory. */
struct str gate_state(struct call *c, struct str state);
/* In `answered`, with ERR_APPROVAL_PENDING and c->comes_back: what a client sends again with the call, to wait on. In
 * the call's arena; STR_NONE: no memory. */
struct str gate_state_wait(struct call *c);
/* For the record: the client of a call that is answered with an error is asked this in its place. */
void gate_asked(struct call *c, struct str method, struct str params);
/* The receipt of a call that is on record: {"digest": the intent's leaf hash, "index": its index in the record's tree}.
 */
void gate_put_receipt(struct json_out *o, const struct call *c);
/* No new calls; those in flight go on, but for those that wait for a person: their clients are told to come back.
 * gate_worker_cancel_all ends them. */
void gate_worker_stop(struct gate_worker *w);
void gate_worker_cancel_all(struct gate_worker *w, const char *why);

/* An operator stops a session, an agent (session empty), or everything (both empty), of which the leases say so
 * already: their calls on this worker end with ERR_SESSION_STOPPED. Those that wait for their intent to be durable
 * never leave, and are over a moment later: `quiet` is called when the last one is, maybe before this returns. */
struct gate_kill {
    struct str agent, session;
    void (*quiet)(struct gate_kill *k);
    size_t calls; /* that were stopped */
    size_t left;  /* of them, not over yet */
};
void gate_kill(struct gate_worker *w, struct gate_kill *k);

/* A request that is no tool call (a list) against the session's and the agent's rate. ERR_RATE fills
 * *ret_retry_after_ms. */
enum err gate_admit(struct gate_worker *w, struct lease *lease, int64_t *ret_retry_after_ms, struct fault *f) MUST_USE;

/* May this session be told when the resource changes? On record either way. *ret_server: whose it is, in the arena. */
enum err gate_subscribe(struct gate_worker *w, struct lease *l, struct str server, struct str uri, struct arena *a,
                        struct str *ret_server, struct fault *f) MUST_USE;
/* From now on, or no more: once each for what gate_subscribe allowed. Any thread. */
void gate_subscribed(struct gate *g, const struct lease *l, struct str server, struct str uri, bool on);

/* The stages in the order of the table, one a line: `doorward pipeline`, and the test that compares it with
 * docs/ARCHITECTURE.md. */
void gate_print_pipeline(struct buf *out);

#endif

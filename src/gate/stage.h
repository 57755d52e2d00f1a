/* The shape of a stage, and the list of them. To add one: a file with its function, and a line in pipeline.c. */
#ifndef GATE_STAGE_H
#define GATE_STAGE_H

#include "gate/gate.h"
#include "gate/risk.h"

/* Judges a call. DENY with gate_deny(), which fills the reason; a bare zero is an internal error that denies. WAIT only
 * when gate_resume() is certain to be called. */
typedef enum verdict stage_fn(struct call *c);

stage_fn stage_limit;     /* limit.c: rates of the agent, the tool and the session */
stage_fn stage_whitelist; /* whitelist.c: allowed minus denied, within the session's scopes */
stage_fn stage_validate;  /* validate.c: arguments against the tool's schema; canonical bytes and digest */
stage_fn stage_retry;     /* input.c: a call that was sent again with what its server wanted */
stage_fn stage_scope;     /* scope.c: scopes of single objects against the arguments */
stage_fn stage_policy;    /* policy.c: the policies */
stage_fn stage_approval;  /* approval.c: a person decides */
stage_fn stage_budget;    /* limit.c: one of the session's calls */
stage_fn stage_intent;    /* record.c: on disk before anything leaves the house */
stage_fn stage_execute;   /* execute.c: the server carries it out */
stage_fn stage_result;    /* result.c: what it answers, against the tool's outputSchema */
stage_fn stage_filter;    /* filter.c: what is not shown of the answer */
stage_fn stage_outcome;   /* record.c: what came of it */

/* Fills target, catalogue, tool, upstream, name, scope and server_up, as far as the name leads somewhere. */
void name_find(struct call *c);
/* A call that a stage refused: on record as TOOL_DENIED or RATE_LIMITED, or as the outcome of an intent. Never waits.
 */
void record_denied(struct call *c);
/* What the record needs of a call that is put aside. record.c */
struct record_later {
    struct lease *lease; /* a reference */
    struct str target;
    enum call_kind kind;
    char trace_id[33], span_id[17], parent_span_id[17], digest[65];
    bool sealed;
    uint64_t intent_seq;
    int64_t born_ns;
};
void record_keep(struct record_later *r, const struct call *c, char *target /* c->target.n bytes for its copy */);
/* What came of a call that nobody took up. Any thread. */
void record_abandoned(struct gate *g, const struct record_later *r, const struct connect_answer *a);
/* What a server asks in the middle of the call: a method and its params. */
void record_asked(struct call *c, struct str method, struct str params);
/* Is something of the call's arguments, as they are or were, sealed on record? */
bool record_seals(struct call *c);
/* The words of a judgement by a schema without the value that did not fit, with which they end. */
struct str gate_without_value(struct str words);
/* A list that was over a rate. */
void record_limited(struct gate_worker *w, const struct lease *l, const struct fault *f);
/* A subscription to a resource; f: it was refused, for this. */
void record_subscribed(struct gate_worker *w, const struct lease *l, struct str server, struct str uri,
                       const struct fault *f);
/* Gives up a call that is with its server; the way goes on to `outcome` before this returns. */
void execute_cancel(struct call *c);

/* As gate_cancel, with another reason. */
void gate_give_up(struct call *c, enum err e, const char *why);
/* A call that a gate_kill waits for is over. kill.c */
void kill_over(struct call *c);

/* Who is asked about it and for how long, and why it is held: of the configuration. In the call's arena. risk.c */
void risk_question(struct call *c, struct approval_ask *ask);
/* Does somebody look at a call that went through? Those of medium risk that nobody decided about. risk.c */
bool risk_reviewed(const struct call *c);

/* A call starts its way again, as if it had just come in, by the catalogue, the policies and the session of now; what
 * it was granted stays. pipeline.c */
void gate_again(struct call *c);
/* A call that people said yes to, with nobody there who made it: c->grant and c->took are set, and what is asked for.
 * pipeline.c */
void gate_go_on(struct gate_worker *w, struct call *c);
/* A call that waits for a person is given up. approval.c */
void approval_cancel(struct call *c);
/* Is its client only told to wait, or has left while it waited? Then nothing was decided. approval.c */
bool approval_undecided(const struct call *c);
/* What came of a call that a person let through; before it is over. approval.c */
void approval_outcome(struct call *c);
void approval_unmade(struct call *c);
/* Whose and of what the state of a call is that is sent again. input.c */
struct request_state_of input_state_of(const struct call *c);
/* A state of a call that waits for a person: does it let the request pass that only waits on (asked once)? Its
 * question. wait.c */
bool wait_is_of(struct str token);
bool wait_passes(struct call *c);
enum verdict wait_goes_on(struct call *c);
/* Calls of this worker that wait for a person. hold.c */
void hold_enter(struct call *c);
void hold_leave(struct call *c);
void hold_stop(struct gate_worker *w);
/* It was held long enough. approval.c */
void approval_put_off(struct call *c);
/* What was answered to a call, kept for others that are the same: as JSON, of at most so many bytes; and back.
 * STR_NONE: none that others could use. share.c */
struct str share_write(const struct call *c, size_t max, struct arena *a);
enum err share_read(struct call *c, struct str kept) MUST_USE;
/* On record: a call shares the answer of another one. record.c */
void record_shared(struct call *c);
/* A call that is over waits for its client, to be made again: against the bounds of those that are put aside. A session
 * ends with its lease; unpark may be called twice. input.c */
struct gate_parked {
    struct gate *gate; /* NULL: it is not */
    struct lease *lease;
};
enum err gate_park_admit(struct gate *g, struct lease *l, struct gate_parked *p, struct fault *f) MUST_USE;
void gate_unpark(struct gate_parked *p);
/* The question of this call, which waits no longer, is a task from now on. False: no room. task.c */
bool task_keep(struct call *c);
bool task_known(struct call *c); /* there is one of its question */
/* What is kept of a call with its question, and what it is made of again. In its arena. task_call.c */
struct str task_call_write(struct call *c);
/* about: the arguments that people said yes to; edited: they are those of a person. */
enum err task_call_read(struct str kept, struct str about, bool edited, struct call *c, struct fault *f) MUST_USE;

/* What the policies that decided ask for of a call that goes through. change.c, limit.c, filter.c */
enum verdict duty_change(struct call *c, const struct duty *d);
enum verdict duty_limits(struct call *c, const struct duty *d);

/* Fills the reason and returns VERDICT_DENY, so that a stage can say `return gate_deny(c, ERR_X, "…")`. */
enum verdict gate_deny(struct call *c, enum err e, const char *fmt, ...) PRINTF(3, 4);

#endif

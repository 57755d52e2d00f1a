/*
 * Calls that wait for a person while their client is not there: it was told the id of the question, and asks how that
 * stands (MCP's extension io.modelcontextprotocol/tasks). When people say yes, the call is made here, once, of what the
 * store has of it, by what holds then; what came of it is kept for approval.result_time.
 *
 * The question is the task: it is in the store before its client hears of it, so that it outlives the client, its
 * connection and this process. It is of an agent's session; for anybody else there is none.
 *
 *   WAITS --told TAKEN--> CALLS (pool: what the store has of it; then the whole way again) --answered--> OVER
 *     '-----told else------------------------------------------------------------------------------------^
 *
 * A server that wants something of the client in the middle of the call: a modern one's call is over and made again
 * with what the client says (ASKS), a legacy one's waits.
 *
 * Threads: a task has a home, the worker where its call is made; what is marked (any) from any thread.
 */
#ifndef GATE_TASK_H
#define GATE_TASK_H

#include "gate/gate.h"

struct gate_tasks;
struct gate_tasks *gate_tasks_new(struct gate *g); /* NULL: no memory */
/* No call begins any more, and questions wait for the next start: `idle` when none is under way, maybe at once. (any)
 */
void gate_tasks_stop(struct gate_tasks *t, void (*idle)(void *ctx), void *ctx);
void gate_tasks_free(struct gate_tasks *t); /* when no worker runs any more */
/* Tools are known: those of before wait again, each n-th of them here. Before that none is taken up. (any) */
enum err gate_tasks_resume(struct gate_tasks *t, struct gate_worker *home, unsigned i, unsigned n,
                           struct fault *f) MUST_USE;
void gate_tasks_sweep(struct gate_tasks *t); /* once a second: those that are over for long (any) */

struct gate_task_seen {
    bool over, cancelled;
    bool granted;             /* people said yes: the call is being made */
    struct str asks;          /* of one that wants something of its client: {name: {"method", "params"}}; or empty */
    bool early;               /* it was polled only a moment ago */
    uint64_t version;         /* another one with each change, and never 0 */
    int64_t created, changed; /* wall clock, ms */
    int64_t until;            /* of one that waits: until when people can decide; wall clock, ms */
    int64_t ttl_ms;           /* from its creation on */
    int64_t poll_ms;          /* when to ask again */
};
/* How it stands, for the session c->lease. Of one that is over, c->answer or c->fault are what its call was answered,
 * in c->arena, as in call_face.answered; without memory for that it is not over yet. False: this session has no such
 * task. */
bool gate_task_look(struct gate_worker *w, struct str id, struct call *c, bool polls, struct gate_task_seen *ret);
uint64_t gate_tasks_version(struct gate_tasks *t); /* another one with each change of any of them (any) */
/* Of one of them, for who has looked at it before: the answer of one that is over may be large. 0: it is not known
 * here, or not this session's. (any) */
uint64_t gate_task_version(struct gate_tasks *t, struct str id, const struct lease *l);
/* What its client says to what it asks: responses is an object in doc; what nobody asked is passed over. False: this
 * session has no such task. */
bool gate_task_answer(struct gate_worker *w, struct str id, struct lease *l, const struct json *doc, uint32_t responses,
                      struct arena *a);
/* Its agent wants it no more: nobody is asked any longer, and a call that is with its server is cancelled there. False:
 * this session has no such task. */
bool gate_task_cancel(struct gate_worker *w, struct str id, struct lease *l);

#endif

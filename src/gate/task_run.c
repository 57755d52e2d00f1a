/*
 * The call of a task: read from the store on a pool thread, and then on its way like any other, with nobody there. What
 * its server wants in the middle of it waits until the client asks how its task stands.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "gate/task_inner.h"
#include "meter/meter.h"
#include "net/trace.h"

struct task_run {
    struct call call; /* first */
    struct gate_task *task;
    struct arena arena;
    struct approval_card card;
    bool edited;
    enum err err;
    struct fault fault;
    struct str state;          /* of a modern server that wants something: its requestState */
    struct gate_parked parked; /* while it does */
    uv_work_t work;
    struct worker_mail gone;
};
enum { RUN_ROUNDS = 16 };

/* ---- on record ---- */

void task_record(struct gate_task *t, const struct fault *f)
{
    struct approval_about about;
    struct arena a;
    struct json none = {.text = STR_NONE};
    approval_about(&t->wait, &about);
    arena_init_small(&a, 1u << 20);
    struct call c = {.gate = t->home,
                     .arena = &a,
                     .lease = t->lease,
                     .asked = about.tool,
                     .target = about.tool,
                     .doc = &none,
                     .claims = {.tokens = -1},
                     .policy_ids = about.policy_ids,
                     .born_ns = about.created_mono,
                     .decided_by = "approval",
                     .shared = !f->err,
                     .fault = *f};
    snprintf(c.digest, sizeof(c.digest), STR_FMT, STR_ARG(about.digest));
    snprintf(c.trace_id, sizeof(c.trace_id), STR_FMT, STR_ARG(about.trace_id));
    snprintf(c.grant.by, sizeof(c.grant.by), "%s", f->err == ERR_APPROVAL_DENIED ? "" : t->wait.by);
    memcpy(c.wait.id, t->wait.id, sizeof(c.wait.id));
    if (!f->err) {
        record_shared(&c);
    } else {
        meter_add(METER_DENIED_APPROVAL, 1);
        record_denied(&c);
    }
    arena_done(&a);
}

/* ---- what its server says meanwhile ---- */

static void run_progress(struct call *c, struct str progress, struct str total, struct str message)
{
    (void)c, (void)progress, (void)total, (void)message;
}

static void run_said(struct call *c, struct str params)
{
    (void)c, (void)params;
}

static void run_put_off(struct call *c)
{
    (void)c;
}

static int64_t run_patience(const struct gate_task *t)
{
    return clock_mono_ns() + (int64_t)atomic_load(&t->all->gate->input_timeout_ms) * 1000000;
}

static void run_asked(struct call *c, const struct connect_question *q)
{
    struct gate_task *t = ((struct task_run *)c->user)->task;
    pthread_mutex_lock(&t->all->lock);
    t->asks_until = run_patience(t);
    bool asked = task_asks_add(t, q->number, STR_NONE, q->method, q->params);
    pthread_mutex_unlock(&t->all->lock);
    if (!asked)
        gate_reply(c, q->number, true, STR("{\"code\":-32001,\"message\":\"the client cannot be asked now\"}"));
}

static void run_withdrawn(struct call *c, unsigned number)
{
    struct gate_task *t = ((struct task_run *)c->user)->task;
    pthread_mutex_lock(&t->all->lock);
    for (struct task_ask *ask = t->asks; ask; ask = ask->next)
        ask->told = ask->told || ask->number == number;
    task_changes(t);
    pthread_mutex_unlock(&t->all->lock);
}

/* ---- the end ---- */

static void run_gone(struct worker *w, struct worker_mail *m)
{
    (void)w;
    task_run_free((struct task_run *)((char *)m - offsetof(struct task_run, gone)));
}

void task_run_free(struct task_run *run)
{
    gate_unpark(&run->parked);
    arena_done(&run->arena);
    free(run);
}

/* Its memory goes with the loop's next turn: the gate is still at its call. */
static void run_end(struct task_run *run, enum err e, struct str text)
{
    struct worker *w = run->task->home->worker;
    task_over(run->task, e, text);
    run->gone.run = run_gone;
    worker_post(w, &run->gone);
}

/* A modern server's call is over: made again with what the client says. */
static enum err run_asks(struct task_run *run, const struct connect_answer *a, struct fault *f)
{
    struct gate_task *t = run->task;
    struct arena *arena = &run->arena;
    uint32_t state = json_get(a->doc, a->result, STR("requestState"));
    bool added = true;
    run->state = state ? arena_str(arena, json_raw(a->doc, state)) : STR_NONE;
    if (++t->rounds > RUN_ROUNDS)
        return fault_set(f, ERR_UPSTREAM_GARBAGE, "the server wanted input more than %d times for one call",
                         RUN_ROUNDS);
    TRY(gate_park_admit(t->all->gate, t->lease, &run->parked, f));
    pthread_mutex_lock(&t->all->lock);
    JSON_PAIRS(a->doc, json_get(a->doc, a->result, STR("inputRequests")), k, v)
    {
        uint32_t method = json_get(a->doc, v, STR("method")), params = json_get(a->doc, v, STR("params"));
        added = added && task_asks_add(t, 0, json_str(a->doc, k, arena), json_str(a->doc, method, arena),
                                       params ? json_raw(a->doc, params) : STR_NONE);
    }
    t->asks_until = run_patience(t);
    if (added && !arena_failed(arena))
        task_turns(t, TASK_ASKS);
    pthread_mutex_unlock(&t->all->lock);
    if (!added || arena_failed(arena))
        return fault_set(f, ERR_NOMEM, "no memory for what the server wants");
    task_idle(t->all);
    return ERR_OK;
}

static void run_answered(struct call *c, const struct connect_answer *a)
{
    struct task_run *run = c->user;
    if (c->fault.err || !a) {
        run_end(run, c->fault.err ? c->fault.err : ERR_INTERNAL, str_of(c->fault.text));
        return;
    }
    if (a->input) {
        struct fault f;
        if (run_asks(run, a, &f))
            run_end(run, f.err, str_of(f.text));
        return;
    }
    struct arena room; /* the call's own is for what it asks */
    arena_init(&room, 2 * (size_t)TASK_RESULT);
    struct str text = share_write(c, TASK_RESULT, &room);
    run_end(run, text.n ? ERR_OK : ERR_APPROVAL_USED, text);
    arena_done(&room);
}

static const struct call_face run_face = {.progress = run_progress,
                                          .said = run_said,
                                          .put_off = run_put_off,
                                          .asked = run_asked,
                                          .withdrawn = run_withdrawn,
                                          .answered = run_answered};

/* It was not made: the yes is used up. */
static void run_unmade(struct task_run *run, enum err e, const char *text)
{
    approvals_done(run->task->all->gate->approvals, run->task->wait.id, STR_NONE, true);
    run_end(run, e, str_of(text));
}

/* ---- its way ---- */

static enum err run_fill(struct task_run *run, struct fault *f)
{
    struct call *c = &run->call;
    const struct approval_card *card = &run->card;
    struct gate_task *t = run->task;
    *c = (struct call){.face = &run_face,
                       .user = run,
                       .arena = &run->arena,
                       .kind = CALL_TOOL,
                       .reasoning = card->reasoning,
                       .hold = HOLD_TASK,
                       .log_level = -1,
                       .grant = c->grant,
                       .took = true,
                       .asked_people = card->people};
    if (!card->call.n)
        return fault_set(f, ERR_CORRUPT, "the store does not hold what this call is made of");
    TRY(task_call_read(card->call, card->arguments, run->edited, c, f));
    struct approval_ask ask = {.lease = t->lease,
                               .tool = card->tool,
                               .arguments = card->arguments,
                               .definition = card->definition,
                               .policy_version = card->policy_version};
    approval_binding(&ask, c->grant.bound);
    memcpy(c->wait.id, t->wait.id, sizeof(c->wait.id));
    snprintf(c->trace_id, sizeof(c->trace_id), STR_FMT, STR_ARG(card->trace_id));
    c->lease = lease_ref(t->lease);
    return ERR_OK;
}

static void run_loaded(uv_work_t *work, int status)
{
    struct task_run *run = (struct task_run *)((char *)work - offsetof(struct task_run, work));
    struct gate_task *t = run->task;
    struct fault f;
    pthread_mutex_lock(&t->all->lock);
    bool cancelled = t->cancelled;
    pthread_mutex_unlock(&t->all->lock);
    if (cancelled) {
        run_unmade(run, ERR_CANCELLED, "the agent cancelled its task: the call was approved, and not made");
        return;
    }
    if (status || run->err) {
        run_unmade(run, run->err ? run->err : ERR_INTERNAL, run->fault.text);
        return;
    }
    if (run_fill(run, &f)) {
        run_unmade(run, f.err, f.text);
        return;
    }
    memcpy(t->trace_id, run->call.trace_id, sizeof(t->trace_id));
    gate_go_on(t->home, &run->call);
}

static void run_load(uv_work_t *work)
{
    struct task_run *run = (struct task_run *)((char *)work - offsetof(struct task_run, work));
    run->err = approvals_card(run->task->all->gate->approvals, str_of(run->task->wait.id), &run->arena, &run->card,
                              &run->fault);
}

void task_make(struct gate_task *t)
{
    struct gate_tasks *all = t->all;
    struct task_run *run = calloc(1, sizeof(*run));
    struct conf *conf = conf_slot_get(all->gate->conf);
    size_t cap = (size_t)conf->root.limits.arena_bytes;
    conf_unref(conf);
    if (!run) {
        approvals_done(all->gate->approvals, t->wait.id, STR_NONE, true);
        task_over(t, ERR_NOMEM, STR("no memory for a call that was approved: it was not made"));
        return;
    }
    run->task = t;
    run->edited = t->wait.arguments.n > 0;
    arena_init(&run->arena, cap);
    memcpy(run->call.grant.id, t->wait.id, sizeof(run->call.grant.id));
    snprintf(run->call.grant.by, sizeof(run->call.grant.by), "%s", t->wait.by);
    pthread_mutex_lock(&all->lock);
    t->run = run;
    pthread_mutex_unlock(&all->lock);
    if (uv_queue_work(&t->home->worker->loop, &run->work, run_load, run_loaded))
        run_unmade(run, ERR_NOMEM, "no memory for a call that was approved: it was not made");
}

/* ---- what its client said ---- */

/* With the lock: the next thing that a legacy server is to hear. NULL: there is none. */
static struct task_ask *run_next(struct gate_task *t)
{
    for (struct task_ask *ask = t->asks; ask; ask = ask->next)
        if (ask->number && !ask->told && (ask->value.n || t->late)) {
            ask->told = true;
            return ask;
        }
    return NULL;
}

static void run_reply(struct task_run *run)
{
    struct gate_task *t = run->task;
    struct str value;
    for (;;) {
        pthread_mutex_lock(&t->all->lock);
        struct task_ask *ask = run_next(t);
        value = ask && ask->value.n ? arena_str(&run->arena, ask->value) : STR_NONE;
        pthread_mutex_unlock(&t->all->lock);
        if (!ask)
            return;
        gate_reply(&run->call, ask->number, !value.p,
                   value.p ? value : STR("{\"code\":-32001,\"message\":\"the client did not answer\"}"));
    }
}

/* The call once more, through all stages; what it was granted and has paid for stays. */
static void run_again(struct task_run *run)
{
    struct gate_task *t = run->task;
    struct call last = run->call;
    pthread_mutex_lock(&t->all->lock);
    struct str said = task_asks_said(t, &run->arena);
    bool goes = !arena_failed(&run->arena) && task_turns(t, TASK_CALLS);
    task_asks_forget(t);
    pthread_mutex_unlock(&t->all->lock);
    gate_unpark(&run->parked);
    if (!goes) {
        run_end(run, ERR_STOPPING, STR("Doorward is stopping, or there is no memory: the call does not go on"));
        return;
    }
    run->call = (struct call){.face = last.face,
                              .user = run,
                              .arena = last.arena,
                              .lease = lease_ref(t->lease),
                              .kind = last.kind,
                              .asked = last.asked,
                              .server = last.server,
                              .doc = last.asked_doc,
                              .arguments_node = last.asked_node,
                              .reasoning = last.reasoning,
                              .claims = last.claims,
                              .can = last.can,
                              .responses = said,
                              .state = run->state,
                              .source = last.source,
                              .trace_sampled = last.trace_sampled,
                              .trace_state = last.trace_state,
                              .paid = true,
                              .grant = last.grant,
                              .hold = last.hold,
                              .log_level = -1};
    memcpy(run->call.trace_id, last.trace_id, sizeof(last.trace_id));
    memcpy(run->call.parent_span_id, last.parent_span_id, sizeof(last.parent_span_id));
    memcpy(run->call.wait.id, t->wait.id, sizeof(run->call.wait.id));
    gate_start(t->home, &run->call);
}

void task_run_news(struct task_run *run)
{
    struct gate_task *t = run->task;
    pthread_mutex_lock(&t->all->lock);
    bool cancelled = t->cancelled, late = t->late, open = task_asks_open(t), asks = t->state == TASK_ASKS;
    pthread_mutex_unlock(&t->all->lock);
    if (!asks && cancelled && run->call.gate) /* else it is still being read */
        gate_cancel(&run->call, "the agent cancelled its task");
    else if (!asks)
        run_reply(run);
    else if (cancelled)
        run_end(run, ERR_CANCELLED, STR("the agent cancelled its task"));
    else if (!lease_is_open(t->lease, clock_mono_ns()))
        run_end(run, lease_stopped(t->lease) ? ERR_SESSION_STOPPED : ERR_SESSION_ENDED, STR("the session is over"));
    else if (late)
        run_end(run, ERR_CANCELLED, STR("the client did not answer what the server wanted in time"));
    else if (!open)
        run_again(run);
}

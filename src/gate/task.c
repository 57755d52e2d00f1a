/* The table of tasks, and what becomes of one. */
#include "gate/task.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "gate/task_inner.h"

/* ---- the table, with the lock ---- */

static struct gate_task **task_slot(struct gate_tasks *all, struct str id)
{
    return &all->slot[str_hash(id) % TASK_SLOTS];
}

struct gate_task *task_find(struct gate_tasks *all, struct str id)
{
    struct gate_task *t = *task_slot(all, id);
    while (t && !str_is(id, t->wait.id))
        t = t->chain;
    return t;
}

bool task_is_of(const struct gate_task *t, const struct lease *l)
{
    return str_eq(t->lease->agent_id, l->agent_id) && str_eq(t->lease->sid, l->sid);
}

static void task_enter(struct gate_tasks *all, struct gate_task *t)
{
    struct gate_task **slot = task_slot(all, str_of(t->wait.id));
    t->chain = *slot;
    *slot = t;
    t->link = all->last;
    *all->last = t;
    all->last = &t->next;
    all->count++;
}

static void task_drop(struct gate_tasks *all, struct gate_task *t)
{
    struct gate_task **slot = task_slot(all, str_of(t->wait.id));
    while (*slot != t)
        slot = &(*slot)->chain;
    *slot = t->chain;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    else
        all->last = t->link;
    all->count--;
    all->bytes -= t->text.n;
    task_asks_forget(t);
    if (t->run)
        task_run_free(t->run);
    lease_unref(t->lease);
    free((char *)t->text.p);
    free(t);
}

static bool task_droppable(const struct gate_task *t)
{
    return t->state == TASK_OVER && !t->posted;
}

/* The oldest that are over make room for one more, and for what it was answered. */
static bool task_room(struct gate_tasks *all, size_t bytes, const struct gate_task *but)
{
    struct conf *conf = conf_slot_get(all->gate->conf);
    size_t most = 2 * (size_t)conf->root.limits.pending_approvals + 1000;
    conf_unref(conf);
    for (struct gate_task *t = all->first, *next; t; t = next) {
        if (all->count <= most && all->bytes + bytes <= TASK_RESULTS)
            break;
        next = t->next;
        if (t != but && task_droppable(t))
            task_drop(all, t);
    }
    return all->count <= most && all->bytes + bytes <= TASK_RESULTS;
}

/* ---- told, on its home ---- */

static void task_end(struct gate_task *t, enum err e, struct str text)
{
    struct gate_tasks *all = t->all;
    char *copy = task_room(all, text.n, t) ? malloc(text.n + 1) : NULL;
    t->over = clock_mono_ns();
    t->err = copy || e ? e : ERR_APPROVAL_USED; /* of what is not kept, no more than that it is over */
    if (!copy)
        return;
    memcpy(copy, text.p ? text.p : "", text.n);
    copy[text.n] = 0;
    t->text = (struct str){copy, text.n};
    all->bytes += text.n;
}

bool task_turns(struct gate_task *t, enum task_state s)
{
    struct gate_tasks *all = t->all;
    if (s == TASK_CALLS && all->closing)
        return false;
    all->calls += (s == TASK_CALLS) - (t->state == TASK_CALLS);
    t->state = s;
    t->changed = clock_wall_ms();
    task_changes(t);
    return true;
}

void task_changes(struct gate_task *t)
{
    t->version = atomic_fetch_add(&t->all->version, 1) + 1;
}

uint64_t gate_tasks_version(struct gate_tasks *all)
{
    return atomic_load(&all->version);
}

uint64_t gate_task_version(struct gate_tasks *all, struct str id, const struct lease *l)
{
    pthread_mutex_lock(&all->lock);
    const struct gate_task *t = task_find(all, id);
    uint64_t version = t && task_is_of(t, l) ? t->version : 0;
    pthread_mutex_unlock(&all->lock);
    return version;
}

/* The last one that was under way when the house began to stop. */
void task_idle(struct gate_tasks *all)
{
    pthread_mutex_lock(&all->lock);
    void (*idle)(void *ctx) = all->closing && !all->calls ? all->idle : NULL;
    if (idle)
        all->idle = NULL;
    pthread_mutex_unlock(&all->lock);
    if (idle)
        idle(all->ctx);
}

void task_over(struct gate_task *t, enum err e, struct str text)
{
    struct gate_tasks *all = t->all;
    pthread_mutex_lock(&all->lock);
    t->run = NULL;
    task_asks_forget(t);
    task_turns(t, TASK_OVER);
    task_end(t, e, text);
    pthread_mutex_unlock(&all->lock);
    task_idle(all);
}

static void task_refused(struct gate_task *t, enum err e, const char *text)
{
    struct fault f;
    fault_set(&f, e, "%s", text);
    if (!t->wait.withdrawn)
        task_record(t, &f);
    pthread_mutex_lock(&t->all->lock);
    t->cancelled = t->cancelled || t->wait.withdrawn;
    pthread_mutex_unlock(&t->all->lock);
    task_over(t, t->wait.withdrawn ? ERR_CANCELLED : e, str_of(text));
}

static void task_shared(struct gate_task *t)
{
    struct fault f = {ERR_OK, ""};
    if (!t->wait.result.n)
        fault_set(&f, ERR_APPROVAL_USED,
                  "this very call was approved as %s and made once; what came of it is not known, or not kept. It is "
                  "not made again by that",
                  t->wait.id);
    task_record(t, &f);
    task_over(t, f.err, f.err ? str_of(f.text) : t->wait.result);
}

static void task_granted(struct gate_task *t)
{
    struct gate_tasks *all = t->all;
    pthread_mutex_lock(&all->lock);
    bool cancelled = t->cancelled, made = !cancelled && task_turns(t, TASK_CALLS);
    pthread_mutex_unlock(&all->lock);
    if (made) {
        task_make(t);
        return;
    }
    approvals_done(all->gate->approvals, t->wait.id, STR_NONE, true);
    task_over(t, cancelled ? ERR_CANCELLED : ERR_STOPPING, STR("the call was approved, and not made"));
}

static void task_told(struct approval_wait *w)
{
    struct gate_task *t = (struct gate_task *)((char *)w - offsetof(struct gate_task, wait));
    if (w->state == APPROVAL_TAKEN)
        task_granted(t);
    else if (w->state == APPROVAL_DONE)
        task_shared(t);
    else
        task_refused(t, w->err ? w->err : ERR_APPROVAL_VOID, w->text[0] ? w->text : err_help(ERR_APPROVAL_VOID));
}

/* ---- a new one ---- */

/* With the lock. It waits with its question from here on. */
bool task_new(struct gate_tasks *all, struct gate_worker *home, struct str id, struct lease *l, const char *trace)
{
    struct fault f;
    struct gate_task *t = all->closing || !task_room(all, 0, NULL) ? NULL : calloc(1, sizeof(*t));
    if (!t)
        return false;
    *t = (struct gate_task){.all = all, .home = home, .wait = {.worker = home->worker, .told = task_told}};
    t->created = t->changed = clock_wall_ms();
    if (trace)
        memcpy(t->trace_id, trace, sizeof(t->trace_id));
    if (approvals_join(all->gate->approvals, id, &t->wait, &f)) {
        free(t);
        return false;
    }
    t->lease = lease_ref(l);
    task_enter(all, t);
    task_changes(t);
    return true;
}

bool task_keep(struct call *c)
{
    struct gate_tasks *all = c->gate->gate->tasks;
    pthread_mutex_lock(&all->lock);
    struct gate_task *t = task_find(all, str_of(c->wait.id));
    bool kept = t ? task_is_of(t, c->lease) : task_new(all, c->gate, str_of(c->wait.id), c->lease, c->trace_id);
    pthread_mutex_unlock(&all->lock);
    return kept;
}

bool task_known(struct call *c)
{
    struct gate_tasks *all = c->gate->gate->tasks;
    pthread_mutex_lock(&all->lock);
    struct gate_task *t = task_find(all, str_of(c->wait.id));
    bool known = t && task_is_of(t, c->lease);
    pthread_mutex_unlock(&all->lock);
    return known;
}

/* ---- given up ---- */

bool gate_task_cancel(struct gate_worker *w, struct str id, struct lease *l)
{
    struct gate_tasks *all = w->gate->tasks;
    pthread_mutex_lock(&all->lock);
    struct gate_task *t = task_find(all, id);
    if (t && !task_is_of(t, l))
        t = NULL;
    if (t && t->state != TASK_OVER) {
        t->cancelled = true;
        if (t->state != TASK_WAITS)
            task_asks_post(t);
    }
    bool asked = approvals_withdraw(w->gate->approvals, id, l);
    pthread_mutex_unlock(&all->lock);
    return t || asked;
}

/* ---- life ---- */

struct gate_tasks *gate_tasks_new(struct gate *g)
{
    struct gate_tasks *all = calloc(1, sizeof(*all));
    if (!all)
        return NULL;
    all->gate = g;
    all->last = &all->first;
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

struct task_resume {
    struct gate_tasks *all;
    struct gate_worker *home;
    unsigned i, n, at;
};

static void task_resume(void *ctx, struct str id, struct lease *l)
{
    struct task_resume *r = ctx;
    if (r->at++ % r->n != r->i)
        return;
    pthread_mutex_lock(&r->all->lock);
    if (!task_find(r->all, id))
        task_new(r->all, r->home, id, l, NULL);
    pthread_mutex_unlock(&r->all->lock);
}

enum err gate_tasks_resume(struct gate_tasks *all, struct gate_worker *home, unsigned i, unsigned n, struct fault *f)
{
    struct task_resume r = {.all = all, .home = home, .i = i, .n = n};
    pthread_mutex_lock(&all->lock);
    all->open = true;
    pthread_mutex_unlock(&all->lock);
    return approvals_each_staying(all->gate->approvals, task_resume, &r, f);
}

void gate_tasks_stop(struct gate_tasks *all, void (*idle)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&all->lock);
    all->closing = true;
    all->idle = idle;
    all->ctx = ctx;
    for (struct gate_task *t = all->first; t; t = t->next)
        if (t->state == TASK_WAITS)
            approvals_leave(all->gate->approvals, &t->wait);
    pthread_mutex_unlock(&all->lock);
    task_idle(all);
}

/* What it asks is not waited for without an end, nor beyond its session. */
static void task_look_after(struct gate_task *t, int64_t now)
{
    bool open = task_asks_open(t), idle = t->state == TASK_ASKS;
    t->late = t->late || (open && now > t->asks_until);
    if (t->late || (idle && (!open || !lease_is_open(t->lease, now))))
        task_asks_post(t);
}

void gate_tasks_sweep(struct gate_tasks *all)
{
    int64_t now = clock_mono_ns();
    struct conf *conf = conf_slot_get(all->gate->conf);
    int64_t kept = conf->root.approval.result_time * 1000000;
    conf_unref(conf);
    pthread_mutex_lock(&all->lock);
    for (struct gate_task *t = all->first, *next; t; t = next) {
        next = t->next;
        if (t->asks || t->state == TASK_ASKS)
            task_look_after(t, now);
        if (task_droppable(t) && (now - t->over > kept || !lease_is_open(t->lease, now)))
            task_drop(all, t);
    }
    pthread_mutex_unlock(&all->lock);
}

void gate_tasks_free(struct gate_tasks *all)
{
    if (!all)
        return;
    while (all->first)
        task_drop(all, all->first);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

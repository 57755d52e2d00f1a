/* How a task stands, for whom it is of. */
#include "base/clock.h"
#include "gate/task_inner.h"

enum { TASK_POLL_LEAST = 1000, TASK_POLL_MOST = 5000, TASK_POLL_PART = 20 };

static int64_t task_poll(const struct gate_task_seen *s)
{
    int64_t ms = (clock_wall_ms() - s->created) / TASK_POLL_PART;
    return ms < TASK_POLL_LEAST ? TASK_POLL_LEAST : ms > TASK_POLL_MOST ? TASK_POLL_MOST : ms;
}

static void task_times(struct gate_tasks *all, struct gate_task_seen *s)
{
    struct conf *conf = conf_slot_get(all->gate->conf);
    int64_t made = conf->root.approval.take_within + conf->root.limits.call_timeout;
    int64_t end = s->over ? s->changed : s->until > s->created ? s->until + made : s->created + made;
    s->poll_ms = task_poll(s);
    s->ttl_ms = end - s->created + conf->root.approval.result_time;
    conf_unref(conf);
}

/* What its call was answered. False: no memory for it now. */
static bool task_answer(enum err e, struct str text, struct call *c)
{
    if (!e)
        return text.p && share_read(c, text) == ERR_OK;
    fault_set(&c->fault, e, "%s",
              text.n                   ? text.p
              : e == ERR_APPROVAL_USED ? "this very call was made once, and its answer was too large to keep"
                                       : err_help(e));
    return true;
}

/* With the lock. *ret_text: of one that is over, a copy. */
static void task_see(struct gate_task *t, struct call *c, bool polls, struct gate_task_seen *s, struct str *ret_text)
{
    int64_t now = clock_mono_ns();
    s->early = t->asked && now - t->asked < TASK_POLL_LEAST * INT64_C(1000000) / 2;
    t->asked = polls ? now : t->asked;
    s->version = t->version;
    s->over = t->state == TASK_OVER;
    s->granted = t->state == TASK_CALLS || t->state == TASK_ASKS;
    s->asks = task_asks_put(t, c->arena);
    s->cancelled = s->over && t->err == ERR_CANCELLED && t->cancelled;
    s->changed = t->changed;
    *ret_text = s->over ? arena_str(c->arena, t->text) : STR_NONE;
    if (s->over)
        memcpy(c->trace_id, t->trace_id, sizeof(c->trace_id));
    memcpy(c->wait.id, t->wait.id, sizeof(c->wait.id));
}

bool gate_task_look(struct gate_worker *w, struct str id, struct call *c, bool polls, struct gate_task_seen *ret)
{
    struct gate_tasks *all = w->gate->tasks;
    struct approval_glance g = {0};
    struct gate_task_seen s = {.version = 1};
    struct str text = STR_NONE;
    enum err e = ERR_OK;
    pthread_mutex_lock(&all->lock);
    bool asked = approvals_glance(w->gate->approvals, id, c->lease, &g);
    struct gate_task *t = task_find(all, id);
    if (t && !task_is_of(t, c->lease))
        t = NULL;
    if (!t && asked && all->open && task_new(all, w, id, c->lease, NULL))
        t = task_find(all, id); /* of before a restart; or asked for by another client of the session */
    if (t && asked)
        t->created = g.created;
    s.created = s.changed = t ? t->created : g.created;
    s.until = asked ? g.until : 0;
    if (t)
        task_see(t, c, polls, &s, &text);
    e = t ? t->err : ERR_OK;
    pthread_mutex_unlock(&all->lock);
    if (!t && !asked)
        return false;
    s.over = s.over && task_answer(e, text, c);
    task_times(all, &s);
    *ret = s;
    return true;
}

/*
 * What servers want of a task's client, and what that says. All with the lock of the table but gate_task_answer. A name
 * is never used twice in a task's life, so that an answer belongs to what its client saw.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gate/task_inner.h"

static struct str asks_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static void asks_drop(struct task_ask **at)
{
    struct task_ask *ask = *at;
    *at = ask->next;
    free((char *)ask->value.p);
    free(ask);
}

bool task_asks_add(struct gate_task *t, unsigned number, struct str own, struct str method, struct str params)
{
    char name[24];
    struct task_ask **last = &t->asks;
    unsigned n = 0;
    while (*last)
        if ((*last)->told) {
            asks_drop(last); /* of one that asks again and again no more is kept than what is open */
        } else {
            last = &(*last)->next;
            n++;
        }
    int name_n = snprintf(name, sizeof(name), "ask-%u", ++t->names);
    struct task_ask *ask =
        n < TASK_ASKS_MOST ? calloc(1, sizeof(*ask) + (size_t)name_n + own.n + method.n + params.n) : NULL;
    if (!ask)
        return false;
    char *at = ask->bytes;
    ask->number = number;
    ask->name = asks_copy(&at, (struct str){name, (size_t)name_n});
    ask->own = asks_copy(&at, own);
    ask->method = asks_copy(&at, method);
    ask->params = asks_copy(&at, params);
    *last = ask;
    task_changes(t);
    return true;
}

static bool ask_open(const struct task_ask *ask)
{
    return !ask->told && !ask->value.n;
}

bool task_asks_open(const struct gate_task *t)
{
    for (const struct task_ask *ask = t->asks; ask; ask = ask->next)
        if (ask_open(ask))
            return true;
    return false;
}

void task_asks_forget(struct gate_task *t)
{
    while (t->asks)
        asks_drop(&t->asks);
}

static struct json_out asks_open(struct buf *b)
{
    buf_init(b, 64u << 20);
    struct json_out o = json_out(b);
    json_open(&o, '{');
    return o;
}

struct str task_asks_put(const struct gate_task *t, struct arena *a)
{
    struct buf b CLEANUP(buf_done);
    struct json_out o = asks_open(&b);
    for (const struct task_ask *ask = t->asks; ask; ask = ask->next) {
        if (!ask_open(ask))
            continue;
        json_key(&o, ask->name);
        json_open(&o, '{');
        json_kv_str(&o, "method", ask->method);
        if (ask->params.n)
            json_kv_raw(&o, "params", ask->params);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    return task_asks_open(t) ? arena_buf(a, &b) : STR_NONE;
}

struct str task_asks_said(const struct gate_task *t, struct arena *a)
{
    struct buf b CLEANUP(buf_done);
    struct json_out o = asks_open(&b);
    for (const struct task_ask *ask = t->asks; ask; ask = ask->next) {
        json_key(&o, ask->own);
        json_put_raw(&o, ask->value);
    }
    json_close(&o, '}');
    return arena_buf(a, &b);
}

/* ---- news ---- */

static void asks_news(struct worker *w, struct worker_mail *m)
{
    struct gate_task *t = (struct gate_task *)((char *)m - offsetof(struct gate_task, news));
    (void)w;
    pthread_mutex_lock(&t->all->lock);
    struct task_run *run = t->run;
    t->posted = false;
    pthread_mutex_unlock(&t->all->lock);
    if (run) /* it ends on this thread alone */
        task_run_news(run);
}

void task_asks_post(struct gate_task *t)
{
    if (t->posted)
        return;
    t->posted = true;
    t->news.run = asks_news;
    worker_post(t->home->worker, &t->news);
}

/* True: something was waited for. */
static bool asks_take(struct task_ask *ask, struct str value)
{
    if (!ask_open(ask) || !value.n)
        return false;
    char *copy = malloc(value.n);
    if (!copy)
        return false; /* it stays open: its client sees that, and says it again */
    memcpy(copy, value.p, value.n);
    ask->value = (struct str){copy, value.n};
    return true;
}

bool gate_task_answer(struct gate_worker *w, struct str id, struct lease *l, const struct json *doc, uint32_t responses,
                      struct arena *a)
{
    struct gate_tasks *all = w->gate->tasks;
    struct call look = {.arena = a, .lease = l};
    struct gate_task_seen seen;
    bool taken = false;
    if (!gate_task_look(w, id, &look, false, &seen))
        return false;
    pthread_mutex_lock(&all->lock);
    struct gate_task *t = task_find(all, id);
    for (struct task_ask *ask = t && task_is_of(t, l) ? t->asks : NULL; ask; ask = ask->next) {
        uint32_t value = json_get(doc, responses, ask->name);
        taken = asks_take(ask, json_type(doc, value) == JSON_OBJECT ? json_raw(doc, value) : STR_NONE) || taken;
    }
    if (taken) {
        task_changes(t);
        task_asks_post(t);
    }
    pthread_mutex_unlock(&all->lock);
    return true;
}

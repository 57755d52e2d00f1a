/* The end of all servers: each worker gives up its calls, then children and streams are waited for. */
#include <stdlib.h>

#include "connect/inner.h"

static void connect_worker_closed(void *ctx)
{
    struct connect_worker *w = ctx;
    atomic_fetch_sub(&w->connect->open_workers, 1);
}

static void connect_tick_closed(uv_handle_t *h)
{
    struct connect_worker *w = h->data;
    client_close(w->client, connect_worker_closed, w);
}

struct connect_closing {
    struct worker_mail mail;
    struct connect_worker *worker;
};

static void connect_close_local(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct connect_closing *m = (struct connect_closing *)mail;
    struct connect_worker *local = m->worker;
    local->closed = true;
    while (local->flights) {
        struct flight *f = local->flights;
        struct connect_call *c = f->call;
        f->upstream->kind->cancel(f);
        struct fault fault;
        fault_set(&fault, ERR_STOPPING, "Doorward is stopping");
        struct connect_answer a = {.err = ERR_STOPPING, .fault = &fault, .sent = true};
        c->events->done(c, &a);
    }
    if (local->worker->index == 0)
        park_close(local->connect);
    uv_close((uv_handle_t *)&local->tick, connect_tick_closed);
    free(m);
}

static void connect_close_done(uv_handle_t *h)
{
    struct connect *c = h->data;
    c->closed(c->closed_ctx);
}

static void connect_close_tick(uv_timer_t *t)
{
    struct connect *c = t->data;
    if (atomic_load(&c->open_workers))
        return;
    for (struct upstream *u = c->leaving; u; u = u->next)
        if (!u->kind->stopped(u) || !u->timer_closed || u->pinning)
            return;
    uv_close((uv_handle_t *)t, connect_close_done);
}

void connect_close(struct connect *c, void (*closed)(void *ctx), void *ctx)
{
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    c->settled = NULL;
    pthread_rwlock_wrlock(&c->lock);
    struct upstream *all = c->upstreams;
    c->upstreams = NULL;
    pthread_rwlock_unlock(&c->lock);
    while (all) {
        struct upstream *next = all->next;
        upstream_leave(all);
        all = next;
    }
    for (unsigned i = 0; i < c->worker_count; i++) {
        struct connect_closing *m = calloc(1, sizeof(*m));
        if (!m)
            continue;
        m->worker = &c->local[i];
        m->mail.run = connect_close_local;
        worker_post(&c->workers[i], &m->mail);
    }
    uv_timer_init(&c->workers[0].loop, &c->close_timer);
    c->close_timer.data = c;
    uv_timer_start(&c->close_timer, connect_close_tick, 5, 10);
}

void connect_free(struct connect *c)
{
    if (!c)
        return;
    catalogue_unref(c->catalogue);
    for (struct upstream *u = c->leaving, *next; u; u = next) {
        next = u->next;
        upstream_unref(u);
    }
    for (unsigned i = 0; i < c->worker_count; i++)
        http_hops_free(&c->local[i]);
    conf_unref(c->conf);
    pthread_rwlock_destroy(&c->lock);
    free(c->local);
    free(c);
}

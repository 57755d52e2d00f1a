#include "net/loop.h"

#include <signal.h>

/* Takes the whole mailbox at once and works it off in the order of posting. */
static void worker_wake(uv_async_t *a)
{
    struct worker *w = a->data;
    uv_mutex_lock(&w->lock);
    struct worker_mail *m = w->first;
    bool stop = w->stopping;
    w->first = w->last = NULL;
    uv_mutex_unlock(&w->lock);
    while (m) {
        struct worker_mail *next = m->next;
        m->run(w, m); /* may free m */
        m = next;
    }
    if (stop && !uv_is_closing((uv_handle_t *)&w->wake))
        uv_close((uv_handle_t *)&w->wake, NULL);
}

enum err worker_init(struct worker *w, unsigned index, struct fault *f)
{
    *w = (struct worker){.index = index};
    int e = uv_loop_init(&w->loop);
    if (e)
        return fault_set(f, ERR_IO, "event loop: %s", uv_strerror(e));
    w->loop.data = w;
    e = uv_mutex_init(&w->lock);
    if (!e)
        e = uv_async_init(&w->loop, &w->wake, worker_wake);
    if (e)
        return fault_set(f, ERR_IO, "event loop: %s", uv_strerror(e));
    w->wake.data = w;
    return ERR_OK;
}

void worker_run(struct worker *w)
{
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

static void worker_thread(void *arg)
{
    sigset_t all;
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    worker_run(arg);
}

enum err worker_start(struct worker *w, struct fault *f)
{
    int e = uv_thread_create(&w->thread, worker_thread, w);
    if (e)
        return fault_set(f, ERR_IO, "thread of worker %u: %s", w->index, uv_strerror(e));
    w->threaded = true;
    return ERR_OK;
}

void worker_post(struct worker *w, struct worker_mail *m)
{
    m->next = NULL;
    uv_mutex_lock(&w->lock);
    bool first = !w->first;
    if (first)
        w->first = m;
    else
        w->last->next = m;
    w->last = m;
    uv_mutex_unlock(&w->lock);
    if (first) /* later ones ride on the wake that is under way */
        uv_async_send(&w->wake);
}

void worker_stop(struct worker *w)
{
    uv_mutex_lock(&w->lock);
    w->stopping = true;
    uv_mutex_unlock(&w->lock);
    uv_async_send(&w->wake);
}

void worker_join(struct worker *w)
{
    if (w->threaded)
        uv_thread_join(&w->thread);
    w->threaded = false;
}

void worker_done(struct worker *w)
{
    uv_run(&w->loop, UV_RUN_NOWAIT); /* close callbacks that are still owed */
    uv_loop_close(&w->loop);
    uv_mutex_destroy(&w->lock);
}

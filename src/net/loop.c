#include "net/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORKER_DESCRIPTORS = 16384 };

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
    if (stop && !uv_is_closing((uv_handle_t *)&w->wake)) {
        uv_close((uv_handle_t *)&w->wake, NULL);
        uv_close((uv_handle_t *)&w->prepare, NULL);
    }
}

static void worker_waits(uv_prepare_t *p)
{
    struct worker *w = p->data;
    while (w->errands) {
        struct worker_errand e = w->errand[--w->errands];
        e.run(e.ctx);
    }
}

void worker_before_wait(struct worker *w, void (*run)(void *ctx), void *ctx)
{
    for (unsigned i = 0; i < w->errands; i++)
        if (w->errand[i].run == run && w->errand[i].ctx == ctx)
            return;
    if (w->errands == sizeof(w->errand) / sizeof(w->errand[0]) || uv_is_closing((uv_handle_t *)&w->prepare))
        run(ctx);
    else
        w->errand[w->errands++] = (struct worker_errand){run, ctx};
}

static _Thread_local struct worker *worker_here;

struct worker *worker_current(void)
{
    return worker_here;
}

static void worker_ignore(uv_poll_t *p, int status, int events)
{
    (void)p, (void)status, (void)events;
}

/* libuv ends the process when its table of descriptors cannot grow. It does so here, for as many as there may be, while
 * there is memory. */
static void worker_make_room(struct worker *w)
{
    struct rlimit l;
    int ends[2], high;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return;
    high =
        fcntl(ends[0], F_DUPFD_CLOEXEC, (int)(l.rlim_cur < WORKER_DESCRIPTORS ? l.rlim_cur : WORKER_DESCRIPTORS) - 1);
    if (high >= 0 && uv_poll_init(&w->loop, &w->room, high) == 0) {
        uv_poll_start(&w->room, UV_READABLE, worker_ignore);
        uv_close((uv_handle_t *)&w->room, NULL);
    }
    if (high >= 0)
        close(high);
    close(ends[0]);
    close(ends[1]);
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
    uv_prepare_init(&w->loop, &w->prepare); /* these two cannot fail */
    uv_prepare_start(&w->prepare, worker_waits);
    w->wake.data = w->prepare.data = w;
    worker_make_room(w);
    return ERR_OK;
}

void worker_run(struct worker *w)
{
    worker_here = w;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    worker_here = NULL;
}

static void worker_thread(void *arg)
{
    sigset_t all;
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), "worker");
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

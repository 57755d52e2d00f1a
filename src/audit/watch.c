/* Who follows the record: threads that wait for more, and loops that are told of it. */
#include <errno.h>

#include "audit/inner.h"
#include "base/clock.h"

void audit_watch_init(struct audit *a)
{
    pthread_mutex_init(&a->watch_lock, NULL);
    clock_cond_init(&a->watch_more);
    sem_init(&a->prune_told, 0, 0);
}

void audit_watch_done(struct audit *a)
{
    sem_destroy(&a->prune_told);
    pthread_cond_destroy(&a->watch_more);
    pthread_mutex_destroy(&a->watch_lock);
}

uint64_t audit_committed(struct audit *a)
{
    return atomic_load(&a->committed);
}

uint64_t audit_wait(struct audit *a, uint64_t seq, int ms)
{
    int64_t end = clock_mono_ns() + ms * INT64_C(1000000);
    const struct timespec until = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    pthread_mutex_lock(&a->watch_lock);
    while (!a->closed && atomic_load(&a->committed) <= seq &&
           pthread_cond_timedwait(&a->watch_more, &a->watch_lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&a->watch_lock);
    return atomic_load(&a->committed);
}

/* The mail carries no record: the watch says itself whether it is leaving. */
static void watch_run(struct worker *worker, struct worker_mail *m)
{
    (void)worker;
    struct audit_watch *w = (struct audit_watch *)m;
    bool leaving = atomic_exchange(&w->posted, false) && atomic_load(&w->leaving);
    if (leaving)
        w->gone(w);
    else
        w->run(w);
}

static void watch_post(struct audit_watch *w)
{
    if (!atomic_exchange(&w->posted, true))
        worker_post(w->worker, &w->mail);
}

void audit_watch(struct audit *a, struct audit_watch *w)
{
    w->mail.run = watch_run;
    atomic_store(&w->posted, false);
    atomic_store(&w->leaving, false);
    pthread_mutex_lock(&a->watch_lock);
    w->next = a->watches;
    a->watches = w;
    pthread_mutex_unlock(&a->watch_lock);
}

void audit_unwatch(struct audit *a, struct audit_watch *w)
{
    pthread_mutex_lock(&a->watch_lock);
    for (struct audit_watch **at = &a->watches; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    atomic_store(&w->leaving, true);
    pthread_mutex_unlock(&a->watch_lock);
    watch_post(w); /* one that is posted already finds that it leaves */
}

void audit_watch_tell(struct audit *a, uint64_t committed)
{
    pthread_mutex_lock(&a->watch_lock);
    atomic_store(&a->committed, committed);
    pthread_cond_broadcast(&a->watch_more);
    for (struct audit_watch *w = a->watches; w; w = w->next)
        watch_post(w);
    pthread_mutex_unlock(&a->watch_lock);
}

void audit_watch_close(struct audit *a)
{
    pthread_mutex_lock(&a->watch_lock);
    a->closed = true;
    pthread_cond_broadcast(&a->watch_more);
    pthread_mutex_unlock(&a->watch_lock);
}

void audit_hold(struct audit *a, uint64_t (*taken)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&a->watch_lock);
    a->hold = taken;
    a->hold_ctx = ctx;
    pthread_mutex_unlock(&a->watch_lock);
}

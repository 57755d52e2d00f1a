/*
 * The manager's watchdog: it hears of us only when every worker's loop has turned since it heard the last time. One
 * that hangs is as good as none.
 */
#include <stdatomic.h>

#include "daemon/house.h"

static void watchdog_turned(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct station *s = (struct station *)((char *)m - offsetof(struct station, pulse));
    atomic_store(&s->turned, true);
}

static void watchdog_tick(uv_timer_t *t)
{
    struct house *h = t->data;
    for (unsigned i = 0; i < h->worker_count; i++)
        if (!atomic_load(&h->stations[i].turned))
            return; /* its pulse is still on its way */
    manager_alive();
    for (unsigned i = 0; i < h->worker_count; i++) {
        struct station *s = &h->stations[i];
        atomic_store(&s->turned, false);
        s->pulse.run = watchdog_turned;
        worker_post(&h->workers[i], &s->pulse);
    }
}

void house_watchdog(struct house *h)
{
    unsigned ms = manager_watchdog_ms();
    uv_timer_init(&h->workers[0].loop, &h->watchdog);
    h->watchdog.data = h;
    for (unsigned i = 0; i < h->worker_count; i++)
        atomic_store(&h->stations[i].turned, true);
    if (ms)
        uv_timer_start(&h->watchdog, watchdog_tick, 0, ms / 4 ? ms / 4 : 1);
}

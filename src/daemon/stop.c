#include "daemon/stop.h"

#include <stdatomic.h>

#include "approve/approve.h"
#include "base/log.h"

/* After the grace and the cancellations, how long clients may take to read their answers. */
enum { STOP_LAST_MS = 2000 };

static void stop_handle_closed(uv_handle_t *handle)
{
    struct house *h = handle->data;
    h->handles--;
}

/* ---- the last step: the loops end ---- */

static void stop_connect_closed(void *ctx)
{
    struct house *h = ctx;
    for (unsigned i = 0; i < h->worker_count; i++)
        worker_stop(&h->workers[i]);
}

/* All servers are closed: nobody is here any more. */
static void stop_servers_closed(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct station *s = (struct station *)((char *)m - offsetof(struct station, drain));
    struct house *h = s->house;
    approvals_close(h->approvals); /* what waits waits again after the next start, though its session ends here */
    session_end_all(h->sessions, STR("the gateway stopped"));
    uv_close((uv_handle_t *)&h->sweep, stop_handle_closed);
    uv_close((uv_handle_t *)&h->grace, stop_handle_closed);
    uv_close((uv_handle_t *)&h->watchdog, stop_handle_closed);
    for (unsigned i = 0; i < sizeof(h->signals) / sizeof(h->signals[0]); i++)
        uv_close((uv_handle_t *)&h->signals[i], stop_handle_closed);
    connect_close(h->connect, stop_connect_closed, h);
}

static void stop_one_less(struct house *h)
{
    if (atomic_fetch_sub(&h->servers_open, 1) != 1)
        return;
    h->stations[0].drain.run = stop_servers_closed;
    worker_post(&h->workers[0], &h->stations[0].drain);
}

static void stop_server_closed(struct server *server, void *ctx)
{
    struct station *s = ctx;
    server_free(server, NULL);
    stop_one_less(s->house);
}

static void stop_tasks_idle(void *house)
{
    stop_one_less(house);
}

/* ---- on each worker ---- */

static void stop_drain(struct worker *w, struct worker_mail *m)
{
    struct station *s = (struct station *)((char *)m - offsetof(struct station, drain));
    struct house *h = s->house;
    struct conf *conf = conf_slot_get(&h->conf);
    unsigned grace = (unsigned)conf->root.limits.stop_grace + STOP_LAST_MS;
    conf_unref(conf);
    gate_worker_stop(&s->gate);
    mcp_worker_stop(&h->mcp[w->index]);
    if (w->index == 0) {
        admin_streams_stop(&h->admin);
        server_drain(h->admin_server, grace, stop_server_closed, s);
    }
    server_drain(s->server, grace, stop_server_closed, s);
}

static void stop_cancel(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct station *s = (struct station *)((char *)m - offsetof(struct station, cancel));
    gate_worker_cancel_all(&s->gate, "the gateway stops");
}

static void stop_grace_over(uv_timer_t *t)
{
    struct house *h = t->data;
    for (unsigned i = 0; i < h->worker_count; i++) {
        h->stations[i].cancel.run = stop_cancel;
        worker_post(&h->workers[i], &h->stations[i].cancel);
    }
}

void house_stop(struct house *h)
{
    if (atomic_exchange(&h->stopping, true))
        return;
    struct conf *conf = conf_slot_get(&h->conf);
    uint64_t grace = (uint64_t)conf->root.limits.stop_grace;
    conf_unref(conf);
    log_info("stopping", LOG_I("grace_ms", grace));
    manager_stopping();
    uv_timer_start(&h->grace, stop_grace_over, grace, 0);
    for (unsigned i = 0; i < h->worker_count; i++) {
        h->stations[i].drain.run = stop_drain;
        worker_post(&h->workers[i], &h->stations[i].drain);
    }
    gate_tasks_stop(h->gate.tasks, stop_tasks_idle, h);
}

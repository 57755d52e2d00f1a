#include "admin/approvals_stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "admin/audit_stream.h"
#include "base/clock.h"
#include "base/secret.h"

enum {
    STREAM_MAX = 64,
    STREAM_AWAKE_MS = 15000,
    STREAM_NEWS = 1 << 20,    /* bytes of news that wait for worker 0; more, and everybody begins anew */
    STREAM_BEHIND = 16 << 20, /* bytes that a client may be behind */
    STREAM_LIST = 64 << 20,
    STREAM_PATIENCE_MS = 600000
};

struct approval_stream { /* lives in the exchange's arena */
    struct admin_flow flow;
    struct approval_streams *all;
    struct exchange *x;
    struct admin_caller caller;
    struct approval_stream *next, **link;
};

struct approval_streams {
    struct worker_mail mail;
    struct admin *admin;
    struct approval_stream *first;
    _Atomic unsigned count;
    uv_timer_t timer;
    bool stopped;
    pthread_mutex_t lock; /* of the rest */
    struct buf news;      /* events, whole */
    bool posted;
};

/* ---- the end of one ---- */

static void stream_leave(struct approval_stream *s)
{
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    if (atomic_fetch_sub(&s->all->count, 1) == 1)
        uv_timer_stop(&s->all->timer);
    admin_caller_done(&s->caller);
    s->x->user = NULL;
}

/* Its memory is the exchange's: it is gone when this returns. why 0: its client has left. */
static void stream_close(struct approval_stream *s, enum err why, const char *text)
{
    struct exchange *x = s->x;
    struct buf data CLEANUP(buf_done), event CLEANUP(buf_done);
    buf_init(&data, 4096);
    buf_init(&event, 8192);
    if (why) {
        struct json_out o = json_out(&data);
        json_open(&o, '{');
        json_kv_z(&o, "error", err_code(why));
        json_kv_z(&o, "message", text);
        json_close(&o, '}');
        audit_stream_event(&event, why == ERR_LIMIT ? "error" : "end", 0, buf_view(&data));
        exchange_stream_write(x, buf_view(&event));
    }
    stream_leave(s);
    exchange_stream_end(x);
}

static void streams_close(struct approval_streams *all, enum err why, const char *text)
{
    for (struct approval_stream *s = all->first, *next; s; s = next) {
        next = s->next;
        stream_close(s, why, text);
    }
}

static void stream_gone(struct admin_flow *f)
{
    stream_close((struct approval_stream *)f, ERR_OK, "");
}

static void stream_drained(struct admin_flow *f)
{
    (void)f;
}

/* ---- news ---- */

static void streams_write(struct approval_streams *all, struct str events)
{
    for (struct approval_stream *s = all->first, *next; s; s = next) {
        next = s->next;
        if (exchange_stream_queued(s->x) > STREAM_BEHIND)
            stream_close(s, ERR_LIMIT, "you read too slowly: begin anew");
        else
            exchange_stream_write(s->x, events);
    }
}

static void streams_run(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct approval_streams *all = (struct approval_streams *)m;
    pthread_mutex_lock(&all->lock);
    struct buf news = all->news;
    buf_init(&all->news, STREAM_NEWS);
    all->posted = false;
    pthread_mutex_unlock(&all->lock);
    if (buf_failed(&news))
        streams_close(all, ERR_LIMIT, "more happened than could be told: begin anew");
    else
        streams_write(all, buf_view(&news));
    buf_done(&news);
}

static void news_write(struct buf *out, const struct approval_news *n)
{
    struct buf data CLEANUP(buf_done);
    buf_init(&data, 65536);
    struct json_out o = json_out(&data);
    json_open(&o, '{');
    json_kv_str(&o, "id", n->id);
    json_kv_z(&o, "before", approval_states[n->before]);
    json_kv_z(&o, "state", approval_states[n->state]);
    json_kv_str(&o, "tool", n->tool);
    json_kv_str(&o, "agentId", n->agent);
    json_kv_z(&o, "risk", duty_risks[n->risk]);
    clock_kv(&o, "createdAt", n->created);
    clock_kv(&o, "expiresAt", n->expires);
    json_kv_i64(&o, "people", n->people);
    json_kv_i64(&o, "approved", n->yes);
    json_kv_raw(&o, "escalateTo", n->escalate.n ? n->escalate : STR("[]"));
    clock_kv(&o, "escalatesAt", n->escalates);
    clock_kv(&o, "escalatedAt", n->escalated);
    json_kv_str(&o, "by", n->by);
    json_kv_str(&o, "channel", n->channel);
    json_close(&o, '}');
    if (buf_failed(&data))
        out->failed = true;
    else
        audit_stream_event(out, "approval", 0, buf_view(&data));
}

static void glass_write(struct buf *out, const struct glass_news *n)
{
    const struct approval_glass *g = n->glass;
    struct buf data CLEANUP(buf_done);
    buf_init(&data, 65536);
    struct json_out o = json_out(&data);
    json_open(&o, '{');
    json_kv_z(&o, "event", glass_events[n->event]);
    clock_kv(&o, "at", n->at);
    json_kv_str(&o, "by", n->by);
    json_kv_str(&o, "reason", n->reason);
    json_kv_str(&o, "approval", n->approval);
    json_kv_str(&o, "tool", n->tool);
    json_kv_str(&o, "agentId", n->agent);
    json_key(&o, STR("breakGlass"));
    json_open(&o, '{');
    json_kv_z(&o, "id", g->id);
    json_kv_z(&o, "by", g->by);
    json_kv_z(&o, "reason", g->reason);
    clock_kv(&o, "startedAt", g->since);
    clock_kv(&o, "endsAt", g->until);
    json_kv_i64(&o, "used", g->used);
    json_close(&o, '}');
    json_close(&o, '}');
    if (buf_failed(&data))
        out->failed = true;
    else
        audit_stream_event(out, "break-glass", 0, buf_view(&data));
}

/* Locks the news, when anybody listens; streams_post gives them back. */
static bool streams_news(struct approval_streams *all)
{
    bool any = atomic_load(&all->count) > 0;
    if (any)
        pthread_mutex_lock(&all->lock);
    return any;
}

static void streams_post(struct approval_streams *all)
{
    bool post = !all->posted;
    all->posted = true;
    pthread_mutex_unlock(&all->lock);
    if (post)
        worker_post(all->admin->worker, &all->mail);
}

void approval_streams_news(struct approval_streams *all, const struct approval_news *n)
{
    if (!streams_news(all))
        return;
    news_write(&all->news, n);
    streams_post(all);
}

void approval_streams_glass(struct approval_streams *all, const struct glass_news *n)
{
    if (!streams_news(all))
        return;
    glass_write(&all->news, n);
    streams_post(all);
}

static void streams_awake(uv_timer_t *t)
{
    struct approval_streams *all = t->data;
    for (struct approval_stream *s = all->first; s; s = s->next)
        if (!exchange_stream_queued(s->x))
            exchange_stream_write(s->x, STR(":\n\n"));
}

/* ---- a new one ---- */

static void stream_enter(struct approval_stream *s)
{
    struct approval_streams *all = s->all;
    s->next = all->first;
    s->link = &all->first;
    if (s->next)
        s->next->link = &s->next;
    all->first = s;
    if (atomic_fetch_add(&all->count, 1) == 0)
        uv_timer_start(&all->timer, streams_awake, STREAM_AWAKE_MS, STREAM_AWAKE_MS);
    s->x->user = s;
}

/* News that come meanwhile are told behind it: none is lost, and one may be told twice. */
static enum err stream_list(struct admin *a, struct buf *out, struct fault *f)
{
    struct buf data CLEANUP(buf_done);
    buf_init(&data, STREAM_LIST);
    struct json_out o = json_out(&data);
    json_open(&o, '{');
    json_key(&o, STR("approvals"));
    approvals_list(a->approvals, true, &o);
    json_key(&o, STR("breakGlass"));
    approvals_glass_json(a->approvals, &o);
    json_close(&o, '}');
    buf_z(out, "retry: 1000\n\n");
    audit_stream_event(out, "pending", 0, buf_view(&data));
    return buf_failed(&data) || buf_failed(out) ? fault_set(f, ERR_NOMEM, "no memory for what waits") : ERR_OK;
}

/* One of those who look on leaves room for the others. */
static enum err stream_room(const struct approval_streams *all, const struct admin_request *r, struct fault *f)
{
    unsigned n = 0;
    for (const struct approval_stream *s = all->first; s; s = s->next)
        n += admin_caller_is(&s->caller, r);
    if (all->count >= STREAM_MAX)
        return fault_set(f, ERR_STREAMS, "%d such streams are open, which is the most there may be at one time",
                         STREAM_MAX);
    return admin_caller_room(r, n, f);
}

enum err admin_approvals_stream(struct admin_request *r, struct fault *f)
{
    const struct http_header headers[] = {{STR("Cache-Control"), STR("no-store")},
                                          {STR("X-Accel-Buffering"), STR("no")}};
    struct approval_streams *all = r->admin->approval_streams;
    struct buf first CLEANUP(buf_done);
    buf_init(&first, STREAM_LIST + 4096);
    if (all->stopped)
        return fault_set(f, ERR_STOPPING, "Doorward is stopping");
    TRY(stream_room(all, r, f));
    TRY(admin_query_read(r, NULL, 0, f));
    struct approval_stream *s = arena_alloc(r->arena, sizeof(*s));
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for a stream");
    *s = (struct approval_stream){.flow = {stream_gone, stream_drained}, .all = all, .x = r->x};
    TRY(admin_caller(r, &s->caller, f));
    stream_enter(s); /* from here on news are kept for it */
    enum err e = stream_list(r->admin, &first, f);
    if (e) {
        stream_leave(s);
        return e;
    }
    exchange_stream_begin(r->x, 200, STR("text/event-stream"), headers, 2);
    exchange_stream_patience(r->x, STREAM_PATIENCE_MS);
    exchange_stream_write(r->x, buf_view(&first));
    return ERR_OK;
}

/* ---- for the daemon ---- */

enum err approval_streams_new(struct admin *a, struct approval_streams **ret, struct fault *f)
{
    struct approval_streams *all = calloc(1, sizeof(*all));
    if (!all)
        return fault_set(f, ERR_NOMEM, "no memory for streams of questions");
    all->admin = a;
    all->mail.run = streams_run;
    pthread_mutex_init(&all->lock, NULL);
    buf_init(&all->news, STREAM_NEWS);
    uv_timer_init(&a->worker->loop, &all->timer);
    all->timer.data = all;
    *ret = all;
    return ERR_OK;
}

void approval_streams_reloaded(struct approval_streams *all)
{
    for (struct approval_stream *s = all->first, *next; s; s = next) {
        next = s->next;
        const char *text;
        enum err why = admin_caller_over(all->admin, &s->caller, &text);
        if (why)
            stream_close(s, why, text);
    }
}

void approval_streams_stop(struct approval_streams *all)
{
    if (all->stopped)
        return;
    all->stopped = true;
    streams_close(all, ERR_STOPPING, "Doorward is stopping");
    uv_close((uv_handle_t *)&all->timer, NULL);
}

void approval_streams_free(struct approval_streams *all)
{
    if (!all)
        return;
    pthread_mutex_destroy(&all->lock);
    buf_done(&all->news);
    free(all);
}

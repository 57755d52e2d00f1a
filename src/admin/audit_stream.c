/* Streams of the record, on worker 0: who may have one, when the next slice is read, and how each of them ends. */
#include "admin/audit_stream.h"
#include "admin/approvals_stream.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    STREAM_TICK_MS = 250,
    STREAM_AWAKE_TICKS = 60,     /* a comment every 15 s */
    STREAM_ID_TICKS = 4,         /* how far it is, every second that something was passed over */
    STREAM_PATIENCE_MS = 600000, /* whoever does not read for so long has left */
    STREAM_ARENA = 512 << 20
};

struct audit_streams {
    struct admin *admin;
    struct audit_stream *first; /* in the order in which they have their turn */
    unsigned count, reads, ticks;
    uv_timer_t timer;
    struct audit_watch watch;
    bool watching, leaving, stopped;
};

static void stream_pump(struct audit_stream *s);

/* ---- all of them ---- */

static void streams_pump(struct audit_streams *all)
{
    for (struct audit_stream *s = all->first, *next; s; s = next) {
        next = s->next;
        stream_pump(s);
    }
}

static void streams_committed(struct audit_watch *w)
{
    streams_pump((struct audit_streams *)((char *)w - offsetof(struct audit_streams, watch)));
}

static void streams_watch(struct audit_streams *all);

static void streams_unwatched(struct audit_watch *w)
{
    struct audit_streams *all = (struct audit_streams *)((char *)w - offsetof(struct audit_streams, watch));
    all->watching = all->leaving = false;
    if (all->count)
        streams_watch(all);
}

static void streams_watch(struct audit_streams *all)
{
    if (all->watching)
        return;
    all->watching = true;
    all->watch =
        (struct audit_watch){.worker = all->admin->worker, .run = streams_committed, .gone = streams_unwatched};
    audit_watch(all->admin->audit, &all->watch);
}

static void streams_unwatch(struct audit_streams *all)
{
    if (!all->watching || all->leaving)
        return;
    all->leaving = true;
    audit_unwatch(all->admin->audit, &all->watch);
}

/* ---- the end of one ---- */

static const char *stream_last_word(const struct audit_stream *s)
{
    return s->why == ERR_STOPPING || s->why == ERR_TOKEN || s->why == ERR_SIGNED_OUT ? "end" : "error";
}

/* In the middle of an event there is no place for a last word: the event is not whole, and comes again. */
static void stream_farewell(struct audit_stream *s)
{
    struct buf data CLEANUP(buf_done), event CLEANUP(buf_done);
    buf_init(&data, 4096);
    buf_init(&event, 8192);
    if (s->begun || !s->over[0])
        return;
    struct json_out o = json_out(&data);
    json_open(&o, '{');
    json_kv_z(&o, "error", err_code(s->why));
    json_kv_z(&o, "message", s->over);
    json_close(&o, '}');
    audit_stream_event(&event, stream_last_word(s), 0, buf_view(&data));
    exchange_stream_write(s->x, buf_view(&event));
}

/* Its memory is the exchange's: it is gone when this returns. */
static void stream_close(struct audit_stream *s)
{
    struct audit_streams *all = s->all;
    struct exchange *x = s->x;
    stream_farewell(s);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    meter_add(METER_AUDIT_STREAMS_OPEN, -1);
    if (--all->count == 0) {
        uv_timer_stop(&all->timer);
        streams_unwatch(all);
    }
    audit_reader_close(s->reader);
    buf_done(&s->out);
    arena_done(&s->arena);
    admin_caller_done(&s->caller);
    x->user = NULL;
    exchange_stream_end(x);
}

/* A read that is on its way still uses it. */
static void stream_over(struct audit_stream *s, enum err why, const char *text)
{
    if (s->over)
        return;
    s->why = why;
    s->over = text;
    if (!s->reading)
        stream_close(s);
}

/* ---- reading ---- */

/* Whoever has read stands at the end of the queue. */
static void stream_last(struct audit_stream *s)
{
    struct audit_stream **end = s->link;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    while (*end)
        end = &(*end)->next;
    s->next = NULL;
    s->link = end;
    *end = s;
}

static void stream_work(uv_work_t *w)
{
    struct audit_stream *s = w->data;
    s->err = audit_stream_read(s, &s->fault);
}

static void stream_worked(uv_work_t *w, int status)
{
    struct audit_stream *s = w->data;
    struct audit_streams *all = s->all;
    s->reading = false;
    all->reads--;
    stream_last(s);
    if (status)
        s->err = fault_set(&s->fault, ERR_STOPPING, "Doorward is stopping");
    if (s->over) {
        buf_done(&s->out);
        stream_close(s);
    } else if (s->err) {
        log_error("audit_stream_failed", LOG_I("seq", s->at), LOG_Z("reason", s->fault.text));
        buf_done(&s->out);
        s->begun = false;
        stream_over(s, s->err, s->fault.text);
    }
    streams_pump(all);
}

static void stream_read(struct audit_stream *s)
{
    struct audit_streams *all = s->all;
    uint64_t committed = audit_committed(all->admin->audit);
    if (committed <= s->at || all->reads >= AUDIT_STREAM_READS)
        return;
    s->until = committed;
    s->noted = s->noted > s->said ? s->noted : s->said;
    s->work.data = s;
    s->reading = true;
    all->reads++;
    if (uv_queue_work(&all->admin->worker->loop, &s->work, stream_work, stream_worked)) {
        s->reading = false;
        all->reads--;
    }
}

/* ---- writing ---- */

/* Writes slices as long as the client takes them. True: all is out. */
static bool stream_write(struct audit_stream *s)
{
    while (s->sent < s->out.n && !exchange_stream_queued(s->x) && !s->x->gone) {
        struct str rest = str_skip(buf_view(&s->out), s->sent);
        rest.n = rest.n < AUDIT_STREAM_SLICE ? rest.n : AUDIT_STREAM_SLICE;
        exchange_stream_write(s->x, rest);
        s->sent += rest.n;
        s->begun = s->sent < s->out.n;
    }
    if (s->sent < s->out.n)
        return false;
    buf_done(&s->out); /* one that waits for entries holds nothing */
    s->sent = 0;
    s->said = s->noted;
    return true;
}

static void stream_pump(struct audit_stream *s)
{
    if (s->reading || s->over || s->x->gone)
        return;
    if (stream_write(s) && !exchange_stream_queued(s->x))
        stream_read(s);
}

/* A word in between, when the client waits: how far it is, or only that somebody is here. */
static void stream_awake(struct audit_stream *s, bool comment)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64);
    if (s->reading || s->out.n || exchange_stream_queued(s->x) || s->x->gone)
        return;
    if (s->at > s->said)
        buf_fmt(&b, "id: %" PRIu64 "\n\n", s->at);
    else if (comment)
        buf_z(&b, ":\n\n");
    s->said = s->noted = s->at;
    exchange_stream_write(s->x, buf_view(&b));
}

static void streams_tick(uv_timer_t *t)
{
    struct audit_streams *all = t->data;
    all->ticks++;
    for (struct audit_stream *s = all->first, *next; s; s = next) {
        next = s->next;
        if (all->ticks % STREAM_ID_TICKS == 0)
            stream_awake(s, all->ticks % STREAM_AWAKE_TICKS == 0);
        stream_pump(s);
    }
}

static void stream_gone(struct admin_flow *f)
{
    stream_over((struct audit_stream *)f, ERR_CANCELLED, "");
}

static void stream_drained(struct admin_flow *f)
{
    stream_pump((struct audit_stream *)f);
}

/* ---- a new one ---- */

static void stream_answer(struct audit_stream *s)
{
    const struct http_header headers[] = {{STR("Cache-Control"), STR("no-store")},
                                          {STR("X-Accel-Buffering"), STR("no")}};
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64);
    /* where it begins is an id already, so that one that breaks before its first entry goes on there */
    buf_fmt(&b, "retry: 1000\nid: %" PRIu64 "\n\n", s->at);
    exchange_stream_begin(s->x, 200, STR("text/event-stream"), headers, 2);
    exchange_stream_patience(s->x, STREAM_PATIENCE_MS);
    exchange_stream_write(s->x, buf_view(&b));
}

static enum err stream_new(struct admin_request *r, struct audit_stream **ret, struct fault *f)
{
    struct audit_stream *s = arena_alloc(r->arena, sizeof(*s));
    struct conf *conf = conf_slot_get(r->admin->conf);
    struct str dir = arena_fmt(r->arena, STR_FMT "/audit", STR_ARG(conf->root.data_dir));
    conf_unref(conf);
    if (!s || !dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for a stream");
    *s =
        (struct audit_stream){.flow = {stream_gone, stream_drained}, .all = r->admin->streams, .x = r->x, .dir = dir.p};
    TRY(admin_caller(r, &s->caller, f));
    buf_init(&s->out, 0);
    arena_init(&s->arena, STREAM_ARENA);
    *ret = s;
    return ERR_OK;
}

static void stream_enter(struct audit_streams *all, struct audit_stream *s)
{
    struct audit_stream **end = &all->first;
    while (*end)
        end = &(*end)->next;
    s->link = end;
    *end = s;
    if (all->count++ == 0) {
        uv_timer_start(&all->timer, streams_tick, STREAM_TICK_MS, STREAM_TICK_MS);
        streams_watch(all);
    }
    meter_add(METER_AUDIT_STREAMS_OPEN, 1);
    s->x->user = s;
}

/* One of those who look on leaves room for the others. */
static enum err stream_room(const struct audit_streams *all, const struct admin_request *r, struct fault *f)
{
    unsigned n = 0;
    for (const struct audit_stream *s = all->first; s; s = s->next)
        n += admin_caller_is(&s->caller, r);
    if (all->count >= AUDIT_STREAMS)
        return fault_set(f, ERR_STREAMS,
                         "%d streams of the record are open, which is the most there may be at one time",
                         AUDIT_STREAMS);
    return admin_caller_room(r, n, f);
}

enum err admin_audit_stream(struct admin_request *r, struct fault *f)
{
    struct audit_streams *all = r->admin->streams;
    struct audit_stream_asked q;
    struct audit_stream *s;
    TRY(audit_stream_ask(r, &q, f));
    if (all->stopped)
        return fault_set(f, ERR_STOPPING, "Doorward is stopping");
    TRY(stream_room(all, r, f));
    TRY(stream_new(r, &s, f));
    s->wants = q.wants;
    s->at = s->said = s->noted = q.at;
    s->from_start = q.from_start;
    stream_enter(all, s);
    stream_answer(s);
    stream_pump(s);
    return ERR_OK;
}

/* ---- for the daemon ---- */

enum err admin_streams_new(struct admin *a, struct fault *f)
{
    struct audit_streams *all = calloc(1, sizeof(*all));
    if (!all)
        return fault_set(f, ERR_NOMEM, "no memory for streams of the record");
    all->admin = a;
    uv_timer_init(&a->worker->loop, &all->timer);
    all->timer.data = all;
    a->streams = all;
    return ERR_OK;
}

void admin_streams_reloaded(struct admin *a)
{
    for (struct audit_stream *s = a->streams->first, *next; s; s = next) {
        next = s->next;
        const char *text;
        enum err why = admin_caller_over(a, &s->caller, &text);
        if (why)
            stream_over(s, why, text);
    }
    approval_streams_reloaded(a->approval_streams);
}

void admin_streams_stop(struct admin *a)
{
    struct audit_streams *all = a->streams;
    if (all->stopped)
        return;
    all->stopped = true;
    approval_streams_stop(a->approval_streams);
    for (struct audit_stream *s = all->first, *next; s; s = next) {
        next = s->next;
        stream_over(s, ERR_STOPPING, "Doorward is stopping");
    }
    uv_close((uv_handle_t *)&all->timer, NULL);
}

void admin_streams_free(struct admin *a)
{
    free(a->streams);
    a->streams = NULL;
}

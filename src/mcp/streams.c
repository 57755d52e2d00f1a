#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "mcp/event.h"
#include "mcp/tasks.h"
#include "net/sse.h"

enum { STREAM_TICK_MS = 250, STREAM_AWAKE_TICKS = 60, STREAM_EVENT_MAX = 1 << 20 };

#define META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

static const char *const stream_methods[] = {
    [MCP_TOOLS] = "notifications/tools/list_changed",
    [MCP_PROMPTS] = "notifications/prompts/list_changed",
    [MCP_RESOURCES] = "notifications/resources/list_changed",
};

/* ---- one stream ---- */

struct json_out mcp_notification_open(const struct mcp_stream *s, struct buf *b, const char *method)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "method", method);
    json_key(&o, STR("params"));
    json_open(&o, '{');
    if (s->r->era == ERA_MODERN) {
        json_key(&o, STR("_meta"));
        json_open(&o, '{');
        json_kv_raw(&o, META_SUBSCRIPTION, s->r->rpc.id);
        json_close(&o, '}');
    }
    return o;
}

void mcp_notification_close(struct json_out *o)
{
    json_close(o, '}');
    json_close(o, '}');
}

static struct session_ref stream_session(const struct mcp_stream *s)
{
    return (struct session_ref){s->r->lease, s->r->mcp_session};
}

/* A protocol session has one stream: the newest. */
static bool stream_current(struct mcp_stream *s)
{
    if (s->shows)
        return backlog_shown(s->r->backlog, s->r->view);
    return s->r->era == ERA_MODERN || session_table_has_stream(s->r->mcp->sessions, stream_session(s), s->number);
}

void mcp_stream_send(struct mcp_stream *s, const struct buf *message)
{
    if (!s->shows && stream_current(s))
        mcp_stream_event(s->r, message);
}

/* The end of a subscription that its client did not ask for (MCP 2026-07-28 schema, SubscriptionsListenResult). */
static void stream_farewell(struct mcp_stream *s)
{
    struct mcp_request *r = s->r;
    struct json_out o = mcp_result_open(r);
    mcp_meta_open(r, &o);
    json_kv_raw(&o, META_SUBSCRIPTION, r->rpc.id);
    json_close(&o, '}');
    mcp_result_close(&o);
    mcp_stream_send(s, &r->mcp->out);
}

/* The stream's memory is the exchange's: it is gone when this returns. */
static void stream_end(struct mcp_stream *s, bool farewell)
{
    struct mcp_request *r = s->r;
    struct mcp_streams *all = &r->mcp->streams;
    struct exchange *x = r->x;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    meter_add(METER_STREAMS_OPEN, -1);
    if (--all->count == 0)
        uv_timer_stop(&all->timer);
    for (size_t i = 0; i < s->uri_count; i++)
        gate_subscribed(r->mcp->gate->gate, r->lease, s->uri[i].server, s->uri[i].uri, false);
    if (farewell && r->era == ERA_MODERN)
        stream_farewell(s);
    r->stream = NULL;
    if (r->backlog && s->shows)
        backlog_left(r->backlog, r->view);
    else if (r->backlog)
        backlog_close(r->backlog);
    mcp_release(r);
    exchange_stream_end(x);
}

void mcp_stream_gone(struct mcp_stream *s)
{
    struct mcp_request *r = s->r;
    if (r->backlog && !s->shows)
        backlog_left(r->backlog, r->view);
    else
        stream_end(s, false);
}

/* Its client has left, and did not come back. */
static bool stream_abandoned(const struct mcp_stream *s)
{
    return s->r->x->gone && !mcp_reachable(s->r);
}

/* ---- to a protocol session ---- */

struct stream_mail {
    struct worker_mail mail;
    struct mcp_worker *to;
    struct str sid, mcp_session;
    struct buf message; /* a view of the bytes */
    char bytes[];
};

static void stream_tell_here(struct mcp_worker *m, struct str sid, struct str mcp_session, const struct buf *message)
{
    for (struct mcp_stream *s = m->streams.first, *next; s; s = next) {
        next = s->next;
        if (s->r->era == ERA_LEGACY && !s->shows && str_eq(s->r->mcp_session, mcp_session) &&
            str_eq(lease_sid(s->r->lease), sid))
            mcp_stream_send(s, message);
    }
}

static void stream_mail_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct stream_mail *m = (struct stream_mail *)mail;
    stream_tell_here(m->to, m->sid, m->mcp_session, &m->message);
    free(m);
}

static void stream_tell_there(struct mcp_worker *to, struct str sid, struct str mcp_session, const struct buf *message)
{
    struct stream_mail *m = malloc(sizeof(*m) + sid.n + mcp_session.n + message->n);
    if (!m)
        return;
    char *at = m->bytes;
    *m = (struct stream_mail){.mail = {.run = stream_mail_arrived}, .to = to};
    m->sid = (struct str){memcpy(at, sid.p, sid.n), sid.n};
    m->mcp_session = (struct str){memcpy(at + sid.n, mcp_session.p, mcp_session.n), mcp_session.n};
    m->message = (struct buf){.p = at + sid.n + mcp_session.n, .n = message->n};
    memcpy(m->message.p, message->p, message->n);
    worker_post(to->gate->worker, &m->mail);
}

void mcp_session_tell(struct mcp_worker *m, const struct lease *l, struct str mcp_session, const struct buf *message)
{
    for (unsigned i = 0; i < m->count; i++)
        if (&m->all[i] == m)
            stream_tell_here(m, lease_sid(l), mcp_session, message);
        else
            stream_tell_there(&m->all[i], lease_sid(l), mcp_session, message);
}

/* ---- what has changed for its session ---- */

static void stream_digest(void *ctx, struct str listed)
{
    uint64_t *digest = ctx;
    *digest = *digest * 1099511628211u + str_hash(listed);
}

static void stream_look(struct mcp_stream *s, const struct catalogue *k, uint64_t ret[MCP_LISTS])
{
    for (unsigned list = 0; list < MCP_LISTS; list++) {
        ret[list] = 0;
        if (s->wants[list])
            mcp_each_listed(s->r, k, (enum mcp_list)list, stream_digest, &ret[list]);
    }
}

static void stream_tell(struct mcp_stream *s, enum mcp_list list)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, STREAM_EVENT_MAX);
    struct json_out o = mcp_notification_open(s, &b, stream_methods[list]);
    mcp_notification_close(&o);
    mcp_stream_send(s, &b);
}

static void stream_compare(struct mcp_stream *s, const struct catalogue *k)
{
    uint64_t now[MCP_LISTS];
    stream_look(s, k, now);
    bool resources = now[MCP_RESOURCES] != s->seen[MCP_RESOURCES] || now[MCP_TEMPLATES] != s->seen[MCP_TEMPLATES];
    bool tools = now[MCP_TOOLS] != s->seen[MCP_TOOLS], prompts = now[MCP_PROMPTS] != s->seen[MCP_PROMPTS];
    memcpy(s->seen, now, sizeof(now));
    if (tools)
        stream_tell(s, MCP_TOOLS);
    if (prompts)
        stream_tell(s, MCP_PROMPTS);
    if (resources)
        stream_tell(s, MCP_RESOURCES);
}

static void streams_compare(struct mcp_worker *m)
{
    struct catalogue *k = connect_catalogue(m->gate->gate->connect);
    for (struct mcp_stream *s = m->streams.first; s; s = s->next)
        stream_compare(s, k);
    catalogue_unref(k);
}

static void streams_changed(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct mcp_worker *m = (struct mcp_worker *)((char *)mail - offsetof(struct mcp_worker, streams.changed));
    atomic_store(&m->streams.told, false);
    streams_compare(m);
}

void mcp_catalogue_changed(struct mcp_worker *m)
{
    if (!atomic_exchange(&m->streams.told, true))
        worker_post(m->gate->worker, &m->streams.changed);
}

/* ---- all of a worker ---- */

static void streams_tick(uv_timer_t *t)
{
    struct mcp_worker *m = t->data;
    struct buf comment CLEANUP(buf_done);
    int64_t now = clock_mono_ns();
    bool awake = ++m->streams.ticks % STREAM_AWAKE_TICKS == 0;
    buf_init(&comment, 16);
    sse_write_comment(&comment);
    for (struct mcp_stream *s = m->streams.first, *next; s; s = next) {
        next = s->next;
        if (awake)
            exchange_stream_write(s->r->x, buf_view(&comment));
        if (!lease_is_open(s->r->lease, now) || !stream_current(s) || stream_abandoned(s))
            stream_end(s, true);
        else if (s->shows)
            mcp_resume_more(s);
        else
            mcp_tasks_tell(s);
    }
    if (awake) /* an hour may have come at which a session may use more or less */
        streams_compare(m);
}

void mcp_streams_look(struct mcp_worker *m)
{
    int64_t now = clock_mono_ns();
    for (struct mcp_stream *s = m->streams.first, *next; s; s = next) {
        next = s->next;
        if (!lease_is_open(s->r->lease, now))
            stream_end(s, true);
    }
}

void mcp_streams_init(struct mcp_worker *m)
{
    uv_timer_init(&m->gate->worker->loop, &m->streams.timer);
    m->streams.timer.data = m;
    m->streams.changed.run = streams_changed;
}

void mcp_streams_stop(struct mcp_worker *m)
{
    if (m->streams.stopped)
        return;
    m->streams.stopped = true;
    while (m->streams.first)
        stream_end(m->streams.first, true);
    uv_close((uv_handle_t *)&m->streams.timer, NULL);
}

/* Of all streams here, or those of one lease: how many there are, and the one whose client has been away for longest.
 * A stream that only shows another one is not counted: that one is. */
static int64_t stream_count(const struct mcp_streams *all, const struct lease *l, struct mcp_stream **ret_away)
{
    int64_t n = 0, oldest = INT64_MAX;
    *ret_away = NULL;
    for (struct mcp_stream *s = all->first; s; s = s->next) {
        if (s->shows || (l && !str_eq(lease_sid(s->r->lease), lease_sid(l))))
            continue;
        int64_t left = s->r->backlog ? backlog_left_at(s->r->backlog) : 0;
        n++;
        if (left && left < oldest) {
            oldest = left;
            *ret_away = s;
        }
    }
    return n;
}

/* Is there room for one more? A client that is away gives way to one that is here. */
static bool stream_room(const struct mcp_streams *all, const struct lease *l, int64_t most)
{
    struct mcp_stream *away;
    bool full = stream_count(all, l, &away) >= most;
    if (!full || !away)
        return !full;
    stream_end(away, false);
    return stream_count(all, l, &away) < most;
}

enum err mcp_stream_admit(struct mcp_request *r, struct fault *f)
{
    struct mcp_streams *all = &r->mcp->streams;
    struct conf *conf = conf_slot_get(r->mcp->conf);
    int64_t most = conf->root.limits.streams, of_session = conf->root.session.max_streams;
    conf_unref(conf);
    if (all->stopped)
        return fault_set(f, ERR_STOPPING, "Doorward is stopping");
    if (!stream_room(all, r->lease, of_session))
        return fault_set(f, ERR_STREAMS, "this session has %lld streams open, which is the most (session.max_streams)",
                         (long long)of_session);
    if (!stream_room(all, NULL, most))
        return fault_set(f, ERR_STREAMS, "%lld streams are open, which is the most (limits.streams)", (long long)most);
    return ERR_OK;
}

void mcp_stream_begin(struct mcp_stream *s)
{
    struct mcp_request *r = s->r;
    struct mcp_streams *all = &r->mcp->streams;
    struct catalogue *k = connect_catalogue(r->mcp->gate->gate->connect);
    stream_look(s, k, s->seen);
    catalogue_unref(k);
    s->next = all->first;
    s->link = &all->first;
    if (s->next)
        s->next->link = &s->next;
    all->first = s;
    r->stream = s;
    r->x->user = r;
    meter_add(METER_STREAMS_OPEN, 1);
    if (all->count++ == 0)
        uv_timer_start(&all->timer, streams_tick, STREAM_TICK_MS, STREAM_TICK_MS);
    mcp_stream_open(r);
}

/*
 * What a server says over HTTP by itself, not about a call: one long stream per server, opened from worker 0 when the
 * server declares that it tells of changes, and opened again, with back-off, when it ends.
 *
 *   modern   subscriptions/listen (MCP 2026-07-28 basic/patterns/subscriptions)
 *   legacy   GET on a protocol session of our own (MCP 2025-11-25 basic/transports, "Listening for Messages from the
 *            Server"); 405 says that the server has no such stream
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connect/hop.h"

enum { EAR_AGAIN_MS = 1000, EAR_AGAIN_MAX_MS = 60000, EAR_STEADY_MS = 30000, EAR_STALL_MS = 3600000 };

struct ear {
    struct upstream *upstream; /* which holds this */
    enum wire_era era;
    char version[16], session[HTTP_SESSION_MAX];
    uv_timer_t timer;
    struct hop *hop; /* under way: the stream, or what opens its session */
    struct hop *old; /* a modern stream that another one replaces */
    uint64_t opened; /* of the loop's clock */
    unsigned failures;
    bool deaf; /* the server has no such stream */
    bool lost; /* one has ended: what was said meanwhile was not heard */
    bool closing;
};

static void ear_connect(struct ear *e);

static void ear_timer(uv_timer_t *t)
{
    ear_connect(t->data);
}

static void ear_again(struct ear *e)
{
    uint64_t now = uv_now(&e->upstream->connect->workers[0].loop);
    if (now - e->opened > EAR_STEADY_MS)
        e->failures = 0;
    uint64_t wait = (uint64_t)EAR_AGAIN_MS << (e->failures < 6 ? e->failures : 6);
    e->failures++;
    e->lost = true;
    if (!e->closing && !e->deaf)
        uv_timer_start(&e->timer, ear_timer, wait < EAR_AGAIN_MAX_MS ? wait : EAR_AGAIN_MAX_MS, 0);
}

static void ear_heard(struct hop *h, const struct wire_message *m)
{
    struct ear *e = h->ctx;
    if (e->old && h == e->hop) { /* the new one is heard: the one before is not needed any more */
        struct hop *old = e->old;
        e->old = NULL;
        client_cancel(&old->http);
    }
    if (m->kind == WIRE_CHANGED) {
        upstream_changed(e->upstream);
    } else if (m->kind == WIRE_UPDATED) {
        upstream_updated(e->upstream, STR(""), m->uri);
    } else if (m->kind == WIRE_COMPLETED) {
        upstream_completed(e->upstream, STR(""), m->uri);
    } else if (m->kind == WIRE_ASKS && e->era == WIRE_ERA_LEGACY) {
        struct buf b;
        struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = str_of(e->version), .method = "reply"};
        buf_init(&b, 65536);
        wire_write_reply(&b, m);
        if (!buf_failed(&b))
            http_notify(h->worker, h->upstream, "POST", buf_view(&b), &r, e->session);
        buf_done(&b);
    }
}

/* Does it not know what it was asked for? Any other error may be gone the next time. */
static bool ear_unknown(const struct hop *h, const struct wire_message *m)
{
    int64_t code = 0;
    return m->error && json_i64(&h->doc, json_get(&h->doc, m->error, STR("code")), &code) && code == -32601;
}

/* The stream is over, or there never was one. */
static void ear_ended(struct hop *h, enum err err, const char *why, const struct wire_message *m)
{
    struct ear *e = h->ctx;
    (void)err, (void)m;
    if (h == e->old)
        e->old = NULL;
    if (h != e->hop) /* another has taken over */
        return;
    e->hop = NULL;
    if (e->closing)
        return;
    e->deaf = h->status == 405 || (m && ear_unknown(h, m));
    if (h->status == 404)
        e->session[0] = 0; /* the server forgot it */
    log_debug("server_stream_ended", LOG_S("server", e->upstream->server->name), LOG_Z("reason", why ? why : ""));
    if (e->deaf && e->session[0])
        http_session_delete(e->upstream, e->session);
    ear_again(e);
}

static struct hop *ear_hop(struct ear *e)
{
    struct hop *h = hop_new(&e->upstream->connect->local[0], e->upstream);
    if (!h) {
        ear_again(e);
        return NULL;
    }
    h->ctx = e;
    h->told = ear_ended;
    e->hop = h;
    e->opened = uv_now(&e->upstream->connect->workers[0].loop);
    return h;
}

static void ear_stream(struct ear *e, const char *method, const struct wire_request *r)
{
    struct hop *h = ear_hop(e);
    if (!h)
        return;
    h->heard = ear_heard;
    if (r->id.n) {
        h->id = r->id;
        wire_write_listen(&h->request, e->upstream, STR(""), r->id);
    }
    hop_headers(h, r, e->session);
    hop_send(h, method, HTTP_PROBE_MS);
    h->http.stall_ms = EAR_STALL_MS;
    if (e->lost)
        upstream_changed(e->upstream);
    e->lost = false;
}

static void ear_get(struct ear *e)
{
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = str_of(e->version), .method = "GET"};
    ear_stream(e, "GET", &r);
}

static void ear_listen(struct ear *e)
{
    struct wire_request r = {
        .era = WIRE_ERA_MODERN, .version = STR(WIRE_MODERN), .method = "subscriptions/listen", .id = STR("listen")};
    ear_stream(e, "POST", &r);
}

/* ---- a protocol session of our own ---- */

static void ear_ask(struct ear *e, struct str uri, bool on)
{
    struct wire_request r = {.era = WIRE_ERA_LEGACY,
                             .version = str_of(e->version),
                             .method = on ? "resources/subscribe" : "resources/unsubscribe"};
    struct buf b;
    buf_init(&b, 65536);
    wire_write_subscribe(&b, uri, on);
    if (!buf_failed(&b))
        http_notify(&e->upstream->connect->local[0], e->upstream, "POST", buf_view(&b), &r, e->session);
    buf_done(&b);
}

static void ear_session(struct hop *h, enum err err, const char *why, const struct wire_message *m)
{
    struct ear *e = h->ctx;
    uint32_t node = m && m->result ? json_get(&h->doc, m->result, STR("protocolVersion")) : 0;
    if (err || e->closing || json_type(&h->doc, node) != JSON_STRING || !h->got_session[0]) {
        h->status = err ? h->status : 405; /* without sessions there is no stream of ours */
        ear_ended(h, err, why, NULL);
        return;
    }
    struct str version = json_str(&h->doc, node, &h->scratch);
    snprintf(e->version, sizeof(e->version), STR_FMT, STR_ARG(version));
    memcpy(e->session, h->got_session, sizeof(e->session));
    e->hop = NULL;
    struct wire_request r = {
        .era = WIRE_ERA_LEGACY, .version = str_of(e->version), .method = "notifications/initialized"};
    struct buf b;
    buf_init(&b, 4096);
    wire_write_initialized(&b);
    http_notify(h->worker, h->upstream, "POST", buf_view(&b), &r, e->session);
    buf_done(&b);
    ear_get(e);
    for (struct subscription *s = e->upstream->subscriptions; s; s = s->next)
        ear_ask(e, s->uri, true);
}

static void ear_initialize(struct ear *e)
{
    struct hop *h = ear_hop(e);
    struct wire_request r = {
        .era = WIRE_ERA_LEGACY, .version = STR(WIRE_LEGACY), .method = "initialize", .id = STR("initialize")};
    if (!h)
        return;
    h->id = r.id;
    h->told = ear_session;
    wire_write(&h->request, &r);
    hop_headers(h, &r, NULL);
    hop_send(h, "POST", HTTP_PROBE_MS);
}

static void ear_connect(struct ear *e)
{
    if (e->closing || e->hop)
        return;
    if (e->era == WIRE_ERA_MODERN)
        ear_listen(e);
    else if (e->session[0])
        ear_get(e);
    else
        ear_initialize(e);
}

/* ---- from when the server is up ---- */

static void ear_freed(uv_handle_t *t)
{
    struct ear *e = t->data;
    http_inner(e->upstream)->ear = NULL;
    free(e);
}

void ear_open(struct upstream *u)
{
    struct ear *e = http_inner(u)->ear;
    enum wire_era era = (enum wire_era)atomic_load(&u->era);
    bool tells = u->tools && (u->tools->can & (SERVER_TELLS | SERVER_SUBSCRIBE));
    if (!tells ||
        (e && (e->closing || (e->era == era && (e->hop || e->deaf || uv_is_active((uv_handle_t *)&e->timer))))))
        return;
    if (!e) {
        if (!(e = calloc(1, sizeof(*e))))
            return; /* probes find changes, too, only later */
        e->upstream = u;
        uv_timer_init(&u->connect->workers[0].loop, &e->timer);
        e->timer.data = e;
        http_inner(u)->ear = e;
    } else if (e->era != era) { /* it came back with another revision */
        if (e->old)
            client_cancel(&e->old->http);
        if (e->hop)
            client_cancel(&e->hop->http);
        http_session_delete(u, e->session);
    }
    e->era = era;
    e->deaf = false;
    e->session[0] = 0;
    uv_timer_stop(&e->timer);
    ear_connect(e);
}

void ear_close(struct upstream *u)
{
    struct ear *e = http_inner(u)->ear;
    if (!e || e->closing)
        return;
    e->closing = true;
    if (e->old)
        client_cancel(&e->old->http);
    if (e->hop)
        client_cancel(&e->hop->http);
    if (e->session[0])
        http_session_delete(u, e->session);
    uv_close((uv_handle_t *)&e->timer, ear_freed);
}

void ear_subscribe(struct upstream *u, struct str key, struct str uri, bool on)
{
    struct ear *e = http_inner(u)->ear;
    (void)key;
    if (!e || e->closing || !e->hop)
        return; /* when it is opened, all are asked for */
    if (e->era == WIRE_ERA_LEGACY) {
        if (e->session[0])
            ear_ask(e, uri, on);
        return;
    }
    if (e->old)
        client_cancel(&e->old->http); /* two changes in a row: the stream in the making is made anew */
    e->old = e->hop;
    e->hop = NULL;
    ear_listen(e);
}

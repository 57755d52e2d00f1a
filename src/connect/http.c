/*
 * MCP servers over Streamable HTTP. One `struct hop` is one message to the server and its answer, as JSON or as a
 * stream of events (MCP 2026-07-28 and 2025-11-25 basic/transports, "Streamable HTTP").
 *
 * A modern server keeps nothing for us, so that any worker may talk to it. With a legacy server whom we serve is told
 * apart by its protocol sessions, one for each isolation key; these live on worker 0.
 */
#include <stdlib.h>

#include "connect/hop.h"

struct http_probe {
    struct probe probe; /* first */
    char session[HTTP_SESSION_MAX];
};

/* ---- probes ---- */

static void http_probe_told(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    struct http_probe *p = h->ctx;
    struct fault f;
    if (!h->id.n)
        return; /* a notification */
    if (e)
        fault_set(&f, e, "%s", why);
    if (h->got_session[0] && p->probe.step == PROBE_INITIALIZE)
        memcpy(p->session, h->got_session, sizeof(p->session));
    bool reached = h->status >= 400 && h->status < 500 && h->status != 401 && h->status != 403;
    probe_answer(&p->probe, e, &f, reached || (h->status >= 200 && h->status < 300), &h->doc, m);
}

static void http_probe_request(struct probe *probe, const struct wire_request *r)
{
    struct http_probe *p = (struct http_probe *)probe;
    struct hop *h = hop_new(&probe->upstream->connect->local[0], probe->upstream);
    if (!h) {
        struct fault f;
        fault_set(&f, ERR_NOMEM, "no memory for a probe");
        probe_answer(probe, ERR_NOMEM, &f, false, NULL, NULL);
        return;
    }
    if (probe->afresh) {
        http_session_delete(probe->upstream, p->session);
        p->session[0] = 0;
        probe->afresh = false;
    }
    h->id = arena_str(&h->arena, r->id);
    h->told = http_probe_told;
    h->ctx = p;
    wire_write(&h->request, r);
    hop_headers(h, r, p->session);
    hop_send(h, "POST", HTTP_PROBE_MS);
}

static void http_probe_notify(struct probe *probe, struct str message)
{
    struct http_probe *p = (struct http_probe *)probe;
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = probe->version, .method = "notifications/initialized"};
    http_notify(&probe->upstream->connect->local[0], probe->upstream, "POST", message, &r, p->session);
}

static void http_probe_end(struct probe *probe)
{
    struct http_probe *p = (struct http_probe *)probe;
    http_session_delete(probe->upstream, p->session);
    free(p);
}

static void http_probe(struct upstream *u)
{
    struct http_probe *p = calloc(1, sizeof(*p));
    struct fault f;
    if (!p) {
        fault_set(&f, ERR_NOMEM, "no memory for a probe");
        upstream_down(u, &f);
        return;
    }
    p->probe = (struct probe){
        .upstream = u, .request = http_probe_request, .notify = http_probe_notify, .end = http_probe_end};
    probe_start(&p->probe);
}

/* ---- calls ---- */

void http_call_send(struct hop *h, const char *session, struct str version)
{
    struct connect_call *c = h->flight.call;
    if (h->session && h->session->roots_changed)
        http_tell_roots(h->session);
    struct wire_request r = wire_call(c);
    r.era = session ? WIRE_ERA_LEGACY : WIRE_ERA_MODERN;
    r.version = version;
    r.id = h->id;
    buf_clear(&h->request);
    wire_write(&h->request, &r);
    hop_headers(h, &r, session);
    if (!session && c->tool)
        hop_params(h, c->tool, c->arguments);
    hop_send(h, "POST", h->flight.timeout_ms * 10);
}

/* Did it answer as only a server of the other era does? A legacy one knows no modern errors; of a modern one every
 * refusal of a message is such an error, and what legacy ones say has codes of their implementation, or none. */
static bool http_other_era(const struct hop *h, const struct wire_message *m)
{
    int64_t code = 0;
    uint32_t error = m ? m->error : 0;
    if (h->session)
        return wire_error_modern(&h->doc, error);
    if (error && !json_i64(&h->doc, json_get(&h->doc, error, STR("code")), &code))
        return false;
    bool refused = h->status == 400 || h->status == 404 || h->status == 405;
    return refused && (!error || code == -32600 || (code <= -32000 && code > -32020));
}

void http_call_told(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    if (!h->flight.call)
        return; /* cancelled */
    if (h->session && h->status == 404 && !h->retried && !h->resumed) {
        http_session_lost(h);
        return;
    }
    bool other = http_other_era(h, m), refused = other && h->session;
    if (other)
        upstream_era_doubt(h->upstream);
    if (h->session) {
        http_session_left(h->session);
        h->session = NULL;
    }
    if (refused) { /* it did not look at it */
        flight_fail(&h->flight, ERR_UPSTREAM, "it speaks another revision of MCP than before, and is asked which",
                    false);
        return;
    }
    if (e) {
        if (e == ERR_UPSTREAM && !h->http.sent)
            upstream_doubt(h->upstream);
        flight_fail(&h->flight, e == ERR_LIMIT ? ERR_UPSTREAM_GARBAGE : e, why, h->http.sent || h->resumed);
        return;
    }
    struct connect_answer a = {.sent = true,
                               .doc = &h->doc,
                               .result = m->result,
                               .error = m->error,
                               .modern = atomic_load(&h->upstream->era) == WIRE_ERA_MODERN};
    struct fault f;
    if (input_judge(h->flight.call, &h->doc, m->result, &h->scratch, &a.input, &f))
        a = (struct connect_answer){.err = f.err, .fault = &f, .sent = true};
    flight_done(&h->flight, &a);
}

/* ---- the kind ---- */

static bool http_is(const struct conf_server *s)
{
    return s->url.n > 0;
}

static enum err http_open(struct upstream *u, struct fault *f)
{
    struct connect *c = u->connect;
    struct http_inner *in = calloc(1, sizeof(*in));
    if (!in || !(in->origin = calloc(c->worker_count, sizeof(struct client_origin *)))) {
        free(in);
        return fault_set(f, ERR_NOMEM, "no memory for a server");
    }
    u->inner = in;
    enum err e = http_url_parse(u->server->url, &in->url, f);
    /* Worker 0's origin is made here, the others' on their threads by their first call; what fails here would fail
     * there. */
    if (!e && !http_origin(&c->local[0], u, f))
        e = f->err;
    if (e) {
        fault_wrap(f, "servers." STR_FMT ".url", STR_ARG(u->server->name));
        free(in->origin);
        free(in);
    }
    return e;
}

static bool http_everywhere(const struct upstream *u)
{
    return atomic_load(&u->era) == WIRE_ERA_MODERN;
}

static void http_send(struct connect_worker *w, struct connect_call *c)
{
    struct upstream *u = c->upstream;
    struct fault f;
    struct hop *h = http_origin(w, u, &f) ? hop_new(w, u) : NULL;
    if (!h) {
        connect_fail_later(c, ERR_NOMEM, "no memory for the call");
        return;
    }
    flight_begin(&h->flight, w, c);
    h->id = arena_str(&h->arena, str_skip(c->traceparent, 36)); /* the span id */
    h->id.n = h->id.n > 16 ? 16 : h->id.n;
    h->told = http_call_told;
    /* Sessions live on worker 0: another one came here because the server was modern a moment ago. */
    if (w->worker->index != 0 || atomic_load(&u->era) == WIRE_ERA_MODERN)
        http_call_send(h, NULL, STR(WIRE_MODERN));
    else
        http_session_use(h);
}

/* Modern: the closed connection says it. Legacy: a notification does, and the connection is closed. */
static void http_cancel(struct flight *f)
{
    struct hop *h = (struct hop *)f;
    bool active = h->active;
    if (h->session && (active || h->resume)) {
        struct buf b;
        char version[16];
        struct wire_request r = {
            .era = WIRE_ERA_LEGACY, .version = http_version(h->upstream, version), .method = "notifications/cancelled"};
        buf_init(&b, 4096);
        wire_write_cancelled(&b, h->id, "the caller gave up");
        http_notify(h->worker, h->upstream, "POST", buf_view(&b), &r, h->session->id);
        buf_done(&b);
        http_session_left(h->session);
        h->session = NULL;
    }
    flight_forget(f); /* one that waits for its session is freed when that is settled */
    if (active) {
        client_cancel(&h->http); /* ends in hop_done, which frees it */
    } else if (h->resume) {
        hop_resume_stop(h);
        hop_free(h);
    }
}

static void http_up(struct upstream *u)
{
    if (http_everywhere(u))
        http_sessions_retire(u);
    ear_open(u);
}

static void http_stop(struct upstream *u)
{
    ear_close(u);
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next) {
        if (s->ready && (!s->over || s->owed))
            http_session_delete(u, s->id);
        s->owed = false;
        http_session_over(s);
    }
}

static bool http_stopped(const struct upstream *u)
{
    return !http_inner(u)->ear; /* hops hold references */
}

static void http_free(struct upstream *u)
{
    struct http_inner *in = http_inner(u);
    while (in->sessions) {
        struct http_session *s = in->sessions;
        in->sessions = s->next;
        free(s);
    }
    free(in->origin);
    free(in);
}

const struct connect_kind connect_http = {
    "http",
    http_is,
    http_open,
    http_probe,
    http_everywhere,
    http_send,
    http_cancel,
    http_forget,
    http_stop,
    http_stopped,
    http_free,
    .up = http_up,
    .subscribe = ear_subscribe,
    .reply = http_reply,
    .roots_changed = http_roots_changed,
    .one_ear = true,
};

/*
 * MCP servers over Streamable HTTP. One `struct hop` is one message to the server and its answer, as JSON or as a
 * stream of events (MCP 2026-07-28 and 2025-11-25 basic/transports, "Streamable HTTP").
 *
 * A modern server keeps nothing for us, so that any worker may talk to it. With a legacy server whom we serve is told
 * apart by its protocol sessions, one for each isolation key; these live on worker 0.
 */
#include <stdio.h>
#include <stdlib.h>

#include "connect/hop.h"

struct http_probe {
    struct probe probe; /* first */
    char session[HTTP_SESSION_MAX];
};

/* ---- hops ---- */

struct hop *hop_new(struct connect_worker *w, struct upstream *u)
{
    struct hop *h = w->free_hops;
    if (h) {
        w->free_hops = h->next_free;
        w->free_count--;
    } else {
        h = calloc(1, sizeof(*h));
        if (!h)
            return NULL;
        size_t max = (size_t)w->connect->conf->root.limits.result_bytes;
        buf_init(&h->request, 64u << 20);
        buf_init(&h->body, max + 1);
        sse_init(&h->sse, max + 1);
        arena_init(&h->arena, HTTP_ARENA);
        arena_init(&h->scratch, HTTP_ARENA);
    }
    h->worker = w;
    h->upstream = upstream_ref(u);
    h->status = 0;
    h->active = h->stream = h->json = h->answered = h->retried = h->resumed = false;
    h->resume = NULL;
    h->got_session[0] = 0;
    h->session = NULL;
    h->heard = NULL;
    h->opened = NULL;
    h->id = STR_NONE;
    h->flight.call = NULL;
    return h;
}

static void hop_clear(struct hop *h)
{
    buf_clear(&h->request);
    buf_clear(&h->body);
    if (h->stream) {
        size_t max = h->body.max;
        sse_done(&h->sse);
        sse_init(&h->sse, max);
    }
    arena_reset(&h->arena);
    arena_reset(&h->scratch);
}

static void hop_delete(struct hop *h)
{
    buf_done(&h->request);
    buf_done(&h->body);
    sse_done(&h->sse);
    arena_done(&h->arena);
    arena_done(&h->scratch);
    free(h);
}

void hop_free(struct hop *h)
{
    struct connect_worker *w = h->worker;
    upstream_unref(h->upstream);
    hop_clear(h);
    if (w->free_count >= HTTP_FREE_HOPS || h->body.cap > (1u << 20)) {
        hop_delete(h);
        return;
    }
    h->next_free = w->free_hops;
    w->free_hops = h;
    w->free_count++;
}

void http_hops_free(struct connect_worker *w)
{
    while (w->free_hops) {
        struct hop *h = w->free_hops;
        w->free_hops = h->next_free;
        hop_delete(h);
    }
}

/* ---- the answer ---- */

/* What is said to a legacy server in a session is a POST of its own. */
static void http_session_say(struct connect_worker *w, struct http_session *s, const struct buf *b)
{
    char version[16];
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = http_version(s->upstream, version), .method = "reply"};
    if (!buf_failed(b))
        http_notify(w, s->upstream, "POST", buf_view(b), &r, s->id);
}

/* A question on the session's own stream does not say which call it is about: with calls of several clients in work it
 * is nobody's. */
static struct hop *http_session_call(const struct http_session *s)
{
    struct flight *newest = NULL;
    for (struct flight *f = s->upstream->connect->local[0].flights; f; f = f->next) {
        if (f->upstream != s->upstream || ((struct hop *)f)->session != s)
            continue;
        if (newest &&
            (!str_eq(f->call->session, newest->call->session) || !str_eq(f->call->client, newest->call->client)))
            return NULL;
        newest = newest ? newest : f;
    }
    return (struct hop *)newest;
}

void http_session_asked(struct connect_worker *w, struct http_session *s, struct hop *h, const struct json *doc,
                        const struct wire_message *m)
{
    struct buf b;
    h = h ? h : http_session_call(s);
    if (h && flight_asked(&h->flight, doc, m))
        return;
    buf_init(&b, 65536);
    wire_write_reply(&b, m);
    http_session_say(w, s, &b);
    buf_done(&b);
}

void http_session_withdrawn(struct http_session *s, const struct wire_message *m)
{
    for (struct flight *f = s->upstream->connect->local[0].flights, *next; f; f = next) {
        next = f->next;
        if (f->upstream == s->upstream && ((struct hop *)f)->session == s)
            flight_withdrawn(f, m);
    }
}

static void http_reply(struct flight *f, struct str id, bool error, struct str value)
{
    struct hop *h = (struct hop *)f;
    struct buf b;
    buf_init(&b, 64u << 20);
    wire_write_answer(&b, id, error, value);
    if (h->session)
        http_session_say(h->worker, h->session, &b);
    buf_done(&b);
}

/* One message of the server. True: it is the answer to our request. */
static bool hop_message(struct hop *h, struct str text)
{
    struct json_limits limits = {.depth = CONNECT_RESULT_DEPTH};
    struct wire_message m;
    arena_reset(&h->scratch);
    if (json_parse(&h->doc, text, &h->scratch, &limits, NULL))
        return false;
    wire_read(&h->doc, &h->scratch, &m);
    if (m.kind == WIRE_PROGRESS && h->flight.call && str_eq(m.id, h->id))
        flight_progress(&h->flight, m.progress, m.total, m.text);
    if (m.kind == WIRE_SAID && h->flight.call)
        flight_said(&h->flight, json_raw(&h->doc, m.params));
    if (m.kind == WIRE_ASKS && h->flight.call && h->session)
        http_session_asked(h->worker, h->session, h, &h->doc, &m);
    if (m.kind == WIRE_WITHDRAWN && h->flight.call)
        flight_withdrawn(&h->flight, &m);
    if (h->heard)
        h->heard(h, &m);
    /* An error may come without an id when the server could not read ours (JSON-RPC 2.0 section 5). */
    bool ours = m.kind == WIRE_ANSWER && (str_eq(m.id, h->id) || (m.error && !m.id.p && !h->stream));
    if (!ours || h->answered)
        return false;
    h->answered = true;
    h->told(h, ERR_OK, NULL, &m);
    return true;
}

static bool hop_event(void *ctx, const struct sse_event *e)
{
    struct hop *h = ctx;
    if (h->answered)
        return true;
    /* The event's bytes are gone when this returns: the answer must outlive that, so that it is read from a copy. */
    buf_clear(&h->body);
    buf_str(&h->body, e->data);
    if (!buf_failed(&h->body))
        hop_message(h, buf_view(&h->body));
    return true;
}

static void hop_head(struct client_call *c, const struct http_head *head)
{
    struct hop *h = (struct hop *)((char *)c - offsetof(struct hop, http));
    struct str type = http_header(head, "content-type"), kind, session = http_header(head, "mcp-session-id");
    str_cut(&type, ';', &kind);
    h->status = head->status;
    h->stream = str_ieq(str_trim(kind), STR("text/event-stream"));
    h->json = str_ieq(str_trim(kind), STR("application/json"));
    if (session.n && session.n < sizeof(h->got_session)) {
        memcpy(h->got_session, session.p, session.n);
        h->got_session[session.n] = 0;
    }
    if (h->opened && h->status >= 200 && h->status < 300)
        h->opened(h);
}

static void hop_data(struct client_call *c, struct str piece)
{
    struct hop *h = (struct hop *)((char *)c - offsetof(struct hop, http));
    struct fault f;
    if (h->answered)
        return;
    if (h->stream) {
        if (sse_feed(&h->sse, piece, hop_event, h, &f))
            client_cancel(&h->http);
        else if (h->answered)
            h->http.stall_ms = HTTP_DRAIN_MS; /* nothing more is waited for but the stream's end */
    } else if (h->status < 400 || h->body.n + piece.n <= HTTP_ERROR_BYTES) {
        buf_str(&h->body, piece);
    }
}

/* Why a whole answer is none that we can use. */
static void hop_useless(struct hop *h)
{
    char why[96];
    enum err e = ERR_UPSTREAM_GARBAGE;
    if (h->status >= 200 && h->status < 300 && h->id.n == 0) {
        h->told(h, ERR_OK, NULL, NULL);
        return;
    }
    if (h->status >= 300) {
        e = ERR_UPSTREAM;
        snprintf(why, sizeof(why), "answered with HTTP status %d", h->status);
    } else if (h->stream) {
        snprintf(why, sizeof(why), "ended its stream without an answer");
    } else {
        snprintf(why, sizeof(why), "answered with something that is no MCP message");
    }
    h->told(h, e, why, NULL);
}

static void hop_done(struct client_call *c, enum err e, const struct fault *f, bool sent)
{
    struct hop *h = (struct hop *)((char *)c - offsetof(struct hop, http));
    (void)sent;
    h->active = false;
    if (!h->answered && hop_resume(h, e))
        return;
    if (!h->answered && e) {
        h->answered = true;
        h->told(h, e == ERR_CANCELLED ? ERR_UPSTREAM_GARBAGE : e,
                e == ERR_CANCELLED ? "sent an event larger than the bound" : f->text, NULL);
    } else if (!h->answered) {
        bool readable = !h->stream && h->json && !buf_failed(&h->body) && hop_message(h, buf_view(&h->body));
        if (!readable && !h->answered) {
            h->answered = true;
            hop_useless(h);
        }
    }
    /* A told hop that sends again (a new session) is active by now. */
    if (!h->active)
        hop_free(h);
}

static const struct client_ops hop_ops = {hop_head, hop_data, hop_done};

/* ---- the request ---- */

void hop_header(struct hop *h, const char *name, struct str value)
{
    if (h->http.header_count < HTTP_HEADERS && value.p)
        h->header[h->http.header_count++] = (struct http_header){str_of(name), value};
}

static struct client_origin *http_origin(struct connect_worker *w, struct upstream *u, struct fault *f)
{
    struct http_inner *in = http_inner(u);
    unsigned i = w->worker->index;
    if (!in->origin[i] && client_origin(w->client, &in->url, &in->origin[i], f))
        return NULL;
    return in->origin[i];
}

/* Arguments that the server wants mirrored: string, integer, boolean; what is null or not there has no header. */
static void hop_params(struct hop *h, const struct tool *t, struct str arguments)
{
    struct json j;
    if (!t->param_count || json_parse(&j, arguments, &h->arena, NULL, NULL))
        return;
    for (size_t i = 0; i < t->param_count; i++) {
        const struct tool_param *p = &t->param[i];
        uint32_t node = JSON_ROOT;
        for (size_t k = 0; k < p->depth; k++)
            node = json_get(&j, node, p->path[k]);
        struct str value = STR_NONE;
        if (json_type(&j, node) == JSON_STRING)
            value = http_value_write(json_str(&j, node, &h->arena), &h->arena);
        else if (node && json_type(&j, node) != JSON_NULL && json_type(&j, node) != JSON_OBJECT &&
                 json_type(&j, node) != JSON_ARRAY)
            value = json_raw(&j, node);
        if (value.p)
            hop_header(h, p->header.p, value);
    }
}

void hop_headers(struct hop *h, const struct wire_request *r, const char *session)
{
    const struct conf_pairs *own = &h->upstream->server->headers;
    h->http.header_count = 0;
    bool get = r && str_is(STR("GET"), r->method);
    if (!get)
        hop_header(h, "Content-Type", STR("application/json"));
    hop_header(h, "Accept", get ? STR("text/event-stream") : STR("application/json, text/event-stream"));
    if (r && !str_is(STR("initialize"), r->method))
        hop_header(h, "MCP-Protocol-Version", arena_str(&h->arena, r->version));
    if (r && r->era == WIRE_ERA_MODERN) {
        hop_header(h, "Mcp-Method", str_of(r->method));
        if (r->name.p)
            hop_header(h, "Mcp-Name", http_value_write(r->name, &h->arena));
    }
    if (session && session[0])
        hop_header(h, "Mcp-Session-Id", arena_str(&h->arena, str_of(session)));
    if (r && r->traceparent.p)
        hop_header(h, "traceparent", r->traceparent);
    for (size_t i = 0; i < own->n; i++) /* views of the secrets: they are never copied into the arena */
        hop_header(h, own->v[i].name.p,
                   (struct str){(const char *)secret_bytes(own->v[i].value), secret_len(own->v[i].value)});
}

/* h->request is written and the headers are set. The answer comes through `told`, never from inside. */
void hop_send(struct hop *h, const char *method, unsigned timeout_ms)
{
    struct fault f;
    struct client_origin *o = http_origin(h->worker, h->upstream, &f);
    h->http = (struct client_call){
        .ops = &hop_ops,
        .method = str_of(method),
        .target = http_inner(h->upstream)->url.target,
        .headers = h->header,
        .header_count = h->http.header_count,
        .body = buf_view(&h->request),
        .timeout_ms = timeout_ms,
        .stall_ms = timeout_ms,
    };
    h->answered = h->stream = h->json = false;
    h->active = true;
    client_send(o, &h->http); /* origins are made when a server is opened, so that o is there */
}

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
    h->id = arena_str(&h->arena, r->id);
    h->told = http_probe_told;
    h->ctx = p;
    wire_write(&h->request, r);
    hop_headers(h, r, p->session);
    hop_send(h, "POST", HTTP_PROBE_MS);
}

static void http_ignore(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    (void)h, (void)e, (void)why, (void)m;
}

/* A message that needs no answer, or a DELETE. */
void http_notify(struct connect_worker *w, struct upstream *u, const char *method, struct str message,
                 const struct wire_request *r, const char *session)
{
    struct hop *h = w->closed ? NULL : hop_new(w, u);
    if (!h)
        return;
    h->told = http_ignore;
    buf_str(&h->request, message);
    hop_headers(h, r, session);
    hop_send(h, method, HTTP_PROBE_MS);
}

static void http_probe_notify(struct probe *probe, struct str message)
{
    struct http_probe *p = (struct http_probe *)probe;
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = probe->version, .method = "notifications/initialized"};
    http_notify(&probe->upstream->connect->local[0], probe->upstream, "POST", message, &r, p->session);
}

/* The revision that a legacy server agreed to. */
struct str http_version(struct upstream *u, char ret[16])
{
    pthread_rwlock_rdlock(&u->connect->lock);
    memcpy(ret, u->protocol, 16);
    pthread_rwlock_unlock(&u->connect->lock);
    return ret[0] ? str_of(ret) : STR(WIRE_LEGACY);
}

/* A session that is not needed any more is given back (MCP 2025-11-25 basic/transports, "Session Management"). */
void http_session_delete(struct upstream *u, const char *session)
{
    char version[16];
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = http_version(u, version), .method = "DELETE"};
    if (session[0])
        http_notify(&u->connect->local[0], u, "DELETE", STR_NONE, &r, session);
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

static void http_call_send(struct hop *h, const char *session, struct str version)
{
    struct connect_call *c = h->flight.call;
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

static void http_session_lost(struct hop *h);

static void http_call_told(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    if (!h->flight.call)
        return; /* cancelled */
    if (h->session && h->status == 404 && !h->retried && !h->resumed) {
        http_session_lost(h);
        return;
    }
    if (h->session) {
        h->session->users--;
        h->session = NULL;
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

/* ---- legacy sessions, on worker 0 ---- */

static struct http_session *http_session_find(struct upstream *u, struct str key, unsigned can)
{
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next)
        if (!s->over && s->can == can && str_eq(key, str_of(s->key)))
            return s;
    return NULL;
}

static void http_session_unlink(struct http_session *s)
{
    struct http_session **at = &http_inner(s->upstream)->sessions;
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
}

/* Sessions that are over are freed when no call uses them any more. */
static void http_sessions_sweep(struct upstream *u)
{
    for (struct http_session *s = http_inner(u)->sessions, *next; s; s = next) {
        next = s->next;
        if (!s->over || s->users || s->waiting)
            continue;
        http_session_unlink(s);
        free(s);
    }
}

void http_session_over(struct http_session *s)
{
    s->over = true;
    if (s->stream)
        client_cancel(&s->stream->http);
}

/* It is ready, or never will be: the calls that waited for that. */
static void http_session_settle(struct http_session *s, struct str version, enum err e, const char *why)
{
    struct hop *waiting = s->waiting;
    s->waiting = NULL;
    while (waiting) {
        struct hop *w = waiting;
        waiting = w->next_free;
        w->next_free = NULL;
        if (!w->flight.call) { /* cancelled while it waited */
            s->users--;
            hop_free(w);
        } else if (!e) {
            http_call_send(w, s->id, version);
        } else {
            w->session = NULL;
            s->users--;
            flight_fail(&w->flight, e, why, false);
            hop_free(w);
        }
    }
    if (!e && s->over && !s->users) { /* forgotten while it opened, and nobody waits for it any more */
        struct upstream *u = s->upstream;
        http_session_delete(u, s->id);
        http_sessions_sweep(u);
    }
}

void http_session_leveled(struct http_session *s)
{
    char version[16];
    s->ready = true;
    http_session_settle(s, http_version(s->upstream, version), ERR_OK, NULL);
}

/* The most that a waiting call wants of the log. NULL: none wants any. */
static const char *http_session_wish(const struct http_session *s)
{
    const char *wish = NULL;
    for (const struct hop *h = s->waiting; h; h = h->next_free) {
        const char *level = h->flight.call ? h->flight.call->log_level : NULL;
        if (level && (!wish || connect_level(str_of(level)) < connect_level(str_of(wish))))
            wish = level;
    }
    return wish;
}

static void http_session_told(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    struct http_session *s = h->ctx;
    uint32_t node = m && m->result ? json_get(&h->doc, m->result, STR("protocolVersion")) : 0;
    bool ok = !e && json_type(&h->doc, node) == JSON_STRING;
    struct str version = ok ? json_str(&h->doc, node, &h->scratch) : STR_NONE;
    ok = ok && wire_legacy_known(version);
    s->users--;
    if (ok) {
        struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = version, .method = "notifications/initialized"};
        struct buf b;
        memcpy(s->id, h->got_session, sizeof(s->id));
        s->ready = true;
        buf_init(&b, 4096);
        wire_write_initialized(&b);
        http_notify(h->worker, s->upstream, "POST", buf_view(&b), &r, s->id);
        buf_done(&b);
    } else {
        s->over = true;
    }
    if (ok && (http_log_level(s, http_session_wish(s)) || http_session_listen(s)))
        return;
    http_session_settle(s, version, ok ? ERR_OK : e ? e : ERR_UPSTREAM, e ? why : "refused to open a protocol session");
    if (!ok) /* s may be gone by now: what was told may have opened another session, and that sweeps */
        upstream_doubt(h->upstream);
}

static struct http_session *http_session_open(struct connect_worker *w, struct upstream *u, struct str key,
                                              unsigned can)
{
    struct http_session *s = calloc(1, sizeof(*s));
    struct hop *h = s ? hop_new(w, u) : NULL;
    unsigned count = 0;
    http_sessions_sweep(u);
    for (struct http_session *k = http_inner(u)->sessions; k; k = k->next)
        count++;
    if (!h || count >= HTTP_SESSIONS) {
        if (h)
            hop_free(h);
        free(s);
        return NULL;
    }
    s->upstream = u;
    memcpy(s->key, key.p, key.n);
    s->can = can;
    s->next = http_inner(u)->sessions;
    http_inner(u)->sessions = s;
    s->users = 1; /* the hop that opens it */
    struct wire_request r = {.era = WIRE_ERA_LEGACY,
                             .version = STR(WIRE_LEGACY),
                             .method = "initialize",
                             .id = STR("initialize"),
                             .can = can};
    h->id = r.id;
    h->told = http_session_told;
    h->ctx = s;
    wire_write(&h->request, &r);
    hop_headers(h, &r, NULL);
    hop_send(h, "POST", HTTP_PROBE_MS);
    return s;
}

static void http_session_use(struct hop *h)
{
    char text[CONNECT_KEY_MAX], version[16];
    struct upstream *u = h->upstream;
    struct str key = upstream_key(u, h->flight.call->agent, h->flight.call->session, text);
    unsigned can = h->flight.call->can;
    struct http_session *s = http_session_find(u, key, can);
    if (!s && !(s = http_session_open(h->worker, u, key, can))) {
        struct connect_call *c = h->flight.call;
        flight_forget(&h->flight);
        hop_free(h);
        connect_fail_later(c, ERR_UPSTREAM, "too many protocol sessions are open, or no memory");
        return;
    }
    s->users++;
    h->session = s;
    if (s->ready && !http_log_level(s, h->flight.call->log_level) && !http_session_listen(s)) {
        http_call_send(h, s->id, http_version(u, version));
    } else {
        h->next_free = s->waiting;
        s->waiting = h;
    }
}

/* The server forgot our session (HTTP 404): a new one, and the call once more, since it never reached a tool. */
static void http_session_lost(struct hop *h)
{
    struct connect_call *c = h->flight.call;
    http_session_over(h->session);
    h->session->users--;
    h->session = NULL;
    struct hop *again = hop_new(h->worker, h->upstream);
    flight_forget(&h->flight);
    if (!again) {
        connect_fail_later(c, ERR_NOMEM, "no memory for the call");
        return;
    }
    flight_begin(&again->flight, h->worker, c);
    again->id = arena_str(&again->arena, h->id);
    again->told = http_call_told;
    again->retried = true;
    http_session_use(again);
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
        h->session->users--;
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

static void http_forget(struct upstream *u, struct str key)
{
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next) {
        if (s->over || !str_eq(key, str_of(s->key)))
            continue;
        http_session_over(s);
        if (s->ready)
            http_session_delete(u, s->id);
    }
    http_sessions_sweep(u);
}

static void http_stop(struct upstream *u)
{
    ear_close(u);
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next) {
        if (s->ready && !s->over)
            http_session_delete(u, s->id);
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
    .up = ear_open,
    .subscribe = ear_subscribe,
    .reply = http_reply,
    .one_ear = true,
};

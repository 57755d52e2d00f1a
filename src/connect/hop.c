/* Messages over HTTP and what comes back: one answer as JSON, or a stream of events. */
#include <stdio.h>
#include <stdlib.h>

#include "connect/hop.h"

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
        size_t max = (size_t)u->conf->root.limits.result_bytes; /* the connector's own changes under a worker */
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
    if (m.kind == WIRE_COMPLETED && h->flight.call && h->session)
        upstream_completed(h->upstream, str_of(h->session->key), m.uri);
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

struct client_origin *http_origin(struct connect_worker *w, struct upstream *u, struct fault *f)
{
    struct http_inner *in = http_inner(u);
    unsigned i = w->worker->index;
    if (!in->origin[i] && client_origin(w->client, &in->url, u->server->tls, &in->origin[i], f))
        return NULL;
    return in->origin[i];
}

/* Arguments that the server wants mirrored: string, integer, boolean; what is null or not there has no header. */
void hop_params(struct hop *h, const struct tool *t, struct str arguments)
{
    struct json j;
    if (!t->param_count || json_parse(&j, arguments, &h->arena, NULL, NULL))
        return;
    for (size_t i = 0; i < t->param_count; i++)
        hop_header(h, t->param[i].header.p, tool_param_value(&t->param[i], &j, JSON_ROOT, &h->arena));
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
    if (r && r->tracestate.n)
        hop_header(h, "tracestate", r->tracestate);
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
        .unwritten = buf_failed(&h->request) || arena_failed(&h->arena),
        .timeout_ms = timeout_ms,
        .stall_ms = timeout_ms,
    };
    h->answered = h->stream = h->json = false;
    h->active = true;
    client_send(o, &h->http); /* origins are made when a server is opened, so that o is there */
}

/* ---- messages that need no answer ---- */

static void http_ignore(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    (void)h, (void)e, (void)why, (void)m;
}

/* A message that needs no answer, or a DELETE. */
void http_notify(struct connect_worker *w, struct upstream *u, const char *method, struct str message,
                 const struct wire_request *r, const char *session)
{
    struct hop *h = w->closed || (!message.n && str_is(STR("POST"), method)) ? NULL : hop_new(w, u);
    if (!h) /* or it could not be written */
        return;
    h->told = http_ignore;
    if (w->worker->index == 0 && str_is(STR("notifications/cancelled"), r->method))
        kill_notice(h);
    buf_str(&h->request, message);
    hop_headers(h, r, session);
    hop_send(h, method, HTTP_PROBE_MS);
}

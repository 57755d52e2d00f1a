/*
 * The log of a legacy server over HTTP (MCP 2025-11-25 server/utilities/logging), and the stream of a protocol session.
 * The log's level is the session's; what the server writes, and what it asks, comes on the stream of the call or, as
 * the SDKs do it by default, on the session's own (GET).
 */
#include "base/log.h"
#include "connect/hop.h"

enum { LOG_STALL_MS = 3600000 };

void http_log_said(struct http_session *s, struct str params)
{
    struct connect_worker *w = &s->upstream->connect->local[0];
    struct hop *found = NULL;
    for (struct flight *f = w->flights; f; f = f->next) {
        struct hop *h = (struct hop *)f;
        if (f->upstream != s->upstream || h->session != s)
            continue;
        if (found && !str_eq(f->call->session, found->flight.call->session))
            return;
        found = h;
    }
    if (found)
        flight_said(&found->flight, params);
    else
        upstream_said(s->upstream, str_of(s->key), params);
}

static void log_heard(struct hop *h, const struct wire_message *m)
{
    struct http_session *s = h->ctx;
    if (m->kind == WIRE_ASKS)
        http_session_asked(h->worker, s, NULL, &h->doc, m);
    else if (m->kind == WIRE_WITHDRAWN)
        http_session_withdrawn(s, m);
    else if (m->kind == WIRE_SAID)
        http_log_said(h->ctx, json_raw(&h->doc, m->params));
    else if (m->kind == WIRE_CHANGED)
        upstream_changed(h->upstream);
    else if (m->kind == WIRE_COMPLETED)
        upstream_completed(h->upstream, str_of(s->key), m->uri);
}

/* ---- the level: first the stream, so that nothing is said before it is there, then the level, then the calls ---- */

static void log_asked(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    struct http_session *s = h->ctx;
    (void)e, (void)why, (void)m; /* a log that stays silent is no reason to refuse a call */
    http_session_left(s);
    http_session_leveled(s);
}

static void log_ask(struct http_session *s)
{
    char text[16];
    struct hop *h = s->over ? NULL : hop_new(&s->upstream->connect->local[0], s->upstream);
    struct wire_request r = {
        .era = WIRE_ERA_LEGACY, .version = http_version(s->upstream, text), .method = "logging/setLevel"};
    if (!h) {
        http_session_leveled(s);
        return;
    }
    s->users++;
    h->id = STR("level");
    h->told = log_asked;
    h->ctx = s;
    wire_write_level(&h->request, h->id, s->level);
    hop_headers(h, &r, s->id);
    hop_send(h, "POST", HTTP_PROBE_MS);
}

static void log_listens(struct http_session *s)
{
    if (s->leveled)
        log_ask(s);
    else
        http_session_leveled(s);
}

static void log_opened(struct hop *h)
{
    h->opened = NULL;
    log_listens(h->ctx);
}

static void log_ended(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    struct http_session *s = h->ctx;
    bool never = h->opened;
    (void)e, (void)m;
    s->stream = NULL;
    s->deaf = h->status >= 400;
    s->leveled = s->leveled && never; /* the next call that wants the log opens one that has ended again */
    log_debug("server_log_ended", LOG_S("server", h->upstream->server->name), LOG_Z("reason", why ? why : ""));
    if (never)
        log_listens(s);
    http_session_left(s);
}

static bool log_open(struct http_session *s)
{
    char text[16];
    struct hop *h = s->stream || s->deaf ? NULL : hop_new(&s->upstream->connect->local[0], s->upstream);
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .version = http_version(s->upstream, text), .method = "GET"};
    if (!h)
        return false;
    h->ctx = s;
    h->told = log_ended;
    h->heard = log_heard;
    h->opened = log_opened;
    s->stream = h;
    s->users++;
    hop_headers(h, &r, s->id);
    hop_send(h, "GET", HTTP_PROBE_MS);
    h->http.stall_ms = LOG_STALL_MS;
    return true;
}

bool http_log_level(struct http_session *s, const char *level)
{
    if (!level || s->over || (s->leveled && connect_level(str_of(s->level)) <= connect_level(str_of(level))))
        return false;
    s->ready = false;
    s->leveled = true;
    s->level = level; /* one of the names of connect_level_name */
    if (!log_open(s))
        log_ask(s);
    return true;
}

bool http_session_listen(struct http_session *s)
{
    bool ready = s->ready;
    if (!s->can || s->over || s->stream || s->deaf)
        return false;
    s->ready = false;
    if (log_open(s))
        return true;
    s->ready = ready;
    return false;
}

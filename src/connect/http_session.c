/*
 * Protocol sessions with legacy servers over HTTP (MCP 2025-11-25 basic/transports, "Session Management"): one for each
 * isolation key and what its clients can be asked, opened by the first call that needs it. Worker 0.
 */
#include <stdlib.h>

#include "connect/hop.h"

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

/* Not under a call in work: its server would end it with the session. */
static void http_session_give_back(struct http_session *s)
{
    unsigned own = s->stream ? 1 : 0;
    if (!s->owed || !s->ready || s->users > own)
        return;
    s->owed = false;
    http_session_delete(s->upstream, s->id);
}

void http_session_left(struct http_session *s)
{
    s->users--;
    http_session_give_back(s);
}

/* ---- what is said in one ---- */

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

void http_reply(struct flight *f, struct str id, bool error, struct str value)
{
    struct hop *h = (struct hop *)f;
    struct buf b;
    buf_init(&b, 64u << 20);
    wire_write_answer(&b, id, error, value);
    if (h->session)
        http_session_say(h->worker, h->session, &b);
    buf_done(&b);
}

void http_tell_roots(struct http_session *s)
{
    char version[16];
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .method = "notifications/roots/list_changed"};
    struct buf b;
    r.version = http_version(s->upstream, version);
    s->roots_changed = false;
    buf_init(&b, 4096);
    wire_write_roots_changed(&b);
    http_notify(&s->upstream->connect->local[0], s->upstream, "POST", buf_view(&b), &r, s->id);
    buf_done(&b);
}

void http_roots_changed(struct upstream *u, struct str key)
{
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next) {
        unsigned own = s->stream ? 1 : 0;
        if (s->over || !s->ready || !(s->can & CAN_ROOTS_CHANGES) || !str_eq(key, str_of(s->key)))
            continue;
        s->roots_changed = true;
        if (s->users > own)
            http_tell_roots(s);
    }
}

/* ---- from its start to its end ---- */

static struct http_session *http_session_find(struct upstream *u, struct str key, unsigned can)
{
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next)
        if (!s->over && s->can == can && str_eq(key, str_of(s->key)))
            return s;
    return NULL;
}

/* Sessions that are over are freed when no call uses them any more. */
void http_sessions_sweep(struct upstream *u)
{
    for (struct http_session **at = &http_inner(u)->sessions; *at;) {
        struct http_session *s = *at;
        if (!s->over || s->users || s->waiting) {
            at = &s->next;
            continue;
        }
        *at = s->next;
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
            http_session_left(s);
            hop_free(w);
        } else if (!e) {
            http_call_send(w, s->id, version);
        } else {
            w->session = NULL;
            http_session_left(s);
            flight_fail(&w->flight, e, why, false);
            hop_free(w);
        }
    }
    if (!e)                        /* else s may be gone */
        http_session_give_back(s); /* forgotten while it opened, and nobody waits for it any more */
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

/* ---- for calls ---- */

void http_session_use(struct hop *h)
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
void http_session_lost(struct hop *h)
{
    struct connect_call *c = h->flight.call;
    http_session_over(h->session);
    http_session_left(h->session);
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

/* ---- no longer needed ---- */

void http_forget(struct upstream *u, struct str key)
{
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next) {
        if (s->over || !str_eq(key, str_of(s->key)))
            continue;
        s->owed = true;
        http_session_over(s);
        http_session_give_back(s);
    }
    http_sessions_sweep(u);
}

/* The server needs none any more: those that are idle are given back, those with a call in work the next time. */
void http_sessions_retire(struct upstream *u)
{
    for (struct http_session *s = http_inner(u)->sessions; s; s = s->next) {
        unsigned own = s->stream ? 1 : 0;
        if (s->over || !s->ready || s->users > own)
            continue;
        http_session_over(s);
        http_session_delete(u, s->id);
    }
    http_sessions_sweep(u);
}

/*
 * Credentials. One is got when a call needs it, and renewed before it ends as long as anything is under way. A legacy
 * client's protocol session is made anew with each: what it said once is said again, and the client learns only that
 * lists may have changed.
 *
 *   login -> initialize -> notifications/initialized -> what was kept -> in use      (legacy)
 *   login -> in use                                                                  (modern)
 */
#include <stdlib.h>

#include "base/hash.h"
#include "cli/bridge.h"

enum { SESSION_MARGIN_MS = 60000, SESSION_ROOM_MS = 250, SESSION_ROOM_TRIES = 8, SESSION_SETTLE_MS = 2000 };

int64_t bridge_again(unsigned failures)
{
    int64_t ms = BRIDGE_AGAIN_MS << (failures < 6 ? failures : 6);
    return ms < BRIDGE_AGAIN_MAX_MS ? ms : BRIDGE_AGAIN_MAX_MS;
}

/* ---- their ends ---- */

static void session_give_back(struct bridge *b, struct secret *token)
{
    struct bridge_errand *e = calloc(1, sizeof(*e));
    if (!e) {
        secret_free(token);
        return;
    }
    e->token = token;
    bridge_errand_send(b, e);
}

static void session_release(struct bridge *b, struct bridge_promise *p)
{
    struct bridge_session *s = p->session;
    p->session = NULL;
    if (s && --s->calls == 0)
        bridge_session_unused(b, s);
}

void bridge_promised(struct bridge *b, struct bridge_session *s, struct str state)
{
    struct bridge_promise *p = &b->promise[b->promise_at++ % BRIDGE_QUESTIONS];
    session_release(b, p);
    s->calls++;
    *p = (struct bridge_promise){s, str_hash(state)};
}

static void session_free(struct bridge *b, struct bridge_session *s)
{
    struct bridge_session **at = &b->sessions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    for (size_t i = 0; i < BRIDGE_QUESTIONS; i++)
        if (b->question[i].session == s)
            b->question[i].session = NULL;
    if (s->over)
        secret_free(s->token);
    else
        session_give_back(b, s->token);
    free(s);
}

void bridge_session_unused(struct bridge *b, struct bridge_session *s)
{
    if (!s->calls && s != b->current && s != b->coming)
        session_free(b, s);
}

void bridge_session_over(struct bridge *b, struct bridge_session *s)
{
    if (s != b->current)
        return;
    b->current = NULL;
    bridge_session_unused(b, s);
}

void bridge_sessions_free(struct bridge *b)
{
    b->current = b->coming = NULL;
    while (b->calls)
        bridge_call_free(b->calls);
    for (size_t i = 0; i < BRIDGE_QUESTIONS; i++)
        session_release(b, &b->promise[i]);
    while (b->sessions)
        session_free(b, b->sessions);
    while (b->kept) {
        struct bridge_kept *k = b->kept;
        b->kept = k->next;
        buf_done(&k->line);
        free(k);
    }
}

/* ---- what a new protocol session must hear ---- */

static struct bridge_kept **session_kept(struct bridge *b, struct str uri)
{
    struct bridge_kept **at = &b->kept;
    while (*at && !str_eq((*at)->uri, uri))
        at = &(*at)->next;
    return at;
}

static void session_forget(struct bridge *b, struct bridge_kept **at)
{
    struct bridge_kept *k = *at;
    if (!k)
        return;
    *at = k->next;
    b->kept_count--;
    buf_done(&k->line);
    free(k);
}

void bridge_keep(struct bridge *b, struct bridge_call *call)
{
    bool level = str_is(call->rpc.method, "logging/setLevel"), on = str_is(call->rpc.method, "resources/subscribe");
    struct str uri = json_str(&call->doc, json_get(&call->doc, call->rpc.params, STR("uri")), &call->arena);
    if (!level && !on && !str_is(call->rpc.method, "resources/unsubscribe"))
        return;
    session_forget(b, session_kept(b, level ? STR("") : uri));
    if ((!level && !on) || (on && !uri.n) || b->kept_count == BRIDGE_SUBSCRIPTIONS)
        return;
    struct bridge_kept *k = calloc(1, sizeof(*k) + uri.n + 1);
    if (!k)
        return;
    char *copy = (char *)(k + 1);
    if (on)
        memcpy(copy, uri.p, uri.n);
    k->uri = (struct str){copy, on ? uri.n : 0};
    buf_init(&k->line, BRIDGE_LINE);
    buf_str(&k->line, call->line);
    k->next = b->kept;
    b->kept = k;
    b->kept_count++;
}

static bool session_say(struct bridge *b, enum bridge_kind kind, const struct buf *line,
                        void (*then)(struct bridge_call *, bool))
{
    struct bridge_call *call = bridge_call_new(b, kind, buf_view(line));
    if (!call)
        return false;
    call->own = true;
    call->then = then;
    bridge_call_start(call, b->coming);
    return true;
}

/* ---- the stream of a legacy client ---- */

void bridge_listen(struct bridge *b)
{
    if (b->stream)
        bridge_call_free(b->stream);
    b->stream_at = 0;
    if (b->deaf || !b->current || !b->current->id[0])
        return;
    b->stream = bridge_call_new(b, BRIDGE_STREAM, STR_NONE);
    if (b->stream)
        bridge_call_start(b->stream, b->current);
}

void bridge_stream_over(struct bridge_call *call)
{
    struct bridge *b = call->bridge;
    struct bridge_session *s = call->session;
    bool streamed = call->stream && call->status < 300;
    b->deaf = call->status == 405;
    b->stream_failures = streamed ? 0 : b->stream_failures + 1;
    b->stream_at = b->deaf ? 0 : bridge_now() + bridge_again(b->stream_failures);
    if (call->status == 401 || call->status == 404) {
        s->over = s->over || call->status == 401;
        bridge_session_over(b, s);
    }
    bridge_call_free(call);
}

/* ---- a new one ---- */

static void session_arrived(struct bridge *b)
{
    struct bridge_session *old = b->current;
    b->current = b->coming;
    b->coming = NULL;
    b->failures = 0;
    b->served = true;
    if (old)
        old->calls++; /* it stays until its streams have moved */
    if (b->legacy && b->met && b->initialized.n) {
        b->settles = bridge_now() + SESSION_SETTLE_MS;
        bridge_listen(b);
        bridge_changed(b);
    }
    for (struct bridge_call *c = b->calls; c; c = c->next)
        if (c->listen && c->session && c->session != b->current && !c->answered) {
            c->reopened = c->opened;
            bridge_call_wait(c, 0);
        }
    if (old && --old->calls == 0)
        bridge_session_unused(b, old);
}

/* Those that wait learn why. What goes on for the client by itself is tried again later. */
static void session_failed(struct bridge *b, const struct fault *f)
{
    struct bridge_session *s = b->coming;
    int64_t pause = bridge_again(b->failures++), now = bridge_now();
    b->coming = NULL;
    if (s)
        bridge_session_unused(b, s);
    if (!b->current || bridge_now() >= b->current->ends ||
        f->err != ERR_SESSIONS) /* there may be room when its calls have ended */
        bridge_tell(b, f);
    if (b->current)
        b->current->due = now + pause;
    if (b->stream_at)
        b->stream_at = now + pause;
    for (struct bridge_call *c = b->calls, *next; c; c = next) {
        next = c->next;
        if (c->session || c->own)
            continue;
        if (c->listen && c->opened)
            bridge_call_wait(c, pause);
        else
            bridge_call_fail(c, f);
    }
}

static void session_initialized(struct bridge_call *call, bool ok)
{
    struct bridge *b = call->bridge;
    if (!b->coming)
        return;
    if (!ok) {
        struct fault f;
        fault_set(&f, ERR_UPSTREAM, "the gateway did not take notifications/initialized in a new session");
        session_failed(b, &f);
        return;
    }
    for (struct bridge_kept *k = b->kept; k; k = k->next)
        if (!session_say(b, BRIDGE_REQUEST, &k->line, NULL))
            break;
    session_arrived(b);
}

static void session_began(struct bridge_call *call, bool ok)
{
    struct bridge *b = call->bridge;
    if (!b->coming)
        return;
    if (!ok)
        session_failed(b, &call->fault);
    else if (!b->initialized.n || !session_say(b, BRIDGE_NOTIFICATION, &b->initialized, session_initialized))
        session_arrived(b);
}

static bool session_expired(const struct bridge *b)
{
    return b->current && bridge_now() >= b->current->ends;
}

void bridge_logged_in(struct bridge *b, struct bridge_errand *e)
{
    struct bridge_session *s = calloc(1, sizeof(*s));
    b->logging_in = false;
    if (b->current && !e->token && e->gives_back) /* the one in use had to make room */
        b->current->over = true;
    /* One of ours may have ended a moment ago without the gateway having counted that, or may make room now. */
    bool room = e->err == ERR_SESSIONS && b->served && (!b->current || session_expired(b));
    if (room && b->failures < SESSION_ROOM_TRIES) {
        free(s);
        b->failures++;
        b->login_at = bridge_now() + SESSION_ROOM_MS;
        return;
    }
    if (e->err || !s) {
        free(s);
        session_failed(b, &e->fault);
        return;
    }
    int64_t now = bridge_now(), margin = e->lifetime_ms / 4;
    s->token = e->fresh;
    e->fresh = NULL;
    s->ends = now + e->lifetime_ms;
    s->due = s->ends - (margin < SESSION_MARGIN_MS ? margin : SESSION_MARGIN_MS);
    s->next = b->sessions;
    b->sessions = s;
    b->coming = s;
    bridge_well(b);
    if (!b->legacy || !b->met || !session_say(b, BRIDGE_REQUEST, &b->initialize, session_began))
        session_arrived(b);
}

/* Only when nothing but streams is under way, or it is over by our clock, may the session in use be given up for
 * another. */
static bool session_idle(const struct bridge *b)
{
    if (session_expired(b))
        return true;
    for (const struct bridge_call *c = b->calls; c; c = c->next)
        if (c->session == b->current && c->kind != BRIDGE_STREAM && !c->listen)
            return false;
    for (size_t i = 0; i < BRIDGE_QUESTIONS; i++)
        if (b->promise[i].session == b->current && b->current)
            return false;
    return true;
}

static void session_begin(struct bridge *b)
{
    bool wait = b->logging_in || b->coming || b->ending || bridge_now() < b->login_at;
    struct bridge_errand *e = wait ? NULL : calloc(1, sizeof(*e));
    if (!e)
        return;
    e->login = true;
    if (b->current && session_idle(b))
        e->token = secret_new(secret_bytes(b->current->token), secret_len(b->current->token));
    e->gives_back = e->token != NULL;
    b->logging_in = true;
    bridge_errand_send(b, e);
}

/* In a new session the client's calls come behind its subscriptions, the level of its log and its stream: what a call
 * makes its server say would be told to nobody. */
static bool session_settling(struct bridge *b)
{
    bool waits = b->stream && !b->stream->headed;
    for (const struct bridge_call *c = b->calls; c && b->settles && !waits; c = c->next)
        waits = c->own && c->kind == BRIDGE_REQUEST && c->session && c->session == b->current;
    if (!waits || bridge_now() >= b->settles)
        b->settles = 0;
    return b->settles != 0;
}

bool bridge_ready(struct bridge *b)
{
    if (b->current && !session_expired(b))
        return !session_settling(b);
    session_begin(b);
    return false;
}

/* In the session in use; a call with what its server wanted, in the one that was told so. */
static void session_start(struct bridge *b, struct bridge_call *call)
{
    uint32_t node = call->modern ? json_get(&call->doc, call->rpc.params, STR("requestState")) : 0;
    struct str state = json_str(&call->doc, node, &call->arena);
    uint64_t hash = state.n ? str_hash(state) : 0;
    for (size_t i = 0; i < BRIDGE_QUESTIONS && state.n && !call->retried; i++) {
        struct bridge_promise *p = &b->promise[i];
        struct bridge_session *s = p->session;
        if (!s || p->state != hash || s->over)
            continue;
        s->calls++; /* a call that cannot be sent is gone at once */
        bridge_call_start(call, s);
        session_release(b, p);
        if (--s->calls == 0)
            bridge_session_unused(b, s);
        return;
    }
    bridge_call_start(call, b->current);
}

void bridge_sessions_tick(struct bridge *b)
{
    int64_t now = bridge_now();
    for (size_t i = 0; i < BRIDGE_QUESTIONS; i++)
        if (b->promise[i].session && b->promise[i].session->ends <= now)
            session_release(b, &b->promise[i]);
    for (struct bridge_call *c = b->calls, *next; c; c = next) {
        next = c->next;
        if (!c->session && c->again_at <= now && bridge_ready(b))
            session_start(b, c);
    }
    if (b->stream_at && b->stream_at <= now && bridge_ready(b)) {
        bridge_listen(b);
        bridge_changed(b);
    }
    if (b->current && b->current->due <= now && b->calls)
        session_begin(b);
}

int64_t bridge_patience(const struct bridge *b)
{
    int64_t now = bridge_now(), until = now + 60000;
    for (const struct bridge_call *c = b->calls; c; c = c->next)
        if (!c->session && c->again_at > now && c->again_at < until)
            until = c->again_at;
    if (b->calls && b->login_at > now && b->login_at < until)
        until = b->login_at;
    if (b->stream_at > now && b->stream_at < until)
        until = b->stream_at;
    if (b->settles > now && b->settles < until)
        until = b->settles;
    if (b->current && b->calls && b->current->due > now && b->current->due < until)
        until = b->current->due;
    return until - now + 1;
}

/*
 * MCP servers over stdio (MCP 2026-07-28 and 2025-11-25 basic/transports, "stdio"). Servers keep state, and state must
 * not leak: one process for each isolation key, started by the first call that needs it. What the server is, is found
 * out with a disposable process. Worker 0 only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connect/child.h"

enum {
    STDIO_DISCOVER_MS = 10000,
    STDIO_STEP_MS = 30000,
    STDIO_BACKOFF_MS = 200,
    STDIO_BACKOFF_MAX_MS = 30000,
    STDIO_STEADY_MS = 30000,
    STDIO_ARENA = 256 << 20
};

struct stdio_flight {
    struct flight flight; /* first */
    struct child *child;
    struct stdio_flight *next, **link;
    char id[24];
    bool sent;
};

struct stdio_inner {
    struct child *children; /* all, the closing ones too */
    unsigned crashes;
    uint64_t not_before; /* of the loop's clock: no new process until then */
    unsigned probes;     /* of processes that serve calls: their ids go on */
};

struct stdio_probe {
    struct probe probe; /* first */
    struct child *child;
    uv_timer_t timer;
    bool over;
    bool shared; /* the child serves calls, too: it stays */
};

static struct stdio_inner *stdio_inner(const struct upstream *u)
{
    return u->inner;
}

static uint64_t stdio_now(const struct upstream *u)
{
    return uv_now(&u->connect->workers[0].loop);
}

/* ---- flights ---- */

static void stdio_link(struct stdio_flight **list, struct stdio_flight *s)
{
    s->next = *list;
    s->link = list;
    if (*list)
        (*list)->link = &s->next;
    *list = s;
}

static void stdio_unlink(struct stdio_flight *s)
{
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
}

static struct stdio_flight *stdio_pop(struct stdio_flight **list)
{
    struct stdio_flight *s = *list;
    if (!s)
        return NULL;
    *list = s->next;
    if (s->next)
        s->next->link = list;
    return s;
}

static struct stdio_flight *stdio_find(const struct child *c, struct str id)
{
    for (struct stdio_flight *s = c->flights; s; s = s->next)
        if (str_is(id, s->id))
            return s;
    return NULL;
}

static void stdio_fail_all(struct stdio_flight **list, const char *why)
{
    for (struct stdio_flight *s; (s = stdio_pop(list));) {
        flight_fail(&s->flight, ERR_UPSTREAM, why, s->sent);
        free(s);
    }
}

/* Of those whom the process serves the one who wants most decides; each is told what it asked for. */
static void stdio_level(struct child *c, const char *name)
{
    int level = connect_level(str_of(name));
    struct buf b;
    if (c->leveled && c->level <= level)
        return;
    c->leveled = true;
    c->level = level;
    buf_init(&b, 4096);
    wire_write_level(&b, STR("level"), name);
    child_write(c, buf_view(&b));
    buf_done(&b);
}

static void stdio_call_send(struct stdio_flight *s)
{
    struct connect_call *c = s->flight.call;
    struct child *child = s->child;
    struct buf b;
    struct wire_request r = wire_call(c);
    r.era = atomic_load(&child->upstream->era);
    r.version = STR(WIRE_LEGACY);
    r.id = str_of(s->id);
    buf_init(&b, 256u << 20);
    wire_write(&b, &r);
    if (r.era == WIRE_ERA_LEGACY && r.log_level)
        stdio_level(child, r.log_level);
    s->sent = !buf_failed(&b) && child_write(child, buf_view(&b));
    buf_done(&b);
    if (s->sent) {
        stdio_link(&child->flights, s);
        return;
    }
    flight_forget(&s->flight);
    connect_fail_later(c, ERR_UPSTREAM, "its process does not read what it is sent");
    free(s);
}

/* ---- children that serve calls ---- */

static void stdio_probe_lost(struct child *c, const char *how);

static void stdio_child_unlink(struct child *c)
{
    struct child **at = &stdio_inner(c->upstream)->children;
    while (*at && *at != c)
        at = &(*at)->next;
    if (*at)
        *at = c->next;
}

static void stdio_ended(struct child *c, const char *how)
{
    struct upstream *u = c->upstream;
    struct stdio_inner *in = stdio_inner(u);
    stdio_child_unlink(c);
    if (!c->asked && !u->stopping) { /* nobody told it to end */
        uint64_t now = stdio_now(u);
        in->crashes = now - c->born > STDIO_STEADY_MS ? 1 : in->crashes + 1;
        uint64_t wait = (uint64_t)STDIO_BACKOFF_MS << (in->crashes < 9 ? in->crashes : 9);
        in->not_before = in->crashes > 1 ? now + (wait < STDIO_BACKOFF_MAX_MS ? wait : STDIO_BACKOFF_MAX_MS) : 0;
        log_warn("server_process_ended", LOG_S("server", u->server->name), LOG_Z("how", how),
                 LOG_I("crashes", in->crashes));
        upstream_doubt(u);
    }
    if (c->probe)
        stdio_probe_lost(c, how);
    stdio_fail_all(&c->flights, how[0] ? how : "its process was stopped");
    stdio_fail_all(&c->waiting, how[0] ? how : "its process was stopped");
}

static void stdio_ask(struct child *c, struct str uri, bool on)
{
    struct buf b;
    buf_init(&b, 65536);
    wire_write_subscribe(&b, uri, on);
    if (!buf_failed(&b))
        child_write(c, buf_view(&b));
    buf_done(&b);
}

static void stdio_ready(struct child *c)
{
    c->state = CHILD_READY;
    for (struct subscription *s = c->upstream->subscriptions; s; s = s->next)
        if (str_is(s->key, c->key))
            stdio_ask(c, s->uri, true);
    for (struct stdio_flight *s; (s = stdio_pop(&c->waiting));)
        stdio_call_send(s);
}

static void stdio_opened(struct child *c, const struct json *doc, const struct wire_message *m)
{
    struct buf b;
    if (m->error || !json_get(doc, m->result, STR("protocolVersion"))) {
        stdio_fail_all(&c->waiting, "refused to open a protocol session");
        child_stop(c);
        return;
    }
    buf_init(&b, 4096);
    wire_write_initialized(&b);
    child_write(c, buf_view(&b));
    buf_done(&b);
    stdio_ready(c);
}

static void stdio_rest(struct child *c)
{
    if (c->forgotten && !c->flights && !c->waiting)
        child_stop(c);
}

static void stdio_answered(struct stdio_flight *s, const struct json *doc, const struct wire_message *m,
                           struct arena *arena)
{
    struct child *c = s->child;
    struct upstream *u = c->upstream;
    struct connect_answer a = {.sent = true,
                               .doc = doc,
                               .result = m->result,
                               .error = m->error,
                               .modern = atomic_load(&u->era) == WIRE_ERA_MODERN};
    struct fault f;
    if (input_judge(s->flight.call, doc, m->result, arena, &a.input, &f))
        a = (struct connect_answer){.err = f.err, .fault = &f, .sent = true};
    stdio_unlink(s);
    flight_done(&s->flight, &a);
    free(s);
    stdio_rest(c);
}

/* A line of the log does not say which call it is about: with calls of several sessions in work it is nobody's. */
static void stdio_said(struct child *c, struct str params)
{
    struct stdio_flight *s = c->flights;
    for (const struct stdio_flight *other = s; other; other = other->next)
        if (!str_eq(other->flight.call->session, s->flight.call->session))
            return;
    if (s)
        flight_said(&s->flight, params);
    else
        upstream_said(c->upstream, str_of(c->key), params);
}

/* A question does not say either which call it is about: of one client's calls it is the newest's. */
static void stdio_asked(struct child *c, const struct json *doc, const struct wire_message *m)
{
    struct stdio_flight *s = c->flights;
    struct buf b;
    for (const struct stdio_flight *other = s; s && other; other = other->next)
        if (!str_eq(other->flight.call->session, s->flight.call->session) ||
            !str_eq(other->flight.call->client, s->flight.call->client))
            s = NULL;
    if (s && flight_asked(&s->flight, doc, m))
        return;
    buf_init(&b, 65536);
    wire_write_reply(&b, m);
    if (!buf_failed(&b))
        child_write(c, buf_view(&b));
    buf_done(&b);
}

static void stdio_reply(struct flight *f, struct str id, bool error, struct str value)
{
    struct stdio_flight *s = (struct stdio_flight *)f;
    struct buf b;
    buf_init(&b, 64u << 20);
    wire_write_answer(&b, id, error, value);
    if (!buf_failed(&b))
        child_write(s->child, buf_view(&b));
    buf_done(&b);
}

static void stdio_message(struct child *c, const struct json *doc, const struct wire_message *m, struct arena *arena)
{
    bool mine = m->kind == WIRE_ANSWER || m->kind == WIRE_PROGRESS; /* other ids are the server's */
    struct stdio_flight *s = m->id.p && mine ? stdio_find(c, m->id) : NULL;
    if (m->kind == WIRE_ASKS) {
        stdio_asked(c, doc, m);
    } else if (m->kind == WIRE_WITHDRAWN) {
        for (struct stdio_flight *each = c->flights; each; each = each->next)
            flight_withdrawn(&each->flight, m);
    } else if (m->kind == WIRE_PROGRESS && s) {
        flight_progress(&s->flight, m->progress, m->total, m->text);
    } else if (m->kind == WIRE_ANSWER && c->state == CHILD_OPENING && str_eq(m->id, STR("initialize"))) {
        stdio_opened(c, doc, m);
    } else if (m->kind == WIRE_ANSWER && s) {
        stdio_answered(s, doc, m, arena);
    } else if (m->kind == WIRE_ANSWER && c->probe && str_is(m->id, c->probe->id)) {
        probe_answer(c->probe, ERR_OK, NULL, true, doc, m);
    } else if (m->kind == WIRE_CHANGED) {
        upstream_changed(c->upstream);
    } else if (m->kind == WIRE_UPDATED) {
        upstream_updated(c->upstream, str_of(c->key), m->uri);
    } else if (m->kind == WIRE_SAID) {
        stdio_said(c, json_raw(doc, m->params));
    }
}

/* Reads a line as a message; false: it is none. */
static bool stdio_read(struct child *c, struct str line, struct arena *a, struct json *doc, struct wire_message *ret)
{
    struct json_limits limits = {.depth = CONNECT_RESULT_DEPTH};
    struct fault f;
    if (json_parse(doc, line, a, &limits, &f)) {
        log_debug("server_garbage", LOG_S("server", c->upstream->server->name), LOG_Z("reason", f.text));
        return false;
    }
    wire_read(doc, a, ret);
    return true;
}

static void stdio_line(struct child *c, struct str line)
{
    struct arena a;
    struct json doc;
    struct wire_message m;
    arena_init(&a, STDIO_ARENA);
    if (stdio_read(c, line, &a, &doc, &m))
        stdio_message(c, &doc, &m, &a);
    arena_done(&a);
}

static struct child *stdio_child(struct upstream *u, struct str key, unsigned can)
{
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        if (c->state != CHILD_CLOSING && c->can == can && str_eq(key, str_of(c->key)))
            return c;
    return NULL;
}

/* Whichever of those that serve the key. */
static struct child *stdio_child_any(struct upstream *u, struct str key)
{
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        if (c->state != CHILD_CLOSING && str_eq(key, str_of(c->key)))
            return c;
    return NULL;
}

/* A modern server is told with each request what the client can be asked: one process serves them all. */
static unsigned stdio_can(const struct upstream *u, const struct connect_call *c)
{
    return atomic_load(&u->era) == WIRE_ERA_MODERN ? 0 : c->can;
}

static unsigned stdio_count(const struct upstream *u)
{
    unsigned n = 0;
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        n += c->state != CHILD_CLOSING;
    return n;
}

/* A modern server tells what changes only to those who asked for it. What it answers needs no reading. */
static void stdio_listen(struct child *c)
{
    struct buf b;
    char id[24], old[24];
    if (!c->upstream->tools || !(c->upstream->tools->can & (SERVER_TELLS | SERVER_SUBSCRIBE)))
        return;
    snprintf(old, sizeof(old), "listen-%u", c->listens);
    snprintf(id, sizeof(id), "listen-%u", ++c->listens);
    buf_init(&b, 1u << 20);
    wire_write_listen(&b, c->upstream, str_of(c->key), str_of(id));
    child_write(c, buf_view(&b));
    if (c->listens > 1) {
        buf_clear(&b);
        wire_write_cancelled(&b, str_of(old), "another one has taken its place");
        child_write(c, buf_view(&b));
    }
    buf_done(&b);
}

static enum err stdio_start(struct upstream *u, struct str key, unsigned can, struct child **ret, struct fault *f)
{
    struct stdio_inner *in = stdio_inner(u);
    uint64_t now = stdio_now(u);
    if (now < in->not_before)
        return fault_set(f, ERR_UPSTREAM, "its process ended %u times in a row; it is started again in %llu ms",
                         in->crashes, (unsigned long long)(in->not_before - now));
    if (stdio_count(u) >= (unsigned)u->server->max_processes)
        return fault_set(f, ERR_UPSTREAM,
                         "%lld processes of it run, which is its limit (servers." STR_FMT ".max_processes)",
                         (long long)u->server->max_processes, STR_ARG(u->server->name));
    TRY(child_start(u, key, ret, f));
    struct child *c = *ret;
    c->can = can;
    c->line = stdio_line;
    c->ended = stdio_ended;
    c->next = in->children;
    in->children = c;
    if (atomic_load(&u->era) == WIRE_ERA_MODERN) {
        c->state = CHILD_READY;
        stdio_listen(c);
        return ERR_OK;
    }
    struct buf b;
    struct wire_request r = {.era = WIRE_ERA_LEGACY, .method = "initialize", .id = STR("initialize"), .can = can};
    buf_init(&b, 4096);
    wire_write(&b, &r);
    child_write(c, buf_view(&b));
    buf_done(&b);
    return ERR_OK;
}

/* ---- probes ---- */

static void stdio_probe_closed(uv_handle_t *h)
{
    struct stdio_probe *p = h->data;
    free(p);
}

static void stdio_probe_end(struct probe *probe)
{
    struct stdio_probe *p = (struct stdio_probe *)probe;
    p->over = true;
    if (p->child) {
        p->child->probe = NULL;
        if (!p->shared)
            child_stop(p->child);
    }
    uv_close((uv_handle_t *)&p->timer, stdio_probe_closed);
}

/* A process that is busy, or has just ended, says nothing against what was known of the server. */
static void stdio_probe_pass(struct stdio_probe *p)
{
    struct upstream *u = p->probe.upstream;
    enum wire_era era = p->probe.era;
    char version[16];
    memcpy(version, p->probe.version_text, sizeof(version));
    tool_set_unref(p->probe.set);
    p->probe.set = NULL;
    stdio_probe_end(&p->probe);
    upstream_up(u, era, str_of(version), tool_set_ref(u->tools));
}

static void stdio_probe_late(uv_timer_t *t)
{
    struct stdio_probe *p = t->data;
    struct fault f;
    if (p->shared && p->probe.upstream->tools) {
        stdio_probe_pass(p);
        return;
    }
    fault_set(&f, ERR_UPSTREAM_TIMEOUT, "its process does not answer");
    probe_answer(&p->probe, ERR_UPSTREAM_TIMEOUT, &f, true, NULL, NULL);
}

static void stdio_probe_request(struct probe *probe, const struct wire_request *r)
{
    struct stdio_probe *p = (struct stdio_probe *)probe;
    struct buf b;
    buf_init(&b, 65536);
    wire_write(&b, r);
    child_write(p->child, buf_view(&b)); /* when it cannot, its end or the timer tells */
    buf_done(&b);
    uv_timer_start(&p->timer, stdio_probe_late, probe->step == PROBE_DISCOVER ? STDIO_DISCOVER_MS : STDIO_STEP_MS, 0);
}

static void stdio_probe_notify(struct probe *probe, struct str message)
{
    child_write(((struct stdio_probe *)probe)->child, message);
}

static void stdio_probe_line(struct child *c, struct str line)
{
    struct probe *p = c->probe;
    struct arena a;
    struct json doc;
    struct wire_message m;
    arena_init(&a, STDIO_ARENA);
    if (p && stdio_read(c, line, &a, &doc, &m)) {
        if (m.kind == WIRE_ANSWER && str_is(m.id, p->id))
            probe_answer(p, ERR_OK, NULL, true, &doc, &m);
        else if (m.kind == WIRE_ASKS)
            stdio_message(c, &doc, &m, &a);
        else if (m.kind == WIRE_CHANGED)
            probe_changed(p);
    }
    arena_done(&a);
}

static enum err stdio_probe_child(struct stdio_probe *p, struct fault *f) MUST_USE;

/* Servers of some SDKs end when anything comes before `initialize`: the next process is asked that first. */
static bool stdio_probe_again(struct stdio_probe *p, const char *how)
{
    struct upstream *u = p->probe.upstream;
    struct fault f;
    return p->probe.step == PROBE_DISCOVER && how[0] && !u->stopping && u->server->protocol != CONF_2026_07_28 &&
           stdio_probe_child(p, &f) == ERR_OK;
}

static void stdio_probe_lost(struct child *c, const char *how)
{
    struct probe *p = c->probe;
    struct fault f;
    c->probe = NULL;
    ((struct stdio_probe *)p)->child = NULL;
    if (((struct stdio_probe *)p)->shared && p->upstream->tools) {
        stdio_probe_pass((struct stdio_probe *)p);
        return;
    }
    fault_set(&f, ERR_UPSTREAM, "%s while it was asked what it is", how[0] ? how : "its process was stopped");
    probe_answer(p, ERR_UPSTREAM, &f, stdio_probe_again((struct stdio_probe *)p, how), NULL, NULL);
}

static void stdio_probe_ended(struct child *c, const char *how)
{
    stdio_child_unlink(c);
    if (c->probe)
        stdio_probe_lost(c, how);
}

/* Where one process serves everybody, what it lists is what the server has: it is asked itself, not a new process that
 * knows nothing of what became of it. False: there is none. */
static bool stdio_probe_living(struct upstream *u, struct stdio_probe *p)
{
    struct child *c = u->server->isolation == CONF_PER_GATEWAY && u->tools ? stdio_child_any(u, STR("gateway")) : NULL;
    if (!c || c->state != CHILD_READY || c->probe)
        return false;
    p->child = c;
    p->shared = true;
    c->probe = &p->probe;
    p->probe.ids = ++stdio_inner(u)->probes * 1000;
    probe_relist(&p->probe, atomic_load(&u->era), str_of(u->protocol), u->tools->can);
    return true;
}

static void stdio_probe_init(struct stdio_probe *p, struct upstream *u)
{
    p->probe = (struct probe){
        .upstream = u, .request = stdio_probe_request, .notify = stdio_probe_notify, .end = stdio_probe_end};
    uv_timer_init(&u->connect->workers[0].loop, &p->timer);
    p->timer.data = p;
}

/* A process for the probe alone. */
static enum err stdio_probe_child(struct stdio_probe *p, struct fault *f)
{
    struct upstream *u = p->probe.upstream;
    struct child *c = NULL;
    TRY(child_start(u, STR("probe"), &c, f));
    p->child = c;
    c->probe = &p->probe;
    c->line = stdio_probe_line;
    c->ended = stdio_probe_ended;
    c->next = stdio_inner(u)->children;
    stdio_inner(u)->children = c;
    return ERR_OK;
}

static void stdio_probe(struct upstream *u)
{
    struct stdio_probe *p = calloc(1, sizeof(*p));
    struct fault f;
    if (p) {
        stdio_probe_init(p, u);
        if (stdio_probe_living(u, p))
            return;
    }
    enum err e = p ? stdio_probe_child(p, &f) : fault_set(&f, ERR_NOMEM, "no memory for a probe");
    if (e) {
        if (p)
            uv_close((uv_handle_t *)&p->timer, stdio_probe_closed);
        upstream_down(u, &f);
        return;
    }
    probe_start(&p->probe);
}

/* ---- the kind ---- */

static bool stdio_is(const struct conf_server *s)
{
    return s->command.n > 0;
}

static enum err stdio_open(struct upstream *u, struct fault *f)
{
    u->inner = calloc(1, sizeof(struct stdio_inner));
    return u->inner ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a server");
}

static bool stdio_everywhere(const struct upstream *u)
{
    (void)u;
    return false;
}

static void stdio_send(struct connect_worker *w, struct connect_call *c)
{
    char text[CONNECT_KEY_MAX];
    struct upstream *u = c->upstream;
    struct str key = upstream_key(u, c->agent, c->session, text);
    unsigned can = stdio_can(u, c);
    struct child *child = stdio_child(u, key, can);
    struct fault f;
    struct stdio_flight *s = u->stopping ? NULL : calloc(1, sizeof(*s));
    if (!s) {
        connect_fail_later(c, u->stopping ? ERR_UPSTREAM : ERR_NOMEM,
                           u->stopping ? "it was taken out of the configuration" : "no memory");
        return;
    }
    if (!child && stdio_start(u, key, can, &child, &f)) {
        free(s);
        connect_fail_later(c, f.err, f.text);
        return;
    }
    flight_begin(&s->flight, w, c);
    s->child = child;
    child->forgotten = false;
    snprintf(s->id, sizeof(s->id), "%.16s", c->traceparent.n > 52 ? c->traceparent.p + 36 : ""); /* the span id */
    if (child->state == CHILD_READY)
        stdio_call_send(s);
    else
        stdio_link(&child->waiting, s);
}

static void stdio_cancel(struct flight *f)
{
    struct stdio_flight *s = (struct stdio_flight *)f;
    if (s->sent) {
        struct buf b;
        buf_init(&b, 4096);
        wire_write_cancelled(&b, str_of(s->id), "the caller gave up");
        child_write(s->child, buf_view(&b));
        buf_done(&b);
    }
    stdio_unlink(s);
    stdio_rest(s->child);
    flight_forget(f);
    free(s);
}

static void stdio_forget(struct upstream *u, struct str key)
{
    for (struct child *c = stdio_inner(u)->children, *next; c; c = next) {
        next = c->next;
        if (c->state == CHILD_CLOSING || !str_eq(key, str_of(c->key)))
            continue;
        c->forgotten = true;
        stdio_rest(c);
    }
}

/* The processes that serve the key tell of it; one is started when there is none. */
static void stdio_subscribe(struct upstream *u, struct str key, struct str uri, bool on)
{
    struct child *c = stdio_child_any(u, key);
    struct fault f;
    if (!c && (!on || u->state != UPSTREAM_UP || stdio_start(u, key, 0, &c, &f)))
        return; /* a process that is started later is asked then */
    for (c = stdio_inner(u)->children; c; c = c->next) {
        if (c->state == CHILD_CLOSING || !str_eq(key, str_of(c->key)))
            continue;
        if (on)
            c->forgotten = false;
        if (c->state == CHILD_READY && atomic_load(&u->era) == WIRE_ERA_MODERN)
            stdio_listen(c);
        else if (c->state == CHILD_READY)
            stdio_ask(c, uri, on);
    }
}

static void stdio_stop(struct upstream *u)
{
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        child_stop(c);
}

static bool stdio_stopped(const struct upstream *u)
{
    return !stdio_inner(u)->children;
}

static void stdio_free(struct upstream *u)
{
    free(u->inner);
}

const struct connect_kind connect_stdio = {
    "stdio",
    stdio_is,
    stdio_open,
    stdio_probe,
    stdio_everywhere,
    stdio_send,
    stdio_cancel,
    stdio_forget,
    stdio_stop,
    stdio_stopped,
    stdio_free,
    .subscribe = stdio_subscribe,
    .reply = stdio_reply,
};

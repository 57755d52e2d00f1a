/* Processes that serve calls, one for each isolation key: their calls, and what they say. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connect/stdio_child.h"

enum { STDIO_BACKOFF_MS = 200, STDIO_BACKOFF_MAX_MS = 30000, STDIO_STEADY_MS = 30000 };

static uint64_t stdio_now(const struct upstream *u)
{
    return uv_now(&u->connect->workers[0].loop);
}

/* ---- calls ---- */

void stdio_link(struct stdio_flight **list, struct stdio_flight *s)
{
    s->next = *list;
    s->link = list;
    if (*list)
        (*list)->link = &s->next;
    *list = s;
}

void stdio_unlink(struct stdio_flight *s)
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

static void stdio_fail_all(struct stdio_flight **list, enum err e, const char *why)
{
    for (struct stdio_flight *s; (s = stdio_pop(list));) {
        flight_fail(&s->flight, e, why, s->sent);
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

void stdio_tell_roots(struct child *c)
{
    struct buf b;
    buf_init(&b, 4096);
    wire_write_roots_changed(&b);
    c->roots_changed = false;
    child_write(c, buf_view(&b));
    buf_done(&b);
}

void stdio_call_send(struct stdio_flight *s)
{
    struct connect_call *c = s->flight.call;
    struct child *child = s->child;
    struct buf b;
    struct wire_request r = wire_call(c);
    r.era = child->era;
    r.version = STR(WIRE_LEGACY);
    r.id = str_of(s->id);
    buf_init(&b, 256u << 20);
    wire_write(&b, &r);
    if (r.era == WIRE_ERA_LEGACY && r.log_level)
        stdio_level(child, r.log_level);
    if (child->roots_changed)
        stdio_tell_roots(child);
    bool poor = buf_error(&b) == ERR_NOMEM;
    s->sent = child_write(child, buf_view(&b));
    buf_done(&b);
    if (s->sent) {
        stdio_link(&child->flights, s);
        return;
    }
    flight_forget(&s->flight);
    connect_fail_later(c, poor ? ERR_NOMEM : ERR_UPSTREAM,
                       poor ? "no memory for the request" : "its process does not read what it is sent");
    free(s);
}

/* ---- from its start to its end ---- */

void stdio_child_unlink(struct child *c)
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
    stdio_fail_all(&c->flights, ERR_UPSTREAM, how[0] ? how : "its process was stopped");
    stdio_fail_all(&c->waiting, ERR_UPSTREAM, how[0] ? how : "its process was stopped");
    kill_look(u->connect);
}

void stdio_ask(struct child *c, struct str uri, bool on)
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
        stdio_fail_all(&c->waiting, ERR_UPSTREAM, "refused to open a protocol session");
        child_stop(c);
        upstream_era_doubt(c->upstream);
        return;
    }
    buf_init(&b, 4096);
    wire_write_initialized(&b);
    child_write(c, buf_view(&b));
    buf_done(&b);
    stdio_ready(c);
}

void stdio_rest(struct child *c)
{
    if (c->forgotten && !c->flights && !c->waiting)
        child_stop(c);
}

/* ---- what it says ---- */

static void stdio_answered(struct stdio_flight *s, const struct json *doc, const struct wire_message *m,
                           struct arena *arena)
{
    struct child *c = s->child;
    struct connect_answer a = {
        .sent = true, .doc = doc, .result = m->result, .error = m->error, .modern = c->era == WIRE_ERA_MODERN};
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

/* A question does not say either which call it is about: of one client's calls it is the newest's. A modern server asks
 * by its result alone. */
static void stdio_asked(struct child *c, const struct json *doc, const struct wire_message *m)
{
    struct stdio_flight *s = c->era == WIRE_ERA_LEGACY ? c->flights : NULL;
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

void stdio_reply(struct flight *f, struct str id, bool error, struct str value)
{
    struct stdio_flight *s = (struct stdio_flight *)f;
    struct buf b;
    buf_init(&b, 64u << 20);
    wire_write_answer(&b, id, error, value);
    if (!buf_failed(&b))
        child_write(s->child, buf_view(&b));
    buf_done(&b);
}

void stdio_message(struct child *c, const struct json *doc, const struct wire_message *m, struct arena *arena)
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
        c->changed = ++stdio_inner(c->upstream)->changes;
        upstream_changed(c->upstream);
    } else if (m->kind == WIRE_UPDATED) {
        upstream_updated(c->upstream, str_of(c->key), m->uri);
    } else if (m->kind == WIRE_COMPLETED) {
        upstream_completed(c->upstream, str_of(c->key), m->uri);
    } else if (m->kind == WIRE_SAID) {
        stdio_said(c, json_raw(doc, m->params));
    }
}

/* Reads a line as a message; false: it is none. */
bool stdio_read(struct child *c, struct str line, struct arena *a, struct json *doc, struct wire_message *ret)
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
    else if (arena_failed(&a)) /* whose answer it was, nobody can say now */
        stdio_fail_all(&c->flights, ERR_NOMEM, "no memory to read what its process said");
    arena_done(&a);
}

/* ---- which one ---- */

bool stdio_serves(const struct child *c, struct str key)
{
    return c->state != CHILD_CLOSING && !c->killed && c->era == (enum wire_era)atomic_load(&c->upstream->era) &&
           str_eq(key, str_of(c->key));
}

struct child *stdio_child(struct upstream *u, struct str key, unsigned can)
{
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        if (c->can == can && stdio_serves(c, key))
            return c;
    return NULL;
}

/* Of those that serve the key, the one that told of a change last: there is one for each set of what clients can be
 * asked, and the others need not know of it. */
struct child *stdio_child_any(struct upstream *u, struct str key)
{
    struct child *ret = NULL;
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        if (stdio_serves(c, key) && (!ret || c->changed > ret->changed))
            ret = c;
    return ret;
}

static unsigned stdio_count(const struct upstream *u)
{
    unsigned n = 0;
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        n += c->state != CHILD_CLOSING;
    return n;
}

/* A modern server tells what changes only to those who asked for it. What it answers needs no reading. */
void stdio_listen(struct child *c)
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

enum err stdio_start(struct upstream *u, struct str key, unsigned can, struct child **ret, struct fault *f)
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
    c->era = (enum wire_era)atomic_load(&u->era);
    c->can = can;
    c->line = stdio_line;
    c->ended = stdio_ended;
    c->next = in->children;
    in->children = c;
    if (c->era == WIRE_ERA_MODERN) {
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

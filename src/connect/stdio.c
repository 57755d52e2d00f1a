/*
 * MCP servers over stdio (MCP 2026-07-28 and 2025-11-25 basic/transports, "stdio"). Servers keep state, and state must
 * not leak: one process for each isolation key, started by the first call that needs it. Worker 0 only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "box/box.h"
#include "connect/stdio_child.h"

static bool stdio_is(const struct conf_server *s)
{
    return s->command.n > 0;
}

/* What its box is to keep it from and this kernel lets it do. */
static void stdio_judge_box(const struct conf_server *s)
{
    unsigned missing = BOX_ALL & ~box_enforced();
    for (unsigned i = 0; s->sandbox != CONF_SANDBOX_OFF && box_names[i]; i++)
        if (missing >> i & 1)
            log_warn("sandbox_incomplete", LOG_S("server", s->name), LOG_Z("not_enforced", box_names[i]));
}

static enum err stdio_open(struct upstream *u, struct fault *f)
{
    stdio_judge_box(u->server);
    u->inner = calloc(1, sizeof(struct stdio_inner));
    return u->inner ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a server");
}

static bool stdio_everywhere(const struct upstream *u)
{
    (void)u;
    return false;
}

/* A modern server is told with each request what the client can be asked: one process serves them all. */
static unsigned stdio_can(const struct upstream *u, const struct connect_call *c)
{
    return atomic_load(&u->era) == WIRE_ERA_MODERN ? 0 : c->can;
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
    if (!child->agent[0])
        snprintf(child->agent, sizeof(child->agent), STR_FMT, STR_ARG(c->agent));
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

static void stdio_roots_changed(struct upstream *u, struct str key)
{
    for (struct child *c = stdio_inner(u)->children; c; c = c->next) {
        if (c->state != CHILD_READY || !(c->can & CAN_ROOTS_CHANGES) || !str_eq(key, str_of(c->key)))
            continue;
        c->roots_changed = true;
        if (c->flights)
            stdio_tell_roots(c);
    }
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

/* Does the process serve nobody but whom is stopped? Of an agent whose last session was stopped, one that has a call
 * again serves a new session. */
static bool stdio_kills(const struct upstream *u, const struct child *c, const struct connect_kill *k)
{
    char key[CONNECT_KEY_MAX];
    if (str_is(STR("probe"), c->key))
        return false; /* it asks for the list of tools */
    if (!k->agent.n)
        return true;
    if (u->server->isolation == CONF_PER_AGENT && k->session.n && (!k->alone || c->flights || c->waiting))
        return false;
    if (u->server->isolation == CONF_PER_SESSION && !k->session.n)
        return str_is(k->agent, c->agent);
    return u->server->isolation != CONF_PER_GATEWAY && str_is(upstream_key(u, k->agent, k->session, key), c->key);
}

static void stdio_kill(struct upstream *u, const struct connect_kill *k)
{
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        if (stdio_kills(u, c, k))
            child_kill(c);
}

static bool stdio_dying(const struct upstream *u)
{
    for (const struct child *c = stdio_inner(u)->children; c; c = c->next)
        if (c->killed)
            return true;
    return false;
}

/* The processes that serve the key tell of it; one is started when there is none. */
static void stdio_subscribe(struct upstream *u, struct str key, struct str uri, bool on)
{
    struct child *c = stdio_child_any(u, key);
    struct fault f;
    if (!c && (!on || u->state != UPSTREAM_UP || stdio_start(u, key, 0, &c, &f)))
        return; /* a process that is started later is asked then */
    for (c = stdio_inner(u)->children; c; c = c->next) {
        if (!stdio_serves(c, key))
            continue;
        if (on)
            c->forgotten = false;
        if (c->state == CHILD_READY && c->era == WIRE_ERA_MODERN)
            stdio_listen(c);
        else if (c->state == CHILD_READY)
            stdio_ask(c, uri, on);
    }
}

/* The server speaks another era now: processes of the other one make way when their last call is over. */
static void stdio_up(struct upstream *u)
{
    for (struct child *c = stdio_inner(u)->children, *next; c; c = next) {
        next = c->next;
        if (c->state == CHILD_CLOSING || c->probe || c->era == (enum wire_era)atomic_load(&u->era))
            continue;
        c->forgotten = true;
        stdio_rest(c);
    }
}

static void stdio_stop(struct upstream *u)
{
    for (struct child *c = stdio_inner(u)->children; c; c = c->next)
        child_stop(c);
}

static bool stdio_stopped(const struct upstream *u)
{
    return !stdio_inner(u)->children && !atomic_load(&u->children); /* and what they left behind was cleared away */
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
    .up = stdio_up,
    .subscribe = stdio_subscribe,
    .reply = stdio_reply,
    .roots_changed = stdio_roots_changed,
    .kill = stdio_kill,
    .dying = stdio_dying,
};

/*
 * One server as it is known: asked what it is and has when it is new, when it may have changed and every so often, up
 * or down, and what it says of itself meanwhile. Worker 0, but for what says otherwise.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connect/inner.h"

enum {
    PROBE_AGAIN_MS = 60000,
    PROBE_RETRY_MS = 1000,
    PROBE_RETRY_MAX_MS = 30000,
    PROBE_PIN_MS = 3000,
    PROBE_CHANGED_MS = 50,
    PROBE_QUICK = 10, /* probes that changes may ask for within PROBE_QUICK_MS: a server that floods us waits */
    PROBE_QUICK_MS = 10000
};

struct upstream *upstream_ref(struct upstream *u)
{
    atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
    return u;
}

void upstream_unref(struct upstream *u)
{
    if (!u || atomic_fetch_sub_explicit(&u->refs, 1, memory_order_acq_rel) != 1)
        return;
    u->kind->free(u);
    subscriptions_free(u);
    conf_unref(u->conf);
    free(u);
}

unsigned upstream_timeout(const struct upstream *u)
{
    return atomic_load_explicit(&u->timeout_ms, memory_order_relaxed);
}

struct str upstream_key(const struct upstream *u, struct str agent, struct str session, char ret[CONNECT_KEY_MAX])
{
    int n = u->server->isolation == CONF_PER_GATEWAY ? snprintf(ret, CONNECT_KEY_MAX, "gateway")
            : u->server->isolation == CONF_PER_SESSION
                ? snprintf(ret, CONNECT_KEY_MAX, "session:" STR_FMT, STR_ARG(session))
                : snprintf(ret, CONNECT_KEY_MAX, "agent:" STR_FMT, STR_ARG(agent));
    return (struct str){ret, (size_t)n < CONNECT_KEY_MAX ? (size_t)n : CONNECT_KEY_MAX - 1};
}

/* ---- when it is asked ---- */

void upstream_probe(struct upstream *u)
{
    if (u->probing || u->stopping)
        return;
    u->probing = true;
    pthread_rwlock_wrlock(&u->connect->lock);
    if (u->state != UPSTREAM_UP)
        u->state = UPSTREAM_CONNECTING;
    pthread_rwlock_unlock(&u->connect->lock);
    u->kind->probe(upstream_ref(u)); /* the probe's reference is given back when it ends */
}

static void upstream_timer(uv_timer_t *t)
{
    upstream_probe(t->data);
}

void upstream_look(struct upstream *u)
{
    uv_timer_start(&u->timer, upstream_timer, 0, 0);
}

/* How long until a change may be looked at. */
static uint64_t upstream_quick(struct upstream *u)
{
    uint64_t now = uv_now(&u->connect->workers[0].loop);
    if (now - u->quick_since > PROBE_QUICK_MS) {
        u->quick_since = now;
        u->quick = 0;
    }
    if (u->quick < PROBE_QUICK) {
        u->quick++;
        return PROBE_CHANGED_MS;
    }
    return u->quick_since + PROBE_QUICK_MS - now + PROBE_CHANGED_MS;
}

void upstream_changed(struct upstream *u)
{
    if (u->stopping || !u->tried)
        return;
    u->again = u->again || u->probing;
    if (u->probing || uv_timer_get_due_in(&u->timer) <= PROBE_CHANGED_MS)
        return;
    uv_timer_start(&u->timer, upstream_timer, upstream_quick(u), 0);
}

static void upstream_probed(struct upstream *u, uint64_t again_ms)
{
    u->probing = false;
    if (u->again && u->state == UPSTREAM_UP)
        again_ms = upstream_quick(u);
    u->again = false;
    u->tried = true;
    if (!u->stopping)
        uv_timer_start(&u->timer, upstream_timer, again_ms, 0);
    connect_settle(u->connect);
    upstream_unref(u);
}

/* ---- up or down ---- */

static bool offers_same(const struct offer_array *a, const struct offer_array *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_eq(a->offer[i].listed, b->offer[i].listed))
            return false;
    return true;
}

static bool tool_set_same(const struct tool_set *a, const struct tool_set *b)
{
    if (!a || a->count != b->count || a->can != b->can)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->tool[i].pin != b->tool[i].pin || memcmp(a->tool[i].hash, b->tool[i].hash, sizeof(a->tool[i].hash)) != 0)
            return false;
    for (unsigned kind = 0; kind < OFFER_KINDS; kind++)
        if (!offers_same(&a->offers[kind], &b->offers[kind]))
            return false;
    return true;
}

void upstream_publish(struct upstream *u, enum wire_era era, struct str version, struct tool_set *set)
{
    struct connect *c = u->connect;
    bool soon = false, strict = u->pin == CONF_PIN_STRICT;
    if (!u->stopping)
        pins_tell(c->pins, set, strict);
    pthread_rwlock_wrlock(&c->lock);
    pins_judge(c->pins, set, strict); /* with the lock: what is accepted meanwhile is looked for in the list after it */
    for (size_t i = 0; i < set->count; i++)
        soon = soon || set->tool[i].pin == TOOL_UNPINNED;
    bool changed = u->state != UPSTREAM_UP || !tool_set_same(u->tools, set);
    bool was_up = u->state == UPSTREAM_UP;
    atomic_store(&u->era, era);
    snprintf(u->protocol, sizeof(u->protocol), STR_FMT, STR_ARG(version));
    u->state = UPSTREAM_UP;
    if (changed && !u->stopping) {
        struct tool_set *old = u->tools;
        u->tools = set;
        set = old;
        connect_rebuild(c);
    }
    pthread_rwlock_unlock(&c->lock);
    if (changed)
        log_info(was_up ? "server_tools_changed" : "server_up", LOG_S("server", u->server->name),
                 LOG_S("protocol", version), LOG_I("tools", u->tools ? u->tools->count : 0));
    tool_set_unref(set);
    u->failures = 0;
    if (u->kind->up && !u->stopping)
        u->kind->up(u);
    upstream_probed(u, soon ? PROBE_PIN_MS : PROBE_AGAIN_MS);
}

void upstream_down(struct upstream *u, const struct fault *f)
{
    struct connect *c = u->connect;
    pthread_rwlock_wrlock(&c->lock);
    bool told = u->tried && u->state != UPSTREAM_UP && strcmp(u->fault.text, f->text) == 0 && !u->tools;
    struct tool_set *old = u->tools;
    u->tools = NULL;
    u->state = UPSTREAM_DOWN;
    u->fault = *f;
    if (old)
        connect_rebuild(c);
    pthread_rwlock_unlock(&c->lock);
    tool_set_unref(old);
    if (!told && !u->stopping)
        log_warn("server_down", LOG_S("server", u->server->name), LOG_Z("code", err_code(f->err)),
                 LOG_Z("reason", f->text));
    u->verdict.legacy = false; /* what comes back may be another server */
    uint64_t wait = (uint64_t)PROBE_RETRY_MS << (u->failures < 6 ? u->failures : 6);
    u->failures++;
    upstream_probed(u, wait < PROBE_RETRY_MAX_MS ? wait : PROBE_RETRY_MAX_MS);
}

/* ---- doubts, from any worker ---- */

struct upstream_doubted {
    struct worker_mail mail;
    struct upstream *upstream; /* a reference */
    bool era;
};

static void upstream_doubted(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct upstream_doubted *d = (struct upstream_doubted *)mail;
    struct upstream *u = d->upstream;
    if (d->era) { /* whoever calls may bring it about: no more often than a change that the server tells */
        u->verdict.legacy = false;
        upstream_changed(u);
    } else if (!u->probing && !u->stopping && u->state == UPSTREAM_UP) {
        uv_timer_start(&u->timer, upstream_timer, 0, 0);
    }
    upstream_unref(u);
    free(d);
}

static void upstream_post_doubt(struct upstream *u, bool era)
{
    struct upstream_doubted *d = u->connect->closing ? NULL : malloc(sizeof(*d));
    if (!d)
        return; /* without memory, the next probe finds out too */
    *d = (struct upstream_doubted){.mail = {.run = upstream_doubted}, .upstream = upstream_ref(u), .era = era};
    worker_post(&u->connect->workers[0], &d->mail);
}

void upstream_doubt(struct upstream *u)
{
    upstream_post_doubt(u, false);
}

void upstream_era_doubt(struct upstream *u)
{
    upstream_post_doubt(u, true);
}

/* ---- what it says while no call is there to carry it ---- */

void upstream_said(struct upstream *u, struct str key, struct str params)
{
    const struct connect_watch *w = &u->connect->watch;
    if (w->said && !u->stopping)
        w->said(w->ctx, u->server->name, key, params);
}

void upstream_updated(struct upstream *u, struct str key, struct str uri)
{
    const struct connect_watch *w = &u->connect->watch;
    if (w->updated && !u->stopping)
        w->updated(w->ctx, u->server->name, key, uri);
}

void upstream_completed(struct upstream *u, struct str key, struct str id)
{
    const struct connect_watch *w = &u->connect->watch;
    if (w->completed && !u->stopping)
        w->completed(w->ctx, u->server->name, key, id);
}

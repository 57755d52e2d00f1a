/* All servers: the list, the catalogue, and the way of a call to the right kind. */
#include "connect/inner.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum { POOL_IDLE_MS = 4000 };

/* ---- the list and the catalogue ---- */

struct upstream *connect_find(const struct connect *c, struct str name)
{
    for (struct upstream *u = c->upstreams; u; u = u->next)
        if (str_eq(u->server->name, name))
            return u;
    return NULL;
}

void connect_rebuild(struct connect *c)
{
    size_t n = 0, room = 0;
    for (struct upstream *u = c->upstreams; u; u = u->next)
        room++;
    struct tool_set **sets = calloc(room + 1, sizeof(*sets));
    for (struct upstream *u = c->upstreams; u && sets; u = u->next)
        if (u->tools)
            sets[n++] = u->tools;
    struct catalogue *next = sets ? catalogue_build(sets, n, c->version + 1) : NULL;
    free(sets);
    if (!next) {
        log_error("catalogue_not_built", LOG_Z("reason", "no memory; the one before stays"));
        return;
    }
    c->version++;
    catalogue_unref(c->catalogue);
    c->catalogue = next;
    if (c->watch.changed)
        c->watch.changed(c->watch.ctx);
}

void connect_watch(struct connect *c, const struct connect_watch *w)
{
    c->watch = *w;
}

struct catalogue *connect_catalogue(struct connect *c)
{
    pthread_rwlock_rdlock(&c->lock);
    struct catalogue *k = catalogue_ref(c->catalogue);
    pthread_rwlock_unlock(&c->lock);
    return k;
}

bool connect_has_server(const struct connect *c, struct str server)
{
    pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&c->lock;
    pthread_rwlock_rdlock(lock);
    bool has = connect_find(c, server) != NULL;
    pthread_rwlock_unlock(lock);
    return has;
}

bool connect_server_up(const struct connect *c, struct str server)
{
    pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&c->lock;
    pthread_rwlock_rdlock(lock);
    const struct upstream *u = connect_find(c, server);
    bool up = u && u->state == UPSTREAM_UP;
    pthread_rwlock_unlock(lock);
    return up;
}

size_t connect_list(struct connect *c, struct upstream_info *ret, size_t max)
{
    size_t n = 0;
    pthread_rwlock_rdlock(&c->lock);
    for (struct upstream *u = c->upstreams; u && n < max; u = u->next) {
        struct upstream_info *i = &ret[n++];
        unsigned withheld = 0;
        for (size_t t = 0; u->tools && t < u->tools->count; t++)
            withheld += !tool_served(&u->tools->tool[t]);
        *i = (struct upstream_info){.state = u->state,
                                    .tools = u->tools ? (unsigned)u->tools->count : 0,
                                    .withheld = withheld,
                                    .children = atomic_load(&u->children)};
        snprintf(i->name, sizeof(i->name), STR_FMT, STR_ARG(u->server->name));
        snprintf(i->kind, sizeof(i->kind), "%s", u->kind->name);
        snprintf(i->protocol, sizeof(i->protocol), "%s", u->protocol);
        if (u->state != UPSTREAM_UP)
            snprintf(i->fault, sizeof(i->fault), "%s", u->fault.text);
    }
    pthread_rwlock_unlock(&c->lock);
    return n;
}

/* ---- calls ---- */

static void connect_late(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct connect_call *c = (struct connect_call *)((char *)mail - offsetof(struct connect_call, late));
    struct connect_answer a = {.err = c->late_fault.err, .fault = &c->late_fault};
    c->events->done(c, &a);
}

void connect_fail_later(struct connect_call *c, enum err e, const char *why)
{
    fault_set(&c->late_fault, e, "the server " STR_FMT ": %s", STR_ARG(c->upstream->server->name), why);
    c->late.run = connect_late;
    worker_post(c->worker, &c->late);
}

void connect_send(struct connect *c, struct connect_call *call)
{
    struct connect_worker *w = &c->local[call->worker->index];
    const struct upstream *u = call->upstream;
    call->wire = NULL;
    call->late_fault = (struct fault){0};
    call->relayed = false;
    if (c->closing || w->closed)
        connect_fail_later(call, ERR_STOPPING, "Doorward is stopping");
    else if (u->kind->everywhere(u) ||
             (call->worker->index == 0 && !call->can)) /* what can be asked can be put aside */
        u->kind->send(w, call);
    else
        relay_send(w, call);
}

void connect_cancel(struct connect_call *c)
{
    if (!c->wire)
        return;     /* it has failed: connect_late is on its way */
    if (c->relayed) /* not asked again: the server may speak another revision by now */
        relay_cancel(c);
    else
        c->upstream->kind->cancel(c->wire);
    struct fault f;
    fault_set(&f, ERR_CANCELLED, "the call was cancelled");
    struct connect_answer a = {.err = ERR_CANCELLED, .fault = &f, .sent = true};
    c->events->done(c, &a);
}

/* Servers that left are forgotten when their children are gone. Worker 0. */
static void connect_sweep(struct connect *c)
{
    for (struct upstream **at = &c->leaving; *at && !c->closing;) {
        struct upstream *u = *at;
        if (!u->timer_closed || u->probing || !u->kind->stopped(u)) {
            at = &u->next;
            continue;
        }
        *at = u->next;
        upstream_unref(u);
    }
}

/* Calls that are late: the server is told as for a cancellation, the caller that time is up. */
static void connect_tick(uv_timer_t *t)
{
    struct connect_worker *w = t->data;
    uint64_t now = uv_now(t->loop);
    for (struct flight *f = w->flights, *next; f; f = next) {
        next = f->next;
        if (now < f->deadline || f->asked)
            continue;
        struct connect_call *c = f->call;
        struct fault fault;
        fault_set(&fault, ERR_UPSTREAM_TIMEOUT, "the server " STR_FMT " did not answer within %u ms",
                  STR_ARG(c->upstream->server->name), f->timeout_ms);
        struct upstream *u = f->upstream;
        u->kind->cancel(f);
        struct connect_answer a = {.err = ERR_UPSTREAM_TIMEOUT, .fault = &fault, .sent = true};
        c->events->done(c, &a);
        next = w->flights; /* whatever ran meanwhile may have changed the list */
    }
    if (w->worker->index == 0) {
        park_sweep(w->connect);
        kill_look(w->connect);
        connect_sweep(w->connect);
    }
}

struct connect_forgotten {
    struct worker_mail mail;
    struct connect *connect;
    char agent[CONNECT_KEY_MAX], session[CONNECT_KEY_MAX];
};

static void connect_forgot(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct connect_forgotten *m = (struct connect_forgotten *)mail;
    park_forget(m->connect, str_of(m->session));
    for (struct upstream *u = m->connect->upstreams; u; u = u->next) {
        char key[CONNECT_KEY_MAX];
        bool session = u->server->isolation == CONF_PER_SESSION && m->session[0];
        bool agent = u->server->isolation == CONF_PER_AGENT && m->agent[0];
        if (session || agent)
            u->kind->forget(u, upstream_key(u, str_of(m->agent), str_of(m->session), key));
    }
    free(m);
}

void connect_forget(struct connect *c, struct str agent, struct str session)
{
    struct connect_forgotten *m = calloc(1, sizeof(*m));
    if (!m)
        return; /* idle children are closed anyway, only later */
    m->connect = c;
    m->mail.run = connect_forgot;
    snprintf(m->agent, sizeof(m->agent), STR_FMT, STR_ARG(agent));
    snprintf(m->session, sizeof(m->session), STR_FMT, STR_ARG(session));
    worker_post(&c->workers[0], &m->mail);
}

/* ---- the start ---- */

static enum err connect_local(struct connect *c, unsigned i, struct fault *f)
{
    struct connect_worker *w = &c->local[i];
    struct client_limits limits = {.idle_ms = POOL_IDLE_MS,
                                   .per_origin = 1024,
                                   .queue = 8192,
                                   .body_bytes = (uint64_t)c->conf->root.limits.result_bytes};
    w->connect = c;
    w->worker = &c->workers[i];
    TRY(client_new(w->worker, &limits, &w->client, f));
    uv_timer_init(&w->worker->loop, &w->tick);
    w->tick.data = w;
    uv_timer_start(&w->tick, connect_tick, CONNECT_TICK_MS, CONNECT_TICK_MS);
    return ERR_OK;
}

enum err connect_new(struct conf *conf, struct pins *pins, struct worker *workers, unsigned worker_count,
                     struct connect **ret, struct fault *f)
{
    struct connect *c = calloc(1, sizeof(*c));
    if (!c || !(c->local = calloc(worker_count, sizeof(*c->local)))) {
        free(c);
        return fault_set(f, ERR_NOMEM, "no memory for servers");
    }
    c->conf = conf_ref(conf);
    c->pins = pins;
    c->workers = workers;
    c->worker_count = worker_count;
    c->open_workers = worker_count;
    pthread_rwlock_init(&c->lock, NULL);
    for (unsigned i = 0; i < worker_count; i++)
        TRY(connect_local(c, i, f));
    for (size_t i = 0; i < conf->root.servers.n; i++) {
        struct upstream *u;
        TRY(upstream_new(c, conf, &conf->root.servers.v[i], &u, f));
        connect_insert(c, u);
    }
    connect_rebuild(c);
    if (!c->catalogue)
        return fault_set(f, ERR_NOMEM, "no memory for the catalogue");
    *ret = c;
    return ERR_OK;
}

void connect_settle(struct connect *c)
{
    for (struct upstream *u = c->upstreams; u; u = u->next)
        if (!u->tried)
            return;
    void (*settled)(void *) = c->settled;
    c->settled = NULL;
    if (settled)
        settled(c->settled_ctx);
}

void connect_start(struct connect *c, void (*settled)(void *ctx), void *ctx)
{
    c->settled = settled;
    c->settled_ctx = ctx;
    for (struct upstream *u = c->upstreams; u; u = u->next)
        upstream_probe(u);
    connect_settle(c);
}

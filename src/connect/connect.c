/* All servers: the list, the catalogue, probes and when they come again, and the way of a call to the right kind. */
#include "connect/inner.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum {
    PROBE_AGAIN_MS = 60000,
    PROBE_RETRY_MS = 1000,
    PROBE_RETRY_MAX_MS = 30000,
    PROBE_PIN_MS = 3000,
    PROBE_CHANGED_MS = 50,
    PROBE_QUICK = 10, /* probes that changes may ask for within PROBE_QUICK_MS: a server that floods us waits */
    PROBE_QUICK_MS = 10000,
    POOL_IDLE_MS = 4000
};

static const struct connect_kind *const connect_kinds[] = {&connect_http, &connect_stdio};

/* ---- the list and the catalogue ---- */

struct upstream *connect_find(const struct connect *c, struct str name)
{
    for (struct upstream *u = c->upstreams; u; u = u->next)
        if (str_eq(u->server->name, name))
            return u;
    return NULL;
}

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

/* ---- probes ---- */

static void upstream_probe(struct upstream *u)
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

static void connect_settle(struct connect *c)
{
    for (struct upstream *u = c->upstreams; u; u = u->next)
        if (!u->tried)
            return;
    void (*settled)(void *) = c->settled;
    c->settled = NULL;
    if (settled)
        settled(c->settled_ctx);
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
    uint64_t wait = (uint64_t)PROBE_RETRY_MS << (u->failures < 6 ? u->failures : 6);
    u->failures++;
    upstream_probed(u, wait < PROBE_RETRY_MAX_MS ? wait : PROBE_RETRY_MAX_MS);
}

struct upstream_doubted {
    struct worker_mail mail;
    struct upstream *upstream; /* a reference */
};

static void upstream_doubted(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct upstream_doubted *d = (struct upstream_doubted *)mail;
    struct upstream *u = d->upstream;
    if (!u->probing && !u->stopping && u->state == UPSTREAM_UP)
        uv_timer_start(&u->timer, upstream_timer, 0, 0);
    upstream_unref(u);
    free(d);
}

void upstream_doubt(struct upstream *u)
{
    struct upstream_doubted *d = u->connect->closing ? NULL : malloc(sizeof(*d));
    if (!d)
        return; /* without memory, the next probe finds out too */
    *d = (struct upstream_doubted){.mail = {.run = upstream_doubted}, .upstream = upstream_ref(u)};
    worker_post(&u->connect->workers[0], &d->mail);
}

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

/* ---- from the configuration ---- */

static enum err upstream_new(struct connect *c, struct conf *conf, const struct conf_server *s, struct upstream **ret,
                             struct fault *f)
{
    struct upstream *u = calloc(1, sizeof(*u));
    if (!u)
        return fault_set(f, ERR_NOMEM, "no memory for a server");
    *u = (struct upstream){.connect = c,
                           .conf = conf_ref(conf),
                           .server = s,
                           .refs = 1,
                           .timeout_ms = (unsigned)s->timeout,
                           .pin = s->pin};
    for (unsigned i = 0; i < sizeof(connect_kinds) / sizeof(connect_kinds[0]) && !u->kind; i++)
        if (connect_kinds[i]->is(s))
            u->kind = connect_kinds[i];
    enum err e = u->kind ? u->kind->open(u, f)
                         : fault_set(f, ERR_CONFIG, "servers." STR_FMT ": of no known kind", STR_ARG(s->name));
    if (e) {
        conf_unref(u->conf);
        free(u);
        return e;
    }
    uv_timer_init(&c->workers[0].loop, &u->timer);
    u->timer.data = u;
    *ret = u;
    return ERR_OK;
}

static void upstream_timer_closed(uv_handle_t *h)
{
    struct upstream *u = h->data;
    u->timer_closed = true;
}

/* Takes it out of the list; it is forgotten when its children are gone. */
static void upstream_leave(struct upstream *u)
{
    struct connect *c = u->connect;
    u->stopping = true;
    u->next = c->leaving;
    c->leaving = u;
    uv_close((uv_handle_t *)&u->timer, upstream_timer_closed);
    u->kind->stop(u);
    struct tool_set *tools = u->tools;
    u->tools = NULL; /* catalogues that are still in use hold it */
    tool_set_unref(tools);
}

static void connect_insert(struct connect *c, struct upstream *u)
{
    struct upstream **at = &c->upstreams;
    while (*at && str_cmp((*at)->server->name, u->server->name) < 0)
        at = &(*at)->next;
    u->next = *at;
    *at = u;
}

static bool pairs_same(const struct conf_pairs *a, const struct conf_pairs *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct secret *v = b->v[i].value;
        if (!str_eq(a->v[i].name, b->v[i].name) ||
            !secret_eq(a->v[i].value, (struct str){(const char *)secret_bytes(v), secret_len(v)}))
            return false;
    }
    return true;
}

static bool server_same(const struct conf_server *a, const struct conf_server *b)
{
    bool same = str_eq(a->url, b->url) && str_eq(a->cwd, b->cwd) && a->command.n == b->command.n &&
                a->isolation == b->isolation && a->protocol == b->protocol && a->max_processes == b->max_processes &&
                memcmp(&a->limits, &b->limits, sizeof(a->limits)) == 0 && pairs_same(&a->headers, &b->headers) &&
                pairs_same(&a->env, &b->env);
    for (size_t i = 0; same && i < a->command.n; i++)
        same = str_eq(a->command.v[i], b->command.v[i]);
    return same;
}

static const struct conf_server *connect_wanted(const struct conf *conf, struct str name)
{
    for (size_t i = 0; i < conf->root.servers.n; i++)
        if (str_eq(conf->root.servers.v[i].name, name))
            return &conf->root.servers.v[i];
    return NULL;
}

void connect_reload(struct connect *c, struct conf *conf)
{
    struct fault f;
    struct upstream *gone = NULL;
    pthread_rwlock_wrlock(&c->lock);
    for (struct upstream **at = &c->upstreams; *at;) {
        struct upstream *u = *at;
        const struct conf_server *s = connect_wanted(conf, u->server->name);
        if (s && server_same(s, u->server)) {
            atomic_store(&u->timeout_ms, (unsigned)s->timeout);
            if (u->pin != s->pin && u->tried && !u->probing)
                uv_timer_start(&u->timer, upstream_timer, 0, 0); /* what is new is judged again */
            u->pin = s->pin;
            at = &u->next;
            continue;
        }
        *at = u->next;
        u->next = gone;
        gone = u;
    }
    struct upstream *fresh[64];
    size_t n = 0;
    for (size_t i = 0; i < conf->root.servers.n; i++) {
        const struct conf_server *s = &conf->root.servers.v[i];
        struct upstream *u;
        if (connect_find(c, s->name))
            continue;
        if (upstream_new(c, conf, s, &u, &f)) {
            log_error("server_not_added", LOG_S("server", s->name), LOG_Z("reason", f.text));
            continue;
        }
        connect_insert(c, u);
        if (n < sizeof(fresh) / sizeof(fresh[0]))
            fresh[n++] = u;
        else
            uv_timer_start(&u->timer, upstream_timer, 0, 0);
    }
    struct conf *old = c->conf;
    c->conf = conf_ref(conf);
    connect_rebuild(c);
    pthread_rwlock_unlock(&c->lock);
    conf_unref(old);
    while (gone) {
        struct upstream *next = gone->next;
        upstream_leave(gone);
        gone = next;
    }
    for (size_t i = 0; i < n; i++)
        upstream_probe(fresh[i]);
}

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

void connect_start(struct connect *c, void (*settled)(void *ctx), void *ctx)
{
    c->settled = settled;
    c->settled_ctx = ctx;
    for (struct upstream *u = c->upstreams; u; u = u->next)
        upstream_probe(u);
    connect_settle(c);
}

/* ---- the end ---- */

static void connect_worker_closed(void *ctx)
{
    struct connect_worker *w = ctx;
    atomic_fetch_sub(&w->connect->open_workers, 1);
}

static void connect_tick_closed(uv_handle_t *h)
{
    struct connect_worker *w = h->data;
    client_close(w->client, connect_worker_closed, w);
}

struct connect_closing {
    struct worker_mail mail;
    struct connect_worker *worker;
};

static void connect_close_local(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct connect_closing *m = (struct connect_closing *)mail;
    struct connect_worker *local = m->worker;
    local->closed = true;
    while (local->flights) {
        struct flight *f = local->flights;
        struct connect_call *c = f->call;
        f->upstream->kind->cancel(f);
        struct fault fault;
        fault_set(&fault, ERR_STOPPING, "Doorward is stopping");
        struct connect_answer a = {.err = ERR_STOPPING, .fault = &fault, .sent = true};
        c->events->done(c, &a);
    }
    if (local->worker->index == 0)
        park_close(local->connect);
    uv_close((uv_handle_t *)&local->tick, connect_tick_closed);
    free(m);
}

static void connect_close_done(uv_handle_t *h)
{
    struct connect *c = h->data;
    c->closed(c->closed_ctx);
}

static void connect_close_tick(uv_timer_t *t)
{
    struct connect *c = t->data;
    if (atomic_load(&c->open_workers))
        return;
    for (struct upstream *u = c->leaving; u; u = u->next)
        if (!u->kind->stopped(u) || !u->timer_closed || u->pinning)
            return;
    uv_close((uv_handle_t *)t, connect_close_done);
}

void connect_close(struct connect *c, void (*closed)(void *ctx), void *ctx)
{
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    c->settled = NULL;
    pthread_rwlock_wrlock(&c->lock);
    struct upstream *all = c->upstreams;
    c->upstreams = NULL;
    pthread_rwlock_unlock(&c->lock);
    while (all) {
        struct upstream *next = all->next;
        upstream_leave(all);
        all = next;
    }
    for (unsigned i = 0; i < c->worker_count; i++) {
        struct connect_closing *m = calloc(1, sizeof(*m));
        if (!m)
            continue;
        m->worker = &c->local[i];
        m->mail.run = connect_close_local;
        worker_post(&c->workers[i], &m->mail);
    }
    uv_timer_init(&c->workers[0].loop, &c->close_timer);
    c->close_timer.data = c;
    uv_timer_start(&c->close_timer, connect_close_tick, 5, 10);
}

void connect_free(struct connect *c)
{
    if (!c)
        return;
    catalogue_unref(c->catalogue);
    for (struct upstream *u = c->leaving, *next; u; u = next) {
        next = u->next;
        upstream_unref(u);
    }
    for (unsigned i = 0; i < c->worker_count; i++)
        http_hops_free(&c->local[i]);
    conf_unref(c->conf);
    pthread_rwlock_destroy(&c->lock);
    free(c->local);
    free(c);
}

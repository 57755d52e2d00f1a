/* Which servers there are: built from the configuration, and, when it changes, added, closed and made anew. */
#include <stdlib.h>

#include "base/log.h"
#include "connect/inner.h"

static const struct connect_kind *const connect_kinds[] = {&connect_http, &connect_stdio};

enum err upstream_new(struct connect *c, struct conf *conf, const struct conf_server *s, struct upstream **ret,
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
void upstream_leave(struct upstream *u)
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

void connect_insert(struct connect *c, struct upstream *u)
{
    struct upstream **at = &c->upstreams;
    while (*at && str_cmp((*at)->server->name, u->server->name) < 0)
        at = &(*at)->next;
    u->next = *at;
    *at = u;
}

/* ---- another configuration ---- */

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

static bool strings_same(const struct conf_strings *a, const struct conf_strings *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = str_eq(a->v[i], b->v[i]);
    return same;
}

static bool server_same(const struct conf_server *a, const struct conf_server *b)
{
    bool same = str_eq(a->url, b->url) && str_eq(a->cwd, b->cwd) && a->isolation == b->isolation &&
                a->protocol == b->protocol && a->max_processes == b->max_processes &&
                memcmp(&a->limits, &b->limits, sizeof(a->limits)) == 0 && pairs_same(&a->headers, &b->headers) &&
                pairs_same(&a->env, &b->env) && tls_same(a->tls, b->tls);
    return same && strings_same(&a->command, &b->command) && a->sandbox == b->sandbox && a->network == b->network &&
           strings_same(&a->read, &b->read) && strings_same(&a->write, &b->write);
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
                upstream_look(u); /* what is new is judged again */
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
            upstream_look(u);
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

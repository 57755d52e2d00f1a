/* Resources of which our clients want to hear: what a server is asked to tell, once for all who want the same. */
#include <stdlib.h>

#include "base/log.h"
#include "connect/inner.h"

enum { SUBSCRIPTIONS_MAX = 4096 };

static struct subscription **subscription_find(struct upstream *u, struct str key, struct str uri)
{
    struct subscription **at = &u->subscriptions;
    while (*at && !(str_eq((*at)->key, key) && str_eq((*at)->uri, uri)))
        at = &(*at)->next;
    return at;
}

static void subscription_add(struct upstream *u, struct str key, struct str uri)
{
    struct subscription **at = subscription_find(u, key, uri);
    if (*at) {
        (*at)->count++;
        return;
    }
    unsigned n = 0;
    for (const struct subscription *s = u->subscriptions; s; s = s->next)
        n++;
    struct subscription *s = n < SUBSCRIPTIONS_MAX ? malloc(sizeof(*s) + key.n + uri.n) : NULL;
    if (!s) {
        log_warn("server_subscriptions_full", LOG_S("server", u->server->name), LOG_I("subscriptions", n));
        return;
    }
    *s = (struct subscription){.count = 1};
    s->key = (struct str){s->bytes, key.n};
    s->uri = (struct str){s->bytes + key.n, uri.n};
    if (key.n)
        memcpy(s->bytes, key.p, key.n);
    memcpy(s->bytes + key.n, uri.p, uri.n);
    *at = s;
    u->kind->subscribe(u, s->key, s->uri, true);
}

static void subscription_drop(struct upstream *u, struct str key, struct str uri)
{
    struct subscription **at = subscription_find(u, key, uri), *s = *at;
    if (!s || --s->count)
        return;
    *at = s->next;
    u->kind->subscribe(u, s->key, s->uri, false);
    free(s);
}

void subscriptions_free(struct upstream *u)
{
    while (u->subscriptions) {
        struct subscription *s = u->subscriptions;
        u->subscriptions = s->next;
        free(s);
    }
}

/* ---- from any thread ---- */

struct subscription_mail {
    struct worker_mail mail;
    struct connect *connect;
    bool on;
    struct str server, agent, session, uri;
    char bytes[];
};

static void subscription_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct subscription_mail *m = (struct subscription_mail *)mail;
    struct upstream *u = m->connect->closing ? NULL : connect_find(m->connect, m->server);
    char text[CONNECT_KEY_MAX];
    struct str key = !u || u->kind->one_ear ? STR("") : upstream_key(u, m->agent, m->session, text);
    if (u && m->on)
        subscription_add(u, key, m->uri);
    else if (u)
        subscription_drop(u, key, m->uri);
    free(m);
}

static struct str subscription_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

void connect_subscribe(struct connect *c, struct str server, struct str agent, struct str session, struct str uri,
                       bool on)
{
    struct subscription_mail *m = malloc(sizeof(*m) + server.n + agent.n + session.n + uri.n);
    if (!m)
        return;
    char *at = m->bytes;
    *m = (struct subscription_mail){.mail = {.run = subscription_arrived}, .connect = c, .on = on};
    m->server = subscription_copy(&at, server);
    m->agent = subscription_copy(&at, agent);
    m->session = subscription_copy(&at, session);
    m->uri = subscription_copy(&at, uri);
    worker_post(&c->workers[0], &m->mail);
}

/* ---- the messages ---- */

void wire_write_listen(struct buf *b, const struct upstream *u, struct str key, struct str id)
{
    struct buf params CLEANUP(buf_done);
    struct wire_request r = {.era = WIRE_ERA_MODERN, .method = "subscriptions/listen", .id = id};
    buf_init(&params, 16u << 20);
    struct json_out o = json_out(&params);
    json_open(&o, '{');
    json_key(&o, STR("notifications"));
    json_open(&o, '{');
    json_kv_bool(&o, "toolsListChanged", true);
    json_kv_bool(&o, "promptsListChanged", true);
    json_kv_bool(&o, "resourcesListChanged", true);
    bool open = false;
    for (const struct subscription *s = u->subscriptions; s; s = s->next) {
        if (!str_eq(s->key, key))
            continue;
        if (!open) {
            json_key(&o, STR("resourceSubscriptions"));
            json_open(&o, '[');
        }
        open = true;
        json_put_str(&o, s->uri);
    }
    if (open)
        json_close(&o, ']');
    json_close(&o, '}');
    json_close(&o, '}');
    r.params = buf_view(&params);
    wire_write(b, &r);
}

void wire_write_subscribe(struct buf *b, struct str uri, bool on)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "id", on ? "subscribe" : "unsubscribe");
    json_kv_z(&o, "method", on ? "resources/subscribe" : "resources/unsubscribe");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    json_kv_str(&o, "uri", uri);
    json_close(&o, '}');
    json_close(&o, '}');
}

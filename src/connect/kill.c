/*
 * The servers of whoever is stopped: their calls were given up by the gate already, so that what is left is what serves
 * nobody else. Processes end in quick steps; servers over HTTP have acknowledged the notifications that cancelled a
 * call; calls that were put aside are given up. Worker 0 only.
 */
#include "connect/hop.h"

static bool kill_quiet(const struct connect *c, const struct connect_kill *k)
{
    for (const struct hop *h = c->notices; h; h = h->notice_next)
        if (h->notice <= k->notices)
            return false;
    for (const struct upstream *u = c->upstreams; u; u = u->next)
        if (u->kind->dying && u->kind->dying(u))
            return false;
    for (const struct upstream *u = c->leaving; u; u = u->next)
        if (u->kind->dying && u->kind->dying(u))
            return false;
    return true;
}

void kill_look(struct connect *c)
{
    for (struct connect_kill **at = &c->kills; *at;) {
        struct connect_kill *k = *at;
        if (!kill_quiet(c, k)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        k->quiet(k);
        at = &c->kills; /* whatever that did */
    }
}

static void kill_upstream(struct upstream *u, struct connect_kill *k)
{
    char key[CONNECT_KEY_MAX];
    bool session = u->server->isolation == CONF_PER_SESSION && k->session.n;
    bool agent = u->server->isolation == CONF_PER_AGENT && k->agent.n && (!k->session.n || k->alone);
    if (session || agent)
        u->kind->forget(u, upstream_key(u, k->agent, k->session, key));
    if (u->kind->kill)
        u->kind->kill(u, k);
}

void connect_kill(struct connect *c, struct connect_kill *k)
{
    k->parked = park_kill(c, k);
    for (struct upstream *u = c->upstreams; u; u = u->next)
        kill_upstream(u, k);
    for (struct upstream *u = c->leaving; u; u = u->next)
        kill_upstream(u, k);
    k->notices = c->notice;
    k->next = c->kills;
    c->kills = k;
    kill_look(c);
}

/* ---- what servers over HTTP are told ---- */

static void kill_noticed(struct hop *h, enum err e, const char *why, const struct wire_message *m)
{
    (void)e, (void)why, (void)m;
    *h->notice_link = h->notice_next;
    if (h->notice_next)
        h->notice_next->notice_link = h->notice_link;
    kill_look(h->worker->connect);
}

void kill_notice(struct hop *h)
{
    struct connect *c = h->worker->connect;
    h->told = kill_noticed;
    h->notice = ++c->notice;
    h->notice_next = c->notices;
    h->notice_link = &c->notices;
    if (c->notices)
        c->notices->notice_link = &h->notice_next;
    c->notices = h;
}

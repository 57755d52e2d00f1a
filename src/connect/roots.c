/*
 * A client's roots are others now. A legacy server that was told that its client has some, and says when they change,
 * learns it (MCP 2025-11-25 client/roots, "Root List Changes"): at once while a call of the client is with it,
 * otherwise with the next one, since only then can it ask which they are.
 */
#include <stdio.h>
#include <stdlib.h>

#include "connect/inner.h"

struct roots_mail {
    struct worker_mail mail;
    struct connect *connect;
    char agent[CONNECT_KEY_MAX], session[CONNECT_KEY_MAX];
};

static void roots_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct roots_mail *m = (struct roots_mail *)mail;
    for (struct upstream *u = m->connect->upstreams; u; u = u->next) {
        char text[CONNECT_KEY_MAX];
        u->kind->roots_changed(u, upstream_key(u, str_of(m->agent), str_of(m->session), text));
    }
    free(m);
}

void connect_roots_changed(struct connect *c, struct str agent, struct str session)
{
    struct roots_mail *m = calloc(1, sizeof(*m));
    if (!m)
        return;
    m->connect = c;
    m->mail.run = roots_arrived;
    snprintf(m->agent, sizeof(m->agent), STR_FMT, STR_ARG(agent));
    snprintf(m->session, sizeof(m->session), STR_FMT, STR_ARG(session));
    worker_post(&c->workers[0], &m->mail);
}

void wire_write_roots_changed(struct buf *b)
{
    buf_z(b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/roots/list_changed\"}");
}

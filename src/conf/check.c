/* Rules about more than one value, and defaults that depend on others. */
#include <stdio.h>
#include <stdlib.h>

#include "conf/load.h"
#include "net/http.h"

static bool check_name(struct str s)
{
    if (s.n == 0 || s.n > 32 || s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
            return false;
    return true;
}

static int check_server_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct conf_server *)a)->name, ((const struct conf_server *)b)->name);
}

static void check_servers(struct conf_load *l)
{
    struct conf_servers *s = &l->conf->root.servers;
    for (size_t i = 0; i < s->n; i++) {
        struct conf_server *v = &s->v[i];
        char path[128];
        snprintf(path, sizeof(path), "servers." STR_FMT, STR_ARG(v->name));
        if (!check_name(v->name))
            conf_fault(l, path, "a server's name must be 1 to 32 lower-case letters, digits and hyphens");
        if (!v->url.n == !v->command.n)
            conf_fault(l, path, "needs either url (MCP over HTTP) or command (MCP over stdio)");
        if (v->url.n && (v->env.set || v->cwd.n))
            conf_fault(l, path, "env and cwd go with command, not with url");
        if (v->command.n && v->headers.set)
            conf_fault(l, path, "headers go with url, not with command");
        if (!v->timeout)
            v->timeout = l->conf->root.limits.call_timeout;
    }
    if (s->n)
        qsort(s->v, s->n, sizeof(*s->v), check_server_cmp);
}

static void check_url(struct conf_load *l)
{
    struct conf_root *r = &l->conf->root;
    if (!r->public_url.n)
        r->public_url = arena_fmt(&l->conf->arena, "http://" STR_FMT, STR_ARG(r->listen));
    while (r->public_url.n && r->public_url.p[r->public_url.n - 1] == '/')
        r->public_url.n--;
    r->public_url = arena_str(&l->conf->arena, r->public_url);
}

static void check_hosts(struct conf_load *l)
{
    struct conf_root *r = &l->conf->root;
    struct http_url url;
    struct fault f;
    if (r->allowed_hosts.set)
        return;
    struct str *v = arena_alloc(&l->conf->arena, 5 * sizeof(*v));
    if (!v)
        return;
    size_t n = 0;
    v[n++] = r->listen;
    if (http_url_parse(r->public_url, &url, &f) == ERR_OK && !str_eq(url.authority, r->listen))
        v[n++] = url.authority;
    if (str_starts(r->listen, STR("127.")) || str_starts(r->listen, STR("[::1]"))) {
        const char *colon = memrchr(r->listen.p, ':', r->listen.n);
        v[n++] = arena_fmt(&l->conf->arena, "localhost%s", colon);
        v[n++] = arena_fmt(&l->conf->arena, "127.0.0.1%s", colon);
        v[n++] = arena_fmt(&l->conf->arena, "[::1]%s", colon);
    }
    r->allowed_hosts.v = v;
    r->allowed_hosts.n = n;
}

static void check_rules(struct conf_load *l)
{
    const struct conf_root *r = &l->conf->root;
    char path[160];
    if (r->agents.default_lifetime > r->agents.max_lifetime)
        conf_fault(l, "agents.default_lifetime", "is longer than agents.max_lifetime");
    for (size_t i = 0; i < r->tools.n; i++) {
        if (!memchr(r->tools.v[i].name.p, '/', r->tools.v[i].name.n)) {
            snprintf(path, sizeof(path), "tools." STR_FMT, STR_ARG(r->tools.v[i].name));
            conf_fault(l, path, "a pattern must be like server/tool or server/*");
        }
    }
    for (size_t i = 0; i < r->operators.n; i++) {
        snprintf(path, sizeof(path), "operators[%zu]", i);
        if (!r->operators.v[i].name.n)
            conf_fault(l, path, "needs a name");
        if (!r->operators.v[i].token)
            conf_fault(l, path, "needs a token");
        else if (secret_len(r->operators.v[i].token) < 16)
            conf_fault(l, path, "the token is shorter than 16 characters");
    }
    for (size_t i = 0; i < r->scopes.n; i++) {
        const struct conf_scope *s = &r->scopes.v[i];
        struct str zone = s->when.timezone;
        if (!s->add.n && !s->keep.set && !s->drop.n)
            conf_fault(l, s->name.p, "needs add, keep or drop");
        if (!str_is(zone, "UTC") && !str_is(zone, "local"))
            conf_fault(l, s->name.p, "when.timezone must be UTC or local");
    }
}

void conf_check(struct conf_load *l)
{
    l->line = l->column = 1;
    check_url(l);
    check_hosts(l);
    check_servers(l);
    check_rules(l);
}

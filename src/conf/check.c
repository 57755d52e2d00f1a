/* Rules about more than one value, and defaults that depend on others. */
#include <stdio.h>
#include <stdlib.h>

#include "box/box.h"
#include "conf/load.h"
#include "net/http.h"
#include "tlog/note.h"

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

/* The snapshot owns it from here on. */
static struct tls *check_keep(struct conf_load *l, const char *path, struct tls *t)
{
    struct conf_made *made = arena_alloc(&l->conf->arena, sizeof(*made));
    if (!made) {
        tls_unref(t);
        conf_fault(l, path, "no memory for a certificate");
        return NULL;
    }
    made->tls = t;
    made->next = l->conf->made;
    l->conf->made = made;
    return t;
}

static bool check_pair(struct conf_load *l, const char *path, struct str certificate, struct str key)
{
    if ((!certificate.n || !key.n) && !l->spoiled)
        conf_fault(l, path, "has no %s: must have a certificate and its key", certificate.n ? "key" : "certificate");
    return certificate.n && key.n;
}

static void check_tls(struct conf_load *l, const char *path, struct conf_tls *v)
{
    struct fault f;
    struct tls *t = NULL;
    if (!check_pair(l, path, v->certificate, v->key))
        return;
    if (v->client_ca.n && v->client == TLS_PEER_NONE)
        conf_fault(l, path,
                   "has client_ca, but clients are asked for no certificate: client must be optional or required");
    else if (!v->client_ca.n && v->client != TLS_PEER_NONE)
        conf_fault(l, path, "has no client_ca: must name the authorities whose certificates are believed");
    else if (tls_server_new(v->certificate.p, v->key.p, v->client_ca.p, (enum tls_peer)v->client, &t, &f))
        conf_fault(l, path, "%s", f.text);
    else
        v->tls = check_keep(l, path, t);
}

static void check_server_tls(struct conf_load *l, const char *path, struct conf_server *v)
{
    struct fault f;
    struct tls *t = NULL;
    bool https = str_starts(v->url, STR("https://"));
    if (!https && (v->ca.n || v->client.certificate.n))
        conf_fault(l, path, "ca and client go with an https:// url only");
    else if (https && !l->spoiled && tls_client_new(v->ca.p, v->client.certificate.p, v->client.key.p, &t, &f))
        conf_fault(l, path, "%s", f.text);
    else if (t)
        v->tls = check_keep(l, path, t);
}

static void check_server(struct conf_load *l, const char *path, const struct conf_server *v)
{
    if (!check_name(v->name))
        conf_fault(l, path,
                   "a server's name must be 1 to 32 lower-case letters, digits and hyphens, not a hyphen first");
    if (v->url.n && v->command.n)
        conf_fault(l, path, "has both url and command: must have one, url (MCP over HTTP) or command (MCP over stdio)");
    else if (!v->url.n && !v->command.n && !l->spoiled)
        conf_fault(l, path,
                   "has no url and no command: must have one, url (MCP over HTTP) or command (MCP over stdio)");
    else if (v->url.n && (v->env.set || v->cwd.n))
        conf_fault(l, path, "env and cwd go with command, not with url");
    else if (v->command.n && v->headers.set)
        conf_fault(l, path, "headers go with url, not with command");
}

/* What a box does not allow, or cannot. */
static void check_box(struct conf_load *l, const char *path, const struct conf_server *v)
{
    unsigned missing = BOX_ALL & ~box_enforced();
    if (v->url.n && (v->read.n || v->write.n || v->network || v->sandbox != CONF_SANDBOX_ON))
        conf_fault(l, path, "sandbox, network, read and write go with command, not with url");
    for (unsigned i = 0; v->sandbox == CONF_SANDBOX_STRICT && box_names[i]; i++)
        if (missing >> i & 1)
            conf_fault(l, path, "sandbox is strict, and this system's kernel cannot enforce \"%s\": must be on or off",
                       box_names[i]);
}

/* The gateway's keys and its record are no tool's. */
static void check_declared(struct conf_load *l, const struct conf_server *v, const char *key,
                           const struct conf_strings *list)
{
    const char *data = l->conf->root.data_dir.p;
    char path[64];
    for (size_t i = 0; i < list->n; i++) {
        const char *one = list->v[i].p;
        snprintf(path, sizeof(path), "servers." STR_FMT ".%s[%zu]", STR_ARG(v->name), key, i);
        if (one && data && (box_holds(one, data) || box_holds(data, one)))
            conf_fault(l, path, "%s and data_dir lie one in the other: must be a path apart from %s", one, data);
    }
}

static void check_operator(struct conf_load *l, const char *path, const struct conf_operator *v)
{
    if (!v->name.n && !l->spoiled)
        conf_fault(l, path, "has no name: must have a name and a token");
    if (!v->token && !l->spoiled)
        conf_fault(l, path, "has no token: must have one, file:PATH or ${ENV}");
    else if (v->token && secret_len(v->token) < 16)
        conf_fault(l, path, "the token is too short: must be 16 characters or more");
}

void conf_check_twice(struct conf_load *l, const char *path, const struct conf_operator *v, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (v[i].name.n && str_eq(v[k].name, v[i].name))
            conf_fault(l, path, "another operator has the same name: the record could not tell them apart");
        struct secret *a = v[k].token, *b = v[i].token;
        if (a && b && secret_eq(a, (struct str){(const char *)secret_bytes(b), secret_len(b)}))
            conf_fault(l, path, "another operator has the same token: each must have one of its own");
    }
}

static void check_scope(struct conf_load *l, const char *path, const struct conf_scope *v)
{
    if (!v->add.n && !v->keep.set && !v->drop.n && !l->spoiled)
        conf_fault(l, path, "changes nothing: must have add, keep or drop");
}

static void check_tool_scope(struct conf_load *l, const char *path, const struct conf_tool *v)
{
    const char *colon = v->scope.n ? memchr(v->scope.p, ':', v->scope.n) : NULL;
    if (v->scope.n && (!colon || colon == v->scope.p || !colon[1] || strchr(colon + 1, ':')))
        conf_fault(l, path, "scope is wrong: must be resource:action, such as orders:read");
    if (v->bind.n && !v->scope.n && !l->spoiled)
        conf_fault(l, path, "bind says which argument a scope's object stands in: must have scope");
}

static void check_timezone(struct conf_load *l, const char *path, struct str zone)
{
    if (!str_is(zone, "UTC") && !str_is(zone, "local"))
        conf_fault(l, path, "timezone is wrong: must be UTC or local");
}

/* Which kind of sink takes which addresses. */
static const struct {
    int64_t kind;
    const char *schemes[3], *right;
} check_sinks[] = {
    {CONF_SINK_NATS, {"nats://", "tls://"}, "nats://host:4222 or tls://host:4222"},
    {CONF_SINK_WEBHOOK, {"http://", "https://"}, "http:// or https://"},
    {CONF_SINK_SYSLOG, {"tcp://", "tls://"}, "tcp://host:601 or tls://host:6514"},
    {CONF_SINK_OTLP, {"http://", "https://"}, "http:// or https://"},
    {CONF_SINK_TRACES, {"http://", "https://"}, "http:// or https://"},
};

static void check_sink(struct conf_load *l, const char *path, const struct conf_sink *v)
{
    if (!check_name(v->name))
        conf_fault(l, path, "a sink's name must be 1 to 32 lower-case letters, digits and hyphens, not a hyphen first");
    if (l->spoiled)
        return;
    if (v->kind == CONF_SINK_NONE)
        conf_fault(l, path, "has no kind: must be nats, webhook, syslog, otlp or traces");
    for (size_t i = 0; i < sizeof(check_sinks) / sizeof(check_sinks[0]); i++)
        if (check_sinks[i].kind == v->kind && !str_starts(v->url, str_of(check_sinks[i].schemes[0])) &&
            !str_starts(v->url, str_of(check_sinks[i].schemes[1])))
            conf_fault(l, path, "url \"%.*s\" is wrong: must begin with %s", (int)(v->url.n < 80 ? v->url.n : 80),
                       v->url.p ? v->url.p : "", check_sinks[i].right);
    if (v->kind == CONF_SINK_WEBHOOK && !v->secret)
        conf_fault(l, path, "has no secret: must have the key of its signatures, whsec_ and base64");
    if (v->certificate.n || v->key.n)
        check_pair(l, path, v->certificate, v->key);
}

/* What each kind of channel cannot do without, and what it has no use for. */
static const struct {
    const char *url, *token, *secret, *channel, *from, *to; /* why it is needed; NULL: it is not */
    bool own_url, own_token, own_secret, own_approve;       /* it is of use */
} check_channels[] = {
    [CONF_CHANNEL_SLACK] = {.token = "must be the bot's token",
                            .channel = "must be the conversation's id, such as C0123ABCD",
                            .own_url = true,
                            .own_token = true,
                            .own_secret = true,
                            .own_approve = true},
    [CONF_CHANNEL_TEAMS] = {.secret = "must be the workflow's URL", .own_secret = true},
    [CONF_CHANNEL_PAGERDUTY] = {.token = "must be the integration's routing key",
                                .own_url = true,
                                .own_token = true,
                                .own_secret = true},
    [CONF_CHANNEL_WEBHOOK] = {.url = "must be where it is posted",
                              .secret = "must be the key of its signatures, whsec_ and base64",
                              .own_url = true,
                              .own_secret = true},
    [CONF_CHANNEL_EMAIL] = {.url = "must be smtp://host:587 or smtps://host:465",
                            .from = "must be the sender",
                            .to = "must be who gets it",
                            .own_url = true,
                            .own_token = true},
};

static void check_channel_need(struct conf_load *l, const char *path, const char *key, bool there, const char *why)
{
    if (why && !there)
        conf_fault(l, path, "has no %s: %s", key, why);
}

static void check_channel_idle(struct conf_load *l, const char *path, const char *key, bool there, bool own)
{
    if (there && !own)
        conf_fault(l, path, "has %s, which channels of this kind have no use for", key);
}

static void check_channel(struct conf_load *l, const char *path, const struct conf_channel *v)
{
    bool mail = v->kind == CONF_CHANNEL_EMAIL;
    if (!check_name(v->name))
        conf_fault(l, path,
                   "a channel's name must be 1 to 32 lower-case letters, digits and hyphens, not a hyphen first");
    if (l->spoiled)
        return;
    if (v->kind == CONF_CHANNEL_NONE) {
        conf_fault(l, path, "has no kind: must be slack, teams, pagerduty, webhook or email");
        return;
    }
    check_channel_need(l, path, "url", v->url.n, check_channels[v->kind].url);
    check_channel_need(l, path, "token", v->token, check_channels[v->kind].token);
    check_channel_need(l, path, "secret", v->secret, check_channels[v->kind].secret);
    check_channel_need(l, path, "channel", v->channel.n, check_channels[v->kind].channel);
    check_channel_need(l, path, "from", v->from.n, check_channels[v->kind].from);
    check_channel_need(l, path, "to", v->to.n, check_channels[v->kind].to);
    check_channel_idle(l, path, "url", v->url.n, check_channels[v->kind].own_url);
    check_channel_idle(l, path, "token", v->token, check_channels[v->kind].own_token);
    check_channel_idle(l, path, "secret", v->secret, check_channels[v->kind].own_secret);
    check_channel_idle(l, path, "approve", v->approve, check_channels[v->kind].own_approve);
    check_channel_idle(l, path, "channel", v->channel.n, v->kind == CONF_CHANNEL_SLACK);
    check_channel_idle(l, path, "username, from or to", v->username.n || v->from.n || v->to.n, mail);
    for (size_t i = 0; i < v->channel.n && v->kind == CONF_CHANNEL_SLACK; i++)
        if (!(v->channel.p[i] >= '0' && v->channel.p[i] <= '9') &&
            !(v->channel.p[i] >= 'A' && v->channel.p[i] <= 'Z')) {
            conf_fault(l, path, "channel is wrong: must be the conversation's id, such as C0123ABCD, not its name");
            break;
        }
    if (v->link.n && !str_starts(v->link, STR("https://")) && !str_starts(v->link, STR("http://")))
        conf_fault(l, path, "link is wrong: must begin with https:// or http://");
    if (v->approve && !v->secret)
        conf_fault(l, path, "has approve and no secret: nobody could press the button");
    if (mail && !v->username.n != !v->token)
        conf_fault(l, path, "has %s: must have both username and token, or neither",
                   v->token ? "a token and no username" : "a username and no token");
    if (v->url.n && mail != (str_starts(v->url, STR("smtp://")) || str_starts(v->url, STR("smtps://"))))
        conf_fault(l, path, "url \"%.*s\" is wrong: must begin with %s", (int)(v->url.n < 80 ? v->url.n : 80), v->url.p,
                   mail ? "smtp:// or smtps://" : "http:// or https://");
}

static void check_witness(struct conf_load *l, const char *path, const struct conf_witness *v)
{
    struct note_verifier key;
    struct fault f;
    if (l->spoiled)
        return;
    if (!v->url.n)
        conf_fault(l, path, "has no url: must be the witness's address");
    if (note_verifier_parse(v->key, &key, &f))
        conf_fault(l, path, "key is wrong: %s", f.text);
    else if (key.alg != NOTE_COSIGNATURE)
        conf_fault(l, path, "key is wrong: must be one for cosignatures");
}

/* The record's name: the host of public_url, and /audit. Who can change the record must not be able to sign it. */
static void check_keys(struct conf_load *l)
{
    struct conf_root *r = &l->conf->root;
    struct http_url url;
    if (!r->audit.origin.n)
        r->audit.origin = http_url_parse(r->public_url, &url, NULL) == ERR_OK
                              ? arena_fmt(&l->conf->arena, STR_FMT "/audit", STR_ARG(url.authority))
                              : STR("doorward/audit");
    struct str dir = r->data_dir, keys = r->audit.keys;
    while (dir.n && dir.p[dir.n - 1] == '/')
        dir.n--;
    if (str_starts(keys, dir) && (keys.n == dir.n || keys.p[dir.n] == '/'))
        conf_fault(l, "audit.keys",
                   "lies in data_dir: must be outside of it, since who can change the record must not "
                   "be able to sign it");
}

void conf_check(struct conf_load *l, const char *path, enum conf_section s, void *section)
{
    const struct conf_anchor *anchor = section;
    const struct conf_agents *agents = section;
    const struct conf_tool *tool = section;
    const struct conf_scope_when *when = section;
    const struct conf_tool_bind *bind = section;
    const struct conf_policy_file *policy_file = section;
    switch (s) {
    case CONF_S_server:
        check_server(l, path, section);
        check_server_tls(l, path, section);
        check_box(l, path, section);
        break;
    case CONF_S_server_client: {
        const struct conf_server_client *client = section;
        check_pair(l, path, client->certificate, client->key);
        break;
    }
    case CONF_S_sink: check_sink(l, path, section); break;
    case CONF_S_channel: check_channel(l, path, section); break;
    case CONF_S_witness: check_witness(l, path, section); break;
    case CONF_S_anchor:
        if (!anchor->file.n == !anchor->url.n && !l->spoiled)
            conf_fault(l, path, "must have either file or url");
        break;
    case CONF_S_tls: check_tls(l, path, section); break;
    case CONF_S_operator: check_operator(l, path, section); break;
    case CONF_S_scope: check_scope(l, path, section); break;
    case CONF_S_scope_when: check_timezone(l, path, when->timezone); break;
    case CONF_S_policy_file:
        if (!policy_file->file.n)
            conf_fault(l, path, "names no file: must have file, such as policies/*.cedar");
        break;
    case CONF_S_agents:
        if (agents->default_lifetime > agents->max_lifetime)
            conf_fault(l, path, "default_lifetime is longer than max_lifetime: must be at most that");
        break;
    case CONF_S_tool:
        if (!memchr(tool->name.p, '/', tool->name.n))
            conf_fault(l, path, "names no tool: must be a pattern like server/tool or server/*");
        check_tool_scope(l, path, tool);
        break;
    case CONF_S_tool_bind:
        if (!bind->kind.n || !bind->argument.n)
            conf_fault(l, path, "binds nothing: must have kind and argument, such as user and user_id");
        break;
    default: break;
    }
}

static void check_slashes(struct conf_load *l, struct str *url)
{
    while (url->n && url->p[url->n - 1] == '/')
        url->n--;
    *url = arena_str(&l->conf->arena, *url);
}

static void check_url(struct conf_load *l)
{
    struct conf_root *r = &l->conf->root;
    if (!r->public_url.n)
        r->public_url =
            arena_fmt(&l->conf->arena, "%s://" STR_FMT, r->tls.certificate.n ? "https" : "http", STR_ARG(r->listen));
    check_slashes(l, &r->public_url);
    check_slashes(l, &r->admin.public_url);
    for (size_t i = 0; r->console.enabled && r->admin.public_url.n && i < r->channels.n; i++)
        if (!r->channels.v[i].link.n)
            r->channels.v[i].link = arena_fmt(&l->conf->arena, STR_FMT "/approvals/{id}", STR_ARG(r->admin.public_url));
}

static bool check_loopback(struct str address)
{
    return str_starts(address, STR("127.")) || str_starts(address, STR("[::1]"));
}

/* Nobody but this machine may be anonymous. */
static void check_trial(struct conf_load *l)
{
    const struct conf_root *r = &l->conf->root;
    struct http_url url;
    struct fault f;
    if (!r->trial.anonymous.n)
        return;
    if (!check_loopback(r->listen))
        conf_fault(l, "trial", "anonymous goes with a loopback address only: listen must be like 127.0.0.1:8420");
    else if (http_url_parse(r->public_url, &url, &f) == ERR_OK && !check_loopback(url.authority) &&
             !str_is(url.host, "localhost"))
        conf_fault(l, "trial", "anonymous goes with a loopback address only: public_url names another host");
}

static void check_hosts(struct conf_load *l, struct str listen, struct str more, struct conf_strings *ret)
{
    if (ret->set)
        return;
    struct str *v = arena_alloc(&l->conf->arena, 5 * sizeof(*v));
    if (!v)
        return;
    size_t n = 0;
    v[n++] = listen;
    if (more.n && !str_eq(more, listen))
        v[n++] = more;
    if (check_loopback(listen)) {
        const char *colon = memrchr(listen.p, ':', listen.n);
        v[n++] = arena_fmt(&l->conf->arena, "localhost%s", colon);
        v[n++] = arena_fmt(&l->conf->arena, "127.0.0.1%s", colon);
        v[n++] = arena_fmt(&l->conf->arena, "[::1]%s", colon);
    }
    ret->v = v;
    ret->n = n;
}

static void check_all_hosts(struct conf_load *l)
{
    struct conf_root *r = &l->conf->root;
    struct http_url url;
    struct fault f;
    struct str public = http_url_parse(r->public_url, &url, &f) == ERR_OK ? url.authority : STR_NONE;
    check_hosts(l, r->listen, public, &r->allowed_hosts);
    public = http_url_parse(r->admin.public_url, &url, &f) == ERR_OK ? url.authority : STR_NONE;
    check_hosts(l, r->admin.listen, public, &r->admin.allowed_hosts);
}

void conf_finish(struct conf_load *l)
{
    struct conf_servers *s = &l->conf->root.servers;
    l->line = l->column = 1;
    check_url(l);
    check_keys(l);
    check_trial(l);
    check_all_hosts(l);
    for (size_t i = 0; i < s->n; i++) {
        if (!s->v[i].timeout)
            s->v[i].timeout = l->conf->root.limits.call_timeout;
        if (s->v[i].sandbox == CONF_SANDBOX_OFF)
            continue;
        check_declared(l, &s->v[i], "read", &s->v[i].read);
        check_declared(l, &s->v[i], "write", &s->v[i].write);
    }
    if (s->n)
        qsort(s->v, s->n, sizeof(*s->v), check_server_cmp);
}

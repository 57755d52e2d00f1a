/*
 * Resources that change: legacy clients subscribe to one at a time and hear of it on their protocol session's stream
 * (MCP 2025-11-25 server/resources, "Subscriptions"); modern ones name them when they open theirs.
 */
#include <stdlib.h>

#include "mcp/elicit.h"
#include "mcp/streams.h"

enum { SUBSCRIBE_URI_MAX = 4096 };

static struct session_ref subscribe_session(const struct mcp_request *r)
{
    return (struct session_ref){r->lease, r->mcp_session};
}

static enum err subscribe_uri(struct mcp_request *r, struct str *ret, struct fault *f)
{
    uint32_t node = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("uri")) : 0;
    if (json_type(&r->doc, node) != JSON_STRING)
        return fault_set(f, ERR_PARAMS, "params.uri must be a string");
    *ret = json_str(&r->doc, node, &r->x->arena);
    if (!ret->n || ret->n > SUBSCRIBE_URI_MAX)
        return fault_set(f, ERR_PARAMS, "params.uri must have 1 to %d bytes", SUBSCRIBE_URI_MAX);
    if (!r->mcp_session.n)
        return fault_set(f, ERR_INVALID, "a subscription belongs to a protocol session: Mcp-Session-Id is missing");
    return ERR_OK;
}

static enum err subscribe(struct mcp_request *r, struct fault *f)
{
    struct str uri, server;
    bool fresh = false;
    TRY(subscribe_uri(r, &uri, f));
    TRY(gate_subscribe(r->mcp->gate, r->lease, r->server, uri, &r->x->arena, &server, f));
    TRY(session_table_subscribe(r->mcp->sessions, subscribe_session(r), server, uri, &fresh, f));
    if (fresh)
        gate_subscribed(r->mcp->gate->gate, r->lease, server, uri, true);
    return ERR_OK;
}

static enum err unsubscribe(struct mcp_request *r, struct fault *f)
{
    struct str uri;
    TRY(subscribe_uri(r, &uri, f));
    session_table_unsubscribe(r->mcp->sessions, subscribe_session(r), uri); /* which tells whom it concerns */
    return ERR_OK;
}

static void subscribe_answer(struct mcp_request *r, enum err (*change)(struct mcp_request *r, struct fault *f))
{
    struct fault f;
    int64_t retry_after_ms = 0;
    enum err e = gate_admit(r->mcp->gate, r->lease, &retry_after_ms, &f);
    if (!e)
        e = change(r, &f);
    if (e) {
        mcp_answer_fault(r, &f, retry_after_ms);
        return;
    }
    struct json_out o = mcp_result_open(r);
    mcp_result_close(&o);
    mcp_answer_result(r, NULL);
}

void mcp_resources_subscribe(struct mcp_request *r)
{
    subscribe_answer(r, subscribe);
}

void mcp_resources_unsubscribe(struct mcp_request *r)
{
    subscribe_answer(r, unsubscribe);
}

/* ---- what a server says ---- */

enum told { TOLD_UPDATED, TOLD_SAID, TOLD_COMPLETED };

struct told_mail {
    struct worker_mail mail;
    struct mcp_worker *to;
    enum told what;
    struct str server, key, text;
    char bytes[];
};

/* Is the lease one of those whom the server's process or protocol session with this key serves? */
static bool told_serves(struct str key, const struct lease *l, bool shared)
{
    if (str_starts(key, STR("agent:")))
        return str_eq(str_skip(key, 6), lease_agent_id(l));
    if (str_starts(key, STR("session:")))
        return str_eq(str_skip(key, 8), lease_sid(l));
    return shared;
}

static bool told_wants(const struct mcp_stream *s, struct str server, struct str uri)
{
    const struct mcp_request *r = s->r;
    if (r->era == ERA_LEGACY)
        return session_table_subscribed(r->mcp->sessions, subscribe_session(r), server, uri);
    for (size_t i = 0; i < s->uri_count; i++)
        if (str_eq(s->uri[i].uri, uri) && str_eq(s->uri[i].server, server))
            return true;
    return false;
}

static void told_updated(struct mcp_stream *s, const struct told_mail *m)
{
    if (!told_serves(m->key, s->r->lease, true) || !told_wants(s, m->server, m->text) ||
        !mcp_server_allowed(s->r, CALL_RESOURCE, m->server))
        return;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    struct json_out o = mcp_notification_open(s, &b, "notifications/resources/updated");
    json_kv_str(&o, "uri", m->text);
    mcp_notification_close(&o);
    mcp_stream_send(s, &b);
}

/* What a server writes to its log while no call of the session is with it. A process that serves everybody speaks of
 * nobody in particular. */
static void told_said(struct mcp_stream *s, const struct told_mail *m)
{
    const struct mcp_request *r = s->r;
    int level = r->era == ERA_LEGACY ? session_table_level_of(r->mcp->sessions, subscribe_session(r)) : -1;
    if (level < 0 || !told_serves(m->key, r->lease, false) || (r->server.n && !str_eq(r->server, m->server)))
        return;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    if (mcp_log_write(&b, m->text, level))
        mcp_stream_send(s, &b);
}

/* What was opened at a URL is over: for the client that was given it. */
static void told_completed(struct mcp_stream *s, const struct told_mail *m)
{
    const struct mcp_request *r = s->r;
    struct elicited_of of = {m->server, m->text, lease_sid(r->lease), r->mcp_session};
    if (r->era != ERA_LEGACY || !told_serves(m->key, r->lease, true) || !elicited_take(r->mcp->elicited, &of))
        return;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    struct json_out o = mcp_notification_open(s, &b, "notifications/elicitation/complete");
    json_kv_str(&o, "elicitationId", m->text);
    mcp_notification_close(&o);
    mcp_stream_send(s, &b);
}

static void told_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    static void (*const told_each[])(struct mcp_stream * s, const struct told_mail *m) = {
        [TOLD_UPDATED] = told_updated, [TOLD_SAID] = told_said, [TOLD_COMPLETED] = told_completed};
    struct told_mail *m = (struct told_mail *)mail;
    for (struct mcp_stream *s = m->to->streams.first, *next; s; s = next) {
        next = s->next;
        if (!s->shows)
            told_each[m->what](s, m);
    }
    free(m);
}

static void told_post(struct mcp_worker *to, enum told what, struct str server, struct str key, struct str text)
{
    struct told_mail *m = malloc(sizeof(*m) + server.n + key.n + text.n);
    if (!m)
        return;
    *m = (struct told_mail){.mail = {.run = told_arrived}, .to = to, .what = what};
    char *at = m->bytes;
    struct str from[] = {server, key, text}, *copy[] = {&m->server, &m->key, &m->text};
    for (unsigned i = 0; i < 3; i++) {
        *copy[i] = (struct str){at, from[i].n};
        if (from[i].n)
            memcpy(at, from[i].p, from[i].n);
        at += from[i].n;
    }
    worker_post(to->gate->worker, &m->mail);
}

void mcp_resource_updated(struct mcp_worker *m, struct str server, struct str key, struct str uri)
{
    told_post(m, TOLD_UPDATED, server, key, uri);
}

void mcp_elicitation_completed(struct mcp_worker *m, struct str server, struct str key, struct str id)
{
    told_post(m, TOLD_COMPLETED, server, key, id);
}

void mcp_server_said(struct mcp_worker *m, struct str server, struct str key, struct str params)
{
    told_post(m, TOLD_SAID, server, key, params);
}

/* A client opens a stream of notifications (GET; subscriptions/listen) or ends its protocol session (DELETE). */
#include "mcp/event.h"
#include "mcp/tasks.h"

enum { LISTEN_URIS = 256 };

/* Counts against the rate. False: the refusal was answered. */
static bool listen_admitted(struct mcp_request *r)
{
    struct fault f;
    int64_t retry_after_ms = 0;
    if (gate_admit(r->mcp->gate, r->lease, &retry_after_ms, &f) == ERR_OK)
        return true;
    mcp_answer_fault(r, &f, retry_after_ms);
    return false;
}

static struct mcp_stream *listen_new(struct mcp_request *r, struct fault *f)
{
    if (mcp_stream_admit(r, f))
        return NULL;
    struct mcp_stream *s = arena_alloc(&r->x->arena, sizeof(*s));
    if (!s) {
        fault_set(f, ERR_NOMEM, "no memory for a stream");
        return NULL;
    }
    *s = (struct mcp_stream){.r = r};
    return s;
}

/* ---- legacy ---- */

static struct session_ref listen_session(const struct mcp_request *r)
{
    return (struct session_ref){r->lease, r->mcp_session};
}

void mcp_get(struct mcp_request *r)
{
    struct fault f;
    if (!listen_admitted(r))
        return;
    struct mcp_stream *s = NULL;
    struct str last = http_header(&r->x->head, "last-event-id");
    bool accepted = mcp_accepts_stream(r->x);
    if (accepted && last.n) {
        mcp_resume(r, last);
        return;
    }
    if (!accepted)
        fault_set(&f, ERR_NOT_ACCEPTABLE, "Accept must list text/event-stream");
    else
        s = listen_new(r, &f);
    if (!s || session_table_stream(r->mcp->sessions, listen_session(r), &s->number, &f)) {
        mcp_answer_fault(r, &f, 0);
        return;
    }
    for (unsigned list = 0; list < MCP_LISTS; list++)
        s->wants[list] = true;
    mcp_stream_begin(s);
}

void mcp_delete(struct mcp_request *r)
{
    struct fault f;
    if (!listen_admitted(r))
        return;
    if (session_table_delete(r->mcp->sessions, listen_session(r), &f)) {
        mcp_answer_fault(r, &f, 0);
        return;
    }
    struct exchange *x = r->x;
    mcp_release(r);
    exchange_answer(x, 204, STR_NONE, NULL, 0, STR_NONE);
}

/* ---- modern ---- */

static const struct {
    const char *member;
    enum mcp_list list;
} listen_lists[] = {
    {"toolsListChanged", MCP_TOOLS}, {"promptsListChanged", MCP_PROMPTS}, {"resourcesListChanged", MCP_RESOURCES}};
enum { LISTEN_LISTS = sizeof(listen_lists) / sizeof(listen_lists[0]) };

/* Resources of which this session may hear; the others are not acknowledged. */
static enum err listen_uris(struct mcp_request *r, struct mcp_stream *s, uint32_t list, struct fault *f)
{
    struct arena *a = &r->x->arena;
    unsigned n = 0;
    if (!list)
        return ERR_OK;
    if (json_type(&r->doc, list) != JSON_ARRAY)
        return fault_set(f, ERR_PARAMS, "params.notifications.resourceSubscriptions must be an array");
    JSON_EACH(&r->doc, list, v)
    {
        if (json_type(&r->doc, v) != JSON_STRING || ++n > LISTEN_URIS)
            return fault_set(f, ERR_PARAMS, "params.notifications.resourceSubscriptions must hold at most %d strings",
                             LISTEN_URIS);
    }
    s->uri = arena_alloc(a, (n + 1) * sizeof(*s->uri));
    if (!s->uri)
        return fault_set(f, ERR_NOMEM, "no memory for subscriptions");
    JSON_EACH(&r->doc, list, v)
    {
        struct fault why;
        struct mcp_stream_uri *one = &s->uri[s->uri_count];
        one->uri = json_str(&r->doc, v, a);
        if (one->uri.n && gate_subscribe(r->mcp->gate, r->lease, r->server, one->uri, a, &one->server, &why) == ERR_OK)
            s->uri_count++;
    }
    return ERR_OK;
}

static enum err listen_filter(struct mcp_request *r, struct mcp_stream *s, struct fault *f)
{
    uint32_t filter = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("notifications")) : 0;
    if (json_type(&r->doc, filter) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params.notifications must be an object, but is %s",
                         json_type_name(json_type(&r->doc, filter)));
    for (unsigned i = 0; i < LISTEN_LISTS; i++) {
        uint32_t node = json_get(&r->doc, filter, str_of(listen_lists[i].member));
        enum json_type t = json_type(&r->doc, node);
        if (node && t != JSON_TRUE && t != JSON_FALSE)
            return fault_set(f, ERR_PARAMS, "params.notifications.%s must be true or false", listen_lists[i].member);
        s->wants[listen_lists[i].list] = t == JSON_TRUE;
    }
    s->wants[MCP_TEMPLATES] = s->wants[MCP_RESOURCES];
    TRY(mcp_tasks_listen(s, json_get(&r->doc, filter, STR("taskIds")), f));
    return listen_uris(r, s, json_get(&r->doc, filter, STR("resourceSubscriptions")), f);
}

/* The first message: what will be told of what was asked for. */
static void listen_acknowledge(struct mcp_stream *s)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    struct json_out o = mcp_notification_open(s, &b, "notifications/subscriptions/acknowledged");
    json_key(&o, STR("notifications"));
    json_open(&o, '{');
    for (unsigned i = 0; i < LISTEN_LISTS; i++)
        if (s->wants[listen_lists[i].list])
            json_kv_bool(&o, listen_lists[i].member, true);
    if (s->uri_count) {
        json_key(&o, STR("resourceSubscriptions"));
        json_open(&o, '[');
        for (size_t i = 0; i < s->uri_count; i++)
            json_put_str(&o, s->uri[i].uri);
        json_close(&o, ']');
    }
    mcp_tasks_acknowledge(s, &o);
    json_close(&o, '}');
    mcp_notification_close(&o);
    mcp_stream_send(s, &b);
}

void mcp_subscriptions_listen(struct mcp_request *r)
{
    struct fault f;
    if (!listen_admitted(r))
        return;
    struct mcp_stream *s = NULL;
    if (!mcp_accepts_stream(r->x))
        fault_set(&f, ERR_NOT_ACCEPTABLE, "Accept must list text/event-stream: the answer is a stream");
    else
        s = listen_new(r, &f);
    if (!s || listen_filter(r, s, &f)) {
        mcp_answer_fault(r, &f, 0);
        return;
    }
    mcp_stream_begin(s);
    for (size_t i = 0; i < s->uri_count; i++)
        gate_subscribed(r->mcp->gate->gate, r->lease, s->uri[i].server, s->uri[i].uri, true);
    listen_acknowledge(s);
}

/* The endpoint: from an HTTP exchange to a method, and back. */
#include "gate/face.h"
#include "mcp/event.h"
#include "mcp/tasks.h"

#define MCP_OUT_MAX (64u << 20)

void mcp_worker_init(struct mcp_worker *m, struct gate_worker *gate)
{
    *m = (struct mcp_worker){.gate = gate};
    buf_init(&m->out, MCP_OUT_MAX);
    mcp_streams_init(m);
    mcp_asking_init(m);
    mcp_late_init(m);
}

void mcp_worker_stop(struct mcp_worker *m)
{
    mcp_streams_stop(m);
    mcp_asking_stop(m);
    mcp_late_stop(m);
}

void mcp_sessions_over(struct mcp_worker *m)
{
    mcp_streams_look(m);
    mcp_asking_look(m);
}

void mcp_worker_done(struct mcp_worker *m)
{
    buf_done(&m->out);
}

static struct str mcp_challenge(struct mcp_request *r, const struct fault *f)
{
    struct str metadata = r->mcp->metadata_url; /* of the resource that was asked for (RFC 9728 section 3.3) */
    if (r->server.n)
        metadata = arena_fmt(&r->x->arena, STR_FMT "/" STR_FMT, STR_ARG(metadata), STR_ARG(r->server));
    return gate_challenge(f, metadata, r->call.scope, &r->x->arena);
}

void mcp_release(struct mcp_request *r)
{
    r->x->user = NULL;
    gate_note(r->x, r->lease, &r->call);
    r->x->note.method = r->rpc.method;
    if (r->lease)
        lease_unref(r->lease);
    if (r->backlog)
        backlog_unref(r->backlog);
    r->lease = NULL;
    r->backlog = NULL;
}

bool mcp_accepts_stream(const struct exchange *x)
{
    return http_accepts(&x->head, "text/event-stream");
}

static void mcp_answer_bytes(struct mcp_request *r, int status, const struct http_header *headers, size_t count,
                             const struct buf *b)
{
    struct exchange *x = r->x;
    if (r->streaming)
        mcp_stream_answer(r, b);
    mcp_release(r);
    if (r->streaming) {
        exchange_stream_end(x);
    } else if (buf_failed(b)) {
        struct fault f;
        fault_set(&f, ERR_NOMEM, "the answer does not fit into memory");
        exchange_answer_fault(x, &f);
    } else {
        exchange_answer(x, status, STR("application/json"), headers, count, buf_view(b));
    }
}

struct json_out mcp_result_open(struct mcp_request *r)
{
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    rpc_result_open(&o, r->rpc.id);
    json_open(&o, '{');
    if (r->era == ERA_MODERN)
        json_kv_z(&o, "resultType", "complete");
    return o;
}

void mcp_result_close(struct json_out *o)
{
    json_close(o, '}');
    rpc_close(o);
}

void mcp_answer_result(struct mcp_request *r, const char *session_id)
{
    struct http_header h = {STR("Mcp-Session-Id"), str_of(session_id)};
    mcp_answer_bytes(r, 200, &h, session_id ? 1 : 0, &r->mcp->out);
}

void mcp_answer_error(struct mcp_request *r, int status, const struct buf *b)
{
    mcp_answer_bytes(r, status, NULL, 0, b);
}

void mcp_answer_accepted(struct mcp_request *r)
{
    struct exchange *x = r->x;
    mcp_release(r);
    exchange_answer(x, 202, STR_NONE, NULL, 0, STR_NONE);
}

/* Refusals of the gate are HTTP statuses, so that proxies and clients see them; what went wrong behind it is an error
 * of the protocol in an answer of its own. */
static int mcp_status(const struct mcp_request *r, enum err e)
{
    switch (e) {
    case ERR_METHOD: return r->era == ERA_MODERN ? 404 : 200;
    case ERR_TOOL_UNKNOWN:
    case ERR_PROMPT_UNKNOWN:
    case ERR_RESOURCE_UNKNOWN:
    case ERR_TASK_UNKNOWN:
    case ERR_SCHEMA:
    case ERR_SCHEMA_UNUSABLE:
    case ERR_UPSTREAM:
    case ERR_UPSTREAM_TIMEOUT:
    case ERR_UPSTREAM_GARBAGE:
    case ERR_CANCELLED: return 200;
    default: return err_http(e);
    }
}

/* UnsupportedProtocolVersionError (MCP 2026-07-28 schema): what is spoken here, and what was asked for. */
static struct str mcp_version_data(struct mcp_request *r)
{
    struct buf b;
    struct json_out o = json_out(&b);
    buf_init(&b, 4096);
    json_put_str(&o, http_header(&r->x->head, "mcp-protocol-version"));
    struct str data =
        arena_fmt(&r->x->arena, ",\"supported\":%s,\"requested\":" STR_FMT, mcp_versions_json, STR_ARG(buf_view(&b)));
    if (buf_failed(&b))
        data = STR_NONE;
    buf_done(&b);
    return data;
}

/* Which resource there is not (MCP 2026-07-28 server/resources, "Error Handling"). */
static struct str mcp_resource_data(struct mcp_request *r)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, r->call.asked.n * 6 + 64);
    struct json_out o = json_out(&b);
    json_put_str(&o, r->call.asked);
    return buf_failed(&b) ? STR_NONE : arena_fmt(&r->x->arena, ",\"uri\":" STR_FMT, STR_ARG(buf_view(&b)));
}

int mcp_rpc_code(const struct mcp_request *r, enum err e)
{
    return e == ERR_RESOURCE_UNKNOWN && r->era == ERA_LEGACY ? -32002
                                                             : err_rpc(e); /* MCP 2025-11-25 server/resources */
}

void mcp_answer_fault(struct mcp_request *r, const struct fault *f, int64_t retry_after_ms)
{
    struct arena *a = &r->x->arena;
    struct http_header h[2];
    size_t count = 0;
    if (gate_challenges(f->err))
        h[count++] = (struct http_header){STR("WWW-Authenticate"), mcp_challenge(r, f)};
    if (retry_after_ms > 0)
        h[count++] =
            (struct http_header){STR("Retry-After"), arena_fmt(a, "%lld", (long long)(retry_after_ms + 999) / 1000)};
    struct str data = STR_NONE;
    if (f->err == ERR_PROTOCOL_VERSION)
        data = mcp_version_data(r);
    else if (f->err == ERR_RESOURCE_UNKNOWN)
        data = mcp_resource_data(r);
    else if (f->err == ERR_CAPABILITY)
        data = STR(",\"requiredCapabilities\":{\"extensions\":{\"" MCP_TASKS "\":{}}}");
    else if (retry_after_ms > 0)
        data = arena_fmt(a, ",\"retryAfterMs\":%lld", (long long)retry_after_ms);
    struct buf *b = &r->mcp->out;
    r->x->note.code = err_code(f->err);
    buf_clear(b);
    rpc_error(b, r->rpc.id, mcp_rpc_code(r, f->err), f, r->call.trace_id, data);
    mcp_answer_bytes(r, mcp_status(r, f->err), h, count, b);
}

static enum err mcp_check_http(struct exchange *x, struct fault *f)
{
    struct str type = http_header(&x->head, "content-type"), kind;
    str_cut(&type, ';', &kind);
    if (!str_ieq(str_trim(kind), STR("application/json")))
        return fault_set(f, ERR_MEDIA_TYPE, "Content-Type must be application/json");
    if (!http_header(&x->head, "accept").p || http_accepts(&x->head, "application/json"))
        return ERR_OK;
    return fault_set(f, ERR_NOT_ACCEPTABLE, "Accept must list application/json and text/event-stream");
}

static enum err mcp_check_session(struct mcp_request *r, struct fault *f)
{
    struct str id = http_header(&r->x->head, "mcp-session-id");
    if (r->era != ERA_LEGACY || !id.p || str_eq(r->rpc.method, STR("initialize")))
        return ERR_OK;
    if (!mcp_session_check(r->mcp, lease_sid(r->lease), id, &r->can) ||
        session_table_deleted(r->mcp->sessions, (struct session_ref){r->lease, id}))
        return fault_set(f, ERR_NOT_FOUND,
                         "this Mcp-Session-Id belongs to no session of this credential: initialize again");
    r->mcp_session = id;
    return ERR_OK;
}

static enum err mcp_read(struct mcp_request *r, struct fault *f)
{
    struct exchange *x = r->x;
    TRY(mcp_check_http(x, f));
    TRY(json_parse(&r->doc, x->body, &x->arena, NULL, f));
    TRY(rpc_read(&r->doc, &x->arena, &r->rpc, f));
    mcp_read_trace(r);
    TRY(era_of(&x->head, &r->doc, &r->rpc, &x->arena, &r->era, f));
    return mcp_check_session(r, f);
}

static void mcp_dispatch(struct mcp_request *r)
{
    struct fault f = {0};
    if (r->rpc.kind == RPC_RESPONSE) {
        mcp_response(r);
        return;
    }
    const struct mcp_method *m = mcp_method_find(r->rpc.method, r->rpc.kind, r->era);
    if (m) {
        m->handler(r);
    } else if (r->rpc.kind == RPC_NOTIFICATION) {
        mcp_answer_accepted(r); /* a notification that means nothing here is no error (JSON-RPC 2.0 section 4.1) */
    } else {
        fault_set(&f, ERR_METHOD, "there is no method " STR_FMT " here", STR_ARG(r->rpc.method));
        mcp_answer_fault(r, &f, 0);
    }
}

/* "/mcp" or "/mcp/{server}"; false when the path is neither. */
static bool mcp_path(struct str path, struct str *ret_server)
{
    if (!str_starts(path, STR("/mcp")))
        return false;
    struct str rest = str_skip(path, 4);
    if (rest.n && rest.p[0] != '/')
        return false;
    *ret_server = str_skip(rest, 1);
    return !memchr(ret_server->n ? ret_server->p : "", '/', ret_server->n);
}

/* GET and DELETE are the legacy era's, for a client that has a protocol session. */
static bool mcp_is_legacy_verb(const struct exchange *x)
{
    struct str version = http_header(&x->head, "mcp-protocol-version");
    return (str_is(x->head.method, "GET") || str_is(x->head.method, "DELETE")) &&
           http_header(&x->head, "mcp-session-id").p && (!version.p || era_legacy_version(version));
}

static void mcp_answer_verb(struct exchange *x)
{
    struct http_header allow = {STR("Allow"), STR("POST")};
    struct str body = STR("{\"error\":\"method_not_allowed\",\"message\":\"MCP messages are sent with POST; GET and "
                          "DELETE are for clients before 2026-07-28 that have an Mcp-Session-Id\"}");
    exchange_answer(x, 405, STR("application/json"), &allow, 1, body);
}

static enum err mcp_begin(struct mcp_request *r, bool verb, struct fault *f)
{
    struct mcp_worker *m = r->mcp;
    TRY(m->authenticate(m->ctx, r->x, &r->lease, f));
    if (r->server.n && !connect_has_server(m->gate->gate->connect, r->server))
        return fault_set(f, ERR_NOT_FOUND, "there is no server " STR_FMT " here", STR_ARG(r->server));
    if (!verb)
        return mcp_read(r, f);
    r->era = ERA_LEGACY;
    return mcp_check_session(r, f);
}

bool mcp_serve(struct mcp_worker *m, struct exchange *x)
{
    struct str server;
    if (!mcp_path(x->head.path, &server))
        return false;
    struct fault f = {0};
    bool verb = mcp_is_legacy_verb(x);
    if (!verb && !str_is(x->head.method, "POST")) {
        mcp_answer_verb(x);
        return true;
    }
    struct mcp_request *r = arena_alloc(&x->arena, sizeof(*r));
    if (!r) {
        fault_set(&f, ERR_NOMEM, "no memory for the request");
        exchange_answer_fault(x, &f);
        return true;
    }
    *r = (struct mcp_request){.mcp = m, .x = x, .server = server};
    if (mcp_begin(r, verb, &f))
        mcp_answer_fault(r, &f, 0);
    else if (!verb)
        mcp_dispatch(r);
    else if (str_is(x->head.method, "GET"))
        mcp_get(r);
    else
        mcp_delete(r);
    return true;
}

/* A request that goes to a server: from the message to a struct call, and what comes of it. */
#include "base/enc.h"
#include "mcp/input.h"
#include "net/sse.h"

/* Keys under which an agent's runtime may say things about a call. All of it is a claim. */
#define META_REASONING "dev.doorward/reasoning"
#define META_MODEL     "dev.doorward/model"
#define META_TOKENS    "dev.doorward/tokensConsumed"
#define META_COST      "dev.doorward/estimatedCost"

enum { MCP_EVENT_MAX = 1 << 20 };

static struct mcp_request *mcp_of(struct call *c)
{
    return c->user;
}

void mcp_stream_event(struct mcp_request *r, const struct buf *message)
{
    struct buf event CLEANUP(buf_done);
    buf_init(&event, MCP_EVENT_MAX);
    sse_write(&event, buf_view(message));
    if (r->x->gone || buf_failed(message) || buf_failed(&event))
        return;
    if (!r->streaming)
        mcp_stream_open(r);
    exchange_stream_write(r->x, buf_view(&event));
}

/* The first progress turns the answer into a stream. The token is the agent's own: the server never saw it. */
static void mcp_call_progress(struct call *c, struct str progress, struct str total, struct str message)
{
    struct mcp_request *r = mcp_of(c);
    struct buf b CLEANUP(buf_done);
    buf_init(&b, MCP_EVENT_MAX);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "jsonrpc", "2.0");
    json_kv_z(&o, "method", "notifications/progress");
    json_key(&o, STR("params"));
    json_open(&o, '{');
    json_kv_raw(&o, "progressToken", r->progress_token);
    json_kv_raw(&o, "progress", progress);
    if (total.p)
        json_kv_raw(&o, "total", total);
    if (message.p)
        json_kv_str(&o, "message", message);
    json_close(&o, '}');
    json_close(&o, '}');
    mcp_stream_event(r, &b);
}

static void mcp_call_answered(struct call *c, const struct connect_answer *a)
{
    struct mcp_request *r = mcp_of(c);
    mcp_ask_over(r);
    if (c->fault.err == ERR_SCHEMA) {
        mcp_put_schema_refusal(r, &c->fault);
        mcp_answer_result(r, NULL);
    } else if (c->fault.err || !a) {
        mcp_answer_fault(r, &c->fault, c->retry_after_ms);
    } else if (a->input && r->era == ERA_LEGACY) {
        mcp_ask_client(r, a);
    } else if (a->input) {
        mcp_put_input(r, a);
        mcp_answer_result(r, NULL);
    } else if (a->result) {
        mcp_put_answer(r, a);
        mcp_answer_result(r, NULL);
    } else {
        int status = mcp_put_error(r, a);
        mcp_answer_error(r, status, &r->mcp->out);
    }
}

static const struct call_face mcp_call_face = {.progress = mcp_call_progress,
                                               .said = mcp_call_said,
                                               .asked = mcp_call_asked,
                                               .withdrawn = mcp_call_withdrawn,
                                               .answered = mcp_call_answered};

/* The claims of the agent's runtime. What has the wrong type was not said. */
static void mcp_read_claims(struct mcp_request *r)
{
    struct call *c = &r->call;
    struct arena *a = &r->x->arena;
    c->claims.tokens = -1;
    if (!r->rpc.meta)
        return;
    c->reasoning = json_str(&r->doc, json_get(&r->doc, r->rpc.meta, STR(META_REASONING)), a);
    c->claims.model = json_str(&r->doc, json_get(&r->doc, r->rpc.meta, STR(META_MODEL)), a);
    uint32_t cost = json_get(&r->doc, r->rpc.meta, STR(META_COST));
    if (json_type(&r->doc, cost) == JSON_NUMBER)
        c->claims.cost = json_raw(&r->doc, cost);
    if (!json_i64(&r->doc, json_get(&r->doc, r->rpc.meta, STR(META_TOKENS)), &c->claims.tokens) || c->claims.tokens < 0)
        c->claims.tokens = -1;
}

/* W3C Trace Context: the caller's trace goes on; without one, or with a malformed one, a new one begins. */
static bool mcp_trace_of(struct str parent, char ret[33])
{
    unsigned char raw[16], zero[16] = {0};
    if (!parent.p || parent.n != 55 || parent.p[2] != '-' || parent.p[35] != '-' || parent.p[52] != '-' ||
        !enc_unhex((struct str){parent.p + 3, 32}, raw, 16) || memcmp(raw, zero, 16) == 0 ||
        str_starts(parent, STR("ff")))
        return false;
    enc_hex(raw, 16, ret);
    return true;
}

static void mcp_read_trace(struct mcp_request *r)
{
    struct str parent = http_header(&r->x->head, "traceparent");
    if (r->rpc.meta && json_get(&r->doc, r->rpc.meta, STR("traceparent")))
        parent = json_str(&r->doc, json_get(&r->doc, r->rpc.meta, STR("traceparent")), &r->x->arena);
    if (mcp_trace_of(parent, r->call.trace_id))
        return;
    unsigned char raw[16];
    enc_random(raw, sizeof(raw));
    enc_hex(raw, sizeof(raw), r->call.trace_id);
}

/* How far it is: told when the client can be told. */
static enum err mcp_read_progress(struct mcp_request *r, struct fault *f)
{
    uint32_t token = r->rpc.meta ? json_get(&r->doc, r->rpc.meta, STR("progressToken")) : 0;
    enum json_type t = json_type(&r->doc, token);
    if (token && t != JSON_STRING && t != JSON_NUMBER)
        return fault_set(f, ERR_PARAMS, "_meta.progressToken must be a string or a number");
    if (token && r->takes_stream)
        r->progress_token = json_raw(&r->doc, token);
    return arena_failed(&r->x->arena) ? fault_set(f, ERR_NOMEM, "no memory for the call") : ERR_OK;
}

/* A modern client says it with each request, a legacy one when it opened its session; that one is asked on the answer's
 * stream. */
static unsigned mcp_call_can(const struct mcp_request *r)
{
    if (r->era == ERA_MODERN)
        return connect_can_read(&r->doc,
                                json_get(&r->doc, r->rpc.meta, STR("io.modelcontextprotocol/clientCapabilities")));
    return r->takes_stream ? r->can : 0;
}

void mcp_call_again(struct mcp_request *r, struct str responses, struct str state)
{
    struct call last = r->call;
    r->call = (struct call){.face = last.face,
                            .user = r,
                            .arena = last.arena,
                            .lease = lease_ref(r->lease),
                            .kind = last.kind,
                            .of_prompt = last.of_prompt,
                            .asked = last.asked,
                            .server = last.server,
                            .doc = last.doc,
                            .arguments_node = last.arguments_node,
                            .reasoning = last.reasoning,
                            .claims = last.claims,
                            .wants_progress = last.wants_progress,
                            .client = last.client,
                            .can = last.can,
                            .responses = responses,
                            .state = state,
                            .paid = true,
                            .log_level = last.log_level};
    memcpy(r->call.trace_id, last.trace_id, sizeof(last.trace_id));
    gate_start(r->mcp->gate, &r->call);
}

void mcp_call_start(struct mcp_request *r)
{
    struct fault f;
    struct call *c = &r->call;
    mcp_read_trace(r);
    r->takes_stream = mcp_accepts_stream(r->x);
    if (mcp_read_progress(r, &f) || mcp_read_level(r, &f) || mcp_read_retry(r, &f)) {
        mcp_answer_fault(r, &f, 0);
        return;
    }
    mcp_read_claims(r);
    c->face = &mcp_call_face;
    c->user = r;
    c->arena = &r->x->arena;
    c->lease = lease_ref(r->lease);
    c->server = r->server;
    if (!c->doc)
        c->doc = &r->doc;
    c->wants_progress = r->progress_token.n > 0;
    c->client = r->mcp_session;
    c->can = mcp_call_can(r);
    r->x->user = r;
    gate_start(r->mcp->gate, c);
}

enum err mcp_call_params(struct mcp_request *r, const struct buf *params, struct fault *f)
{
    struct arena *a = &r->x->arena;
    struct json *doc = arena_alloc(a, sizeof(*doc));
    struct str text = doc && !buf_failed(params) ? arena_str(a, buf_view(params)) : STR_NONE;
    if (!text.p)
        return fault_set(f, ERR_NOMEM, "no memory for the call");
    TRY(json_parse(doc, text, a, NULL, f));
    r->call.doc = doc;
    r->call.arguments_node = JSON_ROOT;
    return ERR_OK;
}

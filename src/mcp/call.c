/* A request that goes to a server: from the message to a struct call, and what comes of it. */
#include "gate/face.h"
#include "mcp/elicit.h"
#include "mcp/input.h"
#include "mcp/tasks.h"

enum { MCP_EVENT_MAX = 1 << 20 };

static const struct call_face mcp_call_face;

struct mcp_request *mcp_of(const struct call *c)
{
    return c->face == &mcp_call_face ? c->user : NULL;
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
    if (c->fault.err == ERR_APPROVAL_PENDING && c->is_task) {
        mcp_answer_task(r);
    } else if (c->fault.err == ERR_APPROVAL_PENDING && c->comes_back) {
        mcp_put_wait(r);
        mcp_answer_result(r, NULL);
    } else if (mcp_told_to_model(c->fault.err)) {
        mcp_put_refusal(r, &c->fault);
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
    } else if (mcp_put_elicit(r, a)) {
        mcp_answer_result(r, NULL);
    } else {
        int status = mcp_put_error(r, a);
        mcp_answer_error(r, status, &r->mcp->out);
    }
}

static const struct call_face mcp_call_face = {.progress = mcp_call_progress,
                                               .said = mcp_call_said,
                                               .put_off = mcp_call_put_off,
                                               .asked = mcp_call_asked,
                                               .withdrawn = mcp_call_withdrawn,
                                               .answered = mcp_call_answered};

static void mcp_read_claims(struct mcp_request *r)
{
    static const struct gate_claim_keys keys = {.reasoning = "dev.doorward/reasoning",
                                                .model = "dev.doorward/model",
                                                .tokens = "dev.doorward/tokensConsumed",
                                                .cost = "dev.doorward/estimatedCost"};
    gate_claims(&r->call, &r->doc, r->rpc.meta, &keys);
}

/* The message's own trace context goes before that of its transport: proxies on the way may write headers, and what is
 * in the body belongs to the call (MCP 2026-07-28 basic, "_meta": traceparent, tracestate). */
void mcp_read_trace(struct mcp_request *r)
{
    struct arena *a = &r->x->arena;
    struct trace t;
    uint32_t parent = r->rpc.meta ? json_get(&r->doc, r->rpc.meta, STR("traceparent")) : 0;
    if (parent) {
        struct str state = json_str(&r->doc, json_get(&r->doc, r->rpc.meta, STR("tracestate")), a);
        trace_parent(json_str(&r->doc, parent, a), &t);
        trace_state(&state, 1, a, &t);
    } else {
        trace_head(&r->x->head, a, &t);
    }
    gate_trace(&r->call, &t);
    r->call.source = r->x->client;
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
                                json_get(&r->doc, r->rpc.meta, STR("io.modelcontextprotocol/clientCapabilities"))) &
               ~(unsigned)CAN_ROOTS_CHANGES; /* it has no such message */
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
                            .source = last.source,
                            .paid = true,
                            .grant = last.grant,
                            .hold = last.hold,
                            .log_level = last.log_level};
    memcpy(r->call.trace_id, last.trace_id, sizeof(last.trace_id));
    memcpy(r->call.parent_span_id, last.parent_span_id, sizeof(last.parent_span_id));
    r->call.trace_sampled = last.trace_sampled;
    r->call.trace_state = last.trace_state;
    gate_start(r->mcp->gate, &r->call);
}

static enum call_hold mcp_call_hold(const struct mcp_request *r)
{
    if (r->era == ERA_MODERN)
        return r->call.kind == CALL_TOOL && mcp_knows_tasks(r) ? HOLD_TASK : HOLD_LEG;
    return r->call.wants_progress ? HOLD_PROGRESS : HOLD_REPEAT;
}

void mcp_call_start(struct mcp_request *r)
{
    struct fault f;
    struct call *c = &r->call;
    r->takes_stream = mcp_accepts_stream(r->x);
    if (mcp_read_progress(r, &f) || mcp_read_level(r, &f) || mcp_read_retry(r, &f)) {
        mcp_answer_fault(r, &f, 0);
        return;
    }
    c->face = &mcp_call_face;
    c->user = r;
    c->arena = &r->x->arena;
    mcp_read_claims(r);
    c->lease = lease_ref(r->lease);
    c->server = r->server;
    if (!c->doc)
        c->doc = &r->doc;
    c->wants_progress = r->progress_token.n > 0;
    c->client = r->mcp_session;
    c->can = mcp_call_can(r);
    c->hold = mcp_call_hold(r);
    r->x->user = r;
    if (r->era == ERA_LEGACY && r->takes_stream)
        mcp_late_watch(r->mcp);
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

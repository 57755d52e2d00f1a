#include "mcp/input.h"

struct str mcp_of_hop(const struct json *doc, uint32_t node, struct arena *a)
{
    struct buf b CLEANUP(buf_done);
    struct json_out o = json_out(&b);
    buf_init(&b, doc->text.n * 2 + 64);
    json_open(&o, '{');
    JSON_PAIRS(doc, node, k, v)
    {
        if (json_str_is(doc, k, STR("_meta")) || json_str_is(doc, k, STR("task")))
            continue;
        json_key(&o, json_str(doc, k, a));
        json_put_raw(&o, json_raw(doc, v));
    }
    json_close(&o, '}');
    return buf_failed(&b) ? STR_NONE : arena_str(a, buf_view(&b));
}

struct mcp_ask *mcp_ask_add(struct mcp_request *r, struct str key, struct str method, struct str params)
{
    struct arena *a = &r->x->arena;
    struct mcp_ask *ask = arena_alloc(a, sizeof(*ask));
    struct json doc;
    if (!ask)
        return NULL;
    *ask = (struct mcp_ask){.key = arena_str(a, key), .method = arena_str(a, method)};
    if (params.n && json_parse(&doc, params, a, NULL, NULL) == ERR_OK)
        ask->params = mcp_of_hop(&doc, JSON_ROOT, a);
    struct mcp_ask **last = &r->asks;
    while (*last)
        last = &(*last)->next;
    if (arena_failed(a) || (params.n && !ask->params.p))
        return NULL;
    *last = ask;
    return ask;
}

/* ---- what a modern client sends again ---- */

static enum err input_responses(struct mcp_request *r, uint32_t responses, struct fault *f)
{
    if (json_type(&r->doc, responses) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params.inputResponses must be an object, but is %s",
                         json_type_name(json_type(&r->doc, responses)));
    JSON_PAIRS(&r->doc, responses, k, v)
    if (json_type(&r->doc, v) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params.inputResponses: every response is an object, but one is %s",
                         json_type_name(json_type(&r->doc, v)));
    r->call.responses = json_raw(&r->doc, responses);
    return ERR_OK;
}

enum err mcp_read_retry(struct mcp_request *r, struct fault *f)
{
    if (r->era != ERA_MODERN || !r->rpc.params || r->call.kind == CALL_COMPLETION)
        return ERR_OK;
    uint32_t responses = json_get(&r->doc, r->rpc.params, STR("inputResponses")),
             state = json_get(&r->doc, r->rpc.params, STR("requestState"));
    if (responses)
        TRY(input_responses(r, responses, f));
    if (!state)
        return ERR_OK;
    if (json_type(&r->doc, state) != JSON_STRING)
        return fault_set(f, ERR_PARAMS, "params.requestState must be a string, but is %s",
                         json_type_name(json_type(&r->doc, state)));
    r->call.token = json_str(&r->doc, state, &r->x->arena);
    return r->call.token.p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the requestState");
}

/* ---- what it is told ---- */

void mcp_put_request(struct json_out *o, struct str key, struct str method, struct str params)
{
    json_key(o, key);
    json_open(o, '{');
    json_kv_str(o, "method", method);
    if (params.n)
        json_kv_raw(o, "params", params);
    json_close(o, '}');
}

/* What a modern server's answer wants. */
static void input_put_wanted(struct mcp_request *r, struct json_out *o, const struct connect_answer *a,
                             uint32_t requests)
{
    struct arena *arena = &r->x->arena;
    JSON_PAIRS(a->doc, requests, k, v)
    {
        uint32_t params = json_get(a->doc, v, STR("params"));
        mcp_put_request(o, json_str(a->doc, k, arena), json_str(a->doc, json_get(a->doc, v, STR("method")), arena),
                        params ? mcp_of_hop(a->doc, params, arena) : STR_NONE);
    }
}

/* Nothing is wanted of the client but that it comes back (MCP 2026-07-28 basic/patterns/mrtr: requestState alone). */
void mcp_put_wait(struct mcp_request *r)
{
    struct str sealed = gate_state_wait(&r->call);
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    rpc_result_open(&o, r->rpc.id);
    json_open(&o, '{');
    json_kv_z(&o, "resultType", "input_required");
    json_kv_str(&o, "requestState", sealed);
    mcp_meta_open(r, &o);
    json_kv_z(&o, "dev.doorward/approval", r->call.wait.id);
    json_close(&o, '}');
    mcp_result_close(&o);
    if (!sealed.p || arena_failed(&r->x->arena))
        b->failed = true; /* answered with that there is no memory */
}

/* What a legacy server asked in a call that waits. */
static void input_put_asked(const struct mcp_request *r, struct json_out *o)
{
    for (const struct mcp_ask *ask = r->asks; ask; ask = ask->next) {
        char name[24];
        if (ask->value.n)
            continue; /* withdrawn meanwhile */
        connect_question_name(ask->number, name);
        mcp_put_request(o, str_of(name), ask->method, ask->params);
    }
}

static void input_put_requests(struct mcp_request *r, struct json_out *o, const struct connect_answer *a)
{
    uint32_t requests = a->doc ? json_get(a->doc, a->result, STR("inputRequests")) : 0;
    if (a->doc && !requests)
        return;
    json_key(o, STR("inputRequests"));
    json_open(o, '{');
    if (a->doc)
        input_put_wanted(r, o, a, requests);
    else
        input_put_asked(r, o);
    json_close(o, '}');
}

void mcp_put_input(struct mcp_request *r, const struct connect_answer *a)
{
    uint32_t state = a->doc ? json_get(a->doc, a->result, STR("requestState")) : 0;
    struct str sealed = gate_state(&r->call, state ? json_raw(a->doc, state) : STR_NONE);
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    rpc_result_open(&o, r->rpc.id);
    json_open(&o, '{');
    json_kv_z(&o, "resultType", "input_required");
    input_put_requests(r, &o, a);
    json_kv_str(&o, "requestState", sealed);
    mcp_meta_open(r, &o);
    json_close(&o, '}');
    mcp_result_close(&o);
    if (!sealed.p || arena_failed(&r->x->arena))
        b->failed = true; /* answered with that there is no memory */
}

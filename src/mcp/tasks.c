/*
 * Calls that go on without their client (MCP's extension io.modelcontextprotocol/tasks, revision 2026-07-28): a call
 * that waits for a person is answered with a task, and the client asks how it stands. What a task ends with is what the
 * call would have been answered: a result, also one that says that people refused it, or an error.
 *
 * Sources: ext-tasks specification/2026-07-28/tasks; SEP-2663.
 */
#include "mcp/tasks.h"
#include "base/clock.h"
#include "mcp/input.h"

bool mcp_knows_tasks(const struct mcp_request *r)
{
    uint32_t can = json_get(&r->doc, r->rpc.meta, STR("io.modelcontextprotocol/clientCapabilities"));
    uint32_t extensions = json_get(&r->doc, can, STR("extensions"));
    return r->era == ERA_MODERN && json_type(&r->doc, json_get(&r->doc, extensions, STR(MCP_TASKS))) == JSON_OBJECT;
}

enum err mcp_needs_tasks(const struct mcp_request *r, struct fault *f)
{
    return mcp_knows_tasks(r)
               ? ERR_OK
               : fault_set(f, ERR_CAPABILITY, "this needs the extension " MCP_TASKS " among the client's capabilities");
}

/* ---- writing one ---- */

static struct str task_message(struct mcp_request *r, const struct gate_task_seen *s)
{
    char until[CLOCK_RFC3339];
    if (s->over)
        return str_of(r->call.fault.text);
    if (s->asks.n)
        return STR("approved: the server wants something of the client before the call goes on");
    if (s->granted)
        return STR("approved: the call is being made");
    clock_format(s->until, until);
    return s->until ? arena_fmt(r->call.arena, "a person has to approve this call, until %s", until) : STR_NONE;
}

static const char *task_status(const struct mcp_request *r, const struct gate_task_seen *s)
{
    const struct call *c = &r->call;
    if (!s->over)
        return s->asks.n ? "input_required" : "working";
    if (s->cancelled)
        return "cancelled";
    return mcp_told_to_model(c->fault.err) || (!c->fault.err && c->answer.result) ? "completed" : "failed";
}

static void task_put(struct mcp_request *r, struct json_out *o, struct str id, const struct gate_task_seen *s)
{
    struct str message = task_message(r, s);
    json_kv_str(o, "taskId", id);
    json_kv_z(o, "status", task_status(r, s));
    if (message.n)
        json_kv_str(o, "statusMessage", message);
    clock_kv(o, "createdAt", s->created);
    clock_kv(o, "lastUpdatedAt", s->changed);
    json_kv_i64(o, "ttlMs", s->ttl_ms);
    if (!s->over)
        json_kv_i64(o, "pollIntervalMs", s->poll_ms);
}

/* What servers want, without what belongs to their hop. */
static void task_put_asks(struct mcp_request *r, struct json_out *o, struct str asks)
{
    struct json doc;
    struct arena *a = r->call.arena;
    json_key(o, STR("inputRequests"));
    json_open(o, '{');
    if (json_parse(&doc, asks, a, NULL, NULL) == ERR_OK)
        JSON_PAIRS(&doc, JSON_ROOT, k, v)
        {
            uint32_t params = json_get(&doc, v, STR("params"));
            struct str own = params ? mcp_of_hop(&doc, params, a) : STR_NONE;
            mcp_put_request(o, json_str(&doc, k, a), json_str(&doc, json_get(&doc, v, STR("method")), a), own);
        }
    json_close(o, '}');
}

/* What its call was answered. */
static void task_put_end(struct mcp_request *r, struct json_out *o)
{
    struct call *c = &r->call;
    bool told = mcp_told_to_model(c->fault.err);
    if (told || (!c->fault.err && c->answer.result)) {
        json_key(o, STR("result"));
        json_open(o, '{');
        json_kv_z(o, "resultType", "complete");
        if (told)
            mcp_put_refused(r, o, &c->fault);
        else
            mcp_put_result(r, o, &c->answer);
        json_close(o, '}');
        return;
    }
    json_key(o, STR("error"));
    if (c->fault.err)
        rpc_put_error(o, mcp_rpc_code(r, c->fault.err), &c->fault, c->trace_id, STR_NONE);
    else
        mcp_put_error_object(r, o, &c->answer);
}

void mcp_put_task(struct mcp_request *r, struct json_out *o, struct str id, const struct gate_task_seen *s)
{
    task_put(r, o, id, s);
    if (s->asks.n)
        task_put_asks(r, o, s->asks);
    if (s->over && !s->cancelled)
        task_put_end(r, o);
}

void mcp_answer_task(struct mcp_request *r)
{
    struct gate_task_seen s;
    struct call *c = &r->call;
    struct str id = str_of(c->wait.id);
    struct arena a CLEANUP(arena_done);
    struct call look = {.arena = &a, .lease = c->lease};
    arena_init(&a, MCP_TASK_ARENA);
    if (!gate_task_look(r->mcp->gate, id, &look, false, &s)) {
        mcp_answer_fault(r, &c->fault, c->retry_after_ms);
        return;
    }
    s.over = false; /* what came of it is told with the first tasks/get */
    s.asks = STR_NONE;
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    rpc_result_open(&o, r->rpc.id);
    json_open(&o, '{');
    json_kv_z(&o, "resultType", "task");
    task_put(r, &o, id, &s);
    mcp_meta_open(r, &o);
    json_kv_z(&o, "dev.doorward/approval", c->wait.id);
    json_close(&o, '}');
    mcp_result_close(&o);
    mcp_answer_result(r, NULL);
}

/* ---- the methods ---- */

static bool task_admitted(struct mcp_request *r)
{
    struct fault f;
    int64_t retry_after_ms = 0;
    if (gate_admit(r->mcp->gate, r->lease, &retry_after_ms, &f) == ERR_OK)
        return true;
    mcp_answer_fault(r, &f, retry_after_ms);
    return false;
}

/* The task that is meant: its id, which era.c has seen to be a string. False: the refusal was answered. */
static bool task_of(struct mcp_request *r, struct str *ret_id)
{
    struct fault f;
    struct str id = json_str(&r->doc, json_get(&r->doc, r->rpc.params, STR("taskId")), &r->x->arena);
    if (mcp_needs_tasks(r, &f) == ERR_OK) {
        *ret_id = id;
        return true;
    }
    if (task_admitted(r))
        mcp_answer_fault(r, &f, 0);
    return false;
}

static void task_unknown(struct mcp_request *r)
{
    struct fault f;
    fault_set(&f, ERR_TASK_UNKNOWN, "this session has no such task, or its end is kept no longer");
    mcp_answer_fault(r, &f, 0);
}

/* What is found is in the arena: an answer may be larger than a request's has room for. */
static bool task_look(struct mcp_request *r, struct str id, struct arena *a, struct gate_task_seen *s)
{
    struct call *c = &r->call;
    c->arena = a;
    c->lease = r->lease; /* of the request's reference */
    return r->mcp->gate->gate->tasks && gate_task_look(r->mcp->gate, id, c, true, s);
}

/* Asking at the pace that was given counts against no rate; asking for what is not there, or all the time, does. */
void mcp_tasks_get(struct mcp_request *r)
{
    struct str id;
    struct arena a CLEANUP(arena_done);
    struct gate_task_seen s;
    arena_init(&a, MCP_TASK_ARENA);
    if (!task_of(r, &id))
        return;
    bool known = task_look(r, id, &a, &s);
    if ((!known || s.early) && !task_admitted(r))
        return;
    if (!known) {
        task_unknown(r);
        return;
    }
    struct json_out o = mcp_result_open(r);
    mcp_put_task(r, &o, id, &s);
    mcp_meta_open(r, &o);
    json_close(&o, '}');
    mcp_result_close(&o);
    if (arena_failed(&r->x->arena))
        r->mcp->out.failed = true;
    mcp_answer_result(r, NULL);
}

static void task_acknowledge(struct mcp_request *r)
{
    struct json_out o = mcp_result_open(r);
    mcp_meta_open(r, &o);
    json_close(&o, '}');
    mcp_result_close(&o);
    mcp_answer_result(r, NULL);
}

void mcp_tasks_update(struct mcp_request *r)
{
    struct str id;
    struct fault f;
    struct mcp_worker *m = r->mcp;
    if (!task_of(r, &id) || !task_admitted(r))
        return;
    uint32_t responses = json_get(&r->doc, r->rpc.params, STR("inputResponses"));
    if (json_type(&r->doc, responses) != JSON_OBJECT) {
        fault_set(&f, ERR_PARAMS, "params.inputResponses must be an object");
        mcp_answer_fault(r, &f, 0);
    } else if (m->gate->gate->tasks && gate_task_answer(m->gate, id, r->lease, &r->doc, responses, &r->x->arena)) {
        task_acknowledge(r);
    } else {
        task_unknown(r);
    }
}

void mcp_tasks_cancel(struct mcp_request *r)
{
    struct str id;
    if (!task_of(r, &id) || !task_admitted(r))
        return;
    if (r->mcp->gate->gate->tasks && gate_task_cancel(r->mcp->gate, id, r->lease))
        task_acknowledge(r);
    else
        task_unknown(r);
}

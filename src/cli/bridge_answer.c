/* From the gateway to the client: a message is a line, unchanged but for line breaks, which JSON has as white space
 * only. */
#include "cli/bridge.h"
#include "cli/http.h"

static const char *const answer_lists[] = {"tools", "prompts", "resources"};

void bridge_out(struct bridge *b, struct str message)
{
    size_t at = b->out.n;
    buf_str(&b->out, message);
    for (size_t i = at; i < b->out.n; i++)
        if (b->out.p[i] == '\n' || b->out.p[i] == '\r')
            b->out.p[i] = ' ';
    buf_char(&b->out, '\n');
    if (buf_failed(&b->out)) /* half a message must not be followed by another */
        b->torn = true;
}

void bridge_out_error(struct bridge *b, struct str id, const struct fault *f)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 65536);
    rpc_error(&text, id.n ? id : STR("null"), err_rpc(f->err), f, NULL, STR_NONE);
    bridge_out(b, buf_view(&text));
}

/* ---- what is to be learnt ---- */

static void answer_initialized(struct bridge_call *call, const struct json *doc, uint32_t result)
{
    struct bridge *b = call->bridge;
    struct str version = json_str(doc, json_get(doc, result, STR("protocolVersion")), &b->scratch);
    uint32_t capabilities = json_get(doc, result, STR("capabilities"));
    if (version.n && version.n < sizeof(b->version)) {
        memcpy(b->version, version.p, version.n);
        b->version[version.n] = 0;
    }
    for (size_t i = 0; i < 3; i++) {
        uint32_t list = json_get(doc, capabilities, str_of(answer_lists[i]));
        b->tells[i] = json_bool(doc, json_get(doc, list, STR("listChanged")), false);
    }
    b->met = true;
}

static void answer_learn(struct bridge_call *call, const struct json *doc, uint32_t result)
{
    struct str method = call->rpc.method;
    uint32_t state = json_get(doc, result, STR("requestState"));
    if (call->modern && !call->own && json_type(doc, state) == JSON_STRING)
        bridge_promised(call->bridge, call->session, json_str(doc, state, &call->bridge->scratch));
    if (str_is(method, "initialize") && !call->modern)
        answer_initialized(call, doc, result);
    else if (str_is(method, "tools/list") && call->modern)
        bridge_tools_learn(call->bridge, doc, result, !json_get(&call->doc, call->rpc.params, STR("cursor")));
}

static void answer_asked(struct bridge_call *call, struct str id)
{
    struct bridge *b = call->bridge;
    struct bridge_question *q = &b->question[b->question_at++ % BRIDGE_QUESTIONS];
    if (id.n >= sizeof(q->id))
        return;
    *q = (struct bridge_question){.session = call->session};
    memcpy(q->id, id.p, id.n);
}

/* ---- lists that may have changed ---- */

/* meta: of a subscription, as JSON; empty for legacy clients. */
static void answer_changed(struct bridge *b, const char *list, struct str meta)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 65536);
    buf_fmt(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/%s/list_changed\"", list);
    if (meta.n) {
        buf_z(&text, ",\"params\":{\"_meta\":");
        buf_str(&text, meta);
        buf_char(&text, '}');
    }
    buf_char(&text, '}');
    if (!buf_failed(&text))
        bridge_out(b, buf_view(&text));
}

void bridge_changed(struct bridge *b)
{
    for (size_t i = 0; i < 3; i++)
        if (b->tells[i])
            answer_changed(b, answer_lists[i], STR_NONE);
}

/* A subscription was acknowledged. For the client it has been open all the time; what it did not hear meanwhile it is
 * told to look at. */
static bool answer_acknowledged(struct bridge_call *call, const struct json *doc)
{
    static const char *const members[] = {"toolsListChanged", "promptsListChanged", "resourcesListChanged"};
    uint32_t params = json_get(doc, JSON_ROOT, STR("params")), filter = json_get(doc, params, STR("notifications"));
    bool again = call->reopened;
    for (size_t i = 0; again && i < 3; i++)
        if (json_bool(doc, json_get(doc, filter, str_of(members[i])), false))
            answer_changed(call->bridge, answer_lists[i], json_raw(doc, json_get(doc, params, STR("_meta"))));
    call->opened = true;
    call->retried = call->reopened = false;
    call->failures = 0;
    return again;
}

/* ---- messages ---- */

static void answer_own(struct bridge_call *call, const struct json *doc, uint32_t error)
{
    struct arena *a = &call->bridge->scratch;
    struct str code = json_str(doc, json_path(doc, error, "data.code"), a),
               message = json_str(doc, json_get(doc, error, STR("message")), a);
    if (error)
        fault_set(&call->fault, cli_error_by_code(code), STR_FMT, STR_ARG(message));
}

/* The answer to this call's request. It may lack the id when the gateway could not read ours (JSON-RPC 2.0 section 5).
 */
static void answer_take(struct bridge_call *call, const struct json *doc, struct str text, bool whose)
{
    uint32_t result = json_get(doc, JSON_ROOT, STR("result")), error = json_get(doc, JSON_ROOT, STR("error"));
    struct bridge *b = call->bridge;
    if (call->listen && call->opened && result && !b->ending)
        return; /* its session is over, or the gateway stops: it is opened again */
    call->answered = true;
    if (result)
        answer_learn(call, doc, result);
    if (call->own) {
        answer_own(call, doc, error);
    } else if (whose) {
        bridge_out(b, text);
    } else {
        struct buf own CLEANUP(buf_done);
        struct json_out o = json_out(&own);
        buf_init(&own, BRIDGE_MESSAGE);
        json_open(&o, '{');
        json_kv_z(&o, "jsonrpc", "2.0");
        json_kv_raw(&o, "id", call->rpc.id);
        json_kv_raw(&o, "error", json_raw(doc, error));
        json_close(&o, '}');
        bridge_out(b, buf_view(&own));
    }
}

void bridge_said(struct bridge_call *call, struct str text)
{
    struct bridge *b = call->bridge;
    struct json_limits limits = {.depth = BRIDGE_DEPTH};
    struct json doc;
    struct fault f;
    arena_reset(&b->scratch);
    if (json_parse(&doc, text, &b->scratch, &limits, &f) || json_type(&doc, JSON_ROOT) != JSON_OBJECT)
        return; /* standard output carries messages only; a request that stays without an answer is told so */
    uint32_t id = json_get(&doc, JSON_ROOT, STR("id")), method = json_get(&doc, JSON_ROOT, STR("method")),
             error = json_get(&doc, JSON_ROOT, STR("error"));
    if (method) {
        if (id)
            answer_asked(call, json_raw(&doc, id));
        bool silent = json_str_is(&doc, method, STR("notifications/subscriptions/acknowledged")) && call->listen &&
                      answer_acknowledged(call, &doc);
        if (!silent)
            bridge_out(b, text);
        return;
    }
    uint32_t asked = json_get(&call->doc, JSON_ROOT, STR("id"));
    bool whose = id && json_equal(&doc, id, &call->doc, asked, &b->scratch);
    bool nobodys = json_type(&doc, error) == JSON_OBJECT && (!id || json_type(&doc, id) == JSON_NULL);
    if (call->kind == BRIDGE_REQUEST && !call->answered && (whose || nobodys))
        answer_take(call, &doc, text, whose);
}

/* A tool's call: from the body to a struct call, and what comes of it. */
#include "gate/face.h"
#include "oauth/oauth.h"
#include "rest/request.h"

static const struct {
    const char *name;
    enum json_type type;
} rest_members[] = {
    {"arguments", JSON_OBJECT},      {"reasoning", JSON_STRING},     {"model", JSON_STRING},
    {"tokensConsumed", JSON_NUMBER}, {"estimatedCost", JSON_NUMBER},
};
enum { REST_MEMBERS = sizeof(rest_members) / sizeof(rest_members[0]) };

static const struct gate_claim_keys rest_claims = {
    .reasoning = "reasoning", .model = "model", .tokens = "tokensConsumed", .cost = "estimatedCost"};

/* What the document does not know is refused: a misspelt member must not be a call without it. */
static enum err rest_check_members(const struct json *doc, struct fault *f)
{
    JSON_PAIRS(doc, JSON_ROOT, k, v)
    {
        size_t i = 0;
        while (i < REST_MEMBERS && !json_str_is(doc, k, str_of(rest_members[i].name)))
            i++;
        if (i == REST_MEMBERS)
            return fault_set(f, ERR_PARAMS, "there is no member " STR_FMT " here", STR_ARG(json_raw(doc, k)));
        if (json_type(doc, v) != rest_members[i].type)
            return fault_set(f, ERR_PARAMS, "%s must be %s, but is %s", rest_members[i].name,
                             json_type_name(rest_members[i].type), json_type_name(json_type(doc, v)));
    }
    int64_t tokens;
    uint32_t node = json_get(doc, JSON_ROOT, str_of(rest_claims.tokens));
    return !node || (json_i64(doc, node, &tokens) && tokens >= 0)
               ? ERR_OK
               : fault_set(f, ERR_PARAMS, "tokensConsumed must be a whole number, 0 or more");
}

/* ?wait=SECONDS: how long the first request of a call waits for a person, too. Without it the client is told at once.
 */
static enum err rest_read_wait(struct rest_request *r, struct fault *f)
{
    struct form_field field = {"wait", STR_NONE};
    uint64_t seconds = 0;
    if (form_read(r->x->head.query, &field, 1, &r->x->arena, f))
        return fault_wrap(f, "the query");
    if (field.value.p && (!str_u64(field.value, &seconds) || seconds > REST_WAIT_MAX))
        return fault_set(f, ERR_PARAMS, "wait must be a whole number of seconds, at most %d", REST_WAIT_MAX);
    r->call.hold = seconds ? HOLD_LEG : HOLD_REPEAT;
    r->call.hold_ms = (int64_t)seconds * 1000;
    return ERR_OK;
}

/* ---- what happens to the call ---- */

static void rest_call_progress(struct call *c, struct str progress, struct str total, struct str message)
{
    (void)c;
    (void)progress;
    (void)total;
    (void)message;
}

static void rest_call_said(struct call *c, struct str params)
{
    (void)c;
    (void)params;
}

static void rest_call_put_off(struct call *c)
{
    (void)c;
}

/* The client declared that it can be asked nothing, so that nothing comes here; what does all the same is refused. */
static void rest_call_asked(struct call *c, const struct connect_question *q)
{
    gate_reply(c, q->number, true, STR("{\"code\":-32601,\"message\":\"this client can be asked nothing\"}"));
}

static void rest_call_withdrawn(struct call *c, unsigned number)
{
    (void)c;
    (void)number;
}

static void rest_put_result(struct rest_request *r, const struct connect_answer *a)
{
    uint32_t content = json_get(a->doc, a->result, STR("content")),
             structured = json_get(a->doc, a->result, STR("structuredContent"));
    buf_clear(&r->rest->out);
    struct json_out o = json_out(&r->rest->out);
    json_open(&o, '{');
    json_kv_raw(&o, "content", json_type(a->doc, content) == JSON_ARRAY ? json_raw(a->doc, content) : STR("[]"));
    if (structured)
        json_kv_raw(&o, "structuredContent", json_raw(a->doc, structured));
    json_kv_bool(&o, "isError", json_bool(a->doc, json_get(a->doc, a->result, STR("isError")), false));
    json_key(&o, STR("receipt"));
    gate_put_receipt(&o, &r->call);
    json_close(&o, '}');
}

static void rest_call_answered(struct call *c, const struct connect_answer *a)
{
    struct rest_request *r = c->user;
    struct fault f;
    if (c->fault.err || !a) {
        rest_answer_fault(r, &c->fault, c->retry_after_ms);
    } else if (a->input) {
        fault_set(&f, ERR_UPSTREAM_GARBAGE, "the server wants this call to be sent again, which only MCP knows");
        rest_answer_fault(r, &f, 0);
    } else if (a->result) {
        rest_put_result(r, a);
        rest_answer(r);
    } else {
        rest_answer_error(r, a);
    }
}

static const struct call_face rest_call_face = {.progress = rest_call_progress,
                                                .said = rest_call_said,
                                                .put_off = rest_call_put_off,
                                                .asked = rest_call_asked,
                                                .withdrawn = rest_call_withdrawn,
                                                .answered = rest_call_answered};

void rest_tools_call(struct rest_request *r)
{
    struct fault f;
    struct call *c = &r->call;
    if (rest_check_members(&r->doc, &f) || rest_read_wait(r, &f)) {
        rest_answer_fault(r, &f, 0);
        return;
    }
    c->face = &rest_call_face;
    c->user = r;
    c->arena = &r->x->arena;
    c->asked = r->id;
    c->doc = &r->doc;
    c->arguments_node = json_get(&r->doc, JSON_ROOT, STR("arguments"));
    c->log_level = -1;
    gate_claims(c, &r->doc, JSON_ROOT, &rest_claims);
    if (arena_failed(c->arena)) {
        fault_set(&f, ERR_NOMEM, "no memory for the call");
        rest_answer_fault(r, &f, 0);
        return;
    }
    c->lease = lease_ref(r->lease);
    r->x->user = r;
    gate_start(r->rest->gate, c);
}

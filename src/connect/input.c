/*
 * What a server may want of the client in the middle of a call, and what clients declare that they can answer: MCP
 * 2026-07-28 basic/patterns/mrtr (input_required) and client/{elicitation,sampling,roots}; MCP 2025-11-25 the same as
 * requests of the server's.
 */
#include "connect/inner.h"

enum { INPUT_STATE_MAX = 256 << 10, INPUT_REQUESTS = 64 };

static const struct {
    unsigned can;
    const char *path;
} input_names[] = {
    {CAN_ELICIT, "elicitation.form"},     {CAN_ELICIT_URL, "elicitation.url"},      {CAN_SAMPLE, "sampling"},
    {CAN_SAMPLE_TOOLS, "sampling.tools"}, {CAN_SAMPLE_CONTEXT, "sampling.context"}, {CAN_ROOTS, "roots"}};

unsigned connect_can_read(const struct json *doc, uint32_t declared)
{
    unsigned can = 0;
    for (size_t i = 0; i < sizeof(input_names) / sizeof(input_names[0]); i++)
        can |= json_type(doc, json_path(doc, declared, input_names[i].path)) == JSON_OBJECT ? input_names[i].can : 0;
    uint32_t elicitation = json_get(doc, declared, STR("elicitation"));
    if (json_type(doc, elicitation) == JSON_OBJECT && !(can & (CAN_ELICIT | CAN_ELICIT_URL)))
        can |= CAN_ELICIT; /* an empty object is the form, as it was before there was anything else */
    if ((can & CAN_ROOTS) && json_bool(doc, json_path(doc, declared, "roots.listChanged"), false))
        can |= CAN_ROOTS_CHANGES;
    return can;
}

void connect_can_write(struct buf *b, unsigned can)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    if (can & (CAN_ELICIT | CAN_ELICIT_URL)) {
        json_key(&o, STR("elicitation"));
        json_open(&o, '{');
        if (can & CAN_ELICIT)
            json_kv_raw(&o, "form", STR("{}"));
        if (can & CAN_ELICIT_URL)
            json_kv_raw(&o, "url", STR("{}"));
        json_close(&o, '}');
    }
    if (can & CAN_SAMPLE) {
        json_key(&o, STR("sampling"));
        json_open(&o, '{');
        if (can & CAN_SAMPLE_TOOLS)
            json_kv_raw(&o, "tools", STR("{}"));
        if (can & CAN_SAMPLE_CONTEXT)
            json_kv_raw(&o, "context", STR("{}"));
        json_close(&o, '}');
    }
    if (can & CAN_ROOTS)
        json_kv_raw(&o, "roots", can & CAN_ROOTS_CHANGES ? STR("{\"listChanged\":true}") : STR("{}"));
    json_close(&o, '}');
}

bool connect_can_answer(unsigned can, const struct json *doc, struct str method, uint32_t params)
{
    if (params && json_type(doc, params) != JSON_OBJECT)
        return false;
    if (str_is(method, "roots/list"))
        return can & CAN_ROOTS;
    if (str_is(method, "elicitation/create") && params)
        return can & (json_str_is(doc, json_get(doc, params, STR("mode")), STR("url")) ? CAN_ELICIT_URL : CAN_ELICIT);
    if (str_is(method, "sampling/createMessage") && params)
        return (can & CAN_SAMPLE) && (!json_get(doc, params, STR("tools")) || (can & CAN_SAMPLE_TOOLS));
    return false;
}

static enum err input_fault(const struct connect_call *c, struct fault *f, const char *what)
{
    return fault_set(f, ERR_UPSTREAM_GARBAGE, "the server " STR_FMT " %s", STR_ARG(c->upstream->server->name), what);
}

static enum err input_check_requests(const struct connect_call *c, const struct json *doc, uint32_t requests,
                                     struct arena *a, struct fault *f)
{
    unsigned count = 0;
    if (requests && json_type(doc, requests) != JSON_OBJECT)
        return input_fault(c, f, "wants input and does not say which");
    JSON_PAIRS(doc, requests, k, v)
    {
        uint32_t method = json_get(doc, v, STR("method"));
        struct str name = json_type(doc, method) == JSON_STRING ? json_str(doc, method, a) : STR_NONE;
        if (!connect_can_answer(c->can, doc, name, json_get(doc, v, STR("params"))))
            return input_fault(c, f, "wants input that nobody offered");
        if (++count > INPUT_REQUESTS)
            return input_fault(c, f, "wants more input than there may be in one answer");
    }
    return ERR_OK;
}

enum err input_judge(const struct connect_call *c, const struct json *doc, uint32_t result, struct arena *a,
                     bool *ret_input, struct fault *f)
{
    uint32_t type = result ? json_get(doc, result, STR("resultType")) : 0;
    *ret_input = false;
    if (!type || json_str_is(doc, type, STR("complete")))
        return ERR_OK;
    if (!json_str_is(doc, type, STR("input_required")))
        return input_fault(c, f, "answered with a result of a type that is not known here");
    if (str_is(str_of(c->method), "completion/complete"))
        return input_fault(c, f, "wants input for a request that takes none");
    uint32_t requests = json_get(doc, result, STR("inputRequests")), state = json_get(doc, result, STR("requestState"));
    if (state && (json_type(doc, state) != JSON_STRING || json_raw(doc, state).n > INPUT_STATE_MAX))
        return input_fault(c, f, "sent a requestState that is none, or too long");
    if (!state && !json_first(doc, requests))
        return input_fault(c, f, "wants input and does not say which");
    TRY(input_check_requests(c, doc, requests, a, f));
    *ret_input = true;
    return ERR_OK;
}

/* A request of a legacy server's during this call. False: it is refused. */
bool flight_asked(struct flight *f, const struct json *doc, const struct wire_message *m)
{
    struct connect_call *c = f->call;
    uint32_t params = json_get(doc, JSON_ROOT, STR("params"));
    if (!c->can || !c->events->asked || !connect_can_answer(c->can, doc, m->method, params))
        return false;
    struct connect_question q = {.id = m->id, .method = m->method, .params = params ? json_raw(doc, params) : STR_NONE};
    if (!c->events->asked(c, &q))
        return false;
    if (f->asked++ == 0)
        f->asked_at = uv_now(&f->worker->worker->loop);
    return true;
}

/* The time that the client took is not the server's. */
void flight_replied(struct flight *f)
{
    uint64_t now = uv_now(&f->worker->worker->loop);
    if (--f->asked)
        return;
    f->deadline = now + f->timeout_ms;
    f->latest += now - f->asked_at;
}

void flight_withdrawn(struct flight *f, const struct wire_message *m)
{
    struct connect_question q = {.id = m->id};
    if (f->asked && f->call->events->withdrawn)
        f->call->events->withdrawn(f->call, &q);
}

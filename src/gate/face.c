#include "gate/face.h"

void gate_trace(struct call *c, const struct trace *of_caller)
{
    struct trace fresh;
    if (!of_caller->id[0])
        trace_begin(&fresh);
    const struct trace *t = of_caller->id[0] ? of_caller : &fresh;
    memcpy(c->trace_id, t->id, sizeof(c->trace_id));
    memcpy(c->parent_span_id, t->parent, sizeof(c->parent_span_id));
    c->trace_sampled = t->sampled;
    c->trace_state = t->state;
}

void gate_note(struct exchange *x, const struct lease *l, const struct call *c)
{
    struct exchange_note *n = &x->note;
    struct arena *a = &x->arena;
    if (!x->noted)
        return;
    if (l) {
        n->agent = arena_str(a, lease_agent_id(l));
        n->session = arena_str(a, lease_sid(l));
    }
    n->trace = arena_str(a, str_of(c->trace_id));
    n->tool = arena_str(a, c->target.n ? c->target : c->asked);
    if (c->gate)
        n->effect = c->fault.err == ERR_APPROVAL_PENDING ? "wait" : c->decided_by ? "deny" : "allow";
}

void gate_claims(struct call *c, const struct json *doc, uint32_t said, const struct gate_claim_keys *keys)
{
    c->claims.tokens = -1;
    if (!said)
        return;
    c->reasoning = json_str(doc, json_get(doc, said, str_of(keys->reasoning)), c->arena);
    c->claims.model = json_str(doc, json_get(doc, said, str_of(keys->model)), c->arena);
    uint32_t cost = json_get(doc, said, str_of(keys->cost));
    if (json_type(doc, cost) == JSON_NUMBER)
        c->claims.cost = json_raw(doc, cost);
    if (!json_i64(doc, json_get(doc, said, str_of(keys->tokens)), &c->claims.tokens) || c->claims.tokens < 0)
        c->claims.tokens = -1;
}

bool gate_shows(const struct gate *g, struct lease *l, const struct tool *t, int64_t now_ms)
{
    return tool_served(t) && session_allows(g->sessions, l, t->id, now_ms, NULL) == ERR_OK;
}

bool gate_challenges(enum err e)
{
    return err_http(e) == 401 || e == ERR_SCOPE || e == ERR_TOOL_DENIED;
}

struct str gate_challenge(const struct fault *f, struct str metadata, struct str scope, struct arena *a)
{
    if (f->err == ERR_UNAUTHENTICATED)
        return arena_fmt(a, "Bearer resource_metadata=\"" STR_FMT "\"", STR_ARG(metadata));
    bool known = err_http(f->err) == 403;
    struct str needed = STR("");
    if (known && scope_valid(scope)) /* a name that the agent made up may hold anything, line ends too */
        needed = arena_fmt(a, ", scope=\"" STR_FMT "\"", STR_ARG(scope));
    return arena_fmt(a, "Bearer error=\"%s\"" STR_FMT ", resource_metadata=\"" STR_FMT "\"",
                     known ? "insufficient_scope" : "invalid_token", STR_ARG(needed), STR_ARG(metadata));
}

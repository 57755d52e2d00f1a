/* The lists: what of the catalogue this session may use, in one page, in the catalogue's order. */
#include "base/clock.h"
#include "mcp/request.h"

/* Counts against the rate, takes no cursor. False: the refusal was answered. */
static bool mcp_list_admitted(struct mcp_request *r)
{
    struct fault f;
    int64_t retry_after_ms = 0;
    if (r->rpc.params && json_get(&r->doc, r->rpc.params, STR("cursor")))
        fault_set(&f, ERR_PARAMS, "params.cursor: this list has one page, no cursor was ever given out");
    else if (gate_admit(r->mcp->gate, r->lease, &retry_after_ms, &f) == ERR_OK)
        return true;
    mcp_answer_fault(r, &f, retry_after_ms);
    return false;
}

static void mcp_list_answer(struct mcp_request *r, const char *member,
                            void (*entries)(struct mcp_request *r, const struct catalogue *k, struct json_out *o))
{
    if (!mcp_list_admitted(r))
        return;
    struct catalogue *k = connect_catalogue(r->mcp->gate->gate->connect);
    struct json_out o = mcp_result_open(r);
    json_key(&o, str_of(member));
    json_open(&o, '[');
    entries(r, k, &o);
    json_close(&o, ']');
    if (r->era == ERA_MODERN)
        mcp_put_cacheable(r, &o);
    mcp_result_close(&o);
    catalogue_unref(k);
    mcp_answer_result(r, NULL);
}

/* ---- tools ---- */

static struct str mcp_tool_listed(const struct mcp_request *r, const struct tool *t)
{
    if (r->era == ERA_LEGACY)
        return r->server.n ? t->plain_legacy : t->listed_legacy;
    return r->server.n ? t->plain : t->listed;
}

static void mcp_tools_entries(struct mcp_request *r, const struct catalogue *k, struct json_out *o)
{
    int64_t now = clock_wall_ms();
    for (size_t i = 0; i < k->count; i++) {
        const struct tool *t = &k->tool[i];
        if (r->server.n && !str_eq(t->server, r->server))
            continue;
        struct str listed = mcp_tool_listed(r, t);
        if (listed.n && session_allows(r->mcp->gate->gate->sessions, r->lease, t->id, now, NULL) == ERR_OK)
            json_put_raw(o, listed);
    }
}

void mcp_tools_list(struct mcp_request *r)
{
    mcp_list_answer(r, "tools", mcp_tools_entries);
}

/* ---- prompts and resources: allowed by the server ---- */

bool mcp_server_allowed(struct mcp_request *r, enum call_kind kind, struct str server)
{
    char text[128];
    if (r->server.n && !str_eq(server, r->server))
        return false;
    struct str scope = call_server_scope(call_kinds[kind].scope, server, text);
    return session_holds(r->mcp->gate->gate->sessions, r->lease, scope, clock_wall_ms(), NULL) == ERR_OK;
}

static void mcp_offer_entries(struct mcp_request *r, const struct catalogue *k, struct json_out *o,
                              enum offer_kind kind)
{
    struct str server = STR_NONE;
    bool allowed = false;
    for (size_t i = 0; i < k->offers[kind]; i++) {
        const struct offer *one = &k->offer[kind][i];
        if (!str_eq(one->server, server)) {
            server = one->server;
            allowed = mcp_server_allowed(r, kind == OFFER_PROMPT ? CALL_PROMPT : CALL_RESOURCE, server);
        }
        if (allowed)
            json_put_raw(o, r->server.n ? one->plain : one->listed);
    }
}

static void mcp_prompts_entries(struct mcp_request *r, const struct catalogue *k, struct json_out *o)
{
    mcp_offer_entries(r, k, o, OFFER_PROMPT);
}

static void mcp_resources_entries(struct mcp_request *r, const struct catalogue *k, struct json_out *o)
{
    mcp_offer_entries(r, k, o, OFFER_RESOURCE);
}

static void mcp_templates_entries(struct mcp_request *r, const struct catalogue *k, struct json_out *o)
{
    mcp_offer_entries(r, k, o, OFFER_TEMPLATE);
}

void mcp_prompts_list(struct mcp_request *r)
{
    mcp_list_answer(r, "prompts", mcp_prompts_entries);
}

void mcp_resources_list(struct mcp_request *r)
{
    mcp_list_answer(r, "resources", mcp_resources_entries);
}

void mcp_templates_list(struct mcp_request *r)
{
    mcp_list_answer(r, "resourceTemplates", mcp_templates_entries);
}

/* The lists: what of the catalogue this session may use, in one page, in the catalogue's order. */
#include "base/clock.h"
#include "gate/face.h"
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

/* ---- tools ---- */

static struct str mcp_tool_listed(const struct mcp_request *r, const struct tool *t)
{
    if (r->era == ERA_LEGACY)
        return r->server.n ? t->plain_legacy : t->listed_legacy;
    return r->server.n ? t->plain : t->listed;
}

static void mcp_each_tool(struct mcp_request *r, const struct catalogue *k, mcp_listed *entry, void *ctx)
{
    int64_t now = clock_wall_ms();
    for (size_t i = 0; i < k->count; i++) {
        const struct tool *t = &k->tool[i];
        if (r->server.n && !str_eq(t->server, r->server))
            continue;
        struct str listed = mcp_tool_listed(r, t);
        if (listed.n && gate_shows(r->mcp->gate->gate, r->lease, t, now))
            entry(ctx, listed);
    }
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

static void mcp_each_offer(struct mcp_request *r, const struct catalogue *k, enum offer_kind kind, mcp_listed *entry,
                           void *ctx)
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
            entry(ctx, r->server.n ? one->plain : one->listed);
    }
}

void mcp_each_listed(struct mcp_request *r, const struct catalogue *k, enum mcp_list list, mcp_listed *entry, void *ctx)
{
    static const enum offer_kind kinds[] = {
        [MCP_PROMPTS] = OFFER_PROMPT, [MCP_RESOURCES] = OFFER_RESOURCE, [MCP_TEMPLATES] = OFFER_TEMPLATE};
    if (list == MCP_TOOLS)
        mcp_each_tool(r, k, entry, ctx);
    else
        mcp_each_offer(r, k, kinds[list], entry, ctx);
}

/* ---- the methods ---- */

static void mcp_list_put(void *ctx, struct str listed)
{
    json_put_raw(ctx, listed);
}

static void mcp_list_answer(struct mcp_request *r, const char *member, enum mcp_list list)
{
    if (!mcp_list_admitted(r))
        return;
    struct catalogue *k = connect_catalogue(r->mcp->gate->gate->connect);
    struct json_out o = mcp_result_open(r);
    json_key(&o, str_of(member));
    json_open(&o, '[');
    mcp_each_listed(r, k, list, mcp_list_put, &o);
    json_close(&o, ']');
    if (r->era == ERA_MODERN)
        mcp_put_cacheable(r, &o);
    mcp_result_close(&o);
    catalogue_unref(k);
    mcp_answer_result(r, NULL);
}

void mcp_tools_list(struct mcp_request *r)
{
    mcp_list_answer(r, "tools", MCP_TOOLS);
}

void mcp_prompts_list(struct mcp_request *r)
{
    mcp_list_answer(r, "prompts", MCP_PROMPTS);
}

void mcp_resources_list(struct mcp_request *r)
{
    mcp_list_answer(r, "resources", MCP_RESOURCES);
}

void mcp_templates_list(struct mcp_request *r)
{
    mcp_list_answer(r, "resourceTemplates", MCP_TEMPLATES);
}

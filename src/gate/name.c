/* Which tool does the agent mean? Found before the first stage, so that rates count against the tool; judged by
 * `whitelist`. */
#include "gate/gate.h"
#include "gate/stage.h"

/* "orders__lookup" on /mcp, "lookup" on /mcp/orders, "orders/lookup" in the house. Server names hold no "__". */
static bool name_split(const struct call *c, struct str *ret_server, struct str *ret_name)
{
    if (c->server.n) {
        *ret_server = c->server;
        *ret_name = c->asked;
        return c->asked.n > 0;
    }
    const char *at = c->asked.n ? memmem(c->asked.p, c->asked.n, "__", 2) : NULL;
    if (!at)
        return false;
    *ret_server = (struct str){c->asked.p, (size_t)(at - c->asked.p)};
    *ret_name = str_skip(c->asked, ret_server->n + 2);
    return ret_server->n > 0 && ret_name->n > 0;
}

/* A tool or a prompt of one server. */
static void name_find_named(struct call *c)
{
    struct str server, name;
    if (!name_split(c, &server, &name) || !connect_has_server(c->gate->gate->connect, server))
        return;
    c->target_server = server;
    c->name = name;
    if (c->kind == CALL_TOOL)
        c->tool = catalogue_by_name(c->catalogue, server, name);
    const struct offer *prompt = c->kind == CALL_TOOL ? NULL : catalogue_prompt(c->catalogue, server, name);
    c->upstream = c->tool ? c->tool->upstream : prompt ? prompt->upstream : NULL;
}

/* A URI stays what it is; on /mcp it is of the server that lists it or has a template for it. */
static void name_find_uri(struct call *c)
{
    const struct catalogue_server *s = catalogue_uri(c->catalogue, c->server, c->asked);
    c->name = c->asked;
    c->target_server = s ? s->name : c->server;
    c->upstream = s && (s->can & SERVER_RESOURCES) ? s->upstream : NULL;
}

static void name_scope(struct call *c)
{
    char text[128];
    bool prompt = c->kind == CALL_PROMPT || c->of_prompt;
    if (c->kind == CALL_TOOL)
        c->scope = scope_of_tool(c->target, c->arena);
    else
        c->scope = arena_str(c->arena, call_server_scope(call_kinds[prompt ? CALL_PROMPT : CALL_RESOURCE].scope,
                                                         c->target_server, text));
}

void name_find(struct call *c)
{
    struct connect *connect = c->gate->gate->connect;
    c->catalogue = connect_catalogue(connect);
    if (c->kind == CALL_RESOURCE || (c->kind == CALL_COMPLETION && !c->of_prompt))
        name_find_uri(c);
    else
        name_find_named(c);
    if (!c->target_server.n)
        return;
    c->target = ARENA_JOIN(c->arena, c->target_server, STR("/"), c->name);
    c->server_up = connect_server_up(connect, c->target_server);
    name_scope(c);
}

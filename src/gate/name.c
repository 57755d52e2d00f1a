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

void name_find(struct call *c)
{
    struct connect *connect = c->gate->gate->connect;
    struct str server, name;
    if (!name_split(c, &server, &name) || !connect_has_server(connect, server))
        return;
    c->tool_id = arena_fmt(c->arena, STR_FMT "/" STR_FMT, STR_ARG(server), STR_ARG(name));
    c->server_up = connect_server_up(connect, server);
    c->catalogue = connect_catalogue(connect);
    c->tool = catalogue_by_name(c->catalogue, server, name);
}

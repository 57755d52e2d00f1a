/* The methods of the face to agents. The whole protocol has its rooms here; what is not in the table is -32601. */
#include "mcp/request.h"

static const struct mcp_method mcp_methods[] = {
    /* method                      kind              era         handler */
    {"tools/call", RPC_REQUEST, ERA_NONE, mcp_tools_call},
    {"tools/list", RPC_REQUEST, ERA_NONE, mcp_tools_list},
    {"prompts/list", RPC_REQUEST, ERA_NONE, mcp_prompts_list},
    {"prompts/get", RPC_REQUEST, ERA_NONE, mcp_prompts_get},
    {"resources/list", RPC_REQUEST, ERA_NONE, mcp_resources_list},
    {"resources/templates/list", RPC_REQUEST, ERA_NONE, mcp_templates_list},
    {"resources/read", RPC_REQUEST, ERA_NONE, mcp_resources_read},
    {"completion/complete", RPC_REQUEST, ERA_NONE, mcp_complete},
    {"subscriptions/listen", RPC_REQUEST, ERA_MODERN, mcp_subscriptions_listen},
    {"tasks/get", RPC_REQUEST, ERA_MODERN, mcp_tasks_get},
    {"tasks/update", RPC_REQUEST, ERA_MODERN, mcp_tasks_update},
    {"tasks/cancel", RPC_REQUEST, ERA_MODERN, mcp_tasks_cancel},
    {"server/discover", RPC_REQUEST, ERA_MODERN, mcp_discover},
    {"initialize", RPC_REQUEST, ERA_LEGACY, mcp_initialize},
    {"resources/subscribe", RPC_REQUEST, ERA_LEGACY, mcp_resources_subscribe},
    {"resources/unsubscribe", RPC_REQUEST, ERA_LEGACY, mcp_resources_unsubscribe},
    {"logging/setLevel", RPC_REQUEST, ERA_LEGACY, mcp_set_level},
    {"ping", RPC_REQUEST, ERA_LEGACY, mcp_ping},
    {"notifications/initialized", RPC_NOTIFICATION, ERA_LEGACY, mcp_initialized},
    {"notifications/cancelled", RPC_NOTIFICATION, ERA_LEGACY, mcp_cancelled},
    {"notifications/roots/list_changed", RPC_NOTIFICATION, ERA_LEGACY, mcp_roots_changed},
};

const struct mcp_method *mcp_method_find(struct str name, enum rpc_kind kind, enum era era)
{
    for (size_t i = 0; i < sizeof(mcp_methods) / sizeof(mcp_methods[0]); i++) {
        const struct mcp_method *m = &mcp_methods[i];
        if (m->kind == kind && (m->era == ERA_NONE || m->era == era) && str_is(name, m->name))
            return m;
    }
    return NULL;
}

/* Arguments that a tool wants mirrored into headers (MCP 2026-07-28 streamable-http, "Custom Headers from Tool
 * Parameters"): what the tool's schema said when it was listed last. */
#include "cli/bridge.h"
#include "connect/catalogue.h"
#include "net/http.h"

enum { TOOLS_BYTES = 16 << 20 }; /* of tools with such arguments; those beyond are called without */

struct bridge_tool {
    struct bridge_tool *next;
    struct str name;
    struct tool tool; /* its `param` */
};

void bridge_tools_learn(struct bridge *b, const struct json *doc, uint32_t result, bool first_page)
{
    if (first_page) {
        arena_done(&b->tools_arena);
        arena_init(&b->tools_arena, TOOLS_BYTES);
        b->tools = NULL;
    }
    JSON_EACH(doc, json_get(doc, result, STR("tools")), v)
    {
        struct tool t = {0};
        struct bridge_tool *one;
        if (tool_params(&t, doc, json_get(doc, v, STR("inputSchema")), &b->tools_arena) || !t.param_count)
            continue;
        one = arena_alloc(&b->tools_arena, sizeof(*one));
        if (!one)
            return;
        *one = (struct bridge_tool){.next = b->tools, .tool = t};
        one->name = arena_str(&b->tools_arena, json_str(doc, json_get(doc, v, STR("name")), &b->tools_arena));
        b->tools = one;
    }
}

bool bridge_tools_mirror(struct bridge_call *call, struct str name, uint32_t arguments)
{
    const struct bridge_tool *t = call->bridge->tools;
    while (t && !str_eq(t->name, name))
        t = t->next;
    for (size_t i = 0; t && i < t->tool.param_count; i++) {
        struct str value = tool_param_value(&t->tool.param[i], &call->doc, arguments, &call->arena);
        if (value.p && !bridge_header(call, t->tool.param[i].header.p, value))
            return false;
    }
    return true;
}

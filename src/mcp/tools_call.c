/* tools/call */
#include "mcp/request.h"

static enum err mcp_read_tool_call(struct mcp_request *r, struct fault *f)
{
    struct call *c = &r->call;
    uint32_t name = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("name")) : 0;
    if (json_type(&r->doc, name) != JSON_STRING)
        return fault_set(f, ERR_PARAMS, "params.name must be a string: the tool's name");
    c->asked = json_str(&r->doc, name, &r->x->arena);
    c->arguments_node = json_get(&r->doc, r->rpc.params, STR("arguments"));
    if (c->arguments_node && json_type(&r->doc, c->arguments_node) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "params.arguments must be an object, but is %s",
                         json_type_name(json_type(&r->doc, c->arguments_node)));
    return mcp_check_params(r, f);
}

void mcp_tools_call(struct mcp_request *r)
{
    struct fault f;
    if (mcp_read_tool_call(r, &f))
        mcp_answer_fault(r, &f, 0);
    else
        mcp_call_start(r);
}

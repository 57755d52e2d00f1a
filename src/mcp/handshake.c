/* Who we are and what we speak: initialize (legacy), server/discover (modern), ping. */
#include "mcp/request.h"

#define MCP_SERVER_INFO  "{\"name\":\"doorward\",\"title\":\"Doorward\",\"version\":\"" DOORWARD_VERSION "\"}"
#define MCP_CAPABILITIES "{\"tools\":{}}"
#define MCP_INSTRUCTIONS                                                                                               \
    "Tools behind this gateway are limited to what this session may use. A refusal names its reason; asking again "    \
    "does not "                                                                                                        \
    "change it."

struct str mcp_server_info(void)
{
    return STR(MCP_SERVER_INFO);
}

void mcp_put_server_meta(struct json_out *o)
{
    json_key(o, STR("_meta"));
    json_put_raw(o, STR("{\"io.modelcontextprotocol/serverInfo\":" MCP_SERVER_INFO "}"));
}

void mcp_discover(struct mcp_request *r)
{
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    rpc_result_open(&o, r->rpc.id);
    json_open(&o, '{');
    json_kv_z(&o, "resultType", "complete");
    json_kv_raw(&o, "supportedVersions", str_of(mcp_versions_json));
    json_kv_raw(&o, "capabilities", STR(MCP_CAPABILITIES));
    json_kv_raw(&o, "serverInfo", STR(MCP_SERVER_INFO));
    json_kv_z(&o, "instructions", MCP_INSTRUCTIONS);
    json_kv_i64(&o, "ttlMs", MCP_LIST_TTL_MS);
    json_kv_z(&o, "cacheScope", "private");
    mcp_put_server_meta(&o);
    json_close(&o, '}');
    rpc_close(&o);
    mcp_answer_result(r, b, NULL);
}

/* MCP 2025-11-25 basic/lifecycle: the client's revision when it is spoken here, else ours, and the client decides. */
void mcp_initialize(struct mcp_request *r)
{
    struct fault f;
    uint32_t asked = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("protocolVersion")) : 0;
    if (json_type(&r->doc, asked) != JSON_STRING) {
        fault_set(&f, ERR_PARAMS, "params.protocolVersion must be a string");
        mcp_answer_fault(r, &f, 0);
        return;
    }
    struct str version = json_str(&r->doc, asked, &r->x->arena);
    if (!era_legacy_version(version))
        version = STR(MCP_LEGACY);
    char session[MCP_SESSION_ID_MAX];
    mcp_session_make(r->mcp, lease_sid(r->lease), session);
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    rpc_result_open(&o, r->rpc.id);
    json_open(&o, '{');
    json_kv_str(&o, "protocolVersion", version);
    json_kv_raw(&o, "capabilities", STR(MCP_CAPABILITIES));
    json_kv_raw(&o, "serverInfo", STR(MCP_SERVER_INFO));
    json_kv_z(&o, "instructions", MCP_INSTRUCTIONS);
    json_close(&o, '}');
    rpc_close(&o);
    mcp_answer_result(r, b, session);
}

void mcp_initialized(struct mcp_request *r)
{
    mcp_answer_accepted(r);
}

void mcp_ping(struct mcp_request *r)
{
    struct buf *b = &r->mcp->out;
    buf_clear(b);
    struct json_out o = json_out(b);
    rpc_result_open(&o, r->rpc.id);
    json_put_raw(&o, STR("{}"));
    rpc_close(&o);
    mcp_answer_result(r, b, NULL);
}

/* Who we are and what we speak: initialize (legacy), server/discover (modern), ping. */
#include "mcp/tasks.h"

#define MCP_SERVER_INFO "{\"name\":\"doorward\",\"title\":\"Doorward\",\"version\":\"" DOORWARD_VERSION "\"}"
#define MCP_INSTRUCTIONS                                                                                               \
    "Tools behind this gateway are limited to what this session may use. A refusal names its reason; asking again "    \
    "does not change it."

/* How long a client may keep our lists without asking again; they depend on the session and are never shared. */
#define MCP_LIST_TTL_MS 30000

void mcp_meta_open(const struct mcp_request *r, struct json_out *o)
{
    json_key(o, STR("_meta"));
    json_open(o, '{');
    if (r->era == ERA_MODERN)
        json_kv_raw(o, "io.modelcontextprotocol/serverInfo", STR(MCP_SERVER_INFO));
}

void mcp_put_cacheable(const struct mcp_request *r, struct json_out *o)
{
    json_kv_i64(o, "ttlMs", MCP_LIST_TTL_MS);
    json_kv_z(o, "cacheScope", "private");
    mcp_meta_open(r, o);
    json_close(o, '}');
}

/* What the servers can do that this session may use. */
static unsigned mcp_can(struct mcp_request *r, const struct catalogue *k)
{
    unsigned can = SERVER_TOOLS;
    for (size_t i = 0; i < k->servers; i++) {
        const struct catalogue_server *s = &k->server[i];
        bool prompts = (s->can & SERVER_PROMPTS) && mcp_server_allowed(r, CALL_PROMPT, s->name);
        bool resources = (s->can & SERVER_RESOURCES) && mcp_server_allowed(r, CALL_RESOURCE, s->name);
        can |= prompts ? SERVER_PROMPTS : 0;
        can |= resources ? SERVER_RESOURCES | (s->can & SERVER_SUBSCRIBE) : 0;
        can |= prompts || resources ? s->can & SERVER_COMPLETIONS : 0;
        can |= !r->server.n || str_eq(s->name, r->server) ? s->can & SERVER_LOGGING : 0;
    }
    return can;
}

static void mcp_put_capabilities(struct mcp_request *r, struct json_out *o)
{
    static const struct {
        unsigned can;
        const char *name, *value;
    } names[] = {{SERVER_TOOLS, "tools", "{\"listChanged\":true}"},
                 {SERVER_PROMPTS, "prompts", "{\"listChanged\":true}"},
                 {SERVER_RESOURCES, "resources", "{\"listChanged\":true}"},
                 {SERVER_COMPLETIONS, "completions", "{}"},
                 {SERVER_LOGGING, "logging", "{}"}};
    struct catalogue *k = connect_catalogue(r->mcp->gate->gate->connect);
    unsigned can = mcp_can(r, k);
    catalogue_unref(k);
    json_key(o, STR("capabilities"));
    json_open(o, '{');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (can & names[i].can)
            json_kv_raw(o, names[i].name,
                        names[i].can == SERVER_RESOURCES && (can & SERVER_SUBSCRIBE)
                            ? STR("{\"listChanged\":true,\"subscribe\":true}")
                            : str_of(names[i].value));
    if (r->era == ERA_MODERN && r->mcp->gate->gate->tasks)
        json_kv_raw(o, "extensions", STR("{\"" MCP_TASKS "\":{}}"));
    json_close(o, '}');
}

void mcp_discover(struct mcp_request *r)
{
    struct json_out o = mcp_result_open(r);
    json_kv_raw(&o, "supportedVersions", str_of(mcp_versions_json));
    mcp_put_capabilities(r, &o);
    json_kv_raw(&o, "serverInfo", STR(MCP_SERVER_INFO));
    json_kv_z(&o, "instructions", MCP_INSTRUCTIONS);
    mcp_put_cacheable(r, &o);
    mcp_result_close(&o);
    mcp_answer_result(r, NULL);
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
    uint32_t declared = json_get(&r->doc, r->rpc.params, STR("capabilities"));
    mcp_session_make(r->mcp, lease_sid(r->lease), connect_can_read(&r->doc, declared), session);
    struct json_out o = mcp_result_open(r);
    json_kv_str(&o, "protocolVersion", version);
    mcp_put_capabilities(r, &o);
    json_kv_raw(&o, "serverInfo", STR(MCP_SERVER_INFO));
    json_kv_z(&o, "instructions", MCP_INSTRUCTIONS);
    mcp_result_close(&o);
    mcp_answer_result(r, session);
}

void mcp_initialized(struct mcp_request *r)
{
    mcp_answer_accepted(r);
}

void mcp_ping(struct mcp_request *r)
{
    struct json_out o = mcp_result_open(r);
    mcp_result_close(&o);
    mcp_answer_result(r, NULL);
}

#include "mcp/era.h"

const char mcp_versions_json[] = "[\"" MCP_MODERN "\",\"" MCP_LEGACY "\",\"2025-06-18\",\"2025-03-26\"]";

bool era_legacy_version(struct str version)
{
    return str_eq(version, STR(MCP_LEGACY)) || str_eq(version, STR("2025-06-18")) || str_eq(version, STR("2025-03-26"));
}

/* Methods whose target is mirrored into Mcp-Name, and where it stands in params. */
static const struct {
    const char *method, *member;
} era_named[] = {{"tools/call", "name"},  {"resources/read", "uri"},  {"prompts/get", "name"},
                 {"tasks/get", "taskId"}, {"tasks/update", "taskId"}, {"tasks/cancel", "taskId"}};

static enum err era_check_name(const struct http_head *h, const struct json *doc, const struct rpc *r, struct arena *a,
                               struct fault *f)
{
    for (size_t i = 0; i < sizeof(era_named) / sizeof(era_named[0]); i++) {
        if (!str_is(r->method, era_named[i].method))
            continue;
        uint32_t node = r->params ? json_get(doc, r->params, str_of(era_named[i].member)) : 0;
        if (json_type(doc, node) != JSON_STRING)
            return fault_set(f, ERR_PARAMS, "params.%s must be a string", era_named[i].member);
        struct str header = http_header(h, "mcp-name");
        if (!header.p)
            return fault_set(f, ERR_HEADER_MISMATCH, "the header Mcp-Name is missing; it must repeat params.%s",
                             era_named[i].member);
        struct str value = http_value_read(header, a);
        if (!value.p || !json_str_is(doc, node, value))
            return fault_set(f, ERR_HEADER_MISMATCH, "the header Mcp-Name (" STR_FMT ") is not what params.%s says",
                             STR_ARG(header), era_named[i].member);
    }
    return ERR_OK;
}

static enum err era_check_modern(const struct http_head *h, const struct json *doc, const struct rpc *r,
                                 uint32_t version, struct str header, struct arena *a, struct fault *f)
{
    if (json_type(doc, version) != JSON_STRING)
        return fault_set(f, ERR_PARAMS, "_meta[\"io.modelcontextprotocol/protocolVersion\"] must be a string");
    if (!header.p)
        return fault_set(f, ERR_HEADER_MISMATCH, "the header MCP-Protocol-Version is missing");
    if (!json_str_is(doc, version, header))
        return fault_set(f, ERR_HEADER_MISMATCH, "the header MCP-Protocol-Version (" STR_FMT ") is not what _meta says",
                         STR_ARG(header));
    if (!str_eq(header, STR(MCP_MODERN)))
        return fault_set(f, ERR_PROTOCOL_VERSION, "revision " STR_FMT " is not spoken here", STR_ARG(header));
    struct str method = http_header(h, "mcp-method");
    if (!method.p || !str_eq(method, r->method))
        return fault_set(f, ERR_HEADER_MISMATCH, "the header Mcp-Method must be the body's method, " STR_FMT,
                         STR_ARG(r->method));
    TRY(era_check_name(h, doc, r, a, f));
    uint32_t capabilities = json_get(doc, r->meta, STR("io.modelcontextprotocol/clientCapabilities"));
    if (json_type(doc, capabilities) != JSON_OBJECT)
        return fault_set(f, ERR_PARAMS, "_meta[\"io.modelcontextprotocol/clientCapabilities\"] must be an object");
    return ERR_OK;
}

enum err era_of(const struct http_head *h, const struct json *doc, const struct rpc *r, struct arena *a, enum era *ret,
                struct fault *f)
{
    struct str header = http_header(h, "mcp-protocol-version");
    uint32_t version = r->meta ? json_get(doc, r->meta, STR("io.modelcontextprotocol/protocolVersion")) : 0;
    if (version) {
        TRY(era_check_modern(h, doc, r, version, header, a, f));
        *ret = ERA_MODERN;
        return ERR_OK;
    }
    /* Without the field in _meta it is a legacy message; `initialize` negotiates, so that its header, if any, is not
     * judged. */
    if (!header.p || era_legacy_version(header) || str_eq(r->method, STR("initialize"))) {
        *ret = ERA_LEGACY;
        return ERR_OK;
    }
    if (!str_eq(header, STR(MCP_MODERN)))
        return fault_set(f, ERR_PROTOCOL_VERSION, "revision " STR_FMT " is not spoken here", STR_ARG(header));
    if (r->kind == RPC_NOTIFICATION) { /* 2026-07-28 defines no headers and no _meta for notifications */
        *ret = ERA_MODERN;
        return ERR_OK;
    }
    return fault_set(f, ERR_PARAMS, "_meta[\"io.modelcontextprotocol/protocolVersion\"] is missing");
}

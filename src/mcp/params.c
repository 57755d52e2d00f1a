/*
 * Arguments that a tool wants mirrored into headers (x-mcp-header): whoever reads the body checks the headers against
 * it (MCP 2026-07-28 streamable-http, "Server Behavior for Custom Headers").
 */
#include "base/clock.h"
#include "mcp/request.h"

/* 42.0 and 42 are the same integer; the header is a number's text, or it is none. */
static bool mcp_param_number(struct str value, const struct json *doc, uint32_t node, struct arena *a)
{
    struct json j;
    return json_parse(&j, value, a, NULL, NULL) == ERR_OK && json_type(&j, JSON_ROOT) == JSON_NUMBER &&
           json_number_cmp(json_raw(&j, JSON_ROOT), json_raw(doc, node)) == 0;
}

static bool mcp_param_fits(struct str header, const struct json *doc, uint32_t node, struct arena *a)
{
    struct str value = http_value_read(header, a);
    switch (json_type(doc, node)) {
    case JSON_STRING: return value.p && json_str_is(doc, node, value);
    case JSON_NUMBER: return value.p && mcp_param_number(value, doc, node, a);
    case JSON_TRUE:
    case JSON_FALSE: return value.p && str_eq(value, json_raw(doc, node));
    default: return true; /* the schema refuses it with better words */
    }
}

static enum err mcp_check_param(struct mcp_request *r, const struct tool_param *p, struct fault *f)
{
    uint32_t node = r->call.arguments_node;
    for (size_t i = 0; i < p->depth; i++)
        node = json_get(&r->doc, node, p->path[i]);
    enum json_type type = json_type(&r->doc, node);
    struct str header = http_header(&r->x->head, p->header.p);
    if (type == JSON_NONE || type == JSON_NULL)
        return header.p ? fault_set(f, ERR_HEADER_MISMATCH, "the header %s says something that the arguments do not",
                                    p->header.p)
                        : ERR_OK;
    if (!header.p && type != JSON_OBJECT && type != JSON_ARRAY)
        return fault_set(f, ERR_HEADER_MISMATCH, "the header %s is missing; it must repeat the argument " STR_FMT,
                         p->header.p, STR_ARG(p->path[p->depth - 1]));
    if (!mcp_param_fits(header, &r->doc, node, &r->x->arena))
        return fault_set(f, ERR_HEADER_MISMATCH, "the header %s is not what the argument " STR_FMT " says", p->header.p,
                         STR_ARG(p->path[p->depth - 1]));
    return ERR_OK;
}

enum err mcp_check_params(struct mcp_request *r, struct fault *f)
{
    if (r->era != ERA_MODERN)
        return ERR_OK;
    const struct gate *g = r->mcp->gate->gate;
    struct catalogue *k = connect_catalogue(g->connect);
    const struct tool *t =
        r->server.n ? catalogue_by_name(k, r->server, r->call.asked) : catalogue_by_exposed(k, r->call.asked);
    enum err e = ERR_OK;
    /* Of a tool that this session may not use, not even this is told: the gate refuses the call. */
    if (t && t->param_count && session_allows(g->sessions, r->lease, t->id, clock_wall_ms(), NULL) == ERR_OK)
        for (size_t i = 0; i < t->param_count && !e; i++)
            e = mcp_check_param(r, &t->param[i], f);
    catalogue_unref(k);
    return e;
}

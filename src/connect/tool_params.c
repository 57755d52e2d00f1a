/* Arguments mirrored into headers: x-mcp-header (MCP 2026-07-28 streamable-http, "Custom Headers from Tool
 * Parameters"). */
#include "connect/inner.h"

enum { TOOL_PARAMS = 16, TOOL_PARAM_DEPTH = 8, TOOL_PARAM_NAME = 64 };

struct tool_walk {
    const struct json *doc;
    struct arena *a;
    struct tool_param param[TOOL_PARAMS];
    size_t count;
    struct str path[TOOL_PARAM_DEPTH];
    size_t depth;
};

/* RFC 9110 section 5.6.2 */
static bool tool_param_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return s.n > 0 && s.n <= TOOL_PARAM_NAME;
}

static bool tool_param_type(const struct json *doc, uint32_t schema)
{
    uint32_t type = json_get(doc, schema, STR("type"));
    return json_str_is(doc, type, STR("string")) || json_str_is(doc, type, STR("integer")) ||
           json_str_is(doc, type, STR("boolean"));
}

static const char *tool_param_add(struct tool_walk *w, uint32_t schema, uint32_t header, bool reachable)
{
    struct str name = json_str(w->doc, header, w->a);
    if (!reachable || !w->depth)
        return "x-mcp-header stands where no chain of `properties` leads";
    if (!tool_param_token(name))
        return "x-mcp-header must be a token of 1 to 64 characters";
    if (!tool_param_type(w->doc, schema))
        return "x-mcp-header is for arguments of the type string, integer or boolean";
    struct str full = arena_fmt(w->a, "Mcp-Param-" STR_FMT, STR_ARG(name));
    for (size_t i = 0; i < w->count; i++)
        if (str_ieq(w->param[i].header, full))
            return "two arguments have the same x-mcp-header";
    if (w->count == TOOL_PARAMS)
        return "more than 16 arguments have an x-mcp-header";
    struct str *path = arena_raw(w->a, w->depth * sizeof(*path), 16);
    for (size_t i = 0; path && i < w->depth; i++)
        path[i] = arena_str(w->a, w->path[i]);
    w->param[w->count++] = (struct tool_param){full, path, path ? w->depth : 0};
    return NULL;
}

static const char *tool_walk(struct tool_walk *w, uint32_t schema, bool reachable);

static const char *tool_walk_properties(struct tool_walk *w, uint32_t properties, bool reachable)
{
    JSON_PAIRS(w->doc, properties, k, v)
    {
        bool room = w->depth < TOOL_PARAM_DEPTH;
        if (room)
            w->path[w->depth++] = json_str(w->doc, k, w->a);
        const char *reason = tool_walk(w, v, reachable && room);
        w->depth -= room;
        if (reason)
            return reason;
    }
    return NULL;
}

/* Every other place where a schema may stand within a schema. The depth of the document bounds the recursion. */
static const char *tool_walk_elsewhere(struct tool_walk *w, uint32_t schema)
{
    static const char *const one[] = {"items",
                                      "contains",
                                      "additionalProperties",
                                      "unevaluatedProperties",
                                      "unevaluatedItems",
                                      "propertyNames",
                                      "not",
                                      "if",
                                      "then",
                                      "else"};
    static const char *const many[] = {"prefixItems", "oneOf", "anyOf", "allOf", "items"};
    static const char *const named[] = {"patternProperties", "dependentSchemas", "$defs", "definitions"};
    const char *reason = NULL;
    for (size_t i = 0; i < sizeof(one) / sizeof(one[0]) && !reason; i++)
        reason = tool_walk(w, json_get(w->doc, schema, str_of(one[i])), false);
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        uint32_t list = json_get(w->doc, schema, str_of(many[i]));
        if (json_type(w->doc, list) != JSON_ARRAY)
            continue;
        JSON_EACH(w->doc, list, v)
        if (!reason)
            reason = tool_walk(w, v, false);
    }
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]) && !reason; i++)
        reason = tool_walk_properties(w, json_get(w->doc, schema, str_of(named[i])), false);
    return reason;
}

static const char *tool_walk(struct tool_walk *w, uint32_t schema, bool reachable)
{
    if (json_type(w->doc, schema) != JSON_OBJECT)
        return NULL;
    uint32_t header = json_get(w->doc, schema, STR("x-mcp-header"));
    const char *reason = header ? tool_param_add(w, schema, header, reachable) : NULL;
    if (!reason)
        reason = tool_walk_properties(w, json_get(w->doc, schema, STR("properties")), reachable);
    return reason ? reason : tool_walk_elsewhere(w, schema);
}

const char *tool_params(struct tool *t, const struct json *doc, uint32_t schema, struct arena *a)
{
    struct tool_walk w = {.doc = doc, .a = a};
    const char *reason = tool_walk(&w, schema, true);
    if (reason || !w.count)
        return reason;
    struct tool_param *copy = arena_raw(a, w.count * sizeof(*copy), 16);
    if (!copy)
        return NULL; /* the arena has failed: the caller sees that */
    memcpy(copy, w.param, w.count * sizeof(*copy));
    t->param = copy;
    t->param_count = w.count;
    return NULL;
}

struct str tool_param_value(const struct tool_param *p, const struct json *doc, uint32_t arguments, struct arena *a)
{
    uint32_t node = arguments;
    for (size_t i = 0; i < p->depth; i++)
        node = json_get(doc, node, p->path[i]);
    switch (json_type(doc, node)) {
    case JSON_STRING: return http_value_write(json_str(doc, node, a), a);
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE: return json_raw(doc, node);
    default: return STR_NONE;
    }
}

/* A server's tools: from its own definitions to what the gate judges with and shows. */
#include <stdlib.h>

#include "base/enc.h"
#include "base/log.h"
#include "connect/inner.h"

enum { TOOL_SET_BYTES = 64 << 20, TOOL_SET_COUNT = 10000, TOOL_NAME_MAX = 128, TOOL_PARAMS = 16, TOOL_PARAM_DEPTH = 8 };

struct tool_set *tool_set_new(struct upstream *u)
{
    struct tool_set *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    arena_init(&s->arena, TOOL_SET_BYTES);
    s->upstream = upstream_ref(u);
    s->refs = 1;
    return s;
}

struct tool_set *tool_set_ref(struct tool_set *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void tool_set_unref(struct tool_set *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->count; i++)
        schema_unref(s->tool[i].input);
    free(s->tool);
    upstream_unref(s->upstream);
    arena_done(&s->arena);
    free(s);
}

/* Names that a scope can carry (MCP 2025-11-25 server/tools, "Tool Names"). */
static bool tool_name_valid(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '.';
        if (!ok)
            return false;
    }
    return name.n > 0 && name.n <= TOOL_NAME_MAX;
}

/* What agents are shown: the members of the protocol that mean the same on both hops. */
static struct str tool_listed(const struct json *doc, uint32_t node, struct str name, struct arena *a)
{
    static const char *const shown[] = {"title", "description", "inputSchema", "outputSchema", "annotations", "icons"};
    struct buf b;
    buf_init(&b, TOOL_SET_BYTES);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_str(&o, "name", name);
    for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        uint32_t v = json_get(doc, node, str_of(shown[i]));
        if (v)
            json_kv_raw(&o, shown[i], json_raw(doc, v));
    }
    json_close(&o, '}');
    struct str copy = buf_failed(&b) ? STR_NONE : arena_str(a, buf_view(&b));
    buf_done(&b);
    return copy;
}

static enum err tool_hash(const struct json *doc, uint32_t node, char ret[65])
{
    struct arena scratch;
    struct buf b;
    unsigned char hash[SHA256_BYTES];
    arena_init(&scratch, TOOL_SET_BYTES);
    buf_init(&b, TOOL_SET_BYTES);
    enum err e = json_canonical(doc, node, &b, &scratch);
    enc_sha256(b.p, b.n, hash);
    enc_hex(hash, sizeof(hash), ret);
    buf_done(&b);
    arena_done(&scratch);
    return e;
}

/* ---- arguments mirrored into headers (MCP 2026-07-28 streamable-http, "Custom Headers from Tool Parameters") ---- */

struct tool_walk {
    const struct json *doc;
    struct arena *a;
    struct tool_param param[TOOL_PARAMS];
    size_t count;
    struct str path[TOOL_PARAM_DEPTH];
    size_t depth;
};

static bool tool_header_valid(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_'))
            return false;
    return s.n > 0 && s.n <= 64;
}

/* Only what is reached through `properties` counts. */
static void tool_walk_params(struct tool_walk *w, uint32_t schema)
{
    uint32_t properties = json_get(w->doc, schema, STR("properties"));
    if (json_type(w->doc, properties) != JSON_OBJECT || w->depth == TOOL_PARAM_DEPTH)
        return;
    JSON_PAIRS(w->doc, properties, k, v)
    {
        w->path[w->depth++] = json_str(w->doc, k, w->a);
        uint32_t header = json_get(w->doc, v, STR("x-mcp-header"));
        struct str name = json_type(w->doc, header) == JSON_STRING ? json_str(w->doc, header, w->a) : STR_NONE;
        if (tool_header_valid(name) && w->count < TOOL_PARAMS) {
            struct str *path = arena_raw(w->a, w->depth * sizeof(*path), 16);
            for (size_t i = 0; path && i < w->depth; i++)
                path[i] = arena_str(w->a, w->path[i]);
            if (path)
                w->param[w->count++] =
                    (struct tool_param){arena_fmt(w->a, "Mcp-Param-" STR_FMT, STR_ARG(name)), path, w->depth};
        }
        tool_walk_params(w, v);
        w->depth--;
    }
}

static void tool_params(struct tool *t, const struct json *doc, uint32_t schema, struct arena *a)
{
    struct tool_walk w = {.doc = doc, .a = a};
    tool_walk_params(&w, schema);
    struct tool_param *copy = w.count ? arena_raw(a, w.count * sizeof(*copy), 16) : NULL;
    if (!copy)
        return;
    memcpy(copy, w.param, w.count * sizeof(*copy));
    t->param = copy;
    t->param_count = w.count;
}

/* ---- one definition ---- */

static void tool_schema(struct tool *t, const struct json *doc, uint32_t schema)
{
    if (json_type(doc, schema) != JSON_OBJECT) {
        fault_set(&t->fault, ERR_SCHEMA_UNUSABLE, "the tool " STR_FMT " has no inputSchema", STR_ARG(t->id));
        return;
    }
    if (schema_compile(json_raw(doc, schema), NULL, NULL, &t->input, &t->fault) == ERR_OK)
        return;
    fault_wrap(&t->fault, "the inputSchema of " STR_FMT " cannot be used", STR_ARG(t->id));
    log_warn("tool_unusable", LOG_S("tool", t->id), LOG_Z("reason", t->fault.text));
}

static bool tool_known(const struct tool_set *s, struct str name)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->tool[i].name, name))
            return true;
    return false;
}

static enum err tool_set_room(struct tool_set *s, struct fault *f)
{
    if (s->count < s->room)
        return ERR_OK;
    if (s->room >= TOOL_SET_COUNT)
        return fault_set(f, ERR_LIMIT, "more than %d tools", TOOL_SET_COUNT);
    size_t room = s->room ? s->room * 2 : 32;
    struct tool *more = realloc(s->tool, room * sizeof(*more));
    if (!more)
        return fault_set(f, ERR_NOMEM, "no memory for tools");
    s->tool = more;
    s->room = room;
    return ERR_OK;
}

enum err tool_set_add(struct tool_set *s, const struct json *doc, uint32_t node, struct fault *f)
{
    struct arena *a = &s->arena;
    const struct conf_server *server = s->upstream->server;
    struct str name = arena_str(a, json_str(doc, json_get(doc, node, STR("name")), a));
    if (!tool_name_valid(name) || tool_known(s, name)) {
        log_warn(
            "tool_left_out", LOG_S("server", server->name), LOG_S("tool", name),
            LOG_Z("reason", tool_name_valid(name) ? "the name came twice" : "a name is 1 to 128 of A-Z a-z 0-9 _ - ."));
        return ERR_OK;
    }
    TRY(tool_set_room(s, f));
    struct tool *t = &s->tool[s->count];
    *t = (struct tool){.upstream = s->upstream, .server = arena_str(a, server->name), .name = name};
    t->id = arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(server->name), STR_ARG(name));
    t->exposed = arena_fmt(a, STR_FMT "__" STR_FMT, STR_ARG(server->name), STR_ARG(name));
    t->listed = tool_listed(doc, node, t->exposed, a);
    t->listed_plain = tool_listed(doc, node, name, a);
    t->read_only_hint =
        json_bool(doc, json_get(doc, json_get(doc, node, STR("annotations")), STR("readOnlyHint")), false);
    uint32_t schema = json_get(doc, node, STR("inputSchema"));
    if (tool_hash(doc, node, t->hash) || arena_failed(a))
        return fault_set(f, ERR_LIMIT, "its definitions are larger than %d bytes", TOOL_SET_BYTES);
    tool_schema(t, doc, schema);
    tool_params(t, doc, schema, a);
    s->count++;
    return ERR_OK;
}

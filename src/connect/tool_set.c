/* A server's tools: from its own definitions to what the gate judges with and shows. */
#include <stdlib.h>

#include "base/enc.h"
#include "base/log.h"
#include "connect/inner.h"

enum { TOOL_SET_BYTES = 64 << 20, TOOL_SET_COUNT = 10000, TOOL_NAME_MAX = 128 };
enum { TOOL_OUTPUT_STEPS = 4000000 }; /* results are larger than arguments */

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
    for (size_t i = 0; i < s->count; i++) {
        schema_unref(s->tool[i].input);
        schema_unref(s->tool[i].output);
    }
    free(s->tool);
    for (unsigned i = 0; i < OFFER_KINDS; i++)
        free(s->offers[i].offer);
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

/* ---- what agents are shown ---- */

/* A client that meets one malformed definition may throw the whole list away: what has the wrong shape is not passed
 * on. */
static bool tool_annotations_valid(const struct json *doc, uint32_t node)
{
    JSON_PAIRS(doc, node, k, v)
    {
        enum json_type want = json_str_is(doc, k, STR("title")) ? JSON_STRING : JSON_NONE, is = json_type(doc, v);
        bool hint = json_str_is(doc, k, STR("readOnlyHint")) || json_str_is(doc, k, STR("destructiveHint")) ||
                    json_str_is(doc, k, STR("idempotentHint")) || json_str_is(doc, k, STR("openWorldHint"));
        if ((want && is != want) || (hint && is != JSON_TRUE && is != JSON_FALSE))
            return false;
    }
    return true;
}

bool tool_icons_valid(const struct json *doc, uint32_t node)
{
    JSON_EACH(doc, node, v)
    if (json_type(doc, json_get(doc, v, STR("src"))) != JSON_STRING)
        return false;
    return true;
}

static bool tool_schema_of_object(const struct json *doc, uint32_t schema)
{
    return json_str_is(doc, json_get(doc, schema, STR("type")), STR("object"));
}

/* The members of the protocol that mean the same on both hops. */
static struct str tool_listed(const struct json *doc, uint32_t node, struct str name, bool output, struct arena *a)
{
    static const struct {
        const char *name;
        enum json_type type;
        bool (*valid)(const struct json *doc, uint32_t node);
    } shown[] = {
        {"title", JSON_STRING, NULL},
        {"description", JSON_STRING, NULL},
        {"inputSchema", JSON_OBJECT, NULL},
        {"outputSchema", JSON_OBJECT, NULL},
        {"icons", JSON_ARRAY, tool_icons_valid},
        {"annotations", JSON_OBJECT, tool_annotations_valid},
    };
    struct buf b;
    buf_init(&b, TOOL_SET_BYTES);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_str(&o, "name", name);
    for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        uint32_t v = json_get(doc, node, str_of(shown[i].name));
        if (json_type(doc, v) != shown[i].type || (shown[i].valid && !shown[i].valid(doc, v)))
            continue;
        if (!output && str_is(STR("outputSchema"), shown[i].name))
            continue;
        json_kv_raw(&o, shown[i].name, json_raw(doc, v));
    }
    json_close(&o, '}');
    struct str copy = buf_failed(&b) ? STR_NONE : arena_str(a, buf_view(&b));
    buf_done(&b);
    return copy;
}

/* An outputSchema is shown when results are judged by it. Before 2026-07-28 a result is an object, and so is what
 * outputSchema describes. */
static void tool_list(struct tool *t, const struct json *doc, uint32_t node, struct arena *a)
{
    bool output = t->output, legacy = output && tool_schema_of_object(doc, json_get(doc, node, STR("outputSchema")));
    if (!tool_schema_of_object(doc, json_get(doc, node, STR("inputSchema"))))
        return; /* no client takes it, and its calls are refused */
    t->listed = t->listed_legacy = tool_listed(doc, node, t->exposed, output, a);
    t->plain = t->plain_legacy = tool_listed(doc, node, t->name, output, a);
    if (legacy == output)
        return;
    t->listed_legacy = tool_listed(doc, node, t->exposed, false, a);
    t->plain_legacy = tool_listed(doc, node, t->name, false, a);
}

/* The definition as it is pinned: key order, white space, escapes and spellings of a number do not count; everything
 * that the server says does. */
static enum err tool_define(struct tool *t, const struct json *doc, uint32_t node, struct arena *a)
{
    struct arena scratch;
    struct buf b;
    unsigned char hash[SHA256_BYTES];
    arena_init(&scratch, TOOL_SET_BYTES);
    buf_init(&b, TOOL_SET_BYTES);
    enum err e = json_canonical(doc, node, &b, &scratch);
    t->definition = arena_buf(a, &b);
    enc_sha256(t->definition.p, t->definition.n, hash);
    enc_hex(hash, sizeof(hash), t->hash);
    buf_done(&b);
    arena_done(&scratch);
    return e;
}

/* ---- one definition ---- */

static void tool_schema(struct tool *t, const struct json *doc, uint32_t schema)
{
    if (!tool_schema_of_object(doc, schema))
        fault_set(&t->fault, ERR_SCHEMA_UNUSABLE, "it has none, or one whose type is not \"object\"");
    else if (schema_compile(json_raw(doc, schema), NULL, NULL, &t->input, &t->fault) == ERR_OK)
        return;
    fault_wrap(&t->fault, "the inputSchema of " STR_FMT " cannot be used", STR_ARG(t->id));
    log_warn("tool_unusable", LOG_S("tool", t->id), LOG_Z("reason", t->fault.text));
}

/* One that cannot be used closes nothing: agents do not see it, so that nobody relies on it, and a server that wants
 * nothing judged would declare none. */
static void tool_output(struct tool *t, const struct json *doc, uint32_t schema)
{
    static const struct schema_limits limits = {.steps = TOOL_OUTPUT_STEPS};
    struct fault f;
    if (json_type(doc, schema) != JSON_OBJECT || !schema_compile(json_raw(doc, schema), NULL, &limits, &t->output, &f))
        return;
    log_warn("tool_output_unusable", LOG_S("tool", t->id), LOG_Z("reason", f.text));
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

static void tool_left_out(const struct tool_set *s, struct str name, const char *reason)
{
    log_warn("tool_left_out", LOG_S("server", s->upstream->server->name), LOG_S("tool", name), LOG_Z("reason", reason));
}

enum err tool_set_add(struct tool_set *s, const struct json *doc, uint32_t node, struct fault *f)
{
    struct arena *a = &s->arena;
    const struct conf_server *server = s->upstream->server;
    struct str name = arena_str(a, json_str(doc, json_get(doc, node, STR("name")), a));
    if (!tool_name_valid(name) || tool_known(s, name)) {
        tool_left_out(s, name,
                      tool_name_valid(name) ? "the name came twice" : "a name is 1 to 128 of A-Z a-z 0-9 _ - .");
        return ERR_OK;
    }
    TRY(tool_set_room(s, f));
    struct tool *t = &s->tool[s->count];
    *t = (struct tool){.upstream = s->upstream, .server = arena_str(a, server->name), .name = name};
    const char *reason = tool_params(t, doc, json_get(doc, node, STR("inputSchema")), a);
    if (reason) {
        tool_left_out(s, name, reason);
        return ERR_OK;
    }
    t->id = arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(server->name), STR_ARG(name));
    t->exposed = arena_fmt(a, STR_FMT "__" STR_FMT, STR_ARG(server->name), STR_ARG(name));
    t->read_only_hint =
        json_bool(doc, json_get(doc, json_get(doc, node, STR("annotations")), STR("readOnlyHint")), false);
    s->count++; /* from here on its schemas are the set's to free */
    tool_schema(t, doc, json_get(doc, node, STR("inputSchema")));
    tool_output(t, doc, json_get(doc, node, STR("outputSchema")));
    tool_list(t, doc, node, a);
    if (tool_define(t, doc, node, a) || arena_failed(a))
        return fault_set(f, ERR_LIMIT, "its definitions are larger than %d bytes", TOOL_SET_BYTES);
    return ERR_OK;
}

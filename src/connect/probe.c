/*
 * The first talk with a server: which revision does it speak, and which tools has it? Modern first; whatever answers
 * with anything but a modern answer is tried as a legacy one (MCP 2026-07-28 basic/versioning, "Backward
 * compatibility").
 *
 * That a server is a legacy one is remembered while it is up: some end, or complain, each time they are asked for the
 * modern era. It is asked again when it was down, when it refuses `initialize`, and when the one that answers is not
 * the server that it was. A modern one is asked each time: its answer says what it can do.
 */
#include <stdio.h>

#include "base/hash.h"
#include "connect/inner.h"

enum { PROBE_PAGES = 100, PROBE_REPEATS = 2 };

/* The lists, in the order in which they are asked for: those whose capability the server declared. */
static const struct probe_list {
    unsigned can;
    const char *method;
    int kind; /* enum offer_kind; -1: tools */
} probe_lists[] = {
    {SERVER_TOOLS, "tools/list", -1},
    {SERVER_PROMPTS, "prompts/list", OFFER_PROMPT},
    {SERVER_RESOURCES, "resources/list", OFFER_RESOURCE},
    {SERVER_RESOURCES, "resources/templates/list", OFFER_TEMPLATE},
};
enum { PROBE_LISTS = sizeof(probe_lists) / sizeof(probe_lists[0]) };

static unsigned probe_can(const struct json *doc, uint32_t result)
{
    static const struct {
        const char *path;
        unsigned can;
    } names[] = {{"tools", SERVER_TOOLS},
                 {"prompts", SERVER_PROMPTS},
                 {"resources", SERVER_RESOURCES},
                 {"completions", SERVER_COMPLETIONS},
                 {"logging", SERVER_LOGGING}};
    uint32_t declared = json_get(doc, result, STR("capabilities"));
    unsigned can = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        can |= json_type(doc, json_path(doc, declared, names[i].path)) == JSON_OBJECT ? names[i].can : 0;
    if (json_bool(doc, json_path(doc, declared, "resources.subscribe"), false))
        can |= SERVER_SUBSCRIBE;
    static const char *const lists[] = {"tools.listChanged", "prompts.listChanged", "resources.listChanged"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (json_bool(doc, json_path(doc, declared, lists[i]), false))
            can |= SERVER_TELLS;
    return can;
}

static void probe_send(struct probe *p)
{
    const char *method = p->step == PROBE_DISCOVER     ? "server/discover"
                         : p->step == PROBE_INITIALIZE ? "initialize"
                                                       : probe_lists[p->list].method;
    int n = snprintf(p->id, sizeof(p->id), "probe-%u", ++p->ids);
    struct wire_request r = {.era = p->era,
                             .version = p->version,
                             .method = method,
                             .id = {p->id, (size_t)n},
                             .can = CAN_ALL}; /* servers list some tools only to clients that can be asked */
    if (p->step == PROBE_LIST)
        r.cursor = str_of(p->cursor);
    p->request(p, &r);
}

static void probe_down(struct probe *p, enum err e, const char *why, struct str more)
{
    struct fault f;
    struct upstream *u = p->upstream;
    fault_set(&f, e, "%s%s" STR_FMT, why, more.n ? ": " : "", STR_ARG(more));
    tool_set_unref(p->set);
    p->set = NULL;
    p->end(p);
    upstream_down(u, &f);
}

static void probe_initialize(struct probe *p)
{
    p->step = PROBE_INITIALIZE;
    p->era = WIRE_ERA_LEGACY;
    probe_send(p);
}

static void probe_list(struct probe *p, unsigned can);

static void probe_done(struct probe *p)
{
    if (p->stale && p->repeats < PROBE_REPEATS) {
        unsigned can = p->set->can;
        tool_set_unref(p->set);
        p->repeats++;
        p->stale = false;
        probe_list(p, can);
        return;
    }
    struct upstream *u = p->upstream;
    struct tool_set *set = p->set;
    enum wire_era era = p->era;
    char version[16];
    snprintf(version, sizeof(version), STR_FMT, STR_ARG(p->version));
    p->set = NULL;
    p->end(p);
    upstream_up(u, era, str_of(version), set);
}

/* The next list that the server has, from p->list on; without any, the probe is done. */
static void probe_next_list(struct probe *p)
{
    p->cursor[0] = 0;
    p->pages = 0;
    while (p->list < PROBE_LISTS && probe_lists[p->list].kind >= 0 && !(p->set->can & probe_lists[p->list].can))
        p->list++; /* tools are asked for in any case: there are servers that have some and declare none */
    if (p->list < PROBE_LISTS)
        probe_send(p);
    else
        probe_done(p);
}

static void probe_list(struct probe *p, unsigned can)
{
    p->step = PROBE_LIST;
    p->list = 0;
    p->set = tool_set_new(p->upstream);
    if (!p->set) {
        probe_down(p, ERR_NOMEM, "no memory for its tools", STR_NONE);
        return;
    }
    p->set->can = can;
    probe_next_list(p);
}

void probe_changed(struct probe *p)
{
    p->stale = p->step == PROBE_LIST;
}

void probe_relist(struct probe *p, enum wire_era era, struct str version, unsigned can)
{
    snprintf(p->version_text, sizeof(p->version_text), STR_FMT, STR_ARG(version));
    p->version = str_of(p->version_text);
    p->era = era;
    probe_list(p, can);
}

void probe_start(struct probe *p)
{
    p->era = WIRE_ERA_MODERN;
    p->version = STR(WIRE_MODERN);
    p->step = PROBE_DISCOVER;
    p->cached = p->upstream->verdict.legacy;
    if (p->cached || p->upstream->server->protocol == CONF_2025_11_25)
        probe_initialize(p);
    else
        probe_send(p);
}

/* What was known of its era does not hold any more. */
static void probe_afresh(struct probe *p)
{
    p->upstream->verdict.legacy = false;
    p->cached = false;
    p->afresh = true;
    p->era = WIRE_ERA_MODERN;
    p->version = STR(WIRE_MODERN);
    p->step = PROBE_DISCOVER;
    probe_send(p);
}

/* Which server is it? One that was upgraded says so here, whichever revisions it speaks. */
static uint64_t probe_who(const struct json *doc, uint32_t result)
{
    return str_hash(json_raw(doc, json_get(doc, result, STR("serverInfo")))) * 31 +
           str_hash(json_raw(doc, json_get(doc, result, STR("protocolVersion"))));
}

static bool probe_speaks_modern(const struct json *doc, uint32_t versions)
{
    for (uint32_t v = versions ? json_first(doc, versions) : 0; v; v = json_next(doc, versions, v))
        if (json_str_is(doc, v, STR(WIRE_MODERN)))
            return true;
    return false;
}

/* A modern server that refuses a revision names those that it speaks, and is asked again: it is no legacy one. */
static bool probe_refused_modern(const struct json *doc, const struct wire_message *m)
{
    int64_t code = 0;
    return m->error && json_i64(doc, json_get(doc, m->error, STR("code")), &code) && code == -32022 &&
           probe_speaks_modern(doc, json_path(doc, m->error, "data.supported"));
}

static void probe_discovered(struct probe *p, const struct json *doc, const struct wire_message *m)
{
    if (m && m->result && probe_speaks_modern(doc, json_get(doc, m->result, STR("supportedVersions")))) {
        probe_list(p, probe_can(doc, m->result));
        return;
    }
    if (m && !p->refused && probe_refused_modern(doc, m)) {
        p->refused = true;
        probe_send(p);
        return;
    }
    if (p->upstream->server->protocol == CONF_2026_07_28)
        probe_down(p, ERR_UPSTREAM, "it does not speak MCP " WIRE_MODERN ", which the configuration wants", STR_NONE);
    else
        probe_initialize(p);
}

static void probe_initialized(struct probe *p, const struct json *doc, const struct wire_message *m)
{
    uint32_t node = m->result ? json_get(doc, m->result, STR("protocolVersion")) : 0;
    struct str version = STR_NONE;
    if (json_type(doc, node) == JSON_STRING) { /* a date: what has escapes is none */
        version = str_skip(json_raw(doc, node), 1);
        version.n--;
    }
    uint64_t who = m->result ? probe_who(doc, m->result) : 0;
    bool known = wire_legacy_known(version);
    if (p->cached && (!known || who != p->upstream->verdict.who)) {
        probe_afresh(p);
        return;
    }
    if (!known) {
        struct str said = m->error ? json_raw(doc, json_get(doc, m->error, STR("message"))) : version;
        probe_down(p, ERR_UPSTREAM, "it speaks no revision of MCP that is known here", said);
        return;
    }
    snprintf(p->version_text, sizeof(p->version_text), STR_FMT, STR_ARG(version));
    p->version = str_of(p->version_text);
    p->upstream->verdict.legacy = p->upstream->server->protocol != CONF_2025_11_25;
    p->upstream->verdict.who = who;
    struct buf b;
    buf_init(&b, 4096);
    wire_write_initialized(&b);
    p->notify(p, buf_view(&b));
    buf_done(&b);
    probe_list(p, probe_can(doc, m->result));
}

static enum err probe_take(struct probe *p, const struct json *doc, uint32_t list, struct fault *f)
{
    int kind = probe_lists[p->list].kind;
    JSON_EACH(doc, list, v)
    {
        if (kind < 0)
            TRY(tool_set_add(p->set, doc, v, f));
        else
            TRY(tool_set_offer(p->set, (enum offer_kind)kind, doc, v, f));
    }
    return ERR_OK;
}

/* A list beside the tools that a server declared and does not give is empty: it takes nothing else away. */
static void probe_listed(struct probe *p, const struct json *doc, const struct wire_message *m)
{
    struct fault f;
    int kind = probe_lists[p->list].kind;
    const char *member = kind < 0 ? "tools" : offer_list((enum offer_kind)kind);
    uint32_t list = m->result ? json_get(doc, m->result, str_of(member)) : 0;
    if (json_type(doc, list) != JSON_ARRAY && kind < 0 && (p->set->can & SERVER_TOOLS)) {
        probe_down(p, ERR_UPSTREAM_GARBAGE, "its answer to tools/list holds no list of tools", STR_NONE);
        return;
    }
    if (probe_take(p, doc, list, &f)) {
        probe_down(p, f.err, "its lists cannot be taken in", str_of(f.text));
        return;
    }
    uint32_t cursor = m->result ? json_get(doc, m->result, STR("nextCursor")) : 0;
    struct str next = json_type(doc, cursor) == JSON_STRING ? json_str(doc, cursor, &p->set->arena) : STR_NONE;
    if (next.n >= sizeof(p->cursor) || (next.n && ++p->pages >= PROBE_PAGES)) {
        probe_down(p, ERR_LIMIT, "one of its lists does not end", STR_NONE);
        return;
    }
    if (next.n) {
        memcpy(p->cursor, next.p, next.n);
        p->cursor[next.n] = 0;
        probe_send(p);
        return;
    }
    p->list++;
    probe_next_list(p);
}

void probe_answer(struct probe *p, enum err e, const struct fault *f, bool reached, const struct json *doc,
                  const struct wire_message *m)
{
    if (p->step == PROBE_DISCOVER && (!e || reached))
        probe_discovered(p, e ? NULL : doc, e ? NULL : m);
    else if (p->cached && p->step == PROBE_INITIALIZE && e && reached)
        probe_afresh(p);
    else if (e)
        probe_down(p, e, f->text, STR_NONE);
    else if (p->step == PROBE_INITIALIZE)
        probe_initialized(p, doc, m);
    else
        probe_listed(p, doc, m);
}

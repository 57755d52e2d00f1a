/*
 * The first talk with a server: which revision does it speak, and which tools has it? Modern first; whatever answers
 * with anything but a modern answer is tried as a legacy one (MCP 2026-07-28 basic/versioning, "Backward
 * compatibility").
 */
#include <stdio.h>

#include "connect/inner.h"

enum { PROBE_PAGES = 100 };

static void probe_send(struct probe *p)
{
    static const char *const methods[] = {"server/discover", "initialize", "tools/list"};
    int n = snprintf(p->id, sizeof(p->id), "probe-%u", ++p->ids);
    struct wire_request r = {
        .era = p->era, .version = p->version, .method = methods[p->step], .id = {p->id, (size_t)n}};
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

static void probe_list(struct probe *p)
{
    p->step = PROBE_LIST;
    p->set = tool_set_new(p->upstream);
    if (p->set)
        probe_send(p);
    else
        probe_down(p, ERR_NOMEM, "no memory for its tools", STR_NONE);
}

void probe_start(struct probe *p)
{
    p->era = WIRE_ERA_MODERN;
    p->version = STR(WIRE_MODERN);
    p->step = PROBE_DISCOVER;
    if (p->upstream->server->protocol == CONF_2025_11_25)
        probe_initialize(p);
    else
        probe_send(p);
}

static void probe_discovered(struct probe *p, const struct json *doc, const struct wire_message *m)
{
    uint32_t versions = m && m->result ? json_get(doc, m->result, STR("supportedVersions")) : 0;
    for (uint32_t v = versions ? json_first(doc, versions) : 0; v; v = json_next(doc, versions, v)) {
        if (json_str_is(doc, v, STR(WIRE_MODERN))) {
            probe_list(p);
            return;
        }
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
    if (!wire_legacy_known(version)) {
        struct str said = m->error ? json_raw(doc, json_get(doc, m->error, STR("message"))) : version;
        probe_down(p, ERR_UPSTREAM, "it speaks no revision of MCP that is known here", said);
        return;
    }
    snprintf(p->version_text, sizeof(p->version_text), STR_FMT, STR_ARG(version));
    p->version = str_of(p->version_text);
    struct buf b;
    buf_init(&b, 4096);
    wire_write_initialized(&b);
    p->notify(p, buf_view(&b));
    buf_done(&b);
    probe_list(p);
}

static void probe_listed(struct probe *p, const struct json *doc, const struct wire_message *m)
{
    struct fault f;
    uint32_t tools = m->result ? json_get(doc, m->result, STR("tools")) : 0, cursor;
    if (json_type(doc, tools) != JSON_ARRAY) {
        probe_down(p, ERR_UPSTREAM_GARBAGE, "its answer to tools/list holds no list of tools", STR_NONE);
        return;
    }
    JSON_EACH(doc, tools, v)
    {
        if (tool_set_add(p->set, doc, v, &f)) {
            probe_down(p, f.err, "its tools cannot be taken in", str_of(f.text));
            return;
        }
    }
    cursor = json_get(doc, m->result, STR("nextCursor"));
    struct str next = json_type(doc, cursor) == JSON_STRING ? json_str(doc, cursor, &p->set->arena) : STR_NONE;
    if (next.n >= sizeof(p->cursor) || (next.n && ++p->pages >= PROBE_PAGES)) {
        probe_down(p, ERR_LIMIT, "its list of tools does not end", STR_NONE);
        return;
    }
    if (next.n) {
        memcpy(p->cursor, next.p, next.n);
        p->cursor[next.n] = 0;
        probe_send(p);
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

void probe_answer(struct probe *p, enum err e, const struct fault *f, bool reached, const struct json *doc,
                  const struct wire_message *m)
{
    if (p->step == PROBE_DISCOVER && (!e || reached))
        probe_discovered(p, e ? NULL : doc, e ? NULL : m);
    else if (e)
        probe_down(p, e, f->text, STR_NONE);
    else if (p->step == PROBE_INITIALIZE)
        probe_initialized(p, doc, m);
    else
        probe_listed(p, doc, m);
}

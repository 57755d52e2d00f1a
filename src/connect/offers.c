/* What a server offers beside tools: prompts, resources and templates of resources. Listed as it listed them, without
 * what belongs to its hop (MCP 2026-07-28 server/prompts, server/resources). */
#include <stdlib.h>

#include "base/log.h"
#include "connect/inner.h"

enum { OFFER_MAX = 10000, OFFER_NAME_MAX = 2048, OFFER_BYTES = 16 << 20 };

static bool offer_arguments_valid(const struct json *doc, uint32_t node)
{
    JSON_EACH(doc, node, v)
    if (json_type(doc, json_get(doc, v, STR("name"))) != JSON_STRING)
        return false;
    return true;
}

struct offer_member {
    const char *name;
    enum json_type type;
    bool (*valid)(const struct json *doc, uint32_t node);
};

/* By kind: the member that names it, and those that clients are shown beside it. */
static const struct offer_shape {
    const char *list, *name;
    struct offer_member shown[9];
} offer_shapes[OFFER_KINDS] = {
    [OFFER_PROMPT] = {"prompts",
                      "name",
                      {{"title", JSON_STRING, NULL},
                       {"description", JSON_STRING, NULL},
                       {"arguments", JSON_ARRAY, offer_arguments_valid},
                       {"icons", JSON_ARRAY, tool_icons_valid},
                       {NULL, 0, NULL}}},
    [OFFER_RESOURCE] = {"resources",
                        "uri",
                        {{"name", JSON_STRING, NULL},
                         {"title", JSON_STRING, NULL},
                         {"description", JSON_STRING, NULL},
                         {"mimeType", JSON_STRING, NULL},
                         {"size", JSON_NUMBER, NULL},
                         {"annotations", JSON_OBJECT, NULL},
                         {"icons", JSON_ARRAY, tool_icons_valid},
                         {NULL, 0, NULL}}},
    [OFFER_TEMPLATE] = {"resourceTemplates",
                        "uriTemplate",
                        {{"name", JSON_STRING, NULL},
                         {"title", JSON_STRING, NULL},
                         {"description", JSON_STRING, NULL},
                         {"mimeType", JSON_STRING, NULL},
                         {"annotations", JSON_OBJECT, NULL},
                         {"icons", JSON_ARRAY, tool_icons_valid},
                         {NULL, 0, NULL}}},
};

const char *offer_list(enum offer_kind kind)
{
    return offer_shapes[kind].list;
}

static struct str offer_listed(const struct offer_shape *shape, const struct json *doc, uint32_t node, struct str name,
                               struct arena *a)
{
    struct buf b;
    buf_init(&b, OFFER_BYTES);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_str(&o, shape->name, name);
    for (const struct offer_member *m = shape->shown; m->name; m++) {
        uint32_t v = json_get(doc, node, str_of(m->name));
        if (json_type(doc, v) == m->type && (!m->valid || m->valid(doc, v)))
            json_kv_raw(&o, m->name, json_raw(doc, v));
    }
    json_close(&o, '}');
    struct str copy = buf_failed(&b) ? STR_NONE : arena_str(a, buf_view(&b));
    buf_done(&b);
    return copy;
}

static enum err offer_room(struct offer_array *list, struct fault *f)
{
    if (list->count < list->room)
        return ERR_OK;
    if (list->room >= OFFER_MAX)
        return fault_set(f, ERR_LIMIT, "more than %d entries", OFFER_MAX);
    size_t room = list->room ? list->room * 2 : 16;
    struct offer *more = realloc(list->offer, room * sizeof(*more));
    if (!more)
        return fault_set(f, ERR_NOMEM, "no memory for its lists");
    list->offer = more;
    list->room = room;
    return ERR_OK;
}

enum err tool_set_offer(struct tool_set *s, enum offer_kind kind, const struct json *doc, uint32_t node,
                        struct fault *f)
{
    const struct offer_shape *shape = &offer_shapes[kind];
    struct offer_array *list = &s->offers[kind];
    struct str server = s->upstream->server->name;
    struct str name = json_str(doc, json_get(doc, node, str_of(shape->name)), &s->arena);
    bool named = kind == OFFER_PROMPT || json_type(doc, json_get(doc, node, STR("name"))) == JSON_STRING;
    if (!name.n || name.n > OFFER_NAME_MAX || !named) {
        log_warn("offer_left_out", LOG_S("server", server), LOG_Z("list", shape->list), LOG_S("name", name),
                 LOG_Z("reason", "it has no name, or one that is too long"));
        return ERR_OK;
    }
    for (size_t i = 0; i < list->count; i++)
        if (str_eq(list->offer[i].name, name))
            return ERR_OK; /* the first of two holds */
    TRY(offer_room(list, f));
    struct offer *o = &list->offer[list->count];
    *o = (struct offer){.upstream = s->upstream, .server = server, .name = arena_str(&s->arena, name)};
    o->exposed =
        kind == OFFER_PROMPT ? arena_fmt(&s->arena, STR_FMT "__" STR_FMT, STR_ARG(server), STR_ARG(name)) : o->name;
    o->plain = offer_listed(shape, doc, node, o->name, &s->arena);
    o->listed = kind == OFFER_PROMPT ? offer_listed(shape, doc, node, o->exposed, &s->arena) : o->plain;
    if (!o->name.p || !o->listed.p || !o->plain.p)
        return fault_set(f, ERR_LIMIT, "its lists are larger than their bound");
    list->count++;
    return ERR_OK;
}

/* ---- URI templates: RFC 6570, as far as telling whose a URI is needs it ---- */

/* A variable stands for any run of characters without a slash; one with an operator ("{+path}") for any at all. */
bool offer_template_fits(struct str template, struct str uri)
{
    char pattern[OFFER_NAME_MAX];
    size_t n = 0;
    bool slashes = false;
    while (template.n && n < sizeof(pattern)) {
        struct str variable;
        char c = template.p[0];
        template = str_skip(template, 1);
        pattern[n++] = c == '{' ? '*' : c;
        if (c != '{')
            continue;
        if (!str_cut(&template, '}', &variable))
            return false;
        slashes = slashes || (variable.n && memchr("+/#?&;.", variable.p[0], 7));
    }
    struct str whole = {pattern, n};
    return template.n == 0 && (slashes ? str_match(whole, uri) : str_glob(whole, uri));
}

/* A server's tools without a server: definitions in, a tool set out. JSON is written with ' for ". */
#ifndef TEST_CONNECT_DEFINITIONS_H
#define TEST_CONNECT_DEFINITIONS_H

#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "connect/inner.h"

struct shelf { /* what the server of a set is made of */
    struct conf_server server;
    struct connect_kind kind;
    struct upstream upstream;
};

static inline void shelf_free(struct upstream *u)
{
    (void)u; /* the test's own memory */
}

static inline void shelf_init(struct shelf *s, const char *name)
{
    memset(s, 0, sizeof(*s));
    s->server.name = str_of(name);
    s->kind.free = shelf_free;
    s->upstream.kind = &s->kind;
    s->upstream.server = &s->server;
    s->upstream.refs = 1000; /* never freed: it is no allocation */
}

/* The set of a JSON array of definitions. */
static inline struct tool_set *shelf_tools(struct shelf *s, const char *definitions)
{
    struct tool_set *set = tool_set_new(&s->upstream);
    struct arena a;
    struct json j;
    struct fault f;
    char *text = quotes(strdup(definitions));
    arena_init(&a, 1u << 20);
    if (json_parse(&j, str_of(text), &a, NULL, &f))
        fail_msg("%s: %s", definitions, f.text);
    JSON_EACH(&j, JSON_ROOT, v)
    assert_int_equal(tool_set_add(set, &j, v, &f), ERR_OK);
    arena_done(&a); /* a set must not need the text any longer */
    free(text);
    return set;
}

#define TOOL(name)            "{'name':'" name "','inputSchema':{'type':'object'}}"
#define TOOL_WITH(name, more) "{'name':'" name "','inputSchema':{'type':'object'}," more "}"
#define TOOL_OF(name, schema) "{'name':'" name "','inputSchema':" schema "}"

#endif

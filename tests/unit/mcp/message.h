/* A message and its headers, for the tests of this folder. JSON is written with ' for ". */
#ifndef TEST_MCP_MESSAGE_H
#define TEST_MCP_MESSAGE_H

#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "mcp/era.h"

struct message {
    struct arena arena;
    struct json doc;
    struct rpc rpc;
    struct http_head head;
    struct fault fault;
};

/* Reads the text as JSON and then as a message. */
static inline enum err message_read(struct message *m, const char *text)
{
    memset(m, 0, sizeof(*m));
    arena_init(&m->arena, 1u << 20);
    struct str copy = str_of(quotes((char *)arena_str(&m->arena, str_of(text)).p));
    assert_int_equal(json_parse(&m->doc, copy, &m->arena, NULL, &m->fault), ERR_OK);
    return rpc_read(&m->doc, &m->arena, &m->rpc, &m->fault);
}

static inline void message_header(struct message *m, const char *name, const char *value)
{
    m->head.header[m->head.count++] = (struct http_header){str_of(name), str_of(value)};
}

static inline void message_done(struct message *m)
{
    arena_done(&m->arena);
}

#endif

/*
 * What servers want of the client in the middle of a call.
 *
 *   modern client   its answer says what is wanted (input_required, MCP 2026-07-28 basic/patterns/mrtr), and it comes
 * back with the same call; input.c legacy client   is asked on the stream of the call's answer, with ids of ours, and
 * posts its answers (MCP 2025-11-25 basic/transports); ask.c
 */
#ifndef MCP_INPUT_H
#define MCP_INPUT_H

#include "mcp/request.h"

enum { MCP_NEEDS_CAPABILITY = -32021, MCP_NEEDS_URL = -32042 };

#define MCP_ASK_PREFIX "ask-" /* the number of the worker follows, and what cannot be guessed */

struct mcp_ask { /* in the request's arena */
    struct mcp_ask *next;
    char id[32];     /* ours, of a request to a legacy client */
    unsigned number; /* of a legacy server's question; 0: a modern server's answer wants it, under `key` */
    struct str key, method, params;
    struct str value; /* the client's result, or error; empty: it has not answered */
    bool error;
};

/* A message's object without what belongs to its hop, in the arena. STR_NONE: no memory. input.c */
struct str mcp_of_hop(const struct json *doc, uint32_t node, struct arena *a);
/* One more thing that is wanted. NULL: no memory. */
struct mcp_ask *mcp_ask_add(struct mcp_request *r, struct str key, struct str method, struct str params);
/* Into the list of those that wait for their client, and out of it. ask.c */
void mcp_ask_enter(struct mcp_request *r);
void mcp_ask_leave(struct mcp_request *r);

/* input.c */
void mcp_put_request(struct json_out *o, struct str key, struct str method, struct str params);
enum err mcp_read_retry(struct mcp_request *r, struct fault *f) MUST_USE;
void mcp_put_wait(struct mcp_request *r); /* the client is told to come back: a person has not decided yet */
void mcp_put_input(struct mcp_request *r, const struct connect_answer *a);
/* ask.c: a call's events */
void mcp_call_asked(struct call *c, const struct connect_question *q);
void mcp_call_withdrawn(struct call *c, unsigned number);
void mcp_ask_client(struct mcp_request *r, const struct connect_answer *a); /* answers, now or later */
/* The client has answered; r may be over when this returns. */
void mcp_ask_taken(struct mcp_request *r, struct mcp_ask *ask, bool error, struct str value);
void mcp_ask_over(struct mcp_request *r); /* its call is over: what is still asked is withdrawn */

#endif

/* One MCP request while it is being answered: the shape that all methods share. */
#ifndef MCP_REQUEST_H
#define MCP_REQUEST_H

#include "mcp/mcp.h"

struct mcp_request {
    struct mcp_worker *mcp;
    struct exchange *x;
    struct lease *lease; /* a reference of the request's */
    enum era era;
    struct json doc;
    struct rpc rpc;
    struct str server;         /* "/mcp/{server}"; empty on /mcp */
    struct str mcp_session;    /* Mcp-Session-Id of a legacy client, checked; or empty */
    struct str progress_token; /* raw JSON; empty: no progress wanted */
    bool takes_stream;         /* of a call: its answer may become a stream */
    int log_least;             /* the least of a server's log that is told; beyond the last level: nothing */
    bool streaming;            /* the answer is an SSE stream that has begun */
    struct mcp_stream *stream; /* of notifications, when it is one (streams.h) */
    struct backlog *backlog;   /* of a stream that can be resumed: a reference of the request's (backlog.h) */
    uint64_t view;             /* under which it shows that */
    unsigned can;              /* what the client can be asked in the middle of a call (CAN_…) */
    struct mcp_ask *asks;      /* what it is asked (input.h) */
    struct mcp_request *asking_next, **asking_link;
    int64_t ask_until;
    struct str state; /* of a modern server that is sent its call again */
    unsigned rounds;
    bool again;       /* the call waits for the client, to be made again */
    struct call call; /* for tools/call */
};

/* A method of the protocol. To add one: a file with its handler and a line in methods.c. A handler answers the request,
 * now or later, exactly once. */
typedef void mcp_handler(struct mcp_request *r);
mcp_handler mcp_initialize, mcp_discover, mcp_ping;                                   /* handshake.c */
mcp_handler mcp_tools_call;                                                           /* tools_call.c */
mcp_handler mcp_prompts_get, mcp_resources_read, mcp_complete;                        /* offers.c */
mcp_handler mcp_tools_list, mcp_prompts_list, mcp_resources_list, mcp_templates_list; /* lists.c */
mcp_handler mcp_initialized, mcp_cancelled;                                           /* handshake.c, cancel.c */
mcp_handler mcp_resources_subscribe, mcp_resources_unsubscribe;                       /* subscribe.c */
mcp_handler mcp_roots_changed;                                                        /* roots.c */
mcp_handler mcp_set_level;                                                            /* logging.c */
mcp_handler mcp_tasks_get, mcp_tasks_update, mcp_tasks_cancel;                        /* tasks.c */
mcp_handler mcp_subscriptions_listen, mcp_get, mcp_delete; /* listen.c; the last two are HTTP's, not in methods.c */

struct mcp_method {
    const char *name;
    enum rpc_kind kind;
    enum era era; /* ERA_NONE: both */
    mcp_handler *handler;
};
/* NULL when this era knows no such method. */
const struct mcp_method *mcp_method_find(struct str name, enum rpc_kind kind, enum era era);

/* call.c: the trace that this request belongs to. */
void mcp_read_trace(struct mcp_request *r);
/* call.c: a request that goes to a server, once its kind and what it asks for are in r->call; without a document of its
 * own it sends what `arguments_node` of the request says. Answers. */
void mcp_call_start(struct mcp_request *r);
/* The request whose call it is; NULL: it is another face's, on the same worker. */
struct mcp_request *mcp_of(const struct call *c);
/* A modern server has what it wanted of a legacy client: the call once more, through all stages. */
void mcp_call_again(struct mcp_request *r, struct str responses, struct str state);
/* What is sent is this object, put together anew. */
enum err mcp_call_params(struct mcp_request *r, const struct buf *params, struct fault *f) MUST_USE;
/* How much of the servers' logs this client wants. logging.c */
enum err mcp_read_level(struct mcp_request *r, struct fault *f) MUST_USE;
/* What a server writes to the log during a call. logging.c */
void mcp_call_said(struct call *c, struct str params);
/* A line of a server's log as a message of ours. False: it is none, or below what is wanted. logging.c */
bool mcp_log_write(struct buf *b, struct str params, int least);
/* One more event on the answer's stream. event.c */
void mcp_stream_event(struct mcp_request *r, const struct buf *message);
/* Will its client hear of it, now or when it comes back? event.c */
bool mcp_reachable(const struct mcp_request *r);
/* A client's response to what it was asked. response.c */
void mcp_response(struct mcp_request *r);
/* Its client has left, or gives it up (false: there is no such request). ask.c */
void mcp_ask_gone(struct mcp_request *r);
bool mcp_ask_cancel(struct mcp_worker *m, struct str sid, struct str mcp_session, struct str id);
void mcp_asking_init(struct mcp_worker *m);
void mcp_asking_stop(struct mcp_worker *m);
void mcp_asking_look(struct mcp_worker *m); /* who waits for nothing any more is told so now */
/* result.c: a server's answer into the worker's buffer. */
void mcp_put_answer(struct mcp_request *r, const struct connect_answer *a);
int mcp_put_error(struct mcp_request *r, const struct connect_answer *a); /* the HTTP status */
bool mcp_told_to_model(enum err e); /* as a result, so that the model learns why */
void mcp_put_refusal(struct mcp_request *r, const struct fault *f);
/* The same as members of an object, or as one, that is part of another answer. */
void mcp_put_result(struct mcp_request *r, struct json_out *o, const struct connect_answer *a);
void mcp_put_refused(struct mcp_request *r, struct json_out *o, const struct fault *f);
int64_t mcp_put_error_object(struct mcp_request *r, struct json_out *o, const struct connect_answer *a); /* its code */
/* May this session use the prompts (CALL_PROMPT) or resources (CALL_RESOURCE) of a server, on this path? lists.c */
bool mcp_server_allowed(struct mcp_request *r, enum call_kind kind, struct str server);
/* What this session may use of the catalogue, as it is listed on this path, in its order. lists.c */
enum mcp_list { MCP_TOOLS = 0, MCP_PROMPTS, MCP_RESOURCES, MCP_TEMPLATES, MCP_LISTS };
typedef void mcp_listed(void *ctx, struct str listed);
void mcp_each_listed(struct mcp_request *r, const struct catalogue *k, enum mcp_list list, mcp_listed *entry,
                     void *ctx);
/* An error's JSON-RPC code for this client: the eras differ in one. face.c */
int mcp_rpc_code(const struct mcp_request *r, enum err e);

/* The headers Mcp-Param-* of a modern tools/call against its arguments. params.c */
enum err mcp_check_params(struct mcp_request *r, struct fault *f) MUST_USE;

/* A result is written into the worker's buffer: opened, its members put, closed, answered. What a result of the modern
 * era says of itself (resultType) is there when it has been opened. */
struct json_out mcp_result_open(struct mcp_request *r);
void mcp_result_close(struct json_out *o);
/* Its "_meta"; the caller closes it. In the modern era it says who we are. handshake.c */
void mcp_meta_open(const struct mcp_request *r, struct json_out *o);
/* The end of a result of the modern era that a client may keep for a while. handshake.c */
void mcp_put_cacheable(const struct mcp_request *r, struct json_out *o);

/* What belongs to the request is given back; its exchange is still to be answered. face.c */
void mcp_release(struct mcp_request *r);
/* The answer is a stream of events from here on. event.c */
void mcp_stream_open(struct mcp_request *r);
/* The answer to a call takes long: it becomes a stream when its client has use for that. late.c */
void mcp_call_put_off(struct call *c);
/* There is a call that may take long, or a stream. late.c */
void mcp_late_watch(struct mcp_worker *m);
void mcp_late_init(struct mcp_worker *m);
void mcp_late_stop(struct mcp_worker *m);
/* May the answer be a stream? face.c */
bool mcp_accepts_stream(const struct exchange *x);
/* Answers; each releases the request. */
void mcp_answer_result(struct mcp_request *r, const char *session_id /* or NULL */); /* the result as it was closed */
void mcp_answer_accepted(struct mcp_request *r);
void mcp_answer_fault(struct mcp_request *r, const struct fault *f, int64_t retry_after_ms);
void mcp_answer_error(struct mcp_request *r, int status, const struct buf *b); /* a JSON-RPC error, written already */

/* Mcp-Session-Id: 16 random bytes, what the client can be asked, and a MAC that binds them to the lease. */
#define MCP_SESSION_ID_MAX 48
void mcp_session_make(const struct mcp_worker *m, struct str sid, unsigned can, char ret[MCP_SESSION_ID_MAX]);
bool mcp_session_check(const struct mcp_worker *m, struct str sid, struct str id, unsigned *ret_can);

#endif

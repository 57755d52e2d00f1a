/*
 * The face to servers: everything behind the gate that can carry out a tool call. One shape for each kind of server
 * (struct connect_kind; entered in the list in servers.c): MCP over Streamable HTTP and MCP over stdio now, REST and
 * SQL later.
 *
 * Ids, tokens, cursors, `_meta`, capabilities and sessions belong to one hop: nothing of the agent's message is relayed
 * but the tool's name and its canonical arguments.
 *
 * Sources: MCP 2026-07-28 basic/transports (streamable-http, stdio) and basic/versioning; MCP 2025-11-25
 * basic/lifecycle and basic/transports.
 *
 * Threads: a connect_call lives on the worker that sent it, and its events are called there. Where a server's process
 * has its home on another worker, the connector posts there and back by itself.
 */
#ifndef CONNECT_CONNECT_H
#define CONNECT_CONNECT_H

#include "base/json.h"
#include "conf/conf.h"
#include "net/loop.h"

struct connect;  /* all servers of one gateway */
struct upstream; /* one server */
struct tool;     /* connect/catalogue.h */
struct catalogue;
struct pins; /* connect/pins.h */

struct connect_answer {
    enum err err;              /* ERR_OK: the server answered the call, with a result or with an error of its own */
    const struct fault *fault; /* words for err; never NULL when err is set */
    bool sent;                 /* bytes of the call may have reached the server: with err set, the outcome is unknown */
    const struct json *doc;    /* the answer as a tape, lives until `done` returns */
    uint32_t result;           /* node of the result object in doc; 0 when the server answered with an error */
    uint32_t error;            /* node of the JSON-RPC error object in doc; 0 when it answered with a result */
    bool modern;               /* the server speaks 2026-07-28 */
    bool input;                /* the result is none yet: it says what is wanted of the client first (input_required) */
};

/* What the client at the other end can be asked in the middle of a call: of what it declared, what is carried. */
enum {
    CAN_ELICIT = 1,
    CAN_ELICIT_URL = 2,
    CAN_SAMPLE = 4,
    CAN_SAMPLE_TOOLS = 8,
    CAN_SAMPLE_CONTEXT = 16,
    CAN_ROOTS = 32,
    CAN_ROOTS_CHANGES = 64, /* and says when they are others; legacy clients and servers only */
    CAN_ALL = 127
};
unsigned connect_can_read(const struct json *doc, uint32_t capabilities /* an object as clients declare it */);
void connect_can_write(struct buf *b, unsigned can);
/* May a client that can do this be asked that? */
bool connect_can_answer(unsigned can, const struct json *doc, struct str method, uint32_t params);

/* A request of a legacy server's in the middle of a call. */
struct connect_question {
    unsigned number;           /* of this call's, from 1 on */
    struct str id;             /* the server's own; for the connector only */
    struct str method, params; /* params: a JSON object, or STR_NONE */
};

struct connect_call;
struct connect_events {
    /* The server reports progress (notifications/progress for this call): the raw numbers, message may be STR_NONE. */
    void (*progress)(struct connect_call *c, struct str progress, struct str total, struct str message);
    /* The server writes to its client's log during this call: the params of notifications/message, raw. */
    void (*said)(struct connect_call *c, struct str params);
    /* The server put the rest off: it closed the stream of the call, and is asked for what came after it in a while. */
    void (*put_off)(struct connect_call *c);
    /* The server asks something that the client can answer, and waits for connect_reply. False: it is refused. */
    bool (*asked)(struct connect_call *c, const struct connect_question *q);
    /* It does not wait for the answer any more. */
    void (*withdrawn)(struct connect_call *c, const struct connect_question *q);
    /* Exactly once, last; the connector has forgotten the call by then. */
    void (*done)(struct connect_call *c, const struct connect_answer *a);
};

struct connect_call {
    /* the caller's; strings live until `done` */
    const struct connect_events *events;
    struct worker *worker;
    struct upstream *upstream;   /* whom it goes to */
    const char *method;          /* "tools/call", "resources/read", "prompts/get", "completion/complete" */
    const struct tool *tool;     /* of tools/call; NULL otherwise */
    struct catalogue *catalogue; /* the one that holds the server and the tool */
    struct str agent,
        session;       /* ids; which of them a child or an upstream session serves is the server's `isolation` */
    struct str client; /* which of the session's clients it is from; empty: one that keeps no protocol session */
    unsigned can;      /* what that can be asked (CAN_…): declared to the server */
    struct str name;   /* what is asked for, as the server knows it: tool, prompt, URI; STR_NONE: nothing of its own */
    struct str arguments; /* canonical JSON object: of a tool its arguments, otherwise all params */
    /* Of a call that is sent again with what a modern server wanted, JSON: its inputResponses (an object) and its
     * requestState (a string). STR_NONE: none. */
    struct str responses, state;
    /* W3C trace context of the next hop, never empty: "00-<trace id>-<span id>-<flags>", and what came with it. Sent as
     * headers and in `_meta`. Its span id (16 hex digits, unique to this call) is the JSON-RPC id of the request over
     * HTTP, as a string, so that a server's log and our record can be laid side by side. */
    struct str traceparent, tracestate;
    bool wants_progress;
    const char *log_level; /* the least that the server should write; NULL: nobody asked for anything */
    unsigned timeout_ms; /* for the whole call, unless the server has its own; progress prolongs it, at most tenfold */
    /* the connector's */
    void *wire;
    bool relayed;            /* by way of worker 0 */
    struct worker_mail late; /* of a failure that is told with the next turn of the loop */
    struct fault late_fault;
};

enum upstream_state { UPSTREAM_DOWN = 0, UPSTREAM_CONNECTING, UPSTREAM_UP };

struct upstream_info { /* for lists */
    char name[64], kind[8] /* "http", "stdio" */, protocol[16] /* "2026-07-28", "2025-11-25", "" unknown */;
    enum upstream_state state;
    unsigned tools, withheld /* of these */, children;
    char fault[320]; /* why it is down */
};

/* Builds upstreams from the configuration; starts nothing. workers[0] is the home of probes and stdio children. */
enum err connect_new(struct conf *conf, struct pins *pins, struct worker *workers, unsigned worker_count,
                     struct connect **ret, struct fault *f) MUST_USE;
/* On worker 0's thread (or before it runs): probes every server, lists its tools, keeps the catalogue true from then
 * on. settled is called once on worker 0 when every server has been tried once (up or down). */
void connect_start(struct connect *c, void (*settled)(void *ctx), void *ctx);
/* On worker 0's thread: servers that are new, gone or changed in the configuration are started, closed, restarted. */
void connect_reload(struct connect *c, struct conf *conf);
/* Who is told of what changes behind the gate. Before connect_start. */
struct connect_watch {
    void (*changed)(void *ctx); /* the catalogue is another one. Any thread, under the connector's lock: only post */
    /* Worker 0: what a server says while no call is there to carry it, and to whom it said it: the isolation key,
     * "agent:…", "session:…", "gateway". params: of notifications/message, raw. */
    void (*said)(void *ctx, struct str server, struct str key, struct str params);
    void (*updated)(void *ctx, struct str server, struct str key, struct str uri);
    /* What a client was asked to open at a URL is over: the elicitation's id, as the server gave it out. */
    void (*completed)(void *ctx, struct str server, struct str key, struct str id);
    void *ctx;
};
void connect_watch(struct connect *c, const struct connect_watch *w);
bool connect_has_server(const struct connect *c, struct str server); /* configured, up or not; any thread */
bool connect_server_up(const struct connect *c, struct str server);
size_t connect_list(struct connect *c, struct upstream_info *ret, size_t max); /* any thread */
/* Blocks (a pool thread): the definition with this hash, which a server offers now and which is withheld, is pinned and
 * its tool served. ERR_NOT_FOUND; ERR_CONFLICT: it is another one by now, or served already. */
enum err connect_accept(struct connect *c, struct str id, struct str hash, struct str by, char ret_before[65],
                        struct fault *f) MUST_USE;

/* Levels of a log (RFC 5424): "debug" is 0, "emergency" 7; -1 and NULL: none. */
int connect_level(struct str name);
const char *connect_level_name(int level);

/* Any worker, on its own thread. `done` is never called from inside connect_send. */
void connect_send(struct connect *c, struct connect_call *call);
/* Tells the server as its protocol wants it (notifications/cancelled, closed stream) and calls `done` with
 * ERR_CANCELLED before it returns; a call that has failed already is told so with the next turn of the loop instead. */
void connect_cancel(struct connect_call *call);
/* The client's answer to a question: a result, or an error object. What is not asked (any more) is nothing. */
void connect_reply(struct connect_call *c, unsigned number, bool error, struct str value);
/* A call whose server has asked something is put aside, under a number of the caller's, until it is taken up: the
 * connector forgets c, no event follows. Belongs to the connector until one of the two is called, once, on worker 0. */
struct connect_parked {
    void (*taken)(struct connect_parked *p);
    /* Nobody took it up in time, or its session ended, or the gateway stops: the server was told, as for a
     * cancellation, unless it had answered meanwhile. */
    void (*abandoned)(struct connect_parked *p, const struct connect_answer *a);
};
void connect_park(struct connect_call *c, uint64_t ticket, unsigned ms, struct connect_parked *p);
/* Instead of connect_send: goes on with a call that was put aside, from whichever worker; c->responses answers its
 * questions by their names (connect_question_name), and those that stay open are asked again. ERR_REQUEST_STATE: there
 * is none. */
void connect_resume(struct connect *c, struct connect_call *call, uint64_t ticket);
void connect_question_name(unsigned number, char ret[24]);

/* A client wants to hear of a resource, or no more: once more or less for what it is counted by, the server that
 * `agent` and `session` are served by. What the server says comes to connect_watch.updated. Any thread. */
void connect_subscribe(struct connect *c, struct str server, struct str agent, struct str session, struct str uri,
                       bool on);
/* The roots of a client of this session are others now: the servers that were told of them learn it. Any thread. */
void connect_roots_changed(struct connect *c, struct str agent, struct str session);
/* A session is over, or an agent has none left (session empty): children and upstream sessions that served it alone are
 * closed. Any thread. */
void connect_forget(struct connect *c, struct str agent, struct str session);
/* An operator stopped a session, an agent (session empty), or everybody (both empty); of a session the agent is named
 * as well. Worker 0's thread, after every worker has given up their calls (gate_kill): what is left of them at servers
 * ends, and `quiet` follows when nothing is, maybe before this returns. */
struct connect_kill {
    struct str agent, session;
    bool alone; /* the session was the last one of its agent */
    void (*quiet)(struct connect_kill *k);
    unsigned parked; /* calls that were put aside, and are given up here */
    /* the connector's */
    struct connect_kill *next;
    uint64_t notices;
};
void connect_kill(struct connect *c, struct connect_kill *k);
/* Worker 0's thread: cancels everything, stops all children (stdin closed, SIGTERM, SIGKILL), then `closed`. */
void connect_close(struct connect *c, void (*closed)(void *ctx), void *ctx);
void connect_free(struct connect *c);

#endif

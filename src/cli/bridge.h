/*
 * doorward bridge: an MCP server over stdio to the client that starts it, and a client of the gateway over Streamable
 * HTTP (MCP 2026-07-28 and 2025-11-25 basic/transports). Messages pass through unchanged; what the bridge adds is what
 * such a client cannot do: a credential from the agent's key, renewed before it ends, and a protocol session that
 * outlives it.
 *
 *   bridge.c          the command: the loop, its start and its end
 *   bridge_in.c       a line of the client -> a call
 *   bridge_call.c     a call: one HTTP request and its answer
 *   bridge_answer.c   a message of the gateway -> a line to the client, and what is to be learnt from it
 *   bridge_session.c  credentials and what must be said again in a new session
 *   bridge_errand.c   a thread for what blocks: the token endpoint
 *   bridge_tools.c    arguments that a tool wants mirrored into headers
 *
 * Everything but the errands runs on one thread. Standard output carries messages, standard error words for people.
 */
#ifndef CLI_BRIDGE_H
#define CLI_BRIDGE_H

#include <curl/curl.h>
#include <pthread.h>

#include "cli/cli.h"
#include "mcp/rpc.h"
#include "net/lines.h"
#include "net/sse.h"

enum {
    BRIDGE_LINE = 16 << 20,    /* of the client */
    BRIDGE_MESSAGE = 64 << 20, /* of the gateway */
    BRIDGE_HELD = 64 << 20,    /* lines of the client whose answers are awaited */
    BRIDGE_CALLS = 1024,       /* of them */
    BRIDGE_OUT = 4 << 20,      /* a client that does not read: the gateway waits too */
    BRIDGE_DEPTH = 128,
    BRIDGE_ARENA = 512 << 20,
    BRIDGE_ID = 512,
    BRIDGE_QUESTIONS = 64,
    BRIDGE_SUBSCRIPTIONS = 64,
    BRIDGE_AGAIN_MS = 500, /* until something is tried again, doubled up to … */
    BRIDGE_AGAIN_MAX_MS = 15000
};

#define BRIDGE_META "io.modelcontextprotocol/"

/* A credential and, for a client of the legacy era, the protocol session that was made with it. */
struct bridge_session {
    struct bridge_session *next;
    struct secret *token;
    int64_t due, ends;  /* when it is to be renewed, when it is over; bridge_now() */
    char id[BRIDGE_ID]; /* Mcp-Session-Id; empty: none */
    unsigned calls;     /* under way in it */
    bool over;          /* the gateway knows it no more: there is nothing to give back */
};

enum bridge_kind {
    BRIDGE_REQUEST,      /* of the client: it waits for an answer */
    BRIDGE_NOTIFICATION, /* of the client */
    BRIDGE_REPLY,        /* the client's answer to a question of the gateway's */
    BRIDGE_STREAM,       /* GET: what the gateway says by itself */
    BRIDGE_GOODBYE       /* DELETE */
};

struct bridge_call {
    struct bridge_call *next, **link;
    struct bridge *bridge;
    enum bridge_kind kind;
    bool modern, listen;
    bool own;           /* the client knows nothing of it */
    struct arena arena; /* of the line and what was read of it */
    struct str line;    /* the body */
    struct json doc;
    struct rpc rpc;
    struct bridge_session *session; /* counted; NULL: it waits */
    int64_t again_at;               /* not before; 0: at once */
    unsigned failures;
    CURL *easy;
    struct curl_slist *headers;
    /* the answer */
    long status;
    bool headed, stream, json, paused;
    bool answered, retried;
    bool opened, reopened; /* a subscription has been acknowledged; it was opened a second time */
    struct buf body;
    struct sse sse;
    struct fault fault;
    /* of our own: what comes behind it. ok: it was answered with a result, or taken */
    void (*then)(struct bridge_call *call, bool ok);
};

struct bridge_question { /* of the gateway's, unanswered: in which session it was asked */
    struct bridge_session *session;
    char id[128];
};

struct bridge_promise { /* a requestState that is good in the session only that gave it out, which stays as long */
    struct bridge_session *session;
    uint64_t state;
};

struct bridge_kept { /* a line that a new protocol session must hear too */
    struct bridge_kept *next;
    struct str uri; /* of a subscription; empty: the level of the log */
    struct buf line;
};

struct bridge_errand {
    struct bridge_errand *next;
    bool login, gives_back;
    struct secret *token; /* to be given back; of a login: the one to give back when there is no room for a second */
    struct secret *fresh; /* what came of a login */
    int64_t lifetime_ms;
    enum err err;
    struct fault fault;
};

struct bridge {
    struct cli *cli;
    struct str url; /* of the endpoint */
    CURLM *multi;
    struct lines lines;
    bool skipping; /* the rest of a line that was too long */
    struct buf out;
    size_t out_at;
    struct arena scratch; /* of the message being read */
    struct bridge_call *calls;
    size_t count, held;
    bool eof, ending, torn; /* torn: nobody reads what we say */
    char told[320];         /* the last trouble that was told; empty: all is well */
    /* sessions */
    struct bridge_session *sessions; /* all */
    struct bridge_session *current, *coming;
    bool logging_in, served; /* served: there has been one */
    int64_t login_at;        /* not before */
    unsigned failures;
    struct bridge_question question[BRIDGE_QUESTIONS];
    size_t question_at;
    struct bridge_promise promise[BRIDGE_QUESTIONS];
    size_t promise_at;
    /* of a legacy client */
    bool legacy, met; /* it speaks so; its initialize was answered */
    bool deaf;        /* the gateway has no stream for it */
    bool tells[3];    /* what the gateway declared to tell changes of: tools, prompts, resources */
    char version[32]; /* the revision agreed on */
    struct buf initialize, initialized;
    struct bridge_kept *kept;
    size_t kept_count;
    int64_t settles; /* until when the client's calls may wait for what comes first in a new session; 0: they do not */
    struct bridge_call *stream;
    int64_t stream_at; /* when it is opened again; 0: not */
    unsigned stream_failures;
    /* tools with mirrored arguments */
    struct arena tools_arena;
    struct bridge_tool *tools;
    size_t tools_bytes;
    /* errands */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct bridge_errand *todo, *done;
    bool errands_end, errand_running;
    struct cli *errand_cli;
};

int64_t bridge_now(void); /* milliseconds of a clock that only goes on */
/* Words for people, once for each trouble; bridge_well: it is over. */
void bridge_tell(struct bridge *b, const struct fault *f);
void bridge_well(struct bridge *b);

/* ---- bridge_in.c ---- */

void bridge_read(struct bridge *b, struct str bytes);

/* ---- bridge_call.c ---- */

/* line: a message, copied; empty for those without a body. NULL: no memory. */
struct bridge_call *bridge_call_new(struct bridge *b, enum bridge_kind kind, struct str line);
void bridge_call_free(struct bridge_call *call);
/* In this session, or as soon as there is one. */
void bridge_call_start(struct bridge_call *call, struct bridge_session *s);
/* Back to those that wait for a session; not before `ms` from now. */
void bridge_call_wait(struct bridge_call *call, int64_t ms);
void bridge_call_over(struct bridge_call *call, CURLcode code);
/* What stands between the client and its answer: an error to it, and words for people. */
void bridge_call_fail(struct bridge_call *call, const struct fault *f);
/* Every transfer that was held back because of a full bridge->out goes on. */
void bridge_calls_resume(struct bridge *b);

/* ---- bridge_answer.c ---- */

void bridge_out(struct bridge *b, struct str message);
void bridge_out_error(struct bridge *b, struct str id, const struct fault *f);
/* A message of the gateway's that came for this call. */
void bridge_said(struct bridge_call *call, struct str text);
/* Lists may have changed while nobody listened. */
void bridge_changed(struct bridge *b);

/* ---- bridge_session.c ---- */

/* Can calls be made now? If not, what is needed for that has been begun. */
bool bridge_ready(struct bridge *b);
void bridge_sessions_tick(struct bridge *b);
int64_t bridge_patience(const struct bridge *b); /* milliseconds until the next of it */
/* No new call in this one; it is given back with its last, unless `over`. */
void bridge_session_over(struct bridge *b, struct bridge_session *s);
void bridge_session_unused(struct bridge *b, struct bridge_session *s); /* a call of it has ended */
/* An answer wants input first: the call will be made again in this session. */
void bridge_promised(struct bridge *b, struct bridge_session *s, struct str state);
void bridge_logged_in(struct bridge *b, struct bridge_errand *e);
/* What a legacy client said that a new session must hear too. */
void bridge_keep(struct bridge *b, struct bridge_call *call);
/* Opens the stream of a legacy client. */
void bridge_listen(struct bridge *b);
void bridge_stream_over(struct bridge_call *call);
/* All calls too. */
void bridge_sessions_free(struct bridge *b);
int64_t bridge_again(unsigned failures);

/* ---- bridge_errand.c ---- */

enum err bridge_errands_start(struct bridge *b, struct fault *f) MUST_USE;
/* Takes e over; done ones come back to bridge_errands_done's caller. */
void bridge_errand_send(struct bridge *b, struct bridge_errand *e);
struct bridge_errand *bridge_errands_done(struct bridge *b);
void bridge_errand_free(struct bridge_errand *e);
/* All that is to be done, within that time. False: not all of it was. */
bool bridge_errands_finish(struct bridge *b, int64_t ms);

/* ---- bridge_tools.c ---- */

/* From the answer to a tools/list of the modern era. */
void bridge_tools_learn(struct bridge *b, const struct json *doc, uint32_t result, bool first_page);
/* Appends the Mcp-Param-… headers of a tools/call. False: no memory. */
bool bridge_tools_mirror(struct bridge_call *call, struct str name, uint32_t arguments) MUST_USE;
bool bridge_header(struct bridge_call *call, const char *name, struct str value) MUST_USE;

#endif

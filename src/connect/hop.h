/*
 * One message to a server over HTTP and its answer, and what the files of that kind share: hop.c (messages), http.c
 * (probes, calls), http_session.c, log.c, resume.c and ear.c (what a server says by itself). Not for others.
 */
#ifndef CONNECT_HOP_H
#define CONNECT_HOP_H

#include "connect/inner.h"
#include "net/sse.h"

enum {
    HTTP_HEADERS = 48,
    HTTP_SESSION_MAX = 512,
    HTTP_DRAIN_MS = 1000,
    HTTP_PROBE_MS = 10000,
    HTTP_FREE_HOPS = 256,
    HTTP_ARENA = 256 << 20,
    HTTP_SESSIONS = 4096,
    HTTP_ERROR_BYTES = 65536
};

struct http_session { /* of a legacy server, for one isolation key; worker 0's */
    struct http_session *next;
    struct upstream *upstream;
    char key[CONNECT_KEY_MAX], id[HTTP_SESSION_MAX];
    unsigned can; /* what its clients can be asked (CAN_…), as it was declared */
    bool ready, over;
    bool owed;           /* over, and to be given back to its server with its last call */
    struct hop *waiting; /* calls that wait for it, linked through next_free */
    unsigned users;
    bool roots_changed; /* what it was told of them does not hold; it hears of it with its next call */
    /* log.c: what the server writes to its log comes on a stream of the session */
    bool leveled, deaf; /* it was told the least level; it has no such stream */
    const char *level;
    struct hop *stream;
};

struct hop {
    struct flight flight; /* first; flight.call NULL: a message of our own */
    struct hop *next_free;
    struct connect_worker *worker;
    struct upstream *upstream; /* a reference */
    struct client_call http;
    struct http_header header[HTTP_HEADERS];
    struct buf request, body;
    struct sse sse;
    struct arena arena, scratch; /* of header values; of the message being read */
    struct json doc;
    struct str id; /* of the request; empty: a notification */
    int status;
    bool active, stream, json, answered;
    char got_session[HTTP_SESSION_MAX];
    struct http_session *session; /* of a legacy call */
    bool retried;
    struct resume *resume; /* its stream ended; it waits to ask for the rest (resume.c) */
    bool resumed;          /* it has been so: what is sent now is not the call itself */
    /* told once: the answer, or why there is none. m NULL: no JSON-RPC answer (a notification was taken: e == ERR_OK)
     */
    void (*told)(struct hop *h, enum err e, const char *why, const struct wire_message *m);
    void *ctx;
    void (*opened)(struct hop *h); /* the head of the answer has come, with success; may be NULL */
    /* of a notification that a call is cancelled, on worker 0 (kill.c) */
    uint64_t notice;
    struct hop *notice_next, **notice_link;
    /* each message that is not about a call; NULL: nobody listens */
    void (*heard)(struct hop *h, const struct wire_message *m);
};

struct http_inner {
    struct http_url url;
    struct client_origin **origin; /* for each worker, made on its thread */
    struct http_session *sessions;
    struct ear *ear; /* NULL: nobody listens */
};

static inline struct http_inner *http_inner(const struct upstream *u)
{
    return u->inner;
}

struct hop *hop_new(struct connect_worker *w, struct upstream *u); /* NULL: no memory */
void hop_free(struct hop *h);
void hop_header(struct hop *h, const char *name, struct str value);
/* The stream of a call is over without its answer. True: it will be asked for the rest. resume.c */
bool hop_resume(struct hop *h, enum err e);
void hop_resume_stop(struct hop *h);
void hop_headers(struct hop *h, const struct wire_request *r, const char *session);
/* h->request is written and the headers are set. The answer comes through `told`, never from inside; then the hop is
 * freed. */
void hop_send(struct hop *h, const char *method, unsigned timeout_ms);
/* It says that a call is cancelled: a kill waits until the server has taken it. kill.c */
void kill_notice(struct hop *h);
/* A message that needs no answer, or a DELETE. */
void http_notify(struct connect_worker *w, struct upstream *u, const char *method, struct str message,
                 const struct wire_request *r, const char *session);
/* Where this worker sends what is for the server. NULL: f says why. */
struct client_origin *http_origin(struct connect_worker *w, struct upstream *u, struct fault *f);
/* Arguments that the server wants mirrored into headers. */
void hop_params(struct hop *h, const struct tool *t, struct str arguments);

/* http.c: a call is sent (in a protocol session, or with NULL to a modern server), and what came of it. */
void http_call_send(struct hop *h, const char *session, struct str version);
void http_call_told(struct hop *h, enum err e, const char *why, const struct wire_message *m);

/* http_session.c: the call is sent in the session that is its own, which is opened first if need be; and once more,
 * when the server has forgotten that session. */
void http_session_use(struct hop *h);
void http_session_lost(struct hop *h);
void http_session_left(struct http_session *s); /* a user less */
void http_session_delete(struct upstream *u, const char *session);
void http_sessions_sweep(struct upstream *u);
void http_sessions_retire(struct upstream *u);
void http_forget(struct upstream *u, struct str key);
void http_reply(struct flight *f, struct str id, bool error, struct str value);
void http_tell_roots(struct http_session *s);
void http_roots_changed(struct upstream *u, struct str key);
/* The revision that a legacy server agreed to. */
struct str http_version(struct upstream *u, char ret[16]);

/* Ends what a session holds open by itself. */
void http_session_over(struct http_session *s);

/* log.c: does a call want more of the session's log than was asked for? Then it is asked for, calls wait for that, and
 * http_session_leveled follows. False: nothing to do. */
bool http_log_level(struct http_session *s, const char *level);
void http_session_leveled(struct http_session *s);
/* log.c: where clients can be asked something, the session's stream is opened before its calls go on: servers may ask
 * there. As http_log_level. */
bool http_session_listen(struct http_session *s);
/* A request of a legacy server's, in its session. h: on the stream of that call; NULL: on the session's own.
 * http_session.c */
void http_session_asked(struct connect_worker *w, struct http_session *s, struct hop *h, const struct json *doc,
                        const struct wire_message *m);
/* It does not wait for one of its questions any more. http_session.c */
void http_session_withdrawn(struct http_session *s, const struct wire_message *m);
/* A line of the log on a session's stream, for the calls that are with it. Its call is not named: with calls of several
 * sessions in work it is nobody's. */
void http_log_said(struct http_session *s, struct str params);

/* What a server says by itself: listened to from when it is up until it is stopped. Worker 0. ear.c */
void ear_open(struct upstream *u);
void ear_close(struct upstream *u);
void ear_subscribe(struct upstream *u, struct str key, struct str uri, bool on);

#endif

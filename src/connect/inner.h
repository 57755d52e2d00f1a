/* What the files of this room share. Not for others. */
#ifndef CONNECT_INNER_H
#define CONNECT_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "connect/catalogue.h"
#include "connect/pins.h"
#include "net/client.h"

#define WIRE_MODERN "2026-07-28"
#define WIRE_LEGACY "2025-11-25"

enum wire_era { WIRE_UNKNOWN = 0, WIRE_ERA_LEGACY, WIRE_ERA_MODERN };
enum { CONNECT_TICK_MS = 100, CONNECT_KEY_MAX = 160, CONNECT_RESULT_DEPTH = 128 };

/* The tools of one server as it listed them, shared by catalogues. Immutable once built but for `pin`, which changes
 * under connect->lock: catalogues hold copies. */
struct tool_set {
    struct arena arena;
    struct upstream *upstream; /* a reference */
    struct tool *tool;
    size_t count, room;
    struct offer_array {
        struct offer *offer;
        size_t count, room;
    } offers[OFFER_KINDS];
    unsigned can; /* SERVER_… */
    _Atomic unsigned refs;
};

struct upstream {
    const struct connect_kind *kind;
    struct connect *connect;
    struct conf *conf; /* a reference; `server` lies in it */
    const struct conf_server *server;
    struct upstream *next;
    _Atomic unsigned refs;
    _Atomic unsigned timeout_ms; /* a reload changes it without disturbing the server */
    /* under connect->lock */
    enum upstream_state state;
    struct fault fault;
    struct tool_set *tools; /* NULL: down */
    char protocol[16];
    /* written on worker 0 while probing, read by senders */
    _Atomic int era; /* enum wire_era */
    _Atomic unsigned children;
    /* worker 0's */
    uv_timer_t timer; /* of the next probe */
    unsigned failures;
    bool probing, tried, stopping, timer_closed;
    bool again;       /* it changed while it was probed */
    struct {          /* what was found out about its era, as long as it is up (probe.c) */
        bool legacy;  /* asked with `initialize` right away */
        uint64_t who; /* which server that was */
    } verdict;
    unsigned quick;                     /* probes that a change asked for, since quick_since */
    uint64_t quick_since;               /* of the loop's clock */
    bool pinning;                       /* the end of a probe waits for a pool thread */
    int64_t pin;                        /* enum conf_pin; a reload changes it without disturbing the server */
    struct subscription *subscriptions; /* of our clients */
    void *inner;                        /* the kind's */
};

/* Resources of which a server is to tell: once for each isolation key; worker 0's. subscribe.c */
struct subscription {
    struct subscription *next;
    unsigned count;
    struct str key, uri;
    char bytes[];
};

/* A call that is with a server. The kind embeds it at the start of what it keeps for a call. */
struct wire_message;
struct flight {
    struct connect_call *call;
    struct upstream *upstream; /* a reference */
    struct connect_worker *worker;
    struct flight *next, **link;
    uint64_t deadline, latest; /* of the loop's clock */
    unsigned timeout_ms;
    unsigned asked; /* questions that wait for the client: the server's time stands still */
    uint64_t asked_at;
};

struct connect_worker { /* one for each worker, touched on its thread */
    struct connect *connect;
    struct worker *worker;
    struct client *client;
    struct flight *flights;
    uv_timer_t tick;
    struct hop *free_hops; /* linked through `next_free` */
    unsigned free_count;
    bool closed;
};

struct connect {
    struct conf *conf;
    struct pins *pins;
    struct worker *workers;
    unsigned worker_count;
    struct connect_worker *local;
    pthread_rwlock_t lock;
    struct upstream *upstreams; /* sorted by name */
    struct upstream *leaving;   /* gone from the configuration, stopping; worker 0's */
    struct catalogue *catalogue;
    uint64_t version;
    void (*settled)(void *ctx);
    void *settled_ctx;
    struct connect_watch watch;
    struct relay *asking, *parked; /* calls with open questions; those that were put aside. Worker 0's */
    struct connect_kill *kills;    /* that wait until servers are quiet; worker 0's, as all of kill.c */
    struct hop *notices;           /* notifications of a cancelled call that are on their way */
    uint64_t notice;               /* the number of the last one */
    _Atomic bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    _Atomic unsigned open_workers;
    uv_timer_t close_timer;
};

/* One kind of server. All but send and cancel on worker 0. To add one: a file, and a line in servers.c. */
struct connect_kind {
    const char *name;
    bool (*is)(const struct conf_server *s);
    enum err (*open)(struct upstream *u, struct fault *f);
    void (*probe)(struct upstream *u);            /* ends with upstream_up or upstream_down, later */
    bool (*everywhere)(const struct upstream *u); /* may be sent from any worker; otherwise on worker 0 only */
    void (*send)(struct connect_worker *w, struct connect_call *c);
    void (*cancel)(struct flight *f);                   /* tells the server and forgets the flight; no event follows */
    void (*forget)(struct upstream *u, struct str key); /* isolation key that is over */
    void (*stop)(struct upstream *u);
    bool (*stopped)(const struct upstream *u);
    void (*free)(struct upstream *u);
    void (*up)(struct upstream *u); /* it was probed and is up: what listens to it is opened. NULL: nothing to do */
    /* A subscription has come or gone; the server learns it now or when it is reached next. */
    void (*subscribe)(struct upstream *u, struct str key, struct str uri, bool on);
    void (*reply)(struct flight *f, struct str id, bool error, struct str value); /* to a question of the server's */
    /* Of the clients that are served with this key, some have other roots than before. */
    void (*roots_changed)(struct upstream *u, struct str key);
    /* What serves nobody else ends at once; is something of that not over yet? NULL: nothing serves anybody alone. */
    void (*kill)(struct upstream *u, const struct connect_kill *k);
    bool (*dying)(const struct upstream *u);
    bool one_ear; /* subscriptions are the gateway's own, whomever they are for: they have the key "" */
};
extern const struct connect_kind connect_http, connect_stdio;

struct upstream *connect_find(const struct connect *c, struct str name); /* worker 0, or under the lock; NULL: none */
/* servers.c: one from the configuration, into the list, and out of it: it is forgotten when its children are gone. */
enum err upstream_new(struct connect *c, struct conf *conf, const struct conf_server *s, struct upstream **ret,
                      struct fault *f) MUST_USE;
void connect_insert(struct connect *c, struct upstream *u);
void upstream_leave(struct upstream *u);
/* Has every server been tried once? Then that is told, once. */
void connect_settle(struct connect *c);
struct upstream *upstream_ref(struct upstream *u);
void upstream_unref(struct upstream *u);
void upstream_probe(struct upstream *u); /* now */
void upstream_look(struct upstream *u);  /* with the next turn of the loop */
/* The end of a probe. `set` is taken over. */
void upstream_up(struct upstream *u, enum wire_era era, struct str version, struct tool_set *set);
void upstream_down(struct upstream *u, const struct fault *f);
/* The second half of upstream_up: judges the set and puts it in force. */
void upstream_publish(struct upstream *u, enum wire_era era, struct str version, struct tool_set *set);
/* A server that was up failed in a way that only a new probe can judge. Any worker. */
void upstream_doubt(struct upstream *u);
/* It answered a call as only a server of the other era does: it is asked soon, afresh. Any worker. */
void upstream_era_doubt(struct upstream *u);
/* An error that only servers of the modern era know: a request of ours was refused unseen. */
bool wire_error_modern(const struct json *doc, uint32_t error);
/* The server says that a list of its changed: it is asked again soon. Worker 0. */
void upstream_changed(struct upstream *u);
/* What it says while no call is there to carry it, to whom. Worker 0. */
void upstream_said(struct upstream *u, struct str key, struct str params);
void upstream_updated(struct upstream *u, struct str key, struct str uri);
void upstream_completed(struct upstream *u, struct str key, struct str id);
unsigned upstream_timeout(const struct upstream *u);
/* Whom a process or a protocol session of this server serves: "agent:…", "session:…", "gateway". */
struct str upstream_key(const struct upstream *u, struct str agent, struct str session, char ret[CONNECT_KEY_MAX]);

struct tool_set *tool_set_new(struct upstream *u);
/* One definition; one that cannot be used is left out, with a line in the log. ERR_NOMEM, ERR_LIMIT. */
enum err tool_set_add(struct tool_set *s, const struct json *doc, uint32_t node, struct fault *f) MUST_USE;
/* One entry of another list, the same way. */
enum err tool_set_offer(struct tool_set *s, enum offer_kind kind, const struct json *doc, uint32_t node,
                        struct fault *f) MUST_USE;
const char *offer_list(enum offer_kind kind); /* the member of the answer that holds the list */
bool offer_template_fits(struct str template, struct str uri);
bool tool_icons_valid(const struct json *doc, uint32_t node);
struct tool_set *tool_set_ref(struct tool_set *s);
void tool_set_unref(struct tool_set *s);
/* A snapshot of the sets of all servers that are up. NULL: no memory. */
struct catalogue *catalogue_build(struct tool_set **sets, size_t count, uint64_t version);
/* The catalogue of now: with connect->lock held for writing. */
void connect_rebuild(struct connect *c);

/* Enters a call among those with a deadline. */
void flight_begin(struct flight *f, struct connect_worker *w, struct connect_call *c);
void flight_said(struct flight *f, struct str params);
void flight_put_off(struct flight *f);
/* A request of a legacy server's during this call. False: it is refused. input.c */
bool flight_asked(struct flight *f, const struct json *doc, const struct wire_message *m);
void flight_replied(struct flight *f);
/* The server does not wait for one of its questions any more; of this call's or not. */
void flight_withdrawn(struct flight *f, const struct wire_message *m);
/* What kind of result is it? *ret_input: one that wants input first, of kinds that the call's client offers.
 * ERR_UPSTREAM_GARBAGE. input.c */
enum err input_judge(const struct connect_call *c, const struct json *doc, uint32_t result, struct arena *a,
                     bool *ret_input, struct fault *f) MUST_USE;
void flight_progress(struct flight *f, struct str progress, struct str total, struct str message);
/* Leaves the list and tells the caller; the flight's memory is the kind's again. */
void flight_done(struct flight *f, const struct connect_answer *a);
void flight_fail(struct flight *f, enum err e, const char *why, bool sent);
/* Leaves the list without a word to the caller. */
void flight_forget(struct flight *f);

void http_hops_free(struct connect_worker *w);

/* Calls of a worker that must be sent from worker 0. */
void relay_send(struct connect_worker *from, struct connect_call *c);
void relay_cancel(struct connect_call *c);
/* Calls that were put aside (park.c): their time, and their ends. Worker 0. */
void park_sweep(struct connect *c);
void park_forget(struct connect *c, struct str session);
void park_close(struct connect *c);
unsigned park_kill(struct connect *c, const struct connect_kill *k); /* how many there were */
/* Is somebody quiet now? kill.c */
void kill_look(struct connect *c);
/* `done` with the next turn of the loop. */
void connect_fail_later(struct connect_call *c, enum err e, const char *why);

/* ---- the protocol (wire.c): messages of both eras ---- */

struct wire_request {
    enum wire_era era;
    struct str version; /* of a legacy server */
    const char *method;
    struct str id;        /* sent as a string */
    struct str name;      /* of what is asked for; STR_NONE: nothing */
    struct str arguments; /* of a tool; STR_NONE: the request is none of a tool */
    struct str params;    /* a JSON object whose members are sent as they are; or STR_NONE */
    struct str traceparent, tracestate;
    struct str cursor;           /* of lists */
    bool progress;               /* the id is the progress token */
    const char *log_level;       /* NULL: none */
    unsigned can;                /* the client's, of a call (CAN_…) */
    struct str responses, state; /* of a call that is sent again (struct connect_call) */
};
void wire_write(struct buf *b, const struct wire_request *r);
/* logging/setLevel, to a legacy server. */
void wire_write_level(struct buf *b, struct str id, const char *level);
/* subscriptions/listen, to a modern server: every list, and the resources that are subscribed to for this key. */
void wire_write_listen(struct buf *b, const struct upstream *u, struct str key, struct str id);
/* resources/subscribe or unsubscribe, to a legacy server. */
void wire_write_subscribe(struct buf *b, struct str uri, bool on);
void subscriptions_free(struct upstream *u);
/* What a call asks of its server; era, version and id are the kind's. */
struct wire_request wire_call(const struct connect_call *c);
void wire_write_initialized(struct buf *b);
void wire_write_roots_changed(struct buf *b); /* roots.c */
void wire_write_cancelled(struct buf *b, struct str id, const char *reason);

enum wire_kind {
    WIRE_OTHER = 0,
    WIRE_ANSWER,
    WIRE_PROGRESS,
    WIRE_ASKS,
    WIRE_CHANGED,
    WIRE_UPDATED,
    WIRE_SAID,
    WIRE_WITHDRAWN,
    WIRE_COMPLETED
};
struct wire_message {
    enum wire_kind kind;
    struct str
        id; /* WIRE_ANSWER; WIRE_ASKS, WIRE_WITHDRAWN (raw JSON); WIRE_PROGRESS: the token; a view or in the arena */
    uint32_t result, error;           /* WIRE_ANSWER: one of them */
    struct str method;                /* WIRE_ASKS */
    struct str progress, total, text; /* WIRE_PROGRESS */
    struct str uri;                   /* WIRE_UPDATED; WIRE_COMPLETED: the id of what was asked */
    uint32_t params;                  /* WIRE_SAID */
};
void wire_read(const struct json *doc, struct arena *a, struct wire_message *ret);
/* A server that asks us something learns that we do not do that; `ping` is answered. */
void wire_write_reply(struct buf *b, const struct wire_message *m);
/* What the client answered to a server's request. */
void wire_write_answer(struct buf *b, struct str id, bool error, struct str value);
bool wire_legacy_known(struct str version);

/* ---- the first talk with a server (probe.c), the same for each kind ---- */

struct probe {
    struct upstream *upstream;
    enum { PROBE_DISCOVER, PROBE_INITIALIZE, PROBE_LIST } step;
    unsigned list; /* of PROBE_LIST: which one (probe.c) */
    enum wire_era era;
    struct str version;
    char version_text[16];
    struct tool_set *set;
    unsigned pages, repeats;
    bool stale;   /* a list that was taken may have changed since */
    bool refused; /* our revision, by a server that names it as one of its own: asked once more */
    bool cached;  /* it was not asked for its era: the one before holds, until it shows that it does not */
    bool afresh;  /* the next message begins anew: with another process, in no protocol session */
    char cursor[1024], id[32];
    unsigned ids;
    /* the kind's: sends the message; the answer comes to probe_answer */
    void (*request)(struct probe *p, const struct wire_request *r);
    void (*notify)(struct probe *p, struct str message);
    void (*end)(struct probe *p); /* the probe is over; its memory is the kind's */
};
void probe_start(struct probe *p);
/* Only the lists, of a server that is known already. */
void probe_relist(struct probe *p, enum wire_era era, struct str version, unsigned can);
/* The server says that a list changed while it is asked. */
void probe_changed(struct probe *p);
/* e set: no answer (f says why). reached: the server was there, so that another revision may be tried. */
void probe_answer(struct probe *p, enum err e, const struct fault *f, bool reached, const struct json *doc,
                  const struct wire_message *m);

#endif

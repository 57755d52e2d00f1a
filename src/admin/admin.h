/*
 * The operators' API: on a listener of its own, for people and programs with a bearer token and a role. Which role a
 * route needs is a column of routes.def.
 *
 * Threads: serves on worker 0. Handlers that wait for the disk run on pool threads.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "audit/audit.h"
#include "conf/slot.h"
#include "connect/pins.h"
#include "identity/session.h"
#include "identity/token.h"
#include "net/server.h"
#include "search/search.h"
#include "sink/outside.h"
#include "sink/sink.h"

struct console;          /* console/console.h */
struct passkeys;         /* identity/passkeys.h */
struct approvals;        /* approve/approve.h */
struct approval_streams; /* admin/approvals_stream.h */
struct looks;            /* admin/looks.h */
struct people;           /* identity/people.h */
struct policy_force;     /* policy/force.h */
struct reviews;          /* admin/reviews.h */

struct admin_kill { /* of a session, whose agent is named as well; of an agent; or with both empty of everything */
    struct str agent, session;
    struct str by, reason;
};
struct admin_killed {
    size_t sessions, calls; /* that were open, or in flight */
    bool silent;            /* nothing of them is in flight any more */
    int64_t silence_ms, waited_ms;
};

struct admin {
    struct conf_slot *conf;
    struct agents *agents;
    struct stops *stops;
    struct sessions *sessions;
    struct lease_store *leases;
    struct connect *connect;
    struct pins *pins;
    struct policy_force *policies;
    struct approvals *approvals;
    struct approval_streams *approval_streams;
    struct people *people;
    struct passkeys *passkeys;
    struct console *console;
    struct looks *looks;     /* of this room: admin_people_new */
    struct reviews *reviews; /* likewise */
    struct store *store;
    struct audit *audit;
    const struct keys *keys;
    struct str issuer, resource;
    struct lease_bucket *failures; /* how many failed attempts are put on record */
    struct secret *token;          /* of data_dir/operator.token: role admin */
    struct worker *worker;
    struct indexer *indexer; /* NULL: the record is looked through without an index */
    struct notify *notify;   /* channels; NULL before the loops run */
    struct sinks *sinks;
    struct outside *outside;
    struct audit_streams *streams; /* admin_streams_new */
    unsigned exports;              /* that are on their way; worker 0's */
    int64_t started_ns;
    /* The daemon's. ready: takes calls now; f says why not. load: on a pool thread, a checked snapshot or all faults;
     * apply: puts it in force, on worker 0; by is the operator. */
    void *ctx;
    bool (*ready)(void *ctx, struct fault *f);
    enum err (*load)(void *ctx, struct conf **ret, struct buf *faults);
    void (*apply)(void *ctx, struct conf *conf, struct str by);
    void (*over)(void *ctx, struct exchange *x); /* a request is answered; may be NULL */
    /* On a pool thread: returns when there is silence, or it took too long to wait for. ERR_STORE: stopped, but it does
     * not survive a restart. */
    enum err (*kill)(void *ctx, const struct admin_kill *k, struct admin_killed *ret, struct fault *f);
};

/* Reads or makes data_dir/operator.token. */
enum err admin_token(const char *data_dir, struct secret **ret, struct fault *f) MUST_USE;
/* For the listener: x->app is the struct admin. */
extern const struct server_ops admin_server_ops;

/* What the room keeps of questions and reviews. Before the listener; after the loop. */
enum err admin_people_new(struct admin *a, struct fault *f) MUST_USE;
void admin_people_free(struct admin *a);

/* On worker 0: sessions of the console that are over are forgotten and put on record, and their streams end. Once a
 * second; and after people changed, when some of them are gone. */
void admin_sweep(struct admin *a);
void admin_people_changed(struct admin *a);

/* Streams of the record (audit_stream.h), on worker 0. Before the listener. */
enum err admin_streams_new(struct admin *a, struct fault *f) MUST_USE;
void admin_streams_reloaded(struct admin *a); /* those whose token the new configuration does not take end */
void admin_streams_stop(struct admin *a);     /* before the listener is drained: they end, and none begins */
void admin_streams_free(struct admin *a);     /* after the loop */

/* A configuration that was not taken, with its faults: lines. operator: empty for a signal. */
void admin_note_refused(struct audit *audit, struct str operator, struct str faults);
/* What an operator did, on record. details: canonical JSON or empty. */
void admin_note(struct admin *a, enum audit_event event, struct str operator, struct str agent, struct str details);

#endif

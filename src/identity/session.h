/*
 * Sessions: opening a lease for an agent, and what a session may do at a moment.
 *
 * The context (user, tier, trigger) comes from a trusted side only: the operators' API. A session that an agent opens
 * with its own key has none, and nothing an agent says gives it one. Any thread.
 */
#ifndef IDENTITY_SESSION_H
#define IDENTITY_SESSION_H

#include "identity/scopes.h"
#include "identity/stops.h"
#include "store/lease.h"

struct sessions;
/* RESUMED: opened by a process before this one, and open again. */
enum session_event { SESSION_OPENED, SESSION_CLOSED, SESSION_TIMED_OUT, SESSION_LEFT, SESSION_RESUMED };
/* Told of each, on whatever thread it happened. by: the operator, or empty. */
typedef void session_told(void *ctx, enum session_event event, const struct lease *l, struct str by, struct str reason);

enum err sessions_new(struct lease_store *leases, struct conf *conf, session_told *told, void *ctx,
                      struct sessions **ret, struct fault *f) MUST_USE;
void sessions_free(struct sessions *s);
void sessions_conf(struct sessions *s, struct conf *conf); /* a reload */
/* Agents that open no sessions now. Before the first one is opened; NULL: nobody is stopped. */
void sessions_stops(struct sessions *s, struct stops *stops);

struct session_wish {
    struct scope_context context; /* trusted side only */
    struct str scopes;            /* asked for, separated by spaces; empty: all that the agent can get */
    int64_t max_calls, lifetime;  /* 0: the configuration's; may only be less */
    struct str by;                /* the operator who opens it; empty: the agent itself */
};
/* ERR_SESSIONS, ERR_INVALID_SCOPE, ERR_CLIENT_AUTH, ERR_AGENT_STOPPED, ERR_ALL_STOPPED. *ret has a reference for the
 * caller. */
enum err session_open(struct sessions *s, const struct agent *agent, const struct session_wish *w, struct lease **ret,
                      struct fault *f) MUST_USE;
/* What is needed to open this very session again after a restart, as a JSON object (session_keep.c). */
void session_keep(const struct lease *l, struct buf *out);
/* The sid of such an object, and when it was written (wall clock, ms). ERR_CORRUPT. */
enum err session_kept(struct str kept, struct arena *a, struct str *ret_sid, int64_t *ret_written,
                      struct fault *f) MUST_USE;
/* Opens it again: the same sid, scopes, calls used and end. newest: as for clock_left(). ERR_SESSION_ENDED: its time is
 * over; ERR_CORRUPT; else as session_open. *ret has a reference for the caller. */
enum err session_reopen(struct sessions *s, struct agents *agents, struct str kept, int64_t newest, struct lease **ret,
                        struct fault *f) MUST_USE;
bool session_end(struct sessions *s, struct str sid, struct str by, struct str reason);
void session_leave(struct sessions *s, struct lease *l); /* its own agent gives it back */
size_t session_end_agent(struct sessions *s, struct str agent, struct str by, struct str reason);
/* Ends, as stopped, this session, or with sid empty all of the agent's, or with both empty all that there are. A stop
 * of the agent or of everything has to be in force already (stops_put): then no session slips through. */
struct session_stopped {
    size_t sessions, parked; /* calls of theirs that were put aside */
};
void session_stop(struct sessions *s, struct str agent, struct str sid, struct str by, struct str reason,
                  struct session_stopped *ret);
void session_sweep(struct sessions *s); /* expires what is late; once a second */
void session_end_all(struct sessions *s, struct str reason);

/* May this session execute this tool now? ERR_TOOL_DENIED: the agent's denied tools; ERR_SCOPE: not among its scopes,
 * or not at this hour. f may be NULL. */
enum err session_allows(struct sessions *s, struct lease *l, struct str tool_id, int64_t now_ms,
                        struct fault *f) MUST_USE;
/* What the configuration wants of a session besides (tools: scope and bind). `argument` is the value of an argument, as
 * text, or empty. ERR_SCOPE: neither the scope is there nor one of the object that the call is about; *ret_needed is
 * the scope. */
bool session_objects_any(struct sessions *s); /* does it want anything of any tool? */
enum err session_objects(struct sessions *s, struct lease *l, struct str tool_id,
                         struct str (*argument)(void *ctx, struct str path), void *ctx, int64_t now_ms,
                         struct str *ret_needed, struct arena *a, struct fault *f) MUST_USE;
/* Has it this scope, and is it in force now? ERR_SCOPE. f may be NULL. */
enum err session_holds(struct sessions *s, struct lease *l, struct str scope, int64_t now_ms, struct fault *f) MUST_USE;

#endif

/*
 * Questions to people: may this very call be made? A question is durable in the store before anybody is asked, bound to
 * what it is about, decided once, used once, and always ends: granted, denied, out of time, or void. Silence is a no.
 *
 *   PENDING --enough people say yes--> GRANTED --a call takes it--> TAKEN --its outcome--> DONE
 *      |-- somebody says no --> DENIED          |-- nobody takes it in time --> EXPIRED
 *      |-- time is over -----> EXPIRED          |-- what it is bound to changed --> VOID
 *      '-- what it is bound to changed --> VOID
 *
 * While it is PENDING it may be escalated, once: from then on people of other groups may decide, too.
 *
 * TAKEN is durable before the call's intent is: after a crash in between, the call is not made, and never by this
 * grant.
 *
 * Bound (approval_binding): SHA-256 over agent, session, tool, canonical arguments, the tool's definition and the
 * version of the policies. A call with the same binding is the same call: it waits with the first one, or gets its
 * result; it never runs twice.
 *
 * Threads: everything from any thread; functions marked (blocks) wait for the store: pool threads only.
 */
#ifndef APPROVE_APPROVE_H
#define APPROVE_APPROVE_H

#include "audit/audit.h"
#include "base/enc.h"
#include "identity/session.h"
#include "net/loop.h"
#include "policy/duty.h"
#include "store/lease.h"
#include "store/store.h"

enum approval_state {
    APPROVAL_NONE = 0,
    APPROVAL_PENDING,
    APPROVAL_GRANTED,
    APPROVAL_TAKEN,
    APPROVAL_DONE,
    APPROVAL_DENIED,
    APPROVAL_EXPIRED,
    APPROVAL_VOID,
};
extern const char *const approval_states[]; /* "none", "pending", … */

/* What is asked. Strings are the caller's. */
struct approval_ask {
    struct lease *lease;                   /* agent, session, user, owner */
    struct str tool, definition;           /* "desk/issue_refund"; the hash of its pinned definition */
    struct str arguments, digest;          /* canonical; SHA-256, hex */
    struct str policy_version, policy_ids; /* policy_ids: a JSON array */
    enum duty_risk risk;
    struct str why;                /* a JSON array of sentences: why it is held */
    unsigned people;               /* different ones that have to say yes: 1 or 2 */
    struct str reviewers;          /* a JSON array of groups; empty: anybody with the role */
    struct str schema;             /* the tool's inputSchema, JSON: for showing the arguments; or empty */
    struct str title, description; /* of the tool: the server's words, untrusted */
    struct str reasoning;          /* the agent's words: untrusted */
    struct str trace_id;
    struct str call;     /* JSON object, the gate's: of what the call is made when its client is not there; or empty */
    bool stays;          /* it goes on without its client, after a restart, too (approvals_each_staying) */
    int64_t limit_ms;    /* until it counts as denied */
    struct str escalate; /* a JSON array of groups that may decide as well … */
    int64_t escalate_ms; /* … from then on; 0: never */
    bool seal;           /* the record seals something of the arguments */
};
void approval_binding(const struct approval_ask *ask, unsigned char ret[SHA256_BYTES]);

/* What a call hears. Embedded in what waits. */
enum { APPROVAL_BY = 160 };
struct approval_wait {
    struct worker_mail mail;
    struct worker *worker;
    void (*told)(struct approval_wait *w); /* on that thread, once, unless it left before */
    /* Before it asks: empty, or the question for which its client waited before (from its sealed state): when that one
     * is over meanwhile, `told` says how, and nothing is asked anew. When approvals_ask returns: the question's,
     * "apr_…". */
    char id[ENC_ID_MAX];
    bool asks;       /* before it asks: it waits no longer than until its question is in the store: told PENDING then */
    bool joined;     /* when approvals_ask returns: the question was there before */
    int64_t expires; /* wall clock, ms */
    /* the answer */
    enum approval_state
        state;            /* TAKEN: go on, now: to one of those that wait. DONE: it ran before, result is what came of
                           * it. Else: no. An identical call is told DENIED for approval.result_time, without asking
                           * anybody again; after EXPIRED and VOID it asks anew (unless it came with that id). */
    bool withdrawn;       /* of VOID: by its agent */
    enum err err;         /* with no: ERR_APPROVAL_DENIED, ERR_APPROVAL_EXPIRED, ERR_APPROVAL_VOID, ERR_STORE, … */
    char text[256];       /* and what the agent is told */
    char by[APPROVAL_BY]; /* of TAKEN and DONE: who said yes: "anna, ben". Of DENIED: who said no */
    /* of TAKEN: what the approver made of the arguments, canonical, and its digest; or empty: as they were asked for.
     * Nothing else may be sent than these, after they were validated and judged again. Until told returns. */
    struct str arguments, digest;
    struct str result; /* JSON, of DONE; or empty: it is not known, or was too large to keep. Until told returns */
    /* the queue's */
    struct approvals *queue;
    struct approval *on;
    struct approval_wait *next, **link;
    bool pending, left;
};

struct approvals;
/* (blocks) Loads what is pending. The start of a process, in this order: approvals_new, approvals_conf,
 * approvals_watch, approvals_resume, then the first request. Its end: approvals_close, sessions end, approvals_free. */
enum err approvals_new(struct store *store, struct audit *audit, struct approvals **ret, struct fault *f) MUST_USE;
/* No change any more: what waits now is as it is after the next start, whatever happens to its session from here on.
 * (blocks) Writes what is under way. Calls that wait are told nothing. */
void approvals_close(struct approvals *a);
void approvals_free(struct approvals *a);
void approvals_conf(struct approvals *a, const struct conf *conf); /* bounds and times; again with each reload */
/* (blocks) Once: opens the sessions again that a question of before waits in, when their agents may still open one;
 * what has lost its session, or was asked under other policies than `policy_version` (empty: any), is void. A call that
 * was under way when the process ended is done, without a result: nobody knows what came of it, and it is not made
 * again. */
enum err approvals_resume(struct approvals *a, struct sessions *sessions, struct agents *agents,
                          struct str policy_version, struct fault *f) MUST_USE;
/* Told of each question (PENDING) and of each change of one, when it is durable and handed to the record; of a yes that
 * is not enough yet, PENDING again. On the queue's own thread, which must not be kept, but may wait for the store (all
 * of approvals_card). Before approvals_resume. */
struct approval_news {
    struct str id, tool, agent;
    enum approval_state before, state; /* before: NONE, of a new question */
    enum duty_risk risk;
    int64_t created, expires; /* wall clock, ms */
    struct str reviewers;     /* a JSON array */
    unsigned people, yes;     /* how many have to say yes, and have */
    struct str escalate;      /* a JSON array: who may decide as well, later or by now … */
    int64_t escalates;        /* … from when on; 0: never */
    int64_t escalated;        /* when that was; 0: it was not yet */
    bool escalation;          /* that is what is told: PENDING before and now */
    struct str by, channel;   /* who decided; or empty */
};
enum { APPROVAL_WATCHES = 4 };
enum err approvals_watch(struct approvals *a, void (*told)(void *ctx, const struct approval_news *n), void *ctx,
                         struct fault *f) MUST_USE;
size_t approvals_pending(struct approvals *a); /* how many wait for people now */
int64_t approvals_oldest(struct approvals *a); /* when the oldest of them was asked: wall clock, ms; 0: none */

/* Asks, or joins the call that asked the same. Never blocks; `told` comes later, maybe at once. ERR_APPROVALS: too many
 * wait (limits.pending_approvals); ERR_NOMEM. w->id and w->expires are filled when it returns. */
enum err approvals_ask(struct approvals *a, const struct approval_ask *ask, struct approval_wait *w,
                       struct fault *f) MUST_USE;
/* The caller waits no longer; the question stays. False: `told` is on its way and will come. */
bool approvals_leave(struct approvals *a, struct approval_wait *w);
/* Waits with a question that is there. ERR_NOT_FOUND: it is not, or not any more. */
enum err approvals_join(struct approvals *a, struct str id, struct approval_wait *w, struct fault *f) MUST_USE;
/* How a question of this agent's session stands. False: there is none of this id, or it is of somebody else. */
struct approval_glance {
    enum approval_state state;
    int64_t created, until, ended; /* wall clock, ms; until: of PENDING and GRANTED */
    int64_t kept_ms;               /* how long its end is told, when it has ended */
};
bool approvals_glance(struct approvals *a, struct str id, const struct lease *l, struct approval_glance *ret);
/* The agent itself wants its call no more: void, if it is not being made already. False: no such question. */
bool approvals_withdraw(struct approvals *a, struct str id, const struct lease *l);
/* Those that stay without their client, with the session that they wait in. After approvals_resume. `each` may join. */
enum err approvals_each_staying(struct approvals *a, void (*each)(void *ctx, struct str id, struct lease *l), void *ctx,
                                struct fault *f) MUST_USE;
/* In `told`: what the question was about. Views, until it returns. */
struct approval_about {
    struct str tool, digest, trace_id, policy_ids; /* digest: of the arguments that were asked for */
    int64_t created, created_mono;
};
void approval_about(const struct approval_wait *w, struct approval_about *ret);
/* What came of a call that took one. result: JSON; at most APPROVAL_RESULT bytes are kept. Not known: it may have been
 * made. Known and empty: it was not made, and nothing left the house: the question is VOID, and who waits with it is
 * told so. Any thread; never blocks. */
enum { APPROVAL_RESULT = 64 << 10 };
void approvals_done(struct approvals *a, const char *id, struct str result, bool known);
/* Once a second: what is out of time. */
void approvals_sweep(struct approvals *a, int64_t now_wall_ms);
/* A session is over, an agent was stopped or changed, other policies are in force, a tool has another definition: what
 * is bound to them is void. Empty strings: any. */
void approvals_void(struct approvals *a, struct str agent, struct str session, struct str tool, const char *why);
/* Somebody was removed or disabled, or may only look: calls that he said yes to and that are not made yet are void, and
 * no more of a shape are made. */
void approvals_gone(struct approvals *a, struct str name);
/* (blocks) Until all that was said before is in the store. ERR_STORE: it is in force, and not all of it is there. Who
 * stops a session waits for this before he says that it is stopped: a restart would open it again. */
enum err approvals_settle(struct approvals *a, struct fault *f) MUST_USE;

/* ---- deciding ---- */

struct person { /* who decides: an operator of the configuration or a person of the store */
    struct str name;
    struct str groups;  /* a JSON array */
    struct str channel; /* "api", "cli", "console", "slack", … */
    struct str passkey; /* that signed the decision: its id, for the record; or empty */
    struct str email;   /* under which owners and users may be known; or empty */
};
enum approval_verdict { APPROVE_DENY = 0, APPROVE_DENY_AND_KILL, APPROVE_ONCE, APPROVE_SHAPE };
struct approval_decision {
    struct str id;
    enum approval_verdict verdict;
    struct person by;
    struct str reason;    /* with a denial the agent is told; may be empty */
    int64_t shape_ms;     /* of APPROVE_SHAPE: calls of just this binding need no question so long, in this session */
    struct str arguments; /* canonical: edited; or empty. The call is judged again with them */
    struct str
        digest; /* of the arguments that the person looked at, hex: another one is refused. May be empty with a no */
    bool glass; /* by break-glass (glass.h), where a group or a second person is missing */
    int64_t dwell_ms; /* since this person first looked at it; 0: not known. details.dwellMs on record */
};
/* (blocks) ERR_NOT_FOUND; ERR_CONFLICT: decided already, f says by whom; ERR_ROLE: not this person (four-eyes, the
 * owner, the user, not in the group); ERR_PARAMS: digest or arguments do not fit; ERR_STORE: a no is in force all the
 * same, a yes is not. *ret: how it stands now; after a yes that is not enough yet, PENDING. APPROVE_DENY_AND_KILL
 * denies; the caller stops the session then. */
enum err approvals_decide(struct approvals *a, const struct approval_decision *d, enum approval_state *ret,
                          struct fault *f) MUST_USE;

/* ---- looking ---- */

/* What the queue knows of one: what was asked (all of approval_ask, the session's facts in place of its lease) and how
 * it stands. What people are shown is made of it (view.h). Strings are in the arena. */
struct approval_card {
    struct str id;
    enum approval_state state;
    int64_t created, expires; /* wall clock, ms; expires: of one that is granted, until when it can be taken up */
    struct str agent, agent_type, agent_version, agent_env, owner;
    struct str session, user, tier, trigger;
    int64_t session_expires; /* 0: not known any more */
    struct str tool, definition, arguments, digest, policy_version, policy_ids, why, reviewers, schema, title,
        description, reasoning, trace_id, call;
    struct str escalate;          /* a JSON array: who may decide as well … */
    int64_t escalates, escalated; /* … from when on, and since when; wall clock, ms; 0: never, not yet */
    enum duty_risk risk;
    unsigned people;
    struct str decisions; /* a JSON array, the oldest first: {"at","breakGlass","by","changes","channel",
                           * "edited","reason","verdict"}; changes: null, or [{"path","before","after"}] */
    struct str reason;    /* of what is over: why, in words */
    struct str unmade;    /* of DONE: why the call was not made after all; or empty */
    int64_t glass_until;  /* break-glass is open (glass.h) until then, by whom and why; 0: it is not */
    struct str glass_by, glass_reason;
};
/* ERR_NOT_FOUND. (blocks) Arguments, schema, description and reasoning lie in the store alone, until it is over. */
enum err approvals_card(struct approvals *a, struct str id, struct arena *arena, struct approval_card *ret,
                        struct fault *f) MUST_USE;
struct audit *approvals_record(struct approvals *a);
/* (blocks) JSON of one: all that an approver sees, in that order (view.c). ERR_NOT_FOUND. */
enum err approvals_show(struct approvals *a, struct str id, struct json_out *o, struct fault *f) MUST_USE;
/* JSON of a list: [{"id","state","risk","tool","agentId","agentType","sessionId","user","createdAt","expiresAt",
 * "digest","people","reviewers","escalateTo","escalatesAt","escalatedAt","approvedBy"}]; times as RFC 3339. */
void approvals_list(struct approvals *a, bool pending_only, struct json_out *o);

#endif

/*
 * Questions to people: may this very call be made? A question is durable in the store before anybody is asked, bound to
 * what it is about, decided once, used once, and always ends: granted, denied, out of time, or void. Silence is a no.
 *
 *   PENDING --enough people say yes--> GRANTED --a call takes it--> TAKEN --its outcome--> DONE
 *      |-- somebody says no --> DENIED          |-- nobody takes it in time --> EXPIRED
 *      |-- time is over -----> EXPIRED          |-- what it is bound to changed --> VOID
 *      '-- what it is bound to changed --> VOID
 *
 * TAKEN is durable before the call's intent is: after a crash in between, the call is not made, and never by this grant.
 *
 * Bound (approval_binding): SHA-256 over agent, session, tool, canonical arguments, the tool's definition and the version
 * of the policies. A call with the same binding is the same call: it waits with the first one, or gets its result; it
 * never runs twice.
 *
 * Threads: everything from any thread; functions marked (blocks) wait for the store: pool threads only.
 */
#ifndef APPROVE_APPROVE_H
#define APPROVE_APPROVE_H

#include "audit/audit.h"
#include "base/enc.h"
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
    struct lease *lease;           /* agent, session, user, owner */
    struct str tool, definition;   /* "desk/issue_refund"; the hash of its pinned definition */
    struct str arguments, digest;  /* canonical; SHA-256, hex */
    struct str policy_version, policy_ids; /* policy_ids: a JSON array */
    enum duty_risk risk;
    struct str why;       /* a JSON array of sentences: why it is held */
    unsigned people;      /* different ones that have to say yes: 1 or 2 */
    struct str reviewers; /* a JSON array of groups; empty: anybody with the role */
    struct str schema;    /* the tool's inputSchema, JSON: for showing the arguments; or empty */
    struct str title, description; /* of the tool: the server's words, untrusted */
    struct str reasoning; /* the agent's words: untrusted */
    struct str trace_id;
    int64_t limit_ms;     /* until it counts as denied */
};
void approval_binding(const struct approval_ask *ask, unsigned char ret[SHA256_BYTES]);

/* What a call hears. Embedded in what waits. */
struct approval_wait {
    struct worker_mail mail;
    struct worker *worker;
    void (*told)(struct approval_wait *w); /* on that thread, once, unless it left before */
    /* the answer */
    enum approval_state state; /* TAKEN: go on, now. DONE: it ran before, result is what came of it. Else: no */
    char id[ENC_ID_MAX];       /* "apr_…" */
    int64_t expires;           /* wall clock, ms */
    enum err err;              /* with no: ERR_APPROVAL_DENIED, ERR_APPROVAL_EXPIRED, ERR_APPROVAL_VOID, ERR_STORE, … */
    char text[256];            /* and what the agent is told */
    struct str result;         /* JSON, of DONE; or empty: it is not known, or was too large to keep. Until told returns */
    /* the queue's */
    struct approval *on;
    struct approval_wait *next, **link;
    bool pending, left;
};

struct approvals;
/* (blocks) Loads what is pending. */
enum err approvals_new(struct store *store, struct audit *audit, struct approvals **ret, struct fault *f) MUST_USE;
void approvals_free(struct approvals *a);

/* Asks, or joins the call that asked the same. Never blocks; `told` comes later, maybe at once. ERR_APPROVALS: too many
 * wait (limits.pending_approvals); ERR_NOMEM. w->id and w->expires are filled when it returns. */
enum err approvals_ask(struct approvals *a, const struct approval_ask *ask, struct approval_wait *w,
                       struct fault *f) MUST_USE;
/* The caller waits no longer; the question stays. False: `told` is on its way and will come. */
bool approvals_leave(struct approvals *a, struct approval_wait *w);
/* What came of a call that took one. result: JSON; at most APPROVAL_RESULT bytes are kept. */
enum { APPROVAL_RESULT = 64 << 10 };
void approvals_done(struct approvals *a, const char *id, struct str result, bool known);
/* Once a second: what is out of time. */
void approvals_sweep(struct approvals *a, int64_t now_wall_ms);
/* A session is over, an agent was stopped or changed, other policies are in force, a tool has another definition: what
 * is bound to them is void. Empty strings: any. */
void approvals_void(struct approvals *a, struct str agent, struct str session, struct str tool, const char *why);

/* ---- deciding ---- */

struct person { /* who decides: an operator of the configuration or a person of the store */
    struct str name;
    struct str groups; /* a JSON array */
    struct str channel; /* "api", "cli", "slack", … */
};
enum approval_verdict { APPROVE_DENY = 0, APPROVE_DENY_AND_KILL, APPROVE_ONCE, APPROVE_SHAPE };
struct approval_decision {
    struct str id;
    enum approval_verdict verdict;
    struct person by;
    struct str reason;   /* with a denial the agent is told; may be empty */
    int64_t shape_ms;    /* of APPROVE_SHAPE: calls of just this binding need no question so long, in this session */
    struct str arguments; /* canonical: edited; or empty. The call is judged again with them */
    struct str digest;   /* of the arguments that the person looked at: another one is refused */
};
/* (blocks) ERR_NOT_FOUND; ERR_CONFLICT: decided already, f says by whom; ERR_FORBIDDEN: not this person (four-eyes, the
 * owner, the user, not in the group); ERR_PARAMS: digest or arguments do not fit. *ret: how it stands now. */
enum err approvals_decide(struct approvals *a, const struct approval_decision *d, enum approval_state *ret,
                          struct fault *f) MUST_USE;

/* ---- looking ---- */

/* JSON of one (all that an approver sees, in that order) or of a list. ERR_NOT_FOUND. */
enum err approvals_show(struct approvals *a, struct str id, struct json_out *o, struct fault *f) MUST_USE;
void approvals_list(struct approvals *a, bool pending_only, struct json_out *o);

#endif

/*
 * One tool call on its way through the house. The protocol face makes it, gate/pipeline.c walks it through the stages,
 * and the face hears `answered` exactly once. A call stays on the worker on which it was born.
 *
 * Zero means deny: a call that nobody decided about is denied, and only VERDICT_NEXT goes on.
 */
#ifndef GATE_CALL_H
#define GATE_CALL_H

#include "approve/approve.h"
#include "audit/audit.h"
#include "base/json.h"
#include "connect/catalogue.h"
#include "connect/connect.h"
#include "gate/kind.h"
#include "gate/request_state.h"
#include "policy/force.h"
#include "store/lease.h"

enum verdict {
    VERDICT_DENY = 0, /* refused; call->fault says why */
    VERDICT_NEXT,     /* this stage has nothing against it */
    VERDICT_WAIT,     /* an answer comes later: gate_resume() */
};

/* How a client waits for a person. */
enum call_hold {
    HOLD_REPEAT = 0, /* it is told at once, and repeats the call: that one is held open for a while */
    HOLD_LEG,        /* it is held open for a while, and comes back when it is told so */
    HOLD_PROGRESS,   /* it is held open, and told that it still waits */
    HOLD_TASK        /* it is told at once, and asks how the call stands, which goes on without it (task.h) */
};

struct call;
struct gate_worker;

struct call_face {
    /* The server reports progress. Only when the call asked for it. */
    void (*progress)(struct call *c, struct str progress, struct str total, struct str message);
    /* The server writes to the log: the params of notifications/message, raw. */
    void (*said)(struct call *c, struct str params);
    /* The server put the rest off: its answer will take a while. */
    void (*put_off)(struct call *c);
    /* A legacy server asks something that the client can answer: gate_reply or gate_park. */
    void (*asked)(struct call *c, const struct connect_question *q);
    /* It does not wait for the answer any more. */
    void (*withdrawn)(struct call *c, unsigned number);
    /* The way is over. call->fault.err == ERR_OK: *a is the server's answer. Otherwise the call was denied or failed,
     * and a is NULL. The call is released by the gate when this returns. */
    void (*answered)(struct call *c, const struct connect_answer *a);
};

/* What the agent's runtime says of itself. Untrusted: recorded as claims, never decides anything. */
struct call_claims {
    struct str model;
    int64_t tokens;  /* -1: not said */
    struct str cost; /* a number's text, or empty */
};

struct call {
    /* the face's */
    const struct call_face *face;
    void *user;
    struct arena *arena;     /* the request's; capped */
    struct lease *lease;     /* the session, a reference of the call's */
    enum call_kind kind;     /* zero: a tool */
    bool of_prompt;          /* CALL_COMPLETION: of a prompt's argument, not of a URI template's variable */
    struct str asked;        /* the tool's or prompt's name, or the URI, as the agent wrote it */
    struct str server;       /* "/mcp/{server}"; empty on "/mcp" */
    const struct json *doc;  /* the request as a tape */
    uint32_t arguments_node; /* a tool's arguments, otherwise all that is sent; 0: none given */
    struct str reasoning;    /* why the agent wants this: untrusted text */
    struct call_claims claims;
    char trace_id[33];       /* W3C trace context, 32 hex digits */
    char parent_span_id[17]; /* the caller's span, 16 hex digits; empty: it brought no trace */
    bool trace_sampled;
    struct str trace_state; /* tracestate; or STR_NONE */
    bool wants_progress;
    struct str client;    /* which of the session's clients: its protocol session; or empty */
    unsigned can;         /* what that can be asked in the middle of the call (CAN_…) */
    struct str responses; /* of a call that is sent again: inputResponses, a JSON object; or STR_NONE */
    const struct sockaddr_storage *source; /* where it came from; or NULL */
    struct str token;                      /* and its requestState, as it was given out; or STR_NONE */
    bool paid;                             /* it is one that took a call of the session before */
    enum call_hold hold;                   /* for a person */
    int64_t hold_ms;                       /* of a leg, when that is shorter than approval.hold; 0: it is not */
    int log_level;                         /* the least that the client wants of the server's log; -1: it did not say */

    /* the way's */
    struct gate_worker *gate;
    struct call *next, **link; /* calls in flight on this worker */
    unsigned stage;            /* index into the table of pipeline.c */
    bool waiting, cancelled;
    struct gate_kill *kill;   /* that waits for this call's end; NULL: none does */
    int64_t born_ns, left_ns; /* left: for its server */

    /* found on the way */
    struct catalogue *catalogue; /* held as long as the call lives */
    const struct tool *tool;     /* of a tool; NULL: not in the catalogue */
    struct upstream *upstream;   /* whom it goes to; NULL: nobody */
    struct str target_server;    /* its name */
    struct str name;             /* what is asked for, as the server knows it */
    struct str target;           /* "orders/lookup_order", also for what is not there; empty: names no server of ours */
    struct str scope;            /* the one that it needs */
    bool server_up;
    struct str arguments; /* canonical bytes, set by `validate`: what is judged, sent and recorded */
    char digest[65];      /* SHA-256 of them, hex */
    char span_id[17];     /* the call's own span, and so the parent of what its server does */
    struct str state;     /* of a call that is sent again: the server's requestState, a JSON string; or STR_NONE */
    uint64_t ticket;      /* of the call that it goes on with; 0: none waits */
    uint64_t parked;      /* it is put aside under this number */

    /* decided */
    struct policy_set *policies; /* by which it was judged, a reference; NULL: by none yet */
    struct str policy_ids;       /* a JSON array of those that decided */
    struct policy_seen seen;     /* what they saw of the session and the tool; without a risk: nothing yet */
    struct str changed;          /* what they changed of the arguments: a JSON array of paths; or empty */
    bool sealed;                 /* something of its arguments is sealed on record: nothing else may give it away */
    struct str judged;           /* with that, the arguments as they were before, canonical … */
    char judged_digest[65];      /* … and their SHA-256 */
    struct str mask[DUTY_ITEMS]; /* what they do not show of the result: paths */
    unsigned masks;
    enum duty_risk risk;          /* of the configuration, raised by policies; none: not judged yet */
    unsigned people;              /* that policies want to say yes */
    const struct json *asked_doc; /* the arguments as they were before policies changed them */
    uint32_t asked_node;
    struct call_grant grant;   /* by which a person let it through; without an id: by none */
    bool took;                 /* it is the one call that is made by that grant */
    bool shared;               /* another one was: the answer is that one's */
    bool comes_back;           /* with ERR_APPROVAL_PENDING: its client can be told to (gate_state_wait) */
    bool is_task;              /* with ERR_APPROVAL_PENDING: it is a task of this id (wait.id) from now on */
    const char *policy_shadow; /* what those that are not enforced would have made of it, when that differs; or NULL */
    struct fault fault;        /* why it was denied or failed */
    const char *decided_by;    /* the stage that denied, or NULL */
    int64_t retry_after_ms;    /* with ERR_RATE */
    bool sent;                 /* bytes may have reached the server */
    bool on_record;            /* the intent is durable */

    /* embedded in the call so that nothing is allocated on the way */
    struct connect_call wire;
    struct audit_done intent;
    uint64_t intent_seq;
    struct connect_answer answer;
    struct approval_wait wait;
    struct call *hold_next, **hold_link;        /* calls of this worker that wait for a person */
    int64_t hold_until, hold_told, asked_until; /* monotonic, ns */
    unsigned asked_people;
};

#endif

/* What the parts of the queue share. One lock for all of it; what a question is about never changes. */
#ifndef APPROVE_INNER_H
#define APPROVE_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "approve/approve.h"
#include "approve/changes.h"
#include "approve/glass.h"

/* ---- the states (states.c) ---- */

enum approval_event {
    APPROVAL_ASKED = 0, /* the question goes into the store */
    APPROVAL_YES,       /* of one person, and more are needed */
    APPROVAL_GRANT,
    APPROVAL_DENY,
    APPROVAL_TAKE,
    APPROVAL_END, /* of the call that took it */
    APPROVAL_TIMEOUT,
    APPROVAL_BREAK,  /* what it is bound to is not any more */
    APPROVAL_REPEAT, /* a call of a shape that was approved: taken at once */
    APPROVAL_ESCALATE,
    APPROVAL_EVENTS
};
/* APPROVAL_NONE: this event does not happen in this state. */
enum approval_state approval_after(enum approval_state s, enum approval_event e);
bool approval_over(enum approval_state s);        /* nothing follows */
bool approval_event_is_no(enum approval_event e); /* in force although the store does not take it */

/* ---- one question ---- */

struct approval_said { /* what one person said; never changes */
    struct approval_said *before;
    int64_t at, shape_ms;
    enum approval_verdict verdict;
    bool edited;
    char glass[ENC_ID_MAX];            /* the break-glass that it was said by; or empty */
    char digest[2 * SHA256_BYTES + 1]; /* of the arguments that it is about */
    struct str by, channel, reason;
    struct str passkey;          /* that signed it: its id; or empty */
    struct str changes, changed; /* of an edit: JSON arrays (changes.h), with values and without; or empty */
    char bytes[];
};
enum { APPROVAL_SAYINGS = 16 };

struct approval_edit {
    struct str arguments;
    char digest[2 * SHA256_BYTES + 1];
    char bytes[];
};

struct approval_standing { /* all that changes and is written down */
    enum approval_state state;
    int64_t until, until_mono; /* wall clock, ms, and monotonic, ns: of PENDING and GRANTED; whichever comes first */
    int64_t ended;             /* wall clock, ms */
    int64_t escalates, escalates_mono; /* likewise: when others may decide, too; 0: never */
    int64_t escalated;                 /* wall clock, ms; 0: not yet */
    struct approval_said *said;        /* the newest */
    struct approval_edit *edit;
    char why[128]; /* of VOID; of DONE: why the call was not made after all, or empty */
};

struct approval_move;
struct approval {
    char id[ENC_ID_MAX];
    unsigned char binding[SHA256_BYTES];
    char digest[2 * SHA256_BYTES + 1];
    struct str tool, definition, reviewers, escalate, policy_version, policy_ids, trace_id, agent, agent_type, sid,
        user, owner;
    enum duty_risk risk;
    unsigned people;
    int64_t created, created_mono;
    struct lease *lease; /* NULL: from before this process, and not open again */

    struct approval_standing now;
    struct approval_move *move; /* on its way into the store: nothing else happens meanwhile */
    struct approval_wait *waits, **waits_end;
    bool breaking; /* BREAK is wanted as soon as nothing is under way */
    bool dirty;    /* in force, and not in the store */
    bool finished; /* approvals_done came */
    bool told;     /* somebody heard how it ended */
    bool listed;   /* in the tables */
    char why[128]; /* of what is breaking */
    enum err err;  /* of a question that could not be asked */
    int64_t over_mono, shape_until_mono, used_kept;
    int64_t again_mono; /* an escalation that was not taken down is tried again then */
    struct str result;  /* heap; or empty */
    bool known;
    bool seal;    /* the record seals something of its arguments */
    bool unmade;  /* the call that took it was not made after all */
    bool counted; /* among those that wait for people */
    bool stays;   /* without its client */
    _Atomic unsigned refs;
    struct approval *next_id, *next_binding, *prev, *next; /* chains; all of them, the oldest first */
    char bytes[];
};

struct approval_move {
    struct approval *on;
    enum approval_event event;
    enum approval_state before;
    struct approval_standing next;
    struct buf question;         /* of a new one */
    struct approval_wait *taker; /* of TAKE and REPEAT */
    char shape_of[ENC_ID_MAX];   /* of REPEAT: the question that the yes was to */
    int64_t dwell_ms;
    bool rewrite; /* nothing happens: it is written again */
    bool waited;  /* somebody waits for it … */
    bool applied; /* … until then */
    bool done;    /* the thread is through with it: whoever waits gives it back */
    int64_t shape_ms;
    enum err err;
    struct fault fault;
    struct changes *changes;           /* of an edit; or NULL */
    bool waives_groups, waives_people; /* by break-glass */
    struct audit_done logged, glassed;
    struct approvals *queue;
    struct approval_move *after;
};

enum {
    APPROVAL_SLOTS = 4096,
    APPROVAL_BATCH = 256,
    APPROVAL_RESULTS = 32 << 20,  /* bytes of results that are kept, of all */
    APPROVAL_QUESTION = 64 << 20, /* bytes of a question at most */
    APPROVAL_TOLD_MS = 60000,     /* so long an end stays that nobody heard of */
    APPROVAL_KEPT_DAYS = 7,       /* and in the store */
    APPROVAL_TAKEN_MS = 86400000, /* no call takes longer */
    APPROVAL_AGAIN_MS = 10000,    /* between tries to take down an escalation */
};

struct approvals {
    struct store *store;
    struct audit *audit;
    pthread_mutex_t lock;
    pthread_cond_t work, changed;
    pthread_t thread;
    bool started, running, closing;
    struct write_batch *batch;

    struct approval *by_id[APPROVAL_SLOTS], *by_binding[APPROVAL_SLOTS];
    struct approval *first, *last;
    size_t count, pending, over, dirty, breaking;
    size_t result_bytes; /* of all results that are kept */

    struct approval_move *moves, **moves_end;
    uint64_t moved, written; /* moves that were put, and that are behind us */

    struct lease *keep[APPROVAL_BATCH]; /* sessions to be written down again */
    unsigned keeps;

    size_t most_pending;
    int64_t take_ms, result_ms, pruned_mono;
    int64_t newest; /* a moment of the wall clock that a process before this one saw */
    size_t logging; /* entries that the record has not acknowledged; with log_lock */
    pthread_mutex_t log_lock;
    pthread_cond_t logged;

    struct approval_watcher {
        void (*told)(void *ctx, const struct approval_news *n);
        void *ctx;
    } watch[APPROVAL_WATCHES];
    _Atomic unsigned watches;

    pthread_mutex_t glass_lock; /* one changes it at a time; never while the queue's thread is waited for */
    struct glass {
        struct approval_glass now; /* the last one; of one that is open */
        int64_t until_mono;
        bool open;
    } glass;
    int64_t glass_most_ms;
    char glass_drop[ENC_ID_MAX]; /* one that has ended, and is in the store still */
    bool glass_work;             /* for the thread */
    struct glass_watcher {
        void (*told)(void *ctx, const struct glass_news *n);
        void *ctx;
    } glass_watch[APPROVAL_WATCHES];
    _Atomic unsigned glass_watches;
};

/* one.c: without the lock, until it is listed */
struct approval *approval_new(const struct approval_ask *ask, struct str sid); /* with one reference; NULL: no memory */
void approval_unref(struct approval *p);
/* changes, changed: or empty */
struct approval_said *approval_say(const struct approval_decision *d, const char *digest, struct str changes,
                                   struct str changed, int64_t now);
struct approval_edit *approval_edit_new(struct str arguments);
void approval_said_free(struct approval_said *newest, const struct approval_said *until);
const char *approval_digest(const struct approval *p); /* of the arguments as they stand now */
unsigned approval_yes(const struct approval_said *newest, const char *digest);
void approval_set_until(struct approval_standing *s, int64_t ms_from_now);
bool approval_late(const struct approval *p, int64_t wall, int64_t mono);
bool approval_escalates(const struct approval *p, int64_t wall, int64_t mono); /* others may decide from now on */
bool approval_homeless(const struct approval *p, int64_t mono);                /* its session is not open */

/* queue.c: with the lock */
struct approval *approvals_by_id(struct approvals *a, struct str id);
struct approval *approvals_by_binding(struct approvals *a, const unsigned char binding[SHA256_BYTES]);
void approvals_list_in(struct approvals *a, struct approval *p); /* takes a reference */
void approvals_list_out(struct approvals *a, struct approval *p);
void approvals_unbind(struct approvals *a, struct approval *p); /* another question has its binding from now on */
void approvals_count(struct approvals *a, struct approval *p);  /* after its state has changed */
void approvals_keep_session(struct approvals *a, struct approval *p);
/* A change that is to come: `next` is as it stands, in the new state. NULL: no memory, or the event does not happen. */
struct approval_move *approvals_move(struct approvals *a, struct approval *p, enum approval_event e);
void approvals_put(struct approvals *a, struct approval_move *m);
void approvals_move_free(struct approval_move *m);
/* It is void, as soon as nothing is under way. */
void approvals_break(struct approvals *a, struct approval *p, const char *why);
/* What follows from how it stands, when nothing is under way: it is over time, it breaks, a call takes it. */
void approvals_follow(struct approvals *a, struct approval *p);

/* Did enough people say yes to just these arguments, or one by break-glass? */
bool approval_enough(const struct approval *p, const struct approval_said *newest, const char *digest);

/* glass.c. With the lock: is it open; is there something for the thread to do? */
bool glass_open(const struct approvals *a);
bool glass_due(const struct approvals *a);
/* Without it. At the start; what follows from its time being over; a yes by it is in force. */
enum err glass_load(struct approvals *a, struct fault *f) MUST_USE;
void glass_settle(struct approvals *a);
void glass_used(struct approvals *a, const struct approval_move *m);

/* write.c: the thread */
enum err approvals_start(struct approvals *a, struct fault *f) MUST_USE;
void approvals_stop(struct approvals *a); /* writes what is there, and ends */

/* ask.c: with the lock */
void approvals_tell(struct approvals *a, struct approval *p, struct approval_wait *w, enum approval_state s, enum err e,
                    const char *text);
void approvals_tell_over(struct approvals *a, struct approval *p, struct approval_wait *w);
void approvals_tell_all(struct approvals *a, struct approval *p); /* of one that is over */
/* Of one that is in the store: those that only ask. */
void approvals_tell_asked(struct approvals *a, struct approval *p);
void approvals_attach(struct approval *p, struct approval_wait *w);
#define APPROVAL_WITHDRAWN "its agent withdrew the call"

/* resume.c */
enum err approvals_load(struct approvals *a, struct fault *f) MUST_USE;

/* row.c */
void row_question(const struct approval *p, const struct approval_ask *ask, struct buf *out);
void row_standing(const struct approval_standing *s, struct buf *out);
/* ERR_CORRUPT, ERR_NOMEM. *ret_written: when it was written. */
enum err row_read(const struct store_approval *row, struct arena *a, struct approval **ret, int64_t *ret_written,
                  struct fault *f) MUST_USE;
enum err row_card(const struct store_approval *row, struct arena *a, struct approval_card *ret,
                  struct fault *f) MUST_USE;

/* may.c: with the lock. What of the rules break-glass has to lift for this decision. */
struct decide_waiver {
    bool groups, people;
};
enum err decide_may(const struct approvals *a, const struct approval *p, const struct approval_decision *d,
                    const char *digest, struct decide_waiver *ret, struct fault *f) MUST_USE;

/* log.c: is anything of it said in the record? */
bool approvals_logs(const struct approval_move *m);
enum err approvals_log(struct approvals *a, struct approval_move *m, struct audit_done *done, struct fault *f) MUST_USE;
/* Of a yes by break-glass, beside that. */
enum err approvals_log_glass(struct approvals *a, struct approval_move *m, struct audit_done *done,
                             struct fault *f) MUST_USE;
/* That what was said before is not in force: the store did not take it. */
void approvals_log_failed(struct approvals *a, struct approval_move *m);

#endif

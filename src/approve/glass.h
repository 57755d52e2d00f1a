/*
 * Break-glass: for a while one person with the role approver may say yes alone where a group or a second person is
 * missing. It lifts nothing else: nobody approves for an agent that is his or acts for him, policies go on to decide,
 * and what is critical is not asked about.
 *
 *   started (by whom, why, until when) --used for a call, said so with the decision--> … --ended, or its time is
 * over-->
 *
 * Each of these is on record before it is in force, and told to everybody (approvals_watch_glass). It is durable, and
 * its time runs on over a restart; a start that the store does not take is none, an end is in force at once.
 *
 * Threads: as approve.h.
 */
#ifndef APPROVE_GLASS_H
#define APPROVE_GLASS_H

#include "approve/approve.h"

enum { GLASS_REASON = 1000 };
struct approval_glass {
    char id[ENC_ID_MAX]; /* "bg_…" */
    char by[APPROVAL_BY], reason[GLASS_REASON + 1];
    int64_t since, until; /* wall clock, ms */
    int64_t used;         /* how often */
};
/* False: it is not open now. ret may be NULL. */
bool approvals_glass(struct approvals *a, struct approval_glass *ret);
/* null, or {"id","by","reason","startedAt","endsAt","used"}. */
void approvals_glass_json(struct approvals *a, struct json_out *o);
int64_t approvals_glass_most(struct approvals *a); /* ms, of the configuration; 0: never */

/* (blocks) ERR_PARAMS: no reason, or a time that is none or longer than the configuration allows. ERR_CONFLICT: it is
 * open already, or the configuration allows none. ERR_AUDIT, ERR_STORE: it is not open. */
enum err approvals_glass_start(struct approvals *a, struct str by, struct str reason, int64_t ms,
                               struct approval_glass *ret, struct fault *f) MUST_USE;
/* (blocks) When it returns no use of it is on its way any more. ERR_CONFLICT: it is not open. ERR_STORE: it has ended,
 * and a restart before the store takes that opens it again, for what is left of its time. */
enum err approvals_glass_end(struct approvals *a, struct str by, struct str reason, struct approval_glass *ret,
                             struct fault *f) MUST_USE;

enum glass_event { GLASS_STARTED, GLASS_USED, GLASS_ENDED };
struct glass_news { /* strings live until told returns */
    enum glass_event event;
    const struct approval_glass *glass;
    int64_t at;                       /* wall clock, ms */
    struct str by;                    /* who did that; empty: its time was over */
    struct str reason;                /* of an end: why; or empty */
    struct str approval, tool, agent; /* of a use */
};
extern const char *const glass_events[]; /* "started", "used", "ended" */
/* Once each, when it is in force; on a pool thread or the queue's own. Before approvals_resume; one watch at most for
 * each of APPROVAL_WATCHES. */
enum err approvals_watch_glass(struct approvals *a, void (*told)(void *ctx, const struct glass_news *n), void *ctx,
                               struct fault *f) MUST_USE;

#endif

/*
 * Recorded calls judged by another set of policies, one after the other, in the order of the record: what would have
 * come of each. Limits (@limit) are counted by the clock of the record, for each agent and policy, with the buckets of
 * the gateway (store/bucket.h), which are full at the beginning.
 *
 * Of a call that another stage refused behind the policies nothing changes, whatever these say; it counts for limits.
 * Whether changed arguments (@set) still fit the tool's schema is not looked at.
 */
#ifndef POLICY_REPLAY_H
#define POLICY_REPLAY_H

#include "policy/recorded.h"

enum replay_outcome {
    REPLAY_NONE, /* not judged */
    REPLAY_DENY,
    REPLAY_APPROVAL,
    REPLAY_LIMIT,
    REPLAY_ALLOW,
    REPLAY_CHANGED,   /* allowed, with changed arguments */
    REPLAY_OTHERWISE, /* likewise, but with others than then */
};
const char *policy_replay_name(enum replay_outcome o); /* "deny", "approval", "limit", "allow", "allow changed" … */

struct replay_result {
    enum replay_outcome before, after;
    bool differs;
    struct str reason; /* of what would be now, or why it was not judged; until the next call */
};

struct policy_replay;
/* The set has to outlive it. NULL: no memory. */
struct policy_replay *policy_replay_new(const struct policy_set *s);
void policy_replay_free(struct policy_replay *r);
void policy_replay_freep(struct policy_replay **r); /* for CLEANUP */
void policy_replay_judge(struct policy_replay *r, const struct recorded_call *c, struct replay_result *ret);

#endif

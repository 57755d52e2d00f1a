/*
 * The calls of the past as policies saw them: the record's intents and refusals of tool calls, each with its arguments,
 * its session as it was when the call was judged, where it came from and the risk of its tool by the configuration of
 * then. For those who judge them again by other policies (replay.h) or learn from them (suggest.h).
 *
 *   entries --the sessions that they open and end are kept--> calls, one at a time
 *
 * A call that was refused before the policies were asked is none of these; it is counted. What the record does not hold
 * whole (masked parameters, an entry of a version that wrote no context) cannot be judged exactly: `lack` says why.
 *
 * Memory is bounded by the sessions that are open at one time, whatever the record's size. One thread.
 */
#ifndef POLICY_RECORDED_H
#define POLICY_RECORDED_H

#include "audit/audit.h"
#include "policy/policy.h"

/* What the policies of then made of it. */
enum recorded_effect { RECORDED_DENY, RECORDED_APPROVAL, RECORDED_LIMIT, RECORDED_ALLOW };

struct recorded_call { /* until the next one is asked for */
    uint64_t seq;
    int64_t now_ms; /* wall clock, when it was judged */
    struct str when, tool, agent, type, session, code;
    enum recorded_effect effect;
    bool refused;              /* they allowed it, and a stage behind them refused it */
    bool asked;                /* a person decided, by the risk of the configuration and maybe by policies, too */
    const char *lack;          /* why it cannot be judged exactly; NULL: it can */
    const struct json *doc;    /* the entry */
    uint32_t arguments;        /* as they were judged; 0: none */
    uint32_t sent, changed;    /* as policies changed them, and the paths (an array); 0: they did not */
    const struct lease *lease; /* with what is known of the session */
    const struct sockaddr_storage *source;
    const char *risk;
    const struct str *taint;
    size_t taints;
};

struct recorded_range {
    int64_t since, until; /* wall clock, ms; the end is not in it */
    uint64_t last;        /* the last entry that counts; 0: the last there is now */
};

struct recorded;
/* progress: told now and then how many entries have been looked at; or NULL. ERR_IO, ERR_NOT_FOUND, ERR_CORRUPT. */
enum err recorded_open(const char *dir, const struct recorded_range *range, void (*progress)(void *ctx, uint64_t n),
                       void *ctx, struct recorded **ret, struct fault *f) MUST_USE;
void recorded_close(struct recorded *r);
void recorded_closep(struct recorded **r); /* for CLEANUP */
/* ERR_NOT_FOUND: there are no more. ERR_CORRUPT: the record cannot be read on. */
enum err recorded_next(struct recorded *r, struct recorded_call *ret, struct fault *f) MUST_USE;
uint64_t recorded_last(const struct recorded *r);    /* the last entry that counts */
uint64_t recorded_earlier(const struct recorded *r); /* calls so far that were refused before the policies */

/* An entry that was read elsewhere. False: it is no call that policies judged. */
bool recorded_entry(struct recorded *r, const struct json *entry, uint64_t seq, struct recorded_call *ret);
/* Without a record, for entries alone. NULL: no memory. */
struct recorded *recorded_new(void);

/* As the policies of s are asked about it. False: its tool is not known now. */
bool recorded_question(const struct recorded_call *c, const struct policy_set *s, struct tool *tool,
                       struct policy_question *ret);

#endif

/*
 * A call that nobody made: as a case of `policy test` or the options of `policy explain` describe it. What is not said
 * is as it usually is: an agent "test" of type "test", version 1.0.0, owner "test", in production; a new session
 * without a user, with the scope for this tool; from 127.0.0.1.
 */
#ifndef CLI_POLICY_CALL_H
#define CLI_POLICY_CALL_H

#include "policy/policy.h"

struct policy_call { /* strings live as long as it */
    struct str agent, type, version, environment, owner;
    struct str tool;
    struct str user, tier, trigger, source;
    const struct str *scope, *taint;
    size_t scopes, taints;
    bool scopes_said;
    int64_t calls, age, now_ms;
    struct json doc;
    uint32_t input; /* in doc; 0: {} */
};
void policy_call_init(struct policy_call *c, int64_t now_ms);

struct policy_made { /* what the question points to */
    struct lease *lease;
    struct tool tool;
    struct sockaddr_storage source;
    struct json empty;
};
void policy_made_done(struct policy_made *m);
/* ERR_NOT_FOUND: the set knows no such tool. ERR_PARAMS: what is said of the call cannot be. ERR_SCHEMA: the gateway
 * refuses such arguments before it asks any policy. */
enum err policy_call_make(const struct policy_call *c, const struct policy_set *s, struct arena *a,
                          struct policy_made *m, struct policy_question *ret, struct fault *f) MUST_USE;

#endif

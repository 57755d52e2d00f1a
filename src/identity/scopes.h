/*
 * Scopes: what a session may do, as text: `resource:action[:kind:id]`, for tools `tool:<server>/<tool>:execute`. Which
 * ones a session gets is decided by the agent's tools and by the rules of the configuration, never by what an agent
 * says.
 */
#ifndef IDENTITY_SCOPES_H
#define IDENTITY_SCOPES_H

#include "conf/conf.h"
#include "identity/agents.h"

struct scope_context { /* from a trusted side only; empty when an agent opens its own session */
    struct str user, tier, trigger;
};

bool scope_valid(struct str scope); /* 2 to 4 parts of [A-Za-z0-9_./-]+ */
/* Is `scope` that of one object ("orders:read:user:usr_1") within `whole` ("orders:read")? The outputs may be NULL. */
bool scope_within(struct str scope, struct str whole, struct str *ret_kind, struct str *ret_id);
struct str scope_of_tool(struct str tool_id, struct arena *a); /* tool:X:execute */

struct scope_grant { /* both sorted */
    const struct str *scope;
    size_t count;
    const struct str *timed; /* of them, what nothing but a rule with hours gives */
    size_t timed_count;
};
/* The scopes of a session opened now, into the arena. Rules with hours are left to scope_allowed_now(), but for what
 * they add. */
enum err scope_resolve(const struct agent *agent, const struct scope_context *context, const struct conf_scopes *rules,
                       int64_t now_ms, struct arena *a, struct scope_grant *ret, struct fault *f) MUST_USE;
/* Do the rules with hours let this scope pass at this moment? For agents and context as when the session was opened.
 * timed: nothing but a rule with hours gave it. */
bool scope_allowed_now(const struct conf_scopes *rules, struct str scope, bool timed, struct str agent_id,
                       struct str agent_type, struct str env, const struct scope_context *context, int64_t now_ms);
bool scope_has(const struct str *sorted, size_t n, struct str scope);

#endif

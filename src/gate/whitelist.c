/*
 * May this session use this tool? Default deny: allowed minus denied, denied wins.
 *
 * A tool whose definition is not the pinned one is withheld (connect/pins.h); the catalogue says so with a flag.
 *
 * The name is judged before the answer says anything of the catalogue, so that a refusal does not tell whether a tool
 * exists.
 */
#include "base/clock.h"
#include "connect/pins.h"
#include "gate/gate.h"
#include "gate/stage.h"

static enum verdict whitelist_unknown(struct call *c)
{
    static const struct {
        enum err err;
        const char *what;
    } words[CALL_KINDS] = {
        [CALL_TOOL] = {ERR_TOOL_UNKNOWN, "tool"},
        [CALL_PROMPT] = {ERR_PROMPT_UNKNOWN, "prompt"},
        [CALL_RESOURCE] = {ERR_RESOURCE_UNKNOWN, "resource"},
        [CALL_COMPLETION] = {ERR_PARAMS, "reference"},
    };
    return gate_deny(c, words[c->kind].err, "Unknown %s: " STR_FMT, words[c->kind].what, STR_ARG(c->asked));
}

static enum verdict whitelist_tool(struct call *c)
{
    if (session_allows(c->gate->gate->sessions, c->lease, c->target, clock_wall_ms(), &c->fault))
        return VERDICT_DENY;
    if (c->tool && !tool_served(c->tool))
        return gate_deny(c, ERR_TOOL_WITHHELD, "the tool " STR_FMT " is withheld: %s", STR_ARG(c->target),
                         pin_reason(c->tool->pin));
    return VERDICT_NEXT;
}

/* Prompts and resources are allowed by the server. */
static enum verdict whitelist_server(struct call *c)
{
    return session_holds(c->gate->gate->sessions, c->lease, c->scope, clock_wall_ms(), &c->fault) ? VERDICT_DENY
                                                                                                  : VERDICT_NEXT;
}

enum verdict stage_whitelist(struct call *c)
{
    if (!c->target.n)
        return whitelist_unknown(c);
    enum verdict v = c->kind == CALL_TOOL ? whitelist_tool(c) : whitelist_server(c);
    if (v != VERDICT_NEXT || c->upstream)
        return v;
    if (!c->server_up)
        return gate_deny(c, ERR_UPSTREAM, "the server of " STR_FMT " is down: what it offers comes back with it",
                         STR_ARG(c->target));
    return whitelist_unknown(c);
}

/*
 * May this session use this tool? Default deny: allowed minus denied, denied wins.
 *
 * The name is judged before the answer says anything of the catalogue, so that a refusal does not tell whether a tool
 * exists.
 */
#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

enum verdict stage_whitelist(struct call *c)
{
    if (!c->tool_id.n)
        return gate_deny(c, ERR_TOOL_UNKNOWN, "Unknown tool: " STR_FMT, STR_ARG(c->asked));
    if (session_allows(c->gate->gate->sessions, c->lease, c->tool_id, clock_wall_ms(), &c->fault))
        return VERDICT_DENY;
    if (c->tool)
        return VERDICT_NEXT;
    if (!c->server_up)
        return gate_deny(c, ERR_UPSTREAM, "the server of " STR_FMT " is down: its tools come back with it",
                         STR_ARG(c->tool_id));
    return gate_deny(c, ERR_TOOL_UNKNOWN, "Unknown tool: " STR_FMT, STR_ARG(c->asked));
}

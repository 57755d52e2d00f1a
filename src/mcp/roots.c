/* A legacy client's roots are others now: servers that were told of them hear it (MCP 2025-11-25 client/roots). */
#include "mcp/request.h"

void mcp_roots_changed(struct mcp_request *r)
{
    struct fault f;
    int64_t retry_after_ms = 0;
    if (gate_admit(r->mcp->gate, r->lease, &retry_after_ms, &f)) {
        mcp_answer_fault(r, &f, retry_after_ms);
        return;
    }
    if (r->can & CAN_ROOTS_CHANGES)
        connect_roots_changed(r->mcp->gate->gate->connect, lease_agent_id(r->lease), lease_sid(r->lease));
    mcp_answer_accepted(r);
}

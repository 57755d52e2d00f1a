/* tools/list: the part of the catalogue that this session may use, in one page, in the catalogue's order. */
#include "base/clock.h"
#include "mcp/request.h"

static struct str mcp_listed(const struct mcp_request *r, const struct tool *t)
{
    if (r->era == ERA_LEGACY)
        return r->server.n ? t->plain_legacy : t->listed_legacy;
    return r->server.n ? t->plain : t->listed;
}

static void mcp_list_write(struct mcp_request *r, const struct catalogue *k)
{
    struct json_out o = mcp_result_open(r);
    json_key(&o, STR("tools"));
    json_open(&o, '[');
    int64_t now = clock_wall_ms();
    for (size_t i = 0; i < k->count; i++) {
        const struct tool *t = &k->tool[i];
        if (r->server.n && !str_eq(t->server, r->server))
            continue;
        struct str listed = mcp_listed(r, t);
        if (listed.n && session_allows(r->mcp->gate->gate->sessions, r->lease, t->id, now, NULL) == ERR_OK)
            json_put_raw(&o, listed);
    }
    json_close(&o, ']');
    if (r->era == ERA_MODERN)
        mcp_put_cacheable(r, &o);
    mcp_result_close(&o);
}

void mcp_tools_list(struct mcp_request *r)
{
    struct fault f;
    int64_t retry_after_ms = 0;
    if (r->rpc.params && json_get(&r->doc, r->rpc.params, STR("cursor"))) {
        fault_set(&f, ERR_PARAMS, "params.cursor: this list has one page, no cursor was ever given out");
        mcp_answer_fault(r, &f, 0);
        return;
    }
    if (gate_admit(r->mcp->gate, r->lease, &retry_after_ms, &f)) {
        mcp_answer_fault(r, &f, retry_after_ms);
        return;
    }
    struct catalogue *k = connect_catalogue(r->mcp->gate->gate->connect);
    mcp_list_write(r, k);
    catalogue_unref(k);
    mcp_answer_result(r, NULL);
}

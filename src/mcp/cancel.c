/*
 * A client gives a call up. Modern: it closes the stream of the answer. Legacy: it sends notifications/cancelled, maybe
 * on a connection of another worker; leaving is no cancellation there (MCP 2025-11-25 basic/transports).
 */
#include <stdlib.h>

#include "mcp/request.h"
#include "mcp/streams.h"

/* The calls of this worker that a client means. Ids are the client's own: the lease and the MCP session say whose. */
static void mcp_cancel_here(struct mcp_worker *m, struct str sid, struct str mcp_session, struct str id)
{
    for (struct call *c = m->gate->calls, *next; c; c = next) {
        next = c->next;
        struct mcp_request *r = mcp_of(c);
        if (r && str_eq(r->rpc.id, id) && str_eq(r->mcp_session, mcp_session) && str_eq(lease_sid(c->lease), sid)) {
            gate_cancel(c, "the client cancelled the call");
            return;
        }
    }
    mcp_ask_cancel(m, sid, mcp_session, id);
}

struct mcp_cancel_mail {
    struct worker_mail mail;
    struct mcp_worker *to;
    struct str sid, mcp_session, id;
    char bytes[];
};

static void mcp_cancel_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct mcp_cancel_mail *m = (struct mcp_cancel_mail *)mail;
    mcp_cancel_here(m->to, m->sid, m->mcp_session, m->id);
    free(m);
}

static struct str mcp_cancel_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static void mcp_cancel_there(struct mcp_worker *to, struct str sid, struct str mcp_session, struct str id)
{
    struct mcp_cancel_mail *m = malloc(sizeof(*m) + sid.n + mcp_session.n + id.n);
    if (!m)
        return; /* cancelling is best effort by definition */
    char *at = m->bytes;
    *m = (struct mcp_cancel_mail){.mail = {.run = mcp_cancel_arrived}, .to = to};
    m->sid = mcp_cancel_copy(&at, sid);
    m->mcp_session = mcp_cancel_copy(&at, mcp_session);
    m->id = mcp_cancel_copy(&at, id);
    worker_post(to->gate->worker, &m->mail);
}

void mcp_cancelled(struct mcp_request *r)
{
    uint32_t node = r->rpc.params ? json_get(&r->doc, r->rpc.params, STR("requestId")) : 0;
    struct str id = node ? json_raw(&r->doc, node) : STR_NONE;
    if (id.n) {
        mcp_cancel_here(r->mcp, lease_sid(r->lease), r->mcp_session, id);
        for (unsigned i = 0; i < r->mcp->count; i++)
            if (&r->mcp->all[i] != r->mcp)
                mcp_cancel_there(&r->mcp->all[i], lease_sid(r->lease), r->mcp_session, id);
    }
    mcp_answer_accepted(r);
}

void mcp_gone(struct exchange *x)
{
    struct mcp_request *r = x->user;
    if (r && r->stream)
        mcp_stream_gone(r->stream);
    else if (r && r->era == ERA_MODERN)
        gate_cancel(&r->call, "the client closed the connection");
    else if (r && r->backlog)
        backlog_left(r->backlog, r->view); /* it may come back */
    else if (r)
        mcp_ask_gone(r);
}

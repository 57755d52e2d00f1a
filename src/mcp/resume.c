/*
 * A legacy client that lost its connection asks for the rest of a stream: GET with the id of the last event that it has
 * (MCP 2025-11-25 basic/transports, "Resumability and Redelivery"). The stream goes on where it was opened; here it is
 * only shown, so that nothing is lost or told twice when it changes hands between workers.
 */
#include <stdlib.h>

#include "mcp/event.h"

enum { RESUME_TURN_BYTES = 2 << 20 }; /* the rest with the next tick: a worker has others to serve */

/* "stream-number" or, of a stream's beginning, "stream-number-view". */
static bool resume_read(struct str id, struct str *ret_name, uint64_t *ret_position)
{
    struct str number;
    if (!str_cut(&id, '-', ret_name))
        return false;
    str_cut(&id, '-', &number);
    return str_u64(number, ret_position);
}

void mcp_resume_more(struct mcp_stream *s)
{
    struct mcp_request *r = s->r;
    struct buf out CLEANUP(buf_done), message CLEANUP(buf_done);
    enum backlog_state state = BACKLOG_MESSAGE;
    buf_init(&out, 256u << 20);
    buf_init(&message, 128u << 20);
    while (state == BACKLOG_MESSAGE && out.n < RESUME_TURN_BYTES) {
        uint64_t missed;
        buf_clear(&message);
        state = backlog_next(r->backlog, r->view, &s->position, &missed, &message);
        if (missed && state != BACKLOG_OVER)
            buf_fmt(&out, ": %llu messages before this are not kept any more\n\n", (unsigned long long)missed);
        if (state == BACKLOG_MESSAGE)
            mcp_event_put(&out, r->backlog, s->position, buf_view(&message));
    }
    if (buf_failed(&out) || buf_failed(&message))
        state = BACKLOG_OVER; /* no memory: the client comes again */
    else
        exchange_stream_write(r->x, buf_view(&out));
    if (state == BACKLOG_ENDED || state == BACKLOG_OVER)
        mcp_stream_gone(s);
}

/* ---- word from the worker that produces ---- */

struct resume_mail {
    struct worker_mail mail;
    struct mcp_worker *to;
    struct backlog *backlog; /* a reference */
};

static void resume_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct resume_mail *m = (struct resume_mail *)mail;
    struct mcp_stream *s = m->to->streams.first;
    while (s && !(s->shows && s->r->backlog == m->backlog && backlog_shown(m->backlog, s->r->view)))
        s = s->next;
    if (s)
        mcp_resume_more(s);
    backlog_unref(m->backlog);
    free(m);
}

static void resume_wake(void *ctx, struct backlog *p)
{
    struct mcp_worker *to = ctx;
    struct resume_mail *m = malloc(sizeof(*m));
    if (!m) { /* the tick looks as well */
        backlog_unref(p);
        return;
    }
    *m = (struct resume_mail){.mail = {.run = resume_arrived}, .to = to, .backlog = p};
    worker_post(to->gate->worker, &m->mail);
}

/* ---- the request ---- */

static void resume_nothing_left(struct mcp_request *r)
{
    struct exchange *x = r->x;
    mcp_release(r);
    exchange_answer(x, 204, STR_NONE, NULL, 0, STR_NONE); /* which tells it not to come again (WHATWG HTML) */
}

static enum backlog_state resume_find(struct mcp_request *r, struct mcp_stream *s, struct str last, struct fault *f)
{
    struct str name;
    enum backlog_state state = BACKLOG_OVER;
    if (resume_read(last, &name, &s->position))
        r->backlog = backlog_find(session_table_backlogs(r->mcp->sessions), mcp_backlog_of(r), name);
    if (r->backlog)
        state = backlog_show(r->backlog, s->position, resume_wake, r->mcp, &r->view);
    if (state == BACKLOG_OVER)
        fault_set(f, ERR_EVENT,
                  "the stream that Last-Event-ID names is none of this Mcp-Session-Id, or is not kept any more");
    return state;
}

void mcp_resume(struct mcp_request *r, struct str last)
{
    struct fault f;
    enum backlog_state state = BACKLOG_OVER;
    struct mcp_stream *s = r->mcp->streams.stopped ? NULL : arena_alloc(&r->x->arena, sizeof(*s));
    if (s) {
        *s = (struct mcp_stream){.r = r, .shows = true};
        state = resume_find(r, s, last, &f);
    } else {
        fault_set(&f, r->mcp->streams.stopped ? ERR_STOPPING : ERR_NOMEM, "no stream can be taken up now");
    }
    if (state == BACKLOG_OVER) {
        mcp_answer_fault(r, &f, 0);
    } else if (state == BACKLOG_ENDED) {
        resume_nothing_left(r);
    } else {
        mcp_stream_begin(s);
        mcp_resume_more(s);
    }
}

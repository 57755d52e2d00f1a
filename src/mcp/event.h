/* Answers that are streams of events, and how their clients come back to them: event.c, resume.c, late.c. */
#ifndef MCP_EVENT_H
#define MCP_EVENT_H

#include "mcp/streams.h"

static inline struct backlog_of mcp_backlog_of(const struct mcp_request *r)
{
    return (struct backlog_of){lease_sid(r->lease), r->mcp_session};
}
/* Does it only show what another request produces? */
static inline bool mcp_stream_shows(const struct mcp_request *r)
{
    return r->stream && r->stream->shows;
}

/* One event. p NULL: it has no id. event.c */
void mcp_event_put(struct buf *out, const struct backlog *p, uint64_t number, struct str message);
/* The last event: the answer. The stream is still to be ended. event.c */
void mcp_stream_answer(struct mcp_request *r, const struct buf *message);

/* A GET with Last-Event-ID. resume.c */
void mcp_resume(struct mcp_request *r, struct str last);
/* Shows what there is; the stream may be over when this returns. resume.c */
void mcp_resume_more(struct mcp_stream *s);

#endif

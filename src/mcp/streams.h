/*
 * Streams of notifications to clients, on the worker on which the client opened them: a legacy client's GET (MCP
 * 2025-11-25 basic/transports, "Listening for Messages from the Server") and a modern client's subscriptions/listen
 * (MCP 2026-07-28 basic/patterns/subscriptions). A stream ends with its client, its lease or the gateway; a comment
 * keeps it awake. A legacy client may come back for its stream, which goes on without it for a while.
 *
 * What a stream tells of the catalogue is what its session can see: the lists are compared through the session's eyes,
 * and a change of which it sees nothing is not told.
 */
#ifndef MCP_STREAMS_H
#define MCP_STREAMS_H

#include "mcp/request.h"

struct mcp_stream_uri {
    struct str uri, server;
};

struct mcp_stream_task { /* of a call that goes on without its client (tasks.h) */
    struct str id;
    uint64_t told; /* its version */
};

struct mcp_stream {
    struct mcp_request *r; /* in its exchange's arena, as this */
    struct mcp_stream *next, **link;
    bool wants[MCP_LISTS];      /* templates go with resources */
    uint64_t seen[MCP_LISTS];   /* digests of the lists as they were told last */
    struct mcp_stream_uri *uri; /* resources of which a modern client wants to hear */
    size_t uri_count;
    struct mcp_stream_task *task;
    size_t task_count;
    uint64_t tasks_told; /* the version of all of them */
    uint64_t number;     /* of a legacy one (session_table.h) */
    bool shows;          /* what another one, or a call, produces, for a client that came back (resume.c) */
    uint64_t position;   /* and how far it is */
};

void mcp_streams_init(struct mcp_worker *m);
void mcp_streams_stop(struct mcp_worker *m);
void mcp_streams_look(struct mcp_worker *m); /* those whose session is over end now */

/* Is there room for one more? ERR_LIMIT names the bound. */
enum err mcp_stream_admit(struct mcp_request *r, struct fault *f) MUST_USE;
/* The request's answer is this stream from now on. */
void mcp_stream_begin(struct mcp_stream *s);
/* One message, JSON. */
void mcp_stream_send(struct mcp_stream *s, const struct buf *message);
/* A message to a legacy client, on the stream that its protocol session has, at whichever worker that is. Best effort:
 * one that has no stream does not hear it. */
void mcp_session_tell(struct mcp_worker *m, const struct lease *l, struct str mcp_session, const struct buf *message);
/* Its client has left. */
void mcp_stream_gone(struct mcp_stream *s);
/* A notification's "_meta" opened in its params: a modern stream's names its subscription. */
struct json_out mcp_notification_open(const struct mcp_stream *s, struct buf *b, const char *method);
void mcp_notification_close(struct json_out *o);

#endif

/*
 * Server-sent events (WHATWG HTML, "Server-sent events"): an incremental parser for what upstreams send, and the
 * framing of what we send. LF, CR and CRLF end a line; the parser is bounded in the size of one event.
 */
#ifndef NET_SSE_H
#define NET_SSE_H

#include "base/buf.h"

struct sse_event {
    struct str event; /* empty: "message" */
    struct str data;  /* lines joined with LF */
    struct str id;
    int64_t retry_ms; /* -1: none */
};

struct sse {
    struct buf data, line, event, id;
    int64_t retry_ms;
    bool cr, bom_checked, has_data;
    bool between; /* the last line ended an event: `id` is what it left, though it may have had no data */
};

void sse_init(struct sse *s, size_t max_event);
void sse_done(struct sse *s);
/* Calls `event` for each complete event in the bytes; its strings live until it returns. A false return stops the parse
 * and sse_feed returns ERR_CANCELLED. ERR_LIMIT when one event is too large. */
enum err sse_feed(struct sse *s, struct str bytes, bool (*event)(void *ctx, const struct sse_event *e), void *ctx,
                  struct fault *f) MUST_USE;

/* "event: message\ndata: …\n\n"; data must hold no CR or LF (JSON never does). */
void sse_write(struct buf *out, struct str data);
void sse_write_comment(struct buf *out); /* ":\n\n", keeps the connection awake */

#endif

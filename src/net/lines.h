/*
 * Lines: the framing of MCP over stdio (one JSON message a line; MCP 2026-07-28 basic/transports/stdio). Incremental
 * and bounded. LF ends a line, a CR before it is dropped, empty lines are passed over, NUL is an error.
 */
#ifndef NET_LINES_H
#define NET_LINES_H

#include "base/buf.h"

struct lines {
    struct buf line;
};

void lines_init(struct lines *l, size_t max_line);
void lines_done(struct lines *l);
/* Calls `line` for each complete one; its bytes live until it returns. A false return stops: ERR_CANCELLED. */
enum err lines_feed(struct lines *l, struct str bytes, bool (*line)(void *ctx, struct str line), void *ctx,
                    struct fault *f) MUST_USE;

#endif

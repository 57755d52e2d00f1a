/*
 * What legacy clients were told on their event streams, kept for a while: a client that lost its connection gets the
 * rest (MCP 2025-11-25 basic/transports, "Resumability and Redelivery").
 *
 * Whoever produces a stream adds its messages, on the worker where it was opened, and numbers them from 1 on. At most
 * one connection shows them to the client: first the producer's own, then the one that came last with a Last-Event-ID,
 * maybe on another worker, which takes them from here. All of a lease's streams are forgotten with the lease.
 *
 * Bounded for each lease and for all: finished streams go first, then the oldest messages. What is missing in the
 * middle of a stream is counted, and an answer that is too large to be kept is kept as an error that says so.
 *
 * One for the process. Any thread.
 */
#ifndef MCP_BACKLOG_H
#define MCP_BACKLOG_H

#include "base/buf.h"

enum { BACKLOG_STREAMS = 128 /* of a lease */, BACKLOG_MESSAGES = 1024 /* of a stream */, BACKLOG_NAME_MAX = 17 };

struct backlogs;
struct backlog; /* one stream; reference counted */

struct backlogs *backlogs_new(void); /* NULL: no memory */
void backlogs_free(struct backlogs *t);

struct backlog_bounds {
    size_t lease_bytes, all_bytes; /* 0: nothing is kept */
    int64_t keep_ns;               /* after the client has left, and after the end */
};
struct backlog_of { /* whose it is */
    struct str sid, session;
};

/* A new stream, with a reference for the caller, who shows it under *ret_view. NULL: this one cannot be kept. */
struct backlog *backlog_new(struct backlogs *t, struct backlog_of of, const struct backlog_bounds *b,
                            uint64_t *ret_view);
/* The stream of this name, with a reference. NULL: nobody has it, or somebody else. */
struct backlog *backlog_find(struct backlogs *t, struct backlog_of of, struct str name);
struct backlog *backlog_ref(struct backlog *p);
void backlog_unref(struct backlog *p);

const char *backlog_name(const struct backlog *p); /* random, hex */

/* One more message, and its number. */
uint64_t backlog_add(struct backlog *p, struct str message);
/* The last one, after which the stream is finished. too_large: what is kept when it cannot be. */
uint64_t backlog_finish(struct backlog *p, struct str message, struct str too_large);
/* Nobody will ask for it any more. */
void backlog_close(struct backlog *p);

enum backlog_state {
    BACKLOG_OVER = 0, /* it is not kept any more, or another connection shows it */
    BACKLOG_ENDED,    /* that was all */
    BACKLOG_WAITS,    /* that was all so far */
    BACKLOG_MESSAGE,
};
/* There is more to show: called on the producer's thread, and takes over a reference. */
typedef void backlog_wake(void *ctx, struct backlog *p);
/* From the message behind `position` on it is shown by the caller, under *ret_view, and by nobody else. BACKLOG_OVER:
 * there is no such position. BACKLOG_ENDED: and nothing was left to show. */
enum backlog_state backlog_show(struct backlog *p, uint64_t position, backlog_wake *wake, void *ctx,
                                uint64_t *ret_view);
/* Appends the message behind *position, which moves on. *ret_missed: as many before it are not kept any more. */
enum backlog_state backlog_next(struct backlog *p, uint64_t view, uint64_t *position, uint64_t *ret_missed,
                                struct buf *message);
bool backlog_shown(struct backlog *p, uint64_t view); /* by this one? */
void backlog_left(struct backlog *p, uint64_t view);  /* its client has left */
bool backlog_kept(struct backlog *p);                 /* may its client come back? */
int64_t backlog_left_at(struct backlog *p);           /* clock_mono_ns; 0: it is being shown, and goes on */

void backlogs_forget(struct backlogs *t, struct str sid);               /* the lease is over */
void backlogs_forget_session(struct backlogs *t, struct backlog_of of); /* it was deleted */
void backlogs_sweep(struct backlogs *t, int64_t now_ns);                /* what was kept long enough */
size_t backlogs_count(struct backlogs *t);

#endif

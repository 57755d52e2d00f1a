/*
 * GET /admin/v1/audit/stream: the record as it grows, as server-sent events (WHATWG HTML, "Server-sent events").
 *
 *   id: 4711                  the entry's seq: what Last-Event-ID (or ?after=) goes on behind
 *   event: entry
 *   data: {…}                 the entry, on one line, byte for byte as it is on record
 *
 *   event: pruned             entries that are not kept any more: {"from":1,"to":900}
 *   event: error, event: end  the last one of a stream: {"error":"stopping","message":"…"}
 *   id: 4800                  alone: everything up to here was looked at, and nothing of it was asked for
 *
 * Only what is committed is sent. Each stream has a place of its own in the record's files: a client that does not read
 * costs a slice of bytes and no more, and finds everything when it reads again.
 *
 * Threads: worker 0, but for audit_stream_read(), which runs on a pool thread, of one stream at one time.
 */
#ifndef ADMIN_AUDIT_STREAM_H
#define ADMIN_AUDIT_STREAM_H

#include "admin/request.h"

enum {
    AUDIT_STREAMS = 64,
    AUDIT_STREAM_READS = 2,        /* on pool threads at one time: the others are for those who wait for an answer */
    AUDIT_STREAM_SLICE = 64 << 10, /* bytes that are made, and written, in one go */
    AUDIT_STREAM_LOOK = 4096       /* entries that one turn looks at */
};

struct audit_stream_wants { /* empty: any */
    struct str agent, event, tool, session;
};

struct audit_stream { /* lives in the exchange's arena */
    struct admin_flow flow;
    struct audit_streams *all;
    struct exchange *x;
    struct audit_stream *next, **link;
    struct admin_caller caller; /* who opened it: they may not be let in any more */
    uint64_t said;              /* the last id that was written */
    size_t sent;                /* of out */
    const char *over;           /* why it ends, or NULL; "" when its client has left */
    enum err why;
    bool begun; /* out is partly written: nothing else may come between */
    /* audit_stream_read's, while reading */
    bool reading;
    uv_work_t work;
    const char *dir;
    struct audit_reader *reader;
    struct audit_stream_wants wants;
    uint64_t at;     /* the last entry that was looked at */
    uint64_t noted;  /* the last id in out, or before it */
    uint64_t until;  /* the last one that may be looked at: it is committed */
    bool from_start; /* what is before the first entry was not asked for */
    struct buf out;  /* events, whole */
    struct arena arena;
    enum err err;
    struct fault fault;
};

struct audit_stream_asked {
    struct audit_stream_wants wants;
    uint64_t at;     /* behind which entry it begins */
    bool from_start; /* wherever the record begins now */
};
/* Of the query and Last-Event-ID. ERR_PARAMS. */
enum err audit_stream_ask(struct admin_request *r, struct audit_stream_asked *ret, struct fault *f) MUST_USE;

/* The next slice: entries from s->at on are looked at, and those that are wanted become events in s->out. ERR_OK also
 * when there is nothing for now. */
enum err audit_stream_read(struct audit_stream *s, struct fault *f) MUST_USE;
/* "event: …\ndata: …\n\n", with an id when it is not 0. data: one line. */
void audit_stream_event(struct buf *out, const char *event, uint64_t id, struct str data);

#endif

/* What backlog.c (the face) and backlog_keep.c (what is kept, within the bounds) share. Not for others. */
#ifndef MCP_BACKLOG_INNER_H
#define MCP_BACKLOG_INNER_H

#include <pthread.h>

#include "mcp/backlog.h"

enum { BACKLOG_BUCKETS = 1024 };

struct backlog_message {
    struct backlog_message *next;
    uint64_t number;
    size_t n;
    char bytes[];
};

struct backlog_lease { /* the streams of one lease, the oldest first */
    struct backlog_lease *next;
    struct backlog *first, **last;
    unsigned count;
    size_t bytes;
    size_t n; /* of the sid */
    char sid[];
};

struct backlog {
    struct backlogs *table;
    struct backlog_lease *lease; /* NULL: not kept any more. All below with the lock. */
    struct backlog *next;
    struct backlog_bounds bounds;
    struct backlog_message *first, **last;
    unsigned count;
    uint64_t number; /* of the last message */
    uint64_t view;   /* who shows it; 0: nobody */
    backlog_wake *wake;
    void *wake_ctx;
    int64_t left_ns;
    bool finished, dropped;
    _Atomic unsigned refs;
    char name[BACKLOG_NAME_MAX];
    size_t session_n;
    char session[];
};

struct backlogs {
    pthread_mutex_t lock;
    struct backlog_lease *bucket[BACKLOG_BUCKETS];
    size_t count, bytes;
    uint64_t views; /* numbers given out */
};

/* All with the table's lock held. */
struct backlog_lease **backlog_lease(struct backlogs *t, struct str sid);
/* Enters a new stream, for which a finished one may have to go. False: there is no room. */
bool backlog_enter(struct backlogs *t, struct str sid, struct backlog *p);
/* Out of the table: the table's reference goes. */
void backlog_remove(struct backlog *p);
/* Keeps a message under the stream's number, at the cost of its own lease only. False: it cannot be. */
bool backlog_keep(struct backlog *p, struct str message);
/* Once for each stream; how much is missing, its client learns when it comes back. */
void backlog_note(struct backlog *p, const char *why);

#endif

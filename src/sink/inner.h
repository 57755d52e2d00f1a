/* One sink while it runs: what sinks.c (all of them) and follow.c (the thread of one) share. Not for others. */
#ifndef SINK_INNER_H
#define SINK_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "sink/cursor.h"
#include "sink/sink.h"

enum {
    SINK_PAUSE_MS = 200,
    SINK_PAUSE_MAX_MS = 60 * 1000,
    SINK_ASKED_MAX_MS = 3600 * 1000, /* of what the other side asks for */
    SINK_BATCH_BYTES = 1 << 20,      /* of entries' text; one alone may be longer */
    SINK_WAIT_MS = 250,
    SINK_NOTE_MS = 1000, /* the cursor is written so often at most */
};

struct sink {
    struct audit *audit;
    char audit_dir[4000], cursors[4096];
    struct conf *conf; /* is's */
    const struct conf_sink *is;
    const struct sink_kind *kind;
    uint64_t now; /* what was committed when it was made */
    pthread_t thread;
    _Atomic bool stop;
    _Atomic unsigned refs; /* its maker's and its thread's */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct sink_state state; /* under the lock, likewise … */
    uint64_t noted;          /* … what its cursor says, as far as that is believed */
    bool over;               /* … and whether the thread has ended */
    /* the thread's */
    void *it; /* kind->open's; NULL: not open */
    struct audit_reader *reader;
    struct arena arena;   /* of the batch */
    struct sink_entry *v; /* the batch: is->batch at most, of which `count` are there and `done` were taken */
    struct json *docs;
    size_t count, done, limit; /* limit: so many are tried at once */
    struct cursor read, at;    /* the last entry that was read; that was taken or passed over */
    int64_t noted_at;          /* monotonic, ns */
    bool begun, told;          /* the log knows that it is gone */
};

void *sink_follow(void *s); /* the thread */
void sink_unref(struct sink *s);

/* Is this event among those of the configuration? */
bool sink_wants(const struct conf_strings *events, struct str event);

#endif

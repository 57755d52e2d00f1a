/* One witness or anchor while it runs: what outside.c (all of them, and the thread), witness.c and anchor.c share. Not
 * for others. */
#ifndef SINK_PARTY_H
#define SINK_PARTY_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit/log.h"
#include "sink/http.h"
#include "sink/outside.h"

enum { PARTY_TIMEOUT_MS = 10000 };

struct party {
    struct party *next;  /* of those that a reload has told to end */
    struct audit *audit; /* only under the lock, and not once it shall stop */
    char audit_dir[4000];
    struct conf *conf;                  /* is's */
    const struct conf_witness *witness; /* either … */
    const struct conf_anchor *anchor;   /* … or */
    int64_t every_ms;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic unsigned refs; /* its maker's and its thread's */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ended;                 /* under the lock: the thread has nothing more to do */
    struct outside_state state; /* under the lock */
    int64_t since_ns;           /* likewise: monotonic, of the last good attempt, or of the start */
    /* the thread's */
    struct sink_http *http; /* NULL: a file, or not open yet */
    uint64_t known;         /* of a witness: the size of the tree that it has, as far as we know */
    int64_t asked_ms;       /* how long it asked us to wait; -1: not said */
    bool told;              /* the log knows that it is gone */
};

/* Takes the checkpoint outside. Blocks; ERR_STOPPING when p->stop. */
enum err witness_ask(struct party *p, struct str note, uint64_t size, struct fault *f) MUST_USE;
enum err anchor_put(struct party *p, struct str note, struct fault *f) MUST_USE;

#endif

/* The record while it is open: what open.c (recovery), writer.c and publish.c (the threads), append.c (handing in) and
 * watch.c (who follows) share. Not for others. */
#ifndef AUDIT_INNER_H
#define AUDIT_INNER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "audit/entry.h"
#include "audit/publish.h"
#include "audit/segment.h"

struct audit {
    /* shared */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct audit_record *first, **last; /* handed in */
    size_t queued;                      /* bytes of these and of what is pending */
    size_t waiting;                     /* of those that came since the writer's last turn: somebody waits */
    size_t served;                      /* who waited in its last turn that somebody did */
    bool stopping, failing;
    struct fault failure;
    uint64_t refused, dropped; /* not on record, and the record does not say so yet */
    void *reserve;             /* memory for what has happened already, when there is no other; the writer renews it */
    struct conf *conf;         /* of mask and seal; NULL: the one that was given to audit_open */
    struct conf_audit settings;
    _Atomic bool seals; /* of settings: is anything sealed by its name? */
    char policies[65];  /* version of those in force */
    _Atomic uint64_t seq;
    pthread_t thread;
    /* who follows: watch.c */
    pthread_mutex_t watch_lock;
    pthread_cond_t watch_more;
    struct audit_watch *watches;
    _Atomic uint64_t committed;
    bool closed;
    uint64_t (*hold)(void *ctx); /* entries behind this one are not pruned; NULL: nobody minds */
    void *hold_ctx;
    struct audit_done prune_done; /* the publisher's: it waits for the entry that says what goes */
    sem_t prune_told;
    /* the tree and its checkpoints */
    struct publish publish;
    /* the writer's */
    int64_t durability, segment_bytes; /* of settings, as they were at its last turn */
    bool missed;                       /* refused or dropped were not 0 at its last turn */
    int64_t missed_said;               /* when that was last put on record; monotonic, ns */
    bool spoiled;                      /* the file may hold bytes behind `at` */
    bool awaited;                      /* somebody waits for an entry of the batch in the making */
    char dir[4000];
    int lock_fd, fd, dir_fd;
    uint64_t segment_first;
    off_t at;           /* end of what is written in the segment */
    off_t ready;        /* end of the blocks that were written before, if only with zeros */
    uint64_t written;   /* the last entry in the file */
    uint64_t flushed;   /* the last entry known to be on the disk */
    int64_t flush_ns;   /* how long one takes: the mean of the last ones */
    int64_t flushed_at; /* monotonic, ns */
    struct audit_record *pending, **pending_last;
    struct buf out;
    struct buf batch; /* leaves of the batch in the making */
    struct buf owed;  /* leaves of entries that are written, and not flushed */
    struct audit_words words;
    struct conf *mask; /* of words; or NULL */
};

enum { AUDIT_RESERVE = 256 * 1024 };

/* The next segment, empty, behind the last entry that was written. */
enum err audit_new_segment(struct audit *a, struct fault *f) MUST_USE;
/* What is written is on the disk: told to those who follow, and handed to the tree. */
enum err audit_flush(struct audit *a, struct fault *f) MUST_USE;
void *audit_writer(void *a);             /* the thread */
bool audit_use_reserve(struct audit *a); /* gives its memory back, for whoever needs it now; false: it is used up */

void audit_watch_init(struct audit *a);
void audit_watch_tell(struct audit *a, uint64_t committed); /* any thread */
void audit_watch_close(struct audit *a);
void audit_watch_done(struct audit *a);

#endif

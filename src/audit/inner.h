/* The record while it is open: what open.c (recovery), writer.c (the thread) and append.c (handing in) share. Not for
 * others. */
#ifndef AUDIT_INNER_H
#define AUDIT_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "audit/entry.h"
#include "audit/segment.h"

struct audit {
    /* shared */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct audit_record *first, **last; /* handed in */
    size_t queued;                      /* bytes of these and of what is pending */
    size_t waiting;                     /* of those that came since the writer's last turn: somebody waits */
    bool stopping, failing;
    struct fault failure;
    uint64_t refused, dropped; /* not on record, and the record does not say so yet */
    void *reserve;             /* memory for what has happened already, when there is no other; the writer renews it */
    struct conf *conf;         /* of mask; NULL: the one that was given to audit_open */
    struct conf_audit settings;
    char policies[65]; /* version of those in force */
    _Atomic uint64_t seq;
    pthread_t thread;
    /* the writer's */
    int64_t durability, segment_bytes; /* of settings, as they were at its last turn */
    bool missed;                       /* refused or dropped were not 0 at its last turn */
    int64_t missed_said;               /* when that was last put on record; monotonic, ns */
    bool spoiled;                      /* the file may hold bytes behind `at` */
    bool awaited;                      /* somebody waits for an entry of the batch in the making */
    char dir[4000];
    int lock_fd, fd, tip_fd, dir_fd;
    uint64_t segment_first;
    off_t at;                   /* end of what is written in the segment */
    off_t ready;                /* end of the blocks that were written before, if only with zeros */
    struct segment_tip written; /* the last entry in the file */
    struct segment_tip flushed; /* the last entry known to be on the disk */
    struct segment_tip told;    /* the last one in the tip file */
    unsigned tip_slot;
    int64_t flushed_at, tip_at; /* monotonic, ns */
    struct audit_record *pending, **pending_last;
    struct buf out;
    struct audit_words words;
    struct conf *mask; /* of words.mask; or NULL */
};

enum { AUDIT_RESERVE = 256 * 1024 };

/* The next segment, empty, behind the last entry that was written. */
enum err audit_new_segment(struct audit *a, struct fault *f) MUST_USE;
enum err audit_flush(struct audit *a, struct fault *f) MUST_USE;
enum err audit_tip(struct audit *a, struct fault *f) MUST_USE;
void *audit_writer(void *a);             /* the thread */
bool audit_use_reserve(struct audit *a); /* gives its memory back, for whoever needs it now; false: it is used up */

#endif

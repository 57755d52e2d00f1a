/*
 * The publisher: one thread that grows the tree by the leaves of committed entries, writes its tiles and, each second
 * or 1,000 entries, a signed checkpoint. Tiles can be made again from the entries, so only a checkpoint is flushed, at
 * most once a second. When no checkpoint could be written for PUBLISH_LATE_MS, the record takes no more entries: what
 * nobody signs, nobody can prove. Not for others.
 */
#ifndef AUDIT_PUBLISH_H
#define AUDIT_PUBLISH_H

#include <pthread.h>

#include "audit/key.h"

enum { PUBLISH_EVERY_MS = 1000, PUBLISH_ENTRIES = 1000, PUBLISH_KEEP_MS = 60000, PUBLISH_LATE_MS = 60000 };

struct publish {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct buf leaves; /* handed over, and not in the tree */
    bool stopping, reload, running;
    struct buf note;     /* the newest checkpoint, signed */
    uint64_t size;       /* its tree's */
    struct buf cosigned; /* the newest that others signed, too */
    uint64_t cosigned_size;
    int64_t cosigned_at;         /* when one of those was kept; monotonic, ns; 0: none yet */
    _Atomic bool late;           /* no checkpoint could be written for too long */
    _Atomic int64_t patience_ms; /* how long that is: PUBLISH_LATE_MS; tests have less */
    struct fault why;            /* that it could not */
    pthread_t thread;
    /* the thread's */
    const char *dir; /* the record's */
    int dir_fd;
    struct str origin;
    struct buf taken;
    struct tlog_tree *tree;
    struct audit_keys keys;
    struct publish_owed *owed, **owed_last; /* tiles that could not be written */
    uint64_t kept_size;
    int64_t published_at, flushed_at, kept_at, pruned_at,
        failing_since; /* monotonic, ns; failing_since 0: it is not failing */
    unsigned unsynced; /* full tiles since the last syncfs */
};
/* So many entries before a checkpoint their tiles are on the disk for certain. */
enum { PUBLISH_SYNC_TILES = 64, PUBLISH_UNSYNCED = 2 * PUBLISH_SYNC_TILES * TLOG_WIDTH };

struct audit;
/* Before recovery: the tree is empty, keys are read. make: a first key may be made. */
enum err publish_open(struct publish *p, const char *dir, int dir_fd, const struct conf_audit *conf, bool make,
                      struct fault *f) MUST_USE;
/* For tlog_tree.tile: writes the file of a tile unless it is there already and the same. ctx: the struct publish. */
enum err publish_tile(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                      struct fault *f) MUST_USE;
enum err publish_start(struct audit *a, struct fault *f) MUST_USE;
/* From the writer: the leaves of entries that are on the disk now. False: no memory; nothing was taken. */
bool publish_hand(struct publish *p, const struct buf *leaves);
void publish_reload(struct publish *p); /* keys are read again */
/* Publishes what was handed over, and ends the thread. */
void publish_stop(struct publish *p);
void publish_done(struct publish *p);

#endif

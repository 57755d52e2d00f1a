/* The snapshot in force, for many readers and one that swaps it. Any thread. */
#ifndef CONF_SLOT_H
#define CONF_SLOT_H

#include <pthread.h>

#include "conf/conf.h"

struct conf_slot {
    pthread_rwlock_t lock;
    struct conf *conf;
};

static inline void conf_slot_init(struct conf_slot *s, struct conf *c)
{
    pthread_rwlockattr_t attr; /* readers that never pause must not keep a new snapshot out */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&s->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    s->conf = conf_ref(c);
}

static inline void conf_slot_done(struct conf_slot *s)
{
    conf_unref(s->conf);
    pthread_rwlock_destroy(&s->lock);
}

/* With a reference for the caller. */
static inline struct conf *conf_slot_get(struct conf_slot *s)
{
    pthread_rwlock_rdlock(&s->lock);
    struct conf *c = conf_ref(s->conf);
    pthread_rwlock_unlock(&s->lock);
    return c;
}

static inline void conf_slot_set(struct conf_slot *s, struct conf *c)
{
    pthread_rwlock_wrlock(&s->lock);
    struct conf *old = s->conf;
    s->conf = conf_ref(c);
    pthread_rwlock_unlock(&s->lock);
    conf_unref(old);
}

#endif

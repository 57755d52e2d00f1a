/* Leases in memory. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/bucket.h"
#include "store/lease.h"

enum { SHARDS = 64, SHARD_SLOTS = 256, AGENT_SLOTS = 1024, KEEP_MS = 60000 };

struct memory_shard {
    pthread_mutex_t lock;
    struct lease *slot[SHARD_SLOTS];
};

struct memory_agent { /* the open sessions of one agent */
    struct str id;
    struct lease *first;
    size_t open;
    struct memory_agent *next;
    char bytes[];
};

struct memory {
    struct lease_store base;
    struct memory_shard shard[SHARDS]; /* by sid */
    pthread_mutex_t agents_lock;       /* taken before a shard's, never after */
    struct memory_agent *agent[AGENT_SLOTS];
    struct buckets *buckets; /* rates of agents and tools */
    pthread_rwlock_t limits_lock;
    struct conf *conf;
};

/* ---- the lease itself ---- */

struct lease *lease_new(void)
{
    struct lease *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->refs = 1;
    arena_init_small(&l->arena, 1u << 20);
    return l;
}

struct lease *lease_ref(struct lease *l)
{
    atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
    return l;
}

void lease_unref(struct lease *l)
{
    if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
        return;
    bucket_free(l->bucket);
    arena_done(&l->arena);
    free(l);
}

bool lease_is_open(struct lease *l, int64_t now_mono)
{
    return atomic_load_explicit(&l->state, memory_order_acquire) == LEASE_OPEN && now_mono < l->expires_mono &&
           clock_wall_ms() < l->expires;
}

/* ---- lookups ---- */

static struct memory_shard *memory_shard(struct memory *m, struct str sid, struct lease ***ret_slot)
{
    uint64_t h = str_hash(sid);
    struct memory_shard *s = &m->shard[h % SHARDS];
    *ret_slot = &s->slot[h / SHARDS % SHARD_SLOTS];
    return s;
}

static struct lease *memory_find(struct lease_store *base, struct str sid)
{
    struct lease **slot;
    struct memory_shard *s = memory_shard((struct memory *)base, sid, &slot);
    pthread_mutex_lock(&s->lock);
    struct lease *l = *slot;
    while (l && !str_eq(l->sid, sid))
        l = l->hash_next;
    if (l)
        lease_ref(l);
    pthread_mutex_unlock(&s->lock);
    return l;
}

static struct memory_agent *memory_agent(struct memory *m, struct str id, bool make)
{
    struct memory_agent **slot = &m->agent[str_hash(id) % AGENT_SLOTS], *a = *slot;
    while (a && !str_eq(a->id, id))
        a = a->next;
    if (a || !make)
        return a;
    a = calloc(1, sizeof(*a) + id.n);
    if (!a)
        return NULL;
    memcpy(a->bytes, id.p, id.n);
    a->id = (struct str){a->bytes, id.n};
    a->next = *slot;
    *slot = a;
    return a;
}

/* ---- opening and ending ---- */

/* With agents_lock held: takes the lease off its agent's list. */
static void memory_detach(struct memory *m, struct lease *l)
{
    if (!l->agent_link)
        return;
    *l->agent_link = l->agent_next;
    if (l->agent_next)
        l->agent_next->agent_link = l->agent_link;
    l->agent_link = NULL;
    struct memory_agent *a = memory_agent(m, l->agent_id, false);
    a->open--;
    if (a->open)
        return;
    struct memory_agent **at = &m->agent[str_hash(a->id) % AGENT_SLOTS];
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    free(a);
}

static bool memory_close_lease(struct memory *m, struct lease *l, enum lease_state how)
{
    int open = LEASE_OPEN;
    if (!atomic_compare_exchange_strong(&l->state, &open, (int)how))
        return false;
    memory_detach(m, l);
    return true;
}

static void memory_open(struct lease_store *base, struct lease *l, int64_t max_sessions, struct lease_verdict *ret)
{
    struct memory *m = (struct memory *)base;
    *ret = (struct lease_verdict){.err = ERR_NOMEM};
    l->store = base;
    l->bucket = bucket_new(&l->rate);
    pthread_mutex_lock(&m->agents_lock);
    struct memory_agent *a = l->bucket ? memory_agent(m, l->agent_id, true) : NULL;
    if (a && a->open >= (size_t)max_sessions) {
        ret->err = ERR_SESSIONS;
    } else if (a) {
        struct lease **slot;
        struct memory_shard *s = memory_shard(m, l->sid, &slot);
        l->agent_next = a->first;
        l->agent_link = &a->first;
        if (a->first)
            a->first->agent_link = &l->agent_next;
        a->first = l;
        a->open++;
        atomic_store(&l->state, LEASE_OPEN);
        pthread_mutex_lock(&s->lock);
        l->hash_next = *slot;
        *slot = l;
        pthread_mutex_unlock(&s->lock);
        *ret = (struct lease_verdict){.answer = LEASE_GRANTED};
    }
    pthread_mutex_unlock(&m->agents_lock);
    if (ret->answer != LEASE_GRANTED)
        lease_unref(l);
}

static bool memory_end(struct lease_store *base, struct str sid, enum lease_state how)
{
    struct memory *m = (struct memory *)base;
    struct lease *l = memory_find(base, sid);
    if (!l)
        return false;
    pthread_mutex_lock(&m->agents_lock);
    bool ended = memory_close_lease(m, l, how);
    pthread_mutex_unlock(&m->agents_lock);
    lease_unref(l);
    return ended;
}

static size_t memory_end_agent(struct lease_store *base, struct str agent, enum lease_state how,
                               void (*ended)(void *, struct lease *), void *ctx)
{
    struct memory *m = (struct memory *)base;
    size_t count = 0;
    for (;;) {
        pthread_mutex_lock(&m->agents_lock);
        struct memory_agent *a = memory_agent(m, agent, false);
        struct lease *l = a && a->first ? lease_ref(a->first) : NULL;
        if (l)
            memory_close_lease(m, l, how);
        pthread_mutex_unlock(&m->agents_lock);
        if (!l)
            return count;
        count++;
        if (ended)
            ended(ctx, l);
        lease_unref(l);
    }
}

static size_t memory_open_count(struct lease_store *base, struct str agent)
{
    struct memory *m = (struct memory *)base;
    pthread_mutex_lock(&m->agents_lock);
    struct memory_agent *a = memory_agent(m, agent, false);
    size_t open = a ? a->open : 0;
    pthread_mutex_unlock(&m->agents_lock);
    return open;
}

/* ---- limits ---- */

/* The rates that a request counts against. Patterns of the configuration share a bucket for each tool. */
static unsigned memory_buckets(struct memory *m, struct lease *l, struct str tool, struct bucket_use use[])
{
    unsigned n = 0;
    use[n++] = (struct bucket_use){l->bucket, "session"};
    if (!m->conf)
        return n;
    const struct conf_root *r = &m->conf->root;
    if (r->limits.agent_rate.count)
        use[n++] = (struct bucket_use){
            buckets_get(m->buckets, STR("agent"), l->agent_id, STR_NONE, &r->limits.agent_rate), "agent"};
    for (size_t i = 0; tool.n && i < r->tools.n; i++) {
        const struct conf_tool *t = &r->tools.v[i];
        if ((!t->rate.count && !t->agent_rate.count) || !str_glob(t->name, tool))
            continue;
        if (t->rate.count)
            use[n++] = (struct bucket_use){buckets_get(m->buckets, STR("tool"), STR_NONE, tool, &t->rate), "tool"};
        if (t->agent_rate.count)
            use[n++] = (struct bucket_use){buckets_get(m->buckets, STR("both"), l->agent_id, tool, &t->agent_rate),
                                           "agent and tool"};
        break; /* the first pattern that matches holds */
    }
    return n;
}

static void memory_admit(struct lease_store *base, struct lease *l, struct str tool, struct lease_verdict *ret)
{
    struct memory *m = (struct memory *)base;
    struct bucket_use use[4];
    *ret = (struct lease_verdict){.err = ERR_SESSION_ENDED};
    int64_t now = clock_mono_ns();
    if (!lease_is_open(l, now))
        return;
    pthread_rwlock_rdlock(&m->limits_lock);
    unsigned n = memory_buckets(m, l, tool, use);
    bucket_take_all(use, n, now, ret);
    pthread_rwlock_unlock(&m->limits_lock);
}

static void memory_cap(struct lease_store *base, struct lease *l, const struct lease_cap *cap, unsigned n,
                       struct lease_verdict *ret)
{
    struct memory *m = (struct memory *)base;
    struct bucket_use use[LEASE_CAPS];
    *ret = (struct lease_verdict){.err = ERR_SESSION_ENDED};
    int64_t now = clock_mono_ns();
    if (!lease_is_open(l, now) || n > LEASE_CAPS)
        return;
    pthread_rwlock_rdlock(&m->limits_lock);
    for (unsigned i = 0; i < n; i++)
        use[i] = (struct bucket_use){buckets_get(m->buckets, STR("policy"), l->agent_id, cap[i].name, &cap[i].rate),
                                     "policy"};
    bucket_take_all(use, n, now, ret);
    pthread_rwlock_unlock(&m->limits_lock);
}

static void memory_take(struct lease_store *base, struct lease *l, struct lease_verdict *ret)
{
    (void)base;
    *ret = (struct lease_verdict){.err = ERR_SESSION_ENDED};
    if (!lease_is_open(l, clock_mono_ns()))
        return;
    if (atomic_fetch_add(&l->used, 1) >= l->max_calls) {
        atomic_fetch_sub(&l->used, 1);
        ret->err = ERR_CALLS;
        return;
    }
    *ret = (struct lease_verdict){.answer = LEASE_GRANTED};
}

static void memory_limits(struct lease_store *base, struct conf *conf)
{
    struct memory *m = (struct memory *)base;
    pthread_rwlock_wrlock(&m->limits_lock);
    struct conf *old = m->conf;
    m->conf = conf_ref(conf);
    pthread_rwlock_unlock(&m->limits_lock);
    conf_unref(old);
}

/* ---- walking ---- */

/* Calls `lease` for those that are wanted. They are collected slot by slot first, so that no lock is held meanwhile; a
 * slot holds a few. */
static void memory_each_of(struct memory *m, bool (*want)(struct lease *l, int64_t now), int64_t now,
                           void (*lease)(void *, struct lease *), void *ctx)
{
    struct lease *batch[256];
    for (unsigned i = 0; i < SHARDS * SHARD_SLOTS; i++) {
        struct memory_shard *s = &m->shard[i / SHARD_SLOTS];
        size_t n = 0;
        pthread_mutex_lock(&s->lock);
        for (struct lease *l = s->slot[i % SHARD_SLOTS]; l && n < 256; l = l->hash_next)
            if (want(l, now))
                batch[n++] = lease_ref(l);
        pthread_mutex_unlock(&s->lock);
        for (size_t k = 0; k < n; k++) {
            lease(ctx, batch[k]);
            lease_unref(batch[k]);
        }
    }
}

static bool memory_is_open(struct lease *l, int64_t now)
{
    return lease_is_open(l, now);
}

static void memory_each(struct lease_store *base, void (*lease)(void *, struct lease *), void *ctx)
{
    memory_each_of((struct memory *)base, memory_is_open, clock_mono_ns(), lease, ctx);
}

static bool memory_is_late(struct lease *l, int64_t now)
{
    return atomic_load(&l->state) == LEASE_OPEN && (now >= l->expires_mono || clock_wall_ms() >= l->expires);
}

struct memory_sweep {
    struct memory *m;
    void (*expired)(void *ctx, struct lease *l);
    void *ctx;
};

static void memory_expire(void *ctx, struct lease *l)
{
    struct memory_sweep *w = ctx;
    pthread_mutex_lock(&w->m->agents_lock);
    bool first = memory_close_lease(w->m, l, LEASE_EXPIRED);
    pthread_mutex_unlock(&w->m->agents_lock);
    if (first && w->expired)
        w->expired(w->ctx, l);
}

/* Leases that are over stay for a while, so that their tokens get "session ended" and not "unknown". */
static void memory_forget(struct memory *m, int64_t now)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct memory_shard *s = &m->shard[i];
        struct lease *gone = NULL;
        pthread_mutex_lock(&s->lock);
        for (unsigned k = 0; k < SHARD_SLOTS; k++) {
            for (struct lease **at = &s->slot[k]; *at;) {
                struct lease *l = *at;
                if (atomic_load(&l->state) == LEASE_OPEN || now < l->expires_mono + KEEP_MS * INT64_C(1000000)) {
                    at = &l->hash_next;
                    continue;
                }
                *at = l->hash_next;
                l->hash_next = gone;
                gone = l;
            }
        }
        pthread_mutex_unlock(&s->lock);
        while (gone) {
            struct lease *next = gone->hash_next;
            lease_unref(gone);
            gone = next;
        }
    }
}

static void memory_sweep(struct lease_store *base, int64_t now, void (*expired)(void *, struct lease *), void *ctx)
{
    struct memory *m = (struct memory *)base;
    struct memory_sweep w = {m, expired, ctx};
    memory_each_of(m, memory_is_late, now, memory_expire, &w);
    memory_forget(m, now);
    pthread_rwlock_wrlock(&m->limits_lock); /* who takes from a bucket holds it for reading */
    buckets_sweep(m->buckets, now);
    pthread_rwlock_unlock(&m->limits_lock);
}

/* ---- the store ---- */

static void memory_close(struct lease_store *base)
{
    struct memory *m = (struct memory *)base;
    for (unsigned i = 0; i < SHARDS; i++) {
        for (unsigned k = 0; k < SHARD_SLOTS; k++) {
            for (struct lease *l = m->shard[i].slot[k], *next; l; l = next) {
                next = l->hash_next;
                lease_unref(l);
            }
        }
        pthread_mutex_destroy(&m->shard[i].lock);
    }
    for (unsigned k = 0; k < AGENT_SLOTS; k++) {
        for (struct memory_agent *a = m->agent[k], *next; a; a = next) {
            next = a->next;
            free(a);
        }
    }
    buckets_free(m->buckets);
    conf_unref(m->conf);
    free(m);
}

enum err lease_memory_new(struct lease_store **ret, struct fault *f)
{
    static const struct lease_ops ops = {"memory",    memory_open,   memory_find,      memory_admit,      memory_cap,
                                         memory_take, memory_end,    memory_end_agent, memory_open_count, memory_sweep,
                                         memory_each, memory_limits, memory_close};
    struct memory *m = calloc(1, sizeof(*m));
    if (!m || !(m->buckets = buckets_new())) {
        free(m);
        return fault_set(f, ERR_NOMEM, "no memory for sessions");
    }
    m->base.ops = &ops;
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&m->shard[i].lock, NULL);
    pthread_mutex_init(&m->agents_lock, NULL);
    pthread_rwlockattr_t attr; /* calls without a pause must not keep a sweep or a reload waiting */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&m->limits_lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    *ret = &m->base;
    return ERR_OK;
}

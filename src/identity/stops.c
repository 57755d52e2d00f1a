#include "identity/stops.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct stop {
    struct store_stop is; /* of the bytes */
    struct stop *next;
    char bytes[];
};

struct stops {
    struct store *store;
    pthread_mutex_t change; /* one change of the store at a time */
    pthread_rwlock_t lock;  /* of the list */
    struct stop *first;
    _Atomic bool all;
    _Atomic size_t count; /* zero: nobody has to look at the list */
};

static struct str stop_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct stop *stop_new(const struct store_stop *p)
{
    struct stop *s = malloc(sizeof(*s) + p->agent.n + p->reason.n + p->by.n);
    if (!s)
        return NULL;
    char *at = s->bytes;
    *s = (struct stop){.is = {.at = p->at}};
    s->is.agent = stop_copy(&at, p->agent);
    s->is.reason = stop_copy(&at, p->reason);
    s->is.by = stop_copy(&at, p->by);
    return s;
}

/* Where it stands in the list, or its end. With the lock held. */
static struct stop **stops_find(struct stops *s, struct str agent)
{
    struct stop **at = &s->first;
    while (*at && !str_eq((*at)->is.agent, agent))
        at = &(*at)->next;
    return at;
}

/* Puts `stop`, or nothing, in the place of the agent's. True: there was one. */
static bool stops_replace(struct stops *s, struct str agent, struct stop *stop)
{
    pthread_rwlock_wrlock(&s->lock);
    struct stop **at = stops_find(s, agent), *old = *at;
    if (old)
        *at = old->next;
    if (stop) {
        stop->next = s->first;
        s->first = stop;
    }
    if (!agent.n)
        atomic_store(&s->all, stop != NULL);
    atomic_fetch_add(&s->count, (size_t)(stop != NULL) - (size_t)(old != NULL));
    pthread_rwlock_unlock(&s->lock);
    free(old);
    return old;
}

/* ---- judging ---- */

bool stops_all(const struct stops *s)
{
    return s->all;
}

enum err stops_judge(struct stops *s, struct str agent, struct fault *f)
{
    if (!atomic_load(&s->count))
        return ERR_OK;
    if (stops_all(s))
        return fault_set(f, ERR_ALL_STOPPED, "an operator has stopped everything: nothing is let through");
    pthread_rwlock_rdlock(&s->lock);
    bool stopped = *stops_find(s, agent);
    pthread_rwlock_unlock(&s->lock);
    return stopped ? fault_set(f, ERR_AGENT_STOPPED, "an operator has stopped the agent " STR_FMT, STR_ARG(agent))
                   : ERR_OK;
}

void stops_each(struct stops *s, void (*stop)(void *ctx, const struct store_stop *p), void *ctx)
{
    pthread_rwlock_rdlock(&s->lock);
    const struct stop *all = *stops_find(s, STR(""));
    if (all)
        stop(ctx, &all->is);
    for (const struct stop *p = s->first; p; p = p->next)
        if (p != all)
            stop(ctx, &p->is);
    pthread_rwlock_unlock(&s->lock);
}

/* ---- changes ---- */

enum err stops_put(struct stops *s, const struct store_stop *stop, struct fault *f)
{
    struct stop *p = stop_new(stop);
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for a stop");
    stops_replace(s, stop->agent, p);
    return ERR_OK;
}

enum err stops_keep(struct stops *s, struct str agent, struct fault *f)
{
    enum err e = ERR_OK;
    pthread_mutex_lock(&s->change);
    pthread_rwlock_rdlock(&s->lock);
    const struct stop *now = *stops_find(s, agent);
    struct stop *copy = now ? stop_new(&now->is) : NULL;
    pthread_rwlock_unlock(&s->lock);
    if (copy)
        e = s->store->ops->stop_put(s->store, &copy->is, f);
    else if (now)
        e = fault_set(f, ERR_NOMEM, "no memory for a stop");
    pthread_mutex_unlock(&s->change);
    free(copy);
    return e;
}

enum err stops_lift(struct stops *s, struct str agent, struct fault *f)
{
    pthread_mutex_lock(&s->change);
    pthread_rwlock_rdlock(&s->lock);
    bool stopped = *stops_find(s, agent);
    pthread_rwlock_unlock(&s->lock);
    enum err e = stopped ? s->store->ops->stop_lift(s->store, agent, f)
                         : fault_set(f, ERR_NOT_FOUND, "%s is not stopped", agent.n ? "the agent" : "everything");
    if (!e)
        stops_replace(s, agent, NULL);
    pthread_mutex_unlock(&s->change);
    return e;
}

/* ---- life ---- */

struct stops_loading {
    struct stops *s;
    struct fault *f;
    enum err e;
};

static void stops_load_one(void *ctx, const struct store_stop *p)
{
    struct stops_loading *l = ctx;
    if (!l->e)
        l->e = stops_put(l->s, p, l->f);
}

enum err stops_new(struct store *store, struct stops **ret, struct fault *f)
{
    struct stops *s = calloc(1, sizeof(*s));
    struct stops_loading l = {s, f, ERR_OK};
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for stops");
    s->store = store;
    pthread_mutex_init(&s->change, NULL);
    pthread_rwlock_init(&s->lock, NULL);
    enum err e = store->ops->stops_load(store, stops_load_one, &l, f);
    if (e || l.e) {
        stops_free(s);
        return e ? e : l.e;
    }
    *ret = s;
    return ERR_OK;
}

void stops_free(struct stops *s)
{
    if (!s)
        return;
    while (s->first) {
        struct stop *next = s->first->next;
        free(s->first);
        s->first = next;
    }
    pthread_mutex_destroy(&s->change);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

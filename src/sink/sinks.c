/* All sinks: made of the configuration, made anew when it is read again, shown, ended. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "sink/inner.h"

/* How long a stop may take: until all is handed over, and until the threads have ended. */
enum { SINKS_LAST_MS = 2000, SINKS_END_MS = 5000, SINKS_TURN_MS = 10, SINKS_MAX = 1024 };

struct sinks {
    struct audit *audit;
    char audit_dir[4000];
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct sink **v; /* in the order of the configuration */
    size_t n;
    struct conf *next;     /* to be put in force by the keeper; or NULL */
    bool ending, changing; /* changing: some are not in v that should be */
    pthread_t keeper;      /* starts and ends threads, so that a reload waits for none of them */
};

/* ---- one of them ---- */

void sink_unref(struct sink *s)
{
    if (atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    conf_unref(s->conf);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    free(s);
}

static bool sinks_thread(pthread_t *t, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(t, NULL, run, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

static struct sink *sinks_make(struct sinks *all, struct conf *conf, const struct conf_sink *is)
{
    struct cursor c;
    struct sink *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->audit = all->audit;
    snprintf(s->audit_dir, sizeof(s->audit_dir), "%s", all->audit_dir);
    snprintf(s->cursors, sizeof(s->cursors), "%s/cursors", all->audit_dir);
    s->conf = conf_ref(conf);
    s->is = is;
    s->kind = sink_kinds[is->kind];
    s->now = audit_committed(all->audit);
    s->limit = (size_t)is->batch;
    atomic_store(&s->refs, 2);
    pthread_mutex_init(&s->lock, NULL);
    clock_cond_init(&s->wake);
    snprintf(s->state.name, sizeof(s->state.name), STR_FMT, STR_ARG(is->name));
    snprintf(s->state.kind, sizeof(s->state.kind), "%s", s->kind->name);
    s->state.up = true;
    enum err e = cursor_read(s->cursors, is->name, &c, NULL);
    uint64_t sent = !e ? c.seq : e == ERR_NOT_FOUND && is->from == CONF_FROM_NOW ? s->now : 0;
    s->state.sent = sent < s->now ? sent : s->now; /* to be shown; what it says is believed when it was looked at */
    if (sinks_thread(&s->thread, sink_follow, s))
        return s;
    atomic_store(&s->refs, 1);
    sink_unref(s);
    return NULL;
}

static void sinks_tell(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stop, true);
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

/* A thread that is deep in a look-up of a name is left to itself: it touches nothing any more that goes away. */
static void sinks_end(struct sink *s)
{
    int64_t end = clock_mono_ns() + SINKS_END_MS * INT64_C(1000000);
    const struct timespec until = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    sinks_tell(s);
    pthread_mutex_lock(&s->lock);
    while (!s->over && clock_mono_ns() < end)
        pthread_cond_timedwait(&s->wake, &s->lock, &until);
    bool over = s->over;
    pthread_mutex_unlock(&s->lock);
    if (over) {
        pthread_join(s->thread, NULL);
    } else {
        log_warn("sink_left", LOG_S("sink", s->is->name), LOG_Z("reason", "its thread does not come back"));
        pthread_detach(s->thread);
    }
    sink_unref(s);
}

/* ---- all of them ---- */

static bool sinks_same_secret(const struct secret *a, const struct secret *b)
{
    if (!a || !b)
        return a == b;
    return secret_eq(a, (struct str){(const char *)secret_bytes(b), secret_len(b)});
}

static bool sinks_same(const struct conf_sink *a, const struct conf_sink *b)
{
    if (a->kind != b->kind || a->format != b->format || a->from != b->from || a->arguments != b->arguments ||
        a->batch != b->batch || a->timeout != b->timeout || a->events.n != b->events.n ||
        a->headers.n != b->headers.n || !str_eq(a->url, b->url) || !str_eq(a->subject, b->subject) ||
        !str_eq(a->ca, b->ca) || !str_eq(a->certificate, b->certificate) || !str_eq(a->key, b->key) ||
        !sinks_same_secret(a->secret, b->secret))
        return false;
    for (size_t i = 0; i < a->events.n; i++)
        if (!str_eq(a->events.v[i], b->events.v[i]))
            return false;
    for (size_t i = 0; i < a->headers.n; i++)
        if (!str_eq(a->headers.v[i].name, b->headers.v[i].name) ||
            !sinks_same_secret(a->headers.v[i].value, b->headers.v[i].value))
            return false;
    return true;
}

static struct sink *sinks_find(const struct sinks *all, struct str name)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->v[i]->is->name, name))
            return all->v[i];
    return NULL;
}

/* The keeper's: those that go on as they are stay; the others end before their successors begin, since both have one
 * cursor. */
static bool sinks_apply(struct sinks *all, struct conf *conf)
{
    const struct conf_sinks *want = &conf->root.sinks;
    struct sink **v = calloc(want->n + 1, sizeof(struct sink *)), **before;
    size_t n = 0, count;
    if (!v)
        return false;
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; i < want->n; i++) {
        struct sink *s = sinks_find(all, want->v[i].name);
        if (s && sinks_same(s->is, &want->v[i]))
            v[n++] = s;
    }
    all->changing = true;
    before = all->v;
    count = all->n;
    all->v = v;
    all->n = n;
    pthread_mutex_unlock(&all->lock);
    for (unsigned turn = 0; turn < 2; turn++) /* all are told before the first is waited for */
        for (size_t i = 0; i < count; i++)
            if (sinks_find(all, before[i]->is->name) != before[i])
                (turn ? sinks_end : sinks_tell)(before[i]);
    free(before);
    bool ok = true;
    for (size_t i = 0; i < want->n; i++) {
        if (sinks_find(all, want->v[i].name))
            continue;
        struct sink *s = sinks_make(all, conf, &want->v[i]);
        if (!s) {
            log_error("sink_not_started", LOG_S("sink", want->v[i].name),
                      LOG_Z("reason", "no thread or memory for it"));
            ok = false;
            continue;
        }
        pthread_mutex_lock(&all->lock);
        all->v[all->n++] = s;
        pthread_mutex_unlock(&all->lock);
    }
    pthread_mutex_lock(&all->lock);
    all->changing = !ok;
    pthread_mutex_unlock(&all->lock);
    return ok;
}

static void *sinks_keep(void *p)
{
    struct sinks *all = p;
    pthread_mutex_lock(&all->lock);
    while (!all->ending) {
        struct conf *conf = all->next;
        all->next = NULL;
        if (!conf) {
            pthread_cond_wait(&all->wake, &all->lock);
            continue;
        }
        pthread_mutex_unlock(&all->lock);
        sinks_apply(all, conf);
        conf_unref(conf);
        pthread_mutex_lock(&all->lock);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

enum err sinks_start(struct audit *a, const char *audit_dir, struct conf *conf, struct sinks **ret, struct fault *f)
{
    struct sinks *all = calloc(1, sizeof(*all));
    if (!all || strlen(audit_dir) >= sizeof(all->audit_dir)) {
        free(all);
        return fault_set(f, ERR_NOMEM, "no memory for sinks");
    }
    all->audit = a;
    memcpy(all->audit_dir, audit_dir, strlen(audit_dir) + 1);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->wake, NULL);
    if (!sinks_thread(&all->keeper, sinks_keep, all)) {
        free(all);
        return fault_set(f, ERR_IO, "no thread for sinks");
    }
    if (sinks_apply(all, conf)) {
        *ret = all;
        return ERR_OK;
    }
    sinks_stop(all);
    return fault_set(f, ERR_NOMEM, "a sink could not be started: no thread or memory for it");
}

void sinks_reload(struct sinks *all, struct conf *conf)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    conf_unref(all->next);
    all->next = conf_ref(conf);
    pthread_cond_signal(&all->wake);
    pthread_mutex_unlock(&all->lock);
}

/* Has every sink that can be reached taken everything? */
static bool sinks_done(struct sinks *all)
{
    uint64_t last = audit_seq(all->audit);
    bool done = !audit_queued(all->audit) && audit_committed(all->audit) == last;
    for (size_t i = 0; i < all->n && done; i++) {
        struct sink *s = all->v[i];
        pthread_mutex_lock(&s->lock);
        done = s->state.tries || s->state.sent >= last;
        pthread_mutex_unlock(&s->lock);
    }
    return done;
}

void sinks_stop(struct sinks *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->ending = true;
    pthread_cond_signal(&all->wake);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->keeper, NULL);
    conf_unref(all->next);
    int64_t until = clock_mono_ns() + SINKS_LAST_MS * INT64_C(1000000);
    const struct timespec turn = {.tv_nsec = SINKS_TURN_MS * 1000000};
    while (all->n && clock_mono_ns() < until && !sinks_done(all))
        nanosleep(&turn, NULL);
    for (size_t i = 0; i < all->n; i++)
        sinks_tell(all->v[i]);
    for (size_t i = 0; i < all->n; i++)
        sinks_end(all->v[i]);
    free(all->v);
    pthread_mutex_destroy(&all->lock);
    pthread_cond_destroy(&all->wake);
    free(all);
}

size_t sinks_list(struct sinks *all, struct sink_state *ret, size_t max)
{
    size_t n = 0;
    if (!all)
        return 0;
    uint64_t committed = audit_committed(all->audit);
    pthread_mutex_lock(&all->lock);
    for (; n < all->n && n < max; n++) {
        struct sink *s = all->v[n];
        pthread_mutex_lock(&s->lock);
        ret[n] = s->state;
        pthread_mutex_unlock(&s->lock);
        ret[n].behind = committed > ret[n].sent ? committed - ret[n].sent : 0;
    }
    pthread_mutex_unlock(&all->lock);
    return n;
}

void sinks_json(struct sinks *all, bool fault, struct json_out *o)
{
    struct sink_state *list = all ? calloc(SINKS_MAX, sizeof(*list)) : NULL;
    size_t n = list ? sinks_list(all, list, SINKS_MAX) : 0;
    json_open(o, '[');
    for (size_t i = 0; i < n; i++) {
        const struct sink_state *s = &list[i];
        json_open(o, '{');
        json_kv_z(o, "name", s->name);
        json_kv_z(o, "kind", s->kind);
        json_kv_bool(o, "up", s->up);
        json_kv_i64(o, "sent", (int64_t)s->sent);
        json_kv_i64(o, "behind", (int64_t)s->behind);
        clock_kv(o, "lastDeliveryAt", s->since_ms);
        json_kv_i64(o, "failures", (int64_t)s->failures);
        if (fault)
            json_kv_z(o, "fault", s->fault);
        json_close(o, '}');
    }
    json_close(o, ']');
    free(list);
}

uint64_t sinks_taken(struct sinks *all)
{
    uint64_t least = UINT64_MAX;
    if (!all)
        return least;
    pthread_mutex_lock(&all->lock);
    if (all->changing)
        least = 0;
    for (size_t i = 0; i < all->n; i++) {
        struct sink *s = all->v[i];
        pthread_mutex_lock(&s->lock);
        least = s->noted < least ? s->noted : least;
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_unlock(&all->lock);
    return least;
}

/* ---- the configuration, as far as only this room understands it ---- */

/* A key that the kind has no use for was meant for something. */
static const char *sinks_idle_key(const struct conf_sink *is)
{
    bool http = is->kind == CONF_SINK_WEBHOOK || is->kind == CONF_SINK_OTLP || is->kind == CONF_SINK_TRACES;
    if (is->headers.n && !http)
        return "headers go with webhook, otlp and traces only";
    if (is->secret && is->kind != CONF_SINK_WEBHOOK && is->kind != CONF_SINK_NATS)
        return "secret goes with webhook and nats only";
    if (is->arguments && is->kind != CONF_SINK_TRACES)
        return "arguments goes with traces only";
    return NULL;
}

enum err sinks_check(const struct conf *conf, struct buf *faults)
{
    const struct conf_sinks *want = &conf->root.sinks;
    bool ok = true;
    for (size_t i = 0; i < want->n; i++) {
        const struct conf_sink *is = &want->v[i];
        struct fault f;
        void *it = NULL;
        for (size_t k = 0; k < is->events.n; k++)
            if (!audit_event_known(is->events.v[k], true)) {
                buf_fmt(faults,
                        STR_FMT ": sinks." STR_FMT
                                ".events[%zu]: \"%.*s\" is no event of the record: `doorward events` "
                                "lists them\n",
                        STR_ARG(conf->file), STR_ARG(is->name), k,
                        (int)(is->events.v[k].n < 80 ? is->events.v[k].n : 80), is->events.v[k].p);
                ok = false;
            }
        const char *idle = sinks_idle_key(is);
        if (idle) {
            buf_fmt(faults, STR_FMT ": sinks." STR_FMT ": %s\n", STR_ARG(conf->file), STR_ARG(is->name), idle);
            ok = false;
        }
        if (sink_kinds[is->kind]->open(is, "", &it, &f)) {
            buf_fmt(faults, STR_FMT ": sinks." STR_FMT ": %s\n", STR_ARG(conf->file), STR_ARG(is->name), f.text);
            ok = false;
        } else {
            sink_kinds[is->kind]->close(it);
        }
    }
    return ok ? ERR_OK : ERR_CONFIG;
}

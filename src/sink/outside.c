/* All witnesses and anchors: made of the configuration, each with a thread that takes checkpoints to it. */
#include "sink/outside.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "sink/inner.h"
#include "sink/party.h"

/* FIRST: behind a start. What the machine lost with its power may be a checkpoint that a witness has; the next one, of
 * the same entries, comes within a second. */
enum { OUTSIDE_TURN_MS = 250, OUTSIDE_FIRST_MS = 1500, OUTSIDE_END_MS = 5000 };

struct outside {
    struct audit *audit;
    char audit_dir[4000];
    pthread_mutex_t lock; /* of what follows */
    struct party **v;     /* witnesses first, each in the order of the configuration */
    size_t n;
    struct party *gone; /* told to end by a reload */
};

/* ---- one of them: its thread ---- */

static void party_unref(struct party *p)
{
    if (atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    conf_unref(p->conf);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Waits a turn, or until it shall stop. */
static void party_wait(struct party *p)
{
    int64_t until = clock_mono_ns() + OUTSIDE_TURN_MS * INT64_C(1000000);
    const struct timespec when = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    pthread_mutex_lock(&p->lock);
    while (!p->stop && pthread_cond_timedwait(&p->wake, &p->lock, &when) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&p->lock);
}

static void party_well(struct party *p, uint64_t size)
{
    pthread_mutex_lock(&p->lock);
    p->state.up = true;
    p->state.size = size;
    p->state.since_ms = clock_wall_ms();
    p->since_ns = clock_mono_ns();
    p->state.tries = 0;
    p->state.fault[0] = 0;
    pthread_mutex_unlock(&p->lock);
    if (p->told)
        log_info(p->witness ? "witness_back" : "anchor_back", LOG_Z("name", p->state.name), LOG_I("size", size));
    p->told = false;
}

/* How long until it is tried again, ms. Told once, and again when the reason is another one. */
static int64_t party_failed(struct party *p, const struct fault *f)
{
    uint32_t random;
    enc_random(&random, sizeof(random));
    pthread_mutex_lock(&p->lock);
    bool same = strncmp(p->state.fault, f->text, sizeof(p->state.fault) - 1) == 0;
    uint64_t tries = ++p->state.tries;
    p->state.failures++;
    p->state.up = false;
    snprintf(p->state.fault, sizeof(p->state.fault), "%s", f->text);
    pthread_mutex_unlock(&p->lock);
    if (!p->told || !same)
        log_at(f->err == ERR_CONFLICT ? LOG_ERROR : LOG_WARN, p->witness ? "witness_gone" : "anchor_gone",
               LOG_Z("name", p->state.name), LOG_Z("code", err_code(f->err)), LOG_Z("reason", f->text));
    p->told = true;
    int64_t pause = sink_pause(tries, random),
            asked = p->asked_ms < SINK_ASKED_MAX_MS ? p->asked_ms : SINK_ASKED_MAX_MS;
    return pause > asked ? pause : asked;
}

/* The newest checkpoint, if it is another one than `size`. */
static bool party_news(struct party *p, uint64_t size, struct buf *note, uint64_t *ret_size)
{
    buf_clear(note);
    pthread_mutex_lock(&p->lock);
    bool news = !p->stop && audit_checkpoint(p->audit, note, ret_size) == ERR_OK && *ret_size != size;
    pthread_mutex_unlock(&p->lock);
    return news;
}

static void *party_run(void *arg)
{
    struct party *p = arg;
    struct buf note CLEANUP(buf_done);
    uint64_t size, done = 0;
    int64_t due = p->witness ? clock_mono_ns() + OUTSIDE_FIRST_MS * INT64_C(1000000) : 0;
    buf_init(&note, NOTE_BYTES);
    pthread_setname_np(pthread_self(), p->witness ? "witness" : "anchor");
    while (!p->stop) {
        struct fault f = {0};
        if (clock_mono_ns() < due || !party_news(p, done, &note, &size)) {
            party_wait(p);
            continue;
        }
        p->asked_ms = -1;
        f.err = p->witness ? witness_ask(p, buf_view(&note), size, &f) : anchor_put(p, buf_view(&note), &f);
        if (p->stop)
            break;
        int64_t pause = p->every_ms;
        if (f.err)
            pause = party_failed(p, &f);
        else
            party_well(p, done = size);
        due = clock_mono_ns() + pause * 1000000;
    }
    sink_http_free(p->http);
    pthread_mutex_lock(&p->lock);
    p->ended = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    party_unref(p);
    return NULL;
}

/* ---- one of them: its life ---- */

/* An address may hold a credential in front of the host or behind the question mark. */
static void party_name(struct party *p)
{
    char *name = p->state.name;
    const size_t max = sizeof(p->state.name);
    struct note_verifier key;
    struct http_url url;
    if (p->witness && note_verifier_parse(p->witness->key, &key, NULL) == ERR_OK) {
        snprintf(name, max, "%s", key.name);
    } else if (p->anchor && p->anchor->file.n) {
        snprintf(name, max, STR_FMT, STR_ARG(p->anchor->file));
    } else if (http_url_parse(p->anchor ? p->anchor->url : p->witness->url, &url, NULL) == ERR_OK) {
        const char *query = memchr(url.target.p, '?', url.target.n);
        size_t n = query ? (size_t)(query - url.target.p) : url.target.n;
        snprintf(name, max, "%s://" STR_FMT "%.*s", url.tls ? "https" : "http", STR_ARG(url.authority), (int)n,
                 url.target.p);
    }
}

static bool party_thread(struct party *p)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&p->thread, NULL, party_run, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

static struct party *party_new(struct outside *o, struct conf *conf, const struct conf_witness *w,
                               const struct conf_anchor *a)
{
    struct party *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->audit = o->audit;
    memcpy(p->audit_dir, o->audit_dir, sizeof(p->audit_dir));
    p->conf = conf_ref(conf);
    p->witness = w;
    p->anchor = a;
    p->every_ms = w ? w->every : a->every;
    p->since_ns = clock_mono_ns();
    p->state.witness = w != NULL;
    p->state.up = true;
    party_name(p);
    atomic_store(&p->refs, 2);
    pthread_mutex_init(&p->lock, NULL);
    clock_cond_init(&p->wake);
    if (party_thread(p))
        return p;
    atomic_store(&p->refs, 1);
    party_unref(p);
    return NULL;
}

/* It ends by itself, soon, and touches the record no more once the lock was free. */
static void party_tell(struct party *p)
{
    atomic_store(&p->stop, true);
    pthread_cond_broadcast(&p->wake);
}

static void party_end(struct party *p)
{
    int64_t end = clock_mono_ns() + OUTSIDE_END_MS * INT64_C(1000000);
    const struct timespec until = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    pthread_mutex_lock(&p->lock);
    while (!p->ended && pthread_cond_timedwait(&p->wake, &p->lock, &until) != ETIMEDOUT)
        ;
    bool ended = p->ended;
    pthread_mutex_unlock(&p->lock);
    if (ended)
        pthread_join(p->thread, NULL);
    else
        pthread_detach(p->thread);
    party_unref(p);
}

/* ---- all of them ---- */

static bool outside_same_secret(const struct secret *a, const struct secret *b)
{
    return secret_eq(a, (struct str){(const char *)secret_bytes(b), secret_len(b)});
}

static bool outside_same(const struct party *p, const struct conf_witness *w, const struct conf_anchor *a)
{
    if (!p || !p->witness != !w)
        return false;
    if (w)
        return str_eq(p->witness->url, w->url) && str_eq(p->witness->key, w->key) && str_eq(p->witness->ca, w->ca) &&
               p->witness->every == w->every;
    const struct conf_anchor *is = p->anchor;
    if (!str_eq(is->file, a->file) || !str_eq(is->url, a->url) || !str_eq(is->ca, a->ca) || is->every != a->every ||
        is->headers.n != a->headers.n)
        return false;
    for (size_t i = 0; i < a->headers.n; i++)
        if (!str_eq(is->headers.v[i].name, a->headers.v[i].name) ||
            !outside_same_secret(is->headers.v[i].value, a->headers.v[i].value))
            return false;
    return true;
}

/* One that goes on as it is, taken out of the old ones; or a new one; or NULL. */
static struct party *outside_party(struct outside *o, struct conf *conf, const struct conf_witness *w,
                                   const struct conf_anchor *a)
{
    if (!w && !a)
        return NULL;
    for (size_t i = 0; i < o->n; i++) {
        struct party *p = o->v[i];
        if (!outside_same(p, w, a))
            continue;
        o->v[i] = NULL;
        return p;
    }
    struct party *p = party_new(o, conf, w, a);
    if (!p)
        log_error("outside_not_started", LOG_S("name", w ? w->name : a->name),
                  LOG_Z("reason", "no thread or memory for it"));
    return p;
}

/* Those that a reload before this one told to end, and that have ended. */
static void outside_bury(struct outside *o)
{
    for (struct party **at = &o->gone; *at;) {
        struct party *p = *at;
        if (pthread_tryjoin_np(p->thread, NULL)) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        party_unref(p);
    }
}

/* False: not all could be started. */
static bool outside_apply(struct outside *o, struct conf *conf)
{
    const struct conf_witnesses *witnesses = &conf->root.audit.witnesses;
    const struct conf_anchors *anchors = &conf->root.audit.anchors;
    size_t most = witnesses->n + anchors->n, n = 0;
    struct party **v = calloc(most + 1, sizeof(struct party *));
    if (!v)
        return false;
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < most; i++) {
        bool w = i < witnesses->n;
        v[n] = outside_party(o, conf, w ? &witnesses->v[i] : NULL, w ? NULL : &anchors->v[i - witnesses->n]);
        n += v[n] != NULL;
    }
    for (size_t i = 0; i < o->n; i++) {
        if (!o->v[i])
            continue;
        party_tell(o->v[i]);
        o->v[i]->next = o->gone;
        o->gone = o->v[i];
    }
    outside_bury(o);
    free(o->v);
    o->v = v;
    o->n = n;
    pthread_mutex_unlock(&o->lock);
    return n == most;
}

enum err outside_start(struct audit *a, const char *audit_dir, struct conf *conf, struct outside **ret, struct fault *f)
{
    struct outside *o = calloc(1, sizeof(*o));
    if (!o || strlen(audit_dir) >= sizeof(o->audit_dir)) {
        free(o);
        return fault_set(f, ERR_NOMEM, "no memory for witnesses and anchors");
    }
    o->audit = a;
    memcpy(o->audit_dir, audit_dir, strlen(audit_dir) + 1);
    pthread_mutex_init(&o->lock, NULL);
    if (outside_apply(o, conf)) {
        *ret = o;
        return ERR_OK;
    }
    outside_stop(o);
    return fault_set(f, ERR_NOMEM, "a witness or an anchor could not be started: no thread or memory for it");
}

void outside_reload(struct outside *o, struct conf *conf)
{
    if (o)
        outside_apply(o, conf);
}

void outside_stop(struct outside *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n; i++)
        party_tell(o->v[i]);
    for (size_t i = 0; i < o->n; i++)
        party_end(o->v[i]);
    for (struct party *p = o->gone, *next; p; p = next) {
        next = p->next;
        party_end(p);
    }
    free(o->v);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

/* ---- how they stand ---- */

static void party_state(struct party *p, uint64_t committed, struct outside_state *ret)
{
    pthread_mutex_lock(&p->lock);
    *ret = p->state;
    ret->age_ms = (clock_mono_ns() - p->since_ns) / 1000000;
    pthread_mutex_unlock(&p->lock);
    ret->behind = committed > ret->size ? committed - ret->size : 0;
}

size_t outside_list(struct outside *o, struct outside_state *ret, size_t max)
{
    size_t n = 0;
    if (!o)
        return 0;
    uint64_t committed = audit_committed(o->audit);
    pthread_mutex_lock(&o->lock);
    for (; n < o->n && n < max; n++)
        party_state(o->v[n], committed, &ret[n]);
    pthread_mutex_unlock(&o->lock);
    return n;
}

static void outside_one(const struct outside_state *s, struct json_out *out)
{
    json_open(out, '{');
    json_kv_z(out, "name", s->name);
    json_kv_bool(out, "up", s->up);
    json_kv_i64(out, "size", (int64_t)s->size);
    json_kv_i64(out, "behind", (int64_t)s->behind);
    clock_kv(out, "newestAt", s->since_ms);
    json_kv_i64(out, "failures", (int64_t)s->failures);
    json_kv_z(out, "fault", s->fault);
    json_close(out, '}');
}

void outside_json(struct outside *o, bool witnesses, struct json_out *out)
{
    struct outside_state *list = o ? calloc(OUTSIDE_MAX, sizeof(*list)) : NULL;
    size_t n = list ? outside_list(o, list, OUTSIDE_MAX) : 0;
    json_open(out, '[');
    for (size_t i = 0; i < n; i++)
        if (list[i].witness == witnesses)
            outside_one(&list[i], out);
    json_close(out, ']');
    free(list);
}

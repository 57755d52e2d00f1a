/* All channels: made of the configuration, made anew when it is read again, shown, ended. */
#include "notify/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "notify/inner.h"

enum { NOTIFY_END_MS = 5000 };

/* ---- telling ---- */

size_t notify_now(struct notify *n, struct channel *ret[NOTIFY_CHANNELS])
{
    pthread_mutex_lock(&n->lock);
    size_t count = n->n;
    for (size_t i = 0; i < count; i++) {
        ret[i] = n->v[i];
        atomic_fetch_add(&ret[i]->refs, 1);
    }
    pthread_mutex_unlock(&n->lock);
    return count;
}

void notify_release(struct channel *v[NOTIFY_CHANNELS], size_t n)
{
    for (size_t i = 0; i < n; i++)
        channel_unref(v[i]);
}

/* A new question: to those whom it concerns; to those that stand by only when one of them is down. */
static void notify_new(struct channel *v[NOTIFY_CHANNELS], size_t n, struct str id, struct str reviewers)
{
    bool down = false;
    for (size_t i = 0; i < n; i++) {
        if (v[i]->is->standby || !channel_concerns(v[i], reviewers))
            continue;
        channel_put(v[i], id, true);
        down = down || channel_down(v[i]);
    }
    for (size_t i = 0; i < n && down; i++)
        if (v[i]->is->standby && channel_concerns(v[i], reviewers))
            channel_put(v[i], id, true);
}

void notify_news(void *ctx, const struct approval_news *news)
{
    struct notify *n = ctx;
    struct channel *v[NOTIFY_CHANNELS];
    size_t count = notify_now(n, v);
    if (news->state == APPROVAL_PENDING && news->before == APPROVAL_NONE)
        notify_new(v, count, news->id, news->reviewers);
    else if (news->escalation)
        notify_new(v, count, news->id, news->escalate);
    if (news->before != APPROVAL_NONE)
        for (size_t i = 0; i < count; i++)
            channel_put(v[i], news->id, false);
    notify_release(v, count);
}

void notify_hand_over(struct notify *n, const char (*ids)[ENC_ID_MAX], size_t count)
{
    struct channel *v[NOTIFY_CHANNELS];
    size_t channels = notify_now(n, v);
    for (size_t i = 0; i < channels; i++)
        for (size_t k = 0; v[i]->is->standby && k < count; k++)
            channel_put(v[i], str_of(ids[k]), true);
    notify_release(v, channels);
}

/* ---- of the configuration ---- */

static bool notify_same_secret(const struct secret *a, const struct secret *b)
{
    if (!a || !b)
        return a == b;
    return secret_eq(a, (struct str){(const char *)secret_bytes(b), secret_len(b)});
}

static bool notify_same_list(const struct conf_strings *a, const struct conf_strings *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = str_eq(a->v[i], b->v[i]);
    return same;
}

static bool notify_same(const struct conf_channel *a, const struct conf_channel *b)
{
    return str_eq(a->name, b->name) && a->kind == b->kind && a->approve == b->approve && a->standby == b->standby &&
           a->timeout == b->timeout && str_eq(a->url, b->url) && str_eq(a->channel, b->channel) &&
           str_eq(a->username, b->username) && str_eq(a->from, b->from) && str_eq(a->link, b->link) &&
           str_eq(a->ca, b->ca) && notify_same_list(&a->to, &b->to) && notify_same_list(&a->groups, &b->groups) &&
           notify_same_secret(a->token, b->token) && notify_same_secret(a->secret, b->secret);
}

/* The one that goes on as it is; it is taken out of the list. */
static struct channel *notify_take(struct channel **v, size_t n, const struct conf_channel *is)
{
    for (size_t i = 0; i < n; i++) {
        struct channel *c = v[i];
        if (c && notify_same(c->is, is)) {
            v[i] = NULL;
            return c;
        }
    }
    return NULL;
}

struct notify_begin {
    struct channel *of;
};

static void notify_pending(void *to, struct str id, struct str reviewers)
{
    struct notify_begin *b = to;
    if (channel_concerns(b->of, reviewers))
        channel_put(b->of, id, true);
}

static void notify_kept(void *to, struct str id, struct str ref)
{
    struct notify_begin *b = to;
    channel_kept(b->of, id, ref);
}

/* Channels that are new come to know what is pending, and what may have ended while they were not there. A question
 * that comes at this moment may be told by both ways: that is one job. */
static void notify_begin(struct notify *n, struct channel *c)
{
    struct notify_begin b = {c};
    struct approval_glass glass;
    if (n->house.glass && n->house.glass(n->house.ctx, &glass)) {
        const struct glass_news news = {
            .event = GLASS_STARTED, .glass = &glass, .at = glass.since, .by = str_of(glass.by)};
        struct notify_page page;
        page_of(&news, &page);
        channel_page(c, &page);
    }
    if (!c->is->standby)
        n->house.pending(n->house.ctx, notify_pending, &b);
    if (c->kind->lasts && n->house.kept)
        n->house.kept(&n->house, c->state.name, notify_kept, &b);
}

static bool notify_apply(struct notify *n, struct conf *conf)
{
    const struct conf_channels *want = &conf->root.channels;
    struct channel *before[NOTIFY_CHANNELS], *v[NOTIFY_CHANNELS], *fresh[NOTIFY_CHANNELS];
    size_t had, count = 0, made = 0;
    bool ok = true;
    pthread_mutex_lock(&n->lock); /* one thread changes the list: what is read here stays */
    had = n->n;
    memcpy(before, n->v, sizeof(before));
    pthread_mutex_unlock(&n->lock);
    for (size_t i = 0; i < want->n && count < NOTIFY_CHANNELS; i++) {
        struct channel *c = notify_take(before, had, &want->v[i]);
        if (!c && (c = channel_new(n, conf, &want->v[i])))
            fresh[made++] = c;
        if (c)
            v[count++] = c;
        else
            log_error("channel_not_started", LOG_S("channel", want->v[i].name), LOG_Z("reason", "no thread or memory"));
        ok = ok && c;
    }
    pthread_mutex_lock(&n->lock);
    memcpy(n->v, v, count * sizeof(*v));
    n->n = count;
    pthread_mutex_unlock(&n->lock);
    for (size_t i = 0; i < had; i++)
        if (before[i])
            channel_end(before[i]);
    for (size_t i = 0; i < made; i++)
        notify_begin(n, fresh[i]);
    return ok;
}

enum err notify_start(const struct notify_house *house, struct conf_slot *conf, struct notify **ret, struct fault *f)
{
    struct notify *n = calloc(1, sizeof(*n));
    if (!n)
        return fault_set(f, ERR_NOMEM, "no memory for channels");
    n->house = *house;
    n->conf = conf;
    pthread_mutex_init(&n->lock, NULL);
    clock_cond_init(&n->idle);
    struct conf *now = conf_slot_get(conf);
    bool ok = notify_apply(n, now);
    conf_unref(now);
    if (ok) {
        *ret = n;
        return ERR_OK;
    }
    notify_stop(n);
    return fault_set(f, ERR_NOMEM, "a channel could not be started: no thread or memory for it");
}

void notify_reload(struct notify *n, struct conf *conf)
{
    if (n)
        notify_apply(n, conf);
}

void notify_stop(struct notify *n)
{
    if (!n)
        return;
    int64_t end = clock_mono_ns() + NOTIFY_END_MS * INT64_C(1000000);
    const struct timespec until = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    pthread_mutex_lock(&n->lock);
    size_t count = n->n;
    n->n = 0;
    pthread_mutex_unlock(&n->lock);
    for (size_t i = 0; i < count; i++)
        channel_end(n->v[i]);
    pthread_mutex_lock(&n->lock);
    while (n->threads && clock_mono_ns() < end)
        pthread_cond_timedwait(&n->idle, &n->lock, &until);
    unsigned left = n->threads;
    pthread_mutex_unlock(&n->lock);
    if (left) { /* deep in a look-up of a name: what it may still touch stays */
        log_warn("channels_left", LOG_I("threads", left), LOG_Z("reason", "their threads do not come back"));
        return;
    }
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->idle);
    free(n);
}

enum err notify_check(const struct conf *conf, struct buf *faults)
{
    const struct conf_channels *want = &conf->root.channels;
    bool ok = want->n <= NOTIFY_CHANNELS;
    if (!ok)
        buf_fmt(faults, STR_FMT ": channels: must be at most %d\n", STR_ARG(conf->file), NOTIFY_CHANNELS);
    for (size_t i = 0; i < want->n; i++) {
        const struct notifier *kind = notifiers[want->v[i].kind];
        struct fault f;
        void *it;
        if (kind->open(&want->v[i], &it, &f)) {
            buf_fmt(faults, STR_FMT ": channels." STR_FMT ": %s\n", STR_ARG(conf->file), STR_ARG(want->v[i].name),
                    f.text);
            ok = false;
        } else {
            kind->close(it);
        }
    }
    return ok ? ERR_OK : ERR_CONFIG;
}

/* ---- showing ---- */

size_t notify_list(struct notify *n, struct notify_state *ret, size_t max)
{
    struct channel *v[NOTIFY_CHANNELS];
    size_t count = n ? notify_now(n, v) : 0, i = 0;
    for (; i < count && i < max; i++) {
        pthread_mutex_lock(&v[i]->lock);
        ret[i] = v[i]->state;
        pthread_mutex_unlock(&v[i]->lock);
    }
    notify_release(v, count);
    return i;
}

void notify_json(struct notify *n, bool fault, struct json_out *o)
{
    struct notify_state *list = calloc(NOTIFY_CHANNELS, sizeof(*list));
    size_t count = list ? notify_list(n, list, NOTIFY_CHANNELS) : 0;
    json_open(o, '[');
    for (size_t i = 0; i < count; i++) {
        const struct notify_state *s = &list[i];
        json_open(o, '{');
        json_kv_z(o, "name", s->name);
        json_kv_z(o, "kind", s->kind);
        json_kv_bool(o, "up", s->up);
        json_kv_bool(o, "standby", s->standby);
        json_kv_i64(o, "waiting", (int64_t)s->waiting);
        json_kv_i64(o, "sent", (int64_t)s->sent);
        clock_kv(o, "lastMessageAt", s->since_ms);
        json_kv_i64(o, "failures", (int64_t)s->failures);
        json_kv_i64(o, "dropped", (int64_t)s->dropped);
        if (fault)
            json_kv_z(o, "fault", s->fault);
        json_close(o, '}');
    }
    json_close(o, ']');
    free(list);
}

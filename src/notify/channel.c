/*
 * One channel: the thread that says what it knows of (jobs.c). A question's job waits for its turn, is read as it
 * stands now, and is said; it goes when its end was told. What fails is tried again, and those behind it wait.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "notify/inner.h"
#include "sink/sink.h"

/* ---- how it goes ---- */

static void channel_pause(struct channel *c, int64_t ms)
{
    int64_t until = clock_mono_ns() + ms * 1000000;
    const struct timespec when = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    pthread_mutex_lock(&c->lock);
    while (!atomic_load(&c->stop) && clock_mono_ns() < until)
        pthread_cond_timedwait(&c->wake, &c->lock, &when);
    pthread_mutex_unlock(&c->lock);
}

/* Those that were not told and not handed over yet: others take over. */
static void channel_hand_over(struct channel *c)
{
    size_t n = 0;
    if (c->is->standby)
        return;
    pthread_mutex_lock(&c->lock);
    char(*ids)[ENC_ID_MAX] = calloc(c->state.waiting + 1, sizeof(*ids));
    for (struct notify_job *j = c->first; j && ids; j = j->next)
        if (!j->told && !j->handed) {
            j->handed = true;
            memcpy(ids[n++], j->id, sizeof(j->id));
        }
    pthread_mutex_unlock(&c->lock);
    if (n)
        notify_hand_over(c->all, (const char(*)[ENC_ID_MAX])ids, n);
    free(ids);
}

static void channel_failed(struct channel *c, const struct fault *f, int64_t asked_ms)
{
    uint32_t random;
    enc_random(&random, sizeof(random));
    pthread_mutex_lock(&c->lock);
    uint64_t tries = ++c->tries;
    c->state.failures++;
    c->state.up = false;
    snprintf(c->state.fault, sizeof(c->state.fault), "%s", f->text);
    uint64_t waiting = c->state.waiting;
    pthread_mutex_unlock(&c->lock);
    int64_t pause = sink_pause(tries, random);
    int64_t asked = asked_ms < NOTIFY_ASKED_MAX_MS ? asked_ms : NOTIFY_ASKED_MAX_MS;
    if (tries > 1 || asked) { /* one failure alone is a connection that had grown old */
        if (!c->gone_told)
            log_warn("channel_down", LOG_S("channel", c->is->name), LOG_Z("kind", c->kind->name),
                     LOG_Z("reason", f->text), LOG_I("waiting", waiting));
        c->gone_told = true;
        channel_hand_over(c);
    }
    channel_pause(c, pause > asked ? pause : asked);
}

static void channel_well(struct channel *c)
{
    pthread_mutex_lock(&c->lock);
    c->tries = 0;
    c->state.up = true;
    c->state.sent++;
    c->state.since_ms = clock_wall_ms();
    c->state.fault[0] = 0;
    c->full_told = false;
    pthread_mutex_unlock(&c->lock);
    if (c->gone_told)
        log_info("channel_up", LOG_S("channel", c->is->name), LOG_Z("kind", c->kind->name));
    c->gone_told = false;
}

/* The other side will never take this one; those behind it shall not wait for that. */
static void channel_refused(struct channel *c, struct str id, const struct fault *f, bool ask)
{
    pthread_mutex_lock(&c->lock);
    c->state.dropped++;
    channel_forget(c, id);
    pthread_mutex_unlock(&c->lock);
    log_warn("channel_refuses", LOG_S("channel", c->is->name), LOG_S("approval", id), LOG_Z("reason", f->text));
    char ids[1][ENC_ID_MAX] = {{0}};
    memcpy(ids[0], id.p, id.n);
    if (ask && !c->is->standby)
        notify_hand_over(c->all, (const char(*)[ENC_ID_MAX])ids, 1);
}

/* ---- one turn of the thread ---- */

/* What is next: a page, a word to somebody, or a question. False: it shall end. */
static bool channel_next(struct channel *c, const struct notify_page **ret_page, struct notify_say **ret_say,
                         struct notify_job *ret_job)
{
    *ret_page = NULL;
    *ret_say = NULL;
    pthread_mutex_lock(&c->lock);
    while (!atomic_load(&c->stop) && !c->page && !c->say && !c->first)
        pthread_cond_wait(&c->wake, &c->lock);
    bool go_on = !atomic_load(&c->stop);
    if (go_on && c->page) {
        *ret_page = &c->page->page; /* stays the first until it is told */
    } else if (go_on && c->say) {
        *ret_say = c->say;
        c->say = c->say->next;
        c->say_end = c->say ? c->say_end : &c->say;
        c->words--;
    } else if (go_on) {
        struct notify_job *j = c->first;
        channel_unqueue(c, j);
        *ret_job = *j;
    }
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

/* One that did not go well stays the first, unless it has gone meanwhile. */
static void channel_again(struct channel *c, struct str id)
{
    pthread_mutex_lock(&c->lock);
    struct notify_job *j = *channel_find(c, id);
    if (j) {
        channel_unqueue(c, j);
        channel_queue(c, j, true);
    }
    pthread_mutex_unlock(&c->lock);
}

static void channel_told(struct channel *c, struct str id, const char *ref, bool over, bool escalated)
{
    pthread_mutex_lock(&c->lock);
    struct notify_job *j = *channel_find(c, id);
    if (over)
        channel_forget(c, id);
    else if (j) {
        j->told = true;
        j->escalated = escalated;
        snprintf(j->ref, sizeof(j->ref), "%s", ref);
    }
    pthread_mutex_unlock(&c->lock);
}

/* So that a process after this one knows what is open there. */
static void channel_keep(struct channel *c, struct str id, const char *ref)
{
    struct notify_house *h = &c->all->house;
    if (c->kind->lasts && h->keep)
        h->keep(h, c->state.name, id, ref);
}

static enum err channel_open(struct channel *c, struct fault *f)
{
    return c->it ? ERR_OK : c->kind->open(c->is, &c->it, f);
}

static void channel_word(struct channel *c, struct notify_say *s)
{
    struct notify_told told = {0};
    struct fault f = {0};
    const struct notify_word w = {str_of(s->user), str_of(s->channel), str_of(s->text)};
    enum err e = channel_open(c, &f);
    if (!e)
        e = c->kind->say(c->it, &w, &c->stop, &told, &f);
    if (!e)
        channel_well(c);
    else if (!atomic_load(&c->stop)) /* it is about a moment: nobody wants it later */
        log_debug("channel_word_lost", LOG_S("channel", c->is->name), LOG_Z("reason", f.text));
    free(s);
}

static void channel_paged(struct channel *c, const struct notify_page *p)
{
    struct notify_told told = {.refused = false};
    struct fault f = {0};
    arena_reset(&c->arena);
    enum err e = channel_open(c, &f);
    if (!e)
        e = c->kind->page(c->it, p, &c->stop, &told, &f);
    if (!e) {
        channel_page_done(c, true);
        channel_well(c);
    } else if (!atomic_load(&c->stop) && told.refused) {
        log_warn("channel_refuses", LOG_S("channel", c->is->name), LOG_Z("page", p->key), LOG_Z("reason", f.text));
        channel_page_done(c, false);
    } else if (!atomic_load(&c->stop)) {
        channel_failed(c, &f, told.pause_ms);
    }
}

/* Over, without that anybody was told. */
static void channel_nothing(struct channel *c, const struct notify_job *j)
{
    channel_told(c, str_of(j->id), "", true, false);
    if (j->kept)
        channel_keep(c, str_of(j->id), NULL);
}

/* Without the record, which takes its time: is it over already, and nobody was told? */
static bool channel_is_past(struct channel *c, const struct notify_job *j)
{
    const struct notify_house *h = &c->all->house;
    struct approval_card card;
    struct fault f = {0};
    arena_reset(&c->arena);
    return !j->told && !j->kept && !h->card(h->ctx, str_of(j->id), &c->arena, &card, &f) &&
           card.state != APPROVAL_PENDING;
}

static enum err channel_say_it(struct channel *c, const struct notify_job *j, const struct notify_message *m, bool ask,
                               struct notify_told *told, struct fault *f)
{
    TRY(channel_open(c, f));
    if (ask && !j->kept)
        channel_keep(c, str_of(j->id), "");
    return (ask ? c->kind->ask : c->kind->update)(c->it, m, &c->stop, told, f);
}

static void channel_ended(struct channel *c, const struct notify_job *j, const struct notify_message *m, bool ask,
                          const struct notify_told *told, const struct fault *f, enum err e)
{
    struct str id = str_of(j->id);
    if (!e) {
        channel_told(c, id, told->ref, m->over, m->card.escalated > 0);
        if (m->over || (ask && told->ref[0]))
            channel_keep(c, id, m->over ? NULL : told->ref);
        channel_well(c);
    } else if (!atomic_load(&c->stop) && told->refused) {
        channel_refused(c, id, f, ask);
        channel_keep(c, id, NULL);
    } else if (!atomic_load(&c->stop)) {
        channel_again(c, id);
        channel_failed(c, f, told->pause_ms);
    }
}

static void channel_question(struct channel *c, const struct notify_job *j)
{
    struct notify_message m = {0};
    struct notify_told told = {0};
    struct fault f = {0};
    const struct notify_house *h = &c->all->house;
    if (channel_is_past(c, j)) {
        channel_nothing(c, j);
        return;
    }
    memcpy(told.ref, j->ref, sizeof(told.ref));
    arena_reset(&c->arena);
    enum err e = h->view(h->ctx, str_of(j->id), &c->arena, &m.view, &m.card, &f);
    if (!e)
        shown_end(&m, &c->arena);
    if (!e && arena_failed(&c->arena))
        e = fault_set(&f, ERR_NOMEM, "no memory for a message");
    bool ask = !j->told && !(!e && m.over && j->kept);
    bool mine = e || !ask || channel_asks(c, &m.card); /* what was handed over was for others first */
    bool news = m.end.n || (m.escalated && !j->escalated);
    if (e == ERR_NOT_FOUND || !mine || (!e && m.over && ask)) {
        channel_nothing(c, j); /* nobody was told, and nobody needs to be */
        return;
    }
    if (!e && !ask && !m.over && !news) /* told, and nothing has happened since */
        return;
    if (!e)
        e = channel_say_it(c, j, &m, ask, &told, &f);
    channel_ended(c, j, &m, ask, &told, &f, e);
}

static void *channel_run(void *p)
{
    struct channel *c = p;
    struct notify *all = c->all;
    const struct notify_page *page;
    struct notify_say *say;
    struct notify_job job;
    arena_init(&c->arena, VIEW_ARENA);
    while (channel_next(c, &page, &say, &job))
        if (page)
            channel_paged(c, page);
        else if (say)
            channel_word(c, say);
        else
            channel_question(c, &job);
    if (c->it)
        c->kind->close(c->it);
    arena_done(&c->arena);
    channel_unref(c);
    pthread_mutex_lock(&all->lock);
    all->threads--;
    pthread_cond_broadcast(&all->idle);
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* ---- its life ---- */

void channel_unref(struct channel *c)
{
    if (atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (size_t i = 0; i < NOTIFY_SLOTS; i++)
        for (struct notify_job *j = c->slot[i], *next; j; j = next) {
            next = j->same;
            free(j);
        }
    for (struct notify_say *s = c->say, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    for (struct notify_paged *p = c->page, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    conf_unref(c->conf);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    free(c);
}

void channel_end(struct channel *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->stop, true);
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
    channel_unref(c);
}

/* Not waited for by its handle: notify_stop waits until all are gone. */
static bool channel_thread(struct channel *c)
{
    sigset_t every, before;
    pthread_t t;
    pthread_mutex_lock(&c->all->lock);
    c->all->threads++;
    pthread_mutex_unlock(&c->all->lock);
    sigfillset(&every); /* signals are for the first thread */
    pthread_sigmask(SIG_SETMASK, &every, &before);
    bool ok = pthread_create(&t, NULL, channel_run, c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok) {
        pthread_detach(t);
        return true;
    }
    pthread_mutex_lock(&c->all->lock);
    c->all->threads--;
    pthread_mutex_unlock(&c->all->lock);
    return false;
}

struct channel *channel_new(struct notify *all, struct conf *conf, const struct conf_channel *is)
{
    struct channel *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->all = all;
    c->conf = conf_ref(conf);
    c->is = is;
    c->kind = notifiers[is->kind];
    c->say_end = &c->say;
    c->page_end = &c->page;
    atomic_store(&c->refs, 2);
    pthread_mutex_init(&c->lock, NULL);
    clock_cond_init(&c->wake);
    snprintf(c->state.name, sizeof(c->state.name), STR_FMT, STR_ARG(is->name));
    snprintf(c->state.kind, sizeof(c->state.kind), "%s", c->kind->name);
    c->state.up = true;
    c->state.standby = is->standby;
    if (channel_thread(c))
        return c;
    atomic_store(&c->refs, 1);
    channel_unref(c);
    return NULL;
}

/* What one channel knows of, and what waits for its thread: questions, pages, words to somebody. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "notify/inner.h"

/* ---- jobs: all under the lock ---- */

struct notify_job **channel_find(struct channel *c, struct str id)
{
    struct notify_job **at = &c->slot[str_hash(id) % NOTIFY_SLOTS];
    while (*at && !str_is(id, (*at)->id))
        at = &(*at)->same;
    return at;
}

void channel_unqueue(struct channel *c, struct notify_job *j)
{
    if (!j->queued)
        return;
    *(j->prev ? &j->prev->next : &c->first) = j->next;
    *(j->next ? &j->next->prev : &c->last) = j->prev;
    j->next = j->prev = NULL;
    j->queued = false;
    c->state.waiting--;
}

void channel_queue(struct channel *c, struct notify_job *j, bool front)
{
    if (j->queued)
        return;
    j->prev = front ? NULL : c->last;
    j->next = front ? c->first : NULL;
    *(j->prev ? &j->prev->next : &c->first) = j;
    *(j->next ? &j->next->prev : &c->last) = j;
    j->queued = true;
    c->state.waiting++;
    pthread_cond_signal(&c->wake);
}

void channel_forget(struct channel *c, struct str id)
{
    struct notify_job **at = channel_find(c, id), *j = *at;
    if (!j)
        return;
    channel_unqueue(c, j);
    *at = j->same;
    c->known--;
    free(j);
}

static struct notify_job *channel_make(struct channel *c, struct str id)
{
    struct notify_job *j = c->known < NOTIFY_QUEUE && id.n < sizeof(j->id) ? calloc(1, sizeof(*j)) : NULL;
    if (!j) {
        c->state.dropped++;
        if (!c->full_told)
            log_warn("channel_full", LOG_S("channel", c->is->name), LOG_I("known", c->known));
        c->full_told = true;
        return NULL;
    }
    memcpy(j->id, id.p, id.n);
    *channel_find(c, id) = j;
    c->known++;
    return j;
}

void channel_put(struct channel *c, struct str id, bool ask)
{
    pthread_mutex_lock(&c->lock);
    struct notify_job *j = *channel_find(c, id);
    if (!j && ask && !atomic_load(&c->stop))
        j = channel_make(c, id);
    if (j)
        channel_queue(c, j, false);
    pthread_mutex_unlock(&c->lock);
}

void channel_seen(struct channel *c, struct str id, const char *ref)
{
    pthread_mutex_lock(&c->lock);
    struct notify_job *j = *channel_find(c, id);
    if (!j && !atomic_load(&c->stop))
        j = channel_make(c, id);
    if (j && !j->told) {
        j->told = true;
        snprintf(j->ref, sizeof(j->ref), "%s", ref);
    }
    if (j)
        channel_queue(c, j, false);
    pthread_mutex_unlock(&c->lock);
}

void channel_kept(struct channel *c, struct str id, struct str ref)
{
    pthread_mutex_lock(&c->lock);
    struct notify_job *j = *channel_find(c, id);
    bool waits = j != NULL; /* it is asked again, or how it ended is told, as it stands when its turn comes */
    if (!j && !atomic_load(&c->stop))
        j = channel_make(c, id);
    if (j && !j->told && !j->kept) {
        j->kept = true;
        j->told = !waits;
        snprintf(j->ref, sizeof(j->ref), STR_FMT, STR_ARG(ref));
    }
    if (j)
        channel_queue(c, j, false);
    pthread_mutex_unlock(&c->lock);
}

void channel_say(struct channel *c, const struct notify_word *w)
{
    struct notify_say *s = c->kind->say ? calloc(1, sizeof(*s)) : NULL;
    if (!s)
        return;
    snprintf(s->user, sizeof(s->user), STR_FMT, STR_ARG(w->user));
    snprintf(s->channel, sizeof(s->channel), STR_FMT, STR_ARG(w->channel));
    struct str text = w->text.n < sizeof(s->text) ? w->text : shown_cut(w->text, sizeof(s->text) / 4 - 1);
    snprintf(s->text, sizeof(s->text), STR_FMT, STR_ARG(text));
    pthread_mutex_lock(&c->lock);
    if (c->words < NOTIFY_WORDS) {
        *c->say_end = s;
        c->say_end = &s->next;
        c->words++;
        s = NULL;
        pthread_cond_signal(&c->wake);
    }
    pthread_mutex_unlock(&c->lock);
    free(s);
}

bool channel_down(struct channel *c)
{
    pthread_mutex_lock(&c->lock);
    bool down = !c->state.up;
    pthread_mutex_unlock(&c->lock);
    return down;
}

static bool channel_has(const struct conf_strings *groups, struct str name)
{
    for (size_t i = 0; i < groups->n; i++)
        if (str_eq(groups->v[i], name))
            return true;
    return false;
}

/* reviewers: a JSON array; an empty one is anybody, and so for everybody. */
bool channel_concerns(const struct channel *c, struct str reviewers)
{
    struct arena a;
    struct json j;
    if (!c->is->groups.n)
        return true;
    arena_init(&a, 1u << 20);
    bool yes = json_parse(&j, reviewers, &a, NULL, NULL) != ERR_OK || !json_first(&j, JSON_ROOT);
    if (!yes)
        JSON_EACH(&j, JSON_ROOT, one)
    yes = yes || channel_has(&c->is->groups, json_str(&j, one, &a));
    arena_done(&a);
    return yes;
}

bool channel_asks(const struct channel *c, const struct approval_card *card)
{
    return channel_concerns(c, card->reviewers) || (card->escalated && channel_concerns(c, card->escalate));
}

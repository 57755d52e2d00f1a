#include "mcp/backlog.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "mcp/backlog_inner.h"

struct backlogs *backlogs_new(void)
{
    struct backlogs *t = calloc(1, sizeof(*t));
    if (t)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

struct backlog *backlog_ref(struct backlog *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

void backlog_unref(struct backlog *p)
{
    if (atomic_fetch_sub(&p->refs, 1) == 1)
        free(p); /* its messages went when it was no longer kept */
}

const char *backlog_name(const struct backlog *p)
{
    return p->name;
}

static bool backlog_is_of(const struct backlog *p, struct str session)
{
    return str_eq((struct str){p->session, p->session_n}, session);
}

/* ---- streams ---- */

struct backlog *backlog_new(struct backlogs *t, struct backlog_of of, const struct backlog_bounds *b,
                            uint64_t *ret_view)
{
    unsigned char random[8];
    struct backlog *p = calloc(1, sizeof(*p) + of.session.n);
    if (!p)
        return NULL;
    *p = (struct backlog){.table = t, .bounds = *b, .last = &p->first, .refs = 2, .session_n = of.session.n};
    enc_random(random, sizeof(random));
    enc_hex(random, sizeof(random), p->name);
    memcpy(p->session, of.session.p, of.session.n);
    pthread_mutex_lock(&t->lock);
    if (!backlog_enter(t, of.sid, p)) {
        pthread_mutex_unlock(&t->lock);
        free(p);
        return NULL;
    }
    *ret_view = p->view = ++t->views;
    pthread_mutex_unlock(&t->lock);
    return p;
}

struct backlog *backlog_find(struct backlogs *t, struct backlog_of of, struct str name)
{
    pthread_mutex_lock(&t->lock);
    struct backlog_lease *l = *backlog_lease(t, of.sid);
    struct backlog *p = l ? l->first : NULL;
    while (p && !(str_is(name, p->name) && backlog_is_of(p, of.session)))
        p = p->next;
    if (p)
        backlog_ref(p);
    pthread_mutex_unlock(&t->lock);
    return p;
}

static uint64_t backlog_put(struct backlog *p, struct str message, bool last, struct str too_large)
{
    pthread_mutex_lock(&p->table->lock);
    uint64_t number = ++p->number;
    if (p->lease && !backlog_keep(p, message)) {
        backlog_note(p, "a message that is larger than what may be kept");
        if (last && !backlog_keep(p, too_large))
            backlog_remove(p); /* who comes back learns that it is not kept */
    }
    if (last) {
        p->finished = true;
        p->left_ns = clock_mono_ns();
    }
    backlog_wake *wake = p->lease && p->view ? p->wake : NULL;
    void *ctx = p->wake_ctx;
    if (wake)
        backlog_ref(p);
    pthread_mutex_unlock(&p->table->lock);
    if (wake)
        wake(ctx, p);
    return number;
}

uint64_t backlog_add(struct backlog *p, struct str message)
{
    return backlog_put(p, message, false, STR_NONE);
}

uint64_t backlog_finish(struct backlog *p, struct str message, struct str too_large)
{
    return backlog_put(p, message, true, too_large);
}

void backlog_close(struct backlog *p)
{
    pthread_mutex_lock(&p->table->lock);
    if (p->lease)
        backlog_remove(p);
    pthread_mutex_unlock(&p->table->lock);
}

/* Has its client been away for so long that it is to be forgotten? */
static bool backlog_late(const struct backlog *p, int64_t now)
{
    return p->left_ns && now - p->left_ns >= p->bounds.keep_ns;
}

/* ---- showing ---- */

enum backlog_state backlog_show(struct backlog *p, uint64_t position, backlog_wake *wake, void *ctx, uint64_t *ret_view)
{
    enum backlog_state state = BACKLOG_MESSAGE;
    pthread_mutex_lock(&p->table->lock);
    if (!p->lease || position > p->number || backlog_late(p, clock_mono_ns())) {
        state = BACKLOG_OVER;
    } else if (position == p->number && p->finished) {
        state = BACKLOG_ENDED;
    } else {
        state = position == p->number ? BACKLOG_WAITS : BACKLOG_MESSAGE;
        p->wake = wake;
        p->wake_ctx = ctx;
        p->left_ns = p->finished ? p->left_ns : 0;
        *ret_view = p->view = ++p->table->views;
    }
    pthread_mutex_unlock(&p->table->lock);
    return state;
}

enum backlog_state backlog_next(struct backlog *p, uint64_t view, uint64_t *position, uint64_t *ret_missed,
                                struct buf *message)
{
    enum backlog_state state = BACKLOG_OVER;
    *ret_missed = 0;
    pthread_mutex_lock(&p->table->lock);
    const struct backlog_message *m = p->first;
    while (m && m->number <= *position)
        m = m->next;
    if (p->lease && p->view == view) {
        state = m ? BACKLOG_MESSAGE : p->finished ? BACKLOG_ENDED : BACKLOG_WAITS;
        *ret_missed = (m ? m->number - 1 : p->number) - *position;
        *position = m ? m->number : p->number;
    }
    if (state == BACKLOG_MESSAGE)
        buf_put(message, m->bytes, m->n);
    pthread_mutex_unlock(&p->table->lock);
    return state;
}

bool backlog_shown(struct backlog *p, uint64_t view)
{
    pthread_mutex_lock(&p->table->lock);
    bool shown = p->lease ? p->view == view : !p->wake; /* what is not kept, its producer still shows */
    pthread_mutex_unlock(&p->table->lock);
    return shown;
}

void backlog_left(struct backlog *p, uint64_t view)
{
    pthread_mutex_lock(&p->table->lock);
    if (p->lease && p->view == view) {
        p->view = 0;
        p->left_ns = clock_mono_ns();
    }
    pthread_mutex_unlock(&p->table->lock);
}

bool backlog_kept(struct backlog *p)
{
    pthread_mutex_lock(&p->table->lock);
    bool kept = p->lease != NULL;
    pthread_mutex_unlock(&p->table->lock);
    return kept;
}

int64_t backlog_left_at(struct backlog *p)
{
    pthread_mutex_lock(&p->table->lock);
    int64_t at = p->left_ns;
    pthread_mutex_unlock(&p->table->lock);
    return at;
}

/* ---- all ---- */

enum backlog_which { BACKLOG_ALL, BACKLOG_OF_SESSION, BACKLOG_LATE };

static bool backlog_goes(const struct backlog *p, enum backlog_which which, struct str session, int64_t now)
{
    return which == BACKLOG_ALL || (which == BACKLOG_LATE && backlog_late(p, now)) ||
           (which == BACKLOG_OF_SESSION && backlog_is_of(p, session));
}

/* The lease itself goes with its last stream. */
static void backlog_remove_of(struct backlog_lease *l, enum backlog_which which, struct str session, int64_t now)
{
    unsigned left = l ? l->count : 0;
    for (struct backlog *p = left ? l->first : NULL, *next; left; p = next, left--) {
        next = p->next;
        if (backlog_goes(p, which, session, now))
            backlog_remove(p);
    }
}

void backlogs_forget(struct backlogs *t, struct str sid)
{
    pthread_mutex_lock(&t->lock);
    backlog_remove_of(*backlog_lease(t, sid), BACKLOG_ALL, STR_NONE, 0);
    pthread_mutex_unlock(&t->lock);
}

void backlogs_forget_session(struct backlogs *t, struct backlog_of of)
{
    pthread_mutex_lock(&t->lock);
    backlog_remove_of(*backlog_lease(t, of.sid), BACKLOG_OF_SESSION, of.session, 0);
    pthread_mutex_unlock(&t->lock);
}

static void backlogs_each(struct backlogs *t, enum backlog_which which, int64_t now)
{
    pthread_mutex_lock(&t->lock);
    for (unsigned i = 0; i < BACKLOG_BUCKETS && t->count; i++)
        for (struct backlog_lease *l = t->bucket[i], *next; l; l = next) {
            next = l->next;
            backlog_remove_of(l, which, STR_NONE, now);
        }
    pthread_mutex_unlock(&t->lock);
}

void backlogs_sweep(struct backlogs *t, int64_t now_ns)
{
    backlogs_each(t, BACKLOG_LATE, now_ns);
}

void backlogs_free(struct backlogs *t)
{
    if (!t)
        return;
    backlogs_each(t, BACKLOG_ALL, 0);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

size_t backlogs_count(struct backlogs *t)
{
    pthread_mutex_lock(&t->lock);
    size_t n = t->count;
    pthread_mutex_unlock(&t->lock);
    return n;
}

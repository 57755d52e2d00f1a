/* What is kept of streams, and what has to go for it. With the table's lock held. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "mcp/backlog_inner.h"

static void backlog_account(struct backlog *p, size_t before, size_t after)
{
    p->lease->bytes += after - before;
    p->table->bytes += after - before;
}

static void backlog_drop_first(struct backlog *p)
{
    struct backlog_message *m = p->first;
    p->first = m->next;
    if (!p->first)
        p->last = &p->first;
    p->count--;
    backlog_account(p, sizeof(*m) + m->n, 0);
    free(m);
}

struct backlog_lease **backlog_lease(struct backlogs *t, struct str sid)
{
    struct backlog_lease **at = &t->bucket[str_hash(sid) % BACKLOG_BUCKETS];
    while (*at && !str_eq((struct str){(*at)->sid, (*at)->n}, sid))
        at = &(*at)->next;
    return at;
}

void backlog_remove(struct backlog *p)
{
    struct backlog_lease *l = p->lease;
    struct backlog **at = &l->first;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    if (!p->next)
        l->last = at;
    while (p->first)
        backlog_drop_first(p);
    backlog_account(p, sizeof(*p) + p->session_n, 0);
    p->table->count--;
    p->lease = NULL;
    p->view = 0;
    if (--l->count == 0) {
        *backlog_lease(p->table, (struct str){l->sid, l->n}) = l->next;
        free(l);
    }
    backlog_unref(p);
}

static struct backlog *backlog_oldest_finished(const struct backlog_lease *l, const struct backlog *but)
{
    struct backlog *p = l->first;
    while (p && (p == but || !p->finished))
        p = p->next;
    return p;
}

void backlog_note(struct backlog *p, const char *why)
{
    if (!p->dropped)
        log_info("replay_dropped", LOG_S("session", ((struct str){p->lease->sid, p->lease->n})),
                 LOG_Z("stream", p->name), LOG_Z("reason", why));
    p->dropped = true;
}

static bool backlog_fits(const struct backlog *p, size_t more)
{
    return p->lease->bytes + more <= p->bounds.lease_bytes && p->table->bytes + more <= p->bounds.all_bytes;
}

/* Makes room for one more message of p, at the cost of its own lease only. */
static bool backlog_room(struct backlog *p, size_t more)
{
    struct backlog *old;
    size_t of_others = p->table->bytes - p->lease->bytes;
    if (more > p->bounds.lease_bytes || of_others + more > p->bounds.all_bytes)
        return false;
    while (!backlog_fits(p, more) && (old = backlog_oldest_finished(p->lease, p)))
        backlog_remove(old);
    for (old = p->lease->first; old && !backlog_fits(p, more); old = old->next)
        while (old->first && !backlog_fits(p, more)) {
            backlog_note(old, "more than session.replay_bytes or limits.replay_bytes");
            backlog_drop_first(old);
        }
    return backlog_fits(p, more);
}

bool backlog_keep(struct backlog *p, struct str message)
{
    struct backlog_message *m = NULL;
    if (p->count >= BACKLOG_MESSAGES) {
        backlog_note(p, "more messages than are kept of one stream");
        backlog_drop_first(p);
    }
    if (backlog_room(p, sizeof(*m) + message.n))
        m = malloc(sizeof(*m) + message.n);
    if (!m)
        return false;
    *m = (struct backlog_message){.number = p->number, .n = message.n};
    memcpy(m->bytes, message.p, message.n);
    *p->last = m;
    p->last = &m->next;
    p->count++;
    backlog_account(p, 0, sizeof(*m) + m->n);
    return true;
}

static struct backlog_lease *backlog_lease_of(struct backlogs *t, struct str sid)
{
    struct backlog_lease **at = backlog_lease(t, sid), *l = *at;
    if (l || !(l = calloc(1, sizeof(*l) + sid.n)))
        return l;
    l->n = sid.n;
    memcpy(l->sid, sid.p, sid.n);
    l->last = &l->first;
    return *at = l;
}

/* One stream more of this lease: a finished one may have to go. */
static bool backlog_admit(struct backlogs *t, struct str sid, const struct backlog_bounds *b, size_t bytes)
{
    struct backlog_lease *l = *backlog_lease(t, sid);
    struct backlog *old = l && l->count >= BACKLOG_STREAMS ? backlog_oldest_finished(l, NULL) : NULL;
    if (old)
        backlog_remove(old);
    else if (l && l->count >= BACKLOG_STREAMS)
        return false;
    return b->lease_bytes && t->bytes + bytes <= b->all_bytes;
}

bool backlog_enter(struct backlogs *t, struct str sid, struct backlog *p)
{
    struct backlog_lease *l;
    if (!backlog_admit(t, sid, &p->bounds, sizeof(*p) + p->session_n) || !(l = backlog_lease_of(t, sid)))
        return false;
    p->lease = l;
    *l->last = p;
    l->last = &p->next;
    l->count++;
    t->count++;
    backlog_account(p, 0, sizeof(*p) + p->session_n);
    return true;
}

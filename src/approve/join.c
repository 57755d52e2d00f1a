/* Questions by their ids, for those that wait with one that was asked before: how it stands, and giving it up. */
#include <stdlib.h>

#include "approve/inner.h"

enum err approvals_join(struct approvals *a, struct str id, struct approval_wait *w, struct fault *f)
{
    *w = (struct approval_wait){.worker = w->worker, .told = w->told, .joined = true, .queue = a};
    pthread_mutex_lock(&a->lock);
    struct approval *p = a->closing ? NULL : approvals_by_id(a, id);
    if (p) {
        memcpy(w->id, p->id, sizeof(w->id));
        w->expires = p->now.until;
        if (approval_over(p->now.state)) {
            approvals_tell_over(a, p, w);
        } else {
            approvals_attach(p, w);
            approvals_follow(a, p);
        }
    }
    pthread_mutex_unlock(&a->lock);
    return p ? ERR_OK : fault_set(f, ERR_NOT_FOUND, "there is no question of this id any more");
}

/* With the lock. */
static struct approval *join_own(struct approvals *a, struct str id, const struct lease *l)
{
    struct approval *p = id.n < ENC_ID_MAX ? approvals_by_id(a, id) : NULL;
    return p && str_eq(p->agent, l->agent_id) && str_eq(p->sid, l->sid) ? p : NULL;
}

bool approvals_glance(struct approvals *a, struct str id, const struct lease *l, struct approval_glance *ret)
{
    pthread_mutex_lock(&a->lock);
    const struct approval *p = join_own(a, id, l);
    if (p)
        *ret = (struct approval_glance){.state = p->now.state,
                                        .created = p->created,
                                        .until = p->now.until,
                                        .ended = p->now.ended,
                                        .kept_ms = a->result_ms};
    pthread_mutex_unlock(&a->lock);
    return p != NULL;
}

bool approvals_withdraw(struct approvals *a, struct str id, const struct lease *l)
{
    pthread_mutex_lock(&a->lock);
    struct approval *p = join_own(a, id, l);
    if (p && !a->closing && !p->breaking && !approval_over(p->now.state) && p->now.state != APPROVAL_TAKEN)
        approvals_break(a, p, APPROVAL_WITHDRAWN);
    pthread_mutex_unlock(&a->lock);
    return p != NULL;
}

/* ---- after a restart ---- */

struct join_staying {
    char id[ENC_ID_MAX];
    struct lease *lease;
};

static size_t join_staying(struct approvals *a, struct join_staying *v)
{
    size_t n = 0;
    for (struct approval *p = a->first; p; p = p->next) {
        if (!p->stays || !p->lease)
            continue;
        memcpy(v[n].id, p->id, sizeof(v[n].id));
        v[n++].lease = lease_ref(p->lease);
    }
    return n;
}

enum err approvals_each_staying(struct approvals *a, void (*each)(void *ctx, struct str id, struct lease *l), void *ctx,
                                struct fault *f)
{
    pthread_mutex_lock(&a->lock);
    struct join_staying *v = calloc(a->count + 1, sizeof(*v));
    size_t n = v ? join_staying(a, v) : 0;
    pthread_mutex_unlock(&a->lock);
    if (!v)
        return fault_set(f, ERR_NOMEM, "no memory for calls that wait without their clients");
    for (size_t i = 0; i < n; i++) {
        each(ctx, str_of(v[i].id), v[i].lease);
        lease_unref(v[i].lease);
    }
    free(v);
    return ERR_OK;
}

void approval_about(const struct approval_wait *w, struct approval_about *ret)
{
    const struct approval *p = w->on;
    *ret = (struct approval_about){.tool = p->tool,
                                   .digest = str_of(p->digest),
                                   .trace_id = p->trace_id,
                                   .policy_ids = p->policy_ids,
                                   .created = p->created,
                                   .created_mono = p->created_mono};
}

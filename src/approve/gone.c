/* Somebody who said yes is not trusted with that any more: what is not made yet is not made by that yes. */
#include "approve/inner.h"

/* Also when it is still being written down. */
static bool gone_said_yes(const struct approval *p, struct str name)
{
    const struct approval_said *s = p->move && !p->move->rewrite ? p->move->next.said : p->now.said;
    for (; s; s = s->before)
        if (s->verdict >= APPROVE_ONCE && str_eq(s->by, name))
            return true;
    return false;
}

/* With the lock. Each call of a shape is a question of its own, of which nobody was asked. */
static void gone_shape(struct approvals *a, const struct approval *of)
{
    for (struct approval *p = a->first; p && of->shape_until_mono; p = p->next)
        if (p != of && memcmp(p->binding, of->binding, SHA256_BYTES) == 0)
            p->shape_until_mono = 0;
}

void approvals_gone(struct approvals *a, struct str name)
{
    pthread_mutex_lock(&a->lock);
    for (struct approval *p = a->first; p && !a->closing; p = p->next) {
        if (!gone_said_yes(p, name))
            continue;
        gone_shape(a, p);
        p->shape_until_mono = 0;
        if (!p->breaking && (p->now.state == APPROVAL_PENDING || p->now.state == APPROVAL_GRANTED))
            approvals_break(a, p, "somebody who said yes may not decide any more");
    }
    pthread_mutex_unlock(&a->lock);
}

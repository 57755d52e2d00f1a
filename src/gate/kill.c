/*
 * The calls of whoever is stopped, on one worker. No new one comes after these: the lease says that it is stopped
 * before this is posted, `execute` looks at it right before a call leaves, and what passed that look is in the list
 * here.
 */
#include "gate/gate.h"
#include "gate/stage.h"

static bool kill_means(const struct gate_kill *k, const struct lease *l)
{
    return k->session.n ? str_eq(l->sid, k->session) : !k->agent.n || str_eq(l->agent_id, k->agent);
}

static void kill_left(struct gate_kill *k)
{
    if (--k->left == 0)
        k->quiet(k);
}

void kill_over(struct call *c)
{
    kill_left(c->kill);
}

void gate_kill(struct gate_worker *w, struct gate_kill *k)
{
    k->calls = 0;
    k->left = 1; /* this walk */
    for (struct call *c = w->calls, *next; c; c = next) {
        next = c->next; /* giving one up ends that one only */
        if (c->cancelled || !kill_means(k, c->lease))
            continue;
        c->kill = k;
        k->calls++;
        k->left++;
        gate_give_up(c, ERR_SESSION_STOPPED, "an operator has stopped the session");
    }
    kill_left(k);
}

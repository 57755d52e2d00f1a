/*
 * trial.anonymous: clients that bring no credential, on one machine. They act as one registered agent, in one session
 * that is opened like any other and ends like any other; its trigger is "trial", so that the record tells it apart.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "oauth/oauth.h"

struct anonymous {
    pthread_mutex_t lock;
    struct lease *lease;
};

struct anonymous *anonymous_new(void)
{
    struct anonymous *n = calloc(1, sizeof(*n));
    if (n)
        pthread_mutex_init(&n->lock, NULL);
    return n;
}

void anonymous_free(struct anonymous *n)
{
    if (!n)
        return;
    lease_unref(n->lease);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* Whatever a proxy passes on may come from anywhere. */
static bool anonymous_by_proxy(const struct exchange *x)
{
    static const char *const marks[] = {"forwarded", "x-forwarded-for", "via", "x-real-ip"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (http_header(&x->head, marks[i]).p)
            return true;
    return false;
}

static enum err anonymous_open(struct oauth *o, struct str id, struct lease **ret, struct fault *f)
{
    struct session_wish wish = {.context.trigger = STR("trial")};
    struct agent *agent CLEANUP(agent_unrefp) = agents_find(o->agents, id);
    if (!agent)
        return fault_set(f, ERR_UNAUTHENTICATED, "trial.anonymous names " STR_FMT ", which is no registered agent",
                         STR_ARG(id));
    if (!audit_healthy(o->audit, f))
        return f->err = ERR_AUDIT;
    TRY(session_open(o->sessions, agent, &wish, ret, f));
    log_warn("anonymous_session", LOG_S("agent", id), LOG_S("session", (*ret)->sid),
             LOG_Z("reason", "trial.anonymous: whoever reaches the port is this agent"));
    return ERR_OK;
}

/* Under the lock: of many first requests one opens the session. */
static enum err anonymous_take(struct oauth *o, struct str id, struct lease **ret, struct fault *f)
{
    struct anonymous *n = o->anonymous;
    if (n->lease && (!str_eq(n->lease->agent_id, id) || !lease_is_open(n->lease, clock_mono_ns()))) {
        session_leave(o->sessions, n->lease); /* of an agent that was anonymous before */
        lease_unref(n->lease);
        n->lease = NULL;
    }
    if (!n->lease)
        TRY(anonymous_open(o, id, &n->lease, f));
    *ret = lease_ref(n->lease);
    return ERR_OK;
}

enum err anonymous_session(struct oauth *o, const struct exchange *x, struct lease **ret, struct fault *f)
{
    struct conf *conf = conf_slot_get(o->conf);
    struct str id = conf->root.trial.anonymous;
    enum err e;
    if (!id.n)
        e = fault_set(f, ERR_UNAUTHENTICATED,
                      "no credential came with the request: open a session at the token endpoint");
    else if (anonymous_by_proxy(x))
        e = fault_set(f, ERR_UNAUTHENTICATED,
                      "no credential came with the request, which came through a proxy: trial.anonymous is for this "
                      "machine only");
    else {
        pthread_mutex_lock(&o->anonymous->lock);
        e = anonymous_take(o, id, ret, f);
        pthread_mutex_unlock(&o->anonymous->lock);
    }
    conf_unref(conf);
    return e;
}

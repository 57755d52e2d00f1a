/* Rates and the session's number of calls: every request counts against the rates, every call about to leave takes one
 * call. */
#include "gate/gate.h"
#include "gate/stage.h"

static enum err limit_fault(const struct lease *l, const struct lease_verdict *v, struct fault *f)
{
    switch (v->err) {
    case ERR_RATE:
        return fault_set(f, ERR_RATE, "over the rate of the %s: the next request has a chance in %lld ms", v->limit,
                         (long long)v->retry_after_ms);
    case ERR_CALLS:
        return fault_set(f, ERR_CALLS, "the session has used its %lld tool calls: open a new one",
                         (long long)l->max_calls);
    case ERR_SESSION_ENDED:
        if (lease_stopped(l))
            return fault_set(f, ERR_SESSION_STOPPED, "an operator has stopped the session");
        return fault_set(f, ERR_SESSION_ENDED, "the session is over: open a new one");
    default: return fault_set(f, v->err ? v->err : ERR_INTERNAL, "the limits could not be judged");
    }
}

static enum verdict limit_verdict(struct call *c, const struct lease_verdict *v)
{
    if (v->answer == LEASE_GRANTED)
        return VERDICT_NEXT;
    c->retry_after_ms = v->retry_after_ms;
    limit_fault(c->lease, v, &c->fault);
    return VERDICT_DENY;
}

enum verdict stage_limit(struct call *c)
{
    struct lease_store *s = c->gate->gate->leases;
    struct lease_verdict v;
    if (wait_passes(c))
        return VERDICT_NEXT; /* the request that it was held with counted */
    /* Only tools that exist have a bucket: invented names cost no memory. */
    s->ops->admit(s, c->lease, c->tool ? c->target : STR_NONE, &v);
    return limit_verdict(c, &v);
}

enum verdict duty_limits(struct call *c, const struct duty *d)
{
    struct lease_store *s = c->gate->gate->leases;
    struct lease_cap cap[DUTY_ITEMS];
    struct lease_verdict v;
    if (!d->limits)
        return VERDICT_NEXT;
    for (unsigned i = 0; i < d->limits; i++)
        cap[i] = (struct lease_cap){d->limit[i].policy->id, d->limit[i].rate};
    s->ops->cap(s, c->lease, cap, d->limits, &v);
    return limit_verdict(c, &v);
}

enum verdict stage_budget(struct call *c)
{
    struct lease_store *s = c->gate->gate->leases;
    struct lease_verdict v;
    if (!call_kinds[c->kind].budget || c->paid || c->ticket)
        return VERDICT_NEXT;
    s->ops->take(s, c->lease, &v);
    return limit_verdict(c, &v);
}

enum err gate_admit(struct gate_worker *w, struct lease *lease, int64_t *ret_retry_after_ms, struct fault *f)
{
    struct lease_store *s = w->gate->leases;
    struct lease_verdict v;
    s->ops->admit(s, lease, STR_NONE, &v);
    if (v.answer == LEASE_GRANTED)
        return ERR_OK;
    enum err e = limit_fault(lease, &v, f);
    *ret_retry_after_ms = v.retry_after_ms;
    record_limited(w, lease, f);
    return e;
}

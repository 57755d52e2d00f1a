/* May this person say this, about these arguments? */
#include "approve/inner.h"

enum { MAY_ARENA = 64 << 20 };

/* ---- groups ---- */

/* Is one of these groups also one of those? any: there are some. Both are JSON arrays. */
static enum err may_in(struct str groups, struct str mine, bool *any, bool *fits, struct fault *f)
{
    struct arena a;
    struct json want, has;
    arena_init(&a, MAY_ARENA);
    enum err e = groups.n ? json_parse(&want, groups, &a, NULL, f) : ERR_OK;
    if (!e && groups.n) {
        e = json_parse(&has, mine.n ? mine : STR("[]"), &a, NULL, f);
        JSON_EACH(&want, JSON_ROOT, group)
        {
            *any = true;
            if (!e)
                JSON_EACH(&has, JSON_ROOT, one)
                {
                    *fits = *fits || json_str_same(&want, group, &has, one);
                }
        }
    }
    arena_done(&a);
    return e && e != ERR_NOMEM ? fault_set(f, ERR_ROLE, "whose groups cannot be read is in none") : e;
}

static enum err may_group(const struct approval *p, const struct person *by, struct fault *f)
{
    bool any = false, fits = false, second = p->now.escalated > 0;
    TRY(may_in(p->reviewers, by->groups, &any, &fits, f));
    if (any && !fits && second)
        TRY(may_in(p->escalate, by->groups, &any, &fits, f));
    return any && !fits
               ? fault_set(f, ERR_ROLE, STR_FMT " is in none of the groups that decide about this call: %.120s%s%.120s",
                           STR_ARG(by->name), p->reviewers.p, second ? ", " : "", second ? p->escalate.p : "")
               : ERR_OK;
}

/* Nobody for whom the agent acts says yes where it takes two, or where break-glass stands for somebody else. */
static bool may_is(const struct person *by, struct str whom)
{
    return whom.n && (str_ieq(by->name, whom) || str_ieq(by->email, whom));
}

static enum err may_own(const struct approval *p, const struct person *by, const char *what, struct fault *f)
{
    if (may_is(by, p->owner))
        return fault_set(f, ERR_ROLE, "the agent's owner cannot %s", what);
    if (may_is(by, p->user))
        return fault_set(f, ERR_ROLE, "the user on whose behalf the agent acts cannot %s", what);
    return ERR_OK;
}

/* Two people, and neither of them one for whom the agent acts. A no is everybody's. */
static enum err may_four_eyes(const struct approval *p, const struct approval_decision *d, const char *digest,
                              struct fault *f)
{
    if (p->people < 2)
        return ERR_OK;
    TRY(may_own(p, &d->by, "be one of the two who approve its call", f));
    for (const struct approval_said *s = p->now.said; s && !d->glass; s = s->before)
        if (s->verdict >= APPROVE_ONCE && str_ieq(s->by, d->by.name) && strcmp(s->digest, digest) == 0)
            return fault_set(f, ERR_ROLE, STR_FMT " said yes already: the second yes is a different person's",
                             STR_ARG(d->by.name));
    return ERR_OK;
}

/* ---- break-glass ---- */

static bool may_alone(const struct approval *p, const struct approval_decision *d, const char *digest)
{
    unsigned others = 0;
    for (const struct approval_said *s = p->now.said; s; s = s->before)
        others += s->verdict >= APPROVE_ONCE && !str_ieq(s->by, d->by.name) && strcmp(s->digest, digest) == 0;
    return others + 1 < p->people;
}

static enum err may_glass(const struct approvals *a, const struct approval *p, const struct approval_decision *d,
                          struct fault *f)
{
    if (!glass_open(a))
        return fault_set(f, ERR_CONFLICT, "break-glass is not open: doorward break-glass start opens it");
    return may_own(p, &d->by, "approve its call by break-glass", f);
}

static enum err may_digest(const struct approval *p, const struct approval_decision *d, struct fault *f)
{
    bool no = d->verdict < APPROVE_ONCE;
    if (no && !d->digest.n)
        return ERR_OK;
    if (!d->digest.n)
        return fault_set(f, ERR_PARAMS, "a yes names the arguments that were looked at: digest is \"%s\" now",
                         approval_digest(p));
    return str_ieq(d->digest, str_of(approval_digest(p)))
               ? ERR_OK
               : fault_set(f, ERR_PARAMS,
                           "the arguments are not those that were looked at: their digest is %s now. Look again",
                           approval_digest(p));
}

static unsigned may_sayings(const struct approval *p)
{
    unsigned n = 0;
    for (const struct approval_said *s = p->now.said; s; s = s->before)
        n++;
    return n;
}

enum err decide_may(const struct approvals *a, const struct approval *p, const struct approval_decision *d,
                    const char *digest, struct decide_waiver *ret, struct fault *f)
{
    bool yes = d->verdict >= APPROVE_ONCE;
    struct decide_waiver w = {false, false};
    enum err e = may_group(p, &d->by, f);
    if (e == ERR_ROLE && yes && d->glass)
        w.groups = true;
    else
        TRY(e);
    TRY(may_digest(p, d, f));
    if (!yes)
        return ERR_OK;
    if (may_sayings(p) + 1 >= APPROVAL_SAYINGS)
        return fault_set(f, ERR_LIMIT, "%d decisions about one call are the most: deny it, or let its time run out",
                         APPROVAL_SAYINGS);
    TRY(may_four_eyes(p, d, digest, f));
    w.people = d->glass && may_alone(p, d, digest);
    if (w.groups || w.people)
        TRY(may_glass(a, p, d, f));
    *ret = w;
    return ERR_OK;
}

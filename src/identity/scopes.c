#include "identity/scopes.h"

#include <stdlib.h>
#include <time.h>

bool scope_valid(struct str scope)
{
    size_t parts = 1, run = 0;
    if (scope.n == 0 || scope.n > 256)
        return false;
    for (size_t i = 0; i < scope.n; i++) {
        char c = scope.p[i];
        if (c == ':') {
            if (run == 0)
                return false;
            parts++;
            run = 0;
            continue;
        }
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_./-", c);
        if (!ok || !c) /* strchr finds the zero at its end, too */
            return false;
        run++;
    }
    return run > 0 && parts >= 2 && parts <= 4;
}

bool scope_within(struct str scope, struct str whole, struct str *ret_kind, struct str *ret_id)
{
    struct str rest, kind;
    if (!str_starts(scope, whole) || scope.n <= whole.n + 1 || scope.p[whole.n] != ':')
        return false;
    rest = str_skip(scope, whole.n + 1);
    if (!str_cut(&rest, ':', &kind) || !kind.n || !rest.n || memchr(rest.p, ':', rest.n))
        return false;
    if (ret_kind)
        *ret_kind = kind;
    if (ret_id)
        *ret_id = rest;
    return true;
}

struct str scope_of_tool(struct str tool_id, struct arena *a)
{
    return ARENA_JOIN(a, STR("tool:"), tool_id, STR(":execute"));
}

static bool scope_hours_now(const struct conf_scope_when *w, int64_t now_ms)
{
    time_t t = (time_t)(now_ms / 1000);
    struct tm tm;
    if (str_is(w->timezone, "local"))
        localtime_r(&t, &tm);
    else
        gmtime_r(&t, &tm);
    int minute = tm.tm_hour * 60 + tm.tm_min;
    return w->hours.from < w->hours.to ? minute >= w->hours.from && minute < w->hours.to
                                       : minute >= w->hours.from || minute < w->hours.to;
}

static bool scope_is_timed(const struct conf_scope_when *w)
{
    return w->hours.from != w->hours.to;
}

static bool scope_one(struct str want, struct str have)
{
    return want.n == 0 || str_eq(want, have);
}

static bool scope_who(const struct conf_scope_when *w, struct str id, struct str type, struct str env,
                      const struct scope_context *c)
{
    return scope_one(w->agent, id) && scope_one(w->agent_type, type) && scope_one(w->env, env) &&
           scope_one(w->tier, c->tier) && scope_one(w->trigger, c->trigger);
}

static bool scope_any(const struct conf_strings *patterns, struct str scope)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (str_match(patterns->v[i], scope))
            return true;
    return false;
}

enum { SCOPE_SCRATCH = 4 << 20 };

/* A growing set in an arena of its own; doubles are dropped at the end. */
struct scope_entry {
    struct str scope; /* first: scope_cmp reads it */
    bool timed;       /* from a rule with hours */
};
struct scope_set {
    struct scope_entry *v;
    size_t n, cap;
    struct arena *a;
};

static void scope_put(struct scope_set *s, struct str scope, bool timed)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 32;
        struct scope_entry *v = arena_raw(s->a, cap * sizeof(*v), 16);
        if (!v)
            return;
        if (s->n)
            memcpy(v, s->v, s->n * sizeof(*v));
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = (struct scope_entry){arena_str(s->a, scope), timed};
}

static void scope_filter(struct scope_set *s, const struct conf_strings *patterns, bool keep)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (scope_any(patterns, s->v[i].scope) == keep)
            s->v[n++] = s->v[i];
    s->n = n;
}

static int scope_cmp(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* "tool:X:execute" -> X */
static struct str scope_tool(struct str scope)
{
    if (!str_starts(scope, STR("tool:")) || !str_ends(scope, STR(":execute")) || scope.n < 14)
        return STR_NONE;
    return (struct str){scope.p + 5, scope.n - 13};
}

static void scope_apply(struct scope_set *s, const struct conf_scope *rule, bool timed)
{
    for (size_t i = 0; i < rule->add.n; i++)
        scope_put(s, rule->add.v[i], timed);
    if (timed) /* what hours take away is taken at each call, and comes back */
        return;
    if (rule->keep.set)
        scope_filter(s, &rule->keep, true);
    if (rule->drop.n)
        scope_filter(s, &rule->drop, false);
}

/* Each scope once, without what the agent is denied, also where a rule adds it. */
static enum err scope_settle(struct scope_set *s, const struct agent *agent, struct arena *a, struct scope_grant *ret,
                             struct fault *f)
{
    size_t some = 0;
    for (size_t i = 0; i < s->n; i++)
        some += s->v[i].timed;
    struct str *all = arena_raw(a, s->n * sizeof(*all) + 1, 16), *timed = arena_raw(a, some * sizeof(*timed) + 1, 16);
    struct scope_grant g = {all, 0, timed, 0};
    if (arena_failed(s->a) || arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for the session's scopes");
    if (s->n)
        qsort(s->v, s->n, sizeof(*s->v), scope_cmp);
    for (size_t i = 0, next; i < s->n; i = next) {
        struct str scope = s->v[i].scope, tool = scope_tool(scope);
        bool only_timed = true;
        for (next = i; next < s->n && str_eq(s->v[next].scope, scope); next++)
            only_timed = only_timed && s->v[next].timed;
        if (tool.p && agent_denies(agent, tool))
            continue;
        all[g.count] = arena_str(a, scope);
        if (only_timed)
            timed[g.timed_count++] = all[g.count];
        g.count++;
    }
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for the session's scopes");
    *ret = g;
    return ERR_OK;
}

enum err scope_resolve(const struct agent *agent, const struct scope_context *context, const struct conf_scopes *rules,
                       int64_t now_ms, struct arena *a, struct scope_grant *ret, struct fault *f)
{
    struct arena scratch; /* what is kept of it stays with a session for as long as that lives */
    arena_init(&scratch, SCOPE_SCRATCH);
    struct scope_set s = {.a = &scratch};
    for (size_t i = 0; i < agent->allowed.n; i++)
        scope_put(&s, scope_of_tool(agent->allowed.v[i], &scratch), false);
    for (size_t i = 0; i < rules->n; i++) {
        const struct conf_scope *r = &rules->v[i];
        bool timed = scope_is_timed(&r->when);
        if (scope_who(&r->when, agent->id, agent->type, agent->env, context) &&
            (!timed || scope_hours_now(&r->when, now_ms)))
            scope_apply(&s, r, timed);
    }
    enum err e = scope_settle(&s, agent, a, ret, f);
    arena_done(&scratch);
    return e;
}

static bool scope_adds(const struct conf_scope *r, struct str scope)
{
    for (size_t i = 0; i < r->add.n; i++)
        if (str_eq(r->add.v[i], scope) || scope_within(scope, r->add.v[i], NULL, NULL))
            return true;
    return false;
}

bool scope_allowed_now(const struct conf_scopes *rules, struct str scope, bool timed, struct str id, struct str type,
                       struct str env, const struct scope_context *context, int64_t now_ms)
{
    bool given = !timed; /* else a rule must give it at this hour, though the session got it when it was opened */
    for (size_t i = 0; i < rules->n; i++) {
        const struct conf_scope *r = &rules->v[i];
        if (!scope_who(&r->when, id, type, env, context))
            continue;
        if (!scope_is_timed(&r->when)) {
            given = given || scope_adds(r, scope);
            continue;
        }
        if (!scope_hours_now(&r->when, now_ms))
            continue;
        if ((r->keep.set && !scope_any(&r->keep, scope)) || scope_any(&r->drop, scope))
            return false;
        given = given || scope_adds(r, scope);
    }
    return given;
}

bool scope_has(const struct str *sorted, size_t n, struct str scope)
{
    return n && bsearch(&scope, sorted, n, sizeof(*sorted), scope_cmp);
}

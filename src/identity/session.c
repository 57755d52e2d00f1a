#include "identity/session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "identity/session_keep.h"

struct sessions {
    struct lease_store *leases;
    pthread_rwlock_t lock; /* of conf */
    struct conf *conf;
    struct stops *stops;
    session_told *told;
    void *ctx;
    _Atomic bool objects; /* the configuration wants scopes for tools: mostly it does not, and nobody need look */
};

static bool sessions_want(const struct conf *conf)
{
    for (size_t i = 0; i < conf->root.tools.n; i++)
        if (conf->root.tools.v[i].scope.n)
            return true;
    return false;
}

enum err sessions_new(struct lease_store *leases, struct conf *conf, session_told *told, void *ctx,
                      struct sessions **ret, struct fault *f)
{
    struct sessions *s = calloc(1, sizeof(*s));
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for sessions");
    *s = (struct sessions){
        .leases = leases, .conf = conf_ref(conf), .told = told, .ctx = ctx, .objects = sessions_want(conf)};
    pthread_rwlock_init(&s->lock, NULL);
    leases->ops->limits(leases, conf);
    *ret = s;
    return ERR_OK;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    conf_unref(s->conf);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

void sessions_conf(struct sessions *s, struct conf *conf)
{
    if (sessions_want(conf))
        atomic_store(&s->objects, true);
    pthread_rwlock_wrlock(&s->lock);
    struct conf *old = s->conf;
    s->conf = conf_ref(conf);
    pthread_rwlock_unlock(&s->lock);
    atomic_store(&s->objects, sessions_want(conf));
    conf_unref(old);
    s->leases->ops->limits(s->leases, conf);
}

void sessions_stops(struct sessions *s, struct stops *stops)
{
    s->stops = stops;
}

static enum err sessions_judge(struct sessions *s, const struct agent *a, struct fault *f)
{
    return s->stops ? stops_judge(s->stops, a->id, f) : ERR_OK;
}

static struct conf *sessions_conf_ref(struct sessions *s)
{
    pthread_rwlock_rdlock(&s->lock);
    struct conf *c = conf_ref(s->conf);
    pthread_rwlock_unlock(&s->lock);
    return c;
}

/* Only those that were asked for; all of them must be there to be had. */
/* One that it has, or that of one object within one that it has. */
static bool session_grants(const struct str *sorted, size_t n, struct str scope)
{
    if (scope_has(sorted, n, scope))
        return true;
    for (size_t i = 0; i < n; i++)
        if (scope_within(scope, sorted[i], NULL, NULL))
            return true;
    return false;
}

static int session_scope_cmp(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static size_t session_scopes_once(struct str *v, size_t n)
{
    size_t count = 0;
    if (n)
        qsort(v, n, sizeof(*v), session_scope_cmp);
    for (size_t i = 0; i < n; i++)
        if (!count || !str_eq(v[count - 1], v[i]))
            v[count++] = v[i];
    return count;
}

/* What of them hangs on hours does so when it is narrower, too. */
static enum err session_narrow_timed(struct lease *l, const struct str *v, size_t n, struct fault *f)
{
    struct str *timed = arena_raw(&l->arena, (n + 1) * sizeof(*timed), 16);
    size_t count = 0;
    for (size_t i = 0; timed && i < n; i++)
        if (!scope_has(l->scope, l->scope_count, v[i]) ? session_grants(l->timed, l->timed_count, v[i])
                                                       : scope_has(l->timed, l->timed_count, v[i]))
            timed[count++] = v[i];
    l->timed = timed;
    l->timed_count = count;
    return timed ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the session's scopes");
}

static enum err session_narrow(struct lease *l, struct str asked, struct fault *f)
{
    struct str *v = arena_raw(&l->arena, (asked.n + 1) * sizeof(*v), 16), one;
    size_t n = 0;
    if (!v)
        return fault_set(f, ERR_NOMEM, "no memory for the session's scopes");
    while (asked.n) {
        str_cut(&asked, ' ', &one);
        if (!one.n)
            continue;
        if (!scope_valid(one))
            return fault_set(f, ERR_INVALID_SCOPE, "\"%.80s\" is no scope: resource:action[:kind:id]",
                             arena_str(&l->arena, one).p);
        if (!session_grants(l->scope, l->scope_count, one))
            return fault_set(f, ERR_INVALID_SCOPE, "this agent cannot get the scope " STR_FMT, STR_ARG(one));
        v[n++] = arena_str(&l->arena, one);
    }
    if (arena_failed(&l->arena))
        return fault_set(f, ERR_NOMEM, "no memory for the session's scopes");
    n = session_scopes_once(v, n);
    TRY(session_narrow_timed(l, v, n, f));
    l->scope = v;
    l->scope_count = n;
    return ERR_OK;
}

static void session_copy_agent(struct lease *l, const struct agent *a)
{
    l->agent_id = arena_str(&l->arena, a->id);
    l->agent_type = arena_str(&l->arena, a->type);
    l->agent_version = arena_str(&l->arena, a->version);
    l->agent_env = arena_str(&l->arena, a->env);
    l->agent_owner = arena_str(&l->arena, a->owner);
    struct str *denied = arena_raw(&l->arena, a->denied.n * sizeof(*denied) + 1, 16);
    for (size_t i = 0; denied && i < a->denied.n; i++)
        denied[i] = arena_str(&l->arena, a->denied.v[i]);
    l->denied = denied;
    l->denied_count = denied ? a->denied.n : 0;
}

static int64_t session_least(int64_t wish, int64_t bound)
{
    return wish > 0 && wish < bound ? wish : bound;
}

static enum err session_fill(struct lease *l, const struct agent *a, const struct session_wish *w,
                             const struct conf_root *c, struct fault *f)
{
    char sid[ENC_ID_MAX];
    enc_id("sess", sid);
    l->sid = arena_str(&l->arena, str_of(sid));
    session_copy_agent(l, a);
    l->user = arena_str(&l->arena, w->context.user);
    l->tier = arena_str(&l->arena, w->context.tier);
    l->trigger = arena_str(&l->arena, w->context.trigger.n ? w->context.trigger : STR("agent"));
    l->created = clock_wall_ms();
    int64_t lifetime = session_least(w->lifetime, c->token.lifetime);
    if (lifetime > a->expires - l->created)
        lifetime = a->expires - l->created; /* no session outlives its agent */
    l->expires = l->created + lifetime;
    l->expires_mono = clock_mono_ns() + lifetime * 1000000;
    l->max_calls = session_least(w->max_calls, c->session.max_tool_calls);
    l->rate = c->session.rate;
    l->cidrs.v = arena_raw(&l->arena, c->session.allowed_cidrs.n * sizeof(struct conf_cidr) + 1, 16);
    if (l->cidrs.v && c->session.allowed_cidrs.n)
        memcpy(l->cidrs.v, c->session.allowed_cidrs.v, c->session.allowed_cidrs.n * sizeof(struct conf_cidr));
    l->cidrs.n = c->session.allowed_cidrs.n;
    struct scope_context context = {l->user, l->tier, l->trigger};
    struct scope_grant grant;
    TRY(scope_resolve(a, &context, &c->scopes, l->created, &l->arena, &grant, f));
    l->scope = grant.scope;
    l->scope_count = grant.count;
    l->timed = grant.timed;
    l->timed_count = grant.timed_count;
    if (w->scopes.n)
        TRY(session_narrow(l, w->scopes, f));
    return arena_failed(&l->arena) ? fault_set(f, ERR_NOMEM, "no memory for a session") : ERR_OK;
}

/* Takes the lease over. */
static enum err session_enter(struct sessions *s, const struct agent *agent, struct lease *l, struct fault *f)
{
    struct lease_verdict v;
    s->leases->ops->open(s->leases, lease_ref(l), agent->max_sessions, &v);
    if (v.answer != LEASE_GRANTED)
        return v.err == ERR_SESSIONS ? fault_set(f, ERR_SESSIONS,
                                                 "the agent has %lld sessions open, which is its limit: end one, or "
                                                 "wait until one expires",
                                                 (long long)agent->max_sessions)
                                     : fault_set(f, v.err ? v.err : ERR_INTERNAL, "the session could not be opened");
    /* Whoever changes an agent marks it first and ends its sessions then: one of both sees this session. */
    if (atomic_load(&agent->replaced)) {
        s->leases->ops->end(s->leases, l->sid, LEASE_ENDED);
        return fault_set(f, ERR_CLIENT_AUTH, "the agent was changed at this moment: try again");
    }
    enum err e = sessions_judge(s, agent, f); /* for the same reason */
    if (e)
        s->leases->ops->end(s->leases, l->sid, LEASE_STOPPED);
    return e;
}

enum err session_reopen(struct sessions *s, struct agents *agents, struct str kept, int64_t newest, struct lease **ret,
                        struct fault *f)
{
    struct lease *l = lease_new();
    if (!l)
        return fault_set(f, ERR_NOMEM, "no memory for a session");
    struct agent *agent CLEANUP(agent_unrefp) = NULL;
    enum err e = session_unkeep(l, kept, newest, f);
    if (!e && !(agent = agents_find(agents, l->agent_id)))
        e = fault_set(f, ERR_CLIENT_AUTH, "the agent " STR_FMT " is not registered any more", STR_ARG(l->agent_id));
    if (!e)
        e = agent_usable(agent, clock_wall_ms(), f);
    if (!e)
        e = sessions_judge(s, agent, f);
    if (!e)
        e = session_enter(s, agent, l, f);
    if (e) {
        lease_unref(l);
        return e;
    }
    s->told(s->ctx, SESSION_RESUMED, l, STR_NONE, STR_NONE);
    *ret = l;
    return ERR_OK;
}

enum err session_open(struct sessions *s, const struct agent *agent, const struct session_wish *w, struct lease **ret,
                      struct fault *f)
{
    struct lease *l = lease_new();
    if (!l)
        return fault_set(f, ERR_NOMEM, "no memory for a session");
    struct conf *conf = sessions_conf_ref(s);
    enum err e = agent_usable(agent, clock_wall_ms(), f);
    if (!e)
        e = sessions_judge(s, agent, f);
    if (!e)
        e = session_fill(l, agent, w, &conf->root, f);
    conf_unref(conf);
    if (!e)
        e = session_enter(s, agent, l, f);
    if (e) {
        lease_unref(l);
        return e;
    }
    s->told(s->ctx, SESSION_OPENED, l, w->by, STR_NONE);
    *ret = l;
    return ERR_OK;
}

bool session_end(struct sessions *s, struct str sid, struct str by, struct str reason)
{
    struct lease *l = s->leases->ops->find(s->leases, sid);
    bool ended = l && s->leases->ops->end(s->leases, sid, LEASE_ENDED);
    if (ended)
        s->told(s->ctx, SESSION_CLOSED, l, by, reason);
    lease_unref(l);
    return ended;
}

void session_leave(struct sessions *s, struct lease *l)
{
    if (s->leases->ops->end(s->leases, l->sid, LEASE_ENDED))
        s->told(s->ctx, SESSION_LEFT, l, STR_NONE, STR("the agent gave it back"));
}

struct session_ending {
    struct sessions *s;
    struct str by, reason;
};

static void session_ended(void *ctx, struct lease *l)
{
    struct session_ending *e = ctx;
    e->s->told(e->s->ctx, SESSION_CLOSED, l, e->by, e->reason);
}

size_t session_end_agent(struct sessions *s, struct str agent, struct str by, struct str reason)
{
    struct session_ending e = {s, by, reason};
    return s->leases->ops->end_agent(s->leases, agent, LEASE_ENDED, session_ended, &e);
}

static void session_end_one(void *ctx, struct lease *l)
{
    struct session_ending *e = ctx;
    session_end(e->s, l->sid, e->by, e->reason);
}

void session_end_all(struct sessions *s, struct str reason)
{
    struct session_ending e = {s, STR_NONE, reason};
    s->leases->ops->each(s->leases, session_end_one, &e);
}

static void session_expired(void *ctx, struct lease *l)
{
    struct sessions *s = ctx;
    s->told(s->ctx, SESSION_TIMED_OUT, l, STR_NONE, STR_NONE);
}

struct session_stopping {
    struct session_ending end;
    struct session_stopped *ret;
};

static void session_was_stopped(void *ctx, struct lease *l)
{
    struct session_stopping *p = ctx;
    p->ret->sessions++;
    p->ret->parked += atomic_load(&l->parked); /* before they are told of it */
    session_ended(&p->end, l);
}

static void session_stop_one(void *ctx, struct lease *l)
{
    struct session_stopping *p = ctx;
    struct lease_store *leases = p->end.s->leases;
    if (leases->ops->end(leases, l->sid, LEASE_STOPPED))
        session_was_stopped(p, l);
}

void session_stop(struct sessions *s, struct str agent, struct str sid, struct str by, struct str reason,
                  struct session_stopped *ret)
{
    struct session_stopping p = {{s, by, reason}, ret};
    struct lease *l = sid.n ? s->leases->ops->find(s->leases, sid) : NULL;
    *ret = (struct session_stopped){0};
    if (l)
        session_stop_one(&p, l);
    else if (!sid.n && agent.n)
        s->leases->ops->end_agent(s->leases, agent, LEASE_STOPPED, session_was_stopped, &p);
    else if (!sid.n)
        s->leases->ops->each(s->leases, session_stop_one, &p);
    lease_unref(l);
}

void session_sweep(struct sessions *s)
{
    s->leases->ops->sweep(s->leases, clock_mono_ns(), session_expired, s);
}

enum err session_holds(struct sessions *s, struct lease *l, struct str scope, int64_t now_ms, struct fault *f)
{
    if (!scope_has(l->scope, l->scope_count, scope))
        return fault_set(f, ERR_SCOPE, "this session lacks the scope " STR_FMT, STR_ARG(scope));
    struct scope_context context = {l->user, l->tier, l->trigger};
    struct conf *conf = sessions_conf_ref(s);
    bool now = scope_allowed_now(&conf->root.scopes, scope, scope_has(l->timed, l->timed_count, scope), l->agent_id,
                                 l->agent_type, l->agent_env, &context, now_ms);
    conf_unref(conf);
    return now ? ERR_OK : fault_set(f, ERR_SCOPE, "the scope " STR_FMT " is not in force at this hour", STR_ARG(scope));
}

enum err session_allows(struct sessions *s, struct lease *l, struct str tool_id, int64_t now_ms, struct fault *f)
{
    char text[320];
    static const struct str head = {"tool:", 5}, tail = {":execute", 8};
    if (tool_id.n + head.n + tail.n > sizeof(text))
        return fault_set(f, ERR_SCOPE, "a tool's name is never that long");
    for (size_t i = 0; i < l->denied_count; i++)
        if (str_glob(l->denied[i], tool_id))
            return fault_set(f, ERR_TOOL_DENIED, "the tool " STR_FMT " is on this agent's list of denied tools",
                             STR_ARG(tool_id));
    memcpy(text, head.p, head.n);
    memcpy(text + head.n, tool_id.p, tool_id.n);
    memcpy(text + head.n + tool_id.n, tail.p, tail.n);
    struct str scope = {text, head.n + tool_id.n + tail.n};
    if (!scope_has(l->scope, l->scope_count, scope))
        return fault_set(f, ERR_SCOPE,
                         "the tool " STR_FMT " is not on this session's whitelist: it lacks the scope " STR_FMT,
                         STR_ARG(tool_id), STR_ARG(scope));
    return session_holds(s, l, scope, now_ms, f);
}

/* ---- scopes of single objects ---- */

struct session_about { /* what a call is about */
    struct sessions *s;
    struct lease *l;
    int64_t now_ms;
    struct str (*argument)(void *ctx, struct str path);
    void *ctx;
};

static bool session_is_about(const struct session_about *c, const struct conf_tool *t, struct str kind, struct str id)
{
    for (size_t i = 0; i < t->bind.n; i++)
        if (str_eq(t->bind.v[i].kind, kind))
            return str_eq(c->argument(c->ctx, t->bind.v[i].argument), id);
    return false; /* a kind that nothing binds is that of no argument */
}

static enum err session_object(const struct session_about *c, const struct conf_tool *t, struct fault *f)
{
    struct lease *l = c->l;
    struct str kind, id;
    bool any = false;
    if (session_holds(c->s, l, t->scope, c->now_ms, NULL) == ERR_OK)
        return ERR_OK;
    for (size_t i = 0; i < l->scope_count; i++) {
        if (!scope_within(l->scope[i], t->scope, &kind, &id))
            continue;
        any = true;
        if (session_is_about(c, t, kind, id) && session_holds(c->s, l, l->scope[i], c->now_ms, NULL) == ERR_OK)
            return ERR_OK;
    }
    return any ? fault_set(f, ERR_SCOPE,
                           "the session's scopes of " STR_FMT
                           " are of single objects, and this call is about none of them",
                           STR_ARG(t->scope))
               : fault_set(f, ERR_SCOPE, "this session lacks the scope " STR_FMT, STR_ARG(t->scope));
}

bool session_objects_any(struct sessions *s)
{
    return atomic_load(&s->objects);
}

enum err session_objects(struct sessions *s, struct lease *l, struct str tool_id,
                         struct str (*argument)(void *ctx, struct str path), void *ctx, int64_t now_ms,
                         struct str *ret_needed, struct arena *a, struct fault *f)
{
    const struct session_about c = {s, l, now_ms, argument, ctx};
    struct conf *conf = sessions_conf_ref(s);
    const struct conf_tools *tools = &conf->root.tools;
    enum err e = ERR_OK;
    for (size_t i = 0; i < tools->n && !e; i++) { /* of several patterns that fit, all */
        const struct conf_tool *t = &tools->v[i];
        if (!t->scope.n || !str_glob(t->name, tool_id))
            continue;
        e = session_object(&c, t, f);
        if (e)
            *ret_needed = arena_str(a, t->scope);
    }
    conf_unref(conf);
    return e;
}

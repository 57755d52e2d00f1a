#include "identity/agents.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"

enum { AGENT_SLOTS = 4096, AGENT_TOOLS = 1000, AGENT_ARENA = 1 << 20 };

struct agents {
    struct store *store;
    pthread_mutex_t change; /* one change at a time: the store first, then the map */
    pthread_rwlock_t lock;  /* of the map */
    struct agent *slot[AGENT_SLOTS];
};

/* ---- one agent ---- */

struct agent *agent_ref(struct agent *a)
{
    atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void agent_unref(struct agent *a)
{
    if (!a || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < a->key_count; i++)
        jose_key_free(a->key[i].key);
    free(a->key);
    arena_done(&a->arena);
    free(a);
}

void agent_unrefp(struct agent **a)
{
    agent_unref(*a);
    *a = NULL;
}

static struct agent *agent_new(void)
{
    struct agent *a = calloc(1, sizeof(*a));
    if (a) {
        a->refs = 1;
        arena_init(&a->arena, AGENT_ARENA);
    }
    return a;
}

static bool agent_key_put(struct agent *a, struct jose_key *key, int64_t created, int64_t retires)
{
    struct agent_key *v = realloc(a->key, (a->key_count + 1) * sizeof(*v));
    if (!v)
        return false;
    a->key = v;
    a->key[a->key_count++] = (struct agent_key){key, created, retires};
    return true;
}

static struct conf_strings agent_copy_list(struct arena *arena, const struct conf_strings *from)
{
    struct conf_strings to = {arena_raw(arena, from->n * sizeof(struct str) + 1, 16), from->n, true};
    for (size_t i = 0; to.v && i < from->n; i++)
        to.v[i] = arena_str(arena, from->v[i]);
    if (!to.v)
        to.n = 0;
    return to;
}

/* A copy that may be changed before it is published. Keys are parsed again: they are not shared. */
static struct agent *agent_copy(const struct agent *from)
{
    struct agent *a = agent_new();
    struct buf b;
    if (!a)
        return NULL;
    a->id = arena_str(&a->arena, from->id);
    a->type = arena_str(&a->arena, from->type);
    a->version = arena_str(&a->arena, from->version);
    a->env = arena_str(&a->arena, from->env);
    a->owner = arena_str(&a->arena, from->owner);
    a->allowed = agent_copy_list(&a->arena, &from->allowed);
    a->denied = agent_copy_list(&a->arena, &from->denied);
    a->created = from->created;
    a->expires = from->expires;
    a->max_sessions = from->max_sessions;
    a->enabled = from->enabled;
    buf_init(&b, 4096);
    bool ok = !arena_failed(&a->arena);
    for (size_t i = 0; ok && i < from->key_count; i++) {
        struct jose_key *k = NULL;
        struct fault f;
        buf_clear(&b);
        jose_key_write_public(from->key[i].key, &b);
        ok = jose_key_parse(buf_view(&b), true, &k, &f) == ERR_OK &&
             agent_key_put(a, k, from->key[i].created, from->key[i].retires);
    }
    buf_done(&b);
    if (ok)
        return a;
    agent_unref(a);
    return NULL;
}

bool agent_denies(const struct agent *a, struct str tool_id)
{
    for (size_t i = 0; i < a->denied.n; i++)
        if (str_glob(a->denied.v[i], tool_id))
            return true;
    return false;
}

enum err agent_usable(const struct agent *a, int64_t now_ms, struct fault *f)
{
    if (!a->enabled)
        return fault_set(f, ERR_CLIENT_AUTH, "the agent is disabled");
    if (now_ms >= a->expires)
        return fault_set(f, ERR_CLIENT_AUTH, "the agent's registration has expired");
    return ERR_OK;
}

bool agent_key_proves(const struct agent_key *k, struct str kid, int64_t now_ms)
{
    return (!kid.n || str_is(kid, jose_key_thumbprint(k->key))) && (!k->retires || now_ms < k->retires);
}

/* ---- the map ---- */

static struct agent **agents_slot(struct agents *r, struct str id)
{
    return &r->slot[str_hash(id) % AGENT_SLOTS];
}

struct agent *agents_find(struct agents *r, struct str id)
{
    pthread_rwlock_rdlock(&r->lock);
    struct agent *a = *agents_slot(r, id);
    while (a && !str_eq(a->id, id))
        a = a->next;
    if (a)
        agent_ref(a);
    pthread_rwlock_unlock(&r->lock);
    return a;
}

void agents_each(struct agents *r, void (*agent)(void *ctx, struct agent *a), void *ctx)
{
    pthread_rwlock_rdlock(&r->lock);
    for (size_t i = 0; i < AGENT_SLOTS; i++)
        for (struct agent *a = r->slot[i]; a; a = a->next)
            agent(ctx, a);
    pthread_rwlock_unlock(&r->lock);
}

/* Puts `a` (or nothing) in the place of the agent of this id. Takes over a reference. */
static void agents_replace(struct agents *r, struct str id, struct agent *a)
{
    pthread_rwlock_wrlock(&r->lock);
    struct agent **at = agents_slot(r, id), *old;
    while (*at && !str_eq((*at)->id, id))
        at = &(*at)->next;
    old = *at;
    if (a) {
        a->next = old ? old->next : NULL;
        *at = a;
    } else if (old) {
        *at = old->next;
    }
    pthread_rwlock_unlock(&r->lock);
    if (old)
        atomic_store(&old->replaced, true);
    agent_unref(old);
}

/* ---- loading ---- */

struct agents_loading {
    struct agents *r;
    struct fault *f;
    enum err e;
};

static enum err agent_read_list(struct agent *a, struct str text, struct conf_strings *ret)
{
    struct json j;
    TRY(json_parse(&j, text, &a->arena, NULL, NULL));
    *ret = (struct conf_strings){arena_raw(&a->arena, j.count * sizeof(struct str), 16), 0, true};
    JSON_EACH(&j, JSON_ROOT, v)
    {
        if (ret->v)
            ret->v[ret->n++] = arena_str(&a->arena, json_str(&j, v, &a->arena));
    }
    return arena_failed(&a->arena) ? ERR_NOMEM : ERR_OK;
}

static void agents_load_agent(void *ctx, const struct store_agent *s)
{
    struct agents_loading *l = ctx;
    struct agent *a = l->e ? NULL : agent_new();
    if (!a)
        return;
    a->id = arena_str(&a->arena, s->id);
    a->type = arena_str(&a->arena, s->type);
    a->version = arena_str(&a->arena, s->version);
    a->env = arena_str(&a->arena, s->env);
    a->owner = arena_str(&a->arena, s->owner);
    a->created = s->created;
    a->expires = s->expires;
    a->max_sessions = s->max_sessions;
    a->enabled = s->enabled;
    /* The lists were given as text that is gone after this: parsed from a copy. */
    if (agent_read_list(a, arena_str(&a->arena, s->allowed), &a->allowed) ||
        agent_read_list(a, arena_str(&a->arena, s->denied), &a->denied)) {
        l->e = fault_set(l->f, ERR_STORE, "the store's agent " STR_FMT " cannot be read", STR_ARG(s->id));
        agent_unref(a);
        return;
    }
    agents_replace(l->r, a->id, a);
}

static void agents_load_key(void *ctx, const struct store_key *s)
{
    struct agents_loading *l = ctx;
    struct agent *a = l->e ? NULL : agents_find(l->r, s->agent);
    struct jose_key *k;
    if (!a)
        return;
    if (jose_key_parse(s->jwk, true, &k, l->f))
        l->e = fault_wrap(l->f, "the store's key of agent " STR_FMT, STR_ARG(s->agent));
    else if (!agent_key_put(a, k, s->created, s->retires))
        l->e = fault_set(l->f, ERR_NOMEM, "no memory for agents");
    agent_unref(a);
}

enum err agents_new(struct store *store, struct agents **ret, struct fault *f)
{
    struct agents *r = calloc(1, sizeof(*r));
    struct agents_loading l = {r, f, ERR_OK};
    if (!r)
        return fault_set(f, ERR_NOMEM, "no memory for agents");
    r->store = store;
    pthread_mutex_init(&r->change, NULL);
    pthread_rwlock_init(&r->lock, NULL);
    enum err e = store->ops->load(store, agents_load_agent, agents_load_key, &l, f);
    if (e || l.e) {
        agents_free(r);
        return e ? e : l.e;
    }
    *ret = r;
    return ERR_OK;
}

void agents_free(struct agents *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < AGENT_SLOTS; i++) {
        for (struct agent *a = r->slot[i], *next; a; a = next) {
            next = a->next;
            agent_unref(a);
        }
    }
    pthread_mutex_destroy(&r->change);
    pthread_rwlock_destroy(&r->lock);
    free(r);
}

/* ---- changes ---- */

static bool agent_word(struct str s, size_t max, bool lower)
{
    if (s.n == 0 || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i && strchr("._-", c)) ||
                  (!lower && ((c >= 'A' && c <= 'Z') || strchr("+@ ", c)));
        if (!ok || !c) /* strchr finds the zero at its end, too */
            return false;
    }
    return true;
}

static enum err agent_check_tools(const struct conf_strings *list, const char *member, bool patterns, struct fault *f)
{
    if (list->n > AGENT_TOOLS)
        return fault_set(f, ERR_PARAMS, "%s: at most %d tools", member, AGENT_TOOLS);
    for (size_t i = 0; i < list->n; i++) {
        struct str t = list->v[i];
        const char *slash = t.n ? memchr(t.p, '/', t.n) : NULL;
        bool ok = slash && slash > t.p && slash < t.p + t.n - 1 && t.n <= 200;
        for (size_t k = 0; ok && k < t.n; k++)
            ok = (unsigned char)t.p[k] > 0x20 && (unsigned char)t.p[k] < 0x7f && t.p[k] != ':';
        if (!ok)
            return fault_set(f, ERR_PARAMS, "%s[%zu]: a tool is named server/tool, such as orders/lookup_order", member,
                             i);
        if (!patterns && memchr(t.p, '*', t.n))
            return fault_set(f, ERR_PARAMS,
                             "%s[%zu]: an allowed tool is named in full; patterns with * are for denied tools only",
                             member, i);
    }
    return ERR_OK;
}

static enum err agent_check(const struct agent_wish *w, const struct conf_root *conf, int64_t now, struct fault *f)
{
    if (!agent_word(w->id, 64, true))
        return fault_set(f, ERR_PARAMS,
                         "agentId: 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit");
    if (!agent_word(w->type, 64, true))
        return fault_set(f, ERR_PARAMS, "agentType: needed, such as customer-support");
    if (!agent_word(w->version, 64, false))
        return fault_set(f, ERR_PARAMS, "version: needed, such as 2.4.1");
    if (!agent_word(w->owner, 128, false))
        return fault_set(f, ERR_PARAMS, "owner: needed, the team responsible");
    if (!str_is(w->env, "production") && !str_is(w->env, "staging") && !str_is(w->env, "development"))
        return fault_set(f, ERR_PARAMS, "deploymentEnv: must be production, staging or development");
    if (w->expires <= now || w->expires > now + conf->agents.max_lifetime)
        return fault_set(f, ERR_PARAMS, "expiresAt: must be in the future and at most agents.max_lifetime away");
    if (w->max_sessions < 1 || w->max_sessions > 10000)
        return fault_set(f, ERR_PARAMS, "maxConcurrentSessions: must be from 1 to 10000");
    TRY(agent_check_tools(&w->allowed, "allowedTools", false, f));
    return agent_check_tools(&w->denied, "deniedTools", true, f);
}

static struct str agent_list_json(struct arena *a, const struct conf_strings *list)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    struct json_out o = json_out(&b);
    json_put_strs(&o, list->v, list->n);
    struct str s = arena_buf(a, &b);
    buf_done(&b);
    return s;
}

static struct store_agent agent_row(struct agent *a)
{
    return (struct store_agent){
        .id = a->id,
        .type = a->type,
        .version = a->version,
        .env = a->env,
        .owner = a->owner,
        .allowed = agent_list_json(&a->arena, &a->allowed),
        .denied = agent_list_json(&a->arena, &a->denied),
        .created = a->created,
        .expires = a->expires,
        .max_sessions = a->max_sessions,
        .enabled = a->enabled,
    };
}

static struct store_key agent_key_row(struct agent *a, const struct jose_key *k, int64_t created)
{
    struct buf b;
    buf_init(&b, 4096);
    jose_key_write_public(k, &b);
    struct store_key row = {a->id, str_of(jose_key_thumbprint(k)), arena_buf(&a->arena, &b), created, 0};
    buf_done(&b);
    return row;
}

/* The end of a change, with `change` given back: the agent is seen as it is now, or nothing has happened. */
static enum err agents_edited(struct agents *r, struct agent *a, enum err e, struct agent **ret)
{
    if (!e)
        agents_replace(r, a->id, agent_ref(a));
    pthread_mutex_unlock(&r->change);
    if (e)
        agent_unref(a);
    else
        *ret = a;
    return e;
}

enum err agents_create(struct agents *r, const struct agent_wish *wish, const struct conf_root *conf,
                       struct agent **ret, struct fault *f)
{
    struct agent_wish w = *wish;
    int64_t now = clock_wall_ms();
    char id[ENC_ID_MAX];
    if (!w.id.n) {
        enc_id("agt", id);
        for (char *c = id; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        w.id = str_of(id);
    }
    w.expires = w.expires ? w.expires : now + conf->agents.default_lifetime;
    w.max_sessions = w.max_sessions ? w.max_sessions : conf->agents.max_concurrent_sessions;
    w.env = w.env.n ? w.env : STR("production");
    TRY(agent_check(&w, conf, now, f));
    struct jose_key *key;
    enum err e = jose_key_parse(w.jwk, true, &key, f);
    if (e)
        return fault_wrap(f, "publicKey");
    struct agent *a = agent_new();
    if (!a || !agent_key_put(a, key, now, 0)) {
        jose_key_free(key);
        agent_unref(a);
        return fault_set(f, ERR_NOMEM, "no memory for an agent");
    }
    a->id = arena_str(&a->arena, w.id);
    a->type = arena_str(&a->arena, w.type);
    a->version = arena_str(&a->arena, w.version);
    a->env = arena_str(&a->arena, w.env);
    a->owner = arena_str(&a->arena, w.owner);
    a->allowed = agent_copy_list(&a->arena, &w.allowed);
    a->denied = agent_copy_list(&a->arena, &w.denied);
    a->created = now;
    a->expires = w.expires;
    a->max_sessions = w.max_sessions;
    a->enabled = true;
    struct store_agent row = agent_row(a);
    struct store_key key_row = agent_key_row(a, key, now);
    pthread_mutex_lock(&r->change);
    e = arena_failed(&a->arena) ? fault_set(f, ERR_NOMEM, "no memory for an agent")
                                : r->store->ops->agent_create(r->store, &row, &key_row, f);
    return agents_edited(r, a, e, ret);
}

/* A changed copy of the agent of this id, with `change` taken. */
static enum err agents_edit(struct agents *r, struct str id, struct agent **ret, struct fault *f)
{
    pthread_mutex_lock(&r->change);
    struct agent *now = agents_find(r, id);
    struct agent *a = now ? agent_copy(now) : NULL;
    agent_unref(now);
    if (a) {
        *ret = a;
        return ERR_OK;
    }
    pthread_mutex_unlock(&r->change);
    return now ? fault_set(f, ERR_NOMEM, "no memory for an agent")
               : fault_set(f, ERR_NOT_FOUND, "there is no agent " STR_FMT, STR_ARG(id));
}

enum err agents_rotate(struct agents *r, struct str id, struct str jwk, int64_t overlap_ms, struct agent **ret,
                       struct fault *f)
{
    struct jose_key *key;
    struct agent *a;
    int64_t now = clock_wall_ms();
    if (jose_key_parse(jwk, true, &key, f))
        return fault_wrap(f, "publicKey");
    enum err e = agents_edit(r, id, &a, f);
    if (e) {
        jose_key_free(key);
        return e;
    }
    for (size_t i = 0; i < a->key_count; i++)
        if (!a->key[i].retires || a->key[i].retires > now + overlap_ms)
            a->key[i].retires = now + overlap_ms;
    if (!agent_key_put(a, key, now, 0)) {
        jose_key_free(key);
        return agents_edited(r, a, fault_set(f, ERR_NOMEM, "no memory for a key"), ret);
    }
    struct store_key row = agent_key_row(a, key, now);
    e = arena_failed(&a->arena) ? fault_set(f, ERR_NOMEM, "no memory for a key")
                                : r->store->ops->agent_rotate(r->store, &row, now + overlap_ms, f);
    return agents_edited(r, a, e, ret);
}

enum err agents_enable(struct agents *r, struct str id, bool enabled, struct agent **ret, struct fault *f)
{
    struct agent *a;
    TRY(agents_edit(r, id, &a, f));
    a->enabled = enabled;
    struct store_agent row = agent_row(a);
    enum err e = arena_failed(&a->arena) ? fault_set(f, ERR_NOMEM, "no memory for an agent")
                                         : r->store->ops->agent_update(r->store, &row, f);
    return agents_edited(r, a, e, ret);
}

enum err agents_delete(struct agents *r, struct str id, struct fault *f)
{
    pthread_mutex_lock(&r->change);
    enum err e = r->store->ops->agent_delete(r->store, id, f);
    if (!e)
        agents_replace(r, id, NULL);
    pthread_mutex_unlock(&r->change);
    return e;
}

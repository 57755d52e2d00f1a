#include "policy/force.h"

#include <stdlib.h>

#include "base/log.h"

void policy_force_init(struct policy_force *f)
{
    pthread_rwlockattr_t attr; /* readers that never pause must not keep a new set out */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&f->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    f->set = NULL;
    buf_init(&f->faults, 1u << 20);
}

void policy_force_done(struct policy_force *f)
{
    policy_set_unref(f->set);
    buf_done(&f->faults);
    pthread_rwlock_destroy(&f->lock);
}

struct policy_set *policy_force_get(struct policy_force *f)
{
    pthread_rwlock_rdlock(&f->lock);
    struct policy_set *s = policy_set_ref(f->set);
    pthread_rwlock_unlock(&f->lock);
    return s;
}

void policy_force_put(struct policy_force *f, struct policy_set *set, struct str faults)
{
    struct policy_set *old = NULL;
    pthread_rwlock_wrlock(&f->lock);
    if (set) {
        old = f->set;
        f->set = set;
    }
    buf_clear(&f->faults);
    buf_str(&f->faults, faults);
    pthread_rwlock_unlock(&f->lock);
    policy_set_unref(old);
}

bool policy_force_ok(struct policy_force *f, struct buf *ret_faults)
{
    pthread_rwlock_rdlock(&f->lock);
    bool ok = f->set && !f->faults.n;
    if (ret_faults)
        buf_str(ret_faults, buf_view(&f->faults));
    pthread_rwlock_unlock(&f->lock);
    return ok;
}

static void force_texts(const struct policy_texts *t, bool texts, struct json_out *o)
{
    json_kv_z(o, "version", t->version);
    json_kv_bool(o, "builtIn", t->builtin);
    json_key(o, STR("files"));
    json_open(o, '[');
    for (size_t i = 0; i < t->n; i++) {
        json_open(o, '{');
        json_kv_str(o, "name", texts ? t->v[i].name : policy_base(t->v[i].name));
        json_kv_bool(o, "enforce", t->v[i].enforce);
        if (texts)
            json_kv_str(o, "text", t->v[i].text);
        json_close(o, '}');
    }
    json_close(o, ']');
}

void policy_force_json(struct policy_force *f, bool texts, struct json_out *o)
{
    struct buf faults CLEANUP(buf_done);
    struct policy_set *s = policy_force_get(f);
    buf_init(&faults, 1u << 20);
    json_open(o, '{');
    json_kv_bool(o, "inForce", policy_force_ok(f, &faults));
    if (s)
        force_texts(policy_set_texts(s), texts, o);
    policy_set_waiting_json(s, o);
    json_kv_lines(o, "faults", texts ? buf_view(&faults) : STR_NONE);
    json_close(o, '}');
    policy_set_unref(s);
}

/* ---- the tools that are known ---- */

struct facts {
    const struct catalogue *k;
    struct arena *a;
    struct policy_fact *v;
    size_t n, cap;
    struct str *pinned; /* names of pins whose definitions are still to be read */
    size_t pins, pins_cap;
};

static bool facts_grow(struct arena *a, void **v, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return true;
    size_t more = *cap ? 2 * *cap : 64;
    void *p = arena_raw(a, more * size, 16);
    if (!p)
        return false;
    if (n)
        memcpy(p, *v, n * size);
    *v = p;
    *cap = more;
    return true;
}

static void facts_put(struct facts *f, struct str id, struct str definition, struct str hash)
{
    struct str rest = id, server;
    if (hash.n != 64 || !str_cut(&rest, '/', &server) ||
        !facts_grow(f->a, (void **)&f->v, &f->cap, f->n, sizeof(*f->v)))
        return;
    struct policy_fact *p = &f->v[f->n++];
    *p = (struct policy_fact){.definition = arena_str(f->a, definition)};
    p->id = arena_str(f->a, id);
    p->server = (struct str){p->id.p, server.n};
    p->name = str_skip(p->id, server.n + 1);
    memcpy(p->hash, hash.p, 64);
}

static const struct tool *facts_served(const struct facts *f, struct str id)
{
    const struct tool *t = f->k ? catalogue_by_id(f->k, id) : NULL;
    return t && tool_served(t) ? t : NULL;
}

static void facts_pin(void *ctx, const struct store_pin *p)
{
    struct facts *f = ctx;
    if (!facts_served(f, p->tool) && facts_grow(f->a, (void **)&f->pinned, &f->pins_cap, f->pins, sizeof(*f->pinned)))
        f->pinned[f->pins++] = arena_str(f->a, p->tool);
}

static void facts_pinned(void *ctx, const struct store_pin *p)
{
    facts_put(ctx, p->tool, p->definition, p->hash);
}

enum err policy_facts(const struct catalogue *k, struct store *store, struct arena *a, const struct policy_fact **ret,
                      size_t *ret_n, struct fault *fault)
{
    struct facts f = {.k = k, .a = a};
    for (size_t i = 0; k && i < k->count; i++)
        if (tool_served(&k->tool[i]))
            facts_put(&f, k->tool[i].id, k->tool[i].definition, str_of(k->tool[i].hash));
    struct fault unread;
    enum err e = store->ops->pins_load(store, facts_pin, &f, &unread);
    for (size_t i = 0; i < f.pins && !e; i++) {
        e = store->ops->pin_read(store, f.pinned[i], facts_pinned, &f, &unread);
        e = e == ERR_NOT_FOUND ? ERR_OK : e;
    }
    if (e) /* then policies on them wait: nobody can call these tools either */
        log_warn("policy_pins_unread", LOG_Z("reason", unread.text));
    if (arena_failed(a))
        return fault_set(fault, ERR_NOMEM, "no memory for what is known of tools");
    *ret = f.v;
    *ret_n = f.n;
    return ERR_OK;
}

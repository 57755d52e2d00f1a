#include "daemon/policies.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/house.h"

enum { POLICIES_MEMORY = 512 << 20 };

/* What a configuration that was read again brings along. */
struct policies_of {
    struct policy_texts *texts;
    struct policy_set *set;
};

static void policies_of_free(void *p)
{
    struct policies_of *o = p;
    policy_set_unref(o->set);
    policy_texts_unref(o->texts);
    free(o);
}

/* Any pool thread, or before there are any. */
static enum err policies_build(struct house *h, struct policy_texts *texts, const struct conf *conf,
                               struct policy_set **ret, struct buf *faults)
{
    struct arena a;
    struct fault f;
    const struct policy_fact *fact;
    size_t n;
    arena_init(&a, POLICIES_MEMORY);
    struct catalogue *k = connect_catalogue(h->connect);
    enum err e = policy_facts(k, h->store, &a, &fact, &n, &f);
    if (e)
        buf_fmt(faults, "policies: %s\n", f.text);
    else
        e = policy_set_new(texts, &conf->root, fact, n, ret, faults);
    catalogue_unref(k);
    arena_done(&a);
    return e;
}

enum err house_policies_open(struct house *h, struct conf *conf, struct buf *faults)
{
    policy_force_init(&h->policies.force);
    return policy_texts_read(conf, &h->policies.texts, faults);
}

void house_policies_done(struct house *h)
{
    policy_force_done(&h->policies.force);
    policy_texts_unref(h->policies.texts);
}

/* ---- made anew ---- */

struct policies_job {
    uv_work_t work;
    struct house *house;
    struct policy_texts *texts;
    struct conf *conf;
    struct policy_set *set;
    struct buf faults;
};

static void policies_work(uv_work_t *w)
{
    struct policies_job *j = w->data;
    if (policies_build(j->house, j->texts, j->conf, &j->set, &j->faults))
        j->set = NULL;
}

static void policies_wait(void *ctx, struct str id, struct str tool)
{
    (void)ctx;
    log_warn("policy_waits", LOG_S("policy", id), LOG_S("tool", tool),
             LOG_Z("reason", "it speaks only of tools that nobody knows yet"));
}

static void policies_tell(const struct policy_set *set, struct str faults)
{
    for (struct str rest = faults, line; rest.n;) {
        str_cut(&rest, '\n', &line);
        if (line.n)
            log_error("policy_fault", LOG_S("fault", line));
    }
    if (!set)
        return;
    policy_set_waiting(set, policies_wait, NULL);
    const struct policy_texts *t = policy_set_texts(set);
    for (size_t i = 0; i < t->n; i++)
        if (!t->v[i].enforce)
            log_warn("policy_not_enforced", LOG_S("file", t->v[i].name));
    log_info("policies", LOG_Z("version", t->version), LOG_I("files", t->builtin ? 0 : t->n));
}

static void policies_in_force(struct house *h, struct policy_set *set, struct str faults)
{
    struct policy_set *before = policy_force_get(&h->policies.force);
    bool other = set && (!before || strcmp(policy_set_texts(before)->version, policy_set_texts(set)->version) != 0);
    if (other || faults.n)
        policies_tell(set, faults);
    if (set)
        audit_policies(h->audit, policy_set_texts(set)->version);
    bool changed = other && before;
    policy_set_unref(before);
    policy_force_put(&h->policies.force, policy_set_ref(set), faults);
    if (changed) /* a question of before was put by others */
        house_approvals_policies_changed(h);
}

static void policies_done(uv_work_t *w, int status)
{
    struct policies_job *j = w->data;
    struct house *h = j->house;
    struct house_policies *p = &h->policies;
    p->making = false;
    if (status == 0 && j->texts == p->texts) /* else a reload came between, with a set of its own */
        policies_in_force(h, j->set, buf_view(&j->faults));
    policy_set_unref(j->set);
    policy_texts_unref(j->texts);
    conf_unref(j->conf);
    buf_done(&j->faults);
    free(j);
    void (*made)(struct house *) = p->made;
    if (p->again && !atomic_load(&h->stopping)) {
        house_policies_make(h, made);
        return;
    }
    p->made = NULL;
    if (made)
        made(h);
}

void house_policies_make(struct house *h, void (*made)(struct house *h))
{
    struct house_policies *p = &h->policies;
    p->made = made ? made : p->made;
    p->again = p->making;
    if (p->making)
        return;
    struct policies_job *j = calloc(1, sizeof(*j));
    if (!j) {
        log_error("policies_not_made", LOG_Z("reason", "no memory; those before stay"));
        return;
    }
    j->work.data = j;
    j->house = h;
    j->texts = policy_texts_ref(p->texts);
    j->conf = conf_slot_get(&h->conf);
    buf_init(&j->faults, 1u << 20);
    p->making = true;
    if (uv_queue_work(&h->workers[0].loop, &j->work, policies_work, policies_done))
        policies_done(&j->work, UV_ECANCELED);
}

static void policies_changed(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct house *h = (struct house *)((char *)m - offsetof(struct house, policies.changed));
    atomic_store(&h->policies.posted, false);
    if (!atomic_load(&h->stopping))
        house_policies_make(h, NULL);
}

void house_policies_changed(struct house *h)
{
    if (atomic_exchange(&h->policies.posted, true))
        return;
    h->policies.changed.run = policies_changed;
    worker_post(&h->workers[0], &h->policies.changed);
}

/* ---- a reload ---- */

enum err house_policies_load(struct house *h, struct conf *conf, struct buf *faults)
{
    struct policies_of *o = calloc(1, sizeof(*o));
    if (!o)
        return ERR_NOMEM;
    enum err e = policy_texts_read(conf, &o->texts, faults);
    if (!e)
        e = policies_build(h, o->texts, conf, &o->set, faults);
    if (e) {
        policies_of_free(o);
        return e;
    }
    conf->policies = o;
    conf->policies_free = policies_of_free;
    return ERR_OK;
}

void house_policies_apply(struct house *h, struct conf *conf)
{
    struct policies_of *o = conf->policies;
    if (!o)
        return;
    policy_texts_unref(h->policies.texts);
    h->policies.texts = policy_texts_ref(o->texts);
    policies_in_force(h, o->set, STR_NONE);
    house_policies_make(h, NULL); /* the tools may have changed since it was judged */
}

/* A new configuration: read and checked on a pool thread, put in force on worker 0, all or nothing. */
#include <stdatomic.h>
#include <stdio.h>

#include "approve/approve.h"
#include "base/log.h"
#include "console/console.h"
#include "daemon/house.h"
#include "notify/notify.h"

enum { RELOAD_CHANGED = 200, RELOAD_DETAILS = 1 << 20 }; /* keys that are told by name; bytes */

static void reload_fixed(struct buf *faults, const char *file, const char *key, bool same)
{
    if (!same)
        buf_fmt(faults, "%s: %s: cannot change while the gateway runs: restart it\n", file, key);
}

enum err house_load(void *house, struct conf **ret, struct buf *faults)
{
    struct house *h = house;
    struct conf *next;
    TRY(conf_load(h->config_file, &next, faults));
    struct conf *now = conf_slot_get(&h->conf);
    const struct conf_root *a = &now->root, *b = &next->root;
    reload_fixed(faults, h->config_file, "listen", str_eq(a->listen, b->listen));
    reload_fixed(faults, h->config_file, "public_url", str_eq(a->public_url, b->public_url));
    reload_fixed(faults, h->config_file, "data_dir", str_eq(a->data_dir, b->data_dir));
    reload_fixed(faults, h->config_file, "workers", a->workers == b->workers);
    reload_fixed(faults, h->config_file, "admin.listen", str_eq(a->admin.listen, b->admin.listen));
    reload_fixed(faults, h->config_file, "tls", !a->tls.tls == !b->tls.tls);
    reload_fixed(faults, h->config_file, "admin.tls", !a->admin.tls.tls == !b->admin.tls.tls);
    reload_fixed(faults, h->config_file, "token.alg", a->token.alg == b->token.alg);
    reload_fixed(faults, h->config_file, "limits.connections", a->limits.connections == b->limits.connections);
    reload_fixed(faults, h->config_file, "limits.body_bytes", a->limits.body_bytes == b->limits.body_bytes);
    reload_fixed(faults, h->config_file, "limits.arena_bytes", a->limits.arena_bytes == b->limits.arena_bytes);
    tls_inherit(b->tls.tls, a->tls.tls);
    tls_inherit(b->admin.tls.tls, a->admin.tls.tls);
    conf_unref(now);
    enum err e = house_policies_load(h, next, faults);
    if (sinks_check(next, faults) || notify_check(next, faults) || e || faults->n) {
        conf_unref(next);
        return ERR_CONFIG;
    }
    *ret = next;
    return ERR_OK;
}

/* Of the policies that are in force; empty: none are. */
static void reload_policies(struct house *h, char ret[65])
{
    struct policy_set *set = policy_force_get(&h->policies.force);
    snprintf(ret, 65, "%s", set ? policy_set_texts(set)->version : "");
    policy_set_unref(set);
}

/* What changed: keys, and the policies, whose files may have changed under the same name. */
static void reload_note(struct house *h, const struct conf *before, const struct conf *now, const char *policies,
                        struct str by)
{
    struct audit_entry e;
    char version[65];
    struct buf details CLEANUP(buf_done), keys CLEANUP(buf_done);
    buf_init(&details, RELOAD_DETAILS);
    buf_init(&keys, RELOAD_DETAILS);
    struct json_out list = json_out(&keys), o = json_out(&details);
    size_t n = conf_changed(before, now, RELOAD_CHANGED, &list);
    reload_policies(h, version);
    json_open(&o, '{');
    json_kv_raw(&o, "changed", buf_view(&keys));
    json_kv_i64(&o, "changedKeys", (int64_t)n);
    json_key(&o, STR("policies"));
    json_open(&o, '{');
    json_kv_z(&o, "after", version);
    json_kv_z(&o, "before", policies);
    json_close(&o, '}');
    json_close(&o, '}');
    audit_entry_init(&e, AUDIT_CONFIG_RELOADED, AUDIT_HUMAN);
    e.actor = by;
    e.result = AUDIT_SUCCESS;
    e.details = buf_failed(&keys) ? STR_NONE : buf_view(&details);
    audit_note(h->audit, &e);
}

void house_apply(void *house, struct conf *conf, struct str by)
{
    struct house *h = house;
    char policies[65];
    if (atomic_load(&h->stopping))
        return;
    bool settled = atomic_load(&h->settled);
    if (settled && by.n) /* of a signal it knows */
        manager_reloading();
    struct conf *before = conf_slot_get(&h->conf);
    reload_policies(h, policies);
    log_level_set((enum log_level)conf->root.log.level);
    conf_slot_set(&h->conf, conf);
    console_conf(h->console, conf);
    admin_streams_reloaded(&h->admin);
    audit_conf(h->audit, conf);
    access_reopen(h->access, conf->root.log.access);
    sessions_conf(h->sessions, conf);
    approvals_conf(h->approvals, conf);
    house_approvals_operators(h, before, conf);
    atomic_store(&h->gate.call_timeout_ms, (unsigned)conf->root.limits.call_timeout);
    atomic_store(&h->gate.input_timeout_ms, (unsigned)conf->root.limits.input_timeout);
    atomic_store(&h->gate.parked_max, (unsigned)conf->root.limits.parked_calls);
    atomic_store(&h->gate.parked_session_max, (unsigned)conf->root.session.max_parked_calls);
    house_policies_apply(h, conf);
    connect_reload(h->connect, conf);
    sinks_reload(h->sinks, conf);
    notify_reload(h->notify, conf);
    outside_reload(h->outside, conf);
    house_certificates(&conf->root);
    reload_note(h, before, conf, policies, by);
    conf_unref(before);
    log_info("reloaded", LOG_Z("file", h->config_file));
    if (settled)
        manager_ready("serves, with the configuration read again");
}

/* The gateway itself: how it stands, its configuration. */
#include "admin/request.h"
#include "approve/glass.h"
#include "base/clock.h"
#include "box/box.h"
#include "notify/notify.h"
#include "policy/force.h"

enum { STATUS_SERVERS = 1024, REFUSED_BYTES = 8192 /* of faults, on record */ };

/* What holds for the programs of a server, as the kernel sees to it. Servers behind a URL have none of it. */
static void status_box(struct json_out *o, const struct conf *conf, const char *name)
{
    static const char *const modes[] = {"off", "on", "strict"};
    const struct conf_server *s = NULL;
    for (size_t i = 0; i < conf->root.servers.n && !s; i++)
        if (str_is(conf->root.servers.v[i].name, name))
            s = &conf->root.servers.v[i];
    if (!s || !s->command.n)
        return;
    unsigned enforced = s->sandbox == CONF_SANDBOX_OFF ? 0 : box_enforced();
    json_key(o, STR("sandbox"));
    json_open(o, '{');
    json_kv_z(o, "mode", modes[s->sandbox]);
    json_key(o, STR("enforced"));
    json_open(o, '[');
    for (unsigned i = 0; box_names[i]; i++)
        if (enforced >> i & 1)
            json_put_str(o, str_of(box_names[i]));
    json_close(o, ']');
    json_kv_bool(o, "network", s->network || !(enforced & BOX_NETWORK));
    json_key(o, STR("read"));
    json_put_strs(o, s->read.v, s->read.n);
    json_key(o, STR("write"));
    json_put_strs(o, s->write.v, s->write.n);
    json_close(o, '}');
}

static void status_servers(struct json_out *o, struct connect *c, const struct conf *conf, struct arena *a)
{
    static const char *const states[] = {"down", "connecting", "up"};
    struct upstream_info *list = arena_alloc(a, STATUS_SERVERS * sizeof(*list));
    size_t n = list ? connect_list(c, list, STATUS_SERVERS) : 0;
    json_key(o, STR("servers"));
    json_open(o, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(o, '{');
        json_kv_z(o, "name", list[i].name);
        json_kv_z(o, "kind", list[i].kind);
        json_kv_z(o, "state", states[list[i].state]);
        json_kv_z(o, "protocol", list[i].protocol);
        json_kv_i64(o, "tools", list[i].tools);
        json_kv_i64(o, "withheld", list[i].withheld);
        json_kv_i64(o, "processes", list[i].children);
        json_kv_z(o, "fault", list[i].fault);
        status_box(o, conf, list[i].name);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void status_count(void *ctx, struct lease *l)
{
    (void)l;
    ++*(int64_t *)ctx;
}

static void status_stop(void *ctx, const struct store_stop *p)
{
    *(int64_t *)ctx += p->agent.n > 0;
}

static void status_stops(struct json_out *o, struct stops *s)
{
    int64_t agents = 0;
    stops_each(s, status_stop, &agents);
    json_key(o, STR("stopped"));
    json_open(o, '{');
    json_kv_bool(o, "all", stops_all(s));
    json_kv_i64(o, "agents", agents);
    json_close(o, '}');
}

enum err admin_status_get(struct admin_request *r, struct fault *f)
{
    (void)f;
    struct admin *a = r->admin;
    struct fault why = {0};
    int64_t sessions = 0;
    bool ready = a->ready(a->ctx, &why);
    a->leases->ops->each(a->leases, status_count, &sessions);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_z(&o, "version", DOORWARD_VERSION);
    json_kv_bool(&o, "ready", ready);
    json_kv_z(&o, "reason", why.text);
    json_kv_i64(&o, "uptimeMs", (clock_mono_ns() - a->started_ns) / 1000000);
    json_kv_i64(&o, "sessions", sessions);
    status_stops(&o, a->stops);
    json_key(&o, STR("approvals"));
    json_open(&o, '{');
    json_kv_i64(&o, "pending", (int64_t)approvals_pending(a->approvals));
    clock_kv(&o, "oldestAt", approvals_oldest(a->approvals));
    json_close(&o, '}');
    json_key(&o, STR("breakGlass"));
    approvals_glass_json(a->approvals, &o);
    struct fault audit = {0};
    json_key(&o, STR("audit"));
    json_open(&o, '{');
    json_kv_bool(&o, "healthy", audit_healthy(a->audit, &audit));
    json_kv_z(&o, "fault", audit.text);
    json_kv_i64(&o, "seq", (int64_t)audit_seq(a->audit));
    json_kv_i64(&o, "checkpoint", (int64_t)audit_published(a->audit));
    json_kv_i64(&o, "indexed", (int64_t)indexer_at(a->indexer));
    json_key(&o, STR("witnesses"));
    outside_json(a->outside, true, &o);
    json_key(&o, STR("anchors"));
    outside_json(a->outside, false, &o);
    json_close(&o, '}');
    json_key(&o, STR("sinks"));
    sinks_json(a->sinks, true, &o);
    json_key(&o, STR("channels"));
    notify_json(a->notify, true, &o);
    json_key(&o, STR("policies"));
    policy_force_json(a->policies, false, &o);
    struct conf *conf = conf_slot_get(a->conf);
    status_servers(&o, a->connect, conf, r->arena);
    conf_unref(conf);
    json_close(&o, '}');
    return ERR_OK;
}

/* The first lines, so far as they are few. */
static struct str refused_faults(struct str faults)
{
    struct str some = faults.n > REFUSED_BYTES ? (struct str){faults.p, REFUSED_BYTES} : faults;
    while (some.n < faults.n && some.n && some.p[some.n - 1] != '\n')
        some.n--;
    return some;
}

void admin_note_refused(struct audit *audit, struct str operator, struct str faults)
{
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    buf_init(&details, 1 << 20);
    struct json_out o = json_out(&details);
    json_open(&o, '{');
    json_kv_lines(&o, "faults", refused_faults(faults));
    json_close(&o, '}');
    audit_entry_init(&e, AUDIT_CONFIG_REFUSED, AUDIT_HUMAN);
    e.actor = operator;
    e.result = AUDIT_DENIED;
    e.details = buf_view(&details);
    audit_note(audit, &e);
}

/* All faults at once, or the new snapshot in force. Its entry in the record is the daemon's. */
enum err admin_reload_post(struct admin_request *r, struct fault *f)
{
    struct buf faults;
    buf_init(&faults, 1u << 20);
    enum err e = r->admin->load(r->admin->ctx, &r->conf, &faults);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    if (!e) {
        json_kv_bool(&o, "reloaded", true);
        json_close(&o, '}');
        buf_done(&faults);
        return ERR_OK;
    }
    json_kv_z(&o, "error", err_code(ERR_CONFIG));
    json_kv_z(&o, "message", "the configuration has faults; the one before stays in force");
    json_kv_lines(&o, "faults", buf_view(&faults));
    json_close(&o, '}');
    admin_note_refused(r->admin->audit, r->operator, buf_view(&faults));
    buf_done(&faults);
    return fault_set(f, ERR_CONFIG, "the configuration has faults");
}

/* The gateway itself: how it stands, its configuration. */
#include "admin/request.h"
#include "base/clock.h"

enum { STATUS_SERVERS = 1024 };

static void status_servers(struct json_out *o, struct connect *c, struct arena *a)
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
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void status_count(void *ctx, struct lease *l)
{
    (void)l;
    ++*(int64_t *)ctx;
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
    struct fault audit = {0};
    json_key(&o, STR("audit"));
    json_open(&o, '{');
    json_kv_bool(&o, "healthy", audit_healthy(a->audit, &audit));
    json_kv_z(&o, "fault", audit.text);
    json_kv_i64(&o, "seq", (int64_t)audit_seq(a->audit));
    json_close(&o, '}');
    status_servers(&o, a->connect, r->arena);
    json_close(&o, '}');
    return ERR_OK;
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
    json_key(&o, STR("faults"));
    json_open(&o, '[');
    for (struct str rest = buf_view(&faults), line; rest.n;) {
        str_cut(&rest, '\n', &line);
        if (line.n)
            json_put_str(&o, line);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    buf_done(&faults);
    admin_note(r->admin, AUDIT_CONFIG_REFUSED, r->operator, STR_NONE, STR_NONE);
    return fault_set(f, ERR_CONFIG, "the configuration has faults");
}

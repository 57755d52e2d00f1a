/* Break-glass: how it stands, its start and its end. */
#include "approve/glass.h"

#include "admin/request.h"

enum { GLASS_MINUTES_MAX = 24 * 60 };

static void glass_answer(struct admin_request *r)
{
    struct json_out o = json_out(&r->out);
    struct conf *conf = conf_slot_get(r->admin->conf);
    int64_t channels = (int64_t)conf->root.channels.n;
    conf_unref(conf);
    json_open(&o, '{');
    json_key(&o, STR("breakGlass"));
    approvals_glass_json(r->admin->approvals, &o);
    json_kv_i64(&o, "mostMinutes", approvals_glass_most(r->admin->approvals) / 60000);
    json_kv_i64(&o, "channels", channels); /* that are told */
    json_close(&o, '}');
}

enum err admin_glass_get(struct admin_request *r, struct fault *f)
{
    (void)f;
    glass_answer(r);
    return ERR_OK;
}

enum err admin_glass_start(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"reason", "minutes", NULL};
    struct approval_glass g;
    struct str reason;
    int64_t minutes = 0;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "reason", &reason, f));
    TRY(admin_i64(r, "minutes", &minutes, f));
    if (minutes < 1 || minutes > GLASS_MINUTES_MAX)
        return fault_set(f, ERR_PARAMS, "minutes: needed, at least 1 and at most as approval.break_glass says");
    TRY(approvals_glass_start(r->admin->approvals, r->operator, reason, minutes * 60000, &g, f));
    glass_answer(r);
    r->status = 201;
    return ERR_OK;
}

enum err admin_glass_end(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"reason", NULL};
    struct approval_glass g;
    struct str reason;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "reason", &reason, f));
    TRY(approvals_glass_end(r->admin->approvals, r->operator, reason, &g, f));
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_z(&o, "ended", g.id);
    json_kv_i64(&o, "used", g.used);
    json_close(&o, '}');
    return ERR_OK;
}

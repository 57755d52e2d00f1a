/* AuthZEN's endpoints: one evaluation, several, and where they are. */
#include "admin/authzen.h"
#include "base/clock.h"

enum { AUTHZEN_MEMORY = 8 << 20, AUTHZEN_SECONDS = 5 };

static enum err authzen_begin(struct admin_request *r, struct authzen *z, struct fault *f)
{
    *z = (struct authzen){.admin = r->admin, .doc = &r->doc, .set = policy_force_get(r->admin->policies)};
    if (!z->set)
        return fault_set(f, ERR_POLICY_UNREADY, "no policies are in force: those of the configuration do not validate");
    z->tools = connect_catalogue(r->admin->connect);
    z->conf = conf_slot_get(r->admin->conf);
    arena_init(&z->arena, AUTHZEN_MEMORY);
    return ERR_OK;
}

static void authzen_end(struct authzen *z)
{
    catalogue_unref(z->tools);
    policy_set_unref(z->set);
    conf_unref(z->conf);
    arena_done(&z->arena);
}

/* ERR_PARAMS: nothing was written. */
static enum err authzen_one(struct authzen *z, uint32_t own, struct json_out *o, bool *ret_allowed, struct fault *f)
{
    static const enum meter_series counts[] = {METER_EVALUATIONS_DENY, METER_EVALUATIONS_APPROVE,
                                               METER_EVALUATIONS_ALLOW};
    struct authzen_asked q;
    struct authzen_decision d;
    arena_reset(&z->arena);
    TRY(authzen_read(z, own, JSON_ROOT, &q, f));
    authzen_decide(z, &q, &d);
    authzen_write(z, &d, o);
    meter_add(counts[d.effect], 1);
    *ret_allowed = d.effect == POLICY_ALLOW;
    return ERR_OK;
}

enum err admin_authzen_evaluation(struct admin_request *r, struct fault *f)
{
    struct authzen z;
    bool allowed;
    TRY(authzen_begin(r, &z, f));
    struct json_out o = json_out(&r->out);
    enum err e = authzen_one(&z, JSON_ROOT, &o, &allowed, f);
    authzen_end(&z);
    return e;
}

/* ---- several ---- */

enum semantic { EXECUTE_ALL, DENY_ON_FIRST_DENY, PERMIT_ON_FIRST_PERMIT };

static enum err several_semantic(struct admin_request *r, enum semantic *ret, struct fault *f)
{
    static const char *const names[] = {"execute_all", "deny_on_first_deny", "permit_on_first_permit"};
    uint32_t options = json_get(&r->doc, JSON_ROOT, STR("options"));
    uint32_t node = json_get(&r->doc, options, STR("evaluations_semantic"));
    *ret = EXECUTE_ALL;
    if (options && json_type(&r->doc, options) != JSON_OBJECT && json_type(&r->doc, options) != JSON_NULL)
        return fault_set(f, ERR_PARAMS, "options must be an object");
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_str_is(&r->doc, node, str_of(names[i]))) {
            *ret = (enum semantic)i;
            return ERR_OK;
        }
    return fault_set(f, ERR_PARAMS,
                     "options.evaluations_semantic must be execute_all, deny_on_first_deny or "
                     "permit_on_first_permit");
}

/* One that cannot be understood, or comes too late, is denied; the others are not its concern. */
static bool several_one(struct authzen *z, uint32_t own, int64_t until_ns, struct json_out *o)
{
    struct fault f = {0};
    bool allowed = false;
    enum err e = clock_mono_ns() < until_ns
                     ? authzen_one(z, own, o, &allowed, &f)
                     : fault_set(&f, ERR_LIMIT,
                                 "the evaluations before took all of the %d seconds that there are for "
                                 "one request",
                                 AUTHZEN_SECONDS);
    if (e) {
        f.err = e;
        authzen_write_fault(&f, o);
        meter_add(METER_EVALUATIONS_DENY, 1);
    }
    return allowed;
}

static void several(struct authzen *z, uint32_t evaluations, enum semantic semantic, struct buf *out)
{
    int64_t until_ns = clock_mono_ns() + AUTHZEN_SECONDS * INT64_C(1000000000);
    struct json_out o = json_out(out);
    json_open(&o, '{');
    json_key(&o, STR("evaluations"));
    json_open(&o, '[');
    JSON_EACH(z->doc, evaluations, own)
    {
        bool allowed = several_one(z, own, until_ns, &o);
        if (semantic == (allowed ? PERMIT_ON_FIRST_PERMIT : DENY_ON_FIRST_DENY))
            break;
    }
    json_close(&o, ']');
    json_close(&o, '}');
}

/* Without evaluations, or with none in it, it is the single one. */
enum err admin_authzen_evaluations(struct admin_request *r, struct fault *f)
{
    struct authzen z;
    enum semantic semantic;
    uint32_t evaluations = json_get(&r->doc, JSON_ROOT, STR("evaluations"));
    enum json_type type = json_type(&r->doc, evaluations);
    TRY(several_semantic(r, &semantic, f));
    if (type == JSON_NONE || type == JSON_NULL || (type == JSON_ARRAY && r->doc.node[evaluations].size == 0))
        return admin_authzen_evaluation(r, f);
    if (type != JSON_ARRAY)
        return fault_set(f, ERR_PARAMS, "evaluations must be an array, but is %s", json_type_name(type));
    if (r->doc.node[evaluations].size > AUTHZEN_EVALUATIONS)
        return fault_set(f, ERR_LIMIT, "evaluations: at most %d in one request", AUTHZEN_EVALUATIONS);
    TRY(authzen_begin(r, &z, f));
    several(&z, evaluations, semantic, &r->out);
    authzen_end(&z);
    return ERR_OK;
}

/* ---- where ---- */

/* It has to be the URL that whoever asks has used: the Host, which is one of admin.allowed_hosts, unless the
 * configuration knows better. */
static void where_base(struct admin_request *r, struct buf *b)
{
    struct conf *conf = conf_slot_get(r->admin->conf);
    const struct conf_admin *a = &conf->root.admin;
    if (a->public_url.n) {
        buf_str(b, a->public_url);
    } else {
        buf_z(b, a->tls.tls ? "https://" : "http://");
        buf_str(b, r->x->head.host);
    }
    conf_unref(conf);
}

static void where_put(struct json_out *o, const char *key, struct str base, const char *path)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 8192);
    buf_str(&b, base);
    buf_z(&b, path);
    json_kv_str(o, key, buf_view(&b));
}

enum err admin_authzen_metadata(struct admin_request *r, struct fault *f)
{
    struct buf base CLEANUP(buf_done);
    (void)f;
    buf_init(&base, 4096);
    where_base(r, &base);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    where_put(&o, "policy_decision_point", buf_view(&base), "");
    where_put(&o, "access_evaluation_endpoint", buf_view(&base), "/access/v1/evaluation");
    where_put(&o, "access_evaluations_endpoint", buf_view(&base), "/access/v1/evaluations");
    json_close(&o, '}');
    return ERR_OK;
}

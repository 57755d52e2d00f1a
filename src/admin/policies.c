/* The policies in force, what they can speak of, and a judgement of others before they are put in force. */
#include "admin/request.h"
#include "policy/force.h"

enum { POLICIES_MEMORY = 512 << 20, POLICIES_FILES = 1000 };

enum err admin_policies_get(struct admin_request *r, struct fault *f)
{
    (void)f;
    struct json_out o = json_out(&r->out);
    policy_force_json(r->admin->policies, true, &o);
    return ERR_OK;
}

enum err admin_policies_schema(struct admin_request *r, struct fault *f)
{
    struct policy_set *s = policy_force_get(r->admin->policies);
    if (!s)
        return fault_set(f, ERR_POLICY_UNREADY, "no policies are in force");
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 16u << 20);
    policy_set_schema(s, &b);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "schema", buf_view(&b));
    json_close(&o, '}');
    policy_set_unref(s);
    return ERR_OK;
}

static void policies_put_tools(const struct policy_fact *fact, size_t n, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, STR("tools"));
    json_open(o, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(o, '{');
        json_kv_str(o, "id", fact[i].id);
        json_kv_z(o, "hash", fact[i].hash);
        json_kv_raw(o, "definition", fact[i].definition);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

enum err admin_policies_tools(struct admin_request *r, struct fault *f)
{
    struct arena a;
    const struct policy_fact *fact;
    size_t n;
    arena_init(&a, POLICIES_MEMORY);
    struct catalogue *k = connect_catalogue(r->admin->connect);
    enum err e = policy_facts(k, r->admin->store, &a, &fact, &n, f);
    struct json_out o = json_out(&r->out);
    if (!e)
        policies_put_tools(fact, n, &o);
    catalogue_unref(k);
    arena_done(&a);
    return e;
}

/* ---- a judgement of others ---- */

static enum err check_read(struct admin_request *r, struct policy_text **ret, size_t *ret_n, struct fault *f)
{
    static const char *const keys[] = {"files", NULL};
    size_t n = 0;
    TRY(admin_only(r, keys, f));
    uint32_t files = json_get(&r->doc, JSON_ROOT, STR("files"));
    if (json_type(&r->doc, files) != JSON_ARRAY || r->doc.node[files].size == 0 ||
        r->doc.node[files].size > POLICIES_FILES)
        return fault_set(f, ERR_PARAMS, "files: needed, an array of {\"name\", \"text\"}, up to %d", POLICIES_FILES);
    struct policy_text *v = arena_alloc(r->arena, r->doc.node[files].size * sizeof(*v));
    if (!v)
        return fault_set(f, ERR_NOMEM, "no memory for policies");
    JSON_EACH(&r->doc, files, file)
    {
        uint32_t name = json_get(&r->doc, file, STR("name")), text = json_get(&r->doc, file, STR("text"));
        if (json_type(&r->doc, name) != JSON_STRING || json_type(&r->doc, text) != JSON_STRING)
            return fault_set(f, ERR_PARAMS, "files[%zu]: name and text are needed, as strings", n);
        v[n++] = (struct policy_text){json_str(&r->doc, name, r->arena), json_str(&r->doc, text, r->arena), true};
    }
    if (arena_failed(r->arena))
        return fault_set(f, ERR_NOMEM, "no memory for policies");
    *ret = v;
    *ret_n = n;
    return ERR_OK;
}

static enum err check_judge(struct admin_request *r, struct policy_texts *texts, struct policy_set **ret,
                            struct buf *faults, struct fault *f)
{
    struct arena a;
    const struct policy_fact *fact;
    size_t n;
    arena_init(&a, POLICIES_MEMORY);
    struct catalogue *k = connect_catalogue(r->admin->connect);
    struct conf *conf = conf_slot_get(r->admin->conf);
    enum err e = policy_facts(k, r->admin->store, &a, &fact, &n, f);
    if (!e && policy_set_new(texts, &conf->root, fact, n, ret, faults) == ERR_NOMEM)
        e = fault_set(f, ERR_NOMEM, "no memory for policies");
    conf_unref(conf);
    catalogue_unref(k);
    arena_done(&a);
    return e;
}

static void check_write(struct admin_request *r, const struct policy_set *s, struct str faults)
{
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_bool(&o, "ok", s != NULL);
    json_kv_lines(&o, "faults", faults);
    policy_set_waiting_json(s, &o);
    json_close(&o, '}');
}

enum err admin_policies_check(struct admin_request *r, struct fault *f)
{
    struct policy_text *v;
    struct policy_texts *texts = NULL;
    struct policy_set *s = NULL;
    struct buf faults CLEANUP(buf_done);
    size_t n;
    buf_init(&faults, 1u << 20);
    TRY(check_read(r, &v, &n, f));
    enum err e = policy_texts_of(v, n, &texts, &faults);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory for policies");
    if (!e)
        e = check_judge(r, texts, &s, &faults, f);
    else
        e = ERR_OK;
    if (!e)
        check_write(r, s, buf_view(&faults));
    policy_set_unref(s);
    policy_texts_unref(texts);
    return e;
}

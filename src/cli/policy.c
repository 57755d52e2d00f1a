/* Policies: shown as they are in force, judged before they are, and brought into one form. */
#include "cli/policy.h"
#include "cli/import.h"

/* ---- show ---- */

enum err cli_run_policy_show(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text;
    TRY(cli_admin(c, "GET", "/admin/v1/policies", STR_NONE, &j, &text, f));
    if (c->json) {
        cli_print_json(text);
        return ERR_OK;
    }
    bool in_force = json_bool(&j, json_get(&j, JSON_ROOT, STR("inForce")), false);
    printf("// version %s\n", cli_shown(c, json_str(&j, json_get(&j, JSON_ROOT, STR("version")), &c->arena), 0));
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("files")), file)
    {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 64u << 20);
        printf("\n// %s%s\n", cli_shown(c, json_str(&j, json_get(&j, file, STR("name")), &c->arena), 0),
               json_bool(&j, json_get(&j, file, STR("enforce")), false)
                   ? ""
                   : ": NOT ENFORCED, only judged and put on record");
        cli_visible(&b, json_str(&j, json_get(&j, file, STR("text")), &c->arena), true);
        fwrite(b.p, 1, b.n, stdout);
    }
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("waiting")), w)
    fprintf(stderr, "note: %s waits for the tool %s, which nobody knows yet\n",
            cli_shown(c, json_str(&j, json_get(&j, w, STR("policy")), &c->arena), 0),
            cli_shown(c, json_str(&j, json_get(&j, w, STR("tool")), &c->arena), 0));
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("faults")), v)
    fprintf(stderr, "%s\n", cli_shown(c, json_str(&j, v, &c->arena), 0));
    return in_force ? ERR_OK
                    : fault_set(f, ERR_POLICY_UNREADY,
                                "the policies of the configuration are not in force; those above, if any, are");
}

enum err cli_run_policy_schema(struct cli *c, struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    struct json j;
    struct str text;
    buf_init(&b, 64u << 20);
    TRY(cli_admin(c, "GET", "/admin/v1/policies/schema", STR_NONE, &j, &text, f));
    if (c->json) {
        cli_print_json(text);
        return ERR_OK;
    }
    cli_visible(&b, json_str(&j, json_get(&j, JSON_ROOT, STR("schema")), &c->arena), true);
    fwrite(b.p, 1, b.n, stdout);
    return ERR_OK;
}

/* ---- check ---- */

static enum err policy_ask(struct cli *c, const struct policy_texts *t, struct json *j, struct str *text,
                           struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_key(&o, STR("files"));
    json_open(&o, '[');
    for (size_t i = 0; i < t->n; i++) {
        json_open(&o, '{');
        json_kv_str(&o, "name", t->v[i].name);
        json_kv_str(&o, "text", t->v[i].text);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return cli_admin(c, "POST", "/admin/v1/policies/check", buf_view(&b), j, text, f);
}

/* The syntax is judged here; types and names where the tools are known, by the gateway. */
enum err cli_run_policy_check(struct cli *c, struct fault *f)
{
    struct policy_texts *t = NULL;
    struct buf faults CLEANUP(buf_done);
    struct json j;
    struct str text = STR_NONE;
    buf_init(&faults, 1u << 20);
    enum err e = cli_policy_texts(c, 0, &t, &faults, f);
    if (e == ERR_CONFIG) {
        cli_policy_print_faults(c, buf_view(&faults));
        return fault_set(f, e, "the policies have faults");
    }
    if (!e)
        e = policy_ask(c, t, &j, &text, f);
    policy_texts_unref(t);
    TRY(e);
    bool ok = json_bool(&j, json_get(&j, JSON_ROOT, STR("ok")), false);
    if (c->json) {
        cli_print_json(text);
        return ok ? ERR_OK : fault_set(f, ERR_CONFIG, "the policies have faults");
    }
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("faults")), v)
    puts(cli_shown(c, json_str(&j, v, &c->arena), 0));
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("waiting")), w)
    printf("note: %s waits for the tool %s, which nobody knows yet\n",
           cli_shown(c, json_str(&j, json_get(&j, w, STR("policy")), &c->arena), 0),
           cli_shown(c, json_str(&j, json_get(&j, w, STR("tool")), &c->arena), 0));
    if (ok)
        puts("the policies are right");
    return ok ? ERR_OK : fault_set(f, ERR_CONFIG, "the policies have faults");
}

/* ---- fmt ---- */

static enum err policy_fmt_one(struct cli *c, struct str name, struct str text, bool check, bool *ret_other,
                               struct buf *faults, struct fault *f)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 64u << 20);
    TRY(cedar_format(name, text, &out, faults));
    if (str_eq(buf_view(&out), text))
        return ERR_OK;
    *ret_other = true;
    const char *path = arena_str(&c->arena, name).p;
    if (check || strcmp(path, "-") == 0)
        return ERR_OK;
    TRY(file_replace(path, buf_view(&out), 0644, f));
    printf("%s\n", cli_shown(c, name, 0));
    return ERR_OK;
}

enum err cli_run_policy_fmt(struct cli *c, struct fault *f)
{
    struct policy_texts *t = NULL;
    struct buf faults CLEANUP(buf_done);
    bool check = cli_switch(c, "check"), any = false;
    buf_init(&faults, 1u << 20);
    enum err e = cli_policy_texts(c, 0, &t, &faults, f);
    if (!e && t->builtin) {
        policy_texts_unref(t);
        return fault_set(f, ERR_USAGE, "no file is named, and the configuration has no policy.files");
    }
    for (size_t i = 0; !e && i < t->n; i++) {
        bool other = false;
        e = policy_fmt_one(c, t->v[i].name, t->v[i].text, check, &other, &faults, f);
        if (check && other)
            printf("%s: is not in the form that policy fmt gives it\n", cli_shown(c, t->v[i].name, 0));
        any = any || other;
    }
    policy_texts_unref(t);
    cli_policy_print_faults(c, buf_view(&faults));
    if (faults.n)
        return fault_set(f, ERR_CONFIG, "the policies have faults");
    TRY(e);
    return check && any ? fault_set(f, ERR_CONFIG, "not all files are in form") : ERR_OK;
}

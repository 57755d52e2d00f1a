/* What is suspicious in policies that are valid. */
#include "cli/policy.h"
#include "policy/lint.h"

static void lint_json(const struct lint *l, bool ok, struct json_out *o)
{
    json_open(o, '{');
    json_kv_bool(o, "ok", ok);
    json_kv_i64(o, "policies", (int64_t)l->policies);
    json_kv_i64(o, "errors", (int64_t)l->errors);
    json_kv_i64(o, "warnings", (int64_t)l->warnings);
    json_kv_i64(o, "notes", (int64_t)l->notes);
    json_key(o, STR("findings"));
    json_open(o, '[');
    for (size_t i = 0; i < l->n; i++) {
        const struct lint_finding *f = &l->v[i];
        json_open(o, '{');
        json_kv_z(o, "code", lint_codes[f->code]);
        json_kv_z(o, "severity", lint_severities[f->severity]);
        if (f->file.n) {
            json_kv_str(o, "file", f->file);
            json_kv_i64(o, "line", f->line);
            json_kv_i64(o, "column", f->column);
        }
        if (f->policy.n)
            json_kv_str(o, "policy", f->policy);
        if (f->tool.n)
            json_kv_str(o, "tool", f->tool);
        json_kv_str(o, "what", f->what);
        json_kv_str(o, "right", f->right);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

static void lint_print(struct cli *c, const struct lint *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct lint_finding *f = &l->v[i];
        if (f->file.n)
            printf("%s:%u:%u: ", cli_shown(c, f->file, 0), f->line, f->column);
        else if (f->tool.n)
            printf("%s: ", cli_shown(c, f->tool, 0));
        printf("%s: %s", lint_severities[f->severity], cli_shown(c, f->what, 0));
        printf(": %s [%s]\n", cli_shown(c, f->right, 0), lint_codes[f->code]);
    }
    if (!l->n)
        printf("nothing to find fault with in %zu policies\n", l->policies);
}

static const char *lint_count(struct cli *c, size_t n, const char *what)
{
    return arena_fmt(&c->arena, "%zu %s%s", n, what, n == 1 ? "" : "s").p;
}

static void lint_print_codes(struct cli *c)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 65536);
    struct json_out o = json_out(&b);
    json_open(&o, '[');
    for (unsigned i = 0; i < LINT_CODES; i++) {
        json_open(&o, '{');
        json_kv_z(&o, "code", lint_codes[i]);
        json_kv_z(&o, "severity", lint_severities[lint_usual[i]]);
        json_kv_z(&o, "meaning", lint_meanings[i]);
        json_close(&o, '}');
        if (!c->json)
            printf("%-14s %-8s %s\n", lint_codes[i], lint_severities[lint_usual[i]], lint_meanings[i]);
    }
    json_close(&o, ']');
    if (c->json)
        cli_print_json(buf_view(&b));
}

enum err cli_run_policy_lint(struct cli *c, struct fault *f)
{
    struct policy_set *set = NULL;
    struct lint l;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 512u << 20);
    if (cli_switch(c, "codes")) {
        lint_print_codes(c);
        return ERR_OK;
    }
    TRY(cli_policy_set(c, 0, &set, f));
    enum err e = lint(set, &c->arena, &l, f);
    policy_set_unref(set);
    TRY(e);
    bool ok = !l.errors && !(l.warnings && cli_switch(c, "strict"));
    if (c->json) {
        struct json_out o = json_out(&b);
        lint_json(&l, ok, &o);
        cli_print_json(buf_view(&b));
    } else {
        lint_print(c, &l);
    }
    return ok ? ERR_OK
              : fault_set(f, ERR_CONFIG, "%s and %s in the policies", lint_count(c, l.errors, "error"),
                          lint_count(c, l.warnings, "warning"));
}

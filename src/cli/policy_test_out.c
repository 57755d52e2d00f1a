#include "cli/policy_test.h"
#include "policy/set.h"

void policy_test_json(const struct policy_test_run *r)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_i64(&o, "cases", (int64_t)r->results);
    json_kv_i64(&o, "passed", (int64_t)r->passed);
    json_kv_i64(&o, "failed", (int64_t)(r->results - r->passed));
    json_key(&o, STR("results"));
    json_open(&o, '[');
    for (size_t i = 0; i < r->results; i++) {
        const struct policy_test_result *t = &r->result[i];
        json_open(&o, '{');
        json_kv_str(&o, "file", str_of(t->file->path));
        json_kv_i64(&o, "line", t->it->line);
        json_kv_str(&o, "name", t->it->name);
        json_kv_bool(&o, "passed", !t->wrong.n);
        json_kv_z(&o, "expected", policy_effects[t->it->expect]);
        if (t->effect.n) {
            json_kv_str(&o, "decision", t->effect);
            json_kv_raw(&o, "policies", t->policies);
        }
        if (t->because.n)
            json_kv_str(&o, "reason", t->because);
        json_key(&o, STR("faults"));
        json_open(&o, '[');
        for (struct str rest = t->wrong, line; rest.n;) {
            str_cut(&rest, '\n', &line);
            if (line.n)
                json_put_str(&o, line);
        }
        json_close(&o, ']');
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_key(&o, STR("undecided"));
    json_open(&o, '[');
    for (size_t i = 0; i < r->sets; i++)
        for (uint32_t k = 0; k < r->set[i].set->policies->n; k++)
            if (!r->set[i].decided[k])
                json_put_str(&o, r->set[i].set->policies->policy[k]->id);
    json_close(&o, ']');
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
}

static void test_print_wait(void *ctx, struct str id, struct str tool)
{
    struct cli *c = ctx;
    printf("note: %s waits for the tool %s, which is not among the tools\n", cli_shown(c, id, 0),
           cli_shown(c, tool, 0));
}

static void test_print_sets(const struct policy_test_run *r)
{
    struct cli *c = r->c;
    for (size_t i = 0; i < r->sets; i++) {
        const struct cedar_policies *ps = r->set[i].set->policies;
        struct buf ids CLEANUP(buf_done);
        size_t n = 0;
        buf_init(&ids, 1u << 20);
        for (uint32_t k = 0; k < ps->n; k++)
            if (!r->set[i].decided[k])
                buf_fmt(&ids, "%s" STR_FMT, n++ ? ", " : "", STR_ARG(ps->policy[k]->id));
        if (n)
            printf("no case is decided by %zu of %u policies%s%s: %s\n", n, ps->n, r->set[i].own ? " of " : "",
                   r->set[i].own ? r->set[i].own : "", cli_shown(c, buf_view(&ids), 0));
        policy_set_waiting(r->set[i].set, test_print_wait, c);
    }
}

void policy_test_print(const struct policy_test_run *r)
{
    struct cli *c = r->c;
    const char *red = cli_color(stdout) ? "\033[31m" : "", *plain = *red ? "\033[0m" : "";
    for (size_t i = 0; i < r->results; i++) {
        const struct policy_test_result *t = &r->result[i];
        if (!t->wrong.n)
            continue;
        printf("%sfailed%s  %s:%u: %s\n", red, plain, t->file->path, t->it->line, cli_shown(c, t->it->name, 0));
        for (struct str rest = t->wrong, line; rest.n;) {
            str_cut(&rest, '\n', &line);
            printf("        %s\n", cli_shown(c, line, 0));
        }
    }
    printf("%zu case%s: %zu passed, %zu failed\n", r->results, r->results == 1 ? "" : "s", r->passed,
           r->results - r->passed);
    test_print_sets(r);
}

/* What is sealed in the record: shown by the gateway, and forgotten. */
#include "cli/http.h"
#include "cli/import.h"

static void seal_print(struct cli *c, const struct json *j, uint32_t values)
{
    printf("\nin clear\n");
    JSON_EACH(j, values, v)
    {
        uint32_t value = json_get(j, v, STR("value"));
        const char *path = cli_shown(c, json_str(j, json_get(j, v, STR("path")), &c->arena), 0);
        if (!value) {
            printf("  %s  forgotten: the key of %s was destroyed\n", path,
                   cli_shown(c, json_str(j, json_get(j, v, STR("subject")), &c->arena), 0));
            continue;
        }
        bool words = json_type(j, value) == JSON_STRING;
        printf("  %s  %s\n", path, cli_shown(c, words ? json_str(j, value, &c->arena) : json_raw(j, value), 0));
    }
}

enum err cli_audit_reveal(struct cli *c, uint64_t seq, struct fault *f)
{
    struct json j;
    struct str text, body = arena_fmt(&c->arena, "{\"seq\":%llu}", (unsigned long long)seq);
    TRY(cli_admin(c, "POST", "/admin/v1/audit/reveal", body, &j, &text, f));
    if (c->json) {
        cli_print_json(text);
        return ERR_OK;
    }
    cli_record(c, &j, json_get(&j, JSON_ROOT, STR("entry")), false);
    seal_print(c, &j, json_get(&j, JSON_ROOT, STR("values")));
    return ERR_OK;
}

/* "something in 12 entries", for people. */
static const char *seal_entries(struct cli *c, const struct json *j)
{
    int64_t n = 0;
    bool known = json_i64(j, json_get(j, JSON_ROOT, STR("entries")), &n);
    bool all = json_bool(j, json_get(j, JSON_ROOT, STR("all")), false);
    const char *words = !known ? "what is sealed for it"
                               : arena_fmt(&c->arena, "what is sealed for it in %s%lld %s", all ? "" : "at least ",
                                           (long long)n, n == 1 && all ? "entry" : "entries")
                                     .p;
    return words ? words : "what is sealed for it";
}

static enum err seal_ask(struct cli *c, const char *shown, struct fault *f)
{
    struct json j;
    struct str path = arena_fmt(&c->arena, "/admin/v1/audit/sealed?subject=%s", cli_percent(c, str_of(c->arg[0])));
    if (cli_switch(c, "yes"))
        return ERR_OK;
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    TRY(cli_admin(c, "GET", path.p, STR_NONE, &j, NULL, f));
    struct str question =
        arena_fmt(&c->arena, "destroy the key of %s? Then %s can be read by nobody, ever.", shown, seal_entries(c, &j));
    if (!question.p)
        return fault_set(f, ERR_NOMEM, "no memory for a question");
    if (cli_agree(c, question.p, f))
        return fault_set(f, ERR_CANCELLED, "nothing was forgotten; --yes says yes where nobody can be asked");
    return ERR_OK;
}

enum err cli_run_audit_forget(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done) = {0};
    struct json j;
    struct str text, subject = str_of(c->arg[0]);
    const char *shown = cli_shown(c, subject, 0);
    TRY(seal_ask(c, shown, f));
    buf_init(&body, 65536);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    json_kv_str(&o, "subject", subject);
    json_close(&o, '}');
    TRY(cli_admin(c, "POST", "/admin/v1/audit/forget", buf_view(&body), &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        printf("%s is forgotten: %s can be read by nobody any more\n", shown, seal_entries(c, &j));
    return ERR_OK;
}

/* Calls that went through and wait for somebody to look at them. */
#include "cli/http.h"

enum err cli_run_reviews_list(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {
        {"REVIEW", "id"}, {"CALLED", "queuedAt"},     {"AGENT", "agentType"}, {"TOOL", "tool"},
        {"USER", "user"}, {"ARGUMENTS", "arguments"}, {"ENTRY", "intentSeq"}, {NULL, NULL}};
    struct json j;
    struct str text, path;
    int64_t n, next = 0;
    const char *agent = cli_option(c, "agent"), *tool = cli_option(c, "tool"), *after = cli_option(c, "after");
    TRY(cli_number(c, "number", 100, &n, f));
    path = arena_fmt(&c->arena, "/admin/v1/reviews?limit=%lld%s%s%s%s%s%s", (long long)n, agent ? "&agent=" : "",
                     agent ? cli_percent(c, str_of(agent)) : "", tool ? "&tool=" : "",
                     tool ? cli_percent(c, str_of(tool)) : "", after ? "&after=" : "",
                     after ? cli_percent(c, str_of(after)) : "");
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    TRY(cli_admin(c, "GET", path.p, STR_NONE, &j, &text, f));
    cli_print_list(c, &j, text, "reviews", columns, "nothing waits to be looked at");
    if (!c->json && json_i64(&j, json_get(&j, JSON_ROOT, STR("next")), &next))
        fprintf(stderr, "there are more: --after %lld\n", (long long)next);
    return ERR_OK;
}

static enum err review_clear(struct cli *c, const char *id, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    struct json j;
    struct str text, path = arena_fmt(&c->arena, "/admin/v1/reviews/%s/clear", cli_segment(c, id));
    const char *reason = cli_option(c, "reason");
    bool all = cli_switch(c, "up-to");
    buf_init(&body, 65536);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    if (all)
        json_kv_bool(&o, "upTo", true);
    if (reason)
        json_kv_z(&o, "reason", reason);
    json_close(&o, '}');
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    TRY(cli_admin(c, "POST", path.p, buf_view(&body), &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        printf("%s%s\n", cli_shown(c, str_of(id), 0), all ? " and all before it are cleared" : " is cleared");
    return ERR_OK;
}

enum err cli_run_reviews_clear(struct cli *c, struct fault *f)
{
    if (cli_switch(c, "up-to") && c->arg_count > 1)
        return fault_set(f, ERR_USAGE, "--up-to takes one review: the newest that was looked at");
    for (size_t i = 0; i < c->arg_count; i++)
        TRY(review_clear(c, c->arg[i], f));
    return ERR_OK;
}

/* Break-glass: for when those who should decide cannot be reached. */
#include "base/clock.h"
#include "cli/approvals.h"

static void glass_print(struct cli *c, const struct json *j, struct str text)
{
    uint32_t glass = json_get(j, JSON_ROOT, STR("breakGlass"));
    if (c->json)
        cli_print_json(text);
    else if (json_type(j, glass) == JSON_OBJECT)
        cli_record(c, j, glass, false);
    else
        puts("break-glass is not open");
}

void cli_glass_note(struct cli *c, const struct json *j, uint32_t glass)
{
    char ends[CLI_TIME] = "";
    int64_t at;
    if (json_type(j, glass) != JSON_OBJECT)
        return;
    if (!clock_parse(json_str(j, json_get(j, glass, STR("endsAt")), &c->arena), &at))
        cli_ago(at, ends);
    const char *by = cli_shown(c, json_str(j, json_get(j, glass, STR("by")), &c->arena), 0);
    const char *why = cli_shown(c, json_str(j, json_get(j, glass, STR("reason")), &c->arena), 0);
    fprintf(stderr, "break-glass is open, by %s (%s), and ends %s\n", by ? by : "?", why ? why : "?", ends);
}

enum err cli_run_glass_status(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text;
    TRY(cli_admin(c, "GET", "/admin/v1/break-glass", STR_NONE, &j, &text, f));
    glass_print(c, &j, text);
    return ERR_OK;
}

enum err cli_run_glass_start(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    const char *reason;
    struct json j;
    struct str text;
    int64_t minutes;
    buf_init(&body, 65536);
    TRY(cli_need(c, "reason", &reason, f));
    TRY(cli_number(c, "minutes", 0, &minutes, f));
    if (!minutes)
        return fault_set(f, ERR_USAGE, "break-glass start: --minutes must be given");
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    json_kv_z(&o, "reason", reason);
    json_kv_i64(&o, "minutes", minutes);
    json_close(&o, '}');
    TRY(cli_admin(c, "POST", "/admin/v1/break-glass", buf_view(&body), &j, &text, f));
    glass_print(c, &j, text);
    int64_t channels = 0;
    if (!json_i64(&j, json_get(&j, JSON_ROOT, STR("channels")), &channels) || !channels)
        fprintf(stderr, "nobody is told: no channel is configured\n");
    return ERR_OK;
}

enum err cli_run_glass_end(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    const char *reason = cli_option(c, "reason");
    struct json j;
    struct str text;
    int64_t used = 0;
    buf_init(&body, 65536);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    if (reason)
        json_kv_z(&o, "reason", reason);
    json_close(&o, '}');
    TRY(cli_admin(c, "POST", "/admin/v1/break-glass/end", buf_view(&body), &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else if (json_i64(&j, json_get(&j, JSON_ROOT, STR("used")), &used))
        printf("break-glass has ended; it was used %lld %s\n", (long long)used, used == 1 ? "time" : "times");
    return ERR_OK;
}

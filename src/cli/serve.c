/* The gateway itself: run it, see how it stands, have it read its configuration again. */
#include "base/clock.h"
#include "cli/http.h"
#include "daemon/daemon.h"

enum err cli_run_serve(struct cli *c, struct fault *f)
{
    const char *file = cli_config_file(c);
    if (!file)
        return cli_config(c, f);                                              /* it says where one is looked for */
    return daemon_serve(file) == 0 ? ERR_OK : (f->text[0] = 0, ERR_INTERNAL); /* the daemon has said why */
}

static void status_approvals(struct cli *c, const struct json *j, long long waiting)
{
    char since[CLI_TIME] = "";
    int64_t at;
    if (!clock_parse(json_str(j, json_path(j, JSON_ROOT, "approvals.oldestAt"), &c->arena), &at))
        cli_ago(at, since);
    printf("  approvals %lld %s for a person, the oldest asked %s: doorward approvals list\n", waiting,
           waiting == 1 ? "waits" : "wait", since);
}

/* Loudly: less holds than the configuration says. */
static void status_glass(struct cli *c, const struct json *j)
{
    uint32_t glass = json_get(j, JSON_ROOT, STR("breakGlass"));
    bool color = cli_color(stdout);
    char ends[CLI_TIME] = "";
    int64_t at, used = 0;
    if (json_type(j, glass) != JSON_OBJECT)
        return;
    if (!clock_parse(json_str(j, json_get(j, glass, STR("endsAt")), &c->arena), &at))
        cli_ago(at, ends);
    if (!json_i64(j, json_get(j, glass, STR("used")), &used))
        used = 0;
    printf("  %sBREAK-GLASS IS OPEN%s, by %s (%s), used %lld %s, ends %s\n", color ? "\033[31m" : "",
           color ? "\033[0m" : "", cli_shown(c, json_str(j, json_get(j, glass, STR("by")), &c->arena), 0),
           cli_shown(c, json_str(j, json_get(j, glass, STR("reason")), &c->arena), 0), (long long)used,
           used == 1 ? "time" : "times", ends);
}

static void status_head(struct cli *c, const struct json *j)
{
    bool color = cli_color(stdout), ready = json_bool(j, json_get(j, JSON_ROOT, STR("ready")), false),
         healthy = json_bool(j, json_path(j, JSON_ROOT, "audit.healthy"), false);
    char up[CLI_TIME];
    int64_t ms = 0, sessions = 0, seq = 0, agents = 0, waiting = 0;
    if (json_i64(j, json_get(j, JSON_ROOT, STR("uptimeMs")), &ms))
        cli_duration(ms, up);
    else
        snprintf(up, sizeof(up), "?");
    if (!json_i64(j, json_get(j, JSON_ROOT, STR("sessions")), &sessions) ||
        !json_i64(j, json_path(j, JSON_ROOT, "audit.seq"), &seq))
        sessions = seq = 0;
    struct str version = json_str(j, json_get(j, JSON_ROOT, STR("version")), &c->arena);
    struct str reason = json_str(j, json_get(j, JSON_ROOT, STR("reason")), &c->arena);
    struct str fault = json_str(j, json_path(j, JSON_ROOT, "audit.fault"), &c->arena);
    printf("doorward %s  %s%s%s\n", cli_shown(c, version, 0),
           !color  ? ""
           : ready ? "\033[32m"
                   : "\033[31m",
           ready ? "ready: takes calls" : "NOT READY: takes no calls", color ? "\033[0m" : "");
    if (!ready)
        printf("  why       %s\n", cli_shown(c, reason, 0));
    printf("  up        %s\n", up);
    printf("  sessions  %lld open\n", (long long)sessions);
    if (json_i64(j, json_path(j, JSON_ROOT, "stopped.agents"), &agents) && agents)
        printf("  stopped   %lld %s: doorward kill list\n", (long long)agents, agents == 1 ? "agent" : "agents");
    if (json_i64(j, json_path(j, JSON_ROOT, "approvals.pending"), &waiting) && waiting)
        status_approvals(c, j, (long long)waiting);
    status_glass(c, j);
    printf("  record    %s, %lld %s%s%s\n", healthy ? "healthy" : "NOT WRITABLE", (long long)seq,
           seq == 1 ? "entry" : "entries", healthy ? "" : ": ", healthy ? "" : cli_shown(c, fault, 0));
}

/* Which policies it serves by, and loudly, which of them protect nothing. */
static void status_policies(struct cli *c, const struct json *j)
{
    uint32_t policies = json_get(j, JSON_ROOT, STR("policies")), files = json_get(j, policies, STR("files"));
    bool color = cli_color(stdout), built_in = json_bool(j, json_get(j, policies, STR("builtIn")), false);
    struct str version = json_str(j, json_get(j, policies, STR("version")), &c->arena);
    size_t n = files && !built_in ? j->node[files].size : 0;
    if (!json_bool(j, json_get(j, policies, STR("inForce")), false))
        printf("  policies  NOT IN FORCE: doorward policy show\n");
    else if (built_in)
        printf("  policies  the built-in one: what the registry allows\n");
    else
        printf("  policies  %zu %s, version %s\n", n, n == 1 ? "file" : "files", cli_shown(c, version, 0));
    JSON_EACH(j, files, file)
    if (!json_bool(j, json_get(j, file, STR("enforce")), false))
        printf("            %s%s IS NOT ENFORCED: judged and put on record only%s\n", color ? "\033[31m" : "",
               cli_shown(c, json_str(j, json_get(j, file, STR("name")), &c->arena), 0), color ? "\033[0m" : "");
    JSON_EACH(j, json_get(j, policies, STR("waiting")), w)
    printf("            %s waits for the tool %s, which nobody knows yet\n",
           cli_shown(c, json_str(j, json_get(j, w, STR("policy")), &c->arena), 0),
           cli_shown(c, json_str(j, json_get(j, w, STR("tool")), &c->arena), 0));
}

static void status_sinks(struct cli *c, const struct json *j)
{
    static const char *const columns[][2] = {
        {"SINK", "name"},         {"KIND", "kind"},     {"UP", "up"},
        {"SENT", "sent"},         {"BEHIND", "behind"}, {"LAST DELIVERY", "lastDeliveryAt"},
        {"FAILURES", "failures"}, {"FAULT", "fault"},   {NULL, NULL}};
    uint32_t sinks = json_get(j, JSON_ROOT, STR("sinks"));
    if (!json_first(j, sinks))
        return;
    putchar('\n');
    cli_table(c, j, sinks, columns);
}

static void status_channels(struct cli *c, const struct json *j)
{
    static const char *const columns[][2] = {{"CHANNEL", "name"},
                                             {"KIND", "kind"},
                                             {"UP", "up"},
                                             {"STANDBY", "standby"},
                                             {"WAITING", "waiting"},
                                             {"LAST MESSAGE", "lastMessageAt"},
                                             {"FAILURES", "failures"},
                                             {"DROPPED", "dropped"},
                                             {"FAULT", "fault"},
                                             {NULL, NULL}};
    uint32_t channels = json_get(j, JSON_ROOT, STR("channels"));
    if (!json_first(j, channels))
        return;
    putchar('\n');
    cli_table(c, j, channels, columns);
}

static void status_outside(struct cli *c, const struct json *j, const char *member, const char *title)
{
    const char *const columns[][2] = {
        {title, "name"},          {"UP", "up"},       {"SIZE", "size"}, {"BEHIND", "behind"}, {"NEWEST", "newestAt"},
        {"FAILURES", "failures"}, {"FAULT", "fault"}, {NULL, NULL}};
    uint32_t list = json_path(j, JSON_ROOT, member);
    if (!json_first(j, list))
        return;
    putchar('\n');
    cli_table(c, j, list, columns);
}

enum err cli_run_status(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {{"SERVER", "name"},         {"STATE", "state"},
                                             {"KIND", "kind"},           {"PROTOCOL", "protocol"},
                                             {"TOOLS", "tools"},         {"WITHHELD", "withheld"},
                                             {"PROCESSES", "processes"}, {"SANDBOX", "sandbox.mode"},
                                             {"FAULT", "fault"},         {NULL, NULL}};
    struct json j;
    struct str text;
    bool quiet = cli_switch(c, "ready");
    enum err e = cli_admin(c, "GET", "/admin/v1/status", STR_NONE, &j, &text, f);
    if (quiet) {
        f->text[0] = 0;
        return e ? e : json_bool(&j, json_get(&j, JSON_ROOT, STR("ready")), false) ? ERR_OK : ERR_INTERNAL;
    }
    TRY(e);
    if (c->json) {
        cli_print_json(text);
        return ERR_OK;
    }
    status_head(c, &j);
    status_policies(c, &j);
    putchar('\n');
    cli_table(c, &j, json_get(&j, JSON_ROOT, STR("servers")), columns);
    status_sinks(c, &j);
    status_channels(c, &j);
    status_outside(c, &j, "audit.witnesses", "WITNESS");
    status_outside(c, &j, "audit.anchors", "ANCHOR");
    return ERR_OK;
}

enum err cli_run_reload(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text = STR_NONE;
    enum err e = cli_admin(c, "POST", "/admin/v1/reload", STR_NONE, &j, &text, f);
    if (c->json && text.p)
        cli_print_json(text);
    else if (e == ERR_CONFIG && text.p)
        JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("faults")), v)
    fprintf(stderr, "%s\n", cli_shown(c, json_str(&j, v, &c->arena), 0));
    else if (!e) puts("the new configuration is in force");
    return e;
}

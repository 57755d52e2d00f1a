/* The kill switch: an agent, a session or everything is stopped, and let go on again. */
#include "cli/http.h"
#include "cli/import.h"

static enum err kill_send(struct cli *c, const char *path, struct json *ret, struct str *text, struct fault *f)
{
    struct buf body CLEANUP(buf_done) = {0};
    const char *reason;
    TRY(cli_need(c, "reason", &reason, f));
    buf_init(&body, 65536);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    json_kv_z(&o, "reason", reason);
    json_close(&o, '}');
    return cli_admin(c, "POST", path, buf_view(&body), ret, text, f);
}

static long long kill_number(const struct json *j, const char *member)
{
    int64_t n = 0;
    return json_i64(j, json_get(j, JSON_ROOT, str_of(member)), &n) ? n : 0;
}

static void kill_print(const struct json *j, const char *what)
{
    long long sessions = kill_number(j, "sessions"), calls = kill_number(j, "calls");
    bool silent = json_bool(j, json_get(j, JSON_ROOT, STR("silent")), false);
    if (silent)
        printf("%s is silent after %lld ms", what, kill_number(j, "silenceMs"));
    else
        printf("%s is stopped, but not silent after %lld ms", what, kill_number(j, "waitedMs"));
    printf(": %lld %s ended, %lld %s cancelled\n", sessions, sessions == 1 ? "session" : "sessions", calls,
           calls == 1 ? "call" : "calls");
}

/* what: "agent x", for people. */
static enum err kill_run(struct cli *c, const char *path, const char *what, struct fault *f)
{
    struct json j;
    struct str text;
    TRY(kill_send(c, path, &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        kill_print(&j, what);
    return json_bool(&j, json_get(&j, JSON_ROOT, STR("silent")), false)
               ? ERR_OK
               : fault_set(
                     f, ERR_UPSTREAM_TIMEOUT,
                     "a server has not ended, or not taken the cancellation yet; the record says when (KILL_DONE)");
}

enum err cli_run_kill_agent(struct cli *c, struct fault *f)
{
    struct str path = arena_fmt(&c->arena, "/admin/v1/agents/%s/kill", cli_segment(c, c->arg[0]));
    struct str what = arena_fmt(&c->arena, "agent %s", cli_shown(c, str_of(c->arg[0]), 0));
    return kill_run(c, path.p, what.p, f);
}

enum err cli_run_kill_session(struct cli *c, struct fault *f)
{
    struct str path = arena_fmt(&c->arena, "/admin/v1/sessions/%s/kill", cli_segment(c, c->arg[0]));
    struct str what = arena_fmt(&c->arena, "session %s", cli_shown(c, str_of(c->arg[0]), 0));
    return kill_run(c, path.p, what.p, f);
}

enum err cli_run_kill_all(struct cli *c, struct fault *f)
{
    const char *reason;
    TRY(cli_need(c, "reason", &reason, f));
    if (cli_agree(c, "stop every agent, until that is lifted with doorward revive all?", f))
        return fault_set(f, ERR_CANCELLED, "nothing was stopped; --yes says yes where nobody can be asked");
    return kill_run(c, "/admin/v1/kill", "everything", f);
}

enum err cli_run_kill_list(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {{"STOPPED", "stopped"}, {"AGENT", "agentId"}, {"SINCE", "stoppedAt"},
                                             {"BY", "by"},           {"REASON", "reason"}, {NULL, NULL}};
    return cli_list(c, "/admin/v1/kill", "stops", columns, "nothing is stopped", f);
}

static enum err revive_run(struct cli *c, const char *path, const char *words, struct fault *f)
{
    struct json j;
    struct str text;
    TRY(kill_send(c, path, &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        puts(words);
    return ERR_OK;
}

enum err cli_run_revive_agent(struct cli *c, struct fault *f)
{
    struct str path = arena_fmt(&c->arena, "/admin/v1/agents/%s/revive", cli_segment(c, c->arg[0]));
    struct str words = arena_fmt(&c->arena, "agent %s can open sessions again", cli_shown(c, str_of(c->arg[0]), 0));
    return revive_run(c, path.p, words.p, f);
}

enum err cli_run_revive_all(struct cli *c, struct fault *f)
{
    return revive_run(c, "/admin/v1/revive", "agents can open sessions again, but for those that are stopped by name",
                      f);
}

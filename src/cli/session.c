/* Sessions: opened with their context on the trusted side, shown, ended. And the tools that there are. */
#include "cli/http.h"
#include "cli/risk.h"

static void session_text(struct cli *c, struct json_out *o, const char *option, const char *member)
{
    const char *value = cli_option(c, option);
    if (value)
        json_kv_z(o, member, value);
}

static enum err session_wish(struct cli *c, struct json_out *o, struct fault *f)
{
    const char *agent;
    int64_t calls;
    TRY(cli_need(c, "agent", &agent, f));
    TRY(cli_number(c, "max-calls", 0, &calls, f));
    json_open(o, '{');
    json_kv_z(o, "agentId", agent);
    session_text(c, o, "user", "user");
    session_text(c, o, "tier", "tier");
    session_text(c, o, "trigger", "trigger");
    session_text(c, o, "scopes", "scopes");
    session_text(c, o, "lifetime", "lifetime");
    if (calls)
        json_kv_i64(o, "maxToolCalls", calls);
    json_close(o, '}');
    return ERR_OK;
}

enum err cli_run_session_open(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    struct json j;
    struct str text;
    buf_init(&body, 1u << 20);
    struct json_out o = json_out(&body);
    TRY(session_wish(c, &o, f));
    TRY(cli_admin(c, "POST", "/admin/v1/sessions", buf_view(&body), &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else if (cli_switch(c, "token-only"))
        puts(cli_shown(c, json_str(&j, json_get(&j, JSON_ROOT, STR("access_token")), &c->arena), 0));
    else
        cli_record(c, &j, JSON_ROOT, true);
    return ERR_OK;
}

enum err cli_run_session_list(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {{"SESSION", "sessionId"}, {"AGENT", "agentId"},
                                             {"USER", "user"},         {"TIER", "tier"},
                                             {"TRIGGER", "trigger"},   {"USED", "usedToolCalls"},
                                             {"OF", "maxToolCalls"},   {"EXPIRES", "expiresAt"},
                                             {"STATE", "state"},       {NULL, NULL}};
    return cli_list(c, "/admin/v1/sessions", "sessions", columns, "no session is open", f);
}

enum err cli_run_session_show(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text, path = arena_fmt(&c->arena, "/admin/v1/sessions/%s", cli_segment(c, c->arg[0]));
    TRY(cli_admin(c, "GET", path.p, STR_NONE, &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        cli_record(c, &j, JSON_ROOT, true);
    return ERR_OK;
}

enum err cli_run_session_end(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    struct json j;
    struct str text, path = arena_fmt(&c->arena, "/admin/v1/sessions/%s/end", cli_segment(c, c->arg[0]));
    buf_init(&body, 65536);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    session_text(c, &o, "reason", "reason");
    json_close(&o, '}');
    TRY(cli_admin(c, "POST", path.p, buf_view(&body), &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        printf("session %s has ended\n", cli_shown(c, str_of(c->arg[0]), 0));
    return ERR_OK;
}

/* The catalogue, of one server when it is named. */
static enum err tools_of(struct cli *c, struct str text, const struct json *all, const char *server, struct json *ret,
                         struct str *ret_text, struct fault *f)
{
    struct buf b CLEANUP(buf_done) = {0};
    *ret = *all;
    *ret_text = text;
    if (!server)
        return ERR_OK;
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_key(&o, STR("tools"));
    json_open(&o, '[');
    JSON_EACH(all, json_get(all, JSON_ROOT, STR("tools")), v)
    if (json_str_is(all, json_get(all, v, STR("server")), str_of(server)))
        json_put_raw(&o, json_raw(all, v));
    json_close(&o, ']');
    json_close(&o, '}');
    *ret_text = arena_str(&c->arena, buf_view(&b));
    return json_parse(ret, *ret_text, &c->arena, NULL, f);
}

/* The list with a proposal for each tool. */
static enum err tools_propose(struct cli *c, const struct json *all, struct fault *f)
{
    static const char *const columns[][2] = {{"TOOL", "id"},
                                             {"PROPOSED RISK", "proposedRisk"},
                                             {"BECAUSE OF", "because"},
                                             {"DESCRIPTION", "description"},
                                             {NULL, NULL}};
    struct json j;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_key(&o, STR("tools"));
    json_open(&o, '[');
    JSON_EACH(all, json_get(all, JSON_ROOT, STR("tools")), tool)
    {
        struct risk_verdict v;
        risk_of_tool(all, tool, &c->arena, &v);
        json_open(&o, '{');
        json_kv_z(&o, "proposedRisk", risk_name(v.risk));
        json_kv_z(&o, "because", v.words);
        JSON_PAIRS(all, tool, k, value)
        {
            json_key(&o, json_str(all, k, &c->arena));
            json_put_raw(&o, json_raw(all, value));
        }
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(json_parse(&j, buf_view(&b), &c->arena, NULL, f));
    cli_print_list(c, &j, buf_view(&b), "tools", columns, "no tools; doorward status shows how the servers stand");
    return ERR_OK;
}

enum err cli_run_tools_list(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {{"TOOL", "id"},
                                             {"NAME ON /mcp", "exposedName"},
                                             {"WITHHELD", "withheld"},
                                             {"USABLE", "usable"},
                                             {"READ ONLY", "readOnlyHint"},
                                             {"FAULT", "fault"},
                                             {"DESCRIPTION", "description"},
                                             {NULL, NULL}};
    struct json all, j;
    struct str text;
    TRY(cli_admin(c, "GET", "/admin/v1/tools", STR_NONE, &all, &text, f));
    TRY(tools_of(c, text, &all, cli_option(c, "server"), &j, &text, f));
    if (cli_switch(c, "propose"))
        return tools_propose(c, &j, f);
    cli_print_list(c, &j, text, "tools", columns, "no tools; doorward status shows how the servers stand");
    return ERR_OK;
}

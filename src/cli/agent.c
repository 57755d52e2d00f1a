/* Agents: registered with a key of their own, shown, rotated, disabled, deleted. */
#include "base/clock.h"
#include "cli/http.h"

static enum err agent_show_answer(struct cli *c, const struct json *j, struct str text)
{
    if (c->json)
        cli_print_json(text);
    else
        cli_record(c, j, JSON_ROOT, true);
    return ERR_OK;
}

/* The answer, and with it the private key when it went to no file: printed now and never again. */
static void agent_show_with_key(struct cli *c, const struct json *j, struct str text, const struct secret *key)
{
    if (!key) {
        (void)agent_show_answer(c, j, text);
        fflush(stdout);
        if (!c->json && cli_option(c, "key-file"))
            fprintf(stderr, "The private key is in %s, and nowhere else.\n", cli_option(c, "key-file"));
        return;
    }
    if (c->json) { /* {…, "privateKey": {…}} */
        text = str_trim(text);
        fwrite(text.p, 1, text.n - 1, stdout);
        fputs(",\"privateKey\":", stdout);
        fwrite(secret_bytes(key), 1, secret_len(key), stdout);
        puts("}");
        return;
    }
    cli_record(c, j, JSON_ROOT, true);
    fflush(stdout);
    fprintf(stderr, "\nThe private key follows. It is stored nowhere and will not be shown again.\n");
    cli_key_print(key);
}

/* "30d" or "2026-12-24T18:00:00Z" */
static enum err agent_expires(struct cli *c, struct json_out *o, struct fault *f)
{
    const char *when = cli_option(c, "expires");
    char text[CLOCK_RFC3339];
    int64_t ms;
    if (!when)
        return ERR_OK;
    if (clock_duration(str_of(when), &ms) == ERR_OK)
        ms += clock_wall_ms();
    else if (clock_parse(str_of(when), &ms))
        return fault_set(
            f, ERR_USAGE,
            "agent create: --expires must be a duration such as 30d, or a date such as 2026-12-24T18:00:00Z");
    clock_format(ms, text);
    json_kv_z(o, "expiresAt", text);
    return ERR_OK;
}

static void agent_text(struct cli *c, struct json_out *o, const char *option, const char *member)
{
    const char *value = cli_option(c, option);
    if (value)
        json_kv_z(o, member, value);
}

static void agent_list_of(struct cli *c, struct json_out *o, const char *option, const char *member)
{
    if (!cli_option(c, option))
        return;
    json_key(o, str_of(member));
    json_open(o, '[');
    for (size_t i = 0; i < c->given_count; i++)
        if (strcmp(c->given[i].option->name, option) == 0)
            json_put_str(o, str_of(c->given[i].value));
    json_close(o, ']');
}

/* What can be wrong is judged before a key is made. */
static enum err agent_wish(struct cli *c, struct json_out *o, struct fault *f)
{
    const char *type, *version, *owner, *env;
    int64_t sessions;
    TRY(cli_need(c, "type", &type, f));
    TRY(cli_need(c, "version", &version, f));
    TRY(cli_need(c, "owner", &owner, f));
    TRY(cli_need(c, "env", &env, f));
    TRY(cli_number(c, "max-sessions", 0, &sessions, f));
    agent_text(c, o, "id", "agentId");
    json_kv_z(o, "agentType", type);
    json_kv_z(o, "version", version);
    json_kv_z(o, "owner", owner);
    json_kv_z(o, "deploymentEnv", env);
    TRY(agent_expires(c, o, f));
    if (sessions)
        json_kv_i64(o, "maxConcurrentSessions", sessions);
    agent_list_of(c, o, "allow", "allowedTools");
    agent_list_of(c, o, "deny", "deniedTools");
    return ERR_OK;
}

/* Adds the key to the body, sends it, shows the answer. A key whose agent was refused is not kept. */
static enum err agent_send(struct cli *c, const char *path, struct buf *body, struct json_out *o, struct fault *f)
{
    struct secret *key CLEANUP(secret_freep) = NULL;
    struct buf jwk;
    struct json j;
    struct str text;
    buf_init(&jwk, 8192);
    enum err e = cli_key_of_options(c, &jwk, &key, f);
    if (e) {
        buf_done(&jwk);
        return e;
    }
    json_kv_raw(o, "publicKey", buf_view(&jwk));
    json_close(o, '}');
    buf_done(&jwk);
    e = buf_failed(body) ? fault_set(f, ERR_LIMIT, "the request is larger than 1 MiB")
                         : cli_admin(c, "POST", path, buf_view(body), &j, &text, f);
    if (e)
        cli_key_forget(c);
    else
        agent_show_with_key(c, &j, text, key);
    return e;
}

enum err cli_run_agent_create(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    buf_init(&body, 1u << 20);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    TRY(agent_wish(c, &o, f));
    return agent_send(c, "/admin/v1/agents", &body, &o, f);
}

enum err cli_run_agent_rotate(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    struct str path = arena_fmt(&c->arena, "/admin/v1/agents/%s/rotate", cli_segment(c, c->arg[0]));
    buf_init(&body, 1u << 20);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    agent_text(c, &o, "overlap", "overlap");
    return agent_send(c, path.p, &body, &o, f);
}

enum err cli_run_agent_list(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {{"AGENT", "agentId"},
                                             {"TYPE", "agentType"},
                                             {"VERSION", "version"},
                                             {"ENV", "deploymentEnv"},
                                             {"OWNER", "owner"},
                                             {"ENABLED", "enabled"},
                                             {"EXPIRES", "expiresAt"},
                                             {"SESSIONS", "maxConcurrentSessions"},
                                             {"TOOLS", "#allowedTools"},
                                             {"DENIED", "#deniedTools"},
                                             {NULL, NULL}};
    return cli_list(c, "/admin/v1/agents", "agents", columns, "no agents yet; doorward agent create registers one", f);
}

static enum err agent_one(struct cli *c, const char *method, const char *tail, struct fault *f)
{
    struct json j;
    struct str text, path = arena_fmt(&c->arena, "/admin/v1/agents/%s%s", cli_segment(c, c->arg[0]), tail);
    TRY(cli_admin(c, method, path.p, STR_NONE, &j, &text, f));
    return agent_show_answer(c, &j, text);
}

enum err cli_run_agent_show(struct cli *c, struct fault *f)
{
    return agent_one(c, "GET", "", f);
}

enum err cli_run_agent_disable(struct cli *c, struct fault *f)
{
    return agent_one(c, "POST", "/disable", f);
}

enum err cli_run_agent_enable(struct cli *c, struct fault *f)
{
    return agent_one(c, "POST", "/enable", f);
}

enum err cli_run_agent_delete(struct cli *c, struct fault *f)
{
    return agent_one(c, "DELETE", "", f);
}

enum err cli_run_agent_keygen(struct cli *c, struct fault *f)
{
    struct secret *key CLEANUP(secret_freep) = NULL;
    struct buf jwk CLEANUP(buf_done);
    const char *file;
    buf_init(&jwk, 8192);
    TRY(cli_need(c, "key-file", &file, f));
    TRY(cli_key_make(c, &jwk, &key, f));
    printf(STR_FMT "\n", STR_ARG(buf_view(&jwk)));
    return ERR_OK;
}

/* What the commands under `policy` work on: texts, tools, and the set that both make. */
#include "cli/policy.h"

enum { BENCH_TOOLS_FILE = 64 << 20 };

void cli_policy_print_faults(struct cli *c, struct str faults)
{
    struct str line;
    while (faults.n) {
        str_cut(&faults, '\n', &line);
        if (line.n)
            puts(cli_shown(c, line, 0));
    }
}

enum err cli_policy_texts(struct cli *c, size_t from, struct policy_texts **ret, struct buf *faults, struct fault *f)
{
    struct policy_text v[CLI_ARGS];
    size_t n = 0;
    if (c->arg_count <= from) {
        TRY(cli_config(c, f));
        return policy_texts_read(c->conf, ret, faults);
    }
    for (size_t i = from; i < c->arg_count; i++) {
        v[n] = (struct policy_text){.name = str_of(c->arg[i]), .enforce = true};
        TRY(cli_read(c, c->arg[i], CEDAR_TEXT_MAX, &v[n++].text, f));
    }
    return policy_texts_of(v, n, ret, faults);
}

/* {"tools": [{"id", "hash", "definition"} …]} */
static enum err bench_tools(struct cli *c, const struct json *j, const char *from, const struct policy_fact **ret,
                            size_t *ret_n, struct fault *f)
{
    struct arena *a = &c->arena;
    uint32_t tools = json_get(j, JSON_ROOT, STR("tools"));
    size_t n = 0, all = json_type(j, tools) == JSON_ARRAY ? j->node[tools].size : 0;
    struct policy_fact *v = arena_alloc(a, (all + 1) * sizeof(*v));
    if (json_type(j, tools) != JSON_ARRAY)
        return fault_set(f, ERR_SYNTAX, "%s: must be what `doorward policy tools` prints", from);
    JSON_EACH(j, tools, t)
    {
        struct str id = json_str(j, json_get(j, t, STR("id")), a), hash = json_str(j, json_get(j, t, STR("hash")), a),
                   server;
        uint32_t definition = json_get(j, t, STR("definition"));
        struct str rest = id;
        if (!v || !str_cut(&rest, '/', &server) || hash.n != 64 || json_type(j, definition) != JSON_OBJECT)
            return fault_set(f, ERR_SYNTAX, "%s: tools[%zu]: id (server/tool), hash and definition are needed", from,
                             n);
        v[n] = (struct policy_fact){.id = id, .server = server, .name = rest, .definition = json_raw(j, definition)};
        memcpy(v[n++].hash, hash.p, 64);
    }
    *ret = v;
    *ret_n = n;
    return ERR_OK;
}

enum err cli_policy_tools(struct cli *c, const struct policy_fact **ret, size_t *ret_n, struct fault *f)
{
    struct json j;
    struct str text;
    const char *file = cli_option(c, "tools");
    if (!file) {
        TRY(cli_admin(c, "GET", "/admin/v1/policies/tools", STR_NONE, &j, &text, f));
        return bench_tools(c, &j, "the gateway", ret, ret_n, f);
    }
    TRY(cli_read(c, file, BENCH_TOOLS_FILE, &text, f));
    enum err e = json_parse(&j, text, &c->arena, NULL, f);
    return e ? fault_wrap(f, "%s", file) : bench_tools(c, &j, file, ret, ret_n, f);
}

/* A configuration is no need where files and tools are named: then every tool has the risk that none says. */
static const struct conf_root *bench_conf(struct cli *c, struct fault *f, enum err *ret_err)
{
    static const struct conf_root none = {.policy.timezone = {"UTC", 3}};
    *ret_err = ERR_OK;
    if (!c->conf && cli_config_file(c))
        *ret_err = cli_config(c, f);
    return c->conf ? &c->conf->root : &none;
}

enum err cli_policy_set(struct cli *c, size_t from, struct policy_set **ret, struct fault *f)
{
    struct policy_texts *texts = NULL;
    const struct policy_fact *fact;
    struct buf faults CLEANUP(buf_done);
    size_t n;
    enum err e;
    buf_init(&faults, 1u << 20);
    const struct conf_root *conf = bench_conf(c, f, &e);
    TRY(e);
    e = cli_policy_texts(c, from, &texts, &faults, f);
    if (!e)
        e = cli_policy_tools(c, &fact, &n, f);
    if (!e)
        e = policy_set_new(texts, conf, fact, n, ret, &faults);
    policy_texts_unref(texts);
    cli_policy_print_faults(c, buf_view(&faults));
    return e == ERR_CONFIG && faults.n ? fault_set(f, e, "the policies have faults") : e;
}

enum err cli_run_policy_tools(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text;
    TRY(cli_admin(c, "GET", "/admin/v1/policies/tools", STR_NONE, &j, &text, f));
    cli_print_json(text);
    return ERR_OK;
}

/* What the commands under `policy` work on: texts, tools, and the set that both make. */
#include <glob.h>
#include <sys/stat.h>

#include "cli/policy.h"

enum { BENCH_TOOLS_FILE = 64 << 20, BENCH_FILES = 1000 };

void cli_policy_print_faults(struct cli *c, struct str faults)
{
    if (c->json && faults.n) {
        cli_print_faults_json(faults);
        return;
    }
    for (struct str line; faults.n;) {
        str_cut(&faults, '\n', &line);
        if (line.n)
            puts(cli_shown(c, line, 0));
    }
}

struct bench_files {
    struct policy_text *v;
    size_t n;
};

static enum err bench_file(struct cli *c, const char *path, struct bench_files *all, struct fault *f)
{
    if (all->n == BENCH_FILES)
        return fault_set(f, ERR_LIMIT, "more than %d files of policies", BENCH_FILES);
    struct policy_text *t = &all->v[all->n];
    *t = (struct policy_text){.name = arena_str(&c->arena, str_of(path)), .enforce = true};
    TRY(cli_read(c, path, CEDAR_TEXT_MAX, &t->text, f));
    all->n++;
    return ERR_OK;
}

/* All files of policies in a folder, in the order of their names. */
static enum err bench_folder(struct cli *c, const char *path, struct bench_files *all, struct fault *f)
{
    glob_t g;
    struct str dir = str_of(path);
    while (dir.n > 1 && dir.p[dir.n - 1] == '/')
        dir.n--;
    struct str pattern = arena_fmt(&c->arena, STR_FMT "/*.cedar", STR_ARG(dir));
    enum err e = ERR_OK;
    if (!pattern.p)
        return fault_set(f, ERR_NOMEM, "no memory for a path");
    if (glob(pattern.p, 0, NULL, &g))
        return fault_set(f, ERR_NOT_FOUND, "%s: there are no files of policies (*.cedar) in this folder", path);
    for (size_t i = 0; i < g.gl_pathc && !e; i++)
        e = bench_file(c, g.gl_pathv[i], all, f);
    globfree(&g);
    return e;
}

enum err cli_policy_texts(struct cli *c, size_t from, struct policy_texts **ret, struct buf *faults, struct fault *f)
{
    struct bench_files all = {0};
    struct stat st;
    if (c->arg_count <= from) {
        TRY(cli_config(c, f));
        return policy_texts_read(c->conf, ret, faults);
    }
    all.v = arena_alloc(&c->arena, BENCH_FILES * sizeof(*all.v));
    if (!all.v)
        return fault_set(f, ERR_NOMEM, "no memory for policies");
    for (size_t i = from; i < c->arg_count; i++) {
        bool folder = stat(c->arg[i], &st) == 0 && S_ISDIR(st.st_mode);
        TRY(folder ? bench_folder(c, c->arg[i], &all, f) : bench_file(c, c->arg[i], &all, f));
    }
    return policy_texts_of(all.v, all.n, ret, faults);
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

enum err cli_policy_tools_of(struct cli *c, const char *file, const struct policy_fact **ret, size_t *ret_n,
                             struct fault *f)
{
    struct json j;
    struct str text;
    if (!file) {
        TRY(cli_admin(c, "GET", "/admin/v1/policies/tools", STR_NONE, &j, &text, f));
        return bench_tools(c, &j, "the gateway", ret, ret_n, f);
    }
    TRY(cli_read(c, file, BENCH_TOOLS_FILE, &text, f));
    enum err e = json_parse(&j, text, &c->arena, NULL, f);
    return e ? fault_wrap(f, "%s", file) : bench_tools(c, &j, file, ret, ret_n, f);
}

enum err cli_policy_tools(struct cli *c, const struct policy_fact **ret, size_t *ret_n, struct fault *f)
{
    return cli_policy_tools_of(c, cli_option(c, "tools"), ret, ret_n, f);
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

enum err cli_policy_set_of(struct cli *c, struct policy_texts *texts, const char *tools, struct policy_set **ret,
                           struct fault *f)
{
    const struct policy_fact *fact = NULL;
    struct buf faults CLEANUP(buf_done);
    size_t n = 0;
    enum err e;
    buf_init(&faults, 1u << 20);
    const struct conf_root *conf = bench_conf(c, f, &e);
    TRY(e);
    TRY(cli_policy_tools_of(c, tools, &fact, &n, f));
    e = policy_set_new(texts, conf, fact, n, ret, &faults);
    cli_policy_print_faults(c, buf_view(&faults));
    return e == ERR_CONFIG && faults.n ? fault_set(f, e, "the policies have faults") : e;
}

enum err cli_policy_set(struct cli *c, size_t from, struct policy_set **ret, struct fault *f)
{
    struct policy_texts *texts = NULL;
    struct buf faults CLEANUP(buf_done);
    buf_init(&faults, 1u << 20);
    enum err e = cli_policy_texts(c, from, &texts, &faults, f);
    cli_policy_print_faults(c, buf_view(&faults));
    if (e == ERR_CONFIG && faults.n)
        return fault_set(f, e, "the policies have faults");
    if (!e)
        e = cli_policy_set_of(c, texts, cli_option(c, "tools"), ret, f);
    policy_texts_unref(texts);
    return e;
}

enum err cli_run_policy_tools(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text;
    TRY(cli_admin(c, "GET", "/admin/v1/policies/tools", STR_NONE, &j, &text, f));
    cli_print_json(text);
    return ERR_OK;
}

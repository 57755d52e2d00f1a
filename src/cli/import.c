/*
 * doorward import: the servers of an MCP client become servers of doorward.yaml. What would be written is worked out
 * and checked in memory first (import_plan.c); the preview is that, and --dry-run stops there.
 */
#include <limits.h>
#include <unistd.h>

#include "cli/http.h"
#include "cli/import.h"
#include "cli/risk.h"

static const char *tell_label(struct plan *r, const struct import_server *s)
{
    return cli_shown(r->c, s->label, 48);
}

/* A program is looked for in the plain PATH that Doorward gives it, not in the person's. */
static bool tell_found(const struct import_server *s)
{
    static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                          "/usr/bin",        "/sbin",          "/bin"};
    char path[PATH_MAX];
    if (!s->command_count || memchr(s->command[0].p, '/', s->command[0].n) ||
        memchr(s->command[0].p, '$', s->command[0].n))
        return true;
    for (size_t i = 0; i < s->pair_count; i++)
        if (str_is(s->pair[i].name, "PATH"))
            return true;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/" STR_FMT, folders[i], STR_ARG(s->command[0]));
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static void tell_server(struct plan *r, const struct import_server *s)
{
    const char *label = tell_label(r, s);
    if (s->left_out)
        printf("  left out       %s: %s\n", label, cli_shown(r->c, str_of(s->left_out), 0));
    else if (s->same_as)
        printf("  there already  %s, as %s\n", label, s->same_as);
    else
        printf("  added          %s, as %s\n", label, s->name);
    if (s->left_out || s->same_as)
        return;
    for (size_t i = 0; i < s->pair_count; i++)
        if (s->pair[i].secret)
            printf("                 %s goes into " STR_FMT "\n", cli_shown(r->c, s->pair[i].name, 48),
                   STR_ARG(s->pair[i].file));
    for (size_t i = 0; i < s->tool_count; i++) {
        struct risk_verdict v;
        risk_propose(s->tool[i], STR_NONE, 0, &v);
        printf("                 %s: %s (%s)\n", cli_shown(r->c, s->tool[i], 48), risk_name(v.risk), v.words);
    }
    if (s->kept.n)
        printf("                 %s stays shut: the gateway's data_dir lies there\n", cli_shown(r->c, s->kept, 0));
    if (!tell_found(s))
        printf("                 %s is not in the plain PATH that Doorward gives it: write its absolute path, or PATH "
               "under env\n",
               cli_shown(r->c, s->command[0], 48));
}

/* What a running gateway says of the tools of servers that are there already; nothing when none runs. */
static void tell_running(struct plan *r)
{
    struct json j;
    struct fault quiet = {0};
    bool any = false;
    for (size_t i = 0; i < r->im.count; i++)
        any |= r->im.server[i].same_as != NULL;
    if (!any || cli_admin(r->c, "GET", "/admin/v1/tools", STR_NONE, &j, NULL, &quiet))
        return;
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("tools")), t)
    for (size_t i = 0; i < r->im.count; i++) {
        const struct import_server *s = &r->im.server[i];
        struct risk_verdict v;
        if (!s->same_as || !json_str_is(&j, json_get(&j, t, STR("server")), str_of(s->same_as)))
            continue;
        risk_of_tool(&j, t, &r->c->arena, &v);
        printf("  risk proposed  %s: %s (%s)\n",
               cli_shown(r->c, json_str(&j, json_get(&j, t, STR("id")), &r->c->arena), 0), risk_name(v.risk), v.words);
        break;
    }
}

static void tell_unset(struct plan *r)
{
    for (size_t i = 0; i < r->unset_count; i++)
        fprintf(stderr, STR_FMT " is not set here: it must be in the environment of doorward serve\n",
                STR_ARG(r->unset[i]));
}

static void tell_json_tools(struct json_out *o, const struct import_server *s)
{
    json_key(o, STR("tools"));
    json_open(o, '[');
    for (size_t i = 0; i < s->tool_count; i++) {
        struct risk_verdict v;
        risk_propose(s->tool[i], STR_NONE, 0, &v);
        json_open(o, '{');
        json_kv_str(o, "name", s->tool[i]);
        json_kv_z(o, "proposedRisk", risk_name(v.risk));
        json_kv_z(o, "because", v.words);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void tell_json(struct plan *r, bool written, struct str kept)
{
    struct buf b;
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_z(&o, "file", r->path);
    json_kv_bool(&o, "written", written);
    if (kept.n)
        json_kv_str(&o, "kept", kept);
    json_key(&o, STR("servers"));
    json_open(&o, '[');
    for (size_t i = 0; i < r->im.count; i++) {
        const struct import_server *s = &r->im.server[i];
        json_open(&o, '{');
        json_kv_str(&o, "label", s->label);
        json_kv_z(&o, "client", import_client_names[s->client]);
        json_kv_str(&o, "file", s->file);
        json_kv_z(&o, "state", s->left_out ? "left_out" : s->same_as ? "there_already" : "added");
        if (s->left_out)
            json_kv_z(&o, "reason", s->left_out);
        else
            json_kv_z(&o, "name", s->same_as ? s->same_as : s->name);
        json_key(&o, STR("secrets"));
        json_open(&o, '[');
        for (size_t k = 0; k < s->pair_count && !s->left_out && !s->same_as; k++)
            if (s->pair[k].secret)
                json_put_str(&o, s->pair[k].file);
        json_close(&o, ']');
        tell_json_tools(&o, s);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_key(&o, STR("unset"));
    json_open(&o, '[');
    for (size_t i = 0; i < r->unset_count; i++)
        json_put_str(&o, r->unset[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
    buf_done(&b);
}

static void tell_next(struct plan *r, struct str kept)
{
    static const char *const words[] = {"claude-desktop", "claude-code", "cursor", "vscode"};
    printf(
        "\n%s is written; what it was is kept as " STR_FMT " (doorward import --undo)\n"
        "Next:\n"
        "  doorward reload -c %s\n"
        "  doorward tools list --propose -c %s\n"
        "  doorward connect %s --agent ID --key FILE\n"
        "A tool of which `tools` says no risk waits for a person with each call: write down what --propose proposes, "
        "where it is right.\n"
        "When the client goes through Doorward, take the servers out of its own file: until then it reaches them "
        "past the door.\n",
        r->path, STR_ARG(kept), r->path, r->path, words[r->im.client]);
}

/* ---- the command ---- */

static enum err import_take_back(struct plan *r, struct fault *f)
{
    struct str kept, before;
    size_t secrets = 0;
    if (r->c->arg_count)
        return fault_set(f, ERR_USAGE, "import: --undo takes no FILE");
    TRY(import_kept(r->c, r->path, &kept, f));
    TRY(cli_read(r->c, kept.p, IMPORT_YAML_MAX, &before, f));
    if (!r->c->json)
        diff_print(r->old, before, r->path, false);
    bool dry = cli_switch(r->c, "dry-run");
    if (!dry) {
        TRY(cli_agree(r->c, "Put it back?", f));
        TRY(import_undo(r->c, r->path, kept, before, &secrets, f));
    }
    if (r->c->json)
        printf("{\"undone\":%s,\"secretsRemoved\":%zu}\n", dry ? "false" : "true", secrets);
    else if (!dry)
        printf("%s is what it was; %zu secret file%s removed\n", r->path, secrets, secrets == 1 ? "" : "s");
    return ERR_OK;
}

static enum err import_take(struct plan *r, struct fault *f)
{
    struct str kept = STR_NONE;
    bool dry = cli_switch(r->c, "dry-run");
    TRY(plan_gather(r, f));
    TRY(plan_work_out(r, f));
    if (!r->c->json) {
        for (size_t i = 0; i < r->im.count; i++)
            tell_server(r, &r->im.server[i]);
        tell_running(r);
        if (r->added) {
            putchar('\n');
            diff_print(r->old, r->text, r->path, false);
        }
        tell_unset(r);
    }
    if (r->added && !dry) {
        TRY(cli_agree(r->c, "Write this?", f));
        TRY(import_write(r->c, &r->im, r->path, r->old, r->text, &kept, f));
    }
    if (r->c->json)
        tell_json(r, kept.n > 0, kept);
    else if (kept.n)
        tell_next(r, kept);
    else
        fprintf(stderr, r->added ? "nothing was written (--dry-run)\n" : "there is nothing to add\n");
    return ERR_OK;
}

enum err cli_run_import(struct cli *c, struct fault *f)
{
    struct plan r = {.c = c};
    TRY(plan_path(&r, f));
    enum err e = cli_switch(c, "undo") ? import_take_back(&r, f) : import_take(&r, f);
    conf_unref(r.was);
    return e;
}

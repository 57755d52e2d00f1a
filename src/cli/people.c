/* People who decide. */
#include "cli/http.h"
#include "cli/import.h"

static void person_text(const struct cli *c, struct json_out *o, const char *option)
{
    const char *value = cli_option(c, option);
    if (value)
        json_kv_z(o, option, value);
}

static void person_groups(const struct cli *c, struct json_out *o)
{
    json_key(o, STR("groups"));
    json_open(o, '[');
    for (size_t i = 0; i < c->given_count; i++)
        if (strcmp(c->given[i].option->name, "group") == 0)
            json_put_str(o, str_of(c->given[i].value));
    json_close(o, ']');
}

/* The token stands alone on its line, and nowhere else. */
static void person_print(struct cli *c, const struct json *j, struct str text)
{
    if (c->json) {
        cli_print_json(text);
        return;
    }
    struct str token = json_str(j, json_get(j, JSON_ROOT, STR("token")), &c->arena);
    cli_record(c, j, json_get(j, JSON_ROOT, STR("person")), false);
    if (!token.n)
        return;
    fflush(stdout);
    fprintf(stderr, "\nThe token, shown this once; for DOORWARD_ADMIN_TOKEN or --admin-token-file:\n");
    puts(cli_shown(c, token, 0));
}

enum err cli_run_people_add(struct cli *c, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    struct json j;
    struct str text;
    buf_init(&body, 65536);
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    json_kv_z(&o, "name", c->arg[0]);
    person_text(c, &o, "role");
    person_groups(c, &o);
    person_text(c, &o, "slack");
    person_text(c, &o, "email");
    person_text(c, &o, "pagerduty");
    if (cli_switch(c, "disabled"))
        json_kv_bool(&o, "enabled", false);
    if (cli_switch(c, "replace"))
        json_kv_bool(&o, "replace", true);
    json_close(&o, '}');
    TRY(cli_admin(c, "POST", "/admin/v1/people", buf_view(&body), &j, &text, f));
    person_print(c, &j, text);
    return ERR_OK;
}

static enum err person_path(struct cli *c, const char *tail, struct str *ret, struct fault *f)
{
    *ret = arena_fmt(&c->arena, "/admin/v1/people/%s%s", cli_segment(c, c->arg[0]), tail);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for an address");
}

enum err cli_run_people_list(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {{"NAME", "name"},      {"ROLE", "role"},       {"GROUPS", "groups"},
                                             {"TOKEN", "hasToken"}, {"ENABLED", "enabled"}, {"SLACK", "slack"},
                                             {"EMAIL", "email"},    {"SINCE", "createdAt"}, {NULL, NULL}};
    return cli_list(c, "/admin/v1/people", "people", columns, "there is nobody; doorward people add NAME adds somebody",
                    f);
}

enum err cli_run_people_remove(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text, path;
    TRY(person_path(c, "", &path, f));
    TRY(cli_admin(c, "DELETE", path.p, STR_NONE, &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        printf("%s is removed\n", cli_shown(c, str_of(c->arg[0]), 0));
    return ERR_OK;
}

enum err cli_run_people_token(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text, path;
    TRY(person_path(c, "/token", &path, f));
    TRY(cli_admin(c, "POST", path.p, STR("{}"), &j, &text, f));
    person_print(c, &j, text);
    return ERR_OK;
}

/* The link stands alone on its line, and nowhere else. */
enum err cli_run_people_link(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text, path;
    TRY(person_path(c, "/link", &path, f));
    TRY(cli_admin(c, "POST", path.p, STR("{}"), &j, &text, f));
    if (c->json) {
        cli_print_json(text);
        return ERR_OK;
    }
    fprintf(stderr, "For %s, to open once, within ten minutes; whoever has it signs in as %s:\n",
            cli_shown(c, str_of(c->arg[0]), 0), cli_shown(c, str_of(c->arg[0]), 0));
    puts(cli_shown(c, json_str(&j, json_get(&j, JSON_ROOT, STR("link")), &c->arena), 0));
    return ERR_OK;
}

enum err cli_run_people_passkeys(struct cli *c, struct fault *f)
{
    static const char *const columns[][2] = {
        {"ID", "id"}, {"NAME", "name"}, {"FOR", "rpId"}, {"SINCE", "createdAt"}, {"LAST USED", "lastUsedAt"},
        {NULL, NULL}};
    struct str path;
    TRY(person_path(c, "/passkeys", &path, f));
    return cli_list(c, path.p, "passkeys", columns,
                    "no passkey; doorward people link NAME makes a link with which one is added", f);
}

enum err cli_run_people_passkey_remove(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text, path = arena_fmt(&c->arena, "/admin/v1/people/%s/passkeys/%s", cli_segment(c, c->arg[0]),
                                      cli_segment(c, c->arg[1]));
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    TRY(cli_admin(c, "DELETE", path.p, STR_NONE, &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        printf("the passkey of %s is removed\n", cli_shown(c, str_of(c->arg[0]), 0));
    return ERR_OK;
}

enum err cli_run_people_figures(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text, path;
    TRY(person_path(c, "/figures", &path, f));
    TRY(cli_admin(c, "GET", path.p, STR_NONE, &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        cli_record(c, &j, JSON_ROOT, false);
    return ERR_OK;
}

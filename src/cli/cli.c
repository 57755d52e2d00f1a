/* A run from start to end: parsed, carried out, and told how it went. */
#include "cli/http.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

enum { CLI_ARENA = 512 << 20 };

int cli_exit(enum err e)
{
    switch (e) {
    case ERR_OK: return 0;
    case ERR_USAGE: return 2;
    case ERR_UNAUTHENTICATED:
    case ERR_TOKEN:
    case ERR_SESSION_ENDED:
    case ERR_SESSION_STOPPED:
    case ERR_AGENT_STOPPED:
    case ERR_ALL_STOPPED:
    case ERR_CLIENT_AUTH:
    case ERR_SCOPE:
    case ERR_INVALID_SCOPE:
    case ERR_ROLE:
    case ERR_NETWORK:
    case ERR_ORIGIN:
    case ERR_TOOL_DENIED:
    case ERR_TOOL_WITHHELD:
    case ERR_TOOL_UNKNOWN:
    case ERR_CRITICAL:
    case ERR_APPROVAL_DENIED:
    case ERR_APPROVAL_EXPIRED:
    case ERR_APPROVAL_VOID:
    case ERR_APPROVAL_USED:
    case ERR_SCHEMA:
    case ERR_SCHEMA_UNUSABLE:
    case ERR_RATE:
    case ERR_CALLS:
    case ERR_SESSIONS:
    case ERR_AUDIT:
    case ERR_STORE:
    case ERR_STOPPING: return 3;
    case ERR_APPROVAL_PENDING:
    case ERR_CORRUPT: return 4;
    case ERR_UNREACHABLE: return 5;
    default: return 1;
    }
}

const char *cli_config_file(const struct cli *c)
{
    static const char *const places[] = {"doorward.yaml", "/etc/doorward/doorward.yaml"};
    const char *given = cli_option(c, "config");
    if (!given)
        given = getenv("DOORWARD_CONFIG");
    if (given && *given)
        return given;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], F_OK) == 0)
            return places[i];
    return NULL;
}

/* A client may lack what the daemon has: variables and secrets of the servers. */
static const char *cli_without_config(const struct cli *c)
{
    if (c->command->groups & CLI_ADMIN)
        return "; without it, --admin URL and --admin-token-file FILE say the same";
    return c->command->groups & CLI_RECORD ? "; without it, --dir DIR says where the record is" : "";
}

enum err cli_config(struct cli *c, struct fault *f)
{
    const char *file = cli_config_file(c);
    struct buf faults;
    if (c->conf)
        return ERR_OK;
    if (!file)
        return fault_set(
            f, ERR_CONFIG,
            "there is no configuration: give --config FILE, set DOORWARD_CONFIG, or put doorward.yaml here "
            "or into /etc/doorward%s",
            cli_without_config(c));
    buf_init(&faults, 1u << 20);
    enum err e = conf_load(file, &c->conf, &faults);
    if (e) {
        fwrite(faults.p, 1, faults.n, stderr);
        fault_set(f, e, "%s has faults%s", file, cli_without_config(c));
    }
    buf_done(&faults);
    return e;
}

enum err cli_read(struct cli *c, const char *path, size_t max, struct str *ret, struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 0);
    TRY(file_read(path, max, &b, f));
    *ret = arena_str(&c->arena, buf_view(&b));
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for %s", path);
}

/* A refusal has a second line: the stable code, and what to do about it. */
static void cli_tell(const struct cli *c, enum err e, const struct fault *f)
{
    const char *red = cli_color(stderr) ? "\033[31m" : "", *plain = *red ? "\033[0m" : "";
    struct buf b;
    buf_init(&b, 4096);
    if (c->command && e != ERR_USAGE) /* the parser has said it already */
        buf_fmt(&b, "%s: ", c->command->words);
    if (cli_exit(e) == 3)
        buf_fmt(&b, "%srefused%s (%s): ", red, plain, err_code(e));
    cli_visible(&b, str_of(f->text), false);
    fprintf(stderr, "doorward: " STR_FMT "\n", STR_ARG(buf_view(&b)));
    buf_done(&b);
    if (cli_exit(e) == 3)
        fprintf(stderr, "  %s\n", err_help(e));
}

/* An option, or what the environment says instead; NULL: neither. */
static const char *cli_option_or(const struct cli *c, const char *name, const char *variable)
{
    const char *given = cli_option(c, name);
    if (!given)
        given = getenv(variable);
    return given && *given ? given : NULL;
}

static enum err cli_run(struct cli *c, struct fault *f)
{
    if (c->version)
        return cli_run_version(c, f);
    if (c->topic) {
        cli_help_family(stdout, c->topic);
        return ERR_OK;
    }
    if (c->help) {
        if (c->command)
            cli_help(stdout, c->command);
        else
            cli_usage(stdout);
        return ERR_OK;
    }
    cli_trust(cli_option_or(c, "ca", "DOORWARD_CA"), cli_option_or(c, "certificate", "DOORWARD_CERTIFICATE"));
    return c->command->run(c, f);
}

int cli_main(int argc, char **argv)
{
    static struct cli c; /* given[] is large */
    struct fault f = {0};
    arena_init(&c.arena, CLI_ARENA);
    enum err e = cli_parse(&c, argc, argv, &f);
    if (!e)
        e = cli_run(&c, &f);
    if ((fflush(stdout) || ferror(stdout)) && !e)
        e = fault_set(&f, ERR_IO, "standard output: %s", strerror(errno));
    if (e && f.text[0])
        cli_tell(&c, e, &f);
    conf_unref(c.conf);
    arena_done(&c.arena);
    return cli_exit(e);
}

/* What Doorward says of itself, from its tables: stages, errors, events, version, help. */
#include "audit/audit.h"
#include "cli/http.h"
#include "gate/gate.h"
#include "meter/meter.h"

enum err cli_run_pipeline(struct cli *c, struct fault *f)
{
    (void)c;
    (void)f;
    struct buf b;
    buf_init(&b, 65536);
    gate_print_pipeline(&b);
    fwrite(b.p, 1, b.n, stdout);
    buf_done(&b);
    return ERR_OK;
}

static void errors_all(void)
{
    puts("# Errors\n\nEvery error that Doorward answers with. The code is stable: it never changes its meaning. This "
         "page is "
         "made from the\ntable that the program uses (`doorward errors`).\n");
    puts("| code | HTTP | JSON-RPC | what it means |\n|---|---|---|---|");
    for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
        printf("| `%s` | %d | %d | %s |\n", err_code(e), err_http(e), err_rpc(e), err_help(e));
    for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
        printf("\n## `%s`\n\n%s\n\n- When: %s\n- Do: %s\n", err_code(e), err_help(e), err_when(e), err_todo(e));
}

enum err cli_run_errors(struct cli *c, struct fault *f)
{
    if (!c->arg_count) {
        errors_all();
        return ERR_OK;
    }
    for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
        if (strcmp(err_code(e), c->arg[0]) == 0) {
            printf("%s (HTTP %d, JSON-RPC %d)\n  %s\n  When: %s\n  Do: %s\n", err_code(e), err_http(e), err_rpc(e),
                   err_help(e), err_when(e), err_todo(e));
            return ERR_OK;
        }
    return fault_set(f, ERR_NOT_FOUND, "there is no error code %s; doorward errors lists them", c->arg[0]);
}

enum err cli_run_events(struct cli *c, struct fault *f)
{
    (void)c;
    (void)f;
    puts("# Events of the record\n\nWhat an entry can be about. A name never changes its meaning. This page is made "
         "from the "
         "table that the\nprogram uses (`doorward events`).\n");
    puts("| event | what it says |\n|---|---|");
    for (enum audit_event e = AUDIT_NONE + 1; e < AUDIT_EVENT_COUNT; e++)
        printf("| `%s` | %s |\n", audit_event_name(e), audit_event_what(e));
    return ERR_OK;
}

enum err cli_run_metrics(struct cli *c, struct fault *f)
{
    (void)c;
    (void)f;
    struct buf b;
    buf_init(&b, 65536);
    meter_reference(&b);
    fwrite(b.p, 1, b.n, stdout);
    buf_done(&b);
    return ERR_OK;
}

enum err cli_run_version(struct cli *c, struct fault *f)
{
    (void)c;
    (void)f;
    puts("doorward " DOORWARD_VERSION);
    return ERR_OK;
}

enum err cli_run_help(struct cli *c, struct fault *f)
{
    char words[128] = "";
    if (!c->arg_count) {
        cli_usage(stdout);
        return ERR_OK;
    }
    for (size_t i = 0; i < c->arg_count; i++) {
        size_t at = strlen(words);
        snprintf(words + at, sizeof(words) - at, "%s%s", i ? " " : "", c->arg[i]);
    }
    for (const struct cli_command *k = cli_commands; k->words; k++)
        if (strcmp(k->words, words) == 0) {
            cli_help(stdout, k);
            return ERR_OK;
        }
    if (cli_help_family(stdout, words))
        return ERR_OK;
    return fault_set(f, ERR_USAGE, "help: there is no command %s; doorward help lists them", words);
}

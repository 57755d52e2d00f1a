#include "cli/cli.h"

#define CONFIG CLI_CONFIG
#define ADMIN  CLI_ADMIN
#define GATE   CLI_GATE
#define RECORD CLI_RECORD
#define JSON   CLI_JSON

#define COMMAND(id, words, args, groups, what) {#id, words, args, what, groups, cli_run_##id},
#define OPTION(id, name, letter, value, what)
#define REPEATED(id, name, letter, value, what)
#define GROUP(group, name, letter, value, what)
const struct cli_command cli_commands[] = {
#include "cli/commands.def"
    {.words = NULL},
};
#undef COMMAND
#undef OPTION
#undef REPEATED
#undef GROUP

#define COMMAND(id, words, args, groups, what)
#define OPTION(id, name, letter, value, what)   {#id, 0, name, letter, value, false, what},
#define REPEATED(id, name, letter, value, what) {#id, 0, name, letter, value, true, what},
#define GROUP(group, name, letter, value, what) {NULL, group, name, letter, value, false, what},
const struct cli_option cli_options[] = {
#include "cli/commands.def"
    {.name = NULL},
};

bool cli_takes(const struct cli_command *c, const struct cli_option *o)
{
    return o->command ? strcmp(o->command, c->id) == 0 : (c->groups & o->group) != 0;
}

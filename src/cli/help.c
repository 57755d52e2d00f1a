/* Help, from the table. */
#include "cli/cli.h"

enum { HELP_WIDTH = 100, HELP_LEFT = 32 };

static void help_title(FILE *to, const char *text)
{
    bool color = cli_color(to);
    fprintf(to, "%s%s%s\n", color ? "\033[1m" : "", text, color ? "\033[0m" : "");
}

/* Text in lines of HELP_WIDTH, with what follows the first one indented. */
static void help_wrap(FILE *to, const char *text, size_t indent)
{
    size_t at = indent;
    for (struct str rest = str_of(text), word; rest.n;) {
        str_cut(&rest, ' ', &word);
        if (at > indent && at + 1 + word.n > HELP_WIDTH) {
            fprintf(to, "\n%*s", (int)indent, "");
            at = indent;
        }
        at += (size_t)fprintf(to, "%s" STR_FMT, at > indent ? " " : "", STR_ARG(word));
    }
    fputc('\n', to);
}

static void help_row(FILE *to, const char *left, const char *what)
{
    int n = fprintf(to, "  %s", left);
    if (n > HELP_LEFT - 2)
        fprintf(to, "\n%*s", HELP_LEFT, "");
    else
        fprintf(to, "%*s", HELP_LEFT - n, "");
    help_wrap(to, what, HELP_LEFT);
}

static void help_command_row(FILE *to, const struct cli_command *k)
{
    char left[96];
    snprintf(left, sizeof(left), "%s%s%s", k->words, k->args[0] ? " " : "", k->args);
    help_row(to, left, k->what);
}

void cli_help(FILE *to, const struct cli_command *c)
{
    char left[96];
    bool any = false;
    for (const struct cli_option *o = cli_options; o->name; o++)
        any = any || cli_takes(c, o);
    fprintf(to, "doorward %s%s%s%s\n\n  ", c->words, any ? " [OPTIONS]" : "", c->args[0] ? " " : "", c->args);
    help_wrap(to, c->what, 2);
    if (!any)
        return;
    fputc('\n', to);
    help_title(to, "Options");
    for (const struct cli_option *o = cli_options; o->name; o++) {
        if (!cli_takes(c, o))
            continue;
        snprintf(left, sizeof(left), "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                 o->letter ? "," : " ", o->name, o->value ? " " : "", o->value ? o->value : "");
        help_row(to, left, o->what);
    }
}

bool cli_help_family(FILE *to, const char *family)
{
    size_t n = strlen(family);
    bool found = false;
    for (const struct cli_command *k = cli_commands; k->words; k++)
        if (strncmp(k->words, family, n) == 0 && k->words[n] == ' ') {
            help_command_row(to, k);
            found = true;
        }
    return found;
}

void cli_usage(FILE *to)
{
    static const struct {
        const char *first, *title;
    } parts[] = {
        {"serve", "The gateway"},       {"agent create", "Agents"},   {"session open", "Sessions and tools"},
        {"token", "As an agent"},       {"audit tail", "The record"}, {"config check", "The configuration"},
        {"pipeline", "About Doorward"},
    };
    fputs("Doorward, the gate between AI agents and their tools.\n", to);
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            if (strcmp(parts[i].first, k->words) == 0) {
                fputc('\n', to);
                help_title(to, parts[i].title);
            }
        help_command_row(to, k);
    }
    fputs("\ndoorward COMMAND --help says what a command takes; man doorward says more.\n", to);
}

/* Completions of bash, zsh and fish, from the table. */
#include "cli/cli.h"

static bool completion_is_file(const struct cli_option *o)
{
    return o->value && (strcmp(o->value, "FILE") == 0 || strcmp(o->value, "DIR") == 0);
}

static struct str completion_first(const struct cli_command *k, struct str *ret_second)
{
    struct str rest = str_of(k->words), first;
    str_cut(&rest, ' ', &first);
    *ret_second = rest;
    return first;
}

/* Is it the first one with its first word? They stand together in the table. */
static bool completion_begins(const struct cli_command *k)
{
    struct str second;
    return k == cli_commands || !str_eq(completion_first(k, &second), completion_first(k - 1, &second));
}

/* The first words, each once. */
static void completion_firsts(void)
{
    struct str second;
    for (const struct cli_command *k = cli_commands; k->words; k++)
        if (completion_begins(k))
            printf(STR_FMT " ", STR_ARG(completion_first(k, &second)));
}

static void completion_seconds(struct str family)
{
    struct str second;
    for (const struct cli_command *k = cli_commands; k->words; k++)
        if (str_eq(completion_first(k, &second), family) && second.n)
            printf(" " STR_FMT, STR_ARG(second));
}

/* A line of a shell's `case` for each family, such as agent: its name, `open`, its second words, `close`. */
static void completion_families(const char *open, const char *close)
{
    struct str second;
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        struct str first = completion_first(k, &second);
        if (!second.n || !completion_begins(k))
            continue;
        printf("        " STR_FMT "%s", STR_ARG(first), open);
        completion_seconds(first);
        puts(close);
    }
}

static void completion_options(const struct cli_command *k)
{
    for (const struct cli_option *o = cli_options; o->name; o++)
        if (cli_takes(k, o))
            printf(" --%s", o->name);
}

/* ---- bash ---- */

static void bash_script(void)
{
    puts("# bash completion of doorward; made by `doorward completion bash`.\n"
         "_doorward() {\n"
         "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "    local first=${COMP_WORDS[1]:-} second=${COMP_WORDS[2]:-} words=''\n"
         "    COMPREPLY=()\n"
         "    case \"$previous\" in");
    fputs("    -c|-k", stdout);
    for (const struct cli_option *o = cli_options; o->name; o++) {
        bool seen = false;
        for (const struct cli_option *p = cli_options; p < o; p++)
            seen = seen || strcmp(p->name, o->name) == 0;
        if (completion_is_file(o) && !seen)
            printf("|--%s", o->name);
    }
    puts(") compopt -o default 2>/dev/null; return ;;\n"
         "    esac\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        words='", stdout);
    completion_firsts();
    puts("'\n    elif [ \"$COMP_CWORD\" -eq 2 ] && [ \"${current:0:1}\" != - ]; then\n"
         "        case \"$first\" in");
    completion_families(") words='", "' ;;");
    puts("        completion) words='bash zsh fish' ;;\n        esac\n"
         "    fi\n    if [ -z \"$words\" ]; then\n        case \"$first $second\" in");
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        struct str second;
        completion_first(k, &second);
        printf("        '%s'%s) words='", k->words, second.n ? "" : "*");
        completion_options(k);
        puts(" --help' ;;");
    }
    puts("        esac\n    fi\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -F _doorward doorward");
}

/* ---- zsh ---- */

/* For a text within '…' and […]. */
static void zsh_text(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *p))
            printf("\\%c", *p);
        else
            putchar(*p);
    }
}

static void zsh_command(const struct cli_command *k)
{
    printf("        '%s')\n            _arguments -s", k->words);
    for (const struct cli_option *o = cli_options; o->name; o++) {
        if (!cli_takes(k, o))
            continue;
        for (int letter = 0; letter < (o->letter ? 2 : 1); letter++) {
            printf(" \\\n                '%s%s", o->repeat ? "*" : "", letter ? "-" : "--");
            if (letter)
                printf("%c[", o->letter);
            else
                printf("%s%s[", o->name, o->value ? "=" : "");
            zsh_text(o->what);
            putchar(']');
            if (o->value)
                printf(":%s:%s", o->value, completion_is_file(o) ? "_files" : "");
            putchar('\'');
        }
    }
    if (strcmp(k->id, "completion") == 0)
        printf(" \\\n                ':SHELL:(bash zsh fish)'");
    puts(" ;;");
}

static void zsh_script(void)
{
    puts("#compdef doorward\n"
         "# zsh completion of doorward; made by `doorward completion zsh`.\n"
         "_doorward() {\n"
         "    local -a commands\n"
         "    if (( CURRENT == 2 )); then");
    fputs("        commands=(", stdout);
    completion_firsts();
    puts(")\n        _describe command commands\n        return\n    fi\n"
         "    if (( CURRENT == 3 )); then\n        case $words[2] in");
    completion_families(") commands=(", " ); _describe command commands; return ;;");
    puts("        esac\n    fi\n"
         "    local name=$words[2]\n"
         "    case $name in");
    fputs("    ", stdout);
    const char *between = "";
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        struct str second, first = completion_first(k, &second);
        if (!second.n || !completion_begins(k))
            continue;
        printf("%s" STR_FMT, between, STR_ARG(first));
        between = "|";
    }
    puts(") name=\"$name $words[3]\"; shift words; (( CURRENT-- )) ;;\n    esac\n"
         "    shift words; (( CURRENT-- ))\n"
         "    case $name in");
    for (const struct cli_command *k = cli_commands; k->words; k++)
        zsh_command(k);
    puts("    esac\n}\n_doorward \"$@\"");
}

/* ---- fish ---- */

static void fish_text(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\'' || *p == '\\')
            putchar('\\');
        putchar(*p);
    }
}

static void fish_option(const struct cli_command *k, const struct cli_option *o)
{
    struct str second, first = completion_first(k, &second);
    printf("complete -c doorward -n '__fish_seen_subcommand_from " STR_FMT, STR_ARG(first));
    if (second.n)
        printf("; and __fish_seen_subcommand_from " STR_FMT, STR_ARG(second));
    printf("' -l %s", o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    if (o->value)
        fputs(completion_is_file(o) ? " -r -F" : " -x", stdout);
    fputs(" -d '", stdout);
    fish_text(o->what);
    puts("'");
}

static void fish_script(void)
{
    struct str second;
    puts("# fish completion of doorward; made by `doorward completion fish`.\ncomplete -c doorward -f");
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        struct str first = completion_first(k, &second);
        if (completion_begins(k))
            printf("complete -c doorward -n __fish_use_subcommand -a " STR_FMT, STR_ARG(first));
        if (completion_begins(k) && !second.n) {
            fputs(" -d '", stdout);
            fish_text(k->what);
            putchar('\'');
        }
        if (completion_begins(k))
            putchar('\n');
        if (!second.n)
            continue;
        printf("complete -c doorward -n '__fish_seen_subcommand_from " STR_FMT
               "; and test (count (commandline -opc)) -eq 2' -a " STR_FMT " -d '",
               STR_ARG(first), STR_ARG(second));
        fish_text(k->what);
        puts("'");
    }
    puts("complete -c doorward -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'");
    for (const struct cli_command *k = cli_commands; k->words; k++)
        for (const struct cli_option *o = cli_options; o->name; o++)
            if (cli_takes(k, o))
                fish_option(k, o);
}

enum err cli_run_completion(struct cli *c, struct fault *f)
{
    static const struct {
        const char *shell;
        void (*script)(void);
    } shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(c->arg[0], shells[i].shell) == 0) {
            shells[i].script();
            return ERR_OK;
        }
    return fault_set(f, ERR_USAGE, "completion: SHELL must be bash, zsh or fish, not %s", c->arg[0]);
}

/* From argv to a command, by the table. Whoever mistypes is told what would have been right. */
#include "cli/cli.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/near.h"

/* Is `candidate` nearer to the word than the best so far? A short word is like everything, so less is allowed. */
static bool parse_nearer(struct str word, struct str candidate, size_t *best)
{
    size_t d = near_distance(word, candidate);
    if (candidate.n > word.n && word.n >= 3 && str_starts(candidate, word))
        d = 1;
    if (d >= *best || d > 1 + word.n / 3)
        return false;
    *best = d;
    return true;
}

static enum err parse_fault(const struct cli *c, struct fault *f, const char *fmt, ...) PRINTF(3, 4);
static enum err parse_fault(const struct cli *c, struct fault *f, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return c->command ? fault_set(f, ERR_USAGE, "%s: %s", c->command->words, text)
                      : fault_set(f, ERR_USAGE, "%s", text);
}

/* ---- the command ---- */

static bool parse_family_is(const struct cli_command *c, const char *word)
{
    size_t n = strlen(word);
    return strncmp(c->words, word, n) == 0 && c->words[n] == ' ';
}

static struct str parse_first_word(const struct cli_command *c)
{
    struct str rest = str_of(c->words), first;
    str_cut(&rest, ' ', &first);
    return first;
}

static enum err parse_no_such_word(const struct cli *c, const char *word, struct fault *f)
{
    struct str near = STR_NONE;
    size_t best = 99;
    for (const struct cli_command *k = cli_commands; k->words; k++)
        if (parse_nearer(str_of(word), parse_first_word(k), &best))
            near = parse_first_word(k);
    if (word[0] == '-' && strcmp(word, "-") != 0)
        return parse_fault(c, f, "the command comes first, then its options: doorward serve %s …", word);
    if (near.n)
        return parse_fault(c, f, "there is no command %s; did you mean " STR_FMT "?", word, STR_ARG(near));
    return parse_fault(c, f, "there is no command %s; doorward help lists them", word);
}

/* "agent" is a family; what may follow, or what was probably meant. */
static enum err parse_no_such_member(const struct cli *c, const char *family, const char *word, struct fault *f)
{
    char all[512] = "";
    const char *near = NULL;
    size_t best = 99, at = 0;
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        if (!parse_family_is(k, family))
            continue;
        const char *member = k->words + strlen(family) + 1;
        if (at < sizeof(all))
            at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", at ? ", " : "", member);
        if (word && parse_nearer(str_of(word), str_of(member), &best))
            near = member;
    }
    if (!word)
        return parse_fault(c, f, "%s: one of %s must follow", family, all);
    if (near)
        return parse_fault(c, f, "%s: there is no command %s; did you mean %s?", family, word, near);
    return parse_fault(c, f, "%s: there is no command %s; there are %s", family, word, all);
}

static bool parse_is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Returns how many words the command took. */
static enum err parse_command(struct cli *c, int argc, char **argv, int *ret_words, struct fault *f)
{
    bool family = false;
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        if (strcmp(k->words, argv[1]) == 0) {
            c->command = k;
            *ret_words = 1;
            return ERR_OK;
        }
        if (!parse_family_is(k, argv[1]))
            continue;
        family = true;
        if (argc > 2 && strcmp(k->words + strlen(argv[1]) + 1, argv[2]) == 0) {
            c->command = k;
            *ret_words = 2;
            return ERR_OK;
        }
    }
    if (!family)
        return parse_no_such_word(c, argv[1], f);
    if (argc > 2 && parse_is_help(argv[2])) {
        c->topic = argv[1];
        c->help = true;
        *ret_words = 2;
        return ERR_OK;
    }
    return parse_no_such_member(c, argv[1], argc > 2 ? argv[2] : NULL, f);
}

/* ---- options ---- */

static const struct cli_option *parse_find(const struct cli_command *k, struct str name, char letter)
{
    for (const struct cli_option *o = cli_options; o->name; o++)
        if (cli_takes(k, o) && (letter ? o->letter == letter : str_is(name, o->name)))
            return o;
    return NULL;
}

static enum err parse_no_such_option(const struct cli *c, struct str name, struct fault *f)
{
    const char *near = NULL;
    size_t best = 99;
    for (const struct cli_option *o = cli_options; o->name; o++)
        if (cli_takes(c->command, o) && parse_nearer(name, str_of(o->name), &best))
            near = o->name;
    if (near)
        return parse_fault(c, f, "there is no option --" STR_FMT "; did you mean --%s?", STR_ARG(name), near);
    return parse_fault(c, f, "there is no option --" STR_FMT "; doorward %s --help lists them", STR_ARG(name),
                       c->command->words);
}

static enum err parse_give(struct cli *c, const struct cli_option *o, const char *value, struct fault *f)
{
    if (!o->repeat && cli_option(c, o->name))
        return parse_fault(c, f, "--%s is given twice", o->name);
    if (c->given_count == CLI_GIVEN)
        return parse_fault(c, f, "more than %d options", CLI_GIVEN);
    c->given[c->given_count].option = o;
    c->given[c->given_count++].value = value;
    return ERR_OK;
}

/* The next word as the value. One that looks like an option is a forgotten value more often than a value. */
static enum err parse_next_value(struct cli *c, const struct cli_option *o, int argc, char **argv, int *at,
                                 struct fault *f)
{
    if (*at + 1 >= argc)
        return parse_fault(c, f, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    const char *value = argv[*at + 1];
    if (value[0] == '-' && value[1])
        return parse_fault(c, f, "--%s needs a value; one that begins with a hyphen is written --%s=%s", o->name,
                           o->name, value);
    ++*at;
    return parse_give(c, o, value, f);
}

static enum err parse_long(struct cli *c, int argc, char **argv, int *at, struct fault *f)
{
    struct str rest = str_of(argv[*at] + 2), name;
    bool equals = str_cut(&rest, '=', &name);
    const struct cli_option *o = parse_find(c->command, name, 0);
    if (!o)
        return parse_no_such_option(c, name, f);
    if (!o->value)
        return equals ? parse_fault(c, f, "--%s takes no value", o->name) : parse_give(c, o, "", f);
    return equals ? parse_give(c, o, rest.p, f) : parse_next_value(c, o, argc, argv, at, f);
}

/* -f, -n 5, -n5, -fn5 */
static enum err parse_letters(struct cli *c, int argc, char **argv, int *at, struct fault *f)
{
    for (const char *p = argv[*at] + 1; *p; p++) {
        const struct cli_option *o = parse_find(c->command, STR_NONE, *p);
        if (!o)
            return parse_fault(c, f, "there is no option -%c; doorward %s --help lists them", *p, c->command->words);
        if (o->value)
            return p[1] ? parse_give(c, o, p + 1, f) : parse_next_value(c, o, argc, argv, at, f);
        TRY(parse_give(c, o, "", f));
    }
    return ERR_OK;
}

/* ---- arguments ---- */

static enum err parse_check_args(const struct cli *c, struct fault *f)
{
    struct str rest = str_of(c->command->args), name;
    size_t at = 0;
    bool many = false;
    while (rest.n) {
        str_cut(&rest, ' ', &name);
        many = many || str_ends(name, STR("..."));
        if (name.p[0] != '[' && at >= c->arg_count)
            return parse_fault(c, f, STR_FMT " is missing: doorward %s %s", STR_ARG(name), c->command->words,
                               c->command->args);
        at++;
    }
    if (c->arg_count > at && !many)
        return parse_fault(c, f, "%s is one word too many%s", c->arg[at],
                           strchr(c->arg[at], '{') || at ? "; is something not quoted?" : "");
    return ERR_OK;
}

static enum err parse_arg(struct cli *c, const char *word, struct fault *f)
{
    if (c->arg_count == CLI_ARGS)
        return parse_fault(c, f, "%s is one word too many", word);
    c->arg[c->arg_count++] = word;
    return ERR_OK;
}

enum err cli_parse(struct cli *c, int argc, char **argv, struct fault *f)
{
    int words = 0;
    bool rest = false;
    if (argc < 2 || parse_is_help(argv[1])) {
        c->help = true;
        return ERR_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        c->version = true;
        return ERR_OK;
    }
    TRY(parse_command(c, argc, argv, &words, f));
    for (int i = 1 + words; i < argc && !c->topic; i++) {
        const char *word = argv[i];
        if (rest || word[0] != '-' || !word[1])
            TRY(parse_arg(c, word, f));
        else if (strcmp(word, "--") == 0)
            rest = true;
        else if (parse_is_help(word))
            c->help = true;
        else if (word[1] == '-')
            TRY(parse_long(c, argc, argv, &i, f));
        else
            TRY(parse_letters(c, argc, argv, &i, f));
    }
    c->json = cli_switch(c, "json");
    return c->help ? ERR_OK : parse_check_args(c, f);
}

/* ---- what was given ---- */

const char *cli_option(const struct cli *c, const char *name)
{
    for (size_t i = c->given_count; i-- > 0;)
        if (strcmp(c->given[i].option->name, name) == 0)
            return c->given[i].value;
    return NULL;
}

bool cli_switch(const struct cli *c, const char *name)
{
    return cli_option(c, name) != NULL;
}

enum err cli_need(const struct cli *c, const char *name, const char **ret, struct fault *f)
{
    const char *value = cli_option(c, name);
    if (!value || !*value) {
        const struct cli_option *o = parse_find(c->command, str_of(name), 0);
        return parse_fault(c, f, "--%s %s must be given", name, o && o->value ? o->value : "");
    }
    *ret = value;
    return ERR_OK;
}

enum err cli_number(const struct cli *c, const char *name, int64_t fallback, int64_t *ret, struct fault *f)
{
    const char *value = cli_option(c, name);
    uint64_t n = 0;
    if (value && (!str_u64(str_of(value), &n) || n == 0 || n > 1000000000))
        return parse_fault(c, f, "--%s must be a whole number from 1 to 1000000000, not %s", name, value);
    *ret = value ? (int64_t)n : fallback;
    return ERR_OK;
}

enum err cli_moment(const struct cli *c, const char *name, int64_t now, int64_t fallback, int64_t *ret, struct fault *f)
{
    const char *text = cli_option(c, name);
    if (!text)
        *ret = fallback;
    else if (clock_moment(str_of(text), now, ret))
        return parse_fault(c, f,
                           "--%s must be a duration before now such as 7d, or a date such as 2026-11-24 or "
                           "2026-11-24T18:00:00Z, not %.60s",
                           name, text);
    return ERR_OK;
}

/* doorward-verify: arguments, help, and what is said. */
#include <sodium.h>

#include "cli/cli.h"
#include "verify/verify.h"

static const struct command {
    const char *name, *args, *what;
    enum err (*run)(struct verify *v, struct fault *f);
} commands[] = {
    {"proof", "FILE --key KEY [--witness KEY]... [--entry FILE]",
     "An entry is in the record: FILE is what \"doorward audit prove\" writes (C2SP tlog-proof). The entry's bytes are "
     "those "
     "of --entry, or else those in the proof.",
     verify_proof},
    {"consistency", "OLD NEW --key KEY [--witness KEY]... (--proof FILE | --log DIR)",
     "The record that checkpoint OLD signs is a beginning of the one that checkpoint NEW signs.", verify_consistency},
    {"log", "DIR --key KEY [--witness KEY]... [--old CHECKPOINT]...",
     "A whole record, in a folder as \"doorward audit tiles\" writes it (C2SP tlog-tiles): every entry, every hash, "
     "the "
     "signature, and that each older checkpoint is a beginning of it.",
     verify_log},
};

static const char *const options[][3] = {
    {"--key", "KEY",
     "The log's key: name+hash+key as it is written, a file with one in each line, or a folder with files *.pub. One "
     "must have signed."},
    {"--witness", "KEY", "A witness's key, likewise. Each that is given must have signed, too."},
    {"--entry", "FILE", "The entry's bytes."},
    {"--proof", "FILE",
     "The consistency proof: a SHA-256 hash in base64 in each line, or what a witness is asked (C2SP "
     "tlog-witness)."},
    {"--log", "DIR", "Make the consistency proof from the hashes of this folder."},
    {"--old", "CHECKPOINT",
     "An older checkpoint that was kept, or the file of an anchor with many of them; may be repeated."},
    {"--json", "", "Print one JSON object."},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]), OPTIONS = sizeof(options) / sizeof(options[0]) };

static void main_help(FILE *to)
{
    fputs("doorward-verify: checks proofs of a Doorward record. It reads the files that are named, and needs nothing "
          "else.\n\n",
          to);
    for (unsigned i = 0; i < COMMANDS; i++)
        fprintf(to, "  doorward-verify %s %s\n      %s\n", commands[i].name, commands[i].args, commands[i].what);
    fputs("\n", to);
    for (unsigned i = 0; i < OPTIONS; i++)
        fprintf(to, "  %s%s%s\n      %s\n", options[i][0], *options[i][1] ? " " : "", options[i][1], options[i][2]);
    fputs("\nExit status: 0 it holds, 1 it does not, 2 the question was not understood or a file cannot be read.\n",
          to);
}

/* Hyphens that can be copied. */
static void main_man_text(const char *text)
{
    for (; *text; text++)
        if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
}

static void main_man(void)
{
    puts(".TH DOORWARD-VERIFY 1 \"\" \"doorward " DOORWARD_VERSION "\" \"Doorward\"\n.SH NAME\n"
         "doorward\\-verify \\- checks proofs of a Doorward record\n.SH SYNOPSIS\n.B doorward\\-verify\n.I COMMAND\n"
         "[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n"
         "Checks proofs of the record of agents\\(aq actions that a Doorward gateway keeps, for whoever trusts neither "
         "the "
         "gateway nor its machine.\nIt has no configuration, opens no connection, and reads nothing but the files that "
         "are "
         "named.\nWhat it must be given is the log\\(aqs key, from a side that is trusted.\n.SH COMMANDS");
    for (unsigned i = 0; i < COMMANDS; i++) {
        printf(".SS doorward\\-verify %s ", commands[i].name);
        main_man_text(commands[i].args);
        putchar('\n');
        main_man_text(commands[i].what);
        putchar('\n');
    }
    puts(".SH OPTIONS");
    for (unsigned i = 0; i < OPTIONS; i++) {
        fputs(".TP\n\\fB", stdout);
        main_man_text(options[i][0]);
        printf("\\fR \\fI%s\\fR\n", options[i][1]);
        main_man_text(options[i][2]);
        putchar('\n');
    }
    puts(".SH EXIT STATUS\n.TP\n.B 0\nIt holds.\n.TP\n.B 1\nIt does not.\n.TP\n.B 2\n"
         "The question was not understood, or a file cannot be read.\n.SH SEE ALSO\n.BR doorward (1)");
}

static enum err main_option(struct verify *v, const char *name, const char *value, struct fault *f)
{
    const struct {
        const char *name, **to;
    } files[] = {{"--entry", &v->entry}, {"--proof", &v->proof}, {"--log", &v->log}};
    if (strcmp(name, "--key") == 0)
        return verify_keys_add(&v->keys, value, f);
    if (strcmp(name, "--witness") == 0)
        return verify_keys_add(&v->witnesses, value, f);
    if (strcmp(name, "--old") == 0) {
        if (v->older_count == VERIFY_OLDER)
            return fault_set(f, ERR_USAGE, "more than %d older checkpoints", VERIFY_OLDER);
        v->older[v->older_count++] = value;
        return ERR_OK;
    }
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (strcmp(name, files[i].name) == 0) {
            *files[i].to = value;
            return ERR_OK;
        }
    return fault_set(f, ERR_USAGE, "there is no option %s; --help says what there is", name);
}

/* Options may stand anywhere, as --name value or --name=value. */
static enum err main_parse(struct verify *v, int argc, char **argv, struct fault *f)
{
    char name[32];
    for (int i = 2; i < argc; i++) {
        const char *a = argv[i], *equal = strchr(a, '=');
        if (strcmp(a, "--json") == 0) {
            v->json = true;
        } else if (strncmp(a, "--", 2) != 0) {
            if (v->args == 2)
                return fault_set(f, ERR_USAGE, "%s is one argument too many", a);
            v->arg[v->args++] = a;
        } else {
            snprintf(name, sizeof(name), "%.*s", equal ? (int)(equal - a) : (int)strlen(a), a);
            if (!equal && i + 1 == argc)
                return fault_set(f, ERR_USAGE, "%s needs a value", name);
            TRY(main_option(v, name, equal ? equal + 1 : argv[++i], f));
        }
    }
    return ERR_OK;
}

static const struct command *main_command(const char *name)
{
    for (unsigned i = 0; name && i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int main_end(struct verify *v, enum err e, const struct fault *f)
{
    bool said = true;
    if (!e && buf_failed(&v->out))
        e = ERR_NOMEM;
    if (!e) {
        said = fwrite(v->out.p, 1, v->out.n, stdout) == v->out.n;
    } else if (v->json) {
        struct json_out o = json_out(&v->out);
        buf_clear(&v->out);
        json_open(&o, '{');
        json_kv_bool(&o, "ok", false);
        json_kv_z(&o, "error", err_code(e));
        json_kv_z(&o, "message", f->text);
        json_close(&o, '}');
        said = fwrite(v->out.p, 1, v->out.n, stdout) == v->out.n && putchar('\n') != EOF;
    } else {
        buf_clear(&v->out);
        cli_visible(&v->out, str_of(f->text), false); /* it may quote the files */
        fprintf(stderr, "doorward-verify: " STR_FMT "\n", STR_ARG(buf_view(&v->out)));
    }
    said = said && fflush(stdout) == 0;
    return e == ERR_CORRUPT ? 1 : e || !said ? 2 : 0;
}

int main(int argc, char **argv)
{
    static struct verify v;
    struct fault f = {.text = "no memory"};
    const char *name = argc > 1 ? argv[1] : NULL;
    const struct command *c = main_command(name);
    if (sodium_init() < 0)
        return 2;
    if (name && (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0 || strcmp(name, "-h") == 0)) {
        main_help(stdout);
        return 0;
    }
    if (name && strcmp(name, "--version") == 0) {
        puts("doorward-verify " DOORWARD_VERSION);
        return 0;
    }
    if (name && strcmp(name, "man") == 0) {
        main_man();
        return 0;
    }
    if (!c) {
        if (name)
            fprintf(stderr, "doorward-verify: there is no command %s\n\n", name);
        main_help(stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            main_help(stdout);
            return 0;
        }
    arena_init(&v.arena, 64u << 20);
    buf_init(&v.out, 16u << 20);
    enum err e = main_parse(&v, argc, argv, &f);
    if (!e)
        e = c->run(&v, &f);
    int status = main_end(&v, e, &f);
    buf_done(&v.out);
    arena_done(&v.arena);
    return status;
}

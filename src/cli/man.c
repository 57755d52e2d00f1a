/* doorward(1), from the table. */
#include "cli/cli.h"

/* Text for troff: no request at the start of a line, hyphens that can be copied. */
static void man_text(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            fputs("\\e", stdout);
        else if (*p == '-')
            fputs("\\-", stdout);
        else
            putchar(*p);
    }
}

static void man_option(const struct cli_option *o)
{
    puts(".TP");
    fputs("\\fB", stdout);
    if (o->letter)
        printf("\\-%c\\fR, \\fB", o->letter);
    fputs("\\-\\-", stdout);
    man_text(o->name);
    fputs("\\fR", stdout);
    if (o->value)
        printf(" \\fI%s\\fR", o->value);
    putchar('\n');
    man_text(o->what);
    putchar('\n');
}

static void man_commands(void)
{
    puts(".SH COMMANDS");
    for (const struct cli_command *k = cli_commands; k->words; k++) {
        printf(".SS doorward %s", k->words);
        if (k->args[0]) {
            putchar(' ');
            man_text(k->args);
        }
        putchar('\n');
        man_text(k->what);
        putchar('\n');
        for (const struct cli_option *o = cli_options; o->name; o++)
            if (o->command && cli_takes(k, o))
                man_option(o);
        for (const struct cli_option *o = cli_options; o->name; o++)
            if (!o->command && cli_takes(k, o))
                man_option(o);
    }
}

static const char man_head[] =
    ".TH DOORWARD 1 \"\" \"doorward " DOORWARD_VERSION "\" \"Doorward\"\n"
    ".SH NAME\n"
    "doorward \\- the gate between AI agents and their tools\n"
    ".SH SYNOPSIS\n"
    ".B doorward\n"
    ".I COMMAND\n"
    "[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n"
    ".SH DESCRIPTION\n"
    "Doorward stands between AI agents and the MCP servers whose tools they use.\n"
    "It gives every agent an identity and credentials that live for minutes, judges every tool call and keeps a "
    "record.\n"
    ".B doorward serve\n"
    "is the daemon; the other commands speak with it, or read what it has written.\n"
    ".PP\n"
    "The command comes first, then its options, in any order, as \\fB\\-\\-name\\fR \\fIvalue\\fR or "
    "\\fB\\-\\-name=\\fIvalue\\fR.\n"
    "What follows \\fB\\-\\-\\fR is no option.\n"
    "Results go to standard output, words about them to standard error.\n"
    "With \\fB\\-\\-json\\fR a result is one JSON object on one line; \\fBaudit tail \\-\\-json\\fR prints one for "
    "each entry.\n";

static const char man_tail[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nDone.\n"
    ".TP\n.B 1\nIt failed; with \\fBstatus \\-\\-ready\\fR: the gateway takes no calls now.\n"
    ".TP\n.B 2\nThe command line was not understood.\n"
    ".TP\n.B 3\nThe gateway refused: no right, no credential, over a limit, arguments that do not fit.\n"
    ".TP\n.B 4\nThe record does not hold together.\n"
    ".TP\n.B 5\nNobody answers.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B DOORWARD_CONFIG\nThe configuration, when \\fB\\-\\-config\\fR is not given.\n"
    ".TP\n.B DOORWARD_ADMIN\nThe URL of the operators\\(aq API, when \\fB\\-\\-admin\\fR is not given.\n"
    ".TP\n.B DOORWARD_ADMIN_TOKEN\nThe operator\\(aqs token, when \\fB\\-\\-admin\\-token\\-file\\fR is not given.\n"
    ".TP\n.B DOORWARD_URL\nThe gateway as agents know it, when \\fB\\-\\-url\\fR is not given.\n"
    ".TP\n.B DOORWARD_TOKEN\nAn access token for \\fBcall\\fR.\n"
    ".TP\n.B NO_COLOR\nNo colours, also on a terminal.\n"
    ".SH FILES\n"
    ".TP\n.I ./doorward.yaml\\fR, \\fI/etc/doorward/doorward.yaml\nThe configuration.\n"
    ".TP\n.I data_dir/operator.token\nThe operator\\(aqs token; made when the gateway first starts.\n"
    ".TP\n.I data_dir/audit\nThe record.\n"
    ".SH EXAMPLES\n"
    ".nf\n"
    "doorward serve \\-c doorward.yaml\n"
    "doorward agent create \\-\\-id desk\\-1 \\-\\-type customer\\-support \\-\\-version 2.4.1 \\e\n"
    "    \\-\\-owner support \\-\\-env production \\-\\-allow desk/lookup_order \\e\n"
    "    \\-\\-generate \\-\\-key\\-file desk\\-1.jwk\n"
    "doorward call \\-\\-agent desk\\-1 \\-\\-key desk\\-1.jwk desk/lookup_order "
    "\\(aq{\"orderId\":\"ORD\\-A1B2C3D4\"}\\(aq\n"
    "doorward audit tail \\-f\n"
    ".fi\n";

enum err cli_run_man(struct cli *c, struct fault *f)
{
    (void)c;
    (void)f;
    fputs(man_head, stdout);
    man_commands();
    fputs(man_tail, stdout);
    return ERR_OK;
}

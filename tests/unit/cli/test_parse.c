/* What is typed, and what the command line makes of it. */
#include "../unit.h"

#include "cli/cli.h"

static struct cli cli;
static struct fault fault;

/* The line, cut at its spaces. */
static enum err typed(const char *line)
{
    static char text[4096];
    static char *argv[600];
    int argc = 0;
    snprintf(text, sizeof(text), "doorward %s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    cli = (struct cli){0};
    fault = (struct fault){0};
    return cli_parse(&cli, argc, argv, &fault);
}

static void understood(const char *line, const char *command)
{
    enum err e = typed(line);
    if (e)
        fail_msg("%s: %s", line, fault.text);
    assert_string_equal(cli.command->words, command);
}

static void refused(const char *line, const char *says)
{
    assert_int_equal(typed(line), ERR_USAGE);
    assert_string_equal(fault.text, says);
}

static void a_command_is_one_word_or_two(void **state)
{
    (void)state;
    understood("serve", "serve");
    understood("agent list", "agent list");
    understood("session show sess_1", "session show");
    assert_string_equal(cli.arg[0], "sess_1");
}

static void nothing_at_all_and_help_ask_for_the_overview(void **state)
{
    (void)state;
    assert_int_equal(typed(""), ERR_OK);
    assert_true(cli.help && !cli.command);
    assert_int_equal(typed("--help"), ERR_OK);
    assert_true(cli.help && !cli.command);
    assert_int_equal(typed("--version"), ERR_OK);
    assert_true(cli.version);
    assert_int_equal(typed("agent --help"), ERR_OK);
    assert_string_equal(cli.topic, "agent");
}

static void help_of_a_command_does_not_ask_for_its_arguments(void **state)
{
    (void)state;
    understood("agent show --help", "agent show");
    assert_true(cli.help);
    understood("agent rotate -h --overlap 0s", "agent rotate");
    assert_true(cli.help);
}

static void mistyped_commands_get_a_suggestion(void **state)
{
    (void)state;
    refused("serv", "there is no command serv; did you mean serve?");
    refused("agnet list", "there is no command agnet; did you mean agent?");
    refused("agent crate", "agent: there is no command crate; did you mean create?");
    refused("session close", "session: there is no command close; there are open, list, show, end");
    refused("frobnicate", "there is no command frobnicate; doorward help lists them");
    refused("session", "session: one of open, list, show, end must follow");
    refused("-c x serve", "the command comes first, then its options: doorward serve -c …");
}

static void an_option_has_two_forms_and_may_have_a_letter(void **state)
{
    (void)state;
    understood("session open --agent a-1 --user=alice", "session open");
    assert_string_equal(cli_option(&cli, "agent"), "a-1");
    assert_string_equal(cli_option(&cli, "user"), "alice");
    assert_null(cli_option(&cli, "tier"));
    understood("session open -a a-1 -cdoor.yaml", "session open");
    assert_string_equal(cli_option(&cli, "agent"), "a-1");
    assert_string_equal(cli_option(&cli, "config"), "door.yaml");
    understood("session open --user= --agent a=b", "session open");
    assert_string_equal(cli_option(&cli, "user"), "");
    assert_string_equal(cli_option(&cli, "agent"), "a=b");
}

static void letters_can_stand_together(void **state)
{
    (void)state;
    understood("audit tail -fn5", "audit tail");
    assert_true(cli_switch(&cli, "follow"));
    assert_string_equal(cli_option(&cli, "number"), "5");
    understood("audit tail -fn 7 --json", "audit tail");
    assert_string_equal(cli_option(&cli, "number"), "7");
    assert_true(cli.json);
    refused("audit tail -fx", "audit tail: there is no option -x; doorward audit tail --help lists them");
}

static void some_options_repeat_and_the_others_do_not(void **state)
{
    (void)state;
    const char *const want[] = {"desk/a", "desk/b", "desk/c"};
    size_t n = 0;
    understood("agent create --allow desk/a --deny desk/x* --allow=desk/b --allow desk/c", "agent create");
    for (size_t i = 0; i < cli.given_count; i++)
        if (strcmp(cli.given[i].option->name, "allow") == 0)
            assert_string_equal(cli.given[i].value, want[n++]);
    assert_int_equal(n, 3);
    refused("agent create --owner a --owner b", "agent create: --owner is given twice");
    refused("audit tail --json --json", "audit tail: --json is given twice");
}

static void an_option_belongs_to_its_command(void **state)
{
    (void)state;
    refused("agent create --ownr x", "agent create: there is no option --ownr; did you mean --owner?");
    refused("agent list --owner x", "agent list: there is no option --owner; doorward agent list --help lists them");
}

static void a_value_that_was_forgotten_is_not_taken_from_the_next_option(void **state)
{
    (void)state;
    refused("agent create --owner", "agent create: --owner needs a value: --owner OWNER");
    refused("agent create --owner --env x",
            "agent create: --owner needs a value; one that begins with a hyphen is written --owner=--env");
    understood("session end s-1 --reason=-5", "session end");
    assert_string_equal(cli_option(&cli, "reason"), "-5");
    understood("agent create --public-key -", "agent create");
    assert_string_equal(cli_option(&cli, "public-key"), "-");
    refused("status --ready=no", "status: --ready takes no value");
}

static void what_follows_two_hyphens_is_no_option(void **state)
{
    (void)state;
    understood("agent show --json -- --odd", "agent show");
    assert_string_equal(cli.arg[0], "--odd");
    assert_true(cli.json);
    understood("call desk/x -", "call");
    assert_string_equal(cli.arg[1], "-");
}

static void arguments_are_counted(void **state)
{
    (void)state;
    refused("agent show", "agent show: ID is missing: doorward agent show ID");
    refused("agent list x", "agent list: x is one word too many");
    refused("call desk/x { }", "call: } is one word too many; is something not quoted?");
    understood("call desk/x", "call");
    understood("errors", "errors");
    understood("help agent create", "help");
    assert_int_equal(cli.arg_count, 2);
    refused("help a b c d e f g h i", "help: i is one word too many");
}

static void numbers_are_whole_and_positive(void **state)
{
    (void)state;
    int64_t n = 0;
    understood("audit tail", "audit tail");
    assert_int_equal(cli_number(&cli, "number", 20, &n, &fault), ERR_OK);
    assert_int_equal(n, 20);
    static const char *const wrong[] = {"0", "1.5", "many", "99999999999"};
    for (size_t i = 0; i < 4; i++) {
        char line[64];
        snprintf(line, sizeof(line), "audit tail -n %s", wrong[i]);
        understood(line, "audit tail");
        assert_int_equal(cli_number(&cli, "number", 20, &n, &fault), ERR_USAGE);
        assert_non_null(strstr(fault.text, wrong[i]));
    }
}

static void too_many_options_are_refused_not_lost(void **state)
{
    (void)state;
    char line[4000] = "agent create";
    for (int i = 0; i < CLI_GIVEN; i++)
        strcat(line, " --allow d/t");
    understood(line, "agent create");
    strcat(line, " --allow d/t");
    refused(line, "agent create: more than 256 options");
}

/* Every error has an exit code of the documented ones, and those that a script asks for are told apart. */
static void exit_codes(void **state)
{
    (void)state;
    for (enum err e = ERR_OK; e < ERR_COUNT; e++)
        assert_in_range(cli_exit(e), e ? 1 : 0, e ? 5 : 0);
    assert_int_equal(cli_exit(ERR_USAGE), 2);
    assert_int_equal(cli_exit(ERR_TOOL_DENIED), 3);
    assert_int_equal(cli_exit(ERR_AUDIT), 3);
    assert_int_equal(cli_exit(ERR_CORRUPT), 4);
    assert_int_equal(cli_exit(ERR_UNREACHABLE), 5);
    assert_int_equal(cli_exit(ERR_CONFIG), 1);
}

/* The table itself: no command takes two options of one name or letter. */
static void no_command_takes_an_option_twice(void **state)
{
    (void)state;
    for (const struct cli_command *k = cli_commands; k->words; k++)
        for (const struct cli_option *a = cli_options; a->name; a++)
            for (const struct cli_option *b = a + 1; b->name; b++)
                if (cli_takes(k, a) && cli_takes(k, b) &&
                    (strcmp(a->name, b->name) == 0 || (a->letter && a->letter == b->letter)))
                    fail_msg("%s: --%s (-%c) and --%s (-%c)", k->words, a->name, a->letter, b->name, b->letter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_one_word_or_two),
        cmocka_unit_test(nothing_at_all_and_help_ask_for_the_overview),
        cmocka_unit_test(help_of_a_command_does_not_ask_for_its_arguments),
        cmocka_unit_test(mistyped_commands_get_a_suggestion),
        cmocka_unit_test(an_option_has_two_forms_and_may_have_a_letter),
        cmocka_unit_test(letters_can_stand_together),
        cmocka_unit_test(some_options_repeat_and_the_others_do_not),
        cmocka_unit_test(an_option_belongs_to_its_command),
        cmocka_unit_test(a_value_that_was_forgotten_is_not_taken_from_the_next_option),
        cmocka_unit_test(what_follows_two_hyphens_is_no_option),
        cmocka_unit_test(arguments_are_counted),
        cmocka_unit_test(numbers_are_whole_and_positive),
        cmocka_unit_test(too_many_options_are_refused_not_lost),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(no_command_takes_an_option_twice),
    };
    return cmocka_run_group_tests_name("cli/parse", tests, NULL, NULL);
}

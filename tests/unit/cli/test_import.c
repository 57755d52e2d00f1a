/* A client's file as servers of ours: names, variables, secrets, what is left out, and where it goes in doorward.yaml.
 */
#include "../unit.h"

#include "cli/import.h"

static struct arena arena;
static struct fault fault;
static struct import im;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 8u << 20);
    im = (struct import){.home = "/home/u"};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

/* JSON with ' for ". */
static void read_file(const char *path, const char *text)
{
    struct str copy = arena_str(&arena, str_of(text));
    quotes((char *)(uintptr_t)copy.p);
    if (import_read(&im, copy, path, &arena, &fault))
        fail_msg("%s", fault.text);
}

static void fits(const char *label, const char *want)
{
    assert_string_equal(import_fit(str_of(label), &arena), want);
}

static void names_are_made_to_fit(void **state)
{
    (void)state;
    fits("github", "github");
    fits("GitHub (work)", "github-work");
    fits("@scope/server_name", "scope-server-name");
    fits("--", "server");
    fits("", "server");
    fits("größe", "gr-e");
    fits("abcdefghijklmnopqrstuvwxyz-0123456789", "abcdefghijklmnopqrstuvwxyz-01234");
}

static void a_name_that_is_taken_gets_a_number(void **state)
{
    (void)state;
    struct conf_server there[] = {{.name = STR("a-b")}, {.name = STR("abcdefghijklmnopqrstuvwxyz-01234")}};
    struct conf_servers taken = {.v = there, .n = 2};
    read_file("/x.json",
              "{'mcpServers':{'A B':{'command':'x'},'a.b':{'command':'y'},'off':{'command':'z','disabled':true},"
              "'Off':{'command':'z'},'abcdefghijklmnopqrstuvwxyz-0123456789':{'command':'q'}}}");
    import_names(&im, &taken, &arena);
    assert_string_equal(im.server[0].name, "a-b-2");
    assert_string_equal(im.server[1].name, "a-b-3");
    assert_string_equal(im.server[3].name, "off"); /* what is left out takes no name */
    assert_string_equal(im.server[4].name, "abcdefghijklmnopqrstuvwxyz-012-2");
}

static void is_of(const char *path, const char *text, enum import_client want)
{
    im.count = 0;
    read_file(path, text);
    assert_string_equal(import_client_names[im.client], import_client_names[want]);
}

static void the_client_is_known_by_what_it_alone_writes(void **state)
{
    (void)state;
    is_of("/x.json", "{'mcpServers':{'a':{'command':'x'}}}", IMPORT_CLAUDE_DESKTOP);
    is_of("/x.json", "{'mcpServers':{'a':{'type':'http','url':'http://h/mcp'}}}", IMPORT_CLAUDE_CODE);
    is_of("/x.json", "{'projects':{}}", IMPORT_CLAUDE_CODE);
    is_of("/x.json", "{'mcpServers':{'a':{'url':'http://h/mcp'}}}", IMPORT_CURSOR);
    is_of("/x.json", "{'mcpServers':{'a':{'command':'x','args':['${env:A}']}}}", IMPORT_CURSOR);
    is_of("/x.json", "{'servers':{'a':{'command':'x'}}}", IMPORT_VS_CODE);
    is_of("/x.json", "{'mcp':{'servers':{'a':{'command':'x'}}}}", IMPORT_VS_CODE);
    is_of("/p/.mcp.json", "{'mcpServers':{'a':{'command':'x'}}}", IMPORT_CLAUDE_CODE);
    is_of("/p/.cursor/mcp.json", "{'mcpServers':{'a':{'command':'x'}}}", IMPORT_CURSOR);
}

static void a_file_of_something_else_is_refused(void **state)
{
    (void)state;
    assert_int_equal(import_read(&im, STR("{\"editor.fontSize\":12}"), "/x.json", &arena, &fault), ERR_INVALID);
    assert_non_null(strstr(fault.text, "/x.json has no mcpServers and no servers"));
}

static void argument(const char *text, const char *want)
{
    im.count = 0;
    read_file("/x.json", arena_fmt(&arena, "{'mcpServers':{'a':{'command':'x','args':['%s']}}}", text).p);
    assert_null(im.server[0].left_out);
    assert_true(str_is(im.server[0].command[1], want));
}

static void variables_take_our_form(void **state)
{
    (void)state;
    argument("${env:HOST}:${PORT:-80}", "${HOST}:${PORT:-80}");
    argument("${userHome}${/}x", "/home/u/x");
    argument("$NOT_ONE {x}", "$NOT_ONE {x}");
}

static void left_out(const char *server, const char *why)
{
    im.count = 0;
    read_file("/x.json", arena_fmt(&arena, "{'mcpServers':{'a':%s}}", server).p);
    if (!im.server[0].left_out || !strstr(im.server[0].left_out, why))
        fail_msg("%s: %s", server, im.server[0].left_out ? im.server[0].left_out : "taken over");
}

static void what_cannot_be_taken_over_says_why(void **state)
{
    (void)state;
    left_out("{'type':'sse','url':'http://h/x'}", "old HTTP+SSE transport");
    left_out("{'url':'http://h/sse?x'}", "old HTTP+SSE transport");
    left_out("{'type':'ws','url':'ws://h'}", "its type is \"ws\"");
    left_out("{'command':'x','disabled':true}", "switched off");
    left_out("{'command':'x','args':['${input:key}']}", "${input:key}");
    left_out("{'command':'${workspaceFolder}/x'}", "no workspace");
    left_out("{'command':'x','args':['${command:y}']}", "no variable of an environment");
    left_out("{'command':'x','args':['${open']}", "no variable of an environment");
    left_out("{'command':'x','envFile':'.env'}", "envFile");
    left_out("{'type':'http','url':'http://h/mcp','headersHelper':'y'}", "headersHelper");
    left_out("{'url':'http://h/mcp','auth':{}}", "OAuth");
    left_out("{'command':'x','url':'http://h/mcp'}", "both command and url");
    left_out("{'url':''}", "its URL cannot be used: it is empty");
    left_out("{'url':'ftp://h/mcp'}", "its URL cannot be used: ");
    left_out("{}", "neither command nor url");
    left_out("{'command':'./x'}", "relative");
    left_out("{'command':'x','args':'y'}", "args must be an array");
    left_out("{'command':'x','args':{'a':'b'}}", "args must be an array");
    left_out("{'command':'x','env':['A','b']}", "env is an array");
    left_out("{'command':'x','args':['${A}'],'env':{'A':'1'}}", "refers to the program's own env");
}

static void a_secret_that_no_file_can_hold_is_not_taken_over(void **state)
{
    (void)state;
    left_out("{'command':'x','args':['--api-key','abc']}", "argument 2 holds a secret");
    left_out("{'command':'x','args':['--token=abc']}", "argument 1 holds a secret");
    left_out("{'command':'x','args':['Authorization: abc']}", "argument 1 holds a secret");
    left_out("{'command':'x','args':['ghp_0123456789abcdefghij']}", "argument 1 holds a secret");
    left_out("{'url':'https://u:pw@h/mcp'}", "must not hold a user or password");
    left_out("{'url':'https://h/mcp?a=1&api_key=abc'}", "URL holds a secret");
    left_out("{'command':'x','env':{'PASSWORD':'a${B}'}}", "PASSWORD mixes a secret");
    left_out("{'command':'x','env':{'API_KEY':'${B:-abc}'}}", "API_KEY mixes a secret");
}

static void is_secret(const char *pair, bool want)
{
    im.count = 0;
    read_file("/x.json", arena_fmt(&arena, "{'mcpServers':{'a':{'command':'x','env':{%s}}}}", pair).p);
    assert_null(im.server[0].left_out);
    if (im.server[0].pair[0].secret != want)
        fail_msg("%s: %s", pair, want ? "is one" : "is none");
}

static void secrets_are_known_by_name_and_by_value(void **state)
{
    (void)state;
    is_secret("'API_KEY':'abc'", true);
    is_secret("'GITHUB_PERSONAL_ACCESS_TOKEN':'abc'", true);
    is_secret("'DATABASE_URL':'postgres://u:pw@h/d'", true);
    is_secret("'X':'ghp_0123456789abcdefghij'", true);
    is_secret("'X':'file:/etc/passwd'", true); /* a value, not a file of ours */
    is_secret("'HOST':'h'", false);
    is_secret("'API_KEY':''", false);
    is_secret("'API_KEY':'${env:API_KEY}'", false);
    is_secret("'AUTHORIZATION':'Bearer ${X}'", false);
}

static void what_is_relative_starts_in_the_projects_folder(void **state)
{
    (void)state;
    read_file("/p/.vscode/mcp.json", "{'servers':{'a':{'command':'./run'},'b':{'command':'x','cwd':'sub'},"
                                     "'c':{'command':'x'},'d':{'command':'node','args':['./s.js']}}}");
    assert_true(str_is(im.server[0].cwd, "/p"));
    assert_true(str_is(im.server[1].cwd, "/p/sub"));
    assert_int_equal(im.server[2].cwd.n, 0);
    assert_true(str_is(im.server[3].cwd, "/p"));
}

static void the_projects_of_claude_code_are_read_too(void **state)
{
    (void)state;
    read_file("/home/u/.claude.json",
              "{'mcpServers':{'a':{'command':'x'}},'projects':{'/p':{'disabledMcpServers':['c'],"
              "'mcpServers':{'b':{'command':'./y'},'c':{'command':'z'}}}}}");
    assert_int_equal(im.count, 3);
    assert_true(str_is(im.server[1].cwd, "/p"));
    assert_non_null(strstr(im.server[2].left_out, "switched off"));
}

/* ---- doorward.yaml ---- */

static void becomes(const char *old, const char *want)
{
    struct buf b;
    buf_init(&b, 65536);
    if (import_yaml(&im, str_of(old), false, &b, &fault))
        fail_msg("%s", fault.text);
    buf_char(&b, 0);
    assert_string_equal(b.p, want);
    buf_done(&b);
}

#define ENTRY   "# From Claude Desktop: /x.json\n"
#define NETWORK "network: true   # most servers call a service, and npx and uvx fetch them: false if this one need not"

static void an_entry_goes_to_the_end_of_servers(void **state)
{
    (void)state;
    read_file("/x.json", "{'mcpServers':{'a':{'command':'x'}}}");
    becomes("", "servers:\n  " ENTRY "  a:\n    command: [x]\n    " NETWORK "\n");
    becomes("listen: 1", "listen: 1\n\nservers:\n  " ENTRY "  a:\n    command: [x]\n    " NETWORK "\n");
    becomes("servers:\n    b: # b\n        url: u\n    # c\n\n# d\ntools: {}\n",
            "servers:\n    b: # b\n        url: u\n    # c\n    " ENTRY "    a:\n      command: [x]\n      " NETWORK
            "\n\n# d\ntools: {}\n");
    becomes("servers: {}   # none\ntools: {}\n",
            "servers:   # none\n  " ENTRY "  a:\n    command: [x]\n    " NETWORK "\ntools: {}\n");
}

static void line_ends_are_those_of_the_file(void **state)
{
    (void)state;
    read_file("/x.json", "{'mcpServers':{'a':{'command':'x'}}}");
    becomes(
        "servers:\r\n  b:\r\n    url: u\r\n",
        "servers:\r\n  b:\r\n    url: u\r\n  # From Claude Desktop: /x.json\r\n  a:\r\n    command: [x]\r\n    " NETWORK
        "\r\n");
}

static void values_are_quoted_when_yaml_would_read_them_otherwise(void **state)
{
    (void)state;
    read_file("/x.json", "{'mcpServers':{'a':{'command':'x','args':['a: b','# c','null','1','\\t\\u0085\\u2028','ü'],"
                         "'env':{'A':'yes','B C':'x'}}}}");
    becomes("", "servers:\n  " ENTRY
                "  a:\n    command: [x, \"a: b\", \"# c\", \"null\", \"1\", \"\\x09\\x85\\u2028\", \"ü\"]\n    " NETWORK
                "\n"
                "    env:\n      A: yes\n      \"B C\": x\n");
}

static void dockers_client_is_not_boxed(void **state)
{
    (void)state;
    read_file("/x.json", "{'mcpServers':{'a':{'command':'/usr/bin/docker','args':['run','-i','x']}}}");
    becomes("", "servers:\n  " ENTRY "  a:\n    command: [/usr/bin/docker, run, \"-i\", x]\n"
                "    sandbox: off   # it reaches Docker through a Unix socket, which no sandbox lets it\n");
}

static void flow_style_is_not_extended(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 65536);
    read_file("/x.json", "{'mcpServers':{'a':{'command':'x'}}}");
    assert_int_equal(import_yaml(&im, STR("servers: { b: { url: u } }\n"), false, &b, &fault), ERR_CONFLICT);
    assert_non_null(strstr(fault.text, "write it as a block"));
    assert_int_equal(import_yaml(&im, STR("# c\n{\"servers\": {}}\n"), false, &b, &fault), ERR_CONFLICT);
    assert_non_null(strstr(fault.text, "flow style"));
    buf_done(&b);
}

static void a_difference_shows_three_lines_around_a_change(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 65536);
    diff_unified(STR("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), STR("1\n2\n3\n4\nx\n6\n7\n8\n9\n10"), "a", "b", false, &b);
    buf_char(&b, 0);
    assert_string_equal(b.p, "--- a\n+++ b\n@@ -2,8 +2,9 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n 9\n+10\n"
                             "\\ No newline at end of file\n");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(names_are_made_to_fit),
        T(a_name_that_is_taken_gets_a_number),
        T(the_client_is_known_by_what_it_alone_writes),
        T(a_file_of_something_else_is_refused),
        T(variables_take_our_form),
        T(what_cannot_be_taken_over_says_why),
        T(a_secret_that_no_file_can_hold_is_not_taken_over),
        T(secrets_are_known_by_name_and_by_value),
        T(what_is_relative_starts_in_the_projects_folder),
        T(the_projects_of_claude_code_are_read_too),
        T(an_entry_goes_to_the_end_of_servers),
        T(line_ends_are_those_of_the_file),
        T(values_are_quoted_when_yaml_would_read_them_otherwise),
        T(dockers_client_is_not_boxed),
        T(flow_style_is_not_extended),
        T(a_difference_shows_three_lines_around_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

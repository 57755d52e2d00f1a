/* What an operator reads when doorward.yaml has faults: all of them, each with its place and what would be right. */
#include "../unit.h"

#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void says(struct str text, const char *expected)
{
    struct conf *c = NULL;
    struct buf faults;
    buf_init(&faults, 1 << 20);
    enum err e = conf_parse(text, "f", "/d", &c, &faults);
    buf_char(&faults, 0);
    if (e != (expected[0] ? ERR_CONFIG : ERR_OK) || strcmp(faults.p, expected) != 0)
        fail_msg(STR_FMT "\nsays %s\n%s\nnot\n%s", STR_ARG(text), err_code(e), faults.p, expected);
    assert_int_equal(c != NULL, e == ERR_OK);
    conf_unref(c);
    buf_done(&faults);
}

static void all_faults_are_said_at_once_in_the_order_of_the_file(void **state)
{
    (void)state;
    unsetenv("NOT_SET");
    says(STR("listen: nowhere\n"
             "wokers: 3\n"
             "workers: 65\n"
             "token: { lifetime: 10y, alg: HS256 }\n"
             "limits: [1]\n"
             "servers:\n"
             "  Bad: {}\n"
             "  both: { url: \"http://x\", command: [y] }\n"
             "audit: { segment_bytes: 1, queue: many }\n"
             "session:\n"
             "  rate: 5/fortnight\n"
             "  allowed_cidrs: [10.0.0.0/8, 10.1.2.3/8]\n"
             "  max_tool_calls: -1\n"
             "public_url: ${NOT_SET}\n"
             "scopes: [{ when: { hours: 25:00-26:00 } }]\n"),
         "f:1:9: listen: \"nowhere\" is wrong: must be an address such as 127.0.0.1:8420 or [::1]:8420\n"
         "f:2:1: there is no key \"wokers\" here: did you mean \"workers\"?\n"
         "f:3:10: workers: \"65\" is wrong: must be from 1 to 64\n"
         "f:4:20: token.lifetime: \"10y\" is wrong: must be a duration such as 500ms, 30s, 15m, 24h or 90d\n"
         "f:4:30: token.alg: \"HS256\" is wrong: must be EdDSA or ES256\n"
         "f:5:1: limits: must be a mapping of keys to values\n"
         "f:7:3: servers.Bad: a server's name must be 1 to 32 lower-case letters, digits and hyphens, not a hyphen "
         "first\n"
         "f:7:3: servers.Bad: has no url and no command: must have one, url (MCP over HTTP) or command (MCP over "
         "stdio)\n"
         "f:8:3: servers.both: has both url and command: must have one, url (MCP over HTTP) or command (MCP over "
         "stdio)\n"
         "f:9:25: audit.segment_bytes: \"1\" is wrong: must be from 65536 to 4294967296\n"
         "f:9:35: audit.queue: \"many\" is wrong: must be a size such as 65536, 64KiB or 16MiB\n"
         "f:11:9: session.rate: \"5/fortnight\" is wrong: must be a rate such as 100/minute, 5/second or none\n"
         "f:12:31: session.allowed_cidrs[1]: \"10.1.2.3/8\" is no network: write address/bits with zero bits behind "
         "them, such as 10.0.0.0/8\n"
         "f:13:19: session.max_tool_calls: \"-1\" is wrong: must be a whole number\n"
         "f:14:13: public_url: the environment has no variable NOT_SET: set it, or write ${NOT_SET:-default}\n"
         "f:15:27: scopes[0].when.hours: \"25:00-26:00\" is wrong: must be a time of day such as 22:00-06:00\n");
}

struct row {
    const char *text, *says;
};

static const struct row rows[] = {
    {"", ""},
    {"# nothing\n", ""},
    {"token:\nlog: ~\n", ""},
    /* what YAML knows and a configuration does not need */
    {"workers: &w 1\n", "f:1:13: anchors and aliases are not taken: write the value out\n"},
    {"workers: 1\n---\nworkers: 2\n",
     "f:2:1: a second document begins here: a configuration is one document, without --- in it\n"},
    {"token:\n\tlifetime: 5m\n", "f:2:1: YAML: tab character may not be used as indentation: indent with spaces\n"},
    {"token: ''\n", "f:1:9: token: must be a mapping of keys to values\n"},
    {"words\n", "f:1:1: must be a mapping of keys to values\n"},
    /* duplicates */
    {"workers: 1\nlog: { level: info }\nworkers: 1\n",
     "f:3:1: workers: duplicate key: write each key of a mapping once\n"},
    {"servers:\n  a: { url: http://a }\n  a: { url: http://b }\n",
     "f:3:3: servers.a: duplicate key: write each key of a mapping once\n"},
    {"servers: { a: { command: [x], env: { K: 1, K: 2 } } }\n",
     "f:1:44: servers.a.env.K: duplicate key: write each key of a mapping once\n"},
    {"operators:\n- { name: a, token: '${TOKEN}' }\n- { name: a, token: '${TOKEN}x' }\n- { name: b, token: '${TOKEN}' "
     "}\n",
     "f:3:5: operators[1]: another operator has the same name: the record could not tell them apart\n"
     "f:4:5: operators[2]: another operator has the same token: each must have one of its own\n"},
    /* names that nobody knows */
    {"limits: { bodybytes: 1MiB }\n", "f:1:11: limits: there is no key \"bodybytes\" here: did you mean "
                                      "\"body_bytes\"?\n"},
    {"log: { colour: red }\n", "f:1:8: log: there is no key \"colour\" here: known are level, access\n"},
    /* bounds */
    {"token: { lifetime: 25h }\n", "f:1:20: token.lifetime: \"25h\" is wrong: must be from 1s to 1d\n"},
    {"limits: { body_bytes: 9999999999GiB }\n",
     "f:1:23: limits.body_bytes: \"9999999999GiB\" is wrong: must be a size such as 65536, 64KiB or 16MiB\n"},
    {"workers: 18446744073709551617\n", "f:1:10: workers: \"18446744073709551617\" is wrong: must be a whole number\n"},
    {"agents: { default_lifetime: 2d, max_lifetime: 1d }\n",
     "f:1:1: agents: default_lifetime is longer than max_lifetime: must be at most that\n"},
    {"listen: 0.0.0.0:8420\ntrial: { anonymous: a }\n",
     "f:1:1: trial: anonymous goes with a loopback address only: listen must be like 127.0.0.1:8420\n"},
    {"public_url: https://gate.example\ntrial: { anonymous: a }\n",
     "f:1:1: trial: anonymous goes with a loopback address only: public_url names another host\n"},
    {"public_url: http://localhost:8420\nlisten: \"[::1]:8420\"\ntrial: { anonymous: a }\n", ""},
    /* secrets */
    {"operators: [{ name: a, token: 0123456789abcdef }]\n",
     "f:1:24: operators[0].token: a secret does not stand in the file itself: write file:PATH or ${ENV}\n"},
    {"operators: [{ name: a }]\n", "f:1:15: operators[0]: has no token: must have one, file:PATH or ${ENV}\n"},
    {"scopes: [{ when: { tier: free } }]\n", "f:1:12: scopes[0]: changes nothing: must have add, keep or drop\n"},
    {"servers: { a: { ulr: http://a } }\n", "f:1:17: servers.a: there is no key \"ulr\" here: did you mean \"url\"?\n"},
    {"data_dir: ~\nworkers:\n", "f:1:11: data_dir: has no value: write one, or leave the key out\n"
                                "f:2:1: workers: has no value: write one, or leave the key out\n"},
    {"operators: [{ name: a, token: '${SHORT}' }]\n",
     "f:1:15: operators[0]: the token is too short: must be 16 characters or more\n"},
    {"servers: { a: { url: http://a, headers: { X: 'file:/no/such' } } }\n",
     "f:1:43: servers.a.headers.X: /no/such: No such file or directory: must be file:PATH of a file that only its "
     "owner can read\n"},
    /* references */
    {"data_dir: ${A\n", "f:1:11: data_dir: ${ without }: write ${NAME} or ${NAME:-default}\n"},
    {"data_dir: ${A B}\n", "f:1:11: data_dir: ${ } holds no variable: write ${NAME} or ${NAME:-default}, NAME of "
                           "letters, digits and _\n"},
    /* rules about more than one value */
    {"servers: { a: { url: http://a, env: { K: v } } }\n",
     "f:1:12: servers.a: env and cwd go with command, not with url\n"},
    {"tools: { lookup: {} }\n", "f:1:10: tools.lookup: names no tool: must be a pattern like server/tool or "
                                "server/*\n"},
    {"scopes: [{ when: { timezone: Mars }, drop: [x] }]\n",
     "f:1:12: scopes[0].when: timezone is wrong: must be UTC or local\n"},
};

static void each_fault_says_what_would_be_right(void **state)
{
    (void)state;
    setenv("TOKEN", "0123456789abcdef", 1);
    setenv("SHORT", "0123", 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        says(str_of(rows[i].text), rows[i].says);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char expected[] = "f:1:1: the file is no text of at most 1 MiB: must be UTF-8 without NUL bytes\n";
    says(STR("listen: a\0b\n"), expected);
    says(STR("listen: \xff\n"), expected);
    char *large = malloc(CONF_FILE_BYTES + 1);
    memset(large, '#', CONF_FILE_BYTES + 1);
    says((struct str){large, CONF_FILE_BYTES + 1}, expected);
    says((struct str){large, CONF_FILE_BYTES}, "");
    free(large);
}

static void a_quotation_is_cut_to_valid_text(void **state)
{
    (void)state;
    char text[128];
    struct conf *c = NULL;
    struct buf faults;
    buf_init(&faults, 4096);
    snprintf(text, sizeof(text), "%078d\xf0\x9f\x90\xb2: 1\n", 0); /* the cut falls into the last character */
    assert_int_equal(conf_parse(str_of(text), "f", "/d", &c, &faults), ERR_CONFIG);
    assert_true(str_utf8_valid(buf_view(&faults)));
    assert_true(str_starts(buf_view(&faults), STR("f:1:1: there is no key \"000")));
    buf_done(&faults);
}

static void a_thousand_faults_are_counted_and_not_listed(void **state)
{
    (void)state;
    struct buf text, faults;
    struct conf *c = NULL;
    buf_init(&text, 1 << 20);
    buf_init(&faults, 1 << 20);
    for (unsigned i = 0; i < 1000; i++)
        buf_fmt(&text, "key_%u: 1\n", i);
    assert_int_equal(conf_parse(buf_view(&text), "f", "/d", &c, &faults), ERR_CONFIG);
    unsigned lines = 0;
    for (size_t i = 0; i < faults.n; i++)
        lines += faults.p[i] == '\n';
    assert_int_equal(lines, CONF_FAULTS + 1);
    assert_true(str_ends(buf_view(&faults), STR("f: and 900 more\n")));
    buf_done(&text);
    buf_done(&faults);
}

/* Nothing that a file of 1 MiB may hold takes long. */
static void hostile_files_are_refused_in_bounded_time(void **state)
{
    (void)state;
    static const char *const parts[] = {"a: [", "[",  "{a: ",      "- ",         "&a ",
                                        "*a, ", "? ", "\"\\u0041", "a: &a [*a,", "k: 1\n"};
    struct timespec from, to;
    char *text = malloc(CONF_FILE_BYTES);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct conf *c = NULL;
        struct buf faults;
        size_t n = strlen(parts[i]);
        for (size_t at = 0; at + n <= CONF_FILE_BYTES; at += n)
            memcpy(text + at, parts[i], n);
        buf_init(&faults, 1 << 20);
        assert_int_equal(conf_parse((struct str){text, CONF_FILE_BYTES / n * n}, "f", "/d", &c, &faults), ERR_CONFIG);
        assert_true(faults.n > 0);
        buf_done(&faults);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(to.tv_sec - from.tv_sec < 30);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_faults_are_said_at_once_in_the_order_of_the_file),
        cmocka_unit_test(each_fault_says_what_would_be_right),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_quotation_is_cut_to_valid_text),
        cmocka_unit_test(a_thousand_faults_are_counted_and_not_listed),
        cmocka_unit_test(hostile_files_are_refused_in_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

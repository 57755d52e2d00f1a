/* What stands in a snapshot: values, defaults, secrets, networks; and that readers keep theirs when it is swapped. */
#include "../unit.h"

#include "conf/slot.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conf *parsed(const char *text)
{
    struct conf *c = NULL;
    struct buf faults;
    buf_init(&faults, 1 << 20);
    if (conf_parse(str_of(text), "f", "/d", &c, &faults))
        fail_msg("%s\nsays " STR_FMT, text, STR_ARG(buf_view(&faults)));
    buf_done(&faults);
    return c;
}

static void an_empty_file_has_the_documented_defaults(void **state)
{
    (void)state;
    struct conf *c = parsed("");
    const struct conf_root *r = &c->root;
    assert_true(str_is(r->listen, "127.0.0.1:8420"));
    assert_true(str_is(r->public_url, "http://127.0.0.1:8420"));
    assert_true(str_is(r->data_dir, "/d/./data"));
    assert_true(str_is(r->admin.listen, "127.0.0.1:8421")); /* nobody else reaches the operators' API */
    assert_int_equal(r->token.lifetime, 15 * 60000);
    assert_int_equal(r->session.max_tool_calls, 50);
    assert_int_equal(r->session.rate.count, 100);
    assert_int_equal(r->session.rate.per_ms, 60000);
    assert_int_equal(r->audit.durability, CONF_FULL);
    assert_int_equal(r->trusted_proxies.n, 0); /* nobody's X-Forwarded-For is believed */
    assert_int_equal(r->servers.n, 0);
    conf_unref(c);
}

static void values_come_with_their_units(void **state)
{
    (void)state;
    setenv("WHERE", "192.0.2.7", 1);
    struct conf *c =
        parsed("listen: ${WHERE}:${PORT_NOT_SET:-8000}\n"
               "limits: { body_bytes: 64KiB, call_timeout: 1500ms }\n"
               "servers:\n  b: { url: 'https://b.test/mcp', timeout: 2m }\n  a: { command: [x, \"y z\"], cwd: sub }\n"
               "scopes: [{ when: { hours: '22:30-06:00' }, keep: [] }]\n");
    const struct conf_root *r = &c->root;
    assert_true(str_is(r->listen, "192.0.2.7:8000"));
    assert_int_equal(r->limits.body_bytes, 65536);
    assert_int_equal(r->servers.n, 2);
    assert_true(str_is(r->servers.v[0].name, "a")); /* sorted */
    assert_true(str_is(r->servers.v[0].command.v[1], "y z"));
    assert_true(str_is(r->servers.v[0].cwd, "/d/sub"));
    assert_int_equal(r->servers.v[0].timeout, 1500); /* that of limits */
    assert_int_equal(r->servers.v[1].timeout, 120000);
    assert_int_equal(r->scopes.v[0].when.hours.from, 22 * 60 + 30);
    assert_true(r->scopes.v[0].keep.set); /* nothing stays, which is not the same as no rule */
    conf_unref(c);
}

static char secret_path[] = "/tmp/doorward-secret-XXXXXX";

static int secret_file(void **state)
{
    (void)state;
    int fd = mkstemp(secret_path);
    return fd >= 0 && write(fd, "from a file 1234\n", 17) == 17 && close(fd) == 0 ? 0 : -1;
}

static int secret_gone(void **state)
{
    (void)state;
    return unlink(secret_path);
}

static void secrets_come_from_files_and_the_environment_and_are_never_shown(void **state)
{
    (void)state;
    char text[512];
    struct buf dump;
    setenv("A_SECRET", "from the environment", 1);
    snprintf(text, sizeof(text),
             "operators: [{ name: a, token: 'file:%s' }, { name: b, token: '${A_SECRET}' }]\n"
             "servers: { s: { url: 'http://s', headers: { Authorization: 'Bearer ${A_SECRET}', Plain: text } } }\n",
             secret_path);
    struct conf *c = parsed(text);
    assert_true(secret_eq(c->root.operators.v[0].token, STR("from a file 1234")));
    assert_true(secret_eq(c->root.operators.v[1].token, STR("from the environment")));
    assert_true(secret_eq(c->root.servers.v[0].headers.v[0].value, STR("Bearer from the environment")));
    buf_init(&dump, 1 << 20);
    conf_dump(c, &dump);
    buf_char(&dump, 0);
    assert_null(strstr(dump.p, "from "));
    assert_non_null(strstr(dump.p, "\"headers\":{\"Authorization\":\"[secret]\",\"Plain\":\"[secret]\"}"));
    buf_done(&dump);
    conf_unref(c);
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
    (void)state;
    char text[512];
    struct buf faults;
    struct conf *c = NULL;
    snprintf(text, sizeof(text), "operators: [{ name: a, token: 'file:%s' }]\n", secret_path);
    buf_init(&faults, 4096);
    chmod(secret_path, 0644);
    assert_int_equal(conf_parse(str_of(text), "f", "/d", &c, &faults), ERR_CONFIG);
    chmod(secret_path, 0600);
    assert_non_null(memmem(faults.p, faults.n, "others may read or write this secret (mode 0644)", 48));
    assert_null(memmem(faults.p, faults.n, "from a file", 11));
    buf_done(&faults);
}

static bool within(const char *networks, const char *address)
{
    char text[256];
    struct sockaddr_storage at;
    snprintf(text, sizeof(text), "session: { allowed_cidrs: [%s] }", networks);
    struct conf *c = parsed(text);
    assert_true(conf_address_parse(str_of(address), &at));
    bool in = conf_cidr_match(&c->root.session.allowed_cidrs, &at);
    conf_unref(c);
    return in;
}

static void an_address_is_in_a_network_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *networks, *address;
        bool in;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"'::ffff:10.0.0.0/104'", "10.1.1.1", true},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.0/25", "192.0.2.128", false},
        {"'2001:db8::/33'", "2001:db8:7fff::1", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"'2001:db8::/33'", "2001:db8:8000::1", false},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"'::/0'", "203.0.113.9", true},
        {"'::1'", "127.0.0.1", false},
        {"10.0.0.0/8, '::1'", "::1", true},
        {"", "127.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (within(rows[i].networks, rows[i].address) != rows[i].in)
            fail_msg("%s in [%s] should be %d", rows[i].address, rows[i].networks, rows[i].in);
}

static void a_dump_is_a_configuration_of_the_same_effect(void **state)
{
    (void)state;
    struct conf *c =
        parsed("limits: { call_timeout: 1500ms }\n"
               "trusted_proxies: [10.0.0.0/8, '2001:db8::/32']\n"
               "servers: { a: { url: 'http://a', headers: { X: y } }, b: { command: [x], limits: { cpu: 90s } } }\n"
               "tools: { 'a/*': { rate: 10/hour } }\n"
               "scopes: [{ when: { hours: '22:00-06:00' }, keep: [] }, { add: ['x:y'] }]\n");
    struct buf first, second;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    conf_dump(c, &first);
    buf_char(&first, 0);
    struct conf *again = parsed(first.p);
    conf_dump(again, &second);
    buf_char(&second, 0);
    assert_string_equal(second.p, first.p);
    assert_non_null(strstr(first.p, "\"trusted_proxies\":[\"10.0.0.0/8\",\"2001:db8::/32\"]"));
    assert_non_null(strstr(first.p, "\"call_timeout\":\"1500ms\""));
    conf_unref(c);
    conf_unref(again);
    buf_done(&first);
    buf_done(&second);
}

struct swapping {
    struct conf_slot slot;
    _Atomic bool stop;
    _Atomic unsigned torn;
};

static void *reader(void *arg)
{
    struct swapping *s = arg;
    while (!s->stop) {
        struct conf *c = conf_slot_get(&s->slot);
        /* Both snapshots say the same number twice. */
        if (c->root.workers != c->root.session.max_tool_calls || c->root.servers.v[0].timeout != c->root.workers * 1000)
            s->torn++;
        conf_unref(c);
    }
    return NULL;
}

static void readers_see_one_snapshot_or_the_other(void **state)
{
    (void)state;
    struct swapping s = {0};
    pthread_t thread[4];
    struct conf *one =
        parsed("workers: 1\nsession: { max_tool_calls: 1 }\nservers: { a: { url: 'http://a', timeout: 1s } }");
    conf_slot_init(&s.slot, one);
    conf_unref(one);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, reader, &s), 0);
    for (unsigned i = 0; i < 500; i++) {
        char text[128];
        snprintf(text, sizeof(text),
                 "workers: %u\nsession: { max_tool_calls: %u }\nservers: { a: { url: 'http://a', timeout: %us } }",
                 i % 64 + 1, i % 64 + 1, i % 64 + 1);
        struct conf *next = parsed(text);
        conf_slot_set(&s.slot, next);
        conf_unref(next);
    }
    s.stop = true;
    for (unsigned i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(s.torn, 0);
    conf_slot_done(&s.slot);
}

static void a_file_is_read_beside_itself_or_not_at_all(void **state)
{
    (void)state;
    char folder[] = "/tmp/doorward-conf-XXXXXX", path[64], expected[64];
    struct conf *c = NULL;
    struct buf faults;
    buf_init(&faults, 4096);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/doorward.yaml", folder);
    assert_int_equal(conf_load(path, &c, &faults), ERR_CONFIG);
    assert_non_null(memmem(faults.p, faults.n, "doorward.yaml:1:1: cannot be read: No such file", 46));
    buf_clear(&faults);
    assert_int_equal(conf_load(folder, &c, &faults), ERR_CONFIG);
    assert_non_null(memmem(faults.p, faults.n, "must be a regular file", 22));
    FILE *f = fopen(path, "w");
    fputs("data_dir: here\n", f);
    fclose(f);
    assert_int_equal(conf_load(path, &c, &faults), ERR_OK);
    snprintf(expected, sizeof(expected), "%s/here", folder);
    assert_true(str_is(c->root.data_dir, expected));
    conf_unref(c);
    buf_done(&faults);
    unlink(path);
    rmdir(folder);
}

static void messages_lead_to_the_console_where_it_has_a_name(void **state)
{
    (void)state;
    static const struct {
        const char *admin, *own, *console, *link;
    } cases[] = {
        {"public_url: https://gate.example/", "", "", "https://gate.example/approvals/{id}"},
        {"public_url: https://gate.example", "link: 'https://ours/{id}'", "", "https://ours/{id}"},
        {"public_url: https://gate.example", "", "console: { enabled: false }", ""},
        {"listen: 127.0.0.1:9000", "", "", ""}, /* others cannot reach that */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "admin:\n  %s\n%s\nchannels:\n  ops: { kind: webhook, url: https://hooks.example/x, secret: "
                 "\"${TEST_HOOK}\"%s%s }\n",
                 cases[i].admin, cases[i].console, cases[i].own[0] ? ", " : "", cases[i].own);
        setenv("TEST_HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
        struct conf *c = parsed(text);
        if (!str_is(c->root.channels.v[0].link, cases[i].link))
            fail_msg("%s: " STR_FMT, cases[i].admin, STR_ARG(c->root.channels.v[0].link));
        conf_unref(c);
    }
    unsetenv("TEST_HOOK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_has_the_documented_defaults),
        cmocka_unit_test(values_come_with_their_units),
        cmocka_unit_test(secrets_come_from_files_and_the_environment_and_are_never_shown),
        cmocka_unit_test(a_secret_that_others_may_read_is_refused),
        cmocka_unit_test(messages_lead_to_the_console_where_it_has_a_name),
        cmocka_unit_test(an_address_is_in_a_network_or_not),
        cmocka_unit_test(a_dump_is_a_configuration_of_the_same_effect),
        cmocka_unit_test(readers_see_one_snapshot_or_the_other),
        cmocka_unit_test(a_file_is_read_beside_itself_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, secret_file, secret_gone);
}

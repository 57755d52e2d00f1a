/* As whom browsers know the gateway. */
#include "../conf_of.h"

#include "console/console.h"

struct known {
    const char *conf, *host, *id, *origin, *address; /* id NULL: passkeys are not for it */
};

static void a_name_is_the_party_and_an_address_is_none(void **state)
{
    (void)state;
    static const struct known cases[] = {
        {"{}", "localhost:8421", "localhost", "http://localhost:8421", "http://localhost:8421"},
        {"{}", "LocalHost:8421", "localhost", "http://localhost:8421", "http://localhost:8421"},
        {"{}", "gate.example:80", "gate.example", "http://gate.example", "http://gate.example"},
        {"{}", "gate.example", "gate.example", "http://gate.example", "http://gate.example"},
        {"{}", "127.0.0.1:8421", NULL, NULL, "http://localhost:8421"},
        {"{}", "[::1]:8421", NULL, NULL, "http://localhost:8421"},
        {"{}", "10.1.2.3:8421", NULL, NULL, "http://10.1.2.3:8421"},
        {"{}", "[2001:db8::1]:8421", NULL, NULL, "http://[2001:db8::1]:8421"},
        {"{\"admin\":{\"public_url\":\"https://Gate.Example/\"}}", "127.0.0.1:8421", "gate.example",
         "https://gate.example", "https://gate.example"},
        {"{\"admin\":{\"public_url\":\"https://gate.example:8443\"}}", "localhost:8421", "gate.example",
         "https://gate.example:8443", "https://gate.example:8443"},
        {"{\"admin\":{\"public_url\":\"https://gate.example:443\"}}", "x", "gate.example", "https://gate.example",
         "https://gate.example"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct known *k = &cases[i];
        struct conf *conf = conf_of(k->conf);
        struct passkey_party party = {.id = STR_NONE};
        struct arena a;
        struct fault f;
        arena_init(&a, 1u << 20);
        enum err e = console_party(conf, str_of(k->host), &a, &party, &f);
        assert_int_equal(e, k->id ? ERR_OK : ERR_CONFLICT);
        if (!e && (!str_is(party.id, k->id) || !str_is(party.origin, k->origin)))
            fail_msg("%s: " STR_FMT " " STR_FMT, k->host, STR_ARG(party.id), STR_ARG(party.origin));
        if (e)
            assert_non_null(strstr(f.text, "is an address"));
        if (!str_is(console_address(conf, str_of(k->host), &a), k->address))
            fail_msg("%s", k->host);
        arena_done(&a);
        conf_unref(conf);
    }
}

static void a_host_that_is_none_is_no_party(void **state)
{
    (void)state;
    static const char *const hosts[] = {"", ":8421", "a b", "[::1", "gate.example:99999", "user@gate.example"};
    struct conf *conf = conf_of("{}");
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct passkey_party party;
        struct arena a;
        struct fault f;
        arena_init(&a, 1u << 20);
        if (!console_party(conf, str_of(hosts[i]), &a, &party, &f))
            fail_msg("%s", hosts[i]);
        assert_null(console_address(conf, str_of(hosts[i]), &a).p);
        arena_done(&a);
    }
    conf_unref(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_name_is_the_party_and_an_address_is_none),
                                       cmocka_unit_test(a_host_that_is_none_is_no_party)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

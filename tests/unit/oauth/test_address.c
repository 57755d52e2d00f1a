/* Where a request comes from: X-Forwarded-For counts as far as trusted proxies wrote it, and no further. */
#include "../conf_of.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "oauth/oauth.h"

static struct conf *trusting(const char *proxies)
{
    char yaml[4096];
    snprintf(yaml, sizeof(yaml), "trusted_proxies: [%s]", proxies);
    return conf_of(yaml);
}

/* `lines`: the values of the X-Forwarded-For headers, in their order, with '|' between them. "": no address at all. */
static void comes_from(const char *proxies, const char *peer, const char *lines, const char *want)
{
    struct conf *c = trusting(proxies);
    struct exchange *x = calloc(1, sizeof(*x));
    struct sockaddr_storage got;
    char text[INET6_ADDRSTRLEN] = "";
    assert_true(conf_address_parse(str_of(peer), &x->peer));
    for (struct str rest = str_of(lines); rest.n;) {
        struct http_header *h = &x->head.header[x->head.count++];
        h->name = STR("X-Forwarded-For");
        str_cut(&rest, '|', &h->value);
    }
    oauth_client_address(x, &c->root, &got);
    inet_ntop(got.ss_family,
              got.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&got)->sin_addr
                                       : (void *)&((struct sockaddr_in6 *)&got)->sin6_addr,
              text, sizeof(text));
    if (strcmp(text, want) != 0)
        fail_msg("proxies [%s], peer %s, \"%s\": from \"%s\", wanted \"%s\"", proxies, peer, lines, text, want);
    free(x);
    conf_unref(c);
}

static void from_a_stranger_the_header_means_nothing(void **state)
{
    (void)state;
    comes_from("", "198.51.100.7", "10.0.0.1", "198.51.100.7");
    comes_from("10.0.0.0/8", "198.51.100.7", "10.0.0.1", "198.51.100.7");
    comes_from("", "127.0.0.1", "10.0.0.1", "127.0.0.1"); /* loopback is no proxy unless it is named */
}

static void the_nearest_hop_that_is_not_trusted_counts(void **state)
{
    (void)state;
    comes_from("10.0.0.0/8", "10.0.0.1", "203.0.113.9", "203.0.113.9");
    comes_from("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 203.0.113.9",
               "203.0.113.9"); /* the client's own invention is left */
    comes_from("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9");
    comes_from("10.0.0.0/8", "10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"); /* all trusted: the first of them */
    comes_from("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1");
}

static void several_headers_are_one_list(void **state)
{
    (void)state;
    comes_from("10.0.0.0/8", "10.0.0.1", "1.2.3.4|203.0.113.9", "203.0.113.9");
    comes_from("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 203.0.113.9|10.0.0.2", "203.0.113.9");
}

static void ipv6_and_mapped_addresses_are_taken(void **state)
{
    (void)state;
    comes_from("'fd00::/8'", "fd00::1", "2001:db8::5", "2001:db8::5");
    comes_from("10.0.0.0/8", "::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9");
}

static void what_is_no_address_is_not_the_proxys(void **state)
{
    (void)state;
    comes_from("10.0.0.0/8", "10.0.0.1", "unknown", "");
    comes_from("10.0.0.0/8", "10.0.0.1", "1.2.3.4, ", "");
    comes_from("10.0.0.0/8", "10.0.0.1", "203.0.113.9:4711", "");
    comes_from("10.0.0.0/8", "10.0.0.1", "nonsense, 203.0.113.9", "203.0.113.9");
}

static void no_address_is_in_no_network(void **state)
{
    (void)state;
    struct conf *c = trusting("0.0.0.0/0, '::/0'");
    struct sockaddr_storage nothing = {0};
    assert_false(conf_cidr_match(&c->root.trusted_proxies, &nothing));
    conf_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_stranger_the_header_means_nothing),
        cmocka_unit_test(the_nearest_hop_that_is_not_trusted_counts),
        cmocka_unit_test(several_headers_are_one_list),
        cmocka_unit_test(ipv6_and_mapped_addresses_are_taken),
        cmocka_unit_test(what_is_no_address_is_not_the_proxys),
        cmocka_unit_test(no_address_is_in_no_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

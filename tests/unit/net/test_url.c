/* URLs of servers. */
#include "../unit.h"

#include "net/http.h"

static void urls_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *authority, *target;
        uint16_t port;
        bool tls;
    } rows[] = {
        {"http://a", "a", "a", "/", 80, false},
        {"https://a.example", "a.example", "a.example", "/", 443, true},
        {"http://a:8080/mcp?x=1/2", "a", "a:8080", "/mcp?x=1/2", 8080, false},
        {"http://127.0.0.1:1/", "127.0.0.1", "127.0.0.1:1", "/", 1, false},
        {"https://[::1]:65535/x", "::1", "[::1]:65535", "/x", 65535, true},
        {"http://[::1]", "::1", "[::1]", "/", 80, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_url u;
        struct fault f;
        assert_int_equal(http_url_parse(str_of(rows[i].url), &u, &f), ERR_OK);
        bool same = str_is(u.host, rows[i].host) && str_is(u.authority, rows[i].authority) &&
                    str_is(u.target, rows[i].target) && u.port == rows[i].port && u.tls == rows[i].tls;
        if (!same)
            fail_msg("%s: host " STR_FMT ", authority " STR_FMT ", target " STR_FMT ", port %u", rows[i].url,
                     STR_ARG(u.host), STR_ARG(u.authority), STR_ARG(u.target), u.port);
    }
}

static void other_urls_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "a",
        "/x",
        "ftp://a/",
        "HTTP://a/",
        "http:/a",
        "http://",
        "http:///x",
        "http://:80/",
        "http://u@a/",
        "http://u:p@a/",
        "http://a/#x",
        "http://a b",
        "http://a/ x",
        "http://a:/",
        "http://a:0/",
        "http://a:65536",
        "http://a:8o",
        "http://a:1:2",
        "http://[::1",
        "http://[::1]x",
        "http://[]/",
        "http://a?x",
        "http://a/\r\nX: y",
        "http://\xc3\xa4/",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_url u = {.port = 7};
        struct fault f = {0};
        enum err e = http_url_parse(str_of(rows[i]), &u, &f);
        if (e != ERR_SYNTAX || !f.text[0] || u.port != 7)
            fail_msg("%s: %s", rows[i], err_code(e));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(other_urls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

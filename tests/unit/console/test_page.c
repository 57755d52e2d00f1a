/* What a browser gets of the pages: which one, in which form, and with what keeps other sites out. */
#include "../unit.h"

#include "console/page.h"

static const unsigned char html[] = "<!doctype html>", zipped[] = "zipped", script[] = "let a", icon[] = "<svg/>";
static const struct console_page pages[] = {
    {"/index.html", "text/html; charset=utf-8", html, zipped, 15, 6, "\"aa\"", false},
    {"/assets/app-1.js", "text/javascript; charset=utf-8", script, NULL, 5, 0, "\"bb\"", true},
    {"/assets/icon-1.svg", "image/svg+xml", icon, NULL, 6, 0, "\"cc\"", true},
};

struct asked {
    struct console_answer is;
    char etag[128];
    enum err err;
    struct fault f;
};

static struct asked *ask(const char *path, const char *accept_encoding, const char *if_none_match)
{
    static struct asked a;
    struct http_head h = {.method = STR("GET"), .path = str_of(path)};
    if (accept_encoding)
        h.header[h.count++] = (struct http_header){STR("Accept-Encoding"), str_of(accept_encoding)};
    if (if_none_match)
        h.header[h.count++] = (struct http_header){STR("If-None-Match"), str_of(if_none_match)};
    a = (struct asked){.err = ERR_OK};
    a.err = console_page(pages, COUNT(pages), &h, a.etag, &a.is, &a.f);
    return &a;
}

static struct str header(const struct asked *a, const char *name)
{
    for (size_t i = 0; i < a->is.headers; i++)
        if (str_is(a->is.header[i].name, name))
            return a->is.header[i].value;
    return STR_NONE;
}

static void every_page_is_the_one_page_and_an_asset_is_its_own(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/sign-in", "/approvals/apr_1", "/reviews", "/activity", "/account"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        const struct asked *a = ask(paths[i], NULL, NULL);
        assert_int_equal(a->err, ERR_OK);
        assert_true(str_is(a->is.body, "<!doctype html>"));
        assert_true(str_is(a->is.cache, "no-cache"));
    }
    const struct asked *a = ask("/assets/app-1.js", "gzip", NULL);
    assert_true(str_is(a->is.body, "let a") && str_is(a->is.type, "text/javascript; charset=utf-8"));
    assert_true(str_is(a->is.cache, "public, max-age=31536000, immutable"));
    assert_null(header(a, "Content-Encoding").p);
    assert_int_equal(ask("/assets/app-2.js", NULL, NULL)->err, ERR_NOT_FOUND);
    assert_int_equal(ask("/assets/../index.html", NULL, NULL)->err, ERR_NOT_FOUND);
}

static void other_sites_neither_frame_it_nor_run_anything_in_it(void **state)
{
    (void)state;
    static const char *const same[] = {"/", "/assets/icon-1.svg"};
    for (size_t i = 0; i < COUNT(same); i++) {
        const struct asked *a = ask(same[i], NULL, NULL);
        struct str csp = header(a, "Content-Security-Policy");
        assert_true(str_starts(csp, STR("default-src 'none'; script-src 'self'; style-src 'self'; ")));
        assert_non_null(strstr(csp.p, "frame-ancestors 'none'"));
        assert_non_null(strstr(csp.p, "require-trusted-types-for 'script'"));
        assert_null(strstr(csp.p, "unsafe"));
        assert_true(str_is(header(a, "X-Content-Type-Options"), "nosniff"));
        assert_true(str_is(header(a, "Referrer-Policy"), "no-referrer"));
        assert_true(str_is(header(a, "Cross-Origin-Opener-Policy"), "same-origin"));
        assert_true(str_is(header(a, "Cross-Origin-Resource-Policy"), "same-origin"));
        assert_true(str_starts(header(a, "Permissions-Policy"), STR("publickey-credentials-get=(self)")));
    }
}

static void who_takes_gzip_gets_it_under_a_tag_of_its_own(void **state)
{
    (void)state;
    const struct asked *a = ask("/", "br, gzip;q=0.5", NULL);
    assert_true(str_is(a->is.body, "zipped") && str_is(header(a, "Content-Encoding"), "gzip"));
    assert_true(str_is(header(a, "ETag"), "\"aa-gzip\"") && str_is(header(a, "Vary"), "Accept-Encoding"));
    a = ask("/", "br", NULL);
    assert_true(str_is(a->is.body, "<!doctype html>") && str_is(header(a, "ETag"), "\"aa\""));
    assert_true(str_is(header(a, "Vary"), "Accept-Encoding"));
    static const struct {
        const char *accept;
        bool taken;
    } cases[] = {{"gzip", true},           {"GZIP", true},         {"*", true},          {"gzip;q=0", false},
                 {"gzip; q=0.000", false}, {"gzip;q=0.001", true}, {"", false},          {"identity", false},
                 {"*;q=0", false},         {"gzip;q=0, *", false}, {"deflate, *", true}, {";,;q=,", false},
                 {"gzipped", false}};
    for (size_t i = 0; i < COUNT(cases); i++)
        if (console_takes_gzip(str_of(cases[i].accept)) != cases[i].taken)
            fail_msg("%s", cases[i].accept);
}

static void what_the_browser_has_is_not_sent_again(void **state)
{
    (void)state;
    const struct asked *a = ask("/", NULL, "\"x\", W/\"aa\"");
    assert_int_equal(a->is.status, 304);
    assert_int_equal(a->is.body.n + a->is.type.n, 0);
    assert_true(str_is(header(a, "ETag"), "\"aa\"") && header(a, "Content-Security-Policy").n);
    assert_int_equal(ask("/", "gzip", "\"aa-gzip\"")->is.status, 304);
    assert_int_equal(ask("/", "gzip", "*")->is.status, 304);
    assert_int_equal(ask("/", "gzip", "\"aa\"")->is.status, 200); /* it has the other one */
    assert_int_equal(ask("/", NULL, "aa")->is.status, 200);
    assert_int_equal(ask("/", NULL, ",,")->is.status, 200);
}

static void a_program_without_pages_says_how_to_build_them(void **state)
{
    (void)state;
    struct http_head h = {.method = STR("GET"), .path = STR("/")};
    struct console_answer answer;
    struct fault f;
    char etag[128];
    static const struct console_page none[] = {{0}};
    assert_int_equal(console_page(none, 0, &h, etag, &answer, &f), ERR_NOT_FOUND);
    assert_non_null(strstr(f.text, "-Dconsole=enabled"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_is_the_one_page_and_an_asset_is_its_own),
        cmocka_unit_test(other_sites_neither_frame_it_nor_run_anything_in_it),
        cmocka_unit_test(who_takes_gzip_gets_it_under_a_tag_of_its_own),
        cmocka_unit_test(what_the_browser_has_is_not_sent_again),
        cmocka_unit_test(a_program_without_pages_says_how_to_build_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

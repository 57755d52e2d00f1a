/* The form of the token endpoint: strict, since two readings of it would be two different requests. */
#include "../unit.h"

#include "oauth/oauth.h"

struct read {
    struct arena arena;
    struct form_field field[3];
    struct fault fault;
    enum err err;
};

static void read_form(struct read *r, struct str body)
{
    *r = (struct read){.field = {{"grant_type", STR_NONE}, {"scope", STR_NONE}, {"client_id", STR_NONE}}};
    arena_init(&r->arena, 1u << 20);
    r->err = form_read(body, r->field, 3, &r->arena, &r->fault);
}

static void takes(const char *body, const char *grant, const char *scope)
{
    struct read r;
    read_form(&r, str_of(body));
    if (r.err || !str_eq(r.field[0].value, str_of(grant)) || !str_eq(r.field[1].value, str_of(scope)))
        fail_msg("%s: %s %s; grant_type \"%.*s\", scope \"%.*s\"", body, err_code(r.err), r.fault.text,
                 (int)r.field[0].value.n, r.field[0].value.p, (int)r.field[1].value.n, r.field[1].value.p);
    arena_done(&r.arena);
}

static void refuses(struct str body, const char *word)
{
    struct read r;
    read_form(&r, body);
    if (r.err != ERR_INVALID || !strstr(r.fault.text, word))
        fail_msg("%.*s: %s: %s", (int)body.n, body.p, err_code(r.err), r.fault.text);
    arena_done(&r.arena);
}

static void values_are_decoded(void **state)
{
    (void)state;
    takes("grant_type=client_credentials&scope=a%3ab+c:d", "client_credentials", "a:b c:d");
    takes("scope=%C3%A9%2B&grant_type=x", "x", "\xc3\xa9+");
    takes("%67rant_type=x", "x", ""); /* names, too */
    takes("scope=a=b", "", "a=b");
    takes("&&grant_type=x&", "x", "");
    takes("", "", "");
    takes("grant_type", "", "");
}

static void what_is_not_known_is_passed_over(void **state)
{
    (void)state;
    takes("audience=x&grant_type=y&audience=z", "y", "");
    takes("GRANT_TYPE=x&grant_type=y", "y", "");
}

static void a_parameter_that_comes_twice_is_refused(void **state)
{
    (void)state;
    refuses(STR("grant_type=x&grant_type=x"), "grant_type came twice");
    refuses(STR("scope=&scope=a:b"), "scope came twice"); /* also when the first is empty */
    refuses(STR("scope=a:b&sc%6fpe=c:d"), "scope came twice");
}

static void broken_escapes_are_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {"scope=%", "scope=%4",  "scope=%zz", "scope=a%2",
                                         "%=x",     "scope=%00", "other=%4"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        refuses(str_of(bodies[i]), "hexadecimal");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    refuses(STR("scope=%ff"), "UTF-8");
    refuses(STR("scope=\xc3("), "UTF-8");
    refuses(STR("scope=%c0%af"), "UTF-8");
    refuses(STR("scope=%ed%a0%80"), "UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_decoded),
        cmocka_unit_test(what_is_not_known_is_passed_over),
        cmocka_unit_test(a_parameter_that_comes_twice_is_refused),
        cmocka_unit_test(broken_escapes_are_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

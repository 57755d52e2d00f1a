/* Links: a template with its slots filled is a policy like any other. */
#include "texts.h"

static struct cedar_policies *with_template(void)
{
    return texts_read(
        "@t('x') permit(principal in ?principal, action, resource is Photo in ?resource) when { context.a };"
        "permit(principal == ?principal, action, resource);"
        "permit(principal, action, resource);");
}

static enum err link(struct cedar_policies *ps, const char *template_id, const char *id, const char *principal,
                     const char *resource, struct fault *f)
{
    struct cedar_uid p, r;
    char type[] = "User", photo[] = "Album"; /* a link must not need them any longer */
    if (principal)
        p = cedar_uid(str_of(type), str_of(principal));
    if (resource)
        r = cedar_uid(str_of(photo), str_of(resource));
    enum err e =
        cedar_policies_link(ps, str_of(template_id), str_of(id), principal ? &p : NULL, resource ? &r : NULL, f);
    memset(type, 'x', sizeof(type));
    memset(photo, 'x', sizeof(photo));
    return e;
}

static void a_link_is_the_template_with_its_slots_filled(void **state)
{
    (void)state;
    struct cedar_policies *ps = with_template();
    struct buf text;
    struct fault f;
    buf_init(&text, 1 << 16);
    assert_int_equal(link(ps, "policy0", "for alice", "alice", "trip", &f), ERR_OK);
    assert_int_equal(link(ps, "policy1", "for bob", "bob", NULL, &f), ERR_OK);
    const struct cedar_policy *p = cedar_policy_find(ps, STR("for alice"));
    assert_ptr_equal(p->link_of, ps->policy[0]);
    assert_true(!p->is_template && ps->policy[0]->is_template && ps->n == 5);
    cedar_print_policy(p, &text);
    cedar_print_policy(cedar_policy_find(ps, STR("for bob")), &text);
    texts_equal(&text, "@t('x')\n"
                       "permit(principal in User::'alice', action, resource is Photo in Album::'trip')\n"
                       "when { context.a };\n"
                       "permit(principal == User::'bob', action, resource);\n");
    cedar_policies_free(ps);
}

static void a_link_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *template_id, *id, *principal, *resource;
        enum err err;
        const char *says;
    } rows[] = {
        {"policy9", "l", "a", "b", ERR_NOT_FOUND, "there is no template `policy9`"},
        {"policy2", "l", NULL, NULL, ERR_SYNTAX, "`policy2` is no template: it has no slots to fill"},
        {"policy0", "l", "a", NULL, ERR_SYNTAX, "the template `policy0` has the slot ?resource: say what fills it"},
        {"policy0", "l", NULL, "b", ERR_SYNTAX, "the template `policy0` has the slot ?principal: say what fills it"},
        {"policy1", "l", "a", "b", ERR_SYNTAX, "the template `policy1` has no slot ?resource: leave it out"},
        {"policy0", "policy1", "a", "b", ERR_SYNTAX, "there is a policy `policy1` already: give this one another id"},
    };
    struct cedar_policies *ps = with_template();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f;
        assert_int_equal(link(ps, rows[i].template_id, rows[i].id, rows[i].principal, rows[i].resource, &f),
                         rows[i].err);
        assert_string_equal(f.text, rows[i].says);
        assert_int_equal(ps->n, 3);
    }
    cedar_policies_free(ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_the_template_with_its_slots_filled),
        cmocka_unit_test(a_link_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

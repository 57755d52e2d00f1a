/* What Slack says when a button is pressed. */
#include "../unit.h"
#include "notify/inner.h"

#define DIGEST "abababababababababababababababababababababababababababababababab"
#define PAYLOAD(action, more)                                                                                          \
    "{'type':'block_actions','user':{'id':'U0ANNA'},'channel':{'id':'C1'},'message':{'ts':'1.2'},'actions':[{"         \
    "'action_id':'" action "','value':'" DIGEST "'}" more "]}"

static enum err heard(const char *payload, struct slack_press *ret, struct arena *a)
{
    char text[1024], form[4096] = "payload=";
    struct fault f;
    snprintf(text, sizeof(text), "%s", payload);
    quotes(text);
    char *at = form + strlen(form);
    for (const char *c = text; *c; c++)
        at += snprintf(at, 4, "%%%02X", (unsigned)(unsigned char)*c);
    return slack_heard(arena_str(a, str_of(form)), a, ret, &f);
}

static void a_press_names_the_question_and_what_was_looked_at(void **state)
{
    (void)state;
    struct arena a;
    struct slack_press p;
    arena_init(&a, 1u << 20);
    assert_int_equal(heard(PAYLOAD("approve_apr_01M8", ""), &p, &a), ERR_OK);
    assert_true(p.approve && str_is(p.id, "apr_01M8") && str_is(p.digest, DIGEST) && str_is(p.user, "U0ANNA"));
    assert_int_equal(heard(PAYLOAD("deny_apr_01M8", ""), &p, &a), ERR_OK);
    assert_false(p.approve);
    arena_done(&a);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const none[] = {PAYLOAD("approve", ""),
                                       PAYLOAD("approve_", ""),
                                       PAYLOAD("approve_apr_", ""),
                                       PAYLOAD("approve_sess_01", ""),
                                       PAYLOAD("APPROVE_apr_01M8", ""),
                                       PAYLOAD("grant_apr_01M8", ""),
                                       PAYLOAD("approve_apr_01/..", ""),
                                       PAYLOAD("deny_apr_1", ",{'a':1}"),
                                       "{'type':'view_submission'}",
                                       "[]",
                                       "{}",
                                       ""};
    struct arena a;
    struct slack_press p;
    arena_init(&a, 1u << 20);
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_not_equal(heard(none[i], &p, &a), ERR_OK);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_press_names_the_question_and_what_was_looked_at),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

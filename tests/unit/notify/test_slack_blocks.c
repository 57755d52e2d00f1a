/* What is in a message, and what is not: a button that approves only with all that there is to see. */
#include "../unit.h"
#include "notify/inner.h"

static struct str message(bool approve, size_t long_value, bool over, struct arena *a)
{
    static const char secret[] = "signing";
    struct secret *key = secret_new(secret, sizeof(secret) - 1);
    struct conf_channel conf = {.secret = key, .approve = approve};
    struct slack_message to = {.conf = &conf, .channel = STR("C1")};
    char *value = arena_raw(a, long_value + 1, 1);
    memset(value, 'x', long_value);
    struct view_field field = {.name = STR("message"), .value = {value, long_value}};
    struct notify_message m = {.over = over, .end = over ? STR("Denied by anna (slack) at …") : STR_NONE};
    m.view.headline = STR("a <!channel> & b");
    m.view.section[VIEW_EFFECT] =
        (struct view_section){.part = VIEW_EFFECT, .title = STR("What it does"), .field = &field, .n = 1};
    m.card.id = STR("apr_1");
    struct buf b;
    buf_init(&b, 1u << 20);
    slack_blocks(&to, &m, a, &b);
    struct str text = arena_buf(a, &b);
    buf_done(&b);
    secret_free(key);
    return text;
}

static bool has(struct str s, const char *what)
{
    return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static void it_is_approved_only_where_the_channel_may_and_all_is_shown(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1u << 24);
    assert_true(has(message(true, 100, false, &a), "\"approve_apr_1\""));
    assert_true(has(message(true, 11000, false, &a), "\"approve_apr_1\""));
    struct str cut = message(true, 13000, false, &a);
    assert_false(has(cut, "approve_apr_1"));
    assert_true(has(cut, "This is not all of it") && has(cut, "deny_apr_1"));
    assert_false(has(message(false, 100, false, &a), "approve_apr_1"));
    struct str over = message(true, 100, true, &a);
    assert_false(has(over, "_apr_1") || has(over, "actions"));
    assert_true(has(over, "Denied by anna"));
    arena_done(&a);
}

static void the_text_of_notifications_knows_no_signs_of_slack(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1u << 24);
    assert_true(has(message(true, 1, false, &a), "\"text\":\"a &lt;!channel&gt; &amp; b\""));
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_approved_only_where_the_channel_may_and_all_is_shown),
        cmocka_unit_test(the_text_of_notifications_knows_no_signs_of_slack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

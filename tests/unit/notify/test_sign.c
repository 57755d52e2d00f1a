/* Who says it. Slack's vector is the one of its documentation. */
#include "../unit.h"
#include "notify/inner.h"

#define SLACK_BODY                                                                                                     \
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name="      \
    "foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks." \
    "slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."  \
    "803a0bc887a14d10d2c447fce8b6703c"
#define SLACK_SIGNATURE "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
enum { SLACK_TIME = 1531420618 };

static enum err slack(const char *time, const char *signature, const char *body, int64_t now)
{
    static const char text[] = "8f742231b10e8888abcd99yyyzzz85a5";
    struct secret *key = secret_new(text, sizeof(text) - 1);
    unsigned char sum[SHA256_BYTES];
    struct fault f;
    enum err e = slack_verify(key, str_of(time), str_of(signature), str_of(body), now, sum, &f);
    secret_free(key);
    return e;
}

static void the_vector_of_slack_holds(void **state)
{
    (void)state;
    assert_int_equal(slack("1531420618", SLACK_SIGNATURE, SLACK_BODY, SLACK_TIME), ERR_OK);
    assert_int_equal(slack("1531420618", SLACK_SIGNATURE, SLACK_BODY "x", SLACK_TIME), ERR_ROLE);
    assert_int_equal(slack("1531420619", SLACK_SIGNATURE, SLACK_BODY, SLACK_TIME), ERR_ROLE);
    assert_int_equal(slack("", SLACK_SIGNATURE, SLACK_BODY, SLACK_TIME), ERR_ROLE);
    assert_int_equal(slack("1531420618", "", SLACK_BODY, SLACK_TIME), ERR_ROLE);
    assert_int_equal(slack("1531420618", "v0=", SLACK_BODY, SLACK_TIME), ERR_ROLE);
}

static void it_is_good_for_five_minutes_either_way(void **state)
{
    (void)state;
    static const struct {
        int64_t skew;
        enum err err;
    } cases[] = {{300, ERR_OK}, {301, ERR_ROLE}, {-300, ERR_OK}, {-301, ERR_ROLE}, {INT64_MAX / 2, ERR_ROLE}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(slack("1531420618", SLACK_SIGNATURE, SLACK_BODY, SLACK_TIME + cases[i].skew), cases[i].err);
}

static void one_of_pagerduty_s_signatures_is_enough(void **state)
{
    (void)state;
    struct secret *key = secret_new("key", 3);
    unsigned char sum[SHA256_BYTES];
    struct str body = STR("{}");
    char hex[2 * SHA256_BYTES + 1], list[400];
    struct fault f;
    assert_int_equal(notify_hmac(key, &body, 1, sum, &f), ERR_OK);
    enc_hex(sum, sizeof(sum), hex);
    snprintf(list, sizeof(list), "v1=%064d, v1=%s", 0, hex);
    assert_int_equal(pagerduty_verify(key, str_of(list), body, &f), ERR_OK);
    assert_int_equal(pagerduty_verify(key, str_of(list), STR("{ }"), &f), ERR_ROLE);
    snprintf(list, sizeof(list), "v2=%s", hex);
    assert_int_equal(pagerduty_verify(key, str_of(list), body, &f), ERR_ROLE);
    assert_int_equal(pagerduty_verify(key, STR_NONE, body, &f), ERR_ROLE);
    secret_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_slack_holds),
        cmocka_unit_test(it_is_good_for_five_minutes_either_way),
        cmocka_unit_test(one_of_pagerduty_s_signatures_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

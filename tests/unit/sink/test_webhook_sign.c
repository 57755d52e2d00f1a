/* Signatures of Standard Webhooks. The vector is the one that the specification's own libraries are tested with. */
#include "../unit.h"
#include "sink/webhook.h"

#include <string.h>

static struct secret *key_of(const char *text, enum err want)
{
    struct secret *s = secret_new(text, strlen(text)), *key = NULL;
    struct fault f = {.text = ""};
    assert_int_equal(webhook_key(s, &key, &f), want);
    if (want && strlen(text) > 6)
        assert_null(strstr(f.text, text + 6)); /* a secret is not repeated */
    secret_free(s);
    return key;
}

static void the_vector_of_the_specification_holds(void **state)
{
    (void)state;
    char got[WEBHOOK_SIGNATURE];
    struct fault f;
    struct secret *key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ERR_OK);
    assert_int_equal(
        webhook_sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, STR("{\"test\": 2432232314}"), got, &f), ERR_OK);
    assert_string_equal(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    secret_free(key);
    key = key_of("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ERR_OK); /* without its prefix the same */
    assert_int_equal(
        webhook_sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, STR("{\"test\": 2432232314}"), got, &f), ERR_OK);
    assert_string_equal(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    secret_free(key);
}

static void a_key_is_24_to_64_bytes_in_base64(void **state)
{
    (void)state;
    char text[200] = "whsec_";
    key_of("whsec_", ERR_CONFIG);
    key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w", ERR_CONFIG);
    key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", ERR_CONFIG); /* 22 */
    memset(text + 6, 'A', 88);
    memcpy(text + 6 + 86, "==", 2);
    secret_free(key_of(text, ERR_OK)); /* 64 */
    memset(text + 6, 'A', 88);
    key_of(text, ERR_CONFIG); /* 66 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_the_specification_holds),
        cmocka_unit_test(a_key_is_24_to_64_bytes_in_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

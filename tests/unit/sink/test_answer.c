/* What the other side's answer means, and which addresses are some. */
#include "../unit.h"
#include "sink/address.h"
#include "sink/answer.h"

static void only_2xx_takes(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        const struct sink_http_answer a = {.status = status, .retry_after_ms = -1};
        struct sink_told told = {0};
        struct fault f;
        assert_int_equal(sink_answer(&a, &told, &f), status / 100 == 2 ? ERR_OK : ERR_UNREACHABLE);
        assert_true(told.pause_ms == (status == 410 ? 3600000 : 0));
    }
}

static void who_asks_for_a_pause_gets_one(void **state)
{
    (void)state;
    const struct sink_http_answer a = {.status = 503, .retry_after_ms = 7000};
    struct sink_told told = {0};
    struct fault f;
    assert_int_equal(sink_answer(&a, &told, &f), ERR_UNREACHABLE);
    assert_int_equal(told.pause_ms, 7000);
}

static void rejected(const char *json, uint64_t want)
{
    char text[300], reason[40] = "";
    uint64_t n = 0;
    strcpy(text, json);
    bool said = sink_answer_partial(str_of(quotes(text)), &n, reason, sizeof(reason));
    assert_int_equal(said, want > 0);
    if (want) {
        assert_true(n == want);
        assert_string_equal(reason, "too old");
    }
}

static void records_that_were_refused_are_counted(void **state)
{
    (void)state;
    rejected("{'partialSuccess':{'rejectedLogRecords':'3','errorMessage':'too old'}}", 3);
    rejected("{'partialSuccess':{'rejectedLogRecords':3,'errorMessage':'too old'}}", 3);
    rejected("{'partialSuccess':{'rejectedSpans':'9007199254740993','errorMessage':'too old'}}", 9007199254740993);
    rejected("{'partialSuccess':{'rejectedSpans':'0','errorMessage':'a warning'}}", 0);
    rejected("{'partialSuccess':{}}", 0);
    rejected("{'partialSuccess':{'rejectedSpans':-1}}", 0);
    rejected("{}", 0);
    rejected("", 0);
    rejected("not json", 0);
}

static void stored(const char *json, enum err want, const char *word)
{
    char text[300];
    struct fault f = {.text = ""};
    strcpy(text, json);
    assert_int_equal(sink_answer_stored(str_of(quotes(text)), &f), want);
    if (word)
        assert_non_null(strstr(f.text, word));
}

static void a_stream_says_that_it_has_stored_it_or_it_has_not(void **state)
{
    (void)state;
    stored("{'stream':'AUDIT','seq':12}", ERR_OK, NULL);
    stored("{'stream':'AUDIT','seq':12,'duplicate':true,'domain':'hub'}", ERR_OK, NULL);
    stored("{'stream':'','seq':0,'error':{'code':503,'description':'maximum messages exceeded'}}", ERR_UNREACHABLE,
           "refuses: maximum messages exceeded");
    stored("{'error':{}}", ERR_UNREACHABLE, "does not say why");
    static const char *const nothing[] = {
        "",
        "+OK",
        "{}",
        "[]",
        "{'stream':'AUDIT'}",
        "{'seq':12}",
        "{'stream':'AUDIT','seq':0}",
        "{'stream':7,'seq':12}",
    };
    for (size_t i = 0; i < COUNT(nothing); i++)
        stored(nothing[i], ERR_UNREACHABLE, "no JetStream");
}

static void addresses_have_a_host_and_a_port(void **state)
{
    (void)state;
    struct sink_address a;
    struct fault f;
    assert_int_equal(sink_address_parse(STR("tcp://logs.example"), "tcp", "601", &a, &f), ERR_OK);
    assert_string_equal(a.host, "logs.example");
    assert_string_equal(a.port, "601");
    assert_false(a.tls);
    assert_int_equal(sink_address_parse(STR("tls://[2001:db8::1]:80"), "tcp", "6514", &a, &f), ERR_OK);
    assert_string_equal(a.host, "2001:db8::1");
    assert_string_equal(a.port, "80");
    assert_true(a.tls);
    static const char *const wrong[] = {
        "",
        "tcp",
        "tcp://",
        "tcp:logs",
        "udp://logs:514",
        "tcp://logs:0",
        "tcp://l:65536",
        "tcp://l/x",
        "tcp://a:b@l:601",
        "tcp://l:601?x",
        "tcp://l:601#x",
        "nats://l:4222",
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (sink_address_parse(str_of(wrong[i]), "tcp", "601", &a, &f) != ERR_CONFIG)
            fail_msg("taken: %s", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_2xx_takes),
        cmocka_unit_test(who_asks_for_a_pause_gets_one),
        cmocka_unit_test(records_that_were_refused_are_counted),
        cmocka_unit_test(a_stream_says_that_it_has_stored_it_or_it_has_not),
        cmocka_unit_test(addresses_have_a_host_and_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Counting in many threads, and the text that a scraper reads. */
#include <pthread.h>

#include "../unit.h"

#include "meter/meter.h"

enum { THREADS = 4, TIMES = 20000 };

static void *counts(void *arg)
{
    (void)arg;
    for (int i = 0; i < TIMES; i++) {
        meter_add(METER_ALLOWED, 1);
        meter_add(METER_CALLS_OPEN, 1);
        meter_observe(METER_CALL_SECONDS, 1000000);
    }
    return NULL;
}

static void *ends_calls(void *arg)
{
    (void)arg;
    for (int i = 0; i < THREADS * TIMES; i++)
        meter_add(METER_CALLS_OPEN, -1);
    return NULL;
}

static void nothing_to_look_up(void *ctx, struct meter_out *o, enum meter_family f)
{
    (void)ctx;
    (void)o;
    (void)f;
}

static struct buf written(bool open_metrics)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    meter_write(&b, open_metrics, nothing_to_look_up, NULL);
    buf_char(&b, 0);
    assert_false(buf_failed(&b));
    return b;
}

static void assert_says(const struct buf *b, const char *line)
{
    if (!strstr(b->p, line))
        fail_msg("\"%s\" is not in\n%s", line, b->p);
}

static void what_threads_counted_is_added_up_and_outlives_them(void **state)
{
    (void)state;
    pthread_t t[THREADS], last;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, counts, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(meter_sum(METER_ALLOWED), THREADS * TIMES);
    assert_int_equal(meter_sum(METER_CALLS_OPEN), THREADS * TIMES);
    assert_int_equal(pthread_create(&last, NULL, ends_calls, NULL), 0);
    pthread_join(last, NULL);
    assert_int_equal(meter_sum(METER_CALLS_OPEN), 0); /* one took away what others had added */
    struct buf b = written(false);
    assert_says(&b, "\ndoorward_decisions_total{effect=\"allow\"} 80000\n");
    assert_says(&b, "\ndoorward_call_seconds_count 80000\n");
    assert_says(&b, "\ndoorward_call_seconds_sum 80\n");
    buf_done(&b);
}

static void a_time_is_in_the_bucket_of_its_bound_and_in_all_above(void **state)
{
    (void)state;
    meter_observe(METER_SERVER_SECONDS, 0);
    meter_observe(METER_SERVER_SECONDS, 1000000); /* 1 ms itself */
    meter_observe(METER_SERVER_SECONDS, 1000001);
    meter_observe(METER_SERVER_SECONDS, INT64_C(3600) * 1000000000);
    struct buf b = written(false);
    assert_says(&b, "doorward_server_seconds_bucket{le=\"0.0001\"} 1\n");
    assert_says(&b, "doorward_server_seconds_bucket{le=\"0.001\"} 2\n");
    assert_says(&b, "doorward_server_seconds_bucket{le=\"0.0025\"} 3\n");
    assert_says(&b, "doorward_server_seconds_bucket{le=\"60\"} 3\n");
    assert_says(&b, "doorward_server_seconds_bucket{le=\"+Inf\"} 4\n");
    assert_says(&b, "doorward_server_seconds_count 4\n");
    buf_done(&b);
}

static void a_status_counts_for_its_face_and_class(void **state)
{
    (void)state;
    meter_request(METER_REQUESTS_REST_2XX, 204);
    meter_request(METER_REQUESTS_REST_2XX, 404);
    meter_request(METER_REQUESTS_REST_2XX, 429);
    meter_request(METER_REQUESTS_REST_2XX, 503);
    meter_request(METER_REQUESTS_REST_2XX, 0); /* never answered */
    meter_request(METER_REQUESTS_REST_2XX, 999);
    struct buf b = written(false);
    assert_says(&b, "doorward_requests_total{face=\"rest\",status=\"2xx\"} 1\n");
    assert_says(&b, "doorward_requests_total{face=\"rest\",status=\"3xx\"} 0\n");
    assert_says(&b, "doorward_requests_total{face=\"rest\",status=\"4xx\"} 2\n");
    assert_says(&b, "doorward_requests_total{face=\"rest\",status=\"5xx\"} 1\n");
    buf_done(&b);
}

static void open_metrics_names_families_its_own_way_and_says_where_it_ends(void **state)
{
    (void)state;
    struct buf prometheus = written(false), open = written(true);
    assert_says(&prometheus, "# TYPE doorward_decisions_total counter\n");
    assert_says(&prometheus, "# TYPE doorward_build_info gauge\n");
    assert_null(strstr(prometheus.p, "# EOF"));
    assert_says(&open, "# TYPE doorward_decisions counter\n");
    assert_says(&open, "# TYPE doorward_build info\n");
    assert_says(&open, "\ndoorward_decisions_total{effect=\"allow\"} ");
    assert_says(&open, "_bucket{le=\"60.0\"} ");
    assert_string_equal(open.p + open.n - 1 - strlen("# EOF\n"), "# EOF\n");
    buf_done(&prometheus);
    buf_done(&open);
}

static void a_label_cannot_break_out_of_its_quotes(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 256);
    meter_label(&b, "server", STR("a\"b\\c\nd"));
    assert_true(str_is(buf_view(&b), "server=\"a\\\"b\\\\c\\nd\""));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_threads_counted_is_added_up_and_outlives_them),
        cmocka_unit_test(a_time_is_in_the_bucket_of_its_bound_and_in_all_above),
        cmocka_unit_test(a_status_counts_for_its_face_and_class),
        cmocka_unit_test(open_metrics_names_families_its_own_way_and_says_where_it_ends),
        cmocka_unit_test(a_label_cannot_break_out_of_its_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Token buckets, with a clock of the test's own. */
#include "../unit.h"

#include "store/bucket.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

static const struct conf_rate per_minute = {60, 60000};

static bool take(struct lease_bucket *b, int64_t now, struct lease_verdict *ret)
{
    struct bucket_use use = {b, "agent"};
    bucket_take_all(&use, 1, now, ret);
    return ret->answer == LEASE_GRANTED;
}

static unsigned take_all(struct lease_bucket *b, int64_t now)
{
    struct lease_verdict v;
    unsigned n = 0;
    while (n < 1000000 && take(b, now, &v))
        n++;
    return n;
}

static void a_full_bucket_holds_the_rate_and_refills_evenly(void **state)
{
    (void)state;
    struct lease_bucket *b = bucket_new(&per_minute);
    int64_t now = 1000 * SECOND;
    assert_int_equal(take_all(b, now), 60);
    assert_int_equal(take_all(b, now + SECOND - 1), 0);
    assert_int_equal(take_all(b, now + SECOND), 1);
    assert_int_equal(take_all(b, now + 11 * SECOND), 10);
    assert_int_equal(take_all(b, now + 3600 * SECOND), 60); /* never more than it holds */
    bucket_free(b);
}

static void a_refusal_says_when_the_next_has_a_chance(void **state)
{
    (void)state;
    struct lease_bucket *b = bucket_new(&per_minute);
    struct lease_verdict v;
    int64_t now = 1000 * SECOND;
    take_all(b, now);
    assert_false(take(b, now, &v));
    assert_int_equal(v.err, ERR_RATE);
    assert_string_equal(v.limit, "agent");
    assert_in_range(v.retry_after_ms, 1000, 1001);
    assert_false(take(b, now + 700 * SECOND / 1000, &v));
    assert_in_range(v.retry_after_ms, 300, 301);
    assert_true(take(b, now + 700 * SECOND / 1000 + v.retry_after_ms * 1000000, &v)); /* and then it is so */
    bucket_free(b);
}

static void all_buckets_give_or_none(void **state)
{
    (void)state;
    static const struct conf_rate two = {2, 60000};
    struct lease_bucket *wide = bucket_new(&per_minute), *narrow = bucket_new(&two);
    struct bucket_use use[] = {{wide, "session"}, {narrow, "tool"}};
    struct lease_verdict v;
    for (unsigned i = 0; i < 10; i++) {
        bucket_take_all(use, 2, SECOND, &v);
        assert_int_equal(v.answer == LEASE_GRANTED, i < 2);
    }
    assert_string_equal(v.limit, "tool");
    assert_int_equal(take_all(wide, SECOND), 58); /* what was refused cost nothing */
    bucket_free(wide);
    bucket_free(narrow);
}

static void no_memory_for_a_bucket_refuses(void **state)
{
    (void)state;
    struct lease_verdict v;
    assert_false(take(NULL, SECOND, &v));
    assert_int_equal(v.err, ERR_RATE);
    assert_true(v.retry_after_ms > 0);
}

static void no_rate_is_no_limit(void **state)
{
    (void)state;
    struct lease_bucket *b = bucket_new(&(struct conf_rate){0});
    assert_int_equal(take_all(b, SECOND), 1000000);
    bucket_free(b);
}

struct race {
    struct lease_bucket *bucket;
    _Atomic unsigned granted;
};

static void *race_thread(void *arg)
{
    struct race *r = arg;
    r->granted += take_all(r->bucket, SECOND);
    return NULL;
}

static void threads_together_get_no_token_too_many(void **state)
{
    (void)state;
    static const struct conf_rate rate = {10000, 3600000};
    struct race r = {bucket_new(&rate), 0};
    pthread_t thread[8];
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, race_thread, &r), 0);
    for (unsigned i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(r.granted, 10000);
    bucket_free(r.bucket);
}

static void a_bucket_is_one_for_its_agent_and_tool_and_takes_a_new_rate(void **state)
{
    (void)state;
    struct buckets *all = buckets_new();
    struct conf_rate rate = per_minute;
    struct lease_bucket *b = buckets_get(all, STR("both"), STR("a"), STR("x/y"), &rate);
    assert_ptr_equal(buckets_get(all, STR("both"), STR("a"), STR("x/y"), &rate), b);
    assert_ptr_not_equal(buckets_get(all, STR("both"), STR("ax/"), STR("y"), &rate), b);
    assert_ptr_not_equal(buckets_get(all, STR("tool"), STR("a"), STR("x/y"), &rate), b);
    assert_int_equal(take_all(b, SECOND), 60);
    rate.count = 30; /* the same minute, half the tokens: each takes twice as long */
    b = buckets_get(all, STR("both"), STR("a"), STR("x/y"), &rate);
    assert_int_equal(take_all(b, 61 * SECOND), 30);
    assert_int_equal(take_all(b, 65 * SECOND), 2);
    buckets_free(all);
}

static void full_buckets_are_forgotten_and_others_are_not(void **state)
{
    (void)state;
    enum { INVENTED = 200000 };
    struct buckets *all = buckets_new();
    struct lease_verdict v;
    char name[32];
    for (unsigned i = 0; i < INVENTED; i++) {
        snprintf(name, sizeof(name), "agt_%u", i);
        assert_non_null(buckets_get(all, STR("agent"), str_of(name), STR_NONE, &per_minute));
    }
    assert_null(buckets_get(all, STR("agent"), STR("one more"), STR_NONE, &per_minute)); /* a bound, and it refuses */
    take_all(buckets_get(all, STR("agent"), STR("agt_7"), STR_NONE, &per_minute), SECOND);
    buckets_sweep(all, SECOND);
    assert_non_null(buckets_get(all, STR("agent"), STR("one more"), STR_NONE, &per_minute));
    assert_false(take(buckets_get(all, STR("agent"), STR("agt_7"), STR_NONE, &per_minute), SECOND, &v));
    buckets_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_holds_the_rate_and_refills_evenly),
        cmocka_unit_test(a_refusal_says_when_the_next_has_a_chance),
        cmocka_unit_test(all_buckets_give_or_none),
        cmocka_unit_test(no_memory_for_a_bucket_refuses),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(threads_together_get_no_token_too_many),
        cmocka_unit_test(a_bucket_is_one_for_its_agent_and_tool_and_takes_a_new_rate),
        cmocka_unit_test(full_buckets_are_forgotten_and_others_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Assertions that were used: each counts once, and when no more can be remembered none is taken. */
#include "../unit.h"

#include <pthread.h>
#include <stdio.h>

#include "oauth/oauth.h"

static void a_jti_counts_once_for_its_agent(void **state)
{
    (void)state;
    struct replay *r = replay_new();
    assert_int_equal(ERR_OK, replay_first(r, STR("a"), STR("1"), 1000, 0));
    assert_int_equal(ERR_CLIENT_AUTH, replay_first(r, STR("a"), STR("1"), 1000, 0));
    assert_int_equal(ERR_CLIENT_AUTH,
                     replay_first(r, STR("a"), STR("1"), 9000, 999)); /* a later expiry makes it no other one */
    assert_int_equal(ERR_OK, replay_first(r, STR("a"), STR("2"), 1000, 0));
    assert_int_equal(ERR_OK, replay_first(r, STR("b"), STR("1"), 1000, 0));
    assert_int_equal(ERR_OK, replay_first(r, STR("ab"), STR(""), 1000, 0)); /* where the id ends counts */
    assert_int_equal(ERR_OK, replay_first(r, STR("a"), STR("b"), 1000, 0));
    replay_free(r);
}

static void what_is_over_is_forgotten(void **state)
{
    (void)state;
    struct replay *r = replay_new();
    assert_int_equal(ERR_OK, replay_first(r, STR("a"), STR("1"), 1000, 0));
    assert_int_equal(ERR_CLIENT_AUTH, replay_first(r, STR("a"), STR("1"), 1000, 999));
    assert_int_equal(ERR_OK, replay_first(r, STR("a"), STR("1"), 2000, 1000));
    replay_free(r);
}

static void a_full_table_refuses_and_takes_again_when_something_is_over(void **state)
{
    (void)state;
    struct replay *r = replay_new();
    char jti[32];
    unsigned taken = 0;
    for (unsigned i = 0; i < 1000000; i++, taken++) {
        snprintf(jti, sizeof(jti), "%u", i);
        if (replay_first(r, STR("a"), str_of(jti), i ? 1000 : 500, 0))
            break;
    }
    assert_in_range(taken, 100000, 500000); /* bounded, and not small */
    assert_int_equal(ERR_CLIENT_AUTH, replay_first(r, STR("b"), STR("new"), 1000, 0));
    assert_int_equal(ERR_CLIENT_AUTH, replay_first(r, STR("a"), STR("1"), 1000, 0)); /* what it holds it still knows */
    assert_int_equal(ERR_OK, replay_first(r, STR("b"), STR("new"), 1000, 500));
    assert_int_equal(ERR_CLIENT_AUTH, replay_first(r, STR("b"), STR("newer"), 1000, 500));
    assert_int_equal(ERR_OK, replay_first(r, STR("b"), STR("newer"), 2000, 1000));
    replay_free(r);
}

static void an_id_beyond_all_bounds_is_refused(void **state)
{
    (void)state;
    static char jti[2048];
    struct replay *r = replay_new();
    memset(jti, 'j', sizeof(jti));
    assert_int_equal(ERR_CLIENT_AUTH, replay_first(r, STR("a"), (struct str){jti, sizeof(jti)}, 1000, 0));
    replay_free(r);
}

enum { THREADS = 4, EACH = 2000 };

struct user {
    struct replay *r;
    pthread_barrier_t *start;
    unsigned first;
};

static void *use_all(void *p)
{
    struct user *u = p;
    char jti[32];
    pthread_barrier_wait(u->start);
    for (unsigned i = 0; i < EACH; i++) {
        snprintf(jti, sizeof(jti), "%u", i);
        u->first += replay_first(u->r, STR("a"), str_of(jti), 1000, 0) == ERR_OK;
    }
    return NULL;
}

static void of_all_who_use_one_at_once_one_is_first(void **state)
{
    (void)state;
    struct replay *r = replay_new();
    struct user user[THREADS];
    pthread_t thread[THREADS];
    pthread_barrier_t start;
    unsigned first = 0;
    pthread_barrier_init(&start, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        user[i] = (struct user){r, &start, 0};
        pthread_create(&thread[i], NULL, use_all, &user[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        first += user[i].first;
    }
    assert_int_equal(first, EACH);
    pthread_barrier_destroy(&start);
    replay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jti_counts_once_for_its_agent),
        cmocka_unit_test(what_is_over_is_forgotten),
        cmocka_unit_test(a_full_table_refuses_and_takes_again_when_something_is_over),
        cmocka_unit_test(an_id_beyond_all_bounds_is_refused),
        cmocka_unit_test(of_all_who_use_one_at_once_one_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

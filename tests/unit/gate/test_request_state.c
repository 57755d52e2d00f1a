/* requestState: what a client is given is good for the same call of the same session of the same agent, for a while. */
#include "../folder.h"

#include <sys/stat.h>

#include "gate/request_state.h"

static const struct request_state_of call = {{"support-1", 9},   {"sess_1", 6}, {"desk", 4},
                                             {"tools/call", 10}, {"refund", 6}, {"aa11", 4}};
static struct request_states *seals;
static struct arena arena;

static enum err opened(const struct request_states *s, const struct request_state_of *of, struct str text, int64_t now,
                       struct request_state *ret)
{
    struct fault f;
    int64_t until = 0;
    enum err e = request_state_read(s, of, text, now, &arena, ret, &until, &f);
    if (!e)
        assert_int_equal(until, 1000);
    return e;
}

static int scene_open(void **state)
{
    (void)state;
    arena_init(&arena, 1u << 20);
    seals = request_states_new();
    return seals == NULL;
}

static int scene_close(void **state)
{
    (void)state;
    arena_done(&arena);
    request_states_free(seals);
    return 0;
}

static void it_holds_what_was_put_into_it(void **state)
{
    (void)state;
    struct request_state v = {.ticket = 7, .state = STR("\"the server's own\"")}, got;
    struct str text = request_state_write(seals, &call, &v, 1000, &arena);
    assert_int_equal(opened(seals, &call, text, 999, &got), ERR_OK);
    assert_int_equal(got.ticket, 7);
    assert_true(str_eq(got.state, v.state));
    assert_null(memmem(text.p, text.n, "server", 6));
    struct request_state none = {.ticket = 1};
    text = request_state_write(seals, &call, &none, 1000, &arena);
    assert_int_equal(opened(seals, &call, text, 0, &got), ERR_OK);
    assert_null(got.state.p);
}

static void what_a_person_granted_comes_back_with_the_call_that_goes_on(void **state)
{
    (void)state;
    struct request_state v = {.state = STR("\"s\""),
                              .grant = {.id = "apr_1", .by = "anna, ben", .bound = {7, [31] = 9}}},
                         got;
    struct str text = request_state_write(seals, &call, &v, 1000, &arena);
    assert_int_equal(opened(seals, &call, text, 0, &got), ERR_OK);
    assert_memory_equal(&got.grant, &v.grant, sizeof(v.grant));
    assert_true(str_eq(got.state, v.state));
    struct request_state none = {.state = v.state};
    text = request_state_write(seals, &call, &none, 1000, &arena);
    assert_int_equal(opened(seals, &call, text, 0, &got), ERR_OK);
    assert_string_equal(got.grant.id, "");
}

static void what_was_changed_or_cut_is_refused(void **state)
{
    (void)state;
    struct request_state v = {.state = STR("\"s\"")}, got;
    struct str text = request_state_write(seals, &call, &v, 1000, &arena);
    char copy[256];
    memcpy(copy, text.p, text.n);
    for (size_t i = 0; i < text.n; i++) {
        char c = copy[i];
        copy[i] = c == 'A' ? 'B' : 'A';
        assert_int_equal(opened(seals, &call, (struct str){copy, text.n}, 0, &got), ERR_REQUEST_STATE);
        copy[i] = c;
        assert_int_equal(opened(seals, &call, (struct str){copy, i}, 0, &got), ERR_REQUEST_STATE);
    }
    assert_int_equal(opened(seals, &call, (struct str){copy, text.n}, 0, &got), ERR_OK);
}

static void it_is_of_one_call_of_one_session_only(void **state)
{
    (void)state;
    struct request_state v = {.ticket = 1}, got;
    struct str text = request_state_write(seals, &call, &v, 1000, &arena);
    for (unsigned i = 0; i < 6; i++) {
        struct request_state_of other = call;
        ((struct str *)&other)[i] = STR("another");
        assert_int_equal(opened(seals, &other, text, 0, &got), ERR_REQUEST_STATE);
    }
    struct request_state_of shifted = call; /* the same letters, cut elsewhere */
    shifted.agent = STR("support-1s");
    shifted.session = STR("ess_1");
    assert_int_equal(opened(seals, &shifted, text, 0, &got), ERR_REQUEST_STATE);
    struct request_states *of_another_process = request_states_new();
    assert_int_equal(opened(of_another_process, &call, text, 0, &got), ERR_REQUEST_STATE);
    request_states_free(of_another_process);
}

static void one_that_lasts_is_read_by_the_next_process_with_the_key_that_is_kept(void **state)
{
    char folder[64], path[128];
    struct fault f;
    struct stat st;
    struct request_state v = {.grant = {.id = "apr_1"}}, got;
    struct request_state_of of = call;
    struct request_states *next = request_states_new(), *other = request_states_new();
    (void)state;
    folder_make(folder);
    snprintf(path, sizeof(path), "%s/waits.key", folder);
    of.lasts = true;
    assert_int_equal(request_states_keep(seals, path, &f), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct str text = request_state_write(seals, &of, &v, 1000, &arena);
    assert_int_equal(request_states_keep(next, path, &f), ERR_OK);
    assert_int_equal(opened(next, &of, text, 999, &got), ERR_OK);
    assert_string_equal(got.grant.id, "apr_1");
    assert_int_equal(opened(next, &of, text, 1000, &got), ERR_REQUEST_STATE);
    assert_int_equal(opened(other, &of, text, 0, &got), ERR_REQUEST_STATE);
    assert_int_equal(opened(next, &call, text, 0, &got), ERR_REQUEST_STATE); /* and is good for nothing else */
    text = request_state_write(seals, &call, &v, 1000, &arena);
    assert_int_equal(opened(seals, &of, text, 0, &got), ERR_REQUEST_STATE);
    FILE *file = fopen(path, "w");
    fputs("no key", file);
    fclose(file);
    assert_int_equal(request_states_keep(other, path, &f), ERR_CORRUPT);
    request_states_free(next);
    request_states_free(other);
    folder_remove(folder);
}

static void it_grows_old(void **state)
{
    (void)state;
    struct request_state v = {.ticket = 1}, got;
    struct str text = request_state_write(seals, &call, &v, 1000, &arena);
    assert_int_equal(opened(seals, &call, text, 999, &got), ERR_OK);
    assert_int_equal(opened(seals, &call, text, 1000, &got), ERR_REQUEST_STATE);
}

static void it_pays_once(void **state)
{
    (void)state;
    assert_true(request_state_spend(seals, 42, 1000, 0));
    assert_false(request_state_spend(seals, 42, 1000, 0));
    assert_true(request_state_spend(seals, 43, 1000, 0));
}

static void where_it_cannot_be_noted_it_does_not_pay(void **state)
{
    (void)state;
    unsigned paid = 0;
    for (uint64_t i = 0; i < 100; i++) /* all of one slot */
        paid += request_state_spend(seals, i * 16384 + 5000, 1000, 0);
    assert_in_range(paid, 1, 99);
    assert_true(request_state_spend(seals, 5000 + (UINT64_C(1) << 40), 3000, 2000)); /* those are over by now */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_holds_what_was_put_into_it, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(what_a_person_granted_comes_back_with_the_call_that_goes_on, scene_open,
                                        scene_close),
        cmocka_unit_test_setup_teardown(what_was_changed_or_cut_is_refused, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(it_is_of_one_call_of_one_session_only, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(one_that_lasts_is_read_by_the_next_process_with_the_key_that_is_kept,
                                        scene_open, scene_close),
        cmocka_unit_test_setup_teardown(it_grows_old, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(it_pays_once, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(where_it_cannot_be_noted_it_does_not_pay, scene_open, scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

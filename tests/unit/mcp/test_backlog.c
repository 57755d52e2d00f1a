/* What clients were told, kept for when they come back: in order, once, theirs alone, bounded. */
#include "../unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mcp/backlog.h"

#define MINE ((struct backlog_of){STR("sess_1"), STR("client-a")})

static const struct backlog_bounds roomy = {1 << 20, 1 << 20, 1000000000};
static struct backlogs *table;
static uint64_t view;
static _Atomic unsigned woken;

static int set_up(void **state)
{
    (void)state;
    log_level_set(LOG_ERROR);
    table = backlogs_new();
    view = 0;
    woken = 0;
    return table ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    backlogs_free(table);
    return 0;
}

static void wake(void *ctx, struct backlog *p)
{
    (void)ctx;
    woken++;
    backlog_unref(p);
}

static struct backlog *a_stream(const struct backlog_bounds *b)
{
    struct backlog *p = backlog_new(table, MINE, b, &view);
    assert_non_null(p);
    return p;
}

/* Comes back for what is behind `position`, and is shown "a b c": what there is, "-" for each that is missing. */
static const char *rest(struct backlog *p, uint64_t position, enum backlog_state *ret_state)
{
    static char text[4096];
    uint64_t mine, missed;
    struct buf b = {.p = text, .cap = sizeof(text) - 1, .max = sizeof(text) - 1};
    *ret_state = backlog_show(p, position, wake, NULL, &mine);
    bool more = *ret_state == BACKLOG_MESSAGE || *ret_state == BACKLOG_WAITS;
    while (more) {
        size_t at = b.n;
        *ret_state = backlog_next(p, mine, &position, &missed, &b);
        memmove(text + at + missed, text + at, b.n - at);
        memset(text + at, '-', missed);
        b.n += missed;
        more = *ret_state == BACKLOG_MESSAGE;
    }
    text[b.n] = 0;
    return text;
}

static void a_client_that_comes_back_gets_what_followed_in_order(void **state)
{
    (void)state;
    enum backlog_state how;
    struct backlog *p = a_stream(&roomy);
    assert_int_equal(backlog_add(p, STR("a")), 1);
    assert_int_equal(backlog_add(p, STR("b")), 2);
    assert_int_equal(backlog_add(p, STR("c")), 3);
    assert_string_equal(rest(p, 1, &how), "bc");
    assert_int_equal(how, BACKLOG_WAITS);
    assert_string_equal(rest(p, 0, &how), "abc");
    assert_string_equal(rest(p, 3, &how), "");
    assert_int_equal(how, BACKLOG_WAITS);
    rest(p, 4, &how);
    assert_int_equal(how, BACKLOG_OVER); /* never told */
    backlog_unref(p);
}

static void after_the_answer_the_stream_ends_and_has_nothing_left(void **state)
{
    (void)state;
    enum backlog_state how;
    struct backlog *p = a_stream(&roomy);
    backlog_add(p, STR("a"));
    assert_int_equal(backlog_finish(p, STR("z"), STR("!")), 2);
    assert_string_equal(rest(p, 1, &how), "z");
    assert_int_equal(how, BACKLOG_ENDED);
    assert_string_equal(rest(p, 1, &how), "z"); /* the connection may have been lost a second time */
    assert_string_equal(rest(p, 2, &how), "");
    assert_int_equal(how, BACKLOG_ENDED);
    backlog_unref(p);
}

static void a_stream_is_found_by_its_own_client_only(void **state)
{
    (void)state;
    struct backlog *p = a_stream(&roomy), *found;
    struct str name = str_of(backlog_name(p));
    assert_ptr_equal(found = backlog_find(table, MINE, name), p);
    assert_null(backlog_find(table, (struct backlog_of){STR("sess_1"), STR("client-b")}, name));
    assert_null(backlog_find(table, (struct backlog_of){STR("sess_2"), STR("client-a")}, name));
    assert_null(backlog_find(table, MINE, STR("0000000000000000")));
    backlog_unref(found);
    backlog_unref(p);
}

static void one_connection_shows_it_the_newest(void **state)
{
    (void)state;
    uint64_t second, third, position = 0, missed;
    char bytes[8];
    struct buf b = {.p = bytes, .cap = sizeof(bytes), .max = sizeof(bytes)};
    struct backlog *p = a_stream(&roomy);
    assert_true(backlog_shown(p, view));
    backlog_add(p, STR("a"));
    assert_int_equal(woken, 0); /* the producer's own needs no word */
    assert_int_equal(backlog_show(p, 0, wake, NULL, &second), BACKLOG_MESSAGE);
    assert_false(backlog_shown(p, view));
    backlog_add(p, STR("b"));
    assert_int_equal(woken, 1);
    assert_int_equal(backlog_show(p, 0, wake, NULL, &third), BACKLOG_MESSAGE);
    assert_int_equal(backlog_next(p, second, &position, &missed, &b), BACKLOG_OVER);
    backlog_left(p, second); /* says nothing about the third */
    assert_int_equal(backlog_left_at(p), 0);
    assert_int_equal(backlog_next(p, third, &position, &missed, &b), BACKLOG_MESSAGE);
    backlog_left(p, third);
    assert_true(backlog_left_at(p) > 0);
    backlog_add(p, STR("c"));
    assert_int_equal(woken, 1);
    backlog_unref(p);
}

static void the_oldest_messages_go_and_their_number_is_told(void **state)
{
    (void)state;
    enum backlog_state how;
    struct backlog *p = a_stream(&roomy);
    for (int i = 0; i < BACKLOG_MESSAGES + 3; i++)
        backlog_add(p, STR("x"));
    const char *all = rest(p, 0, &how);
    assert_int_equal(strspn(all, "-"), 3);
    assert_int_equal(strlen(all), BACKLOG_MESSAGES + 3);
    assert_int_equal(strlen(rest(p, 2, &how)), BACKLOG_MESSAGES + 1);
    backlog_unref(p);
}

static void when_a_lease_is_full_finished_streams_go_before_messages(void **state)
{
    (void)state;
    enum backlog_state how;
    static char large[600];
    struct str one = {memset(large, 'x', sizeof(large)), sizeof(large)};
    const struct backlog_bounds tight = {2600, 1 << 20, 1000000000};
    struct backlog *open = a_stream(&tight), *over = a_stream(&tight), *now = a_stream(&tight);
    backlog_add(open, one);
    backlog_finish(over, one, STR("!"));
    backlog_add(now, one);
    backlog_add(now, one);
    assert_false(backlog_kept(over));
    assert_int_equal(strlen(rest(open, 0, &how)), sizeof(large));
    backlog_add(now, one);
    backlog_add(now, one);
    assert_string_equal(rest(open, 0, &how), "-");
    backlog_unref(open);
    backlog_unref(over);
    backlog_unref(now);
}

static void an_answer_that_is_too_large_is_kept_as_an_error(void **state)
{
    (void)state;
    enum backlog_state how;
    static char large[5000];
    const struct backlog_bounds tight = {4096, 1 << 20, 1000000000};
    struct backlog *p = a_stream(&tight);
    backlog_add(p, STR("a"));
    backlog_add(p, (struct str){large, sizeof(large)});
    backlog_finish(p, (struct str){large, sizeof(large)}, STR("too large"));
    assert_string_equal(rest(p, 0, &how), "a-too large");
    assert_int_equal(how, BACKLOG_ENDED);
    backlog_unref(p);
}

static void one_lease_takes_nothing_from_another(void **state)
{
    (void)state;
    uint64_t theirs;
    enum backlog_state how;
    static char large[1500];
    struct str one = {memset(large, 'x', sizeof(large)), sizeof(large)};
    const struct backlog_bounds shared = {4096, 4096, 1000000000};
    struct backlog *mine = a_stream(&shared);
    struct backlog *other = backlog_new(table, (struct backlog_of){STR("sess_2"), STR("client")}, &shared, &theirs);
    backlog_add(mine, one);
    backlog_add(other, one);
    backlog_add(other, one);
    backlog_add(other, one);
    assert_int_equal(strlen(rest(mine, 0, &how)), sizeof(large));
    backlog_unref(mine);
    backlog_unref(other);
}

static void a_lease_has_so_many_streams_and_none_when_nothing_may_be_kept(void **state)
{
    (void)state;
    struct backlog *p[BACKLOG_STREAMS], *more;
    const struct backlog_bounds nothing = {0, 1 << 20, 1000000000};
    assert_null(backlog_new(table, MINE, &nothing, &view));
    for (int i = 0; i < BACKLOG_STREAMS; i++)
        p[i] = a_stream(&roomy);
    assert_null(backlog_new(table, MINE, &roomy, &view));
    backlog_finish(p[7], STR("z"), STR("!"));
    assert_non_null(more = backlog_new(table, MINE, &roomy, &view));
    assert_false(backlog_kept(p[7]));
    backlog_unref(more);
    for (int i = 0; i < BACKLOG_STREAMS; i++)
        backlog_unref(p[i]);
}

static void what_nobody_comes_back_for_is_forgotten(void **state)
{
    (void)state;
    struct backlog *here = a_stream(&roomy), *away = a_stream(&roomy), *over = a_stream(&roomy);
    int64_t now = clock_mono_ns();
    backlog_left(away, view - 1);
    backlog_finish(over, STR("z"), STR("!"));
    backlogs_sweep(table, now + roomy.keep_ns / 2);
    assert_int_equal(backlogs_count(table), 3);
    backlogs_sweep(table, clock_mono_ns() + roomy.keep_ns);
    assert_int_equal(backlogs_count(table), 1);
    assert_true(backlog_kept(here));
    assert_int_equal(backlog_add(away, STR("a")), 1); /* its producer goes on, and nothing is kept */
    assert_null(backlog_find(table, MINE, str_of(backlog_name(away))));
    backlog_unref(here);
    backlog_unref(away);
    backlog_unref(over);
}

static void who_comes_too_late_is_told_so_before_the_sweep_has_come_by(void **state)
{
    (void)state;
    const struct backlog_bounds brief = {1 << 20, 1 << 20, 1};
    enum backlog_state how;
    struct backlog *p = a_stream(&brief);
    backlog_add(p, STR("a"));
    rest(p, 0, &how);
    assert_int_equal(how, BACKLOG_WAITS); /* it is here */
    backlog_left(p, view + 1);
    int64_t left = backlog_left_at(p);
    assert_true(left > 0);
    while (clock_mono_ns() - left < brief.keep_ns)
        ;
    rest(p, 0, &how);
    assert_int_equal(how, BACKLOG_OVER);
    backlog_unref(p);
}

static void all_goes_with_the_session_and_the_lease(void **state)
{
    (void)state;
    uint64_t theirs;
    struct backlog_of other = {STR("sess_1"), STR("client-b")};
    struct backlog *p = a_stream(&roomy), *q = backlog_new(table, other, &roomy, &theirs);
    backlogs_forget_session(table, MINE);
    assert_false(backlog_kept(p));
    assert_true(backlog_shown(p, view)); /* the connection that it began on is still its own */
    assert_true(backlog_kept(q));
    backlogs_forget(table, STR("sess_1"));
    assert_int_equal(backlogs_count(table), 0);
    backlog_unref(p);
    backlog_unref(q);
}

/* ---- a stream that changes hands while it is being written ---- */

enum { HANDS_MESSAGES = 900, HANDS_TURNS = 40 };

static void *hands_produce(void *ctx)
{
    char text[16];
    for (int i = 1; i <= HANDS_MESSAGES; i++) {
        snprintf(text, sizeof(text), "%d", i);
        backlog_add(ctx, str_of(text));
    }
    backlog_finish(ctx, STR("end"), STR("!"));
    return NULL;
}

static void nothing_is_lost_or_told_twice_while_it_changes_hands(void **state)
{
    (void)state;
    pthread_t producer;
    struct backlog *p = a_stream(&roomy);
    uint64_t position = 0, mine, missed, told = 0;
    enum backlog_state how = BACKLOG_WAITS;
    pthread_create(&producer, NULL, hands_produce, p);
    while (how != BACKLOG_ENDED) {
        assert_int_not_equal(backlog_show(p, position, wake, NULL, &mine), BACKLOG_OVER);
        for (int turn = 0; turn < HANDS_TURNS && how != BACKLOG_ENDED; turn++) {
            uint64_t number;
            char bytes[16];
            struct buf b = {.p = bytes, .cap = sizeof(bytes), .max = sizeof(bytes)};
            how = backlog_next(p, mine, &position, &missed, &b);
            assert_int_equal(missed, 0);
            if (how == BACKLOG_MESSAGE && str_u64(buf_view(&b), &number))
                assert_int_equal(number, ++told);
        }
    }
    pthread_join(producer, NULL);
    assert_int_equal(told, HANDS_MESSAGES);
    backlog_unref(p);
}

#define backlog_test(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        backlog_test(a_client_that_comes_back_gets_what_followed_in_order),
        backlog_test(after_the_answer_the_stream_ends_and_has_nothing_left),
        backlog_test(a_stream_is_found_by_its_own_client_only),
        backlog_test(one_connection_shows_it_the_newest),
        backlog_test(the_oldest_messages_go_and_their_number_is_told),
        backlog_test(when_a_lease_is_full_finished_streams_go_before_messages),
        backlog_test(an_answer_that_is_too_large_is_kept_as_an_error),
        backlog_test(one_lease_takes_nothing_from_another),
        backlog_test(a_lease_has_so_many_streams_and_none_when_nothing_may_be_kept),
        backlog_test(what_nobody_comes_back_for_is_forgotten),
        backlog_test(who_comes_too_late_is_told_so_before_the_sweep_has_come_by),
        backlog_test(all_goes_with_the_session_and_the_lease),
        backlog_test(nothing_is_lost_or_told_twice_while_it_changes_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Arena and buffer: what is asked beyond the bound fails, and stays failed until somebody starts anew. */
#include "base_test.h"

static void an_arena_gives_zeroed_aligned_bytes(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t n = 0; n < 300; n++) {
        unsigned char *odd = arena_raw(&a, n % 7 + 1, 1), *p = arena_alloc(&a, n);
        assert_non_null(odd);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(odd, 0xff, n % 7 + 1); /* the next one must be zero all the same */
        memset(p, 0xff, n);
    }
    assert_int_equal((uintptr_t)arena_raw(&a, 10, 64) % 64, 0);
    arena_done(&a);
}

static void nothing_is_a_place_too(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    assert_non_null(arena_alloc(&a, 0)); /* NULL would read as: no memory */
    assert_false(arena_failed(&a));
    arena_done(&a);
}

static void an_arena_stops_at_its_cap_and_stays_failed(void **state)
{
    (void)state;
    struct arena a;
    size_t got = 0;
    arena_init(&a, 10000);
    while (arena_raw(&a, 100, 1))
        got += 100;
    assert_true(got > 8000 && got <= 10000);
    assert_true(arena_failed(&a));
    assert_null(arena_raw(&a, 1, 1)); /* one byte might still be there; but the call is over */
    assert_null(arena_str(&a, STR("x")).p);
    assert_null(arena_fmt(&a, "%d", 1).p);
    arena_reset(&a);
    assert_false(arena_failed(&a));
    assert_non_null(arena_raw(&a, 100, 1));
    arena_done(&a);
}

static void a_size_without_measure_fails(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2 + 1, (1u << 20) + 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        assert_null(arena_alloc(&a, sizes[i]));
        assert_true(arena_failed(&a));
        arena_done(&a);
    }
}

static void a_reset_keeps_one_small_block(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 8 << 20);
    void *first = arena_alloc(&a, 1000);
    size_t block = a.total;
    arena_reset(&a);
    assert_int_equal(a.total, block);
    assert_ptr_equal(arena_alloc(&a, 1000), first);
    assert_non_null(arena_alloc(&a, 1 << 20));
    arena_reset(&a);
    assert_int_equal(a.total, 0); /* a block that large is given back */
    arena_done(&a);
}

static void an_arena_copies_text_with_a_zero_behind(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    struct str s = arena_str(&a, (struct str){"a\0bc", 3}), empty = arena_str(&a, STR_NONE);
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b", 4);
    assert_non_null(empty.p);
    assert_int_equal(empty.n, 0);
    assert_str(arena_fmt(&a, "%s-%05d", "order", 42), "order-00042");
    arena_done(&a);
}

static void a_buffer_takes_up_to_its_maximum(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_z(&b, "12345");
    buf_put(&b, "67890", 5);
    assert_false(buf_failed(&b));
    buf_char(&b, 'x');
    assert_true(buf_failed(&b));
    assert_int_equal(buf_error(&b), ERR_LIMIT);
    assert_str((struct str){b.p, b.n}, "1234567890"); /* nothing of what did not fit */
    buf_done(&b);
}

static void a_failed_buffer_takes_nothing_more(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_z(&b, "1234");
    buf_z(&b, "1234567");
    buf_z(&b, "5");
    assert_true(buf_failed(&b));
    assert_str((struct str){b.p, b.n}, "1234");
    assert_null(buf_view(&b).p); /* half of something is never taken for the whole */
    assert_false(buf_reserve(&b, 1));
    buf_clear(&b);
    buf_z(&b, "anew");
    assert_false(buf_failed(&b));
    assert_str(buf_view(&b), "anew");
    assert_false(buf_reserve(&b, SIZE_MAX));
    buf_done(&b);
}

static void a_buffer_writes_numbers_and_formats(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_u64(&b, 0);
    buf_char(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_fmt(&b, " %s%d", "x", -1);
    assert_str(buf_view(&b), "0 18446744073709551615 -9223372036854775808 x-1");
    buf_drop(&b, 2);
    assert_str(buf_view(&b), "18446744073709551615 -9223372036854775808 x-1");
    buf_drop(&b, 1000);
    assert_int_equal(b.n, 0);
    buf_done(&b);
}

static void a_format_that_does_not_fit_leaves_no_half(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    buf_fmt(&b, "%s", "0123456789");
    assert_true(buf_failed(&b));
    assert_int_equal(b.n, 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_gives_zeroed_aligned_bytes),
        cmocka_unit_test(nothing_is_a_place_too),
        cmocka_unit_test(an_arena_stops_at_its_cap_and_stays_failed),
        cmocka_unit_test(a_size_without_measure_fails),
        cmocka_unit_test(a_reset_keeps_one_small_block),
        cmocka_unit_test(an_arena_copies_text_with_a_zero_behind),
        cmocka_unit_test(a_buffer_takes_up_to_its_maximum),
        cmocka_unit_test(a_failed_buffer_takes_nothing_more),
        cmocka_unit_test(a_buffer_writes_numbers_and_formats),
        cmocka_unit_test(a_format_that_does_not_fit_leaves_no_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

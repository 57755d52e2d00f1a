/* Errors: stable codes, and words that stay one line of harmless UTF-8 whatever input they quote. */
#include "base_test.h"

static void every_error_has_its_own_stable_code(void **state)
{
    (void)state;
    for (int e = 0; e < ERR_COUNT; e++) {
        assert_true(err_code(e)[0] && err_help(e)[0]);
        if (e && (!err_when(e)[0] || !err_todo(e)[0]))
            fail_msg("base/err_page.def says nothing about %s", err_code(e));
        assert_int_equal(strspn(err_code(e), "abcdefghijklmnopqrstuvwxyz_"), strlen(err_code(e)));
        assert_in_range(err_http(e), 200, 599);
        for (int other = 0; other < e; other++)
            assert_string_not_equal(err_code(e), err_code(other));
    }
    assert_string_equal(err_code(ERR_RATE), "rate_limited");
    assert_int_equal(err_http(ERR_RATE), 429);
    assert_int_equal(err_rpc(ERR_SYNTAX), -32700);
    assert_string_equal(err_code(ERR_COUNT), "internal"); /* what is not there is a failure too */
    assert_string_equal(err_code(-1), "internal");
}

static void a_fault_reads_as_one_thought(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(fault_set(&f, ERR_PARAMS, "%s must be %d bytes", "x", 32), ERR_PARAMS);
    assert_string_equal(f.text, "x must be 32 bytes");
    assert_int_equal(fault_wrap(&f, "key %d", 2), ERR_PARAMS);
    assert_string_equal(f.text, "key 2: x must be 32 bytes");
    assert_int_equal(f.err, ERR_PARAMS);
    assert_int_equal(fault_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
    assert_int_not_equal(fault_wrap(NULL, "nobody listens"), ERR_OK);
}

static void what_steers_a_terminal_is_a_question_mark(void **state)
{
    (void)state;
    static const struct {
        const char *input, *shown;
    } rows[] = {
        {"a\nb\rc\td", "a?b?c?d"},
        {"\x1b[31mred\x1b[0m", "?[31mred?[0m"},
        {"del\x7f", "del?"},
        {"\xc2\x9b"
         "31m \xc2\x80 \xc2\x9f",
         "?31m ? ?"}, /* C1: one character is a whole escape */
        {"\x9b"
         "31m",
         "?31m"},                                    /* and as a bare byte */
        {"safe\xe2\x80\xaegpj.exe", "safe?gpj.exe"}, /* right-to-left override */
        {"\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c",
         "??????"},                            /* marks, embeddings, isolates */
        {"\xe2\x80\xa8\xe2\x80\xa9", "??"},    /* line and paragraph separators */
        {"\xc3\x28 \xff \xe2\x82", "?( ? ??"}, /* no UTF-8 */
        {"\xc2\xa0 \xe2\x80\xa6 \xe2\x82\xac \xe6\x98\x8e \xf0\x9f\x90\xb2",
         "\xc2\xa0 \xe2\x80\xa6 \xe2\x82\xac \xe6\x98\x8e \xf0\x9f\x90\xb2"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f;
        (void)fault_set(&f, ERR_INVALID, "%s", rows[i].input);
        assert_string_equal(f.text, rows[i].shown);
    }
}

static void a_long_fault_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const letters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\xb2", "\x80"};
    for (size_t k = 0; k < COUNT(letters); k++) {
        for (size_t shift = 0; shift < 4; shift++) {
            struct fault f;
            char text[2000] = "";
            for (size_t i = 0; i < shift; i++)
                strcat(text, "-");
            for (int i = 0; i < 400; i++)
                strcat(text, letters[k]);
            (void)fault_set(&f, ERR_INVALID, "%s", text);
            assert_true(strlen(f.text) < sizeof(f.text) && strlen(f.text) > sizeof(f.text) - 9);
            assert_true(str_utf8_valid(str_of(f.text)) && str_ends(str_of(f.text), STR("...")));
            assert_int_equal(strchr(f.text, '?') != NULL, letters[k][0] == '\x80'); /* no half of a character */
            (void)fault_wrap(&f, "%s", text); /* no room is left for what was said */
            assert_true(strlen(f.text) < sizeof(f.text) && str_utf8_valid(str_of(f.text)));
            assert_true(str_ends(str_of(f.text), STR("...")));
        }
    }
}

static void a_fault_that_just_fits_is_whole(void **state)
{
    (void)state;
    struct fault f;
    char text[sizeof(f.text)];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    (void)fault_set(&f, ERR_INVALID, "%s", text);
    assert_string_equal(f.text, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_own_stable_code),
        cmocka_unit_test(a_fault_reads_as_one_thought),
        cmocka_unit_test(what_steers_a_terminal_is_a_question_mark),
        cmocka_unit_test(a_long_fault_is_cut_between_characters),
        cmocka_unit_test(a_fault_that_just_fits_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

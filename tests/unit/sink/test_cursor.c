/* How far a sink is, in a file that is whole or is not believed. */
#include "../folder.h"
#include "sink/cursor.h"

static struct cursor at(uint64_t seq)
{
    struct cursor c = {.seq = seq};
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        c.leaf.b[i] = (unsigned char)(seq + i);
    return c;
}

static void a_cursor_is_read_as_it_was_written(void **state)
{
    (void)state;
    char dir[64], cursors[80];
    struct cursor c, want = at(1204);
    struct fault f;
    folder_make(dir);
    snprintf(cursors, sizeof(cursors), "%s/cursors", dir);
    assert_int_equal(cursor_read(cursors, STR("siem"), &c, &f), ERR_NOT_FOUND);
    assert_int_equal(cursor_write(cursors, STR("siem"), &want, &f), ERR_OK);
    want = at(UINT64_MAX);
    assert_int_equal(cursor_write(cursors, STR("siem"), &want, &f), ERR_OK);
    assert_int_equal(cursor_read(cursors, STR("siem"), &c, &f), ERR_OK);
    assert_true(c.seq == UINT64_MAX);
    assert_true(tlog_same(&c.leaf, &want.leaf));
    assert_int_equal(cursor_read(cursors, STR("bus"), &c, &f), ERR_NOT_FOUND);
    folder_remove(dir);
}

static void what_is_not_whole_is_refused(void **state)
{
    (void)state;
    char text[CURSOR_TEXT], wrong[CURSOR_TEXT];
    struct cursor c, want = at(77);
    struct fault f;
    size_t n = cursor_put(&want, text);
    assert_int_equal(cursor_parse((struct str){text, n}, &c, &f), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(cursor_parse((struct str){text, i}, &c, &f), ERR_CORRUPT);
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(wrong, text, n);
            wrong[i] = (char)(wrong[i] ^ 1 << bit);
            assert_int_equal(cursor_parse((struct str){wrong, n}, &c, &f), ERR_CORRUPT);
        }
    }
    text[n] = '\n';
    assert_int_equal(cursor_parse((struct str){text, n + 1}, &c, &f), ERR_CORRUPT);
    assert_int_equal(cursor_parse(STR_NONE, &c, &f), ERR_CORRUPT);
}

static void a_place_that_cannot_be_written_says_so(void **state)
{
    (void)state;
    char dir[64], file[80];
    struct cursor want = at(1);
    struct fault f;
    folder_make(dir);
    snprintf(file, sizeof(file), "%s/cursors", dir);
    FILE *in_the_way = fopen(file, "w");
    assert_non_null(in_the_way);
    fclose(in_the_way);
    assert_int_equal(cursor_write(file, STR("siem"), &want, &f), ERR_IO);
    assert_non_null(strstr(f.text, "siem"));
    folder_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_is_read_as_it_was_written),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(a_place_that_cannot_be_written_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

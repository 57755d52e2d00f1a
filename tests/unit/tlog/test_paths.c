/* Where tiles lie: the paths of tlog-tiles, each in its only form. */
#include "../unit.h"
#include "tlog/tlog.h"

static void is_at(unsigned level, uint64_t index, unsigned width, const char *want)
{
    char path[TLOG_PATH];
    unsigned l, w;
    uint64_t i;
    tlog_tile_path(level, index, width, path);
    assert_string_equal(path, want);
    assert_int_equal(tlog_tile_parse(str_of(path), &l, &i, &w), ERR_OK);
    assert_int_equal(l, level);
    assert_int_equal(i, index);
    assert_int_equal(w, width);
}

static void tiles_lie_in_groups_of_three_digits(void **state)
{
    (void)state;
    is_at(0, 0, 256, "tile/0/000");
    is_at(0, 999, 256, "tile/0/999");
    is_at(1, 1000, 256, "tile/1/x001/000");
    is_at(3, 1234067, 256, "tile/3/x001/x234/067"); /* the example of the specification */
    is_at(63, 1, 1, "tile/63/001.p/1");
    is_at(0, 1234067, 255, "tile/0/x001/x234/067.p/255");
    is_at(TLOG_ENTRIES, 273, 112, "tile/entries/273.p/112");
    is_at(TLOG_ENTRIES, (UINT64_C(1) << 55) - 1, 17, "tile/entries/x036/x028/x797/x018/x963/967.p/17");
}

static void nothing_else_is_a_tile_s_path(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/1",
        "tile/0/01",
        "tile/0/0001",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/x001/002/",
        "/tile/0/001",
        "tile/0/001.p",
        "tile/0/001.p/",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001.p/1/",
        "tile/0/001.q/1",
        "tile/0/x001.p/1",
        "tile/0/001.p/1.p/1",
        "tile/entry/000",
        "tile/data/000",
        "tile/0/../000",
        "tile/0/X01/000",
        "tile/0/x0a1/000",
        "tile/0/x001//000",
        "tile//000",
        "tile/0/x036/x028/x797/x018/x963/968",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/000.p/1 ",
        " tile/0/000",
        "tile/0/000\n",
        "tile/0/000.p/4294967297",
        "tile/4294967296/000",
    };
    unsigned level, width;
    uint64_t index;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (tlog_tile_parse(str_of(wrong[i]), &level, &index, &width) != ERR_SYNTAX)
            fail_msg("%s was taken for a path", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_lie_in_groups_of_three_digits),
        cmocka_unit_test(nothing_else_is_a_tile_s_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Folders for temporary files: made, and removed with whatever a stranger left in them. */
#include <sys/stat.h>
#include <unistd.h>

#include "../folder.h"
#include "box/box.h"

static int shell(const char *fmt, const char *a, const char *b)
{
    char command[1024];
    int n = snprintf(command, sizeof(command), "a=%s; b=%s; %s", a, b, fmt);
    assert_true(n > 0 && (size_t)n < sizeof(command));
    return system(command);
}

static void each_is_new_and_its_owners_alone(void **state)
{
    (void)state;
    char data[64], one[256], two[256];
    struct fault f;
    struct stat st;
    folder_make(data);
    assert_int_equal(box_tmp_make(data, STR("desk"), one, sizeof(one), &f), ERR_OK);
    assert_int_equal(box_tmp_make(data, STR("desk"), two, sizeof(two), &f), ERR_OK);
    assert_string_not_equal(one, two);
    assert_int_equal(stat(one, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_int_equal(box_tmp_make("/nonexistent", STR("desk"), one, sizeof(one), &f), ERR_IO);
    assert_non_null(strstr(f.text, "/nonexistent"));
    folder_remove(data);
}

static void removing_follows_no_link_and_stops_at_no_permission(void **state)
{
    (void)state;
    char data[64], one[256];
    struct fault f;
    folder_make(data);
    assert_int_equal(box_tmp_make(data, STR("desk"), one, sizeof(one), &f), ERR_OK);
    assert_int_equal(shell("mkdir -p $a/x/y/z $b/mine && echo 1 >$b/mine/file && ln -s $b/mine $a/x/way && ln -s "
                           "$b/mine/file $a/way && "
                           "mkfifo $a/x/pipe && touch $a/x/y/.hidden && chmod 0 $a/x/y/z && chmod 500 $a/x/y",
                           one, data),
                     0);
    box_tmp_remove(one);
    assert_int_equal(access(one, F_OK), -1);
    assert_int_equal(shell("test \"$(cat $b/mine/file)\" = 1", one, data), 0);
    folder_remove(data);
}

static void what_an_end_left_behind_is_cleared_at_the_next_start(void **state)
{
    (void)state;
    char data[64], one[256];
    struct fault f;
    folder_make(data);
    box_tmp_clear(data); /* there is nothing yet */
    assert_int_equal(box_tmp_make(data, STR("desk"), one, sizeof(one), &f), ERR_OK);
    assert_int_equal(shell("touch $a/file $b/kept", one, data), 0);
    box_tmp_clear(data);
    assert_int_equal(access(one, F_OK), -1);
    assert_int_equal(shell("test -f $b/kept", one, data), 0);
    folder_remove(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_new_and_its_owners_alone),
        cmocka_unit_test(removing_follows_no_link_and_stops_at_no_permission),
        cmocka_unit_test(what_an_end_left_behind_is_cleared_at_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

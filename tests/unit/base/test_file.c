/* Files that are there as a whole or not at all. */
#include "base_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/doorward-file-XXXXXX";
static char path[100], fresh[100];

static int a_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/is", folder);
    snprintf(fresh, sizeof(fresh), "%s/is.new", folder);
    return 0;
}

static int no_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void holds(const char *text)
{
    char there[100] = "";
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, there, sizeof(there) - 1) >= 0);
    close(fd);
    assert_string_equal(there, text);
}

static void one_file_takes_the_place_of_another(void **state)
{
    struct stat st;
    (void)state;
    assert_true(file_put(path, fresh, STR("first"), true));
    holds("first");
    assert_true(file_put(path, fresh, STR("2nd"), false));
    holds("2nd");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_not_equal(access(fresh, F_OK), 0);
}

static void what_cannot_be_put_leaves_what_was_there(void **state)
{
    char below[200];
    (void)state;
    assert_true(file_put(path, fresh, STR("kept"), false));
    snprintf(below, sizeof(below), "%s/none/new", folder);
    assert_false(file_put(path, below, STR("lost"), true));
    assert_int_equal(errno, ENOENT);
    assert_false(file_put(folder, fresh, STR("lost"), false)); /* a folder is in the way */
    assert_int_not_equal(access(fresh, F_OK), 0);
    holds("kept");
}

static void a_link_in_the_way_is_not_followed(void **state)
{
    (void)state;
    assert_true(file_put(path, fresh, STR("kept"), false));
    assert_int_equal(symlink(path, fresh), 0);
    assert_false(file_put(path, fresh, STR("lost"), false));
    assert_int_equal(errno, ELOOP);
    holds("kept");
    unlink(fresh);
}

static void a_full_disk_says_so(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    assert_false(file_write(fd, STR("bytes")));
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void a_folder_is_made_once(void **state)
{
    char sub[200];
    (void)state;
    snprintf(sub, sizeof(sub), "%s/sub", folder);
    assert_true(file_make_dir(sub, folder));
    assert_true(file_make_dir(sub, folder));
    assert_int_equal(rmdir(sub), 0);
    assert_false(file_make_dir("/dev/null/sub", "/dev"));
    assert_true(file_flush_above(path));
    assert_true(file_flush_above("of-this-folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_takes_the_place_of_another),
        cmocka_unit_test(what_cannot_be_put_leaves_what_was_there),
        cmocka_unit_test(a_link_in_the_way_is_not_followed),
        cmocka_unit_test(a_full_disk_says_so),
        cmocka_unit_test(a_folder_is_made_once),
    };
    return cmocka_run_group_tests(tests, a_folder, no_folder);
}

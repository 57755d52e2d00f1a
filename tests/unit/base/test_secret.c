/* Secrets: wiped, locked away, and read from files that are nobody else's. */
#include "../folder.h"
#include "base_test.h"

#include "base/secret.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1 /* clang says it so */
#endif
#endif

static char dir[64], path[96];

static int folder_made(void **state)
{
    (void)state;
    folder_make(dir);
    snprintf(path, sizeof(path), "%s/token", dir);
    return 0;
}

static int folder_gone(void **state)
{
    (void)state;
    folder_remove(dir);
    return 0;
}

static void file_write(const char *text, size_t n, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void a_secret_is_a_copy(void **state)
{
    (void)state;
    char mine[] = "s3cret";
    struct secret *s = secret_new(mine, 6);
    assert_non_null(s);
    secret_wipe(mine, sizeof(mine));
    assert_memory_equal(mine, "\0\0\0\0\0\0\0", 7);
    assert_int_equal(secret_len(s), 6);
    assert_memory_equal(secret_bytes(s), "s3cret", 6);
    assert_true(secret_eq(s, STR("s3cret")));
    assert_false(secret_eq(s, STR("s3creT")));
    assert_false(secret_eq(s, STR("s3cret1")));
    assert_false(secret_eq(s, STR_NONE));
    secret_freep(&s);
    assert_null(s);
    secret_freep(&s);
}

/* What a child's death was, after `deed` on a secret. */
static int death_by(void (*deed)(struct secret *s))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(9);
        struct secret *s = secret_new("0123456789abcdef", 16);
        deed(s);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void read_behind(struct secret *s)
{
    volatile unsigned char c = secret_bytes(s)[16]; /* libsodium puts the bytes right before a guard page */
    (void)c;
}

static void read_after_free(struct secret *s)
{
    const volatile unsigned char *p = secret_bytes(s);
    secret_free(s);
    (void)*p;
}

static void a_read_behind_or_after_stops_the_process(void **state)
{
    (void)state;
    assert_int_not_equal(death_by(read_behind), 0);
    assert_int_not_equal(death_by(read_after_free), 0);
}

/* The kernel's flags of the page that p is in, as /proc/self/smaps has them. */
static void page_flags(const void *p, char *ret, size_t size)
{
    char line[256];
    bool inside = false;
    unsigned long from, to;
    FILE *f = fopen("/proc/self/smaps", "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)p >= from && (uintptr_t)p < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(ret, size, "%s", line);
    }
    fclose(f);
}

static void a_secret_is_neither_swapped_nor_dumped(void **state)
{
    (void)state;
    char flags[256] = "";
    struct secret *s = secret_new("x", 1);
    page_flags(secret_bytes(s), flags, sizeof(flags));
    secret_free(s);
    assert_non_null(strstr(flags, " dd")); /* never in a core */
#ifndef __SANITIZE_ADDRESS__               /* which makes mlock do nothing */
    assert_non_null(strstr(flags, " lo")); /* never swapped */
#endif
}

static void a_file_is_read_without_its_last_newline(void **state)
{
    (void)state;
    static const struct {
        const char *file, *secret;
    } rows[] = {{"tok\n", "tok"},       {"tok\r\n", "tok"}, {"tok", "tok"},
                {" to k \n", " to k "}, {"a\nb\n", "a\nb"}, {"", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret *s = NULL;
        struct fault f = {0};
        file_write(rows[i].file, strlen(rows[i].file), 0600);
        assert_int_equal(secret_read(path, 100, true, &s, &f), ERR_OK);
        assert_true(secret_eq(s, str_of(rows[i].secret)));
        secret_free(s);
    }
}

static void refused(size_t max, bool strict, enum err want, const char *says)
{
    struct secret *s = NULL;
    struct fault f = {0};
    assert_int_equal(secret_read(path, max, strict, &s, &f), want);
    assert_null(s);
    if (!strstr(f.text, says) || !strstr(f.text, path))
        fail_msg("'%s' does not say '%s'", f.text, says);
}

static void files_that_are_refused_say_why(void **state)
{
    (void)state;
    struct secret *s = NULL;
    struct fault f;
    refused(100, false, ERR_NOT_FOUND, "No such file");
    file_write("tok", 3, 0640);
    refused(100, true, ERR_IO, "others may read or write this secret (mode 0640); chmod 600 it");
    assert_int_equal(secret_read(path, 100, false, &s, &f), ERR_OK);
    secret_free(s);
    file_write("tok", 3, 0602);
    refused(100, true, ERR_IO, "others may read or write");
    file_write("0123456789", 10, 0600);
    refused(9, true, ERR_LIMIT, "larger than 9 bytes");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    refused(100, true, ERR_IO, "not a regular file");
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes into it: must not wait */
    refused(100, true, ERR_IO, "not a regular file");
}

#define scene(f) cmocka_unit_test_setup_teardown(f, folder_made, folder_gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_a_copy),
        cmocka_unit_test(a_read_behind_or_after_stops_the_process),
        cmocka_unit_test(a_secret_is_neither_swapped_nor_dumped),
        scene(a_file_is_read_without_its_last_newline),
        scene(files_that_are_refused_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

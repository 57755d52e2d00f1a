/* Programs that are started: what they are given, what becomes of those that cannot be. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../folder.h"
#include "box/box.h"

static const char *const plain[] = {"PATH=/usr/bin:/bin", "WORD=given", NULL};
static char said[65536];

static void close_all(const struct box_process *p)
{
    close(p->in);
    close(p->out);
    close(p->err);
    close(p->handle);
}

/* Runs it to its end: what it wrote is in `said`, its exit status is returned. */
static int run(struct box_plan p)
{
    struct box_process child;
    struct fault f = {0};
    int status;
    size_t n = 0;
    p.env = p.env ? p.env : plain;
    if (box_start(&p, &child, &f))
        fail_msg("%s", f.text);
    shutdown(child.in, SHUT_WR);
    for (ssize_t got; (got = read(child.out, said + n, sizeof(said) - 1 - n)) > 0;)
        n += (size_t)got;
    said[n] = 0;
    struct pollfd end = {.fd = child.handle, .events = POLLIN};
    assert_int_equal(poll(&end, 1, 10000), 1);
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    close_all(&child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define SHELL(script)                                                                                                  \
    (const char *[])                                                                                                   \
    {                                                                                                                  \
        "sh", "-c", script, NULL                                                                                       \
    }

static void it_has_its_arguments_its_environment_and_a_session_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(run((struct box_plan){.args = SHELL("echo $WORD $HOME; pwd; exit 7"), .cwd = "/usr"}), 7);
    assert_string_equal(said, "given\n/usr\n");
    assert_int_equal(run((struct box_plan){.args = SHELL("ps -o sid= -p $$ | tr -d ' '; echo $$")}), 0);
    long sid, pid;
    assert_int_equal(sscanf(said, "%ld %ld", &sid, &pid), 2);
    assert_int_equal(sid, pid);
}

static void it_has_no_descriptors_and_no_signals_of_ours(void **state)
{
    (void)state;
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    signal(SIGPIPE, SIG_IGN);
    int leak = dup(1); /* without O_CLOEXEC, as libraries do it */
    assert_int_equal(
        run((struct box_plan){.args = SHELL("ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status")}), 0);
    close(leak);
    assert_non_null(strstr(said, "0\n1\n2\n3\n")); /* 3: ls reads the folder */
    assert_null(strstr(said, "\n4\n"));
    assert_non_null(strstr(said, "SigBlk:\t0000000000000000"));
    assert_non_null(strstr(said, "SigIgn:\t0000000000000000"));
    sigset_t now;
    sigprocmask(SIG_UNBLOCK, &usr1, &now);
    assert_true(sigismember(&now, SIGUSR1)); /* ours are as they were */
    signal(SIGPIPE, SIG_DFL);
}

static void bounds_hold_from_the_start(void **state)
{
    (void)state;
    struct box_plan p = {.args = SHELL("ulimit -v; ulimit -n; ulimit -t"),
                         .limits = {.memory = 256 << 20, .open_files = 33, .cpu = 9}};
    assert_int_equal(run(p), 0);
    assert_string_equal(said, "262144\n33\n9\n");
}

static void refused_with(struct box_plan p, const char *words)
{
    struct box_process child;
    struct fault f = {0};
    p.env = plain;
    assert_int_equal(box_start(&p, &child, &f), ERR_UPSTREAM);
    if (!strstr(f.text, words))
        fail_msg("%s", f.text);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left to wait for */
    assert_int_equal(errno, ECHILD);
}

static void what_cannot_be_started_says_why(void **state)
{
    (void)state;
    refused_with((struct box_plan){.args = (const char *[]){"no-such-program", NULL}},
                 "no-such-program cannot be started: No such file");
    refused_with((struct box_plan){.args = (const char *[]){"/nonexistent/x", NULL}}, "No such file");
    refused_with((struct box_plan){.args = (const char *[]){"/usr", NULL}}, "Permission denied");
    refused_with((struct box_plan){.args = (const char *[]){"/etc/passwd", NULL}}, "Permission denied");
    refused_with((struct box_plan){.args = (const char *[]){"sh", NULL}, .cwd = "/nonexistent"}, "No such file");
}

static void a_box_holds_for_all_that_is_started_in_it(void **state)
{
    (void)state;
    char folder[64], script[400], written[80];
    folder_make(folder);
    unsigned can = box_enforced();
    if (!(can & BOX_FILES)) {
        print_message("skipped: not there: this kernel has no Landlock\n");
        skip();
    }
    snprintf(script, sizeof(script), "echo secret >%s/a", folder);
    assert_int_equal(run((struct box_plan){.args = SHELL(script)}), 0);
    snprintf(script, sizeof(script), "sh -c 'cat %s/a' 2>&1; echo x >%s/b; ls /usr >/dev/null && echo usr", folder,
             folder);
    struct box_plan p = {.args = SHELL(script), .boxed = true};
    assert_int_equal(run(p), 0);
    assert_null(strstr(said, "secret"));
    assert_non_null(strstr(said, "denied"));
    assert_non_null(strstr(said, "usr"));
    struct str declared = str_of(folder);
    p.read = &declared;
    p.read_count = 1;
    run(p);
    assert_non_null(strstr(said, "secret"));
    snprintf(written, sizeof(written), "%s/b", folder);
    assert_int_equal(access(written, F_OK), -1); /* reading is not writing */
    p.write = &declared;
    p.write_count = 1;
    run(p);
    assert_int_equal(access(written, F_OK), 0);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_its_arguments_its_environment_and_a_session_of_its_own),
        cmocka_unit_test(it_has_no_descriptors_and_no_signals_of_ours),
        cmocka_unit_test(bounds_hold_from_the_start),
        cmocka_unit_test(what_cannot_be_started_says_why),
        cmocka_unit_test(a_box_holds_for_all_that_is_started_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

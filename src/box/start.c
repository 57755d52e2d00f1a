/* From the plan to the running process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/inner.h"

const char *const box_names[] = {"files", "network", "signals", "system_calls", NULL};

unsigned box_enforced(void)
{
    int version = box_landlock_version();
    return (version >= 1 ? BOX_FILES : 0) | (version >= 6 ? BOX_SIGNALS : 0) |
           (box_calls_known() ? BOX_CALLS | BOX_NETWORK : 0);
}

/* All that the child needs, ready: it shares our memory until its exec and makes system calls only. */
struct start {
    const struct box_plan *plan;
    const char *program;
    int ruleset; /* -1: none */
    const struct sock_fprog *filter;
    int stdio[3], told;
    pid_t gate;
};

static int start_limit(int what, int64_t value)
{
    struct rlimit l = {(rlim_t)value, (rlim_t)value};
    return value > 0 && setrlimit((__rlimit_resource_t)what, &l) < 0 ? errno : 0;
}

static int start_limits(const struct box_limits *l)
{
    int e = start_limit(RLIMIT_AS, l->memory);
    e = e ? e : start_limit(RLIMIT_NOFILE, l->open_files);
    e = e ? e : start_limit(RLIMIT_NPROC, l->processes);
    return e ? e : start_limit(RLIMIT_CPU, l->cpu);
}

/* Of what root can do beyond others, a tool has use for what is about files: their owners and permissions. With what is
 * dropped here go raw sockets, device nodes and signals to everybody. */
static void start_drop(void)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (cap > CAP_FSETID || cap == CAP_DAC_READ_SEARCH) /* up to it: chown, permissions, owners */
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);           /* who may not has none to drop */
}

static int start_box(const struct start *s)
{
    start_drop();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return errno;
    int e = s->ruleset < 0 ? 0 : box_landlock_enter(s->ruleset);
    return e || !s->filter ? e : box_calls_enter(s->filter);
}

static void start_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        sigaction(s, &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int start_stdio(const struct start *s)
{
    int at[3];
    for (int i = 0; i < 3; i++) /* ours may be 0, 1 or 2 when the gateway was started without */
        if ((at[i] = fcntl(s->stdio[i], F_DUPFD_CLOEXEC, 3)) < 0)
            return errno;
    for (int i = 0; i < 3; i++)
        if (dup2(at[i], i) < 0)
            return errno;
    return syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) && errno != ENOSYS ? errno : 0;
}

static int start_child(const struct start *s)
{
    const struct box_plan *p = s->plan;
    setsid();
    /* A gateway that is killed tells nobody: who then listens neither to its input's end nor to signals would stay. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != s->gate)
        return errno ? errno : ESRCH;
    int e = start_stdio(s);
    if (!e && p->cwd && chdir(p->cwd) < 0)
        e = errno;
    e = e ? e : start_limits(&p->limits);
    e = e || !p->boxed ? e : start_box(s);
    if (e)
        return e;
    start_signals();
    execve(s->program, (char *const *)(uintptr_t)p->args, (char *const *)(uintptr_t)p->env);
    return errno;
}

/* vfork: a fork would copy the page tables of a gateway with ten thousand sessions, and its workers would pay for each
 * page that they write to while the child is on its way. */
static pid_t start_fork(const struct start *s)
{
    pid_t pid = vfork(); /* NOLINT: the child makes system calls only, and ends in exec or _exit */
    if (pid != 0)
        return pid;
    int e = start_child(s); /* NOLINT(clang-analyzer-unix.Vfork): as above */
    ssize_t ignored = write(s->told, &e, sizeof(e));
    (void)ignored;
    _exit(127);
}

static void start_close(int fd[2])
{
    for (int i = 0; i < 2; i++)
        if (fd[i] >= 0)
            close(fd[i]);
}

/* The process, or why there is none. */
static enum err start_run(struct start *s, int told[2], pid_t *ret, struct fault *f)
{
    sigset_t all, before;
    int failed = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* none of our handlers runs in the child */
    pid_t pid = start_fork(s);
    int e = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(told[1]);
    told[1] = -1;
    if (pid < 0)
        return fault_set(f, ERR_UPSTREAM, "no process can be started: %s", strerror(e));
    if (read(told[0], &failed, sizeof(failed)) == sizeof(failed)) { /* its exec closes the pipe */
        waitpid(pid, NULL, 0);
        return fault_set(f, ERR_UPSTREAM, "its program %s cannot be started: %s", s->plan->args[0], strerror(failed));
    }
    *ret = pid;
    return ERR_OK;
}

/* Stdio is of socket pairs: a server whose library ends its stdout without closing it is understood. [0] is ours. */
static enum err start_pipes(struct start *s, int pipes[4][2], struct fault *f)
{
    for (int i = 0; i < 4; i++)
        if (i < 3 ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipes[i]) < 0 : pipe2(pipes[i], O_CLOEXEC) < 0)
            return fault_set(f, ERR_UPSTREAM, "no pipes for its process: %s", strerror(errno));
    for (int i = 0; i < 3; i++)
        s->stdio[i] = pipes[i][1];
    s->told = pipes[3][1];
    return ERR_OK;
}

static enum err start_rules(struct start *s, struct arena *a, struct fault *f)
{
    struct box_paths paths;
    const struct box_plan *p = s->plan;
    unsigned can = box_enforced();
    TRY(box_program(p, a, &s->program, f));
    if (!p->boxed)
        return ERR_OK;
    TRY(box_paths(p, s->program, a, &paths, f));
    if (can & BOX_CALLS)
        TRY(box_calls(p->network, &s->filter, f));
    return can & BOX_FILES ? box_landlock(&paths, p->network, &s->ruleset, f) : ERR_OK;
}

enum err box_start(const struct box_plan *p, struct box_process *ret, struct fault *f)
{
    struct arena a CLEANUP(arena_done);
    struct start s = {.plan = p, .ruleset = -1, .gate = getpid()};
    int pipes[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}}, handle = -1;
    pid_t pid = -1;
    arena_init(&a, 1u << 20);
    enum err e = start_rules(&s, &a, f);
    e = e ? e : start_pipes(&s, pipes, f);
    e = e ? e : start_run(&s, pipes[3], &pid, f);
    if (!e && (handle = (int)syscall(SYS_pidfd_open, pid, 0)) < 0) {
        e = fault_set(f, ERR_UPSTREAM, "its process cannot be watched: %s", strerror(errno));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    if (!e) {
        *ret = (struct box_process){pid, handle, pipes[0][0], pipes[1][0], pipes[2][0]};
        pipes[0][0] = pipes[1][0] = pipes[2][0] = -1;
    }
    if (s.ruleset >= 0)
        close(s.ruleset);
    for (int i = 0; i < 4; i++)
        start_close(pipes[i]);
    return e;
}

/*
 * System calls: what no tool needs, and what could lead out of the box, is refused with EPERM; sockets with EACCES, as
 * a firewall does. A list of what is refused, and not of what is allowed: programs of any kind run here, and a new
 * system call of their library must not end them.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box/inner.h"

static const char *const calls_refused[] = {
    /* into other processes */
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "pidfd_getfd",
    "perf_event_open",
    /* around the rules for files and sockets: io_uring makes calls that no filter sees */
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "open_by_handle_at",
    "name_to_handle_at",
    /* what files are where, and whose system it is */
    "mount",
    "umount2",
    "umount",
    "pivot_root",
    "chroot",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "move_mount",
    "open_tree",
    "mount_setattr",
    "unshare",
    "setns",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    "fanotify_init",
    "acct",
    "sethostname",
    "setdomainname",
    "vhangup",
    /* the kernel itself */
    "init_module",
    "finit_module",
    "delete_module",
    "create_module",
    "query_module",
    "get_kernel_syms",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "bpf",
    "userfaultfd",
    "syslog",
    "iopl",
    "ioperm",
    "uselib",
    "ustat",
    "sysfs",
    "_sysctl",
    "nfsservctl",
    "lookup_dcookie",
    "vm86",
    "vm86old",
    "modify_ldt",
    /* the clock, and keys that are kept in the kernel */
    "settimeofday",
    "clock_settime",
    "clock_settime64",
    "clock_adjtime",
    "clock_adjtime64",
    "adjtimex",
    "stime",
    "add_key",
    "request_key",
    "keyctl",
};

static bool calls_refuse(scmp_filter_ctx c)
{
    for (size_t i = 0; i < sizeof(calls_refused) / sizeof(calls_refused[0]); i++) {
        int nr = seccomp_syscall_resolve_name(calls_refused[i]);
        if (nr != __NR_SCMP_ERROR && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), nr, 0))
            return false;
    }
    /* new namespaces by clone; the flags of clone3 lie in memory, which a filter cannot see: libraries fall back */
    static const unsigned long spaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                           CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
        if (seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i])))
            return false;
    return seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

/* Families below, between and above those that are allowed: every value once, so that no rule stands against another.
 */
static bool calls_sockets(scmp_filter_ctx c, bool network)
{
    const uint32_t no = SCMP_ACT_ERRNO(EACCES);
    static const unsigned allowed[] = {AF_INET, AF_INET6, AF_NETLINK}; /* netlink: which addresses this host has */
    if (!network) {
        if (seccomp_rule_add(c, no, SCMP_SYS(socket), 0))
            return false;
    } else {
        for (unsigned family = 0; family < AF_MAX; family++) {
            bool listed = false;
            for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
                listed |= family == allowed[i];
            if (!listed && seccomp_rule_add(c, no, SCMP_SYS(socket), 1, SCMP_A0_32(SCMP_CMP_EQ, family)))
                return false;
        }
        if (seccomp_rule_add(c, no, SCMP_SYS(socket), 1, SCMP_A0_32(SCMP_CMP_GE, AF_MAX)))
            return false;
        if (seccomp_rule_add(c, no, SCMP_SYS(socket), 2, SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
                             SCMP_A2_32(SCMP_CMP_NE, NETLINK_ROUTE)))
            return false;
    }
    /* a pair of datagram sockets can still send to any name */
    return seccomp_rule_add(c, no, SCMP_SYS(socketpair), 1, SCMP_A1_32(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM)) == 0 &&
           seccomp_rule_add(c, no, SCMP_SYS(socketpair), 1, SCMP_A0_32(SCMP_CMP_NE, AF_UNIX)) == 0;
}

/* libseccomp hands its program out through a descriptor only. */
static bool calls_export(scmp_filter_ctx c, struct sock_fprog *ret)
{
    struct stat st;
    int fd = memfd_create("filter", MFD_CLOEXEC);
    bool ok = fd >= 0 && seccomp_export_bpf(c, fd) == 0 && fstat(fd, &st) == 0;
    struct sock_filter *program = ok ? malloc((size_t)st.st_size) : NULL;
    ok = program && pread(fd, program, (size_t)st.st_size, 0) == st.st_size;
    if (fd >= 0)
        close(fd);
    if (!ok) {
        free(program);
        return false;
    }
    *ret = (struct sock_fprog){.len = (unsigned short)((size_t)st.st_size / sizeof(*program)), .filter = program};
    return true;
}

static bool calls_make(bool network, struct sock_fprog *ret)
{
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = c && seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && calls_refuse(c) &&
              calls_sockets(c, network) && calls_export(c, ret);
    if (c)
        seccomp_release(c);
    return ok;
}

enum err box_calls(bool network, const struct sock_fprog **ret, struct fault *f)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct sock_fprog filters[2];
    struct sock_fprog *mine = &filters[network];
    pthread_mutex_lock(&lock);
    bool ok = mine->len || calls_make(network, mine);
    pthread_mutex_unlock(&lock);
    if (!ok)
        return fault_set(f, ERR_NOMEM, "the filter for system calls cannot be made");
    *ret = mine;
    return ERR_OK;
}

bool box_calls_known(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int box_calls_enter(const struct sock_fprog *filter)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) ? errno : 0;
}

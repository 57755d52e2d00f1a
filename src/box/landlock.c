/* Landlock, by its system calls: Debian 12's headers know less of it than the kernels that we may run on. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box/inner.h"

/* linux/landlock.h of Linux 6.12 */
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_MAKE_FIFO = 1 << 10,
    FS_MAKE_SYM = 1 << 12,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    NET_TCP = 3,   /* bind and connect */
    SCOPE_ALL = 3, /* abstract Unix sockets and signals */
};
enum { CREATE_VERSION = 1, RULE_PATH = 1 };

/* Device nodes (1 << 6 and 1 << 11) are made nowhere. */
#define FS_READ (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define FS_WRITE                                                                                                       \
    (FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_FIFO |        \
     FS_MAKE_SYM | FS_REFER | FS_TRUNCATE)
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct landlock_ruleset {
    uint64_t files, network, scoped;
};
struct landlock_beneath {
    uint64_t files;
    int32_t folder;
} __attribute__((packed));

int box_landlock_version(void)
{
    long v = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    return v > 0 ? (int)v : 0;
}

/* All the rights that this kernel can rule over: what is not in here, every program may do. */
static uint64_t landlock_files(int version)
{
    uint64_t all = (1 << 13) - 1;
    if (version >= 2)
        all |= FS_REFER;
    if (version >= 3)
        all |= FS_TRUNCATE;
    if (version >= 5)
        all |= FS_IOCTL_DEV;
    return all;
}

static enum err landlock_allow(int ruleset, const struct box_path *p, uint64_t known, struct fault *f)
{
    struct stat st;
    int fd = open(p->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return p->declared
                   ? fault_set(f, ERR_CONFIG, "it may use %s, which cannot be opened: %s", p->path, strerror(errno))
                   : ERR_OK;
    uint64_t rights = (FS_READ | (p->write ? FS_WRITE : 0)) & known;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= FS_OF_FILES;
    struct landlock_beneath rule = {rights, fd};
    long failed = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0);
    int e = errno;
    close(fd);
    return failed ? fault_set(f, ERR_IO, "no file rule can be made for %s: %s", p->path, strerror(e)) : ERR_OK;
}

enum err box_landlock(const struct box_paths *paths, bool network, int *ret, struct fault *f)
{
    int version = box_landlock_version();
    struct landlock_ruleset all = {.files = landlock_files(version)};
    if (version >= 4 && !network)
        all.network = NET_TCP;
    if (version >= 6)
        all.scoped = SCOPE_ALL;
    /* an older kernel refuses a longer struct only when there is something in what it does not know */
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
    if (ruleset < 0)
        return fault_set(f, ERR_IO, "no file rules can be made: %s", strerror(errno));
    for (size_t i = 0; i < paths->n; i++) {
        enum err e = landlock_allow(ruleset, &paths->v[i], all.files, f);
        if (e) {
            close(ruleset);
            return e;
        }
    }
    *ret = ruleset;
    return ERR_OK;
}

int box_landlock_enter(int ruleset)
{
    return syscall(SYS_landlock_restrict_self, ruleset, 0) ? errno : 0;
}

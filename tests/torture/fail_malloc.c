/*
 * An allocator that fails when it is told to: loaded before a program (LD_PRELOAD), it counts down to the one
 * allocation that gets no memory, wherever that is: in our code, OpenSSL, libuv, SQLite or the C library.
 *
 * $DOORWARD_FAIL_MALLOC names a file of two numbers of 64 bits that the test and the program share:
 *   left    which allocation from now on fails: 1 is the next; 0 or less is none. The test sets it.
 *   failed  how many have failed since the program started
 * With $DOORWARD_FAIL_MALLOC_TELL each failure writes where it happened to stderr.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fail_orders {
    int64_t left, failed;
};

static struct fail_orders *fail_orders;
static bool fail_tells;
static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);

/* What the search for the real ones needs itself; never given back. */
static char early[16384] __attribute__((aligned(16)));
static size_t early_used;

static void *early_alloc(size_t n)
{
    size_t at = early_used;
    early_used += (n + 15) & ~(size_t)15;
    return early_used <= sizeof(early) ? early + at : NULL;
}

static void fail_find(void)
{
    static bool looking;
    if (looking)
        return;
    looking = true;
    real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    real_posix_memalign = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
    real_aligned_alloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "aligned_alloc");
}

__attribute__((constructor)) static void fail_begin(void)
{
    fail_find();
    const char *path = getenv("DOORWARD_FAIL_MALLOC");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *frames[2];
    fail_tells = getenv("DOORWARD_FAIL_MALLOC_TELL") && backtrace(frames, 2); /* its first call allocates */
    void *p = mmap(NULL, sizeof(*fail_orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    fail_orders = p == MAP_FAILED ? NULL : p;
}

static void fail_tell(void)
{
    static _Thread_local bool telling;
    if (!fail_tells || telling)
        return;
    telling = true;
    void *frames[40];
    int n = backtrace(frames, 40);
    ssize_t ignored = write(2, "no memory at\n", 13);
    (void)ignored;
    backtrace_symbols_fd(frames, n, 2);
    telling = false;
}

/* Is this the one? */
static bool fail_now(void)
{
    if (!fail_orders || __atomic_load_n(&fail_orders->left, __ATOMIC_RELAXED) <= 0 ||
        __atomic_sub_fetch(&fail_orders->left, 1, __ATOMIC_RELAXED) != 0)
        return false;
    __atomic_add_fetch(&fail_orders->failed, 1, __ATOMIC_RELAXED);
    fail_tell();
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    if (!real_malloc)
        fail_find();
    if (!real_malloc)
        return early_alloc(n);
    return fail_now() ? NULL : real_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    if (!real_calloc)
        fail_find();
    if (!real_calloc)
        return early_alloc(count * n);
    return fail_now() ? NULL : real_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
    if (!real_realloc)
        fail_find();
    return fail_now() ? NULL : real_realloc(p, n);
}

int posix_memalign(void **ret, size_t align, size_t n)
{
    return fail_now() ? ENOMEM : real_posix_memalign(ret, align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return fail_now() ? NULL : real_aligned_alloc(align, n);
}

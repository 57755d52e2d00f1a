/*
 * A wall clock that can be set while a program runs: loaded before it (LD_PRELOAD). $DOORWARD_CLOCK names a file that
 * the test and the program share: one number of 64 bits, by how many milliseconds the wall clock is ahead of the
 * machine's. The monotonic clock stays what it is, as it does when somebody sets the machine's clock.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t *clock_ahead;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void clock_begin(void)
{
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("DOORWARD_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof(*clock_ahead), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    clock_ahead = p == MAP_FAILED ? NULL : p;
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    if (!real_clock_gettime)
        clock_begin();
    int e = real_clock_gettime(id, ret);
    if (e || !clock_ahead || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
        return e;
    int64_t ms = __atomic_load_n(clock_ahead, __ATOMIC_RELAXED);
    int64_t ns = ret->tv_nsec + ms % 1000 * 1000000;
    ret->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
    ret->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec t = {0};
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *ret = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}

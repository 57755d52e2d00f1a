#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_PATH = 8192 };

/* A file that could not be closed or flushed keeps the reason of what came first. */
static void file_close(int fd)
{
    int why = errno;
    close(fd);
    errno = why;
}

bool file_write(int fd, struct str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return false;
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

bool file_flush_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    file_close(fd);
    return ok;
}

bool file_make_dir(const char *dir, const char *above)
{
    return (mkdir(dir, 0700) == 0 || errno == EEXIST) && file_flush_dir(above);
}

bool file_flush_above(const char *path)
{
    char copy[FILE_PATH];
    if (snprintf(copy, sizeof(copy), "%s", path) < (int)sizeof(copy))
        return file_flush_dir(dirname(copy));
    errno = ENAMETOOLONG;
    return false;
}

bool file_put(const char *path, const char *temporary, struct str bytes, bool durable)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool ok = file_write(fd, bytes) && (!durable || fdatasync(fd) == 0);
    file_close(fd);
    if (ok && rename(temporary, path) == 0)
        return !durable || file_flush_above(path);
    int why = errno;
    unlink(temporary);
    errno = why;
    return false;
}

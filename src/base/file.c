#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_PATH = 8192, FILE_PIECE = 64 << 10, FILE_DIGITS = 20 };

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

bool file_new(const char *path, struct str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool ok = file_write(fd, bytes) && fsync(fd) == 0;
    file_close(fd);
    if (ok && file_flush_above(path))
        return true;
    int why = errno;
    unlink(path);
    errno = why;
    return false;
}

/* ---- reading ---- */

static enum err file_drain(int fd, const char *path, size_t max, struct buf *out, struct fault *f)
{
    for (;;) {
        size_t want = max + 1 - out->n < FILE_PIECE ? max + 1 - out->n : FILE_PIECE;
        if (!buf_reserve(out, want))
            return fault_set(f, ERR_NOMEM, "%s: no memory to read it", path);
        ssize_t n = read(fd, out->p + out->n, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
        if (n == 0)
            return ERR_OK;
        out->n += (size_t)n;
        if (out->n > max)
            return fault_set(f, ERR_LIMIT, "%s: is larger than %zu bytes", path, max);
    }
}

enum err file_read(const char *path, size_t max, struct buf *out, struct fault *f)
{
    bool in = strcmp(path, "-") == 0;
    int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                         strerror(errno));
    buf_clear(out);
    out->max = max + 1;
    enum err e = file_drain(fd, path, max, out, f);
    if (!in)
        close(fd);
    return e;
}

/* ---- numbered files ---- */

static int file_by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

bool file_numbers(const char *dir, const char *tail, uint64_t **ret, size_t *ret_n)
{
    size_t n = 0, room = 0;
    uint64_t *v = NULL, number;
    DIR *d = opendir(dir);
    if (!d)
        return false;
    for (const struct dirent *e; (e = readdir(d));) {
        struct str name = str_of(e->d_name);
        if (name.n < FILE_DIGITS || !str_is(str_skip(name, FILE_DIGITS), tail) ||
            !str_u64((struct str){name.p, FILE_DIGITS}, &number))
            continue;
        if (n == room) {
            room = room ? 2 * room : 16;
            uint64_t *more = realloc(v, room * sizeof(*v));
            if (!more) {
                free(v);
                closedir(d);
                errno = ENOMEM;
                return false;
            }
            v = more;
        }
        v[n++] = number;
    }
    closedir(d);
    if (n)
        qsort(v, n, sizeof(*v), file_by_number);
    *ret = v;
    *ret_n = n;
    return true;
}

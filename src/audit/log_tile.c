/* Tiles of the record, from its files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/log.h"

enum { TILE_TRIES = 3 };

static void tile_path(const char *dir, unsigned level, uint64_t index, unsigned width, char ret[4096])
{
    char name[TLOG_PATH];
    tlog_tile_path(level, index, width, name);
    snprintf(ret, 4096, "%s/%s", dir, name);
}

/* The first `width` hashes of a file that must hold `has`. */
static enum err tile_file(const char *path, unsigned has, unsigned width, struct tlog_hash *ret, struct fault *f)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                         strerror(errno));
    const size_t want = width * sizeof(*ret);
    size_t n = 0;
    enum err e = ERR_OK;
    if (fstat(fd, &st) < 0)
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    else if ((uint64_t)st.st_size != has * sizeof(*ret))
        e = fault_set(f, ERR_CORRUPT, "%s: must be %zu bytes, and has %llu", path, has * sizeof(*ret),
                      (unsigned long long)st.st_size);
    while (!e && n < want) {
        ssize_t k = read(fd, (char *)ret + n, want - n);
        if (k == 0 || (k < 0 && errno != EINTR))
            e = fault_set(f, k ? ERR_IO : ERR_CORRUPT, "%s: %s", path, k ? strerror(errno) : "ends early");
        n += k > 0 ? (size_t)k : 0;
    }
    close(fd);
    return e;
}

/* The least width of a partial tile that is there and has that many; 0: there is none. */
static unsigned tile_wider(const char *dir, unsigned level, uint64_t index, unsigned width)
{
    char path[4096];
    unsigned found = 0;
    uint64_t v;
    tile_path(dir, level, index, 1, path);
    path[strlen(path) - 2] = 0; /* without "/1" */
    DIR *d = opendir(path);
    if (!d)
        return 0;
    for (const struct dirent *e; (e = readdir(d));)
        if (str_u64(str_of(e->d_name), &v) && v >= width && v < TLOG_WIDTH && (!found || v < found))
            found = (unsigned)v;
    closedir(d);
    return found;
}

static enum err tile_find(const char *dir, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret,
                          struct fault *f)
{
    char path[4096];
    tile_path(dir, level, index, width, path);
    enum err e = tile_file(path, width, width, ret, f);
    if (e != ERR_NOT_FOUND || width == TLOG_WIDTH)
        return e;
    tile_path(dir, level, index, TLOG_WIDTH, path);
    e = tile_file(path, TLOG_WIDTH, width, ret, f);
    if (e != ERR_NOT_FOUND)
        return e;
    unsigned wider = tile_wider(dir, level, index, width);
    if (!wider)
        return e;
    tile_path(dir, level, index, wider, path);
    return tile_file(path, wider, width, ret, f);
}

/* A partial tile that is there one moment may have given way to a wider one in the next. */
enum err log_tile_read(void *dir, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret,
                       struct fault *f)
{
    enum err e = ERR_NOT_FOUND;
    if (!width || width > TLOG_WIDTH || level >= TLOG_LEVELS)
        return fault_set(f, ERR_NOT_FOUND, "there is no such tile");
    for (unsigned i = 0; i < TILE_TRIES && e == ERR_NOT_FOUND; i++)
        e = tile_find(dir, level, index, width, ret, f);
    return e;
}

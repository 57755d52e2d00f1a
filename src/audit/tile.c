#include "audit/tile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Every folder of the path but what is above `from`. */
static bool tile_folders(char *path, size_t from)
{
    for (char *at = strchr(path + from, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        bool ok = mkdir(path, 0700) == 0 || errno == EEXIST;
        *at = '/';
        if (!ok)
            return false;
    }
    return true;
}

static bool tile_same(const char *path, const void *p, size_t n)
{
    char there[TLOG_WIDTH * sizeof(struct tlog_hash) + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t k = fd < 0 ? -1 : read(fd, there, sizeof(there));
    if (fd >= 0)
        close(fd);
    return k == (ssize_t)n && memcmp(there, p, n) == 0;
}

/* Those of the same tile that were not full. */
static void tile_drop_partial(const char *path)
{
    char folder[4096], file[4096 + 300];
    snprintf(folder, sizeof(folder), "%s.p", path);
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            snprintf(file, sizeof(file), "%s/%s", folder, e->d_name);
            unlink(file);
        }
    closedir(d);
    rmdir(folder);
}

enum err tile_write(const char *dir, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                    struct fault *f)
{
    char name[TLOG_PATH], path[4096], temporary[4096];
    size_t bytes = width * sizeof(*v);
    tlog_tile_path(level, index, width, name);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    snprintf(temporary, sizeof(temporary), "%s/tile/new", dir);
    if (tile_same(path, v, bytes))
        return ERR_OK;
    const struct str hashes = {(const char *)v, bytes};
    bool ok = file_put(path, temporary, hashes, false);
    if (!ok && errno == ENOENT) /* its folders are rarely new */
        ok = tile_folders(path, strlen(dir) + 1) && file_put(path, temporary, hashes, false);
    if (!ok)
        return fault_set(f, ERR_AUDIT, "%s: %s", path, strerror(errno));
    if (width == TLOG_WIDTH)
        tile_drop_partial(path);
    return ERR_OK;
}

off_t tile_line_end(int fd, off_t size)
{
    char c;
    while (size > 0 && pread(fd, &c, 1, size - 1) == 1 && c != '\n')
        size--;
    return size;
}

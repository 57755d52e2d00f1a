/* Folders for temporary files. Their contents are strangers': links are removed and never followed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box/box.h"

enum { TMP_DEPTH = 256, TMP_PATH = 4096 };

enum err box_tmp_make(const char *data_dir, struct str name, char *ret, size_t n, struct fault *f)
{
    char path[TMP_PATH];
    snprintf(path, sizeof(path), "%s/tmp", data_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    int len = snprintf(path, sizeof(path), "%s/tmp/" STR_FMT "-XXXXXX", data_dir, STR_ARG(name));
    if (len < 0 || (size_t)len >= sizeof(path) || (size_t)len >= n)
        return fault_set(f, ERR_LIMIT, "the path of data_dir is too long");
    if (!mkdtemp(path))
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    memcpy(ret, path, (size_t)len + 1);
    return ERR_OK;
}

static void tmp_remove_at(int parent, const char *name, unsigned depth);

static void tmp_empty(int fd, unsigned depth)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return;
    }
    fchmod(fd, 0700);
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            tmp_remove_at(dirfd(d), e->d_name, depth);
    closedir(d);
}

static void tmp_remove_at(int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
        return;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES &&
        fchmodat(parent, name, 0700, 0) == 0) /* a folder: a link would have been unlinked */
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || depth > TMP_DEPTH) {
        if (fd >= 0)
            close(fd);
        return;
    }
    tmp_empty(fd, depth + 1);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void box_tmp_remove(const char *folder)
{
    tmp_remove_at(AT_FDCWD, folder, 0);
}

void box_tmp_clear(const char *data_dir)
{
    char path[TMP_PATH];
    int n = snprintf(path, sizeof(path), "%s/tmp", data_dir);
    if (n > 0 && (size_t)n < sizeof(path))
        box_tmp_remove(path);
}

#include "tlog/folder.h"

#include <dirent.h>
#include <stdio.h>

#include "base/file.h"

enum { FOLDER_TRIES = 3 };

/* The least width of a partial tile that is there and has that many; TLOG_WIDTH: there is none. */
static unsigned folder_wider(const char *dir, unsigned level, uint64_t index, unsigned width)
{
    char name[TLOG_PATH], path[4096];
    unsigned found = TLOG_WIDTH;
    uint64_t v;
    tlog_tile_path(level, index, 1, name);
    snprintf(path, sizeof(path), "%s/%.*s", dir, (int)strlen(name) - 2, name); /* without "/1" */
    DIR *d = opendir(path);
    if (!d)
        return found;
    for (const struct dirent *e; (e = readdir(d));)
        if (str_u64(str_of(e->d_name), &v) && v >= width && v < found)
            found = (unsigned)v;
    closedir(d);
    return found;
}

/* A partial tile that is there one moment may have given way to a wider one in the next. */
enum err tlog_folder_file(const char *dir, unsigned level, uint64_t index, unsigned width, size_t max, struct buf *out,
                          unsigned *ret_width, struct fault *f)
{
    char name[TLOG_PATH], path[4096];
    enum err e = ERR_NOT_FOUND;
    for (unsigned i = 0; i < 2 * FOLDER_TRIES && e == ERR_NOT_FOUND; i++) {
        unsigned w = i % 2 == 0 ? (i ? folder_wider(dir, level, index, width) : width) : TLOG_WIDTH;
        tlog_tile_path(level, index, w, name);
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        e = file_read(path, max, out, f);
        *ret_width = w;
    }
    return e;
}

enum err tlog_folder_tile(void *dir, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret,
                          struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    char name[TLOG_PATH];
    unsigned has;
    buf_init(&b, 0);
    if (!width || width > TLOG_WIDTH || level >= TLOG_LEVELS)
        return fault_set(f, ERR_NOT_FOUND, "there is no such tile");
    enum err e = tlog_folder_file(dir, level, index, width, TLOG_WIDTH * sizeof(*ret), &b, &has, f);
    if (e && e != ERR_LIMIT)
        return e;
    if (e || b.n != has * sizeof(*ret)) {
        tlog_tile_path(level, index, has, name);
        return fault_set(f, ERR_CORRUPT, "%s/%s: must be %zu bytes, and has %s%zu", (const char *)dir, name,
                         has * sizeof(*ret), e ? "more than " : "", e ? has * sizeof(*ret) : b.n);
    }
    memcpy(ret, b.p, width * sizeof(*ret));
    return ERR_OK;
}

#include <dirent.h>

#include "verify/verify.h"

enum { BUNDLE_BYTES = TLOG_WIDTH * (2 + 65535) };

/* The least width of a partial tile that is there and has that many; TLOG_WIDTH: there is none. */
static unsigned tiles_wider(const char *dir, unsigned level, uint64_t index, unsigned width)
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

/* The file of a tile that has at least `width`: that one, the full one, or what lies between. */
static enum err tiles_read(const char *dir, unsigned level, uint64_t index, unsigned width, size_t max, struct buf *out,
                           unsigned *ret_width, struct fault *f)
{
    const unsigned try[3] = {width, TLOG_WIDTH, 0};
    char name[TLOG_PATH], path[4096];
    enum err e = ERR_NOT_FOUND;
    for (unsigned i = 0; i < 3 && e == ERR_NOT_FOUND; i++) {
        unsigned w = i < 2 ? try[i] : tiles_wider(dir, level, index, width);
        tlog_tile_path(level, index, w, name);
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        e = verify_read(path, max, out, f);
        *ret_width = w;
    }
    return e;
}

enum err verify_tile(void *dir, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret, struct fault *f)
{
    struct buf b CLEANUP(buf_done) = {0};
    unsigned has;
    TRY(tiles_read(dir, level, index, width, TLOG_WIDTH * sizeof(*ret), &b, &has, f));
    if (b.n != has * sizeof(*ret)) {
        char name[TLOG_PATH];
        tlog_tile_path(level, index, has, name);
        return fault_set(f, ERR_CORRUPT, "%s/%s: must be %zu bytes, and has %zu", (const char *)dir, name,
                         has * sizeof(*ret), b.n);
    }
    memcpy(ret, b.p, width * sizeof(*ret));
    return ERR_OK;
}

enum err verify_bundle(const char *dir, uint64_t index, unsigned width, struct buf *out, struct fault *f)
{
    unsigned has;
    return tiles_read(dir, TLOG_ENTRIES, index, width, BUNDLE_BYTES, out, &has, f);
}

/*
 * What import writes, and how it is taken back. Beside doorward.yaml:
 *
 *   secrets/SERVER.NAME             a secret; 0600
 *   secrets/.import-TIME            which of them one import has made, a name a line
 *   doorward.yaml.before-import-TIME   what doorward.yaml was before
 */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/import.h"

#define KEPT ".before-import-"
enum { LIST_MAX = 1 << 20 };

static struct str kept_stamp(struct str kept)
{
    const char *at = kept.p;
    for (const char *next = at; (next = strstr(next, KEPT)); next++)
        at = next;
    return str_of(at + strlen(KEPT));
}

/* A file beside doorward.yaml. */
static const char *file_beside(struct cli *c, const char *path, const char *fmt, struct str name)
{
    const char *slash = strrchr(path, '/');
    struct str dir = {path, slash ? (size_t)(slash - path) : 0},
               tail = arena_fmt(&c->arena, "%s" STR_FMT, fmt, STR_ARG(name));
    struct str full = arena_fmt(&c->arena, STR_FMT "/" STR_FMT, STR_ARG(dir), STR_ARG(tail));
    return full.p ? full.p : "/";
}

/* The secrets of a list go; what is no name of one is passed over. */
static size_t secrets_remove(struct cli *c, const char *path, struct str stamp)
{
    struct str text, line;
    size_t n = 0;
    const char *list = file_beside(c, path, "secrets/.import-", stamp);
    if (cli_read(c, list, LIST_MAX, &text, NULL))
        return 0;
    while (text.n) {
        str_cut(&text, '\n', &line);
        if (line.n && line.p[0] != '.' && !memchr(line.p, '/', line.n))
            n += unlink(file_beside(c, path, "secrets/", line)) == 0;
    }
    unlink(list);
    rmdir(file_beside(c, path, "secrets", STR_NONE)); /* when nothing is left in it */
    return n;
}

static enum err secrets_list(struct cli *c, const struct import *im, const char *path, struct str stamp,
                             struct fault *f)
{
    struct buf list CLEANUP(buf_done);
    buf_init(&list, LIST_MAX);
    for (size_t i = 0; i < im->count; i++)
        for (size_t k = 0; k < im->server[i].pair_count; k++)
            if (!im->server[i].left_out && !im->server[i].same_as && im->server[i].pair[k].secret) {
                buf_str(&list, str_skip(im->server[i].pair[k].file, strlen("secrets/")));
                buf_char(&list, '\n');
            }
    if (!list.n)
        return ERR_OK;
    const char *dir = file_beside(c, path, "secrets", STR_NONE);
    struct stat st;
    if (mkdir(dir, 0700) == 0) {
        if (stat(path, &st) == 0 && geteuid() == 0 && chown(dir, st.st_uid, st.st_gid) < 0)
            return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    } else if (errno != EEXIST) {
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    }
    return file_make(file_beside(c, path, "secrets/.import-", stamp), buf_view(&list), 0600, path, f);
}

/* Makes the first `most` of them and counts them; takes those away again when f is NULL. */
static enum err secrets_each(struct cli *c, const struct import *im, const char *path, size_t most, size_t *made,
                             struct fault *f)
{
    size_t n = 0;
    for (size_t i = 0; i < im->count; i++)
        for (size_t k = 0; k < im->server[i].pair_count; k++) {
            const struct import_pair *p = &im->server[i].pair[k];
            if (im->server[i].left_out || im->server[i].same_as || !p->secret || n >= most)
                continue;
            n++;
            const char *file = file_beside(c, path, "", p->file);
            if (!f)
                unlink(file);
            else
                TRY(file_make(file, p->value, 0600, path, f));
            *made += f != NULL;
        }
    return ERR_OK;
}

/* The text as it will be read, secrets' files included. */
static enum err write_check(struct cli *c, const char *path, struct str text, struct fault *f)
{
    struct buf faults CLEANUP(buf_done);
    struct conf *conf = NULL;
    buf_init(&faults, 1u << 20);
    struct str dir = {path, (size_t)(strrchr(path, '/') - path)};
    dir = arena_str(&c->arena, dir.n ? dir : STR("/"));
    enum err e = conf_parse(text, path, dir.p, &conf, &faults);
    conf_unref(conf);
    fwrite(faults.p ? faults.p : "", 1, faults.n, stderr);
    return e ? fault_set(f, e, "%s would have faults; nothing was changed", path) : ERR_OK;
}

enum err import_write(struct cli *c, const struct import *im, const char *path, struct str old, struct str text,
                      struct str *ret_kept, struct fault *f)
{
    char stamp[FILE_STAMP];
    size_t made = 0;
    struct stat st;
    file_stamp(stamp);
    struct str kept = arena_fmt(&c->arena, "%s" KEPT "%s", path, stamp);
    mode_t mode = stat(path, &st) == 0 ? st.st_mode & 07777 : 0644;
    enum err e = kept.p ? secrets_list(c, im, path, str_of(stamp), f) : fault_set(f, ERR_NOMEM, "no memory for a path");
    if (!e)
        e = secrets_each(c, im, path, SIZE_MAX, &made, f);
    if (!e)
        e = write_check(c, path, text, f);
    if (!e)
        e = file_make(kept.p, old, mode, path, f);
    if (!e) {
        e = file_replace(path, text, mode, f);
        if (e)
            unlink(kept.p);
    }
    if (e) { /* only what was made here goes: a file that was in the way is somebody's */
        if (secrets_each(c, im, path, made, &made, NULL) == ERR_OK)
            unlink(file_beside(c, path, "secrets/.import-", str_of(stamp)));
        rmdir(file_beside(c, path, "secrets", STR_NONE));
        return e;
    }
    *ret_kept = kept;
    return ERR_OK;
}

enum err import_kept(struct cli *c, const char *path, struct str *ret_kept, struct fault *f)
{
    const char *dir = file_beside(c, path, "", STR_NONE), *slash = strrchr(path, '/');
    struct str begin = arena_fmt(&c->arena, "%s" KEPT, slash + 1), best = STR_NONE;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (str_starts(str_of(e->d_name), begin) && str_cmp(str_of(e->d_name), best) > 0)
            best = arena_str(&c->arena, str_of(e->d_name));
    if (d)
        closedir(d);
    if (!best.n)
        return fault_set(f, ERR_NOT_FOUND, "there is no %s" KEPT "…: no import is there to be undone", path);
    *ret_kept = arena_fmt(&c->arena, "%s" STR_FMT, dir, STR_ARG(best));
    return ERR_OK;
}

enum err import_undo(struct cli *c, const char *path, struct str kept, struct str text, size_t *ret_secrets,
                     struct fault *f)
{
    TRY(file_replace(path, text, 0644, f));
    if (unlink(kept.p) < 0)
        return fault_set(f, ERR_IO, "%s: %s", kept.p, strerror(errno));
    *ret_secrets = secrets_remove(c, path, kept_stamp(kept));
    return ERR_OK;
}

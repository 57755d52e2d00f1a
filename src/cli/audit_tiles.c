/*
 * The record as a folder of files that any web server can hand out and any tool for C2SP tlog-tiles can check: for an
 * auditor. The tree is grown again on the way, so that what is written is what the checkpoint signs, or nothing is
 * signed: the checkpoint comes last. A folder that holds an older state of the same record is brought up to date; what
 * was full is not written again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/log.h"
#include "cli/cli.h"
#include "cli/import.h"

enum { TILES_BUNDLE = TLOG_WIDTH * (2 + 65535), TILES_PATH = 4096 };

struct tiles {
    const char *from, *to;
    struct log_checkpoint checkpoint, before; /* before: of the folder; size 0 when there is none */
    struct tlog_tree tree;
    struct audit_reader *reader;
    uint64_t at;    /* index of the reader's next entry; UINT64_MAX: it stands nowhere */
    uint64_t first; /* bundle from which on the entries are there */
    struct buf bundle;
    uint64_t written;
};

static void tiles_free(struct tiles *t)
{
    log_checkpoint_done(&t->checkpoint);
    log_checkpoint_done(&t->before);
    audit_reader_close(t->reader);
    buf_done(&t->bundle);
    free(t);
}

/* ---- files ---- */

static void tiles_path(const struct tiles *t, unsigned level, uint64_t index, unsigned width, char ret[TILES_PATH])
{
    char name[TLOG_PATH];
    tlog_tile_path(level, index, width, name);
    snprintf(ret, TILES_PATH, "%s/%s", t->to, name);
}

/* The folders above a file. */
static enum err tiles_folders(char *path, struct fault *f)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool ok = mkdir(path, 0755) == 0 || errno == EEXIST;
        if (!ok)
            fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
        *slash = '/';
        if (!ok)
            return ERR_IO;
    }
    return ERR_OK;
}

/* A full tile is there: narrower ones have had their time. */
static void tiles_narrower(const char *path)
{
    char folder[TILES_PATH + 2], name[TILES_PATH + 300];
    snprintf(folder, sizeof(folder), "%s.p", path);
    DIR *d = opendir(folder);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d));) {
        snprintf(name, sizeof(name), "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(name);
    }
    closedir(d);
    rmdir(folder);
}

/* Not flushed, since there are many: all are, before the checkpoint that speaks of them. */
static enum err tiles_write(const char *path, struct str bytes, struct fault *f)
{
    char part[TILES_PATH + 8];
    snprintf(part, sizeof(part), "%s.new", path);
    FILE *file = fopen(part, "we");
    bool ok = file && fwrite(bytes.p, 1, bytes.n, file) == bytes.n;
    if (file && fclose(file) != 0)
        ok = false;
    ok = ok && rename(part, path) == 0;
    int why = errno;
    if (file && !ok)
        unlink(part);
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
}

static enum err tiles_put(struct tiles *t, unsigned level, uint64_t index, unsigned width, struct str bytes,
                          struct fault *f)
{
    char path[TILES_PATH];
    tiles_path(t, level, index, width, path);
    TRY(tiles_folders(path, f));
    TRY(tiles_write(path, bytes, f));
    if (width == TLOG_WIDTH)
        tiles_narrower(path);
    t->written++;
    return ERR_OK;
}

static bool tiles_there(const struct tiles *t, unsigned level, uint64_t index, unsigned width)
{
    char path[TILES_PATH];
    struct stat st;
    if (index * TLOG_WIDTH + width > t->before.is.size >> (level == TLOG_ENTRIES ? 0 : 8 * level))
        return false; /* of no state that was signed */
    tiles_path(t, level, index, width, path);
    return stat(path, &st) == 0 && st.st_size > 0;
}

/* ---- the tree ---- */

static enum err tiles_hashes(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                             struct fault *f)
{
    struct tiles *t = ctx;
    const struct str bytes = {(const char *)v, width * sizeof(*v)};
    return tiles_there(t, level, index, width) ? ERR_OK : tiles_put(t, level, index, width, bytes, f);
}

/* Each entry of a bundle must be its leaf. */
static enum err tiles_fit(const struct tiles *t, uint64_t index, const struct tlog_hash *leaf, unsigned width,
                          struct fault *f)
{
    struct str rest = buf_view(&t->bundle);
    struct tlog_hash is;
    for (unsigned i = 0; i < width; i++) {
        const unsigned char *p = (const unsigned char *)rest.p;
        size_t n = (size_t)p[0] << 8 | p[1];
        tlog_leaf((struct str){rest.p + 2, n}, &is);
        if (!tlog_same(&is, &leaf[i]))
            return fault_set(f, ERR_CORRUPT, "entry %llu is not the one that the record's tree holds",
                             (unsigned long long)(index * TLOG_WIDTH + i + 1));
        rest = str_skip(rest, 2 + n);
    }
    return ERR_OK;
}

static enum err tiles_entries(struct tiles *t, uint64_t index, const struct tlog_hash *leaf, unsigned width,
                              struct fault *f)
{
    if (index < t->first || tiles_there(t, TLOG_ENTRIES, index, width))
        return ERR_OK;
    if (t->at != index * TLOG_WIDTH)
        TRY(audit_reader_seek(t->reader, index * TLOG_WIDTH + 1, f));
    buf_clear(&t->bundle);
    TRY(log_bundle_next(t->reader, index, width, &t->bundle, f));
    t->at = index * TLOG_WIDTH + width;
    TRY(tiles_fit(t, index, leaf, width, f));
    return tiles_put(t, TLOG_ENTRIES, index, width, buf_view(&t->bundle), f);
}

/* The folder's older checkpoint must be a beginning of what comes now. */
static enum err tiles_before(const struct tiles *t, struct fault *f)
{
    struct tlog_hash root;
    if (!t->before.is.size || t->tree.size != t->before.is.size)
        return ERR_OK;
    tlog_tree_root(&t->tree, &root);
    return tlog_same(&root, &t->before.is.root)
               ? ERR_OK
               : fault_set(f, ERR_CORRUPT, "%s/checkpoint: signs %llu entries that are not the record's first ones",
                           t->to, (unsigned long long)t->before.is.size);
}

static enum err tiles_grow(struct tiles *t, struct fault *f)
{
    const uint64_t size = t->checkpoint.is.size;
    struct tlog_hash leaf[TLOG_WIDTH], root;
    for (uint64_t index = 0; index * TLOG_WIDTH < size; index++) {
        uint64_t rest = size - index * TLOG_WIDTH;
        unsigned width = rest < TLOG_WIDTH ? (unsigned)rest : TLOG_WIDTH;
        TRY(tlog_folder_tile((void *)(uintptr_t)t->from, 0, index, width, leaf, f));
        TRY(tiles_entries(t, index, leaf, width, f));
        for (unsigned i = 0; i < width; i++) {
            TRY(tlog_tree_add(&t->tree, &leaf[i], f));
            TRY(tiles_before(t, f));
        }
    }
    tlog_tree_root(&t->tree, &root);
    if (!tlog_same(&root, &t->checkpoint.is.root))
        return fault_set(f, ERR_CORRUPT, "the record's tree is not the one that its checkpoint signs");
    return tlog_tree_partial(&t->tree, f);
}

/* ---- the command ---- */

/* Into the record itself nothing is written. */
static bool tiles_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static enum err tiles_open(struct tiles *t, struct fault *f)
{
    struct str entry;
    uint64_t first = 1;
    TRY(audit_reader_open(t->from, &t->reader, f));
    enum err e = log_checkpoint_read(t->from, &t->checkpoint, f);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, e, "%s: has no checkpoint yet", t->from);
    TRY(e);
    TRY(audit_reader_seek(t->reader, 1, f));
    e = audit_reader_next(t->reader, &entry, &first, f);
    if (e && e != ERR_NOT_FOUND)
        return e;
    t->first = (first - 1 + TLOG_WIDTH - 1) / TLOG_WIDTH;
    t->at = UINT64_MAX;
    e = log_checkpoint_read(t->to, &t->before, f);
    if (e && e != ERR_NOT_FOUND)
        return e;
    if (!e && (t->before.is.size > t->checkpoint.is.size || !str_eq(t->before.is.origin, t->checkpoint.is.origin)))
        return fault_set(f, ERR_CONFLICT, "%s: holds another record, or more of it: %llu entries of " STR_FMT, t->to,
                         (unsigned long long)t->before.is.size, STR_ARG(t->before.is.origin));
    return ERR_OK;
}

static enum err tiles_finish(struct tiles *t, struct fault *f)
{
    char path[TILES_PATH];
    snprintf(path, sizeof(path), "%s/checkpoint", t->to);
    TRY(tiles_folders(path, f));
    int fd = open(t->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool flushed = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0)
        close(fd);
    return flushed ? file_replace(path, buf_view(&t->checkpoint.text), 0644, f)
                   : fault_set(f, ERR_IO, "%s: %s", t->to, strerror(errno));
}

static void tiles_print(struct cli *c, const struct tiles *t)
{
    const struct checkpoint *is = &t->checkpoint.is;
    unsigned long long pruned = t->first * TLOG_WIDTH;
    struct buf b;
    struct json_out o = json_out(&b);
    if (!c->json) {
        fprintf(stderr,
                "%s holds %llu entries of " STR_FMT "; %llu files are new. Check it with: doorward-verify log %s "
                "--key KEY\n",
                t->to, (unsigned long long)is->size, STR_ARG(is->origin), (unsigned long long)t->written, t->to);
        if (pruned)
            fprintf(stderr, "The first %llu entries were pruned: only their hashes are there.\n", pruned);
        return;
    }
    buf_init(&b, 1u << 20);
    json_open(&o, '{');
    json_kv_z(&o, "dir", t->to);
    json_kv_str(&o, "origin", is->origin);
    json_kv_i64(&o, "size", (int64_t)is->size);
    json_kv_i64(&o, "pruned", (int64_t)pruned);
    json_kv_i64(&o, "written", (int64_t)t->written);
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
    buf_done(&b);
}

static enum err tiles_run(struct cli *c, struct tiles *t, struct fault *f)
{
    TRY(tiles_open(t, f));
    TRY(tiles_grow(t, f));
    TRY(tiles_finish(t, f));
    tiles_print(c, t);
    return ERR_OK;
}

enum err cli_run_audit_tiles(struct cli *c, struct fault *f)
{
    const char *to = c->arg[0];
    struct str dir;
    if (!*to || strlen(to) > TILES_PATH - 2 * TLOG_PATH)
        return fault_set(f, ERR_USAGE, "audit tiles: DIR must be a folder's name");
    TRY(cli_audit_dir(c, &dir, f));
    if (tiles_same(dir.p, to))
        return fault_set(f, ERR_USAGE, "audit tiles: %s is the record itself; DIR must be another folder", to);
    struct tiles *t = calloc(1, sizeof(*t));
    if (!t)
        return fault_set(f, ERR_NOMEM, "no memory for a tree");
    t->from = dir.p;
    t->to = to;
    tlog_tree_init(&t->tree);
    t->tree.tile = tiles_hashes;
    t->tree.ctx = t;
    buf_init(&t->bundle, TILES_BUNDLE);
    enum err e = tiles_run(c, t, f);
    tiles_free(t);
    return e;
}

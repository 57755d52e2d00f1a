/*
 * A whole record, from a folder as tlog-tiles lays it out: the tree is grown again from its entries, and must be the
 * one that its tiles hold and its checkpoint signs. Entries that were pruned are missing from the front; their hashes
 * stay, and the tree is grown from those.
 */
#include <stdlib.h>
#include <unistd.h>

#include "verify/verify.h"

enum { OLDER_FILE = 64 << 20, OLDER_MAX = 1 << 20, BUNDLE_BYTES = TLOG_WIDTH * (2 + UINT16_MAX) };

struct whole_older {
    const char *path;
    uint64_t size;
    struct tlog_hash root;
};

struct whole {
    struct verify *v;
    const char *dir;
    struct verify_checkpoint *c;
    struct whole_older *older; /* by size */
    size_t older_count, older_room, older_seen;
    struct tlog_tree tree;
    uint64_t pruned;
    bool entries; /* there was one */
    struct buf bundle;
};

static void whole_free(struct whole *w)
{
    verify_checkpoint_freep(&w->c);
    free(w->older);
    buf_done(&w->bundle);
    free(w);
}

/* For tlog_tree.tile: is the folder's tile what the entries say? */
static enum err whole_tile(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                           struct fault *f)
{
    const struct whole *w = ctx;
    struct tlog_hash have[TLOG_WIDTH];
    char name[TLOG_PATH];
    TRY(tlog_folder_tile((void *)(uintptr_t)w->dir, level, index, width, have, f));
    if (memcmp(have, v, width * sizeof(*v)) == 0)
        return ERR_OK;
    tlog_tile_path(level, index, width, name);
    return fault_set(f, ERR_CORRUPT, "%s/%s: holds other hashes than the entries have", w->dir, name);
}

/* Older checkpoints, where the tree has come to their size. */
static enum err whole_check_older(struct whole *w, struct fault *f)
{
    struct tlog_hash root;
    for (; w->older_seen < w->older_count && w->older[w->older_seen].size == w->tree.size; w->older_seen++) {
        const struct whole_older *o = &w->older[w->older_seen];
        tlog_tree_root(&w->tree, &root);
        if (!tlog_same(&root, &o->root))
            return fault_set(f, ERR_CORRUPT, "%s: the record's first %llu entries are not those that it signs", o->path,
                             (unsigned long long)o->size);
    }
    return ERR_OK;
}

static enum err whole_leaf(struct whole *w, const struct tlog_hash *leaf, struct fault *f)
{
    TRY(tlog_tree_add(&w->tree, leaf, f));
    return whole_check_older(w, f);
}

static enum err whole_entries(struct whole *w, uint64_t index, unsigned width, struct fault *f)
{
    struct str rest = buf_view(&w->bundle);
    struct tlog_hash leaf, tile[TLOG_WIDTH];
    TRY(tlog_folder_tile((void *)(uintptr_t)w->dir, 0, index, width, tile, f));
    for (unsigned i = 0; i < width; i++) {
        const unsigned char *p = (const unsigned char *)rest.p;
        size_t n = rest.n < 2 ? 0 : (size_t)p[0] << 8 | p[1];
        if (rest.n < 2 + n)
            return fault_set(f, ERR_CORRUPT, "%s: the bundle of entries from %llu on ends within entry %llu", w->dir,
                             (unsigned long long)(index * TLOG_WIDTH + 1),
                             (unsigned long long)(index * TLOG_WIDTH + i + 1));
        tlog_leaf((struct str){rest.p + 2, n}, &leaf);
        if (!tlog_same(&leaf, &tile[i]))
            return fault_set(f, ERR_CORRUPT, "%s: entry %llu is not the one whose hash the record's tree holds", w->dir,
                             (unsigned long long)(index * TLOG_WIDTH + i + 1));
        TRY(whole_leaf(w, &leaf, f));
        rest = str_skip(rest, 2 + n);
    }
    return ERR_OK;
}

static enum err whole_hashes(struct whole *w, uint64_t index, unsigned width, struct fault *f)
{
    struct tlog_hash leaf[TLOG_WIDTH];
    TRY(tlog_folder_tile((void *)(uintptr_t)w->dir, 0, index, width, leaf, f));
    for (unsigned i = 0; i < width; i++)
        TRY(whole_leaf(w, &leaf[i], f));
    w->pruned += width;
    return ERR_OK;
}

static void whole_progress(const struct whole *w, bool over)
{
    if (!isatty(STDERR_FILENO) || (!over && w->tree.size % (TLOG_WIDTH * 1024) != 0))
        return;
    fprintf(stderr, over ? "\r\033[K" : "\r%llu of %llu entries", (unsigned long long)w->tree.size,
            (unsigned long long)w->c->is.size);
}

static enum err whole_grow(struct whole *w, struct fault *f)
{
    const uint64_t size = w->c->is.size;
    TRY(whole_check_older(w, f)); /* one of an empty tree */
    while (w->tree.size < size) {
        uint64_t index = w->tree.size / TLOG_WIDTH, rest = size - w->tree.size;
        unsigned width = rest < TLOG_WIDTH ? (unsigned)rest : TLOG_WIDTH;
        unsigned has;
        enum err e = tlog_folder_file(w->dir, TLOG_ENTRIES, index, width, BUNDLE_BYTES, &w->bundle, &has, f);
        if (e == ERR_NOT_FOUND && !w->entries && width == TLOG_WIDTH)
            e = whole_hashes(w, index, width, f);
        else if (!e) {
            w->entries = true;
            e = whole_entries(w, index, width, f);
        }
        TRY(e);
        whole_progress(w, false);
    }
    return tlog_tree_partial(&w->tree, f);
}

static void whole_say(struct whole *w)
{
    struct verify *v = w->v;
    struct json_out o = json_out(&v->out);
    if (!v->json) {
        buf_fmt(&v->out, "All %llu entries of " STR_FMT " are in place.\n\n",
                (unsigned long long)(w->c->is.size - w->pruned), STR_ARG(w->c->is.origin));
        verify_checkpoint_say(v, w->c, &o);
        if (w->pruned)
            buf_fmt(&v->out, "pruned       the first %llu: only their hashes are left\n",
                    (unsigned long long)w->pruned);
        if (w->older_count)
            buf_fmt(&v->out, "older        %zu checkpoint%s of this one\n", w->older_count,
                    w->older_count == 1 ? " is a beginning" : "s are beginnings");
        return;
    }
    json_open(&o, '{');
    json_kv_bool(&o, "ok", true);
    verify_checkpoint_say(v, w->c, &o);
    json_kv_i64(&o, "pruned", (int64_t)w->pruned);
    json_kv_i64(&o, "older", (int64_t)w->older_count);
    json_close(&o, '}');
    buf_char(&v->out, '\n');
}

/* ---- older checkpoints ---- */

static enum err older_add(struct whole *w, const char *path, struct str note, struct fault *f)
{
    struct verify_checkpoint *c CLEANUP(verify_checkpoint_freep) = NULL;
    TRY(verify_checkpoint_of(w->v, path, note, &c, f));
    if (!str_eq(c->is.origin, w->c->is.origin) || c->is.size > w->c->is.size)
        return fault_set(f, ERR_CORRUPT, "%s: is of another log, or of more entries than this one has: %llu", path,
                         (unsigned long long)w->c->is.size);
    if (w->older_count == w->older_room) {
        size_t room = w->older_room ? 2 * w->older_room : 64;
        struct whole_older *more = room <= OLDER_MAX ? realloc(w->older, room * sizeof(*more)) : NULL;
        if (!more)
            return fault_set(f, ERR_NOMEM, "%s: no memory for so many checkpoints", path);
        w->older = more;
        w->older_room = room;
    }
    w->older[w->older_count++] = (struct whole_older){path, c->is.size, c->is.root};
    return ERR_OK;
}

/* A checkpoint, or all of an anchor's file. */
static enum err older_file(struct whole *w, const char *path, struct fault *f)
{
    struct buf b CLEANUP(buf_done) = {0};
    struct note *scratch = malloc(sizeof(*scratch));
    enum err e = scratch ? file_read(path, OLDER_FILE, &b, f) : fault_set(f, ERR_NOMEM, "%s: no memory", path);
    struct str rest = buf_view(&b), note;
    size_t passed = 0, before = w->older_count;
    while (!e && note_next(&rest, scratch, &note, &passed))
        e = older_add(w, path, note, f);
    free(scratch);
    if (!e && w->older_count == before) /* says what is wrong with it */
        e = older_add(w, path, buf_view(&b), f);
    return e;
}

static int older_order(const void *a, const void *b)
{
    const struct whole_older *x = a, *y = b;
    return x->size < y->size ? -1 : x->size > y->size;
}

static enum err whole_open(struct whole *w, struct fault *f)
{
    struct verify *v = w->v;
    char path[4096];
    snprintf(path, sizeof(path), "%s/checkpoint", w->dir);
    TRY(verify_checkpoint_file(v, path, &w->c, f));
    const struct verify_keys witnesses = v->witnesses;
    v->witnesses.n = 0;
    for (unsigned i = 0; i < v->older_count; i++)
        TRY(older_file(w, v->older[i], f));
    v->witnesses = witnesses;
    if (w->older_count)
        qsort(w->older, w->older_count, sizeof(*w->older), older_order);
    return ERR_OK;
}

static enum err whole_check(struct whole *w, struct fault *f)
{
    struct tlog_hash root;
    TRY(whole_open(w, f));
    enum err e = whole_grow(w, f);
    whole_progress(w, true);
    if (e == ERR_NOT_FOUND) /* what a checkpoint signs must be there */
        e = f->err = ERR_CORRUPT;
    TRY(e);
    tlog_tree_root(&w->tree, &root);
    if (!tlog_same(&root, &w->c->is.root))
        return fault_set(f, ERR_CORRUPT, "%s: the entries are not those that its checkpoint signs", w->dir);
    whole_say(w);
    return ERR_OK;
}

enum err verify_log(struct verify *v, struct fault *f)
{
    if (v->args != 1)
        return fault_set(f, ERR_USAGE, "log takes one DIR");
    struct whole *w = calloc(1, sizeof(*w));
    if (!w)
        return fault_set(f, ERR_NOMEM, "no memory for a tree");
    w->v = v;
    w->dir = v->arg[0];
    tlog_tree_init(&w->tree);
    w->tree.tile = whole_tile;
    w->tree.ctx = w;
    enum err e = whole_check(w, f);
    whole_free(w);
    return e;
}

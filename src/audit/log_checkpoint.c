/* Checkpoints of the record, from its files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/log.h"
#include "base/file.h"

enum { CHECKPOINT_FILE = 64 << 10, CHECKPOINT_LINE = 256 << 10 };

void log_checkpoint_done(struct log_checkpoint *c)
{
    buf_done(&c->text);
}

static enum err checkpoint_signed(const struct note *n, struct str origin, const struct note_verifiers *v,
                                  struct fault *f)
{
    bool named = false;
    for (size_t i = 0; i < v->n; i++) {
        if (v->v[i].alg != NOTE_ED25519 || !str_is(origin, v->v[i].name))
            continue;
        named = true;
        enum err e = note_verify(n, &v->v[i], NULL, f);
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return named ? fault_set(f, ERR_CORRUPT, "it is signed by none of the known keys of " STR_FMT, STR_ARG(origin))
                 : fault_set(f, ERR_CORRUPT, "no key of " STR_FMT " is known", STR_ARG(origin));
}

enum err log_checkpoint_check(struct str text, const struct note_verifiers *v, struct note *ret_note,
                              struct checkpoint *ret, struct fault *f)
{
    TRY(note_parse(text, ret_note, f));
    TRY(checkpoint_parse(ret_note->text, ret, f));
    return v ? checkpoint_signed(ret_note, ret->origin, v, f) : ERR_OK;
}

static enum err checkpoint_read(const char *dir, const char *name, struct log_checkpoint *ret, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    buf_init(&ret->text, CHECKPOINT_FILE);
    enum err e = file_read(path, CHECKPOINT_FILE, &ret->text, f);
    if (e == ERR_LIMIT)
        e = f->err = ERR_CORRUPT;
    else if (!e && (log_checkpoint_check(buf_view(&ret->text), NULL, &ret->note, &ret->is, f)))
        e = fault_set(f, ERR_CORRUPT, "%s: is damaged", path);
    if (e)
        buf_done(&ret->text);
    return e;
}

enum err log_checkpoint_read(const char *dir, struct log_checkpoint *ret, struct fault *f)
{
    return checkpoint_read(dir, "checkpoint", ret, f);
}

enum err log_cosigned_read(const char *dir, struct log_checkpoint *ret, struct fault *f)
{
    return checkpoint_read(dir, "cosigned", ret, f);
}

/* ---- those that are kept ---- */

struct kept {
    const char *path;
    enum err (*each)(void *ctx, struct str note, struct fault *f);
    void *ctx;
    struct arena arena;
};

static enum err kept_line(struct kept *k, struct str line, unsigned number, struct fault *f)
{
    struct json j;
    arena_reset(&k->arena);
    if (json_parse(&j, line, &k->arena, NULL, NULL) ||
        json_type(&j, json_get(&j, JSON_ROOT, STR("note"))) != JSON_STRING)
        return fault_set(f, ERR_CORRUPT, "%s, line %u: is no checkpoint", k->path, number);
    struct str note = json_str(&j, json_get(&j, JSON_ROOT, STR("note")), &k->arena);
    enum err e = k->each(k->ctx, note, f);
    return e ? fault_wrap(f, "%s, line %u", k->path, number) : e;
}

/* A last line without its end was being written when the machine stopped. */
static enum err kept_file(struct kept *k, struct fault *f)
{
    FILE *file = fopen(k->path, "re");
    char *line = NULL;
    size_t room = 0;
    enum err e = ERR_OK;
    if (!file)
        return fault_set(f, ERR_IO, "%s: %s", k->path, strerror(errno));
    ssize_t n;
    for (unsigned number = 1; !e && (n = getline(&line, &room, file)) > 0; number++) {
        if (line[n - 1] != '\n')
            break;
        e = n > CHECKPOINT_LINE ? fault_set(f, ERR_CORRUPT, "%s, line %u: is too long", k->path, number)
                                : kept_line(k, (struct str){line, (size_t)n - 1}, number, f);
    }
    free(line);
    fclose(file);
    return e;
}

static int kept_filter(const struct dirent *d)
{
    return strlen(d->d_name) == 10 && d->d_name[4] == '-' && d->d_name[7] == '-';
}

enum err log_checkpoints_each(const char *dir, enum err (*each)(void *ctx, struct str note, struct fault *f), void *ctx,
                              struct fault *f)
{
    struct dirent **names;
    char folder[4096], path[4096 + 32];
    struct kept k = {.path = path, .each = each, .ctx = ctx};
    enum err e = ERR_OK;
    snprintf(folder, sizeof(folder), "%s/checkpoints", dir);
    int n = scandir(folder, &names, kept_filter, alphasort);
    if (n < 0)
        return errno == ENOENT ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", folder, strerror(errno));
    arena_init(&k.arena, 16u << 20);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (!e)
            e = kept_file(&k, f);
        free(names[i]);
    }
    free(names);
    arena_done(&k.arena);
    return e;
}

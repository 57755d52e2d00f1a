/* Whose signatures count. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tlog/folder.h"

enum { VERIFIERS_MAX = 4096, VERIFIERS_FILE = 1 << 20 };

void note_verifiers_done(struct note_verifiers *v)
{
    free(v->v);
    *v = (struct note_verifiers){0};
}

static enum err verifiers_add(struct note_verifiers *v, struct str text, struct fault *f)
{
    struct note_verifier one;
    TRY(note_verifier_parse(text, &one, f));
    for (size_t i = 0; i < v->n; i++)
        if (v->v[i].hash == one.hash && strcmp(v->v[i].name, one.name) == 0)
            return ERR_OK;
    struct note_verifier *more = v->n < VERIFIERS_MAX ? realloc(v->v, (v->n + 1) * sizeof(*more)) : NULL;
    if (!more)
        return fault_set(f, v->n < VERIFIERS_MAX ? ERR_NOMEM : ERR_LIMIT, "more than %d keys", VERIFIERS_MAX);
    v->v = more;
    v->v[v->n++] = one;
    return ERR_OK;
}

static enum err verifiers_file(struct note_verifiers *v, const char *path, struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 0);
    TRY(file_read(path, VERIFIERS_FILE, &b, f));
    for (struct str rest = buf_view(&b), line; rest.n;) {
        str_cut(&rest, '\n', &line);
        line = str_trim(line);
        if (line.n && line.p[0] != '#' && verifiers_add(v, line, f))
            return fault_wrap(f, "%s", path);
    }
    return ERR_OK;
}

static int verifiers_filter(const struct dirent *d)
{
    return str_ends(str_of(d->d_name), STR(".pub"));
}

static enum err verifiers_folder(struct note_verifiers *v, const char *dir, struct fault *f)
{
    struct dirent **names;
    char path[4096];
    enum err e = ERR_OK;
    int n = scandir(dir, &names, verifiers_filter, alphasort);
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
        if (!e)
            e = verifiers_file(v, path, f);
        free(names[i]);
    }
    free(names);
    return e;
}

enum err note_verifiers_read(const char *path, struct note_verifiers *ret, struct fault *f)
{
    struct note_verifiers v = {0};
    struct stat st;
    if (stat(path, &st) < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    enum err e = S_ISDIR(st.st_mode) ? verifiers_folder(&v, path, f) : verifiers_file(&v, path, f);
    if (e) {
        note_verifiers_done(&v);
        return e;
    }
    *ret = v;
    return ERR_OK;
}

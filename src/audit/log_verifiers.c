/* Whose signatures count. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "audit/log.h"

enum { VERIFIERS_MAX = 4096, VERIFIERS_LINE = 1024 };

void log_verifiers_done(struct log_verifiers *v)
{
    free(v->v);
    *v = (struct log_verifiers){0};
}

static enum err verifiers_add(struct log_verifiers *v, struct str text, const char *path, struct fault *f)
{
    struct note_verifier one;
    if (note_verifier_parse(text, &one, f))
        return fault_wrap(f, "%s", path);
    for (size_t i = 0; i < v->n; i++)
        if (v->v[i].hash == one.hash && strcmp(v->v[i].name, one.name) == 0)
            return ERR_OK;
    struct note_verifier *more = v->n < VERIFIERS_MAX ? realloc(v->v, (v->n + 1) * sizeof(*more)) : NULL;
    if (!more)
        return fault_set(f, ERR_NOMEM, "%s: too many keys", path);
    v->v = more;
    v->v[v->n++] = one;
    return ERR_OK;
}

static enum err verifiers_file(struct log_verifiers *v, const char *path, struct fault *f)
{
    char line[VERIFIERS_LINE];
    FILE *file = fopen(path, "re");
    enum err e = ERR_OK;
    if (!file)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    while (!e && fgets(line, sizeof(line), file))
        if (line[0] != '#' && line[0] != '\n')
            e = verifiers_add(v, str_of(line), path, f);
    fclose(file);
    return e;
}

static int verifiers_filter(const struct dirent *d)
{
    return str_ends(str_of(d->d_name), STR(".pub"));
}

static enum err verifiers_folder(struct log_verifiers *v, const char *dir, struct fault *f)
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

enum err log_verifiers_read(const char *path, struct log_verifiers *ret, struct fault *f)
{
    struct log_verifiers v = {0};
    struct stat st;
    if (stat(path, &st) < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    enum err e = S_ISDIR(st.st_mode) ? verifiers_folder(&v, path, f) : verifiers_file(&v, path, f);
    if (e) {
        log_verifiers_done(&v);
        return e;
    }
    *ret = v;
    return ERR_OK;
}

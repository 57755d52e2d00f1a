#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "verify/verify.h"

enum { KEYS_FILE = 64 << 10 };

enum err verify_read(const char *path, size_t max, struct buf *out, struct fault *f)
{
    bool in = strcmp(path, "-") == 0;
    FILE *file = in ? stdin : fopen(path, "re");
    char part[16384];
    size_t n;
    if (!file)
        return fault_set(f, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                         strerror(errno));
    buf_done(out);
    buf_init(out, max);
    while ((n = fread(part, 1, sizeof(part), file)) > 0 && !buf_failed(out))
        buf_put(out, part, n);
    enum err e = ERR_OK;
    if (ferror(file))
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    else if (buf_failed(out))
        e = fault_set(f, ERR_IO, buf_error(out) == ERR_NOMEM ? "%s: no memory to read it" : "%s: is too large", path);
    if (!in)
        fclose(file);
    return e;
}

static enum err keys_put(struct verify_keys *k, struct str text, struct fault *f)
{
    if (k->n == VERIFY_KEYS)
        return fault_set(f, ERR_USAGE, "more than %d keys", VERIFY_KEYS);
    TRY(note_verifier_parse(text, &k->v[k->n], f));
    k->n++;
    return ERR_OK;
}

static enum err keys_file(struct verify_keys *k, const char *path, struct fault *f)
{
    struct buf b CLEANUP(buf_done) = {0};
    unsigned before = k->n;
    TRY(verify_read(path, KEYS_FILE, &b, f));
    for (struct str rest = buf_view(&b), line; rest.n;) {
        str_cut(&rest, '\n', &line);
        line = str_trim(line);
        if (!line.n || line.p[0] == '#')
            continue;
        if (keys_put(k, line, f))
            return fault_wrap(f, "%s", path);
    }
    return k->n > before ? ERR_OK : fault_set(f, ERR_USAGE, "%s: holds no key", path);
}

static int keys_filter(const struct dirent *d)
{
    return str_ends(str_of(d->d_name), STR(".pub"));
}

static enum err keys_folder(struct verify_keys *k, const char *dir, struct fault *f)
{
    struct dirent **names;
    char path[4096];
    enum err e = ERR_OK;
    int n = scandir(dir, &names, keys_filter, alphasort);
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
        if (!e)
            e = keys_file(k, path, f);
        free(names[i]);
    }
    free(names);
    return e || n ? e : fault_set(f, ERR_USAGE, "%s: holds no files *.pub", dir);
}

enum err verify_keys_add(struct verify_keys *k, const char *text, struct fault *f)
{
    struct stat st;
    struct fault why;
    if (keys_put(k, str_of(text), &why) == ERR_OK)
        return ERR_OK;
    if (stat(text, &st) == 0)
        return S_ISDIR(st.st_mode) ? keys_folder(k, text, f) : keys_file(k, text, f);
    if (strchr(text, '+')) /* a key with a slip in it, rather than a file */
        return fault_set(f, ERR_USAGE, "%s: %s", text, why.text);
    return fault_set(f, ERR_USAGE, "%s: is no key, and no file", text);
}

/* Policy files: which ones there are, their bytes, and the version that they make together. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "policy/policy.h"

enum { TEXTS_FILES = 1000, TEXTS_MEMORY = 256 << 20 };

const char policy_builtin[] =
    "// The policy of an installation without policy files: what the registry and the scopes of the session allow\n"
    "// goes through. With policy files only these count.\n"
    "@id(\"built-in\")\n"
    "permit (\n    principal,\n    action,\n    resource\n);\n";

struct str policy_base(struct str path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '/')
            return str_skip(path, i);
    return path;
}

static enum err texts_slurp(const char *path, struct arena *a, struct str *ret, struct buf *faults)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > CEDAR_TEXT_MAX) {
        buf_fmt(faults, "%s: %s\n", path,
                fd < 0                     ? strerror(errno)
                : S_ISREG(st.st_mode) == 0 ? "is no file"
                                           : "is too large: a file of policies has 8 MiB at most");
        if (fd >= 0)
            close(fd);
        return ERR_CONFIG;
    }
    char *p = arena_raw(a, (size_t)st.st_size + 1, 1);
    ssize_t n = p ? pread(fd, p, (size_t)st.st_size, 0) : -1;
    close(fd);
    if (n < 0) {
        buf_fmt(faults, "%s: cannot be read: %s\n", path, p ? strerror(errno) : "no memory");
        return ERR_CONFIG;
    }
    *ret = (struct str){p, (size_t)n};
    return ERR_OK;
}

static bool texts_have(const struct policy_texts *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->v[i].name, name))
            return true;
    return false;
}

static enum err texts_pattern(struct policy_texts *t, const struct conf_policy_file *file, struct buf *faults)
{
    glob_t g;
    enum err e = ERR_OK;
    int found = glob(file->file.p, 0, NULL, &g);
    if (found == GLOB_NOMATCH || (!found && g.gl_pathc == 0))
        buf_fmt(faults, "%s: there is no such file: policies that are configured have to be there\n", file->file.p);
    else if (found)
        buf_fmt(faults, "%s: cannot be read\n", file->file.p);
    for (size_t i = 0; !found && i < g.gl_pathc && !e; i++) {
        struct policy_text *v = &t->v[t->n];
        *v = (struct policy_text){.name = arena_str(&t->arena, str_of(g.gl_pathv[i])), .enforce = file->enforce};
        if (texts_have(t, v->name))
            continue; /* the first line that names a file says how it counts */
        if (t->n == TEXTS_FILES) {
            buf_fmt(faults, "%s: more than %d files of policies\n", file->file.p, TEXTS_FILES);
            e = ERR_CONFIG;
        } else if (!(e = texts_slurp(g.gl_pathv[i], &t->arena, &v->text, faults))) {
            t->n++;
        }
    }
    if (!found)
        globfree(&g);
    return found ? ERR_CONFIG : e;
}

static void texts_version(struct policy_texts *t)
{
    struct buf all;
    unsigned char hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    buf_init(&all, TEXTS_MEMORY);
    for (size_t i = 0; t->v && i < t->n; i++) {
        buf_fmt(&all, STR_FMT " %d %zu\n", STR_ARG(policy_base(t->v[i].name)), t->v[i].enforce, t->v[i].text.n);
        buf_str(&all, t->v[i].text);
    }
    enc_sha256(all.p, all.n, hash);
    enc_hex(hash, sizeof(hash), hex);
    memcpy(t->version, hex, POLICY_VERSION - 1);
    t->arena.failed = t->arena.failed || buf_failed(&all);
    buf_done(&all);
}

static bool texts_parse(const struct policy_texts *t, struct buf *faults)
{
    bool ok = true;
    struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
    for (size_t i = 0; ps && i < t->n; i++)
        ok = cedar_parse(ps, t->v[i].name, t->v[i].text, faults) == ERR_OK && ok;
    cedar_policies_free(ps);
    return ps && ok;
}

static struct policy_texts *texts_new(void)
{
    struct policy_texts *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->refs = 1;
    arena_init(&t->arena, TEXTS_MEMORY);
    t->v = arena_alloc(&t->arena, (TEXTS_FILES + 1) * sizeof(*t->v));
    return t;
}

/* The end of the reading, either way. */
static enum err texts_ready(struct policy_texts *t, enum err e, struct policy_texts **ret, struct buf *faults)
{
    if (!e && !texts_parse(t, faults))
        e = faults->n ? ERR_CONFIG : ERR_NOMEM;
    if (!e)
        texts_version(t);
    if (!e && arena_failed(&t->arena))
        e = ERR_NOMEM;
    if (e)
        policy_texts_unref(t);
    else
        *ret = t;
    return e;
}

enum err policy_texts_read(const struct conf *conf, struct policy_texts **ret, struct buf *faults)
{
    const struct conf_policy *p = &conf->root.policy;
    struct policy_texts *t = texts_new();
    if (!t)
        return ERR_NOMEM;
    enum err e = t->v ? ERR_OK : ERR_NOMEM;
    for (size_t i = 0; t->v && i < p->files.n; i++)
        if (texts_pattern(t, &p->files.v[i], faults))
            e = ERR_CONFIG;
    if (!e && !p->files.n) {
        t->builtin = true;
        t->v[t->n++] = (struct policy_text){STR("built-in"), str_of(policy_builtin), true};
    }
    return texts_ready(t, e, ret, faults);
}

enum err policy_texts_of(const struct policy_text *v, size_t n, struct policy_texts **ret, struct buf *faults)
{
    struct policy_texts *t = texts_new();
    if (!t)
        return ERR_NOMEM;
    for (size_t i = 0; t->v && i < n && i < TEXTS_FILES; i++)
        t->v[t->n++] =
            (struct policy_text){arena_str(&t->arena, v[i].name), arena_str(&t->arena, v[i].text), v[i].enforce};
    return texts_ready(t, t->v ? ERR_OK : ERR_NOMEM, ret, faults);
}

struct policy_texts *policy_texts_ref(struct policy_texts *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void policy_texts_unref(struct policy_texts *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    arena_done(&t->arena);
    free(t);
}

/*
 * What a boxed program can open. The system's part is a list: folders that hold programs and libraries, and of /etc the
 * files that libraries read; the rest of /etc may hold secrets, ours among them. Of the program's own files those are
 * found that its command line shows. What is found that way is a guess, and never opens data_dir, the configuration, a
 * home or a folder right under the root; what is declared is opened as it is.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box/box.h"

enum { PATHS_MAX = 1024 };

static const char *const paths_system[] = {
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/nix/store",
    "/proc",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
    "/dev/random",
    "/dev/urandom",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki",
    "/etc/protocols",
    "/etc/python3",
    "/etc/python3.11",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
};
static const char *const paths_devices[] = {"/dev/null", "/dev/zero", "/dev/full"};

static void paths_add(struct box_paths *p, const char *path, bool write, bool declared)
{
    if (path && p->n < p->cap)
        p->v[p->n++] = (struct box_path){path, write, declared};
}

static const char *paths_env(const struct box_plan *p, const char *name)
{
    size_t n = strlen(name);
    for (const char *const *e = p->env; e && *e; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return *e + n + 1;
    return NULL;
}

static const char *paths_cwd(const struct box_plan *p, char at[PATH_MAX])
{
    return p->cwd ? p->cwd : getcwd(at, PATH_MAX);
}

/* Relative to where the program is started. */
static const char *paths_from(const struct box_plan *p, struct str path, struct arena *a)
{
    char at[PATH_MAX];
    const char *cwd = paths_cwd(p, at);
    if (path.n && path.p[0] == '/')
        return arena_str(a, path).p;
    return cwd ? arena_fmt(a, "%s/" STR_FMT, cwd, STR_ARG(path)).p : NULL;
}

static bool paths_is_file(const char *path)
{
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool paths_is_program(const char *path)
{
    return paths_is_file(path) && access(path, X_OK) == 0;
}

enum err box_program(const struct box_plan *p, struct arena *a, const char **ret, struct fault *f)
{
    struct str name = str_of(p->args[0]), dirs = str_of(paths_env(p, "PATH")), dir;
    const char *path = NULL;
    if (memchr(name.p, '/', name.n)) {
        path = paths_from(p, name, a);
        if (path && !paths_is_program(path)) {
            int e = access(path, X_OK) ? errno : EACCES; /* a folder */
            return fault_set(f, ERR_UPSTREAM, "its program %s cannot be started: %s", name.p, strerror(e));
        }
    }
    while (!path && dirs.n) {
        str_cut(&dirs, ':', &dir);
        const char *at = paths_from(p, arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(dir), STR_ARG(name)), a);
        path = paths_is_program(at) ? at : NULL;
    }
    if (!path)
        return fault_set(f, ERR_UPSTREAM, "its program %s cannot be started: %s", name.p, strerror(ENOENT));
    *ret = path;
    return ERR_OK;
}

/* ---- where things lie ---- */

/* The longest part that is there, links followed, and the rest behind it. */
static bool paths_real(const char *path, char ret[PATH_MAX * 2])
{
    char part[PATH_MAX], real[PATH_MAX];
    if (strlen(path) >= sizeof(part))
        return false;
    snprintf(part, sizeof(part), "%s", path);
    for (size_t n = strlen(part);;) {
        if (realpath(part[0] ? part : "/", real)) {
            snprintf(ret, PATH_MAX * 2, "%s%s", strcmp(real, "/") == 0 ? "" : real, path + n);
            return true;
        }
        while (n && part[n - 1] != '/')
            n--;
        while (n && part[n - 1] == '/')
            n--;
        part[n] = 0;
        if (!n && path[0] != '/')
            return false;
    }
}

bool box_holds(const char *outer, const char *inner)
{
    char a[PATH_MAX * 2], b[PATH_MAX * 2];
    if (!paths_real(outer, a) || !paths_real(inner, b))
        return true; /* the safe answer */
    size_t n = strlen(a);
    return strncmp(a, b, n) == 0 && (b[n] == 0 || b[n] == '/');
}

static char paths_home[PATH_MAX]; /* the gateway's user's; empty: none */

static void paths_find_home(void)
{
    const struct passwd *me = getpwuid(getuid()); /* NOLINT: once */
    if (me && me->pw_dir && strcmp(me->pw_dir, "/") != 0)
        snprintf(paths_home, sizeof(paths_home), "%s", me->pw_dir);
}

/* A folder that a guess may open. */
static bool paths_modest(const struct box_plan *p, const char *folder)
{
    char real[PATH_MAX];
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, paths_find_home);
    if (!realpath(folder, real) || !strchr(real + 1, '/') || strcmp(real, "/var/tmp") == 0)
        return false;
    if (paths_home[0] && box_holds(real, paths_home))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (p->keep[i] && (box_holds(real, p->keep[i]) || (i == 0 && box_holds(p->keep[i], real))))
            return false;
    return true;
}

static void paths_guess(const struct box_plan *p, struct box_paths *r, const char *folder)
{
    if (folder && paths_modest(p, folder))
        paths_add(r, folder, false, false);
}

static const char *paths_parent(const char *path, struct arena *a)
{
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? arena_str(a, (struct str){path, (size_t)(slash - path)}).p : NULL;
}

static const char *paths_in(const char *folder, const char *name, struct arena *a)
{
    return folder ? arena_fmt(a, "%s/%s", folder, name).p : NULL;
}

/* ---- the program's own ---- */

/* A folder of programs; beside one that is called bin lies what they are made of. */
static void paths_bin(const struct box_plan *p, struct box_paths *r, const char *folder, struct arena *a)
{
    static const char *const beside[] = {"lib", "lib64", "libexec"};
    const char *parent = str_ends(str_of(folder), STR("/bin")) ? paths_parent(folder, a) : NULL;
    paths_guess(p, r, folder);
    for (size_t i = 0; parent && i < sizeof(beside) / sizeof(beside[0]); i++)
        paths_guess(p, r, paths_in(parent, beside[i], a));
    if (parent)
        paths_add(r, paths_in(parent, "pyvenv.cfg", a), false, false);
}

static void paths_of_program(const struct box_plan *p, const char *program, struct box_paths *r, struct arena *a)
{
    struct str dirs = str_of(paths_env(p, "PATH")), dir;
    char real[PATH_MAX];
    const char *at[2] = {program, realpath(program, real) ? arena_str(a, str_of(real)).p : NULL};
    for (size_t i = 0; i < 2; i++) {
        const char *folder = at[i] ? paths_parent(at[i], a) : NULL;
        paths_add(r, at[i], false, false);
        if (folder && str_ends(str_of(folder), STR("/bin")))
            paths_bin(p, r, folder, a);
    }
    while (dirs.n) {
        str_cut(&dirs, ':', &dir);
        if (dir.n && dir.p[0] == '/')
            paths_bin(p, r, arena_str(a, dir).p, a);
    }
}

/* The folder of a script; or the one above it that says it is a package. */
static void paths_of_script(const struct box_plan *p, const char *script, struct box_paths *r, struct arena *a)
{
    const char *folder = paths_parent(script, a), *modules = NULL, *package = NULL;
    for (const char *at = folder; at && paths_modest(p, at); at = paths_parent(at, a)) {
        if (str_ends(str_of(at), STR("/node_modules")))
            modules = at;
        if (!package && (access(paths_in(at, "package.json", a), F_OK) == 0 ||
                         access(paths_in(at, "pyproject.toml", a), F_OK) == 0))
            package = at;
    }
    paths_guess(p, r, package ? package : folder);
    paths_guess(p, r, modules);
}

/* Files that the command line names: the first one is what an interpreter runs. */
static void paths_of_arguments(const struct box_plan *p, struct box_paths *r, struct arena *a)
{
    char real[PATH_MAX];
    bool script = true;
    for (const char *const *arg = p->args + 1; p->args[0] && *arg; arg++) {
        const char *path = **arg && **arg != '-' ? paths_from(p, str_of(*arg), a) : NULL;
        if (!paths_is_file(path) || !realpath(path, real))
            continue;
        bool kept = (p->keep[0] && box_holds(p->keep[0], real)) || (p->keep[1] && box_holds(p->keep[1], real));
        const char *at = arena_str(a, str_of(real)).p;
        if (kept || !at)
            continue;
        paths_add(r, at, false, false);
        if (script)
            paths_of_script(p, at, r, a);
        script = false;
    }
}

static enum err paths_declared(const struct box_plan *p, const struct str *list, size_t n, bool write,
                               struct box_paths *r, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        if (p->keep[0] && (box_holds(list[i].p, p->keep[0]) || box_holds(p->keep[0], list[i].p)))
            return fault_set(f, ERR_CONFIG, "it may use %s, and there lies the gateway's data_dir", list[i].p);
        paths_add(r, list[i].p, write, true);
    }
    return ERR_OK;
}

enum err box_paths(const struct box_plan *p, const char *program, struct arena *a, struct box_paths *ret,
                   struct fault *f)
{
    struct box_paths r = {.v = arena_alloc(a, PATHS_MAX * sizeof(*r.v)), .cap = PATHS_MAX};
    if (!r.v)
        return fault_set(f, ERR_NOMEM, "no memory for a server's file rules");
    TRY(paths_declared(p, p->read, p->read_count, false, &r, f));
    TRY(paths_declared(p, p->write, p->write_count, true, &r, f));
    paths_add(&r, p->tmp, true, true);
    for (size_t i = 0; i < sizeof(paths_system) / sizeof(paths_system[0]); i++)
        paths_add(&r, paths_system[i], false, false);
    for (size_t i = 0; i < sizeof(paths_devices) / sizeof(paths_devices[0]); i++)
        paths_add(&r, paths_devices[i], true, false);
    paths_of_program(p, program, &r, a);
    paths_of_arguments(p, &r, a);
    paths_guess(p, &r, p->cwd);
    if (arena_failed(a) || r.n == r.cap)
        return fault_set(f, ERR_NOMEM, "no memory for a server's file rules");
    *ret = r;
    return ERR_OK;
}

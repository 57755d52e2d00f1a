/*
 * conformance_cedar DIR [CORPUS]: runs the cases of the repository cedar-policy/cedar-integration-tests through
 * src/cedar: DIR/tests/…/ *.json and CORPUS/corpus-tests/ *.json (CORPUS: where the packed corpus was unpacked;
 * otherwise DIR). The files that a case names are relative to DIR or CORPUS. A case passes when its validation and the
 * decision, the reasons and the errors of all its requests agree. Prints each disagreement on a line "FILE: what:
 * wanted …, got …" and, last, "N passed, N failed". Exit code 1 when any failed, 2 when there is nothing to run.
 *
 * The cases are shared out among processes, one for each core. One that dies is a failed case, and the others go on.
 */
#include "cedar_case.h"

#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 16, SHOWN = 2000 /* bytes of a line */ };

struct file {
    const char *root, *name; /* name: relative to root */
};
static struct file *files;
static size_t file_count, root_length;
static const char *root;

struct share {      /* of the work, seen by all processes */
    atomic_uint at; /* the case that it is at */
    atomic_uint passed, failed;
};
static struct share *shares;

/* NULL: it cannot be read. Freed by the caller. */
static char *file_read(const char *dir, const char *name, struct str *ret)
{
    char path[4096], *p = NULL;
    size_t cap = 0;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    ssize_t n = getdelim(&p, &cap, -1, f); /* no byte of a text is -1: the whole file */
    bool empty = n < 0 && feof(f);
    fclose(f);
    *ret = (struct str){p, n < 0 ? 0 : (size_t)n};
    if (n < 0 && !empty) {
        free(p);
        return NULL;
    }
    return p;
}

static int file_add(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if ((type != FTW_F && type != FTW_SLN) || !str_ends(str_of(path), STR(".json")) ||
        str_ends(str_of(path), STR(".entities.json")))
        return 0;
    files = realloc(files, (file_count + 1) * sizeof(*files));
    char *name = strdup(path + root_length + 1);
    if (!files || !name)
        abort();
    files[file_count++] = (struct file){root, name};
    return 0;
}

/* False: no cases there. */
static bool folder_add(const char *dir, const char *folder)
{
    char path[4096];
    size_t before = file_count;
    root = dir;
    root_length = strlen(dir);
    snprintf(path, sizeof(path), "%s/%s", dir, folder);
    (void)nftw(path, file_add, 16, 0);
    return file_count > before;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* One line, in one write, so that lines of several processes do not mix. */
static void tell(const struct file *f, const char *what, struct str got)
{
    char line[SHOWN];
    int n = snprintf(line, sizeof(line) - 1, "%s: %s" STR_FMT, f->name, what, STR_ARG(got));
    n = n < (int)sizeof(line) - 2 ? n : (int)sizeof(line) - 2;
    line[n++] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)n) < 0)
        _exit(3);
}

static bool request_run(const struct file *f, struct cedar_case *c, const struct json *j, uint32_t request, unsigned i)
{
    struct case_answer want = {.decision = CEDAR_DENY}, got;
    struct buf why CLEANUP(buf_done), wanted CLEANUP(buf_done);
    char what[512];
    buf_init(&why, 1u << 16);
    buf_init(&wanted, 1u << 16);
    want.reason = case_ids(j, json_get(j, request, STR("reason")), &c->arena, &want.reasons);
    want.error = case_ids(j, json_get(j, request, STR("errors")), &c->arena, &want.errors);
    bool allow = json_str_is(j, json_get(j, request, STR("decision")), STR("allow"));
    want.decision = allow ? CEDAR_ALLOW : CEDAR_DENY;
    bool known = allow || json_str_is(j, json_get(j, request, STR("decision")), STR("deny"));
    enum err e = known ? cedar_case_ask(c, j, request, &got, &why) : ERR_PARAMS;
    if (!e && got.decision == want.decision && case_ids_same(got.reason, got.reasons, want.reason, want.reasons) &&
        case_ids_same(got.error, got.errors, want.error, want.errors))
        return true;
    if (!known)
        buf_z(&why, "the case says neither allow nor deny");
    else if (!e)
        case_answer_put(&got, &why);
    case_answer_put(&want, &wanted);
    snprintf(what, sizeof(what), "request %u: wanted %.*s, got %s", i, (int)(wanted.n < 400 ? wanted.n : 400), wanted.p,
             e ? "refused: " : "");
    tell(f, what, buf_view(&why));
    return false;
}

/* The file that the case names under this key. */
static char *part_read(const struct file *f, const struct json *j, const char *key, struct arena *a,
                       struct str *ret_name, struct str *ret)
{
    *ret_name = arena_str(a, json_str(j, json_get(j, JSON_ROOT, str_of(key)), a));
    char *p = ret_name->n ? file_read(f->root, ret_name->p, ret) : NULL;
    if (!p)
        tell(f, key, ret_name->n ? STR(": the file that the case names cannot be read") : STR(" missing in the case"));
    return p;
}

static bool case_run(const struct file *f, struct cedar_case *c, const struct json *j)
{
    static const char *const part[] = {"policies", "schema", "entities"};
    struct buf why CLEANUP(buf_done);
    char what[64];
    buf_init(&why, 1u << 16);
    for (int i = 0; i < 3; i++) {
        struct str name, text = STR_NONE;
        char *p = part_read(f, j, part[i], &c->arena, &name, &text);
        if (!p)
            return false;
        enum err e = i == 0   ? cedar_case_policies(c, name, text, &why)
                     : i == 1 ? cedar_case_schema(c, name, text, &why)
                              : cedar_case_entities(c, text, &why);
        free(p);
        if (e) {
            snprintf(what, sizeof(what), "%s: wanted them read, got ", part[i]);
            tell(f, what, buf_view(&why));
            return false;
        }
    }
    bool agrees = true, want = json_bool(j, json_get(j, JSON_ROOT, STR("shouldValidate")), true);
    enum err e = cedar_case_validate(c, &why);
    if (e ? e != ERR_SYNTAX || want : !want) {
        tell(f, want ? "validation: wanted valid, got " : "validation: wanted invalid, got ",
             e ? buf_view(&why) : STR("valid"));
        agrees = false;
    }
    unsigned i = 0;
    JSON_EACH(j, json_get(j, JSON_ROOT, STR("requests")), request)
    agrees &= request_run(f, c, j, request, i++);
    if (i == 0) /* a case that asks nothing has shown nothing */
        tell(f, "no requests", STR_NONE);
    return agrees && i;
}

static bool file_run(const struct file *f)
{
    struct cedar_case c;
    struct json j;
    struct fault fault = {0};
    struct str text;
    bool passed = false;
    char *p = file_read(f->root, f->name, &text);
    cedar_case_init(&c);
    if (!p)
        tell(f, "cannot be read", STR_NONE);
    else if (json_parse(&j, text, &c.arena, NULL, &fault))
        tell(f, "", str_of(fault.text));
    else
        passed = case_run(f, &c, &j);
    cedar_case_done(&c);
    free(p);
    return passed;
}

/* A process that runs every case of its share from `from` on. */
static pid_t worker_start(struct share *s, unsigned from, unsigned step)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid)
        return pid;
    for (unsigned i = from; i < file_count; i += step) {
        atomic_store(&s->at, i);
        alarm(60); /* a case that hangs dies, and is named */
        atomic_fetch_add(file_run(&files[i]) ? &s->passed : &s->failed, 1);
    }
    exit(0);
}

static unsigned done_count(unsigned workers, bool passed)
{
    unsigned n = 0;
    for (unsigned i = 0; i < workers; i++)
        n += atomic_load(passed ? &shares[i].passed : &shares[i].failed);
    return n;
}

static void progress(unsigned workers)
{
    static time_t told;
    time_t now = time(NULL);
    if (!told)
        told = now;
    if (now - told < 5)
        return;
    told = now;
    unsigned passed = done_count(workers, true), failed = done_count(workers, false);
    fprintf(stderr, "%u of %zu cases, %u failed\n", passed + failed, file_count, failed);
}

static void workers_run(unsigned workers)
{
    pid_t pid[WORKERS_MAX];
    unsigned running = 0;
    for (unsigned i = 0; i < workers; i++)
        running += (pid[i] = worker_start(&shares[i], i, workers)) > 0;
    while (running) {
        int status;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        if (ended <= 0) {
            progress(workers);
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
            continue;
        }
        for (unsigned i = 0; i < workers; i++) {
            if (pid[i] != ended)
                continue;
            running--;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                break;
            unsigned at = atomic_load(&shares[i].at);
            tell(&files[at], "died: ", str_of(WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit"));
            atomic_fetch_add(&shares[i].failed, 1);
            running += (pid[i] = worker_start(&shares[i], at + workers, workers)) > 0;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: conformance_cedar DIR [CORPUS]\n");
        return 2;
    }
    (void)!folder_add(argv[1], "tests");
    bool whole = folder_add(argv[argc - 1], "corpus-tests") || argc == 2;
    if (!file_count || !whole) { /* cases that did not run have not passed */
        printf("no cases in %s\n0 passed, 1 failed\n", argv[argc - 1]);
        return 2;
    }
    qsort(files, file_count, sizeof(*files), by_name);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
    shares = mmap(NULL, sizeof(*shares) * WORKERS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shares == MAP_FAILED)
        return 2;
    workers_run(workers);
    unsigned passed = done_count(workers, true), failed = (unsigned)file_count - passed; /* none is forgotten */
    for (size_t i = 0; i < file_count; i++)
        free((char *)files[i].name);
    free(files);
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}

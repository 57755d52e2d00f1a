/*
 * A box: what a program that the gateway starts can reach. It is drawn around the child between fork and exec, by the
 * kernel, and holds for all that the program starts in turn:
 *
 *   files         Landlock: the system's programs and libraries, the program itself, what was declared, a folder for
 * its temporary files. Nothing else can be opened, created, renamed, removed or run. network       seccomp: without
 * `network` no socket but a connected pair; with it IPv4 and IPv6, never a Unix socket, since behind one there may be a
 * service that does what the program cannot. Landlock says no to TCP too. signals       Landlock: only to itself and
 * its own children; nor are abstract Unix sockets reached. system_calls  seccomp: no tracing of others, no mounts,
 * namespaces, kernel modules, keys, BPF, io_uring …
 *
 * Files' names, sizes, owners and permissions are not ruled over by Landlock: they can be looked at, and permissions of
 * the user's own files changed. (docs/THREAT-MODEL.md)
 *
 * Sources: Linux Documentation/userspace-api/landlock.rst, seccomp_filter.rst; landlock(7), seccomp(2).
 */
#ifndef BOX_BOX_H
#define BOX_BOX_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { BOX_FILES = 1, BOX_NETWORK = 2, BOX_SIGNALS = 4, BOX_CALLS = 8, BOX_ALL = 15 };
extern const char *const box_names[]; /* "files", …; in the order of the bits, NULL-ended */

/* What this kernel can enforce (BOX_…). Any thread. */
unsigned box_enforced(void);

struct box_limits {
    int64_t memory, open_files, processes, cpu; /* bytes, seconds; 0: as the gateway's */
};

/* What is started, and what it may do. Strings are the caller's and zero-terminated. */
struct box_plan {
    const char *const *args, *const *env; /* NULL-ended; the program is looked up in the PATH of env */
    const char *cwd;                      /* NULL: the gateway's */
    struct box_limits limits;
    bool boxed; /* false: nothing below holds */
    bool network;
    const struct str *read, *write; /* declared folders and files */
    size_t read_count, write_count;
    const char *tmp;     /* a folder of its own */
    const char *keep[2]; /* the gateway's data_dir and its configuration: never opened without having been declared */
};

/* One thing that may be opened; folders with all that is in them. */
struct box_path {
    const char *path;
    bool write;
    bool declared; /* it has to be there */
};
struct box_paths {
    struct box_path *v;
    size_t n, cap;
};

/* The program's path: what execvp would run. */
enum err box_program(const struct box_plan *p, struct arena *a, const char **ret, struct fault *f) MUST_USE;
/* All that the plan opens, from the system's folders to the declared ones. ERR_CONFIG: a declared one holds data_dir.
 */
enum err box_paths(const struct box_plan *p, const char *program, struct arena *a, struct box_paths *ret,
                   struct fault *f) MUST_USE;
/* Does `outer` hold `inner`, or are they the same? As the files lie, links followed; what is not there yet lies where
 * it would be made. */
bool box_holds(const char *outer, const char *inner);

struct box_process {
    pid_t pid;
    int handle;       /* a pidfd: readable when the process has ended, which waitpid() then tells of */
    int in, out, err; /* our ends of its stdin, stdout and stderr */
};

/* Starts it in a session of its own with all signals as they are by default and no other descriptors. When ERR_OK is
 * returned it runs, inside its box. The descriptors are the caller's to close. */
enum err box_start(const struct box_plan *p, struct box_process *ret, struct fault *f) MUST_USE;

/* Folders for temporary files, one for each process, in data_dir/tmp. What an end of the gateway left there is removed
 * with box_tmp_clear(), when no process runs. Removing may take its time. */
enum err box_tmp_make(const char *data_dir, struct str name, char *ret, size_t n, struct fault *f) MUST_USE;
void box_tmp_remove(const char *folder);
void box_tmp_clear(const char *data_dir);

#endif

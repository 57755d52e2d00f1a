/*
 * The configuration of an MCP client, taken over into doorward.yaml. Four steps, each a file of its own:
 *
 *   import_read.c    bytes of a stranger's file -> struct import_server, or why one is left out (fuzzed)
 *   import_name.c    names that fit doorward.yaml and are not taken
 *   import_yaml.c    the new text of doorward.yaml: servers and rules for their tools added, all else byte for byte
 *   import_file.c    secrets, the kept copy, the swap, undo
 *
 * Memory is the arena's. Values of env and headers stand in it in clear, as in the client's file, until the run ends.
 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/cli.h"

enum import_client { IMPORT_CLAUDE_DESKTOP, IMPORT_CLAUDE_CODE, IMPORT_CURSOR, IMPORT_VS_CODE };
extern const char *const import_client_names[];

struct import_pair {
    struct str name, value;
    bool secret;     /* goes into a file of its own; otherwise it stands in the YAML, ${…} included */
    struct str file; /* relative to doorward.yaml, when it is a secret */
};
struct import_server {
    struct str label;     /* the client's name for it */
    const char *name;     /* ours */
    struct str file;      /* where it comes from */
    const char *left_out; /* why, and what to do; NULL: it is taken over */
    const char *same_as;  /* the server that is there already and says the same; NULL */
    enum import_client client;
    struct str url, cwd;
    struct str *command;
    size_t command_count;
    struct import_pair *pair; /* the environment of a command, the headers of a URL */
    size_t pair_count;
    struct str *folder; /* that its arguments name, and that it may write to */
    size_t folder_count;
    struct str kept;  /* a folder that they name as well; the gateway's data_dir lies there, so it stays shut */
    struct str *tool; /* tools that the client's file names */
    size_t tool_count;
};
struct import {
    const char *home; /* for ${userHome}; an absolute path */
    struct import_server *server;
    size_t count, cap;
    enum import_client client;      /* of the file that was read last */
    const struct conf_tools *rules; /* that doorward.yaml has already; or NULL */
};

/* Appends the servers of one file. `path` is where it was read from, absolute. ERR_SYNTAX; ERR_INVALID: it is no
 * configuration of a client that is known. */
enum err import_read(struct import *im, struct str text, const char *path, struct arena *a, struct fault *f) MUST_USE;

/* "My Server" -> "my-server". Never empty, at most 32 characters. */
const char *import_fit(struct str label, struct arena *a);
/* Gives the servers that are taken over names that no other has: a second one gets -2. */
void import_names(struct import *im, const struct conf_servers *taken, struct arena *a);

/* Is a rule with the proposed risk written for this tool? Not for a name that is a pattern, nor where one is there. */
bool import_has_rule(const struct import *im, const struct import_server *s, size_t tool);
size_t import_rules(const struct import *im); /* how many are written, when … */
bool import_takes_rules(struct str old);      /* … `tools` of this text can be extended; else they are comments */
/* The text with the servers added that are taken over and not there already. `clear`: secrets as values instead of
 * file:PATH, for a check in memory only. ERR_CONFLICT: `servers` is written in a way that cannot be extended. */
enum err import_yaml(const struct import *im, struct str old, bool clear, struct buf *out, struct fault *f) MUST_USE;

/* ---- import_plan.c ---- */

#define IMPORT_YAML_MAX CONF_FILE_BYTES

struct plan {
    struct cli *c;
    struct import im;
    const char *path; /* of doorward.yaml, absolute */
    const char *dir;
    struct str old;    /* its text; empty when it is not there */
    struct str text;   /* what it will be */
    struct conf *was;  /* what the old text says */
    struct str *unset; /* variables that are referred to and not in this environment */
    size_t unset_count;
    size_t added;
};
/* Where doorward.yaml is, and what stands in it. */
enum err plan_path(struct plan *r, struct fault *f) MUST_USE;
/* Reads the files that were named, or those in the usual places. */
enum err plan_gather(struct plan *r, struct fault *f) MUST_USE;
/* Names, secrets' files, the new text; checked as the daemon would. Nothing is written. Faults are on standard error.
 */
enum err plan_work_out(struct plan *r, struct fault *f) MUST_USE;

/* ---- import_file.c ---- */

/* `import` writes; undo takes back. `path` is the absolute path of doorward.yaml. */
enum err import_write(struct cli *c, const struct import *im, const char *path, struct str old, struct str text,
                      struct str *ret_kept, struct fault *f) MUST_USE;
/* The newest copy that import has kept. ERR_NOT_FOUND. */
enum err import_kept(struct cli *c, const char *path, struct str *ret_kept, struct fault *f) MUST_USE;
/* Puts its text back, and takes the secrets away that were made with it: *ret_secrets counts them. */
enum err import_undo(struct cli *c, const char *path, struct str kept, struct str text, size_t *ret_secrets,
                     struct fault *f) MUST_USE;

/* ---- file.c ---- */

/* Replaces a file at once, or makes it; mode and owner stay. A link is followed. */
enum err file_replace(const char *path, struct str text, mode_t mode, struct fault *f) MUST_USE;
/* Writes a new file; never over one. owner: the file whose owner it gets when we may say so, or NULL. */
enum err file_make(const char *path, struct str text, mode_t mode, const char *owner, struct fault *f) MUST_USE;
/* "20261125T200124.123Z", for the name of a kept copy. */
#define FILE_STAMP 21
void file_stamp(char ret[FILE_STAMP]);
/* Shown, then asked for on the terminal. --yes answers for people. ERR_CANCELLED. */
enum err cli_agree(struct cli *c, const char *question, struct fault *f) MUST_USE;

/* ---- diff.c ---- */

/* A unified difference with three lines around each change; empty when there is none. `shy`: lines that were there and
 * may hold a secret are not shown. */
void diff_unified(struct str old, struct str new, const char *old_name, const char *new_name, bool shy,
                  struct buf *out);
/* The same to standard output, in colours on a terminal. An empty `old` is a file that is not there. */
void diff_print(struct str old, struct str new, const char *path, bool shy);

#endif

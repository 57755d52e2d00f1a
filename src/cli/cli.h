/*
 * The command line: one command, parsed by the table of commands.def. A command answers with `enum err`; the exit code
 * follows from it (cli_exit). Results go to standard output, words about them to standard error.
 *
 * Strings of servers and agents reach a terminal only through cli_visible(): nobody steers an operator's screen.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "conf/conf.h"

struct cli;
typedef enum err cli_handler(struct cli *c, struct fault *f);

enum cli_group { CLI_CONFIG = 1, CLI_ADMIN = 2, CLI_GATE = 4, CLI_RECORD = 8, CLI_JSON = 16 };

struct cli_command {
    const char *id, *words, *args, *what; /* args: "ID", "TOOL [ARGUMENTS]", "[COMMAND]..." */
    unsigned groups;
    cli_handler *run;
};
struct cli_option {
    const char *command; /* its id; NULL: of a group */
    unsigned group;
    const char *name;
    char letter;
    const char *value; /* NULL: a switch */
    bool repeat;
    const char *what;
};
extern const struct cli_command cli_commands[]; /* ends with words == NULL */
extern const struct cli_option cli_options[];   /* ends with name == NULL */
bool cli_takes(const struct cli_command *c, const struct cli_option *o);

#define COMMAND(id, words, args, groups, what) cli_handler cli_run_##id;
#define OPTION(id, name, letter, value, what)
#define REPEATED(id, name, letter, value, what)
#define GROUP(group, name, letter, value, what)
#include "cli/commands.def"
#undef COMMAND
#undef OPTION
#undef REPEATED
#undef GROUP

enum { CLI_GIVEN = 256, CLI_ARGS = 8 };

struct cli {
    const struct cli_command *command; /* NULL: none was named */
    const char *topic;                 /* what --help is about when it is a family such as "agent" */
    bool help, version;                /* instead of the command */
    struct {
        const struct cli_option *option;
        const char *value; /* "" for a switch */
    } given[CLI_GIVEN];
    size_t given_count;
    const char *arg[CLI_ARGS];
    size_t arg_count;
    bool json;
    struct arena arena; /* of the whole run */
    struct conf *conf;
    long patience_s; /* with one HTTP request; 0: as long as a call may take */
};

/* Exit codes: 0 done, 1 failed, 2 not understood, 3 the gateway refused, 4 the record does not hold together, or a
 * person has not decided yet, 5 nobody answers. */
int cli_exit(enum err e);
int cli_main(int argc, char **argv);

/* ---- parse.c ---- */

/* Fills command, given, arg, json, help, version. ERR_USAGE: f says what was not understood and what would be. */
enum err cli_parse(struct cli *c, int argc, char **argv, struct fault *f) MUST_USE;
/* An option's value, NULL when it was not given; the last one of several. A switch has the value "". */
const char *cli_option(const struct cli *c, const char *name);
bool cli_switch(const struct cli *c, const char *name);
enum err cli_need(const struct cli *c, const char *name, const char **ret, struct fault *f) MUST_USE;
/* A whole number greater than 0; *ret is `fallback` when the option was not given. */
enum err cli_number(const struct cli *c, const char *name, int64_t fallback, int64_t *ret, struct fault *f) MUST_USE;
/* "7d" before now, or a date: wall clock, ms. */
enum err cli_moment(const struct cli *c, const char *name, int64_t now, int64_t fallback, int64_t *ret,
                    struct fault *f) MUST_USE;

/* ---- cli.c ---- */

/* Fills c->conf. ERR_CONFIG has written the faults to standard error already. */
enum err cli_config(struct cli *c, struct fault *f) MUST_USE;
/* The file that is read; NULL: there is none. */
const char *cli_config_file(const struct cli *c);
/* A file, or standard input for "-", in the arena. Not for secrets. */
enum err cli_read(struct cli *c, const char *path, size_t max, struct str *ret, struct fault *f) MUST_USE;

/* The folder of the record: --dir, or the one of the configuration. ERR_NOT_FOUND: there is none in it. audit.c */
enum err cli_audit_dir(struct cli *c, struct str *ret, struct fault *f) MUST_USE;
/* Is what --event names an event, or a pattern that fits some? */
enum err cli_audit_event(const struct cli *c, bool pattern, struct fault *f) MUST_USE;
enum err cli_audit_seq(const struct cli *c, uint64_t *ret, struct fault *f) MUST_USE; /* the argument SEQ */
/* The entry of this number, in the arena. ERR_NOT_FOUND. */
enum err cli_audit_entry(struct cli *c, const char *dir, uint64_t want, struct str *ret, struct fault *f) MUST_USE;
/* audit_seal.c. Prints an entry with its sealed values, as the gateway shows it. */
enum err cli_audit_reveal(struct cli *c, uint64_t seq, struct fault *f) MUST_USE;

/* ---- help.c ---- */

void cli_help(FILE *to, const struct cli_command *c);
void cli_usage(FILE *to);
/* The commands of a family such as "agent"; false: there is none. */
bool cli_help_family(FILE *to, const char *family);

/* ---- show.c: JSON for people ---- */

/* A row for each object of the array. columns: {title, path} and {NULL} at the end. Members whose name ends in "At" are
 * times, "…Ms" durations; an array of strings is shown with commas, "#path" as its length. */
void cli_table(struct cli *c, const struct json *j, uint32_t array, const char *const (*columns)[2]);
void cli_record(struct cli *c, const struct json *j, uint32_t object, bool blanks); /* blanks: what is null as "-" */
/* The array that is this member of an answer, as the table, with --json as the answer's bytes; `none` says on standard
 * error that it is empty. */
void cli_print_list(struct cli *c, const struct json *j, struct str text, const char *member,
                    const char *const (*columns)[2], const char *none);
void cli_print_faults_json(struct str faults); /* {"ok", "faults"}: of a check, whose faults are lines. config.c */
/* An answer's bytes, on one line, with what could steer a terminal escaped. */
void cli_print_json(struct str text);
void cli_put_json(struct str text); /* a part of one; no newline */

/* ---- text.c ---- */

/* Appends s with control characters, bidirectional overrides and broken UTF-8 made visible. `lines`: newlines and tabs
 * are kept. */
void cli_visible(struct buf *out, struct str s, bool lines);
/* The same into the arena, cut to `max` characters (0: not cut). */
const char *cli_shown(struct cli *c, struct str s, size_t max);
size_t cli_width(struct str s); /* characters */
bool cli_color(FILE *to);       /* a terminal, and nobody said NO_COLOR */
/* "2026-11-23 20:54:00 UTC"; "in 3h 5m", "2d 4h ago"; "3h 5m". Buffers of CLI_TIME. */
#define CLI_TIME 48
void cli_when(int64_t wall_ms, char ret[CLI_TIME]);
void cli_ago(int64_t wall_ms, char ret[CLI_TIME]);
void cli_duration(int64_t ms, char ret[CLI_TIME]);

/* ---- key.c: an agent's key on its own side ---- */

/* By --alg, --key-file: a new key. *ret_private: what must still be printed, NULL when it went to the file. */
enum err cli_key_make(struct cli *c, struct buf *public_jwk, struct secret **ret_private, struct fault *f) MUST_USE;
/* By --generate or --public-key. */
enum err cli_key_of_options(struct cli *c, struct buf *public_jwk, struct secret **ret_private,
                            struct fault *f) MUST_USE;
/* The key that was made is not wanted after all: takes its file away. */
void cli_key_forget(struct cli *c);
void cli_key_print(const struct secret *key);

/* ---- login.c: as an agent ---- */

/* An access token for c's --agent and --key: the token endpoint's answer. */
enum err cli_login(struct cli *c, const char *scope, struct json *ret, struct fault *f) MUST_USE;
/* Gives the session of such a token back. */
enum err cli_logout(struct cli *c, const struct secret *token, struct fault *f) MUST_USE;
const char *cli_gate_url(const struct cli *c);
/* Can the file of --key be used? Nobody is asked. */
enum err cli_key_check(const struct cli *c, struct fault *f) MUST_USE;
/* The endpoint of MCP: of all servers, or with --server of one. */
enum err cli_mcp_url(struct cli *c, struct str *ret, struct fault *f) MUST_USE;

#endif

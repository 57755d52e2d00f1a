/* The record, read from its files: no gateway is needed, and a running one is not disturbed. */
#include "audit/audit.h"

#include <unistd.h>

#include "cli/cli.h"

static void audit_reader_closep(struct audit_reader **r)
{
    audit_reader_close(*r);
}

/* ---- where it is ---- */

static bool audit_there(struct cli *c, const char *dir, const char *name)
{
    struct str path = arena_fmt(&c->arena, "%s/%s", dir, name);
    return path.p && access(path.p, F_OK) == 0;
}

/* Another folder is no empty record: of nothing it would be said that it holds together. */
static enum err audit_is_record(struct cli *c, const char *dir, struct fault *f)
{
    struct audit_reader *reader CLEANUP(audit_reader_closep) = NULL;
    uint64_t first;
    TRY(audit_reader_open(dir, &reader, f));
    TRY(audit_reader_first(reader, &first, f));
    if (!first && audit_there(c, dir, "tile/entries"))
        return fault_set(f, ERR_NOT_FOUND, "%s: is a folder of `audit tiles`; doorward-verify log checks it", dir);
    if (first || audit_there(c, dir, "checkpoint") || audit_there(c, dir, "checkpoints"))
        return ERR_OK;
    return fault_set(f, ERR_NOT_FOUND, "%s: holds no record%s%s%s", dir,
                     audit_there(c, dir, "audit/lock") ? "; that is in " : "",
                     audit_there(c, dir, "audit/lock") ? dir : "", audit_there(c, dir, "audit/lock") ? "/audit" : "");
}

enum err cli_audit_dir(struct cli *c, struct str *ret, struct fault *f)
{
    const char *named = cli_option(c, "dir");
    if (!named)
        TRY(cli_config(c, f));
    struct str dir = named ? str_of(named) : arena_fmt(&c->arena, STR_FMT "/audit", STR_ARG(c->conf->root.data_dir));
    if (!dir.p)
        return fault_set(f, ERR_NOMEM, "no memory for a path");
    TRY(audit_is_record(c, dir.p, f));
    *ret = dir;
    return ERR_OK;
}

/* ---- what is asked for ---- */

enum err cli_audit_event(const struct cli *c, bool pattern, struct fault *f)
{
    const char *event = cli_option(c, "event");
    return !event || audit_event_known(str_of(event), pattern)
               ? ERR_OK
               : fault_set(f, ERR_USAGE, "%s: there is no event %.60s; `doorward events` lists them", c->command->words,
                           event);
}

enum err cli_audit_seq(const struct cli *c, uint64_t *ret, struct fault *f)
{
    return str_u64(str_of(c->arg[0]), ret) && *ret
               ? ERR_OK
               : fault_set(f, ERR_USAGE, "%s: SEQ must be an entry's number, not %.60s", c->command->words, c->arg[0]);
}

/* ---- show ---- */

enum err cli_audit_entry(struct cli *c, const char *dir, uint64_t want, struct str *ret, struct fault *f)
{
    struct audit_reader *reader CLEANUP(audit_reader_closep) = NULL;
    struct str entry;
    uint64_t seq = 0;
    TRY(audit_reader_open(dir, &reader, f));
    enum err e = audit_reader_seek(reader, want, f);
    if (!e)
        e = audit_reader_next(reader, &entry, &seq, f);
    if (e == ERR_NOT_FOUND || (!e && seq != want))
        return fault_set(f, ERR_NOT_FOUND, "there is no entry %llu; the newest is %llu", (unsigned long long)want,
                         (unsigned long long)audit_reader_last(reader));
    TRY(e);
    entry = arena_str(&c->arena, entry);
    if (!entry.p)
        return fault_set(f, ERR_NOMEM, "no memory for an entry");
    *ret = entry;
    return ERR_OK;
}

enum err cli_run_audit_show(struct cli *c, struct fault *f)
{
    struct str dir, entry;
    struct json j;
    uint64_t want;
    TRY(cli_audit_seq(c, &want, f));
    if (cli_switch(c, "reveal") && cli_option(c, "dir"))
        return fault_set(f, ERR_USAGE, "audit show: --reveal asks the gateway, and goes without --dir");
    if (cli_switch(c, "reveal"))
        return cli_audit_reveal(c, want, f);
    TRY(cli_audit_dir(c, &dir, f));
    TRY(cli_audit_entry(c, dir.p, want, &entry, f));
    if (c->json) {
        cli_print_json(entry);
        return ERR_OK;
    }
    TRY(json_parse(&j, entry, &c->arena, NULL, f));
    cli_record(c, &j, JSON_ROOT, false);
    return ERR_OK;
}

/* The record, read from its files: no gateway is needed, and a running one is not disturbed. */
#include "audit/audit.h"

#include "cli/cli.h"

enum err cli_audit_dir(struct cli *c, struct str *ret, struct fault *f)
{
    const char *dir = cli_option(c, "dir");
    if (!dir)
        TRY(cli_config(c, f));
    *ret = dir ? str_of(dir) : arena_fmt(&c->arena, STR_FMT "/audit", STR_ARG(c->conf->root.data_dir));
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a path");
}

static void audit_reader_closep(struct audit_reader **r)
{
    audit_reader_close(*r);
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
    if (!str_u64(str_of(c->arg[0]), &want) || !want)
        return fault_set(f, ERR_USAGE, "audit show: SEQ must be an entry's number, not %s", c->arg[0]);
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

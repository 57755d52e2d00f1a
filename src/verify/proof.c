/* That an entry is in the record, from one file. */
#include "cli/cli.h"
#include "verify/verify.h"

static bool proof_leads(const struct proof_file *p, struct str entry, const struct verify_checkpoint *c)
{
    struct tlog_hash leaf;
    tlog_leaf(entry, &leaf);
    return tlog_check_inclusion(&p->proof, p->index, &leaf, c->is.size, &c->is.root, NULL) == ERR_OK;
}

/* The bytes that the proof is about: as they are, or without the newline that an editor or a shell put behind them. */
static enum err proof_entry(const struct verify *v, const struct proof_file *p, struct buf *file, struct str *ret,
                            struct fault *f)
{
    if (!v->entry && !p->extra.n)
        return fault_set(f, ERR_USAGE, "the proof does not hold its entry, which --entry must name");
    if (!v->entry) {
        *ret = p->extra;
        return ERR_OK;
    }
    TRY(file_read(v->entry, PROOF_EXTRA + 1, file, f));
    *ret = buf_view(file);
    return ERR_OK;
}

static void proof_say(struct verify *v, const struct proof_file *p, struct str entry, const struct verify_checkpoint *c)
{
    struct json_out o = json_out(&v->out);
    struct json j;
    unsigned long long seq = p->index + 1;
    if (!v->json) {
        buf_fmt(&v->out, "Entry %llu is in the record of " STR_FMT ".\n\n", seq, STR_ARG(c->is.origin));
        verify_checkpoint_say(v, c, &o);
        buf_z(&v->out, "entry        ");
        cli_visible(&v->out, entry, false);
        buf_char(&v->out, '\n');
        return;
    }
    json_open(&o, '{');
    json_kv_bool(&o, "ok", true);
    json_kv_i64(&o, "index", (int64_t)p->index);
    json_kv_i64(&o, "seq", (int64_t)seq);
    verify_checkpoint_say(v, c, &o);
    if (json_parse(&j, entry, &v->arena, NULL, NULL) == ERR_OK)
        json_kv_raw(&o, "entry", entry);
    else
        json_kv_str(&o, "entry", entry);
    json_close(&o, '}');
    buf_char(&v->out, '\n');
}

enum err verify_proof(struct verify *v, struct fault *f)
{
    struct verify_checkpoint *c CLEANUP(verify_checkpoint_freep) = NULL;
    struct buf file CLEANUP(buf_done) = {0}, entry_file CLEANUP(buf_done) = {0};
    struct proof_file p;
    struct str entry;
    if (v->args != 1)
        return fault_set(f, ERR_USAGE, "proof takes one FILE");
    TRY(file_read(v->arg[0], PROOF_BYTES, &file, f));
    if (proof_file_parse(buf_view(&file), &v->arena, &p, f)) {
        fault_wrap(f, "%s", v->arg[0]);
        return f->err = f->err == ERR_NOMEM ? ERR_NOMEM : ERR_CORRUPT;
    }
    TRY(verify_checkpoint_of(v, v->arg[0], p.checkpoint, &c, f));
    TRY(proof_entry(v, &p, &entry_file, &entry, f));
    if (p.index >= c->is.size)
        return fault_set(f, ERR_CORRUPT, "%s: entry %llu is not in a record of %llu entries", v->arg[0],
                         (unsigned long long)p.index + 1, (unsigned long long)c->is.size);
    bool leads = proof_leads(&p, entry, c);
    if (!leads && v->entry && str_ends(entry, STR("\n"))) {
        entry.n--;
        leads = proof_leads(&p, entry, c);
    }
    if (!leads)
        return fault_set(f, ERR_CORRUPT, "%s: proves nothing about %s: the entry, the index or the proof is another",
                         v->arg[0], v->entry ? v->entry : "the entry that it holds");
    proof_say(v, &p, entry, c);
    return ERR_OK;
}

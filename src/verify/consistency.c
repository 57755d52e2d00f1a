/* That one checkpoint is a beginning of another: nothing was changed, taken away or put in between. */
#include "verify/verify.h"

enum { CONSISTENCY_BYTES = 2 << 20 };

/* What a witness is asked, or one hash a line. */
static enum err consistency_read(const char *path, struct buf *file, uint64_t old_size, struct tlog_proof *ret,
                                 struct fault *f)
{
    struct witness_request r;
    TRY(file_read(path, CONSISTENCY_BYTES, file, f));
    struct str rest = buf_view(file), line;
    if (str_starts(rest, STR("old "))) {
        if (witness_request_parse(rest, &r, f))
            return fault_wrap(f, "%s", path);
        if (r.old_size != old_size)
            return fault_set(f, ERR_CORRUPT, "%s: is about a record of %llu entries, the old checkpoint of %llu", path,
                             (unsigned long long)r.old_size, (unsigned long long)old_size);
        *ret = r.proof;
        return ERR_OK;
    }
    for (ret->n = 0; rest.n; ret->n++) {
        unsigned char bytes[SHA256_BYTES + 3];
        size_t n;
        str_cut(&rest, '\n', &line);
        if (!line.n && !rest.n)
            break;
        if (ret->n == TLOG_PROOF || enc_unb64(line, bytes, sizeof(bytes), &n) || n != SHA256_BYTES)
            return fault_set(f, ERR_CORRUPT, "%s, line %u must be a SHA-256 hash in base64", path, ret->n + 1);
        memcpy(ret->v[ret->n].b, bytes, SHA256_BYTES);
    }
    return ERR_OK;
}

static enum err consistency_proof(struct verify *v, uint64_t old_size, uint64_t size, struct tlog_proof *ret,
                                  struct fault *f)
{
    struct buf file CLEANUP(buf_done) = {0};
    const struct tlog_tiles tiles = {tlog_folder_tile, (void *)(uintptr_t)v->log};
    if (v->proof)
        return consistency_read(v->proof, &file, old_size, ret, f);
    return tlog_prove_consistency(&tiles, old_size, size, ret, f);
}

static void consistency_say(struct verify *v, const struct verify_checkpoint *old, const struct verify_checkpoint *c)
{
    struct json_out o = json_out(&v->out);
    unsigned long long more = c->is.size - old->is.size;
    if (!v->json) {
        buf_fmt(&v->out, "%s is a beginning of %s: %llu entries came, and none of the %llu before is another.\n\n",
                v->arg[0], v->arg[1], more, (unsigned long long)old->is.size);
        verify_checkpoint_say(v, c, &o);
        return;
    }
    json_open(&o, '{');
    json_kv_bool(&o, "ok", true);
    json_kv_i64(&o, "oldSize", (int64_t)old->is.size);
    verify_checkpoint_say(v, c, &o);
    json_close(&o, '}');
    buf_char(&v->out, '\n');
}

enum err verify_consistency(struct verify *v, struct fault *f)
{
    struct verify_checkpoint *old CLEANUP(verify_checkpoint_freep) = NULL, *c CLEANUP(verify_checkpoint_freep) = NULL;
    struct tlog_proof p;
    if (v->args != 2)
        return fault_set(f, ERR_USAGE, "consistency takes two checkpoints: OLD and NEW");
    if (!v->proof == !v->log)
        return fault_set(f, ERR_USAGE, "consistency takes either --proof FILE or --log DIR");
    const struct verify_keys witnesses = v->witnesses;
    v->witnesses.n = 0; /* they saw the new one */
    TRY(verify_checkpoint_file(v, v->arg[0], &old, f));
    v->witnesses = witnesses;
    TRY(verify_checkpoint_file(v, v->arg[1], &c, f));
    if (!str_eq(old->is.origin, c->is.origin))
        return fault_set(f, ERR_CORRUPT, "the checkpoints are of two logs: " STR_FMT " and " STR_FMT,
                         STR_ARG(old->is.origin), STR_ARG(c->is.origin));
    if (old->is.size > c->is.size)
        return fault_set(f, ERR_CORRUPT, "%s is of %llu entries, and %s only of %llu: the older one comes first",
                         v->arg[0], (unsigned long long)old->is.size, v->arg[1], (unsigned long long)c->is.size);
    TRY(consistency_proof(v, old->is.size, c->is.size, &p, f));
    TRY(tlog_check_consistency(&p, old->is.size, &old->is.root, c->is.size, &c->is.root, f));
    consistency_say(v, old, c);
    return ERR_OK;
}

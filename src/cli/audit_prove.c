/* A proof that an entry is in the record, for whoever was not there. */
#include <time.h>

#include "audit/log.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/import.h"

enum { PROVE_WAIT_MS = 5000, PROVE_PAUSE_MS = 100 };

/* A running gateway signs a checkpoint each second: one that covers the entry is worth waiting for. */
static enum err prove_soon(const char *dir, uint64_t seq, struct buf *out, struct fault *f)
{
    const struct timespec pause = {0, PROVE_PAUSE_MS * 1000000L};
    enum err e = log_prove(dir, seq, out, f);
    for (int waited = 0; e == ERR_CONFLICT && waited < PROVE_WAIT_MS; waited += PROVE_PAUSE_MS) {
        nanosleep(&pause, NULL);
        buf_clear(out);
        e = log_prove(dir, seq, out, f);
    }
    return e;
}

static void prove_print(struct cli *c, uint64_t seq, const char *file, struct str proof)
{
    struct buf b;
    struct json_out o = json_out(&b);
    if (!c->json && !file) {
        fwrite(proof.p, 1, proof.n, stdout);
        return;
    }
    if (!c->json) {
        fprintf(stderr, "%s proves that entry %llu is in the record: doorward-verify proof %s --key KEY\n", file,
                (unsigned long long)seq, file);
        return;
    }
    buf_init(&b, PROOF_BYTES * 2);
    json_open(&o, '{');
    json_kv_i64(&o, "seq", (int64_t)seq);
    if (file)
        json_kv_z(&o, "file", file);
    else
        json_kv_str(&o, "proof", proof);
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
    buf_done(&b);
}

enum err cli_run_audit_prove(struct cli *c, struct fault *f)
{
    struct buf out CLEANUP(buf_done) = {0};
    const char *file = cli_option(c, "output");
    struct str dir;
    uint64_t seq;
    TRY(cli_audit_seq(c, &seq, f));
    TRY(cli_audit_dir(c, &dir, f));
    buf_init(&out, PROOF_BYTES);
    TRY(prove_soon(dir.p, seq, &out, f));
    if (file)
        TRY(file_make(file, buf_view(&out), 0644, NULL, f));
    prove_print(c, seq, file, buf_view(&out));
    return ERR_OK;
}

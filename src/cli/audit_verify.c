/* Does the record hold together, and who signed it? */
#include "audit/log.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

enum { VERIFY_CHECKPOINTS = 64 << 20, VERIFY_MORE = 65536, VERIFY_SILENT_NS = 2000000000 };

/* ---- checkpoints from elsewhere ---- */

/* A file of an anchor, or a single note. */
static enum err verify_more(struct cli *c, const char *path, struct log_verify *how, struct fault *f)
{
    struct str all, *v = arena_alloc(&c->arena, VERIFY_MORE * sizeof(*v));
    struct note *n = arena_alloc(&c->arena, sizeof(*n));
    size_t passed = 0;
    if (!v || !n)
        return fault_set(f, ERR_NOMEM, "no memory for checkpoints");
    TRY(cli_read(c, path, VERIFY_CHECKPOINTS, &all, f));
    how->more = v;
    how->more_count = 0;
    while (note_next(&all, n, &v[how->more_count], &passed))
        if (++how->more_count == VERIFY_MORE)
            return fault_set(f, ERR_LIMIT, "%s: holds more than %d checkpoints: take the newest of them", path,
                             VERIFY_MORE - 1);
    if (passed)
        fprintf(stderr, "doorward: audit verify: %s: passed over %zu piece%s that %s no whole checkpoint\n", path,
                passed, passed == 1 ? "" : "s", passed == 1 ? "is" : "are");
    return how->more_count ? ERR_OK : fault_set(f, ERR_SYNTAX, "%s: holds no checkpoint", path);
}

/* ---- progress ---- */

struct verify_told {
    bool terminal;
    int64_t from, told; /* monotonic, ns */
};

static void verify_progress(void *ctx, uint64_t entries, uint64_t of)
{
    struct verify_told *t = ctx;
    int64_t now = clock_mono_ns();
    if (!t->terminal || now - t->from < VERIFY_SILENT_NS || now - t->told < 200000000)
        return;
    t->told = now;
    fprintf(stderr, "\r%llu of %llu entries ", (unsigned long long)entries, (unsigned long long)of);
}

static void verify_told_end(const struct verify_told *t)
{
    if (t->told)
        fprintf(stderr, "\r\033[K");
}

/* ---- the answer ---- */

static void verify_print_json(enum err e, const struct log_verdict *v, bool signatures, double seconds,
                              const struct fault *f)
{
    struct buf b;
    buf_init(&b, 65536);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_bool(&o, "ok", !e);
    if (e) {
        json_kv_z(&o, "error", err_code(e));
        json_kv_z(&o, "message", f->text);
    } else {
        json_kv_i64(&o, "first", (int64_t)v->first);
        json_kv_i64(&o, "last", (int64_t)v->last);
        json_kv_i64(&o, "entries", (int64_t)v->entries);
        json_kv_i64(&o, "pruned", (int64_t)v->pruned);
        json_kv_i64(&o, "segments", (int64_t)v->segments);
        json_kv_i64(&o, "tornBytes", (int64_t)v->torn_bytes);
        json_kv_i64(&o, "checkpoints", (int64_t)v->checkpoints);
        json_kv_bool(&o, "signaturesChecked", signatures);
        json_kv_i64(&o, "size", (int64_t)v->size);
        json_kv_z(&o, "root", v->root);
        json_kv_i64(&o, "cosigned", (int64_t)v->cosigned);
        json_kv_i64(&o, "cosignatures", v->cosignatures);
        json_kv_i64(&o, "entriesPerSecond", (int64_t)((double)v->entries / (seconds > 0 ? seconds : 1)));
    }
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
    buf_done(&b);
}

static void verify_print(const struct log_verdict *v, bool signatures, double seconds)
{
    printf("The record holds together: %llu entries, #%llu to #%llu, in %llu segment%s", (unsigned long long)v->entries,
           (unsigned long long)v->first, (unsigned long long)v->last, (unsigned long long)v->segments,
           v->segments == 1 ? "" : "s");
    if (seconds > 1)
        printf(" (%.0f entries/s)", (double)v->entries / seconds);
    printf(".\n");
    if (v->pruned)
        printf("Entries 1 to %llu were pruned, as the record says; their hashes are there and fit.\n",
               (unsigned long long)v->pruned);
    if (v->checkpoints)
        printf("%llu checkpoint%s of it %s; the newest covers %llu entries, root %s.\n",
               (unsigned long long)v->checkpoints, v->checkpoints == 1 ? "" : "s",
               signatures ? "are signed by its keys, and fit" : "fit", (unsigned long long)v->size, v->root);
    if (v->checkpoints && !signatures)
        printf("Their signatures were NOT checked: name the keys with --keys.\n");
    if (v->cosigned)
        printf("The first %llu entries carry %u cosignature%s of witnesses.\n", (unsigned long long)v->cosigned,
               v->cosignatures, v->cosignatures == 1 ? "" : "s");
    if (v->last > v->size)
        printf("%llu entries behind it are covered by no checkpoint yet.\n", (unsigned long long)(v->last - v->size));
    if (v->torn_bytes)
        printf("%llu bytes behind it belong to an entry that is being written, or was when the machine stopped.\n",
               (unsigned long long)v->torn_bytes);
}

enum err cli_run_audit_verify(struct cli *c, struct fault *f)
{
    struct log_verdict v = {0};
    struct note_verifiers keys = {0};
    struct verify_told told = {.terminal = isatty(2) && !c->json, .from = clock_mono_ns()};
    struct str dir;
    const char *named = cli_option(c, "keys"), *more = cli_option(c, "checkpoint");
    TRY(cli_audit_dir(c, &dir, f));
    if (!named && !cli_option(c, "dir"))
        named = c->conf->root.audit.keys.p;
    struct log_verify how = {.dir = dir.p, .progress = verify_progress, .ctx = &told};
    if (more)
        TRY(verify_more(c, more, &how, f));
    if (named)
        TRY(note_verifiers_read(named, &keys, f));
    how.verifiers = named ? &keys : NULL;
    enum err e = log_verify(&how, &v, f);
    double seconds = (double)(clock_mono_ns() - told.from) / 1e9;
    note_verifiers_done(&keys);
    verify_told_end(&told);
    if (c->json)
        verify_print_json(e, &v, named, seconds, f);
    else if (!e)
        verify_print(&v, named, seconds);
    return e;
}

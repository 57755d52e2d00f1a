/* The record in another form, from its files: to standard output, or into a file that is whole or not there. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "sink/export.h"

enum { EXPORT_PATIENCE_NS = 2000000000, EXPORT_TELL_NS = 100000000 };

struct export_run {
    struct export *x;
    const char *file; /* NULL: standard output */
    int fd;
    int64_t begun, told;
};

/* ---- what is asked for ---- */

static enum err export_format(const struct cli *c, struct export_what *what, struct fault *f)
{
    const char *name = cli_option(c, "format");
    what->format = sink_format_find(name ? str_of(name) : STR("json"));
    if (!what->format)
        return fault_set(f, ERR_USAGE,
                         "audit export: --format must be json, ocsf, cef, otlp-logs or otlp-spans, not %.60s", name);
    what->arguments = cli_switch(c, "arguments");
    if (what->arguments && what->format != &format_spans)
        return fault_set(f, ERR_USAGE,
                         "audit export: --arguments goes with --format otlp-spans: in the other forms they always are");
    return ERR_OK;
}

static enum err export_asked(const struct cli *c, struct export_what *what, struct fault *f)
{
    int64_t now = clock_wall_ms();
    *what = (struct export_what){.agent = str_of(cli_option(c, "agent")), .event = str_of(cli_option(c, "event"))};
    TRY(export_format(c, what, f));
    TRY(cli_audit_event(c, true, f));
    TRY(cli_moment(c, "since", now, INT64_MIN, &what->since, f));
    TRY(cli_moment(c, "until", now, INT64_MAX, &what->until, f));
    return what->since < what->until ? ERR_OK : fault_set(f, ERR_USAGE, "audit export: --since must be before --until");
}

/* ---- how far it is, when that takes long and somebody looks on ---- */

static void export_progress(struct export_run *r)
{
    struct export_state s;
    int64_t now = clock_mono_ns();
    if (!isatty(STDERR_FILENO) || now - r->begun < EXPORT_PATIENCE_NS || now - r->told < EXPORT_TELL_NS)
        return;
    r->told = now;
    export_state(r->x, &s);
    fprintf(stderr, "\rentry %llu of %llu … ", (unsigned long long)s.at, (unsigned long long)s.last);
}

static void export_quiet(const struct export_run *r)
{
    if (r->told)
        fputs("\r\033[K", stderr);
}

/* ---- where it goes ---- */

static enum err export_put(const struct export_run *r, struct str bytes, struct fault *f)
{
    while (bytes.n) {
        ssize_t n = write(r->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(f, ERR_IO, "%s: %s", r->file ? r->file : "standard output", strerror(errno));
        bytes = str_skip(bytes, (size_t)n);
    }
    return ERR_OK;
}

static enum err export_all(struct export_run *r, struct fault *f)
{
    struct buf piece CLEANUP(buf_done);
    enum err e = ERR_OK;
    buf_init(&piece, EXPORT_PIECE_MAX);
    while (!e) {
        buf_clear(&piece);
        e = export_next(r->x, &piece, f); /* what comes before a fault is whole, and is shown */
        TRY(export_put(r, buf_view(&piece), f));
        export_progress(r);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err export_file_open(struct export_run *r, struct fault *f)
{
    if (!r->file)
        return ERR_OK;
    r->fd = open(r->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->fd >= 0)
        return ERR_OK;
    if (errno == EEXIST)
        return fault_set(f, ERR_EXISTS, "%s: is there already, and is not overwritten", r->file);
    return fault_set(f, ERR_IO, "%s: %s", r->file, strerror(errno));
}

/* Half a file is none. */
static enum err export_file_close(const struct export_run *r, enum err e, struct fault *f)
{
    if (!r->file)
        return e;
    if (!e && fsync(r->fd) < 0)
        e = fault_set(f, ERR_IO, "%s: %s", r->file, strerror(errno));
    close(r->fd);
    if (e)
        unlink(r->file);
    return e;
}

static void export_say(const struct cli *c, const struct export_run *r)
{
    struct export_state s;
    struct buf b CLEANUP(buf_done);
    export_state(r->x, &s);
    buf_init(&b, 65536);
    if (c->json) {
        struct json_out o = json_out(&b);
        json_open(&o, '{');
        json_kv_i64(&o, "entries", (int64_t)s.written);
        json_kv_z(&o, "file", r->file);
        json_kv_i64(&o, "last", (int64_t)s.last);
        json_close(&o, '}');
        cli_print_json(buf_view(&b));
        return;
    }
    printf("%llu %s written to %s; the record's last is #%llu.\n", (unsigned long long)s.written,
           s.written == 1 ? "entry" : "entries", r->file, (unsigned long long)s.last);
}

enum err cli_run_audit_export(struct cli *c, struct fault *f)
{
    struct export_run r = {.file = cli_option(c, "output"), .fd = STDOUT_FILENO, .begun = clock_mono_ns()};
    struct export_what what;
    struct str dir;
    TRY(export_asked(c, &what, f));
    TRY(cli_audit_dir(c, &dir, f));
    TRY(export_open(dir.p, &what, &r.x, f));
    enum err e = export_file_open(&r, f);
    if (!e) {
        e = export_all(&r, f);
        export_quiet(&r);
        e = export_file_close(&r, e, f);
    }
    if (!e && r.file)
        export_say(c, &r);
    export_close(r.x);
    return e;
}

/* The recorded calls for `policy replay` and `policy suggest`: which ones, and how far the reading is. */
#include <unistd.h>

#include "base/clock.h"
#include "cli/policy.h"
#include "policy/recorded.h"

enum { RECORD_PATIENCE_NS = 2000000000, RECORD_WEEK_MS = 7 * 86400000 };

enum err cli_policy_range(struct cli *c, struct recorded_range *ret, struct fault *f)
{
    struct recorded_range r = {0};
    int64_t now = clock_wall_ms();
    TRY(cli_moment(c, "since", now, now - RECORD_WEEK_MS, &r.since, f));
    TRY(cli_moment(c, "until", now, INT64_MAX, &r.until, f));
    if (r.since >= r.until)
        return fault_set(f, ERR_USAGE, "%s: --since must be before --until", c->command->words);
    *ret = r;
    return ERR_OK;
}

/* One reading at a time in a run. */
static struct {
    int64_t begun;
    bool shown;
} record_way;

static void record_progress(void *ctx, uint64_t n)
{
    (void)ctx;
    if (!isatty(STDERR_FILENO) || clock_mono_ns() - record_way.begun < RECORD_PATIENCE_NS)
        return;
    fprintf(stderr, "\r%llu entries of the record looked at … ", (unsigned long long)n);
    record_way.shown = true;
}

enum err cli_policy_recorded(struct cli *c, const struct recorded_range *range, struct recorded **ret, struct fault *f)
{
    struct str dir;
    TRY(cli_audit_dir(c, &dir, f));
    record_way.begun = clock_mono_ns();
    return recorded_open(dir.p, range, record_progress, NULL, ret, f);
}

void cli_policy_recorded_quiet(void)
{
    if (record_way.shown)
        fputs("\r\033[K", stderr);
    record_way.shown = false;
}

void cli_policy_recorded_done(struct recorded **r)
{
    cli_policy_recorded_quiet();
    recorded_close(*r);
    *r = NULL;
}

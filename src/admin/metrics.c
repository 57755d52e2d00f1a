/* GET /metrics: what was counted (meter/), and what is looked up when somebody asks. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/request.h"
#include "approve/approve.h"
#include "base/clock.h"
#include "notify/notify.h"

enum { METRICS_SERVERS = 1024, METRICS_SINKS = 1024 };

struct metrics {
    struct admin *admin;
    struct upstream_info *servers;
    size_t server_count;
    struct sink_state *sinks;
    size_t sink_count;
    struct notify_state *channels;
    size_t channel_count;
    struct outside_state *outside;
    size_t outside_count;
    int64_t resident, virtual, threads;
};

static void metrics_servers(const struct metrics *m, struct meter_out *o, enum meter_family f)
{
    struct buf label CLEANUP(buf_done);
    buf_init(&label, 256);
    for (size_t i = 0; i < m->server_count; i++) {
        const struct upstream_info *s = &m->servers[i];
        buf_clear(&label);
        meter_label(&label, "server", str_of(s->name));
        double v = f == METER_F_SERVER_UP         ? s->state == UPSTREAM_UP
                   : f == METER_F_SERVER_TOOLS    ? s->tools
                   : f == METER_F_SERVER_WITHHELD ? s->withheld
                                                  : s->children;
        meter_put(o, buf_view(&label), v);
    }
}

static void metrics_sinks(const struct metrics *m, struct meter_out *o, enum meter_family f)
{
    struct buf label CLEANUP(buf_done);
    buf_init(&label, 256);
    for (size_t i = 0; i < m->sink_count; i++) {
        const struct sink_state *s = &m->sinks[i];
        buf_clear(&label);
        meter_label(&label, "sink", str_of(s->name));
        double v = f == METER_F_AUDIT_SINK_UP       ? s->up
                   : f == METER_F_AUDIT_SINK_BEHIND ? (double)s->behind
                                                    : (double)s->failures;
        meter_put(o, buf_view(&label), v);
    }
}

static void metrics_channels(const struct metrics *m, struct meter_out *o, enum meter_family f)
{
    struct buf label CLEANUP(buf_done);
    buf_init(&label, 256);
    for (size_t i = 0; i < m->channel_count; i++) {
        const struct notify_state *s = &m->channels[i];
        buf_clear(&label);
        meter_label(&label, "channel", str_of(s->name));
        double v = f == METER_F_CHANNEL_UP        ? s->up
                   : f == METER_F_CHANNEL_WAITING ? (double)s->waiting
                   : f == METER_F_CHANNEL_DROPPED ? (double)s->dropped
                                                  : (double)s->failures;
        meter_put(o, buf_view(&label), v);
    }
}

/* Two of one name are one series: the first. */
static bool metrics_outside_before(const struct metrics *m, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (m->outside[i].witness == m->outside[at].witness && strcmp(m->outside[i].name, m->outside[at].name) == 0)
            return true;
    return false;
}

static void metrics_outside(const struct metrics *m, struct meter_out *o, enum meter_family f)
{
    bool witness = f == METER_F_AUDIT_WITNESS_AGE || f == METER_F_AUDIT_WITNESS_BEHIND;
    bool age = f == METER_F_AUDIT_WITNESS_AGE || f == METER_F_AUDIT_ANCHOR_AGE;
    struct buf label CLEANUP(buf_done);
    buf_init(&label, 1024);
    for (size_t i = 0; i < m->outside_count; i++) {
        const struct outside_state *s = &m->outside[i];
        if (s->witness != witness || metrics_outside_before(m, i))
            continue;
        buf_clear(&label);
        meter_label(&label, witness ? "witness" : "anchor", str_of(s->name));
        meter_put(o, buf_view(&label), age ? (double)s->age_ms / 1e3 : (double)s->behind);
    }
}

static void metrics_count_lease(void *ctx, struct lease *l)
{
    (void)l;
    ++*(int64_t *)ctx;
}

static double metrics_sessions(struct admin *a)
{
    int64_t n = 0;
    a->leases->ops->each(a->leases, metrics_count_lease, &n);
    return (double)n;
}

/* proc(5): /proc/self/stat from its third field on; the second may hold anything, even brackets. */
static void metrics_process(struct metrics *m)
{
    char text[1024];
    FILE *f = fopen("/proc/self/stat", "re");
    if (!f)
        return;
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = 0;
    struct str rest = str_of(strrchr(text, ')')), word;
    uint64_t v;
    rest = str_skip(rest, 2);
    for (int field = 3; field <= 24 && rest.n; field++) {
        str_cut(&rest, ' ', &word);
        if (!str_u64(word, &v))
            continue;
        if (field == 20)
            m->threads = (int64_t)v;
        else if (field == 23)
            m->virtual = (int64_t)v;
        else if (field == 24)
            m->resident = (int64_t)v * sysconf(_SC_PAGESIZE);
    }
}

static double metrics_cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double metrics_fds(void)
{
    double n = -3; /* "." and "..", and the one that looks */
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static double metrics_fds_max(void)
{
    struct rlimit l;
    return getrlimit(RLIMIT_NOFILE, &l) == 0 ? (double)l.rlim_cur : 0;
}

static double metrics_started(const struct admin *a)
{
    return (double)clock_wall_ms() / 1e3 - (double)(clock_mono_ns() - a->started_ns) / 1e9;
}

static double metrics_index_lag(const struct admin *a)
{
    uint64_t last = audit_committed(a->audit), at = indexer_at(a->indexer);
    return last > at ? (double)(last - at) : 0;
}

static void metrics_look(void *ctx, struct meter_out *o, enum meter_family f)
{
    const struct metrics *m = ctx;
    struct admin *a = m->admin;
    double v = 0;
    switch (f) {
    case METER_F_SERVER_UP:
    case METER_F_SERVER_TOOLS:
    case METER_F_SERVER_WITHHELD:
    case METER_F_SERVER_PROCESSES: metrics_servers(m, o, f); return;
    case METER_F_AUDIT_SINK_UP:
    case METER_F_AUDIT_SINK_BEHIND:
    case METER_F_AUDIT_SINK_FAILURES: metrics_sinks(m, o, f); return;
    case METER_F_CHANNEL_UP:
    case METER_F_CHANNEL_WAITING:
    case METER_F_CHANNEL_DROPPED:
    case METER_F_CHANNEL_FAILURES: metrics_channels(m, o, f); return;
    case METER_F_AUDIT_WITNESS_AGE:
    case METER_F_AUDIT_WITNESS_BEHIND:
    case METER_F_AUDIT_ANCHOR_AGE:
    case METER_F_AUDIT_ANCHOR_BEHIND: metrics_outside(m, o, f); return;
    case METER_F_BUILD: meter_put(o, STR("version=\"" DOORWARD_VERSION "\""), 1); return;
    case METER_F_APPROVALS_PENDING: v = (double)approvals_pending(a->approvals); break;
    case METER_F_CONSOLE_SESSIONS: v = (double)console_count(a->console); break;
    case METER_F_SESSIONS: v = metrics_sessions(a); break;
    case METER_F_READY: v = a->ready(a->ctx, &(struct fault){0}); break;
    case METER_F_AUDIT_HEALTHY: v = audit_healthy(a->audit, NULL); break;
    case METER_F_AUDIT_QUEUE: v = (double)audit_queued(a->audit); break;
    case METER_F_AUDIT_CHECKPOINT: v = (double)audit_published(a->audit); break;
    case METER_F_AUDIT_LAST: v = (double)audit_seq(a->audit); break;
    case METER_F_AUDIT_INDEX_LAG: v = metrics_index_lag(a); break;
    case METER_F_START: v = metrics_started(a); break;
    case METER_F_CPU: v = metrics_cpu(); break;
    case METER_F_RESIDENT: v = (double)m->resident; break;
    case METER_F_VIRTUAL: v = (double)m->virtual; break;
    case METER_F_THREADS: v = (double)m->threads; break;
    case METER_F_FDS: v = metrics_fds(); break;
    case METER_F_FDS_MAX: v = metrics_fds_max(); break;
    default: return;
    }
    meter_put(o, STR_NONE, v);
}

/* Prometheus' own text unless the other one is asked for: every scraper reads it. */
enum err admin_metrics_get(struct admin_request *r, struct fault *f)
{
    struct http_head *h = &r->x->head;
    struct metrics m = {.admin = r->admin,
                        .servers = arena_alloc(r->arena, METRICS_SERVERS * sizeof(*m.servers)),
                        .sinks = arena_alloc(r->arena, METRICS_SINKS * sizeof(*m.sinks)),
                        .channels = arena_alloc(r->arena, NOTIFY_CHANNELS * sizeof(*m.channels)),
                        .outside = arena_alloc(r->arena, OUTSIDE_MAX * sizeof(*m.outside))};
    bool open_metrics = memmem(http_header(h, "accept").p, http_header(h, "accept").n, "application/openmetrics-text",
                               sizeof("application/openmetrics-text") - 1) &&
                        http_accepts(h, "application/openmetrics-text");
    if (!m.servers || !m.sinks || !m.channels || !m.outside)
        return fault_set(f, ERR_NOMEM, "no memory for the figures");
    m.server_count = connect_list(r->admin->connect, m.servers, METRICS_SERVERS);
    m.sink_count = sinks_list(r->admin->sinks, m.sinks, METRICS_SINKS);
    m.channel_count = notify_list(r->admin->notify, m.channels, NOTIFY_CHANNELS);
    m.outside_count = outside_list(r->admin->outside, m.outside, OUTSIDE_MAX);
    metrics_process(&m);
    meter_write(&r->out, open_metrics, metrics_look, &m);
    r->type = open_metrics ? STR("application/openmetrics-text; version=1.0.0; charset=utf-8")
                           : STR("text/plain; version=0.0.4; charset=utf-8");
    return ERR_OK;
}

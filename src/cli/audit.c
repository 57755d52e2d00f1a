/* The record, read from its files: no gateway is needed, and a running one is not disturbed. */
#include "audit/audit.h"

#include <time.h>

#include "base/clock.h"
#include "cli/cli.h"

enum { TAIL_LINES = 20, TAIL_DETAIL = 100, TAIL_POLL_MS = 200 };

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

/* ---- one entry, one line ---- */

struct tail_line {
    struct json j;
    struct arena arena; /* of one entry */
};

static struct str line_str(struct tail_line *l, const char *path)
{
    return json_str(&l->j, json_path(&l->j, JSON_ROOT, path), &l->arena);
}

static void line_visible(struct buf *b, struct str s, size_t max)
{
    struct buf v;
    buf_init(&v, 1u << 20);
    cli_visible(&v, s.n > 4 * max ? (struct str){s.p, 4 * max} : s, false);
    size_t n = 0, i = 0;
    for (; i < v.n && (((unsigned char)v.p[i] & 0xc0) == 0x80 || n++ < max); i++)
        ;
    buf_put(b, v.p, i);
    if (i < v.n || s.n > 4 * max)
        buf_z(b, "…");
    buf_done(&v);
}

/* Pads the cell that began at `from`. */
static void line_pad(struct buf *b, size_t from, size_t width)
{
    size_t have = cli_width((struct str){b->p + from, b->n - from});
    do
        buf_char(b, ' ');
    while (have++ < width);
    buf_char(b, ' ');
}

static void line_word(struct tail_line *l, struct buf *b, const char *before, const char *path, size_t max)
{
    struct str s = line_str(l, path);
    if (!s.n)
        return;
    buf_z(b, before);
    line_visible(b, s, max);
}

/* What a reader wants to know of this event, after who and what. */
static void line_detail(struct tail_line *l, struct buf *b)
{
    const struct json *j = &l->j;
    uint32_t parameters = json_get(j, JSON_ROOT, STR("parameters")), details = json_get(j, JSON_ROOT, STR("details"));
    struct str event = line_str(l, "event"), reason = line_str(l, "policyDecision.reason"), code = line_str(l, "code");
    double ms;
    int64_t intent;
    if (str_is(event, "TOOL_CALL") && parameters) {
        line_visible(b, json_raw(j, parameters), TAIL_DETAIL);
        return;
    }
    if (str_is(event, "TOOL_RESULT")) {
        line_word(l, b, "", "result", 20);
        if (json_double(j, json_get(j, JSON_ROOT, STR("latencyMs")), &ms))
            buf_fmt(b, " in %.1f ms", ms);
        if (json_i64(j, json_get(j, JSON_ROOT, STR("intentSeq")), &intent))
            buf_fmt(b, ", of #%lld", (long long)intent);
    }
    if (reason.n) {
        buf_z(b, b->n && b->p[b->n - 1] != ' ' ? ": " : "");
        line_visible(b, reason, TAIL_DETAIL);
    }
    if (code.n) {
        buf_z(b, " (");
        line_visible(b, code, 40);
        buf_char(b, ')');
    }
    if (str_starts(event, STR("SESSION_"))) {
        line_word(l, b, reason.n ? ", " : "", "sessionId", 40);
        line_word(l, b, " for ", "triggerUserId", 60);
    }
    line_word(l, b, " by ", "actor", 60);
    if (json_type(j, details) == JSON_OBJECT) {
        buf_char(b, ' ');
        line_visible(b, json_raw(j, details), TAIL_DETAIL);
    }
}

static const char *line_color(struct str event, struct str result)
{
    if (str_is(event, "TOOL_DENIED") || str_is(event, "AUTH_FAILED") || str_is(result, "denied"))
        return "\033[31m";
    if (str_is(event, "RATE_LIMITED") || str_is(result, "failure") || str_is(result, "timeout") ||
        str_is(result, "unknown"))
        return "\033[33m";
    return str_starts(event, STR("TOOL_")) ? "\033[32m" : "\033[36m";
}

static void line_print(struct tail_line *l)
{
    bool color = cli_color(stdout);
    int64_t seq = 0;
    struct str when = line_str(l, "timestamp"), event = line_str(l, "event"), agent = line_str(l, "agentId"),
               tool = line_str(l, "toolName");
    struct buf b;
    buf_init(&b, 1u << 20);
    if (when.n >= 23) { /* "2026-11-23 20:54:00.123" */
        line_visible(&b, (struct str){when.p, 10}, 10);
        buf_char(&b, ' ');
        line_visible(&b, (struct str){when.p + 11, 12}, 12);
    }
    if (!json_i64(&l->j, json_get(&l->j, JSON_ROOT, STR("seq")), &seq))
        seq = 0;
    buf_fmt(&b, " %5lld  %s", (long long)seq, color ? line_color(event, line_str(l, "result")) : "");
    size_t from = b.n;
    line_visible(&b, event, 20);
    line_pad(&b, from, 15);
    buf_z(&b, color ? "\033[0m" : "");
    from = b.n;
    line_visible(&b, agent.n ? agent : STR("-"), 32);
    line_pad(&b, from, 18);
    from = b.n;
    line_visible(&b, tool.n ? tool : STR("-"), 48);
    line_pad(&b, from, 22);
    line_detail(l, &b);
    while (b.n && b.p[b.n - 1] == ' ')
        b.n--;
    buf_char(&b, '\n');
    fwrite(b.p, 1, b.n, stdout);
    buf_done(&b);
}

/* ---- the tail ---- */

struct tail {
    struct cli *c;
    struct audit_reader *reader;
    const char *agent, *event;
    struct tail_line line;
};

/* An entry that cannot be read as JSON is shown as it is: a record hides nothing. */
static bool tail_wants(struct tail *t, struct str entry)
{
    static const struct json_limits deep = {.depth = 1024};
    struct json *j = &t->line.j;
    if (!t->agent && !t->event && t->c->json)
        return true;
    arena_reset(&t->line.arena);
    *j = (struct json){0};
    if (json_parse(j, entry, &t->line.arena, &deep, NULL))
        return true;
    return (!t->agent || json_str_is(j, json_get(j, JSON_ROOT, STR("agentId")), str_of(t->agent))) &&
           (!t->event || json_str_is(j, json_get(j, JSON_ROOT, STR("event")), str_of(t->event)));
}

static void tail_print(struct tail *t, struct str entry)
{
    if (t->c->json || !t->line.j.count)
        cli_print_json(entry);
    else
        line_print(&t->line);
}

/* Goes through the entries from `from` to `last` (0: to the end) and prints those that are wanted, without the first
 * `skip`. `print` false: only counts them. */
static enum err tail_walk(struct tail *t, uint64_t from, uint64_t last, uint64_t skip, bool print, uint64_t *ret_count,
                          struct fault *f)
{
    struct str entry;
    uint64_t seq = 0, count = 0;
    enum err e = from ? audit_reader_seek(t->reader, from, f) : ERR_OK;
    while (!e && (!last || seq < last)) {
        e = audit_reader_next(t->reader, &entry, &seq, f);
        if (e || (last && seq > last) || !tail_wants(t, entry))
            continue;
        if (count++ < skip || !print)
            continue;
        tail_print(t, entry);
    }
    *ret_count = count;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* With a filter the newest n may lie far back: the window grows until they are in it. */
static enum err tail_newest(struct tail *t, uint64_t n, uint64_t last, struct fault *f)
{
    uint64_t window = n, count = 0;
    if (!last)
        return ERR_OK;
    for (;; window = window * 4 + 1000) {
        uint64_t from = window < last ? last - window + 1 : 1;
        TRY(tail_walk(t, from, last, 0, false, &count, f));
        if (count >= n || from == 1)
            return tail_walk(t, from, last, count > n ? count - n : 0, true, &count, f);
    }
}

static enum err tail_follow(struct tail *t, uint64_t last, struct fault *f)
{
    const struct timespec pause = {0, TAIL_POLL_MS * 1000000L};
    uint64_t count, from = last + 1;
    for (;; from = 0) {
        TRY(tail_walk(t, from, 0, 0, true, &count, f));
        if (fflush(stdout) || ferror(stdout))
            return fault_set(f, ERR_IO, "standard output takes no more");
        nanosleep(&pause, NULL);
    }
}

enum err cli_run_audit_tail(struct cli *c, struct fault *f)
{
    struct audit_reader *reader CLEANUP(audit_reader_closep) = NULL;
    struct tail t = {.c = c, .agent = cli_option(c, "agent"), .event = cli_option(c, "event")};
    struct str dir;
    int64_t n;
    TRY(cli_number(c, "number", TAIL_LINES, &n, f));
    TRY(cli_audit_dir(c, &dir, f));
    TRY(audit_reader_open(dir.p, &reader, f));
    t.reader = reader;
    arena_init(&t.line.arena, 512u << 20);
    uint64_t last = audit_reader_last(reader);
    enum err e = tail_newest(&t, (uint64_t)n, last, f);
    if (!e && cli_switch(c, "follow"))
        e = tail_follow(&t, last, f);
    arena_done(&t.line.arena);
    return e;
}

/* ---- show, verify ---- */

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

static void verify_print_json(enum err e, const struct audit_verdict *v, const struct fault *f)
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
        json_kv_i64(&o, "segments", (int64_t)v->segments);
        json_kv_i64(&o, "tornBytes", (int64_t)v->torn_bytes);
        json_kv_z(&o, "tip", v->tip);
    }
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
    buf_done(&b);
}

enum err cli_run_audit_verify(struct cli *c, struct fault *f)
{
    struct audit_verdict v = {0};
    struct str dir;
    TRY(cli_audit_dir(c, &dir, f));
    enum err e = audit_verify(dir.p, NULL, NULL, &v, f);
    if (c->json)
        verify_print_json(e, &v, f);
    else if (!e)
        printf(
            "The record holds together: %llu entries, #%llu to #%llu, in %llu segment%s; the hash of the last is %s.\n",
            (unsigned long long)v.entries, (unsigned long long)v.first, (unsigned long long)v.last,
            (unsigned long long)v.segments, v.segments == 1 ? "" : "s", v.tip);
    if (!e && v.torn_bytes && !c->json)
        printf("%llu bytes behind it belong to an entry that is being written, or was when the machine stopped.\n",
               (unsigned long long)v.torn_bytes);
    return e;
}

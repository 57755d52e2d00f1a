/* One entry of the record, for people: when, what, who, which tool, and what else a reader wants to know of it. */
#include "cli/audit_line.h"

#include "cli/cli.h"

enum { LINE_DETAIL = 100 };

struct audit_line {
    struct json j;
    struct arena arena;
};

static struct str line_str(struct audit_line *l, const char *path)
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

static void line_word(struct audit_line *l, struct buf *b, const char *before, const char *path, size_t max)
{
    struct str s = line_str(l, path);
    if (!s.n)
        return;
    buf_z(b, before);
    line_visible(b, s, max);
}

/* What a reader wants to know of this event, after who and what. */
static void line_detail(struct audit_line *l, struct buf *b)
{
    const struct json *j = &l->j;
    uint32_t parameters = json_get(j, JSON_ROOT, STR("parameters")), details = json_get(j, JSON_ROOT, STR("details"));
    struct str event = line_str(l, "event"), reason = line_str(l, "policyDecision.reason"), code = line_str(l, "code");
    double ms;
    int64_t intent;
    if (str_is(event, "TOOL_CALL") && parameters) {
        line_visible(b, json_raw(j, parameters), LINE_DETAIL);
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
        line_visible(b, reason, LINE_DETAIL);
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
        line_visible(b, json_raw(j, details), LINE_DETAIL);
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

static void line_write(struct audit_line *l)
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

void audit_line_print(struct str entry)
{
    static const struct json_limits deep = {.depth = 1024};
    struct audit_line l = {0};
    arena_init(&l.arena, 512u << 20);
    if (json_parse(&l.j, entry, &l.arena, &deep, NULL))
        cli_print_json(entry); /* a record hides nothing */
    else
        line_write(&l);
    arena_done(&l.arena);
}

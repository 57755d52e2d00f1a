#include "sink/syslog.h"

#include "sink/view.h"

/* Facility 13, log audit. Severity (RFC 5424, table 2). */
enum { SYSLOG_FACILITY = 13, SYSLOG_WARNING = 4, SYSLOG_NOTICE = 5, SYSLOG_INFO = 6 };

static unsigned syslog_severity(const struct view *v)
{
    switch (v->level) {
    case LEVEL_HIGH: return SYSLOG_WARNING - 1; /* error */
    case LEVEL_MEDIUM: return SYSLOG_WARNING;
    case LEVEL_LOW: return SYSLOG_NOTICE;
    default: return SYSLOG_INFO;
    }
}

/* A word of the header: printable ASCII without spaces, at most so many bytes; else "-". */
static void syslog_word(struct buf *out, struct str s, size_t most)
{
    bool ok = s.n > 0 && s.n <= most;
    for (size_t i = 0; i < s.n && ok; i++)
        ok = s.p[i] > 0x20 && s.p[i] < 0x7f;
    buf_str(out, ok ? s : STR("-"));
}

/* PARAM-VALUE is UTF-8; quotes, backslashes and closing brackets are escaped (6.3.3). Controls are left out: not all
 * receivers look for them. */
static void syslog_param(struct buf *out, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_fmt(out, " %s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if ((unsigned char)c < 0x20 || c == 0x7f)
            continue;
        if (c == '"' || c == '\\' || c == ']')
            buf_char(out, '\\');
        buf_char(out, c);
    }
    buf_char(out, '"');
}

/* The name before the "@" is ours; the number is the one for documentation (RFC 5612), since Doorward has no enterprise
 * number of its own. */
static void syslog_head(struct view *v, const char *host, struct buf *out)
{
    char seq[24];
    snprintf(seq, sizeof(seq), "%llu", (unsigned long long)v->entry->seq);
    buf_fmt(out, "<%u>1 ", SYSLOG_FACILITY * 8 + syslog_severity(v));
    syslog_word(out, view_str(v, VIEW_timestamp), 32);
    buf_char(out, ' ');
    syslog_word(out, str_of(host), 255);
    buf_z(out, " doorward - ");
    syslog_word(out, v->event, 32);
    buf_z(out, " [doorward@32473");
    syslog_param(out, "seq", str_of(seq));
    syslog_param(out, "event", v->event);
    syslog_param(out, "agent", view_str(v, VIEW_agentId));
    syslog_param(out, "session", view_str(v, VIEW_sessionId));
    syslog_param(out, "tool", v->tool);
    syslog_param(out, "trace", view_str(v, VIEW_traceId));
    buf_z(out, "] ");
}

bool syslog_write(const struct sink_entry *e, const char *host, const struct sink_format *format, struct buf *scratch,
                  struct buf *out)
{
    struct view v;
    if (!view_open(&v, e))
        return false;
    buf_clear(scratch);
    syslog_head(&v, host, scratch);
    view_close(&v, scratch);
    size_t head = scratch->n;
    bool has = format->write(e, NULL, scratch) && scratch->n > head;
    if (buf_failed(scratch)) {
        out->failed = out->poor = true;
        return false;
    }
    if (!has)
        return false;
    buf_fmt(out, "%zu ", scratch->n);
    buf_str(out, buf_view(scratch));
    return !buf_failed(out);
}

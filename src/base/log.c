#include "base/log.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

static _Atomic int log_threshold = LOG_INFO;

void log_level_set(enum log_level level)
{
    atomic_store(&log_threshold, (int)level);
}

enum { LOG_LINE_MAX = 16384, LOG_VALUE_MAX = 2048 };

/* A stranger's text can be of any length, and yet the line must come. */
static struct str log_cut(struct str s, bool *cut)
{
    if (s.n <= LOG_VALUE_MAX)
        return s;
    *cut = true;
    s.n = LOG_VALUE_MAX;
    for (int i = 0; i < 3 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80; i++)
        s.n--; /* not inside a character */
    return s;
}

static void log_line(struct buf *b, const char *level, const char *event, const struct log_field *fields, bool cut)
{
    struct json_out o = json_out(b);
    char time[CLOCK_RFC3339];
    clock_format(clock_wall_ms(), time);
    json_open(&o, '{');
    json_kv_z(&o, "time", time);
    json_kv_z(&o, "level", level);
    json_kv_z(&o, "event", event);
    for (const struct log_field *f = fields; f && f->key; f++) {
        if (f->type == LOG_FIELD_STR)
            json_kv_str(&o, f->key, log_cut(f->s, &cut));
        else if (f->type == LOG_FIELD_INT)
            json_kv_i64(&o, f->key, f->i);
        else
            json_kv_bool(&o, f->key, f->i != 0);
    }
    if (cut)
        json_kv_bool(&o, "cut", true);
    json_close(&o, '}');
    buf_char(b, '\n');
}

/* A disk that is full may have taken a part of a line. What comes next begins on a line of its own. */
static _Atomic bool log_torn;

static void log_write(struct str line)
{
    ssize_t n = write(STDERR_FILENO, line.p, line.n); /* a failure can be told to nobody */
    if (n >= 0)
        atomic_store(&log_torn, (size_t)n < line.n);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if ((int)level < atomic_load_explicit(&log_threshold, memory_order_relaxed))
        return;
    struct buf b;
    buf_init(&b, LOG_LINE_MAX);
    if (atomic_load(&log_torn))
        buf_char(&b, '\n');
    log_line(&b, names[level], event, fields, false);
    if (buf_failed(&b)) { /* too much in sum: then without the fields */
        buf_clear(&b);
        log_line(&b, names[level], event, NULL, true);
    }
    if (!buf_failed(&b))
        log_write(buf_view(&b));
    buf_done(&b);
}

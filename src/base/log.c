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

#define LOG_LINE_MAX 16384

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if ((int)level < atomic_load_explicit(&log_threshold, memory_order_relaxed))
        return;
    struct buf b;
    buf_init(&b, LOG_LINE_MAX);
    struct json_out o = json_out(&b);
    char time[CLOCK_RFC3339];
    clock_format(clock_wall_ms(), time);
    json_open(&o, '{');
    json_kv_z(&o, "time", time);
    json_kv_z(&o, "level", names[level]);
    json_kv_z(&o, "event", event);
    for (const struct log_field *f = fields; f->key; f++) {
        if (f->type == LOG_FIELD_STR)
            json_kv_str(&o, f->key, f->s);
        else if (f->type == LOG_FIELD_INT)
            json_kv_i64(&o, f->key, f->i);
        else
            json_kv_bool(&o, f->key, f->i != 0);
    }
    json_close(&o, '}');
    buf_char(&b, '\n');
    if (!buf_failed(&b)) {
        ssize_t n = write(STDERR_FILENO, b.p, b.n);
        (void)n; /* nobody is left to tell */
    }
    buf_done(&b);
}

/*
 * The log: one JSON object a line on stderr (NDJSON), written with one write(2), so that lines of several threads never
 * mix. Keys are ours and fixed; values of strangers are escaped, and cut when they are long ("cut":true says so). Never
 * a secret, never a token.
 *
 *   log_info("server_up", LOG_S("server", name), LOG_I("tools", n));
 *     -> {"time":"2026-11-23T20:54:00.123Z","level":"info","event":"server_up","server":"orders","tools":7}
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key; /* NULL ends the list */
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
    struct str s;
    int64_t i;
};

#define LOG_S(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_STR, .s = (v)})
#define LOG_Z(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_STR, .s = str_of(v)})
#define LOG_I(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_INT, .i = (int64_t)(v)})
#define LOG_B(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_BOOL, .i = (v)})

void log_level_set(enum log_level level);
void log_event(enum log_level level, const char *event, const struct log_field *fields);

#define log_at(level, event, ...) log_event(level, event, (const struct log_field[]){__VA_ARGS__, {.key = NULL}})
#define log_debug(event, ...)     log_at(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)      log_at(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)      log_at(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...)     log_at(LOG_ERROR, event, __VA_ARGS__)

#endif

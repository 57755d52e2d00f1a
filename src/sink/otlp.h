/* OTLP over HTTP, JSON (opentelemetry.io/docs/specs/otlp): what logs and spans share. */
#ifndef SINK_OTLP_H
#define SINK_OTLP_H

#include "sink/format.h"

enum err otlp_open(const struct conf_sink *conf, const struct sink_format *format, const char *path,
                   const char *audit_dir, void **ret, struct fault *f) MUST_USE;
enum err otlp_deliver(void *s, const struct sink_entry *v, size_t n, const _Atomic bool *stop, struct sink_told *ret,
                      struct fault *f) MUST_USE;
void otlp_close(void *s);

#endif

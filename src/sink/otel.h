/*
 * What OpenTelemetry's logs and spans have in common, in the JSON of OTLP (opentelemetry-proto, "JSON Protobuf
 * Encoding"): ids as hex, 64-bit integers as strings, enums as numbers. For format_logs.c and format_spans.c.
 */
#ifndef SINK_OTEL_H
#define SINK_OTEL_H

#include "sink/view.h"

#define OTEL_RESOURCE                                                                                                  \
    "{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"doorward\"}},"              \
    "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" DOORWARD_VERSION "\"}}]},"
#define OTEL_SCOPE "{\"scope\":{\"name\":\"doorward.audit\",\"version\":\"" DOORWARD_VERSION "\"},"

/* An attribute of a list; empty strings are left out. */
void otel_str(struct json_out *o, const char *key, struct str s);
void otel_i64(struct json_out *o, const char *key, int64_t v);
/* A value as it is on record: objects and arrays stay what they are. */
void otel_value(struct json_out *o, struct str key, const struct json *j, uint32_t i);
/* A member with nanoseconds since 1970, within what it can hold. */
void otel_time(struct json_out *o, const char *key, int64_t wall_ms, int64_t less_us);

/* What both say of an entry, by the conventions: who, for whom, in which session, what was called. */
void otel_who(struct json_out *o, struct view *v);
/* The kind of what went wrong, error.type; empty: nothing did. */
struct str otel_error(struct view *v);

#endif

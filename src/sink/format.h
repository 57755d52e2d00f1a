/*
 * What an entry looks like outside of the record. One shape, one file for each (sink/format_<name>.c), one list. Pure.
 *
 *   json        the entry as it is on record, byte for byte
 *   ocsf        OCSF 1.8.0, API Activity (class 6003), profiles security_control and trace
 *   cef         ArcSight Common Event Format, one line
 *   otlp-logs   OTLP/HTTP JSON, a LogRecord (ExportLogsServiceRequest around a batch)
 *   otlp-spans  OTLP/HTTP JSON, a Span for each outcome or refusal of a call (ExportTraceServiceRequest), named by the
 *               OpenTelemetry semantic conventions for MCP and GenAI
 *
 * Which member goes where: docs/RECORD.md.
 */
#ifndef SINK_FORMAT_H
#define SINK_FORMAT_H

#include "sink/sink.h"

struct sink_format_how;
struct sink_format {
    const char *name, *content_type;
    /* Around a batch, and between its entries; NULL: nothing. In a file, entries without these stand in a line each,
     * and with them each batch. No line end is in what is written. */
    const char *begin, *between, *end;
    /* Appends one. False: this entry has no such form, e.g. a reload has no span; then nothing is appended. Where
     * memory is wanting, out has failed: try again. how may be NULL. */
    bool (*write)(const struct sink_entry *e, const struct sink_format_how *how, struct buf *out);
};

/* What calls were asked with, as their intents went by: an outcome does not say it again. One thread at a time. */
struct sink_intents;
struct sink_intents *sink_intents_new(size_t max /* bytes */) MUST_USE; /* NULL: no memory */
void sink_intents_free(struct sink_intents *i);                         /* takes NULL */

struct sink_format_how {
    bool arguments;               /* otlp-spans: with the call's arguments, which stand in its intent … */
    struct sink_intents *intents; /* … that went by here before; or NULL: with none … */
    struct audit_reader *reader;  /* … or is looked up, which takes longer; or NULL. Nobody else's. */
};
extern const struct sink_format format_json, format_ocsf, format_cef, format_logs, format_spans;
extern const struct sink_format *const sink_formats[];       /* all; NULL-ended. The first three by enum conf_format */
const struct sink_format *sink_format_find(struct str name); /* NULL: there is none */

#endif

/* What the other side's answer says about a delivery. */
#ifndef SINK_ANSWER_H
#define SINK_ANSWER_H

#include "sink/http.h"
#include "sink/sink.h"

/* 2xx: ERR_OK. Everything else is ERR_UNREACHABLE, and told->pause_ms says for how long, when the other side does. */
enum err sink_answer(const struct sink_http_answer *a, struct sink_told *told, struct fault *f) MUST_USE;
/* What OTLP answers with 200 when it did not keep everything (ExportLogsPartialSuccess): how many were refused. Those
 * are not sent again, as OTLP wants it: they would be refused again. False: nothing of the kind was said. */
bool sink_answer_partial(struct str body, uint64_t *ret_rejected, char *reason, size_t n);

/* JetStream's answer to a message: {"stream":"AUDIT","seq":12}, or {"error":{"code":503,"description":"…"}}. ERR_OK: it
 * is stored. ERR_UNREACHABLE: it is not, or something else answers there. */
enum err sink_answer_stored(struct str body, struct fault *f) MUST_USE;

#endif

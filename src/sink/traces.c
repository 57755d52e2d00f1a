/* Spans, one for each call, over OTLP. */
#include "sink/otlp.h"

static enum err traces_open(const struct conf_sink *conf, const char *audit_dir, void **ret, struct fault *f)
{
    return otlp_open(conf, &format_spans, "/v1/traces", audit_dir, ret, f);
}

const struct sink_kind sink_traces = {
    .name = "traces", .open = traces_open, .deliver = otlp_deliver, .close = otlp_close};

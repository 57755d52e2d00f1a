#include "sink/sink.h"

const struct sink_kind *const sink_kinds[] = {
    [CONF_SINK_NATS] = &sink_nats, [CONF_SINK_WEBHOOK] = &sink_webhook, [CONF_SINK_SYSLOG] = &sink_syslog,
    [CONF_SINK_OTLP] = &sink_otlp, [CONF_SINK_TRACES] = &sink_traces,
};

#include "sink/format.h"

const struct sink_format *const sink_formats[] = {
    [CONF_JSON] = &format_json, [CONF_OCSF] = &format_ocsf, [CONF_CEF] = &format_cef, &format_logs, &format_spans, NULL,
};

const struct sink_format *sink_format_find(struct str name)
{
    for (size_t i = 0; sink_formats[i]; i++)
        if (str_is(name, sink_formats[i]->name))
            return sink_formats[i];
    return NULL;
}

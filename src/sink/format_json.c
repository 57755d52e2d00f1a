#include "sink/format.h"

static bool json_write(const struct sink_entry *e, const struct sink_format_how *how, struct buf *out)
{
    (void)how;
    buf_str(out, e->text);
    return true;
}

const struct sink_format format_json = {.name = "json", .content_type = "application/json", .write = json_write};

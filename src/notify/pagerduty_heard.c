/* What PagerDuty's webhook (v3) says of an incident: {"event":{"event_type":"incident.acknowledged","agent":{…},
 * "data":{"incident_key":"apr_…"}}}. Whatever happens to an incident decides nothing. */
#include "notify/inner.h"

enum err pagerduty_heard(struct str body, struct arena *a, struct pagerduty_event *ret, struct fault *f)
{
    static const struct json_limits bounds = {.depth = 64, .nodes = 100000};
    struct json j;
    TRY(json_parse(&j, body, a, &bounds, f));
    struct str event = json_str(&j, json_path(&j, JSON_ROOT, "event.event_type"), a);
    if (!event.n)
        return fault_set(f, ERR_INVALID, "event.event_type must be there");
    struct str by = json_str(&j, json_path(&j, JSON_ROOT, "event.agent.summary"), a);
    struct str id = json_str(&j, json_path(&j, JSON_ROOT, "event.data.incident_key"), a);
    if (!id.n)
        id = json_str(&j, json_path(&j, JSON_ROOT, "event.data.incident.incident_key"), a);
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for a request");
    *ret = (struct pagerduty_event){.event = event, .by = by, .id = notify_is_id(id) ? id : STR_NONE};
    return ERR_OK;
}

/* What the patterns under `tools` say of one tool about the people who decide. Of several that fit all count. */
#ifndef CONF_RULES_H
#define CONF_RULES_H

#include "base/json.h"
#include "conf/conf.h"

struct conf_rules {
    enum conf_risk risk; /* the highest; CONF_RISK_UNSET: no pattern says one, which counts as high */
    unsigned people;     /* the most, 1 or 2 */
    int64_t escalate_ms; /* the shortest; 0: never */
};
void conf_rules(const struct conf_root *r, struct str tool, struct conf_rules *ret);
void conf_rules_approvers(const struct conf_root *r, struct str tool, struct json_out *o); /* an array of groups */
void conf_rules_escalate(const struct conf_root *r, struct str tool, struct json_out *o);  /* likewise */

#endif

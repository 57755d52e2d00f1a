/* What becomes of a call that policies let through, by its risk: for the stages, and for those who are only asked.
 * Pure.
 */
#ifndef GATE_RISK_H
#define GATE_RISK_H

#include "conf/rules.h"
#include "policy/duty.h"

/* The risk of a call: the configuration's of its tool, raised by the policies that decided. */
enum duty_risk risk_of(const char *of_tool, const struct duty *d);

enum risk_turn { RISK_NEVER = 0, RISK_ASKS, RISK_REVIEWED, RISK_THROUGH };
extern const char *const risk_turns[]; /* "never", "asks", "reviewed", "through" */
/* Medium risk goes through and is looked at later; policies may want people whatever the risk. */
enum risk_turn risk_turn(enum duty_risk risk, unsigned people_of_policies);

struct risk_course { /* of a call by the configuration of now */
    enum duty_risk risk;
    enum risk_turn turn;
    unsigned people; /* of RISK_ASKS: how many have to say yes */
};
/* of_tool: as policies saw it (policy_seen.risk). */
void risk_course(const struct conf_root *r, struct str tool, const char *of_tool, const struct duty *d,
                 struct risk_course *ret);

#endif

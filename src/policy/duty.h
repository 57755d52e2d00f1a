/*
 * Obligations: what the policies that decided ask for besides, as annotations.
 *
 *   @risk("high")                   at least this risk
 *   @approve("one"), ("two")        a person, or two different ones, have to say yes first
 *   @limit("10/minute")             this policy lets through no more than that, for each agent
 *   @set("input.limit = 100")       the argument is changed to this JSON value; several with a semicolon between them
 *   @mask("output.customer.email")  this member of the result is not shown; several with commas
 *
 * Of several that fire the strictest holds: the higher risk, the more people, every limit, every mask. Two that set one
 * argument to different values cannot be combined: the call is denied.
 */
#ifndef POLICY_DUTY_H
#define POLICY_DUTY_H

#include "cedar/policy.h"
#include "conf/conf.h"

enum duty_risk { DUTY_RISK_NONE, DUTY_RISK_LOW, DUTY_RISK_MEDIUM, DUTY_RISK_HIGH, DUTY_RISK_CRITICAL };
extern const char *const duty_risks[]; /* their names */

enum { DUTY_ITEMS = 8 }; /* of each kind; more deny */
struct duty_limit {
    const struct cedar_policy *policy;
    struct conf_rate rate;
};
struct duty_set {
    struct str path;  /* "limit", "filter.max": below input */
    struct str value; /* JSON */
};
struct duty {
    enum duty_risk risk;
    unsigned approvals; /* people */
    struct duty_limit limit[DUTY_ITEMS];
    struct duty_set set[DUTY_ITEMS];
    struct str mask[DUTY_ITEMS]; /* "customer.email": below output */
    unsigned limits, sets, masks;
};

/* Whether the annotations of a policy that are the gateway's can be understood. ERR_SYNTAX. */
enum err duty_check(const struct cedar_policy *p, struct fault *f) MUST_USE;
/* Adds what a policy that decided asks for. ERR_CONFLICT: it cannot be combined with what is there. */
enum err duty_add(struct duty *d, const struct cedar_policy *p, struct fault *f) MUST_USE;

#endif

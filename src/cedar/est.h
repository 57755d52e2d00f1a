/*
 * Policies as JSON (https://docs.cedarpolicy.com/policies/json-format.html): single policies and templates, and whole
 * sets ({"staticPolicies", "templates", "templateLinks"}).
 */
#ifndef CEDAR_EST_H
#define CEDAR_EST_H

#include "cedar/policy.h"

void cedar_est_policy(const struct cedar_policy *p, struct json_out *out);
void cedar_est_set(const struct cedar_policies *ps, struct json_out *out);
/* Reads one policy (or template) and adds it under the id; ERR_SYNTAX with the path in the fault. A member that is not
 * known is refused: a policy must not say more than is done. */
enum err cedar_est_read(struct cedar_policies *ps, struct str id, struct str text, struct fault *f) MUST_USE;
enum err cedar_est_read_set(struct cedar_policies *ps, struct str text, struct fault *f) MUST_USE;

#endif

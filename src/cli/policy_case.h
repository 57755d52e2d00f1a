/*
 * Cases of policies, as people write them beside the policies:
 *
 *   policies: [orders.cedar]          # relative to this file; without it, those of the configuration
 *   cases:
 *     - name: a small refund goes through
 *       agent: { type: customer-support }      # id, type, version, environment, owner
 *       tool: desk/issue_refund
 *       input: { orderId: ORD-A1B2C3D4, amount: 20 }
 *       context:
 *         session: { user: usr_1, tier: gold }  # trigger, scopes, calls, age, source, taints
 *         time: 2026-01-05T12:00:00Z            # a Monday; this is what it is when nothing is said
 *       expect: allow                           # or deny, or approve
 *       policies: [small-refund]                # exactly these decide; and, by choice,
 *       reason: part of the reason
 *       risk: low
 *       set: { limit: 100 }                     # what @set changes
 */
#ifndef CLI_POLICY_CASE_H
#define CLI_POLICY_CASE_H

#include "cli/policy_call.h"
#include "cli/yaml.h"

struct policy_case {
    struct str name;
    unsigned line;
    struct policy_call call;
    enum policy_effect expect;
    bool policies_said, set_said;
    const struct str *policy;
    size_t policies;
    struct str reason, risk; /* empty: not said */
    uint32_t set;            /* an object in the file's document */
};
struct policy_cases {
    struct yaml yaml;
    const struct str *policy; /* files, relative to the file of the cases */
    size_t policies;
    struct policy_case *v;
    size_t n;
};
/* ERR_CONFIG: faults has a line for each fault, "file:line:column: …". */
enum err policy_cases_read(struct str file, struct str text, struct arena *a, struct buf *faults,
                           struct policy_cases *ret) MUST_USE;
extern const char *const policy_effects[]; /* "deny", "approve", "allow" */

#endif

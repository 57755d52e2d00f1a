/*
 * What the commands under `policy` work on: files of policies, and the tools that they are judged against. The tools
 * come from a file (--tools, as `policy tools` prints it, so that tests run where no gateway is), or from the running
 * gateway.
 */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include "cli/http.h"
#include "policy/policy.h"

/* The files that were named from argument `from` on, or, when none was, those of the configuration. ERR_CONFIG: *faults
 * has their faults, a line each. */
enum err cli_policy_texts(struct cli *c, size_t from, struct policy_texts **ret, struct buf *faults,
                          struct fault *f) MUST_USE;
/* The tools, in the arena of the run. */
enum err cli_policy_tools(struct cli *c, const struct policy_fact **ret, size_t *ret_n, struct fault *f) MUST_USE;
void cli_policy_print_faults(struct cli *c, struct str faults); /* to standard output */
/* Both: a set to judge with, by the risks of the configuration when there is one. Faults are printed to standard
 * output, and are ERR_CONFIG. */
enum err cli_policy_set(struct cli *c, size_t from, struct policy_set **ret, struct fault *f) MUST_USE;

#endif

/*
 * What the commands under `policy` work on: files of policies, and the tools that they are judged against. The tools
 * come from a file (--tools, as `policy tools` prints it, so that tests run where no gateway is), or from the running
 * gateway.
 */
#ifndef CLI_POLICY_H
#define CLI_POLICY_H

#include "cli/http.h"
#include "policy/policy.h"

/* The files (or folders of *.cedar) that were named from argument `from` on, or, when none was, those of the
 * configuration. ERR_CONFIG: *faults has their faults, a line each. */
enum err cli_policy_texts(struct cli *c, size_t from, struct policy_texts **ret, struct buf *faults,
                          struct fault *f) MUST_USE;
/* The tools, in the arena of the run. */
enum err cli_policy_tools(struct cli *c, const struct policy_fact **ret, size_t *ret_n, struct fault *f) MUST_USE;
enum err cli_policy_tools_of(struct cli *c, const char *file /* NULL: the gateway's */, const struct policy_fact **ret,
                             size_t *ret_n, struct fault *f) MUST_USE;
/* To standard output, a line each; with --json as {"ok": false, "faults": […]}. None: nothing. */
void cli_policy_print_faults(struct cli *c, struct str faults);
/* Both: a set to judge with, by the risks of the configuration when there is one. Faults are printed to standard
 * output, and are ERR_CONFIG. */
enum err cli_policy_set(struct cli *c, size_t from, struct policy_set **ret, struct fault *f) MUST_USE;
/* The same of texts that are there already. */
enum err cli_policy_set_of(struct cli *c, struct policy_texts *texts, const char *tools, struct policy_set **ret,
                           struct fault *f) MUST_USE;

/* ---- the record (policy_record.c) ---- */

struct recorded;
struct recorded_range;
/* By --since and --until, until now. ERR_USAGE. */
enum err cli_policy_range(struct cli *c, struct recorded_range *ret, struct fault *f) MUST_USE;
/* The calls of the record in that range. What takes longer than two seconds says on a terminal how far it is. */
enum err cli_policy_recorded(struct cli *c, const struct recorded_range *range, struct recorded **ret,
                             struct fault *f) MUST_USE;
void cli_policy_recorded_quiet(void);               /* before results are printed: takes those words away */
void cli_policy_recorded_done(struct recorded **r); /* for CLEANUP */

#endif

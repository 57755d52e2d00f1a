/*
 * What is suspicious in policies that are valid: rules that do nothing, tools that nothing covers, permissions wider
 * than they look. Nothing of it keeps a set out of force.
 *
 *   if (lint(set, &arena, &found, f)) …
 *   for (size_t i = 0; i < found.n; i++) … found.v[i].what …
 *
 * Every policy is looked at together with every tool that is known, so a finding is true of these tools: of a server
 * that is away and was never pinned nothing is known. What needs more than LINT_STEPS steps of reasoning is taken to be
 * possible, and not reported.
 *
 * Threads: any. Everything lies in the arena.
 */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy/policy.h"

#define LINT_STEPS ((uint64_t)100 * 1000 * 1000)

enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR };
extern const char *const lint_severities[]; /* their names */

enum lint_code {
#define LINT(name, code, severity, what) LINT_CODE_##name,
#include "policy/lint.def"
#undef LINT
    LINT_CODES
};
extern const char *const lint_codes[];
extern const char *const lint_meanings[];
extern const enum lint_severity lint_usual[]; /* some findings are less */

struct lint_finding {
    enum lint_code code;
    enum lint_severity severity;
    struct str file; /* empty: it is about no file */
    unsigned line, column;
    struct str policy;      /* its id; empty: it is about none */
    struct str tool;        /* likewise */
    struct str what, right; /* what is wrong, what would be right */
};
struct lint {
    struct lint_finding *v; /* in the order of the files */
    size_t n;
    size_t policies; /* that were looked at */
    size_t errors, warnings, notes;
};

enum err lint(const struct policy_set *s, struct arena *a, struct lint *ret, struct fault *f) MUST_USE;

#endif

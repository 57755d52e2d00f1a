/*
 * Policies as text again. What is printed parses to an equal tree. cedar_format keeps comments; it is what
 * `policy fmt` writes.
 */
#ifndef CEDAR_PRINT_H
#define CEDAR_PRINT_H

#include "cedar/policy.h"

void cedar_print_policy(const struct cedar_policy *p, struct buf *out);
void cedar_print_expr(const struct cedar_expr *e, struct buf *out); /* one line, brackets only where they are needed */
bool cedar_expr_same(const struct cedar_expr *a, const struct cedar_expr *b);       /* but for positions */
bool cedar_policy_same(const struct cedar_policy *a, const struct cedar_policy *b); /* but for ids and positions */
/* A text of policies in the house's one layout, comments kept. Formatting twice changes nothing. */
enum err cedar_format(struct str file, struct str text, struct buf *out, struct buf *faults) MUST_USE;

#endif

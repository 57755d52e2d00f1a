/*
 * The text of policies, and of a single expression. The grammar:
 * https://docs.cedarpolicy.com/policies/syntax-grammar.html Depth is bounded, time and memory are linear in the text.
 */
#ifndef CEDAR_PARSE_H
#define CEDAR_PARSE_H

#include "cedar/policy.h"

#define CEDAR_DEPTH    256               /* of nested expressions */
#define CEDAR_TEXT_MAX (8 * 1024 * 1024) /* bytes of one text */
#define CEDAR_FAULTS   20                /* faults reported of one text; behind them "and N more" */

/* Adds the policies of a text; they get the ids policy0, policy1 … in the order of the whole set. With faults none is
 * added: ERR_SYNTAX, and each fault is a line in *faults; ERR_LIMIT, ERR_NOMEM. The text is copied. */
enum err cedar_parse(struct cedar_policies *ps, struct str file, struct str text, struct buf *faults) MUST_USE;
/* An expression on its own, into the arena. */
enum err cedar_parse_expr(struct str text, struct arena *a, const struct cedar_expr **ret, struct fault *f) MUST_USE;
/* User::"alice" */
enum err cedar_parse_uid(struct str text, struct arena *a, struct cedar_uid *ret, struct fault *f) MUST_USE;

#endif

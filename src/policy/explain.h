/*
 * Why a call is judged as it is: of every policy whose scope speaks to it, whether it applied and which condition kept
 * it from it, with the values that it saw; and for a call that is denied the smallest change of what was known of it
 * that would have let it through.
 *
 *   if (explain(set, &question, arena, &e, f)) …
 *   for (size_t i = 0; i < e.policies; i++) … e.policy[i].part …
 *
 * A condition is told in its parts: those of && where it has to be true, those of || where it must not be (unless). A
 * change is only told when the whole set was judged again with it.
 *
 * Bounded: in parts, values and changes by the constants below, in time by EXPLAIN_TRIALS judgements.
 *
 * Threads: any. Everything lies in the arena and points into the set and the question.
 */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/policy.h"

enum { EXPLAIN_PARTS = 16, EXPLAIN_VALUES = 8, EXPLAIN_CHANGES = 3, EXPLAIN_WAYS = 3, EXPLAIN_TRIALS = 600 };

struct explain_value {
    struct str path;          /* "context.session.tier" */
    struct cedar_value value; /* CEDAR_NONE: it is not there */
};
struct explain_part {
    const struct cedar_expr *expr;
    bool unless; /* it stands in an unless */
    bool want;   /* what it has to come to for the policy to apply */
    bool held;   /* it came to that */
    bool failed; /* it could not be evaluated: error */
    struct cedar_error error;
    unsigned line, column;
    struct explain_value value[EXPLAIN_VALUES];
    unsigned values;
};
struct explain_policy {
    const struct cedar_policy *policy;
    struct str file;
    unsigned line, column;
    bool applied, failed, decided;
    bool enforced;        /* its file is */
    struct str speaks_to; /* its scope speaks of the tool, but only to these: "in AgentType::\"support\""; no parts */
    struct explain_part *part;
    size_t parts;
};
struct explain_change {
    struct str path;                  /* "context.session.tier" */
    struct cedar_value before, after; /* CEDAR_NONE: it is not there */
    bool example;                     /* other values would do as well */
};
struct explain_way { /* all of the changes together */
    struct explain_change change[EXPLAIN_CHANGES];
    unsigned changes;
    enum policy_effect effect;
    const struct cedar_policy *by; /* the first that would decide */
};
struct explain {
    struct policy_answer answer;
    struct explain_policy *policy; /* in the order of the files */
    size_t policies;
    struct explain_way way[EXPLAIN_WAYS]; /* of the fewest changes; none when it is not denied */
    unsigned ways;
    unsigned trials; /* judgements that it took to look for them */
};

/* ERR_POLICY, ERR_POLICY_UNREADY: denied before any policy was looked at, for the reason in f. ERR_NOMEM. */
enum err explain(const struct policy_set *s, const struct policy_question *q, struct arena *a, struct explain *ret,
                 struct fault *f) MUST_USE;

/* ---- for the files of this room ---- */

struct explain_path { /* context.session.tier, as an expression reads it */
    enum cedar_var var;
    struct str name[8];
    unsigned names;
};
struct explain_fix {
    struct explain_path at;
    struct cedar_value value; /* CEDAR_NONE: taken away */
    bool example;
};
/* False: the expression is no such chain. */
bool explain_path(const struct cedar_expr *e, struct explain_path *ret);
struct str explain_path_text(const struct explain_path *p, struct arena *a);
struct cedar_value explain_path_value(const struct explain_path *p, const struct cedar_request *r); /* or CEDAR_NONE */
bool explain_scope(const struct cedar_scope *s, const struct cedar_uid *uid, const struct cedar_world *w);

/* explain_fix.c: what could bring a policy's expression to what is wanted. Candidates: nothing is promised. */
typedef void explain_found(void *ctx, const struct explain_fix *fix);
void explain_fixes(const struct policy_set *s, const struct cedar_request *r, const struct cedar_policy *p,
                   const struct cedar_expr *e, bool want, struct arena *a, explain_found *found, void *ctx);
/* explain_apply.c: the request with that change; what has to go with it (the hour with the moment) does. ERR_NOT_FOUND:
 * it is none that could be. */
enum err explain_apply(const struct policy_set *s, const struct cedar_request *r, const struct explain_fix *fix,
                       struct arena *a, struct cedar_request *ret) MUST_USE;
/* explain_way.c: fills way, ways and trials. */
void explain_ways(const struct policy_set *s, const struct cedar_request *r, struct arena *a, struct explain *ret);

#endif

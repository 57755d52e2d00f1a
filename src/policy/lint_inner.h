/* The parts of lint. For the files lint*.c only. */
#ifndef POLICY_LINT_INNER_H
#define POLICY_LINT_INNER_H

#include "policy/lint.h"
#include "policy/set.h"

/* One of the things that all have to be as wanted before a policy applies: `unless { a || b }` has the parts not a and
 * not b. */
struct lint_part {
    const struct cedar_expr *expr;
    bool want;
    uint64_t hash;
};

struct lint_policy {
    const struct cedar_policy *p;
    bool enforced;
    bool by_tool;                 /* its conditions ask for the tool or its arguments */
    bool waits;                   /* it speaks only of what nobody knows */
    bool idle;                    /* it applies to none of the tools of today */
    bool never;                   /* that has been told */
    const struct lint_part *part; /* by hash, each once */
    uint32_t parts;
    uint64_t hashes; /* of all parts, one bit each */
    uint64_t action; /* hash of the one action that the scope names; 0: it names none or several */
};

/* Whether a policy applies to calls of a tool. */
enum lint_verdict { LINT_NEVER, LINT_MAYBE, LINT_ALWAYS };

struct lint_place; /* a finding with its place in the text */

struct lint_run {
    const struct policy_set *s;
    struct cedar_policies *ps;          /* as they were written: nothing set aside */
    const struct cedar_action **action; /* of the vocabulary, by index of s->action */
    struct {
        struct str *action, *tool, *server; /* each in its order; servers as often as they have tools */
    } names;
    struct lint_policy *policy;
    uint32_t policies;
    uint8_t *verdict; /* by tool: enum lint_verdict of the policy in hand */
    bool *covered;    /* by tool */
    struct arena *a, scratch;
    uint64_t steps;
    struct lint_place *found;
    size_t n, cap;
};

/* ---- lint.c ---- */

/* At a byte of the policy's text. */
void lint_tell(struct lint_run *r, enum lint_code code, const struct lint_policy *p, uint32_t at, struct str what,
               struct str right);
void lint_note(struct lint_run *r, enum lint_code code, const struct lint_policy *p, uint32_t at, struct str what,
               struct str right); /* the same, as a note */

/* ---- lint_words.c: expressions, and the words of the vocabulary ---- */

const struct cedar_expr *lint_child(const struct cedar_expr *e, uint32_t i); /* NULL: it has no more */
uint32_t lint_start(const struct cedar_expr *e);                             /* where its text begins */
bool lint_is_claims(const struct cedar_expr *e); /* asks for what a server says of its tool */
/* Whether e is variable.a, or variable.a.b; b may be NULL. */
bool lint_is_path(const struct cedar_expr *e, enum cedar_var var, const char *a, const char *b);
/* The names below context.input: 0 when e is no such path, or a longer one than max. */
unsigned lint_input_path(const struct cedar_expr *e, struct str *name, unsigned max);
struct str lint_text_of(struct lint_run *r, const struct cedar_expr *e); /* for messages; cut when it is long */
struct str lint_uid_text(struct lint_run *r, const struct cedar_uid *uid);
/* ": did you mean …?" of words; fallback when none is near. */
struct str lint_near(struct lint_run *r, struct str word, const struct str *v, size_t n, struct str fallback);
/* What the values of e can be, as words. NULL: anything. */
const char *const *lint_values(const struct cedar_expr *e);
bool lint_is_value(const char *const *values, struct str word);
/* Comparisons with what does not exist: weekdays, risks, hours, scopes. */
void lint_words(struct lint_run *r, struct lint_policy *p);

/* ---- lint_scope.c ---- */

bool lint_fits(const struct lint_run *r, const struct cedar_policy *p,
               const struct policy_tool *t); /* who calls aside */
/* Every call that fits the scope of `b` fits that of `a`. */
bool lint_includes(const struct lint_run *r, const struct cedar_policy *a, const struct cedar_policy *b);
/* Its scope names tools one by one: it is about these, and not about those of tomorrow. */
bool lint_counts_up(const struct lint_run *r, const struct cedar_policy *p);
/* What the policy names and nobody knows. */
void lint_unknown(struct lint_run *r, struct lint_policy *p);

/* ---- lint_mind.c ---- */

bool lint_about_tool(const struct cedar_expr *e); /* reads action, resource or context.input */
/* The conditions cannot be true together, whatever the tool. */
bool lint_contradicts(struct lint_run *r, const struct lint_policy *p);
enum lint_verdict lint_judge(struct lint_run *r, const struct lint_policy *p, const struct policy_tool *t);

/* ---- lint_pairs.c: duplicate, shadowed ---- */

void lint_split(struct lint_run *r, struct lint_policy *p); /* fills part */
void lint_pairs(struct lint_run *r);

/* ---- lint_trust.c: claims, agent-words, negative, avoidable; by r->verdict ---- */

void lint_trust(struct lint_run *r, struct lint_policy *p);

#endif

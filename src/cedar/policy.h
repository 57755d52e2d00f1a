/*
 * Policies as a tree: what the parser and the JSON form make, what is printed, type-checked and compiled. Everything
 * lies in the arena of its struct cedar_policies.
 */
#ifndef CEDAR_POLICY_H
#define CEDAR_POLICY_H

#include "cedar/ext.h"

enum cedar_effect { CEDAR_FORBID, CEDAR_PERMIT }; /* zero forbids */
enum cedar_var { CEDAR_PRINCIPAL, CEDAR_ACTION, CEDAR_RESOURCE, CEDAR_CONTEXT };

enum cedar_op {
    CEDAR_OP_LIT,  /* lit: bool, long, string or entity */
    CEDAR_OP_VAR,  /* sub: enum cedar_var */
    CEDAR_OP_SLOT, /* sub: CEDAR_PRINCIPAL or CEDAR_RESOURCE */
    CEDAR_OP_NOT,
    CEDAR_OP_NEG,
    CEDAR_OP_IF,  /* a ? b : c */
    CEDAR_OP_AND, /* sub 1: made of a has x.y */
    CEDAR_OP_OR,
    CEDAR_OP_EQ,
    CEDAR_OP_NE,
    CEDAR_OP_LT,
    CEDAR_OP_LE,
    CEDAR_OP_GT,
    CEDAR_OP_GE,
    CEDAR_OP_ADD,
    CEDAR_OP_SUB,
    CEDAR_OP_MUL,
    CEDAR_OP_IN,
    CEDAR_OP_IS,   /* a is name; with b: a is name in b */
    CEDAR_OP_HAS,  /* a has name (a has x.y is kept as a has x && a.x has y; both name the same node a) */
    CEDAR_OP_GET,  /* a.name, a["name"] */
    CEDAR_OP_LIKE, /* a like pattern */
    CEDAR_OP_CONTAINS,
    CEDAR_OP_CONTAINS_ALL,
    CEDAR_OP_CONTAINS_ANY,
    CEDAR_OP_IS_EMPTY, /* a */
    CEDAR_OP_HAS_TAG,
    CEDAR_OP_GET_TAG,
    CEDAR_OP_SET,    /* list */
    CEDAR_OP_RECORD, /* list with names, in the order of the text */
    CEDAR_OP_CALL,   /* list; sub: enum cedar_ext. As many arguments as were written: a wrong number is no fault of the
                      * text, but an error when the call is evaluated, and for the checker */
};

/*
 * A tree is at most CEDAR_DEPTH (parse.h) high. It may share nodes (see CEDAR_OP_HAS); how much longer than the text it
 * is when it is walked is bounded by the parser. Chains of && and || nest to the left, those of hundreds of parts in
 * halves.
 */

/* A pattern of like: pieces between the stars, unescaped. "a*b" has two pieces, "*" has two empty ones. */
struct cedar_pattern {
    uint32_t n;
    struct str piece[];
};

struct cedar_expr {
    uint8_t op, sub;
    uint32_t at; /* byte offset in the text that it was read from */
    union {
        struct cedar_value lit;
        struct {
            const struct cedar_expr *a, *b, *c;
        };
        struct {
            const struct cedar_expr *of, *in; /* same places as a and b */
            union {
                struct str name;
                const struct cedar_pattern *pattern;
            };
        };
        struct {
            const struct cedar_expr *const *item;
            const struct str *key; /* of a record */
            uint32_t n;
        };
    };
};

enum cedar_scope_kind {
    CEDAR_ANY,
    CEDAR_EQ,     /* == uid, or == ?slot */
    CEDAR_IN,     /* in uid, or in ?slot */
    CEDAR_IN_ANY, /* in [uid, …]; action only */
    CEDAR_IS,     /* is type */
    CEDAR_IS_IN,  /* is type in uid, or in ?slot */
};
struct cedar_scope {
    enum cedar_scope_kind kind;
    bool slot;       /* the uid is a template's slot, not filled yet */
    struct str type; /* of is */
    const struct cedar_uid *uid;
    uint32_t n; /* of uid */
    uint32_t at;
};

struct cedar_condition {
    bool unless;
    const struct cedar_expr *expr;
    uint32_t at;
};
struct cedar_annotation {
    struct str name, value; /* value is "" when none was written */
    bool bare;              /* none was written */
    uint32_t at;
};

/* A static policy, a template (it has slots), or a link: a template's content with its slots filled. */
struct cedar_policy {
    struct str id;
    enum cedar_effect effect;
    bool is_template;
    const struct cedar_policy *link_of; /* the template, or NULL */
    struct cedar_scope principal, action, resource;
    const struct cedar_condition *condition;
    uint32_t conditions;
    const struct cedar_annotation *annotation;
    uint32_t annotations;
    uint32_t order;   /* its place in cedar_policies.policy; cedar_policies_add sets it */
    uint32_t source;  /* index into cedar_policies.source; UINT32_MAX: it was read from JSON */
    uint32_t at, end; /* in it */
};

struct cedar_source {
    struct str name; /* of the file, for messages */
    struct str text;
};

struct cedar_policies {
    struct arena arena;
    struct cedar_policy **policy; /* in the order in which they were added */
    uint32_t n, cap;
    struct cedar_source *source;
    uint32_t sources;
    uint32_t counter;           /* for the next "policyN" */
    struct cedar_policy **slot; /* by id; slots is a power of two, or 0 */
    uint32_t slots;
};

struct cedar_policies *cedar_policies_new(size_t memory /* at most */) MUST_USE; /* NULL: no memory */
void cedar_policies_free(struct cedar_policies *ps);
void cedar_policies_freep(struct cedar_policies **ps); /* for CLEANUP */
/* Adds a policy that lies in the arena; ERR_EXISTS-like faults as ERR_SYNTAX with words: the id is taken. For whoever
 * makes policies by other ways than text and JSON. */
enum err cedar_policies_add(struct cedar_policies *ps, struct cedar_policy *p, struct fault *f) MUST_USE;
/* Takes the last policies out again, so that n stay. */
void cedar_policies_cut(struct cedar_policies *ps, uint32_t n);
const struct cedar_policy *cedar_policy_find(const struct cedar_policies *ps, struct str id); /* NULL: none */
const struct cedar_annotation *cedar_annotation_find(const struct cedar_policy *p, struct str name);
/* Line and column (in characters, from 1) of a byte offset. */
void cedar_position(struct str text, uint32_t at, unsigned *ret_line, unsigned *ret_column);
/* Adds a policy that is the template with its slots filled. ERR_NOT_FOUND, ERR_EXISTS-like faults as ERR_SYNTAX with
 * words: no such template, a slot too few or too many, the id is taken. */
enum err cedar_policies_link(struct cedar_policies *ps, struct str template_id, struct str id,
                             const struct cedar_uid *principal /* or NULL */,
                             const struct cedar_uid *resource /* or NULL */, struct fault *f) MUST_USE;

#endif

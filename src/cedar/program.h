/*
 * What policies are compiled to. Expressions become nodes: constants are folded, chains of && and || are flat lists,
 * chains of attributes of a variable are one node. A policy's scope and its conditions are a rule, and the index finds
 * the rules whose scopes may fit a request.
 */
#ifndef CEDAR_PROGRAM_H
#define CEDAR_PROGRAM_H

#include "cedar/decide.h"

enum cedar_node_op {
    CEDAR_N_LIT,
    CEDAR_N_VAR,  /* sub */
    CEDAR_N_PATH, /* n names of variable sub: context.session.scopes */
    CEDAR_N_SLOT,
    CEDAR_N_NOT,
    CEDAR_N_NEG,
    CEDAR_N_IF,
    CEDAR_N_ALL, /* n items, && */
    CEDAR_N_ANY, /* n items, || */
    CEDAR_N_EQ,
    CEDAR_N_NE,
    CEDAR_N_LT,
    CEDAR_N_LE,
    CEDAR_N_GT,
    CEDAR_N_GE,
    CEDAR_N_ADD,
    CEDAR_N_SUB,
    CEDAR_N_MUL,
    CEDAR_N_IN,
    CEDAR_N_IS, /* name; the `in` behind it is joined by CEDAR_N_ALL */
    CEDAR_N_HAS,
    CEDAR_N_GET,
    CEDAR_N_LIKE,
    CEDAR_N_CONTAINS,
    CEDAR_N_CONTAINS_ALL,
    CEDAR_N_CONTAINS_ANY,
    CEDAR_N_IS_EMPTY,
    CEDAR_N_HAS_TAG,
    CEDAR_N_GET_TAG,
    CEDAR_N_SET,
    CEDAR_N_RECORD,
    CEDAR_N_CALL, /* sub: enum cedar_ext */
};

struct cedar_node {
    uint8_t op, sub;
    uint32_t n;
    const struct cedar_expr *expr; /* what it was made of */
    union {
        struct cedar_value lit;
        struct {
            const struct cedar_node *a, *b, *c;
        };
        struct {
            const struct cedar_node *of; /* same place as a */
            union {
                struct str name;
                const struct cedar_pattern *pattern;
            };
        };
        struct {
            const struct cedar_node *const *item;
            const struct str *key; /* of a record, of a path */
        };
    };
};

enum cedar_dim { CEDAR_DIM_PRINCIPAL, CEDAR_DIM_ACTION, CEDAR_DIM_RESOURCE, CEDAR_DIMS };

/* What a request looks at first comes first. Sets of variables are bits: 1 << enum cedar_dim. */
struct cedar_rule {
    const struct cedar_policy *policy;
    const struct cedar_node *condition; /* NULL: none */
    bool forbid;
    uint8_t free;                         /* variables that the scope does not constrain */
    uint8_t twofold;                      /* those whose constraint is more than one key says */
    struct cedar_scope scope[CEDAR_DIMS]; /* what the policy's own says, or else what its condition begins with */
};

/*
 * The index is a tree. A branch looks at one variable of the request: its uid, its ancestors and its type choose
 * children, and `rest` has the rules that do not constrain that variable. A leaf lists rules; what its branches have
 * asked is not asked again.
 */
enum cedar_key_kind {
    CEDAR_KEY_EQ, /* == uid */
    CEDAR_KEY_IN, /* in uid, is type in uid, and each of in [..] */
    CEDAR_KEY_IS, /* is type; the key has no id */
};
struct cedar_entry { /* a rule in a leaf */
    uint32_t rule;
    uint32_t via; /* of action in [..]: the uid that it is listed for, so that it counts once only */
};
#define CEDAR_LEAF CEDAR_DIMS
struct cedar_branch {
    uint8_t dim;       /* CEDAR_LEAF: a leaf */
    uint8_t kinds;     /* of its keys: 1 << enum cedar_key_kind */
    uint32_t from, to; /* a leaf's entries */
    uint32_t rest;     /* branch */
};
/* Where a key leads to. */
struct cedar_key {
    uint64_t hash; /* of the key, its kind and its branch */
    const struct cedar_uid *uid;
    uint32_t branch, child;
    enum cedar_key_kind kind;
};
struct cedar_index {
    struct cedar_branch *branch; /* 0: the root */
    struct cedar_entry *entry;
    struct cedar_key *key; /* in the order of key_cmp (index.c) */
    uint32_t *run;         /* keys of run i: from run[i] to run[i + 1] */
    unsigned bits;
    uint32_t branches, entries, keys;
};

struct cedar_program {
    struct arena arena;
    struct cedar_rule *rule; /* in the order of the set */
    uint32_t rules;
    struct cedar_index index;
};

/* ---- node.c ---- */

/* ERR_NOMEM, ERR_LIMIT (nested too deeply). */
enum err cedar_node_of(const struct cedar_expr *e, struct arena *a, const struct cedar_node **ret) MUST_USE;
/* Names of attributes come again and again: with one place for each, they stay near. */
struct cedar_node_names {
    struct str recent[256];
};
/* All of a policy's conditions as one node; NULL: it has none, or they are always true. */
enum err cedar_node_conditions(const struct cedar_policy *p, struct arena *a, struct cedar_node_names *names,
                               const struct cedar_node **ret) MUST_USE;

/* ---- eval.c ---- */

/* A request on its way through the rules. */
struct cedar_run {
    const struct cedar_request *request;
    struct arena *scratch;
    struct cedar_value var[4]; /* by enum cedar_var */
    const struct cedar_entity *entity[CEDAR_DIMS];
    /* why the last evaluation failed, and where */
    enum cedar_why why;
    const struct cedar_expr *expr;
};
void cedar_run_init(struct cedar_run *x, const struct cedar_request *r, struct arena *scratch);
/* The value; CEDAR_NONE: it failed, and the run says why. */
struct cedar_value cedar_run_value(struct cedar_run *x, const struct cedar_node *n);
/* 1, 0, or -1: it failed. */
int cedar_run_test(struct cedar_run *x, const struct cedar_node *n);

static inline struct cedar_value cedar_run_fail(struct cedar_run *x, const struct cedar_expr *e, enum cedar_why why)
{
    x->why = why;
    x->expr = e;
    return (struct cedar_value){.kind = CEDAR_NONE};
}
/* The entity of a name; NULL: it is not there. Those of the request are known already. */
static inline const struct cedar_entity *cedar_run_entity(const struct cedar_run *x, const struct cedar_uid *uid)
{
    for (int i = 0; i < CEDAR_DIMS; i++)
        if (uid == x->var[i].uid)
            return x->entity[i];
    return cedar_world_find(&x->request->world, uid);
}
bool cedar_run_in(const struct cedar_run *x, const struct cedar_uid *a, const struct cedar_uid *b);

/* eval_ops.c: sets, records, patterns, functions. */
struct cedar_value cedar_run_in_set(struct cedar_run *x, const struct cedar_node *n, const struct cedar_uid *uid,
                                    const struct cedar_set *set);
struct cedar_value cedar_run_contain(struct cedar_run *x, const struct cedar_node *n);
struct cedar_value cedar_run_tag(struct cedar_run *x, const struct cedar_node *n);
struct cedar_value cedar_run_list(struct cedar_run *x, const struct cedar_node *n); /* set, record, call */
bool cedar_like(struct str s, const struct cedar_pattern *p);

/* ---- index.c ---- */

enum err cedar_index_build(struct cedar_program *p) MUST_USE;
void cedar_index_done(struct cedar_index *x);
/* Calls found for each rule of the index whose scope fits, once each. */
typedef void cedar_found(void *ctx, const struct cedar_rule *rule);
void cedar_index_find(const struct cedar_program *p, const struct cedar_run *x, cedar_found *found, void *ctx);

#endif

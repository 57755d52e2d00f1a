/*
 * The type checker's state; for the files of this room only.
 *
 * A policy is typed once for every environment: an action and one type each for principal and resource, as the schema's
 * appliesTo allows. What a policy says of the environment as such (scopes, `is`, `in`, literals) comes to the types
 * True or False, and what stands behind a False is not looked at. So a policy for all actions may ask for an attribute
 * that only some resources have, behind a condition that keeps the others out.
 *
 * Capabilities: `x has a` makes the type of x.a safe to use in what `&&`, `if` let follow only when it was true. x.a is
 * known by its shape, not by its place: places of equal shape have one number (struct cedar_shapes).
 *
 * An expression that cannot be typed is reported, and has no type (NULL) or the one that it would have had; the rest is
 * still looked at. The names in a policy (entity types, actions, ids of enums) are checked apart, since they must exist
 * even where nothing is typed (check_names.c).
 */
#ifndef CEDAR_CHECK_H
#define CEDAR_CHECK_H

#include "cedar/parse.h"
#include "cedar/validate.h"

#define CEDAR_CHECK_MEMORY ((size_t)256 * 1024 * 1024) /* bytes for one policy, and again for one environment */
#define CEDAR_CHECK_DEPTH  (CEDAR_DEPTH * 8)           /* of expressions: trees of other ways than the parser's too */
#define CEDAR_CHECK_STEPS  ((uint64_t)1 << 24)         /* of comparing types, in one environment */

/* ---- types ---- */

extern const struct cedar_type cedar_type_bool, cedar_type_true, cedar_type_false, cedar_type_long, cedar_type_string;
const struct cedar_type *cedar_type_of_ext(enum cedar_kind k);

struct cedar_join {
    struct arena *a;
    uint64_t steps; /* that are left; 0: the types were too large to compare */
};
/* The least type that holds both, by the strict rules: records have the same attributes and entities the same type.
 * NULL: there is none, or no memory (the arena has failed), or no steps are left. */
const struct cedar_type *cedar_type_join(struct cedar_join *j, const struct cedar_type *a, const struct cedar_type *b);

/* ---- shapes ---- */

struct cedar_shape;
struct cedar_seen;
struct cedar_shapes {
    struct arena *a;
    struct cedar_shape *shape; /* by hash */
    struct cedar_seen *seen;   /* expressions, by their address */
    uint32_t shapes, shapes_cap, seens, seens_cap;
    uint32_t depth;
    bool deep;                                            /* too deep */
    void (*visit)(void *ctx, const struct cedar_expr *e); /* each expression once, shared ones too */
    void *ctx;
};
/* Numbers e and all below it. */
void cedar_shapes_add(struct cedar_shapes *s, const struct cedar_expr *e);
/* Of a has, a get, a hasTag or a getTag: the number of the place that it asks for. 0: none. */
uint32_t cedar_shapes_place(const struct cedar_shapes *s, const struct cedar_expr *e);

/* ---- the check ---- */

/* Places that are known to be there when an expression is true. A tree, so that joining takes no time. */
struct cedar_caps {
    const struct cedar_caps *left, *right;
    uint32_t place; /* of a leaf; 0 in a node */
};

struct cedar_found {
    const struct cedar_type *type; /* NULL: it has none */
    bool ok;
    const struct cedar_caps *caps; /* NULL: none */
};

/* What may be wrong at a place; each is reported once. */
enum cedar_wrong {
    CEDAR_WRONG_TYPE,
    CEDAR_WRONG_ATTR,
    CEDAR_WRONG_MISSING,
    CEDAR_WRONG_TAG,
    CEDAR_WRONG_JOIN,
    CEDAR_WRONG_EMPTY,
    CEDAR_WRONG_COUNT,
    CEDAR_WRONG_LITERAL,
    CEDAR_WRONG_NAME,
    CEDAR_WRONG_ID,
    CEDAR_WRONG_SCOPE,
    CEDAR_WRONG_LIMIT,
};

struct cedar_problem {
    const void *where;
    enum cedar_wrong wrong;
    uint32_t at;
    struct str text; /* STR_NONE when there are too many to be told */
    uint64_t last;   /* environment */
    uint32_t times;  /* environments that have it; 0: it has nothing to do with them */
    struct str principal, resource;
    const struct cedar_uid *action; /* of the first one */
};

/* What the scope says of actions. A list is a set, and as such not empty, and of one type. */
enum cedar_actions { CEDAR_ACTIONS_GOOD, CEDAR_ACTIONS_UNKNOWN, CEDAR_ACTIONS_UNLIKE };

struct cedar_check {
    const struct cedar_schema *schema;
    const struct cedar_policies *policies;
    struct buf *faults, *warnings;
    uint32_t told, untold, warned, unwarned;
    enum err err;

    const struct cedar_policy *policy;
    enum cedar_actions actions;
    struct arena keep; /* for the policy */
    struct cedar_shapes shapes;
    uint32_t *known; /* by place: how many of the scopes around know it */
    struct cedar_problem *problem;
    uint32_t *problem_slot; /* index + 1 into problem, by place and kind */
    uint32_t problems, problems_cap;

    struct arena scratch; /* for the environment */
    struct cedar_join join;
    uint64_t env; /* its number */
    const struct cedar_action *action;
    struct str principal, resource;
    struct cedar_type principal_type, action_type, resource_type;
    uint32_t depth;
};

/* check_expr.c */
struct cedar_found cedar_check_expr(struct cedar_check *c, const struct cedar_expr *e);

/* What an operand has to be; or'ed. */
enum {
    CEDAR_WANT_BOOL = 1,
    CEDAR_WANT_LONG = 2,
    CEDAR_WANT_STRING = 4,
    CEDAR_WANT_ENTITY = 8,
    CEDAR_WANT_RECORD = 16,
    CEDAR_WANT_SET = 32,
    CEDAR_WANT_ENTITIES = 64, /* a set of entities */
    CEDAR_WANT_EXT = 128,     /* 128 << (kind - CEDAR_DECIMAL) */
};
/* Types operand e of expression `of`; what does not fit is reported and has no type. */
struct cedar_found cedar_check_operand(struct cedar_check *c, const struct cedar_expr *of, const struct cedar_expr *e,
                                       unsigned want);
bool cedar_check_fits(struct cedar_check *c, const struct cedar_expr *of, const struct cedar_expr *e,
                      const struct cedar_type *t, unsigned want);

static inline struct cedar_found cedar_found_ok(const struct cedar_type *t)
{
    return (struct cedar_found){.type = t, .ok = true};
}
static inline struct cedar_found cedar_found_if(bool ok, const struct cedar_type *t)
{
    return (struct cedar_found){.type = t, .ok = ok};
}
static inline const struct cedar_type *cedar_type_singleton(bool b)
{
    return b ? &cedar_type_true : &cedar_type_false;
}

/* check_flow.c: if, &&, ||, and what is known inside of them */
struct cedar_found cedar_check_if(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_and(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_or(struct cedar_check *c, const struct cedar_expr *e);
void cedar_check_enter(struct cedar_check *c, const struct cedar_caps *caps);
void cedar_check_leave(struct cedar_check *c, const struct cedar_caps *caps);
const struct cedar_caps *cedar_caps_of(struct cedar_check *c, uint32_t place);
const struct cedar_caps *cedar_caps_both(struct cedar_check *c, const struct cedar_caps *a, const struct cedar_caps *b);

/* check_access.c: attributes and tags */
struct cedar_found cedar_check_has(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_get(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_has_tag(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_get_tag(struct cedar_check *c, const struct cedar_expr *e);

/* check_entity.c: == and in, is, and what the hierarchies say */
struct cedar_found cedar_check_eq(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_in(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_is(struct cedar_check *c, const struct cedar_expr *e);
bool cedar_check_is_action(struct str type); /* Action, or NS::Action */
/* The strict rule for ==, contains …: both must be of one type. */
bool cedar_check_same(struct cedar_check *c, const struct cedar_expr *e, const struct cedar_type *a,
                      const struct cedar_type *b);

/* check_call.c: extension functions and sets' methods */
struct cedar_found cedar_check_call(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_contains(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_set(struct cedar_check *c, const struct cedar_expr *e);
struct cedar_found cedar_check_record(struct cedar_check *c, const struct cedar_expr *e);

/* check_scope.c: CEDAR_T_TRUE, _FALSE or _BOOL of a scope in the present environment */
enum cedar_type_kind cedar_check_scope(struct cedar_check *c, const struct cedar_scope *s, struct str type);
enum cedar_type_kind cedar_check_action(const struct cedar_check *c);
enum cedar_actions cedar_check_actions(const struct cedar_check *c);
void cedar_check_unlike(struct cedar_check *c); /* says so */

/* check_names.c */
void cedar_check_names(struct cedar_check *c); /* all of the policy's; numbers the shapes on the way */
void cedar_check_slots(struct cedar_check *c); /* of a link: what fills them */

/* check_policy.c */
void cedar_check_policy(struct cedar_check *c);
/* The template is checked for whatever may fill its slots; what fills them must be of a known type, and fit. */
void cedar_check_link(struct cedar_check *c);

/* check_text.c: strings that look like other strings */
void cedar_check_text(struct cedar_check *c, uint32_t at, struct str s, bool name);

/* check_report.c */
/* Counts a problem. True when it is new and its words are wanted: they are said next. */
bool cedar_check_wrong(struct cedar_check *c, const void *where, uint32_t at, enum cedar_wrong w);
void cedar_check_say(struct cedar_check *c, const char *fmt, ...) PRINTF(2, 3);
void cedar_check_warn(struct cedar_check *c, uint32_t at, const char *fmt, ...) PRINTF(3, 4);
void cedar_check_tell(struct cedar_check *c, uint32_t envs); /* the policy's problems, in the order of the text */
/* Words for messages, cut when they are long; they live in the policy's arena. */
const char *cedar_check_type_text(struct cedar_check *c, const struct cedar_type *t);
const char *cedar_check_expr_text(struct cedar_check *c, const struct cedar_expr *e);
const char *cedar_check_uid_text(struct cedar_check *c, const struct cedar_uid *uid);
const char *cedar_check_list_text(struct cedar_check *c, struct str word, const struct str *name, uint32_t n);

#endif

/* What was seen of a tool's calls, and how it is said. For suggest.c and suggest_write.c only. */
#ifndef POLICY_SUGGEST_INNER_H
#define POLICY_SUGGEST_INNER_H

#include "policy/set.h"
#include "policy/suggest.h"

enum {
    SUGGEST_ENOUGH = 10, /* calls, for any condition */
    SUGGEST_VALUES = 6,  /* strings that a condition names at most … */
    SUGGEST_EACH = 3,    /* … when each was seen that often on average */
    SUGGEST_TEXT = 80,   /* bytes of one */
    SUGGEST_NETS = 4,
    SUGGEST_DAYS = 3,   /* on which hours have to have been the same */
    SUGGEST_HOURS = 12, /* that they span at most */
};

/* A member of the arguments. */
struct suggest_node {
    const struct shape_field *field; /* NULL: the arguments themselves */
    const struct shape *shape;
    struct suggest_node *child; /* of a record */
    size_t children;
    uint64_t present;
    bool any;                         /* no condition can be said of it */
    struct str value[SUGGEST_VALUES]; /* of a string, or of a set's elements */
    size_t values;
    bool more; /* than these */
    bool yes, no;
    int64_t least, most; /* of a number; ten-thousandths of a decimal */
};

struct suggest_tool {
    struct suggest_tool *next;
    const struct policy_tool *tool;
    struct suggest_node input;
    uint64_t calls;
    int64_t first_ms, last_ms, day;
    unsigned days;
    uint32_t hours; /* a bit for each */
    struct cedar_ip net[SUGGEST_NETS];
    size_t nets;
    bool nets_any;
    bool plain;
};

struct suggest {
    const struct policy_set *s;
    struct str agent, type;
    struct suggest_tool *tool, **tool_last; /* in the order in which they were first called */
    uint64_t calls, unknown;
    struct arena arena, scratch;
};

#endif

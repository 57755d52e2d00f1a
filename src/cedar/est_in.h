/* Reading policies from JSON; for est_in*.c only. */
#ifndef CEDAR_EST_IN_H
#define CEDAR_EST_IN_H

#include "cedar/est.h"
#include "cedar/path.h"
#include "cedar/tree.h"

struct cedar_est {
    const struct json *j;
    struct cedar_tree tree;
    struct cedar_items items;
    struct fault *f;
};

struct cedar_member { /* of an object; a table of them ends with a key that is NULL */
    const char *key;
    bool optional;
};
/* The object has the members of the table and no others; their values, 0 for what is not there. */
enum err cedar_est_members(struct cedar_est *s, uint32_t at, const struct cedar_path *path,
                           const struct cedar_member *table, uint32_t *ret) MUST_USE;
enum err cedar_est_str(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct str *ret) MUST_USE;
enum err cedar_est_type(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct str *ret) MUST_USE;
enum err cedar_est_expr(struct cedar_est *s, uint32_t at, const struct cedar_path *path,
                        struct cedar_piece *ret) MUST_USE;
enum err cedar_est_value(struct cedar_est *s, uint32_t at, const struct cedar_path *path,
                         struct cedar_piece *ret) MUST_USE;
/* What a function of tree.h came to. */
enum err cedar_est_made(struct cedar_est *s, const struct cedar_path *path, bool good) MUST_USE;
enum err cedar_est_push(struct cedar_est *s, struct str key, struct cedar_piece piece) MUST_USE;
/* The items from base on become a set, a record or a call. */
enum err cedar_est_list(struct cedar_est *s, const struct cedar_path *path, struct cedar_expr e, uint32_t base,
                        struct cedar_piece *ret) MUST_USE;

#endif

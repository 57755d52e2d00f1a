/*
 * The reader of the JSON form, in three files: schema_json_words.c (members, names, annotations), schema_json_type.c
 * (types), schema_json.c (declarations and the whole). cedar_sj_: schema from JSON.
 *
 * What returns false, or an object without what it should have, has told its fault.
 */
#ifndef CEDAR_SCHEMA_READER_H
#define CEDAR_SCHEMA_READER_H

#include "cedar/schema_inner.h"

#define CEDAR_MEMBERS 8 /* of an object, at most */

struct cedar_schema_reader {
    struct cedar_schema_build *b;
    struct json j;
    struct cedar_decl_space *space;
};

static inline enum json_type cedar_sj_type(const struct cedar_schema_reader *r, uint32_t at)
{
    return json_type(&r->j, at);
}

static inline uint32_t cedar_sj_offset(const struct cedar_schema_reader *r, uint32_t at)
{
    return r->j.node[at].off;
}

static inline struct str cedar_sj_str(struct cedar_schema_reader *r, uint32_t at)
{
    return json_str(&r->j, at, r->b->a);
}

/* What an object may have: members are found by their place in this list. */
struct cedar_form {
    const char *what; /* the object, for messages */
    const char *member[CEDAR_MEMBERS];
};

/* Finds members; what the form does not have is a fault. False: no object */
bool cedar_sj_members(struct cedar_schema_reader *r, uint32_t at, const struct cedar_form *f,
                      uint32_t ret[CEDAR_MEMBERS]);
bool cedar_sj_missing(struct cedar_schema_reader *r, uint32_t at, const struct cedar_form *f, const char *member);
/* "what is null: expected right" */
bool cedar_sj_wanted(struct cedar_schema_reader *r, uint32_t at, const char *what, const char *right);

bool cedar_sj_string(struct cedar_schema_reader *r, uint32_t at, const char *what, struct str *ret);
/* An identifier that may be declared. */
bool cedar_sj_id(struct cedar_schema_reader *r, uint32_t at, const char *what, struct str *ret);
/* A reference: Cedar's own namespace may be referred to. */
bool cedar_sj_name(struct cedar_schema_reader *r, uint32_t at, const char *what, struct cedar_decl_name *ret);
enum err cedar_sj_names(struct cedar_schema_reader *r, uint32_t at, const char *what, struct cedar_decl_name **ret,
                        uint32_t *ret_n) MUST_USE;
/* at 0: there are none */
enum err cedar_sj_notes(struct cedar_schema_reader *r, uint32_t at, struct cedar_notes *ret) MUST_USE;

enum {
    CEDAR_SJ_T_TYPE,
    CEDAR_SJ_T_ELEMENT,
    CEDAR_SJ_T_ATTRIBUTES,
    CEDAR_SJ_T_OPEN,
    CEDAR_SJ_T_NAME,
    CEDAR_SJ_T_NOTES,
    CEDAR_SJ_T_REQUIRED
};
extern const struct cedar_form cedar_sj_common_form;
/* m: the members of the object, for what is not the type's. */
enum err cedar_sj_read_type(struct cedar_schema_reader *r, uint32_t at, const struct cedar_form *f, unsigned depth,
                            uint32_t m[CEDAR_MEMBERS], struct cedar_decl_type **ret) MUST_USE;
/* at 0: there is none */
enum err cedar_sj_plain_type(struct cedar_schema_reader *r, uint32_t at, struct cedar_decl_type **ret) MUST_USE;

#endif

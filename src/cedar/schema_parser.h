/*
 * The parser of the human-readable form, in three files: schema_words.c (words and names), schema_parse_type.c (types
 * and annotations), schema_parse.c (declarations and the whole). cedar_sp_: schema parser.
 *
 * A rule gives ERR_OK when it could read on, even behind a fault; ERR_SYNTAX when the declaration cannot be read any
 * further (the fault is told); ERR_NOMEM. right: what would be right, for the fault.
 */
#ifndef CEDAR_SCHEMA_PARSER_H
#define CEDAR_SCHEMA_PARSER_H

#include "cedar/lex.h"
#include "cedar/schema_inner.h"

struct cedar_schema_parser {
    struct cedar_schema_build *b;
    struct cedar_token t; /* the one at hand */
    struct cedar_decl_space *space;
};

struct str cedar_sp_text(const struct cedar_schema_parser *p, struct cedar_token t);
void cedar_sp_step(struct cedar_schema_parser *p);
bool cedar_sp_is(const struct cedar_schema_parser *p, const char *word);
bool cedar_sp_take(struct cedar_schema_parser *p, unsigned kind); /* when it is at hand */
bool cedar_sp_take_word(struct cedar_schema_parser *p, const char *word);
enum err cedar_sp_unexpected(struct cedar_schema_parser *p, const char *right) MUST_USE;
enum err cedar_sp_want(struct cedar_schema_parser *p, unsigned kind, const char *right) MUST_USE;

/* Room for one more of `size` bytes behind n; doubles the array in the arena. NULL: no memory */
void *cedar_sp_more(struct cedar_schema_parser *p, void *v, uint32_t n, size_t size);
#define CEDAR_SP_PUSH(p, array, n, ...)                                                                                \
    do {                                                                                                               \
        void *room_ = cedar_sp_more(p, array, n, sizeof(*(array)));                                                    \
        if (!room_)                                                                                                    \
            return ERR_NOMEM;                                                                                          \
        (array) = room_;                                                                                               \
        (array)[(n)++] = (__VA_ARGS__);                                                                                \
    } while (0)

enum err cedar_sp_string(struct cedar_schema_parser *p, struct str *ret) MUST_USE;
enum err cedar_sp_ident(struct cedar_schema_parser *p, const char *right, struct str *ret) MUST_USE;
/* An identifier, or any name in quotes. */
enum err cedar_sp_name(struct cedar_schema_parser *p, const char *right, struct str *ret) MUST_USE;
/* A::B::C; *ret_open: it ends with "::" and a string follows, which only an action's name does. */
enum err cedar_sp_path(struct cedar_schema_parser *p, const char *right, struct str *ret, bool *ret_open) MUST_USE;
enum err cedar_sp_type_name(struct cedar_schema_parser *p, const char *right, struct cedar_decl_name *ret) MUST_USE;
/* A type, or [types] */
enum err cedar_sp_type_names(struct cedar_schema_parser *p, struct cedar_decl_name **ret, uint32_t *ret_n) MUST_USE;

enum err cedar_sp_notes(struct cedar_schema_parser *p, struct cedar_notes *ret) MUST_USE;
enum err cedar_sp_type(struct cedar_schema_parser *p, unsigned depth, struct cedar_decl_type **ret) MUST_USE;
/* { attributes }; the bracket is at hand. */
enum err cedar_sp_record(struct cedar_schema_parser *p, unsigned depth, struct cedar_decl_type **ret) MUST_USE;

#endif

/*
 * The parser's state; for parse*.c only. A function that meets a text it cannot go on with notes a fault and returns
 * false: the policy is given up, and the next one begins behind the next ';'. What is wrong but does not stand in the
 * way of reading on (an unknown function, a reserved name) is noted, and reading goes on, so that one look shows it
 * all.
 */
#ifndef CEDAR_PARSER_H
#define CEDAR_PARSER_H

#include "cedar/lex.h"
#include "cedar/parse.h"
#include "cedar/path.h"
#include "cedar/tree.h"

struct cedar_parser {
    struct str file, text;
    struct cedar_token tok; /* the one that comes next */
    uint32_t end;           /* of the one before */
    unsigned depth;         /* of expressions being read */
    struct cedar_tree tree;
    struct cedar_items items; /* of the lists that are being read */
    struct buf *faults;       /* lines; or NULL: the first fault goes into f */
    struct fault *f;
    uint32_t faulty;
    bool poor; /* no memory: whatever else is wrong comes from that */
};

void cedar_parser_init(struct cedar_parser *p, struct arena *a, struct str file, struct str text);
void cedar_parser_done(struct cedar_parser *p);
void cedar_parser_fault(struct cedar_parser *p, uint32_t at, const char *fmt, ...) PRINTF(3, 4);
/* "expected WHAT, but found `x`", at the next token; returns false. */
bool cedar_parser_expected(struct cedar_parser *p, const char *what);
enum err cedar_parser_error(const struct cedar_parser *p);  /* at the end */
void *cedar_parser_alloc(struct cedar_parser *p, size_t n); /* NULL: poor */

/* An array of n elements in the arena, with room for one more. */
void *cedar_parser_grown(struct cedar_parser *p, void *old, size_t size, uint32_t n);

static inline bool cedar_at(const struct cedar_parser *p, enum cedar_token_kind kind)
{
    return p->tok.kind == kind;
}
static inline bool cedar_at_word(const struct cedar_parser *p, enum cedar_word word)
{
    return p->tok.word == word; /* words are words of identifiers only */
}
void cedar_advance(struct cedar_parser *p);
bool cedar_take(struct cedar_parser *p, enum cedar_token_kind kind); /* when it is there */
bool cedar_expect(struct cedar_parser *p, enum cedar_token_kind kind, const char *what);
struct str cedar_token_text(const struct cedar_parser *p, const struct cedar_token *t);

/* A string token's value; the token is taken. A wrong escape is noted, and the value is empty. */
struct str cedar_take_text(struct cedar_parser *p);
/* An identifier, the token is taken; a reserved one is noted, with what to do instead (NULL: ask for the attribute
 * in square brackets). */
bool cedar_take_ident(struct cedar_parser *p, const char *what, const char *instead, struct str *ret);

/* a::b, and what comes behind it: a string makes it an entity's name (ret_uid), else *ret_uid is NULL. */
bool cedar_parse_path(struct cedar_parser *p, struct str *ret_name, const struct cedar_uid **ret_uid);

/* What a function of tree.h came to; its refusal becomes a fault at `at`. */
bool cedar_parser_made(struct cedar_parser *p, uint32_t at, bool good);
bool cedar_parser_push(struct cedar_parser *p, struct cedar_item item); /* on the stack; false: no memory */

bool cedar_parse_member(struct cedar_parser *p, struct cedar_piece *ret);
bool cedar_parse_number(struct cedar_parser *p, bool negative, uint32_t at, struct cedar_piece *ret);
bool cedar_parse_piece(struct cedar_parser *p, struct cedar_piece *ret); /* an expression */
bool cedar_parse_scopes(struct cedar_parser *p, struct cedar_policy *policy);

#endif

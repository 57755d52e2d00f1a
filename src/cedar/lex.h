/*
 * The words of a text of policies, and what is in them: tokens, escapes. Comments and white space (Unicode's) lie
 * between tokens. A text is checked for UTF-8 before (cedar_parse).
 */
#ifndef CEDAR_LEX_H
#define CEDAR_LEX_H

#include "base/arena.h"
#include "base/buf.h"

enum cedar_token_kind {
    CEDAR_TOK_END,
    CEDAR_TOK_BAD, /* no token begins like this */
    CEDAR_TOK_IDENT,
    CEDAR_TOK_NUMBER,    /* digits */
    CEDAR_TOK_TEXT,      /* "…", closed */
    CEDAR_TOK_OPEN_TEXT, /* "… that never ends */
    CEDAR_TOK_QUESTION,  /* ?principal */
    CEDAR_TOK_AT,
    CEDAR_TOK_DOT,
    CEDAR_TOK_COMMA,
    CEDAR_TOK_SEMICOLON,
    CEDAR_TOK_COLON,
    CEDAR_TOK_COLONS,
    CEDAR_TOK_ROUND, /* ( */
    CEDAR_TOK_ROUND_END,
    CEDAR_TOK_CURLY, /* { */
    CEDAR_TOK_CURLY_END,
    CEDAR_TOK_SQUARE, /* [ */
    CEDAR_TOK_SQUARE_END,
    CEDAR_TOK_EQ,
    CEDAR_TOK_NE,
    CEDAR_TOK_LT,
    CEDAR_TOK_LE,
    CEDAR_TOK_GT,
    CEDAR_TOK_GE,
    CEDAR_TOK_OR,
    CEDAR_TOK_AND,
    CEDAR_TOK_PLUS,
    CEDAR_TOK_MINUS,
    CEDAR_TOK_TIMES,
    CEDAR_TOK_DIVIDE, /* these three are words of no policy, but people write them */
    CEDAR_TOK_MODULO,
    CEDAR_TOK_ASSIGN,
    CEDAR_TOK_NOT,
};

/* Words with a meaning of their own. The reserved ones name nothing: no attribute, no type. */
enum cedar_word {
    CEDAR_W_NONE,
    CEDAR_W_TRUE,
    CEDAR_W_FALSE,
    CEDAR_W_IF,
    CEDAR_W_THEN,
    CEDAR_W_ELSE,
    CEDAR_W_IN,
    CEDAR_W_IS,
    CEDAR_W_HAS,
    CEDAR_W_LIKE,
    CEDAR_W_CEDAR, /* __cedar */
    CEDAR_W_RESERVED = CEDAR_W_CEDAR,
    CEDAR_W_PRINCIPAL,
    CEDAR_W_ACTION,
    CEDAR_W_RESOURCE,
    CEDAR_W_CONTEXT,
    CEDAR_W_PERMIT,
    CEDAR_W_FORBID,
    CEDAR_W_WHEN,
    CEDAR_W_UNLESS,
    CEDAR_W_COUNT
};

struct cedar_token {
    uint8_t kind, word;
    uint32_t at, end; /* byte offsets; strings with their quotes */
};

/* The next token at or behind byte `at`. */
struct cedar_token cedar_lex(struct str text, uint32_t at);
/* The first byte at or behind `at` that is neither white space nor in a comment. */
uint32_t cedar_lex_skip(struct str text, uint32_t at);
enum cedar_word cedar_word(struct str ident);

/* What lies between the quotes of a string, unescaped: a view of it when it has no escapes, else in the arena.
 * ERR_SYNTAX with the fault's words and where the wrong escape is; ERR_NOMEM. */
enum err cedar_unescape(struct str raw, struct arena *a, struct str *ret, uint32_t *ret_at, struct fault *f) MUST_USE;
/* One character of such a text, for patterns: a star that is meant as a star has *ret_star. */
enum err cedar_unescape_char(struct str raw, uint32_t *at, bool pattern, uint32_t *ret_char, bool *ret_star,
                             struct fault *f) MUST_USE;
/* A pattern of like, as it stands between the quotes. */
struct cedar_pattern;
enum err cedar_pattern_read(struct str raw, struct arena *a, const struct cedar_pattern **ret, uint32_t *ret_at,
                            struct fault *f) MUST_USE;
size_t cedar_utf8_put(char *to, uint32_t c); /* at most 4 bytes */
/* A character of UTF-8 that is known to be valid; moves *at behind it. */
uint32_t cedar_utf8_get(struct str text, uint32_t *at);
void cedar_pattern_print(const struct cedar_pattern *p, struct buf *out); /* with its quotes */
/* A piece of a stranger's text within a message: one line, not too long. */
void cedar_quote(struct str s, struct buf *out);

#endif

/*
 * The layout of a text of policies, for format*.c only: tokens with their comments, and between them instructions
 * (doc). A group stands on one line when it fits there and no comment is in the way; else each of its lines is broken.
 */
#ifndef CEDAR_LAYOUT_H
#define CEDAR_LAYOUT_H

#include "cedar/lex.h"

struct cedar_comment {
    uint32_t at, end;
    bool blank; /* an empty line stood before it */
};
struct cedar_mark { /* a token with what is around it */
    struct cedar_token t;
    uint32_t lead, leads; /* comments on lines of their own before it */
    uint32_t trail;       /* 1 + the comment behind it on its line */
    bool blank;
    uint32_t leads_sum, trails_sum; /* how many there are up to here, this one's included */
};

enum cedar_doc_kind {
    CEDAR_DOC_NONE,
    CEDAR_DOC_MARK,  /* arg: index of the token */
    CEDAR_DOC_SPACE, /* within a line */
    CEDAR_DOC_LINE,  /* a space or a new line */
    CEDAR_DOC_BREAK, /* nothing or a new line */
    CEDAR_DOC_HARD,  /* a new line */
    CEDAR_DOC_OPEN,  /* a group; arg: index of its end */
    CEDAR_DOC_CLOSE,
    CEDAR_DOC_IN, /* one step more of indentation */
    CEDAR_DOC_OUT,
};
struct cedar_doc {
    uint8_t kind;
    bool broken; /* of a group: it does not stand on one line */
    uint32_t arg;
    uint32_t width; /* up to the end of the group on one line; else of the rest, up to the next place to break */
};

/* One policy, or what stands behind the last one. */
struct cedar_layout {
    struct str text;
    struct cedar_comment *comment;
    struct cedar_mark *mark;
    struct cedar_doc *doc;
    uint32_t comments, comments_cap, marks, marks_cap, docs, docs_cap;
    uint32_t next;   /* the mark that the builder stands at */
    bool broken_all; /* of the group that is opened next */
    bool poor;
};

void cedar_layout_done(struct cedar_layout *l);
/* Reads the tokens from byte `at` up to a ';' or the end of the text, with their comments. Returns the byte behind. */
uint32_t cedar_layout_read(struct cedar_layout *l, uint32_t at);
void cedar_layout_build(struct cedar_layout *l); /* the doc of the policy */
void cedar_layout_expr(struct cedar_layout *l);
void cedar_layout_member(struct cedar_layout *l);
void cedar_layout_write(struct cedar_layout *l, bool first, struct buf *out);

void cedar_doc(struct cedar_layout *l, enum cedar_doc_kind kind);
void cedar_doc_mark(struct cedar_layout *l); /* the next token */
/* Items with commas between, in the brackets that the next token opens. */
void cedar_doc_items(struct cedar_layout *l, void (*item)(struct cedar_layout *l), bool broken);
static inline enum cedar_token_kind cedar_doc_kind(const struct cedar_layout *l)
{
    return l->next < l->marks ? (enum cedar_token_kind)l->mark[l->next].t.kind : CEDAR_TOK_END;
}
static inline enum cedar_word cedar_doc_word(const struct cedar_layout *l)
{
    return l->next < l->marks ? (enum cedar_word)l->mark[l->next].t.word : CEDAR_W_NONE;
}

#endif

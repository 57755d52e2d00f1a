/*
 * What belongs together in a policy, and where its lines may break. The text has been parsed before, so its grammar and
 * its depth are known to be right: what is looked at here is only which token comes next.
 */
#include "cedar/layout.h"

static void space(struct cedar_layout *l)
{
    cedar_doc(l, CEDAR_DOC_SPACE);
}

void cedar_doc_items(struct cedar_layout *l, void (*item)(struct cedar_layout *l), bool broken)
{
    l->broken_all = broken;
    cedar_doc(l, CEDAR_DOC_OPEN);
    cedar_doc_mark(l);
    enum cedar_token_kind close =
        (enum cedar_token_kind)(l->mark[l->next - 1].t.kind + 1); /* lex.h has them in pairs */
    if (cedar_doc_kind(l) != close) {
        cedar_doc(l, CEDAR_DOC_IN);
        cedar_doc(l, CEDAR_DOC_BREAK);
        while (cedar_doc_kind(l) != close && cedar_doc_kind(l) != CEDAR_TOK_END) {
            item(l);
            if (cedar_doc_kind(l) != CEDAR_TOK_COMMA)
                break;
            const struct cedar_mark *comma = &l->mark[l->next];
            bool last = comma[1].t.kind == close; /* a comma behind the last item goes, unless a comment hangs on it */
            if (last && !comma->leads && !comma->trail)
                l->next++;
            else
                cedar_doc_mark(l);
            if (!last)
                cedar_doc(l, CEDAR_DOC_LINE);
        }
        cedar_doc(l, CEDAR_DOC_OUT);
        cedar_doc(l, CEDAR_DOC_BREAK);
    }
    cedar_doc_mark(l);
    cedar_doc(l, CEDAR_DOC_CLOSE);
}

/* ---- expressions ---- */

static void build_field(struct cedar_layout *l)
{
    cedar_doc_mark(l); /* the name */
    cedar_doc_mark(l); /* : */
    space(l);
    cedar_layout_expr(l);
}

static void build_name(struct cedar_layout *l)
{
    cedar_doc_mark(l);
    while (cedar_doc_kind(l) == CEDAR_TOK_COLONS) {
        cedar_doc_mark(l);
        cedar_doc_mark(l); /* a name or a string */
    }
}

void cedar_layout_member(struct cedar_layout *l)
{
    switch (cedar_doc_kind(l)) {
    case CEDAR_TOK_ROUND:
    case CEDAR_TOK_SQUARE: cedar_doc_items(l, cedar_layout_expr, false); break;
    case CEDAR_TOK_CURLY: cedar_doc_items(l, build_field, false); break;
    default: build_name(l); break;
    }
    for (;;) {
        switch (cedar_doc_kind(l)) {
        case CEDAR_TOK_DOT:
            cedar_doc_mark(l);
            cedar_doc_mark(l);
            break;
        case CEDAR_TOK_SQUARE:
            cedar_doc_mark(l);
            cedar_doc_mark(l);
            cedar_doc_mark(l);
            break;
        case CEDAR_TOK_ROUND: cedar_doc_items(l, cedar_layout_expr, false); break;
        default: return;
        }
    }
}

static void build_unary(struct cedar_layout *l)
{
    while (cedar_doc_kind(l) == CEDAR_TOK_NOT || cedar_doc_kind(l) == CEDAR_TOK_MINUS)
        cedar_doc_mark(l);
    cedar_layout_member(l);
}

/* Operators that bind tighter than comparisons need no breaks of their own kind: one level for all. */
static void build_sum(struct cedar_layout *l)
{
    cedar_doc(l, CEDAR_DOC_OPEN);
    build_unary(l);
    cedar_doc(l, CEDAR_DOC_IN);
    for (;;) {
        enum cedar_token_kind k = cedar_doc_kind(l);
        if (k != CEDAR_TOK_PLUS && k != CEDAR_TOK_MINUS && k != CEDAR_TOK_TIMES)
            break;
        space(l);
        cedar_doc_mark(l);
        cedar_doc(l, CEDAR_DOC_LINE);
        build_unary(l);
    }
    cedar_doc(l, CEDAR_DOC_OUT);
    cedar_doc(l, CEDAR_DOC_CLOSE);
}

static bool at_relation(const struct cedar_layout *l)
{
    enum cedar_token_kind k = cedar_doc_kind(l);
    enum cedar_word w = cedar_doc_word(l);
    return (k >= CEDAR_TOK_EQ && k <= CEDAR_TOK_GE) || w == CEDAR_W_IN || w == CEDAR_W_IS || w == CEDAR_W_HAS ||
           w == CEDAR_W_LIKE;
}

static bool at_bracket(const struct cedar_layout *l)
{
    enum cedar_token_kind k = cedar_doc_kind(l);
    return k == CEDAR_TOK_ROUND || k == CEDAR_TOK_SQUARE || k == CEDAR_TOK_CURLY;
}

static void build_relation(struct cedar_layout *l)
{
    cedar_doc(l, CEDAR_DOC_OPEN);
    build_sum(l);
    cedar_doc(l, CEDAR_DOC_IN);
    while (at_relation(l)) { /* twice for is ... in */
        space(l);
        cedar_doc_mark(l);
        bool bracket = at_bracket(l); /* which breaks within */
        if (bracket)
            cedar_doc(l, CEDAR_DOC_OUT);
        cedar_doc(l, bracket ? CEDAR_DOC_SPACE : CEDAR_DOC_LINE);
        build_sum(l);
        if (bracket)
            cedar_doc(l, CEDAR_DOC_IN);
    }
    cedar_doc(l, CEDAR_DOC_OUT);
    cedar_doc(l, CEDAR_DOC_CLOSE);
}

/* Lines of a part of a chain of || stand further in; *ret_in and *ret_out are where. */
static void build_and(struct cedar_layout *l, uint32_t *ret_in, uint32_t *ret_out)
{
    cedar_doc(l, CEDAR_DOC_OPEN);
    build_relation(l);
    *ret_in = l->docs;
    cedar_doc(l, CEDAR_DOC_IN);
    while (cedar_doc_kind(l) == CEDAR_TOK_AND) {
        space(l);
        cedar_doc_mark(l);
        cedar_doc(l, CEDAR_DOC_LINE);
        build_relation(l);
    }
    *ret_out = l->docs;
    cedar_doc(l, CEDAR_DOC_OUT);
    cedar_doc(l, CEDAR_DOC_CLOSE);
}

static void build_or(struct cedar_layout *l)
{
    uint32_t in, out;
    cedar_doc(l, CEDAR_DOC_OPEN);
    build_and(l, &in, &out);
    if (cedar_doc_kind(l) != CEDAR_TOK_OR && !l->poor) /* it was no part of one */
        l->doc[in].kind = l->doc[out].kind = CEDAR_DOC_NONE;
    while (cedar_doc_kind(l) == CEDAR_TOK_OR) {
        space(l);
        cedar_doc_mark(l);
        cedar_doc(l, CEDAR_DOC_LINE);
        build_and(l, &in, &out);
    }
    cedar_doc(l, CEDAR_DOC_CLOSE);
}

static void build_branch(struct cedar_layout *l)
{
    bool more = cedar_doc_word(l) == CEDAR_W_ELSE;
    cedar_doc_mark(l); /* if, then, else */
    space(l);
    more = more && cedar_doc_word(l) == CEDAR_W_IF; /* else if: one below the other */
    if (!more)
        cedar_doc(l, CEDAR_DOC_IN);
    cedar_layout_expr(l);
    if (!more)
        cedar_doc(l, CEDAR_DOC_OUT);
}

void cedar_layout_expr(struct cedar_layout *l)
{
    if (cedar_doc_word(l) != CEDAR_W_IF) {
        build_or(l);
        return;
    }
    cedar_doc(l, CEDAR_DOC_OPEN);
    build_branch(l);
    cedar_doc(l, CEDAR_DOC_LINE);
    build_branch(l);
    cedar_doc(l, CEDAR_DOC_LINE);
    build_branch(l);
    cedar_doc(l, CEDAR_DOC_CLOSE);
}

/* ---- policies ---- */

static void build_scope(struct cedar_layout *l)
{
    cedar_doc_mark(l); /* the variable */
    while (at_relation(l)) {
        space(l);
        cedar_doc_mark(l);
        space(l);
        cedar_layout_member(l);
    }
}

/* A scope that asks for something has a line for each variable. */
static bool scope_asks(const struct cedar_layout *l)
{
    for (uint32_t i = l->next; i < l->marks && l->mark[i].t.kind != CEDAR_TOK_ROUND_END; i++) {
        enum cedar_token_kind k = (enum cedar_token_kind)l->mark[i].t.kind;
        if (k == CEDAR_TOK_EQ || l->mark[i].t.word == CEDAR_W_IN || l->mark[i].t.word == CEDAR_W_IS)
            return true;
    }
    return false;
}

static void build_condition(struct cedar_layout *l)
{
    cedar_doc_mark(l); /* when, unless */
    space(l);
    cedar_doc(l, CEDAR_DOC_OPEN);
    cedar_doc_mark(l); /* { */
    cedar_doc(l, CEDAR_DOC_IN);
    cedar_doc(l, CEDAR_DOC_LINE);
    cedar_layout_expr(l);
    cedar_doc(l, CEDAR_DOC_OUT);
    cedar_doc(l, CEDAR_DOC_LINE);
    cedar_doc_mark(l); /* } */
    cedar_doc(l, CEDAR_DOC_CLOSE);
}

static void build_annotation(struct cedar_layout *l)
{
    cedar_doc_mark(l); /* @ */
    cedar_doc_mark(l);
    if (cedar_doc_kind(l) == CEDAR_TOK_ROUND) {
        cedar_doc_mark(l);
        cedar_doc_mark(l);
        cedar_doc_mark(l);
    }
    cedar_doc(l, CEDAR_DOC_HARD);
}

void cedar_layout_build(struct cedar_layout *l)
{
    while (cedar_doc_kind(l) == CEDAR_TOK_AT)
        build_annotation(l);
    if (cedar_doc_kind(l) != CEDAR_TOK_END) {
        cedar_doc_mark(l); /* permit, forbid */
        cedar_doc_items(l, build_scope, scope_asks(l));
        while (cedar_doc_kind(l) == CEDAR_TOK_IDENT) {
            cedar_doc(l, CEDAR_DOC_HARD);
            build_condition(l);
        }
    }
    cedar_doc_mark(l); /* ; or the end */
}

/* Expressions. Each level of precedence is a function; the loosest (if) comes last. */
#include "cedar/parser.h"

/* ---- ! - * + ---- */

/* A number right behind a minus is a negative number, unless something is asked of it: -1.a is -(1.a). */
static bool at_negative(const struct cedar_parser *p)
{
    if (!cedar_at(p, CEDAR_TOK_NUMBER))
        return false;
    enum cedar_token_kind next = cedar_lex(p->text, p->tok.end).kind;
    return next != CEDAR_TOK_DOT && next != CEDAR_TOK_ROUND && next != CEDAR_TOK_SQUARE;
}

static bool parse_unary(struct cedar_parser *p, struct cedar_piece *ret)
{
    enum { IN_A_ROW = 4 };
    enum cedar_token_kind kind = p->tok.kind;
    uint32_t at[IN_A_ROW], n = 0;
    if (kind != CEDAR_TOK_NOT && kind != CEDAR_TOK_MINUS)
        return cedar_parse_member(p, ret);
    for (; cedar_at(p, kind); cedar_advance(p)) {
        if (n == IN_A_ROW)
            cedar_parser_fault(p, p->tok.at, "more than four %s in a row: take two of them away",
                               kind == CEDAR_TOK_NOT ? "!" : "-");
        if (n++ < IN_A_ROW)
            at[n - 1] = p->tok.at;
    }
    n = n < IN_A_ROW ? n : IN_A_ROW;
    if (kind == CEDAR_TOK_MINUS && at_negative(p)) {
        n--;
        if (!cedar_parse_number(p, true, at[n], ret))
            return false;
    } else if (!cedar_parse_member(p, ret)) {
        return false;
    }
    while (n--) {
        struct cedar_expr e = {.op = kind == CEDAR_TOK_NOT ? CEDAR_OP_NOT : CEDAR_OP_NEG, .at = at[n]};
        if (!cedar_parser_made(p, e.at, cedar_tree_one(&p->tree, e, *ret, ret)))
            return false;
    }
    return true;
}

static bool parse_product(struct cedar_parser *p, struct cedar_piece *ret)
{
    if (!parse_unary(p, ret))
        return false;
    while (cedar_at(p, CEDAR_TOK_TIMES) || cedar_at(p, CEDAR_TOK_DIVIDE) || cedar_at(p, CEDAR_TOK_MODULO)) {
        struct cedar_expr e = {.op = CEDAR_OP_MUL, .at = p->tok.at};
        struct cedar_piece b;
        if (!cedar_at(p, CEDAR_TOK_TIMES))
            cedar_parser_fault(p, e.at, "there is no division and no remainder: multiply the other side instead");
        cedar_advance(p);
        if (!parse_unary(p, &b) || !cedar_parser_made(p, e.at, cedar_tree_two(&p->tree, e, *ret, b, ret)))
            return false;
    }
    return true;
}

static bool parse_sum(struct cedar_parser *p, struct cedar_piece *ret)
{
    if (!parse_product(p, ret))
        return false;
    while (cedar_at(p, CEDAR_TOK_PLUS) || cedar_at(p, CEDAR_TOK_MINUS)) {
        struct cedar_expr e = {.op = cedar_at(p, CEDAR_TOK_PLUS) ? CEDAR_OP_ADD : CEDAR_OP_SUB, .at = p->tok.at};
        struct cedar_piece b;
        cedar_advance(p);
        if (!parse_product(p, &b) || !cedar_parser_made(p, e.at, cedar_tree_two(&p->tree, e, *ret, b, ret)))
            return false;
    }
    return true;
}

/* ---- relations ---- */

static bool parse_has(struct cedar_parser *p, struct cedar_piece *ret)
{
    uint32_t base = p->items.n, at = p->tok.at;
    cedar_advance(p); /* has */
    do {
        struct cedar_item name = {.at = p->tok.at};
        if (p->items.n == base && cedar_at(p, CEDAR_TOK_TEXT)) {
            name.key = cedar_take_text(p);
            return cedar_parser_made(p, name.at, cedar_tree_has(&p->tree, at, *ret, &name, 1, ret));
        }
        if (!cedar_take_ident(p, "an attribute's name", "write it in double quotes", &name.key) ||
            !cedar_parser_push(p, name))
            return false;
    } while (cedar_take(p, CEDAR_TOK_DOT));
    bool good = cedar_tree_has(&p->tree, at, *ret, cedar_items_from(&p->items, base), p->items.n - base, ret);
    p->items.n = base;
    return cedar_parser_made(p, at, good);
}

static bool parse_pattern(struct cedar_parser *p, const struct cedar_pattern **ret)
{
    const struct cedar_token t = p->tok;
    struct str raw = {p->text.p + t.at + 1, t.end - t.at - 2};
    uint32_t at = 0;
    struct fault f;
    enum err e = cedar_pattern_read(raw, p->tree.arena, ret, &at, &f);
    p->poor |= e == ERR_NOMEM;
    if (e == ERR_SYNTAX) { /* noted; reading goes on */
        cedar_parser_fault(p, t.at + 1 + at, "%s", f.text);
        e = cedar_pattern_read(STR(""), p->tree.arena, ret, &at, &f);
    }
    cedar_advance(p);
    return !e;
}

static bool parse_like(struct cedar_parser *p, struct cedar_piece *ret)
{
    struct cedar_expr e = {.op = CEDAR_OP_LIKE, .at = p->tok.at};
    struct cedar_piece of = *ret;
    cedar_advance(p); /* like */
    if (!cedar_at(p, CEDAR_TOK_TEXT))
        return cedar_parser_expected(p, "a pattern in double quotes behind `like`, such as \"*@example.com\"");
    return parse_pattern(p, &e.pattern) && cedar_parser_made(p, e.at, cedar_tree_one(&p->tree, e, of, ret));
}

static bool parse_is(struct cedar_parser *p, struct cedar_piece *ret)
{
    struct cedar_expr e = {.op = CEDAR_OP_IS, .at = p->tok.at};
    const struct cedar_uid *uid;
    struct cedar_piece in;
    cedar_advance(p); /* is */
    uint32_t at = p->tok.at;
    if (!cedar_at(p, CEDAR_TOK_IDENT))
        return cedar_parser_expected(p, "a type of entities like User behind `is`");
    if (!cedar_parse_path(p, &e.name, &uid))
        return false;
    if (uid)
        cedar_parser_fault(p, at, "behind `is` stands a type like `" STR_FMT "`; for one entity, write `==`",
                           STR_ARG(cedar_cut(uid->type)));
    if (!cedar_at_word(p, CEDAR_W_IN))
        return cedar_parser_made(p, e.at, cedar_tree_one(&p->tree, e, *ret, ret));
    cedar_advance(p);
    return parse_sum(p, &in) && cedar_parser_made(p, e.at, cedar_tree_two(&p->tree, e, *ret, in, ret));
}

/* CEDAR_OP_LIT: no relation */
static enum cedar_op relation_op(const struct cedar_parser *p)
{
    switch (p->tok.kind) {
    case CEDAR_TOK_EQ:
    case CEDAR_TOK_ASSIGN: return CEDAR_OP_EQ;
    case CEDAR_TOK_NE: return CEDAR_OP_NE;
    case CEDAR_TOK_LT: return CEDAR_OP_LT;
    case CEDAR_TOK_LE: return CEDAR_OP_LE;
    case CEDAR_TOK_GT: return CEDAR_OP_GT;
    case CEDAR_TOK_GE: return CEDAR_OP_GE;
    case CEDAR_TOK_IDENT:
        return cedar_at_word(p, CEDAR_W_IN)     ? CEDAR_OP_IN
               : cedar_at_word(p, CEDAR_W_IS)   ? CEDAR_OP_IS
               : cedar_at_word(p, CEDAR_W_HAS)  ? CEDAR_OP_HAS
               : cedar_at_word(p, CEDAR_W_LIKE) ? CEDAR_OP_LIKE
                                                : CEDAR_OP_LIT;
    default: return CEDAR_OP_LIT;
    }
}

static bool parse_compared(struct cedar_parser *p, enum cedar_op op, struct cedar_piece *ret)
{
    struct cedar_expr e = {.op = (uint8_t)op, .at = p->tok.at};
    struct cedar_piece b;
    if (cedar_at(p, CEDAR_TOK_ASSIGN))
        cedar_parser_fault(p, e.at, "`=` assigns, and nothing is assigned here: write `==`");
    cedar_advance(p);
    return parse_sum(p, &b) && cedar_parser_made(p, e.at, cedar_tree_two(&p->tree, e, *ret, b, ret));
}

static bool parse_relation(struct cedar_parser *p, struct cedar_piece *ret)
{
    if (!parse_sum(p, ret))
        return false;
    enum cedar_op op = relation_op(p);
    if (op == CEDAR_OP_LIT)
        return true;
    bool good = op == CEDAR_OP_IS     ? parse_is(p, ret)
                : op == CEDAR_OP_HAS  ? parse_has(p, ret)
                : op == CEDAR_OP_LIKE ? parse_like(p, ret)
                                      : parse_compared(p, op, ret);
    if (good && relation_op(p) != CEDAR_OP_LIT) {
        cedar_parser_fault(p, p->tok.at,
                           "comparisons are not chained: put the one before into brackets, or join both with &&");
        return false;
    }
    return good;
}

/* ---- && and || ---- */

static bool parse_chain(struct cedar_parser *p, enum cedar_token_kind mark, struct cedar_piece *ret)
{
    uint32_t base = p->items.n;
    struct cedar_item item = {.at = p->tok.at};
    for (;;) {
        bool good = mark == CEDAR_TOK_OR ? parse_chain(p, CEDAR_TOK_AND, &item.piece) : parse_relation(p, &item.piece);
        if (!good)
            return false;
        if (!cedar_at(p, mark) && p->items.n == base) { /* nearly always: nothing to chain */
            *ret = item.piece;
            return true;
        }
        if (!cedar_parser_push(p, item))
            return false;
        if (!cedar_at(p, mark))
            break;
        item.at = p->tok.at;
        cedar_advance(p);
    }
    enum cedar_op op = mark == CEDAR_TOK_OR ? CEDAR_OP_OR : CEDAR_OP_AND;
    uint32_t at = p->items.v[base].at;
    bool good = cedar_tree_chain(&p->tree, op, cedar_items_from(&p->items, base), p->items.n - base, ret);
    p->items.n = base;
    return cedar_parser_made(p, at, good);
}

static bool parse_if(struct cedar_parser *p, struct cedar_piece *ret)
{
    uint32_t at = p->tok.at;
    struct cedar_piece abc[3];
    cedar_advance(p); /* if */
    if (!cedar_parse_piece(p, &abc[0]))
        return false;
    if (!cedar_at_word(p, CEDAR_W_THEN))
        return cedar_parser_expected(p, "`then`");
    cedar_advance(p);
    if (!cedar_parse_piece(p, &abc[1]))
        return false;
    if (!cedar_at_word(p, CEDAR_W_ELSE))
        return cedar_parser_expected(p, "`else` (every `if` has one)");
    cedar_advance(p);
    return cedar_parse_piece(p, &abc[2]) && cedar_parser_made(p, at, cedar_tree_if(&p->tree, at, abc, ret));
}

bool cedar_parse_piece(struct cedar_parser *p, struct cedar_piece *ret)
{
    if (p->depth >= CEDAR_DEPTH) {
        cedar_parser_fault(p, p->tok.at, "nested deeper than %d: write it flatter, or in several conditions",
                           CEDAR_DEPTH);
        return false;
    }
    p->depth++;
    bool good = cedar_at_word(p, CEDAR_W_IF) && cedar_lex(p->text, p->tok.end).kind != CEDAR_TOK_COLONS
                    ? parse_if(p, ret)
                    : parse_chain(p, CEDAR_TOK_OR, ret);
    p->depth--;
    return good;
}

/* ---- on their own ---- */

static bool text_fits(struct str text, struct fault *f, enum err *ret)
{
    *ret = ERR_OK;
    if (text.n > CEDAR_TEXT_MAX)
        *ret = fault_set(f, ERR_LIMIT, "%zu bytes are more than the %d that a text may have", text.n, CEDAR_TEXT_MAX);
    else if (!str_utf8_valid(text))
        *ret = fault_set(f, ERR_SYNTAX, "the text is not UTF-8");
    return !*ret;
}

static enum err alone_ends(struct cedar_parser *p, bool good)
{
    if (good && !cedar_at(p, CEDAR_TOK_END))
        cedar_parser_expected(p, "the end of the text");
    enum err e = cedar_parser_error(p);
    if (e == ERR_NOMEM)
        fault_write(p->f, e, "no memory for the expression");
    cedar_parser_done(p);
    return e;
}

enum err cedar_parse_expr(struct str text, struct arena *a, const struct cedar_expr **ret, struct fault *f)
{
    struct cedar_parser p;
    struct cedar_piece piece = {0};
    enum err e;
    if (!text_fits(text, f, &e))
        return e;
    if (!(text = arena_str(a, text)).p)
        return fault_set(f, ERR_NOMEM, "no memory for the expression");
    cedar_parser_init(&p, a, STR_NONE, text);
    p.f = f;
    bool good = cedar_parse_piece(&p, &piece);
    if ((e = alone_ends(&p, good)))
        return e;
    *ret = piece.e;
    return ERR_OK;
}

enum err cedar_parse_uid(struct str text, struct arena *a, struct cedar_uid *ret, struct fault *f)
{
    struct cedar_parser p;
    const struct cedar_uid *uid = NULL;
    struct str name;
    enum err e;
    if (!text_fits(text, f, &e))
        return e;
    if (!(text = arena_str(a, text)).p)
        return fault_set(f, ERR_NOMEM, "no memory for the entity");
    cedar_parser_init(&p, a, STR_NONE, text);
    p.f = f;
    bool good = cedar_parse_path(&p, &name, &uid);
    if (good && !uid)
        good = cedar_parser_expected(&p, "an entity like User::\"alice\"");
    e = alone_ends(&p, good);
    if (e || !uid)
        return e ? e : ERR_INTERNAL;
    *ret = *uid;
    return ERR_OK;
}

/* What expressions are made of: literals, names, lists, calls, and what is asked of them with . ( ) [ ]. */
#include "cedar/parser.h"

static bool leaf(struct cedar_parser *p, struct cedar_expr e, struct cedar_piece *ret)
{
    return cedar_parser_made(p, e.at, cedar_tree_leaf(&p->tree, e, ret));
}

static bool literal(struct cedar_parser *p, uint32_t at, struct cedar_value v, struct cedar_piece *ret)
{
    return leaf(p, (struct cedar_expr){.op = CEDAR_OP_LIT, .at = at, .lit = v}, ret);
}

/* ---- lists ---- */

/* Expressions with commas between, up to the closing bracket, which is taken; on the stack. A comma may stand behind
 * the last. */
static bool cedar_parse_items(struct cedar_parser *p, enum cedar_token_kind close, const char *what)
{
    while (!cedar_at(p, close)) {
        struct cedar_item item = {.at = p->tok.at};
        if (!cedar_parse_piece(p, &item.piece) || !cedar_parser_push(p, item))
            return false;
        if (!cedar_take(p, CEDAR_TOK_COMMA) && !cedar_at(p, close))
            return cedar_parser_expected(p, what);
    }
    cedar_advance(p);
    return true;
}

static bool parse_set(struct cedar_parser *p, struct cedar_piece *ret)
{
    struct cedar_expr e = {.op = CEDAR_OP_SET, .at = p->tok.at};
    uint32_t base = p->items.n;
    cedar_advance(p); /* [ */
    if (!cedar_parse_items(p, CEDAR_TOK_SQUARE_END, "`,` or `]`"))
        return false;
    bool good = cedar_tree_list(&p->tree, e, cedar_items_from(&p->items, base), p->items.n - base, ret);
    p->items.n = base;
    return cedar_parser_made(p, e.at, good);
}

static bool parse_field(struct cedar_parser *p)
{
    struct cedar_item item = {.at = p->tok.at};
    if (cedar_at(p, CEDAR_TOK_TEXT))
        item.key = cedar_take_text(p);
    else if (!cedar_take_ident(p, "an attribute's name", "write it in double quotes", &item.key))
        return false;
    return cedar_expect(p, CEDAR_TOK_COLON, "`:` behind the attribute's name") && cedar_parse_piece(p, &item.piece) &&
           cedar_parser_push(p, item);
}

static bool parse_record(struct cedar_parser *p, struct cedar_piece *ret)
{
    struct cedar_expr e = {.op = CEDAR_OP_RECORD, .at = p->tok.at};
    uint32_t base = p->items.n, twice;
    cedar_advance(p); /* { */
    while (!cedar_at(p, CEDAR_TOK_CURLY_END)) {
        if (!parse_field(p))
            return false;
        if (!cedar_take(p, CEDAR_TOK_COMMA) && !cedar_at(p, CEDAR_TOK_CURLY_END))
            return cedar_parser_expected(p, "`,` or `}`");
    }
    cedar_advance(p);
    struct cedar_item *item = cedar_items_from(&p->items, base);
    uint32_t n = p->items.n - base;
    p->poor |= cedar_items_double(item, n, &twice) != ERR_OK;
    if (!p->poor && twice < n)
        cedar_parser_fault(p, item[twice].at, "the attribute \"" STR_FMT "\" is there twice in this record: keep one",
                           STR_ARG(cedar_cut(item[twice].key)));
    bool good = !p->poor && cedar_tree_list(&p->tree, e, item, n, ret);
    p->items.n = base;
    return cedar_parser_made(p, e.at, good);
}

/* ---- calls ---- */

static const struct {
    const char *name;
    uint8_t op, n;
} methods[] = {
    {"contains", CEDAR_OP_CONTAINS, 1},        {"containsAll", CEDAR_OP_CONTAINS_ALL, 1},
    {"containsAny", CEDAR_OP_CONTAINS_ANY, 1}, {"isEmpty", CEDAR_OP_IS_EMPTY, 0},
    {"hasTag", CEDAR_OP_HAS_TAG, 1},           {"getTag", CEDAR_OP_GET_TAG, 1},
};

static size_t method_index(struct str name)
{
    size_t i = 0;
    while (i < sizeof(methods) / sizeof(methods[0]) && !str_is(name, methods[i].name))
        i++;
    return i;
}

static bool own_method(struct cedar_parser *p, struct cedar_expr e, size_t m, struct cedar_piece of, uint32_t base,
                       struct cedar_piece *ret)
{
    uint32_t n = p->items.n - base;
    if (n != methods[m].n) {
        cedar_parser_fault(p, e.at, "`%s` takes %s, not %u", methods[m].name,
                           methods[m].n ? "one argument" : "no argument", n);
        *ret = of;
        return true;
    }
    e.op = methods[m].op;
    return cedar_parser_made(p, e.at,
                             n ? cedar_tree_two(&p->tree, e, of, p->items.v[base].piece, ret)
                               : cedar_tree_one(&p->tree, e, of, ret));
}

/* Behind "of.name": the brackets. */
static bool parse_method(struct cedar_parser *p, struct str name, uint32_t at, struct cedar_piece *of)
{
    uint32_t base = p->items.n;
    size_t m = method_index(name);
    struct cedar_expr e = {.op = CEDAR_OP_CALL, .at = at, .sub = (uint8_t)cedar_ext_find(name, CEDAR_METHOD)};
    bool known = m < sizeof(methods) / sizeof(methods[0]) || e.sub != CEDAR_EXT_NONE, good = true;
    if (!known && cedar_ext_find(name, CEDAR_FUNCTION))
        cedar_parser_fault(p, at, "`" STR_FMT "` is a function, no method: write " STR_FMT "(...)",
                           STR_ARG(cedar_cut(name)), STR_ARG(cedar_cut(name)));
    else if (!known)
        cedar_parser_fault(p, at,
                           "there is no method `" STR_FMT "`: sets have contains, containsAll, containsAny, isEmpty; "
                           "entities have hasTag, getTag",
                           STR_ARG(cedar_cut(name)));
    cedar_advance(p); /* ( */
    if (e.sub && !cedar_parser_push(p, (struct cedar_item){.piece = *of}))
        return false;
    if (!cedar_parse_items(p, CEDAR_TOK_ROUND_END, "`,` or `)`"))
        return false;
    if (e.sub)
        good = cedar_parser_made(
            p, at, cedar_tree_list(&p->tree, e, cedar_items_from(&p->items, base), p->items.n - base, of));
    else if (known)
        good = own_method(p, e, m, *of, base, of);
    p->items.n = base;
    return good;
}

static bool parse_function(struct cedar_parser *p, struct str name, uint32_t at, struct cedar_piece *ret)
{
    uint32_t base = p->items.n;
    struct cedar_expr e = {.op = CEDAR_OP_CALL, .at = at, .sub = (uint8_t)cedar_ext_find(name, CEDAR_FUNCTION)};
    if (!e.sub && (cedar_ext_find(name, CEDAR_METHOD) || method_index(name) < sizeof(methods) / sizeof(methods[0])))
        cedar_parser_fault(p, at, "`" STR_FMT "` is a method, no function: write value." STR_FMT "(...)",
                           STR_ARG(cedar_cut(name)), STR_ARG(cedar_cut(name)));
    else if (!e.sub)
        cedar_parser_fault(p, at, "there is no function `" STR_FMT "`: there are decimal, ip, datetime and duration",
                           STR_ARG(cedar_cut(name)));
    cedar_advance(p); /* ( */
    if (!cedar_parse_items(p, CEDAR_TOK_ROUND_END, "`,` or `)`"))
        return false;
    if (!e.sub)
        e.op = CEDAR_OP_SET; /* only so that reading goes on */
    bool good = cedar_tree_list(&p->tree, e, cedar_items_from(&p->items, base), p->items.n - base, ret);
    p->items.n = base;
    return cedar_parser_made(p, at, good);
}

/* ---- names and literals ---- */

static bool parse_name(struct cedar_parser *p, struct cedar_piece *ret)
{
    struct cedar_token first = p->tok;
    struct str name;
    const struct cedar_uid *uid;
    uint32_t faulty = p->faulty;
    if (!cedar_parse_path(p, &name, &uid))
        return false;
    if (uid)
        return literal(p, first.at, cedar_entity_value(uid), ret);
    bool var = p->end == first.end && first.word >= CEDAR_W_PRINCIPAL && first.word <= CEDAR_W_CONTEXT;
    if (cedar_at(p, CEDAR_TOK_ROUND) && !var)
        return parse_function(p, name, first.at, ret);
    struct cedar_expr e = {.op = CEDAR_OP_VAR, .at = first.at};
    if (var)
        e.sub = (uint8_t)(first.word - CEDAR_W_PRINCIPAL); /* in the same order */
    else if (p->faulty == faulty)                          /* else it is a reserved word, and that is said */
        cedar_parser_fault(p, first.at,
                           "`" STR_FMT "` is no variable: there are principal, action, resource and context; a "
                           "string stands in double quotes, an entity is " STR_FMT "::\"id\"",
                           STR_ARG(cedar_cut(name)), STR_ARG(cedar_cut(name)));
    return leaf(p, e, ret);
}

bool cedar_parse_number(struct cedar_parser *p, bool negative, uint32_t at, struct cedar_piece *ret)
{
    uint64_t v = 0, most = (uint64_t)INT64_MAX + negative;
    struct str digits = cedar_token_text(p, &p->tok);
    bool fits = true;
    for (size_t i = 0; i < digits.n && fits; i++)
        fits = !__builtin_mul_overflow(v, 10u, &v) && !__builtin_add_overflow(v, (uint64_t)(digits.p[i] - '0'), &v) &&
               v <= most;
    if (!fits)
        cedar_parser_fault(p, p->tok.at,
                           "this number is too large: numbers go from -9223372036854775808 to "
                           "9223372036854775807");
    cedar_advance(p);
    return literal(p, at, cedar_long(!fits ? 0 : negative ? (int64_t)(0 - v) : (int64_t)v), ret);
}

static bool parse_round(struct cedar_parser *p, struct cedar_piece *ret)
{
    cedar_advance(p); /* ( */
    return cedar_parse_piece(p, ret) && cedar_expect(p, CEDAR_TOK_ROUND_END, "`)`");
}

static bool parse_word(struct cedar_parser *p, struct cedar_piece *ret)
{
    uint32_t at = p->tok.at;
    bool truth = cedar_at_word(p, CEDAR_W_TRUE);
    if (cedar_at_word(p, CEDAR_W_IF)) {
        cedar_parser_fault(p, at, "an `if` within an expression stands in brackets: write (if ... then ... else ...)");
        return false;
    }
    if ((truth || cedar_at_word(p, CEDAR_W_FALSE)) && cedar_lex(p->text, p->tok.end).kind != CEDAR_TOK_COLONS) {
        cedar_advance(p);
        return literal(p, at, cedar_bool(truth), ret);
    }
    return parse_name(p, ret);
}

static bool parse_primary(struct cedar_parser *p, struct cedar_piece *ret)
{
    uint32_t at = p->tok.at;
    switch (p->tok.kind) {
    case CEDAR_TOK_IDENT: return parse_word(p, ret);
    case CEDAR_TOK_TEXT: {
        struct str text = cedar_take_text(p);
        return literal(p, at, cedar_string(text), ret);
    }
    case CEDAR_TOK_NUMBER: return cedar_parse_number(p, false, at, ret);
    case CEDAR_TOK_ROUND: return parse_round(p, ret);
    case CEDAR_TOK_SQUARE: return parse_set(p, ret);
    case CEDAR_TOK_CURLY: return parse_record(p, ret);
    case CEDAR_TOK_QUESTION:
        cedar_parser_fault(p, at,
                           "a template's slot stands only behind == or in of the scope, in `permit( )` or `forbid( )`");
        return false;
    case CEDAR_TOK_NOT:
    case CEDAR_TOK_MINUS: return cedar_parser_expected(p, "brackets between ! and -");
    default: return cedar_parser_expected(p, "an expression");
    }
}

/* ---- access ---- */

static bool parse_dot(struct cedar_parser *p, struct cedar_piece *of)
{
    struct cedar_expr e = {.op = CEDAR_OP_GET};
    cedar_advance(p); /* . */
    e.at = p->tok.at;
    if (!cedar_take_ident(p, "an attribute's or a method's name", NULL, &e.name))
        return false;
    if (cedar_at(p, CEDAR_TOK_ROUND))
        return parse_method(p, e.name, e.at, of);
    return cedar_parser_made(p, e.at, cedar_tree_one(&p->tree, e, *of, of));
}

static bool parse_index(struct cedar_parser *p, struct cedar_piece *of)
{
    struct cedar_expr e = {.op = CEDAR_OP_GET};
    cedar_advance(p); /* [ */
    e.at = p->tok.at;
    if (!cedar_at(p, CEDAR_TOK_TEXT))
        return cedar_parser_expected(p, "an attribute's name in double quotes");
    e.name = cedar_take_text(p);
    return cedar_expect(p, CEDAR_TOK_SQUARE_END, "`]`") &&
           cedar_parser_made(p, e.at, cedar_tree_one(&p->tree, e, *of, of));
}

bool cedar_parse_member(struct cedar_parser *p, struct cedar_piece *ret)
{
    if (!parse_primary(p, ret))
        return false;
    for (;;) {
        if (cedar_at(p, CEDAR_TOK_ROUND)) {
            cedar_parser_fault(p, p->tok.at, "this cannot be called: a call is name(...) or value.method(...)");
            return false;
        }
        if (!cedar_at(p, CEDAR_TOK_DOT) && !cedar_at(p, CEDAR_TOK_SQUARE))
            return true;
        if (!(cedar_at(p, CEDAR_TOK_DOT) ? parse_dot(p, ret) : parse_index(p, ret)))
            return false;
    }
}

/* Words, names and strings of the human-readable form: what all its rules need. */
#include "cedar/schema_parser.h"

struct str cedar_sp_text(const struct cedar_schema_parser *p, struct cedar_token t)
{
    return (struct str){p->b->text.p + t.at, t.end - t.at};
}

void cedar_sp_step(struct cedar_schema_parser *p)
{
    p->t = cedar_lex(p->b->text, p->t.end);
}

bool cedar_sp_is(const struct cedar_schema_parser *p, const char *word)
{
    return p->t.kind == CEDAR_TOK_IDENT && str_is(cedar_sp_text(p, p->t), word);
}

bool cedar_sp_take(struct cedar_schema_parser *p, unsigned kind)
{
    if (p->t.kind != kind)
        return false;
    cedar_sp_step(p);
    return true;
}

bool cedar_sp_take_word(struct cedar_schema_parser *p, const char *word)
{
    if (!cedar_sp_is(p, word))
        return false;
    cedar_sp_step(p);
    return true;
}

/* What is right: "`;`", "a name" … */
enum err cedar_sp_unexpected(struct cedar_schema_parser *p, const char *right)
{
    struct cedar_schema_build *b = p->b;
    if (p->t.kind == CEDAR_TOK_END)
        cedar_schema_fault(b, p->t.at, "the text ends here: expected %s", right);
    else if (p->t.kind == CEDAR_TOK_OPEN_TEXT)
        cedar_schema_fault(b, p->t.at, "a string that does not end: expected a `\"` that closes it");
    else
        cedar_schema_fault(b, p->t.at, "unexpected %s: expected %s", cedar_schema_quote(b, cedar_sp_text(p, p->t)),
                           right);
    return ERR_SYNTAX;
}

enum err cedar_sp_want(struct cedar_schema_parser *p, unsigned kind, const char *right)
{
    if (p->t.kind != kind)
        return cedar_sp_unexpected(p, right);
    cedar_sp_step(p);
    return ERR_OK;
}

/* ---- growing arrays ---- */

void *cedar_sp_more(struct cedar_schema_parser *p, void *v, uint32_t n, size_t size)
{
    if (n & (n - 1)) /* full at the powers of two only */
        return v;
    char *to = arena_alloc(p->b->a, (n ? 2 * (size_t)n : 1) * size);
    if (to && n)
        memcpy(to, v, n * size);
    return to;
}

/* ---- names ---- */

enum err cedar_sp_string(struct cedar_schema_parser *p, struct str *ret)
{
    if (p->t.kind != CEDAR_TOK_TEXT)
        return cedar_sp_unexpected(p, "a string");
    struct fault f = {0};
    struct str raw = {p->b->text.p + p->t.at + 1, p->t.end - p->t.at - 2};
    uint32_t at = 0;
    enum err e = cedar_unescape(raw, p->b->a, ret, &at, &f);
    if (e == ERR_NOMEM)
        return e;
    if (e) /* the rest of the declaration can be read all the same */
        cedar_schema_fault(p->b, p->t.at + 1 + at, "%s", f.text);
    cedar_sp_step(p);
    return ERR_OK;
}

enum err cedar_sp_ident(struct cedar_schema_parser *p, const char *right, struct str *ret)
{
    if (p->t.kind != CEDAR_TOK_IDENT)
        return cedar_sp_unexpected(p, right);
    *ret = cedar_sp_text(p, p->t);
    if (p->t.word != CEDAR_W_NONE && p->t.word < CEDAR_W_CEDAR)
        cedar_schema_fault(p->b, p->t.at, "`" STR_FMT "` is a reserved word: expected another name", STR_ARG(*ret));
    cedar_sp_step(p);
    return ERR_OK;
}

enum err cedar_sp_name(struct cedar_schema_parser *p, const char *right, struct str *ret)
{
    return p->t.kind == CEDAR_TOK_TEXT ? cedar_sp_string(p, ret) : cedar_sp_ident(p, right, ret);
}

enum err cedar_sp_path(struct cedar_schema_parser *p, const char *right, struct str *ret, bool *ret_open)
{
    struct str *part = NULL, id;
    uint32_t n = 0;
    *ret_open = false;
    TRY(cedar_sp_ident(p, right, &id));
    if (p->t.kind != CEDAR_TOK_COLONS) {
        *ret = id;
        return ERR_OK;
    }
    CEDAR_SP_PUSH(p, part, n, id);
    while (cedar_sp_take(p, CEDAR_TOK_COLONS)) {
        if (p->t.kind == CEDAR_TOK_TEXT) {
            *ret_open = true;
            break;
        }
        TRY(cedar_sp_ident(p, "a name behind `::`", &id));
        CEDAR_SP_PUSH(p, part, n, STR("::"));
        CEDAR_SP_PUSH(p, part, n, id);
    }
    *ret = arena_join(p->b->a, part, n);
    return arena_failed(p->b->a) ? ERR_NOMEM : ERR_OK;
}

enum err cedar_sp_type_name(struct cedar_schema_parser *p, const char *right, struct cedar_decl_name *ret)
{
    struct str name;
    bool open;
    uint32_t at = p->t.at;
    TRY(cedar_sp_path(p, right, &name, &open));
    if (open)
        return cedar_sp_unexpected(p, "a name behind `::`");
    *ret = cedar_decl_name(name, at);
    return ERR_OK;
}

enum err cedar_sp_type_names(struct cedar_schema_parser *p, struct cedar_decl_name **ret, uint32_t *ret_n)
{
    struct cedar_decl_name name;
    if (!cedar_sp_take(p, CEDAR_TOK_SQUARE)) {
        TRY(cedar_sp_type_name(p, "an entity type or `[`", &name));
        CEDAR_SP_PUSH(p, *ret, *ret_n, name);
        return ERR_OK;
    }
    while (p->t.kind != CEDAR_TOK_SQUARE_END || *ret_n) {
        TRY(cedar_sp_type_name(p, "an entity type", &name));
        CEDAR_SP_PUSH(p, *ret, *ret_n, name);
        if (!cedar_sp_take(p, CEDAR_TOK_COMMA))
            break;
    }
    return cedar_sp_want(p, CEDAR_TOK_SQUARE_END, "`,` or `]`");
}

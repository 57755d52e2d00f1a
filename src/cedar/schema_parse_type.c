/* Types of the human-readable form, and the annotations before attributes and declarations. */
#include "cedar/schema_parser.h"

static bool is_question(const struct cedar_schema_parser *p)
{
    return p->t.kind == CEDAR_TOK_BAD && p->b->text.p[p->t.at] == '?';
}

/* ---- annotations ---- */

enum err cedar_sp_notes(struct cedar_schema_parser *p, struct cedar_notes *ret)
{
    *ret = (struct cedar_notes){0};
    while (p->t.kind == CEDAR_TOK_AT) {
        cedar_sp_step(p);
        if (p->t.kind != CEDAR_TOK_IDENT)
            return cedar_sp_unexpected(p, "an annotation's name");
        struct cedar_note note = {.name = cedar_sp_text(p, p->t), .at = p->t.at, .bare = true};
        cedar_sp_step(p);
        if (cedar_sp_take(p, CEDAR_TOK_ROUND)) {
            note.bare = false;
            TRY(cedar_sp_string(p, &note.value));
            TRY(cedar_sp_want(p, CEDAR_TOK_ROUND_END, "`)`"));
        }
        CEDAR_SP_PUSH(p, ret->v, ret->n, note);
    }
    cedar_decl_notes_sort(p->b, ret);
    return ERR_OK;
}

/* ---- types ---- */

static enum err parse_attr(struct cedar_schema_parser *p, unsigned depth, struct cedar_decl_attr *ret)
{
    TRY(cedar_sp_notes(p, &ret->notes));
    TRY(cedar_sp_name(p, "an attribute's name or `}`", &ret->name));
    ret->optional = is_question(p);
    if (ret->optional)
        cedar_sp_step(p);
    TRY(cedar_sp_want(p, CEDAR_TOK_COLON, ret->optional ? "`:`" : "`:` or `?`"));
    return cedar_sp_type(p, depth + 1, &ret->type);
}

enum err cedar_sp_record(struct cedar_schema_parser *p, unsigned depth, struct cedar_decl_type **ret)
{
    struct cedar_decl_type *t = arena_alloc(p->b->a, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    t->kind = CEDAR_D_RECORD;
    t->at = p->t.at;
    cedar_sp_step(p);
    while (p->t.kind != CEDAR_TOK_CURLY_END) {
        struct cedar_decl_attr attr = {.order = t->attrs};
        TRY(parse_attr(p, depth, &attr));
        CEDAR_SP_PUSH(p, t->attr, t->attrs, attr);
        if (!cedar_sp_take(p, CEDAR_TOK_COMMA))
            break;
    }
    TRY(cedar_sp_want(p, CEDAR_TOK_CURLY_END, "`,` or `}`"));
    cedar_decl_attrs_sort(t);
    *ret = t;
    return ERR_OK;
}

static enum err parse_set(struct cedar_schema_parser *p, unsigned depth, struct cedar_decl_type *t)
{
    t->kind = CEDAR_D_SET;
    cedar_sp_step(p); /* Set */
    cedar_sp_step(p); /* < */
    TRY(cedar_sp_type(p, depth + 1, &t->element));
    return cedar_sp_want(p, CEDAR_TOK_GT, "`>`");
}

enum err cedar_sp_type(struct cedar_schema_parser *p, unsigned depth, struct cedar_decl_type **ret)
{
    if (depth > CEDAR_DEPTH) {
        cedar_schema_limit(p->b, p->t.at, "types are nested too deeply: at most %d levels are understood", CEDAR_DEPTH);
        return ERR_SYNTAX;
    }
    if (p->t.kind == CEDAR_TOK_CURLY)
        return cedar_sp_record(p, depth, ret);
    struct cedar_decl_type *t = arena_alloc(p->b->a, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    t->at = p->t.at;
    *ret = t;
    if (cedar_sp_is(p, "Set") && cedar_lex(p->b->text, p->t.end).kind == CEDAR_TOK_LT)
        return parse_set(p, depth, t);
    t->kind = CEDAR_D_NAME;
    return cedar_sp_type_name(p, "a type", &t->name);
}

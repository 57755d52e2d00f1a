/*
 * The human-readable form. One function for each rule of the grammar
 * (https://docs.cedarpolicy.com/schema/human-readable-schema-grammar.html); keywords are words like others and are
 * names where a name stands. Behind a fault the reading goes on with the next declaration.
 */
#include "cedar/schema_parser.h"

/* ---- declarations ---- */

static enum err parse_entity_body(struct cedar_schema_parser *p, struct cedar_decl_entity *e)
{
    if (cedar_sp_take_word(p, "enum")) {
        TRY(cedar_sp_want(p, CEDAR_TOK_SQUARE, "`[`"));
        do {
            struct str id = STR_NONE;
            TRY(cedar_sp_string(p, &id));
            CEDAR_SP_PUSH(p, e->choice, e->choices, id);
        } while (cedar_sp_take(p, CEDAR_TOK_COMMA));
        TRY(cedar_sp_want(p, CEDAR_TOK_SQUARE_END, "`,` or `]`"));
        return cedar_sp_want(p, CEDAR_TOK_SEMICOLON, "`;`");
    }
    if (cedar_sp_take_word(p, "in"))
        TRY(cedar_sp_type_names(p, &e->in, &e->ins));
    bool record = cedar_sp_take(p, CEDAR_TOK_ASSIGN);
    if (record && p->t.kind != CEDAR_TOK_CURLY)
        return cedar_sp_unexpected(p, "`{`");
    record = p->t.kind == CEDAR_TOK_CURLY;
    if (record)
        TRY(cedar_sp_record(p, 0, &e->shape));
    bool tags = cedar_sp_take_word(p, "tags");
    if (tags)
        TRY(cedar_sp_type(p, 0, &e->tags));
    return cedar_sp_want(p, CEDAR_TOK_SEMICOLON,
                         tags     ? "`;`"
                         : record ? "`tags` or `;`"
                         : e->in  ? "`{`, `tags` or `;`"
                                  : "`in`, `{`, `tags`, `enum` or `;`");
}

struct names {
    struct str *id;
    uint32_t *at;
    uint32_t n;
};

static enum err parse_names(struct cedar_schema_parser *p, bool strings, struct names *ret)
{
    do {
        uint32_t at = p->t.at, n = ret->n;
        struct str id = STR_NONE;
        TRY(strings ? cedar_sp_name(p, "the name of an action", &id)
                    : cedar_sp_ident(p, "the name of an entity type", &id));
        CEDAR_SP_PUSH(p, ret->id, ret->n, id);
        CEDAR_SP_PUSH(p, ret->at, n, at);
    } while (cedar_sp_take(p, CEDAR_TOK_COMMA));
    return ERR_OK;
}

static enum err parse_entity(struct cedar_schema_parser *p, const struct cedar_notes *notes)
{
    struct names names = {0};
    struct cedar_decl_entity e = {.space = p->space, .notes = *notes};
    TRY(parse_names(p, false, &names));
    TRY(parse_entity_body(p, &e));
    for (uint32_t i = 0; i < names.n; i++) {
        struct cedar_decl_entity *one = arena_alloc(p->b->a, sizeof(*one));
        if (!one)
            return ERR_NOMEM;
        *one = e;
        one->id = names.id[i];
        one->at = names.at[i];
        TRY(cedar_decl_add(p->b, &p->b->d->entity, one));
    }
    return ERR_OK;
}

static enum err parse_parent(struct cedar_schema_parser *p, struct cedar_decl_action *a)
{
    struct cedar_decl_parent parent = {.at = p->t.at};
    if (p->t.kind == CEDAR_TOK_TEXT) {
        TRY(cedar_sp_string(p, &parent.id));
    } else {
        struct str path;
        bool open;
        TRY(cedar_sp_path(p, "the name of an action", &path, &open));
        if (open) {
            parent.type = cedar_decl_name(path, parent.at);
            TRY(cedar_sp_string(p, &parent.id));
        } else if (memchr(path.p, ':', path.n)) {
            return cedar_sp_unexpected(p, "`::` and the action's id in quotes");
        } else {
            parent.id = path;
        }
    }
    CEDAR_SP_PUSH(p, a->in, a->ins, parent);
    return ERR_OK;
}

static enum err parse_parents(struct cedar_schema_parser *p, struct cedar_decl_action *a)
{
    if (!cedar_sp_take(p, CEDAR_TOK_SQUARE))
        return parse_parent(p, a);
    do
        TRY(parse_parent(p, a));
    while (cedar_sp_take(p, CEDAR_TOK_COMMA));
    return cedar_sp_want(p, CEDAR_TOK_SQUARE_END, "`,` or `]`");
}

/* principal: types, or resource: types; the words are taken. */
static enum err parse_applies_types(struct cedar_schema_parser *p, const char *what, uint32_t at, bool again,
                                    struct cedar_decl_name **ret, uint32_t *ret_n)
{
    struct cedar_decl_name *name = NULL;
    uint32_t n = 0;
    TRY(cedar_sp_type_names(p, &name, &n));
    if (again)
        cedar_schema_fault(p->b, at, "`%s` stands here twice: expected it once", what);
    else if (n == 0)
        cedar_schema_fault(p->b, at,
                           "`%s` has no types: expected at least one; an action that applies to nothing has no "
                           "`appliesTo`",
                           what);
    *ret = name;
    *ret_n = n;
    return ERR_OK;
}

static enum err parse_context(struct cedar_schema_parser *p, uint32_t at, struct cedar_decl_action *a)
{
    if (a->context)
        cedar_schema_fault(p->b, at, "`context` stands here twice: expected it once");
    if (p->t.kind == CEDAR_TOK_CURLY)
        return cedar_sp_record(p, 0, &a->context);
    struct cedar_decl_type *t = arena_alloc(p->b->a, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    t->kind = CEDAR_D_COMMON;
    t->at = p->t.at;
    a->context = t;
    return cedar_sp_type_name(p, "`{` or the name of a common type", &t->name);
}

static enum err parse_applies(struct cedar_schema_parser *p, struct cedar_decl_action *a)
{
    bool principal = false, resource = false;
    uint32_t start = p->t.at;
    a->applies = true;
    TRY(cedar_sp_want(p, CEDAR_TOK_CURLY, "`{`"));
    do {
        uint32_t at = p->t.at;
        bool is_principal = cedar_sp_is(p, "principal"), is_resource = cedar_sp_is(p, "resource");
        if (!is_principal && !is_resource && !cedar_sp_is(p, "context"))
            return cedar_sp_unexpected(p, "`principal`, `resource` or `context`");
        cedar_sp_step(p);
        TRY(cedar_sp_want(p, CEDAR_TOK_COLON, "`:`"));
        if (is_principal)
            TRY(parse_applies_types(p, "principal", at, principal, &a->principal, &a->principals));
        else if (is_resource)
            TRY(parse_applies_types(p, "resource", at, resource, &a->resource, &a->resources));
        else
            TRY(parse_context(p, at, a));
        principal |= is_principal;
        resource |= is_resource;
    } while (cedar_sp_take(p, CEDAR_TOK_COMMA) && p->t.kind != CEDAR_TOK_CURLY_END);
    TRY(cedar_sp_want(p, CEDAR_TOK_CURLY_END, "`,` or `}`"));
    if (!principal || !resource)
        cedar_schema_fault(p->b, start, "`appliesTo` without `%s`: expected `principal` and `resource`, both",
                           principal ? "resource" : "principal");
    return ERR_OK;
}

static enum err parse_action(struct cedar_schema_parser *p, const struct cedar_notes *notes)
{
    struct names names = {0};
    struct cedar_decl_action a = {.space = p->space, .notes = *notes};
    TRY(parse_names(p, true, &names));
    if (cedar_sp_take_word(p, "in"))
        TRY(parse_parents(p, &a));
    if (cedar_sp_take_word(p, "appliesTo"))
        TRY(parse_applies(p, &a));
    bool attributes = cedar_sp_take_word(p, "attributes");
    if (attributes) { /* the language has the words, but no action has attributes */
        TRY(cedar_sp_want(p, CEDAR_TOK_CURLY, "`{`"));
        TRY(cedar_sp_want(p, CEDAR_TOK_CURLY_END, "`}`, since actions have no attributes"));
    }
    TRY(cedar_sp_want(p, CEDAR_TOK_SEMICOLON,
                      attributes || a.applies ? "`;`"
                      : a.ins                 ? "`appliesTo` or `;`"
                                              : "`in`, `appliesTo` or `;`"));
    for (uint32_t i = 0; i < names.n; i++) {
        struct cedar_decl_action *one = arena_alloc(p->b->a, sizeof(*one));
        if (!one)
            return ERR_NOMEM;
        *one = a;
        one->id = names.id[i];
        one->at = names.at[i];
        TRY(cedar_decl_add(p->b, &p->b->d->action, one));
    }
    return ERR_OK;
}

static enum err parse_common(struct cedar_schema_parser *p, const struct cedar_notes *notes)
{
    struct cedar_decl_common *c = arena_alloc(p->b->a, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->space = p->space;
    c->notes = *notes;
    c->at = p->t.at;
    TRY(cedar_sp_ident(p, "the name of a common type", &c->id));
    TRY(cedar_sp_want(p, CEDAR_TOK_ASSIGN, "`=`"));
    TRY(cedar_sp_type(p, 0, &c->type));
    TRY(cedar_sp_want(p, CEDAR_TOK_SEMICOLON, "`;`"));
    return cedar_decl_add(p->b, &p->b->d->common, c);
}

static enum err parse_decl(struct cedar_schema_parser *p, const struct cedar_notes *notes)
{
    if (cedar_sp_take_word(p, "entity"))
        return parse_entity(p, notes);
    if (cedar_sp_take_word(p, "action"))
        return parse_action(p, notes);
    if (cedar_sp_take_word(p, "type"))
        return parse_common(p, notes);
    return cedar_sp_unexpected(p, p->space->name.n ? "`entity`, `action`, `type` or `}`"
                                                   : "`entity`, `action`, `type` or `namespace`");
}

/* ---- the whole ---- */

/* Goes to the end of a declaration with a fault in it: behind its `;`, or before the `}` of its namespace. */
static void recover(struct cedar_schema_parser *p, struct cedar_token start)
{
    unsigned depth = 0;
    for (p->t = start; p->t.kind != CEDAR_TOK_END; cedar_sp_step(p)) {
        if (p->t.kind == CEDAR_TOK_CURLY)
            depth++;
        else if (p->t.kind == CEDAR_TOK_CURLY_END && depth-- == 0)
            return;
        else if (p->t.kind == CEDAR_TOK_SEMICOLON && depth == 0) {
            cedar_sp_step(p);
            return;
        }
    }
}

static enum err parse_decls(struct cedar_schema_parser *p, bool inside);

static enum err parse_namespace(struct cedar_schema_parser *p, const struct cedar_notes *notes)
{
    struct cedar_decl_name name;
    struct cedar_decl_space *outer = p->space;
    uint32_t at = p->t.at;
    TRY(cedar_sp_type_name(p, "the name of the namespace", &name));
    struct str full = name.space.n ? ARENA_JOIN(p->b->a, name.space, STR("::"), name.id) : name.id;
    if (arena_failed(p->b->a))
        return ERR_NOMEM;
    TRY(cedar_sp_want(p, CEDAR_TOK_CURLY, "`{`"));
    p->space = cedar_decl_space(p->b, full, at);
    if (!p->space)
        return ERR_NOMEM;
    p->space->notes = *notes;
    enum err e = parse_decls(p, true);
    p->space = outer;
    return e ? e : cedar_sp_want(p, CEDAR_TOK_CURLY_END, "`entity`, `action`, `type` or `}`");
}

/* To the end of the text, or of the namespace. */
static enum err parse_decls(struct cedar_schema_parser *p, bool inside)
{
    while (p->t.kind != CEDAR_TOK_END && !(inside && p->t.kind == CEDAR_TOK_CURLY_END)) {
        struct cedar_token start = p->t;
        struct cedar_notes notes;
        enum err e = cedar_sp_notes(p, &notes);
        if (!e)
            e = !inside && cedar_sp_take_word(p, "namespace") ? parse_namespace(p, &notes) : parse_decl(p, &notes);
        if (e && e != ERR_SYNTAX)
            return e;
        if (e)
            recover(p, start);
        if (e && !inside && p->t.kind == CEDAR_TOK_CURLY_END)
            cedar_sp_step(p);
    }
    return ERR_OK;
}

/* The first byte that is no part of valid UTF-8. */
static uint32_t bad_byte(struct str text)
{
    for (uint32_t at = 0, n; at < text.n; at += n) {
        unsigned char c = (unsigned char)text.p[at];
        n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (n > text.n - at || !str_utf8_valid((struct str){text.p + at, n}))
            return at;
    }
    return 0;
}

enum err cedar_schema_parse(struct str file, struct str text, struct cedar_schema **ret, struct buf *faults)
{
    struct cedar_schema_build b;
    TRY(cedar_schema_begin(&b, file, text, faults));
    enum err e = ERR_OK;
    if (!str_utf8_valid(b.text)) {
        cedar_schema_fault(&b, bad_byte(b.text), "a byte that is not UTF-8: expected UTF-8 text");
    } else if (!b.count) {
        struct cedar_schema_parser p = {.b = &b};
        p.space = cedar_decl_space(&b, STR(""), 0);
        p.t = cedar_lex(b.text, 0);
        e = p.space ? parse_decls(&p, false) : ERR_NOMEM;
    }
    return cedar_schema_end(&b, e, ret);
}

/* Whole texts: policies one behind the other, faults, memory. */
#include "cedar/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void cedar_parser_init(struct cedar_parser *p, struct arena *a, struct str file, struct str text)
{
    *p = (struct cedar_parser){.file = file, .text = text};
    cedar_tree_init(&p->tree, a);
    p->tok = cedar_lex(text, 0);
}

void cedar_parser_done(struct cedar_parser *p)
{
    free(p->items.v);
}

/* Counts a fault; false: enough of them have words. */
static bool next_fault(struct cedar_parser *p)
{
    return !p->poor && p->faulty++ < (p->faults ? CEDAR_FAULTS : 1);
}

void cedar_parser_fault(struct cedar_parser *p, uint32_t at, const char *fmt, ...)
{
    struct fault f;
    char text[sizeof(f.text)];
    unsigned line, column;
    va_list args;
    if (!next_fault(p))
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    cedar_position(p->text, at, &line, &column);
    if (p->file.n)
        fault_write(&f, ERR_SYNTAX, STR_FMT ":%u:%u: %s", STR_ARG(p->file), line, column, text);
    else
        fault_write(&f, ERR_SYNTAX, "%u:%u: %s", line, column, text);
    if (!p->faults) {
        if (p->f)
            *p->f = f;
        return;
    }
    buf_z(p->faults, f.text);
    buf_char(p->faults, '\n');
}

static void quoted(struct str s, char *ret, size_t size)
{
    struct buf b;
    buf_init(&b, 512);
    cedar_quote(s, &b);
    snprintf(ret, size, STR_FMT, STR_ARG(buf_view(&b)));
    buf_done(&b);
}

bool cedar_parser_expected(struct cedar_parser *p, const char *what)
{
    char found[300];
    const struct cedar_token *t = &p->tok;
    if (p->faulty >= CEDAR_FAULTS) { /* no words are made for what nobody reads */
        next_fault(p);
        return false;
    }
    quoted(cedar_token_text(p, t), found, sizeof(found));
    if (t->kind == CEDAR_TOK_END)
        cedar_parser_fault(p, t->at, "the text ends here: expected %s", what);
    else if (t->kind == CEDAR_TOK_OPEN_TEXT)
        cedar_parser_fault(p, t->at, "this string is never closed: it ends with a \" (within it, write \\\")");
    else if (t->kind == CEDAR_TOK_BAD && p->text.p[t->at] == '\'')
        cedar_parser_fault(p, t->at, "a string stands in double quotes: expected %s", what);
    else if (t->kind == CEDAR_TOK_BAD)
        cedar_parser_fault(p, t->at, "%s has no meaning here: expected %s", found, what);
    else
        cedar_parser_fault(p, t->at, "expected %s, but found %s", what, found);
    return false;
}

enum err cedar_parser_error(const struct cedar_parser *p)
{
    if (p->poor)
        return ERR_NOMEM;
    if (p->faults && p->faulty > CEDAR_FAULTS)
        buf_fmt(p->faults, "and %u more\n", p->faulty - CEDAR_FAULTS);
    return p->faulty ? ERR_SYNTAX : ERR_OK;
}

void *cedar_parser_alloc(struct cedar_parser *p, size_t n)
{
    void *m = arena_alloc(p->tree.arena, n);
    p->poor |= !m;
    return m;
}

bool cedar_parser_made(struct cedar_parser *p, uint32_t at, bool good)
{
    if (good)
        return true;
    p->poor |= p->tree.state == CEDAR_TREE_POOR;
    cedar_parser_fault(p, at, "%s", cedar_tree_words(&p->tree));
    return false;
}

bool cedar_parser_push(struct cedar_parser *p, struct cedar_item item)
{
    bool good = cedar_items_push(&p->items, item);
    p->poor |= !good;
    return good;
}

/* ---- tokens ---- */

struct str cedar_token_text(const struct cedar_parser *p, const struct cedar_token *t)
{
    return (struct str){p->text.p + t->at, t->end - t->at};
}

void cedar_advance(struct cedar_parser *p)
{
    p->end = p->tok.end;
    p->tok = cedar_lex(p->text, p->tok.end);
}

bool cedar_take(struct cedar_parser *p, enum cedar_token_kind kind)
{
    if (p->tok.kind != kind)
        return false;
    cedar_advance(p);
    return true;
}

bool cedar_expect(struct cedar_parser *p, enum cedar_token_kind kind, const char *what)
{
    return cedar_take(p, kind) || cedar_parser_expected(p, what);
}

struct str cedar_take_text(struct cedar_parser *p)
{
    struct cedar_token t = p->tok;
    struct str value = STR("");
    struct fault f;
    uint32_t at = 0;
    struct str raw = {p->text.p + t.at + 1, t.end - t.at - 2};
    enum err e = cedar_unescape(raw, p->tree.arena, &value, &at, &f);
    p->poor |= e == ERR_NOMEM;
    if (e)
        cedar_parser_fault(p, t.at + 1 + at, "%s", f.text);
    cedar_advance(p);
    return value;
}

static void reserved(struct cedar_parser *p, struct str word, const char *instead)
{
    if (instead)
        cedar_parser_fault(p, p->tok.at, "`" STR_FMT "` is a reserved word: %s", STR_ARG(cedar_cut(word)), instead);
    else
        cedar_parser_fault(p, p->tok.at, "`" STR_FMT "` is a reserved word: write [\"" STR_FMT "\"]",
                           STR_ARG(cedar_cut(word)), STR_ARG(cedar_cut(word)));
}

bool cedar_take_ident(struct cedar_parser *p, const char *what, const char *instead, struct str *ret)
{
    if (!cedar_at(p, CEDAR_TOK_IDENT))
        return cedar_parser_expected(p, what);
    *ret = cedar_token_text(p, &p->tok);
    if (p->tok.word && p->tok.word <= CEDAR_W_RESERVED)
        reserved(p, *ret, instead);
    cedar_advance(p);
    return true;
}

/* ---- policies ---- */

static bool parse_annotation(struct cedar_parser *p, struct cedar_annotation *ret)
{
    *ret = (struct cedar_annotation){.value = STR(""), .bare = true, .at = p->tok.at};
    cedar_advance(p); /* @ */
    if (!cedar_at(p, CEDAR_TOK_IDENT))
        return cedar_parser_expected(p, "the annotation's name");
    ret->name = cedar_token_text(p, &p->tok); /* any word, reserved ones too */
    cedar_advance(p);
    if (!cedar_take(p, CEDAR_TOK_ROUND))
        return true;
    if (!cedar_at(p, CEDAR_TOK_TEXT))
        return cedar_parser_expected(p, "the annotation's value in double quotes");
    ret->bare = false;
    ret->value = cedar_take_text(p);
    return cedar_expect(p, CEDAR_TOK_ROUND_END, "`)` behind the annotation's value");
}

void *cedar_parser_grown(struct cedar_parser *p, void *old, size_t size, uint32_t n)
{
    if (n & (n - 1)) /* grows at 0, 1, 2, 4 … */
        return old;
    void *more = cedar_parser_alloc(p, size * (n ? 2 * (size_t)n : 1));
    if (more && n)
        memcpy(more, old, size * n);
    return more;
}

static bool parse_annotations(struct cedar_parser *p, struct cedar_policy *policy)
{
    struct cedar_annotation *list = NULL;
    uint32_t n = 0;
    while (cedar_at(p, CEDAR_TOK_AT)) {
        struct cedar_annotation a;
        if (!parse_annotation(p, &a))
            return false;
        enum { ANNOTATIONS_MAX = 200 };
        if (n == ANNOTATIONS_MAX) {
            cedar_parser_fault(p, a.at, "more than %d annotations of one policy", ANNOTATIONS_MAX);
            return false;
        }
        for (uint32_t i = 0; i < n; i++)
            if (str_eq(list[i].name, a.name))
                cedar_parser_fault(p, a.at, "the annotation `@" STR_FMT "` is there twice: keep one",
                                   STR_ARG(cedar_cut(a.name)));
        if (!(list = cedar_parser_grown(p, list, sizeof(*list), n)))
            return false;
        list[n++] = a;
    }
    policy->annotation = list;
    policy->annotations = n;
    return true;
}

static bool parse_condition(struct cedar_parser *p, struct cedar_condition *ret)
{
    struct cedar_piece body;
    *ret = (struct cedar_condition){.unless = cedar_at_word(p, CEDAR_W_UNLESS), .at = p->tok.at};
    if (!cedar_at_word(p, CEDAR_W_WHEN) && !ret->unless)
        return cedar_parser_expected(p, "`when {`, `unless {` or `;`");
    cedar_advance(p);
    if (!cedar_expect(p, CEDAR_TOK_CURLY, "`{`"))
        return false;
    if (!cedar_parse_piece(p, &body))
        return false;
    ret->expr = body.e;
    return cedar_expect(p, CEDAR_TOK_CURLY_END, "`}`, && or ||");
}

static bool parse_policy(struct cedar_parser *p, struct cedar_policy *policy)
{
    struct cedar_condition *list = NULL;
    uint32_t n = 0;
    policy->at = p->tok.at;
    if (!parse_annotations(p, policy))
        return false;
    policy->effect = cedar_at_word(p, CEDAR_W_PERMIT) ? CEDAR_PERMIT : CEDAR_FORBID;
    if (!cedar_at_word(p, CEDAR_W_PERMIT) && !cedar_at_word(p, CEDAR_W_FORBID))
        return cedar_parser_expected(p, "`permit` or `forbid`");
    cedar_advance(p);
    if (!cedar_parse_scopes(p, policy))
        return false;
    policy->is_template = policy->principal.slot || policy->resource.slot;
    while (!cedar_at(p, CEDAR_TOK_SEMICOLON)) {
        struct cedar_condition c;
        if (!parse_condition(p, &c) || !(list = cedar_parser_grown(p, list, sizeof(*list), n)))
            return false;
        list[n++] = c;
    }
    policy->condition = list;
    policy->conditions = n;
    cedar_advance(p);
    policy->end = p->end;
    return true;
}

/* Behind a fault: to the next policy. No ';' stands within one. */
static void recover(struct cedar_parser *p)
{
    while (!cedar_at(p, CEDAR_TOK_SEMICOLON) && !cedar_at(p, CEDAR_TOK_END))
        cedar_advance(p);
    cedar_take(p, CEDAR_TOK_SEMICOLON);
    p->items.n = 0;
}

struct policy_list {
    struct cedar_policy **v;
    uint32_t n;
};

static void parse_policies(struct cedar_parser *p, struct policy_list *ret)
{
    while (!cedar_at(p, CEDAR_TOK_END) && !p->poor) {
        struct cedar_policy policy = {0}, *kept;
        if (!parse_policy(p, &policy)) {
            recover(p);
            continue;
        }
        if (!(kept = cedar_parser_alloc(p, sizeof(*kept))) ||
            !(ret->v = cedar_parser_grown(p, ret->v, sizeof(struct cedar_policy *), ret->n)))
            return;
        *kept = policy;
        ret->v[ret->n++] = kept;
    }
}

static bool add_source(struct cedar_policies *ps, struct str file, struct str text)
{
    if (!(ps->sources & (ps->sources - 1))) { /* 0, 1, 2, 4 … */
        struct cedar_source *more =
            arena_alloc(&ps->arena, sizeof(*more) * (ps->sources ? 2 * (size_t)ps->sources : 1));
        if (!more)
            return false;
        if (ps->sources)
            memcpy(more, ps->source, sizeof(*more) * ps->sources);
        ps->source = more;
    }
    ps->source[ps->sources] = (struct cedar_source){file, text};
    return true;
}

static enum err add_policies(struct cedar_policies *ps, const struct policy_list *list)
{
    struct fault f;
    for (uint32_t i = 0; i < list->n; i++) {
        struct cedar_policy *policy = list->v[i];
        do
            policy->id = arena_fmt(&ps->arena, "policy%u", ps->counter++);
        while (policy->id.p && cedar_policy_find(ps, policy->id));
        policy->source = ps->sources;
        if (!policy->id.p)
            return ERR_NOMEM;
        TRY(cedar_policies_add(ps, policy, &f));
    }
    ps->sources++;
    return ERR_OK;
}

static bool text_valid(struct cedar_parser *p)
{
    if (str_utf8_valid(p->text))
        return true;
    struct str head = {p->text.p, 0};
    while (head.n < p->text.n) { /* lines: a valid one ends where a character does */
        const char *nl = memchr(p->text.p + head.n, '\n', p->text.n - head.n);
        size_t n = nl ? (size_t)(nl + 1 - p->text.p) : p->text.n;
        if (!str_utf8_valid((struct str){p->text.p + head.n, n - head.n}))
            break;
        head.n = n;
    }
    cedar_parser_fault(p, (uint32_t)head.n, "this line is not UTF-8: save the file as UTF-8");
    return false;
}

enum err cedar_parse(struct cedar_policies *ps, struct str file, struct str text, struct buf *faults)
{
    struct cedar_parser p;
    struct policy_list list = {0};
    uint32_t n = ps->n, counter = ps->counter;
    if (text.n > CEDAR_TEXT_MAX) {
        buf_fmt(faults, STR_FMT ": %zu bytes are more than the %d that a text of policies may have: split it\n",
                STR_ARG(file), text.n, CEDAR_TEXT_MAX);
        return ERR_LIMIT;
    }
    text = arena_str(&ps->arena, text);
    file = arena_str(&ps->arena, file);
    if (!text.p || !file.p || !add_source(ps, file, text))
        return ERR_NOMEM;
    cedar_parser_init(&p, &ps->arena, file, text);
    p.faults = faults;
    if (text_valid(&p))
        parse_policies(&p, &list);
    enum err e = cedar_parser_error(&p);
    cedar_parser_done(&p);
    if (e)
        return e;
    if ((e = add_policies(ps, &list))) {
        cedar_policies_cut(ps, n);
        ps->counter = counter;
    }
    return e;
}

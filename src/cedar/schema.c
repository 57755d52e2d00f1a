/* The schema as a whole, and what both of its forms need while they are read. */
#include "cedar/schema_inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cedar/lex.h"

/* ---- faults ---- */

static void fault_line(struct cedar_schema_build *b, uint32_t at, const char *words)
{
    unsigned line, column;
    if (b->count++ >= CEDAR_FAULTS)
        return;
    cedar_position(b->text, at, &line, &column);
    buf_fmt(b->faults, STR_FMT ":%u:%u: %s\n", STR_ARG(b->file), line, column, words);
}

void cedar_schema_fault(struct cedar_schema_build *b, uint32_t at, const char *fmt, ...)
{
    char words[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    fault_line(b, at, words);
}

void cedar_schema_limit(struct cedar_schema_build *b, uint32_t at, const char *fmt, ...)
{
    char words[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    b->limit = true;
    fault_line(b, at, words);
}

const char *cedar_schema_quote(struct cedar_schema_build *b, struct str s)
{
    struct buf words;
    buf_init(&words, 256);
    cedar_quote(s, &words);
    struct str copy = arena_buf(b->a, &words);
    buf_done(&words);
    return copy.p ? copy.p : "`...`";
}

/* ---- making ---- */

enum err cedar_schema_begin(struct cedar_schema_build *b, struct str file, struct str text, struct buf *faults)
{
    *b = (struct cedar_schema_build){.file = file, .faults = faults};
    b->s = calloc(1, sizeof(*b->s));
    if (!b->s)
        return ERR_NOMEM;
    b->a = &b->s->arena;
    arena_init(b->a, CEDAR_SCHEMA_MEMORY);
    b->d = b->s->decls = arena_alloc(b->a, sizeof(*b->d));
    if (text.n > CEDAR_TEXT_MAX)
        cedar_schema_limit(b, 0, "the text has %zu bytes: expected at most %d", text.n, CEDAR_TEXT_MAX);
    else
        b->text = arena_str(b->a, text);
    if (!arena_failed(b->a))
        return ERR_OK;
    cedar_schema_free(b->s);
    return ERR_NOMEM;
}

enum err cedar_schema_end(struct cedar_schema_build *b, enum err e, struct cedar_schema **ret)
{
    if (!e && !b->count)
        e = cedar_schema_resolve(b);
    if (!e && arena_failed(b->a))
        e = ERR_NOMEM;
    if (e == ERR_NOMEM && b->a->total > CEDAR_SCHEMA_MEMORY / 2) { /* its own bound, sooner than the system's */
        cedar_schema_limit(b, 0, "the schema takes more than %u MiB of memory: expected a smaller one",
                           CEDAR_SCHEMA_MEMORY >> 20);
        e = ERR_OK;
    }
    if (b->count > CEDAR_FAULTS)
        buf_fmt(b->faults, "and %u more\n", b->count - CEDAR_FAULTS);
    if (!e && b->count)
        e = b->limit ? ERR_LIMIT : ERR_SYNTAX;
    if (!e)
        *ret = b->s;
    else
        cedar_schema_free(b->s);
    return e;
}

void cedar_schema_free(struct cedar_schema *s)
{
    if (!s)
        return;
    arena_done(&s->arena);
    free(s);
}

void cedar_schema_freep(struct cedar_schema **s)
{
    cedar_schema_free(*s);
}

enum err cedar_decl_add(struct cedar_schema_build *b, struct cedar_decl_list *l, void *v)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? 2 * l->cap : 8;
        void **to = arena_raw(b->a, cap * sizeof(*to), _Alignof(void *));
        if (!to)
            return ERR_NOMEM;
        if (l->n)
            memcpy(to, l->v, l->n * sizeof(*to));
        l->v = to;
        l->cap = cap;
    }
    l->v[l->n++] = v;
    return ERR_OK;
}

struct cedar_decl_space *cedar_decl_space(struct cedar_schema_build *b, struct str name, uint32_t at)
{
    struct cedar_decl_space *space = arena_alloc(b->a, sizeof(*space));
    if (!space || cedar_decl_add(b, &b->d->space, space))
        return NULL;
    space->name = name;
    space->at = at;
    return space;
}

/* ---- names ---- */

struct cedar_decl_name cedar_decl_name(struct str name, uint32_t at)
{
    size_t i = name.n;
    while (i > 1 && !(name.p[i - 1] == ':' && name.p[i - 2] == ':'))
        i--;
    if (i < 2)
        return (struct cedar_decl_name){.space = STR(""), .id = name, .at = at};
    return (struct cedar_decl_name){.space = {name.p, i - 2}, .id = str_skip(name, i), .at = at};
}

bool cedar_decl_common_reserved(struct str id)
{
    static const char *const words[] = {"Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (str_is(id, words[i]))
            return true;
    return false;
}

bool cedar_decl_reserved(struct str name)
{
    struct cedar_decl_name part = {.space = name};
    while (part.space.n) {
        part = cedar_decl_name(part.space, 0);
        if (str_is(part.id, "__cedar"))
            return true;
    }
    return false;
}

static const struct {
    const char *name;
    struct cedar_type type;
} builtins[CEDAR_BUILTINS] = {
    {"Bool", {.kind = CEDAR_T_BOOL}},
    {"Long", {.kind = CEDAR_T_LONG}},
    {"String", {.kind = CEDAR_T_STRING}},
    {"decimal", {.kind = CEDAR_T_EXT, .ext = CEDAR_DECIMAL}},
    {"ipaddr", {.kind = CEDAR_T_EXT, .ext = CEDAR_IP}},
    {"datetime", {.kind = CEDAR_T_EXT, .ext = CEDAR_DATETIME}},
    {"duration", {.kind = CEDAR_T_EXT, .ext = CEDAR_DURATION}},
};

const struct cedar_type *cedar_decl_builtin(struct str id)
{
    for (size_t i = 0; i < CEDAR_BUILTINS; i++)
        if (str_is(id, builtins[i].name))
            return &builtins[i].type;
    return NULL;
}

const char *cedar_decl_builtin_name(const struct cedar_type *t)
{
    for (size_t i = 0; i < CEDAR_BUILTINS; i++)
        if (builtins[i].type.kind == t->kind && (t->kind != CEDAR_T_EXT || builtins[i].type.ext == t->ext))
            return builtins[i].name;
    return NULL;
}

static int attr_cmp(const void *x, const void *y)
{
    const struct cedar_decl_attr *a = x, *b = y;
    int c = str_cmp(a->name, b->name);
    return c ? c : (a->order > b->order) - (a->order < b->order);
}

void cedar_decl_attrs_sort(struct cedar_decl_type *t)
{
    uint32_t n = 0;
    if (t->attrs > 1)
        qsort(t->attr, t->attrs, sizeof(*t->attr), attr_cmp);
    for (uint32_t i = 0; i < t->attrs; i++)
        if (i + 1 == t->attrs || !str_eq(t->attr[i].name, t->attr[i + 1].name))
            t->attr[n++] = t->attr[i];
    t->attrs = n;
}

static int note_cmp(const void *x, const void *y)
{
    const struct cedar_note *a = x, *b = y;
    int c = str_cmp(a->name, b->name);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

void cedar_decl_notes_sort(struct cedar_schema_build *b, struct cedar_notes *notes)
{
    if (notes->n > 1)
        qsort(notes->v, notes->n, sizeof(*notes->v), note_cmp);
    for (uint32_t i = 1; i < notes->n; i++)
        if (str_eq(notes->v[i].name, notes->v[i - 1].name))
            cedar_schema_fault(b, notes->v[i].at, "the annotation %s stands here twice: expected it once",
                               cedar_schema_quote(b, notes->v[i].name));
}

/* ---- looking things up ---- */

const struct cedar_entity_type *cedar_schema_entity(const struct cedar_schema *s, struct str name)
{
    uint32_t low = 0, high = s->entities;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = str_cmp(name, s->entity[mid].name);
        if (c == 0)
            return &s->entity[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const struct cedar_action *cedar_schema_action(const struct cedar_schema *s, const struct cedar_uid *uid)
{
    uint32_t low = 0, high = s->actions;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = cedar_uid_cmp(uid, &s->action[mid].uid);
        if (c == 0)
            return &s->action[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

bool cedar_schema_below(const struct cedar_schema *s, struct str type, struct str ancestor)
{
    if (str_eq(type, ancestor))
        return true;
    const struct cedar_entity_type *t = cedar_schema_entity(s, type);
    uint32_t low = 0, high = t ? t->ancestors : 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = str_cmp(ancestor, t->ancestor[mid]);
        if (c == 0)
            return true;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}

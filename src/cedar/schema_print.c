/*
 * Declarations as human-readable text. Names are written as they were; only what JSON can say and this form cannot say
 * in the same words is said in others: Cedar's own types where something else has their name, and a common type as the
 * whole of an entity type's attributes.
 */
#include "cedar/schema_inner.h"

struct printer {
    const struct cedar_decls *d;
    struct buf *out;
    unsigned indent;
    const struct cedar_decl_type *hidden; /* a type that cannot be said */
    const char *taken[CEDAR_BUILTINS];    /* names of Cedar's own types that the schema declares otherwise */
    unsigned takens;
};

static void line(struct printer *p)
{
    buf_char(p->out, '\n');
    for (unsigned i = 0; i < p->indent; i++)
        buf_z(p->out, "  ");
}

static void print_name(struct printer *p, struct cedar_decl_name name)
{
    buf_str(p->out, name.space);
    if (name.space.n)
        buf_z(p->out, "::");
    buf_str(p->out, name.id);
}

/* An attribute, an action: bare where it may be. */
static void print_word(struct printer *p, struct str name)
{
    if (cedar_ident_valid(name))
        buf_str(p->out, name);
    else
        cedar_string_print(name, p->out);
}

static void print_notes(struct printer *p, const struct cedar_notes *notes)
{
    for (uint32_t i = 0; i < notes->n; i++) {
        buf_char(p->out, '@');
        buf_str(p->out, notes->v[i].name);
        if (!notes->v[i].bare) {
            buf_char(p->out, '(');
            cedar_string_print(notes->v[i].value, p->out);
            buf_char(p->out, ')');
        }
        line(p);
    }
}

/* ---- types ---- */

static void print_type(struct printer *p, const struct cedar_decl_type *t, bool full);

static bool taken(const struct printer *p, const char *name)
{
    for (unsigned i = 0; i < p->takens; i++)
        if (p->taken[i] == name)
            return true;
    return false;
}

static void note_taken(struct printer *p, struct str id)
{
    const struct cedar_type *t = cedar_decl_builtin(id);
    const char *name = t ? cedar_decl_builtin_name(t) : NULL;
    if (name && !taken(p, name))
        p->taken[p->takens++] = name;
}

static void print_builtin(struct printer *p, const struct cedar_type *t)
{
    const char *name = cedar_decl_builtin_name(t);
    if (taken(p, name))
        buf_z(p->out, "__cedar::");
    buf_z(p->out, name);
}

/* full: names are looked up from another namespace than the one that they were written in. */
static void print_reference(struct printer *p, const struct cedar_decl_type *t, bool full)
{
    bool builtin = !t->common && t->made->kind != CEDAR_T_ENTITY;
    if (t->hidden)
        p->hidden = t;
    if (builtin && (full || t->kind == CEDAR_D_COMMON))
        print_builtin(p, t->made);
    else if (!full)
        print_name(p, t->name);
    else if (t->common)
        print_name(p, (struct cedar_decl_name){.space = t->common->space->name, .id = t->common->id});
    else
        buf_str(p->out, t->made->entity[0]);
}

static void print_record(struct printer *p, const struct cedar_decl_type *t, bool full)
{
    buf_char(p->out, '{');
    p->indent++;
    for (uint32_t i = 0; i < t->attrs && !buf_failed(p->out); i++) {
        line(p);
        print_notes(p, &t->attr[i].notes);
        print_word(p, t->attr[i].name);
        buf_z(p->out, t->attr[i].optional ? "?: " : ": ");
        print_type(p, t->attr[i].type, full);
        buf_char(p->out, ',');
    }
    p->indent--;
    if (t->attrs)
        line(p);
    buf_char(p->out, '}');
}

static void print_type(struct printer *p, const struct cedar_decl_type *t, bool full)
{
    switch (t->kind) {
    case CEDAR_D_BOOL:
    case CEDAR_D_LONG:
    case CEDAR_D_STRING:
    case CEDAR_D_EXT: print_builtin(p, t->made); break;
    case CEDAR_D_SET:
        buf_z(p->out, "Set<");
        print_type(p, t->element, full);
        buf_char(p->out, '>');
        break;
    case CEDAR_D_RECORD: print_record(p, t, full); break;
    case CEDAR_D_ENTITY:
    case CEDAR_D_COMMON:
    case CEDAR_D_NAME: print_reference(p, t, full); break;
    }
}

/* ---- declarations ---- */

static void print_names(struct printer *p, const struct cedar_decl_name *name, uint32_t n)
{
    buf_char(p->out, '[');
    for (uint32_t i = 0; i < n; i++) {
        buf_z(p->out, i ? ", " : "");
        print_name(p, name[i]);
    }
    buf_char(p->out, ']');
}

static void print_common(struct printer *p, const struct cedar_decl_common *c)
{
    print_notes(p, &c->notes);
    buf_z(p->out, "type ");
    buf_str(p->out, c->id);
    buf_z(p->out, " = ");
    print_type(p, c->type, false);
    buf_char(p->out, ';');
}

/* A shape is a record here; a common type is followed to the one that it stands for. */
static void print_shape(struct printer *p, const struct cedar_decl_type *t)
{
    bool full = t->kind != CEDAR_D_RECORD;
    while (t->common)
        t = t->common->type;
    if (t->attrs == 0)
        return;
    buf_char(p->out, ' ');
    print_record(p, t, full);
}

static void print_entity(struct printer *p, const struct cedar_decl_entity *e)
{
    print_notes(p, &e->notes);
    buf_z(p->out, "entity ");
    buf_str(p->out, e->id);
    for (uint32_t i = 0; i < e->choices; i++) {
        buf_z(p->out, i ? ", " : " enum [");
        cedar_string_print(e->choice[i], p->out);
    }
    if (e->choices)
        buf_char(p->out, ']');
    if (e->ins) {
        buf_z(p->out, " in ");
        print_names(p, e->in, e->ins);
    }
    if (e->shape)
        print_shape(p, e->shape);
    if (e->tags) {
        buf_z(p->out, " tags ");
        print_type(p, e->tags, false);
    }
    buf_char(p->out, ';');
}

static void print_groups(struct printer *p, const struct cedar_decl_action *a)
{
    for (uint32_t i = 0; i < a->ins; i++) {
        buf_z(p->out, i ? ", " : " in [");
        if (a->in[i].type.id.n) {
            print_name(p, a->in[i].type);
            buf_z(p->out, "::");
            cedar_string_print(a->in[i].id, p->out);
        } else {
            print_word(p, a->in[i].id);
        }
    }
    if (a->ins)
        buf_char(p->out, ']');
}

static void print_action(struct printer *p, const struct cedar_decl_action *a)
{
    print_notes(p, &a->notes);
    buf_z(p->out, "action ");
    print_word(p, a->id);
    print_groups(p, a);
    if (a->principals && a->resources) { /* one without the other applies to nothing, as none of them does */
        buf_z(p->out, " appliesTo {");
        p->indent++;
        line(p);
        buf_z(p->out, "principal: ");
        print_names(p, a->principal, a->principals);
        buf_char(p->out, ',');
        line(p);
        buf_z(p->out, "resource: ");
        print_names(p, a->resource, a->resources);
        buf_char(p->out, ',');
        line(p);
        buf_z(p->out, "context: ");
        if (a->context)
            print_type(p, a->context, false);
        else
            buf_z(p->out, "{}");
        buf_char(p->out, ',');
        p->indent--;
        line(p);
        buf_char(p->out, '}');
    }
    buf_char(p->out, ';');
}

/* ---- the whole ---- */

/* One declaration, with an empty line before all but the first. */
static void separate(struct printer *p, bool *first)
{
    if (!*first)
        buf_char(p->out, '\n');
    if (!*first || p->indent)
        line(p);
    *first = false;
}

static void print_decls(struct printer *p, const struct cedar_decl_space *space, bool *first)
{
    for (uint32_t i = 0; i < space->common.n && !buf_failed(p->out); i++) {
        separate(p, first);
        print_common(p, space->common.v[i]);
    }
    for (uint32_t i = 0; i < space->entity.n && !buf_failed(p->out); i++) {
        separate(p, first);
        print_entity(p, space->entity.v[i]);
    }
    for (uint32_t i = 0; i < space->action.n && !buf_failed(p->out); i++) {
        separate(p, first);
        print_action(p, space->action.v[i]);
    }
}

static void print_space(struct printer *p, const struct cedar_decl_space *space, bool *first)
{
    bool inner = true;
    if (space->name.n == 0) {
        print_decls(p, space, first);
        return;
    }
    separate(p, first);
    print_notes(p, &space->notes);
    buf_z(p->out, "namespace ");
    buf_str(p->out, space->name);
    buf_z(p->out, " {");
    p->indent++;
    print_decls(p, space, &inner);
    p->indent--;
    if (!inner)
        line(p);
    buf_char(p->out, '}');
}

enum err cedar_schema_print(const struct cedar_schema *s, struct buf *out, struct fault *f)
{
    struct printer p = {.d = s->decls, .out = out};
    bool first = true;
    size_t before = out->n;
    for (uint32_t i = 0; i < p.d->entity.n; i++)
        note_taken(&p, ((const struct cedar_decl_entity *)p.d->entity.v[i])->id);
    for (uint32_t i = 0; i < p.d->common.n; i++)
        note_taken(&p, ((const struct cedar_decl_common *)p.d->common.v[i])->id);
    for (uint32_t i = 0; i < p.d->space.n; i++)
        print_space(&p, p.d->space.v[i], &first);
    if (!first)
        buf_char(out, '\n');
    if (buf_failed(out))
        return fault_set(f, buf_error(out), "no room for the schema as text");
    if (!p.hidden)
        return ERR_OK;
    out->n = before;
    return fault_set(f, ERR_SYNTAX,
                     "the entity type " STR_FMT " cannot be told from the common type of the same name in the "
                     "human-readable form: expected different names",
                     STR_ARG(p.hidden->made->entity[0]));
}

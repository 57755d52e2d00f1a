/* Types: looking into them, comparing them, writing them. */
#include "cedar/types.h"

const struct cedar_attr *cedar_type_attr(const struct cedar_type *record, struct str name)
{
    uint32_t low = 0, high = record->kind == CEDAR_T_RECORD ? record->attrs : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_cmp(name, record->attr[middle].name);
        if (order == 0)
            return &record->attr[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool record_eq(const struct cedar_type *a, const struct cedar_type *b)
{
    if (a->attrs != b->attrs || a->open != b->open)
        return false;
    for (uint32_t i = 0; i < a->attrs; i++)
        if (a->attr[i].required != b->attr[i].required || !str_eq(a->attr[i].name, b->attr[i].name))
            return false;
    for (uint32_t i = 0; i < a->attrs; i++)
        if (!cedar_type_eq(a->attr[i].type, b->attr[i].type))
            return false;
    return true;
}

static bool entity_eq(const struct cedar_type *a, const struct cedar_type *b)
{
    if (a->entities != b->entities)
        return false;
    for (uint32_t i = 0; i < a->entities; i++)
        if (!str_eq(a->entity[i], b->entity[i]))
            return false;
    return true;
}

bool cedar_type_eq(const struct cedar_type *a, const struct cedar_type *b)
{
    for (;;) {
        if (a == b)
            return true;
        if (!a || !b || a->kind != b->kind)
            return false;
        if (a->kind != CEDAR_T_SET)
            break;
        a = a->element;
        b = b->element;
    }
    switch (a->kind) {
    case CEDAR_T_RECORD: return record_eq(a, b);
    case CEDAR_T_ENTITY: return entity_eq(a, b);
    case CEDAR_T_EXT: return a->ext == b->ext;
    default: return true;
    }
}

static void record_print(const struct cedar_type *t, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < t->attrs && !buf_failed(out); i++) {
        if (i)
            buf_z(out, ", ");
        if (cedar_ident_valid(t->attr[i].name))
            buf_str(out, t->attr[i].name);
        else
            cedar_string_print(t->attr[i].name, out);
        buf_z(out, t->attr[i].required ? ": " : "?: ");
        cedar_type_print(t->attr[i].type, out);
    }
    if (t->open)
        buf_z(out, t->attrs ? ", …" : "…");
    buf_char(out, '}');
}

static void entity_print(const struct cedar_type *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->entities; i++) {
        if (i)
            buf_z(out, " or ");
        buf_str(out, t->entity[i]);
    }
}

static const char *ext_name(enum cedar_kind k)
{
    switch (k) {
    case CEDAR_DECIMAL: return "decimal";
    case CEDAR_IP: return "ipaddr";
    case CEDAR_DATETIME: return "datetime";
    case CEDAR_DURATION: return "duration";
    default: return "an extension type";
    }
}

void cedar_type_print(const struct cedar_type *t, struct buf *out)
{
    switch (t->kind) {
    case CEDAR_T_NEVER: buf_z(out, "nothing"); break;
    case CEDAR_T_TRUE:
    case CEDAR_T_FALSE:
    case CEDAR_T_BOOL: buf_z(out, "Bool"); break;
    case CEDAR_T_LONG: buf_z(out, "Long"); break;
    case CEDAR_T_STRING: buf_z(out, "String"); break;
    case CEDAR_T_SET:
        buf_z(out, "Set<");
        if (t->element)
            cedar_type_print(t->element, out);
        buf_char(out, '>');
        break;
    case CEDAR_T_RECORD: record_print(t, out); break;
    case CEDAR_T_ENTITY: entity_print(t, out); break;
    case CEDAR_T_ANY_ENTITY: buf_z(out, "an entity"); break;
    case CEDAR_T_EXT: buf_z(out, ext_name(t->ext)); break;
    }
}

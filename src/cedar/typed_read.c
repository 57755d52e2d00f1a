#include "cedar/typed.h"

#include <stdio.h>

#include "cedar/ext.h"
#include "cedar/path.h"

#define TYPED_FIELDS 16 /* of a record, before the arena is asked for room */

struct reader {
    const struct json *j;
    struct arena *arena;
    struct fault *f;
};

static enum err typed_value(struct reader *r, uint32_t at, const struct cedar_type *t, const struct cedar_path *path,
                            struct cedar_value *ret);

static enum err typed_nomem(struct reader *r)
{
    return fault_set(r->f, ERR_NOMEM, "no memory for a value");
}

/* "x: a value of the type ipaddr is wanted here, not a number" */
static enum err typed_mismatch(struct reader *r, const struct cedar_path *path, const char *wanted,
                               const struct cedar_type *t, const char *got)
{
    struct buf words;
    buf_init(&words, 1 << 16);
    if (t->kind == CEDAR_T_RECORD || t->kind == CEDAR_T_SET) /* which may be long */
        buf_z(&words, t->kind == CEDAR_T_SET ? "set" : "record");
    else
        cedar_type_print(t, &words);
    enum err e = cedar_path_fault(r->f, path, "%s" STR_FMT " is wanted here, not %s", wanted,
                                  STR_ARG(cedar_cut(buf_view(&words))), got);
    buf_done(&words);
    return e;
}

/* As it stands there, without the help of a type. */
static enum err typed_plain(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    return cedar_value_read_at(r->j, at, path, r->arena, ret, r->f);
}

/* ---- extension values ---- */

static enum err typed_ext(struct reader *r, uint32_t at, enum cedar_kind kind, const struct cedar_path *path,
                          struct cedar_value *ret);

static bool is_ext(enum cedar_kind k)
{
    return k == CEDAR_DECIMAL || k == CEDAR_IP || k == CEDAR_DATETIME || k == CEDAR_DURATION;
}

static enum err typed_from_text(struct reader *r, struct str text, enum cedar_kind kind, const struct cedar_path *path,
                                struct cedar_value *ret)
{
    struct fault why = {0};
    enum err e = kind == CEDAR_DECIMAL    ? cedar_decimal_parse(text, ret, &why)
                 : kind == CEDAR_IP       ? cedar_ip_parse(text, r->arena, ret, &why)
                 : kind == CEDAR_DATETIME ? cedar_datetime_parse(text, ret, &why)
                                          : cedar_duration_parse(text, ret, &why);
    return e == ERR_NOMEM ? typed_nomem(r) : e ? cedar_path_fault(r->f, path, "%s", why.text) : ERR_OK;
}

/* {"fn", "arg"} or {"fn", "args"}; arguments too are read by what the function wants. */
static enum err typed_call(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    struct str name = json_str(r->j, json_get(r->j, at, STR("fn")), r->arena);
    uint32_t arg = json_get(r->j, at, STR("arg")), args = json_get(r->j, at, STR("args"));
    uint32_t n = arg ? 1 : r->j->node[args].size, item = arg ? arg : json_first(r->j, args);
    struct cedar_path here = {.up = path, .key = STR("__extn"), .keyed = true};
    struct cedar_value v[2];
    enum cedar_ext fn = cedar_ext_find(name, CEDAR_FUNCTION);
    fn = fn ? fn : cedar_ext_find(name, CEDAR_METHOD);
    const struct cedar_ext_info *info = fn ? cedar_ext_info(fn) : NULL;
    if (arena_failed(r->arena))
        return typed_nomem(r);
    if (!info)
        return cedar_path_fault(r->f, path, "there is no extension function " STR_FMT, STR_ARG(cedar_cut(name)));
    if (n != info->n)
        return cedar_path_fault(r->f, path, "%s takes %u argument(s), not %u", info->name, info->n, n);
    for (uint32_t i = 0; i < n; i++, item = arg ? 0 : json_next(r->j, args, item))
        TRY(is_ext(info->arg[i]) ? typed_ext(r, item, info->arg[i], &here, &v[i]) : typed_plain(r, item, &here, &v[i]));
    struct fault why = {0};
    enum err e = cedar_ext_call(fn, v, r->arena, ret, &why);
    return e == ERR_NOMEM ? typed_nomem(r) : e ? cedar_path_fault(r->f, path, "%s", why.text) : ERR_OK;
}

static enum err typed_ext(struct reader *r, uint32_t at, enum cedar_kind kind, const struct cedar_path *path,
                          struct cedar_value *ret)
{
    struct cedar_type t = {.kind = CEDAR_T_EXT, .ext = kind};
    uint32_t inner = json_get(r->j, at, STR("__extn"));
    inner = cedar_json_is_call(r->j, inner) ? inner : at;
    if (cedar_json_is_call(r->j, inner)) {
        TRY(typed_call(r, inner, path, ret));
        return ret->kind == kind ? ERR_OK
                                 : typed_mismatch(r, path, "a value of the type ", &t, cedar_kind_name(ret->kind));
    }
    TRY(typed_plain(r, at, path, ret));
    if (ret->kind != CEDAR_STRING)
        return typed_mismatch(r, path, "the text of a value of the type ", &t, json_type_name(json_type(r->j, at)));
    return typed_from_text(r, cedar_value_str(*ret), kind, path, ret);
}

/* ---- the other types ---- */

static bool declared(const struct cedar_type *t, struct str name)
{
    for (uint32_t i = 0; i < t->entities; i++)
        if (str_eq(t->entity[i], name))
            return true;
    return t->kind == CEDAR_T_ANY_ENTITY;
}

static enum err typed_entity(struct reader *r, uint32_t at, const struct cedar_type *t, const struct cedar_path *path,
                             struct cedar_value *ret)
{
    uint32_t inner = json_get(r->j, at, STR("__entity"));
    inner = cedar_json_is_uid(r->j, inner) ? inner : at;
    if (json_type(r->j, json_get(r->j, at, STR("__expr"))) == JSON_STRING)
        return cedar_path_fault(r->f, path, "__expr is no longer read: write {\"type\", \"id\"} for an entity");
    if (!cedar_json_is_uid(r->j, inner))
        return typed_mismatch(r, path, "{\"type\", \"id\"} of an entity ", t, json_type_name(json_type(r->j, at)));
    struct cedar_uid *uid = arena_raw(r->arena, sizeof(*uid), 16);
    if (!uid)
        return typed_nomem(r);
    TRY(cedar_uid_read(r->j, inner, path, r->arena, uid, r->f));
    if (!declared(t, uid->type)) {
        char got[80];
        snprintf(got, sizeof(got), "a " STR_FMT, STR_ARG(cedar_cut(uid->type)));
        return typed_mismatch(r, path, "an entity of the type ", t, got);
    }
    *ret = cedar_entity_value(uid);
    return ERR_OK;
}

static enum err typed_set(struct reader *r, uint32_t at, const struct cedar_type *t, const struct cedar_path *path,
                          struct cedar_value *ret)
{
    if (json_type(r->j, at) != JSON_ARRAY)
        return typed_mismatch(r, path, "an array for a ", t, json_type_name(json_type(r->j, at)));
    uint32_t n = r->j->node[at].size, i = 0;
    struct cedar_value *v = arena_raw(r->arena, (n + 1) * sizeof(*v), 16);
    if (!v)
        return typed_nomem(r);
    if (n && !t->element)
        return typed_mismatch(r, path, "an empty ", t, "one with elements");
    JSON_EACH(r->j, at, item)
    {
        TRY(typed_value(r, item, t->element, &(struct cedar_path){.up = path, .index = i}, &v[i]));
        i++;
    }
    *ret = cedar_set_of(v, n, r->arena);
    return ret->kind ? ERR_OK : typed_nomem(r);
}

static enum err typed_missing(struct reader *r, uint32_t at, const struct cedar_type *t, const struct cedar_path *path)
{
    for (uint32_t i = 0; i < t->attrs; i++)
        if (t->attr[i].required && !json_get(r->j, at, t->attr[i].name))
            return cedar_path_fault(r->f, path, "the attribute \"" STR_FMT "\" is missing: the schema requires it",
                                    STR_ARG(cedar_cut(t->attr[i].name)));
    return ERR_OK;
}

static enum err typed_record(struct reader *r, uint32_t at, const struct cedar_type *t, const struct cedar_path *path,
                             struct cedar_value *ret)
{
    if (json_type(r->j, at) != JSON_OBJECT)
        return typed_mismatch(r, path, "an object for a ", t, json_type_name(json_type(r->j, at)));
    uint32_t n = r->j->node[at].size, i = 0, required = 0;
    struct cedar_field few[TYPED_FIELDS], *field = few;
    if (n > TYPED_FIELDS)
        field = arena_raw(r->arena, n * sizeof(*field), 16);
    if (!field)
        return typed_nomem(r);
    JSON_PAIRS(r->j, at, k, v)
    {
        struct str name = json_str(r->j, k, r->arena);
        const struct cedar_attr *attr = cedar_type_attr(t, name);
        struct cedar_path here = {.up = path, .key = name, .keyed = true};
        if (arena_failed(r->arena))
            return typed_nomem(r);
        if (!attr && !t->open)
            return cedar_path_fault(r->f, &here, "the schema knows no such attribute");
        required += attr && attr->required;
        field[i].name = name;
        TRY(attr ? typed_value(r, v, attr->type, &here, &field[i].v) : typed_plain(r, v, &here, &field[i].v));
        i++;
    }
    for (uint32_t k = 0, wanted = 0; k < t->attrs; k++) {
        wanted += t->attr[k].required;
        if (wanted > required)
            return typed_missing(r, at, t, path);
    }
    enum err e = cedar_record_of(field, n, r->arena, ret);
    return e == ERR_NOMEM ? typed_nomem(r) : e ? cedar_path_fault(r->f, path, "a name stands here twice") : ERR_OK;
}

static enum err typed_scalar(struct reader *r, uint32_t at, const struct cedar_type *t, enum cedar_kind kind,
                             const struct cedar_path *path, struct cedar_value *ret)
{
    TRY(typed_plain(r, at, path, ret));
    return ret->kind == kind ? ERR_OK : typed_mismatch(r, path, "a ", t, cedar_kind_name(ret->kind));
}

static enum err typed_value(struct reader *r, uint32_t at, const struct cedar_type *t, const struct cedar_path *path,
                            struct cedar_value *ret)
{
    if (json_type(r->j, at) == JSON_NULL || json_type(r->j, at) == JSON_NONE)
        return typed_plain(r, at, path, ret); /* which refuses it */
    switch (t->kind) {
    case CEDAR_T_TRUE:
    case CEDAR_T_FALSE:
    case CEDAR_T_BOOL: return typed_scalar(r, at, t, CEDAR_BOOL, path, ret);
    case CEDAR_T_LONG: return typed_scalar(r, at, t, CEDAR_LONG, path, ret);
    case CEDAR_T_STRING: return typed_scalar(r, at, t, CEDAR_STRING, path, ret);
    case CEDAR_T_SET: return typed_set(r, at, t, path, ret);
    case CEDAR_T_RECORD: return typed_record(r, at, t, path, ret);
    case CEDAR_T_ENTITY:
    case CEDAR_T_ANY_ENTITY: return typed_entity(r, at, t, path, ret);
    case CEDAR_T_EXT: return typed_ext(r, at, t->ext, path, ret);
    case CEDAR_T_NEVER: break;
    }
    return cedar_path_fault(r->f, path, "no value can stand here");
}

enum err cedar_typed_read(const struct json *j, uint32_t at, const struct cedar_type *t, const char *path,
                          struct arena *a, struct cedar_value *ret, struct fault *f)
{
    struct reader r = {j, a, f};
    struct cedar_value v;
    TRY(typed_value(&r, at, t, &(struct cedar_path){.key = str_of(path), .keyed = true}, &v));
    *ret = v;
    return ERR_OK;
}

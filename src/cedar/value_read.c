/*
 * Values from JSON, as contexts and entities write them (https://docs.cedarpolicy.com/auth/entities-syntax.html). An
 * object is an escape when it has that one member, and that of the right shape; every other object is a record.
 */
#include "cedar/ext.h"
#include "cedar/path.h"

#define READ_FIELDS 16 /* of a record, before the arena is asked for room */

struct reader {
    const struct json *j;
    struct arena *arena;
    struct fault *f;
};

static enum err read_value(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret);

static enum err read_nomem(struct reader *r)
{
    return fault_set(r->f, ERR_NOMEM, "no memory for a value");
}

static enum err read_set(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    uint32_t n = r->j->node[at].size, i = 0;
    struct cedar_value *v = arena_raw(r->arena, (n + 1) * sizeof(*v), 16);
    if (!v)
        return read_nomem(r);
    JSON_EACH(r->j, at, item)
    {
        TRY(read_value(r, item, &(struct cedar_path){.up = path, .index = i}, &v[i]));
        i++;
    }
    *ret = cedar_set_of(v, n, r->arena);
    return ret->kind ? ERR_OK : read_nomem(r);
}

static enum err read_record(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    uint32_t n = r->j->node[at].size, i = 0;
    struct cedar_field few[READ_FIELDS], *f = few;
    if (n > READ_FIELDS)
        f = arena_raw(r->arena, n * sizeof(*f), 16);
    if (!f)
        return read_nomem(r);
    JSON_PAIRS(r->j, at, k, v)
    {
        f[i].name = json_str(r->j, k, r->arena);
        TRY(read_value(r, v, &(struct cedar_path){.up = path, .key = f[i].name, .keyed = true}, &f[i].v));
        i++;
    }
    if (arena_failed(r->arena))
        return read_nomem(r);
    enum err e = cedar_record_of(f, n, r->arena, ret);
    return e == ERR_NOMEM ? read_nomem(r) : e ? cedar_path_fault(r->f, path, "a name stands here twice") : ERR_OK;
}

static enum err read_entity(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    struct cedar_uid *uid = arena_raw(r->arena, sizeof(*uid), 16);
    if (!uid)
        return read_nomem(r);
    TRY(cedar_uid_read(r->j, at, path, r->arena, uid, r->f));
    *ret = cedar_entity_value(uid);
    return ERR_OK;
}

/* {"fn", "arg"} or {"fn", "args"}: any function or method, and with values that may be calls themselves. */
static enum err read_call(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    struct str name = json_str(r->j, json_get(r->j, at, STR("fn")), r->arena);
    uint32_t arg = json_get(r->j, at, STR("arg")), args = json_get(r->j, at, STR("args"));
    struct cedar_path here = {.up = path, .key = STR("__extn"), .keyed = true};
    struct cedar_value v[2];
    enum cedar_ext fn = cedar_ext_find(name, CEDAR_FUNCTION);
    fn = fn ? fn : cedar_ext_find(name, CEDAR_METHOD);
    uint32_t n = arg ? 1 : r->j->node[args].size, i = 0;
    if (!fn)
        return cedar_path_fault(r->f, path, "there is no extension function " STR_FMT, STR_ARG(cedar_cut(name)));
    if (n != cedar_ext_info(fn)->n)
        return cedar_path_fault(r->f, path, "%s takes %u argument(s), not %u", cedar_ext_info(fn)->name,
                                cedar_ext_info(fn)->n, n);
    if (arg)
        TRY(read_value(r, arg, &here, &v[0]));
    else
        JSON_EACH(r->j, args, item)
    TRY(read_value(r, item, &here, &v[i++]));
    struct fault why;
    enum err e = cedar_ext_call(fn, v, r->arena, ret, &why);
    return e == ERR_NOMEM ? read_nomem(r) : e ? cedar_path_fault(r->f, path, "%s", why.text) : ERR_OK;
}

bool cedar_json_is_call(const struct json *j, uint32_t at)
{
    return json_type(j, json_get(j, at, STR("fn"))) == JSON_STRING &&
           (json_get(j, at, STR("arg")) || json_type(j, json_get(j, at, STR("args"))) == JSON_ARRAY);
}

bool cedar_json_is_uid(const struct json *j, uint32_t at)
{
    return json_type(j, json_get(j, at, STR("type"))) == JSON_STRING &&
           json_type(j, json_get(j, at, STR("id"))) == JSON_STRING;
}

static enum err read_object(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    uint32_t key = json_first(r->j, at), inner = key ? key + 1 : 0;
    if (r->j->node[at].size != 1)
        return read_record(r, at, path, ret);
    if (json_str_is(r->j, key, STR("__entity")) && cedar_json_is_uid(r->j, inner))
        return read_entity(r, inner, path, ret);
    if (json_str_is(r->j, key, STR("__extn")) && cedar_json_is_call(r->j, inner))
        return read_call(r, inner, path, ret);
    if (json_str_is(r->j, key, STR("__expr")) && json_type(r->j, inner) == JSON_STRING)
        return cedar_path_fault(r->f, path,
                                "__expr is no longer read: write {\"__entity\": {\"type\", \"id\"}} for an entity and "
                                "{\"__extn\": {\"fn\", \"arg\"}} for an extension value");
    return read_record(r, at, path, ret);
}

static enum err read_number(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    int64_t i;
    if (!(r->j->node[at].flags & JSON_INTEGER))
        return cedar_path_fault(r->f, path,
                                "there are no fractions: whole numbers, or {\"__extn\": {\"fn\": "
                                "\"decimal\", \"arg\": \"1.5\"}}, are wanted");
    if (!json_i64(r->j, at, &i))
        return cedar_path_fault(r->f, path, "the number does not fit into 64 bits");
    *ret = cedar_long(i);
    return ERR_OK;
}

static enum err read_value(struct reader *r, uint32_t at, const struct cedar_path *path, struct cedar_value *ret)
{
    switch (json_type(r->j, at)) {
    case JSON_NONE:
    case JSON_NULL: return cedar_path_fault(r->f, path, "there is no null: leave the attribute out");
    case JSON_FALSE:
    case JSON_TRUE: *ret = cedar_bool(json_type(r->j, at) == JSON_TRUE); return ERR_OK;
    case JSON_NUMBER: return read_number(r, at, path, ret);
    case JSON_STRING:
        *ret = cedar_string(json_str(r->j, at, r->arena));
        return arena_failed(r->arena) ? read_nomem(r) : ERR_OK;
    case JSON_ARRAY: return read_set(r, at, path, ret);
    case JSON_OBJECT: return read_object(r, at, path, ret);
    }
    return ERR_INTERNAL;
}

enum err cedar_value_read_at(const struct json *j, uint32_t at, const struct cedar_path *path, struct arena *a,
                             struct cedar_value *ret, struct fault *f)
{
    struct reader r = {j, a, f};
    return read_value(&r, at, path, ret);
}

enum err cedar_value_read(const struct json *j, uint32_t at, const char *path, struct arena *a, struct cedar_value *ret,
                          struct fault *f)
{
    return cedar_value_read_at(j, at, &(struct cedar_path){.key = str_of(path), .keyed = true}, a, ret, f);
}

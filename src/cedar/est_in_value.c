/* Constants from JSON: {"Value": …}. Sets and records become expressions, since extension values within them are calls.
 */
#include "cedar/est_in.h"

#define PATH(parent, name) (&(struct cedar_path){.up = (parent), .key = STR(name), .keyed = true})

static enum err value_leaf(struct cedar_est *s, const struct cedar_path *path, struct cedar_value v,
                           struct cedar_piece *ret)
{
    return cedar_est_made(s, path, cedar_tree_leaf(&s->tree, (struct cedar_expr){.op = CEDAR_OP_LIT, .lit = v}, ret));
}

static enum err value_uid(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    struct cedar_uid *uid = arena_alloc(s->tree.arena, sizeof(*uid));
    if (!uid)
        return fault_set(s->f, ERR_NOMEM, "no memory for the policies");
    TRY(cedar_uid_read(s->j, at, path, s->tree.arena, uid, s->f));
    return value_leaf(s, path, cedar_entity_value(uid), ret);
}

static enum err value_items(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_expr e,
                            struct cedar_piece *ret)
{
    uint32_t base = s->items.n, i = 0;
    struct cedar_piece piece;
    JSON_EACH(s->j, at, item)
    {
        TRY(cedar_est_value(s, item, &(struct cedar_path){.up = path, .index = i++}, &piece));
        TRY(cedar_est_push(s, STR_NONE, piece));
    }
    return cedar_est_list(s, path, e, base, ret);
}

/* {"fn", "arg"} or {"fn", "args"} */
static enum err value_call(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    static const struct cedar_member table[] = {{"fn"}, {"arg", true}, {"args", true}, {NULL}};
    uint32_t m[3], base = s->items.n;
    struct cedar_expr e = {.op = CEDAR_OP_CALL};
    struct cedar_piece piece;
    struct str name;
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(cedar_est_str(s, m[0], PATH(path, "fn"), &name));
    e.sub = (uint8_t)cedar_ext_find(name, CEDAR_FUNCTION);
    if (!e.sub)
        e.sub = (uint8_t)cedar_ext_find(name, CEDAR_METHOD);
    if (!e.sub)
        return cedar_path_fault(s->f, path, "there is no extension function \"" STR_FMT "\"", STR_ARG(cedar_cut(name)));
    if (m[2]) {
        if (cedar_ext_info((enum cedar_ext)e.sub)->style == CEDAR_METHOD && !s->j->node[m[2]].size)
            return cedar_path_fault(s->f, path, "must have at least the value whose method it is");
        return value_items(s, m[2], PATH(path, "args"), e, ret);
    }
    TRY(cedar_est_value(s, m[1], PATH(path, "arg"), &piece));
    TRY(cedar_est_push(s, STR_NONE, piece));
    return cedar_est_list(s, path, e, base, ret);
}

static enum err value_record(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    uint32_t base = s->items.n;
    struct cedar_piece piece;
    struct str key;
    JSON_PAIRS(s->j, at, k, v)
    {
        TRY(cedar_est_str(s, k, path, &key));
        TRY(cedar_est_value(s, v, &(struct cedar_path){.up = path, .key = key, .keyed = true}, &piece));
        TRY(cedar_est_push(s, key, piece));
    }
    return cedar_est_list(s, path, (struct cedar_expr){.op = CEDAR_OP_RECORD}, base, ret);
}

static enum err value_object(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    uint32_t key = s->j->node[at].size == 1 ? json_first(s->j, at) : 0, inner = key + 1;
    if (!key)
        return value_record(s, at, path, ret);
    if (json_str_is(s->j, key, STR("__entity")) && cedar_json_is_uid(s->j, inner))
        return value_uid(s, inner, path, ret);
    if (json_str_is(s->j, key, STR("__extn")) && cedar_json_is_call(s->j, inner))
        return value_call(s, inner, path, ret);
    if (json_str_is(s->j, key, STR("__expr")) && json_type(s->j, inner) == JSON_STRING)
        return cedar_path_fault(s->f, path, "__expr is no longer read: write {\"__entity\": {\"type\", \"id\"}}");
    return value_record(s, at, path, ret);
}

static enum err value_number(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    int64_t i;
    if (!(s->j->node[at].flags & JSON_INTEGER) || !json_i64(s->j, at, &i))
        return cedar_path_fault(s->f, path, "must be a whole number of 64 bits; decimal(\"1.5\") is a call of decimal");
    return value_leaf(s, path, cedar_long(i), ret);
}

enum err cedar_est_value(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    struct str text;
    switch (json_type(s->j, at)) {
    case JSON_FALSE:
    case JSON_TRUE: return value_leaf(s, path, cedar_bool(json_type(s->j, at) == JSON_TRUE), ret);
    case JSON_NUMBER: return value_number(s, at, path, ret);
    case JSON_STRING: TRY(cedar_est_str(s, at, path, &text)); return value_leaf(s, path, cedar_string(text), ret);
    case JSON_ARRAY: return value_items(s, at, path, (struct cedar_expr){.op = CEDAR_OP_SET}, ret);
    case JSON_OBJECT: return value_object(s, at, path, ret);
    default: return cedar_path_fault(s->f, path, "there is no null: leave it out");
    }
}

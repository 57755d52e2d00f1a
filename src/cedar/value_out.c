/* Values as text: the way a policy writes them, and the way JSON does. */
#include "cedar/ext.h"

static void uid_print(const struct cedar_uid *uid, struct buf *out)
{
    buf_str(out, uid->type);
    buf_z(out, "::");
    cedar_string_print(uid->id, out);
}

static void set_print(const struct cedar_set *s, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < s->n; i++) {
        if (i)
            buf_z(out, ", ");
        cedar_value_print(s->v[i], out);
    }
    buf_char(out, ']');
}

static void record_print(const struct cedar_record *r, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < r->n; i++) {
        if (i)
            buf_z(out, ", ");
        cedar_string_print(r->f[i].name, out);
        buf_z(out, ": ");
        cedar_value_print(r->f[i].v, out);
    }
    buf_char(out, '}');
}

static void ext_print(struct cedar_value v, struct buf *out)
{
    char room[CEDAR_EXT_TEXT];
    struct str text = cedar_ext_write(v, room);
    struct cedar_value since = {.kind = CEDAR_DURATION, .i = v.i};
    if (text.n) {
        buf_z(out, cedar_ext_info(cedar_ext_constructor(v.kind))->name);
        buf_z(out, "(\"");
        buf_str(out, text);
        buf_z(out, "\")");
        return;
    }
    buf_z(out, "datetime(\"1970-01-01\").offset(");
    ext_print(since, out);
    buf_char(out, ')');
}

void cedar_value_print(struct cedar_value v, struct buf *out)
{
    switch ((enum cedar_kind)v.kind) {
    case CEDAR_NONE: break;
    case CEDAR_BOOL: buf_z(out, v.b ? "true" : "false"); break;
    case CEDAR_LONG: buf_i64(out, v.i); break;
    case CEDAR_STRING: cedar_string_print(cedar_value_str(v), out); break;
    case CEDAR_ENTITY: uid_print(v.uid, out); break;
    case CEDAR_SET: set_print(v.set, out); break;
    case CEDAR_RECORD: record_print(v.record, out); break;
    case CEDAR_DECIMAL:
    case CEDAR_IP:
    case CEDAR_DATETIME:
    case CEDAR_DURATION: ext_print(v, out); break;
    }
}

static void uid_json(const struct cedar_uid *uid, struct json_out *out)
{
    json_open(out, '{');
    json_key(out, STR("__entity"));
    json_open(out, '{');
    json_kv_str(out, "type", uid->type);
    json_kv_str(out, "id", uid->id);
    json_close(out, '}');
    json_close(out, '}');
}

static void ext_json(struct cedar_value v, struct json_out *out)
{
    char room[CEDAR_EXT_TEXT];
    struct str text = cedar_ext_write(v, room);
    json_open(out, '{');
    json_key(out, STR("__extn"));
    json_open(out, '{');
    if (text.n) {
        json_kv_z(out, "fn", cedar_ext_info(cedar_ext_constructor(v.kind))->name);
        json_kv_str(out, "arg", text);
    } else {
        json_kv_z(out, "fn", "offset");
        json_key(out, STR("args"));
        json_open(out, '[');
        ext_json((struct cedar_value){.kind = CEDAR_DATETIME}, out);
        ext_json((struct cedar_value){.kind = CEDAR_DURATION, .i = v.i}, out);
        json_close(out, ']');
    }
    json_close(out, '}');
    json_close(out, '}');
}

void cedar_value_json(struct cedar_value v, struct json_out *out)
{
    switch ((enum cedar_kind)v.kind) {
    case CEDAR_NONE: json_put_null(out); break;
    case CEDAR_BOOL: json_put_bool(out, v.b); break;
    case CEDAR_LONG: json_put_i64(out, v.i); break;
    case CEDAR_STRING: json_put_str(out, cedar_value_str(v)); break;
    case CEDAR_ENTITY: uid_json(v.uid, out); break;
    case CEDAR_SET:
        json_open(out, '[');
        for (uint32_t i = 0; i < v.set->n; i++)
            cedar_value_json(v.set->v[i], out);
        json_close(out, ']');
        break;
    case CEDAR_RECORD:
        json_open(out, '{');
        for (uint32_t i = 0; i < v.record->n; i++) {
            json_key(out, v.record->f[i].name);
            cedar_value_json(v.record->f[i].v, out);
        }
        json_close(out, '}');
        break;
    case CEDAR_DECIMAL:
    case CEDAR_IP:
    case CEDAR_DATETIME:
    case CEDAR_DURATION: ext_json(v, out); break;
    }
}

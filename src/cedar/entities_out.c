#include "cedar/entities_inner.h"

static void uid_out(const char *key, const struct cedar_uid *uid, struct json_out *out)
{
    if (key)
        json_key(out, str_of(key));
    json_open(out, '{');
    json_kv_str(out, "type", uid->type);
    json_kv_str(out, "id", uid->id);
    json_close(out, '}');
}

static void record_out(const char *key, const struct cedar_record *r, struct json_out *out)
{
    json_key(out, str_of(key));
    cedar_value_json((struct cedar_value){.kind = CEDAR_RECORD, .record = r}, out);
}

void cedar_entities_json(const struct cedar_entities *s, struct json_out *out)
{
    json_open(out, '[');
    for (uint32_t i = 0; i < s->n; i++) {
        json_open(out, '{');
        uid_out("uid", &s->entity[i].uid, out);
        record_out("attrs", s->entity[i].attrs, out);
        json_key(out, STR("parents"));
        json_open(out, '[');
        for (uint32_t k = 0; k < s->parents[i].n; k++)
            uid_out(NULL, s->parents[i].uid[k], out);
        json_close(out, ']');
        if (s->entity[i].tags->n)
            record_out("tags", s->entity[i].tags, out);
        json_close(out, '}');
    }
    json_close(out, ']');
}

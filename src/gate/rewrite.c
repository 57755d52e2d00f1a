#include "gate/rewrite.h"

static void rewrite_make(struct str path, struct str value, struct json_out *out)
{
    struct str name;
    if (!path.n) {
        json_put_raw(out, value);
        return;
    }
    str_cut(&path, '.', &name);
    json_open(out, '{');
    json_key(out, name);
    rewrite_make(path, value, out);
    json_close(out, '}');
}

static bool rewrite_object(const struct json *j, uint32_t at, struct str path, struct str value, bool add,
                           struct json_out *out)
{
    struct str name, rest = path;
    bool found = false, any = false;
    str_cut(&rest, '.', &name);
    json_open(out, '{');
    JSON_PAIRS(j, at, k, v)
    {
        bool here = json_str_is(j, k, name);
        struct str key = json_raw(j, k);
        buf_z(out->b, out->comma ? "," : "");
        buf_str(out->b, key); /* as it was written */
        buf_char(out->b, ':');
        out->comma = false;
        if (here)
            any = rewrite(j, v, rest, value, add, out) || any;
        else
            json_put_raw(out, json_raw(j, v));
        found = found || here;
    }
    if (!found && add) {
        json_key(out, name);
        rewrite_make(rest, value, out);
        any = true;
    }
    json_close(out, '}');
    return any;
}

/* As deep as the path is long, and arrays on the way, whose depth the parser bounds. */
bool rewrite(const struct json *j, uint32_t at, struct str path, struct str value, bool add, struct json_out *out)
{
    bool any = false;
    if (!path.n) {
        json_put_raw(out, value);
        return true;
    }
    switch (json_type(j, at)) {
    case JSON_OBJECT: return rewrite_object(j, at, path, value, add, out);
    case JSON_ARRAY:
        if (add)
            break;
        json_open(out, '[');
        JSON_EACH(j, at, v)
        any = rewrite(j, v, path, value, add, out) || any;
        json_close(out, ']');
        return any;
    default: break;
    }
    if (add)
        rewrite_make(path, value, out);
    else
        json_put_raw(out, json_raw(j, at));
    return add;
}

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

enum err rewrite_doc(const struct json *j, uint32_t at, struct str path, struct str value, struct arena *a,
                     const struct json **ret, struct fault *f)
{
    static struct json_node none_nodes[] = {{.type = JSON_NONE}, {.off = 0, .len = 2, .next = 2, .type = JSON_OBJECT}};
    static const struct json none = {.text = {"{}", 2}, .node = none_nodes, .count = 2};
    struct buf b CLEANUP(buf_done);
    struct json *next = arena_alloc(a, sizeof(*next));
    buf_init(&b, (at ? json_raw(j, at).n : 2) + path.n + value.n + 4096);
    struct json_out o = json_out(&b);
    rewrite(at ? j : &none, at ? at : JSON_ROOT, path, value, true, &o);
    struct str text = next ? arena_buf(a, &b) : STR_NONE;
    if (!text.p)
        return fault_set(f, ERR_NOMEM, "no memory to change the arguments as the policies want it");
    TRY(json_parse(next, text, a, NULL, f));
    *ret = next;
    return ERR_OK;
}

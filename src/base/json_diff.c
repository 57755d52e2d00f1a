#include "base/json_diff.h"

enum { DIFF_WORK = 20000000, DIFF_PATH = 1 << 20 };

struct diff {
    const struct json *a, *b;
    json_changed *changed;
    void *ctx;
    struct arena *scratch;
    struct buf path;
    bool pointers;
    uint64_t work; /* comparisons of names that are left */
};

static void diff_say(struct diff *d, enum json_change change, uint32_t i, uint32_t k)
{
    d->changed(d->ctx, buf_view(&d->path), change, i ? json_raw(d->a, i) : STR_NONE, k ? json_raw(d->b, k) : STR_NONE);
}

static bool diff_plain_name(struct str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '-' ||
                  (i && c >= '0' && c <= '9');
        if (!ok)
            return false;
    }
    return key.n > 0;
}

static void diff_token(struct diff *d, struct str name)
{
    buf_char(&d->path, '/');
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '~' || name.p[i] == '/')
            buf_z(&d->path, name.p[i] == '~' ? "~0" : "~1");
        else
            buf_char(&d->path, name.p[i]);
}

/* Appends a member to the path; the path is cut back to *ret_n afterwards. */
static void diff_into(struct diff *d, const struct json *j, uint32_t key, size_t *ret_n)
{
    struct str raw = json_raw(j, key), name = {raw.p + 1, raw.n - 2};
    *ret_n = d->path.n;
    if (d->pointers)
        diff_token(d, json_str(j, key, d->scratch));
    else if (!diff_plain_name(name))
        buf_fmt(&d->path, "[" STR_FMT "]", STR_ARG(raw));
    else
        buf_fmt(&d->path, "%s" STR_FMT, d->path.n ? "." : "", STR_ARG(name));
}

static void diff_values(struct diff *d, uint32_t i, uint32_t k);

static uint32_t diff_get(struct diff *d, const struct json *in, uint32_t object, const struct json *j, uint32_t key)
{
    struct str name = json_str(j, key, d->scratch);
    return name.p ? json_get(in, object, name) : 0;
}

static void diff_objects(struct diff *d, uint32_t i, uint32_t k)
{
    size_t n;
    JSON_PAIRS(d->a, i, key, v)
    {
        uint32_t other = diff_get(d, d->b, k, d->a, key);
        diff_into(d, d->a, key, &n);
        if (other)
            diff_values(d, v, other);
        else
            diff_say(d, JSON_REMOVED, v, 0);
        d->path.n = n;
    }
    JSON_PAIRS(d->b, k, key, v)
    {
        if (diff_get(d, d->a, i, d->b, key))
            continue;
        diff_into(d, d->b, key, &n);
        diff_say(d, JSON_ADDED, 0, v);
        d->path.n = n;
    }
}

static void diff_arrays(struct diff *d, uint32_t i, uint32_t k)
{
    uint32_t v = json_first(d->a, i), w = json_first(d->b, k);
    for (unsigned at = 0; v || w; at++) {
        size_t n = d->path.n;
        buf_fmt(&d->path, d->pointers ? "/%u" : "[%u]", at);
        if (v && w)
            diff_values(d, v, w);
        else
            diff_say(d, v ? JSON_REMOVED : JSON_ADDED, v, w);
        d->path.n = n;
        v = v ? json_next(d->a, i, v) : 0;
        w = w ? json_next(d->b, k, w) : 0;
    }
}

static bool diff_plain_values(const struct json *j, uint32_t array)
{
    JSON_EACH(j, array, v)
    if (json_type(j, v) == JSON_OBJECT || json_type(j, v) == JSON_ARRAY)
        return false;
    return true;
}

/* Looking up each name of one object in the other. */
static bool diff_affordable(struct diff *d, uint32_t i, uint32_t k)
{
    uint64_t cost = 2 * (uint64_t)d->a->node[i].size * d->b->node[k].size;
    if (cost > d->work)
        return false;
    d->work -= cost;
    return true;
}

static void diff_values(struct diff *d, uint32_t i, uint32_t k)
{
    enum json_type type = json_type(d->a, i), other = json_type(d->b, k);
    bool objects = type == JSON_OBJECT && other == JSON_OBJECT;
    if (objects && diff_affordable(d, i, k))
        diff_objects(d, i, k);
    else if (objects && str_eq(json_raw(d->a, i), json_raw(d->b, k)))
        return;
    else if (objects)
        diff_say(d, JSON_CHANGED, i, k);
    else if (type == JSON_ARRAY && other == JSON_ARRAY && !(diff_plain_values(d->a, i) && diff_plain_values(d->b, k)))
        diff_arrays(d, i, k);
    else if (!json_equal(d->a, i, d->b, k, d->scratch))
        diff_say(d, JSON_CHANGED, i, k);
}

static enum err diff_run(struct diff *d)
{
    d->work = DIFF_WORK;
    buf_init(&d->path, DIFF_PATH);
    diff_values(d, JSON_ROOT, JSON_ROOT);
    enum err e = buf_failed(&d->path) || arena_failed(d->scratch) ? ERR_NOMEM : ERR_OK;
    buf_done(&d->path);
    return e;
}

enum err json_diff(const struct json *a, const struct json *b, json_changed *changed, void *ctx, struct arena *scratch)
{
    struct diff d = {.a = a, .b = b, .changed = changed, .ctx = ctx, .scratch = scratch};
    return diff_run(&d);
}

enum err json_diff_pointers(const struct json *a, const struct json *b, json_changed *changed, void *ctx,
                            struct arena *scratch)
{
    struct diff d = {.a = a, .b = b, .changed = changed, .ctx = ctx, .scratch = scratch, .pointers = true};
    return diff_run(&d);
}

/* What is marked: names of the configuration, and places that a guard names. */
#include "audit/names.h"
#include "audit/seal_inner.h"

bool seal_name(const struct conf_strings *names, struct str name)
{
    char folded[NAME_MAX_FOLDED];
    struct str n;
    if (!names->n)
        return false;
    return !name_fold(name, false, folded, &n) || name_listed(names, n); /* too long to be compared: it may be one */
}

static bool seal_needed_object(const struct conf_strings *names, const struct json *j, uint32_t object, struct arena *a)
{
    bool labelled = false;
    JSON_PAIRS(j, object, k, v)
    {
        if (seal_name(names, json_str(j, k, a)))
            return true;
        labelled = labelled || name_is_label(j, k);
    }
    return labelled && name_labelled(j, object, seal_name, names, a);
}

bool seal_needed(const struct conf_strings *names, struct str paths, const struct json *j, uint32_t root,
                 struct arena *a)
{
    if (paths.n)
        return true;
    if (!names->n)
        return false;
    for (uint32_t i = root, end = root < j->count ? j->node[root].next : 0; i < end; i++)
        if (json_type(j, i) == JSON_OBJECT && seal_needed_object(names, j, i, a))
            return true;
    return arena_failed(a);
}

void seal_mark(const struct conf_strings *names, const struct json *j, uint32_t root, bool *marked, struct arena *a)
{
    for (uint32_t i = root, end = root < j->count ? j->node[root].next : 0; i < end; i++) {
        if (json_type(j, i) != JSON_OBJECT)
            continue;
        bool labelled = names->n && name_labelled(j, i, seal_name, names, a);
        JSON_PAIRS(j, i, k, v)
        {
            struct str key = json_str(j, k, a);
            if (seal_name(names, key) || (labelled && str_is(key, "value")))
                marked[v] = true;
        }
    }
}

uint32_t seal_point(const struct json *j, uint32_t at, struct str pointer, struct arena *a)
{
    while (pointer.n && at) {
        struct str token, rest = str_skip(pointer, 1);
        struct buf b;
        uint64_t n;
        str_cut(&rest, '/', &token);
        size_t used = 1 + token.n;
        buf_init(&b, token.n + 1);
        for (size_t i = 0; i < token.n; i++) {
            bool escape = token.p[i] == '~' && i + 1 < token.n && (token.p[i + 1] == '0' || token.p[i + 1] == '1');
            buf_char(&b, !escape ? token.p[i] : token.p[++i] == '0' ? '~' : '/');
        }
        struct str key = arena_buf(a, &b);
        buf_done(&b);
        if (json_type(j, at) == JSON_ARRAY) {
            uint32_t v = str_u64(key, &n) ? json_first(j, at) : 0;
            for (; v && n; n--)
                v = json_next(j, at, v);
            at = v;
        } else {
            at = json_get(j, at, key);
        }
        pointer = str_skip(pointer, used);
    }
    return at;
}

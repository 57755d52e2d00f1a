/* Members of a request's body. */
#include "admin/request.h"

static enum err admin_wrong(const struct admin_request *r, const char *key, uint32_t node, const char *want,
                            struct fault *f)
{
    return fault_set(f, ERR_PARAMS, "%s must be %s, but is %s", key, want, json_type_name(json_type(&r->doc, node)));
}

enum err admin_str(struct admin_request *r, const char *key, struct str *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    *ret = STR_NONE;
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    if (json_type(&r->doc, node) != JSON_STRING)
        return admin_wrong(r, key, node, "a string", f);
    *ret = json_str(&r->doc, node, r->arena);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the request");
}

enum err admin_i64(struct admin_request *r, const char *key, int64_t *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    *ret = 0;
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    return json_i64(&r->doc, node, ret) && *ret > 0 ? ERR_OK
                                                    : admin_wrong(r, key, node, "a whole number greater than 0", f);
}

enum err admin_strings(struct admin_request *r, const char *key, struct conf_strings *ret, struct fault *f)
{
    uint32_t node = json_get(&r->doc, JSON_ROOT, str_of(key));
    *ret = (struct conf_strings){0};
    if (!node || json_type(&r->doc, node) == JSON_NULL)
        return ERR_OK;
    if (json_type(&r->doc, node) != JSON_ARRAY)
        return admin_wrong(r, key, node, "a list of strings", f);
    ret->v = arena_raw(r->arena, r->doc.node[node].size * sizeof(struct str) + 1, 16);
    if (!ret->v)
        return fault_set(f, ERR_NOMEM, "no memory for the request");
    JSON_EACH(&r->doc, node, v)
    {
        if (json_type(&r->doc, v) != JSON_STRING)
            return admin_wrong(r, key, v, "a list of strings", f);
        ret->v[ret->n++] = json_str(&r->doc, v, r->arena);
    }
    ret->set = true;
    return ERR_OK;
}

enum err admin_only(struct admin_request *r, const char *const *keys, struct fault *f)
{
    JSON_PAIRS(&r->doc, JSON_ROOT, k, v)
    {
        bool known = false;
        for (const char *const *key = keys; *key && !known; key++)
            known = json_str_is(&r->doc, k, str_of(*key));
        if (!known)
            return fault_set(f, ERR_PARAMS, "there is no member " STR_FMT " here", STR_ARG(json_raw(&r->doc, k)));
    }
    return ERR_OK;
}

/* What stands behind the question mark. */
#include "admin/request.h"
#include "base/clock.h"
#include "oauth/oauth.h"

enum { QUERY_FIELDS = 32 };

/* A name that is not known is a filter that would not filter. */
static enum err query_known(struct str query, const struct admin_query *fields, size_t n, struct fault *f)
{
    while (query.n) {
        struct str pair, name;
        bool known = false;
        str_cut(&query, '&', &pair);
        str_cut(&pair, '=', &name);
        for (size_t i = 0; i < n && !known; i++)
            known = str_is(name, fields[i].name);
        if (!known && name.n)
            return fault_set(f, ERR_PARAMS, "there is no parameter " STR_FMT " here", STR_ARG(name));
    }
    return ERR_OK;
}

enum err admin_query_read(struct admin_request *r, const struct admin_query *fields, size_t n, struct fault *f)
{
    struct form_field form[QUERY_FIELDS];
    if (n > QUERY_FIELDS)
        return fault_set(f, ERR_INTERNAL, "a route reads more than %d parameters", QUERY_FIELDS);
    for (size_t i = 0; i < n; i++)
        form[i] = (struct form_field){fields[i].name, STR_NONE};
    TRY(query_known(r->x->head.query, fields, n, f));
    if (form_read(r->x->head.query, form, n, r->arena, f))
        return fault_wrap(f, "the query");
    for (size_t i = 0; i < n; i++)
        *fields[i].value = form[i].value;
    return ERR_OK;
}

enum err admin_query_when(const char *name, struct str text, int64_t *ret, struct fault *f)
{
    if (text.n && clock_moment(text, clock_wall_ms(), ret))
        return fault_set(f, ERR_PARAMS,
                         "%s must be a duration before now such as 7d, or a date such as 2026-11-24 or "
                         "2026-11-24T18:00:00Z",
                         name);
    return ERR_OK;
}

struct str admin_audit_dir(struct admin_request *r)
{
    struct conf *conf = conf_slot_get(r->admin->conf);
    struct str dir = arena_fmt(r->arena, STR_FMT "/audit", STR_ARG(conf->root.data_dir));
    conf_unref(conf);
    return dir;
}

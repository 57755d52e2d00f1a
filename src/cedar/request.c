/* Requests against a schema. */
#include "cedar/path.h"
#include "cedar/schema_check.h"
#include "cedar/typed.h"

static bool applies(const struct str *type, uint32_t n, struct str wanted)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(type[i], wanted))
            return true;
    return false;
}

static enum err check_applies(const struct cedar_uid *uid, const struct str *type, uint32_t n, const char *what,
                              const struct cedar_action *a, struct fault *f)
{
    if (applies(type, n, uid->type))
        return ERR_OK;
    return fault_set(f, ERR_SYNTAX, "%s: the action \"" STR_FMT "\" does not apply to the type " STR_FMT, what,
                     STR_ARG(cedar_cut(a->uid.id)), STR_ARG(cedar_cut(uid->type)));
}

enum err cedar_validate_request(const struct cedar_request *r, const struct cedar_schema *s, struct fault *f)
{
    const struct cedar_action *a = cedar_schema_action(s, &r->action);
    if (!a)
        return fault_set(f, ERR_SYNTAX, "action: the schema declares no " STR_FMT "::\"" STR_FMT "\"",
                         STR_ARG(cedar_cut(r->action.type)), STR_ARG(cedar_cut(r->action.id)));
    TRY(cedar_schema_uid_check(s, &r->principal, "principal: ", f));
    TRY(cedar_schema_uid_check(s, &r->resource, "resource: ", f));
    TRY(check_applies(&r->principal, a->principal, a->principals, "principal", a, f));
    TRY(check_applies(&r->resource, a->resource, a->resources, "resource", a, f));
    return cedar_value_check((struct cedar_value){.kind = CEDAR_RECORD, .record = r->context}, a->context, s, "context",
                             f);
}

enum err cedar_context_read(const struct json *j, uint32_t at, const struct cedar_action *action, struct arena *a,
                            const struct cedar_record **ret, struct fault *f)
{
    struct cedar_value v;
    TRY(cedar_typed_read(j, at, action->context, "context", a, &v, f));
    *ret = v.record;
    return ERR_OK;
}

/*
 * Scopes that the configuration wants of a session for this tool. One of a single object (orders:read:user:usr_1) is
 * enough for a call about that object: the argument that the configuration binds to its kind has to be its id.
 */
#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

/* A string, or a whole number as it is written; of whatever else, and of what is not there, nothing. */
static struct str scope_argument(void *ctx, struct str path)
{
    struct call *c = ctx;
    uint32_t at = c->arguments_node;
    struct str name;
    for (bool more = true; more && at;) {
        more = str_cut(&path, '.', &name);
        at = json_get(c->doc, at, name);
    }
    if (json_type(c->doc, at) == JSON_STRING)
        return json_str(c->doc, at, c->arena);
    int64_t whole;
    return json_type(c->doc, at) == JSON_NUMBER && json_i64(c->doc, at, &whole)
               ? arena_fmt(c->arena, "%lld", (long long)whole)
               : STR_NONE;
}

enum verdict stage_scope(struct call *c)
{
    struct sessions *s = c->gate->gate->sessions;
    struct str needed = STR_NONE;
    if (c->kind != CALL_TOOL || !session_objects_any(s))
        return VERDICT_NEXT;
    enum err e =
        session_objects(s, c->lease, c->target, scope_argument, c, clock_wall_ms(), &needed, c->arena, &c->fault);
    if (!e && !arena_failed(c->arena))
        return VERDICT_NEXT;
    if (!e)
        return gate_deny(c, ERR_NOMEM, "no memory to judge the scopes of this call");
    c->scope = needed;
    return VERDICT_DENY;
}

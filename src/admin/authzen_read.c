/* What is asked, out of the JSON that asks it. What is there is of its type or refused; what nobody knows is ignored.
 */
#include <inttypes.h>

#include "admin/authzen.h"
#include "base/clock.h"

#define READ_AGE (INT64_C(100) * 365 * 24 * 3600)

struct reading {
    struct authzen *z;
    uint32_t own, top;
};

static enum err read_wrong(const struct reading *r, const char *name, const char *key, uint32_t node, const char *want,
                           struct fault *f)
{
    const char *dot = key ? "." : "";
    enum json_type t = json_type(r->z->doc, node);
    if (t == JSON_NONE)
        return fault_set(f, ERR_PARAMS, "%s%s%s is needed: %s", name, dot, key ? key : "", want);
    return fault_set(f, ERR_PARAMS, "%s%s%s must be %s, but is %s", name, dot, key ? key : "", want, json_type_name(t));
}

/* null is as if it were not there. */
static uint32_t read_member(const struct reading *r, uint32_t of, const char *key)
{
    uint32_t node = json_get(r->z->doc, of, str_of(key));
    return json_type(r->z->doc, node) == JSON_NULL ? 0 : node;
}

/* The evaluation's own, or the default. */
static enum err read_entity(const struct reading *r, const char *name, bool needed, uint32_t *ret, struct fault *f)
{
    uint32_t node = read_member(r, r->own, name);
    node = node ? node : read_member(r, r->top, name);
    *ret = node;
    return json_type(r->z->doc, node) == JSON_OBJECT || (!node && !needed)
               ? ERR_OK
               : read_wrong(r, name, NULL, node, "an object", f);
}

static enum err read_str(const struct reading *r, const char *name, uint32_t of, const char *key, struct str *ret,
                         struct fault *f)
{
    uint32_t node = read_member(r, of, key);
    if (!node)
        return ERR_OK;
    if (json_type(r->z->doc, node) != JSON_STRING)
        return read_wrong(r, name, key, node, "a string", f);
    *ret = json_str(r->z->doc, node, &r->z->arena);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for this evaluation");
}

/* One of those that make an entity what it is. An own entity replaces the default as a whole; only what it needs and
 * does not say is still taken from there. */
static enum err read_needed(const struct reading *r, const char *name, uint32_t of, const char *key, struct str *ret,
                            struct fault *f)
{
    *ret = STR_NONE;
    TRY(read_str(r, name, of, key, ret, f));
    if (!ret->p)
        TRY(read_str(r, name, read_member(r, r->top, name), key, ret, f));
    return ret->p ? ERR_OK : read_wrong(r, name, key, 0, "a string", f);
}

static enum err read_object(const struct reading *r, const char *name, uint32_t of, const char *key, uint32_t *ret,
                            struct fault *f)
{
    uint32_t node = read_member(r, of, key);
    *ret = node;
    return !node || json_type(r->z->doc, node) == JSON_OBJECT ? ERR_OK : read_wrong(r, name, key, node, "an object", f);
}

static enum err read_strings(const struct reading *r, const char *name, uint32_t of, const char *key,
                             const struct str **ret, size_t *ret_n, struct fault *f)
{
    const struct json *j = r->z->doc;
    uint32_t node = read_member(r, of, key);
    size_t n = 0;
    if (!node)
        return ERR_OK;
    if (json_type(j, node) != JSON_ARRAY)
        return read_wrong(r, name, key, node, "an array of strings", f);
    struct str *v = arena_alloc(&r->z->arena, ((size_t)j->node[node].size + 1) * sizeof(*v));
    JSON_EACH(j, node, s)
    {
        if (json_type(j, s) != JSON_STRING)
            return read_wrong(r, name, key, s, "an array of strings", f);
        if (v)
            v[n++] = json_str(j, s, &r->z->arena);
    }
    if (arena_failed(&r->z->arena))
        return fault_set(f, ERR_NOMEM, "no memory for this evaluation");
    *ret = v;
    *ret_n = n;
    return ERR_OK;
}

static enum err read_count(const struct reading *r, const char *name, uint32_t of, const char *key, int64_t *ret,
                           struct fault *f)
{
    uint32_t node = read_member(r, of, key);
    int64_t v = 0;
    if (node && (!json_i64(r->z->doc, node, &v) || v < 0))
        return fault_set(f, ERR_PARAMS, "%s.%s must be a whole number that is not negative", name, key);
    *ret = v;
    return ERR_OK;
}

/* RFC 3339, and without seconds, as the specification's own examples have it. */
static enum err read_time(const struct reading *r, uint32_t context, int64_t *ret, struct fault *f)
{
    struct str text = STR_NONE;
    *ret = clock_wall_ms();
    TRY(read_str(r, "context", context, "time", &text, f));
    if (!text.p || clock_parse(text, ret) == ERR_OK)
        return ERR_OK;
    size_t minutes = sizeof("2026-12-24T18:00") - 1;
    struct str whole =
        text.n > minutes && text.p[minutes] != ':'
            ? ARENA_JOIN(&r->z->arena, (struct str){text.p, minutes}, STR(":00"), str_skip(text, minutes))
            : STR_NONE;
    if (whole.p && clock_parse(whole, ret) == ERR_OK)
        return ERR_OK;
    return fault_set(f, ERR_PARAMS, "context.time must be a moment such as 2026-12-24T18:00:00Z");
}

static enum err read_session(const struct reading *r, uint32_t context, struct authzen_asked *q, struct fault *f)
{
    static const char name[] = "context.session";
    struct str source = STR_NONE;
    int64_t age;
    TRY(read_object(r, "context", context, "session", &q->session, f));
    uint32_t s = q->session;
    TRY(read_str(r, name, s, "id", &q->session_id, f));
    TRY(read_str(r, name, s, "user", &q->user, f));
    TRY(read_str(r, name, s, "tier", &q->tier, f));
    TRY(read_str(r, name, s, "trigger", &q->trigger, f));
    TRY(read_str(r, name, s, "source", &source, f));
    TRY(read_strings(r, name, s, "scopes", &q->scope, &q->scopes, f));
    TRY(read_strings(r, name, s, "taints", &q->taint, &q->taints, f));
    TRY(read_count(r, name, s, "calls", &q->calls, f));
    TRY(read_count(r, name, s, "age", &age, f));
    if (age > READ_AGE)
        return fault_set(f, ERR_PARAMS, "context.session.age must be seconds, at most %" PRId64, READ_AGE);
    q->age_ms = age * 1000;
    q->has_source = source.p != NULL;
    return !q->has_source || conf_address_parse(source, &q->source)
               ? ERR_OK
               : fault_set(f, ERR_PARAMS, "context.session.source must be an IP address, such as 203.0.113.7");
}

/* In action.properties or in the context; never two of them, of which one would be judged and the other one sent. */
static enum err read_input(const struct reading *r, uint32_t action, uint32_t context, uint32_t *ret, struct fault *f)
{
    uint32_t properties, of_action, of_context;
    TRY(read_object(r, "action", action, "properties", &properties, f));
    TRY(read_object(r, "action.properties", properties, "input", &of_action, f));
    TRY(read_object(r, "context", context, "input", &of_context, f));
    if (of_action && of_context)
        return fault_set(f, ERR_PARAMS, "the arguments stand in action.properties.input or in context.input, not both");
    *ret = of_action ? of_action : of_context;
    return ERR_OK;
}

enum err authzen_read(struct authzen *z, uint32_t own, uint32_t top, struct authzen_asked *ret, struct fault *f)
{
    const struct reading r = {z, own, top};
    struct authzen_asked q = {0};
    uint32_t subject, action, resource, context, ignored;
    if (json_type(z->doc, own) != JSON_OBJECT)
        return read_wrong(&r, "an evaluation", NULL, own, "an object with subject, action and resource", f);
    TRY(read_entity(&r, "subject", true, &subject, f));
    TRY(read_entity(&r, "action", true, &action, f));
    TRY(read_entity(&r, "resource", true, &resource, f));
    TRY(read_entity(&r, "context", false, &context, f));
    TRY(read_needed(&r, "subject", subject, "type", &q.subject_type, f));
    TRY(read_needed(&r, "subject", subject, "id", &q.subject_id, f));
    TRY(read_needed(&r, "action", action, "name", &q.action, f));
    TRY(read_needed(&r, "resource", resource, "type", &q.resource_type, f));
    TRY(read_needed(&r, "resource", resource, "id", &q.resource_id, f));
    TRY(read_object(&r, "subject", subject, "properties", &q.subject_properties, f));
    TRY(read_object(&r, "resource", resource, "properties", &ignored, f)); /* a tool is what the gateway knows of it */
    TRY(read_input(&r, action, context, &q.input, f));
    TRY(read_time(&r, context, &q.now_ms, f));
    TRY(read_session(&r, context, &q, f));
    *ret = q;
    return ERR_OK;
}

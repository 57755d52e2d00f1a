#include "search/facts.h"

#include "base/clock.h"

static void facts_put(struct facts *r, enum fact fact, struct str value)
{
    if (value.n && r->n < FACTS) {
        r->v[r->n].fact = fact;
        r->v[r->n++].value = value;
    }
}

static void facts_text(struct facts *r, struct str raw)
{
    if (raw.n && r->texts < FACT_TEXTS)
        r->text[r->texts++] = raw;
}

/* The members that are a fact as they stand. Who acted is looked for under one name: on whose behalf, who said yes, and
 * the operator. */
static const struct {
    struct str name;
    enum fact fact;
} facts_members[] = {
    {STR("actor"), FACT_USER},    {STR("agentId"), FACT_AGENT}, {STR("approver"), FACT_USER},
    {STR("digest"), FACT_DIGEST}, {STR("event"), FACT_EVENT},   {STR("sessionId"), FACT_SESSION},
    {STR("toolName"), FACT_TOOL}, {STR("traceId"), FACT_TRACE}, {STR("triggerUserId"), FACT_USER},
};
static const struct str facts_texts[] = {STR("parameters"), STR("reasoning"), STR("details")};

/* The people in the chain of who acted. */
static void facts_chain(const struct json *j, uint32_t chain, struct arena *a, struct facts *r)
{
    JSON_EACH(j, chain, v)
    {
        if (!json_str_is(j, json_get(j, v, STR("role")), STR("agent")))
            facts_put(r, FACT_USER, json_str(j, json_get(j, v, STR("id")), a));
    }
}

static void facts_decision(const struct json *j, uint32_t decision, struct facts *r)
{
    uint32_t allowed = json_get(j, decision, STR("allowed"));
    if (allowed)
        facts_put(r, FACT_DECISION, json_bool(j, allowed, false) ? STR("allowed") : STR("denied"));
    facts_text(r, json_raw(j, json_get(j, decision, STR("reason"))));
}

/* {"parameters":{"bytes":…,"sha256":"…"}}: what they hold, as far as it is indexed. A file that is gone holds nothing.
 */
static enum err facts_large(const struct json *j, uint32_t large, const char *dir, struct arena *a, struct buf *out,
                            struct facts *r)
{
    JSON_PAIRS(j, large, name, v)
    {
        struct str hash = json_str(j, json_type(j, v) == JSON_OBJECT ? json_get(j, v, STR("sha256")) : v, a);
        enum err e = json_str_is(j, name, STR("policies")) ? ERR_NOT_FOUND : audit_large(dir, hash, out, NULL);
        if (e == ERR_NOMEM)
            return e;
        if (e)
            continue;
        struct str all = buf_view(out);
        facts_text(r, arena_str(a, (struct str){all.p, all.n < FACT_LARGE_BYTES ? all.n : FACT_LARGE_BYTES}));
        if (out->cap > 2 * FACT_LARGE_BYTES) {
            size_t max = out->max;
            buf_done(out);
            buf_init(out, max);
        }
    }
    return ERR_OK;
}

static bool facts_member(const struct json *j, struct str name, uint32_t v, struct arena *a, struct facts *r)
{
    for (size_t i = 0; i < sizeof(facts_members) / sizeof(facts_members[0]); i++)
        if (str_eq(name, facts_members[i].name)) {
            facts_put(r, facts_members[i].fact, json_str(j, v, a));
            return true;
        }
    for (size_t i = 0; i < sizeof(facts_texts) / sizeof(facts_texts[0]); i++)
        if (str_eq(name, facts_texts[i])) {
            if (json_type(j, v) != JSON_NULL)
                facts_text(r, json_raw(j, v));
            return true;
        }
    return false;
}

enum err facts_read(struct str entry, const char *dir, struct arena *a, struct buf *large, struct facts *ret,
                    struct fault *f)
{
    static const struct json_limits deep = {.depth = 1024};
    struct json j;
    ret->n = ret->texts = 0;
    ret->wall_ms = INT64_MIN;
    enum err e = json_parse(&j, entry, a, &deep, NULL);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory to read an entry");
    if (e || json_type(&j, JSON_ROOT) != JSON_OBJECT)
        return ERR_OK;
    JSON_PAIRS(&j, JSON_ROOT, k, v)
    {
        struct str name = json_raw(&j, k);
        name = (struct str){name.p + 1, name.n - 2};
        enum json_type type = json_type(&j, v);
        if (type == JSON_NULL || facts_member(&j, name, v, a, ret))
            continue;
        if (str_eq(name, STR("result")))
            facts_put(ret, FACT_DECISION, json_str(&j, v, a));
        else if (str_eq(name, STR("policyDecision")))
            facts_decision(&j, v, ret);
        else if (str_eq(name, STR("timestamp")) && clock_parse(json_str(&j, v, a), &ret->wall_ms))
            ret->wall_ms = INT64_MIN;
        else if (str_eq(name, STR("chain")))
            facts_chain(&j, v, a, ret);
        else if (str_eq(name, STR("large")) && dir)
            e = facts_large(&j, v, dir, a, large, ret);
    }
    return e || arena_failed(a) ? fault_set(f, ERR_NOMEM, "no memory to read an entry") : ERR_OK;
}

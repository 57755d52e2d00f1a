#include "cli/policy_case.h"

#include "base/clock.h"
#include "base/near.h"

const char *const policy_effects[] = {
    [POLICY_DENY] = "deny", [POLICY_APPROVE] = "approve", [POLICY_ALLOW] = "allow", NULL};

enum { CASE_DEFAULT_S = 1767614400 }; /* 2026-01-05T12:00:00Z, a Monday */

struct case_reading {
    struct yaml *y;
    struct arena *a;
    struct policy_cases *all;
    bool bad;
};

#define case_fault(r, at, ...)                                                                                         \
    do {                                                                                                               \
        yaml_fault((r)->y, (at), __VA_ARGS__);                                                                         \
        (r)->bad = true;                                                                                               \
    } while (0)

typedef void case_reader(struct case_reading *r, uint32_t at, const char *key, void *to);
struct case_key {
    const char *name;
    case_reader *read;
    size_t offset;
};

static void case_keys(struct case_reading *r, uint32_t at, const char *what, const struct case_key *key, void *to);

/* ---- values ---- */

static void case_str(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct str *s = to;
    enum json_type t = json_type(&r->y->j, at);
    if (t == JSON_STRING)
        *s = arena_str(r->a, json_str(&r->y->j, at, r->a));
    else
        case_fault(r, at, "%s: must be a text%s", key, t == JSON_NUMBER ? ": put it in quotes" : "");
}

static void case_count(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    int64_t *i = to;
    if (!json_i64(&r->y->j, at, i) || *i < 0 || *i > 1000000000)
        case_fault(r, at, "%s: must be a whole number from 0 to 1000000000", key);
}

struct case_list {
    const struct str **v;
    size_t *n;
    bool *said; /* or NULL */
};

static void case_strs(struct case_reading *r, uint32_t at, const char *key, const struct case_list *to)
{
    const struct json *j = &r->y->j;
    size_t n = 0;
    if (json_type(j, at) != JSON_ARRAY) {
        case_fault(r, at, "%s: must be a list, such as [a, b]", key);
        return;
    }
    struct str *v = arena_alloc(r->a, (j->node[at].size + 1) * sizeof(*v));
    JSON_EACH(j, at, e)
    if (v)
        case_str(r, e, key, &v[n++]);
    *to->v = v;
    *to->n = n;
    if (to->said)
        *to->said = true;
}

static void case_scopes(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_call *c = to;
    case_strs(r, at, key, &(struct case_list){&c->scope, &c->scopes, &c->scopes_said});
}

static void case_taints(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_call *c = to;
    case_strs(r, at, key, &(struct case_list){&c->taint, &c->taints, NULL});
}

static void case_time(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_call *c = to;
    if (json_type(&r->y->j, at) != JSON_STRING || clock_parse(json_str(&r->y->j, at, r->a), &c->now_ms))
        case_fault(r, at, "%s: must be a time such as 2026-01-05T12:00:00Z", key);
}

static void case_input(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_call *c = to;
    if (json_type(&r->y->j, at) != JSON_OBJECT)
        case_fault(r, at, "%s: must be a mapping of arguments", key);
    c->doc = r->y->j;
    c->input = at;
}

static void case_session(struct case_reading *r, uint32_t at, const char *key, void *to)
{
#define AT(name) offsetof(struct policy_call, name)
    static const struct case_key keys[] = {
        {"user", case_str, AT(user)},     {"tier", case_str, AT(tier)},     {"trigger", case_str, AT(trigger)},
        {"scopes", case_scopes, 0},       {"calls", case_count, AT(calls)}, {"age", case_count, AT(age)},
        {"source", case_str, AT(source)}, {"taints", case_taints, 0},       {NULL, NULL, 0}};
    case_keys(r, at, key, keys, to);
}

static void case_context(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    static const struct case_key keys[] = {{"session", case_session, 0}, {"time", case_time, 0}, {NULL, NULL, 0}};
    case_keys(r, at, key, keys, to);
}

static void case_agent(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    static const struct case_key keys[] = {{"id", case_str, AT(agent)},
                                           {"type", case_str, AT(type)},
                                           {"version", case_str, AT(version)},
                                           {"owner", case_str, AT(owner)},
                                           {"environment", case_str, AT(environment)},
                                           {NULL, NULL, 0}};
    case_keys(r, at, key, keys, to);
}
#undef AT

static void case_expect(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_case *c = to;
    for (int i = POLICY_DENY; i <= POLICY_ALLOW; i++)
        if (json_str_is(&r->y->j, at, str_of(policy_effects[i]))) {
            c->expect = i;
            return;
        }
    case_fault(r, at, "%s: must be allow, deny or approve", key);
}

static void case_risk(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct str *s = to;
    for (unsigned i = 0; duty_risks[i]; i++)
        if (json_str_is(&r->y->j, at, str_of(duty_risks[i])))
            *s = str_of(duty_risks[i]);
    if (!s->n)
        case_fault(r, at, "%s: must be none, low, medium, high or critical", key);
}

static void case_set(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_case *c = to;
    if (json_type(&r->y->j, at) != JSON_OBJECT)
        case_fault(r, at, "%s: must be a mapping of arguments and what they are changed to", key);
    c->set = at;
    c->set_said = true;
}

static void case_policies(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_case *c = to;
    case_strs(r, at, key, &(struct case_list){&c->policy, &c->policies, &c->policies_said});
}

/* ---- mappings ---- */

static const struct case_key *case_find(const struct case_key *key, const struct json *j, uint32_t k)
{
    while (key->name && !json_str_is(j, k, str_of(key->name)))
        key++;
    return key->name ? key : NULL;
}

static void case_unknown(struct case_reading *r, uint32_t at, const struct case_key *key)
{
    struct buf all CLEANUP(buf_done);
    struct str name = json_str(&r->y->j, at, r->a);
    const char *near = NULL;
    size_t best = 3;
    buf_init(&all, 4096);
    for (; key->name; key++) {
        size_t d = near_distance(name, str_of(key->name));
        near = d < best ? key->name : near;
        best = d < best ? d : best;
        buf_fmt(&all, "%s%s", all.n ? ", " : "", key->name);
    }
    if (near)
        case_fault(r, at, "there is no key " STR_FMT "; did you mean %s?", STR_ARG(name), near);
    else
        case_fault(r, at, "there is no key " STR_FMT " here; there are " STR_FMT, STR_ARG(name),
                   STR_ARG(buf_view(&all)));
}

static void case_keys(struct case_reading *r, uint32_t at, const char *what, const struct case_key *key, void *to)
{
    const struct json *j = &r->y->j;
    if (json_type(j, at) != JSON_OBJECT) {
        case_fault(r, at, "%s: must be a mapping", what);
        return;
    }
    JSON_PAIRS(j, at, k, v)
    {
        const struct case_key *found = case_find(key, j, k);
        if (found)
            found->read(r, v, found->name, (char *)to + found->offset);
        else
            case_unknown(r, k, key);
    }
}

static void case_one(struct case_reading *r, uint32_t at, size_t number)
{
#define AT(name) offsetof(struct policy_case, name)
    static const struct case_key keys[] = {
        {"name", case_str, AT(name)},
        {"agent", case_agent, AT(call)},
        {"tool", case_str, AT(call.tool)},
        {"input", case_input, AT(call)},
        {"context", case_context, AT(call)},
        {"expect", case_expect, 0},
        {"policies", case_policies, 0},
        {"reason", case_str, AT(reason)},
        {"risk", case_risk, AT(risk)},
        {"set", case_set, 0},
        {NULL, NULL, 0},
    };
#undef AT
    const struct json *j = &r->y->j;
    struct policy_case *c = &r->all->v[r->all->n++];
    *c = (struct policy_case){.line = r->y->place[at].line, .name = arena_fmt(r->a, "case %zu", number)};
    policy_call_init(&c->call, CASE_DEFAULT_S * (int64_t)1000);
    case_keys(r, at, "a case", keys, c);
    if (json_type(j, at) != JSON_OBJECT)
        return;
    if (!json_get(j, at, STR("tool")))
        case_fault(r, at, "tool: is needed, as server/tool");
    if (!json_get(j, at, STR("expect")))
        case_fault(r, at, "expect: is needed: allow, deny or approve");
}

static void case_all(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    const struct json *j = &r->y->j;
    struct policy_cases *all = to;
    size_t number = 0;
    if (json_type(j, at) != JSON_ARRAY || !j->node[at].size) {
        case_fault(r, at, "%s: must be a list with a case in it", key);
        return;
    }
    all->v = arena_alloc(r->a, j->node[at].size * sizeof(*all->v));
    JSON_EACH(j, at, one)
    if (all->v)
        case_one(r, one, ++number);
}

static void case_files(struct case_reading *r, uint32_t at, const char *key, void *to)
{
    struct policy_cases *all = to;
    case_strs(r, at, key, &(struct case_list){&all->policy, &all->policies, NULL});
    if (!r->bad && !all->policies)
        case_fault(r, at, "%s: must name a file; or leave it out for those of the configuration", key);
}

enum err policy_cases_read(struct str file, struct str text, struct arena *a, struct buf *faults,
                           struct policy_cases *ret)
{
    static const struct case_key keys[] = {{"policies", case_files, 0}, {"cases", case_all, 0}, {NULL, NULL, 0}};
    struct policy_cases all = {.n = 0};
    struct case_reading r = {.a = a, .all = &all};
    TRY(yaml_read(file, text, a, faults, &all.yaml));
    r.y = &all.yaml;
    case_keys(&r, JSON_ROOT, "the file", keys, &all);
    if (!r.bad && !all.n)
        case_fault(&r, JSON_ROOT, "cases: is needed, a list of cases");
    if (arena_failed(a))
        return ERR_NOMEM;
    if (r.bad)
        return ERR_CONFIG;
    *ret = all;
    return ERR_OK;
}

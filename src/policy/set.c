/* A set of policies for the tools that are known: their vocabulary, then the policies by it. */
#include "policy/set.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SET_MEMORY = 512 << 20 };

/* ---- tools and actions ---- */

static const struct conf_tool *set_rule(const struct conf_root *conf, struct str id)
{
    for (size_t i = 0; i < conf->tools.n; i++)
        if (str_glob(conf->tools.v[i].name, id))
            return &conf->tools.v[i];
    return NULL;
}

static const char *set_risk(const struct conf_root *conf, struct str id)
{
    int64_t risk = DUTY_RISK_NONE;
    for (size_t i = 0; i < conf->tools.n; i++) /* of several patterns that fit, the higher risk */
        if (conf->tools.v[i].risk > risk && str_glob(conf->tools.v[i].name, id))
            risk = conf->tools.v[i].risk;
    return duty_risks[risk ? risk : DUTY_RISK_HIGH]; /* what nobody has looked at */
}

static enum err set_tool(struct policy_set *s, const struct policy_fact *fact, const struct conf_root *conf,
                         struct policy_tool *t)
{
    struct arena *a = &s->arena;
    const struct conf_tool *rule = set_rule(conf, fact->id);
    *t = (struct policy_tool){.fact = *fact, .risk = set_risk(conf, fact->id), .read_only = rule && rule->read_only};
    t->fact.id = arena_str(a, fact->id);
    t->fact.server = arena_str(a, fact->server);
    t->fact.name = arena_str(a, fact->name);
    t->fact.definition = arena_str(a, fact->definition);
    t->uid = cedar_uid(STR("Tool"), t->fact.id);
    t->server_uid = cedar_uid(STR("Server"), t->fact.server);
    if (arena_failed(a) || json_parse(&t->claims_doc, t->fact.definition, a, NULL, NULL))
        return ERR_NOMEM; /* a definition was parsed before it came here */
    t->input = shape_of(&t->claims_doc, json_get(&t->claims_doc, JSON_ROOT, STR("inputSchema")), a);
    t->claims = json_get(&t->claims_doc, JSON_ROOT, STR("annotations"));
    return t->input ? ERR_OK : ERR_NOMEM;
}

static int set_cmp_tool(const void *a, const void *b)
{
    return str_cmp(((const struct policy_tool *)a)->fact.id, ((const struct policy_tool *)b)->fact.id);
}

static void set_slots(struct policy_set *s)
{
    uint32_t size = 16;
    while (size < 2 * s->tools)
        size *= 2;
    s->mask = size - 1;
    s->slot = arena_alloc(&s->arena, size * sizeof(*s->slot));
    for (uint32_t i = 0; s->slot && i < s->tools; i++) {
        uint32_t at = (uint32_t)s->tool[i].uid.hash & s->mask;
        while (s->slot[at])
            at = (at + 1) & s->mask;
        s->slot[at] = i + 1;
    }
}

const struct policy_tool *policy_set_known(const struct policy_set *s, struct str id)
{
    uint64_t h = cedar_uid_hash(STR("Tool"), id);
    for (uint32_t at = (uint32_t)h & s->mask; s->slot[at]; at = (at + 1) & s->mask) {
        const struct policy_tool *t = &s->tool[s->slot[at] - 1];
        if (str_eq(t->fact.id, id))
            return t;
    }
    return NULL;
}

const struct policy_tool *policy_set_tool(const struct policy_set *s, struct str id, const char *hash)
{
    const struct policy_tool *t = policy_set_known(s, id);
    return t && memcmp(t->fact.hash, hash, sizeof(t->fact.hash)) == 0 ? t : NULL;
}

/* Tools of one name, at several servers, are one action: its input is what they have in common. */
static struct policy_action *set_action(struct policy_set *s, struct str name)
{
    for (size_t i = 0; i < s->actions; i++)
        if (str_eq(s->action[i].name, name))
            return &s->action[i];
    return NULL;
}

/* A tool may be called like one of our groups. Then its action has the tool's whole name. */
static struct str set_action_name(const struct policy_tool *t)
{
    bool ours = str_is(t->fact.name, "read-only") || str_is(t->fact.name, "side-effect") ||
                str_starts(t->fact.name, STR("server:"));
    return ours ? t->fact.id : t->fact.name;
}

static enum err set_actions(struct policy_set *s)
{
    s->action = arena_alloc(&s->arena, (s->tools + 1) * sizeof(*s->action));
    if (!s->action)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->tools; i++) {
        struct policy_tool *t = &s->tool[i];
        struct str name = set_action_name(t);
        struct policy_action *a = set_action(s, name);
        if (!a) {
            a = &s->action[s->actions++];
            *a = (struct policy_action){name, cedar_uid(STR("Action"), name), t->input, t->read_only};
        } else {
            a->input = shape_common(a->input, t->input, &s->arena);
            a->read_only = a->read_only && t->read_only;
        }
        if (!a->input)
            return ERR_NOMEM;
        t->action = (unsigned)(a - s->action);
    }
    for (size_t i = 0; i < s->tools; i++)
        s->tool[i].input = s->action[s->tool[i].action].input;
    return ERR_OK;
}

static enum err set_tools(struct policy_set *s, const struct policy_fact *fact, size_t n, const struct conf_root *conf)
{
    s->tool = arena_alloc(&s->arena, (n + 1) * sizeof(*s->tool));
    if (!s->tool)
        return ERR_NOMEM;
    for (; s->tools < n; s->tools++)
        TRY(set_tool(s, &fact[s->tools], conf, &s->tool[s->tools]));
    qsort(s->tool, n, sizeof(*s->tool), set_cmp_tool);
    TRY(set_actions(s));
    set_slots(s);
    return s->slot ? ERR_OK : ERR_NOMEM;
}

/* ---- entities ---- */

static const struct cedar_record *set_claims(struct policy_set *s, const struct policy_tool *t)
{
    static const char *const hints[] = {"destructiveHint", "idempotentHint", "openWorldHint", "readOnlyHint"};
    struct cedar_field f[4];
    struct cedar_value v;
    size_t n = 0;
    for (unsigned i = 0; i < 4; i++) {
        enum json_type j = json_type(&t->claims_doc, json_get(&t->claims_doc, t->claims, str_of(hints[i])));
        if (j == JSON_TRUE || j == JSON_FALSE)
            f[n++] = (struct cedar_field){str_of(hints[i]), cedar_bool(j == JSON_TRUE)};
    }
    return cedar_record_of(f, n, &s->arena, &v) ? NULL : v.record;
}

static enum err set_entity(struct policy_set *s, struct cedar_entities_new *b, const struct policy_tool *t,
                           struct fault *f)
{
    struct cedar_value attrs;
    const struct cedar_record *claims = set_claims(s, t);
    if (!claims)
        return fault_set(f, ERR_NOMEM, "no memory for policies");
    const struct cedar_field fields[] = {
        {STR("claims"), {.kind = CEDAR_RECORD, .record = claims}},
        {STR("name"), cedar_string(t->fact.name)},
        {STR("risk"), cedar_string(str_of(t->risk))},
        {STR("server"), cedar_string(t->fact.server)},
    };
    TRY(cedar_record_of(fields, 4, &s->arena, &attrs));
    TRY(cedar_entities_add(b, &t->server_uid, NULL, NULL, NULL, 0, f));
    return cedar_entities_add(b, &t->uid, attrs.record, NULL, &t->server_uid, 1, f);
}

static enum err set_entities(struct policy_set *s, struct fault *f)
{
    struct cedar_entities_new *b = cedar_entities_begin(SET_MEMORY);
    if (!b)
        return fault_set(f, ERR_NOMEM, "no memory for policies");
    enum err e = cedar_entities_read(b, STR("[]"), s->schema, f); /* the actions */
    for (size_t i = 0; i < s->tools && !e; i++)
        e = set_entity(s, b, &s->tool[i], f);
    if (e) {
        cedar_entities_drop(b);
        return e;
    }
    return cedar_entities_done(b, &s->entities, f);
}

/* ---- the whole ---- */

static enum err set_make(struct policy_set *s, const struct conf_root *conf, const struct policy_fact *fact, size_t n,
                         struct buf *faults)
{
    struct fault f = {.text = ""};
    bool shadow = false;
    for (size_t i = 0; i < s->texts->n; i++)
        shadow = shadow || !s->texts->v[i].enforce;
    if (zone_load(conf->policy.timezone, &s->arena, &s->zone, &f)) {
        buf_fmt(faults, "policy.timezone: %s\n", f.text);
        return ERR_CONFIG;
    }
    TRY(set_tools(s, fact, n, conf));
    vocabulary_schema(s->tool, s->tools, s->action, s->actions, &s->vocabulary);
    TRY(cedar_schema_parse(STR("the gateway's vocabulary"), buf_view(&s->vocabulary), &s->schema, faults));
    enum err e = set_entities(s, &f);
    if (e) {
        buf_fmt(faults, "the gateway's vocabulary: %s\n", f.text);
        return e;
    }
    TRY(policy_load(s, false, &s->policies, &s->program, faults));
    if (shadow)
        TRY(policy_load(s, true, &s->shadow_policies, &s->shadow, faults));
    policy_reads(s, shadow ? s->shadow_policies : s->policies);
    return arena_failed(&s->arena) ? ERR_NOMEM : ERR_OK;
}

enum err policy_set_new(struct policy_texts *texts, const struct conf_root *conf, const struct policy_fact *fact,
                        size_t n, struct policy_set **ret, struct buf *faults)
{
    struct policy_set *s = calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->refs = 1;
    s->texts = policy_texts_ref(texts);
    arena_init(&s->arena, SET_MEMORY);
    buf_init(&s->vocabulary, CEDAR_TEXT_MAX);
    enum err e = set_make(s, conf, fact, n, faults);
    if (e == ERR_NOMEM && !faults->n)
        buf_z(faults, "no memory for policies\n");
    if (e) {
        policy_set_unref(s);
        return e == ERR_NOMEM ? e : ERR_CONFIG;
    }
    *ret = s;
    return ERR_OK;
}

struct policy_set *policy_set_ref(struct policy_set *s)
{
    if (s)
        atomic_fetch_add(&s->refs, 1);
    return s;
}

void policy_set_unref(struct policy_set *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    cedar_program_free(s->shadow);
    cedar_program_free(s->program);
    cedar_policies_free(s->shadow_policies);
    cedar_policies_free(s->policies);
    cedar_entities_free(s->entities);
    cedar_schema_free(s->schema);
    buf_done(&s->vocabulary);
    arena_done(&s->arena);
    policy_texts_unref(s->texts);
    free(s);
}

const struct policy_texts *policy_set_texts(const struct policy_set *s)
{
    return s->texts;
}

void policy_set_schema(const struct policy_set *s, struct buf *out)
{
    buf_str(out, buf_view(&s->vocabulary));
}

static void set_wait_json(void *ctx, struct str id, struct str tool)
{
    struct json_out *o = ctx;
    json_open(o, '{');
    json_kv_str(o, "policy", id);
    json_kv_str(o, "tool", tool);
    json_close(o, '}');
}

void policy_set_waiting_json(const struct policy_set *s, struct json_out *o)
{
    json_key(o, STR("waiting"));
    json_open(o, '[');
    if (s)
        policy_set_waiting(s, set_wait_json, o);
    json_close(o, ']');
}

size_t policy_set_waiting(const struct policy_set *s, void (*policy)(void *ctx, struct str id, struct str tool),
                          void *ctx)
{
    for (size_t i = 0; policy && i < s->waits; i++)
        policy(ctx, s->wait[i].id, s->wait[i].tool);
    return s->waits;
}

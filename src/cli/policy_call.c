#include "cli/policy_call.h"

#include <arpa/inet.h>

#include "base/near.h"
#include "policy/set.h"
#include "schema/schema.h"

void policy_call_init(struct policy_call *c, int64_t now_ms)
{
    *c = (struct policy_call){.agent = STR("test"),
                              .type = STR("test"),
                              .version = STR("1.0.0"),
                              .environment = STR("production"),
                              .owner = STR("test"),
                              .source = STR("127.0.0.1"),
                              .now_ms = now_ms};
}

void policy_made_done(struct policy_made *m)
{
    if (m->lease)
        lease_unref(m->lease);
    m->lease = NULL;
}

static enum err call_tool(const struct policy_call *c, const struct policy_set *s, struct policy_made *m,
                          const struct policy_tool **ret, struct fault *f)
{
    const struct policy_tool *t = policy_set_known(s, c->tool);
    size_t best = 5;
    struct str near = STR_NONE;
    if (!t) {
        for (size_t i = 0; i < s->tools; i++) {
            size_t d = near_distance(s->tool[i].fact.id, c->tool);
            near = d < best ? s->tool[i].fact.id : near;
            best = d < best ? d : best;
        }
        return near.n ? fault_set(f, ERR_NOT_FOUND, "there is no tool " STR_FMT "; did you mean " STR_FMT "?",
                                  STR_ARG(c->tool), STR_ARG(near))
                      : fault_set(f, ERR_NOT_FOUND,
                                  "there is no tool " STR_FMT " among those that are known (server/tool)",
                                  STR_ARG(c->tool));
    }
    m->tool = (struct tool){.id = t->fact.id, .server = t->fact.server, .name = t->fact.name};
    memcpy(m->tool.hash, t->fact.hash, sizeof(m->tool.hash));
    *ret = t;
    return ERR_OK;
}

static enum err call_source(struct str text, struct policy_made *m, struct fault *f)
{
    char z[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in *v4 = (void *)&m->source;
    struct sockaddr_in6 *v6 = (void *)&m->source;
    m->source = (struct sockaddr_storage){.ss_family = AF_INET};
    memcpy(z, text.p, text.n < sizeof(z) ? text.n : sizeof(z) - 1);
    if (text.n < sizeof(z) && inet_pton(AF_INET, z, &v4->sin_addr) == 1)
        return ERR_OK;
    m->source.ss_family = AF_INET6;
    if (text.n < sizeof(z) && inet_pton(AF_INET6, z, &v6->sin6_addr) == 1)
        return ERR_OK;
    return fault_set(f, ERR_PARAMS, "source: must be an address such as 192.0.2.7 or 2001:db8::1, not " STR_FMT,
                     STR_ARG(text));
}

static struct lease *call_lease(const struct policy_call *c, struct arena *a)
{
    struct lease *l = lease_new();
    struct str *scope = arena_alloc(a, sizeof(*scope));
    if (!l || !scope) {
        if (l)
            lease_unref(l);
        return NULL;
    }
    *scope = ARENA_JOIN(a, STR("tool:"), c->tool, STR(":execute"));
    l->sid = STR("test");
    l->agent_id = c->agent;
    l->agent_type = c->type;
    l->agent_version = c->version;
    l->agent_env = c->environment;
    l->agent_owner = c->owner;
    l->user = c->user;
    l->tier = c->tier;
    l->trigger = c->trigger;
    l->scope = c->scopes_said ? c->scope : scope;
    l->scope_count = c->scopes_said ? c->scopes : 1;
    l->created = c->now_ms - c->age * 1000;
    l->used = c->calls;
    return l;
}

/* What the stage before the policies does. */
static enum err call_fits(const struct policy_tool *t, const struct json *doc, uint32_t input, struct arena *a,
                          struct fault *f)
{
    struct schema *schema CLEANUP(schema_unrefp) = NULL;
    uint32_t at = json_get(&t->claims_doc, JSON_ROOT, STR("inputSchema"));
    if (schema_compile(json_raw(&t->claims_doc, at), NULL, NULL, &schema, f))
        return fault_wrap(f, "the schema of " STR_FMT, STR_ARG(t->fact.id));
    enum err e = schema_validate(schema, doc, input, a, f);
    return e ? fault_wrap(f, "the gateway refuses these arguments before it asks a policy") : e;
}

enum err policy_call_make(const struct policy_call *c, const struct policy_set *s, struct arena *a,
                          struct policy_made *m, struct policy_question *ret, struct fault *f)
{
    const struct policy_tool *t;
    *m = (struct policy_made){.lease = NULL};
    TRY(call_tool(c, s, m, &t, f));
    if (c->source.n)
        TRY(call_source(c->source, m, f));
    TRY(json_parse(&m->empty, STR("{}"), a, NULL, f));
    const struct json *doc = c->input ? &c->doc : &m->empty;
    uint32_t input = c->input ? c->input : JSON_ROOT;
    TRY(call_fits(t, doc, input, a, f));
    m->lease = call_lease(c, a);
    if (!m->lease || arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for a call");
    *ret = (struct policy_question){.lease = m->lease,
                                    .tool = &m->tool,
                                    .doc = doc,
                                    .arguments = input,
                                    .source = c->source.n ? &m->source : NULL,
                                    .taint = c->taint,
                                    .taints = c->taints,
                                    .now_ms = c->now_ms};
    return ERR_OK;
}

/* private_key_jwt: an agent proves itself with its own key (RFC 7523 section 3; audience: the issuer and nothing else).
 */
#include "base/clock.h"
#include "oauth/oauth.h"

enum { PROVE_SKEW_S = 30, PROVE_JTI_MAX = 256 };

/* "aud" is the issuer: as a string, or as a list of this one. */
static bool prove_audience(const struct json *j, struct str issuer)
{
    uint32_t aud = json_get(j, JSON_ROOT, STR("aud"));
    if (json_type(j, aud) == JSON_ARRAY) {
        uint32_t first = json_first(j, aud);
        return first && !json_next(j, aud, first) && json_str_is(j, first, issuer);
    }
    return json_str_is(j, aud, issuer);
}

static enum err prove_times(const struct oauth *o, const struct json *j, int64_t now_ms, int64_t max_age_ms,
                            int64_t *ret_until, struct fault *f)
{
    int64_t exp, iat, nbf, now = now_ms / 1000, max_age = max_age_ms / 1000;
    if (!json_i64(j, json_get(j, JSON_ROOT, STR("exp")), &exp) ||
        !json_i64(j, json_get(j, JSON_ROOT, STR("iat")), &iat))
        return fault_set(f, ERR_CLIENT_AUTH,
                         "the assertion must say when it was made (iat) and when it ends (exp), as whole seconds");
    if (exp <= now)
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion has expired: make a new one");
    uint32_t begins = json_get(j, JSON_ROOT, STR("nbf"));
    if (begins && !json_i64(j, begins, &nbf))
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion's nbf must be whole seconds");
    if (iat > now + PROVE_SKEW_S || (begins && nbf > now + PROVE_SKEW_S))
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion is from the future: compare the clocks");
    if (exp > now + max_age + PROVE_SKEW_S || iat < now - max_age)
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion is good for longer than %lld s: make it shorter",
                         (long long)max_age);
    /* Which assertions were used is forgotten at a restart: those from before are not taken. When that was, the clock
     * of now says, which may have been set since. */
    int64_t started_ms = now_ms - (clock_mono_ns() - o->started_ns) / 1000000;
    if (iat < started_ms / 1000 - 1)
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion was made before this gateway started: make a new one");
    *ret_until = (exp + PROVE_SKEW_S) * 1000; /* remembered for longer than any thread's clock takes it */
    return ERR_OK;
}

static enum err prove_claims(struct oauth *o, const struct json *j, const struct agent *agent, struct arena *a,
                             struct fault *f)
{
    struct conf *conf = conf_slot_get(o->conf);
    int64_t until = 0, now = clock_wall_ms(), max_age = conf->root.token.assertion_max_age;
    conf_unref(conf);
    if (!json_str_is(j, json_get(j, JSON_ROOT, STR("sub")), agent->id))
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion's iss and sub must both be the agent's id");
    if (!prove_audience(j, o->issuer))
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion's aud must be " STR_FMT " and nothing else",
                         STR_ARG(o->issuer));
    TRY(prove_times(o, j, now, max_age, &until, f));
    struct str jti = json_str(j, json_get(j, JSON_ROOT, STR("jti")), a);
    if (!jti.n || jti.n > PROVE_JTI_MAX)
        return fault_set(f, ERR_CLIENT_AUTH, "the assertion needs a jti of 1 to %d bytes, new each time",
                         PROVE_JTI_MAX);
    TRY(agent_usable(agent, now, f));
    enum err e = replay_first(o->replay, agent->id, jti, until, now);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory to remember the assertion: try again with a new one");
    return e ? fault_set(f, e, "the assertion was used before: make a new one") : ERR_OK;
}

/* A signature of the key that the header names, or of any key of the agent's when it names none. */
static bool prove_signature(const struct agent *agent, struct str kid, struct str assertion, struct arena *a,
                            struct str *ret_payload)
{
    int64_t now = clock_wall_ms();
    for (size_t i = agent->key_count; i-- > 0;)
        if (agent_key_proves(&agent->key[i], kid, now) &&
            jose_verify(agent->key[i].key, assertion, NULL, a, ret_payload, NULL) == ERR_OK)
            return true;
    return false;
}

enum err oauth_prove_agent(struct oauth *o, struct str assertion, struct arena *a, struct agent **ret,
                           struct str *ret_who, struct fault *f)
{
    struct jose_peek peek;
    struct str payload;
    struct json j;
    struct agent *agent CLEANUP(agent_unrefp) = NULL;
    if (jose_peek(assertion, a, &peek, f))
        return fault_wrap(f, "client_assertion"), f->err = ERR_CLIENT_AUTH;
    agent = agents_find(o->agents, json_str(&peek.claims, json_get(&peek.claims, JSON_ROOT, STR("iss")), a));
    /* Unknown agents and wrong keys get one answer: who is registered is nobody's business. */
    static const char nobody[] =
        "the assertion proves no registered agent: its iss, or the key that signed it, is not known here";
    if (!agent)
        return fault_set(f, ERR_CLIENT_AUTH, nobody);
    if (!prove_signature(agent, peek.kid, assertion, a, &payload) || json_parse(&j, payload, a, NULL, f))
        return fault_set(f, ERR_CLIENT_AUTH, nobody);
    *ret_who = arena_str(a, agent->id);
    TRY(prove_claims(o, &j, agent, a, f));
    *ret = agent_ref(agent);
    return ERR_OK;
}

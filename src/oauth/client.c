/* What every endpoint for agents asks first: a form, and whose it is (private_key_jwt, RFC 7521 section 4.2). */
#include "oauth/oauth.h"

#define JWT_BEARER "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

enum err oauth_form(struct exchange *x, struct form_field *form, size_t count, struct fault *f)
{
    struct str type = http_header(&x->head, "content-type"), kind;
    str_cut(&type, ';', &kind);
    if (!str_ieq(str_trim(kind), STR("application/x-www-form-urlencoded")))
        return fault_set(f, ERR_INVALID, "Content-Type must be application/x-www-form-urlencoded");
    return form_read(x->body, form, count, &x->arena, f);
}

enum err oauth_client(struct oauth *o, const struct form_field *form, struct arena *a, struct agent **ret,
                      struct str *ret_who, struct fault *f)
{
    struct str type = form[0].value, assertion = form[1].value, id = form[2].value;
    struct agent *agent CLEANUP(agent_unrefp) = NULL;
    if (!assertion.n || !str_is(type, JWT_BEARER))
        return fault_set(f, ERR_CLIENT_AUTH,
                         "client_assertion_type must be " JWT_BEARER
                         " and client_assertion a JWT signed by the agent's key");
    TRY(oauth_prove_agent(o, assertion, a, &agent, ret_who, f));
    if (id.n && !str_eq(id, agent->id))
        return fault_set(f, ERR_CLIENT_AUTH, "client_id is not the agent that the assertion proves");
    *ret = agent_ref(agent);
    return ERR_OK;
}

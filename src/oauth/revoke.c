/* POST /oauth/revoke: an agent that has finished gives its session back (RFC 7009). */
#include "oauth/oauth.h"

enum { FORM_TOKEN = OAUTH_CLIENT_FIELDS, FORM_HINT, FORM_COUNT };

/* A token that is none, or no longer, or somebody else's: there is nothing to take away, and nothing is told of it
 * (section 2.2). */
static enum err revoke_session(struct oauth_worker *w, struct exchange *x, struct str *ret_who, struct fault *f)
{
    struct oauth *o = w->oauth;
    struct form_field form[FORM_COUNT] = {OAUTH_CLIENT_FORM, {"token", STR_NONE}, {"token_type_hint", STR_NONE}};
    struct agent *agent CLEANUP(agent_unrefp) = NULL;
    struct lease *l = NULL;
    struct fault nothing;
    TRY(oauth_form(x, form, FORM_COUNT, f));
    TRY(oauth_client(o, form, &x->arena, &agent, ret_who, f));
    if (!form[FORM_TOKEN].value.n)
        return fault_set(f, ERR_INVALID, "token is missing: the access token of the session that ends");
    if (token_verify(w->tokens, o->keys, o->leases, form[FORM_TOKEN].value, o->issuer, o->resource, &l, &nothing))
        return ERR_OK;
    if (str_eq(l->agent_id, agent->id))
        session_leave(o->sessions, l);
    lease_unref(l);
    return ERR_OK;
}

void oauth_revoke(struct oauth_worker *w, struct exchange *x)
{
    struct fault f;
    struct str who = STR_NONE;
    if (revoke_session(w, x, &who, &f) == ERR_OK) {
        buf_clear(&w->out);
        buf_z(&w->out, "{}"); /* clients ignore it; none of them stumbles over it */
        oauth_answer(w, x, 200);
        return;
    }
    if (f.err == ERR_CLIENT_AUTH)
        oauth_note_failure(w->oauth, x, who, &f);
    oauth_refuse(w, x, &f);
}

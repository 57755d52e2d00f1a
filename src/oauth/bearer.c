/* The check of access tokens, and where a request comes from. */
#include <arpa/inet.h>

#include "oauth/oauth.h"

enum { BEARER_HOPS = 32 };

void oauth_client_address(const struct exchange *x, const struct conf_root *conf, struct sockaddr_storage *ret)
{
    *ret = x->peer;
    /* From the nearest hop on: each address was written by the one before it, and is believed as long as that is
     * trusted. What is no address is nobody's: it must not pass for the proxy that wrote it. */
    for (size_t i = x->head.count; i-- > 0;) {
        if (!str_ieq(x->head.header[i].name, STR("x-forwarded-for")))
            continue;
        struct str list = x->head.header[i].value;
        for (unsigned hops = 0; list.n && hops < BEARER_HOPS; hops++) {
            if (!conf_cidr_match(&conf->trusted_proxies, ret))
                return;
            const char *comma = memrchr(list.p, ',', list.n);
            struct str last = comma ? str_skip(list, (size_t)(comma - list.p) + 1) : list;
            list.n = comma ? (size_t)(comma - list.p) : 0;
            if (!conf_address_parse(str_trim(last), ret)) {
                *ret = (struct sockaddr_storage){0}; /* of no family: no network has it */
                return;
            }
        }
    }
}

static enum err bearer_token(const struct exchange *x, struct str *ret, struct fault *f)
{
    struct str value = http_header(&x->head, "authorization"), scheme;
    str_cut(&value, ' ', &scheme);
    if (!str_ieq(scheme, STR("Bearer")) || !value.n)
        return fault_set(f, ERR_UNAUTHENTICATED, "Authorization must be \"Bearer\" and an access token");
    *ret = str_trim(value);
    return ERR_OK;
}

/* Mostly nobody stands between, and then nobody need be looked up. */
static enum err bearer_client(struct oauth *o, struct exchange *x, struct fault *f)
{
    x->client = &x->peer;
    if (!http_header(&x->head, "x-forwarded-for").p)
        return ERR_OK;
    struct sockaddr_storage *from = arena_alloc(&x->arena, sizeof(*from));
    if (!from)
        return fault_set(f, ERR_NOMEM, "no memory for the request");
    struct conf *conf = conf_slot_get(o->conf);
    oauth_client_address(x, &conf->root, from);
    conf_unref(conf);
    x->client = from;
    return ERR_OK;
}

static enum err bearer_network(struct oauth *o, struct exchange *x, const struct lease *l, struct fault *f)
{
    TRY(bearer_client(o, x, f));
    return !l->cidrs.n || conf_cidr_match(&l->cidrs, x->client)
               ? ERR_OK
               : fault_set(f, ERR_NETWORK, "the session may not be used from this network address");
}

enum err oauth_authenticate(void *ctx, struct exchange *x, struct lease **ret, struct fault *f)
{
    struct oauth_worker *w = ctx;
    struct oauth *o = w->oauth;
    struct lease *l = NULL;
    struct str token;
    enum err e;
    if (stops_all(o->stops))
        return fault_set(f, ERR_ALL_STOPPED, "an operator has stopped everything: nothing is let through");
    if (http_header(&x->head, "authorization").p) {
        TRY(bearer_token(x, &token, f));
        e = token_verify(w->tokens, o->keys, o->leases, token, o->issuer, o->resource, &l, f);
    } else
        e = anonymous_session(o, x, &l, f);
    if (!e)
        e = bearer_network(o, x, l, f);
    if (e) {
        if (e == ERR_TOKEN || e == ERR_NETWORK)
            oauth_note_failure(o, x, l ? l->agent_id : STR_NONE, f);
        lease_unref(l);
        return e;
    }
    *ret = l;
    return ERR_OK;
}

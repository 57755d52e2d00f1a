/* As whom browsers know this gateway: the relying party of passkeys, and the address of the console. */
#include "console/console.h"
#include "net/http.h"

static bool party_default_port(const struct http_url *u)
{
    return u->port == (u->tls ? 443 : 80);
}

/* The address as the configuration or the request says it. The Host was held against admin.allowed_hosts. */
static enum err party_url(const struct conf *conf, struct str host, struct arena *a, struct http_url *ret,
                          struct fault *f)
{
    const struct conf_admin *admin = &conf->root.admin;
    struct str url = admin->public_url;
    if (!url.n)
        url = ARENA_JOIN(a, admin->tls.certificate.n ? STR("https://") : STR("http://"), host);
    return url.p ? http_url_parse(url, ret, f) : fault_set(f, ERR_NOMEM, "no memory for the console's address");
}

static struct str party_lower(struct str s, struct arena *a)
{
    char *p = arena_raw(a, s.n + 1, 1);
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < s.n; i++)
        p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 32 : s.p[i]);
    p[s.n] = 0;
    return (struct str){p, s.n};
}

static struct str party_origin(const struct http_url *u, struct str host, struct arena *a)
{
    const char *scheme = u->tls ? "https" : "http", *open = memchr(host.p, ':', host.n) ? "[" : "";
    const char *close = open[0] ? "]" : "";
    if (party_default_port(u))
        return arena_fmt(a, "%s://%s" STR_FMT "%s", scheme, open, STR_ARG(host), close);
    return arena_fmt(a, "%s://%s" STR_FMT "%s:%u", scheme, open, STR_ARG(host), close, u->port);
}

static bool party_loopback(struct str host)
{
    return str_starts(host, STR("127.")) || str_is(host, "::1");
}

enum err console_party(const struct conf *conf, struct str host, struct arena *a, struct passkey_party *ret,
                       struct fault *f)
{
    struct http_url u;
    struct sockaddr_storage address;
    TRY(party_url(conf, host, a, &u, f));
    struct str name = party_lower(u.host, a), origin = name.p ? party_origin(&u, name, a) : STR_NONE;
    if (!origin.p)
        return fault_set(f, ERR_NOMEM, "no memory for the console's address");
    if (conf_address_parse(name, &address))
        return fault_set(f, ERR_CONFLICT,
                         "passkeys are for a name, and " STR_FMT " is an address: open the console as localhost, or "
                         "under the name that admin.public_url gives it",
                         STR_ARG(name));
    *ret = (struct passkey_party){.id = name, .origin = origin};
    return ERR_OK;
}

struct str console_address(const struct conf *conf, struct str host, struct arena *a)
{
    struct http_url u;
    struct fault f;
    if (party_url(conf, host, a, &u, &f))
        return STR_NONE;
    struct str name = party_lower(u.host, a);
    if (!name.p)
        return STR_NONE;
    return party_origin(&u, party_loopback(name) ? STR("localhost") : name, a);
}

#include "sink/address.h"

#include <stdio.h>

#include "net/http.h"

enum err sink_address_parse(struct str url, const char *scheme, const char *port, struct sink_address *ret,
                            struct fault *f)
{
    struct sink_address a = {.tls = str_starts(url, STR("tls://"))};
    struct http_url u;
    char text[400];
    size_t skip = a.tls ? 6 : strlen(scheme) + 3;
    if (!a.tls && (!str_starts(url, str_of(scheme)) || !str_starts(str_skip(url, skip - 3), STR("://"))))
        return fault_set(f, ERR_CONFIG, "url must be %s://host:%s or tls://host:%s", scheme, port, port);
    struct str rest = str_skip(url, skip);
    int n =
        snprintf(text, sizeof(text), "http://" STR_FMT, STR_ARG(rest)); /* it has hosts and ports of the same form */
    if (n < 0 || (size_t)n >= sizeof(text))
        return fault_set(f, ERR_CONFIG, "url is too long");
    if (http_url_parse((struct str){text, (size_t)n}, &u, f))
        return fault_set(f, ERR_CONFIG,
                         "url is wrong: must be %s://host:%s or tls://host:%s, without user, password and "
                         "path",
                         scheme, port, port);
    if (!str_is(u.target, "/") || u.host.n >= sizeof(a.host))
        return fault_set(f, ERR_CONFIG, "url is wrong: must have a host and a port, and nothing behind");
    snprintf(a.host, sizeof(a.host), STR_FMT, STR_ARG(u.host));
    bool said = u.authority.n > u.host.n + (u.authority.p[0] == '[' ? 2 : 0);
    if (said)
        snprintf(a.port, sizeof(a.port), "%u", (unsigned)u.port);
    else
        snprintf(a.port, sizeof(a.port), "%s", port);
    *ret = a;
    return ERR_OK;
}

enum err sink_address_http(struct str url, struct fault *f)
{
    struct http_url u;
    struct fault why;
    if (http_url_parse(url, &u, &why))
        return fault_set(f, ERR_CONFIG, "url is wrong: %s", why.text);
    return ERR_OK;
}

enum err sink_address_tls(const struct conf_sink *conf, bool tls, struct tls **ret, struct fault *f)
{
    if (!tls && (conf->ca.n || conf->certificate.n))
        return fault_set(f, ERR_CONFIG, "ca, certificate and key go with a tls:// or https:// url only");
    return tls_client_new(conf->ca.n ? conf->ca.p : NULL, conf->certificate.n ? conf->certificate.p : NULL,
                          conf->key.n ? conf->key.p : NULL, ret, f);
}

enum err sink_address_check(const struct conf_sink *conf, bool tls, struct fault *f)
{
    struct tls *t = NULL;
    if (!tls && !conf->ca.n && !conf->certificate.n)
        return ERR_OK;
    TRY(sink_address_tls(conf, tls, &t, f));
    tls_unref(t);
    return ERR_OK;
}

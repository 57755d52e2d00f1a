/* http and https URLs of servers (RFC 9110 4.2): no userinfo, no fragment. */
#include "net/http.h"

enum err http_url_parse(struct str url, struct http_url *ret, struct fault *f)
{
    struct http_url u = {.port = 80, .target = STR("/")};
    if (str_starts(url, STR("https://"))) {
        u.tls = true;
        u.port = 443;
    } else if (!str_starts(url, STR("http://"))) {
        return fault_set(f, ERR_SYNTAX, "a URL must begin with http:// or https://");
    }
    struct str rest = str_skip(url, u.tls ? 8 : 7);
    for (size_t i = 0; i < rest.n; i++)
        if ((unsigned char)rest.p[i] <= 0x20 || (unsigned char)rest.p[i] >= 0x7f || rest.p[i] == '#')
            return fault_set(f, ERR_SYNTAX, "a URL holds neither spaces, controls, a fragment nor raw non-ASCII");
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    u.authority = (struct str){rest.p, n};
    if (n < rest.n)
        u.target = str_skip(rest, n);
    if (memchr(u.authority.p, '@', n))
        return fault_set(f, ERR_SYNTAX, "a URL must not hold a user or password");
    if (u.target.p[0] != '/')
        return fault_set(f, ERR_SYNTAX, "a URL needs a path before its query");
    struct str port = STR_NONE;
    if (n && rest.p[0] == '[') {
        const char *end = memchr(rest.p, ']', n);
        if (!end)
            return fault_set(f, ERR_SYNTAX, "the address lacks its ]");
        u.host = (struct str){rest.p + 1, (size_t)(end - rest.p) - 1};
        port = str_skip(u.authority, u.host.n + 2);
    } else {
        struct str tail = u.authority;
        str_cut(&tail, ':', &u.host);
        port = str_skip(u.authority, u.host.n);
    }
    uint64_t v;
    if (port.n && (port.p[0] != ':' || !str_u64(str_skip(port, 1), &v) || v == 0 || v > 65535))
        return fault_set(f, ERR_SYNTAX, "the port must be a number from 1 to 65535");
    if (port.n)
        u.port = (uint16_t)v;
    if (!u.host.n)
        return fault_set(f, ERR_SYNTAX, "a URL needs a host");
    *ret = u;
    return ERR_OK;
}

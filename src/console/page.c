#include "console/page.h"

#include <stdio.h>

static const struct http_header page_headers[] = {
    {STR("Content-Security-Policy"),
     STR("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
         "trusted-types 'none'")},
    {STR("X-Content-Type-Options"), STR("nosniff")},
    {STR("Referrer-Policy"), STR("no-referrer")},
    {STR("Cross-Origin-Opener-Policy"), STR("same-origin")},
    {STR("Cross-Origin-Resource-Policy"), STR("same-origin")},
    {STR("Permissions-Policy"), STR("publickey-credentials-get=(self), publickey-credentials-create=(self)")},
    {STR("X-Frame-Options"), STR("DENY")}, /* for those who do not know frame-ancestors */
};
enum { PAGE_HEADERS = sizeof(page_headers) / sizeof(page_headers[0]) };
_Static_assert(PAGE_HEADERS + 3 <= CONSOLE_PAGE_HEADERS, "with ETag, Vary and Content-Encoding");

/* ---- what the client says ---- */

/* "0", "0.", "0.000": whatever is greater is a yes. */
static bool page_weight_is_none(struct str q)
{
    if (!q.n || q.p[0] != '0')
        return false;
    for (size_t i = 1; i < q.n; i++)
        if (q.p[i] != (i == 1 ? '.' : '0'))
            return false;
    return true;
}

bool console_takes_gzip(struct str accept)
{
    struct str one, name, param;
    bool any = false;
    while (accept.n) {
        str_cut(&accept, ',', &one);
        str_cut(&one, ';', &name);
        name = str_trim(name);
        bool taken = true;
        while (one.n) {
            str_cut(&one, ';', &param);
            param = str_trim(param);
            if (str_starts(param, STR("q=")) || str_starts(param, STR("Q=")))
                taken = !page_weight_is_none(str_skip(param, 2));
        }
        if (str_ieq(name, STR("gzip")) || str_ieq(name, STR("x-gzip")))
            return taken;
        if (str_is(name, "*"))
            any = taken;
    }
    return any;
}

bool console_has_tag(struct str list, struct str etag)
{
    struct str one;
    while (list.n) {
        str_cut(&list, ',', &one);
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = str_skip(one, 2);
        if (str_is(one, "*") || (one.n && str_eq(one, etag)))
            return true;
    }
    return false;
}

/* ---- the page ---- */

static const struct console_page *page_find(const struct console_page *pages, size_t count, struct str path)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(path, pages[i].path))
            return &pages[i];
    return NULL;
}

/* What is compressed is another representation, and has another tag (RFC 9110, 8.8.3.3). */
static struct str page_etag(const struct console_page *p, bool gzip, char etag[128])
{
    size_t n = strlen(p->etag);
    if (n < 2 || n > 100)
        return STR_NONE;
    snprintf(etag, 128, "%.*s%s\"", (int)(n - 1), p->etag, gzip ? "-gzip" : "");
    return str_of(etag);
}

static void page_header(struct console_answer *r, struct str name, struct str value)
{
    r->header[r->headers++] = (struct http_header){name, value};
}

enum err console_page(const struct console_page *pages, size_t count, const struct http_head *h, char etag[128],
                      struct console_answer *ret, struct fault *f)
{
    bool asset = str_starts(h->path, STR("/assets/"));
    const struct console_page *p = page_find(pages, count, asset ? h->path : STR("/index.html"));
    if (!count)
        return fault_set(f, ERR_NOT_FOUND,
                         "this doorward was built without the console's pages: build it with -Dconsole=enabled");
    if (!p)
        return fault_set(f, ERR_NOT_FOUND, "the console has no file " STR_FMT, STR_ARG(h->path));
    bool gzip = p->gzip_n && console_takes_gzip(http_header(h, "accept-encoding"));
    struct str tag = page_etag(p, gzip, etag);
    struct console_answer r = {.status = 200,
                               .type = str_of(p->type),
                               .cache = p->immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache"),
                               .body = {(const char *)(gzip ? p->gzip : p->plain), gzip ? p->gzip_n : p->plain_n}};
    memcpy(r.header, page_headers, sizeof(page_headers));
    r.headers = PAGE_HEADERS;
    page_header(&r, STR("Vary"), STR("Accept-Encoding"));
    if (tag.n)
        page_header(&r, STR("ETag"), tag);
    if (tag.n && console_has_tag(http_header(h, "if-none-match"), tag)) {
        r.status = 304;
        r.type = r.body = STR_NONE;
    } else if (gzip)
        page_header(&r, STR("Content-Encoding"), STR("gzip"));
    *ret = r;
    return ERR_OK;
}

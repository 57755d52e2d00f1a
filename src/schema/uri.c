#include "schema/uri.h"

struct uri {
    struct str scheme, authority, path, query; /* p == NULL: not there; path is always there */
};

void schema_uri_split(struct str uri, struct str *ret_document, struct str *ret_fragment)
{
    struct str rest = uri, head;
    *ret_fragment = str_cut(&rest, '#', &head) ? rest : STR_NONE;
    *ret_document = head;
}

static bool uri_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool uri_scheme(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!uri_alpha(c) && !(i && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return false;
    }
    return s.n > 0;
}

/* Appendix B. */
static struct uri uri_parse(struct str s)
{
    struct uri u = {0};
    struct str rest = s, head;
    if (str_cut(&rest, ':', &head) && uri_scheme(head)) {
        u.scheme = head;
        s = rest;
    }
    rest = s;
    if (str_cut(&rest, '?', &head))
        u.query = rest;
    s = head;
    if (str_starts(s, STR("//"))) {
        s = str_skip(s, 2);
        size_t n = 0;
        while (n < s.n && s.p[n] != '/')
            n++;
        u.authority = (struct str){s.p, n};
        s = str_skip(s, n);
    }
    u.path = s;
    return u;
}

/* Section 5.2.4; in place, the path only becomes shorter. */
static size_t uri_remove_dots(char *p, size_t n)
{
    size_t in = 0, out = 0;
    while (in < n) {
        struct str s = {p + in, n - in};
        bool last = str_is(s, "/.") || str_is(s, "/..");
        if (str_starts(s, STR("../"))) {
            in += 3;
        } else if (str_starts(s, STR("./"))) {
            in += 2;
        } else if (str_starts(s, STR("/./")) || str_is(s, "/.")) {
            in += 2;
        } else if (str_starts(s, STR("/../")) || str_is(s, "/..")) {
            in += 3;
            while (out > 0 && p[--out] != '/')
                ;
        } else if (str_is(s, ".") || str_is(s, "..")) {
            in = n;
        } else {
            do
                p[out++] = p[in++];
            while (in < n && p[in] != '/');
        }
        if (last)
            p[out++] = '/';
    }
    return out;
}

static char *uri_put(char *to, struct str s)
{
    if (s.n)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

/* Section 5.2.3. */
static struct str uri_merge(const struct uri *base, struct str path, struct arena *a)
{
    struct str head = base->path;
    while (head.n && head.p[head.n - 1] != '/')
        head.n--;
    if (base->authority.p && base->path.n == 0)
        head = STR("/");
    char *p = arena_raw(a, head.n + path.n + 1, 1);
    if (!p)
        return STR_NONE;
    uri_put(uri_put(p, head), path);
    return (struct str){p, head.n + path.n};
}

static struct str uri_write(const struct uri *u, bool clean, struct arena *a)
{
    char *p = arena_raw(a, u->scheme.n + u->authority.n + u->path.n + u->query.n + 5, 1), *to = p;
    if (!p)
        return STR_NONE;
    if (u->scheme.p) {
        to = uri_put(to, u->scheme);
        *to++ = ':';
    }
    if (u->authority.p)
        to = uri_put(uri_put(to, STR("//")), u->authority);
    char *path = to;
    to = uri_put(to, u->path);
    if (clean)
        to = path + uri_remove_dots(path, u->path.n);
    if (u->query.p) {
        *to++ = '?';
        to = uri_put(to, u->query);
    }
    return (struct str){p, (size_t)(to - p)};
}

struct str schema_uri_resolve(struct str base_text, struct str ref, struct arena *a)
{
    struct uri base = uri_parse(base_text), r = uri_parse(ref), t = r;
    bool clean = true;
    if (!r.scheme.p) {
        t.scheme = base.scheme;
        if (!r.authority.p) {
            t.authority = base.authority;
            if (r.path.n == 0) {
                t.path = base.path;
                t.query = r.query.p ? r.query : base.query;
                clean = false;
            } else if (r.path.p[0] != '/') {
                t.path = uri_merge(&base, r.path, a);
                if (!t.path.p)
                    return STR_NONE;
            }
        }
    } else if (!r.authority.p && (r.path.n == 0 || r.path.p[0] != '/')) {
        clean = false; /* urn:… has no hierarchy */
    }
    return uri_write(&t, clean, a);
}

static int uri_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str schema_uri_unescape(struct str s, struct arena *a)
{
    if (!s.n || !memchr(s.p, '%', s.n))
        return s.p ? s : STR("");
    char *p = arena_raw(a, s.n, 1);
    if (!p)
        return STR_NONE;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && uri_hex(s.p[i + 1]) >= 0 && uri_hex(s.p[i + 2]) >= 0) {
            p[n++] = (char)(uri_hex(s.p[i + 1]) << 4 | uri_hex(s.p[i + 2]));
            i += 2;
        } else {
            p[n++] = s.p[i];
        }
    }
    return (struct str){p, n};
}

#include "cli/import_value.h"

#include "audit/audit.h"
#include "net/http.h"

enum { VALUE_MAX = 65536, VALUE_NAME = 127 };

static bool value_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && c != '_' && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return s.n > 0 && s.n <= VALUE_NAME;
}

/* NAME or NAME:-default, as doorward.yaml has it. */
static bool value_reference(struct str inside, struct str *ret_fallback)
{
    const char *dash = memmem(inside.p, inside.n, ":-", 2);
    struct str name = {inside.p, dash ? (size_t)(dash - inside.p) : inside.n};
    *ret_fallback = dash ? str_skip(inside, name.n + 2) : STR_NONE;
    return value_name(name) && !(dash && memmem(dash, ret_fallback->n + 2, "${", 2));
}

static const char *value_why(struct str inside, struct arena *a)
{
    int n = (int)(inside.n < 60 ? inside.n : 60);
    if (str_starts(inside, STR("input:")))
        return arena_fmt(a,
                         "it asks a person for ${%.*s} when it starts, which a gateway cannot: set a variable of the "
                         "gateway's environment, write ${NAME} of it in the client's file, then import again",
                         n, inside.p)
            .p;
    if (str_starts(inside, STR("workspaceFolder")))
        return arena_fmt(a,
                         "it uses ${%.*s}, and a gateway has no workspace: write the path itself in the client's file, "
                         "then import again",
                         n, inside.p)
            .p;
    return arena_fmt(a, "it uses ${%.*s}, which is no variable of an environment: write the value itself, or ${NAME}",
                     n, inside.p)
        .p;
}

static bool value_one(struct str inside, const char *home, struct buf *b)
{
    struct str fallback;
    if (str_starts(inside, STR("env:")))
        inside = str_skip(inside, 4);
    else if (str_is(inside, "userHome")) {
        buf_z(b, home);
        return true;
    } else if (str_is(inside, "/") || str_is(inside, "pathSeparator")) {
        buf_char(b, '/');
        return true;
    }
    if (str_starts(inside, STR("workspaceFolder")) || !value_reference(inside, &fallback))
        return false;
    buf_fmt(b, "${" STR_FMT "}", STR_ARG(inside));
    return true;
}

static bool value_write(struct str text, const char *home, struct buf *b, struct arena *a, const char **why)
{
    while (text.n) {
        const char *at = memmem(text.p, text.n, "${", 2);
        const char *end = at ? memchr(at, '}', text.n - (size_t)(at - text.p)) : NULL;
        buf_put(b, text.p, at ? (size_t)(at - text.p) : text.n);
        if (!at)
            break;
        struct str inside = {at + 2, end ? (size_t)(end - at) - 2 : text.n - (size_t)(at - text.p) - 2};
        if (!end || !value_one(inside, home, b)) {
            *why = value_why(inside, a);
            return false;
        }
        text = str_skip(text, (size_t)(end - text.p) + 1);
    }
    return true;
}

bool import_value(struct str text, const char *home, struct arena *a, struct str *ret, const char **why)
{
    struct buf b;
    if (text.n > VALUE_MAX || (text.n && memchr(text.p, 0, text.n))) {
        *why = "a value is longer than 64 KiB or holds a NUL byte";
        return false;
    }
    buf_init(&b, 4 * VALUE_MAX);
    bool ok = value_write(text, home, &b, a, why);
    if (ok)
        *ret = arena_str(a, buf_view(&b));
    buf_done(&b);
    return ok;
}

/* ---- secrets ---- */

/* The text without its references, but with their defaults. */
static struct str value_rest(struct str text, struct arena *a, bool *ret_references)
{
    struct buf b;
    struct str fallback;
    *ret_references = false;
    buf_init(&b, 4 * VALUE_MAX);
    while (text.n) {
        const char *at = memmem(text.p, text.n, "${", 2);
        const char *end = at ? memchr(at, '}', text.n - (size_t)(at - text.p)) : NULL;
        buf_put(&b, text.p, end ? (size_t)(at - text.p) : text.n);
        if (!end)
            break;
        *ret_references = true;
        value_reference((struct str){at + 2, (size_t)(end - at) - 2}, &fallback);
        buf_str(&b, fallback);
        text = str_skip(text, (size_t)(end - text.p) + 1);
    }
    struct str rest = str_trim(arena_str(a, buf_view(&b)));
    buf_done(&b);
    return rest;
}

static bool value_scheme(struct str s)
{
    return str_ieq(s, STR("Bearer")) || str_ieq(s, STR("Basic")) || str_ieq(s, STR("Token"));
}

bool import_pair(struct import_pair *p, struct arena *a, const char **why)
{
    bool references;
    struct str rest = value_rest(p->value, a, &references);
    if (!rest.n || (references && value_scheme(rest)))
        return true; /* nothing of it stands here */
    p->secret = audit_is_secret(p->name, rest) || str_starts(p->value, STR("file:"));
    if (p->secret && references) { /* a file's content is taken as it is */
        *why =
            arena_fmt(a,
                      "%.*s mixes a secret with ${…}, and can go neither into doorward.yaml nor into a file: make it "
                      "one or the other in the client's file, then import again",
                      (int)(p->name.n < 60 ? p->name.n : 60), p->name.p)
                .p;
        return false;
    }
    return true;
}

bool import_url(struct str url, struct arena *a, const char **why)
{
    struct str query = url, part, name;
    struct http_url parsed;
    struct fault f = {0};
    if (!url.n || (!memmem(url.p, url.n, "${", 2) && http_url_parse(url, &parsed, &f))) {
        *why = arena_fmt(a, "its URL cannot be used: %s", url.n ? f.text : "it is empty").p;
        return false;
    }
    bool secret = audit_is_secret(STR("url"), url);
    str_cut(&query, '?', &part);
    while (query.n && !secret) {
        str_cut(&query, '&', &part);
        str_cut(&part, '=', &name);
        secret = part.n && !str_starts(part, STR("${")) && audit_is_secret(name, part);
    }
    if (secret)
        *why = "its URL holds a secret: put that into the gateway's environment, write ${NAME} in its place in the "
               "client's file, then import again";
    return !secret;
}

/* --api-key VALUE, --api-key=VALUE, API_KEY=VALUE, Authorization: VALUE */
static bool value_argument(struct str before, struct str arg)
{
    struct str value = arg, name;
    if (str_starts(arg, STR("${")))
        return false;
    if (str_cut(&value, '=', &name) && name.n && name.n <= VALUE_NAME && value.n && !str_starts(value, STR("${")) &&
        audit_is_secret(name, value))
        return true;
    value = arg;
    if (!str_starts(arg, STR("-")) && str_cut(&value, ':', &name) && name.n <= VALUE_NAME && value.n &&
        !memmem(value.p, value.n, "${", 2) && !str_starts(value, STR("//")) && audit_is_secret(name, value))
        return true;
    return audit_is_secret(str_starts(before, STR("--")) && !memchr(before.p, '=', before.n) ? before : STR("argument"),
                           arg);
}

/* A program may put ${X} of its own environment in; Doorward would look for X in the gateway's. */
static bool value_own(const struct import_server *s, struct str arg)
{
    for (const char *at; arg.n && (at = memmem(arg.p, arg.n, "${", 2));) {
        arg = str_skip(arg, (size_t)(at - arg.p) + 2);
        for (size_t i = 0; i < s->pair_count; i++)
            if (str_starts(arg, s->pair[i].name) && str_starts(str_skip(arg, s->pair[i].name.n), STR("}")))
                return true;
    }
    return false;
}

bool import_command(const struct import_server *s, struct arena *a, const char **why)
{
    for (size_t i = 0; i < s->command_count; i++) {
        if (i && value_argument(s->command[i - 1], s->command[i])) {
            *why = arena_fmt(a,
                             "argument %zu holds a secret, which every user of the machine could read: put it into the "
                             "program's env, or write ${NAME} in its place in the client's file, then import again",
                             i)
                       .p;
            return false;
        }
        if (value_own(s, s->command[i])) {
            *why = arena_fmt(
                       a,
                       "argument %zu refers to the program's own env, which Doorward would look for in the gateway's "
                       "environment: write the value itself; if it is a bridge such as mcp-remote, write the "
                       "bridged server's url and headers into doorward.yaml instead",
                       i)
                       .p;
            return false;
        }
    }
    return true;
}

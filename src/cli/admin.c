/* The operators' API as the command line reaches it: where it is, and with which token. */
#include <stdlib.h>

#include "cli/http.h"

enum { ADMIN_TOKEN_MAX = 4096 };

/* The key of the gateway on this machine, as it wrote it down itself: its certificate is for the name that others know
 * it by, and the file of the next one may be there before it is in force. */
static const char *admin_pin(struct cli *c)
{
    const struct conf_root *r = &c->conf->root;
    struct secret *pin CLEANUP(secret_freep) = NULL;
    struct str path = arena_fmt(&c->arena, STR_FMT "/operator.pin", STR_ARG(r->data_dir));
    if (!r->admin.tls.tls || !path.p || secret_read(path.p, TLS_PIN, true, &pin, NULL))
        return NULL;
    return arena_str(&c->arena, (struct str){(const char *)secret_bytes(pin), secret_len(pin)}).p;
}

static const char *admin_given(const struct cli *c)
{
    const char *given = cli_option(c, "admin");
    if (!given)
        given = getenv("DOORWARD_ADMIN");
    return given && *given ? given : NULL;
}

bool cli_admin_named(const struct cli *c)
{
    return admin_given(c) != NULL;
}

static enum err admin_url(struct cli *c, struct str *ret, const char **pin, struct fault *f)
{
    const char *given = admin_given(c);
    if (given) {
        *ret = str_of(given);
        while (ret->n && ret->p[ret->n - 1] == '/')
            ret->n--;
        return ERR_OK;
    }
    TRY(cli_config(c, f));
    struct str listen = c->conf->root.admin.listen;
    const char *scheme = c->conf->root.admin.tls.tls ? "https" : "http";
    if (str_starts(listen, STR("0.0.0.0:"))) /* every address is this one too */
        *ret = arena_fmt(&c->arena, "%s://127.0.0.1" STR_FMT, scheme, STR_ARG(str_skip(listen, 7)));
    else if (str_starts(listen, STR("[::]:")))
        *ret = arena_fmt(&c->arena, "%s://[::1]" STR_FMT, scheme, STR_ARG(str_skip(listen, 4)));
    else
        *ret = arena_fmt(&c->arena, "%s://" STR_FMT, scheme, STR_ARG(listen));
    *pin = admin_pin(c);
    return ret->p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for an address");
}

static enum err admin_credential(struct cli *c, struct secret **ret, struct fault *f)
{
    const char *file = cli_option(c, "admin-token-file"), *env = getenv("DOORWARD_ADMIN_TOKEN");
    if (file)
        return secret_read(file, ADMIN_TOKEN_MAX, true, ret, f);
    if (env && *env) {
        *ret = secret_new(env, strlen(env));
        return *ret ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a token");
    }
    TRY(cli_config(c, f));
    struct str path = arena_fmt(&c->arena, STR_FMT "/operator.token", STR_ARG(c->conf->root.data_dir));
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for a path");
    enum err e = secret_read(path.p, ADMIN_TOKEN_MAX, true, ret, f);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_UNREACHABLE,
                         "%s is not there; the gateway makes it when it first starts: doorward serve -c %s", path.p,
                         cli_config_file(c));
    return e;
}

static enum err admin_unreachable(struct cli *c, struct str url, struct fault *f)
{
    const char *file = cli_config_file(c);
    struct fault inner = *f;
    const char *why = strrchr(inner.text, '(');
    return fault_set(f, ERR_UNREACHABLE,
                     "nobody answers at " STR_FMT "%s%s: is the gateway running? doorward serve -c %s", STR_ARG(url),
                     why ? " " : "", why ? why : "", file ? file : "FILE");
}

enum err cli_admin_request(struct cli *c, const char *method, const char *path, struct cli_http *ret,
                           struct secret **ret_token, struct fault *f)
{
    struct str url;
    const char *pin = NULL;
    TRY(admin_url(c, &url, &pin, f));
    struct str full = arena_fmt(&c->arena, STR_FMT "%s", STR_ARG(url), path);
    if (!full.p)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    TRY(admin_credential(c, ret_token, f));
    *ret = (struct cli_http){.method = method, .url = full.p, .bearer = *ret_token, .pin = pin};
    return ERR_OK;
}

enum err cli_admin(struct cli *c, const char *method, const char *path, struct str body, struct json *ret,
                   struct str *text, struct fault *f)
{
    struct secret *token CLEANUP(secret_freep) = NULL;
    struct cli_http h;
    struct json j;
    TRY(cli_admin_request(c, method, path, &h, &token, f));
    h.body = body;
    h.headers[0] = "Accept: application/json";
    h.headers[1] = body.p ? "Content-Type: application/json" : NULL;
    enum err e = cli_http_json(c, &h, &j, text, f);
    if (e == ERR_UNREACHABLE)
        return admin_unreachable(c, (struct str){h.url, strlen(h.url) - strlen(path)}, f);
    TRY(e);
    *ret = j;
    return h.status / 100 == 2 ? ERR_OK : cli_error_of(c, &j, h.status, f);
}

enum err cli_list(struct cli *c, const char *path, const char *member, const char *const (*columns)[2],
                  const char *none, struct fault *f)
{
    struct json j;
    struct str text;
    TRY(cli_admin(c, "GET", path, STR_NONE, &j, &text, f));
    cli_print_list(c, &j, text, member, columns, none);
    return ERR_OK;
}

/*
 * What import would do: files found and read, names given, the new doorward.yaml worked out and checked in memory.
 * Nothing is written here.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box/box.h"
#include "cli/import.h"

enum { IMPORT_FILE_MAX = 32 << 20 };

/* ---- where and what ---- */

/* The absolute path. The file itself may be a link, which is kept: what it refers to is meant from where the link is.
 */
enum err plan_path(struct plan *r, struct fault *f)
{
    char real[PATH_MAX];
    struct arena *a = &r->c->arena;
    const char *given = cli_config_file(r->c);
    given = given ? given : "doorward.yaml";
    struct str copy = arena_str(a, str_of(given)), base = arena_str(a, copy);
    if (!copy.p || !base.p || !realpath(dirname((char *)(uintptr_t)copy.p), real))
        return fault_set(f, ERR_IO, "%s: %s", given, strerror(errno));
    r->path = arena_fmt(a, "%s/%s", strcmp(real, "/") == 0 ? "" : real, basename((char *)(uintptr_t)base.p)).p;
    const char *slash = r->path ? strrchr(r->path, '/') : NULL;
    if (!slash)
        return fault_set(f, ERR_NOMEM, "no memory for a path");
    r->dir = slash == r->path ? "/" : arena_str(a, (struct str){r->path, (size_t)(slash - r->path)}).p;
    enum err e = cli_read(r->c, r->path, IMPORT_YAML_MAX, &r->old, f);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err plan_home(struct plan *r, struct fault *f)
{
    const char *home = getenv("HOME");
    if (!home || home[0] != '/')
        return fault_set(f, ERR_PARAMS, "HOME is not set to a path: set it, or name the client's files");
    r->im.home = home;
    return ERR_OK;
}

static enum err plan_read(struct plan *r, const char *file, struct fault *f)
{
    char real[PATH_MAX];
    struct str text;
    TRY(cli_read(r->c, file, IMPORT_FILE_MAX, &text, f));
    return import_read(&r->im, text, realpath(file, real) ? real : file, &r->c->arena, f);
}

/* Where the clients keep their files. One that is there and has no servers is passed over. */
static enum err plan_discover(struct plan *r, struct fault *f)
{
    static const char *const places[] = {
        ".config/Claude/claude_desktop_config.json",
        "Library/Application Support/Claude/claude_desktop_config.json",
        ".claude.json",
        ".cursor/mcp.json",
        ".config/Code/User/mcp.json",
        ".config/Code/User/settings.json",
        "Library/Application Support/Code/User/mcp.json",
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct str file = arena_fmt(&r->c->arena, "%s/%s", r->im.home, places[i]);
        size_t before = r->im.count;
        if (!file.p || access(file.p, F_OK) != 0)
            continue;
        enum err e = plan_read(r, file.p, f);
        if (e && e != ERR_INVALID)
            return e;
        if (r->im.count > before)
            fprintf(stderr, "found %s: %s, %zu server%s\n", import_client_names[r->im.client], file.p,
                    r->im.count - before, r->im.count - before == 1 ? "" : "s");
    }
    return r->im.count ? ERR_OK
                       : fault_set(f, ERR_NOT_FOUND,
                                   "no configuration of Claude Desktop, Claude Code, Cursor or VS Code with servers is "
                                   "in %s: name its file: doorward import FILE",
                                   r->im.home);
}

enum err plan_gather(struct plan *r, struct fault *f)
{
    TRY(plan_home(r, f));
    if (!r->c->arg_count)
        return plan_discover(r, f);
    for (size_t i = 0; i < r->c->arg_count; i++) {
        size_t before = r->im.count;
        TRY(plan_read(r, r->c->arg[i], f));
        fprintf(stderr, "%s is of %s: %zu server%s\n", r->c->arg[i], import_client_names[r->im.client],
                r->im.count - before, r->im.count - before == 1 ? "" : "s");
    }
    return ERR_OK;
}

/* ---- worked out in memory ---- */

/* The gateway's environment is not this one. What is missing here stands in for itself, so that the rest can be
 * checked, and is named. */
static void plan_variables(struct plan *r, struct str text)
{
    if (!r->unset)
        r->unset = arena_alloc(&r->c->arena, 256 * sizeof(*r->unset));
    for (const char *at; r->unset && text.n && (at = memmem(text.p, text.n, "${", 2));) {
        text = str_skip(text, (size_t)(at - text.p) + 2);
        size_t n = 0;
        while (n < text.n && n < 128 &&
               (memchr("_", text.p[n], 1) || ((text.p[n] | 32) >= 'a' && (text.p[n] | 32) <= 'z') ||
                (n && text.p[n] >= '0' && text.p[n] <= '9')))
            n++;
        struct str name = arena_str(&r->c->arena, (struct str){text.p, n});
        if (!n || n == text.n || text.p[n] != '}' || !name.p || getenv(name.p) || r->unset_count == 256)
            continue;
        struct str value = arena_fmt(&r->c->arena, "not-set-here-%s", name.p);
        if (value.p && setenv(name.p, value.p, 0) == 0)
            r->unset[r->unset_count++] = name;
    }
}

static enum err plan_parse(struct plan *r, struct str text, struct conf **ret, struct fault *f, const char *what)
{
    struct buf faults CLEANUP(buf_done), shown CLEANUP(buf_done);
    buf_init(&faults, 1u << 20);
    buf_init(&shown, 8u << 20);
    if (conf_parse(text, r->path, r->dir, ret, &faults) == ERR_OK)
        return ERR_OK;
    cli_visible(&shown, buf_view(&faults), true);
    fwrite(shown.p ? shown.p : "", 1, shown.n, stderr);
    return fault_set(f, ERR_CONFIG, "%s %s; nothing was changed", r->path, what);
}

static const struct conf_server *plan_find(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->root.servers.n; i++)
        if (str_is(conf->root.servers.v[i].name, name))
            return &conf->root.servers.v[i];
    return NULL;
}

static bool same_pairs(const struct conf_pairs *a, const struct conf_pairs *b)
{
    size_t found = 0;
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++) {
            struct str value = {(const char *)secret_bytes(b->v[k].value), secret_len(b->v[k].value)};
            found += str_eq(a->v[i].name, b->v[k].name) && secret_eq(a->v[i].value, value);
        }
    return a->n == b->n && found == a->n;
}

static bool same_server(const struct conf_server *a, const struct conf_server *b)
{
    bool same = str_eq(a->url, b->url) && str_eq(a->cwd, b->cwd) && a->command.n == b->command.n;
    for (size_t i = 0; same && i < a->command.n; i++)
        same = str_eq(a->command.v[i], b->command.v[i]);
    return same && same_pairs(&a->env, &b->env) && same_pairs(&a->headers, &b->headers);
}

/* Is the URL this gateway's own? It would call itself. */
static bool plan_is_self(const struct plan *r, struct str url)
{
    const struct conf_root *root = &r->was->root;
    struct str at = root->listen, host;
    const char *colon = at.n ? memrchr(at.p, ':', at.n) : NULL;
    if (str_starts(url, root->public_url) && (url.n == root->public_url.n || url.p[root->public_url.n] == '/'))
        return true;
    bool https = str_starts(url, STR("https://"));
    if (!colon || (!https && !str_starts(url, STR("http://"))))
        return false;
    url = str_skip(url, https ? 8 : 7);
    str_cut(&url, '/', &host);
    struct str port = str_skip(at, (size_t)(colon - at.p));
    return str_eq(host, at) || (str_starts(host, STR("localhost")) && str_eq(str_skip(host, 9), port));
}

/* What `doorward connect` put into a client's file. Another gateway's bridge is a server like any other. */
static bool plan_is_bridge(const struct plan *r, const struct import_server *s)
{
    struct str url = STR("http://127.0.0.1:8420");
    if (s->command_count < 2 || !str_is(s->command[1], "bridge") || !str_ends(s->command[0], STR("doorward")))
        return false;
    for (size_t i = 2; i + 1 < s->command_count; i++)
        if (str_is(s->command[i], "--url") || str_is(s->command[i], "-u"))
            url = s->command[i + 1];
    return plan_is_self(r, url);
}

static void plan_mark(struct plan *r, const struct conf *now)
{
    for (size_t i = 0; i < r->im.count; i++) {
        struct import_server *s = &r->im.server[i];
        const struct conf_server *mine = s->left_out ? NULL : plan_find(now, s->name);
        for (size_t k = 0; mine && k < r->was->root.servers.n && !s->same_as; k++)
            if (same_server(mine, &r->was->root.servers.v[k]))
                s->same_as = r->was->root.servers.v[k].name.p;
        for (size_t k = 0; mine && k < i && !s->same_as; k++) {
            const struct import_server *other = &r->im.server[k];
            const struct conf_server *theirs = other->left_out || other->same_as ? NULL : plan_find(now, other->name);
            if (theirs && same_server(mine, theirs))
                s->same_as = other->name;
        }
        r->added += !s->left_out && !s->same_as;
    }
}

/* "secrets/github.GITHUB_TOKEN", and a number behind it when that is there. */
static void plan_secret_file(struct plan *r, const struct import_server *s, struct import_pair *p)
{
    char name[80];
    size_t n = 0;
    for (size_t i = 0; i < p->name.n && n < sizeof(name) - 1; i++) {
        char ch = p->name.p[i];
        bool kept = ((ch | 32) >= 'a' && (ch | 32) <= 'z') || (ch >= '0' && ch <= '9') || ch == '_';
        name[n++] = kept ? ch : '-';
    }
    name[n] = 0;
    for (unsigned i = 1; i < 1000; i++) {
        p->file = i > 1 ? arena_fmt(&r->c->arena, "secrets/%s.%s-%u", s->name, name, i)
                        : arena_fmt(&r->c->arena, "secrets/%s.%s", s->name, name);
        struct str full = arena_fmt(&r->c->arena, "%s/" STR_FMT, r->dir, STR_ARG(p->file));
        bool taken = full.p && access(full.p, F_OK) == 0;
        for (const struct import_pair *q = s->pair; q < p; q++)
            taken |= q->secret && str_eq(q->file, p->file);
        if (!taken)
            return;
    }
}

/* Folders among the arguments: what the client lets the server work on. */
static void plan_folders(struct plan *r, struct import_server *s)
{
    struct stat st;
    const char *data = r->was->root.data_dir.p;
    s->folder = arena_alloc(&r->c->arena, s->command_count * sizeof(*s->folder) + 1);
    for (size_t i = 1; s->folder && i < s->command_count; i++) {
        struct str at = arena_str(&r->c->arena, s->command[i]);
        if (!at.n || at.p[0] != '/' || stat(at.p, &st) < 0 || !S_ISDIR(st.st_mode))
            continue;
        if (box_holds(at.p, data) || box_holds(data, at.p))
            s->kept = at;
        else
            s->folder[s->folder_count++] = at;
    }
}

static enum err plan_render(struct plan *r, bool clear, struct str *ret, struct fault *f)
{
    struct buf b;
    buf_init(&b, IMPORT_YAML_MAX);
    enum err e = import_yaml(&r->im, r->old, clear, &b, f);
    if (e)
        fault_wrap(f, "%s", r->path);
    struct str copy = arena_str(&r->c->arena, buf_view(&b));
    buf_done(&b);
    if (!e && !copy.p)
        e = fault_set(f, ERR_NOMEM, "no memory for %s", r->path);
    if (!e)
        *ret = copy;
    return e;
}

/* Every rule that was there is as it was, and as many are new as were meant. */
static bool same_rules(struct plan *r, const struct json *was, uint32_t i, const struct json *is, uint32_t k)
{
    size_t added = import_takes_rules(r->old) ? import_rules(&r->im) : 0;
    bool same = is->node[k].size == was->node[i].size + added;
    JSON_PAIRS(was, i, key, v)
    same = same && json_equal(was, v, is, json_get(is, k, json_str(was, key, &r->c->arena)), &r->c->arena);
    return same;
}

/* Apart from `servers` and `tools`, both must say the same; and what was there in these must be there. */
static enum err plan_compare(struct plan *r, const struct conf *now, struct fault *f)
{
    struct buf a CLEANUP(buf_done), b CLEANUP(buf_done);
    struct json was, is;
    buf_init(&a, 64u << 20);
    buf_init(&b, 64u << 20);
    conf_dump(r->was, &a);
    conf_dump(now, &b);
    bool same = now->root.servers.n == r->was->root.servers.n + r->added &&
                !json_parse(&was, buf_view(&a), &r->c->arena, NULL, f) &&
                !json_parse(&is, buf_view(&b), &r->c->arena, NULL, f);
    for (uint32_t k = same ? json_first(&was, JSON_ROOT) : 0; k; k = json_next(&was, JSON_ROOT, k + 1)) {
        uint32_t other = json_get(&is, JSON_ROOT, json_str(&was, k, &r->c->arena));
        same &= json_str_is(&was, k, STR("servers")) ||
                (json_str_is(&was, k, STR("tools")) ? same_rules(r, &was, k + 1, &is, other)
                                                    : json_equal(&was, k + 1, &is, other, &r->c->arena));
    }
    for (size_t i = 0; same && i < r->was->root.servers.n; i++) {
        const struct conf_server *mine = plan_find(now, r->was->root.servers.v[i].name.p);
        same = mine && same_server(mine, &r->was->root.servers.v[i]);
    }
    return same ? ERR_OK
                : fault_set(f, ERR_CONFLICT,
                            "%s is written in a way that import cannot extend safely: write servers: and tools: as "
                            "plain blocks, one entry under the other, then import again",
                            r->path);
}

enum err plan_work_out(struct plan *r, struct fault *f)
{
    struct conf *now = NULL;
    struct str clear;
    plan_variables(r, r->old);
    TRY(plan_parse(r, r->old, &r->was, f, "has faults already: they come first"));
    for (size_t i = 0; i < r->im.count; i++)
        if (!r->im.server[i].left_out &&
            (plan_is_bridge(r, &r->im.server[i]) || (r->im.server[i].url.n && plan_is_self(r, r->im.server[i].url))))
            r->im.server[i].left_out = "it is this gateway: it would call itself";
    r->im.rules = &r->was->root.tools;
    import_names(&r->im, &r->was->root.servers, &r->c->arena);
    for (size_t i = 0; i < r->im.count; i++)
        for (size_t k = 0; k < r->im.server[i].pair_count; k++)
            if (r->im.server[i].pair[k].secret)
                plan_secret_file(r, &r->im.server[i], &r->im.server[i].pair[k]);
    for (size_t i = 0; i < r->im.count; i++)
        plan_folders(r, &r->im.server[i]);
    TRY(plan_render(r, true, &clear, f));
    plan_variables(r, clear);
    TRY(plan_parse(r, clear, &now, f, "would have faults"));
    plan_mark(r, now);
    conf_unref(now);
    now = NULL;
    r->text = r->old;
    if (!r->added)
        return ERR_OK;
    TRY(plan_render(r, true, &clear, f));
    TRY(plan_parse(r, clear, &now, f, "would have faults"));
    enum err e = plan_compare(r, now, f);
    conf_unref(now);
    return e ? e : plan_render(r, false, &r->text, f);
}

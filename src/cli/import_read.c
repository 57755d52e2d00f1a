/*
 * From a client's file to servers. Formats, as their vendors document them:
 *
 *   Claude Desktop   claude_desktop_config.json: mcpServers; command, args, env
 *   Claude Code      .mcp.json: mcpServers; type, url, headers, headersHelper besides; ${NAME}, ${NAME:-default}.
 *                    ~/.claude.json: the same at the root and for each of projects
 *   Cursor           mcp.json: mcpServers; url, headers, envFile, auth; ${env:NAME}, ${userHome}, ${workspaceFolder}
 *   VS Code          mcp.json: servers, inputs; settings.json: mcp.servers; ${env:NAME}, ${input:ID},
 * ${workspaceFolder}
 *
 * All is read as JSONC. A server that cannot be taken over whole is left out, with the reason.
 */
#include "cli/import.h"

#include "audit/audit.h"
#include "cli/import_value.h"
#include "cli/jsonc.h"

enum { READ_SERVERS = 1000, READ_STRINGS = 4096 };

const char *const import_client_names[] = {"Claude Desktop", "Claude Code", "Cursor", "VS Code"};

struct read {
    struct import *im;
    const struct json *j;
    struct arena *a;
    struct str file;
    struct str dir;  /* of the project; empty: of no project */
    uint32_t hidden; /* an array of names that are switched off, or 0 */
};

/* ---- one server ---- */

static uint32_t read_get(const struct read *r, uint32_t node, const char *key)
{
    return json_get(r->j, node, str_of(key));
}

static bool read_is(const struct read *r, uint32_t node, const char *key, const char *value)
{
    return json_str_is(r->j, read_get(r, node, key), str_of(value));
}

static void read_leave(struct import_server *s, const char *why)
{
    if (!s->left_out)
        s->left_out = why ? why : "there is no memory for it: import fewer files at a time";
}

/* A string, or a scalar's text; translated. */
static struct str read_text(const struct read *r, struct import_server *s, uint32_t node, const char *what)
{
    enum json_type t = json_type(r->j, node);
    struct str text = t == JSON_STRING ? json_str(r->j, node, r->a) : json_raw(r->j, node), out = STR_NONE;
    const char *why = NULL;
    if (t != JSON_STRING && t != JSON_NUMBER && t != JSON_TRUE && t != JSON_FALSE)
        why = arena_fmt(r->a, "%s is %s: must be a string", what, json_type_name(t)).p;
    else
        import_value(text, r->im->home, r->a, &out, &why);
    if (why)
        read_leave(s, why);
    return out;
}

static bool read_off(const struct read *r, uint32_t node, struct str label)
{
    JSON_EACH(r->j, r->hidden, v)
    if (json_str_is(r->j, v, label))
        return true;
    return json_bool(r->j, read_get(r, node, "disabled"), false) ||
           !json_bool(r->j, read_get(r, node, "enabled"), true);
}

/* What Doorward has no counterpart for. */
static const char *read_foreign(const struct read *r, uint32_t node)
{
    static const struct {
        const char *key, *why;
    } foreign[] = {
        {"headersHelper",
         "its headers come from a helper program (headersHelper), which Doorward does not run: put the "
         "credential into a file and write the server into doorward.yaml with headers: file:PATH"},
        {"envFile", "its environment comes from a file (envFile), which Doorward does not read: write those variables "
                    "under env in the client's file, then import again"},
        {"auth", "it signs in with OAuth, which Doorward does not do for a server yet: if it takes a token, write it "
                 "under headers in the client's file, then import again"},
        {"oauth", "it signs in with OAuth, which Doorward does not do for a server yet: if it takes a token, write it "
                  "under headers in the client's file, then import again"},
    };
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        if (read_get(r, node, foreign[i].key))
            return foreign[i].why;
    return NULL;
}

static bool read_is_sse(const struct read *r, uint32_t node)
{
    struct str url = json_str(r->j, read_get(r, node, "url"), r->a), path;
    if (read_is(r, node, "type", "sse") || read_is(r, node, "transport", "sse"))
        return true;
    str_cut(&url, '?', &path);
    return !read_get(r, node, "type") && str_ends(path, STR("/sse"));
}

/* Why it cannot be taken over, by its form alone. */
static const char *read_refuse(const struct read *r, uint32_t node, struct str label)
{
    struct str type = json_str(r->j, read_get(r, node, "type"), r->a);
    if (json_type(r->j, node) != JSON_OBJECT)
        return "it is no object: must be one, with command or url";
    if (read_off(r, node, label))
        return "it is switched off in the client: switch it on there and import again, if it is wanted";
    if (read_is_sse(r, node))
        return "it speaks the old HTTP+SSE transport only, which MCP has given up: ask for its Streamable HTTP "
               "endpoint "
               "(often /mcp in place of /sse) and write that as url";
    if (type.n && !str_is(type, "stdio") && !str_is(type, "http") && !str_is(type, "streamable-http") &&
        !str_is(type, "streamableHttp"))
        return arena_fmt(r->a, "its type is \"%.*s\", which Doorward does not speak: must be stdio or http",
                         (int)(type.n < 40 ? type.n : 40), type.p)
            .p;
    if (!read_get(r, node, "command") && !read_get(r, node, "url"))
        return "it has neither command nor url: must have one";
    if (read_get(r, node, "command") && read_get(r, node, "url"))
        return "it has both command and url: must have one";
    return read_foreign(r, node);
}

static void read_pairs(const struct read *r, struct import_server *s, uint32_t object, const char *what)
{
    size_t n = json_type(r->j, object) == JSON_OBJECT ? r->j->node[object].size : 0;
    if (object && json_type(r->j, object) != JSON_OBJECT) {
        if (json_type(r->j, object) != JSON_NULL)
            read_leave(s,
                       arena_fmt(r->a, "%s is %s: must be an object", what, json_type_name(json_type(r->j, object))).p);
        return;
    }
    s->pair = arena_alloc(r->a, (n + 1) * sizeof(*s->pair));
    if (!s->pair)
        return;
    JSON_PAIRS(r->j, object, k, v)
    {
        struct import_pair *p = &s->pair[s->pair_count];
        if (json_type(r->j, v) == JSON_NULL)
            continue;
        const char *why = NULL;
        p->name = json_str(r->j, k, r->a);
        p->value = read_text(r, s, v, what);
        if (!import_pair(p, r->a, &why))
            read_leave(s, why);
        s->pair_count++;
    }
}

static void read_command(const struct read *r, struct import_server *s, uint32_t node)
{
    uint32_t args = read_get(r, node, "args");
    size_t n = json_type(r->j, args) == JSON_ARRAY ? r->j->node[args].size : 0;
    const char *why = NULL;
    if (args && json_type(r->j, args) != JSON_ARRAY) {
        read_leave(s, "args must be an array of strings");
        args = 0;
    }
    if (n > READ_STRINGS)
        read_leave(s, "it has more arguments than a configuration may have");
    s->command = arena_alloc(r->a, (n + 1) * sizeof(*s->command));
    if (!s->command)
        return;
    s->command[s->command_count++] = read_text(r, s, read_get(r, node, "command"), "command");
    JSON_EACH(r->j, args, v)
    s->command[s->command_count++] = read_text(r, s, v, "args");
    for (size_t i = 0; i < s->command_count; i++)
        if (!s->command[i].n)
            read_leave(s, i ? "an argument is empty, which doorward.yaml cannot say: must be left out or have a value"
                            : "command is empty: must name a program");
    read_pairs(r, s, read_get(r, node, "env"), "env");
    if (!import_command(s, r->a, &why))
        read_leave(s, why);
}

/* What is relative in a project's file is meant from the project's directory. */
static void read_cwd(const struct read *r, struct import_server *s, uint32_t node)
{
    uint32_t cwd = read_get(r, node, "cwd");
    bool relative = false;
    if (cwd && json_type(r->j, cwd) != JSON_NULL)
        s->cwd = read_text(r, s, cwd, "cwd");
    for (size_t i = 0; i < s->command_count; i++) {
        struct str w = s->command[i];
        relative |= str_starts(w, STR("./")) || str_starts(w, STR("../")) || str_is(w, ".") ||
                    (!i && w.n && w.p[0] != '/' && w.p[0] != '$' && memchr(w.p, '/', w.n));
    }
    if (s->cwd.n && s->cwd.p[0] != '/' && s->cwd.p[0] != '$' && r->dir.n)
        s->cwd = arena_fmt(r->a, STR_FMT "/" STR_FMT, STR_ARG(r->dir), STR_ARG(s->cwd));
    else if (!s->cwd.n && relative && r->dir.n)
        s->cwd = r->dir;
    else if (!s->cwd.n && relative)
        read_leave(s, "its command is relative, and to what the file does not say: write absolute paths, or a cwd");
}

/* Names of tools that stand in the file: lists of what is allowed or not. */
static void read_tools(const struct read *r, struct import_server *s, uint32_t node)
{
    static const char *const lists[] = {"tools", "autoApprove", "alwaysAllow", "enabledTools", "disabledTools"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (json_type(r->j, read_get(r, node, lists[i])) == JSON_ARRAY)
            n += r->j->node[read_get(r, node, lists[i])].size;
    s->tool = arena_alloc(r->a, (n + 1) * sizeof(*s->tool));
    for (size_t i = 0; s->tool && i < sizeof(lists) / sizeof(lists[0]); i++) {
        uint32_t list = read_get(r, node, lists[i]);
        if (json_type(r->j, list) != JSON_ARRAY)
            continue;
        JSON_EACH(r->j, list, v)
        {
            struct str name = json_str(r->j, v, r->a);
            bool seen = !name.n || name.n > 128 || str_is(name, "*");
            for (size_t k = 0; k < s->tool_count && !seen; k++)
                seen = str_eq(s->tool[k], name);
            if (!seen)
                s->tool[s->tool_count++] = name;
        }
    }
}

static void read_server(const struct read *r, struct import_server *s, uint32_t node)
{
    const char *why = read_refuse(r, node, s->label);
    if (why) {
        read_leave(s, why);
        return;
    }
    if (read_get(r, node, "url")) {
        s->url = read_text(r, s, read_get(r, node, "url"), "url");
        if (!import_url(s->url, r->a, &why))
            read_leave(s, why);
        read_pairs(r, s, read_get(r, node, "headers"), "headers");
    } else {
        read_command(r, s, node);
        read_cwd(r, s, node);
    }
    read_tools(r, s, node);
}

/* ---- a file ---- */

static enum err read_servers(const struct read *r, uint32_t object, struct fault *f)
{
    struct import *im = r->im;
    if (json_type(r->j, object) != JSON_OBJECT)
        return ERR_OK;
    JSON_PAIRS(r->j, object, k, v)
    {
        if (im->count == READ_SERVERS)
            return fault_set(f, ERR_LIMIT, "more than %d servers", READ_SERVERS);
        if (im->count == im->cap) {
            size_t cap = im->cap ? 2 * im->cap : 16;
            struct import_server *more = arena_alloc(r->a, cap * sizeof(*more));
            if (!more)
                return fault_set(f, ERR_NOMEM, "no memory for the servers of " STR_FMT, STR_ARG(r->file));
            if (im->count)
                memcpy(more, im->server, im->count * sizeof(*more));
            im->server = more;
            im->cap = cap;
        }
        struct import_server *s = &im->server[im->count];
        *s = (struct import_server){.label = json_str(r->j, k, r->a), .file = r->file, .client = im->client};
        s->name = import_fit(s->label, r->a);
        read_server(r, s, v);
        im->count++;
    }
    return ERR_OK;
}

/* By what only one of them writes. Cursor and Claude Desktop can look the same; then the file's name says it. */
static enum import_client read_client(const struct json *j, const char *path)
{
    struct str raw = json_raw(j, JSON_ROOT), file = str_of(path);
    uint32_t servers = json_get(j, JSON_ROOT, STR("mcpServers"));
    if (!servers && (json_get(j, JSON_ROOT, STR("servers")) || json_path(j, JSON_ROOT, "mcp.servers")))
        return IMPORT_VS_CODE;
    if (json_type(j, json_get(j, JSON_ROOT, STR("projects"))) == JSON_OBJECT)
        return IMPORT_CLAUDE_CODE;
    if (json_type(j, servers) != JSON_OBJECT)
        return IMPORT_CLAUDE_DESKTOP; /* which is refused for that */
    JSON_PAIRS(j, servers, k, v)
    if (json_get(j, v, STR("type")) || json_get(j, v, STR("headersHelper")))
        return IMPORT_CLAUDE_CODE;
    if (memmem(raw.p, raw.n, "${env:", 6))
        return IMPORT_CURSOR;
    if (str_ends(file, STR("/.mcp.json")) || str_ends(file, STR("/.claude.json")))
        return IMPORT_CLAUDE_CODE;
    if (str_ends(file, STR("/mcp.json")))
        return IMPORT_CURSOR;
    JSON_PAIRS(j, servers, k, v)
    if (json_get(j, v, STR("url")))
        return IMPORT_CURSOR; /* Claude Desktop's file has commands only */
    return IMPORT_CLAUDE_DESKTOP;
}

/* /p of /p/.mcp.json, /p/.cursor/mcp.json and /p/.vscode/mcp.json; nothing for a user's own files. */
static struct str read_project(const struct read *r)
{
    static const char *const tails[] = {"/.mcp.json", "/.cursor/mcp.json", "/.vscode/mcp.json"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        struct str dir = r->file;
        if (!str_ends(dir, str_of(tails[i])))
            continue;
        dir.n -= strlen(tails[i]);
        return str_is(dir, r->im->home) && i == 1 ? STR_NONE : dir;
    }
    return STR_NONE;
}

static enum err read_projects(struct read *r, uint32_t projects, struct fault *f)
{
    if (json_type(r->j, projects) != JSON_OBJECT)
        return ERR_OK;
    JSON_PAIRS(r->j, projects, k, v)
    {
        r->dir = json_str(r->j, k, r->a);
        r->hidden = read_get(r, v, "disabledMcpServers");
        TRY(read_servers(r, read_get(r, v, "mcpServers"), f));
    }
    return ERR_OK;
}

enum err import_read(struct import *im, struct str text, const char *path, struct arena *a, struct fault *f)
{
    struct json j;
    if (jsonc_parse(&j, text, a, f))
        return fault_wrap(f, "%s", path);
    struct read r = {.im = im, .j = &j, .a = a, .file = arena_str(a, str_of(path))};
    uint32_t servers = json_get(&j, JSON_ROOT, STR("mcpServers"));
    uint32_t projects = json_get(&j, JSON_ROOT, STR("projects"));
    im->client = read_client(&j, path);
    r.dir = read_project(&r);
    if (im->client == IMPORT_VS_CODE) {
        servers = json_get(&j, JSON_ROOT, STR("servers"));
        servers = servers ? servers : json_path(&j, JSON_ROOT, "mcp.servers");
    }
    if (json_type(&j, servers) != JSON_OBJECT && json_type(&j, projects) != JSON_OBJECT)
        return fault_set(f, ERR_INVALID,
                         "%s has no mcpServers and no servers: must be a configuration of Claude Desktop, Claude Code, "
                         "Cursor or VS Code",
                         path);
    TRY(read_servers(&r, servers, f));
    if (im->client == IMPORT_CLAUDE_CODE)
        TRY(read_projects(&r, projects, f));
    return arena_failed(a) ? fault_set(f, ERR_NOMEM, "no memory for %s", path) : ERR_OK;
}

/*
 * doorward connect: a client's own configuration for Doorward, as its vendor documents it. It holds no token: tokens
 * live for minutes. It holds the way to one.
 *
 *   Claude Code      runs a program for the headers of each connection (headersHelper)
 *   all others       start a program and speak with it over stdio: doorward bridge
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/import.h"
#include "cli/jsonc.h"

enum { CONNECT_FILE_MAX = 32 << 20 };

struct connect_client;
struct connection {
    struct cli *c;
    const struct connect_client *client;
    const char *name;  /* of the entry */
    struct str url;    /* of the MCP endpoint */
    struct str helper; /* a shell command that prints the header of a credential */
    struct str exe, base, agent, key;
    const char *server; /* NULL: all of them */
};
struct connect_client {
    const char *word, *title;
    const char *file; /* in the home, or in this folder when it begins with "./" */
    const char *member;
    void (*entry)(const struct connection *x, struct buf *b);
    void (*note)(const struct connection *x);
};

/* ---- what each client takes ---- */

static void entry_text(struct buf *b, const char *key, struct str value, const char *after)
{
    struct json_out o = json_out(b);
    buf_fmt(b, "  \"%s\": ", key);
    json_put_str(&o, value);
    buf_z(b, after);
}

/* The program that the client starts; no shell takes it apart. */
static void entry_bridge(const struct connection *x, struct buf *b)
{
    struct json_out o = json_out(b);
    struct str args[] = {STR("bridge"), STR("--url"), x->base,         STR("--agent"),   x->agent,
                         STR("--key"),  x->key,       STR("--server"), str_of(x->server)};
    entry_text(b, "command", x->exe, ",\n");
    buf_z(b, "  \"args\": ");
    json_put_strs(&o, args, sizeof(args) / sizeof(args[0]) - (x->server ? 0 : 2));
    buf_z(b, "\n}");
}

static void claude_code_entry(const struct connection *x, struct buf *b)
{
    buf_z(b, "{\n  \"type\": \"http\",\n");
    entry_text(b, "url", x->url, ",\n");
    entry_text(b, "headersHelper", x->helper, "\n}");
}

static void claude_code_note(const struct connection *x)
{
    fprintf(stderr,
            "Goes into .mcp.json of a project, or under mcpServers of ~/.claude.json for all of them. Claude Code "
            "runs headersHelper at each\nconnection, so that the token is always fresh; of a project's file it "
            "first asks whether you trust it.\n");
    (void)x;
}

static void stdio_entry(const struct connection *x, struct buf *b)
{
    buf_z(b, "{\n");
    entry_bridge(x, b);
}

static void vscode_entry(const struct connection *x, struct buf *b)
{
    buf_z(b, "{\n  \"type\": \"stdio\",\n");
    entry_bridge(x, b);
}

/* What holds for each client that starts the bridge. */
static void bridge_note(const char *where)
{
    fprintf(stderr,
            "%s\nThe client starts doorward bridge, which gets its credential with the agent's key, renews it, and "
            "outlasts restarts of the gateway.\nWhat it has to say is in the client's log of this server.\n",
            where);
}

static void cursor_note(const struct connection *x)
{
    bridge_note("Goes into ~/.cursor/mcp.json, or .cursor/mcp.json of a project.");
    (void)x;
}

static void vscode_note(const struct connection *x)
{
    bridge_note(
        "Goes into .vscode/mcp.json of a workspace or mcp.json of your profile (MCP: Open User Configuration).");
    (void)x;
}

static void claude_desktop_note(const struct connection *x)
{
    bridge_note("Goes into claude_desktop_config.json; then start Claude Desktop again.");
    (void)x;
}

static void json_note(const struct connection *x)
{
    bridge_note("The form that most clients share.");
    fprintf(stderr,
            "A client that speaks Streamable HTTP itself finds the gateway at " STR_FMT
            ", with a header from:\n\n  " STR_FMT "\n",
            STR_ARG(x->url), STR_ARG(x->helper));
}

static const struct connect_client connect_clients[] = {
    {"claude-code", "Claude Code", "./.mcp.json", "mcpServers", claude_code_entry, claude_code_note},
    {"claude-desktop", "Claude Desktop", ".config/Claude/claude_desktop_config.json", "mcpServers", stdio_entry,
     claude_desktop_note},
    {"cursor", "Cursor", ".cursor/mcp.json", "mcpServers", stdio_entry, cursor_note},
    {"vscode", "VS Code", ".config/Code/User/mcp.json", "servers", vscode_entry, vscode_note},
    {"json", "any client", NULL, "mcpServers", stdio_entry, json_note},
};

/* ---- from the options ---- */

static enum err connect_find(const char *word, const struct connect_client **ret, struct fault *f)
{
    for (size_t i = 0; i < sizeof(connect_clients) / sizeof(connect_clients[0]); i++)
        if (strcmp(connect_clients[i].word, word) == 0) {
            *ret = &connect_clients[i];
            return ERR_OK;
        }
    return fault_set(f, ERR_USAGE,
                     "connect: there is no client %s; there are claude-code, claude-desktop, cursor, vscode, json",
                     word);
}

/* A word of a shell's command line. */
static struct str connect_quote(struct cli *c, const char *word)
{
    struct buf b;
    bool plain = *word;
    for (const char *p = word; *p; p++)
        plain = plain && (((*p | 32) >= 'a' && (*p | 32) <= 'z') || (*p >= '0' && *p <= '9') || strchr("_./:-", *p));
    if (plain)
        return str_of(word);
    buf_init(&b, 65536);
    buf_char(&b, '\'');
    for (const char *p = word; *p; p++)
        if (*p == '\'')
            buf_z(&b, "'\\''");
        else
            buf_char(&b, *p);
    buf_char(&b, '\'');
    struct str copy = arena_str(&c->arena, buf_view(&b));
    buf_done(&b);
    return copy;
}

/* The client starts the helper from wherever it is: paths must be whole. */
static enum err connect_commands(struct connection *x, struct str base, struct fault *f)
{
    char exe[PATH_MAX], key_path[PATH_MAX];
    const char *agent, *key;
    struct arena *a = &x->c->arena;
    TRY(cli_need(x->c, "agent", &agent, f));
    TRY(cli_need(x->c, "key", &key, f));
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n <= 0)
        return fault_set(f, ERR_IO, "/proc/self/exe: %s", strerror(errno));
    exe[n] = 0;
    if (!realpath(key, key_path))
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "--key %s: %s", key, strerror(errno));
    x->exe = arena_str(a, str_of(exe));
    x->base = arena_str(a, base);
    x->agent = str_of(agent);
    x->key = arena_str(a, str_of(key_path));
    x->helper = arena_fmt(a, STR_FMT " token --url " STR_FMT " --agent " STR_FMT " --key " STR_FMT " --header",
                          STR_ARG(connect_quote(x->c, exe)), STR_ARG(connect_quote(x->c, x->base.p)),
                          STR_ARG(connect_quote(x->c, agent)), STR_ARG(connect_quote(x->c, key_path)));
    return x->helper.p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the configuration");
}

/* It ends up in a shell's command line: a URL that needs quoting there is a mistake. */
static enum err connect_url(struct cli *c, struct str *ret, struct fault *f)
{
    struct str url = str_of(cli_gate_url(c));
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    if (str_ends(url, STR("/mcp"))) /* the endpoint is meant well, too */
        url.n -= 4;
    bool ok = str_starts(url, STR("http://")) || str_starts(url, STR("https://"));
    for (size_t i = 0; i < url.n; i++)
        ok = ok && (((url.p[i] | 32) >= 'a' && (url.p[i] | 32) <= 'z') || (url.p[i] >= '0' && url.p[i] <= '9') ||
                    memchr("-._~:/[]%", url.p[i], 9));
    *ret = url;
    return ok ? ERR_OK
              : fault_set(f, ERR_USAGE, "connect: --url must be the gateway's address, such as http://127.0.0.1:8420");
}

static enum err connect_fill(struct connection *x, struct fault *f)
{
    const char *server = cli_option(x->c, "server");
    struct str base;
    TRY(connect_find(x->c->arg[0], &x->client, f));
    TRY(connect_url(x->c, &base, f));
    for (const char *p = server; p && *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-'))
            return fault_set(f, ERR_USAGE, "connect: --server %s is no server's name", server);
    x->url = arena_fmt(&x->c->arena, STR_FMT "/mcp%s%s", STR_ARG(base), server ? "/" : "", server ? server : "");
    x->server = server;
    x->name = server ? arena_fmt(&x->c->arena, "doorward-%s", server).p : "doorward";
    return connect_commands(x, base, f);
}

/* ---- into a file ---- */

/* The client's file as it will be, from what it is; of an empty text, a file with nothing else in it. */
static enum err connect_compose(const struct connection *x, struct str old, struct str *ret, struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 65536);
    x->client->entry(x, &b);
    return jsonc_put(old, x->client->member, x->name, buf_view(&b), &x->c->arena, ret, f);
}

static enum err connect_file(const struct connection *x, const char **ret, struct fault *f)
{
    const char *given = cli_option(x->c, "file"), *home = getenv("HOME");
    if (!given && !x->client->file)
        return fault_set(f, ERR_USAGE, "connect: where to is not known for json: name it with --file FILE");
    if (!given && !str_starts(str_of(x->client->file), STR("./")) && (!home || home[0] != '/'))
        return fault_set(f, ERR_PARAMS,
                         "HOME is not set to a path: set it, or name the client's file with --file FILE");
    if (given)
        *ret = given;
    else if (str_starts(str_of(x->client->file), STR("./")))
        *ret = x->client->file + 2;
    else
        *ret = arena_fmt(&x->c->arena, "%s/%s", home ? home : "", x->client->file).p;
    return *ret ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a path");
}

static enum err connect_write(const struct connection *x, struct fault *f)
{
    char stamp[FILE_STAMP];
    struct str old = STR_NONE, text;
    struct stat st;
    const char *file;
    TRY(connect_file(x, &file, f));
    enum err e = cli_read(x->c, file, CONNECT_FILE_MAX, &old, f);
    if (e && e != ERR_NOT_FOUND)
        return e;
    bool there = !e;
    if (connect_compose(x, old, &text, f))
        return fault_wrap(f, "%s", file);
    if (str_eq(old, text)) {
        fprintf(stderr, "%s says so already\n", file);
        return ERR_OK;
    }
    diff_print(old, text, file, true);
    TRY(cli_agree(x->c, "Write this?", f));
    file_stamp(stamp);
    struct str kept = arena_fmt(&x->c->arena, "%s.before-doorward-%s", file, stamp);
    if (there)
        TRY(file_make(kept.p, old, stat(file, &st) == 0 ? st.st_mode & 0777 : 0600, file, f));
    TRY(file_replace(file, text, 0600, f));
    fprintf(stderr, "%s is written%s%s\n", file, there ? "; what it was is kept as " : "", there ? kept.p : "");
    return ERR_OK;
}

enum err cli_run_connect(struct cli *c, struct fault *f)
{
    struct connection x = {.c = c};
    struct str text;
    TRY(connect_fill(&x, f));
    if (cli_switch(c, "write")) {
        TRY(connect_write(&x, f));
    } else {
        TRY(connect_compose(&x, STR_NONE, &text, f));
        if (c->json)
            cli_print_json(text);
        else
            fwrite(text.p, 1, text.n, stdout);
    }
    fflush(stdout);
    if (!c->json) {
        fputc('\n', stderr);
        x.client->note(&x);
    }
    return ERR_OK;
}

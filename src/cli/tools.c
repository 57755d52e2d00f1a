/* Tools that are withheld: how their definitions differ from what was pinned, and accepting one. */
#include <unistd.h>

#include "base/clock.h"
#include "cli/http.h"

/* A rug is pulled in text that people do not see. Beside what is never shown as it is, these are the variation
 * selectors that belong to an emoji elsewhere (U+FE0E, U+FE0F). */
static const char *diff_shown(struct cli *c, struct str s)
{
    struct buf b;
    buf_init(&b, 256u << 20);
    for (const char *at; (at = memmem(s.p ? s.p : "", s.n, "\xef\xb8", 2)) && at + 2 < s.p + s.n;) {
        bool selector = at[2] == '\x8e' || at[2] == '\x8f';
        cli_visible(&b, (struct str){s.p, (size_t)(at - s.p) + (selector ? 0 : 3)}, false);
        if (selector)
            buf_z(&b, at[2] == '\x8e' ? "\\u{fe0e}" : "\\u{fe0f}");
        s = str_skip(s, (size_t)(at - s.p) + 3);
    }
    cli_visible(&b, s, false);
    const char *shown = arena_str(&c->arena, buf_view(&b)).p;
    buf_done(&b);
    return shown ? shown : "(no memory to show it)";
}

static const char *diff_value(struct cli *c, const struct json *j, uint32_t v)
{
    if (json_type(j, v) != JSON_STRING)
        return diff_shown(c, json_raw(j, v));
    return arena_fmt(&c->arena, "\"%s\"", diff_shown(c, json_str(j, v, &c->arena))).p;
}

static void diff_line(const char *mark, const char *text)
{
    bool color = cli_color(stdout);
    printf("%s    %s %s%s\n",
           !color           ? ""
           : mark[0] == '+' ? "\033[32m"
                            : "\033[31m",
           mark, text ? text : "", color ? "\033[0m" : "");
}

/* Short values on one line, "maximum: 100 -> 10000"; text below each other. */
static void diff_print_change(struct cli *c, const struct json *j, uint32_t change)
{
    enum { SHORT = 40 };
    const char *path = diff_shown(c, json_str(j, json_get(j, change, STR("path")), &c->arena));
    uint32_t old = json_get(j, change, STR("old")), now = json_get(j, change, STR("new"));
    const char *was = old ? diff_value(c, j, old) : NULL, *is = now ? diff_value(c, j, now) : NULL;
    bool text = json_type(j, old) == JSON_STRING || json_type(j, now) == JSON_STRING;
    if (was && is && !text && cli_width(str_of(was)) <= SHORT && cli_width(str_of(is)) <= SHORT) {
        printf("  %s: %s -> %s\n", path, was, is);
        return;
    }
    printf("  %s%s\n", path, !was ? ": added" : !is ? ": removed" : "");
    if (was)
        diff_line("-", was);
    if (is)
        diff_line("+", is);
}

static void diff_print_pin(struct cli *c, const struct json *j, uint32_t tool)
{
    uint32_t pinned = json_get(j, tool, STR("pinned"));
    struct str seen = json_str(j, json_get(j, pinned, STR("firstSeenAt")), &c->arena),
               at = json_str(j, json_get(j, pinned, STR("acceptedAt")), &c->arena),
               by = json_str(j, json_get(j, pinned, STR("acceptedBy")), &c->arena);
    int64_t ms = 0;
    char when[CLI_TIME] = "-";
    if (json_type(j, pinned) != JSON_OBJECT) {
        puts("  pinned   nothing: no definition of it was ever accepted");
        return;
    }
    if (clock_parse(at.n ? at : seen, &ms) == ERR_OK)
        cli_when(ms, when);
    printf("  pinned   %.12s  %s %s%s%s\n", cli_shown(c, json_str(j, json_get(j, pinned, STR("hash")), &c->arena), 0),
           at.n ? "accepted" : "first seen", when, by.n ? " by " : "", cli_shown(c, by, 0));
}

static void diff_print(struct cli *c, const struct json *j, uint32_t tool)
{
    struct str withheld = json_str(j, json_get(j, tool, STR("withheld")), &c->arena),
               reason = json_str(j, json_get(j, tool, STR("reason")), &c->arena);
    const char *id = cli_shown(c, json_str(j, json_get(j, tool, STR("id")), &c->arena), 0),
               *hash = cli_shown(c, json_str(j, json_get(j, tool, STR("hash")), &c->arena), 0);
    uint32_t changes = json_get(j, tool, STR("changes"));
    int64_t all = 0, shown = json_type(j, changes) == JSON_ARRAY ? j->node[changes].size : 0;
    printf("%s  %s%s\n", id, withheld.n ? "withheld: " : "served", withheld.n ? cli_shown(c, reason, 0) : "");
    diff_print_pin(c, j, tool);
    printf("  offered  %.12s%s\n\n", hash, json_first(j, changes) ? "" : "  the same");
    JSON_EACH(j, changes, v)
    diff_print_change(c, j, v);
    if (json_i64(j, json_get(j, tool, STR("changeCount")), &all) && all > shown)
        printf("  and %lld more; --json holds both definitions\n", (long long)(all - shown));
    if (withheld.n)
        printf("%s  to accept it:  doorward tools accept %s --hash %s\n", shown ? "\n" : "", id, hash);
}

static const char *tools_path(struct cli *c, const char *id, const char *what, struct fault *f)
{
    struct str name = str_of(id), server;
    if (!str_cut(&name, '/', &server) || !server.n || !name.n || memchr(name.p, '/', name.n)) {
        fault_set(f, ERR_USAGE, "%s: a tool is named server/tool, such as orders/lookup_order", id);
        return NULL;
    }
    const char *at = cli_segment(c, arena_str(&c->arena, server).p);
    return arena_fmt(&c->arena, "/admin/v1/tools/%s/%s/%s", at, cli_segment(c, name.p), what).p;
}

enum err cli_run_tools_diff(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text;
    const char *path = c->arg_count ? tools_path(c, c->arg[0], "diff", f) : "/admin/v1/tools/diff";
    if (!path)
        return ERR_USAGE;
    TRY(cli_admin(c, "GET", path, STR_NONE, &j, &text, f));
    uint32_t list = json_get(&j, JSON_ROOT, STR("tools"));
    bool first = true;
    if (c->json) {
        cli_print_json(text);
        return ERR_OK;
    }
    if (!json_first(&j, list))
        fputs("no tool is withheld\n", stderr);
    JSON_EACH(&j, list, v)
    {
        if (!first)
            putchar('\n');
        first = false;
        diff_print(c, &j, v);
    }
    return ERR_OK;
}

/* ---- accepting ---- */

static bool accept_said_yes(void)
{
    char line[16];
    fputs("\naccept this definition? [y/N] ", stdout);
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* The hash of what is shown here and now, once a person has said yes to it. */
static enum err accept_shown(struct cli *c, const char **ret_hash, struct fault *f)
{
    struct json j;
    if (c->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return fault_set(f, ERR_USAGE,
                         "tools accept: --hash must be given, that of the definition that was looked at: "
                         "doorward tools diff %s",
                         c->arg[0]);
    const char *path = tools_path(c, c->arg[0], "diff", f);
    if (!path)
        return ERR_USAGE;
    TRY(cli_admin(c, "GET", path, STR_NONE, &j, NULL, f));
    uint32_t tool = json_first(&j, json_get(&j, JSON_ROOT, STR("tools")));
    diff_print(c, &j, tool);
    if (json_type(&j, json_get(&j, tool, STR("withheld"))) == JSON_STRING && !accept_said_yes())
        return fault_set(f, ERR_CANCELLED, "nothing was accepted");
    *ret_hash = arena_str(&c->arena, json_str(&j, json_get(&j, tool, STR("hash")), &c->arena)).p;
    return ERR_OK;
}

enum err cli_run_tools_accept(struct cli *c, struct fault *f)
{
    struct json j;
    struct str text;
    struct buf body CLEANUP(buf_done);
    const char *hash = cli_option(c, "hash"), *path = tools_path(c, c->arg[0], "accept", f);
    buf_init(&body, 4096);
    if (!path)
        return ERR_USAGE;
    if (!hash)
        TRY(accept_shown(c, &hash, f));
    struct json_out o = json_out(&body);
    json_open(&o, '{');
    json_kv_z(&o, "hash", hash);
    json_close(&o, '}');
    TRY(cli_admin(c, "POST", path, buf_view(&body), &j, &text, f));
    if (c->json)
        cli_print_json(text);
    else
        printf("%s is served with the definition %.12s\n", c->arg[0], hash);
    return ERR_OK;
}

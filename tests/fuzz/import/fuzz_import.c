/*
 * A client's configuration in JSONC. Whatever the bytes are: no crash; blanking keeps the length and the newlines, does
 * nothing to what is JSON already, and nothing the second time; what can be read can be changed, and then has the new
 * member beside all the old ones.
 */
#include "../fuzz.h"
#include "cli/import.h"
#include "cli/jsonc.h"

static void blanking_checked(struct str text, const struct json_limits *limits)
{
    struct arena a;
    struct json j;
    char *once = malloc(text.n + 1), *twice = malloc(text.n + 1);
    arena_init(&a, 64u << 20);
    jsonc_blank(text, true, once);
    jsonc_blank((struct str){once, text.n}, true, twice);
    CHECK(memcmp(once, twice, text.n) == 0);
    for (size_t i = 0; i < text.n; i++)
        CHECK(once[i] == text.p[i] || (once[i] == ' ' && text.p[i] != '\n' && text.p[i] != '\r'));
    if (json_parse(&j, text, &a, limits, NULL) == ERR_OK)
        CHECK(memcmp(once, text.p, text.n) == 0);
    arena_done(&a);
    free(once);
    free(twice);
}

/* All members of `was` but `but` are in `is`, with the same value. */
static void members_kept(const struct json *was, uint32_t i, const struct json *is, uint32_t k, const char *but,
                         struct arena *a)
{
    JSON_PAIRS(was, i, key, v)
    {
        struct str name = json_str(was, key, a);
        uint32_t now = json_get(is, k, name);
        CHECK(now);
        if (!str_is(name, but))
            CHECK(json_equal(was, v, is, now, a));
    }
}

static void change_checked(struct str text, struct arena *a)
{
    struct json was, is;
    struct str changed;
    struct fault f = {0};
    enum err e = jsonc_put(text, "mcpServers", "doorward", STR("{\n  \"url\": \"x\"\n}"), a, &changed, &f);
    words_checked(e, &f);
    if (e || jsonc_parse(&was, text, a, NULL)) /* an empty text is none, but can be changed */
        return;
    if (jsonc_parse(&is, changed, a, &f)) {
        fprintf(stderr, "%s\n" STR_FMT "\n", f.text, STR_ARG(changed));
        abort();
    }
    uint32_t servers = json_get(&is, JSON_ROOT, STR("mcpServers"));
    CHECK(json_str_is(&is, json_path(&is, servers, "doorward.url"), STR("x")));
    members_kept(&was, JSON_ROOT, &is, JSON_ROOT, "mcpServers", a);
    members_kept(&was, json_get(&was, JSON_ROOT, STR("mcpServers")), &is, servers, "doorward", a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n};
    struct json_limits limits = {.nodes = 10000};
    struct import im = {.home = "/home/u"};
    struct fault f = {0};
    struct arena a;
    arena_init(&a, 64u << 20);
    blanking_checked(text, &limits);
    change_checked(text, &a);
    enum err e = import_read(&im, text, "/home/u/.cursor/mcp.json", &a, &f);
    words_checked(e, &f);
    for (size_t i = 0; !e && i < im.count; i++)
        CHECK(im.server[i].name && (im.server[i].left_out || im.server[i].url.n || im.server[i].command_count));
    arena_done(&a);
    return 0;
}

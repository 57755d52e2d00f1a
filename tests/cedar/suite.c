/*
 * cedar_suite [--json] FILE…: the project's own scenes of Cedar, written from the language guide. Each file of
 * tests/cedar is about one part of the language:
 *
 *   schema, entities, request     what its scenes have unless they say otherwise
 *   expressions                   lines "true|false|error|unreadable EXPRESSION": what it comes to as a condition
 *   scope, validation             lines "valid|invalid EXPRESSION": whether it validates as the condition behind the
 * scope cases                         {name, policies, links, schema, entities, request, and what is expected: refused
 * (policies, links, schema, entities or request), validates, decision, reason, errors}
 *
 * Prints each scene that does not come out as it says and, last, "N passed, N failed". With --json it prints the
 * scenes, one a line, for a test that asks another implementation the same.
 */
#include "../conformance/cedar_case.h"

#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>

#define SCENE_MAX ((size_t)4 << 20)

struct file {
    const char *name;
    struct json j;
    struct arena arena;
};

static unsigned passed, failed;
static bool as_json;

static void bad(const char *name, struct str scene, const char *what, struct str got)
{
    failed++;
    printf("%s: " STR_FMT ": %s" STR_FMT "\n", name, STR_ARG(scene), what, STR_ARG(got));
}

/* ---- what came */

static enum err asked(struct cedar_case *c, const struct json *j, struct buf *why, const char **ret_at)
{
    uint32_t schema = json_get(j, JSON_ROOT, STR("schema"));
    *ret_at = "policies";
    TRY(cedar_case_policies(c, STR("policies"), json_str(j, json_get(j, JSON_ROOT, STR("policies")), &c->arena), why));
    *ret_at = "links";
    TRY(cedar_case_links(c, j, json_get(j, JSON_ROOT, STR("links")), why));
    *ret_at = "schema";
    if (schema)
        TRY(cedar_case_schema(
            c, STR("schema"),
            json_type(j, schema) == JSON_STRING ? json_str(j, schema, &c->arena) : json_raw(j, schema), why));
    *ret_at = "entities";
    return cedar_case_entities(c, json_raw(j, json_get(j, JSON_ROOT, STR("entities"))), why);
}

/* Decision, reasons and errors as the scene says them; what it does not say is not compared. */
static bool decided(const struct json *j, const struct case_answer *got, struct arena *a)
{
    uint32_t decision = json_get(j, JSON_ROOT, STR("decision")), reason = json_get(j, JSON_ROOT, STR("reason")),
             errors = json_get(j, JSON_ROOT, STR("errors")), n;
    if (!json_str_is(j, decision, got->decision == CEDAR_ALLOW ? STR("allow") : STR("deny")))
        return false;
    const struct str *want = case_ids(j, reason, a, &n);
    if (reason && !case_ids_same(got->reason, got->reasons, want, n))
        return false;
    want = case_ids(j, errors, a, &n);
    return case_ids_same(got->error, got->errors, want, n);
}

static void scene_play(const char *file, struct str name, const struct json *j, struct cedar_case *c)
{
    struct buf why CLEANUP(buf_done);
    struct case_answer got;
    const char *at;
    char what[128];
    unsigned before = failed;
    buf_init(&why, 1u << 16);
    struct str refused = json_str(j, json_get(j, JSON_ROOT, STR("refused")), &c->arena);
    uint32_t decision = json_get(j, JSON_ROOT, STR("decision")), validates = json_get(j, JSON_ROOT, STR("validates"));
    enum err e = asked(c, j, &why, &at);
    if (!e && validates) {
        bool valid = cedar_case_validate(c, &why) == ERR_OK;
        if (valid != json_bool(j, validates, true))
            bad(file, name, valid ? "validates" : "does not validate: ", buf_view(&why));
        buf_clear(&why);
    }
    bool request = decision || str_eq(refused, STR("request"));
    if (!e && request) {
        at = "request";
        e = cedar_case_ask(c, j, json_get(j, JSON_ROOT, STR("request")), &got, &why);
    }
    if (e ? !str_is(refused, at) : refused.n) {
        snprintf(what, sizeof(what), e ? "%s refused: " : "nothing refused%s", e ? at : "");
        bad(file, name, what, buf_view(&why));
    } else if (!e && decision && !decided(j, &got, &c->arena)) {
        case_answer_put(&got, &why);
        bad(file, name, "got ", buf_view(&why));
    }
    if (failed == before)
        passed++;
}

static void scene(const struct file *f, struct str name, const struct buf *text)
{
    struct cedar_case c;
    struct json j;
    struct fault fault = {0};
    if (as_json) {
        printf(STR_FMT "\n", STR_ARG(buf_view(text)));
        return;
    }
    cedar_case_init(&c);
    if (json_parse(&j, buf_view(text), &c.arena, NULL, &fault))
        bad(f->name, name, "", str_of(fault.text));
    else
        scene_play(f->name, name, &j, &c);
    cedar_case_done(&c);
}

/* ---- what the file says */

static void put_name(const struct file *f, struct str name, struct json_out *out)
{
    json_kv_z(out, "file", f->name);
    json_kv_str(out, "name", name);
}

/* Schema, entities and request: the case's own, or the file's. A case's request may say a part only. */
static void put_world(struct file *f, uint32_t own, struct json_out *out)
{
    static const char *const part[] = {"principal", "action", "resource", "context", "validateRequest"};
    const struct json *j = &f->j;
    uint32_t schema = json_get(j, own, STR("schema")), entities = json_get(j, own, STR("entities"));
    schema = schema ? schema : json_get(j, JSON_ROOT, STR("schema"));
    entities = entities ? entities : json_get(j, JSON_ROOT, STR("entities"));
    if (schema && json_type(j, schema) != JSON_NULL)
        json_kv_raw(out, "schema", json_raw(j, schema));
    json_kv_raw(out, "entities", entities ? json_raw(j, entities) : STR("[]"));
    json_key(out, STR("request"));
    json_open(out, '{');
    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        uint32_t at = json_get(j, json_get(j, own, STR("request")), str_of(part[i]));
        at = at ? at : json_get(j, json_get(j, JSON_ROOT, STR("request")), str_of(part[i]));
        if (at)
            json_kv_raw(out, part[i], json_raw(j, at));
    }
    json_close(out, '}');
}

/* A line of `expressions` or `validation`. */
static void line_scene(struct file *f, struct str line, bool validation)
{
    struct str word, expr = line, scope = STR("principal, action, resource");
    struct buf text CLEANUP(buf_done);
    struct json_out out = json_out(&text);
    uint32_t said = json_get(&f->j, JSON_ROOT, STR("scope"));
    buf_init(&text, SCENE_MAX);
    (void)!str_cut(&expr, ' ', &word);
    expr = str_trim(expr);
    if (validation && said)
        scope = json_str(&f->j, said, &f->arena);
    json_open(&out, '{');
    put_name(f, line, &out);
    json_kv_str(&out, "policies",
                arena_fmt(&f->arena, "permit(" STR_FMT ") when { " STR_FMT " };", STR_ARG(scope), STR_ARG(expr)));
    put_world(f, 0, &out);
    bool known = true;
    if (validation) {
        known = str_is(word, "valid") || str_is(word, "invalid");
        json_kv_bool(&out, "validates", str_is(word, "valid"));
    } else if (str_is(word, "unreadable")) {
        json_kv_z(&out, "refused", "policies");
    } else {
        known = str_is(word, "true") || str_is(word, "false") || str_is(word, "error");
        json_kv_z(&out, "decision", str_is(word, "true") ? "allow" : "deny");
        json_kv_raw(&out, "errors", str_is(word, "error") ? STR("[\"policy0\"]") : STR("[]"));
    }
    json_close(&out, '}');
    if (!known)
        bad(f->name, line, "begins with no word that is known", STR_NONE);
    else
        scene(f, line, &text);
}

static void lines_play(struct file *f, struct str key)
{
    struct str lines = json_str(&f->j, json_get(&f->j, JSON_ROOT, key), &f->arena), line;
    while (lines.n) {
        (void)!str_cut(&lines, '\n', &line);
        line = str_trim(line);
        if (line.n && line.p[0] != '#')
            line_scene(f, line, str_eq(key, STR("validation")));
    }
}

static void case_scene(struct file *f, uint32_t own)
{
    static const char *const said[] = {"policies", "links", "refused", "validates", "decision", "reason", "errors"};
    struct str name = json_str(&f->j, json_get(&f->j, own, STR("name")), &f->arena);
    struct buf text CLEANUP(buf_done);
    struct json_out out = json_out(&text);
    unsigned expected = 0;
    buf_init(&text, SCENE_MAX);
    json_open(&out, '{');
    put_name(f, name, &out);
    put_world(f, own, &out);
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        uint32_t at = json_get(&f->j, own, str_of(said[i]));
        if (at)
            json_kv_raw(&out, said[i], json_raw(&f->j, at));
        else if (i == 0)
            json_kv_z(&out, said[i], "");
        expected += at && i >= 2;
    }
    json_close(&out, '}');
    if (!expected)
        bad(f->name, name, "expects nothing", STR_NONE);
    else
        scene(f, name, &text);
}

static void file_play(const char *path)
{
    struct fault fault = {0};
    struct file f = {.name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path};
    struct fy_document *doc = fy_document_build_from_file(NULL, path);
    char *text = doc ? fy_emit_document_to_string(doc, FYECF_MODE_JSON_ONELINE | FYECF_WIDTH_INF) : NULL;
    fy_document_destroy(doc);
    arena_init(&f.arena, CASE_MEMORY);
    bool read = text && json_parse(&f.j, str_of(text), &f.arena, NULL, &fault) == ERR_OK;
    if (read) {
        lines_play(&f, STR("expressions"));
        lines_play(&f, STR("validation"));
        JSON_EACH(&f.j, json_get(&f.j, JSON_ROOT, STR("cases")), own)
        case_scene(&f, own);
    } else {
        bad(f.name, STR("cannot be read"), "", str_of(fault.text));
    }
    arena_done(&f.arena);
    free(text);
}

int main(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "--json") == 0 ? 2 : 1;
    as_json = first == 2;
    if (first >= argc) {
        fprintf(stderr, "usage: cedar_suite [--json] FILE...\n");
        return 2;
    }
    for (int i = first; i < argc; i++)
        file_play(argv[i]);
    if (!as_json)
        printf("%u passed, %u failed\n", passed, failed);
    return failed || (!as_json && !passed) ? 1 : 0;
}

/*
 * cedar_judge [MEMORY]: answers each line of its input, a case as JSON, with a line of JSON: what src/cedar makes of
 * it. For tests that compare it with another implementation.
 *
 *   {"policies": text, "links": […], "schema": text or object, "entities": […],
 *    "requests": [{"principal", "action", "resource", "context", "validateRequest"} …],
 *    "est": [policies as JSON, to be read], "set": {policies and links again as JSON, taken for what follows}}
 *
 * All but policies are optional. Answers:
 *
 *   {"policies": null, "links": null, "schema": null, "entities": null, "validates": null, "requests": [{"decision",
 *    "reason", "errors"} or {"refused": words}], "est": […], "printed": […], "formatted": text, "estAgain": […],
 *    "setJson": {…}, "schemaText": text, "schemaJson": {…}, "entitiesJson": […]}
 *
 * null means accepted; otherwise it is the words of the refusal. What could not be asked is left out.
 */
#include "cedar_case.h"

#include <stdio.h>
#include <stdlib.h>

#define JUDGE_TEXT ((size_t)64 << 20)

static bool put_verdict(struct json_out *out, const char *key, enum err e, struct buf *why)
{
    if (e)
        json_kv_str(out, key, buf_view(why));
    else
        json_kv_null(out, key);
    buf_clear(why);
    return e == ERR_OK;
}

static void put_ids(struct json_out *out, const char *key, const struct str *id, uint32_t n)
{
    json_kv_strs(out, key, id, n);
}

static void put_request(struct cedar_case *c, const struct json *j, uint32_t request, struct json_out *out)
{
    struct case_answer got;
    struct buf why CLEANUP(buf_done);
    buf_init(&why, 1u << 16);
    json_open(out, '{');
    if (cedar_case_ask(c, j, request, &got, &why)) {
        json_kv_str(out, "refused", buf_view(&why));
    } else {
        json_kv_z(out, "decision", got.decision == CEDAR_ALLOW ? "allow" : "deny");
        put_ids(out, "reason", got.reason, got.reasons);
        put_ids(out, "errors", got.error, got.errors);
        if (got.why.n)
            json_kv_str(out, "why", got.why);
    }
    json_close(out, '}');
}

/* Each policy and template: its JSON form, and its text. */
static void put_policies(const struct cedar_case *c, struct json_out *out)
{
    json_key(out, STR("est"));
    json_open(out, '[');
    for (uint32_t i = 0; i < c->policies->n; i++)
        cedar_est_policy(c->policies->policy[i], out);
    json_close(out, ']');
    json_key(out, STR("printed"));
    json_open(out, '[');
    for (uint32_t i = 0; i < c->policies->n; i++) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, JUDGE_TEXT);
        cedar_print_policy(c->policies->policy[i], &b);
        json_put_str(out, buf_view(&b));
    }
    json_close(out, ']');
}

static void put_formatted(struct str text, struct json_out *out)
{
    struct buf b CLEANUP(buf_done), why CLEANUP(buf_done);
    buf_init(&b, JUDGE_TEXT);
    buf_init(&why, 1u << 16);
    enum err e = cedar_format(STR("policies"), text, &b, &why);
    json_kv_str(out, e ? "formatRefused" : "formatted", buf_view(e ? &why : &b));
}

/* The JSON forms of another implementation, read and written again. */
static void put_est_again(const struct cedar_case *c, const struct json *j, uint32_t list, struct json_out *out)
{
    json_key(out, STR("estAgain"));
    json_open(out, '[');
    JSON_EACH(j, list, est)
    {
        struct cedar_policies *read CLEANUP(cedar_policies_freep) = cedar_policies_new(c->memory);
        struct fault f = {0};
        if (read && cedar_est_read(read, STR("est"), json_raw(j, est), &f) == ERR_OK)
            cedar_est_policy(cedar_policy_find(read, STR("est")), out);
        else
            json_put_str(out, str_of(f.text));
    }
    json_close(out, ']');
}

static void put_schema(const struct cedar_case *c, struct json_out *out)
{
    struct buf b CLEANUP(buf_done);
    struct fault f = {0};
    buf_init(&b, JUDGE_TEXT);
    enum err e = cedar_schema_print(c->schema, &b, &f);
    json_kv_str(out, "schemaText", e ? str_of(f.text) : buf_view(&b));
    json_key(out, STR("schemaJson"));
    cedar_schema_json(c->schema, out);
}

static void judge(struct cedar_case *c, const struct json *j, struct json_out *out)
{
    struct buf why CLEANUP(buf_done);
    buf_init(&why, 1u << 20);
    struct str policies = json_str(j, json_get(j, JSON_ROOT, STR("policies")), &c->arena);
    uint32_t links = json_get(j, JSON_ROOT, STR("links")), schema = json_get(j, JSON_ROOT, STR("schema")),
             entities = json_get(j, JSON_ROOT, STR("entities")), est = json_get(j, JSON_ROOT, STR("est")),
             set = json_get(j, JSON_ROOT, STR("set"));
    bool usable = put_verdict(out, "policies", cedar_case_policies(c, STR("policies"), policies, &why), &why);
    if (usable) {
        put_policies(c, out);
        put_formatted(policies, out);
        put_est_again(c, j, est, out);
        usable = put_verdict(
            out, "links", set ? cedar_case_set(c, json_raw(j, set), &why) : cedar_case_links(c, j, links, &why), &why);
        if (usable) {
            json_key(out, STR("setJson"));
            cedar_est_set(c->policies, out);
        }
    }
    if (schema) {
        struct str text = json_type(j, schema) == JSON_STRING ? json_str(j, schema, &c->arena) : json_raw(j, schema);
        bool read = put_verdict(out, "schema", cedar_case_schema(c, STR("schema"), text, &why), &why);
        if (read)
            put_schema(c, out);
        if (read && usable)
            put_verdict(out, "validates", cedar_case_validate(c, &why), &why);
        usable &= read;
        if (!read)
            return;
    }
    struct str store = entities ? json_raw(j, entities) : STR("[]");
    if (put_verdict(out, "entities", cedar_case_entities(c, store, &why), &why)) {
        json_key(out, STR("entitiesJson"));
        cedar_entities_json(c->entities, out);
    } else {
        return;
    }
    if (!usable)
        return;
    json_key(out, STR("requests"));
    json_open(out, '[');
    JSON_EACH(j, json_get(j, JSON_ROOT, STR("requests")), request)
    put_request(c, j, request, out);
    json_close(out, ']');
}

static const struct json_limits deep = {.depth = 2000};

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct buf b;
    buf_init(&b, JUDGE_TEXT * 4);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct cedar_case c;
        struct json j;
        struct fault f = {0};
        struct json_out out = json_out(&b);
        cedar_case_init(&c);
        if (argc > 1)
            c.memory = strtoul(argv[1], NULL, 10);
        json_open(&out, '{');
        if (json_parse(&j, (struct str){line, (size_t)n}, &c.arena, &deep, &f))
            json_kv_z(&out, "line", f.text);
        else
            judge(&c, &j, &out);
        json_close(&out, '}');
        cedar_case_done(&c);
        buf_char(&b, '\n');
        fwrite(b.p, 1, b.n, stdout);
        buf_clear(&b);
    }
    buf_done(&b);
    free(line);
    return 0;
}

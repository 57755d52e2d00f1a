#include "cedar_case.h"

#include <stdlib.h>

void cedar_case_init(struct cedar_case *c)
{
    *c = (struct cedar_case){.memory = CASE_MEMORY};
    arena_init(&c->arena, CASE_MEMORY);
}

void cedar_case_done(struct cedar_case *c)
{
    cedar_program_free(c->program);
    cedar_entities_free(c->entities);
    cedar_schema_free(c->schema);
    cedar_policies_free(c->policies);
    arena_done(&c->arena);
    *c = (struct cedar_case){0};
}

/* Words for what failed without any of its own; several lines become one. */
static enum err said(enum err e, struct buf *why)
{
    if (e && why->n == 0)
        buf_z(why, err_code(e));
    while (why->n && why->p[why->n - 1] == '\n')
        why->n--;
    for (size_t i = 0; i < why->n; i++)
        if (why->p[i] == '\n')
            why->p[i] = '|';
    return e;
}

static enum err said_fault(enum err e, const struct fault *f, struct buf *why)
{
    if (e)
        buf_z(why, f->text);
    return said(e, why);
}

enum err cedar_case_policies(struct cedar_case *c, struct str file, struct str text, struct buf *why)
{
    c->policies = cedar_policies_new(c->memory);
    return said(c->policies ? cedar_parse(c->policies, file, text, why) : ERR_NOMEM, why);
}

enum err cedar_case_set(struct cedar_case *c, struct str json, struct buf *why)
{
    struct fault f = {0};
    cedar_policies_free(c->policies);
    c->policies = cedar_policies_new(c->memory);
    return c->policies ? said_fault(cedar_est_read_set(c->policies, json, &f), &f, why) : said(ERR_NOMEM, why);
}

static enum err uid_read(const struct json *j, uint32_t at, struct arena *a, struct cedar_uid *ret, struct fault *f)
{
    if (json_type(j, at) == JSON_STRING)
        return cedar_parse_uid(json_str(j, at, a), a, ret, f);
    uint32_t wrapped = json_get(j, at, STR("__entity")), from = wrapped ? wrapped : at,
             type = json_get(j, from, STR("type")), id = json_get(j, from, STR("id"));
    if (json_type(j, type) != JSON_STRING || json_type(j, id) != JSON_STRING)
        return fault_set(f, ERR_SYNTAX, "an entity is written {\"type\", \"id\"}");
    struct str name = json_str(j, type, a);
    if (!cedar_name_valid(name))
        return fault_set(f, ERR_SYNTAX, "'" STR_FMT "' is no name of a type", STR_ARG(name));
    *ret = cedar_uid(name, json_str(j, id, a));
    return ERR_OK;
}

static enum err link_add(struct cedar_case *c, const struct json *j, uint32_t link, struct fault *f)
{
    struct cedar_uid uid[2];
    const struct cedar_uid *slot[2] = {NULL, NULL};
    static const struct str name[2] = {STR("?principal"), STR("?resource")};
    for (int i = 0; i < 2; i++) {
        uint32_t at = json_get(j, json_get(j, link, STR("values")), name[i]);
        if (!at)
            continue;
        TRY(uid_read(j, at, &c->arena, &uid[i], f));
        slot[i] = &uid[i];
    }
    return cedar_policies_link(c->policies, json_str(j, json_get(j, link, STR("templateId")), &c->arena),
                               json_str(j, json_get(j, link, STR("newId")), &c->arena), slot[0], slot[1], f);
}

enum err cedar_case_links(struct cedar_case *c, const struct json *j, uint32_t links, struct buf *why)
{
    struct fault f = {0};
    JSON_EACH(j, links, link)
    {
        enum err e = link_add(c, j, link, &f);
        if (e)
            return said_fault(e, &f, why);
    }
    return ERR_OK;
}

enum err cedar_case_schema(struct cedar_case *c, struct str file, struct str text, struct buf *why)
{
    size_t i = 0;
    while (i < text.n && strchr(" \t\r\n", text.p[i]))
        i++;
    return said(i < text.n && text.p[i] == '{' ? cedar_schema_read(file, text, &c->schema, why)
                                               : cedar_schema_parse(file, text, &c->schema, why),
                why);
}

enum err cedar_case_entities(struct cedar_case *c, struct str json, struct buf *why)
{
    struct fault f = {0};
    struct cedar_entities_new *b = cedar_entities_begin(c->memory);
    if (!b)
        return said(ERR_NOMEM, why);
    enum err e = cedar_entities_read(b, json, c->schema, &f);
    if (e)
        cedar_entities_drop(b);
    else
        e = cedar_entities_done(b, &c->entities, &f);
    return said_fault(e, &f, why);
}

enum err cedar_case_validate(const struct cedar_case *c, struct buf *why)
{
    return said(cedar_validate(c->policies, c->schema, why, NULL), why);
}

static enum err context_read(struct cedar_case *c, const struct json *j, uint32_t at, const struct cedar_uid *action,
                             const struct cedar_record **ret, struct fault *f)
{
    struct cedar_value v;
    if (!at) {
        *ret = &cedar_record_empty;
        return ERR_OK;
    }
    if (c->schema) {
        const struct cedar_action *declared = cedar_schema_action(c->schema, action);
        if (!declared)
            return fault_set(f, ERR_NOT_FOUND, "the schema has no such action");
        return cedar_context_read(j, at, declared, &c->arena, ret, f);
    }
    TRY(cedar_value_read(j, at, "context", &c->arena, &v, f));
    if (v.kind != CEDAR_RECORD)
        return fault_set(f, ERR_SYNTAX, "the context must be a record");
    *ret = v.record;
    return ERR_OK;
}

static enum err request_read(struct cedar_case *c, const struct json *j, uint32_t at, struct cedar_request *r,
                             struct fault *f)
{
    *r = (struct cedar_request){.world = {.store = c->entities}};
    TRY(uid_read(j, json_get(j, at, STR("principal")), &c->arena, &r->principal, f));
    TRY(uid_read(j, json_get(j, at, STR("action")), &c->arena, &r->action, f));
    TRY(uid_read(j, json_get(j, at, STR("resource")), &c->arena, &r->resource, f));
    TRY(context_read(c, j, json_get(j, at, STR("context")), &r->action, &r->context, f));
    if (!c->schema || !json_bool(j, json_get(j, at, STR("validateRequest")), true))
        return ERR_OK;
    return cedar_validate_request(r, c->schema, f);
}

static int id_cmp(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static uint32_t ids_sort(struct str *id, uint32_t n)
{
    uint32_t kept = 0;
    if (n)
        qsort(id, n, sizeof(*id), id_cmp);
    for (uint32_t i = 0; i < n; i++)
        if (!kept || !str_eq(id[kept - 1], id[i]))
            id[kept++] = id[i];
    return kept;
}

static enum err decide(struct cedar_case *c, const struct cedar_request *r, struct case_answer *ret)
{
    struct arena *a = &c->arena, scratch CLEANUP(arena_done);
    uint32_t n = c->policies->n;
    struct cedar_answer answer = {
        .reason = arena_alloc(a, (n + 1) * sizeof(*answer.reason)), /* and one, so that no policy is not no memory */
        .error = arena_alloc(a, (n + 1) * sizeof(*answer.error)),
        .reasons_max = n,
        .errors_max = n,
    };
    struct str *reason = arena_alloc(a, (n + 1) * sizeof(*reason)), *error = arena_alloc(a, (n + 1) * sizeof(*error));
    arena_init(&scratch, c->memory);
    if (arena_failed(a))
        return ERR_NOMEM;
    TRY(cedar_decide(c->program, r, &scratch, &answer));
    for (uint32_t i = 0; i < answer.reasons; i++)
        reason[i] = answer.reason[i]->id;
    for (uint32_t i = 0; i < answer.errors; i++)
        error[i] = answer.error[i].policy->id;
    *ret = (struct case_answer){.decision = answer.decision, .reason = reason, .error = error};
    ret->reasons = ids_sort(reason, answer.reasons);
    ret->errors = ids_sort(error, answer.errors);
    if (answer.errors) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 4096);
        cedar_error_text(&answer.error[0], &b);
        ret->why = arena_buf(a, &b);
    }
    return ERR_OK;
}

enum err cedar_case_ask(struct cedar_case *c, const struct json *j, uint32_t request, struct case_answer *ret,
                        struct buf *why)
{
    struct fault f = {0};
    struct cedar_request r;
    enum err e = c->program ? ERR_OK : cedar_compile(c->policies, &c->program, &f);
    if (!e)
        e = request_read(c, j, request, &r, &f);
    if (!e)
        e = decide(c, &r, ret);
    return said_fault(e, &f, why);
}

const struct str *case_ids(const struct json *j, uint32_t array, struct arena *a, uint32_t *ret_n)
{
    uint32_t n = 0;
    struct str *id = arena_alloc(a, (json_type(j, array) == JSON_ARRAY ? j->node[array].size + 1 : 1) * sizeof(*id));
    JSON_EACH(j, array, i)
    if (id)
        id[n++] = json_str(j, i, a);
    *ret_n = ids_sort(id, n);
    return id;
}

bool case_ids_same(const struct str *a, uint32_t n, const struct str *b, uint32_t m)
{
    if (n != m)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!str_eq(a[i], b[i]))
            return false;
    return true;
}

static void ids_put(const char *before, const struct str *id, uint32_t n, struct buf *out)
{
    for (uint32_t i = 0; i < n; i++) {
        buf_z(out, i ? ", " : before);
        buf_str(out, id[i]);
    }
}

void case_answer_put(const struct case_answer *r, struct buf *out)
{
    buf_z(out, r->decision == CEDAR_ALLOW ? "allow" : "deny");
    ids_put(" by ", r->reason, r->reasons, out);
    ids_put("; failing: ", r->error, r->errors, out);
    if (r->why.n)
        buf_fmt(out, " (" STR_FMT ")", STR_ARG(r->why));
}

/* The document is JSON, and nothing in it leads nowhere. Whether it is OpenAPI, an outside validator says
 * (integration). */
#include "../unit.h"

#include "rest/request.h"

struct document {
    struct arena arena;
    struct buf text;
    struct json doc;
};

static void document_open(struct document *d)
{
    struct fault f = {0};
    arena_init(&d->arena, 64u << 20);
    buf_init(&d->text, 8u << 20);
    rest_openapi(&d->text, STR("https://gate.example"));
    if (json_parse(&d->doc, buf_view(&d->text), &d->arena, NULL, &f))
        fail_msg("%s\n%.*s", f.text, (int)d->text.n, d->text.p);
}

static void document_close(struct document *d)
{
    buf_done(&d->text);
    arena_done(&d->arena);
}

static void every_route_is_an_operation_of_its_path(void **state)
{
    (void)state;
    struct document d;
    document_open(&d);
    uint32_t paths = json_get(&d.doc, JSON_ROOT, STR("paths"));
    size_t operations = 0;
    JSON_PAIRS(&d.doc, paths, k, v)
    operations += d.doc.node[v].size;
    assert_int_equal(operations, rest_route_count);
    for (size_t i = 0; i < rest_route_count; i++) {
        const struct rest_route *r = &rest_routes[i];
        uint32_t path = json_get(&d.doc, paths, str_of(r->path));
        uint32_t operation = json_get(&d.doc, path, str_is(STR("GET"), r->method) ? STR("get") : STR("post"));
        if (!json_str_is(&d.doc, json_get(&d.doc, operation, STR("operationId")), str_of(r->operation)))
            fail_msg("%s %s", r->method, r->path);
    }
    document_close(&d);
}

static void every_reference_leads_to_a_component(void **state)
{
    (void)state;
    static const char where[] = "#/components/schemas/";
    struct document d;
    document_open(&d);
    uint32_t schemas = json_path(&d.doc, JSON_ROOT, "components.schemas");
    size_t count = 0;
    for (uint32_t i = JSON_ROOT; i < d.doc.count; i++) {
        struct str to = json_str(&d.doc, json_get(&d.doc, i, STR("$ref")), &d.arena);
        if (!to.p)
            continue;
        count++;
        if (!str_starts(to, str_of(where)) || !json_get(&d.doc, schemas, str_skip(to, sizeof(where) - 1)))
            fail_msg("%.*s", (int)to.n, to.p);
    }
    assert_true(count > rest_route_count);
    document_close(&d);
}

/* What the table of refusals forgets, a client could not have read. */
static void a_status_is_described_once_for_all_its_codes(void **state)
{
    (void)state;
    struct document d;
    document_open(&d);
    uint32_t call = json_get(&d.doc, json_get(&d.doc, JSON_ROOT, STR("paths")), STR("/v1/tools/{tool}/call"));
    uint32_t responses = json_get(&d.doc, json_get(&d.doc, call, STR("post")), STR("responses"));
    uint32_t busy = json_get(&d.doc, responses, STR("429"));
    struct str words = json_str(&d.doc, json_get(&d.doc, busy, STR("description")), &d.arena);
    assert_true(str_match(STR("`rate_limited`: *`calls_exhausted`: *"), words));
    assert_true(json_path(&d.doc, busy, "headers.Retry-After") > 0);
    assert_true(json_get(&d.doc, responses, STR("200")) > 0);
    document_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_an_operation_of_its_path),
        cmocka_unit_test(every_reference_leads_to_a_component),
        cmocka_unit_test(a_status_is_described_once_for_all_its_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

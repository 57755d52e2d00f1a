/*
 * Whatever an enforcement point sends, its questions are whole or refused in words: who, what and which tool are there,
 * numbers are in their bounds, and arguments are an object.
 *
 *   input: the body of a request to /access/v1/evaluations
 */
#include "../fuzz.h"

#include "admin/authzen.h"

static void whole(const struct authzen *z, const struct authzen_asked *q)
{
    CHECK(q->subject_type.p && q->subject_id.p && q->action.p && q->resource_type.p && q->resource_id.p);
    CHECK(!q->input || json_type(z->doc, q->input) == JSON_OBJECT);
    CHECK(!q->session || json_type(z->doc, q->session) == JSON_OBJECT);
    CHECK(q->calls >= 0 && q->age_ms >= 0 && q->age_ms < INT64_MAX / 2);
    for (size_t i = 0; i < q->scopes; i++)
        CHECK(str_utf8_valid(q->scope[i]));
    for (size_t i = 0; i < q->taints; i++)
        CHECK(str_utf8_valid(q->taint[i]));
}

static void ask(struct authzen *z, uint32_t own)
{
    struct authzen_asked q;
    struct fault f = {0};
    arena_reset(&z->arena);
    enum err e = authzen_read(z, own, JSON_ROOT, &q, &f);
    if (e == ERR_OK)
        whole(z, &q);
    else
        CHECK(e == ERR_PARAMS || e == ERR_NOMEM);
    words_checked(e, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json j;
    struct authzen z = {.doc = &j};
    arena_init(&a, 8 << 20);
    arena_init(&z.arena, 8 << 20);
    if (json_parse(&j, (struct str){(const char *)data, size}, &a, NULL, NULL) == ERR_OK) {
        ask(&z, JSON_ROOT);
        JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("evaluations")), own)
        ask(&z, own);
    }
    arena_done(&z.arena);
    arena_done(&a);
    return 0;
}

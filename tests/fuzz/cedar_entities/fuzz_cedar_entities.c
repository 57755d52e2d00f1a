/*
 * Entities as JSON, or, behind a line "---", a context. Whatever the bytes are: no crash, one of the documented
 * results, words for every refusal; what was read is written so that it reads as the same again; every entity is found,
 * and none is above itself.
 */
#include "../fuzz.h"
#include "cedar/cedar.h"

#define MEMORY ((size_t)32 << 20)

static enum err read_store(struct str text, struct cedar_entities **ret, struct fault *f)
{
    struct cedar_entities_new *b = cedar_entities_begin(MEMORY);
    CHECK(b);
    enum err e = cedar_entities_read(b, text, NULL, f);
    if (!e)
        return cedar_entities_done(b, ret, f);
    cedar_entities_drop(b);
    return e;
}

static void store_text(const struct cedar_entities *s, struct buf *b)
{
    struct json_out out = json_out(b);
    buf_init(b, MEMORY);
    out.b = b;
    cedar_entities_json(s, &out);
    CHECK(!buf_failed(b));
}

static void store_checked(const struct cedar_entities *s)
{
    for (uint32_t i = 0; i < cedar_entities_count(s); i++) {
        const struct cedar_entity *e = cedar_entities_at(s, i);
        CHECK(cedar_entities_find(s, &e->uid) == e);
        CHECK(cedar_name_valid(e->uid.type));
        for (uint32_t k = 0; k < e->n; k++) {
            const struct cedar_entity *above = cedar_entities_find(s, e->ancestors[k]);
            CHECK(cedar_entity_in(e, e->ancestors[k]) && !cedar_uid_eq(e->ancestors[k], &e->uid));
            CHECK(k == 0 || e->ancestors[k - 1]->hash <= e->ancestors[k]->hash);
            CHECK(!above || !cedar_entity_in(above, &e->uid));
        }
    }
}

/* Entities are parsed one by one: that must not let through what is no JSON as a whole. */
static void json_checked(struct str text)
{
    struct arena a;
    struct json j;
    struct fault f = {0};
    arena_init(&a, MEMORY);
    enum err e = json_parse(&j, text, &a, NULL, &f);
    CHECK(e == ERR_OK || e == ERR_LIMIT || e == ERR_NOMEM);
    arena_done(&a);
}

static void store(struct str text)
{
    struct cedar_entities *s = NULL, *again = NULL;
    struct fault f = {0};
    struct buf first, second;
    enum err e = read_store(text, &s, &f);
    CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_NOMEM);
    CHECK((e == ERR_OK) == (s != NULL));
    words_checked(e, &f);
    if (!s)
        return;
    json_checked(text);
    store_checked(s);
    store_text(s, &first);
    e = read_store(buf_view(&first), &again, &f);
    CHECK(e == ERR_OK);
    store_text(again, &second);
    CHECK(str_eq(buf_view(&first), buf_view(&second)));
    cedar_entities_free(s);
    cedar_entities_free(again);
    buf_done(&first);
    buf_done(&second);
}

/* The order of values is one, and sets and records keep it. */
static void value_checked(struct cedar_value v)
{
    CHECK(cedar_value_eq(v, v) && cedar_value_cmp(v, v) == 0);
    for (uint32_t i = 0; v.kind == CEDAR_SET && i < v.set->n; i++) {
        CHECK(i == 0 || cedar_value_cmp(v.set->v[i - 1], v.set->v[i]) < 0);
        CHECK(cedar_set_has(v.set, v.set->v[i]));
        value_checked(v.set->v[i]);
    }
    for (uint32_t i = 0; v.kind == CEDAR_RECORD && i < v.record->n; i++) {
        CHECK(i == 0 || str_cmp(v.record->f[i - 1].name, v.record->f[i].name) < 0);
        CHECK(cedar_record_get(v.record, v.record->f[i].name) == &v.record->f[i].v);
        value_checked(v.record->f[i].v);
    }
}

static void context(struct str text)
{
    struct arena a;
    struct json j, written;
    struct fault f = {0};
    struct buf b;
    struct cedar_value v, again;
    struct json_out out = json_out(&b);
    arena_init(&a, MEMORY);
    buf_init(&b, MEMORY);
    if (!json_parse(&j, text, &a, NULL, &f)) {
        enum err e = cedar_value_read(&j, JSON_ROOT, "context", &a, &v, &f);
        CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_NOMEM);
        words_checked(e, &f);
        if (!e) {
            value_checked(v);
            cedar_value_json(v, &out);
            CHECK(!json_parse(&written, buf_view(&b), &a, NULL, &f));
            CHECK(!cedar_value_read(&written, JSON_ROOT, "context", &a, &again, &f));
            CHECK(cedar_value_eq(v, again));
        }
    }
    buf_done(&b);
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n};
    const char *line = n ? memmem(p, n, "\n---\n", 5) : NULL;
    if (line) {
        context((struct str){line + 5, n - (size_t)(line - text.p) - 5});
        text.n = (size_t)(line - text.p);
    }
    store(text);
    return 0;
}

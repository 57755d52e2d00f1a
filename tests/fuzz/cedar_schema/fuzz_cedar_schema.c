/*
 * A schema, in JSON when it begins with a bracket and human-readable otherwise; then perhaps a line "---" and a JSON
 * value. Whatever the bytes are: no crash, one of the documented results, words with a place for every refusal. What is
 * read is written in both forms, reads as the same schema, and is written the same again. A value that is read by a
 * declared type is of that type.
 */
#include "../../unit/cedar/schema_same.h"
#include "../fuzz.h"

#include "cedar/typed.h"

#define ROOM (1 << 20)

typedef enum err reading(struct str file, struct str text, struct cedar_schema **ret, struct buf *faults);

static void faults_checked(struct str faults)
{
    unsigned n = 0;
    struct str line;
    CHECK(faults.n && faults.p[faults.n - 1] == '\n');
    while (faults.n) {
        str_cut(&faults, '\n', &line);
        line_checked(line);
        CHECK(str_starts(line, STR("shop:")) || (n == CEDAR_FAULTS && str_starts(line, STR("and "))));
        n++;
    }
    CHECK(n <= CEDAR_FAULTS + 1);
}

static struct cedar_schema *read_by(reading *read, struct str text)
{
    struct cedar_schema *s = NULL;
    struct buf faults;
    buf_init(&faults, 1 << 16);
    enum err e = read(STR("shop"), text, &s, &faults);
    CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_NOMEM);
    CHECK((e == ERR_OK) == (s != NULL));
    if (e == ERR_SYNTAX || e == ERR_LIMIT)
        faults_checked(buf_view(&faults));
    buf_done(&faults);
    return s;
}

/* False: it cannot be said. */
static bool written(const struct cedar_schema *s, bool json, struct buf *ret)
{
    struct fault f = {0};
    buf_init(ret, ROOM);
    if (json) {
        struct json_out o = json_out(ret);
        cedar_schema_json(s, &o);
    } else {
        enum err e = cedar_schema_print(s, ret, &f);
        CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_NOMEM);
        words_checked(e, &f);
        return e == ERR_OK;
    }
    return !buf_failed(ret);
}

static void written_and_read(const struct cedar_schema *s, bool json)
{
    struct buf text, again;
    if (written(s, json, &text)) {
        struct cedar_schema *same = read_by(json ? cedar_schema_read : cedar_schema_parse, buf_view(&text));
        CHECK(same && schema_same(s, same));
        CHECK(written(same, json, &again) && str_eq(buf_view(&text), buf_view(&again)));
        buf_done(&again);
        cedar_schema_free(same);
    }
    buf_done(&text);
}

static void sorted_and_found(const struct cedar_schema *s)
{
    for (uint32_t i = 0; i < s->entities; i++) {
        const struct cedar_entity_type *t = &s->entity[i];
        CHECK(cedar_schema_entity(s, t->name) == t && t->attrs->kind == CEDAR_T_RECORD);
        for (uint32_t k = 0; k < t->ancestors; k++)
            CHECK(cedar_schema_below(s, t->name, t->ancestor[k]) && cedar_schema_entity(s, t->ancestor[k]));
    }
    for (uint32_t i = 0; i < s->actions; i++)
        CHECK(cedar_schema_action(s, &s->action[i].uid) == &s->action[i]);
}

static void value_by_type(const struct cedar_schema *s, const struct json *j, const struct cedar_type *t)
{
    struct arena a;
    struct cedar_value v;
    struct fault f = {0};
    arena_init(&a, 8u << 20);
    enum err e = cedar_typed_read(j, JSON_ROOT, t, "value", &a, &v, &f);
    CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_NOMEM);
    words_checked(e, &f);
    if (!e) {
        struct cedar_record *empty = arena_alloc(&a, sizeof(*empty));
        struct cedar_entity entity = {.uid = cedar_uid(STR("Shop"), STR("")), .attrs = v.record, .tags = empty};
        e = cedar_value_check(v, t, s, "value", &f);
        words_checked(e, &f);
        if (v.kind == CEDAR_RECORD && empty && s->entities) {
            entity.uid = cedar_uid(s->entity[0].name, STR("low"));
            e = cedar_validate_entity(&entity, s, &f);
            words_checked(e, &f);
        }
    }
    arena_done(&a);
}

static void value_read(const struct cedar_schema *s, struct str text)
{
    struct arena a;
    struct json j;
    struct fault f = {0};
    arena_init(&a, 8u << 20);
    if (!json_parse(&j, text, &a, NULL, &f)) {
        for (uint32_t i = 0; i < s->actions && i < 4; i++)
            value_by_type(s, &j, s->action[i].context);
        for (uint32_t i = 0; i < s->entities && i < 4; i++)
            value_by_type(s, &j, s->entity[i].attrs);
    }
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n}, value = STR_NONE;
    const char *line = n ? memmem(p, n, "\n---\n", 5) : NULL;
    if (line) {
        text.n = (size_t)(line - text.p);
        value = (struct str){line + 5, n - text.n - 5};
    }
    bool json = text.n && (text.p[0] == '{' || text.p[0] == '[');
    struct cedar_schema *s = read_by(json ? cedar_schema_read : cedar_schema_parse, text);
    if (s) {
        sorted_and_found(s);
        written_and_read(s, false);
        written_and_read(s, true);
        value_read(s, value);
    }
    cedar_schema_free(s);
    return 0;
}

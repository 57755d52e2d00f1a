/*
 * A schema, a line "---" and a value. Whatever the bytes are: no crash, no budget passed, one of the documented
 * results, the same result twice, words for every refusal, and the same verdict for the value's canonical form.
 */
#include "../fuzz.h"
#include "schema/schema.h"

static const struct schema_limits limits = {
    .text = 1 << 16, .subschemas = 2000, .pattern = 256, .patterns = 16, .recursion = 100, .steps = 20000};

static const struct schema_source others[] = {
    {STR("http://x.test/other"),
     STR("{\"type\":\"integer\",\"$defs\":{\"a\":{\"$anchor\":\"a\",\"$ref\":\"http://x.test/other\"}}}")},
    {STR_NONE, STR_NONE},
};

static enum err judge(const struct schema *s, const struct json *j, struct fault *f)
{
    struct arena scratch;
    arena_init(&scratch, 8u << 20);
    enum err e = schema_validate(s, j, JSON_ROOT, &scratch, f);
    arena_done(&scratch);
    CHECK(e == ERR_OK || e == ERR_SCHEMA || e == ERR_LIMIT || e == ERR_NOMEM);
    words_checked(e, f);
    return e;
}

/* An exponent that neither side computes with: the canonical form clamps it. */
static bool beyond_numbers(const struct json *j)
{
    for (uint32_t i = 0; i < j->count; i++) {
        struct str raw = json_raw(j, i);
        for (size_t k = 0; json_type(j, i) == JSON_NUMBER && k < raw.n; k++)
            if ((raw.p[k] | 32) == 'e' && raw.n - k > 10)
                return true;
    }
    return false;
}

static void value_judged(const struct schema *s, struct str text)
{
    struct arena a;
    struct json j, same;
    struct fault f = {0}, again = {0};
    struct buf canonical;
    arena_init(&a, 16u << 20);
    buf_init(&canonical, 1 << 20);
    if (!json_parse(&j, text, &a, NULL, &f)) {
        enum err e = judge(s, &j, &f);
        CHECK(judge(s, &j, &again) == e && strcmp(f.text, again.text) == 0);
        if (!beyond_numbers(&j) && !json_canonical(&j, JSON_ROOT, &canonical, &a) &&
            !json_parse(&same, buf_view(&canonical), &a, NULL, &f)) {
            enum err c = judge(s, &same, &f);
            if ((e == ERR_OK || e == ERR_SCHEMA) && (c == ERR_OK || c == ERR_SCHEMA))
                CHECK(c == e);
        }
    }
    buf_done(&canonical);
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n}, value = {"{}", 2};
    struct schema *s = NULL;
    struct fault f = {0};
    const char *line = n ? memmem(p, n, "\n---\n", 5) : NULL;
    if (line) {
        text.n = (size_t)(line - text.p);
        value = (struct str){line + 5, n - text.n - 5};
    }
    enum err e = schema_compile(text, others, &limits, &s, &f);
    CHECK(e == ERR_OK || e == ERR_SCHEMA_UNUSABLE || e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_NOMEM);
    CHECK((e == ERR_OK) == (s != NULL));
    words_checked(e, &f);
    if (s)
        value_judged(s, value);
    schema_unref(s);
    return 0;
}

/*
 * A schema, a line "---" and policies. Whatever they are: no crash, one of the documented results, a line for every
 * refusal, the same result twice, and the same verdict on the policies printed and read again.
 */
#include "../fuzz.h"

#include "cedar/cedar.h"

enum { MEMORY = 64 << 20, LINES = 1 << 16 };

static void lines_checked(const struct buf *lines)
{
    struct str rest = {lines->p, lines->n}, line;
    while (str_cut(&rest, '\n', &line)) {
        CHECK(line.n);
        line_checked(line);
    }
    CHECK(!rest.n);
}

static enum err verdict(const struct cedar_policies *ps, const struct cedar_schema *s, struct buf *faults)
{
    struct buf warnings;
    buf_init(faults, LINES);
    buf_init(&warnings, LINES);
    enum err e = cedar_validate(ps, s, faults, &warnings);
    CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_NOMEM);
    CHECK((e == ERR_SYNTAX) == (faults->n > 0));
    lines_checked(faults);
    lines_checked(&warnings);
    buf_done(&warnings);
    return e;
}

static struct cedar_policies *printed(const struct cedar_policies *ps)
{
    struct cedar_policies *qs = cedar_policies_new(MEMORY);
    struct buf text, faults;
    buf_init(&text, 8 << 20);
    buf_init(&faults, LINES);
    for (uint32_t i = 0; i < ps->n; i++)
        cedar_print_policy(ps->policy[i], &text);
    CHECK(qs && !cedar_parse(qs, STR("printed"), (struct str){text.p, text.n}, &faults));
    buf_done(&text);
    buf_done(&faults);
    return qs;
}

static void judged(const struct cedar_policies *ps, const struct cedar_schema *s)
{
    struct buf faults, again, other;
    enum err e = verdict(ps, s, &faults);
    CHECK(verdict(ps, s, &again) == e);
    CHECK(faults.n == again.n && (!faults.n || memcmp(faults.p, again.p, faults.n) == 0));
    struct cedar_policies *qs = printed(ps);
    CHECK(verdict(qs, s, &other) == e);
    cedar_policies_free(qs);
    buf_done(&faults);
    buf_done(&again);
    buf_done(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n};
    const char *cut = n ? memmem(text.p, text.n, "\n---\n", 5) : NULL;
    if (!cut)
        return 0;
    struct str schema = {text.p, (size_t)(cut - text.p)}, policies = str_skip(text, schema.n + 5);
    struct cedar_schema *s = NULL;
    struct cedar_policies *ps = cedar_policies_new(MEMORY);
    struct buf faults;
    buf_init(&faults, LINES);
    CHECK(ps);
    if (!cedar_schema_parse(STR("schema"), schema, &s, &faults) && !cedar_parse(ps, STR("policies"), policies, &faults))
        judged(ps, s);
    cedar_schema_free(s);
    cedar_policies_free(ps);
    buf_done(&faults);
    return 0;
}

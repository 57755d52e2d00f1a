/*
 * A text of policies, or policies as JSON. Whatever the bytes are: no crash, no budget passed, one of the documented
 * results, and words for every refusal. What was read says the same when it is printed, formatted or written as JSON
 * and read again; and a second formatting changes nothing.
 */
#include "../fuzz.h"

#include "cedar/est.h"
#include "cedar/parse.h"
#include "cedar/print.h"

enum { MEMORY = 64 << 20, TEXT = 8 << 20 };

static void lines_checked(struct str lines)
{
    struct str line;
    while (str_cut(&lines, '\n', &line)) {
        CHECK(line.n);
        line_checked(line);
    }
    CHECK(!lines.n);
}

static void same_set(const struct cedar_policies *a, const struct cedar_policies *b, bool by_id)
{
    CHECK(a->n == b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        const struct cedar_policy *p = by_id ? cedar_policy_find(b, a->policy[i]->id) : b->policy[i];
        CHECK(p && cedar_policy_same(a->policy[i], p));
    }
}

static void text_again(const struct cedar_policies *ps, struct str text)
{
    struct cedar_policies *qs = cedar_policies_new(MEMORY);
    struct buf faults;
    buf_init(&faults, 1 << 16);
    CHECK(qs);
    if (text.p || !ps->n) {
        CHECK(!cedar_parse(qs, STR("again"), text, &faults));
        same_set(ps, qs, false);
    }
    buf_done(&faults);
    cedar_policies_free(qs);
}

static void printed(const struct cedar_policies *ps)
{
    struct buf text;
    buf_init(&text, TEXT);
    for (uint32_t i = 0; i < ps->n; i++)
        cedar_print_policy(ps->policy[i], &text);
    text_again(ps, buf_view(&text));
    buf_done(&text);
}

static void formatted(const struct cedar_policies *ps, struct str source)
{
    struct buf text, again, faults;
    buf_init(&text, TEXT);
    buf_init(&again, TEXT);
    buf_init(&faults, 1 << 16);
    if (!cedar_format(STR("f"), source, &text, &faults)) {
        text_again(ps, buf_view(&text));
        CHECK(!cedar_format(STR("f"), buf_view(&text), &again, &faults));
        CHECK(str_eq(buf_view(&text), buf_view(&again)));
    }
    buf_done(&text);
    buf_done(&again);
    buf_done(&faults);
}

static void as_json(const struct cedar_policies *ps)
{
    struct cedar_policies *qs = cedar_policies_new(MEMORY);
    struct fault f = {0};
    struct buf text;
    buf_init(&text, TEXT);
    CHECK(qs);
    struct json_out out = json_out(&text);
    cedar_est_set(ps, &out);
    if (!buf_failed(&text)) {
        CHECK(!cedar_est_read_set(qs, buf_view(&text), &f));
        same_set(ps, qs, true);
    }
    buf_done(&text);
    cedar_policies_free(qs);
}

static void text_judged(struct str text)
{
    struct cedar_policies *ps = cedar_policies_new(MEMORY);
    struct buf faults;
    buf_init(&faults, 1 << 16);
    CHECK(ps);
    enum err e = cedar_parse(ps, STR("f"), text, &faults);
    CHECK(e == ERR_OK || e == ERR_SYNTAX);
    CHECK((e == ERR_OK) == (faults.n == 0) && (!e || !ps->n));
    lines_checked(buf_view(&faults));
    if (!e) {
        printed(ps);
        formatted(ps, text);
        as_json(ps);
    }
    buf_done(&faults);
    cedar_policies_free(ps);
}

static void json_judged(struct str text)
{
    struct cedar_policies *ps = cedar_policies_new(MEMORY), *set = cedar_policies_new(MEMORY);
    struct fault f = {0};
    CHECK(ps && set);
    enum err e = cedar_est_read(ps, STR("x"), text, &f);
    CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_LIMIT);
    words_checked(e, &f);
    if (!e) {
        printed(ps);
        as_json(ps);
    }
    e = cedar_est_read_set(set, text, &f);
    CHECK(e == ERR_OK || e == ERR_SYNTAX || e == ERR_LIMIT);
    words_checked(e, &f);
    CHECK(!e || !set->n);
    if (!e)
        as_json(set);
    cedar_policies_free(ps);
    cedar_policies_free(set);
}

static void expression_judged(struct str text)
{
    struct arena a;
    struct buf printed;
    struct fault f = {0};
    struct cedar_uid uid;
    const struct cedar_expr *e = NULL, *again;
    arena_init(&a, MEMORY);
    buf_init(&printed, TEXT);
    enum err err = cedar_parse_expr(text, &a, &e, &f);
    words_checked(err, &f);
    if (!err) {
        cedar_print_expr(e, &printed);
        CHECK(buf_failed(&printed) || !cedar_parse_expr(buf_view(&printed), &a, &again, &f));
        CHECK(buf_failed(&printed) || cedar_expr_same(e, again));
    }
    err = cedar_parse_uid(text, &a, &uid, &f);
    words_checked(err, &f);
    CHECK(err || cedar_name_valid(uid.type));
    buf_done(&printed);
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n};
    if (n && p[0] == '{')
        json_judged(text);
    else
        text_judged(text);
    expression_judged(text);
    return 0;
}

/*
 * A text of policies, decided for a few requests in a small world. The compiled program and its index must say what the
 * tree says (plain.h), with the same reasons and errors in the same order, and so must the program of what is printed
 * and parsed again; a failing policy's error has words.
 */
#include "../fuzz.h"
#include "plain.h"

enum { MEMORY = 64 << 20, POLICIES = 64, TEXT = 1 << 20, INPUT = 1 << 14 };

static const char entities_json[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"n\":3,\"s\":\"text\",\"b\":{\"__entity\":{\"type\":"
    "\"User\","
    "\"id\":\"b\"}},\"r\":{\"x\":true,\"y\":[1,2]}},\"parents\":[{\"type\":\"Team\",\"id\":\"t\"},{\"type\":\"Team\","
    "\"id\":\"u\"}],\"tags\":{\"k\":\"v\",\"l\":[]}},"
    "{\"uid\":{\"type\":\"User\",\"id\":\"b\"},\"attrs\":{\"n\":-1},\"parents\":[{\"type\":\"Team\",\"id\":\"u\"}]},"
    "{\"uid\":{\"type\":\"Team\",\"id\":\"t\"},\"attrs\":{},\"parents\":[{\"type\":\"Org\",\"id\":\"o\"}]},"
    "{\"uid\":{\"type\":\"Action\",\"id\":\"r\"},\"attrs\":{},\"parents\":[{\"type\":\"Action\",\"id\":\"g\"},"
    "{\"type\":\"Action\",\"id\":\"h\"}]},"
    "{\"uid\":{\"type\":\"N::R\",\"id\":\"x\"},\"attrs\":{\"risk\":\"low\",\"owner\":{\"__entity\":{\"type\":\"User\","
    "\"id\":\"a\"}}},\"parents\":[{\"type\":\"N::R\",\"id\":\"y\"}]}]";
static const char context_json[] =
    "{\"n\":5,\"s\":\"hello\",\"yes\":true,\"no\":false,\"set\":[1,2,\"a\"],\"deep\":{\"a\":{\"b\":[{\"c\":1}]}},"
    "\"most\":9223372036854775807,\"none\":[],\"who\":[{\"__entity\":{\"type\":\"User\",\"id\":\"a\"}}],"
    "\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.1.2.3\"}},\"at\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":"
    "\"2024-10-15\"}},\"d\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}}}";

struct answers {
    struct cedar_answer answer;
    const struct cedar_policy *reason[POLICIES];
    struct cedar_error error[POLICIES];
};

static struct cedar_entities *world_new(void)
{
    struct cedar_entities *s = NULL;
    struct fault f;
    struct cedar_entities_new *b = cedar_entities_begin(MEMORY);
    CHECK(b && !cedar_entities_read(b, str_of(entities_json), NULL, &f) && !cedar_entities_done(b, &s, &f));
    return s;
}

static const struct cedar_record *context_new(struct arena *a)
{
    struct json j;
    struct fault f;
    struct cedar_value v;
    CHECK(!json_parse(&j, str_of(context_json), a, NULL, &f));
    CHECK(!cedar_value_read(&j, JSON_ROOT, "context", a, &v, &f));
    return v.record;
}

static void words(const struct cedar_error *e)
{
    struct buf b;
    buf_init(&b, TEXT);
    cedar_error_text(e, &b);
    CHECK(!buf_failed(&b) && b.n && str_utf8_valid(buf_view(&b)));
    buf_done(&b);
}

static void decided(const struct cedar_policies *ps, const struct cedar_request *r, struct answers *ret)
{
    struct cedar_program *p = NULL;
    struct arena scratch;
    struct fault f = {0};
    CHECK(!cedar_compile(ps, &p, &f));
    arena_init(&scratch, MEMORY);
    ret->answer = (struct cedar_answer){
        .reason = ret->reason, .error = ret->error, .reasons_max = POLICIES, .errors_max = POLICIES};
    CHECK(!cedar_decide(p, r, &scratch, &ret->answer));
    for (uint32_t i = 0; i < ret->answer.errors; i++)
        words(&ret->error[i]);
    arena_done(&scratch);
    cedar_program_free(p);
}

static void same_as_plain(const struct cedar_policies *ps, const struct cedar_request *r, const struct answers *got)
{
    struct arena a;
    uint32_t errors = 0, reasons = 0;
    bool forbidden = false;
    arena_init(&a, MEMORY);
    struct plain plain = {r, &a};
    int said[POLICIES];
    for (uint32_t i = 0; i < ps->n; i++) {
        said[i] = ps->policy[i]->is_template ? 0 : plain_policy(&plain, ps->policy[i]);
        forbidden |= said[i] == 1 && ps->policy[i]->effect == CEDAR_FORBID;
    }
    for (uint32_t i = 0; i < ps->n; i++) {
        if (said[i] < 0)
            CHECK(errors < got->answer.errors && got->error[errors++].policy == ps->policy[i]);
        if (said[i] == 1 && (ps->policy[i]->effect == CEDAR_FORBID) == forbidden)
            CHECK(reasons < got->answer.reasons && got->reason[reasons++] == ps->policy[i]);
    }
    CHECK(errors == got->answer.errors && reasons == got->answer.reasons);
    CHECK((got->answer.decision == CEDAR_ALLOW) == (reasons && !forbidden));
    CHECK(!arena_failed(&a));
    arena_done(&a);
}

static void same_answers(const struct answers *a, const struct answers *b)
{
    CHECK(a->answer.decision == b->answer.decision && a->answer.reasons == b->answer.reasons &&
          a->answer.errors == b->answer.errors);
    for (uint32_t i = 0; i < a->answer.reasons; i++)
        CHECK(a->reason[i]->order == b->reason[i]->order);
    for (uint32_t i = 0; i < a->answer.errors; i++)
        CHECK(a->error[i].policy->order == b->error[i].policy->order && a->error[i].why == b->error[i].why);
}

/* The same policies from what is printed of them; NULL: it is too long. */
static struct cedar_policies *printed(const struct cedar_policies *ps)
{
    struct cedar_policies *again = cedar_policies_new(MEMORY);
    struct buf text, faults;
    buf_init(&text, TEXT);
    buf_init(&faults, 1 << 16);
    CHECK(again);
    for (uint32_t i = 0; i < ps->n; i++)
        cedar_print_policy(ps->policy[i], &text);
    bool good = !buf_failed(&text);
    CHECK(!good || !cedar_parse(again, STR("again"), buf_view(&text), &faults));
    buf_done(&text);
    buf_done(&faults);
    if (good)
        return again;
    cedar_policies_free(again);
    return NULL;
}

static void judged(const struct cedar_policies *ps)
{
    struct arena a;
    struct answers first, second;
    struct cedar_policies *again = printed(ps);
    struct cedar_entities *s = world_new();
    arena_init(&a, MEMORY);
    struct cedar_request r[] = {
        {cedar_uid(STR("User"), STR("a")),
         cedar_uid(STR("Action"), STR("r")),
         cedar_uid(STR("N::R"), STR("x")),
         NULL,
         {.store = s}},
        {cedar_uid(STR("User"), STR("b")),
         cedar_uid(STR("Action"), STR("g")),
         cedar_uid(STR("N::R"), STR("y")),
         NULL,
         {.store = s}},
        {cedar_uid(STR("Team"), STR("t")),
         cedar_uid(STR("Action"), STR("h")),
         cedar_uid(STR("User"), STR("a")),
         NULL,
         {.store = s}},
    };
    for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
        r[i].context = i == 1 ? &cedar_record_empty : context_new(&a);
        decided(ps, &r[i], &first);
        same_as_plain(ps, &r[i], &first);
        if (again) {
            decided(again, &r[i], &second);
            same_answers(&first, &second);
        }
    }
    arena_done(&a);
    cedar_entities_free(s);
    cedar_policies_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct cedar_policies *ps = cedar_policies_new(MEMORY);
    struct buf faults;
    buf_init(&faults, 1 << 16);
    CHECK(ps);
    if (n <= INPUT && !cedar_parse(ps, STR("f"), (struct str){(const char *)p, n}, &faults) && ps->n <= POLICIES)
        judged(ps);
    buf_done(&faults);
    cedar_policies_free(ps);
    return 0;
}

/*
 * Any bytes as JSON. We take what simdjson takes and refuse what it refuses; the differences are those that we want:
 * duplicate keys are refused, numbers beyond a double are taken, and the bounds are ours. What is taken has a sound
 * tape, and its canonical form is taken, equal to it, and its own canonical form. A refusal says where.
 */
#include "../fuzz.h"
#include "base/json.h"
#include "oracle.h"

enum { ARENA = 64 << 20 };

/* Every node lies inside its parent, in order, and the sizes are true. */
static void tape_checked(const struct json *j)
{
    for (uint32_t i = JSON_ROOT; i < j->count; i++) {
        const struct json_node *v = &j->node[i];
        uint32_t children = 0;
        size_t at = v->off;
        CHECK(v->len && (size_t)v->off + v->len <= j->text.n && v->next > i && v->next <= j->count);
        if (v->type != JSON_ARRAY && v->type != JSON_OBJECT)
            CHECK(v->next == i + 1 && v->size == 0);
        for (uint32_t c = i + 1; c < v->next; c = j->node[c].next, children++) {
            CHECK(j->node[c].off > at && j->node[c].off + j->node[c].len < v->off + v->len &&
                  j->node[c].next <= v->next);
            at = j->node[c].off;
        }
        CHECK(children == (v->type == JSON_OBJECT ? 2u * v->size : v->size));
    }
    CHECK(j->node[JSON_ROOT].next == j->count);
}

/* By pairs and by copies: slow, and another way than the parser's. */
static bool has_twins(const struct json *j, struct arena *a)
{
    for (uint32_t i = JSON_ROOT; i < j->count; i++)
        JSON_PAIRS(j, json_type(j, i) == JSON_OBJECT ? i : 0, k, v)
    JSON_PAIRS(j, i, other, w)
    if (other < k && str_eq(json_str(j, k, a), json_str(j, other, a)))
        return true;
    return false;
}

static void canonical_checked(const struct json *j)
{
    struct arena a;
    struct buf once, twice;
    struct json again;
    struct fault f = {0};
    arena_init(&a, ARENA);
    buf_init(&once, 16 << 20);
    buf_init(&twice, 16 << 20);
    enum err e = json_canonical(j, JSON_ROOT, &once, &a);
    CHECK(e == ERR_OK || e == ERR_LIMIT);
    if (!e) {
        CHECK(json_parse(&again, buf_view(&once), &a, NULL, &f) == ERR_OK);
        CHECK(json_equal(j, JSON_ROOT, &again, JSON_ROOT, &a) && json_equal(&again, JSON_ROOT, j, JSON_ROOT, &a));
        CHECK(json_canonical(&again, JSON_ROOT, &twice, &a) == ERR_OK && str_eq(buf_view(&once), buf_view(&twice)));
    }
    buf_done(&once);
    buf_done(&twice);
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n};
    struct arena a;
    struct json j;
    struct fault f = {0};
    arena_init(&a, ARENA);
    enum err e = json_parse(&j, text, &a, NULL, &f);
    enum oracle other = oracle_judge(text.p, n);
    if (!e) {
        CHECK(other != ORACLE_REFUSES);
        tape_checked(&j);
        if (j.count < 4000)
            CHECK(!has_twins(&j, &a));
        canonical_checked(&j);
    } else {
        bool bound = e == ERR_LIMIT, twin = e == ERR_SYNTAX && strstr(f.text, "stands in the object twice");
        CHECK(e == ERR_SYNTAX || e == ERR_LIMIT);
        CHECK(f.err == e && (str_starts(str_of(f.text), STR("line ")) || strstr(f.text, "more than")));
        CHECK(bound || twin || other != ORACLE_TAKES);
    }
    arena_done(&a);
    return 0;
}

/*
 * A call explained by policies, whatever these are: no crash, in bounds; what applied is what decided, and every change
 * that is told lets the call through.
 */
#include "../fuzz.h"
#include "policy/explain.h"

static const char definition[] =
    "{\"name\":\"pay\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"amount\"],\"properties\":{"
    "\"amount\":{\"type\":\"integer\"},\"price\":{\"type\":\"number\"},\"to\":{\"type\":\"string\"},"
    "\"fast\":{\"type\":\"boolean\"},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}";

static void explained_checked(const struct explain *e)
{
    size_t decided = 0;
    CHECK(e->trials <= EXPLAIN_TRIALS && e->ways <= EXPLAIN_WAYS);
    CHECK(!e->ways || e->answer.effect == POLICY_DENY);
    for (unsigned i = 0; i < e->ways; i++)
        CHECK(e->way[i].changes && e->way[i].changes == e->way[0].changes && e->way[i].effect != POLICY_DENY);
    for (size_t i = 0; i < e->policies; i++) {
        const struct explain_policy *p = &e->policy[i];
        decided += p->decided;
        CHECK(!p->decided || p->applied);
        for (size_t k = 0; k < p->parts; k++)
            CHECK(!p->applied || p->part[k].held);
    }
    if (e->answer.reasons <= POLICY_REASONS)
        CHECK(decided == e->answer.reasons);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const struct conf_root conf = {.policy.timezone = {"UTC", 3}};
    const struct policy_text text = {STR("p.cedar"), {(const char *)p, n}, true};
    struct policy_fact fact = {STR("desk/pay"), STR("desk"), STR("pay"), {definition, sizeof(definition) - 1}, ""};
    struct policy_texts *texts = NULL;
    struct policy_set *set = NULL;
    struct lease *l = lease_new();
    struct tool tool = {.id = fact.id};
    struct arena a;
    struct json doc;
    struct buf faults;
    struct explain e;
    struct fault f;
    memset(fact.hash, 'a', 64);
    memcpy(tool.hash, fact.hash, sizeof(tool.hash));
    arena_init(&a, 256u << 20);
    buf_init(&faults, 1u << 20);
    l->sid = l->agent_id = l->agent_type = l->agent_version = l->agent_env = l->agent_owner = STR("x");
    const struct policy_question q = {.lease = l, .tool = &tool, .doc = &doc, .arguments = JSON_ROOT};
    if (json_parse(&doc, STR("{\"amount\":5,\"to\":\"bob\",\"tags\":[\"a\"]}"), &a, NULL, NULL) == ERR_OK &&
        policy_texts_of(&text, 1, &texts, &faults) == ERR_OK &&
        policy_set_new(texts, &conf, &fact, 1, &set, &faults) == ERR_OK && explain(set, &q, &a, &e, &f) == ERR_OK)
        explained_checked(&e);
    policy_set_unref(set);
    policy_texts_unref(texts);
    lease_unref(l);
    buf_done(&faults);
    arena_done(&a);
    return 0;
}

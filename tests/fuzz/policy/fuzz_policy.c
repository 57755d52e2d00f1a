/*
 * A server's definition of a tool becomes words of the policies' vocabulary, whatever it is: the schema that comes of
 * it is one, and the built-in policy holds with it. And whatever arguments come, they are judged.
 *
 *   input: the tool's definition (JSON), a line end, arguments (JSON)
 */
#include "../fuzz.h"

#include <stdlib.h>

#include "policy/policy.h"

static struct str fuzz_name(const struct json *j, struct arena *a)
{
    struct str s = json_str(j, json_get(j, JSON_ROOT, STR("name")), a);
    return s.n && s.n < 200 ? s : STR("tool");
}

static void fuzz_judge(const struct policy_set *s, const struct policy_fact *fact, struct str arguments,
                       struct arena *a)
{
    struct json j = {0};
    struct policy_answer answer;
    struct tool t = {.id = fact->id};
    struct lease *l = lease_new();
    if (!l)
        return;
    memcpy(t.hash, fact->hash, sizeof(t.hash));
    l->agent_id = STR("agt_1");
    l->agent_type = l->agent_version = l->agent_env = l->agent_owner = l->sid = STR("x");
    bool given = json_parse(&j, arguments, a, NULL, NULL) == ERR_OK && json_type(&j, JSON_ROOT) == JSON_OBJECT;
    const struct policy_question q = {.lease = l, .tool = &t, .doc = &j, .arguments = given ? JSON_ROOT : 0};
    policy_judge(s, &q, a, &answer);
    if (answer.effect != POLICY_ALLOW && answer.fault.err != ERR_NOMEM)
        abort(); /* the built-in policy reads no argument */
    lease_unref(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json j;
    struct buf faults;
    struct conf_root conf = {.policy.timezone = STR("UTC")};
    struct policy_text text = {STR("built-in"), str_of(policy_builtin), true};
    struct policy_texts *texts;
    struct policy_set *s;
    struct str rest = {(const char *)data, size}, definition;
    arena_init(&a, 64 << 20);
    buf_init(&faults, 1 << 20);
    str_cut(&rest, '\n', &definition);
    if (json_parse(&j, definition, &a, NULL, NULL) == ERR_OK && json_type(&j, JSON_ROOT) == JSON_OBJECT &&
        policy_texts_of(&text, 1, &texts, &faults) == ERR_OK) {
        struct policy_fact fact = {.server = STR("desk"), .name = fuzz_name(&j, &a), .definition = definition};
        fact.id = ARENA_JOIN(&a, STR("desk/"), fact.name);
        memset(fact.hash, 'a', 64);
        if (policy_set_new(texts, &conf, &fact, 1, &s, &faults) == ERR_OK) {
            fuzz_judge(s, &fact, rest, &a);
            policy_set_unref(s);
        } else if (!memmem(faults.p ? faults.p : "", faults.n, "memory", 6)) {
            abort();
        }
        policy_texts_unref(texts);
    }
    buf_done(&faults);
    arena_done(&a);
    return 0;
}

/*
 * What a server answers, against the outputSchema that it declares: agents rely on it, and the protocol says that
 * servers must keep to it (MCP 2025-11-25 and 2026-07-28, server/tools, "Output Schema"). The call is over by now, so
 * that nothing is denied here: a result that breaks the promise is withheld, and the record says that it failed.
 */
#include "gate/gate.h"
#include "gate/stage.h"

enum { RESULT_SCRATCH = 64 << 20 };

/* One that is there to be judged: the result of a tool that made a promise, which is neither an error of the tool's nor
 * a step on the way to it. */
static bool result_promised(const struct call *c)
{
    const struct connect_answer *a = &c->answer;
    return !c->fault.err && a->result && !a->input &&
           !json_bool(a->doc, json_get(a->doc, a->result, STR("isError")), false);
}

static void result_judge(struct call *c)
{
    const struct connect_answer *a = &c->answer;
    uint32_t content = json_get(a->doc, a->result, STR("structuredContent"));
    if (!content) {
        fault_set(&c->fault, ERR_RESULT,
                  "the result of " STR_FMT " has no structuredContent, which its outputSchema promises",
                  STR_ARG(c->target));
        return;
    }
    struct arena scratch;
    struct fault f;
    arena_init(&scratch, RESULT_SCRATCH);
    if (schema_validate(c->tool->output, a->doc, content, &scratch, &f)) {
        struct str words = gate_without_value(str_of(f.text)); /* what is withheld is not told in the refusal either */
        fault_set(&c->fault, ERR_RESULT, "the result of " STR_FMT " does not fit its outputSchema: " STR_FMT,
                  STR_ARG(c->target), STR_ARG(words));
    }
    arena_done(&scratch);
}

enum verdict stage_result(struct call *c)
{
    if (c->tool && c->tool->output && result_promised(c))
        result_judge(c);
    return VERDICT_NEXT;
}

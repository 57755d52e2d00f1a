/*
 * Cases of policies in YAML. Whatever the bytes are: no crash; either there are cases, each with a tool, or there are
 * faults, each with its place.
 */
#include "../fuzz.h"
#include "cli/policy_case.h"

static void faults_checked(struct str faults)
{
    struct str line;
    CHECK(faults.n);
    while (faults.n) {
        CHECK(str_cut(&faults, '\n', &line));
        CHECK(str_starts(line, STR("a.yaml:")) && line.n > 10);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct buf faults;
    struct policy_cases cases;
    arena_init(&a, 64u << 20);
    buf_init(&faults, 16u << 20);
    enum err e = policy_cases_read(STR("a.yaml"), (struct str){(const char *)p, n}, &a, &faults, &cases);
    CHECK(e == ERR_OK || e == ERR_CONFIG);
    if (e) {
        faults_checked(buf_view(&faults));
    } else {
        CHECK(cases.n && !faults.n);
        for (size_t i = 0; i < cases.n; i++)
            CHECK(cases.v[i].call.tool.p && cases.v[i].line && cases.v[i].name.p);
    }
    buf_done(&faults);
    arena_done(&a);
    return 0;
}

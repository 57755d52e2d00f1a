/*
 * The first line is a traceparent, the next ones lists of tracestate. What is taken over can be sent on: an id of the
 * form that the standard gives it, and a state that is taken over once more as it is.
 */
#include "../fuzz.h"
#include "net/trace.h"

enum { LISTS = 6, STATE_MAX = 512 };

static void id_checked(const char *id, size_t digits)
{
    bool zero = true;
    CHECK(strlen(id) == digits);
    for (size_t i = 0; i < digits; i++) {
        CHECK((id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f'));
        zero = zero && id[i] == '0';
    }
    CHECK(!zero);
}

static void state_checked(const struct trace *t, struct arena *a)
{
    struct trace again = *t;
    again.state = STR_NONE;
    CHECK(t->state.n <= STATE_MAX && http_field_valid(STR("tracestate"), t->state));
    trace_state(&t->state, 1, a, &again);
    CHECK(str_eq(again.state, t->state));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str rest = {(const char *)p, n}, parent, list[LISTS];
    struct arena a;
    struct trace t;
    size_t count = 0;
    arena_init(&a, 65536);
    str_cut(&rest, '\n', &parent);
    while (rest.n && count < LISTS)
        str_cut(&rest, '\n', &list[count++]);
    trace_parent(parent, &t);
    trace_state(list, count, &a, &t);
    if (t.id[0]) {
        id_checked(t.id, 32);
        id_checked(t.parent, 16);
    } else {
        CHECK(!t.parent[0] && !t.state.n && !t.sampled);
    }
    if (t.state.n)
        state_checked(&t, &a);
    arena_done(&a);
    return 0;
}

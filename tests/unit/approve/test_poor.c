/* Memory is short at any point: a call is refused in words, a yes is none, and nothing breaks. */
#include "house.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t of);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t of);
void *__wrap_realloc(void *p, size_t n);

static _Thread_local int left = -1; /* allocations of this thread that succeed; -1: all */
static _Thread_local bool poor;

static bool fails(void)
{
    if (left < 0)
        return false;
    if (left-- > 0)
        return false;
    left = 0;
    poor = true;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t of)
{
    return fails() ? NULL : __real_calloc(n, of);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static void a_question_without_memory_is_refused(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, "{\"amount\":1}");
    struct fault f = {.text = ""};
    struct caller c;
    enum err e = ERR_NOMEM;
    for (int i = 0; e && i < 100; i++) {
        left = i;
        e = house_try(h, &ask, &c, &f);
        left = -1;
        assert_true(!e || (e == ERR_NOMEM && f.text[0]));
        assert_int_equal(approvals_pending(h->queue), e ? 0 : 1);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(poor);
    assert_true(approvals_leave(h->queue, &c.w));
    lease_unref(l);
}

static void a_yes_without_memory_is_none_and_can_be_said_again(void **state)
{
    struct house *h = *state;
    struct lease *l = house_session(h, "ursula");
    struct approval_ask ask = asked(l, "{\"amount\":1}");
    struct fault f = {.text = ""};
    struct caller c;
    enum approval_state now;
    enum err e = ERR_NOMEM;
    ask.reviewers = STR("[\"finance\"]");
    house_ask(h, &ask, &c);
    house_settled(h);
    struct approval_decision d = {.id = str_of(c.w.id),
                                  .verdict = APPROVE_ONCE,
                                  .by = {STR("alice"), STR("[\"finance\"]"), STR("api")},
                                  .arguments = STR("{\"amount\":2}"),
                                  .digest = ask.digest};
    poor = false;
    for (int i = 0; e && i < 100; i++) {
        left = i;
        e = approvals_decide(h->queue, &d, &now, &f);
        left = -1;
        assert_true(!e || e == ERR_NOMEM);
        assert_true(!e || caller_waits(&c, 1));
    }
    assert_int_equal(e, ERR_OK);
    assert_true(poor);
    assert_int_equal(caller_hears(&c), APPROVAL_TAKEN);
    assert_string_equal(c.arguments, "{\"amount\":2}");
    lease_unref(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_without_memory_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_yes_without_memory_is_none_and_can_be_said_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

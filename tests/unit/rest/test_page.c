/* Pages of a list: how many, and behind which tool. */
#include "../unit.h"

#include "rest/request.h"

struct read {
    struct arena arena;
    struct rest_page page;
    struct fault fault;
    enum err err;
};

static void read_page(struct read *r, struct str query)
{
    *r = (struct read){0};
    arena_init(&r->arena, 1u << 20);
    r->err = rest_page_read(query, &r->arena, &r->page, &r->fault);
}

static void takes(const char *query, size_t limit)
{
    struct read r;
    read_page(&r, str_of(query));
    if (r.err || r.page.limit != limit || r.page.after.n)
        fail_msg("%s: %s %s; limit %zu", query, err_code(r.err), r.fault.text, r.page.limit);
    arena_done(&r.arena);
}

static void refuses(const char *query, enum err err, const char *word)
{
    struct read r;
    read_page(&r, str_of(query));
    if (r.err != err || !strstr(r.fault.text, word))
        fail_msg("%s: %s: %s", query, err_code(r.err), r.fault.text);
    arena_done(&r.arena);
}

static void a_page_has_a_hundred_unless_the_client_says_how_many(void **state)
{
    (void)state;
    takes("", 100);
    takes("limit=1", 1);
    takes("limit=1000", 1000);
    takes("limit=%37&verbose=1", 7);
}

static void a_limit_is_a_whole_number_within_the_bounds(void **state)
{
    (void)state;
    static const char *const no[] = {
        "limit=0", "limit=1001", "limit=-1", "limit=", "limit=1.5", "limit=ten", "limit", "limit=99999999999999999999"};
    for (size_t i = 0; i < COUNT(no); i++)
        refuses(no[i], ERR_PARAMS, "limit must be a whole number");
    refuses("limit=1&limit=2", ERR_INVALID, "the query: the parameter limit came twice");
    refuses("limit=%4", ERR_INVALID, "the query");
}

static void a_cursor_leads_behind_the_tool_that_it_was_made_of(void **state)
{
    (void)state;
    struct read r;
    struct arena a;
    arena_init(&a, 1u << 16);
    struct str cursor = rest_cursor(STR("desk/lookup_order"), &a);
    assert_true(cursor.n > 0);
    read_page(&r, arena_fmt(&a, "cursor=" STR_FMT "&limit=5", STR_ARG(cursor)));
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(r.page.limit, 5);
    assert_true(str_is(r.page.after, "desk/lookup_order"));
    arena_done(&r.arena);
    arena_done(&a);
}

static void a_cursor_that_was_never_given_out_is_refused(void **state)
{
    (void)state;
    char endless[2048] = "cursor=";
    memset(endless + 7, 'A', sizeof(endless) - 8);
    refuses("cursor=", ERR_PARAMS, "cursor is none");
    refuses("cursor=%21", ERR_PARAMS, "cursor is none");
    refuses("cursor=_____w", ERR_PARAMS, "cursor is none"); /* bytes that are not UTF-8 */
    refuses(endless, ERR_PARAMS, "cursor is none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_a_hundred_unless_the_client_says_how_many),
        cmocka_unit_test(a_limit_is_a_whole_number_within_the_bounds),
        cmocka_unit_test(a_cursor_leads_behind_the_tool_that_it_was_made_of),
        cmocka_unit_test(a_cursor_that_was_never_given_out_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

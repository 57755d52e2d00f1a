/*
 * A query as the lists of the REST face read it, and with it the form of the token endpoint. What is taken is within
 * the bounds, and its cursor made anew leads to the same place; what is refused says why.
 */
#include "../fuzz.h"
#include "rest/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct rest_page page, again;
    struct fault f = {0};
    arena_init(&a, 1u << 20);
    struct str query = arena_str(&a, (struct str){(const char *)p, n});
    enum err e = query.p ? rest_page_read(query, &a, &page, &f) : ERR_NOMEM;
    if (e) {
        CHECK(e == ERR_INVALID || e == ERR_PARAMS || e == ERR_NOMEM);
        words_checked(query.p ? e : ERR_OK, &f);
    } else {
        CHECK(page.limit >= 1 && page.limit <= REST_PAGE_MAX && str_utf8_valid(page.after));
        struct str cursor = rest_cursor(page.after, &a);
        struct str next = arena_fmt(&a, "cursor=" STR_FMT, STR_ARG(cursor));
        if (page.after.n && next.p) {
            CHECK(rest_page_read(next, &a, &again, &f) == ERR_OK);
            CHECK(str_eq(again.after, page.after) && again.limit == REST_PAGE);
        }
    }
    arena_done(&a);
    return 0;
}
